"""The claims of this process on the outbox, renewed while their errands are in hand.

A lease can so be short: what a process held that was killed is taken up again within seconds, and what only takes
long is not done twice.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bot.clock import Clock
from storage import availability, outbox
from storage.database import Database
from storage.outbox import LEASE, Errand

EVERY_S = LEASE.total_seconds() / 4
_log = logging.getLogger(__name__)


class Leases:
    """Renews what is held, every EVERY_S seconds, from a thread that begins with the first errand."""

    def __init__(self, database: Database, clock: Clock, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._clock = clock
        self._every_s = every_s
        self._lock = threading.Lock()
        self._held: set[int] = set()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def held(self, errand: Errand) -> Iterator[None]:
        """Keep the errand's claim alive during the block."""
        with self._lock:
            self._held.add(errand.id)
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew, name="leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(errand.id)

    def stop(self) -> None:
        """Renew no more."""
        self._stopped.set()

    def _renew(self) -> None:
        while not self._stopped.wait(self._every_s):
            with self._lock:
                held = list(self._held)
            if held:
                self._try(held)

    def _try(self, held: list[int]) -> None:
        try:
            with self._database.write() as connection:
                outbox.renew(connection, held, at=self._clock())
        except Exception as error:  # noqa: BLE001 - the door: a database that is away must not end the thread
            if not availability.is_away(error):
                _log.error("leases not renewed", exc_info=error)
