"""Drafts: ask for one, write it, show a version, choose its template."""

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
from bot.handlers.lookup import find_current, get_named, get_word_and_named, incident_number
from bot.handlers.postmortem.audiences import AudienceOptions, names_in, render_for
from bot.handlers.postmortem.exports import read_record
from bot.handlers.request import Reply, Request, first_word
from bot.telemetry import context
from storage import action_items, incidents, outbox, postmortems, reviews, timeline
from storage.database import Database
from storage.outbox import Job
from storage.values import Incident, Postmortem

_VERSION = re.compile(r"v([0-9]{1,6})")
SHOW_LIMIT_S, SHOW_WAIT_S = 1.0, 0.5
"""Seconds for an operator's own template within an answer, which has three."""


def enqueue_draft(connection: Connection, request: Request, incident: Incident, picked: str | None = None) -> None:
    """Put the drafting into the outbox: it is slow work, and no answer waits for it.

    `picked` is a template somebody asked for by name; if it breaks they are told, and nothing is drafted.
    """
    outbox.add(
        connection,
        request.workspace_id,
        # A lane of its own: while Slack is away, what waits to be said must not keep the draft from the store.
        lane=f"draft:{incident.id}",
        action="draft",
        content={
            "incident_id": incident.id,
            "channel_id": request.channel_id,
            "by": request.user_name,
            "template": picked or template_of(connection, request, incident.id),
            "picked": picked is not None,
            "user_id": request.user_id,
            "prefix": request.settings.prefix,
            "reply_url": request.reply_url,
        },
        at=request.received_at,
    )


def template_of(connection: Connection, request: Request, incident_id: int) -> str:
    """The template of the incident's newest version, else the setting's."""
    newest = postmortems.newest(connection, incident_id)
    return newest.template if newest else request.settings.template


def request_draft(connection: Connection, request: Request) -> Reply:
    """`request_draft`: ask for a new version from what is known now."""
    incident, rest = get_named(connection, request)
    _nothing_more(request, rest, "draft")
    enqueue_draft(connection, request, incident)
    return Reply(text=slack("drafting", incident=incident), public=True)


def show(connection: Connection, request: Request) -> Reply:
    """`show`: the latest version, as Slack shows it, `show v3` an earlier one; `show blameless|public`, for others."""
    how, incident = get_word_and_named(connection, request)
    record = read_record(connection, incident)
    earlier = _VERSION.fullmatch(how)
    if earlier:
        record = replace(record, postmortem=_earlier(connection, incident, int(earlier[1])))
        how = ""
    if record.postmortem is None:
        raise UsageError(f"{incident.name} has no draft yet. {request.slash('postmortem')} draft writes one.")
    if not how:
        text = slack("postmortem", incident=incident, postmortem=record.postmortem)
        return Reply(text=text, document=to_markdown(incident, record.postmortem))
    means = AudienceOptions(
        names=names_in(connection, record),
        catalog=request.settings.catalog,
        prefix=request.settings.prefix,
        limit_s=SHOW_LIMIT_S,
        wait_s=SHOW_WAIT_S,
    )
    told = render_for(record, how, means)
    text = slack("rendered", incident=incident, postmortem=record.postmortem, how=how, drafted=told.drafted)
    return Reply(text=text, document=FORMATS["md"](told.record))


def _earlier(connection: Connection, incident: Incident, number: int) -> Postmortem:
    version = postmortems.numbered(connection, incident.id, number)
    if version is None:
        raise UsageError(f"{incident.name} has no version {number} of its postmortem.")
    return version


def _nothing_more(request: Request, words: str, subcommand: str) -> None:
    if words.strip():
        raise UsageError(f"Which incident? Try: {request.slash('postmortem')} {subcommand} INC-12")


def load_document(connection: Connection, incident_id: int, *, prefix: str) -> tuple[Incident, Document]:
    """The incident, and its document from the store as it is now."""
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


def write_draft(database: Database, settings: Settings, job: Job, clock: Clock) -> None:
    """Draft the postmortem that `request_draft` asked for, keep it, and put its delivery into the outbox.

    All is computed before the transaction that writes it: an operator's own template may take seconds. Where another
    version was saved meanwhile, the draft is merged with that one instead.
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


def next_version(
    newest: Postmortem | None, drafted: Drafted, *, template: str, by: str, at: datetime
) -> tuple[Postmortem, Redrafted]:
    """The version that follows `newest`: the draft, merged with what people wrote there; and what the merge did.

    It has the name of the template asked for, also where another stood in: the next draft tries that one again.
    """
    before = newest.sections if newest else ()
    redrafted = redraft(before, drafted.sections, fallback=drafted.problem is not None)
    number = newest.version + 1 if newest else 1
    version = Postmortem(template=template, version=number, sections=redrafted.sections, drafted_at=at, drafted_by=by)
    return version, redrafted


def _delivery(
    incident: Incident, version: Postmortem, drafted: Drafted, redrafted: Redrafted, content: Mapping[str, Any]
) -> dict[str, Any]:
    """The content of the job that sends the draft to the channel."""
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


def template(connection: Connection, request: Request) -> Reply:
    """`template NAME`: draft a new version in that template, and later ones too; without a name, list them."""
    word, rest = first_word(request.words)
    if not word or (incident_number(word) is not None and not rest):
        return _listing(connection, request)
    word, incident = get_word_and_named(connection, request)
    name = request.settings.catalog.find(word)
    drafting.check_template(name, request.settings.catalog)
    enqueue_draft(connection, request, incident, picked=name)
    return Reply(text=slack("drafting", incident=incident, name=name), public=True)


def _listing(connection: Connection, request: Request) -> Reply:
    incident = find_current(connection, request)
    names = request.settings.catalog.names()
    return Reply(
        text=slack(
            "templates",
            request=request,
            templates=[(name, request.settings.catalog.about(name)) for name in names],
            used=template_of(connection, request, incident.id) if incident else request.settings.template,
        )
    )
