"""Compares what was acknowledged with what is stored, and what should be sent with what arrived."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import and_, func, not_, select

from bot.clock import now
from bot.fakeslack.slack import Slack
from bot.handlers.review.reviews import REMINDER
from bot.slack.outbound.delivery import LONGEST_WAIT_S
from storage import incidents, timeline
from storage.database import Database
from storage.models import outbox as jobs
from storage.models import postmortem_versions
from tests.reliability.responders import Responder

SENT_S = 300.0
LATER = timedelta(seconds=2 * LONGEST_WAIT_S)
"""Longer than any job waits for its next attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The counts; all but `acknowledged`, `drafts`, `messages` and `sent_twice` must be 0.

    `sent_twice` counts messages and files that Slack had accepted when the sender was killed before it could commit
    that: Slack's API has no idempotent calls.
    """

    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    out_of_order: int = 0
    refused: int = 0
    drafts: int = 0
    half_drafts: int = 0
    messages: int = 0
    unsent: int = 0
    sent_twice: int = 0

    def __add__(self, other: "Comparison") -> "Comparison":
        return Comparison(**{name: getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__})

    @property
    def faults(self) -> dict[str, int]:
        """The counts that should be 0 and are not."""
        names = ("lost", "doubled", "out_of_order", "refused", "half_drafts", "unsent")
        return {name: getattr(self, name) for name in names if getattr(self, name)}


def compare(database: Database, slack: Slack, responders: list[Responder], *, before: int) -> Comparison:
    """Compare once the outbox is empty, or after SENT_S; each incident had `before` entries at the start."""
    unsent = _unsent(database, slack)
    comparison = Comparison(unsent=unsent) + _messages(database, slack) + _drafts(database, slack)
    for responder in responders:
        comparison += _entries(database, responder, before)
    return comparison


def _unsent(database: Database, slack: Slack) -> int:
    """The number of jobs not sent in the end, parked ones included.

    The reminder of a review may wait for its reader's working hours, whatever the hour of this test.
    """

    def left() -> int:
        waits = and_(jobs.c.action == REMINDER, jobs.c.state == "waiting", jobs.c.due_at > now() + LATER)
        with database.read() as connection:
            return connection.execute(select(func.count()).where(jobs.c.state != "sent", not_(waits))).scalar_one()

    try:
        slack.wait_for(lambda: left() == 0, within_s=SENT_S)
    except TimeoutError:
        return left()
    return 0


def _entries(database: Database, responder: Responder, before: int) -> Comparison:
    with database.read() as connection:
        incident = incidents.in_channel(connection, responder.process.slack.team_id, responder.channel)
        assert incident is not None
        found = sorted(timeline.of_incident(connection, incident.id), key=lambda entry: entry.number)
    stored = [entry.text for entry in found[before:]]
    typed, counted = Counter(responder.typed), Counter(stored)
    return Comparison(
        acknowledged=len(responder.typed),
        lost=(typed - counted).total(),
        doubled=(counted - typed).total(),
        out_of_order=sum(one != other for one, other in zip(stored, responder.typed, strict=False)),
        refused=len(responder.refused),
    )


def _drafts(database: Database, slack: Slack) -> Comparison:
    """Each requested draft is one version with all its sections, and each version was uploaded as a file.

    The draft that follows a resolution is left out if the incident is open again by then.
    """
    with database.read() as connection:
        contents = connection.execute(select(jobs.c.content).where(jobs.c.action == "draft")).scalars().all()
        versions = connection.execute(select(postmortem_versions)).mappings().all()
    sections = max((len(each["sections"]) for each in versions), default=0)
    whole = sum(len(each["sections"]) == sections and all(s["heading"] for s in each["sections"]) for each in versions)
    asked = sum(content["asked"] for content in contents)
    files = Counter(file.name for file in slack.files if file.name.endswith(".md"))
    return Comparison(
        drafts=len(versions),
        half_drafts=len(versions) - whole + max(0, asked - len(versions), len(versions) - len(contents)),
        unsent=max(0, len(versions) - len(files)),
        sent_twice=files.total() - len(files),
    )


def _messages(database: Database, slack: Slack) -> Comparison:
    """Each message of the outbox arrived, identified by its key. A reminder may have become obsolete."""
    with database.read() as connection:
        posts = select(jobs.c.workspace_id, jobs.c.id).where(jobs.c.action == "post", jobs.c.state == "sent")
        wanted = {f"{workspace}:{number}" for workspace, number in connection.execute(posts)}
    seen = Counter(
        call.args["metadata"]["event_payload"]["key"]
        for call in slack.calls
        if call.method == "chat.postMessage" and call.error is None and call.args.get("metadata")
    )
    return Comparison(messages=len(wanted), unsent=len(wanted - seen.keys()), sent_twice=seen.total() - len(seen))
