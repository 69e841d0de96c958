"""What people typed, out of Slack's markup.

Slack sends people, channels and links as `<…>` tokens and may or may not send `&`, `<` and `>` as entities. Both
are taken off once, here, on the way in; whoever writes text out escapes it once, on the way out.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass

_TOKEN = re.compile(r"<([@#!]?)([^<>|\n]*)(?:\|([^<>\n]*))?>")
_PERSON = re.compile(r"[UW][A-Z0-9]{2,}")
_NO_HANDLE = re.compile(r"[^\w.-]+")
_ENTITY = re.compile(r"&(amp|lt|gt);")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """Plain words, and the user id behind each `@name` that Slack linked in them."""

    words: str
    people: dict[str, str]


def typed(raw: str, *, name_of: Callable[[str], str | None] = lambda _user_id: None) -> Typed:
    """Take Slack's markup off what somebody typed.

    `<@U123|alice>` becomes `@alice`, `<!channel>` becomes `@channel`, a link its address. `name_of` gives the name
    of a user id that comes without one; without a name the id stands for it.
    """
    people: dict[str, str] = {}

    def plain(token: re.Match[str]) -> str:
        sign, target, label = token[1], token[2], token[3]
        if sign == "@" and _PERSON.fullmatch(target):
            name = handle(label or name_of(target) or target)
            if people.setdefault(name, target) != target:
                # Two people of one name: the second goes by the id, or the first would be taken for them.
                name = people[target] = target
            return f"@{name}"
        return _PLAIN[sign](target, label, token[0])

    words = _TOKEN.sub(plain, raw)
    return Typed(words=_ENTITY.sub(lambda entity: html.unescape(entity[0]), words), people=people)


def handle(name: str) -> str:
    """A person's name in one word, as the grammar reads it after an @."""
    return _NO_HANDLE.sub("_", name).strip("_") or "somebody"


def _special(target: str, label: str | None, _whole: str) -> str:
    """`<!here>`, `<!subteam^S1|@sre>`, `<!date^…|fallback>`: what a person saw of it."""
    return "@" + (label or target.partition("^")[0]).lstrip("@")


def _link(target: str, label: str | None, whole: str) -> str:
    """A link is its address; `<` and `>` around anything else were typed."""
    if target.startswith("mailto:"):
        return label or target.removeprefix("mailto:")
    return target if "://" in target else whole


_PLAIN: dict[str, Callable[[str, str | None, str], str]] = {
    "@": lambda target, label, _whole: f"@{label or target}",
    "#": lambda target, label, _whole: f"#{label or target}",
    "!": _special,
    "": _link,
}


def escape(text: str) -> str:
    """Text for Slack: exactly `&`, `<` and `>` become entities, so that nothing typed can ping or link."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
