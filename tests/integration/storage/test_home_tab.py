from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.handlers.items.digests import HomePage
from storage import incidents, postmortems, publications, timeline
from storage.database import Database
from storage.items import action_items
from storage.values import MEMBER, OwnItem, Unpublished
from tests.integration.storage.rows import NOW, declare, later, plan, resolve, say


def page(user_id: str, workspace_id: str = "T1", now: datetime = NOW + timedelta(days=1)) -> HomePage:
    return HomePage(workspace_id=workspace_id, user_id=user_id, standing=MEMBER, now=now, zone=ZoneInfo("UTC"))


def items(database: Database, *of: Any, **how: Any) -> list[OwnItem]:
    with database.read() as connection:
        return page(*of, **how).items(connection)[1]


def unpublished(database: Database, user_id: str) -> list[Unpublished]:
    with database.read() as connection:
        return page(user_id).postmortems(connection)[1]


def test_items_are_the_owners_by_due_date_with_snoozed_ones_last(database: Database) -> None:
    with database.write() as connection:
        incident, other = declare(connection), declare(connection, workspace_id="T2")
        mine: dict[str, Any] = {"owner": "bob", "owner_id": "U2"}
        snoozed = plan(connection, incident, "snoozed", **mine, due_on=date(2026, 1, 1))
        action_items.revise(connection, snoozed, by="U2", at=NOW, snoozed_until=date(2026, 3, 20))
        plan(connection, incident, "undated", **mine)
        plan(connection, incident, "later", **mine, due_on=date(2026, 4, 1))
        plan(connection, incident, "overdue", **mine, due_on=date(2026, 3, 1))
        plan(connection, incident, "another's", owner="carol", owner_id="U3")
        plan(connection, incident, "of his namesake", owner="bob")
        action_items.revise(connection, plan(connection, incident, "done", **mine), by="U2", at=NOW, state="done")
        handed_on = plan(connection, incident, "handed on", **mine)
        action_items.revise(connection, handed_on, by="U2", at=NOW, owner="carol", owner_id="U3")
        plan(connection, other, "of another workspace", **mine)
    assert [item.text for item in items(database, "U2")] == ["overdue", "later", "undated", "snoozed"]
    assert items(database, "U2", now=NOW.replace(day=20))[0].text == "snoozed"
    assert [item.text for item in items(database, "U2", "T2")] == ["of another workspace"]


def test_without_a_lead_whoever_resolved_it_last_is_asked_for_the_postmortem(database: Database) -> None:
    with database.write() as connection:
        incident = declare(connection, title="twice")
        resolve(connection, incident, 5, by="U1")
        resolve(connection, incident, 7, by="U2")
        taken_back = say(connection, incident, kind="resolved", occurred_at=later(9), recorded_by_id="U3")
        timeline.revise(connection, taken_back, by="U3", at=NOW, retracted=True)
    assert [each.resolved_at for each in unpublished(database, "U2")] == [later(7)]
    for other in ("U1", "U3"):
        assert list(unpublished(database, other)) == []


def test_postmortems_are_of_incidents_the_user_leads_or_resolved_without_a_lead(database: Database) -> None:
    with database.write() as connection:
        led = declare(connection, title="led", lead="bob", lead_id="U2")
        resolve(connection, led, 5, by="U1")
        postmortems.add(connection, led.id, template="classic", sections=(), drafted_at=later(6), drafted_by="alice")
        drafted = declare(connection, title="drafted", private=True)
        resolve(connection, drafted, 7, by="U2")
        still_open = declare(connection, title="still open", lead="bob", lead_id="U2")
        say(connection, still_open)
        published = declare(connection, title="published", lead="bob", lead_id="U2")
        resolve(connection, published, 8)
        publications.save(connection, published.id, target="folder", location="x", version=1, at=later(9), by="bob")
        resolve(connection, declare(connection, title="anothers", lead="carol", lead_id="U3"), 9, by="U2")
        resolve(connection, declare(connection, "T2", title="elsewhere", lead="bob", lead_id="U2"), 9)
    mine = unpublished(database, "U2")
    assert [(each.title, each.version, each.resolved_at) for each in mine] == [
        ("led", 1, later(5)),
        ("drafted", 0, later(7)),
    ]
    assert [each.title for each in unpublished(database, "U1")] == []


def test_open_incidents_are_ones_own_first_and_no_private_one_of_others(database: Database) -> None:
    with database.write() as connection:
        declare(connection, title="of others")
        led = declare(connection, title="led", lead="bob", lead_id="U2")
        joined = declare(connection, title="joined", private=True)
        say(connection, joined, recorded_by_id="U2")
        declare(connection, title="hidden", private=True)
        closed = declare(connection, title="closed")
        incidents.set_open(connection, closed, is_open=False)
        declare(connection, "T2", title="elsewhere")
        assert led.number < joined.number
    with database.read() as connection:
        count, found = page("U2").incidents(connection)
        assert (count, [(own, each.title) for own, each in found]) == (
            3,
            [(True, "joined"), (True, "led"), (False, "of others")],
        )
        assert replace(page("U2"), standing="guest").incidents(connection) == (0, [])


def test_an_items_document_is_what_is_published_for_all(database: Database) -> None:
    with database.write() as connection:
        first, second = declare(connection), declare(connection)
        for incident in (first, second):
            plan(connection, incident, owner="bob", owner_id="U2")
        for target in ("canvas", "folder", "canvas:public"):
            publications.save(connection, first.id, target=target, location=target, version=1, at=later(9), by="bob")
        publications.save(connection, second.id, target="folder:public", location="x", version=1, at=later(9), by="b")
    assert [each.document and each.document.target for each in items(database, "U2")] == ["canvas", None]
