"""The timeline in parts: the lead-up, the incident itself, what came afterwards; and the gaps in the telling."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, pairwise

from bot.domain.incident.lifecycle import by_round, came_back, onset_and_start, standing
from storage.values import TimelineEntry

LONG_SILENCE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch without any entry, from `start_at` to `end_at`, `seconds` long."""

    start_at: datetime
    end_at: datetime
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Phases:
    """The timeline in three: before the start, the incident itself, after its last resolution. In order."""

    lead_up: tuple[TimelineEntry, ...]
    during: tuple[TimelineEntry, ...]
    aftermath: tuple[TimelineEntry, ...]


def phases(entries: Iterable[TimelineEntry]) -> Phases:
    """Split the entries that are not retracted at the start, if it is known, and after the last resolution."""
    active = standing(entries)
    rounds = by_round(active)
    inside = list(chain.from_iterable(rounds))
    _, started_at = onset_and_start(rounds)
    return Phases(
        lead_up=tuple(entry for entry in inside if started_at and entry.occurred_at < started_at),
        during=tuple(entry for entry in inside if not started_at or entry.occurred_at >= started_at),
        aftermath=tuple(active[len(inside) :]),
    )


def gaps(entries: Iterable[TimelineEntry], *, longer_than: timedelta = LONG_SILENCE) -> list[Gap]:
    """The silences between neighbouring entries from the start to the end, each longer than `longer_than`.

    Neither lead-up nor aftermath has gaps, nor has the quiet time between two rounds; an open incident ends at its
    last entry.
    """
    entries = list(entries)
    rounds = by_round(standing(entries))
    quiet = [(before[-1].occurred_at, came_back(after).occurred_at) for before, after in pairwise(rounds)]
    return [
        Gap(
            start_at=before.occurred_at,
            end_at=after.occurred_at,
            seconds=(after.occurred_at - before.occurred_at).total_seconds(),
        )
        for before, after in pairwise(phases(entries).during)
        if after.occurred_at - before.occurred_at > longer_than
        and not any(start <= before.occurred_at and after.occurred_at <= end for start, end in quiet)
    ]
