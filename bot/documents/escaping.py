"""Turning a person's words into text that means nothing but itself on each surface.

Only what would have a meaning where it stands is escaped, so that the raw file reads like what was typed.
The rules for Markdown follow CommonMark's flanking runs, with GitHub's strikethrough added.
"""

import re
from collections.abc import Callable

from bot.domain.postmortem.layout import LINE_END

Escape = Callable[[str], str]

_LOST = "\ufffd"
_PICTURES: dict[int, int | str] = {
    **{code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n"},
    0x7F: 0x2421,
    **dict.fromkeys([*range(0x80, 0xA0), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF], _LOST),
}
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u08ff\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff"
    "\U0001e800-\U0001efff]"
)
_FIRST_STRONG_ISOLATE, _POP_ISOLATE, _POP_FORMAT = "\u2068", "\u2069", "\u202c"
_ISOLATES = frozenset("\u2066\u2067\u2068")
_EMBEDDINGS = frozenset("\u202a\u202b\u202d\u202e")

_PUNCTUATION = r"!-/:-@\[-`{-~"
_MARKDOWN = re.compile(
    rf"""
      &(?=\#?\w{{1,32}};)                        # would be read as an entity
    | <                                          # tag, autolink, Slack's own brackets
    | \\(?=[{_PUNCTUATION}]|$)                   # would hide the next sign, or break the line
    | `
    | \*(?!\s) | (?<!\s)\*                       # emphasis, unless it stands alone
    | (?<![^\W_])(?<!_)_++ | (?<!_)_++(?![^\W_]) # emphasis, unless within a word
    | \](?=[(\[:]|$)                             # the middle of a link or the head of a definition
    | (?<=\w)~ | (?<=\S)~(?!\w)                  # the end of a strikethrough
    | (?:(?<=\s)|^)\#+(?=\s*$)                   # the closing signs of a heading
    """,
    re.VERBOSE,
)
_HARMLESS = re.compile(r"[A-Za-z][A-Za-z0-9 ,.:;'?()/%-]*|\d\d:\d\d")
"""Most of what people type: no sign in it means anything, so none has to be looked at twice."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
_BLOCK_START = re.compile(
    r"\s*(?:\d{1,9}(?=[.)](?:\s|$)))?((?:\#{1,6}|[-+]|(?<=\d)[.)])(?=\s|$)|>|~{3}|(?:-{2,}|=+)\s*$)"
)


def visible(text: str) -> str:
    """Show control characters as their Unicode pictures, and what no encoding can carry as U+FFFD.

    Tabs and line feeds stay; other line ends become line feeds.
    """
    text = LINE_END.sub("\n", text)
    return text.translate(_PICTURES) if _UNPRINTABLE.search(text) else text


def isolated(text: str) -> str:
    """Keep right-to-left words, and direction marks left open, from reordering what stands around them."""
    if not _RIGHT_TO_LEFT.search(text):
        return text
    closers: list[str] = []
    for sign in text:
        if sign in _ISOLATES:
            closers.append(_POP_ISOLATE)
        elif sign in _EMBEDDINGS:
            closers.append(_POP_FORMAT)
        elif sign == _POP_FORMAT and closers[-1:] == [_POP_FORMAT]:
            closers.pop()
        elif sign == _POP_ISOLATE and _POP_ISOLATE in closers:
            while closers.pop() != _POP_ISOLATE:
                pass
        elif sign == _POP_ISOLATE:
            return isolated(text.replace(_POP_ISOLATE, ""))
    return f"{_FIRST_STRONG_ISOLATE}{text}{''.join(reversed(closers))}{_POP_ISOLATE}"


def _spelled(match: re.Match[str]) -> str:
    signs = match[0]
    return _ENTITIES.get(signs) or "".join(f"\\{sign}" for sign in signs)


def _harmless_start(text: str) -> str:
    start = _BLOCK_START.match(text)
    return f"{text[: start.start(1)]}\\{text[start.start(1) :]}" if start else text


def markdown(text: str) -> str:
    """One line of Markdown that renders as the words of `text`; its line ends and tabs become spaces."""
    if _HARMLESS.fullmatch(text):
        return text
    line = visible(text).replace("\n", " ").replace("\t", " ")
    return isolated(_harmless_start(_MARKDOWN.sub(_spelled, line)))


def slack(text: str) -> str:
    """Slack's three: `&`, `<` and `>`."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def xml(text: str) -> str:
    """Text for HTML, SVG and their attributes, with nothing that XML 1.0 forbids."""
    return isolated(re.sub(r"[&<>\"']", lambda match: _ENTITIES[match[0]], visible(text)))


def fence(text: str) -> str:
    """A run of backticks longer than any in `text`, three at least."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)
