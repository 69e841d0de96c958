"""Delivery: worker threads that claim jobs of the outbox, perform them and record the result.

A job that Slack refuses for good is parked with its reason; one that may succeed later is tried again after a delay
that doubles with each attempt, up to LONGEST_WAIT_S.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from slack_sdk.errors import SlackApiError, SlackClientError

from bot.clock import Clock
from bot.slack.client import SERVER_ERROR, TOO_MANY, PausedError, reason, retry_after_s
from bot.slack.identity import Identity
from bot.telemetry.context import NO_METRICS, Metrics, measured_work
from storage import outbox
from storage.availability import is_away
from storage.database import Database
from storage.outbox import LEASE, Job

Action = Callable[[Job], None]

WORKERS = 6
"""Threads that mostly wait for Slack: so many calls may hang before other channels have to wait."""
IDLE_S = 1.0
"""Seconds between two looks at the outbox without a `wake`."""
LINGER_S = 0.1
"""Seconds from `wake` to the look: the command's answer leaves first, and a burst of commands costs one look."""
RENEW_S = LEASE.total_seconds() / 4
LONGEST_WAIT_S = 300.0
_DOUBLINGS = 9
MOST_FAILURES = 6
"""Attempts at a job that fails by a defect of Scribe; no more, since its lane waits for it."""
TEMPORARY_ERRORS = frozenset(
    {
        "fatal_error",
        "internal_error",
        "ratelimited",
        "request_timeout",
        "service_unavailable",
        "team_added_to_org",
    }
)
"""Slack's error codes after which the same call may succeed later."""
NOT_A_MEMBER = frozenset({"not_in_channel", "channel_not_found"})
"""Slack's error codes where the bot is no member of the channel."""
NO_FILES = frozenset({"missing_scope", "not_allowed_token_type", "restricted_action"}) | NOT_A_MEMBER
"""Slack's error codes where the bot may not upload a file."""
_log = logging.getLogger(__name__)


class Delivery:
    """Worker threads over the outbox.

    In a database that several workspaces share, only the jobs of the workspace in `identity` are claimed.
    """

    def __init__(self, database: Database, clock: Clock, identity: Identity, metrics: Metrics = NO_METRICS) -> None:
        self._metrics = metrics
        self._database = database
        self._clock = clock
        self._identity = identity
        self._actions: Mapping[str, Action] = {}
        self._leases = Leases(database, clock)
        self._woken = threading.Condition()
        self._wakes = 0
        self._stopping = False
        self._reached = True
        self._threads: list[threading.Thread] = []

    def use(self, actions: Mapping[str, Action]) -> None:
        """Set the function for each kind of job; it exists only after this object, which it uses."""
        self._actions = actions

    def start(self) -> None:
        """Start the workers."""
        self._threads = [
            threading.Thread(target=self._work, name=f"delivery-{number}", daemon=True) for number in range(WORKERS)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the jobs in progress, waiting at most 10 s for each worker, and stop."""
        with self._woken:
            self._stopping = True
            self._woken.notify_all()
        for thread in self._threads:
            thread.join(timeout=10)
        self._leases.stop()

    @property
    def alive(self) -> bool:
        """Whether all workers that were started are running."""
        return all(thread.is_alive() for thread in self._threads)

    def wake(self) -> None:
        """Have a worker look at the outbox soon."""
        with self._woken:
            self._wakes += 1
            if self._wakes == 1:
                self._woken.notify()

    def deliver_due(self) -> None:
        """Perform all jobs that are due, in the caller's thread."""
        while self.step():
            pass

    def step(self) -> bool:
        """Perform the next job that is due; False when there is none."""
        with self._database.read() as connection:
            if not outbox.is_due(connection, at=self._clock(), workspace_id=self._identity.only_workspace):
                return False
        # Which workspace's jobs to claim must be known; while Slack does not answer this, it takes no message either.
        self._identity.learn()
        with self._database.write() as connection:
            job = outbox.claim(connection, at=self._clock(), workspace_id=self._identity.only_workspace)
        if job is None:
            return False
        with measured_work(self._metrics, job=job.id, workspace=job.workspace_id):
            self._perform(job)
        return True

    def _work(self) -> None:
        while not self._stopping:
            try:
                busy = self.step()
            except Exception as error:  # noqa: BLE001 - the boundary: a database that is away must not end the worker
                self._log_unreached(error)
                busy = False
            else:
                self._reached = True
            if not busy:
                self._wait()

    def _wait(self) -> None:
        with self._woken:
            if self._woken.wait_for(lambda: self._wakes or self._stopping, timeout=IDLE_S):
                self._woken.wait_for(lambda: self._stopping, timeout=LINGER_S)
            self._wakes = 0

    def _log_unreached(self, error: Exception) -> None:
        """Log a database that is away once: that may take hours, and the workers look every second."""
        if not is_away(error):
            _log.error("outbox not read", exc_info=error)
        elif self._reached:
            _log.error("outbox not reached: the database is away")
            self._reached = False

    def _perform(self, job: Job) -> None:
        try:
            with self._leases.renewed(job):
                self._actions[job.action](job)
        except PausedError as error:
            self._retry(job, "ratelimited", wait_s=error.wait_s)
        except SlackApiError as error:
            code, status = reason(error), error.response.status_code
            if status == TOO_MANY:
                self._retry(job, code, wait_s=retry_after_s(error))
            elif code in TEMPORARY_ERRORS or status >= SERVER_ERROR:
                self._retry(job, code)
            else:
                self._park(job, code)
        except (SlackClientError, OSError) as error:
            self._retry(job, reason(error))
        except Exception as error:  # noqa: BLE001 - the boundary: one bad job must not stop the others
            _log.exception("job %s failed", job.action)
            settle = self._retry if job.attempts < MOST_FAILURES else self._park
            settle(job, reason(error))
        else:
            with self._database.write() as connection:
                outbox.mark_sent(connection, job, at=self._clock())

    def _retry(self, job: Job, problem: str, wait_s: float | None = None) -> None:
        if wait_s is None:
            # Up to half of the delay is random, so that jobs that failed together do not all return together.
            wait_s = min(LONGEST_WAIT_S, 2.0 ** min(job.attempts, _DOUBLINGS)) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        _log.info("%s again in %.1f s: %s", job.action, wait_s, problem)
        with self._database.write() as connection:
            outbox.retry_later(connection, job, due_at=self._clock() + timedelta(seconds=wait_s), problem=problem)

    def _park(self, job: Job, problem: str) -> None:
        _log.warning("%s parked: %s", job.action, problem)
        with self._database.write() as connection:
            outbox.park(connection, job, problem=problem)


class Leases:
    """Renews the leases of jobs in progress, in a thread that starts with the first job.

    So only a worker that died loses its job to another, however long Slack takes.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._held: set[int] = set()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def renewed(self, job: Job) -> Iterator[None]:
        """Renew the job's lease during the block, every RENEW_S seconds."""
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
        """End the thread."""
        self._stopped.set()

    def _renew(self) -> None:
        while not self._stopped.wait(RENEW_S):
            with self._lock:
                held = list(self._held)
            if not held:
                continue
            try:
                with self._database.write() as connection:
                    outbox.renew(connection, held, at=self._clock())
            except Exception as error:  # noqa: BLE001 - the boundary: a database that is away must not end the thread
                if not is_away(error):
                    _log.error("leases not renewed", exc_info=error)
