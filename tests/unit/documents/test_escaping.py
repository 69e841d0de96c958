import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.documents import escaping, rendering
from bot.domain.words import without_code_marks

READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
ALLOWED = {"text", "text_special", "softbreak", "code_inline"}
ISOLATES = re.compile("[\u2066-\u2069\u202a-\u202e]")

hostile = st.text(
    st.one_of(
        st.sampled_from(list("*_`[]()<>&;!#|~\\-+=:.1 \t\n@$\"'/ab\u00a0\u202e\u2067\u05d0\x00\x1b")),
        st.characters(exclude_categories=["Cs"]),
    ),
    max_size=60,
)


def inline(source: str) -> list[Token]:
    return [child for token in READER.parse(source) for child in token.children or []]


def text_of(source: str) -> str:
    return "".join(token.content if token.type != "softbreak" else "\n" for token in inline(source))


def plain(text: str) -> str:
    """The words as a reader sees them: blanks alike, code unmarked, control signs as pictures, no direction marks."""
    return " ".join(ISOLATES.sub("", without_code_marks(escaping.visible(text))).split())


@given(hostile)
@example("<img src=x onerror=alert(1)>")
@example("<!channel> @channel &lt;b&gt; &amp; <@U123> <https://x.y|z>")
@example("[x](http://y) ![x](y) [x][y] [x]: y")
@example("**bold** _it_ __b__ ~~gone~~ ~a~ *a b* a*b*c")
@example("# head #")
@example("a \\* b \\ C:\\temp\\*.log\\")
def test_words_after_other_words_come_out_as_typed_and_mean_nothing(text: str) -> None:
    source = f"- **14:02** Note: {escaping.markdown(text)} — alice"
    assert {token.type for token in inline(source)} <= ALLOWED | {"strong_open", "strong_close"}
    assert sum(token.type == "strong_open" for token in inline(source)) == 1
    assert plain(text_of(source)) == plain(f"14:02 Note: {text} — alice")


@given(hostile)
@example("- item")
@example("1. one")
@example("---")
@example("```")
@example("> quote")
def test_words_at_a_lines_start_begin_no_block(text: str) -> None:
    source = escaping.markdown(text.strip(" \t\n\r\x85\u2028\u2029"))
    blocks = {token.type for token in READER.parse(source)}
    assert blocks <= {"paragraph_open", "inline", "paragraph_close"}
    assert plain(text_of(source)) == plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "raising max_wal_senders from 3 to 32",
        "p99 > 5 s, R&D says 2 * 3",
        "https://example.org/a_b/c?d=e&f=g#h",
        "C:\\temp is full; ~5 GB left",
        "[prod] is down - really #1",
        "10% of users, cost $5",
        "@channel",
    ],
)
def test_what_has_no_meaning_where_it_stands_stays_as_typed(text: str) -> None:
    assert escaping.markdown(text) == text


def test_an_opening_bracket_of_slack_or_html_becomes_an_entity() -> None:
    assert escaping.markdown("<!channel> &lt;") == "&lt;!channel> &amp;lt;"


def test_control_characters_show_as_their_pictures() -> None:
    assert escaping.markdown("a\x00b\x1b[31m") == "a␀b␛[31m"
    assert escaping.xml("\ud800\x9b\ufffe") == "���"


def test_an_override_left_open_ends_with_the_words() -> None:
    assert escaping.markdown("\u202eabc") == "\u2068\u202eabc\u202c\u2069"
    assert escaping.markdown("\u05d0\u05d1") == "\u2068\u05d0\u05d1\u2069"


@given(hostile)
def test_slack_gets_its_three_signs_escaped_and_nothing_else(text: str) -> None:
    escaped = escaping.slack(text)
    assert not set("<>") & set(escaped)
    assert escaped.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@given(hostile)
def test_a_pasted_block_stays_in_its_fence(text: str) -> None:
    source = f"- words\n{rendering.FILTERS['fenced'](text, 2)}\n- next"
    blocks: list[Any] = [token for token in READER.parse(source) if token.type == "fence"]
    assert len(blocks) == 1
    assert blocks[0].content.rstrip("\n") == escaping.visible(text).rstrip("\n").replace("\r", "\n")
    assert sum(token.type == "list_item_open" for token in READER.parse(source)) == 2
