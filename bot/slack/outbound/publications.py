"""What the outbox publishes: one edition to each target asked for, and one message that says how it went."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from slack_sdk.errors import SlackApiError
from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.errors import UsageError
from bot.handlers.postmortem.audiences import Means, names_in, retell
from bot.handlers.postmortem.exports import read
from bot.handlers.postmortem.publishing import PUBLISH
from bot.publishing.folder import Folder
from bot.publishing.target import PLACES, Edition, NotYetError, Published, Target
from bot.slack.context import Door
from bot.slack.outbound.canvas import Canvas
from storage import incidents, outbox, publications
from storage.outbox import Errand
from storage.values import Incident, Publication

PRIVATE_NOW: Final = "{} is kept to its own channel by now, and others read that place too."
PATIENCE: Final = timedelta(hours=24)
"""How long a place that fails is tried again."""


def _folder(door: Door) -> Target:
    if door.settings.publish_dir is None:
        raise UsageError("SCRIBE_PUBLISH_DIR is not set any more.")
    return Folder(door.settings.publish_dir, door.settings.publish_url)


def _canvas(door: Door) -> Target:
    return Canvas(door.client, door.identity.canvas)


TARGETS: Final[Mapping[str, Callable[[Door], Target]]] = {"folder": _folder, "canvas": _canvas}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How it went with one target: `done`, or a `problem`; `waits` says that it is tried again, and for what.

    `before` is the version that stood there, if any.
    """

    target: str
    before: int | None = None
    done: Published | None = None
    problem: str | None = None
    waits: NotYetError | None = None


def publish(door: Door, errand: Errand) -> None:
    """Publish, then keep where it stands and put the message into the outbox, in one transaction.

    What may work later is told once and becomes an errand of its own, tried ever more rarely for a day.
    """
    content = errand.content
    if not content["told"]:
        _take_over(door, errand)
    edition, retold = _edition(door, errand)
    known = _known(door, content["incident_id"])
    results = [_publish(door, edition, name, known.get(_key(name, edition.how))) for name in content["targets"]]
    over = content["told"] and door.clock() - errand.written_at > PATIENCE
    for each in results:
        if each.waits and content["told"] and not over:
            raise _to_wait_for(each.waits)
    text = slack("published", edition=edition, results=results, by=content["by"], over=over, drafted=retold)
    message = {**_place(edition.record.incident, content), "text": text}
    with door.database.write() as connection:
        _keep(connection, errand, edition, results, at=door.clock())
        _add(connection, errand, message["channel"], "post", message, at=door.clock())
        for each in results:
            if each.waits and not over:
                again = {**content, "targets": [each.target], "told": True}
                _add(connection, errand, _lane(errand, each.target), PUBLISH, again, at=door.clock())
        outbox.sent(connection, errand, at=door.clock())


def _place(incident: Incident, content: dict[str, Any]) -> dict[str, Any]:
    """Where it is told: there where it was asked for, unless the incident is kept to its own channel by now."""
    if incident.seen_from(content["channel"]):
        return {"channel": content["channel"], "reply_url": content["reply_url"]}
    return {"channel": incident.channel_id, "reply_url": None}


def _take_over(door: Door, errand: Errand) -> None:
    """Do what an earlier errand waits to try again in its place. Raises NotYetError while it is at it just now."""
    lanes = [_lane(errand, name) for name in errand.content["targets"]]
    with door.database.write() as connection:
        alone = outbox.supersede(connection, errand.workspace_id, lanes=lanes, at=door.clock())
    if not alone:
        raise NotYetError("It is being published just now.")


def _lane(errand: Errand, target: str) -> str:
    """The lane of what is tried again: a place that fails for long holds up no other, and no new version."""
    return f"{PUBLISH}:{errand.content['incident_id']}:{_key(target, errand.content['how'])}"


def _keep(connection: Connection, errand: Errand, edition: Edition, results: list[Result], *, at: datetime) -> None:
    for each in results:
        if each.done:
            publications.keep(
                connection,
                errand.content["incident_id"],
                target=_key(each.target, edition.how),
                location=each.done.location,
                version=edition.version,
                at=at,
                by=errand.content["by"],
            )


def _add(
    connection: Connection, errand: Errand, lane: str, action: str, content: dict[str, Any], *, at: datetime
) -> None:
    outbox.add(connection, errand.workspace_id, lane=lane, action=action, content=content, at=at)


def _key(target: str, how: str | None) -> str:
    """A rendering has a place of its own: what was published for the world is never overwritten with names."""
    return f"{target}:{how}" if how else target


def _edition(door: Door, errand: Errand) -> tuple[Edition, object]:
    """The newest version as it is asked for, and how its retelling came about."""
    content = errand.content
    with door.database.read() as connection:
        record = read(connection, incidents.by_id(connection, content["incident_id"]))
        names = names_in(connection, record)
    if content["how"] is None:
        return Edition(record=record), None
    # A template of the operator's may take seconds; nothing is locked meanwhile.
    retold = retell(record, content["how"], Means(names=names, shelf=door.settings.shelf, prefix=content["prefix"]))
    return Edition(record=retold.record, how=content["how"]), retold.drafted


def _known(door: Door, incident_id: int) -> dict[str, Publication]:
    with door.database.read() as connection:
        return {each.target: each for each in publications.of_incident(connection, incident_id)}


def _publish(door: Door, edition: Edition, name: str, known: Publication | None) -> Result:
    before = known.version if known else None
    if edition.record.incident.private and PLACES[name].shared:
        # It was asked for before the incident was kept to its own channel.
        return Result(target=name, before=before, problem=PRIVATE_NOW.format(edition.record.incident.name))
    try:
        return Result(target=name, before=before, done=TARGETS[name](door).publish(edition, known))
    except NotYetError as failure:
        return Result(target=name, before=before, problem=str(failure), waits=failure)
    except UsageError as problem:
        return Result(target=name, before=before, problem=str(problem))


def _to_wait_for(failure: NotYetError) -> Exception:
    """What the outbox waits for as long as it should: Slack may have said for how long."""
    cause = failure.__cause__
    if isinstance(cause, SlackApiError) and cause.response.status_code == 429:  # noqa: PLR2004 - "too many requests"
        return cause
    return failure
