"""When the database fails, the person gets an error and their words back."""

import pytest
from sqlalchemy import text

from bot.slack.context import NOT_SAVED
from tests.support.workplace import Workplace


@pytest.fixture
def broken(office: Workplace) -> Workplace:
    """A workplace with a resolved incident and the button that reopens it, whose database has lost a table."""
    office.say("/detected disk full")
    office.say("/resolved freed space")
    office.say("/detected disk full again")
    with office.database.write() as connection:
        connection.execute(text("ALTER TABLE timeline_entries RENAME TO lost"))
    return office


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
