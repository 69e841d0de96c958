"""What is typed while the database is away is kept in the spool, and written down when it is back."""

import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bot.clock import Clock
from bot.config import Settings
from bot.documents.rendering import slack
from bot.domain.time.format import stamp
from bot.errors import UsageError
from bot.handlers import routes
from bot.handlers.draining import drain
from bot.handlers.request import Reply, Request
from bot.handlers.routes import Also, Understood
from bot.telemetry import trace
from bot.telemetry.tally import SILENT, Tally
from storage import availability as away
from storage import schema
from storage.database import Database, fresh
from storage.deadline import within
from storage.spool import Spool

ANSWER_S = 2.0
"""Seconds the database may take for an answer; Slack waits for three."""
AWAY = (
    "The database is away, so there is nothing to show from. "
    "What you record is kept on Scribe's own disk meanwhile, and written down when it is back."
)
_log = logging.getLogger(__name__)

Aside = Callable[[Reply], None]


class Keeper:
    """Answers requests from the database, and from the spool while that is away.

    Once something is in the spool, what follows goes there too until it is drained: the order is kept.
    """

    def __init__(self, database: Database, settings: Settings, clock: Clock, tally: Tally = SILENT) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._tally = tally
        self._spool = Spool(settings.spool)
        self._keeping = threading.Lock()
        self._draining = threading.Lock()
        self._holding = bool(self._spool.files())
        self._away = False
        self._ensured = True
        self._unfit = False

    def start(self, *, ensured: bool = True) -> None:
        """Begin. Unless `ensured`, the database could not even be asked for its schema, and counts as away."""
        self._ensured = ensured
        self._away = not ensured
        self._spool.reserve()

    def stop(self) -> None:
        """Leave what is kept to the next process."""
        with self._keeping:
            self._spool.close()

    @property
    def away(self) -> bool:
        """Whether the database was away when it was last asked."""
        return self._away

    def handle(self, request: Request, also: Also | None = None, aside: Aside | None = None) -> Reply:
        """Answer the request as `routes.handle` does, or keep it and say so.

        `aside` gets the reply when the request was kept and so `also` was not called. Raises UsageError, also where
        there is nothing to be shown from, and OSError when the spool cannot take it either.
        """
        if not self._away and not (self._holding and routes.writes(request)):
            try:
                with within(ANSWER_S):
                    return fresh(partial(routes.handle, self._database, request, also))
            except away.ERRORS as error:
                self._note(error)
        if not routes.writes(request):
            raise UsageError(AWAY)
        reply = self._keep(request)
        if aside is not None:
            aside(reply)
        return reply

    def _note(self, error: Exception) -> None:
        """Note that the database is away; an error that says anything else is raised."""
        if not away.is_away(error):
            raise error
        if not self._away:
            _log.error("database away: %s", type(getattr(error, "orig", error)).__name__)
        self._away = True

    def _keep(self, request: Request) -> Reply:
        understood = routes.understood(request)
        with self._keeping:
            self._spool.append(request.to_json(), at=self._clock())
            self._holding = True
        trace.note(workspace=request.workspace_id, command=request.command, kept=True)
        when = _when(request, understood)
        return Reply(text=slack("kept", request=request, understood=understood, when=when), public=True)

    def drain(self) -> int:
        """Write down what the spool holds, if the database is back; how many requests that were.

        Does nothing while there is nothing to do, or another thread is at it.
        """
        if not (self._holding or self._away) or not self._draining.acquire(blocking=False):
            return 0
        try:
            return self._drain()
        except away.ERRORS as error:
            self._note(error)
            return 0
        except (schema.OutdatedSchemaError, schema.UnknownSchemaError) as error:
            self._wait_for_schema(error)
            return 0
        finally:
            self._draining.release()

    def _wait_for_schema(self, error: Exception) -> None:
        """Say once that the database is back and not fit to be written to; what is typed is kept until it is."""
        if not self._unfit:
            _log.error("database back with another schema (%s): scribe doctor says what to do", type(error).__name__)
        self._unfit = True

    def _drain(self) -> int:
        self._look()
        count, others = 0, set[Path]()
        while files := self._next(others):
            for path in files:
                drained = self._drained(path)
                if drained is None:
                    others.add(path)
                count += drained or 0
        return count

    def _drained(self, path: Path) -> int | None:
        return drain(self._database, self._spool, path, self._settings, at=self._clock(), tally=self._tally)

    def _look(self) -> None:
        """See whether the database takes a write."""
        with within(ANSWER_S):
            if not self._ensured:
                fresh(partial(schema.ensure, self._database))
                self._ensured = True
            fresh(self._database.try_out)
        if self._away:
            _log.warning("database back")
        self._away = False

    def _next(self, others: set[Path]) -> list[Path]:
        """The files to drain, without those of other processes; what is kept from now on goes into a new one."""
        with self._keeping:
            self._spool.close()
            files = [path for path in self._spool.files() if path not in others]
            self._holding = bool(files)
            return files


def _when(request: Request, understood: Understood | None) -> str | None:
    if understood is None:
        return None
    zone = request.zone if request.zone_known else None
    return stamp(understood.utterance.occurred_at, zone, request.received_at.date())
