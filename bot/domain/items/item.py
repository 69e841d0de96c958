"""The grammar of an action item: `[@owner] [short-term|long-term] [by DATE]: words`."""

import re
from dataclasses import dataclass
from datetime import date

from bot.domain.items.due import is_guess, parse_due
from bot.domain.words import storable, trimmed, visible
from bot.errors import UsageError

DROPPED = "dropped"
"""The state of an action item decided against."""

_MAX_HEAD = 200
_SPACE = re.compile(r"[\s,]+")
_NEXT_PART = r"(?= (?:@|(?:short|long)[ -]?term\b|by )|$)"
_PART = re.compile(
    rf" ?(?:@(?P<owner>[\w.-]+)|(?P<kind>short|long)[ -]?term|by (?P<due>.+?)){_NEXT_PART}",
    re.IGNORECASE,
)
_OWNER_ALONE = re.compile(r"\s*@(?P<owner>[\w.-]+)\s+(?P<text>\S.*)", re.DOTALL)
_LINK = re.compile(r"https://[^\s<>|\"'`\x00-\x20]{1,1000}")
_LABELS = {"owner": "owner", "kind": "kind", "due": "date"}
_EXAMPLE = "@alice short-term by friday: test the backups"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemWords:
    """An action item as typed: `owner` without its @, `kind` one of ITEM_KINDS.

    `guessed` says that people mean different days by the words of the date.
    """

    owner: str | None
    kind: str | None
    due_on: date | None
    text: str
    guessed: bool = False


def parse_item(words: str, *, today: date) -> ItemWords:
    """The action item the words describe; the caller decides about a due date in the past.

    The first colon ends the head, whose parts come in any order. Words before it that are no head belong to
    the text, but for an owner at the very start. Raises UsageError without text, for a part given twice, and
    for a date that is none.
    """
    head, colon, text = storable(words).partition(":")
    parts = _parts(visible(head)) if colon else None
    if parts is None:
        # `@bob fix it`: the colon is easily forgotten, and the owner must not be lost in the text.
        alone = _OWNER_ALONE.match(words)
        parts, text = ({"owner": alone["owner"]}, alone["text"]) if alone else ({}, words)
    text = trimmed(text)
    if not text:
        raise UsageError(f"Say what has to be done. Try: {_EXAMPLE}")
    kind, due = parts.get("kind"), parts.get("due")
    return ItemWords(
        owner=parts.get("owner"),
        kind=f"{kind.lower()}-term" if kind else None,
        due_on=parse_due(due, today=today) if due else None,
        text=text,
        guessed=is_guess(due or ""),
    )


def _parts(head: str) -> dict[str, str] | None:
    """The head's parts by name, None when it holds any other word."""
    head = _SPACE.sub(" ", head).strip()
    if len(head) > _MAX_HEAD:
        return None
    found: dict[str, str] = {}
    position = 0
    while position < len(head):
        match = _PART.match(head, position)
        if match is None:
            return None
        name = match.lastgroup or ""
        if name in found:
            raise UsageError(f"There are two {_LABELS[name]}s, and an item has one. Try: {_EXAMPLE}")
        found[name] = match[name]
        position = match.end()
    return found


def parse_link(words: str) -> str | None:
    """The first web address in the words, `https://…`, without the punctuation after it; None when there is none."""
    match = _LINK.search(words)
    return match[0].rstrip(".,;:!?)") if match else None
