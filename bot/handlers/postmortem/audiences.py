"""A postmortem for other readers: blameless, with roles for names; public, as the world may read it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents import drafting, rendering
from bot.documents.drafting import Drafted
from bot.documents.export import ExportRecord, latest_draft
from bot.documents.sandbox import LIMIT_S, WAIT_S
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem import audiences
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.audiences import IncidentRecord
from bot.domain.postmortem.document import Document
from bot.domain.postmortem.layout import Names
from bot.domain.words import closest_match
from bot.errors import UsageError
from storage import members
from storage.values import Review, TimelineEntry

BLAMELESS, PUBLIC = "blameless", "public"


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceVersion:
    """A record for other readers, and how its sections came about."""

    record: ExportRecord
    drafted: Drafted


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceOptions:
    """What a retelling needs beside the record: `limit_s` and `wait_s` bound an operator's own template."""

    names: Names
    catalog: TemplateCatalog
    prefix: str = ""
    limit_s: float = LIMIT_S
    wait_s: float = WAIT_S


def names_in(connection: Connection, record: ExportRecord) -> Names:
    """The display names of the record's workspace."""
    return members.names(connection, record.incident.workspace_id)


def _story(record: ExportRecord) -> IncidentRecord:
    return IncidentRecord(incident=record.incident, entries=tuple(record.entries), items=tuple(record.items))


def _document(story: IncidentRecord, prefix: str, review: Review | None = None) -> Document:
    zone = ZoneInfo(story.incident.timezone)
    return assemble(story.incident, story.entries, story.items, zone=zone, prefix=prefix, review=review)


def _blameless(record: ExportRecord, means: AudienceOptions) -> AudienceVersion:
    whole, newest = _story(record), latest_draft(record)
    story = audiences.blameless(whole, means.names)
    document = _document(story, means.prefix, record.review)
    written = drafting.draft_sections(
        document, newest.template, means.catalog, limit_s=means.limit_s, wait_s=means.wait_s
    )
    edited = {each.key: each for each in newest.sections if each.edited}
    hide = audiences.pseudonymizer_for(whole, means.names)
    kept = [
        replace(each, heading=hide(each.heading), body=hide(each.body), drafted=None, drafted_heading=None)
        for each in edited.values()
    ]
    by_key = {each.key: each for each in (*written.sections, *kept)}
    return _retold(record, story, list(story.entries), replace(written, sections=tuple(by_key.values())))


def _public(record: ExportRecord, means: AudienceOptions) -> AudienceVersion:
    story = audiences.public_record(_story(record), means.names)
    document = audiences.public_document(_document(story, means.prefix))
    shown = [entry for entry in story.entries if audiences.is_public(entry)]
    return _retold(record, story, shown, Drafted(sections=rendering.public(document)))


def _retold(
    record: ExportRecord, story: IncidentRecord, entries: list[TimelineEntry], written: Drafted
) -> AudienceVersion:
    newest = replace(latest_draft(record), sections=written.sections, drafted_by="")
    told = replace(record, incident=story.incident, entries=entries, items=list(story.items), postmortem=newest)
    return AudienceVersion(record=told, drafted=written)


RENDERINGS: dict[str, Callable[[ExportRecord, AudienceOptions], AudienceVersion]] = {
    BLAMELESS: _blameless,
    PUBLIC: _public,
}


def render_for(record: ExportRecord, how: str, means: AudienceOptions) -> AudienceVersion:
    """The record as `how`, one of RENDERINGS. Raises UsageError for another word, and before the first draft."""
    if how not in RENDERINGS:
        guess = closest_match(how, RENDERINGS)
        raise UsageError(
            f"There is no rendering “{how[:40]}”.{f' Did you mean {guess}?' if guess else ''} "
            f"There is {BLAMELESS}, with roles for names, and {PUBLIC}, as the world may read it."
        )
    return RENDERINGS[how](record, means)
