"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """So many rounds; `share` of the usual requests in each."""

    rounds: int
    share: float

    def of(self, usual: int) -> int:
        """As many of something as this effort takes, two at least."""
        return max(2, round(usual * self.share))
