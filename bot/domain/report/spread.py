"""How a measured time is spread over many incidents: median, range and sample size, never a lone mean."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """One duration of many incidents: `seconds` are the known ones, ascending; `unknown` counts the others.

    `definition` says how one incident's time is measured.
    """

    key: str
    label: str
    definition: str
    seconds: tuple[float, ...]
    unknown: int

    @property
    def known(self) -> int:
        """The sample size."""
        return len(self.seconds)

    @property
    def median_s(self) -> float | None:
        """The middle one, or halfway between the middle two; None when none is known."""
        return median(self.seconds) if self.seconds else None

    @property
    def shortest_s(self) -> float | None:
        """The shortest known, in seconds."""
        return self.seconds[0] if self.seconds else None

    @property
    def longest_s(self) -> float | None:
        """The longest known, in seconds."""
        return self.seconds[-1] if self.seconds else None


def spread(key: str, label: str, definition: str, seconds: Iterable[float | None]) -> Spread:
    """The spread of the times given, None for each incident of which it is not known."""
    told = list(seconds)
    known = sorted(each for each in told if each is not None)
    return Spread(key=key, label=label, definition=definition, seconds=tuple(known), unknown=len(told) - len(known))
