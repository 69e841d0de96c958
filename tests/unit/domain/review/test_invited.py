"""Whom a review is proposed to."""

from dataclasses import replace
from typing import Any

from bot.domain.review.meeting import change_invitees, propose_invitees
from storage.values import ActionItem, Invited, TimelineEntry
from tests.support.casebook import entry, item
from tests.unit.domain.check.checking import INCIDENT, after

NAMES = {"U01": "alice", "U02": "Bob Dba", "U03": "carol", "U04": "dave", "U05": "eve", "U06": "Eve", "U09": "scribe"}


def ids(*told: TimelineEntry, items: tuple[ActionItem, ...] = (), **incident: Any) -> list[str]:
    facts = {"lead": None, "lead_id": None, **incident}
    people = propose_invitees(replace(INCIDENT, **facts), told, items, names=NAMES, bots={"U09"})
    return [person.user_id for person in people]


def note(number: int, text: str = "x", author_id: str = "U01", **other: Any) -> TimelineEntry:
    return entry(number, "note", after(number), text, author_id=author_id, **{"author": "somebody", **other})


def test_the_lead_the_authors_those_named_and_the_owners_come_in_this_order_once_each() -> None:
    told = (note(2, "@carol and @bob_dba look", "U04"), note(1, "x", "U01"), note(3, "again <@U02|bob>", "U04"))
    items = (
        item(1, "x", owner="ann", owner_id="U07"),
        replace(item(2, "x", owner="z", owner_id="U08"), state="dropped"),
    )
    assert ids(*told, items=items, lead="eve", lead_id="U05") == ["U05", "U01", "U04", "U03", "U02", "U07"]


def test_bots_teams_addresses_and_people_nobody_knows_are_left_out() -> None:
    told = (
        note(1, "@scribe and @sre-team and @oncall and @nobody and @WEBTEAM, mail carol@example.com", "U09"),
        note(2, "disk full", "B123"),
        note(3, "from a terminal", "root"),
        note(4, "@dave"),
    )
    assert ids(*told) == ["U01", "U04"]


def test_a_name_of_two_people_invites_neither_and_what_was_taken_back_nobody() -> None:
    assert ids(note(1, "@eve @carol"), note(2, "@dave", "U02", retracted=True)) == ["U01", "U03"]


def test_somebody_is_found_by_the_name_they_type_under_too() -> None:
    assert ids(note(1, "x", "U07", author="zoe.k"), note(2, "thanks @zoe.k and @U04", "U01")) == ["U07", "U01", "U04"]


def test_people_are_called_by_the_name_they_show_and_else_by_the_one_they_typed_under() -> None:
    told = (note(1, "x", "U02", author="bobby"), note(2, "x", "U07", author="zoe"))
    people = propose_invitees(replace(INCIDENT, lead=None, lead_id=None), told, (), names=NAMES, bots=())
    assert [person.name for person in people] == ["Bob Dba", "zoe"]


def test_adding_and_leaving_out_keep_the_order_and_everybody_once() -> None:
    alice, bob, carol = (Invited(user_id=user_id, name=user_id) for user_id in ("U01", "U02", "U03"))
    assert change_invitees((alice, bob), add=(carol, alice), leave_out=(bob,)) == (alice, carol)
    assert change_invitees((alice,), add=(bob,), leave_out=(bob, alice)) == ()
