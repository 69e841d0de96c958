"""What a report counts, by the store: each incident once, as its timeline stands, of one workspace."""

import json
import random
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, event, insert, select, update

from bot.domain.incident.lifecycle import DURATIONS, is_open, lifecycle
from bot.domain.report.period import parse_period
from bot.domain.report.report import Report, report_json
from bot.handlers.report.reports import ReportScope, load_report, requested_report
from storage import incidents, timeline
from storage.database import Database
from storage.items import action_items
from storage.models import incident_figures
from storage.models import incidents as incident_rows
from storage.values import CANCELLED, DUPLICATE, MERGED, MISTAKEN, Incident, TimelineEntry
from tests.integration.storage.rows import NOW, declare, later, plan, resolve, say

UTC = ZoneInfo("UTC")
TOMORROW = NOW + timedelta(days=1)


def told(database: Database, period: str = "30d", **view: Any) -> Report:
    with database.read() as connection:
        stretch = parse_period(period, now=TOMORROW, zone=UTC)
        return load_report(connection, ReportScope(**{"workspace_id": "T1", **view}), stretch, now=TOMORROW)


def seconds(report: Report, key: str = "time_to_resolve") -> tuple[float, ...]:
    return next(each.seconds for each in report.spreads if each.key == key)


def test_times_are_those_of_the_timeline_as_it_stands(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection, severity="SEV2")
        started = say(connection, incident, kind="started")
        say(connection, incident, kind="detected", occurred_at=later(5))
        mistaken = say(connection, incident, kind="acknowledged", occurred_at=later(6))
        resolve(connection, incident, 40)
        revised = timeline.revise(connection, started, by="U1", at=later(50), occurred_at=later(1))
        timeline.revise(connection, revised, by="U1", at=later(51), occurred_at=later(2))
        timeline.revise(connection, mistaken, by="U1", at=later(50), retracted=True)
    report = told(database)
    assert seconds(report) == (38 * 60,)
    assert seconds(report, "time_to_detect") == (3 * 60,)
    assert seconds(report, "time_to_acknowledge") == ()
    assert [each.unknown for each in report.spreads] == [0, 1, 1, 0, 0]
    assert (len(report.declared), report.still_open) == (1, 0)
    assert dict(report.severities) == {"SEV1": 0, "SEV2": 1, "SEV3": 0, "SEV4": 0, None: 0}


def test_a_report_agrees_with_what_each_incident_says_of_itself(database: Database) -> None:
    chance = random.Random(11)  # noqa: S311 - no secret
    kinds = ("started", "impact", "detected", "acknowledged", "mitigated", "resolved", "reopened", "note")
    with database.write() as connection:
        told_alone = []
        for _ in range(60):
            incident = declare(connection)
            for _ in range(chance.randint(0, 9)):
                entry = say(connection, incident, kind=chance.choice(kinds), occurred_at=later(chance.randint(0, 59)))
                for _ in range(chance.choice((0, 0, 1, 2))):
                    change = chance.choice(({"retracted": True}, {"occurred_at": later(chance.randint(0, 59))}))
                    entry = timeline.revise(connection, entry, by="U1", at=NOW, **change)
            told_alone.append(lifecycle(timeline.of_incident(connection, incident.id)))
    report = told(database)
    for rule in DURATIONS:
        alone = [getattr(life, f"{rule.key}_s") for life in told_alone]
        assert list(seconds(report, rule.key)) == sorted(each for each in alone if each is not None), rule.key
    assert all(each.known and each.unknown for each in report.spreads)


@pytest.mark.parametrize("seed", range(3))
def test_kept_figures_are_those_that_are_counted_whatever_happens_between_two_reports(
    database: Database, seed: int
) -> None:
    """Over a random history: the report that keeps and uses figures is the one that counts them from the entries."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    kinds = ("started", "impact", "detected", "acknowledged", "mitigated", "resolved", "resolved", "reopened", "note")
    stretch = parse_period("30d", now=TOMORROW, zone=UTC)
    content = {"asked_at": TOMORROW.isoformat(), "words": "30d", "zone": "UTC", "channel": "C1"}
    with database.write() as connection:
        declared = [declare(connection) for _ in range(12)]
    entries: list[tuple[Incident, TimelineEntry]] = []
    kept: set[int] = set()
    for _ in range(15):
        with database.write() as connection:
            for _ in range(6):
                incident = chance.choice(declared)
                if entries and chance.random() < 0.4:
                    incident, entry = entries.pop(chance.randrange(len(entries)))
                    change: dict[str, Any] = chance.choice(
                        ({"retracted": not entry.retracted}, {"occurred_at": later(chance.randint(0, 59))})
                    )
                    entry = timeline.revise(connection, entry, by="U1", at=NOW, **change)
                else:
                    at = later(chance.randint(0, 59)).replace(microsecond=chance.choice((0, 500_000)))
                    entry = say(connection, incident, kind=chance.choice(kinds), occurred_at=at)
                entries.append((incident, entry))
                whole = timeline.of_incident(connection, incident.id)
                incidents.set_open(connection, incidents.by_id(connection, incident.id), is_open=is_open(whole))
        told_with_kept = requested_report(database, "T1", content)
        with database.write() as connection:
            rows = connection.execute(select(incident_figures.c.incident_id)).scalars()
            kept |= set(rows)
            before = connection.execute(select(incident_figures)).mappings().all()
            connection.execute(delete(incident_figures))
            counted = load_report(connection, ReportScope(workspace_id="T1", channel_id="C1"), stretch, now=TOMORROW)
            if before:
                connection.execute(insert(incident_figures), [dict(row) for row in before])
        assert told_with_kept == counted
        assert report_json(told_with_kept) == report_json(counted)
        assert json.dumps(report_json(told_with_kept)) == json.dumps(report_json(counted))
    assert kept


def test_figures_are_kept_of_what_is_over_and_read_in_place_of_its_milestones(database: Database) -> None:
    with database.write() as connection:
        over, lasting = declare(connection), declare(connection)
        for incident in (over, lasting):
            say(connection, incident, kind="started", occurred_at=later(1))
        resolve(connection, over, 40)
    content = {"asked_at": TOMORROW.isoformat(), "words": "30d", "zone": "UTC", "channel": "C1"}
    asked: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    first = requested_report(database, "T1", content)
    with database.read() as connection:
        assert connection.execute(select(incident_figures.c.incident_id)).scalars().all() == [over.id]
    with database.write() as connection:
        connection.execute(update(incident_rows).values(open=False))
    requested_report(database, "T1", content)
    event.listen(database.engine, "before_cursor_execute", hear)
    assert replace(requested_report(database, "T1", content), declared=first.declared) == first
    event.remove(database.engine, "before_cursor_execute", hear)
    # The kinds of causes are read anew; they are in the words.
    assert not [each for each in asked if "timeline_entries.occurred_at" in each], asked
    # Counted by other rules than those of now, it is counted again.
    with database.write() as connection:
        connection.execute(update(incident_figures).values(rules=1, figures={"seconds": {}, "reopened": 9}))
    assert replace(requested_report(database, "T1", content), declared=first.declared) == first


def test_a_period_holds_what_was_declared_from_its_beginning_until_just_before_its_end(database: Database) -> None:
    with database.write() as connection:
        for day, hour in ((9, 23), (10, 0), (11, 23), (12, 0)):
            declare(connection, declared_at=NOW.replace(day=day, hour=hour))
    report = told(database, "2026-03-10..2026-03-11")
    assert [(each.happened_at.day, each.happened_at.hour) for each in report.declared] == [(10, 0), (11, 23)]


def test_a_row_of_an_older_release_counts_on_the_day_of_its_declaration(database: Database) -> None:
    with database.write() as connection:
        for day, hour in ((9, 23), (10, 0), (11, 23), (12, 0)):
            declare(connection, declared_at=NOW.replace(day=day, hour=hour))
        connection.execute(update(incident_rows).values(happened_at=None))
    report = told(database, "2026-03-10..2026-03-11")
    assert [(each.happened_at.day, each.happened_at.hour) for each in report.declared] == [(10, 0), (11, 23)]


def test_a_private_incident_is_counted_in_its_own_channel_and_where_it_is_asked_for(database: Database) -> None:
    with database.write() as connection:
        hidden = declare(connection, channel_id="C2", private=True)
        plan(connection, hidden, owner="secret-team", due_on=date(2026, 1, 1))
        say(connection, hidden, kind="detected")
        resolve(connection, hidden, 9)
    for view, counted in (({"channel_id": "C1"}, 0), ({}, 0), ({"channel_id": "C2"}, 1), ({"private": True}, 1)):
        report = told(database, **view)
        assert (len(report.declared), report.items.overdue, len(seconds(report))) == (counted,) * 3, view
        assert bool(report.teams) is bool(counted)


def test_another_workspace_is_not_counted(database: Database) -> None:
    with database.write() as connection:
        other = declare(connection, workspace_id="T2")
        plan(connection, other, owner="bob", owner_id="U2")
    assert (told(database).declared, told(database).items.recorded) == ((), 0)
    assert len(told(database, workspace_id="T2").declared) == 1


@pytest.mark.parametrize("closed_as", [CANCELLED, DUPLICATE, MERGED, MISTAKEN])
def test_a_closed_incident_and_its_items_count_nowhere(database: Database, closed_as: str) -> None:
    with database.write() as connection:
        original, mistaken = declare(connection), declare(connection)
        plan(connection, mistaken)
        incidents.close(connection, mistaken, closed_as, same_as=original, by="U1", at=NOW)
    report = told(database)
    assert (len(report.declared), report.items.recorded) == (1, 0)


def test_an_item_was_done_when_it_last_became_done(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection)
        item = plan(connection, incident, due_on=date(2026, 3, 13))
        for day, state in ((13, "done"), (14, "open"), (15, "done"), (16, "done")):
            item = action_items.revise(connection, item, by="U1", at=NOW.replace(day=day), state=state)
        never = plan(connection, incident, due_on=date(2026, 3, 13))
        early = plan(connection, incident, due_on=date(2026, 3, 13))
        action_items.revise(connection, early, by="U1", at=NOW, state="done")
        action_items.revise(connection, never, by="U1", at=NOW, state="dropped", reason="no")
    items = told(database).items
    assert (items.in_time, items.late, items.dropped, items.recorded) == (1, 1, 1, 3)


def test_a_report_takes_as_many_queries_for_a_hundred_incidents_as_for_one(sqlite: Database) -> None:
    asked: list[str] = []
    event.listen(sqlite.engine, "before_cursor_execute", lambda *about: asked.append(about[2]))
    taken = []
    for more in (1, 99):
        with sqlite.write() as connection:
            for _ in range(more):
                incident = declare(connection)
                say(connection, incident, kind="detected")
                plan(connection, incident)
        asked.clear()
        told(sqlite)
        taken.append(len(asked))
    assert taken == [5, 5]


def test_each_count_of_items_leaves_out_what_lies_just_outside(database: Database) -> None:
    moment = timedelta(milliseconds=1)
    begin, end = NOW.replace(day=10, hour=0), NOW.replace(day=13, hour=0)
    with database.write() as connection:
        before_period = declare(connection, declared_at=begin - timedelta(days=90))
        incident = declare(connection)
        for at in (begin - moment, begin, end - moment, end):
            plan(connection, before_period, owner="dba", at=at)
        for day in (12, 13, 14):
            plan(connection, incident, owner="network", due_on=date(2026, 3, day))
        for day, hour in ((11, 23), (12, 23), (13, 0)):
            item = plan(connection, incident, owner="storage", due_on=date(2026, 3, 12))
            action_items.revise(connection, item, by="U1", at=NOW.replace(day=day, hour=hour), state="done")
        for state, reason in (("done", None), ("dropped", "no"), ("open", None)):
            item = plan(connection, incident, owner="web")
            action_items.revise(connection, item, by="U1", at=NOW, state=state, reason=reason)
    report = told(database, "2026-03-10..2026-03-12")
    counted = {group.team: group.on_time for group in report.groups}
    assert {team: each.recorded for team, each in counted.items()} == {"dba": 2, "network": 3, "storage": 3, "web": 3}
    assert list(counted) == ["network", "storage", "web", "dba"], "the most first, then by name"
    network, stored, web = counted["network"], counted["storage"], counted["web"]
    assert (network.overdue, network.ahead) == (1, 2), "what is due today is not overdue"
    assert (stored.in_time, stored.late) == (2, 1), "what is done on its day is in time"
    assert (web.undated, web.undated_done, web.dropped) == (2, 1, 1)
    items = report.items
    assert (items.recorded, items.overdue, items.ahead, items.in_time, items.late) == (11, 1, 2, 2, 1)
    assert (items.undated, items.undated_done, items.dropped, items.done, items.judged) == (4, 1, 1, 4, 4)
    groups = report_json(report)["action_items_by_team"]
    assert [(each["team"], each["recorded"]) for each in groups] == [
        ("network", 3), ("storage", 3), ("web", 3), ("dba", 2),
    ]  # fmt: skip


def test_severities_and_open_incidents_are_counted_each_by_its_own(database: Database) -> None:
    with database.write() as connection:
        for severity, count in (("SEV1", 1), ("SEV2", 2), ("SEV4", 3), (None, 4)):
            for number in range(count):
                incident = declare(connection, severity=severity)
                say(connection, incident, kind="detected")
                if number:
                    resolve(connection, incident, 10 * number)
    report = told(database)
    assert dict(report.severities) == {"SEV1": 1, "SEV2": 2, "SEV3": 0, "SEV4": 3, None: 4}
    assert report.still_open == 4
    assert seconds(report) == (600.0, 600.0, 600.0, 1200.0, 1200.0, 1800.0)
