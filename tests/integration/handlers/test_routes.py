"""Every route; repeated, simultaneous and failing requests."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text

from bot.errors import UsageError
from bot.handlers.request import Button, Reply
from bot.handlers.routes import ROUTES
from bot.vocabulary import COMMANDS
from storage import incidents, outbox, timeline
from storage.database import Database
from storage.models import metadata
from storage.values import MEMBER
from tests.support.asking import ask
from tests.support.together import THREADS, together


@pytest.fixture
def replicas(database: Database) -> Iterator[list[Database]]:
    """Two connection pools to one database, as of two processes."""
    other = Database(database.url.render_as_string(hide_password=False))
    yield [database, other]
    other.close()


def rows(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {
            table.name: connection.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one()  # noqa: S608 - the names of our own tables
            for table in metadata.sorted_tables
            if table.name not in {"agendas", "reminders"}  # rows that a change of an item rewrites
        }


def added(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: count - before[name] for name, count in after.items() if count != before[name]}


def answer(database: Database, typed: str, **other: str) -> Reply | str:
    """The reply, or the message of the UsageError."""
    try:
        return ask(database, typed, None, **other)
    except UsageError as error:
        return str(error)


def test_there_is_a_route_for_every_command_and_subcommand_and_no_other() -> None:
    words = {f"{command.name} {each.name}" for command in COMMANDS.values() for each in command.subcommands}
    bare = {command.name for command in COMMANDS.values() if not command.subcommands}
    assert set(ROUTES) == words | bare | {"actionitem"}


def test_of_repeats_that_share_a_commit_one_is_recorded_and_all_get_its_answer(sqlite: Database) -> None:
    ask(sqlite, "/detected disk full", key="k0")
    commit = sqlite._group_commit
    assert commit is not None
    with ThreadPoolExecutor(THREADS) as pool:
        with sqlite.write():
            asked = [pool.submit(ask, sqlite, "/note we look", key=f"k{number % 2 + 1}") for number in range(THREADS)]
            until = time.monotonic() + 60
            while (commit._forming is None or len(commit._forming.waiting) < THREADS) and time.monotonic() < until:
                time.sleep(0.001)
        replies = [each.result(timeout=60) for each in asked]
    assert len({reply.text for reply in replies}) == 2
    assert all(reply == replies[number % 2] for number, reply in enumerate(replies))
    with sqlite.read() as connection:
        assert [entry.number for entry in timeline.of_incident(connection, 1)] == [1, 2, 3]


@pytest.mark.parametrize("typed", ["/note we look", "/resolved over", "/actionitem do it", "/incident severity SEV1"])
def test_a_repeat_gets_the_first_answer_and_changes_nothing(database: Database, typed: str) -> None:
    ask(database, "/detected disk full", key="k0")
    first = ask(database, typed, key="k1")
    before = rows(database)
    assert ask(database, typed, key="k1") == first
    assert rows(database) == before
    other = answer(database, typed, key="k1", workspace_id="T2")
    assert "This channel has no incident yet." in (other if isinstance(other, str) else other.text)


@pytest.mark.parametrize(
    "typed",
    [
        "/detected disk full", "/note we look", "/resolved over", "/incident undo", "/incident edit 1 better",
        "/actionitem do it", "/actionitem done 1", "/incident severity SEV1", "/postmortem draft",
    ],
)  # fmt: skip
def test_one_request_delivered_to_two_replicas_at_once_is_done_once(replicas: list[Database], typed: str) -> None:
    ask(replicas[0], "/detected disk full", key="k0")
    ask(replicas[0], "/actionitem first", key="k1")
    before = rows(replicas[0])
    replies = together(lambda number: answer(replicas[number % 2], typed, key="k2"))
    assert isinstance(replies[0], Reply)
    assert replies == [replies[0]] * THREADS
    assert added(before, rows(replicas[0]))["receipts"] == 1
    assert all(count == 1 for count in added(before, rows(replicas[0])).values())


def test_one_opening_delivered_to_two_replicas_at_once_is_one_incident(replicas: list[Database]) -> None:
    replies = together(lambda number: answer(replicas[number % 2], "/incident open SEV2 disk full", key="k"))
    assert isinstance(replies[0], Reply)
    assert replies == [replies[0]] * THREADS
    assert rows(replicas[0])["incidents"] == 1


def test_people_who_detect_at_once_in_one_channel_share_one_incident(replicas: list[Database]) -> None:
    together(lambda number: ask(replicas[number % 2], f"/detected {number}", key=str(number), user_id=f"U{number}"))
    with replicas[0].read() as connection:
        incident = incidents.in_channel(connection, "T1", "C1")
        assert incident is not None
        entries = timeline.of_incident(connection, incident.id)
    assert incident.number == 1
    assert sorted(entry.text for entry in entries) == [str(number) for number in range(THREADS)]
    assert [entry.number for entry in entries] == list(range(1, THREADS + 1))
    assert rows(replicas[0])["incidents"] == 1


def test_after_a_resolution_people_who_detect_or_open_at_once_declare_one_incident(replicas: list[Database]) -> None:
    for turn in range(3):
        ask(replicas[0], "/detected before")
        ask(replicas[0], "/resolved over")
        words = ("/detected again", "/incident open again")
        replies = together(lambda number, words=words: answer(replicas[number % 2], words[number // 2 % 2]))  # type: ignore[misc]
        refused = [each for each in replies if isinstance(each, str)]
        assert all("is open in this channel" in each for each in refused)
        assert rows(replicas[0])["incidents"] == turn * 2 + 2
        ask(replicas[0], "/resolved over")


def test_people_who_declare_at_once_in_many_channels_get_numbers_without_a_gap(replicas: list[Database]) -> None:
    together(lambda number: ask(replicas[number % 2], "/detected x", channel_id=f"C{number}"))
    with replicas[0].read() as connection:
        found = incidents.listing(connection, "T1", "C1", open_only=True, limit=20, standing=MEMBER)
    assert sorted(each.number for each in found) == list(range(1, THREADS + 1))


def test_of_people_who_resolve_at_once_one_does_and_one_draft_is_asked_for(replicas: list[Database]) -> None:
    ask(replicas[0], "/detected disk full")
    replies = together(lambda number: ask(replicas[number % 2], "/resolved over", key=str(number)))
    assert sum("was resolved already" in each.text for each in replies) == THREADS - 1
    with replicas[0].read() as connection:
        assert outbox.count_by_state(connection) == {"waiting": 1}
        kinds = [each.kind for each in timeline.of_incident(connection, 1)]
    assert kinds == ["detected", "resolved", *["note"] * (THREADS - 1)]


PRESSED = {
    "came_back": ("/resolved over", "/note errors again"),
    "resolved_then": ("/resolved over", "/resolved at 11:00 UTC"),
    "another_outage": (None, "/detected again"),
    "new_incident": (None, "/detected again"),
    "choose_incident": (None, "/note we look"),
}
"""The buttons under an entry: what was typed before it, and for it."""


@pytest.mark.parametrize("action", PRESSED)
def test_of_people_who_press_a_button_at_once_one_does_it(replicas: list[Database], action: str) -> None:
    ask(replicas[0], "/detected disk full", key="k0")
    before, typed = PRESSED[action]
    if before:
        ask(replicas[0], before, key="k1")
    place = "C9" if action == "choose_incident" else "C1"
    asked = ask(replicas[0], typed, channel_id=place)
    control = next(each for each in asked.buttons if each.action == action)
    value = control.value if isinstance(control, Button) else control.options[0][1]
    replies = together(
        lambda number: answer(
            replicas[number % 2], f"/{action} {value}", key=f"c{number}", source="click", channel_id=place
        )
    )
    assert sorted(type(each).__name__ for each in replies) == ["Reply"] + ["str"] * (THREADS - 1)


def test_people_who_edit_one_entry_at_once_all_have_their_revision(replicas: list[Database]) -> None:
    ask(replicas[0], "/detected disk full")
    together(lambda number: ask(replicas[number % 2], f"/incident edit 1 words {number}", key=str(number)))
    with replicas[0].read() as connection:
        assert timeline.of_incident(connection, 1)[0].revisions == THREADS


def test_people_who_finish_one_action_item_at_once_are_told_who_was_first(replicas: list[Database]) -> None:
    ask(replicas[0], "/detected disk full")
    ask(replicas[0], "/actionitem do it")
    replies = together(lambda number: answer(replicas[number % 2], "/actionitem done 1", key=str(number)))
    assert sorted(type(each).__name__ for each in replies) == ["Reply"] + ["str"] * (THREADS - 1)


def test_an_error_in_a_handler_or_beside_it_leaves_nothing_behind(database: Database) -> None:
    ask(database, "/detected disk full")
    before = rows(database)

    def fail(_connection: Connection, _reply: Reply) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(database, "/resolved over", fail, key="k")
    for refused in ("/note INC-9 again", "/incident edit 9 x", "/note \0", "/actionitem done 9"):
        with pytest.raises(UsageError):
            ask(database, refused, key="k2")
    assert rows(database) == before
    assert "resolved" in ask(database, "/resolved over", key="k").text


def test_a_refusal_is_no_receipt_and_may_be_said_again_when_it_can_be_done(database: Database) -> None:
    with pytest.raises(UsageError, match="There is no INC-1 here"):
        ask(database, "/note INC-1 we look", key="k")
    ask(database, "/detected disk full")
    assert ask(database, "/note INC-1 we look", key="k").public


@pytest.mark.parametrize("words", ["a\0b", "a\ud800b", "x" * 10_001])
@pytest.mark.parametrize(
    "command",
    ["note", "incident search", "incident lead @", "incident title", "actionitem", "actionitem assign 1 @",
     "actionitem drop 1", "incident edit 1", "timeline"],
)  # fmt: skip
def test_words_no_database_takes_are_refused_by_every_command(database: Database, command: str, words: str) -> None:
    ask(database, "/detected disk full")
    ask(database, "/actionitem do it")
    before = rows(database)
    with pytest.raises(UsageError, match=r"NUL|surrogate|characters"):
        ask(database, f"/{command} {words}".replace("@ ", "@"))
    assert rows(database) == before


def test_what_in_transaction_writes_is_committed_with_the_receipt_and_once(database: Database) -> None:
    def post(connection: Connection, reply: Reply) -> None:
        outbox.post(connection, "T1", "C1", {"text": reply.text}, at=incident_at)

    first = ask(database, "/detected disk full")
    with database.read() as connection:
        incident_at = incidents.by_id(connection, 1).declared_at
    before = rows(database)
    shown = [ask(database, "/incident status", post, key="k") for _ in range(3)]
    assert shown == [shown[0]] * 3
    assert added(before, rows(database)) == {"outbox": 1, "receipts": 1}
    assert first.public
