"""Drafts: request one, write it in the background, show a version, choose the template."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.clock import Clock
from bot.config import Settings
from bot.documents import drafting
from bot.documents.drafting import Drafted
from bot.documents.export import FORMATS, ExportRecord, head_of, latest_draft
from bot.documents.rendering import RENDER_LOCK, slack
from bot.domain.incident.grammar import GRAPH_AROUND
from bot.domain.incident.policy import told_in
from bot.domain.items.outcome import LOOK_AGAIN_DAYS
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.document import Document
from bot.domain.postmortem.questions import asked
from bot.domain.postmortem.redraft import Redrafted, redraft
from bot.errors import UsageError
from bot.handlers import later
from bot.handlers.incident import similar
from bot.handlers.incident.incidents import commands_about, find_current, get_named, get_word_and_named, incident_number
from bot.handlers.permission import require_permission
from bot.handlers.postmortem.audiences import AudienceOptions, names_in, render_for, take_money
from bot.handlers.postmortem.exports import read_record
from bot.handlers.request import Reply, Request, first_word
from bot.telemetry import context
from storage import incidents, live_messages, outbox, postmortems, reviews, timeline
from storage.database import Database
from storage.items import action_items
from storage.live_messages import DRAFT
from storage.outbox import Job
from storage.sources import graphs
from storage.values import Incident, Postmortem

COALESCED = timedelta(seconds=1)
"""Drafts that people ask for within so long are one version, unless anything is recorded or edited in between."""
SHOW_LIMIT_S, SHOW_WAIT_S = 1.0, 0.5
"""Seconds for the operator's own template within an answer; Slack waits three."""
_VERSION = re.compile(r"v([0-9]{1,6})")


def request_draft(connection: Connection, request: Request) -> Reply:
    """`draft [INC-12]`: request a new version from what is recorded now."""
    incident, rest = get_named(connection, request, plain=True)
    if rest.strip():
        raise UsageError(f"Which incident? Try: {request.slash('postmortem')} draft {incident.name}")
    enqueue_draft(connection, request, incident)
    return Reply(text=slack("drafting", incident=incident, request=request), public=True, own=True)


def enqueue_draft(
    connection: Connection, request: Request, incident: Incident, picked: str | None = None, *, asked: bool = True
) -> None:
    """Put the drafting into the outbox: it is too slow for an answer.

    One that nobody `asked` for is left out if the incident is open again, cancelled or a duplicate by then.

    `picked` is a template that the user named; if it fails, the user is told and no version is written. Any other
    template falls back to a built-in one.

    Graphs are fetched again; those of a resolved incident once more when the time after its end is over.
    """
    if request.settings.prometheus:
        later_at = None if asked else request.received_at + GRAPH_AROUND
        graphs.refresh(connection, incident.workspace_id, incident.id, at=request.received_at, later_at=later_at)
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
            "by_id": request.user_id,
            "template": picked or _template_of(connection, request, incident.id),
            "picked": picked is not None,
            "asked": asked,
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
    another version was saved in the meantime, the draft is merged with that one instead; if words were erased, it is
    rendered anew. Without a template that the user named, it is that of the newest version by now.

    No version is written if the person's next request is the same and waits behind this one, or if the newest version
    has just come to that channel and says the same; then who asked is told.
    """
    content = job.content
    with database.read() as connection:
        if any(_is_same_request(each, content) for each in outbox.waiting_behind(connection, job, COALESCED)):
            return
    with RENDER_LOCK, database.read() as connection:
        incident, document = load_document(
            connection,
            content["incident_id"],
            prefix=content["prefix"],
            look_again_days=settings.cadence.worked,
            with_similar=settings.similar,
        )
        erasures = incidents.erasures(connection, incident.id)
        record = read_record(connection, incident)
        came = _just_came(connection, job, incident)
    template = content["template"]
    if record.postmortem is not None and not content.get("picked"):
        template = record.postmortem.template
    if (incident.open or incident.closed_as is not None) and not content.get("asked", True):
        return
    drafted = drafting.draft_sections(document, template, settings.catalog)
    if drafted.problem and content.get("picked"):
        _tell(database, job, slack("not_picked", incident=incident, problem=drafted.problem), at=clock())
        return
    saved = False
    while not saved:
        with database.read() as connection:
            newest = postmortems.newest(connection, incident.id)
            questions = _ever_asked(connection, incident.id)
        with RENDER_LOCK:
            version, redrafted = next_version(
                newest, drafted, template=template, by=content["by"], at=clock(), document=document
            )
            version = replace(version, drafted_by_id=content.get("by_id"))
            stands = newest is not None and _stands(newest, version, record, came)
            delivery = _delivery(
                replace(record, postmortem=version), version, drafted, redrafted, content, questions=questions
            )
        if stands:
            _tell(database, job, slack("draft_stands", incident=incident, postmortem=newest), at=clock())
            return
        with database.write() as connection:
            # Another draft, or an edit that is being saved, waits for this lock.
            incidents.numbered(connection, incident.workspace_id, incident.number, lock=True)
            erased = incidents.erasures(connection, incident.id) != erasures
            current = postmortems.newest(connection, incident.id)
            saved = not erased and (current and current.version) == (newest and newest.version)
            if saved:
                postmortems.insert_version(connection, incident.id, version)
                lane = _announced(connection, incident, content["channel_id"], at=clock())
                outbox.add(
                    connection,
                    job.workspace_id,
                    lane=lane,
                    action=outbox.DOCUMENT,
                    content=delivery,
                    at=clock(),
                )
                outbox.mark_sent(connection, job, at=clock())
        if erased:
            # What was read holds words that are erased by now.
            write_draft(database, settings, job, clock)
            return
    context.bind(incident=incident.name, draft=version.version)


def _announced(connection: Connection, incident: Incident, channel_id: str, *, at: datetime) -> str:
    """Announce the draft's message, where the version comes to its channel; returns the lane for the version."""
    if destination_of(incident, channel_id) != incident.channel_id:
        return channel_id
    return live_messages.announce_before(
        connection, incident.workspace_id, DRAFT, incident.id, channel_id=incident.channel_id, at=at
    )


def _is_same_request(other: Mapping[str, Any], content: Mapping[str, Any]) -> bool:
    """Whether one person asked for both drafts, in the same way and for the same channel."""
    same = all(other.get(name) == content.get(name) for name in ("channel_id", "user_id", "template", "picked"))
    return same and bool(other.get("asked", True) and content.get("asked", True))


def _just_came(connection: Connection, job: Job, incident: Incident) -> Sequence[Mapping[str, Any]]:
    """The documents of drafts that people asked for, which have just come to where this one goes, or are about to.

    None for a draft that nobody asked for: it is written in any case.
    """
    if not job.content.get("asked", True):
        return ()
    destination = destination_of(incident, job.content["channel_id"])
    documents = outbox.written_around(connection, job, action=outbox.DOCUMENT, within=COALESCED)
    return [
        each
        for each in documents
        if each.get("incident_id") == incident.id
        and each.get("asked")
        and destination_of(incident, each["channel"]) == destination
    ]


def destination_of(incident: Incident, channel_id: str) -> str:
    """The channel that a version asked for in that channel goes to: the incident's, if not all there may see it."""
    is_its_own = channel_id == incident.channel_id
    return channel_id if is_its_own or told_in(incident, channel_id) else incident.channel_id


def _stands(newest: Postmortem, version: Postmortem, record: ExportRecord, came: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the newest version is one of those that just came, and nothing was recorded since.

    An edit makes a version that no document was sent of, also where it changes a text back.
    """
    as_newest = (newest.template, newest.sections, newest.names)
    if not came or as_newest != (version.template, version.sections, version.names):
        return False
    facts = _digest(record)
    return any((each.get("version"), each.get("facts")) == (newest.version, facts) for each in came)


def _digest(record: ExportRecord) -> str:
    """A digest of all that people recorded, by which two drafts are known to be of the same facts, shown or not."""
    return hashlib.sha256(repr(replace(record, postmortem=None, graphs=())).encode()).hexdigest()


def _tell(database: Database, job: Job, text: str, *, at: datetime) -> None:
    """Tell who asked for the draft why no version is written."""
    content = job.content
    with database.write() as connection:
        outbox.ephemeral(
            connection,
            job.workspace_id,
            content["channel_id"],
            content["user_id"],
            {"text": text},
            reply_url=content.get("reply_url"),
            at=at,
        )
        outbox.mark_sent(connection, job, at=at)


def load_document(
    connection: Connection,
    incident_id: int,
    *,
    prefix: str,
    look_again_days: int | None = LOOK_AGAIN_DAYS,
    with_similar: bool = False,
) -> tuple[Incident, Document]:
    """The incident, and its document assembled from what is recorded now; similar incidents only if asked for."""
    incident = incidents.by_id(connection, incident_id)
    entries = timeline.of_incident(connection, incident_id)
    document = assemble(
        incident,
        entries,
        action_items.of_incident(connection, incident_id),
        zone=ZoneInfo(incident.timezone),
        prefix=prefix,
        review=reviews.planned(connection, incident_id),
        named=True,
        look_again_days=look_again_days,
        similar=similar.in_document(connection, incident, entries) if with_similar else (),
    )
    return incident, document


def in_template(database: Database, record: ExportRecord, name: str, settings: Settings) -> ExportRecord:
    """The record with its newest version drafted anew in the template `name`; the version is not kept.

    What people wrote is merged as in any draft. Raises UsageError for an unknown or broken template, and without a
    draft.
    """
    newest = latest_draft(record)
    name = settings.catalog.find(name)
    with database.read() as connection:
        _, document = load_document(
            connection,
            record.incident.id,
            prefix=settings.prefix,
            look_again_days=settings.cadence.worked,
            with_similar=settings.similar,
        )
    drafted = drafting.draft_sections(document, name, settings.catalog)
    if drafted.problem:
        raise UsageError(drafted.problem)
    at, by = newest.drafted_at, newest.drafted_by
    version, _ = next_version(newest, drafted, template=name, by=by, at=at, document=document)
    return replace(record, postmortem=replace(version, version=newest.version))


def next_version(
    newest: Postmortem | None,
    drafted: Drafted,
    *,
    template: str,
    by: str,
    at: datetime,
    document: Document | None = None,
) -> tuple[Postmortem, Redrafted]:
    """The version after `newest`: the draft merged with what people wrote; and a description of the merge.

    `template` is the one that was requested, also where a built-in one replaced it: the next draft tries it again.
    `document` is what was drafted, which holds the names that are printed now.
    """
    before = newest.sections if newest else ()
    renamed = drafting.renamed(newest, document) if document else {}
    redrafted = redraft(before, drafted.sections, fallback=drafted.problem is not None, renamed=renamed)
    version = Postmortem(
        template=template,
        version=newest.version + 1 if newest else 1,
        sections=redrafted.sections,
        drafted_at=at,
        drafted_by=by,
        names=_printed_names(newest, drafted, document),
    )
    return version, redrafted


def _printed_names(newest: Postmortem | None, drafted: Drafted, document: Document | None) -> Mapping[str, str]:
    """The names in the template's part of the sections: a draft in place of a broken one changes no edited section."""
    if newest is not None and (document is None or drafted.problem is not None):
        return newest.names
    return document.names if document is not None else {}


def count_answered(connection: Connection, incident_id: int, version: Postmortem) -> tuple[int, int]:
    """How many of the questions that the drafts up to this version asked are answered in it, and how many they are."""
    still_open = _texts(version)
    total = len(_ever_asked(connection, incident_id).union(still_open))
    return total - len(set(still_open)), total


def _ever_asked(connection: Connection, incident_id: int) -> set[str]:
    """The questions that any version left open."""
    return {text for each in postmortems.latest_first(connection, incident_id) for text in _texts(each)}


def _texts(version: Postmortem) -> list[str]:
    """The questions that the version leaves open."""
    return [text for _, _, text, _ in asked(version.shown)]


def _delivery(
    record: ExportRecord,
    version: Postmortem,
    drafted: Drafted,
    redrafted: Redrafted,
    content: Mapping[str, Any],
    *,
    questions: set[str],
) -> dict[str, Any]:
    """The content of the outbox job that sends the version to the channel; `questions` earlier versions asked."""
    incident, still_open = record.incident, set(_texts(version))
    total = len(questions | still_open)
    facts = {
        "incident": incident,
        "postmortem": version,
        "head": head_of(record),
        "prefix": content["prefix"],
        "drafted": drafted,
        "redrafted": redrafted,
        "answered": total - len(still_open),
        "total": total,
    }
    return {
        "incident_id": incident.id,
        "channel": content["channel_id"],
        "reply_url": content["reply_url"],
        "comment": slack("drafted", **facts),
        "beside": slack("drafted_version", **facts),
        "title": f"{incident.name} postmortem, version {version.version}",
        "filename": f"{incident.name}-postmortem-v{version.version}.md",
        "markdown": FORMATS["md"](record),
        "asked_by": content.get("by_id"),
        "asked": content.get("asked", True),
        "version": version.version,
        "facts": _digest(record),
    }


def show(connection: Connection, request: Request) -> Reply:
    """`show`: the newest version; `show v3`: an earlier one; `show blameless|public`: the newest for that audience.

    `show public money` leaves sums of money in it.
    """
    money, words = take_money(request.words)
    audience, incident = get_word_and_named(connection, replace(request, words=words))
    later.check_length(connection, request, incident)
    record = read_record(connection, incident)
    if number := _VERSION.fullmatch(audience):
        version = postmortems.numbered(connection, incident.id, int(number[1]))
        if version is None:
            raise UsageError(f"{incident.name} has no version {int(number[1])} of its postmortem.")
        record, audience = replace(record, postmortem=version), ""
    if record.postmortem is None:
        draft = commands_about(connection, request, incident)("postmortem draft")
        raise UsageError(f"{incident.name} has no draft yet. {draft} writes one.")
    if not audience:
        text = slack("postmortem", incident=incident, postmortem=record.postmortem, head=head_of(record))
        return Reply(text=text, document=FORMATS["md"](record))
    options = AudienceOptions(
        names=names_in(connection, record),
        catalog=request.settings.catalog,
        prefix=request.settings.prefix,
        money=money,
        look_again_days=request.settings.cadence.worked,
        limit_s=SHOW_LIMIT_S,
        wait_s=SHOW_WAIT_S,
    )
    rendered = render_for(record, audience, options)
    text = slack("rendered", incident=incident, postmortem=record.postmortem, how=audience, drafted=rendered.drafted)
    return Reply(text=text, document=FORMATS["md"](rendered.record))


def template(connection: Connection, request: Request) -> Reply:
    """`template NAME`: draft this version and later ones with that template; without a name, list the templates."""
    word, rest = first_word(request.words)
    if not word or (incident_number(word, plain=True) is not None and not rest):
        return _list_templates(connection, request)
    word, incident = get_word_and_named(connection, request)
    require_permission(connection, request, incident, "document")
    name = request.settings.catalog.find(word)
    drafting.check_template(name, request.settings.catalog)
    enqueue_draft(connection, request, incident, picked=name)
    return Reply(text=slack("drafting", incident=incident, request=request, name=name), public=True, own=True)


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
