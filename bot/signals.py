"""The signals that ask a process to stop."""

import signal
import threading
from collections.abc import Callable


def on_signal(stop: Callable[[], None]) -> None:
    """Call `stop` at SIGTERM and at SIGINT."""

    def told(*_about: object) -> None:
        # In a thread of its own: this one may hold the very lock that `stop` needs.
        threading.Thread(target=stop).start()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, told)
