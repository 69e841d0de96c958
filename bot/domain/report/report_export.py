"""A report as plain JSON values."""

from typing import Any

from bot.domain.postmortem.export import instant
from bot.domain.report.on_time import Group, Kept
from bot.domain.report.report import Report
from bot.domain.report.spread import Spread

Json = dict[str, Any]


def contract(report: Report) -> Json:
    """The report: durations in seconds, each with its sample size; what is not known has a count of its own."""
    return {
        "period": {
            "words": report.period.words,
            "since": instant(report.period.since),
            "until": instant(report.period.until),
        },
        "incidents": {
            "declared": len(report.declared),
            "still_open": report.still_open,
            "by_severity": {severity or "unknown": count for severity, count in report.severities},
        },
        "durations": {spread.key: _spread(spread) for spread in report.spreads},
        "action_items": _kept(report.items),
        "action_items_by_team": [_group(group) for group in report.groups],
    }


def _spread(spread: Spread) -> Json:
    return {
        "known": spread.known,
        "unknown": spread.unknown,
        "median_s": spread.median_s,
        "shortest_s": spread.shortest_s,
        "longest_s": spread.longest_s,
        "definition": spread.definition,
    }


def _kept(kept: Kept) -> Json:
    return {
        "recorded": kept.recorded,
        "done": kept.done,
        "done_in_time": kept.in_time,
        "done_late": kept.late,
        "overdue": kept.overdue,
        "not_yet_due": kept.ahead,
        "without_date": kept.undated,
        "dropped": kept.dropped,
    }


def _group(group: Group) -> Json:
    return {"team": group.team, "owned": group.owned, **_kept(group.kept)}
