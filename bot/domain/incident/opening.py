"""The words that open an incident: `[SEV1] title`."""

import re
from dataclasses import dataclass

from bot.domain.words import after_separator, after_visible, quoted, storable, trimmed, visible
from bot.errors import UsageError
from bot.vocabulary import SEVERITIES

LONGEST_TITLE = 200
_GRADE = r"sev(?:erity)?[\s-]?(?P<grade>[0-9]+)"
_HEAD = re.compile(
    rf"\s*(?:\[\s?{_GRADE}\s?\]|{_GRADE.replace('grade', 'bare')}(?!\w|\.\w|[%/'\u2019]))", re.IGNORECASE
)
_SEVERITY = re.compile(r"\[?(?:sev(?:erity)?|s)?[\s-]?(?P<grade>[0-9]+)\]?", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A new incident as typed, with its severity (`SEV1`) where one was given."""

    severity: str | None
    title: str


def parse_opening(words: str) -> Opening:
    """The incident of `[SEV1] title`; line breaks in the title become spaces.

    Raises UsageError for a severity that does not exist, no title, and one longer than LONGEST_TITLE.
    """
    head = _HEAD.match(visible(storable(words)))
    severity = _severity(head["grade"] or head["bare"]) if head else None
    rest = after_separator(after_visible(words, head.end())) if head else words
    return Opening(severity=severity, title=parse_title(rest, example=f"{severity or SEVERITIES[0]} checkout fails"))


def parse_title(words: str, *, example: str = "checkout fails") -> str:
    """The title the words are; line breaks become spaces. `example` is what an error offers.

    Raises UsageError for no title, and for one longer than LONGEST_TITLE.
    """
    title = " ".join(trimmed(storable(words)).split())
    if not title:
        raise UsageError(f"The incident needs a title. Try: {example}")
    if len(title) > LONGEST_TITLE:
        raise UsageError(f"The title has {len(title)} characters, and {LONGEST_TITLE} fit. Try: {example}")
    return title


def parse_severity(words: str) -> str:
    """The severity (`SEV1`) that `sev1`, `SEV-1`, `[SEV1]`, `S1` or `1` stands for.

    Raises UsageError when it stands for none.
    """
    typed = visible(words).strip()
    match = _SEVERITY.fullmatch(typed)
    if match is None:
        problem = f"{quoted(typed)} is no severity." if trimmed(typed) else "Which severity?"
        raise UsageError(f"{problem} Type one of {', '.join(SEVERITIES)}.")
    return _severity(match["grade"])


def _severity(grade: str) -> str:
    severity = f"SEV{grade}"
    if severity not in SEVERITIES:
        raise UsageError(f"There is no {quoted(severity)}. Type one of {', '.join(SEVERITIES)}.")
    return severity
