"""Slack's markup: removed from what people type, and escaped in what Scribe sends.

Slack sends people, channels, groups, dates and links as `<…>` tokens and may or may not send `&`, `<` and `>` as
entities. Both are removed once, here, from each incoming text; each outgoing text is escaped once, where it is
rendered.
"""

import html
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.domain.words import CODE

_TOKEN = re.compile(r"<(?P<sign>[@#!]?)(?P<target>[^<>|\n]+)(?:\|(?P<label>[^<>\n]*))?>")
_USER_ID = re.compile(r"[UW][A-Z0-9]{2,}")
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]+")
_GROUP = re.compile(r"subteam\^(S[A-Z0-9]{1,63})")
_NOT_IN_HANDLE = re.compile(r"[^\w.-]+")
_ENTITY = re.compile(r"&(amp|lt|gt);")
_BROADCASTS = frozenset({"here", "channel", "everyone", "group"})
_SCHEME = re.compile(
    r"(?P<bare>(?:mailto|tel):)|(?:sms|sip|skype|callto|facetime):|[a-z][a-z0-9+.-]*://", re.IGNORECASE
)
_PHONE = re.compile(r"\+?[0-9]+")
_NOT_DIALLED = re.compile(r"[^0-9+]")
_LATEST = 10**11
"""Seconds since 1970 from which on a date is none."""

Naming = Callable[[str], str | None]
"""Returns the name of an id, or None where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainText:
    """Words without markup, and the ids behind each `@name` that Slack linked in them: of people, and of groups."""

    words: str
    people: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)


def plain_text(raw: str, *, name_of: Naming = lambda _id: None) -> PlainText:
    """Remove Slack's markup from a text.

    `<@U123|alice>` becomes `@alice`, `<!channel>` becomes `@channel`, a link becomes its address, with its label where
    that says something else. `name_of` returns the name of the id of a person, a group or a channel. A person's is used
    even if Slack wrote another beside the id: the handle. Where it returns None, Slack's name or the id takes the
    name's place. Code stays as it was typed: Slack links addresses within it, and a command names people and channels
    there, but nothing else in it is markup.
    """
    people: dict[str, str] = {}
    groups: dict[str, str] = {}

    def replaced(token: re.Match[str]) -> str:
        sign, target, label = token["sign"], token["target"], token["label"]
        if sign == "@" and _USER_ID.fullmatch(target):
            name = to_handle(name_of(target) or label or target)
            if people.setdefault(name, target) != target:
                # Two people have this name: the second appears by id, otherwise the words would mean the first.
                name = people[target] = target
            return f"@{name}"
        group = _GROUP.fullmatch(target) if sign == "!" else None
        if group is not None:
            name = (label or name_of(group[1]) or group[1]).lstrip("@")
            groups[name] = group[1]
            return f"@{name}"
        if sign == "#" and _CHANNEL_ID.fullmatch(target):
            return f"#{label or name_of(target) or target}"
        return _special(token) if sign == "!" else _link(token)

    parts, done = [], 0
    for code in CODE.finditer(raw):
        parts += [_TOKEN.sub(replaced, raw[done : code.start()]), _TOKEN.sub(_in_code, code[0])]
        done = code.end()
    words = "".join([*parts, _TOKEN.sub(replaced, raw[done:])])
    return PlainText(words=_ENTITY.sub(lambda entity: html.unescape(entity[0]), words), people=people, groups=groups)


def _special(token: re.Match[str]) -> str:
    """A broadcast or a date, as people see it; what a person typed in such brackets stays."""
    kind, _, rest = token["target"].partition("^")
    if kind == "date":
        return token["label"] or _utc_date(rest.partition("^")[0]) or token[0]
    if kind in _BROADCASTS:
        return "@" + (token["label"] or kind).lstrip("@")
    return (kind != "subteam" and token["label"]) or token[0]


def _utc_date(seconds: str) -> str | None:
    if not seconds.isascii() or not seconds.isdigit() or int(seconds[:12]) >= _LATEST:
        return None
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M} UTC"


def _link(token: re.Match[str]) -> str:
    """The address of a link, and its label; the label alone where Slack linked what a person typed: `deploy.sh`."""
    target, label = token["target"], token["label"]
    scheme = _SCHEME.match(target)
    # Slack's links have a scheme and an address; around anything else a person typed the `<` and `>`.
    if token["sign"] or scheme is None or scheme.end() == len(target):
        return token[0]
    address = target.removeprefix(scheme["bare"] or "")
    if not label or _same_address(label, address):
        return label or address
    return f"{label} ({address})"


def _same_address(label: str, address: str) -> bool:
    """Whether a link's label is its address as somebody typed it: without a scheme, or a telephone number spaced."""
    if _PHONE.fullmatch(address):
        label = _NOT_DIALLED.sub("", label)
    shown, meant = (_SCHEME.sub("", text, count=1).rstrip("/").casefold() for text in (label, address))
    return shown == meant


def _in_code(token: re.Match[str]) -> str:
    if token["sign"] in {"@", "#"} and token["label"]:
        return token["sign"] + token["label"]
    return token[0] if token["sign"] else _link(token)


def to_handle(name: str) -> str:
    """A person's name as the single word that the grammar reads after an @."""
    return _NOT_IN_HANDLE.sub("_", name).strip("_.") or "somebody"
