"""What nobody should send, and how the bot takes it: for properties that hold of any request."""

import json
import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.support.abroad import Said
from tests.support.ledger import problems
from tests.support.workplace import Workplace


def times(most: int) -> settings:
    """So many examples; one workplace takes all, one after the other: what an earlier one left is part of the test."""
    return settings(
        max_examples=most,
        deadline=None,
        suppress_health_check=[
            HealthCheck.too_slow,
            HealthCheck.function_scoped_fixture,
            HealthCheck.data_too_large,
            HealthCheck.large_base_example,
        ],
    )


QUICK = times(40)

MARK = "xyzzyq"
"""A word in everything typed, to be looked for in the log."""
PIECES = st.sampled_from(
    [
        "<!channel>", "<!here|here>", "<!everyone>", "<!subteam^S1234|@sre>", "<@U0SCRIBE>", "<@W1|x>", "@channel",
        "@here", "&lt;!channel&gt;", "<", ">", "&", "&amp;lt;", "<<!here>!here>", "<!<!here>>", "|", "^",
        "<http://x|<!here>>", "`", "```", "*", "_", "~", "\n", "\r\n", "\r", "\t", "\x1b[31m", "\x07", "\x9b", "\u2028",
        "\u202e", "\ufeff", "\0", "at 14:02 ", "-10m ", "by monitoring: ", "INC-1 ", "@bob ", "by friday: ", "1 ",
        "long-term ", "5% ", "$4,000 ", "{{ 7 * 7 }}", "{% raw %}", "<script>alert(1)</script>",
        "<img src=http://evil.example/x>", "![x](http://evil.example/x)", "[x](javascript:alert(1))",
        "=cmd|'/c calc'!A1", "+1", "../../etc/passwd", "%0a", "%s%n", "\\", "'", '"', "systems: ", "private: ",
        "money: ", "SEV1 ", "well: ", "technical: ", "review ", "2026-03-19 10:00 ", "blameless ", "🧑‍🚒", "é",
        "x" * 300, "`" * 50, "![](@U0SCRIBE)", "line\n" * 60,
    ]
)  # fmt: skip
LONG = st.sampled_from(["&" * 4_000, "<" * 7_000, "words " * 1_100, "1\n" * 3_000])
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
    st.lists(PIECES, max_size=6).map("".join),
    LONG,
).map(lambda text: f"{text}{MARK}")
FILLED = TEXTS.map(lambda text: text[-3_000:])
"""What may stand in a form's input, which takes no more."""
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")

SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), PIECES, st.just(MARK), st.just("9" * 400)
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(PIECES, inner, max_size=3)),
    max_leaves=6,
)


def loud(caplog: pytest.LogCaptureFixture) -> None:
    """Have everything logged that an operator may ask for."""
    caplog.set_level(logging.INFO)
    caplog.set_level(logging.WARNING, logger="httpx")
    caplog.clear()


def check_log(office: Workplace, caplog: pytest.LogCaptureFixture) -> None:
    """No error, no trace, one line a record; no word that was typed, no token, no secret."""
    secrets = (office.slack.bot_token, office.slack.app_token, office.slack.signing_secret, MARK)
    for record in caplog.records:
        said = f"{record.getMessage()}{record.exc_text or ''}"
        assert record.levelno < logging.ERROR, said
        assert record.exc_info is None, said
        assert CONTROLS.search(said) is None, said
        assert not [secret for secret in secrets if secret in said], said
    caplog.clear()


PINGS = re.compile(r"<[!@]")
SEEN = ("text", "blocks", "view", "attachments", "initial_comment", "title", "filename", "files", "channels")
"""The arguments of a call that people read, or that say where they read it; a description is letters alone."""
ALT_LIMIT = 1_000
PLAIN = frozenset({"private_metadata", "action_id", "block_id", "callback_id", "value", "initial_value"})
"""Parts of blocks in which Slack reads nothing but letters."""
REFUSED = frozenset(
    {
        "no_text", "msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_arguments", "view_too_large",
        "canvas_creation_failed", "canvas_editing_failed",
    }
)  # fmt: skip
"""Slack's words for what is over a limit of its, or malformed."""


def read(part: Any) -> Iterator[str]:
    """Every string in which Slack looks for its own marks: plain text has none."""
    if isinstance(part, dict) and part.get("type") != "plain_text":
        for key, value in part.items():
            if key not in PLAIN:
                yield from read(value)
    elif isinstance(part, list | tuple):
        for each in part:
            yield from read(each)
    elif isinstance(part, str):
        yield part


def canvas_pings(markdown: str) -> Iterator[str]:
    """Whom a canvas mentions: `![](@U123)` is a mention there, but not in code."""
    for token in MarkdownIt().parse(markdown):
        for child in token.children or ():
            if child.type == "image" and str(child.attrs["src"]).startswith(("@", "#")):
                yield str(child.attrs["src"])


def check_said(said: Said) -> None:
    """Nothing the bot said pings anybody but who is invited to a review, and all of it is within Slack's limits."""
    slack, known = said.office.slack, [f"<@{user_id}>" for user_id in said.office.people.values()]
    sent = [answer.body for answer in slack.answers[said.answers :]]
    for call in slack.calls[said.calls :]:
        sent.append({key: _decoded(call.args[key]) for key in SEEN if key in call.args})
        assert len(call.args.get("alt_txt", "")) <= ALT_LIMIT
        assert list(canvas_pings(_canvas(call.args))) == [], call
    for text in read(sent):
        assert PINGS.search(_without(text, known)) is None, text
    assert not [problem for _, problem in problems(said.office) if problem in REFUSED], problems(said.office)


def _without(text: str, known: list[str]) -> str:
    for mark in known:
        text = text.replace(mark, "")
    return text


def _canvas(args: dict[str, Any]) -> str:
    """The Markdown put into a canvas."""
    changes = [change.get("document_content") for change in _decoded(args.get("changes")) or ()]
    contents = [_decoded(each) for each in (args.get("document_content"), *changes)]
    return "\n\n".join(each["markdown"] for each in contents if each)


def _decoded(value: Any) -> Any:
    """An argument that may be JSON in a string."""
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
