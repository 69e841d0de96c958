"""The living document: the channel's postmortem as it would be drafted now, its check, its JSON, its picture."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.clock import Clock
from bot.config import Settings
from bot.documents import drafting, markup
from bot.documents.export import FORMATS, ExportRecord
from bot.domain.check.checklist import check as advise
from bot.domain.check.checklist import grouped
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.redraft import redraft
from bot.fakeslack.schema import Json
from bot.handlers.postmortem.exports import read_record
from storage import incidents
from storage.database import Database
from storage.values import Incident


class PostmortemPreview:
    """Reads the store anew for every look. `workspace_id` is the demo's."""

    def __init__(self, database: Database, settings: Settings, clock: Clock, workspace_id: str) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._workspace_id = workspace_id

    def shown(self, channel: str, tab: str) -> Json:
        """The tab of the channel's incident, else of the workspace's newest; `incident` is None where none is.

        Its `state` changes with whatever is recorded of it.
        """
        record = self._record(channel)
        if record is None:
            return {"incident": None}
        look = Look(record=record, settings=self._settings, now=self._clock())
        incident, newest = record.incident, record.postmortem
        about = {
            "name": incident.name,
            "title": incident.title,
            "severity": incident.severity,
            "open": incident.open,
            "here": incident.channel_id == channel,
            "version": newest.version if newest else None,
            "template": _template(look),
            "state": sha256(FORMATS["json"](record).encode()).hexdigest(),
        }
        return {"incident": about, "tab": tab, **_TABS[tab](look)}

    def picture(self, channel: str) -> str | None:
        """The timeline's picture as SVG, or None where there is no incident."""
        record = self._record(channel)
        return None if record is None else FORMATS["svg"](record)

    def _record(self, channel: str) -> ExportRecord | None:
        with self._database.read() as connection:
            incident = self._incident(connection, channel)
            return None if incident is None else read_record(connection, incident)

    def _incident(self, connection: Connection, channel: str) -> Incident | None:
        here = incidents.in_channel(connection, self._workspace_id, channel)
        if here is not None:
            return here
        listed = incidents.listing(connection, self._workspace_id, channel, open_only=False, limit=1)
        return listed[0] if listed else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One look at an incident: what is known of it at the instant `now`."""

    record: ExportRecord
    settings: Settings
    now: datetime


def _template(look: Look) -> str:
    newest = look.record.postmortem
    return newest.template if newest else look.settings.template


def _postmortem(look: Look) -> Json:
    record, settings = look.record, look.settings
    zone = ZoneInfo(record.incident.timezone)
    document = assemble(
        record.incident, record.entries, record.items, zone=zone, prefix=settings.prefix, review=record.review
    )
    drafted = drafting.draft_sections(document, _template(look), settings.catalog)
    before = record.postmortem.sections if record.postmortem else ()
    redrafted = redraft(before, drafted.sections, fallback=drafted.problem is not None)
    sections = [
        {"key": each.key, "heading": each.heading, "edited": each.edited, "html": markup.html(each.body)}
        for each in redrafted.sections
        if not each.removed
    ]
    return {"problem": drafted.problem, "sections": sections}


def _check(look: Look) -> Json:
    record, settings = look.record, look.settings
    findings = advise(
        record.incident,
        record.entries,
        record.items,
        record.postmortem,
        now=look.now,
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


_TABS: Final[dict[str, Callable[[Look], Json]]] = {
    "postmortem": _postmortem,
    "check": _check,
    "json": lambda look: {"text": FORMATS["json"](look.record)},
    "picture": lambda _look: {},
}
TABS: Final = tuple(_TABS)
