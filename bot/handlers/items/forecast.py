"""`scribe remind --dry-run --at`: what would be said by then if nobody did anything. Writes nothing.

The ticks are played with their own code, at each moment at which something is due, in a rehearsal on the store.
"""

import html
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.config import Settings
from bot.documents.rendering import terminal
from bot.domain.items.handover import WINDOW
from bot.domain.items.reminders import is_person
from bot.errors import UsageError
from bot.handlers.items import digest_edits, digests, handovers, reminders, rhythms, summaries
from bot.handlers.items.digests import DigestKey
from bot.handlers.review import invitations
from bot.handlers.review.reviews import REMINDER
from storage import incidents, members, outbox
from storage.database import Database
from storage.items import action_items
from storage.items import digests as digest_rows
from storage.items import handovers as handover_rows
from storage.items.rehearsal import Rehearsal, rehearsal
from storage.outbox import Job
from storage.values import UNKNOWN, ActionItem, Incident

FARTHEST = timedelta(days=92)
"""How far ahead a forecast looks."""
MOST = 1_000
"""Messages of one forecast; it ends with the moment in which there are so many."""
_NAMELESS = "privategroup"
"""What Slack calls every private channel in its payloads."""
_IDLE, _MINUTE = timedelta(minutes=30), timedelta(minutes=1)
"""What passes before the next tick where something stays due."""
_MENTION = re.compile(r"<[@#](?P<id>[A-Z0-9]+)(?:\|[^<>]*)?>")
_ENTITY = re.compile(r"<[^<>|]*\|(?P<label>[^<>]*)>")

About = tuple[Incident, ActionItem | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One message: to whom, by name, at what time of their zone; its head in Slack text, and what it is about."""

    at: datetime
    to: str
    head: str
    about: tuple[About, ...]


def forecast(database: Database, settings: Settings, *, at: datetime, until: datetime, private: bool = False) -> str:
    """What would be said from `at` until then, day by day in the zone of the settings, as plain text.

    Words of private incidents are in it only with `private`. Raises UsageError for a time that is too far ahead.
    """
    if until - at > FARTHEST:
        last = (at + FARTHEST).astimezone(settings.timezone)
        raise UsageError(f"A forecast looks {FARTHEST.days} days ahead, so at {last:%Y-%m-%d} at the latest.")
    with rehearsal(database) as played:
        sayings, end = _play(played, settings, at=at, until=until, private=private)
    days: dict[date, list[Saying]] = {}
    for each in sayings:
        days.setdefault(each.at.astimezone(settings.timezone).date(), []).append(each)
    return terminal(
        "forecast",
        begin=at.astimezone(settings.timezone),
        end=end.astimezone(settings.timezone),
        cut=end < until,
        days=days,
        count=len(sayings),
        recipients=len({each.to for each in sayings}),
        zone=settings.timezone,
        on=settings.cadence.on,
        private=private,
    )


def _play(
    played: Rehearsal, settings: Settings, *, at: datetime, until: datetime, private: bool
) -> tuple[list[Saying], datetime]:
    """What is said until then, and up to when it was played."""
    sayings: list[Saying] = []
    clock = at
    while settings.cadence.on:
        # In the order of `scribe run`.
        claimed = handovers.tick(played, settings.cadence, at=clock)
        claimed += reminders.tick(played, settings.cadence, at=clock)
        with played.write() as connection:
            said = list(_Delivery(connection=connection, settings=settings, at=clock, private=private).said())
        sayings += said
        next_at = played.next_due_at()
        if next_at is None or next_at > until:
            break
        if len(sayings) >= MOST:
            return sayings, clock
        clock = max(next_at, clock + (_MINUTE if said or claimed else _IDLE))
        if clock > until:
            break
    return sayings, until


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """Says what the outbox holds at a moment, as the delivery does, but to nobody."""

    connection: Connection
    settings: Settings
    at: datetime
    private: bool
    names: dict[tuple[str, str], str] = field(default_factory=dict)

    def said(self) -> Iterator[Saying]:
        """Each message that is due, in order."""
        while job := outbox.claim(self.connection, at=self.at):
            say = _SAID.get(job.action)
            saying = say(self, job) if say else None
            outbox.mark_sent(self.connection, job, at=self.at)
            if saying:
                yield saying

    def _saying(self, job: Job, recipient_id: str, head: str, about: Iterable[About] = ()) -> Saying:
        member = members.find(self.connection, job.workspace_id, recipient_id)
        zone = ZoneInfo(member.timezone) if member and member.timezone else self.settings.timezone
        return Saying(
            at=self.at.astimezone(zone),
            to=self._name(job.workspace_id, recipient_id),
            head=self._plain(job.workspace_id, head),
            about=tuple(about),
        )

    def _name(self, workspace_id: str, place: str) -> str:
        """A person's name, or a channel's with its sign."""
        if (workspace_id, place) not in self.names:
            named = self._person if is_person(place) else self._channel
            self.names[workspace_id, place] = named(workspace_id, place)
        return self.names[workspace_id, place]

    def _person(self, workspace_id: str, user_id: str) -> str:
        return members.names_of(self.connection, workspace_id, [user_id]).get(user_id, user_id)

    def _channel(self, workspace_id: str, channel_id: str) -> str:
        """Known are the channels that have incidents, and those that somebody has mentioned."""
        known = incidents.channel(self.connection, workspace_id, channel_id)
        if known:
            name, is_private = known
            return "a private channel" if is_private and not (self.private and name != _NAMELESS) else f"#{name}"
        mentioned = members.names_of(self.connection, workspace_id, [channel_id]).get(channel_id)
        is_summary = channel_id == self.settings.summary_channel
        return f"#{mentioned}" if mentioned else f"the channel {'of the summary' if is_summary else channel_id}"

    def _plain(self, workspace_id: str, text: str) -> str:
        """Slack text as a terminal shows it."""
        named = _MENTION.sub(lambda match: self._name(workspace_id, match["id"]), text)
        return html.unescape(_ENTITY.sub(lambda match: match["label"], named)).replace("*", "")

    def digest(self, job: Job) -> Saying | None:
        """The digest of a day, or what is escalated."""
        key = DigestKey(
            workspace_id=job.workspace_id,
            recipient_id=job.content["recipient"],
            on=date.fromisoformat(job.content["on"]),
        )
        found = digest_edits.present(self.connection, key, self.settings)
        if found is None or not found.called:
            return None
        digests.told(self.connection, key, found)
        about = [self._about(*each) for each in found.holds]
        hidden = len(about) == 1 and about[0][0].private and not self.private
        return self._saying(job, key.recipient_id, "An action item is late." if hidden else found.head, about)

    def _about(self, incident_id: int, item_id: int | None) -> About:
        incident = incidents.by_id(self.connection, incident_id)
        return incident, None if item_id is None else action_items.with_id(self.connection, incident_id, item_id)

    def handover(self, job: Job) -> Saying | None:
        """What others did with somebody's items."""
        content = job.content
        changes = handover_rows.of_ids(self.connection, content["changes"], set_aside=lambda *_unreadable: None)
        found = handovers.compose(
            self.connection,
            job.workspace_id,
            content["recipient"],
            changes,
            on=date.fromisoformat(content["on"]),
            prefix=self.settings.prefix,
        )
        recipient_id, on = content["recipient"], date.fromisoformat(content["on"])
        scope = (self.connection, job.workspace_id, recipient_id)
        earlier = digest_rows.handed_since(*scope, since_at=self.at - WINDOW)
        # For a while what follows is put into the same message.
        if found is None or earlier is not None:
            return None
        how = {"channel_id": recipient_id, "ts": "", "fingerprint": "", "listed": ()}
        digest_rows.save_handover(*scope, told_on=on, at=self.at, **how)
        return self._saying(job, recipient_id, found.head, handovers.told_of(changes))

    def expired(self, job: Job) -> Saying | None:
        """Which proposals were dropped."""
        content = job.content
        found = digests.expired(
            self.connection, job.workspace_id, content["recipient"], content["items"], days=content["days"]
        )
        items = action_items.by_id(self.connection, job.workspace_id, content["items"]) if found else []
        of = ((incidents.numbered(self.connection, job.workspace_id, number), item) for number, item in items)
        about = [(incident, item) for incident, item in of if incident]
        return self._saying(job, content["recipient"], found.head, about) if found else None

    def summary(self, job: Job) -> Saying | None:
        """The weekly summary, which has no words of private incidents."""
        settings = self.settings
        text = summaries.summary(
            self.connection,
            job.workspace_id,
            job.content,
            at=job.written_at,
            cadence=settings.cadence,
            prefix=settings.prefix,
            quiet=settings.summary_when_empty == "nothing",
        )
        channel = settings.summary_channel
        return self._saying(job, channel, text) if text and channel else None

    def review(self, job: Job) -> Saying | None:
        """A reminder of a review."""
        content: dict[str, Any] = job.content
        if "user_id" not in content:
            return None
        member = members.find(self.connection, job.workspace_id, content["user_id"])
        standing = member.standing if member else UNKNOWN
        found = invitations.reminder(
            self.connection, content, standing=standing, at=self.at, cadence=self.settings.cadence
        )
        if found is None or found.due_at is not None:
            return None
        incident = incidents.by_id(self.connection, content["incident_id"])
        return self._saying(job, content["user_id"], f"Reminder: the review of {incident.name} is ahead.")

    def muted(self, job: Job) -> Saying | None:
        """Who has muted their reminders; the words of the items follow below the head."""
        if not job.lane.startswith(f"{rhythms.MUTED}:"):
            return None
        return self._saying(job, job.content["channel"], job.content["text"].partition("\n")[0])


_SAID: dict[str, Callable[[_Delivery, Job], Saying | None]] = {
    reminders.DIGEST: _Delivery.digest,
    handovers.HANDOVER: _Delivery.handover,
    reminders.EXPIRED: _Delivery.expired,
    reminders.SUMMARY: _Delivery.summary,
    REMINDER: _Delivery.review,
    outbox.POST: _Delivery.muted,
}
"""What is said of itself, by the action of its job."""
