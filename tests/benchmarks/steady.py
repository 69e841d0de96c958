"""`/detected` fifty times a second for a minute, while everything that is slow goes on at once."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import quantiles

from sqlalchemy import select, update

from bot.fakeslack.objects import TEAM_ID
from storage import schema
from storage.database import Database
from storage.models import outbox, workspaces
from tests.benchmarks import contenders, numbers, seed
from tests.benchmarks.contenders import Contender
from tests.benchmarks.effort import Effort
from tests.benchmarks.load import Lap, back_to_back, steady
from tests.benchmarks.office import Office, office
from tests.benchmarks.report import heading, ms, say, table

PER_SECOND = 50
STEADY_S, QUIET_S = 60, 20
DRAFTS, ENTRIES = 20, 1_000
WAVES_S = (5.0, 25.0, 45.0)
"""When all drafts and the report are asked for, in seconds from the start."""
SLOW_S = 5.0
METHODS = ("chat.postMessage", "chat.postEphemeral", "files.getUploadURLExternal", "files.completeUploadExternal")
ACK_S = 3.0
AIM_MS = 250.0


def measure(effort: Effort) -> None:
    """Print the latencies of the floor, of Scribe with nothing else to do, and of Scribe with all of it to do."""
    busy_s, quiet_s = effort.of(STEADY_S), effort.of(QUIET_S)
    with ExitStack() as stack:
        place = stack.enter_context(office())
        url, channels = place.sqlite(), _seeded(place)
        floor = stack.enter_context(contenders.floor(place))
        scribe = stack.enter_context(contenders.scribe(place, url))
        laps = {
            "floor": _lap(floor, quiet_s),
            "Scribe, nothing else to do": _lap(scribe, quiet_s),
        }
        with _slow_work(place, scribe, channels):
            laps[f"Scribe, {busy_s} s of everything at once"] = _lap(scribe, busy_s)
        done = _done(url)
    heading(
        f"/detected, {PER_SECOND} a second, each counted from the instant it was due (aim: p99 under {AIM_MS:.0f} ms)"
    )
    table(("", "requests", "p50", "p99", "max", "over 3 s"), [_row(name, lap) for name, lap in laps.items()])
    first, *_, last = laps.values()
    say(f"p99, busy over the floor: {_p99_ms(last) / _p99_ms(first):.1f}")
    say(f"meanwhile: {', '.join(f'{count} of {kind}' for kind, count in done.items())}")


def _lap(contender: Contender, seconds: int) -> Lap:
    requests = contender.detections(PER_SECOND * seconds)
    return steady(contender.port, requests, per_second=PER_SECOND, limit_s=seconds + 60.0)


def _row(name: str, lap: Lap) -> tuple[str, ...]:
    p50, late = quantiles(lap.each_s, n=100)[49], sum(each_s > ACK_S for each_s in lap.each_s)
    return name, str(len(lap.each_s)), ms(p50 * 1000), ms(_p99_ms(lap)), ms(max(lap.each_s) * 1000), str(late)


def _p99_ms(lap: Lap) -> float:
    return quantiles(lap.each_s, n=100)[98] * 1000


def _seeded(place: Office) -> list[str]:
    """Ten thousand incidents for the report, and those to be drafted; the channels of these."""
    database = Database(place.sqlite())
    schema.migrate(database)
    numbers.seed_incidents(database)
    channels = [place.slack.add_channel(f"long-{number}") for number in range(DRAFTS)]
    with database.write() as connection:
        connection.execute(
            update(workspaces).where(workspaces.c.id == TEAM_ID).values(last_incident_number=numbers.INCIDENTS)
        )
        for channel in channels:
            seed.incident(connection, channel, ENTRIES)
    database.close()
    return channels


@contextmanager
def _slow_work(place: Office, scribe: Contender, channels: list[str]) -> Iterator[None]:
    """Slack takes SLOW_S for each call, and in waves everything slow is asked for."""
    for method in METHODS:
        place.slack.delay(method, SLOW_S)
    stopped = threading.Event()

    def ask() -> None:
        began_s = time.monotonic()
        for wave_s in WAVES_S:
            if stopped.wait(max(0.0, began_s + wave_s - time.monotonic())):
                return
            requests = [place.in_channel(channel).types("/postmortem", "draft") for channel in channels]
            report = place.in_channel(channels[0]).types("/incident", "report 2026-01-01..2027-12-31")
            back_to_back(scribe.port, [*requests, report], connections=4)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield
    finally:
        stopped.set()
        asking.join()
        for method in METHODS:
            place.slack.delay(method, 0)


def _done(url: str) -> dict[str, int]:
    """How many jobs of each kind were done."""
    database = Database(url)
    with database.read() as connection:
        kinds = list(connection.execute(select(outbox.c.action).where(outbox.c.state == "sent")).scalars())
    database.close()
    return {kind: kinds.count(kind) for kind in sorted(set(kinds))}
