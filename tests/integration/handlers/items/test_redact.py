"""What a direct message shows of an incident, and of an item, to whom the incident's channel is not open."""

import pytest

from bot.handlers.items.redact import OTHERS_TITLE, OTHERS_WORDS, TITLE, WORDS, shown_alone
from storage.database import Database
from storage.values import GUEST, MEMBER
from tests.integration.storage.rows import declare, plan, say


@pytest.mark.parametrize(
    ("private", "standing", "took_part", "owner_id", "title", "words"),
    [
        (False, MEMBER, False, "U3", "disk full", "add an alert"),
        (True, MEMBER, True, "U3", "disk full", "add an alert"),
        (True, MEMBER, False, "U3", TITLE, WORDS),
        (True, MEMBER, False, "U2", TITLE, WORDS),
        (False, GUEST, False, "U3", OTHERS_TITLE, OTHERS_WORDS),
        (False, GUEST, False, "U2", OTHERS_TITLE, "add an alert"),
        (False, GUEST, True, "U3", OTHERS_TITLE, OTHERS_WORDS),
        (True, GUEST, False, "U2", TITLE, WORDS),
    ],
)
def test_what_is_shown_outside_of_the_channel(
    sqlite: Database, *, private: bool, standing: str, took_part: bool, owner_id: str, title: str, words: str
) -> None:
    with sqlite.write() as connection:
        incident = declare(connection, private=private, lead="bob", lead_id="U2")
        if took_part:
            say(connection, incident, recorded_by_id="U2", author_id="U2")
        item = plan(connection, incident, owner="x", owner_id=owner_id, done_when="it rings")
        shown, its_item = shown_alone(connection, incident, item, user_id="U2", standing=standing)
        assert its_item is not None
        assert (shown.title, its_item.text, its_item.done_when) == (
            title, words, "it rings" if words == "add an alert" else None,
        )  # fmt: skip
        assert shown_alone(connection, incident, None, user_id="U2", standing=standing) == (shown, None)
