"""Slack's markup: removed from what people type, and escaped in what Scribe sends.

Slack sends people, channels and links as `<…>` tokens and may or may not send `&`, `<` and `>` as entities. Both are
removed once, here, from each incoming text; each outgoing text is escaped once, where it is rendered.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field

_TOKEN = re.compile(r"<([@#!]?)([^<>|\n]*)(?:\|([^<>\n]*))?>")
_USER_ID = re.compile(r"[UW][A-Z0-9]{2,}")
_NOT_IN_HANDLE = re.compile(r"[^\w.-]+")
_ENTITY = re.compile(r"&(amp|lt|gt);")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainText:
    """Words without markup, and the user id behind each `@name` that Slack linked in them."""

    words: str
    people: dict[str, str] = field(default_factory=dict)


def plain_text(raw: str, *, name_of: Callable[[str], str | None] = lambda _user_id: None) -> PlainText:
    """Remove Slack's markup from a text.

    `<@U123|alice>` becomes `@alice`, `<!channel>` becomes `@channel`, a link becomes its address. `name_of` returns the
    name of a user id that has no label; where it returns None, the id takes the name's place.
    """
    people: dict[str, str] = {}

    def replaced(token: re.Match[str]) -> str:
        sign, target, label = token[1], token[2], token[3]
        if sign == "@" and _USER_ID.fullmatch(target):
            name = to_handle(label or name_of(target) or target)
            if people.setdefault(name, target) != target:
                # Two people have this name: the second appears by id, otherwise the words would mean the first.
                name = people[target] = target
            return f"@{name}"
        if sign == "!":
            # `<!here>`, `<!subteam^S1|@sre>`, `<!date^…|fallback>`: as people see it.
            return "@" + (label or target.partition("^")[0]).lstrip("@")
        if sign:
            return f"{sign}{label or target}"
        if target.startswith("mailto:"):
            return label or target.removeprefix("mailto:")
        # Slack's links have a scheme; around anything else a person typed the `<` and `>`.
        return target if "://" in target else token[0]

    words = _TOKEN.sub(replaced, raw)
    return PlainText(words=_ENTITY.sub(lambda entity: html.unescape(entity[0]), words), people=people)


def to_handle(name: str) -> str:
    """A person's name as the single word that the grammar reads after an @."""
    return _NOT_IN_HANDLE.sub("_", name).strip("_") or "somebody"
