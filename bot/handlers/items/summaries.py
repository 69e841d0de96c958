"""The weekly summary: what became of the action items since the last one, who is late since when, and what waits."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.items.cadence import Cadence
from bot.domain.report.on_time import IN_TIME, LATE, UNDATED
from storage.items import summaries
from storage.items.summaries import ItemStep, SummaryPeriod

LONG = timedelta(days=30)
"""What is late by more is named in every summary."""
_NAMED, _LATE = 30, 10
"""The most that are named of those that are late by more, and of the others."""
_NEW, _DROPPED = "new", "dropped"


def begin_summary(connection: Connection, workspace_id: str, *, at: datetime) -> dict[str, Any]:
    """Take what the summary of `at` covers, so that no other one does; what its job has to know of it, in JSON."""
    period = summaries.period_before(connection, workspace_id, at=at)
    summaries.save(connection, workspace_id, period, at=at)
    return {
        "since": period.since_at.isoformat(),
        "after": period.after_id,
        "until": period.until_id,
        "late": period.late,
        "missing": period.missing,
    }


def summary(
    connection: Connection,
    workspace_id: str,
    content: Mapping[str, Any],
    *,
    at: datetime,
    cadence: Cadence,
    prefix: str,
    quiet: bool = False,
) -> str | None:
    """The summary of `at`, as Slack text; `content` is from `begin_summary`. Days are those of the cadence's zone.

    With `quiet`, None where nothing was done, nothing is late and nothing is new; else that is one line.
    """
    period = _period(connection, workspace_id, content, at=at)
    today = at.astimezone(cadence.zone).date()
    became = _became(summaries.steps(connection, workspace_id, period), period)
    late = summaries.late(connection, workspace_id, today=today)
    if quiet and not (became or late):
        return None
    return slack(
        "summary",
        since=period.since_at.astimezone(cadence.zone).date(),
        today=today,
        became=[
            (became[key], words)
            for key, words in (
                (_NEW, "new"), (IN_TIME, "done in time"), (LATE, "done late"), (UNDATED, "done without a date"),
                (_DROPPED, "dropped"),
            )
            if became[key]
        ],
        pending=summaries.count_pending(connection, workspace_id),
        late=[each for each in late if not _is_long_late(each.due_on, today)],
        long_late=[each for each in late if _is_long_late(each.due_on, today)],
        most=_LATE,
        most_named=_NAMED,
        oldest=summaries.longest_waiting(connection, workspace_id, today=today),
        zone=cadence.zone,
        slash=f"/{prefix}actionitem",
    )  # fmt: skip


def _is_long_late(due_on: date | None, today: date) -> bool:
    return due_on is not None and today - due_on > LONG


def _period(connection: Connection, workspace_id: str, content: Mapping[str, Any], *, at: datetime) -> SummaryPeriod:
    """What the job covers; a job of an older release says nothing of it, and covers what lies before it."""
    if "until" not in content:
        return summaries.period_before(connection, workspace_id, at=at)
    since_at = datetime.fromisoformat(content["since"])
    return SummaryPeriod(
        since_at=since_at,
        after_id=content["after"],
        until_id=content["until"],
        late=tuple(content.get("late", ())),
        missing=tuple(content.get("missing", ())),
    )


def _became(found: Iterable[ItemStep], period: SummaryPeriod) -> Counter[str]:
    """What became of the items, each counted once for each thing: as it was after the last summary, and as it is."""
    became = Counter[str]()
    for _, group in groupby(found, key=lambda step: step.item_id):
        course = list(group)
        before = [step for step in course if period.was_told(step.revision_id)]
        was, now = before[-1].state if before else None, course[-1].state
        became[_NEW] += was is None
        if now != was and now == "done":
            became[_done(course)] += 1
        elif now != was and now == "dropped":
            became[_DROPPED] += 1
    return +became


def _done(course: list[ItemStep]) -> str:
    """Whether the item was done in time. It was on the day on which it became done; what was said later counts not."""
    at_last = [index for index, step in enumerate(course) if step.state != "done"]
    done = course[at_last[-1] + 1 if at_last else 0]
    if done.due_on is None:
        return UNDATED
    return IN_TIME if done.at.astimezone(ZoneInfo(done.zone)).date() <= done.due_on else LATE
