"""The offline queue: while the database is away, requests wait in the spool; they are replayed in order afterwards."""

import logging
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.clock import Clock
from bot.config import Settings
from bot.documents.rendering import slack
from bot.domain.incident.grammar import Utterance, looks_secret
from bot.domain.time.format import stamp
from bot.errors import UsageError
from bot.handlers import routes
from bot.handlers.request import Reply, Request
from bot.handlers.routes import InTransaction, ParsedRequest
from bot.telemetry import context
from bot.telemetry.context import NO_METRICS, Metrics, measured_work, request_id
from storage import availability, backup, members, outbox, receipts, schema
from storage.availability import within
from storage.database import Database, retry_stale_connection
from storage.spool import DEADLY, Spool, SpooledRecord, SpoolFile
from storage.values import OUTSIDE

ANSWER_S = 2.0
"""Seconds that the database may take for an answer; Slack waits three."""
PROBE_S = 5.0
"""Seconds that the database may take to show that it is in order again."""
REPLAY_S = 10.0
"""Seconds that the database may take for one replayed request; no user waits for it."""
AWAY = (
    "The database is away, so there is nothing to show from. "
    "What you record is kept on Scribe's own disk meanwhile, and written down when it is back."
)
FORM = "It opens a form. Type it again."
MOST_TIMEOUTS = 3
"""Attempts at a request at which the database fails, and answers others: more would keep all behind it waiting."""
BATCH = 200
"""Requests replayed and told of together, so that a long file is not held in memory."""
_HELD_S = 10.0
"""Seconds until files are looked at again that other processes hold."""
_log = logging.getLogger(__name__)

WhenQueued = Callable[[Reply], None]
Render = Callable[[Reply], dict[str, Any]]
"""A reply as a message, with its buttons."""


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
        render: Render = lambda reply: {"text": reply.text},
    ) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._locate = locate
        self._render = render
        self._spool = Spool(settings.spool)
        self._spool_lock = threading.Lock()
        self._replay_lock = threading.Lock()
        self._held: frozenset[Path] = frozenset()
        self._held_until = 0.0
        self._timeouts: Counter[int] = Counter()
        self._spool_reported = self._file_reported = False
        self._queued = bool(self._waiting_files())
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
                with within(ANSWER_S, at_once=True):
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
        when = None
        if entry is not None:
            when = stamp(
                entry.occurred_at, zone, request.received_at.date(),
                approximate=entry.approximate, until_at=entry.until_at,
            )  # fmt: skip
        secret = looks_secret(request.words)
        text = slack("queued", request=request, kind=understood.kind, entry=entry, when=when, secret=secret)
        return Reply(text=text, public=not secret)

    @property
    def spool(self) -> Spool:
        """The spool of this process."""
        return self._spool

    def replay(self) -> int:
        """Write the spooled requests to the database, if it is back; return how many.

        Returns 0 where there is nothing to do, or another thread is replaying.
        """
        if not self._replay_lock.acquire(blocking=False):
            return 0
        try:
            self._spool.reserve_space()
            if not (self._queued or self._away or self._has_files()):
                return 0
            self._probe()
            return self._replay_files()
        except availability.ERRORS as error:
            self._record_outage(error)
            return 0
        except schema.UnusableSchemaError as error:
            # The database is back, but an operator must migrate it, or give its rights back. Reported once.
            self._away = True
            if not self._schema_reported:
                _log.error(
                    "database back with another schema (%s): scribe doctor says what to do", type(error).__name__
                )
            self._schema_reported = True
            return 0
        finally:
            self._replay_lock.release()

    def _has_files(self) -> bool:
        """Whether there are files to replay, such as those put back by an operator or left by a process that died."""
        waiting = self._waiting_files()
        return bool(waiting - self._held or (waiting and time.monotonic() > self._held_until))

    def _waiting_files(self) -> set[Path]:
        """The files of the spool; none where its folder cannot be read: nothing can be replayed from there."""
        try:
            found = set(self._spool.files())
        except OSError as error:
            if not self._spool_reported:
                _log.error("spool not read: %s", error.strerror)
            self._spool_reported = True
            return set()
        self._spool_reported = False
        return found

    def _probe(self) -> None:
        """Check that the database accepts a write, and migrate it where that could not be done at the start."""
        if self._database.is_file_lost():
            self._take_new_file()
        with within(PROBE_S):
            if not self._ensured:
                retry_stale_connection(partial(schema.ensure, self._database))
                self._ensured = True
            retry_stale_connection(partial(schema.check_usable, self._database))
            retry_stale_connection(self._database.probe_write)
        if self._away:
            _log.warning("database back")
        self._away = False

    def _take_new_file(self) -> None:
        """Use the file that lies in the place of the one that was opened, if it is a whole database of ours.

        Raises what the database raises while the file is away, which it stays otherwise.
        """
        file = self._database.file
        if file is not None and file.is_lost():
            if not self._database.let_go():
                raise availability.FileLostError(file.path)
            try:
                backup.inspect(file.path)
            except (backup.CopyError, OSError) as error:
                if not self._file_reported:
                    _log.error("the database's file was taken away: %s: scribe doctor says what to do", error)
                self._file_reported = True
                raise availability.FileLostError(file.path) from None
            file.take_new()
            _log.warning("the database's file was replaced; it is a whole database, and used from now on")
            self._ensured = False
        self._file_reported = False

    def _replay_files(self) -> int:
        count, held = 0, set[Path]()
        while paths := self._next_files(held):
            for path in paths:
                replayed = self._replay_file(path)
                if replayed is None:
                    held.add(path)
                else:
                    count += replayed
        self._held, self._held_until = frozenset(held), time.monotonic() + _HELD_S
        return count

    def _next_files(self, held: set[Path]) -> list[Path]:
        """The files to replay, less those that other processes hold; later requests go into a new file."""
        with self._spool_lock:
            self._spool.close()
            paths = sorted(self._waiting_files() - held)
            self._queued = bool(paths)
            return paths

    def _replay_file(self, path: Path) -> int | None:
        """Replay the requests of one file; return how many, or None when it cannot be taken.

        After a crash the file is replayed again: requests that were written are recognised by their keys. Raises what
        the database raises when it goes away again; then the file stays.
        """
        count = 0
        try:
            with self._spool.replaying(path) as file:
                if file is None:
                    return None
                for number, batch in enumerate(file.batches(BATCH)):
                    outcomes = [each for spooled in batch if (each := self._replay_record(spooled, file))]
                    if file.begin_to_tell(number):
                        key = f"{file.key}:{number}" if number else file.key
                        _enqueue_notices(self._database, key, outcomes, self._clock(), self._render)
                    else:
                        _log.error("replayed and not told: %s", DEADLY)
                    count += len(batch)
        except OSError as error:
            # The disk fails, or this process has no descriptor left: it passes, and stops nothing else.
            _log.error("spool file not replayed: %s", error.strerror)
            return None
        if file.rejections:
            _log.error(
                "spool: %d records could not be used and are kept in %s: scribe spool list",
                file.rejections,
                self._spool.folder,
            )
        return count

    def _replay_record(self, spooled: SpooledRecord, file: SpoolFile) -> "_Outcome | None":
        """Run the request. What is no request, and what breaks its handler, is rejected: it must not block the rest."""
        file.begin(spooled)
        begun_s = time.monotonic()
        try:
            return self._outcome(Request.from_json(spooled.record, self._settings))
        except Exception as error:
            alone = self._is_own_fault(error) or self._fails_alone(spooled, time.monotonic() - begun_s)
            if availability.is_away(error) and not alone:
                raise
            _log.exception("queued request failed")
            file.reject(spooled, f"{type(error).__name__} when it was done")
            return None

    def _outcome(self, kept: Request) -> "_Outcome":
        request = _as_known_now(self._database, kept)
        try:
            with measured_work(self._metrics, request=request_id()), within(REPLAY_S):
                reply = retry_stale_connection(partial(routes.handle, self._database, request))
        except UsageError as error:
            return _Outcome(request=request, problem=str(error))
        if reply.form is not None and not reply.about:
            return _Outcome(request=request, problem=FORM)
        return _Outcome(request=request, reply=reply)

    def _is_own_fault(self, error: Exception) -> bool:
        """Whether it is this request that the database cannot do, because everything it needs is in order there."""
        if availability.condition(error) not in availability.MAY_BE_OUR_FAULT:
            return False
        with within(REPLAY_S):
            schema.check_usable(self._database)
        return True

    def _fails_alone(self, spooled: SpooledRecord, took_s: float) -> bool:
        """Whether the database ran out of time at the request MOST_TIMEOUTS times, and answered others each time."""
        if took_s < REPLAY_S:
            return False
        try:
            with within(ANSWER_S):
                self._database.probe_insert()
        except availability.ERRORS:
            return False
        key = zlib.crc32(spooled.line)
        self._timeouts[key] += 1
        return self._timeouts[key] >= MOST_TIMEOUTS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    """A replayed request with its reply, or with the problem that kept it from being done."""

    request: Request
    reply: Reply | None = None
    problem: str | None = None

    @property
    def asks(self) -> bool:
        """Whether the user must see the whole reply: it is for them alone, or has buttons that ask about an entry."""
        return bool(self.reply and (not self.reply.public or (self.reply.buttons and self.reply.recorded)))

    @property
    def asked(self) -> bool:
        """Whether the reply is a question to the user alone, before anything can be written."""
        return self.reply is not None and not self.reply.public and bool(self.reply.buttons)


def _as_known_now(database: Database, request: Request) -> Request:
    """The request with its user's zone, name and standing, which could not be read while the database was away."""
    with within(REPLAY_S), database.read() as connection:
        member = members.find(connection, request.workspace_id, request.user_id)
    # Who comes from another organisation by the payload itself stays of there.
    if request.standing != OUTSIDE and member is not None:
        request = replace(request, standing=member.standing)
    if request.zone_known or member is None or member.timezone is None:
        return request
    return replace(request, zone=ZoneInfo(member.timezone), zone_known=True, user_name=member.name)


def _enqueue_notices(database: Database, file_key: str, outcomes: list[_Outcome], at: datetime, render: Render) -> None:
    """Tell each channel what was written, and each user what could not be or is asked; once per file and channel."""
    for (workspace_id, channel_id), group in groupby(sorted(outcomes, key=_channel_of), key=_channel_of):
        try:
            with within(REPLAY_S), database.write() as connection:
                _enqueue_notices_of(connection, f"drained:{file_key}:{channel_id}", list(group), at, render)
        except Exception as error:
            if availability.is_away(error):
                raise
            # What was typed there is written down; that it cannot be told must not keep the others from being told.
            _log.exception("replayed and not told in %s of %s", channel_id, workspace_id)


def _enqueue_notices_of(
    connection: Connection, key: str, in_channel: list[_Outcome], at: datetime, render: Render
) -> None:
    workspace_id, channel_id = _channel_of(in_channel[0])
    if receipts.find(connection, workspace_id, key) is not None:
        return
    receipts.save(connection, workspace_id, key, {}, at=at)
    replies = [
        outcome.reply
        for outcome in in_channel
        if outcome.reply is not None and outcome.reply.text and not outcome.asked
    ]
    if replies:
        # The first line of each reply; replies are escaped already.
        lines = [slack("replayed", count=len(replies)), *(reply.text.partition("\n")[0] for reply in replies)]
        outbox.post(connection, workspace_id, channel_id, {"text": "\n".join(lines)}, at=at)
    for outcome in in_channel:
        request = outcome.request
        if outcome.reply is not None and outcome.asks:
            question = render(outcome.reply)
            outbox.ephemeral(connection, workspace_id, channel_id, request.user_id, question, at=at)
        if outcome.problem is not None:
            text = slack("not_written", request=request, problem=outcome.problem)
            outbox.ephemeral(connection, workspace_id, channel_id, request.user_id, {"text": text}, at=at)


def _channel_of(outcome: _Outcome) -> tuple[str, str]:
    return str(outcome.request.workspace_id), str(outcome.request.channel_id)
