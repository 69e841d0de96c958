"""Replies as Slack messages: Block Kit within Slack's limits."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from bot.documents.escaping import slack as escape
from bot.documents.escaping import visible
from bot.handlers.request import ENTRY_ACTIONS, ENTRY_MENU, Button, Control, Reply, Row

TEXT_LIMIT = 39_000
"""Characters of a message's text; Slack cuts at 40,000."""
SECTION_LIMIT = 3_000
"""Characters of a section block's text."""
BLOCKS_LIMIT = 12_000
"""Characters over all blocks of a message; Slack's own limit is somewhat higher and not documented."""
SMALL_VIEW, SMALL_MESSAGE = 4_000, 12_000
"""Bytes of an ack over Socket Mode, which shows people an error from about 20,000. Source: slack-go/slack 1196."""
BUTTON_LIMIT = 75
"""Characters of a button's or option's label."""
_CUT = "*Cut here: Slack shows no more of it. The whole is in the file that came with this version.*"
_PING = re.compile("<(?=[!@#])")
_SEPARATED = "<\u2060"
_HALF_ENTITY = re.compile("&[a-z]{0,3}$")

Message = dict[str, Any]


def ack(reply: Reply) -> Message:
    """The body of an ack: shown in the channel when the reply is public, else to the person alone."""
    return {"response_type": "in_channel" if reply.public else "ephemeral", **message(reply)}


def message(reply: Reply) -> Message:
    """A message's `text`, and its blocks where the reply has a document or controls."""
    text = clip_escaped(reply.text, TEXT_LIMIT)
    if reply.entry is not None:
        return {"text": text, "blocks": [*_receipt(text, reply.entry, reply.entry_lines), *controls(reply.buttons)]}
    below = [*_excerpt(reply.document), *controls(reply.buttons)]
    if reply.rows:
        return {"text": text, "blocks": [*_rows(reply.rows), *below]}
    return {"text": text, "blocks": [*sections(text), *below]} if below else {"text": text}


def _receipt(text: str, entry: str, lines: int) -> Iterator[Message]:
    """The receipt of an entry: its kind in bold before its words, with a menu; time and number in grey; then the rest.

    `text` has kind, time and number in its first line, then so many lines of words.
    """
    first, *rest = text.split("\n")
    kind, _, facts = first.partition(" · ")
    words = "\n".join((f"*{kind}*", *rest[:lines])).replace("\n", " ", 1)
    options = [{"text": _plain(label), "value": f"{entry} {label.lower()}"} for label in ENTRY_ACTIONS]
    menu = {"type": "overflow", "action_id": ENTRY_MENU, "options": options}
    yield {**section(words), "accessory": menu}
    yield grey(facts)
    yield from sections("\n".join(rest[lines:]))


def section(text: str) -> Message:
    """The text as one section block, as much as fits."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": clip_escaped(text, SECTION_LIMIT)}}


def grey(text: str) -> Message:
    """The text as a context block, which Slack shows small and grey."""
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": clip_escaped(text, SECTION_LIMIT)}]}


def _rows(rows: tuple[Row, ...]) -> Iterator[Message]:
    limit = BLOCKS_LIMIT // (2 * len(rows))
    for row in rows:
        yield {"type": "section", "text": {"type": "mrkdwn", "text": clip_escaped(row.text, min(limit, SECTION_LIMIT))}}
        yield from controls(row.controls)


def controls(controls: tuple[Control, ...]) -> list[Message]:
    """An actions block with the buttons and menus; no block for none."""
    return [{"type": "actions", "elements": [_control(each) for each in controls]}] if controls else []


def _control(control: Control) -> Message:
    if isinstance(control, Button):
        return button(control)
    options = [{"text": _plain(text), "value": value} for text, value in control.options]
    label = _plain(control.label)
    return {"type": "static_select", "action_id": control.action, "placeholder": label, "options": options}


def remaining(blocks: list[Message], settled: tuple[str, ...]) -> tuple[Control, ...]:
    """The buttons in a message's blocks, as Slack sends them back, whose action begins with none of `settled`."""
    elements = [each for block in blocks if block.get("type") == "actions" for each in block.get("elements", ())]
    return tuple(
        Button(label=each["text"]["text"], action=each["action_id"], value=each["value"])
        for each in elements
        if each.get("type") == "button" and "value" in each and not each["action_id"].startswith(settled)
    )


def button(button: Button) -> Message:
    """A Block Kit button."""
    return {"type": "button", "action_id": button.action, "value": button.value, "text": _plain(button.label)}


def _plain(text: str) -> Message:
    return {"type": "plain_text", "text": clip(text, BUTTON_LIMIT)}


def sections(text: str) -> list[Message]:
    """The text as section blocks, split at line ends; beyond half of BLOCKS_LIMIT it is cut off with an ellipsis."""
    text = clip_escaped(text, BLOCKS_LIMIT // 2)
    return [{"type": "section", "text": {"type": "mrkdwn", "text": part}} for part in split(text, SECTION_LIMIT)]


def documents(markdown: str) -> Iterator[list[Message]]:
    """A Markdown document as the blocks of consecutive messages, each within Slack's limits."""
    for part in split(_without_pings(markdown), BLOCKS_LIMIT):
        yield [{"type": "markdown", "text": part}]


def _without_pings(markdown: str) -> str:
    """The document with each `<!`, `<@` and `<#` split by a word joiner, so that Slack reads no mention.

    Code blocks contain pasted text as it was typed, and Slack would show an entity there instead of its character.
    """
    return _PING.sub(_SEPARATED, markdown)


def _excerpt(markdown: str | None) -> list[Message]:
    """The beginning of a document that fits below a reply's text."""
    if not markdown:
        return []
    pieces = split(_without_pings(markdown), BLOCKS_LIMIT // 2)
    more = f"\n\n{_CUT}" if len(pieces) > 1 else ""
    return [{"type": "markdown", "text": pieces[0] + more}]


def split(text: str, limit: int) -> list[str]:
    """The text in pieces of at most `limit` characters, split at a line end in a piece's second half if possible."""
    pieces: list[str] = []
    while len(text) > limit:
        cut = text.rfind("\n", 1, limit + 1)
        cut = cut if cut > limit // 2 else len(_HALF_ENTITY.sub("", text[:limit]))
        pieces.append(text[:cut])
        text = text[cut:].lstrip("\n")
    return [*pieces, text] if text.strip() else pieces


def clip(text: str, limit: int) -> str:
    """The text, cut to `limit` characters with an ellipsis at the end."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def clip_escaped(text: str, limit: int) -> str:
    """The same as `clip`, without cutting through an entity."""
    return text if len(text) <= limit else _HALF_ENTITY.sub("", text[: limit - 1]) + "…"


def size(body: Message) -> int:
    """Bytes of the body as it is sent."""
    return len(json.dumps(body, ensure_ascii=False).encode())


def fingerprint(message: Message) -> str:
    """What two messages have in common that Slack shows alike."""
    return sha256(json.dumps(message, sort_keys=True).encode()).hexdigest()


def refusal(problem: str, words: str) -> Message:
    """A message to the person alone: the problem, and the typed words to copy and correct."""
    text = escape(problem)
    if words.strip():
        text += f"\nYour words: {escape(words)}"
    return {"response_type": "ephemeral", "text": clip_escaped(visible(text), TEXT_LIMIT)}
