"""Messages of any reply are within Slack's limits."""

from hypothesis import given
from hypothesis import strategies as st

from bot.documents.escaping import slack as escape
from bot.fakeslack.validation import check_message
from bot.handlers.request import Button, Reply
from bot.slack.outbound import blocks

TEXTS = st.text(alphabet="ab<>& \n`*", max_size=200)
MANY = st.integers(min_value=1, max_value=400)


@given(TEXTS, MANY, TEXTS)
def test_any_reply_is_a_message_that_slack_accepts(text: str, times: int, label: str) -> None:
    long = escape(f"x{text}" * times)
    button = Button(label=f"x{label}", action="reopen", value="INC-1")
    for reply in (Reply(text=long), Reply(text=long, buttons=(button,)), Reply(text=long, document=f"#{text}" * times)):
        message = blocks.message(reply)
        check_message(message["text"], message.get("blocks", []))


@given(TEXTS, MANY)
def test_a_document_is_split_into_messages_with_all_words(text: str, times: int) -> None:
    document = f"x{text}\n" * times
    pieces = [block["text"] for part in blocks.documents(document) for block in part]
    assert all(len(piece) <= blocks.BLOCKS_LIMIT for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(document.split())


@given(st.text(), st.text())
def test_a_refusal_repeats_any_words_and_does_not_ping(problem: str, words: str) -> None:
    message = blocks.refusal(f"x{problem}", words)
    check_message(message["text"], [])
    assert "<" not in message["text"]
    assert "\0" not in message["text"]
    message["text"].encode()
