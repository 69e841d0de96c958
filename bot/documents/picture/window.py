"""What of a timeline is drawn: all of it where there is room, else the incident and what lies near it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.domain.incident.lifecycle import Lifecycle
from storage.values import TimelineEntry

LEAST_AROUND: Final = timedelta(minutes=10)
AROUND: Final = (30, 10, 3, 1)
"""How many times its own length before and after a resolved incident may be drawn, the most first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The entries drawn, and those that lie too far outside, in order."""

    entries: tuple[TimelineEntry, ...]
    earlier: tuple[TimelineEntry, ...]
    later: tuple[TimelineEntry, ...]


def _within(entries: Sequence[TimelineEntry], first: datetime, last: datetime) -> Window:
    return Window(
        entries=tuple(entry for entry in entries if first <= entry.occurred_at <= last),
        earlier=tuple(entry for entry in entries if entry.occurred_at < first),
        later=tuple(entry for entry in entries if entry.occurred_at > last),
    )


def windows(entries: Sequence[TimelineEntry], life: Lifecycle) -> Iterator[Window]:
    """From the widest, which has all `entries`, to the narrowest; an open incident has only the widest."""
    yield Window(entries=tuple(entries), earlier=(), later=())
    if life.started_at and life.resolved_at and life.started_at <= life.resolved_at:
        lasted = max(life.resolved_at - life.started_at, LEAST_AROUND)
        for times in AROUND:
            yield _within(entries, life.started_at - times * lasted, life.resolved_at + times * lasted)
