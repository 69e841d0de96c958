"""What the outbox publishes: one edition to each target asked for, and one message that says how it went."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from slack_sdk.errors import SlackApiError
from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.errors import UsageError
from bot.handlers.postmortem.audiences import AudienceOptions, names_in, render_for
from bot.handlers.postmortem.exports import read_record
from bot.handlers.postmortem.publishing import PUBLISH
from bot.publishing.folder import Folder
from bot.publishing.target import TARGETS, Edition, NotYetError, Published, Target
from bot.slack.context import SlackContext
from bot.slack.outbound.canvas import CanvasTarget
from storage import incidents, outbox, publications
from storage.outbox import Job
from storage.values import Publication

PRIVATE_NOW: Final = "{} is kept to its own channel by now, and others read that place too."
PATIENCE: Final = timedelta(hours=24)
"""How long a place that fails is tried again."""


def _folder(context: SlackContext) -> Target:
    if context.settings.publish_dir is None:
        raise UsageError("SCRIBE_PUBLISH_DIR is not set any more.")
    return Folder(context.settings.publish_dir, context.settings.publish_url)


def _canvas(context: SlackContext) -> Target:
    return CanvasTarget(context.client, context.identity.canvas)


TARGET_FACTORIES: Final[Mapping[str, Callable[[SlackContext], Target]]] = {"folder": _folder, "canvas": _canvas}


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


def publish(context: SlackContext, job: Job) -> None:
    """Publish, then keep where it stands and put the message into the outbox, in one transaction.

    What may work later is told once and becomes a job of its own, tried ever more rarely for a day.
    """
    content = job.content
    if not content["told"]:
        _take_over(context, job)
    edition, retold = _edition(context, job)
    known = _known(context, content["incident_id"])
    results = [_publish(context, edition, name, known.get(_key(name, edition.audience))) for name in content["targets"]]
    over = content["told"] and context.clock() - job.written_at > PATIENCE
    for each in results:
        if each.waits and content["told"] and not over:
            raise _to_wait_for(each.waits)
    text = slack("published", edition=edition, results=results, by=content["by"], over=over, drafted=retold)
    incident = edition.record.incident
    # An incident that went private since somebody asked elsewhere is spoken of in its own channel alone.
    seen = incident.seen_from(content["channel"])
    channel_id, reply_url = (content["channel"], content["reply_url"]) if seen else (incident.channel_id, None)
    with context.database.write() as connection:
        _keep(connection, job, edition, results, at=context.clock())
        outbox.post(connection, job.workspace_id, channel_id, {"text": text}, reply_url=reply_url, at=context.clock())
        for each in results:
            if each.waits and not over:
                again = {**content, "targets": [each.target], "told": True}
                lane = _lane(job, each.target)
                outbox.add(connection, job.workspace_id, lane=lane, action=PUBLISH, content=again, at=context.clock())
        outbox.mark_sent(connection, job, at=context.clock())


def _take_over(context: SlackContext, job: Job) -> None:
    """Do what an earlier job waits to try again in its place. Raises NotYetError while it is at it just now."""
    lanes = [_lane(job, name) for name in job.content["targets"]]
    with context.database.write() as connection:
        alone = outbox.supersede(connection, job.workspace_id, lanes=lanes, at=context.clock())
    if not alone:
        raise NotYetError("It is being published just now.")


def _lane(job: Job, target: str) -> str:
    """The lane of what is tried again: a place that fails for long holds up no other, and no new version."""
    return f"{PUBLISH}:{job.content['incident_id']}:{_key(target, job.content['how'])}"


def _keep(connection: Connection, job: Job, edition: Edition, results: list[Result], *, at: datetime) -> None:
    for each in results:
        if each.done:
            publications.save(
                connection,
                job.content["incident_id"],
                target=_key(each.target, edition.audience),
                location=each.done.location,
                version=edition.version,
                at=at,
                by=job.content["by"],
            )


def _key(target: str, how: str | None) -> str:
    """A rendering has a place of its own: what was published for the world is never overwritten with names."""
    return f"{target}:{how}" if how else target


def _edition(context: SlackContext, job: Job) -> tuple[Edition, object]:
    """The newest version as it is asked for, and how its retelling came about."""
    content = job.content
    with context.database.read() as connection:
        record = read_record(connection, incidents.by_id(connection, content["incident_id"]))
        names = names_in(connection, record)
    if content["how"] is None:
        return Edition(record=record), None
    # A template of the operator's may take seconds; nothing is locked meanwhile.
    retold = render_for(
        record, content["how"], AudienceOptions(names=names, catalog=context.settings.catalog, prefix=content["prefix"])
    )
    return Edition(record=retold.record, audience=content["how"]), retold.drafted


def _known(context: SlackContext, incident_id: int) -> dict[str, Publication]:
    with context.database.read() as connection:
        return {each.target: each for each in publications.of_incident(connection, incident_id)}


def _publish(context: SlackContext, edition: Edition, name: str, known: Publication | None) -> Result:
    before = known.version if known else None
    if edition.record.incident.private and TARGETS[name].shared:
        # It was asked for before the incident was kept to its own channel.
        return Result(target=name, before=before, problem=PRIVATE_NOW.format(edition.record.incident.name))
    try:
        return Result(target=name, before=before, done=TARGET_FACTORIES[name](context).publish(edition, known))
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
