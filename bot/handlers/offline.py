"""Requests while the database is away: kept in the spool, and replayed in order when it is back."""

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
from storage import availability as away
from storage import members, outbox, receipts, schema
from storage.availability import is_away, within
from storage.database import Database, retry_stale_connection
from storage.spool import Record, Spool

ENTRY_S = 10.0
"""Seconds the database may take for one request of the spool; nobody waits for it."""
FORM = "It opens a form. Type it again."
_UNUSABLE = (ValueError, KeyError, TypeError)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a kept request: its first answer, or the problem that kept it from being done."""

    request: Request
    reply: Reply | None = None
    problem: str | None = None


def replay_spool(
    database: Database, spool: Spool, path: Path, settings: Settings, *, at: datetime, metrics: Metrics = NO_METRICS
) -> int | None:
    """Write the file's requests down; how many there were, None when another process holds the file.

    A crash in between does no harm: the file is still there, and what was written is recognised by its key. Raises
    what the database raises when it is away again; then the file stays.
    """
    with spool.replaying(path) as held:
        if held is None:
            return None
        outcomes = []
        for record in held.records:
            outcome = _outcome(database, record, settings, metrics)
            if outcome is None:
                held.reject(record)
            else:
                outcomes.append(outcome)
        if held.rejected:
            _log.error("spool: %d records could not be read and are kept in %s", len(held.rejected), spool.rejects_file)
        with within(ENTRY_S), database.write() as connection:
            _tell(connection, path.name, outcomes, at)
        return len(held.records)


def _outcome(database: Database, record: Record, settings: Settings, metrics: Metrics) -> Outcome | None:
    """Do what was asked for; None for a record that is no request or breaks its handler."""
    try:
        request = _revived(database, record, settings)
    except _UNUSABLE:
        return None
    try:
        with measured_work(metrics, request=request_id()), within(ENTRY_S):
            reply = routes.handle(database, request)
    except UsageError as error:
        return Outcome(request=request, problem=str(error))
    except Exception as error:
        if is_away(error):
            raise
        # One request that trips over a mistake of ours must not keep those behind it from the timeline.
        _log.exception("kept request not done")
        return None
    if reply.form is not None:
        return Outcome(request=request, problem=FORM)
    return Outcome(request=request, reply=reply)


def _revived(database: Database, record: Record, settings: Settings) -> Request:
    """The request, in the zone of its person where that could not be told while the database was away."""
    request = Request.from_json(record, settings)
    if request.zone_known:
        return request
    with within(ENTRY_S), database.read() as connection:
        member = members.find(connection, request.workspace_id, request.user_id)
    if member is None or member.timezone is None:
        return request
    name = member.name if request.user_name == request.user_id else request.user_name
    return replace(request, zone=ZoneInfo(member.timezone), zone_known=True, user_name=name)


def _tell(connection: Connection, name: str, outcomes: list[Outcome], at: datetime) -> None:
    """Say in each channel what was written, and to each person what could not be; once for the file `name`."""
    key = f"drained:{name}"
    for place, group in groupby(sorted(outcomes, key=_place), key=_place):
        workspace_id, channel_id = place
        there = list(group)
        channel_key = f"{key}:{channel_id}"
        if receipts.find(connection, workspace_id, channel_key) is not None:
            continue
        receipts.save(connection, workspace_id, channel_key, {}, at=at)
        done = [outcome.reply for outcome in there if outcome.reply is not None]
        if done:
            outbox.post(connection, workspace_id, channel_id, {"text": _written(done)}, at=at)
        for outcome in there:
            if outcome.problem is not None:
                text = slack("not_written", request=outcome.request, problem=outcome.problem)
                user_id = outcome.request.user_id
                outbox.ephemeral(connection, workspace_id, channel_id, user_id, {"text": text}, at=at)


def _place(outcome: Outcome) -> tuple[str, str]:
    return outcome.request.workspace_id, outcome.request.channel_id


def _written(replies: list[Reply]) -> str:
    """What was written, a line each: the answers' first lines, which are escaped already."""
    return "\n".join([slack("drained", count=len(replies)), *(reply.text.partition("\n")[0] for reply in replies)])


ANSWER_S = 2.0
"""Seconds the database may take for an answer; Slack waits for three."""
AWAY = (
    "The database is away, so there is nothing to show from. "
    "What you record is kept on Scribe's own disk meanwhile, and written down when it is back."
)

WhenQueued = Callable[[Reply], None]


class OfflineQueue:
    """Answers requests from the database, and from the spool while that is away.

    Once something is in the spool, what follows goes there too until it is replayed: the order is kept.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        clock: Clock,
        metrics: Metrics = NO_METRICS,
        locate: Callable[[Request], Request] | None = None,
    ) -> None:
        self._locate = locate
        self._database = database
        self._settings = settings
        self._clock = clock
        self._metrics = metrics
        self._spool = Spool(settings.spool)
        self._keeping = threading.Lock()
        self._replaying = threading.Lock()
        self._holding = bool(self._spool.files())
        self._away = False
        self._ensured = True
        self._unfit = False

    def start(self, *, ensured: bool = True) -> None:
        """Begin. Unless `ensured`, the database could not even be asked for its schema, and counts as away."""
        self._ensured = ensured
        self._away = not ensured
        self._spool.reserve_space()

    def stop(self) -> None:
        """Leave what is kept to the next process."""
        with self._keeping:
            self._spool.close()

    @property
    def away(self) -> bool:
        """Whether the database was away when it was last asked."""
        return self._away

    def handle(
        self, request: Request, in_transaction: InTransaction | None = None, when_queued: WhenQueued | None = None
    ) -> Reply:
        """Answer the request as `routes.handle` does, or keep it in the spool and say so.

        `when_queued` gets the reply when the request was kept, so that `in_transaction` was not called. Raises
        UsageError, also for a request that only reads while the database is away, and OSError when the spool cannot
        take it either.
        """
        understood = routes.understand(request, self._locate)
        if not self._away and not (self._holding and understood.writes):
            try:
                with within(ANSWER_S):
                    return retry_stale_connection(partial(routes.answer, self._database, understood, in_transaction))
            except away.ERRORS as error:
                self._note(error)
        if not understood.writes:
            raise UsageError(AWAY)
        reply = self._keep(understood)
        if when_queued is not None:
            when_queued(reply)
        return reply

    def _note(self, error: Exception) -> None:
        """Note that the database is away; an error that says anything else is raised."""
        if not away.is_away(error):
            raise error
        if not self._away:
            _log.error("database away: %s", type(getattr(error, "orig", error)).__name__)
        self._away = True

    def _keep(self, understood: ParsedRequest) -> Reply:
        request = understood.asked
        with self._keeping:
            self._spool.append(request.to_json(), at=self._clock())
            self._holding = True
        context.bind(workspace=request.workspace_id, command=request.command, kept=True)
        entry: Utterance | None = understood.request.parsed if understood.kind is not None else None
        zone = request.zone if request.zone_known else None
        when = stamp(entry.occurred_at, zone, request.received_at.date()) if entry is not None else None
        text = slack("kept", request=request, kind=understood.kind, entry=entry, when=when)
        return Reply(text=text, public=True)

    def replay(self) -> int:
        """Write down what the spool holds, if the database is back; how many requests that were.

        Does nothing while there is nothing to do, or another thread is at it.
        """
        if not (self._holding or self._away) or not self._replaying.acquire(blocking=False):
            return 0
        try:
            return self._replay_files()
        except away.ERRORS as error:
            self._note(error)
            return 0
        except (schema.OutdatedSchemaError, schema.UnknownSchemaError) as error:
            self._wait_for_schema(error)
            return 0
        finally:
            self._replaying.release()

    def _wait_for_schema(self, error: Exception) -> None:
        """Say once that the database is back and not fit to be written to; what is typed is kept until it is."""
        if not self._unfit:
            _log.error("database back with another schema (%s): scribe doctor says what to do", type(error).__name__)
        self._unfit = True

    def _replay_files(self) -> int:
        self._look()
        count, others = 0, set[Path]()
        while files := self._next(others):
            for path in files:
                in_file = self._replayed(path)
                if in_file is None:
                    others.add(path)
                count += in_file or 0
        return count

    def _replayed(self, path: Path) -> int | None:
        return replay_spool(self._database, self._spool, path, self._settings, at=self._clock(), metrics=self._metrics)

    def _look(self) -> None:
        """See whether the database takes a write."""
        with within(ANSWER_S):
            if not self._ensured:
                retry_stale_connection(partial(schema.ensure, self._database))
                self._ensured = True
            retry_stale_connection(self._database.probe_write)
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
