"""Reports: the figures of a period, as text, Markdown, JSON or a picture."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents import rendering
from bot.documents.picture.report import draw_report
from bot.domain.report.period import Period, parse_period
from bot.domain.report.report import (
    IncidentFigures,
    PeriodRecords,
    Report,
    build_report,
    count_causes,
    count_figures,
    report_json,
    rules,
)
from bot.handlers.postmortem.exports import resolve_workspace
from bot.handlers.request import Reply, Request
from bot.vocabulary import ACKNOWLEDGED, CAUSE, DETECTED, IMPACT, MITIGATED, REOPENED, RESOLVED, STARTED
from storage import members, outbox, reports, timeline
from storage.database import Database
from storage.reports import CountedIncident

_MEASURED = (STARTED, IMPACT, DETECTED, ACKNOWLEDGED, MITIGATED, RESOLVED, REOPENED)
"""The kinds of entry that durations are measured between."""
_AT_ONCE = 500
"""Incidents that are counted, or whose figures are kept, in one go."""


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
    return _count(connection, view, period, now=now)[0]


def _count(
    connection: Connection, view: ReportScope, period: Period, *, now: datetime
) -> tuple[Report, list[CountedIncident]]:
    """The report, and the incidents whose figures were counted for it and are worth keeping: they are over."""
    scope = reports.scope(
        view.workspace_id,
        since=period.since,
        until=period.until,
        channel_id=view.channel_id,
        private=view.private,
    )
    declared = reports.declared(connection, scope, rules=rules())
    figures: dict[int, IncidentFigures] = {}
    fresh: list[CountedIncident] = []
    void = [each for each in declared if each.figures is None]
    for start in range(0, len(void), _AT_ONCE):
        some = {each.incident.id: each for each in void[start : start + _AT_ONCE]}
        for incident_id, milestones in timeline.milestones(connection, some, _MEASURED).items():
            figures[incident_id] = counted = count_figures(milestones)
            if not some[incident_id].incident.open:
                fresh.append(replace(some[incident_id], figures=asdict(counted)))
    figures |= {each.incident.id: IncidentFigures(**each.figures) for each in declared if each.figures is not None}
    records = PeriodRecords(
        incidents=[each.incident for each in declared],
        figures=figures,
        items=reports.outcomes(connection, scope),
        causes=count_causes(reports.told(connection, scope, kind=CAUSE), channel_id=view.channel_id),
    )
    names = members.names(connection, view.workspace_id).values()
    people = frozenset(name.casefold() for name in names)
    return build_report(period, records, today=now.astimezone(period.zone).date(), people=people), fresh


def _keep(database: Database, fresh: Sequence[CountedIncident]) -> None:
    """Keep the figures, in several transactions: what people record waits for none of them."""
    for start in range(0, len(fresh), _AT_ONCE):
        with database.write() as connection:
            reports.keep(connection, fresh[start : start + _AT_ONCE], rules=rules())


def requested_report(database: Database, workspace_id: str, content: dict[str, str]) -> Report:
    """The report that `request_report` requested with the outbox content `content`."""
    now = datetime.fromisoformat(content["asked_at"])
    period = parse_period(content["words"], now=now, zone=ZoneInfo(content["zone"]))
    view = ReportScope(workspace_id=workspace_id, channel_id=content["channel"])
    with rendering.RENDER_LOCK, database.read() as connection:
        report, fresh = _count(connection, view, period, now=now)
    _keep(database, fresh)
    return report


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
