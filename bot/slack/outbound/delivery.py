"""Delivery: worker threads that claim jobs of the outbox, perform them and record the result.

A job that Slack refuses for good is parked with its reason; one that may succeed later is tried again after a delay
that doubles with each attempt, up to LONGEST_WAIT_S. Which is which says `refusals`.

A job is done only by the holder of its lease, which is looked at before every call to Slack: a process that stood still
for longer than the lease says nothing when it goes on. That something was sent is noted as soon as the database takes
the note.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from http.client import HTTPException

from slack_sdk.errors import SlackClientError
from sqlalchemy import Connection

from bot.clock import Clock, SharedClock, elapsed_s, now
from bot.server.supervisor import Loop, Supervisor
from bot.slack.client import PausedError
from bot.slack.identity import Identity
from bot.slack.refusals import backoff_s, gives_up, reason, retry_after_s
from bot.telemetry.context import NO_METRICS, Metrics, checked, measured_work, progress
from storage import availability, live_messages, outbox
from storage.availability import is_away
from storage.database import Database
from storage.outbox import LEASE, Job, Lane, LeaseLostError

Action = Callable[[Job], str | None]
"""Performs a job; returns the channel and the `ts` of the message it posted, if Slack tells them."""
Parks = Callable[[Connection, Job, str], None]
"""Parks the job for the problem, with what follows from that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Something typed in a channel. `reply_url` is given where its author can be told that the bot is missing there.

    `refused` says that Slack has just let the bot post nothing in the channel.
    """

    workspace_id: str
    channel_id: str
    reply_url: str | None = None
    refused: bool = False


WORKERS = 6
"""Threads that mostly wait for Slack: so many calls may hang before other channels have to wait."""
SLOW_S, SLOW_KEPT_S = 1.0, 300.0
"""Seconds with one job after which its lane counts as slow, and how long it does unless a job is quick there."""
MOST_SLOW = WORKERS // 2
"""Workers that all slow lanes together may hold; the others stay for the channels that answer."""
IDLE_S = 1.0
"""Seconds between two looks at the outbox without a `wake`."""
LINGER_S = 0.1
"""Seconds from `wake` to the look: the command's answer leaves first, and a burst of commands costs one look."""
RENEW_S = LEASE.total_seconds() / 4
LEFT_S = LEASE.total_seconds() / 2
"""Seconds of its lease that a call to Slack needs: it may take that long, and ends before another can claim the job."""
CHANGES_S = 1.0
"""Seconds between two looks for live messages to edit, where the outbox is never empty."""
UNTIL_NOTED_S = 5.0
"""Seconds after an outage of the database in which others' leases are left alone: they note first what they sent."""
NOTE_AGAIN_S = 0.5
"""Seconds between two attempts to note that something was sent."""
LONGEST_WAIT_S = 300.0
MOST_FAILURES = 6
"""Attempts at a job that fails by a defect of Scribe; no more, since its lane waits for it."""
_log = logging.getLogger(__name__)


class Delivery:
    """Worker threads over the outbox.

    In a database that several workspaces share, only the jobs of the workspace in `identity` are claimed.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        identity: Identity,
        metrics: Metrics = NO_METRICS,
        *,
        supervisor: Supervisor | None = None,
        shared: SharedClock | None = None,
    ) -> None:
        """`shared` is the clock of all who use the outbox.

        Without it jobs are due by `clock`, and leases go by the machine's: `clock` may run at another speed.
        """
        self._metrics = metrics
        self._database = database
        self._clock: Clock = shared or clock
        self._lease_clock: Clock = shared or now
        self._shared = shared
        self._identity = identity
        self._supervisor = supervisor or Supervisor(metrics)
        self._actions: Mapping[str, Action] = {}
        self._look: Callable[[Heard], None] = lambda _heard: None
        self._parks: Parks = lambda connection, job, problem: outbox.park(connection, job, problem=problem)
        self._heard: dict[tuple[str, str], Heard] = {}
        self.present: set[tuple[str, str]] = set()
        """The channels that the bot is known to be in, each after its workspace: until Slack refuses a post there."""
        self._leases = Leases(database, self._lease_clock)
        self._shares = Shares()
        self._looking = threading.Lock()
        self._recovering = threading.Lock()
        self._woken = threading.Condition()
        self._wakes = 0
        self._stopping = threading.Event()
        self._reached = True
        self._all_noted_s = 0.0
        self._changes_looked_s = elapsed_s()
        self._loops: list[Loop] = []

    @property
    def clock(self) -> Clock:
        """The clock of all who use the outbox, for whatever only one of them may do."""
        return self._clock

    def use(
        self, actions: Mapping[str, Action], look: Callable[[Heard], None] | None = None, parks: Parks | None = None
    ) -> None:
        """Set the functions that exist only after this object, which they use.

        One for each kind of job; `look` looks after a channel in which something was typed.
        """
        self._actions = actions
        self._look = look or self._look
        self._parks = parks or self._parks

    def start(self) -> None:
        """Start the workers, and the renewal of their leases."""
        turns = {f"delivery-{number}": self._turn for number in range(WORKERS)} | {"leases": self._renew}
        self._loops = [self._supervisor.run(name, turn) for name, turn in turns.items()]

    def retry_known(self) -> None:
        """Make the jobs due again that an older release could not do; set those aside that would never be due."""
        at = self._clock()
        with self._database.write() as connection:
            outbox.set_timeless_aside(connection, at=at)
            outbox.retry_known(connection, self._actions.keys(), at=at)

    def stop(self) -> None:
        """Finish the jobs in progress, waiting at most 10 s for each worker, and stop."""
        self._stopping.set()
        for loop in self._loops:
            loop.stop()
        with self._woken:
            self._woken.notify_all()
        for loop in self._loops:
            loop.join(10)

    def wake(self, heard: Heard | None = None) -> None:
        """Have a worker look at the outbox soon, and before that after the channel in which something was heard."""
        with self._woken:
            if heard is not None and (heard.refused or (heard.workspace_id, heard.channel_id) not in self.present):
                place = (heard.workspace_id, heard.channel_id)
                before = self._heard.get(place, heard)
                self._heard[place] = replace(heard, reply_url=heard.reply_url or before.reply_url)
                self.present.discard(place)
            self._wakes += 1
            if self._wakes == 1:
                self._woken.notify()

    def deliver_due(self) -> None:
        """Perform all jobs that are due, in the caller's thread."""
        while self.step():
            pass

    def step(self) -> bool:
        """Perform the next job that is due; False when there is none."""
        self._look_around()
        self._take_up_changes()
        with self._database.read() as connection:
            due = outbox.is_due(connection, **self._instants(), workspace_id=self._identity.only_workspace)
        # Which workspace's jobs to claim must be known; while Slack does not answer this, it takes no message either.
        if due:
            self._identity.learn()
        if not due:
            return self._correct() or self._take_up_changes(at_once=True)
        with self._recovery() as may_recover:
            held = self._claim(expired_too=may_recover)
            if held is not None and held.job.unsettled:
                self._perform(held)
                return True
        if held is None:
            return self._correct() or self._take_up_changes(at_once=True)
        self._perform(held)
        return True

    @contextmanager
    def _recovery(self) -> Iterator[bool]:
        """Whether this worker may take up what others died with; during the block, no other does.

        What they died of would take those that only lay beside it along, again and again; so each is done alone.
        """
        may_recover = not self._unsettled and self._recovering.acquire(blocking=False)
        try:
            yield may_recover
        finally:
            if may_recover:
                self._recovering.release()

    def _look_around(self) -> None:
        """Look after the channels in which something was heard; one worker does, as each look is a call to Slack."""
        if not self._looking.acquire(blocking=False):
            return
        try:
            while self._heard:
                with self._woken:
                    _, heard = self._heard.popitem()
                self._look(heard)
        finally:
            self._looking.release()

    def _take_up_changes(self, *, at_once: bool = False) -> bool:
        """Write the jobs that keep live messages current; unless `at_once`, one worker in CHANGES_S does."""
        if not at_once and elapsed_s() - self._changes_looked_s < CHANGES_S:
            return False
        self._changes_looked_s = elapsed_s()
        of = {"workspace_id": self._identity.only_workspace}
        with self._database.read() as connection:
            found = live_messages.is_any_changed(connection, **of)
        if found:
            with self._database.write() as connection:
                live_messages.take_up(connection, at=self._clock(), **of)
        return found

    def _correct(self) -> bool:
        """Make the jobs due that a wrong clock holds up; whether there were any."""
        instants = self._instants()
        with self._database.read() as connection:
            found = outbox.is_put_off_wrongly(connection, **instants)
        if found:
            with self._database.write() as connection:
                outbox.correct(connection, **instants)
        return found

    def _instants(self) -> dict[str, datetime]:
        return {"at": self._clock(), "lease_at": self._lease_clock()}

    def _claim(self, *, expired_too: bool) -> "Lease | None":
        # Before the claim is written: the lease that this process counts on ends no later than the one that is stored.
        began_s, instants = elapsed_s(), self._instants()
        with self._database.write() as connection:
            job = outbox.claim(
                connection,
                **instants,
                workspace_id=self._identity.only_workspace,
                without=self._shares.used_up(),
                in_hand=self._leases.in_hand,
                expired_too=expired_too,
            )
        return None if job is None else Lease(job, began_s)

    @property
    def _unsettled(self) -> bool:
        """Whether an expired lease may still be its holder's, who could not renew it or note what was sent."""
        return elapsed_s() < self._all_noted_s or (self._shared is not None and self._shared.unsettled)

    def _turn(self) -> None:
        """Do the next job, or wait for one."""
        try:
            busy = self.step()
        except availability.ERRORS as error:
            self._note_outage(error)
            busy = False
        else:
            self._reached = True
        if not busy:
            self._wait()

    def _wait(self) -> None:
        with self._woken:
            if self._woken.wait_for(lambda: self._wakes or self._stopping.is_set(), timeout=IDLE_S):
                self._woken.wait_for(self._stopping.is_set, timeout=LINGER_S)
            self._wakes = 0

    def _note_outage(self, error: Exception) -> None:
        """Log a database that is away once: that may take hours, and the workers look every second."""
        if not is_away(error):
            raise error
        self._all_noted_s = elapsed_s() + UNTIL_NOTED_S
        if self._reached:
            _log.error("outbox not reached: the database is away")
            self._reached = False

    def _renew(self) -> None:
        """Renew the leases in hand, and wait until the next time."""
        self._stopping.wait(RENEW_S)
        try:
            self._leases.renew()
            if self._correct():
                self.wake()
        except availability.ERRORS as error:
            self._note_outage(error)

    def _perform(self, held: "Lease") -> None:
        job = held.job
        working = measured_work(self._metrics, job=job.id, workspace=job.workspace_id)
        with working, self._leases.renewed(held), self._shares.measured(job):
            if job.action not in self._actions:
                # At once: its lane must not wait for another release, which takes it up.
                self._park(job, outbox.UNKNOWN_ACTION)
            elif job.unsettled >= outbox.MOST_UNSETTLED:
                self._park(job, outbox.UNSETTLED)
            else:
                self._attempt(held)

    def _attempt(self, held: "Lease") -> None:
        """Perform the job, and settle what has become of it."""
        job = held.job
        try:
            with checked(lambda: self._leases.check(held)):
                sent_as = self._actions[job.action](job)
        except PausedError as error:
            self._retry(job, "ratelimited", wait_s=error.wait_s)
        except (SlackClientError, OSError, HTTPException) as error:
            if gives_up(error, job.attempts):
                self._park(job, reason(error))
            else:
                self._retry(job, reason(error), wait_s=retry_after_s(error))
        except LeaseLostError:
            _log.warning("%s is another's by now, and left to it", job.action)
        except Exception as error:  # noqa: BLE001 - the boundary: one bad job must not stop the others
            _log.exception("job %s failed", job.action)
            # A database that was away is no defect: however often that happens, the job is not given up for it.
            settle = self._retry if job.attempts < MOST_FAILURES or is_away(error) else self._park
            settle(job, reason(error))
        else:
            self._note_sent(job, sent_as)

    def _note_sent(self, job: Job, sent_as: str | None) -> None:
        self._note(job, lambda connection, at: outbox.mark_sent(connection, job, at=at, sent_as=sent_as))

    def _retry(self, job: Job, problem: str, wait_s: float | None = None) -> None:
        if wait_s is None:
            wait_s = backoff_s(job.attempts, longest_s=LONGEST_WAIT_S)
        _log.info("%s again in %.1f s: %s", job.action, wait_s, problem)
        wait = timedelta(seconds=wait_s)
        self._note(
            job, lambda connection, at: outbox.retry_later(connection, job, due_at=at + wait, at=at, problem=problem)
        )

    def _park(self, job: Job, problem: str) -> None:
        _log.warning("%s parked: %s", job.action, problem)
        try:
            self._note(job, lambda connection, _at: self._parks(connection, job, problem))
        except Exception:  # noqa: BLE001 - the boundary: whom to tell cannot be read from it either, and its lane waits
            _log.exception("%s parked, and nobody told", job.action)
            self._note(job, lambda connection, _at: outbox.park(connection, job, problem=problem))

    def _note(self, job: Job, settle: Callable[[Connection, datetime], None]) -> None:
        """Write what has become of the job, as soon as the database takes it.

        Until then it would be done again; and a claim that only expires counts as one that its holder died with.
        """
        while not self._settle(job, settle):
            if self._stopping.wait(NOTE_AGAIN_S):
                return

    def _settle(self, job: Job, settle: Callable[[Connection, datetime], None]) -> bool:
        """Write what has become of the job, unless it is another's by now; False while the database is away."""
        progress()
        try:
            with self._database.write() as connection:
                settle(connection, self._clock())
        except LeaseLostError:
            _log.warning("%s was another's before it was noted", job.action)
        except availability.ERRORS as error:
            self._note_outage(error)
            return False
        return True


class Lease:
    """The lease under which a job in hand is done; `renewed_s` is when that began, by `elapsed_s`."""

    def __init__(self, job: Job, renewed_s: float) -> None:
        self.job = job
        self.renewed_s = renewed_s
        self.lost = False

    @property
    def left_s(self) -> float:
        """Seconds that are left of the lease, by a clock that counts also while the process or the machine sleeps."""
        return self.renewed_s + LEASE.total_seconds() - elapsed_s()


class Leases:
    """The leases of the jobs in hand: renewed all at once, and each by itself before a call that might outlast it.

    So only a worker that died loses its job to another, however long Slack takes.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[int, Lease] = {}

    @property
    def in_hand(self) -> list[int]:
        """The ids of the jobs that this process holds."""
        with self._lock:
            return list(self._held)

    @contextmanager
    def renewed(self, held: Lease) -> Iterator[None]:
        """Renew the lease during the block."""
        with self._lock:
            self._held[held.job.id] = held
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(held.job.id, None)

    def renew(self) -> None:
        """Renew all leases. Raises what the database raises."""
        with self._lock:
            held = list(self._held.values())
        if held:
            self._renew(held)

    def check(self, held: Lease) -> None:
        """Make sure that the lease outlasts a call to Slack. Raises LeaseLostError, and what the database raises."""
        if not held.lost and held.left_s < LEFT_S:
            self._renew([held])
        if held.lost:
            raise LeaseLostError

    def _renew(self, held: list[Lease]) -> None:
        began_s = elapsed_s()
        with self._database.write() as connection:
            holding = outbox.renew(connection, [each.job for each in held], lease_at=self._clock())
        for each in held:
            if each.job.id in holding:
                each.renewed_s = began_s
            else:
                each.lost = True


class Shares:
    """Which lanes are slow, and whether these hold as many workers as they may; in this process alone."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._begun_s: dict[int, tuple[Lane, float]] = {}
        self._slow_until_s: dict[Lane, float] = {}

    @contextmanager
    def measured(self, job: Job) -> Iterator[None]:
        """Count the worker for the job's lane during the block, and note how long it took."""
        lane, begun_s = (job.workspace_id, job.lane), self._monotonic()
        with self._lock:
            self._begun_s[job.id] = lane, begun_s
        try:
            yield
        finally:
            with self._lock:
                del self._begun_s[job.id]
                if self._monotonic() - begun_s > SLOW_S:
                    self._slow_until_s[lane] = self._monotonic() + SLOW_KEPT_S
                else:
                    self._slow_until_s.pop(lane, None)

    def used_up(self) -> frozenset[Lane]:
        """The slow lanes, if they hold MOST_SLOW workers; none otherwise."""
        with self._lock:
            now_s = self._monotonic()
            self._slow_until_s = {lane: until_s for lane, until_s in self._slow_until_s.items() if until_s > now_s}
            slow = {lane for lane, begun_s in self._begun_s.values() if now_s - begun_s > SLOW_S}
            slow |= self._slow_until_s.keys()
            held = sum(lane in slow for lane, _ in self._begun_s.values())
            return frozenset(slow) if held >= MOST_SLOW else frozenset()
