"""Escapes people's words for each surface, so that none of their characters acts as markup, except that code is code.

A character is escaped only where it would be markup, so that the raw file reads like what was typed. The rules for
Markdown are those of CommonMark's delimiter runs, and of GitHub's strikethrough.
"""

import re
from collections.abc import Callable
from operator import methodcaller
from typing import Final

from bot.domain.postmortem.layout import LINE_END
from bot.domain.words import CODE

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
      {CODE.pattern}
    | &(?=\#?\w{{1,32}};)                        # an entity
    | <                                          # tag, autolink, Slack's own brackets
    | \\(?=[{_PUNCTUATION}]|$)                   # a backslash escape, or a hard line break
    | `
    | \*(?!\s) | (?<!\s)\*                       # emphasis, unless it stands alone
    | (?<![^\W_])(?<!_)_++ | (?<!_)_++(?![^\W_]) # emphasis, unless within a word
    | \](?=[(\[:]|$)                             # the middle of a link or the head of a definition
    | (?<=\w)~ | (?<=\S)~(?!\w)                  # the end of a strikethrough
    | (?:(?<=\s)|^)\#+(?=\s*$)                   # the closing marks of a heading
    """,
    re.VERBOSE | re.DOTALL,
)
_HARMLESS = re.compile(r"[A-Za-z][A-Za-z0-9 ,.:;'?()/%-]*|\d\d:\d\d")
"""A fast test for most of what people type: text without any character that can be markup."""

_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
slack: Final[Escape] = methodcaller("translate", str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"}))
"""Text for Slack, which has three special characters: without them no typed text pings or links."""
_BLOCK_START = re.compile(
    r"\s*(?:\d{1,9}(?=[.)](?:\s|$)))?((?:\#{1,6}|[-+]|(?<=\d)[.)])(?=\s|$)|>|~{3}|(?:-{2,}|=+)\s*$)"
)


def visible(text: str) -> str:
    """Replace control characters by their Unicode pictures, and surrogates and noncharacters by U+FFFD.

    Tabs and line feeds stay; other line ends become line feeds.
    """
    text = LINE_END.sub("\n", text)
    return text.translate(_PICTURES) if _UNPRINTABLE.search(text) else text


def isolated(text: str) -> str:
    """Isolate right-to-left text and close its open direction marks, so that they do not reorder the text around it."""
    if not _RIGHT_TO_LEFT.search(text):
        return text
    closers: list[str] = []
    for character in text:
        if character in _ISOLATES:
            closers.append(_POP_ISOLATE)
        elif character in _EMBEDDINGS:
            closers.append(_POP_FORMAT)
        elif character == _POP_FORMAT and closers[-1:] == [_POP_FORMAT]:
            closers.pop()
        elif character == _POP_ISOLATE and _POP_ISOLATE in closers:
            while closers.pop() != _POP_ISOLATE:
                pass
        elif character == _POP_ISOLATE:
            return isolated(text.replace(_POP_ISOLATE, ""))
    return f"{_FIRST_STRONG_ISOLATE}{text}{''.join(reversed(closers))}{_POP_ISOLATE}"


def markdown(text: str) -> str:
    """One line of Markdown that renders as the words of `text`, code as code; its line ends and tabs become spaces."""
    if _HARMLESS.fullmatch(text):
        return text
    line = _MARKDOWN.sub(_escaped, visible(text).replace("\n", " ").replace("\t", " "))
    if start := _BLOCK_START.match(line):
        line = f"{line[: start.start(1)]}\\{line[start.start(1) :]}"
    return isolated(line)


def _escaped(match: re.Match[str]) -> str:
    code = match["block"] or match["span"]
    if code:
        return code_span(code)
    return _ENTITIES.get(match[0]) or "".join(f"\\{character}" for character in match[0])


def xml(text: str) -> str:
    """Text for HTML, SVG and their attributes, without the characters that XML 1.0 forbids."""
    return isolated(re.sub(r"[&<>\"']", lambda match: _ENTITIES[match[0]], visible(text)))


def code_span(code: str) -> str:
    """One line of code as a code span of Markdown."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    marks = "`" * (longest + 1) if longest else "`"
    pad = " " if code.startswith("`") or code.endswith("`") or code[0] == code[-1] == " " else ""
    return f"{marks}{pad}{code}{pad}{marks}"


def fence(text: str) -> str:
    """A code fence for `text`: more backticks than any run in it has, and at least three."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)
