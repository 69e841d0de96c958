"""When the database fails, the person gets an error and their words back; where it may recover, they are kept."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from bot.slack.context import NOT_SAVED
from tests.support.ledger import incident, standing
from tests.support.workplace import Workplace

REFUSES = """
    CREATE TRIGGER refuses_{what} BEFORE {what} ON timeline_entries
    BEGIN SELECT RAISE(ABORT, 'a constraint that the entry violates'); END
"""
"""A defect, which no later attempt gets over: unlike a table that is missing, it does not count as an outage."""


def execute(office: Workplace, *statements: str) -> None:
    with office.database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))


@pytest.fixture
def reopenable(office: Workplace) -> Workplace:
    """A workplace with a resolved incident and the button that reopens it."""
    office.say("/detected disk full")
    office.say("/resolved freed space")
    office.say("/detected disk full again")
    return office


@pytest.fixture
def broken(reopenable: Workplace) -> Workplace:
    """The same, whose database takes no entry and no change of one."""
    execute(reopenable, *(REFUSES.format(what=what) for what in ("INSERT", "UPDATE", "DELETE")))
    return reopenable


def test_a_command_that_cannot_be_saved_is_answered_with_its_words(
    broken: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = broken.refused("/did restarted db1 with the secret runbook")
    assert refusal.startswith(NOT_SAVED)
    assert "/did restarted db1 with the secret runbook" in refusal
    assert "command not saved" in caplog.text
    assert "secret runbook" not in caplog.text


def test_a_click_that_cannot_be_saved_is_reported_to_the_person_alone(broken: Workplace) -> None:
    broken.slack.click(broken.bob, broken.answers[-1], "reopen")
    messages = broken.slack.wait_for(
        lambda: [each for each in broken.slack.messages(broken.channel, broken.bob) if each.text == NOT_SAVED]
    )
    assert [each.ephemeral_for for each in messages] == [broken.bob]


def test_a_form_that_cannot_be_saved_stays_open_with_its_words(broken: Workplace) -> None:
    message = broken.slack.say(broken.bob, broken.channel, "replica is 4 GB behind")
    broken.slack.shortcut(broken.alice, message, "add_to_timeline")
    view = broken.slack.modal(broken.alice)
    assert view is not None
    answer = broken.slack.submit(broken.alice, {})
    assert answer.body["errors"] == {"words": NOT_SAVED}
    assert broken.slack.modal(broken.alice) is not None


def did(office: Workplace) -> list[str]:
    return [office.say("/did restarted db1")]


def reopened(office: Workplace) -> list[str]:
    office.slack.click(office.bob, office.answers[-1], "reopen")
    return kept(office)


def added(office: Workplace) -> list[str]:
    office.slack.submit(office.alice, {"words": "replica is 4 GB behind"})
    assert office.slack.modal(office.alice) is None
    return kept(office)


def kept(office: Workplace) -> list[str]:
    return office.slack.wait_for(
        lambda: [each.text for each in office.slack.messages(office.channel) if each.text.startswith("Kept · ")]
    )


def has_entry(*expected: str) -> Callable[[Workplace], bool]:
    return lambda office: expected in standing(office, 2)


@pytest.mark.parametrize(
    ("act", "is_written"),
    [
        (did, has_entry("did", "restarted db1")),
        (reopened, lambda office: incident(office).open),
        (added, has_entry("note", "replica is 4 GB behind")),
    ],
)
def test_what_is_sent_while_a_table_is_missing_is_kept_and_written_once_it_is_there(
    reopenable: Workplace, act: Callable[[Workplace], list[str]], is_written: Callable[[Workplace], bool]
) -> None:
    message = reopenable.slack.say(reopenable.bob, reopenable.channel, "replica is 4 GB behind")
    reopenable.slack.shortcut(reopenable.alice, message, "add_to_timeline")
    # The form is opened after the answer.
    reopenable.slack.wait_for(lambda: reopenable.slack.modal(reopenable.alice))
    execute(reopenable, "ALTER TABLE timeline_entries RENAME TO lost")
    (told,) = act(reopenable)
    assert told.startswith("Kept · ")
    assert "The database is away." in told
    assert reopenable.bot.context.offline.replay() == 0
    execute(reopenable, "ALTER TABLE lost RENAME TO timeline_entries")
    assert not is_written(reopenable)
    assert reopenable.bot.context.offline.replay() == 1
    assert is_written(reopenable)
