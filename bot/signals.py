"""The signals that ask a process to stop."""

import signal
import threading
from collections.abc import Callable
from typing import Final

HANGUP: Final = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()
"""Somebody closed the terminal."""


def on_signal(stop: Callable[[], None], *more: signal.Signals) -> None:
    """Call `stop` at SIGTERM, at SIGINT and at `more`, but for those that whoever started us wants ignored."""

    def told(*_about: object) -> None:
        # In a thread of its own: this one may hold the very lock that `stop` needs.
        threading.Thread(target=stop).start()

    for number in (signal.SIGTERM, signal.SIGINT, *more):
        if number not in more or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, told)
