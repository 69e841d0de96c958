"""Reports: the figures of a period, as text, Markdown, JSON or a picture."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents import rendering
from bot.documents.picture.report import draw_report
from bot.domain.report.period import Period, parse_period
from bot.domain.report.report import PeriodRecords, Report, build_report, report_json
from bot.handlers.postmortem.exports import resolve_workspace
from bot.handlers.request import Reply, Request
from bot.vocabulary import ACKNOWLEDGED, DETECTED, IMPACT, MITIGATED, REOPENED, RESOLVED, STARTED
from storage import members, outbox, reports
from storage.database import Database
from storage.values import Milestone

_MEASURED = (STARTED, IMPACT, DETECTED, ACKNOWLEDGED, MITIGATED, RESOLVED, REOPENED)
"""The kinds of entry that durations are measured between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportScope:
    """The incidents counted: the workspace's public ones and the channel's, or with `private` all."""

    workspace_id: str
    channel_id: str | None = None
    private: bool = False


def request_report(connection: Connection, request: Request) -> Reply:
    """`report [30d]`: put the report into the outbox. With 10,000 incidents it takes too long for an answer."""
    period = parse_period(request.words, now=request.received_at, zone=request.zone)
    content = {
        "channel": request.channel_id,
        "reply_url": request.reply_url,
        "asked_by": request.user_id,
        "words": request.words,
        "asked_at": request.received_at.isoformat(),
        "zone": request.zone.key,
    }
    lane = f"report:{request.channel_id}"
    outbox.add(connection, request.workspace_id, lane=lane, action="report", content=content, at=request.received_at)
    return Reply(text=rendering.slack("reporting", period=period))


def load_report(connection: Connection, view: ReportScope, period: Period, *, now: datetime) -> Report:
    """The report on the period from what is recorded now; action items are overdue on the date of `now`."""
    scope = reports.scope(
        view.workspace_id,
        since=period.since,
        until=period.until,
        channel_id=view.channel_id,
        private=view.private,
    )
    by_incident: dict[int, list[Milestone]] = {}
    for milestone in reports.milestones(connection, scope, _MEASURED):
        by_incident.setdefault(milestone.incident_id, []).append(milestone)
    counted = PeriodRecords(
        incidents=reports.declared(connection, scope),
        milestones=by_incident,
        items=reports.outcomes(connection, scope),
    )
    names = members.names(connection, view.workspace_id).values()
    people = frozenset(name.casefold() for name in names)
    return build_report(period, counted, today=now.astimezone(period.zone).date(), people=people)


def requested_report(connection: Connection, workspace_id: str, content: dict[str, str]) -> Report:
    """The report that `request_report` requested with the outbox content `content`."""
    now = datetime.fromisoformat(content["asked_at"])
    period = parse_period(content["words"], now=now, zone=ZoneInfo(content["zone"]))
    return load_report(
        connection, ReportScope(workspace_id=workspace_id, channel_id=content["channel"]), period, now=now
    )


def report_for_terminal(
    database: Database, words: str, *, now: datetime, zone: ZoneInfo, workspace_id: str | None, private: bool
) -> Report:
    """The report on the period in the words. Raises UsageError for words that are no period, and without incidents."""
    period = parse_period(words, now=now, zone=zone)
    with database.read() as connection:
        view = ReportScope(workspace_id=resolve_workspace(connection, workspace_id), private=private)
        return load_report(connection, view, period, now=now)


def _text(counted: Report) -> str:
    return rendering.terminal("report", report=counted) + "\n"


def _md(counted: Report) -> str:
    return rendering.document("report", report=counted)


def _json(counted: Report) -> str:
    return json.dumps(report_json(counted), indent=2, ensure_ascii=False) + "\n"


FORMATS: dict[str, Callable[[Report], str]] = {"text": _text, "md": _md, "json": _json, "svg": draw_report}
"""The terminal's formats; `png` is converted from `svg`."""
