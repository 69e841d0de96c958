"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """So many rounds; `share` of the usual requests in each. `times` and `seed` are of kills.

    Of planted faults `under` is the folder or file that they are in, and `tests` are the tests that are to notice them.
    """

    rounds: int
    share: float
    times: int = 100
    seed: int = 1
    under: str = ""
    tests: tuple[str, ...] = ()

    def of(self, usual: int) -> int:
        """As many of something as this effort takes, two at least."""
        return max(2, round(usual * self.share))
