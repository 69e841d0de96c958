"""The signals that ask a process to stop, and a stop that takes no longer than it may."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Final

HANGUP: Final = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()
"""Somebody closed the terminal."""
_log = logging.getLogger(__name__)


def on_signal(stop: Callable[[], None], *more: signal.Signals) -> None:
    """Call `stop` at SIGTERM, at SIGINT and at `more`, but for those that whoever started us wants ignored."""

    def told(*_about: object) -> None:
        # In a thread of its own: this one may hold the very lock that `stop` needs.
        threading.Thread(target=stop).start()

    for number in (signal.SIGTERM, signal.SIGINT, *more):
        if number not in more or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, told)


def exit_within(limit_s: float, code: int) -> None:
    """End the process after so many seconds, whatever it still waits for.

    What is acknowledged is committed, and a job in hand is taken up again when its lease ends.
    """

    def leave() -> None:
        _log.warning("not done within %.0f s: what is left is done after the next start", limit_s)
        logging.shutdown()
        os._exit(code)

    timer = threading.Timer(limit_s, leave)
    timer.daemon = True
    timer.start()
