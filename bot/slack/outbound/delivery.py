"""The outbox's hands: claim a job, do it, say how it went.

What Slack refuses for good is parked with its reason; what may work later is tried again, ever more rarely.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.clock import Clock
from bot.slack.client import TOO_MANY, PausedError
from bot.slack.identity import Identity
from bot.telemetry.context import NO_METRICS, Metrics, measured_work
from storage import availability, outbox
from storage.availability import is_away
from storage.database import Database
from storage.outbox import LEASE, Job

EVERY_S = LEASE.total_seconds() / 4
_log = logging.getLogger(__name__)


class Leases:
    """Renews what is held, every EVERY_S seconds, from a thread that begins with the first job."""

    def __init__(self, database: Database, clock: Clock, *, every_s: float = EVERY_S) -> None:
        self._database = database
        self._clock = clock
        self._every_s = every_s
        self._lock = threading.Lock()
        self._held: set[int] = set()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def held(self, job: Job) -> Iterator[None]:
        """Keep the job's claim alive during the block."""
        with self._lock:
            self._held.add(job.id)
            if self._thread is None:
                self._thread = threading.Thread(target=self._renew, name="leases", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._held.discard(job.id)

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
        except Exception as error:  # noqa: BLE001 - the boundary: a database that is away must not end the thread
            if not availability.is_away(error):
                _log.error("leases not renewed", exc_info=error)


Action = Callable[[Job], None]

WORKERS = 6
"""Most of the time they wait for Slack; so many calls may hang before other channels have to wait."""
IDLE_S = 1.0
LINGER_S = 0.1
"""Between the news and the look at the outbox: the answer to the command leaves first, and a burst costs one look."""
LONGEST_WAIT_S = 300.0
_DOUBLINGS = 9
MOST_FAILURES = 6
"""How often a job may fail for a reason of our own; a lane waits for its first job, so it must not go on."""
TEMPORARY = frozenset(
    {
        "fatal_error",
        "internal_error",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)


class Delivery:
    """Worker threads over the outbox. `identity` says whose jobs are ours, in a database that others share."""

    def __init__(self, database: Database, clock: Clock, identity: Identity, metrics: Metrics = NO_METRICS) -> None:
        self._metrics = metrics
        self._database = database
        self._clock = clock
        self._identity = identity
        self._actions: Mapping[str, Action] = {}
        self._leases = Leases(database, clock)
        self._news = threading.Condition()
        self._unseen = 0
        self._stopping = False
        self._reached = True
        self._threads: list[threading.Thread] = []

    def use(self, actions: Mapping[str, Action]) -> None:
        """Say what each kind of job does."""
        self._actions = actions

    def start(self) -> None:
        """Begin to work."""
        self._threads = [
            threading.Thread(target=self._work, name=f"delivery-{number}", daemon=True) for number in range(WORKERS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what is in hand, and stop."""
        with self._news:
            self._stopping = True
            self._news.notify_all()
        for thread in self._threads:
            thread.join(timeout=10)
        self._leases.stop()

    @property
    def alive(self) -> bool:
        """Whether every worker that was started still lives."""
        return all(thread.is_alive() for thread in self._threads)

    def wake(self) -> None:
        """There may be something to do."""
        with self._news:
            self._unseen += 1
            if self._unseen == 1:
                self._news.notify()

    def deliver_due(self) -> None:
        """Do all that is due now, in the caller's thread."""
        while self.step():
            pass

    def _work(self) -> None:
        while not self._stopping:
            try:
                busy = self.step()
            except Exception as error:  # noqa: BLE001 - the boundary: a database that is away must not end the worker
                self._not_reached(error)
                busy = False
            else:
                self._reached = True
            if not busy:
                self._wait()

    def _not_reached(self, error: Exception) -> None:
        """Say so once: a database may be away for hours, and the workers look every second."""
        if not is_away(error):
            _log.error("outbox not read", exc_info=error)
        elif self._reached:
            _log.error("outbox not reached: the database is away")
            self._reached = False

    def _wait(self) -> None:
        with self._news:
            if self._news.wait_for(lambda: self._unseen or self._stopping, timeout=IDLE_S):
                self._news.wait_for(lambda: self._stopping, timeout=LINGER_S)
            self._unseen = 0

    def step(self) -> bool:
        """Do the next job that is due; False when there is none."""
        with self._database.read() as connection:
            if not outbox.is_due(connection, at=self._clock(), workspace_id=self._identity.only_workspace):
                return False
        # Whose jobs are ours must be known; while Slack does not say it, it takes no message of anybody's either.
        self._identity.learn()
        with self._database.write() as connection:
            job = outbox.claim(connection, at=self._clock(), workspace_id=self._identity.only_workspace)
        if job is None:
            return False
        with measured_work(self._metrics, job=job.id, workspace=job.workspace_id):
            self._do(job)
        return True

    def _do(self, job: Job) -> None:
        try:
            with self._leases.held(job):
                self._actions[job.action](job)
        except PausedError as error:
            self._later(job, "ratelimited", wait_s=error.wait_s)
        except SlackApiError as error:
            self._refused(job, error)
        except (SlackClientError, OSError) as error:
            self._later(job, type(error).__name__)
        except Exception as error:  # noqa: BLE001 - the boundary: one bad job must not stop the others
            _log.exception("job %s failed", job.action)
            self._failed(job, type(error).__name__)
        else:
            with self._database.write() as connection:
                outbox.mark_sent(connection, job, at=self._clock())

    def _refused(self, job: Job, error: SlackApiError) -> None:
        response = error.response
        reason = str(response.get("error") or f"http_{response.status_code}")
        if response.status_code == TOO_MANY:
            self._later(job, reason, wait_s=float(response.headers.get("Retry-After", 1)))
        elif reason in TEMPORARY or response.status_code >= 500:  # noqa: PLR2004 - HTTP's server errors
            self._later(job, reason)
        else:
            self._park(job, reason)

    def _failed(self, job: Job, problem: str) -> None:
        if job.attempts < MOST_FAILURES:
            self._later(job, problem)
        else:
            self._park(job, problem)

    def _park(self, job: Job, problem: str) -> None:
        _log.warning("%s parked: %s", job.action, problem)
        with self._database.write() as connection:
            outbox.park(connection, job, problem=problem)

    def _later(self, job: Job, problem: str, wait_s: float | None = None) -> None:
        if wait_s is None:
            wait_s = min(LONGEST_WAIT_S, 2.0 ** min(job.attempts, _DOUBLINGS)) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        _log.info("%s again in %.1f s: %s", job.action, wait_s, problem)
        with self._database.write() as connection:
            outbox.retry_later(connection, job, due_at=self._clock() + timedelta(seconds=wait_s), problem=problem)
