"""The page's side pane: the postmortem as a draft would write it now, its check, its JSON and its picture."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from bot.clock import Clock
from bot.config import Settings
from bot.demo.casefile import SAMPLE, read_case
from bot.demo.replay import replayed
from bot.documents import drafting, markup
from bot.documents.export import (
    FORMATS,
    PRINTED,
    ExportRecord,
    embedded,
    for_publication,
    latest_draft,
    shown_files,
)
from bot.documents.picture.phases import spans
from bot.domain.check.checklist import check, grouped
from bot.domain.incident.phases import phases
from bot.domain.postmortem.assemble import assemble, on_timeline
from bot.domain.postmortem.redraft import redraft
from bot.domain.time.format import clock, duration
from bot.fakeslack.schema import Json
from bot.handlers.postmortem.exports import read_by_name, read_record
from bot.vocabulary import ENTRY_KINDS
from storage import incidents
from storage.database import Database
from storage.sources.files import FileStore
from storage.values import MEMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One incident's record, read at the instant `now`, with the settings to render it by."""

    record: ExportRecord
    settings: Settings
    now: datetime

    @property
    def template(self) -> str:
        """The template of the newest draft, else the settings'."""
        newest = self.record.postmortem
        return newest.template if newest else self.settings.template


class PostmortemPreview:
    """Renders from the store on every call, and writes nothing. `workspace_id` is the demo's."""

    def __init__(self, database: Database, settings: Settings, clock: Clock, workspace_id: str) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._workspace_id = workspace_id

    def render(self, channel: str, tab: str) -> Json:
        """One tab for the channel's incident, else for the workspace's newest.

        When there is none, `incident` is None, and `promise` a finished postmortem to look at.

        `state` is a hash of the whole record: it changes when any of it does.
        """
        record = self._record(channel)
        if record is None:
            return {"incident": None, "promise": promise()}
        preview = Preview(record=record, settings=self._settings, now=self._clock())
        incident, newest = record.incident, record.postmortem
        about = {
            "name": incident.name,
            "title": incident.title,
            "severity": incident.severity,
            "open": incident.open,
            "standing": incident.state,
            "here": incident.channel_id == channel,
            "version": newest.version if newest else None,
            "template": preview.template,
            "state": sha256(f"{FORMATS['json'](record)}{record.files}".encode()).hexdigest(),
        }
        return {"incident": about, "tab": tab, **_TABS[tab](preview)}

    def picture(self, channel: str, *, tall: bool = False) -> str | None:
        """The timeline's picture as SVG, the vertical one if `tall`; None when there is no incident."""
        record = self._record(channel)
        return None if record is None else PRINTED["phone-svg" if tall else "svg"](record)

    def _record(self, channel: str) -> ExportRecord | None:
        with self._database.read() as connection:
            incident = incidents.in_channel(connection, self._workspace_id, channel)
            if incident is None:
                newest = incidents.listing(
                    connection, self._workspace_id, channel, standing=MEMBER, open_only=False, limit=1
                )
                incident = newest[0] if newest else None
            if incident is None:
                return None
            record = read_record(connection, incident)
        return replace(record, read_file=FileStore(self._settings.files_dir).read)


def _postmortem(preview: Preview) -> Json:
    record, settings = preview.record, preview.settings
    zone = ZoneInfo(record.incident.timezone)
    entries = (*record.entries, *record.struck)
    document = assemble(
        record.incident,
        entries,
        record.items,
        zone=zone,
        prefix=settings.prefix,
        review=record.review,
        look_again_days=settings.cadence.worked,
    )
    drafted = drafting.draft_sections(document, preview.template, settings.catalog)
    before = record.postmortem.sections if record.postmortem else ()
    renamed = drafting.renamed(record.postmortem, document)
    redrafted = redraft(before, drafted.sections, fallback=drafted.problem is not None, renamed=renamed)
    sections = [
        {"key": each.key, "heading": each.heading, "edited": each.edited, "html": markup.html(each.body)}
        for each in redrafted.sections
        if not each.removed
    ]
    files = [
        {"when": each.when, "words": each.words, "author": each.entry.author, "name": each.name, "src": each.address}
        for each in shown_files(record, embedded(record))
        if each.is_image and each.address
    ]
    return {"problem": drafted.problem, "sections": sections, "files": files, **_picture(preview)}


@cache
def promise() -> Json:
    """The finished postmortem of the case that ships with Scribe, as the real bot makes it; made once a process."""
    with replayed(read_case(SAMPLE)) as bot:
        record = for_publication(read_by_name(bot.context.database, "INC-1"))
        newest = latest_draft(record)
        sections = [{"heading": each.heading, "html": markup.html(each.body)} for each in newest.sections]
        drawn = _picture(Preview(record=record, settings=bot.context.settings, now=bot.context.clock()))
    return {"title": record.incident.title, "severity": record.incident.severity, "sections": sections, **drawn}


def _picture(preview: Preview) -> Json:
    """The picture as values, of which the page makes a list: the phases, and the entries on a rail.

    `seconds` are a phase's length; `phase` is the key of the one that an entry lies in, None around the incident.
    """
    record = preview.record
    zone = ZoneInfo(record.incident.timezone)
    parts = phases(record.entries)
    listed = [
        each
        for key, entries in (("lead_up", parts.lead_up), ("during", parts.during), ("aftermath", parts.aftermath))
        for each in entries
        if on_timeline(each, key)
    ]
    drawn = spans(listed, record.lifecycle)

    def phase_at(at: datetime) -> str | None:
        return next((span.phase.key for span in reversed(drawn) if span.start <= at <= span.end), None)

    return {
        "phases": [
            {
                "key": span.phase.key,
                "label": span.phase.label,
                "seconds": span.seconds,
                "lasted": f"{duration(span.seconds)}{' so far' if span.going_on else ''}",
            }
            for span in drawn
        ],
        "rail": [
            {
                "clock": clock(each.occurred_at.astimezone(zone)),
                "label": ENTRY_KINDS[each.kind].label,
                "milestone": ENTRY_KINDS[each.kind].milestone,
                "words": " ".join(each.text.split()),
                "phase": phase_at(each.occurred_at),
            }
            for each in listed
        ],
        "zone": zone.key,
    }


def _check(preview: Preview) -> Json:
    record, settings = preview.record, preview.settings
    findings = check(
        record.incident,
        (*record.entries, *record.struck),
        record.items,
        record.postmortem,
        now=preview.now,
        off=settings.check_off,
        prefix=settings.prefix,
    )
    groups = [
        {
            "title": group.title,
            "findings": [{"place": each.place, "reason": each.reason, "fix": each.fix} for each in group.findings],
        }
        for group in grouped(findings)
    ]
    return {"groups": groups, "total": len(findings)}


_TABS: Final[dict[str, Callable[[Preview], Json]]] = {
    "postmortem": _postmortem,
    "check": _check,
    "json": lambda preview: {"text": FORMATS["json"](preview.record)},
    "picture": _picture,
}
TABS: Final = tuple(_TABS)
