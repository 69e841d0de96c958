"""Replies as Slack messages: Block Kit, and all of Slack's limits."""

import re
from collections.abc import Iterator
from typing import Any

from bot.documents.escaping import visible
from bot.handlers.request import Button, Control, Reply
from bot.slack.text import escape

TEXT_LIMIT = 39_000
"""Characters of a message's text; Slack cuts at 40,000."""
SECTION_LIMIT = 3_000
BLOCKS_LIMIT = 12_000
"""Characters over all blocks of a message; Slack refuses somewhat more than that, undocumented."""
BUTTON_LIMIT = 75

_PING = re.compile("<(?=[!@#])")
_APART = "<\u2060"
_HALF_ENTITY = re.compile("&[a-z]{0,3}$")

_CUT = "*Cut here: Slack shows no more of it. The whole is in the file that came with this version.*"

Message = dict[str, Any]


def ack(reply: Reply) -> Message:
    """The body of an ack: in the channel when the reply is public, else for the person alone."""
    return {"response_type": "in_channel" if reply.public else "ephemeral", **message(reply)}


def message(reply: Reply) -> Message:
    """A message's `text`, and its blocks where plain text is not enough."""
    text = clip_escaped(reply.text, TEXT_LIMIT)
    below = [*_beginning(reply.document), *controls(reply.buttons)]
    return {"text": text, "blocks": [*sections(text), *below]} if below else {"text": text}


def controls(controls: tuple[Control, ...]) -> list[Message]:
    """Buttons and menus in a row; no block where there are none."""
    return [{"type": "actions", "elements": [_control(each) for each in controls]}] if controls else []


def _control(control: Control) -> Message:
    if isinstance(control, Button):
        return button(control)
    options = [{"text": _plain(text), "value": value} for text, value in control.options]
    label = _plain(control.label)
    return {"type": "static_select", "action_id": control.action, "placeholder": label, "options": options}


def button(button: Button) -> Message:
    """A button as Block Kit has it."""
    return {"type": "button", "action_id": button.action, "value": button.value, "text": _plain(button.label)}


def _plain(text: str) -> Message:
    return {"type": "plain_text", "text": clip(text, BUTTON_LIMIT)}


def sections(text: str) -> list[Message]:
    """The text as section blocks, cut at line ends; what is over Slack's limit is left out, with a sign."""
    text = clip_escaped(text, BLOCKS_LIMIT // 2)
    return [{"type": "section", "text": {"type": "mrkdwn", "text": part}} for part in parts(text, SECTION_LIMIT)]


def documents(markdown: str) -> Iterator[list[Message]]:
    """A Markdown document as the blocks of one message after another, each within Slack's limits."""
    for part in parts(_calm(markdown), BLOCKS_LIMIT):
        yield [{"type": "markdown", "text": part}]


def _calm(markdown: str) -> str:
    """A document that pings nobody: in a code block, what somebody pasted stands as it was typed.

    An entity would be shown as such there, so an invisible character keeps the bracket from what follows it.
    """
    return _PING.sub(_APART, markdown)


def _beginning(markdown: str | None) -> list[Message]:
    """A document as far as it fits under a reply."""
    if not markdown:
        return []
    pieces = parts(_calm(markdown), BLOCKS_LIMIT // 2)
    more = f"\n\n{_CUT}" if len(pieces) > 1 else ""
    return [{"type": "markdown", "text": pieces[0] + more}]


def parts(text: str, limit: int) -> list[str]:
    """The text in pieces of at most `limit` characters, cut at line ends where there are any."""
    pieces: list[str] = []
    while len(text) > limit:
        cut = text.rfind("\n", 1, limit + 1)
        cut = cut if cut > limit // 2 else len(_HALF_ENTITY.sub("", text[:limit]))
        pieces.append(text[:cut])
        text = text[cut:].lstrip("\n")
    return [*pieces, text] if text.strip() else pieces


def clip(text: str, limit: int) -> str:
    """The text, or as much of it as fits with a sign that it was cut."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clip_escaped(text: str, limit: int) -> str:
    """As `clip`, for text with entities: none is cut in two."""
    return text if len(text) <= limit else _HALF_ENTITY.sub("", text[: limit - 1]) + "…"


def refusal(problem: str, words: str) -> Message:
    """The private answer to what cannot be done: the problem, and the words typed, to be copied and corrected."""
    text = escape(problem)
    if words.strip():
        text += f"\nYour words: {escape(words)}"
    return {"response_type": "ephemeral", "text": clip_escaped(visible(text), TEXT_LIMIT)}
