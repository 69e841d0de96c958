"""Whether a finished action item worked: when that is asked, and the words of the answer."""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from bot.domain.words import trimmed

LOOK_AGAIN_DAYS = 30
"""Days after an item was done on which its owner is asked whether it worked, unless a setting says otherwise."""

_YES = r"yes|y|yep|yeah|yup|ja|oui|si|s\u00ed|true|(?:yes,? )?(?:it )?(?:did|does|has|worked|works|helped)"
_NO = (
    r"no|n|nope|nein|non|false|(?:no,? )?(?:it )?(?:did|does|has)(?: not|n['\u2019]?t)(?: work(?:ed)?| help(?:ed)?)?"
    r"|not|failed"
)
_ANSWER = re.compile(rf"\s*(?:(?P<no>{_NO})|(?P<yes>{_YES}))(?=[\s:,;.!\u2013\u2014-]|$)", re.IGNORECASE)
_MARKS = re.compile(r"^(?:[.!:,;]|\s*[\u2013\u2014-](?=\s))?\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """An answer: whether the item worked, and why, empty where no reason was given."""

    worked: bool
    why: str


def parse_outcome(words: str) -> Outcome | None:
    """The answer that the words begin with, `yes` or `no` as people say them; None where they begin with neither."""
    match = _ANSWER.match(words)
    if match is None:
        return None
    return Outcome(worked=match["yes"] is not None, why=trimmed(_MARKS.sub("", words[match.end() :])))


def look_again_on(done_on: date, days: int | None) -> date | None:
    """The day on which it is asked whether an item done on that day worked; None where nothing is asked."""
    return None if days is None else done_on + timedelta(days=days)
