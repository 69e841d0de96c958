"""The list of members, read at the pace that Slack asks for; and digests, which nobody who has left gets."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from bot.clock import SetClock
from bot.fakeslack.faults import TOO_MANY_REQUESTS, Fault
from bot.fakeslack.objects import Call
from bot.fakeslack.schema import Json
from bot.slack.bot import build
from storage import members
from storage.database import Database
from tests.slack.items.test_digests import digests, remind_at
from tests.support.workplace import Workplace, at, workplace

PEOPLE = 450
"""On three pages."""


@pytest.fixture
def crowd(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(sqlite, clock=clock, known=False) as office:
        for number in range(PEOPLE):
            office.slack.add_user(f"u{number}")
        yield office


def lists(office: Workplace) -> list[Call]:
    return [call for call in office.slack.calls if call.method == "users.list"]


def known(office: Workplace) -> int:
    with office.database.read() as connection:
        return len(members.names(connection, office.slack.team_id))


def test_where_slack_asks_to_wait_the_list_goes_on_at_its_cursor_when_the_wait_is_over(
    crowd: Workplace, clock: SetClock
) -> None:
    crowd.slack.fail_next("users.list", retry_after_s=30, times=1)
    crowd.bot.refresh()
    assert len(lists(crowd)) == 1
    clock.set(at("2026-03-12T12:00:29Z"))
    crowd.bot.list_members()
    assert len(lists(crowd)) == 1
    clock.set(at("2026-03-12T12:00:31Z"))
    crowd.bot.list_members()
    assert known(crowd) >= PEOPLE
    calls = len(lists(crowd))
    clock.set(at("2026-03-12T13:00:00Z"))
    crowd.bot.list_members()
    assert len(lists(crowd)) == calls


def fail_after_the_first_page(office: Workplace, error: str = "ratelimited") -> None:
    """Have Slack answer the first page, and refuse the second."""
    status = TOO_MANY_REQUESTS if error == "ratelimited" else 200
    left = [Fault(method="users.list", error=error, status=status, retry_after_s=30)]

    def second(method: str, args: Json) -> Fault | None:
        return left.pop() if left and method == "users.list" and args.get("cursor") else None

    office.slack._faults.source = second


def test_after_a_restart_the_list_goes_on_at_its_cursor(sqlite: Database, crowd: Workplace, clock: SetClock) -> None:
    fail_after_the_first_page(crowd)
    crowd.bot.refresh()
    first = known(crowd)
    assert 0 < first < PEOPLE
    cursors = [call.args.get("cursor", "") for call in lists(crowd)]
    assert cursors[0] == ""
    assert cursors[1]
    clock.set(at("2026-03-12T12:01:00Z"))
    again = build(crowd.bot.context.settings, sqlite, clock=clock)
    again.refresh()
    after = [call.args.get("cursor", "") for call in lists(crowd)][2:]
    assert after[0] == cursors[1]
    assert "" not in after
    assert known(crowd) >= PEOPLE
    again.stop()
    # The next list begins anew.
    clock.set(at("2026-03-12T18:00:00Z"))
    crowd.bot.refresh()
    assert [call.args.get("cursor", "") for call in lists(crowd)][2 + len(after)] == ""


def test_a_list_that_was_begun_long_ago_begins_anew(crowd: Workplace, clock: SetClock) -> None:
    fail_after_the_first_page(crowd)
    crowd.bot.refresh()
    clock.set(at("2026-03-13T12:00:00Z"))
    crowd.bot.refresh()
    assert [call.args.get("cursor", "") for call in lists(crowd)][2] == ""
    assert known(crowd) >= PEOPLE


def test_a_cursor_that_slack_has_forgotten_begins_anew(crowd: Workplace, clock: SetClock) -> None:
    fail_after_the_first_page(crowd, "invalid_cursor")
    crowd.bot.refresh()
    clock.set(at("2026-03-12T12:02:00Z"))
    crowd.bot.list_members()
    assert [call.args.get("cursor", "") for call in lists(crowd)][2] == ""
    assert known(crowd) >= PEOPLE


def test_while_slack_asks_to_wait_commands_are_answered(crowd: Workplace) -> None:
    crowd.slack.fail_next("users.list", retry_after_s=3_600, times=5)
    crowd.bot.refresh()
    assert crowd.say("/detected disk full").startswith("Detected · ")


@pytest.fixture
def planned(office: Workplace) -> Workplace:
    office.say("/detected disk full")
    office.say("/incident lead @alice")
    office.say("/actionitem @bob short-term by 2026-03-13: buy disks")
    office.deliver()
    return office


def leave(office: Workplace, user: str) -> None:
    """Deactivate a person without an event: Slack keeps taking messages for them."""
    workspace = office.slack.workspace
    workspace.put_user(replace(workspace.users[user], deleted=True))


def asked(office: Workplace, user: str) -> int:
    return len([c for c in office.slack.calls if c.method == "users.info" and c.args.get("user") == user])


def test_somebody_deactivated_gets_no_digest_and_the_lead_is_reminded(planned: Workplace) -> None:
    leave(planned, planned.bob)
    remind_at(planned, "2026-03-13T16:00:00Z")
    remind_at(planned, "2026-03-13T16:05:00Z")
    assert digests(planned, planned.bob) == []
    (leads,) = planned.slack.messages(planned.alice)
    assert leads.text.startswith("bob has left, with 1 open action item")
    assert "buy disks" in leads.text
    assert asked(planned, planned.bob) == 1


def test_slack_is_asked_once_a_day_however_often_the_digest_is_tried(planned: Workplace) -> None:
    planned.slack.fail_next("chat.postMessage", retry_after_s=60, times=2)
    for minute in (0, 2, 4, 6, 8):
        remind_at(planned, f"2026-03-13T16:0{minute}:00Z")
    assert len(digests(planned, planned.bob)) == 1
    assert asked(planned, planned.bob) == 1


def test_who_was_not_known_yet_is_asked_about_before_a_message_to_them_is_put_into_words(planned: Workplace) -> None:
    for moment in ("2026-03-12T16:15:00Z", "2026-03-13T16:00:00Z"):
        with planned.database.write() as connection:
            connection.execute(text("DELETE FROM members WHERE user_id = :bob"), {"bob": planned.bob})
        remind_at(planned, moment)
    handed, digest = planned.slack.messages(planned.bob)
    assert "disk full" in handed.text
    assert "disk full" in digest.text
    # It said at once all that they may read, so there is nothing to edit.
    remind_at(planned, "2026-03-13T16:01:00Z")
    assert [call for call in planned.slack.calls if call.method == "chat.update"] == []


@pytest.mark.parametrize("why", ["missing_scope", "ratelimited", "fatal_error"])
def test_where_slack_cannot_be_asked_what_was_last_known_counts(planned: Workplace, why: str) -> None:
    planned.slack.fail_next("users.info", error=why, times=3)
    remind_at(planned, "2026-03-13T16:00:00Z")
    assert len(digests(planned, planned.bob)) == 1


def test_who_was_known_to_have_left_gets_none_also_where_slack_cannot_be_asked(
    planned: Workplace, clock: SetClock
) -> None:
    clock.set(at("2026-03-13T16:00:00Z"))
    planned.bot.remind()
    leave(planned, planned.bob)
    planned.bot.context.members.refresh(planned.slack.team_id)
    planned.slack.fail_next("users.info", error="fatal_error", times=3)
    planned.deliver()
    assert digests(planned, planned.bob) == []
