"""The offline queue: while the database is away, requests wait in the spool; they are replayed in order afterwards."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.clock import Clock
from bot.config import Settings
from bot.documents.rendering import slack
from bot.domain.incident.grammar import Utterance
from bot.domain.time.format import stamp
from bot.errors import UsageError
from bot.handlers import routes
from bot.handlers.request import Reply, Request
from bot.handlers.routes import InTransaction, ParsedRequest
from bot.telemetry import context
from bot.telemetry.context import NO_METRICS, Metrics, measured_work, request_id
from bot.vocabulary import COMMANDS
from storage import availability, members, outbox, receipts, schema
from storage.availability import within
from storage.database import Database, retry_stale_connection
from storage.spool import Record, Spool

ANSWER_S = 2.0
"""Seconds that the database may take for an answer; Slack waits three."""
REPLAY_S = 10.0
"""Seconds that the database may take for one replayed request; no user waits for it."""
AWAY = (
    "The database is away, so there is nothing to show from. "
    "What you record is kept on Scribe's own disk meanwhile, and written down when it is back."
)
FORM = "It opens a form. Type it again."
_log = logging.getLogger(__name__)

WhenQueued = Callable[[Reply], None]


class OfflineQueue:
    """Answers requests from the database, and puts them into the spool while the database is away.

    While the spool holds requests, further writes go there too, so that they are replayed in order.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        metrics: Metrics = NO_METRICS,
        locate: Callable[[Request], Request] | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._locate = locate
        self._spool = Spool(settings.spool)
        self._spool_lock = threading.Lock()
        self._replay_lock = threading.Lock()
        self._queued = bool(self._spool.files())
        self._away = False
        self._ensured = True
        self._schema_reported = False

    def start(self, *, ensured: bool = True) -> None:
        """Begin. Unless `ensured`, the schema could not be migrated, and the database counts as away."""
        self._ensured = ensured
        self._away = not ensured
        self._spool.reserve_space()

    def stop(self) -> None:
        """Release the spool; the next process replays what it holds."""
        with self._spool_lock:
            self._spool.close()

    @property
    def away(self) -> bool:
        """Whether the database was away when it was last used."""
        return self._away

    def handle(
        self, request: Request, in_transaction: InTransaction | None = None, when_queued: WhenQueued | None = None
    ) -> Reply:
        """Answer the request as `routes.handle` does, or put it into the spool and return a reply that says so.

        `when_queued` is called with the reply where the request was put into the spool, so that `in_transaction` was
        not called. Raises UsageError, also for a request that only reads while the database is away, and OSError when
        the spool cannot be written either.
        """
        understood = routes.understand(request, self._locate)
        if not self._away and not (self._queued and understood.writes):
            try:
                with within(ANSWER_S):
                    return retry_stale_connection(partial(routes.answer, self._database, understood, in_transaction))
            except availability.ERRORS as error:
                self._record_outage(error)
        if not understood.writes:
            raise UsageError(AWAY)
        reply = self._enqueue(understood)
        if when_queued is not None:
            when_queued(reply)
        return reply

    def _record_outage(self, error: Exception) -> None:
        """Remember that the database is away; raise an error that does not mean that."""
        if not availability.is_away(error):
            raise error
        if not self._away:
            _log.error("database away: %s", type(getattr(error, "orig", error)).__name__)
        self._away = True

    def _enqueue(self, understood: ParsedRequest) -> Reply:
        request = understood.received
        with self._spool_lock:
            self._spool.append(request.to_json(), at=self._clock())
            self._queued = True
        context.bind(workspace=request.workspace_id, command=request.command, kept=True)
        entry: Utterance | None = understood.request.parsed if understood.kind is not None else None
        zone = request.zone if request.zone_known else None
        when = stamp(entry.occurred_at, zone, request.received_at.date()) if entry is not None else None
        return Reply(text=slack("queued", request=request, kind=understood.kind, entry=entry, when=when), public=True)

    def replay(self) -> int:
        """Write the spooled requests to the database, if it is back; return how many.

        Returns 0 where there is nothing to do, or another thread is replaying.
        """
        if not (self._queued or self._away) or not self._replay_lock.acquire(blocking=False):
            return 0
        try:
            self._probe()
            return self._replay_files()
        except availability.ERRORS as error:
            self._record_outage(error)
            return 0
        except (schema.OutdatedSchemaError, schema.UnknownSchemaError) as error:
            # The database is back, but must be migrated before it can be written to. Reported once.
            if not self._schema_reported:
                _log.error(
                    "database back with another schema (%s): scribe doctor says what to do", type(error).__name__
                )
            self._schema_reported = True
            return 0
        finally:
            self._replay_lock.release()

    def _probe(self) -> None:
        """Check that the database accepts a write, and migrate it where that could not be done at the start."""
        with within(ANSWER_S):
            if not self._ensured:
                retry_stale_connection(partial(schema.ensure, self._database))
                self._ensured = True
            retry_stale_connection(self._database.probe_write)
        if self._away:
            _log.warning("database back")
        self._away = False

    def _replay_files(self) -> int:
        count, locked = 0, set[Path]()
        while paths := self._next_files(locked):
            for path in paths:
                replayed = _replay_file(
                    self._database, self._spool, path, self._settings, at=self._clock(), metrics=self._metrics
                )
                if replayed is None:
                    locked.add(path)
                else:
                    count += replayed
        return count

    def _next_files(self, locked: set[Path]) -> list[Path]:
        """The files to replay, less those that other processes hold; later requests go into a new file."""
        with self._spool_lock:
            self._spool.close()
            paths = [path for path in self._spool.files() if path not in locked]
            self._queued = bool(paths)
            return paths


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """A replayed request with its reply, or with the problem that kept it from being done."""

    request: Request
    reply: Reply | None = None
    problem: str | None = None


def _replay_file(
    database: Database, spool: Spool, path: Path, settings: Settings, *, at: datetime, metrics: Metrics
) -> int | None:
    """Replay the requests of one file; return how many, or None when another process holds the file.

    After a crash the file is replayed again: requests that were written are recognised by their keys. Raises what the
    database raises when it goes away again; then the file stays.
    """
    with spool.replaying(path) as file:
        if file is None:
            return None
        outcomes = []
        for record in file.records:
            outcome = _replay_record(database, record, settings, metrics)
            if outcome is None:
                file.reject(record)
            else:
                outcomes.append(outcome)
        if file.rejected:
            _log.error("spool: %d records could not be read and are kept in %s", len(file.rejected), spool.rejects_file)
        with within(REPLAY_S), database.write() as connection:
            _enqueue_notices(connection, path.name, outcomes, at)
        return len(file.records)


def _replay_record(database: Database, record: Record, settings: Settings, metrics: Metrics) -> _Outcome | None:
    """Run the request; None for a record that is no request, and for one that breaks its handler."""
    try:
        request = _with_zone(database, Request.from_json(record, settings))
    except (ValueError, KeyError, TypeError):
        return None
    try:
        with measured_work(metrics, request=request_id()), within(REPLAY_S):
            reply = routes.handle(database, request)
    except UsageError as error:
        return _Outcome(request=request, problem=str(error))
    except Exception as error:
        if availability.is_away(error):
            raise
        # A request that triggers a bug must not block the requests behind it.
        _log.exception("queued request failed")
        return None
    if reply.form is not None:
        return _Outcome(request=request, problem=FORM)
    return _Outcome(request=request, reply=reply)


def _with_zone(database: Database, request: Request) -> Request:
    """The request with the zone and the name of its user, which could not be read while the database was away."""
    if request.zone_known:
        return request
    with within(REPLAY_S), database.read() as connection:
        member = members.find(connection, request.workspace_id, request.user_id)
    if member is None or member.timezone is None:
        return request
    name = member.name if request.user_name == request.user_id else request.user_name
    return replace(request, zone=ZoneInfo(member.timezone), zone_known=True, user_name=name)


def _enqueue_notices(connection: Connection, file_name: str, outcomes: list[_Outcome], at: datetime) -> None:
    """Tell each channel what was written, and each user what could not be; a receipt makes it once per file."""
    for (workspace_id, channel_id), group in groupby(sorted(outcomes, key=_channel_of), key=_channel_of):
        in_channel = list(group)
        key = f"drained:{file_name}:{channel_id}"
        if receipts.find(connection, workspace_id, key) is not None:
            continue
        receipts.save(connection, workspace_id, key, {}, at=at)
        replies = [outcome.reply for outcome in in_channel if outcome.reply is not None]
        if replies:
            # The first line of each reply; replies are escaped already.
            lines = [slack("replayed", count=len(replies)), *(reply.text.partition("\n")[0] for reply in replies)]
            outbox.post(connection, workspace_id, channel_id, {"text": "\n".join(lines)}, at=at)
        for outcome in in_channel:
            if outcome.problem is not None:
                request = outcome.request
                typed = request.command in COMMANDS
                text = slack("not_written", request=request, typed=typed, problem=outcome.problem)
                outbox.ephemeral(connection, workspace_id, channel_id, request.user_id, {"text": text}, at=at)


def _channel_of(outcome: _Outcome) -> tuple[str, str]:
    return outcome.request.workspace_id, outcome.request.channel_id
