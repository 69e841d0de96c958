"""Signals in the store: what reads them reads an index, and a declaration reads none."""

from datetime import timedelta

import pytest
from sqlalchemy import event, text

from storage.database import Database
from storage.sources import signals
from storage.values import ALERT, CHANGE, Signal
from tests.support.workplace import Workplace, at

NOON = at("2026-03-12T12:00:00Z")


def told(number: int, **more: object) -> Signal:
    facts = {"source": "generic", "kind": ALERT, "fingerprint": str(number), "title": "disk full", "occurred_at": NOON}
    return Signal(**{**facts, **more})  # type: ignore[arg-type]


def test_a_declaration_reads_and_writes_no_signal(office: Workplace) -> None:
    statements: list[str] = []
    listening = (office.database.engine, "before_cursor_execute", lambda *about: statements.append(about[2]))
    event.listen(*listening)
    office.say("/detected disk full")
    event.remove(*listening)
    assert statements
    assert not [each for each in statements if "signals" in each]


@pytest.mark.parametrize("kind", [ALERT, CHANGE])
def test_what_a_tick_looks_for_is_found_by_an_index(sqlite: Database, kind: str) -> None:
    read: list[tuple[str, tuple[object, ...]]] = []
    with sqlite.write() as connection:
        signals.add(connection, "T1", "C1", [told(number, kind=kind) for number in range(200)], at=NOON)
        event.listen(sqlite.engine, "before_cursor_execute", lambda *about: read.append((about[2], about[3])))
        signals.fresh_places(connection, "T1")
        signals.has_to_tell(connection, ("T1", "C1"))
        signals.last_asked(connection, ("T1", "C1"))
        signals.before(connection, "T1", ["C1"], since=NOON - timedelta(hours=4), until=NOON)
        signals.group_of_incident(connection, 1)
        plans = [
            str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {each}", parameters).all())
            for each, parameters in list(read)
        ]
    assert len(plans) >= 5
    assert not [each for each in plans if "SCAN signals" in each and "INDEX" not in each], plans


def test_each_is_kept_once_on_both_databases_and_an_end_finds_its_beginning(database: Database) -> None:
    with database.write() as connection:
        for _ in range(2):
            signals.add(connection, "T1", "C1", [told(1), told(2)], at=NOON)
        later = NOON + timedelta(minutes=5)
        # Some sources do not say when it began.
        signals.add(connection, "T1", "C1", [told(1, occurred_at=later, ended_at=later, fired=False)], at=later)
        signals.add(connection, "T1", "C2", [told(2)], at=NOON)
        rows = connection.execute(text("SELECT repeats, ended_at IS NULL FROM signals WHERE fired ORDER BY id")).all()
        assert [(repeats, bool(fires)) for repeats, fires in rows].count((1, False)) == 1
        assert len(rows) == 3
        signals.prune(connection, before=later, most=100)
        assert connection.execute(text("SELECT count(*) FROM signals")).scalar_one() == 1
