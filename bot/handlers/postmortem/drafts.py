"""Drafts: request one, write it in the background, show a version, choose the template."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.clock import Clock
from bot.config import Settings
from bot.documents import drafting
from bot.documents.drafting import Drafted
from bot.documents.export import FORMATS
from bot.documents.rendering import RENDER_LOCK, markdown, slack
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.document import Document
from bot.domain.postmortem.redraft import Redrafted, redraft
from bot.errors import UsageError
from bot.handlers.incident.incidents import find_current, get_named, get_word_and_named, incident_number
from bot.handlers.postmortem.audiences import AudienceOptions, names_in, render_for
from bot.handlers.postmortem.exports import read_record
from bot.handlers.request import Reply, Request, first_word
from bot.telemetry import context
from storage import action_items, incidents, outbox, postmortems, reviews, timeline
from storage.database import Database
from storage.outbox import Job
from storage.values import Incident, Postmortem

SHOW_LIMIT_S, SHOW_WAIT_S = 1.0, 0.5
"""Seconds for the operator's own template within an answer; Slack waits three."""
_VERSION = re.compile(r"v([0-9]{1,6})")


def request_draft(connection: Connection, request: Request) -> Reply:
    """`draft [INC-12]`: request a new version from what is recorded now."""
    incident, rest = get_named(connection, request)
    if rest.strip():
        raise UsageError(f"Which incident? Try: {request.slash('postmortem')} draft INC-12")
    enqueue_draft(connection, request, incident)
    return Reply(text=slack("drafting", incident=incident), public=True)


def enqueue_draft(connection: Connection, request: Request, incident: Incident, picked: str | None = None) -> None:
    """Put the drafting into the outbox: it is too slow for an answer.

    `picked` is a template that the user named; if it fails, the user is told and no version is written. Any other
    template falls back to a built-in one.
    """
    outbox.add(
        connection,
        request.workspace_id,
        # A lane of its own: while Slack is down, messages that wait for it must not delay the draft.
        lane=f"draft:{incident.id}",
        action="draft",
        content={
            "incident_id": incident.id,
            "channel_id": request.channel_id,
            "by": request.user_name,
            "template": picked or _template_of(connection, request, incident.id),
            "picked": picked is not None,
            "user_id": request.user_id,
            "prefix": request.settings.prefix,
            "reply_url": request.reply_url,
        },
        at=request.received_at,
    )


def _template_of(connection: Connection, request: Request, incident_id: int) -> str:
    """The template of the incident's newest version, else the one in the settings."""
    newest = postmortems.newest(connection, incident_id)
    return newest.template if newest else request.settings.template


def write_draft(database: Database, settings: Settings, job: Job, clock: Clock) -> None:
    """Run the job of `enqueue_draft`: write the next version, and put its delivery into the outbox.

    Everything is rendered before the transaction that writes it: the operator's own template may take seconds. If
    another version was saved in the meantime, the draft is merged with that one instead.
    """
    content = job.content
    with RENDER_LOCK, database.read() as connection:
        incident, document = load_document(connection, content["incident_id"], prefix=content["prefix"])
    drafted = drafting.draft_sections(document, content["template"], settings.catalog)
    if drafted.problem and content.get("picked"):
        text = slack("not_picked", incident=incident, problem=drafted.problem)
        channel_id, user_id = content["channel_id"], content["user_id"]
        with database.write() as connection:
            outbox.ephemeral(connection, job.workspace_id, channel_id, user_id, {"text": text}, at=clock())
            outbox.mark_sent(connection, job, at=clock())
        return
    saved = False
    while not saved:
        with database.read() as connection:
            newest = postmortems.newest(connection, incident.id)
        with RENDER_LOCK:
            version, redrafted = next_version(
                newest, drafted, template=content["template"], by=content["by"], at=clock()
            )
            delivery = _delivery(incident, version, drafted, redrafted, content)
        with database.write() as connection:
            # Another draft, or an edit that is being saved, waits for this lock.
            incidents.numbered(connection, incident.workspace_id, incident.number, lock=True)
            current = postmortems.newest(connection, incident.id)
            saved = (current and current.version) == (newest and newest.version)
            if saved:
                postmortems.insert_version(connection, incident.id, version)
                outbox.add(
                    connection,
                    job.workspace_id,
                    lane=content["channel_id"],
                    action="document",
                    content=delivery,
                    at=clock(),
                )
                outbox.mark_sent(connection, job, at=clock())
    context.bind(incident=incident.name, draft=version.version)


def load_document(connection: Connection, incident_id: int, *, prefix: str) -> tuple[Incident, Document]:
    """The incident, and its document assembled from what is recorded now."""
    incident = incidents.by_id(connection, incident_id)
    document = assemble(
        incident,
        timeline.of_incident(connection, incident_id),
        action_items.of_incident(connection, incident_id),
        zone=ZoneInfo(incident.timezone),
        prefix=prefix,
        review=reviews.planned(connection, incident_id),
    )
    return incident, document


def next_version(
    newest: Postmortem | None, drafted: Drafted, *, template: str, by: str, at: datetime
) -> tuple[Postmortem, Redrafted]:
    """The version after `newest`: the draft merged with what people wrote; and a description of the merge.

    `template` is the one that was requested, also where a built-in one replaced it: the next draft tries it again.
    """
    before = newest.sections if newest else ()
    redrafted = redraft(before, drafted.sections, fallback=drafted.problem is not None)
    number = newest.version + 1 if newest else 1
    version = Postmortem(template=template, version=number, sections=redrafted.sections, drafted_at=at, drafted_by=by)
    return version, redrafted


def _delivery(
    incident: Incident, version: Postmortem, drafted: Drafted, redrafted: Redrafted, content: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of the outbox job that sends the version to the channel."""
    comment = slack(
        "drafted",
        incident=incident,
        postmortem=version,
        prefix=content["prefix"],
        drafted=drafted,
        redrafted=redrafted,
    )
    return {
        "incident_id": incident.id,
        "channel": content["channel_id"],
        "reply_url": content["reply_url"],
        "comment": comment,
        "title": f"{incident.name} postmortem, version {version.version}",
        "filename": f"{incident.name}-postmortem-v{version.version}.md",
        "markdown": to_markdown(incident, version),
    }


def to_markdown(incident: Incident, postmortem: Postmortem) -> str:
    """The version as one Markdown file."""
    return markdown(incident, postmortem.sections)


def show(connection: Connection, request: Request) -> Reply:
    """`show`: the newest version; `show v3`: an earlier one; `show blameless|public`: the newest for that audience."""
    audience, incident = get_word_and_named(connection, request)
    record = read_record(connection, incident)
    if number := _VERSION.fullmatch(audience):
        version = postmortems.numbered(connection, incident.id, int(number[1]))
        if version is None:
            raise UsageError(f"{incident.name} has no version {int(number[1])} of its postmortem.")
        record, audience = replace(record, postmortem=version), ""
    if record.postmortem is None:
        raise UsageError(f"{incident.name} has no draft yet. {request.slash('postmortem')} draft writes one.")
    if not audience:
        text = slack("postmortem", incident=incident, postmortem=record.postmortem)
        return Reply(text=text, document=to_markdown(incident, record.postmortem))
    options = AudienceOptions(
        names=names_in(connection, record),
        catalog=request.settings.catalog,
        prefix=request.settings.prefix,
        limit_s=SHOW_LIMIT_S,
        wait_s=SHOW_WAIT_S,
    )
    rendered = render_for(record, audience, options)
    text = slack("rendered", incident=incident, postmortem=record.postmortem, how=audience, drafted=rendered.drafted)
    return Reply(text=text, document=FORMATS["md"](rendered.record))


def template(connection: Connection, request: Request) -> Reply:
    """`template NAME`: draft this version and later ones with that template; without a name, list the templates."""
    word, rest = first_word(request.words)
    if not word or (incident_number(word) is not None and not rest):
        return _list_templates(connection, request)
    word, incident = get_word_and_named(connection, request)
    name = request.settings.catalog.find(word)
    drafting.check_template(name, request.settings.catalog)
    enqueue_draft(connection, request, incident, picked=name)
    return Reply(text=slack("drafting", incident=incident, name=name), public=True)


def _list_templates(connection: Connection, request: Request) -> Reply:
    incident = find_current(connection, request)
    names = request.settings.catalog.names()
    return Reply(
        text=slack(
            "templates",
            request=request,
            templates=[(name, request.settings.catalog.about(name)) for name in names],
            used=_template_of(connection, request, incident.id) if incident else request.settings.template,
        )
    )
