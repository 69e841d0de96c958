"""A pulse: something that should happen again and again, and when it last did."""

import time
from collections.abc import Callable


class Pulse:
    """Beaten by what should be alive; `alive` says whether it was within so many seconds."""

    def __init__(self, within_s: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._within_s = within_s
        self._monotonic = monotonic
        self._last_s: float | None = None

    def beat(self) -> None:
        """Here I am."""
        self._last_s = self._monotonic()

    @property
    def alive(self) -> bool:
        """Whether it beat lately, or has not begun: before that there may be a long migration."""
        return self._last_s is None or self._monotonic() - self._last_s <= self._within_s
