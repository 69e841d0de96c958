"""A postmortem for an audience: blameless, with roles instead of names; public, with what may leave the company."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.config import Settings
from bot.documents import drafting, rendering
from bot.documents.drafting import Drafted
from bot.documents.export import ExportRecord, latest_draft
from bot.documents.sandbox import LIMIT_S, WAIT_S
from bot.documents.templates import TemplateCatalog
from bot.domain.items.outcome import LOOK_AGAIN_DAYS
from bot.domain.postmortem import audiences
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.audiences import IncidentRecord
from bot.domain.postmortem.document import Document
from bot.domain.postmortem.edition import published
from bot.domain.postmortem.layout import Names
from bot.domain.postmortem.similar import SECTION as SIMILAR
from bot.domain.words import closest_match
from bot.errors import UsageError
from storage import members
from storage.database import Database
from storage.values import Review, TimelineEntry

BLAMELESS, PUBLIC = "blameless", "public"
PICTURES = "pictures"
"""The word after an audience that puts pictures and files of messages into its edition: they may show anything."""
MONEY = "money"
"""The word after `public` that puts sums of money into it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceVersion:
    """A record as an audience may read it, and how its sections were drafted."""

    record: ExportRecord
    drafted: Drafted


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceOptions:
    """What rendering needs beside the record. `limit_s` and `wait_s` bound the operator's own template.

    `money` puts sums of money into a public rendering, `pictures` those of messages, and their files, into any.
    """

    names: Names
    catalog: TemplateCatalog
    prefix: str = ""
    money: bool = False
    pictures: bool = False
    look_again_days: int | None = LOOK_AGAIN_DAYS
    limit_s: float = LIMIT_S
    wait_s: float = WAIT_S


def take_money(words: str) -> tuple[bool, str]:
    """Whether the words ask for a public rendering with its sums of money (`public money`), and the words without."""
    typed = words.split()
    lowered = [word.casefold() for word in typed]
    if MONEY not in lowered or PUBLIC not in lowered:
        return False, words
    del typed[lowered.index(MONEY)]
    return True, " ".join(typed)


def names_in(connection: Connection, record: ExportRecord) -> Names:
    """The display names of the record's workspace, by user id."""
    return members.names(connection, record.incident.workspace_id)


def render_for(record: ExportRecord, audience: str, options: AudienceOptions) -> AudienceVersion:
    """The record for `audience`, a key of RENDERINGS. Raises UsageError for another word, and without a draft."""
    if audience not in RENDERINGS:
        guess = closest_match(audience, RENDERINGS)
        raise UsageError(
            f"There is no rendering “{audience[:40]}”.{f' Did you mean {guess}?' if guess else ''} "
            f"There is {BLAMELESS}, with roles for names, and {PUBLIC}, as the world may read it."
        )
    return RENDERINGS[audience](record, options)


def edition_of(
    database: Database,
    record: ExportRecord,
    audience: str,
    settings: Settings,
    *,
    money: bool = False,
    pictures: bool = False,
) -> AudienceVersion:
    """As `render_for`, with the workspace's names and the settings."""
    with database.read() as connection:
        options = AudienceOptions(
            names=names_in(connection, record),
            catalog=settings.catalog,
            prefix=settings.prefix,
            look_again_days=settings.cadence.worked,
            money=money,
            pictures=pictures,
        )
    return render_for(record, audience, options)


def _blameless(record: ExportRecord, options: AudienceOptions) -> AudienceVersion:
    """Draft the template anew from the record with roles; add the sections that people edited, with roles too."""
    source, newest = _incident_record(record), latest_draft(record)
    redacted = audiences.blameless(source, options.names)
    document = _assemble(redacted, options, record.review)
    drafted = drafting.draft_sections(
        document, newest.template, options.catalog, limit_s=options.limit_s, wait_s=options.wait_s
    )
    pseudonymize = audiences.pseudonymizer_for(source, options.names)
    edited = [
        replace(
            each,
            heading=pseudonymize(each.heading),
            body=pseudonymize(each.body),
            drafted=None,
            drafted_heading=None,
        )
        for each in newest.sections
        # Other incidents are for those who are where this one is.
        if each.edited and each.key != SIMILAR
    ]
    by_key = {each.key: each for each in (*drafted.sections, *edited)}
    drafted = replace(drafted, sections=tuple(by_key.values()))
    return _version(record, redacted, list(redacted.entries), drafted, options)


def _public(record: ExportRecord, options: AudienceOptions) -> AudienceVersion:
    """Draft the built-in public template; edited sections are left out, since people may write anything in them."""
    redacted = audiences.public_record(_incident_record(record), options.names, money=options.money)
    document = audiences.public_document(_assemble(redacted, options))
    entries = [entry for entry in redacted.entries if audiences.is_public(entry)]
    return _version(record, redacted, entries, Drafted(sections=rendering.public(document)), options)


RENDERINGS: dict[str, Callable[[ExportRecord, AudienceOptions], AudienceVersion]] = {
    BLAMELESS: _blameless,
    PUBLIC: _public,
}


def _incident_record(record: ExportRecord) -> IncidentRecord:
    return IncidentRecord(
        incident=record.incident,
        entries=tuple(record.entries),
        items=tuple(record.items),
        former=record.former_names,
    )


def _assemble(record: IncidentRecord, options: AudienceOptions, review: Review | None = None) -> Document:
    return assemble(
        record.incident,
        record.entries,
        record.items,
        zone=ZoneInfo(record.incident.timezone),
        prefix=options.prefix,
        review=review,
        look_again_days=options.look_again_days,
    )


def _version(
    record: ExportRecord,
    redacted: IncidentRecord,
    entries: list[TimelineEntry],
    drafted: Drafted,
    options: AudienceOptions,
) -> AudienceVersion:
    postmortem = replace(latest_draft(record), sections=published(drafted.sections), drafted_by="")
    items = list(redacted.items)
    # Their own names and their pages in Slack are for those who are there.
    files = [replace(each, name=f"{each.kind} file", permalink=None) for each in record.files if options.pictures]
    shown = replace(
        record,
        incident=redacted.incident,
        entries=entries,
        items=items,
        postmortem=postmortem,
        former_names=(),
        files=tuple(files),
        graphs=record.graphs if options.pictures else (),
    )
    return AudienceVersion(record=shown, drafted=drafted)
