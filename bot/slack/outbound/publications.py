"""The job that publishes a postmortem: one edition to each requested target, and one message with the results."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from slack_sdk.errors import SlackClientError

from bot.documents.export import for_publication, latest_draft
from bot.documents.rendering import slack
from bot.domain.incident.policy import told_in
from bot.domain.postmortem.edition import count_open
from bot.errors import UsageError
from bot.handlers.incident import channels
from bot.handlers.postmortem.audiences import AudienceOptions, names_in, render_for
from bot.handlers.postmortem.exports import read_record
from bot.handlers.postmortem.publishing import PUBLISH
from bot.handlers.request import Reply
from bot.publishing.folder import Folder
from bot.publishing.target import TARGETS, Edition, NotYetError, Published, Target
from bot.slack.context import SlackContext
from bot.slack.outbound.blocks import message as as_message
from bot.slack.outbound.canvas import CanvasTarget
from bot.slack.refusals import retry_after_s
from storage import incidents, outbox, postmortems, publications
from storage.outbox import Job
from storage.sources.files import FileStore
from storage.values import Publication

PRIVATE_NOW: Final = "{} is kept to its own channel by now, and others read that place too."
RETRY_FOR: Final = timedelta(hours=24)
"""How long publishing to a target that fails is tried again."""


def _folder(context: SlackContext) -> Target:
    if context.settings.publish_dir is None:
        raise UsageError("SCRIBE_PUBLISH_DIR is not set any more.")
    return Folder(context.settings.publish_dir, context.settings.publish_url)


def _canvas(context: SlackContext) -> Target:
    return CanvasTarget(context.client, context.identity.canvas)


TARGET_FACTORIES: Final[Mapping[str, Callable[[SlackContext], Target]]] = {"folder": _folder, "canvas": _canvas}


def address(context: SlackContext, published: Publication) -> str | None:
    """The web address of what is published, if it has one."""
    if published.target == "canvas":
        return context.identity.canvas(published.location)
    folder = context.settings.publish_url
    return f"{folder}/{published.location}" if folder and published.target == "folder" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """The result for one target: `done`, or a `problem`; with `waits`, the error after which it is tried again.

    `before` is the version published there earlier, if any.
    """

    target: str
    before: int | None = None
    done: Published | None = None
    problem: str | None = None
    waits: NotYetError | None = None


def publish(context: SlackContext, job: Job) -> None:
    """Publish, then store where and put the message into the outbox, in one transaction.

    Each target that failed for now becomes a separate job, whose content has `told` set since the message reports the
    failure. That job is tried again ever more rarely, and reports once: its success, or its failure after RETRY_FOR.
    """
    content = job.content
    if not content["told"]:
        _supersede_retries(context, job)
    edition, drafted = _edition(context, job)
    incident = edition.record.incident
    with context.database.read() as connection:
        known = {each.target: each for each in publications.of_incident(connection, content["incident_id"])}
    results = [_publish(context, edition, name, known.get(_key(name, edition.audience))) for name in content["targets"]]
    over = content["told"] and context.clock() - job.written_at > RETRY_FOR
    for each in results:
        if each.waits and content["told"] and not over:
            raise _with_slacks_delay(each.waits)
    text = slack(
        "published",
        edition=edition,
        results=results,
        by=content["by"],
        over=over,
        drafted=drafted,
        prefix=content["prefix"],
    )
    # After a request from another channel only the incident's own one is told.
    seen = told_in(incident, content["channel"])
    channel_id, reply_url = (content["channel"], content["reply_url"]) if seen else (incident.channel_id, None)
    with context.database.write() as connection:
        at = context.clock()
        for each in results:
            if each.done:
                publications.save(
                    connection,
                    content["incident_id"],
                    target=_key(each.target, edition.audience),
                    location=each.done.location,
                    version=edition.version,
                    at=at,
                    by=content["by"],
                )
        offered = channels.archive_offer(connection, incident) if any(each.done for each in results) else ()
        message = {**as_message(Reply(text=text, buttons=offered)), "asked_by": content.get("asked_by")}
        outbox.post(connection, job.workspace_id, channel_id, message, reply_url=reply_url, at=at)
        for each in results:
            if each.waits and not over:
                again = {**content, "targets": [each.target], "told": True}
                lane = _retry_lane(job, each.target)
                outbox.add(connection, job.workspace_id, lane=lane, action=PUBLISH, content=again, at=at)
        outbox.mark_sent(connection, job, at=at)


def _supersede_retries(context: SlackContext, job: Job) -> None:
    """Cancel earlier jobs that wait to try the same targets again. Raises NotYetError while one of them is running."""
    lanes = [_retry_lane(job, name) for name in job.content["targets"]]
    with context.database.write() as connection:
        alone = outbox.supersede(connection, job.workspace_id, lanes=lanes, at=context.clock())
    if not alone:
        raise NotYetError("It is being published just now.")


def _retry_lane(job: Job, target: str) -> str:
    """The lane of retries: a target that fails for long delays no other target and no newer version."""
    return f"{PUBLISH}:{job.content['incident_id']}:{_key(target, job.content['how'])}"


def _key(target: str, how: str | None) -> str:
    """Each rendering has its own location, so that names never overwrite what was published for the public."""
    return f"{target}:{how}" if how else target


def _edition(context: SlackContext, job: Job) -> tuple[Edition, object]:
    """The newest version in the requested rendering, and how the text for that audience was drafted."""
    content = job.content
    with context.database.read() as connection:
        record = read_record(connection, incidents.by_id(connection, content["incident_id"]))
        if content.get("again"):
            # After an erasure the published version comes again, not a newer one that is not meant to be read yet.
            published = {each.target: each.version for each in publications.of_incident(connection, record.incident.id)}
            number = published.get(_key(content["targets"][0], content["how"]), 0)
            version = postmortems.numbered(connection, record.incident.id, number)
            record = replace(record, postmortem=version or record.postmortem)
        names = names_in(connection, record)
    record = replace(record, read_file=FileStore(context.settings.files_dir).read)
    still_open = count_open(latest_draft(record).sections)
    if content["how"] is None:
        return Edition(record=for_publication(record), still_open=still_open), None
    # Outside any transaction: an operator's template may take seconds.
    options = AudienceOptions(
        names=names,
        catalog=context.settings.catalog,
        prefix=content["prefix"],
        money=content.get("money", False),
        pictures=content.get("pictures", False),
        look_again_days=context.settings.cadence.worked,
    )
    rendered = render_for(record, content["how"], options)
    return Edition(record=rendered.record, audience=content["how"], still_open=still_open), rendered.drafted


def _publish(context: SlackContext, edition: Edition, name: str, known: Publication | None) -> Result:
    before = known.version if known else None
    if edition.record.incident.private and TARGETS[name].shared:
        # The incident has become private since the request.
        return Result(target=name, before=before, problem=PRIVATE_NOW.format(edition.record.incident.name))
    try:
        return Result(target=name, before=before, done=TARGET_FACTORIES[name](context).publish(edition, known))
    except NotYetError as failure:
        return Result(target=name, before=before, problem=str(failure), waits=failure)
    except UsageError as problem:
        return Result(target=name, before=before, problem=str(problem))


def _with_slacks_delay(failure: NotYetError) -> Exception:
    """The error to raise: Slack's, if delivery must read its `Retry-After`."""
    cause = failure.__cause__
    if isinstance(cause, SlackClientError) and retry_after_s(cause) is not None:
        return cause
    return failure
