"""Slack's markup is removed once on the way in and escaped once on the way out."""

import html

from hypothesis import given
from hypothesis import strategies as st

from bot.documents.escaping import slack as escape
from bot.domain.items.item import parse_item
from bot.slack.text import plain_text, to_handle
from tests.conftest import NOON


@given(st.text())
def test_escaped_text_becomes_plain_text_unchanged(words: str) -> None:
    assert plain_text(escape(words)).words == words


@given(st.text(alphabet="<>&@!#|ab;lt gmp:/", max_size=60))
def test_broken_markup_neither_raises_nor_remains_markup(raw: str) -> None:
    out = escape(plain_text(raw).words)
    assert "<" not in out
    assert html.unescape(out) == plain_text(raw).words


@given(st.text(min_size=1))
def test_any_name_becomes_a_handle_that_the_grammar_reads_as_an_owner(name: str) -> None:
    if "\0" in name or any("\ud800" <= letter <= "\udfff" for letter in name):
        return
    item = parse_item(f"@{to_handle(name)}: watch it", today=NOON.date())
    assert (item.owner, item.text) == (to_handle(name), "watch it")


def test_two_people_of_the_same_name_are_distinguished() -> None:
    found = plain_text("<@U111|alex> and <@U222|alex> and <@U111|alex>")
    assert found.words == "@alex and @U222 and @alex"
    assert found.people == {"alex": "U111", "U222": "U222"}
