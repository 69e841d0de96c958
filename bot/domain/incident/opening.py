"""The words that open an incident: `[SEV1] title`."""

import re
from dataclasses import dataclass

from bot.domain.words import after_separator, after_visible, quoted, storable, trimmed, visible
from bot.errors import ExampleError, UsageError
from bot.vocabulary import SEVERITIES, SEVERITY_NAMES

LONGEST_TITLE = 200
_LEVEL = r"sev(?:erity)?[\s-]?[0-9]+|p[0-5]"
_NAME = "|".join(SEVERITY_NAMES)
_HEAD = re.compile(
    rf"\s*(?:\[\s?(?P<bracketed>{_LEVEL}|{_NAME})\s?\]"
    rf"|(?P<level>{_LEVEL})(?!\w|\.\w|[%/'\u2019])"
    rf"|(?P<name>{_NAME})(?=\s?:(?:\s|$)))",
    re.IGNORECASE,
)
"""A title may begin with a word such as major, so a name counts only in brackets or before a colon."""
_SEVERITY = re.compile(rf"(?:sev(?:erity)?|s|p)?[\s-]?(?P<grade>[0-9]+)|(?P<name>{_NAME})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A new incident as typed, with its severity (`SEV1`) where one was given."""

    severity: str | None
    title: str


def parse_opening(words: str) -> Opening:
    """The incident of `[SEV1] title`, `P1 title` or `critical: title`; line breaks in the title become spaces.

    Raises UsageError for a severity that does not exist, no title, and one longer than LONGEST_TITLE.
    """
    head = _HEAD.match(visible(storable(words)))
    severity = parse_severity(head["bracketed"] or head["level"] or head["name"]) if head else None
    rest = after_separator(after_visible(words, head.end())) if head else words
    return Opening(severity=severity, title=parse_title(rest, example=f"{severity or SEVERITIES[0]} checkout fails"))


def parse_title(words: str, *, example: str = "checkout fails") -> str:
    """The title the words are; line breaks become spaces. `example` is what an error offers.

    Raises UsageError for no title, and for one longer than LONGEST_TITLE.
    """
    title = " ".join(trimmed(storable(words)).split())
    if not title:
        raise ExampleError("The incident needs a title.", example)
    if len(title) > LONGEST_TITLE:
        raise ExampleError(f"The title has {len(title)} characters, and {LONGEST_TITLE} fit.", example)
    return title


def parse_severity(words: str) -> str:
    """The severity (`SEV1`) that `sev1`, `SEV-1`, `[SEV1]`, `S1`, `P1`, `1` or one of SEVERITY_NAMES stands for.

    Raises UsageError when it stands for none.
    """
    typed = visible(words).strip()
    match = _SEVERITY.fullmatch(typed.removeprefix("[").removesuffix("]").strip())
    if match is None:
        problem = f"{quoted(typed)} is no severity." if trimmed(typed) else "Which severity?"
        raise UsageError(f"{problem} Type one of {', '.join(SEVERITIES)}.")
    severity = SEVERITY_NAMES[match["name"].lower()] if match["name"] else f"SEV{match['grade']}"
    if severity not in SEVERITIES:
        raise UsageError(f"There is no {quoted(severity)}. Type one of {', '.join(SEVERITIES)}.")
    return severity
