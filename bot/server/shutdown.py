"""Signals that stop the process, and a limit on how long stopping takes."""

import logging
import os
import signal
import threading
from collections.abc import Callable
from typing import Final

HANGUP: Final = (signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()
"""The terminal was closed. Windows has no such signal."""
_log = logging.getLogger(__name__)


def on_signal(stop: Callable[[], None], *more: signal.Signals) -> None:
    """Call `stop` at SIGTERM, SIGINT and `more`, except those of `more` that are ignored already, as under nohup."""

    def handler(*_args: object) -> None:
        # In a new thread: the main thread may be interrupted while it holds a lock that `stop` needs.
        try:
            threading.Thread(target=stop).start()
        except RuntimeError:
            # No further thread can be started, which must not keep the process from being stopped.
            stop()

    for number in (signal.SIGTERM, signal.SIGINT, *more):
        if number not in more or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, handler)


def exit_within(limit_s: float, code: int) -> None:
    """End the process with this exit code after `limit_s` seconds, even if threads are still at work.

    Nothing is lost: what was acknowledged is committed, and an unfinished job is claimed again when its lease expires.
    """

    def leave() -> None:
        _log.warning("not done within %.0f s: what is left is done after the next start", limit_s)
        logging.shutdown()
        os._exit(code)

    timer = threading.Timer(limit_s, leave)
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:
        # Nobody could end the process later.
        leave()
