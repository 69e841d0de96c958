"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """So many rounds; `share` of the usual requests in each. `times` and `seed` are of kills."""

    rounds: int
    share: float
    times: int = 100
    seed: int = 1

    def of(self, usual: int) -> int:
        """As many of something as this effort takes, two at least."""
        return max(2, round(usual * self.share))
