"""Splits what a person typed into its first line, with the figures in it, and the lines below."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.domain.words import CODE

Names = Mapping[str, str]
"""Display names by Slack user id."""

Spans = Callable[[str], list[tuple[int, int]]]

LINE_END = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
"""Every line end of Unicode and of the common platforms."""

_BLANK = " \t\n"
_MENTION = re.compile(r"<@([UW][A-Z0-9]{2,20})(?:\|[^<>]{0,80})?>")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextPart:
    """A part of a line; `figure` says whether it states a figure."""

    text: str
    figure: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """The first line in `parts`, and the further lines in `rest`, which is empty for most entries."""

    parts: tuple[TextPart, ...]
    rest: str

    @property
    def first(self) -> str:
        """The first line, whole."""
        return "".join(part.text for part in self.parts)


def parse_words(text: str, names: Names, *, figures: Spans | None = None) -> Words:
    """Parse `text`: mentions of the people in `names` become their names, and `figures` finds the spans of figures.

    Code stays whole: a fence that begins in the first line begins `rest`, and no figure is found in code.
    """
    named = text
    if "<@" in text:
        named = _MENTION.sub(lambda match: f"@{names[match[1]]}" if match[1] in names else match[0], text)
    first, below = _first_line(LINE_END.sub("\n", named).strip(_BLANK))
    rest = "\n".join(line.rstrip(_BLANK) for line in below.split("\n")).strip("\n")
    # To look whether there is any takes a hundredth of the time of looking for it.
    code = [each.span() for each in CODE.finditer(first)] if "`" in first else []
    spans = [
        (start, end)
        for start, end in (figures(first) if figures else [])
        if all(end <= begins or ends <= start for begins, ends in code)
    ]
    return Words(parts=_split(first, spans), rest=rest)


def _first_line(text: str) -> tuple[str, str]:
    """The first line and the lines below. Of a text that begins with a fence, the first line of the code in it."""
    first, _, below = text.partition("\n")
    if "```" not in text:
        return first.rstrip(_BLANK), below
    fence = next((code for code in CODE.finditer(text) if code.start() <= len(first) < code.end()), None)
    if fence is None or not fence["block"]:
        return first.rstrip(_BLANK), below
    if fence.start():
        return text[: fence.start()].rstrip(_BLANK), text[fence.start() :]
    first, _, more = fence["block"].strip("\n").partition("\n")
    mark = "```" if "`" in first else "`"
    more = f"```\n{more}\n```" if more.strip() else ""
    return f"{mark}{first.rstrip(_BLANK)}{mark}", f"{more}\n{text[fence.end() :].lstrip(_BLANK)}"


def _split(text: str, figures: list[tuple[int, int]]) -> tuple[TextPart, ...]:
    parts, done = [], 0
    for start, end in figures:
        parts += [TextPart(text=text[done:start], figure=False), TextPart(text=text[start:end], figure=True)]
        done = end
    return tuple(part for part in (*parts, TextPart(text=text[done:], figure=False)) if part.text)
