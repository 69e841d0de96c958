"""Slack's markup is removed once on the way in and escaped once on the way out."""

import html

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bot.documents.escaping import slack as escape
from bot.domain.items.item import parse_item
from bot.fakeslack.actions import format_text
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


READINGS = (
    ("<!subteam^S123> and <!subteam^S1|@sre> and <!subteam^S2|sre>", "@S123 and @sre and @sre"),
    (
        "call <tel:+49123456|+49 123 456>, <tel:112> or <tel:112|the firemen>",
        "call +49 123 456, 112 or the firemen (112)",
    ),
    ("<!date^1392734382^{date_short}|Feb 18, 2014> <!date^1392734382^{time}>", "Feb 18, 2014 2014-02-18 14:39 UTC"),
    (
        "<!date^nonsense^{time}> <!date^99999999999999999999^{time}|>",
        "<!date^nonsense^{time}> <!date^99999999999999999999^{time}|>",
    ),
    ("<#C123|general> <#C123|> <#C123>", "#general #C123 #C123"),
    ("ran <http://deploy.sh|deploy.sh> of <http://Example.com/|Example.com>", "ran deploy.sh of Example.com"),
    (
        "<https://a.example/x?a=1&amp;b=2> <https://a.example|the board>",
        "https://a.example/x?a=1&b=2 the board (https://a.example)",
    ),
    ("<https://a.example|https://a.example> <https://a.example|>", "https://a.example https://a.example"),
    (
        "<mailto:a@b.example|a@b.example> <mailto:a@b.example|Ann> <mailto:a@b.example>",
        "a@b.example Ann (a@b.example) a@b.example",
    ),
    ("<!doctype html> <> <!> <@> <not a token> a<b>c", "<!doctype html> <> <!> <@> <not a token> a<b>c"),
    ("`if a &lt; b &amp;&amp; c` &lt;d&gt;", "`if a < b && c` <d>"),
    (
        "`<!channel>` and ```\n<!here> List<String>\n``` and <!here>",
        "`<!channel>` and ```\n<!here> List<String>\n``` and @here",
    ),
    (
        "`curl <https://a.example/x>; ./<http://deploy.sh|deploy.sh>; grep <@U123|bob> <#C1|ops>`",
        "`curl https://a.example/x; ./deploy.sh; grep @bob #ops`",
    ),
    ("it`s <!here>, that`s all", "it`s @here, that`s all"),
)


@pytest.mark.parametrize(("raw", "words"), READINGS)
def test_what_slack_sends_reads_as_people_see_it(raw: str, words: str) -> None:
    assert plain_text(raw).words == words


def test_a_person_named_in_code_is_nobody_who_is_meant() -> None:
    assert plain_text("`grep <@U123|bob>` <@U124|eve>").people == {"eve": "U124"}


def test_a_group_has_its_name_where_it_is_known() -> None:
    assert plain_text("<!subteam^S1> <!subteam^S2>", name_of={"S1": "sre"}.get).words == "@sre @S2"


PIECES = st.sampled_from(
    ["deploy.sh", "ops@example.com", "https://a.example/x?a=1&b=2", "@alice", "@here", "#ops", "`", "```", "\n", " ",
     "<", ">", "&", "&lt;", "&amp;", "<!here>", "<b|c>", "|", "a", "1 < 2", "`x <y>`", "*bold*"]
)  # fmt: skip


@given(typed=st.lists(PIECES, max_size=12).map("".join), command=st.booleans())
def test_what_is_typed_comes_back_whole(*, typed: str, command: bool) -> None:
    # A command's code that calls everybody reads like one in which `<!here>` was typed: what is in code is left alone.
    assume(not command or "@here" not in typed or "`" not in typed)
    sent = format_text(typed, users={"alice": "U1ALICE"}, channels={"ops": "C1OPS"}, with_names=command)
    read = plain_text(sent, name_of={"U1ALICE": "alice"}.get)
    # A message names a channel by its id alone.
    assert read.words.replace("#C1OPS", "#ops") == typed
