"""What being seen costs: `/detected` with counts and log beside the same without; and while a copy is being made."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from storage import receipts, schema
from storage.database import Database
from tests.benchmarks import contenders
from tests.benchmarks.ack import compare, crowd
from tests.benchmarks.contenders import Contender
from tests.benchmarks.effort import Effort
from tests.benchmarks.load import Lap, steady
from tests.benchmarks.office import Office, office
from tests.benchmarks.processes import ROOT, environment, free_port, python, wait_listening
from tests.benchmarks.race import race, ratio
from tests.benchmarks.report import heading, ms, say, table

PER_SECOND = 100
STEADY_S = 3
ROWS, ROW = 60_000, "x" * 1000


def measure(effort: Effort) -> None:
    """Print the tables."""
    with ExitStack() as stack:
        place = stack.enter_context(office())
        plain = stack.enter_context(_bot(place, "plain"))
        counted = stack.enter_context(_bot(place, "counted"))
        for connections in (1, 16):
            compare(crowd([plain, counted], connections, effort), counted.name, [plain.name])
    with office() as place:
        _fill(place.sqlite())
        with contenders.scribe(place, place.sqlite()) as scribe:
            _beside_a_copy(place, scribe, effort)
            say(scribe.check())


@contextmanager
def _bot(place: Office, how: str) -> Iterator[Contender]:
    port = free_port()
    arguments = ["-m", "tests.benchmarks.observed_bot", str(port), how]
    with python(arguments, place.settings(place.sqlite(how))) as process:
        wait_listening(process, port)
        yield Contender(name=how, port=port, pid=process.pid, author_name=place.author_name)


def _fill(url: str) -> None:
    """Some 60 MB that lie there already."""
    database = Database(url)
    schema.ensure(database)
    with database.write() as connection:
        for number in range(ROWS):
            receipts.save(connection, "T0", f"old:{number}", {"text": ROW}, at=datetime(2026, 1, 1, tzinfo=UTC))
    database.close()


def _beside_a_copy(place: Office, scribe: Contender, effort: Effort) -> None:
    copies: list[int] = []

    def lap(copying: bool) -> Lap:  # noqa: FBT001 - the two runners of the race
        with _copies(place, copies) if copying else ExitStack():
            return steady(scribe.port, scribe.detections(PER_SECOND * STEADY_S), per_second=PER_SECOND)

    laps = race({"alone": False, "beside copies": True}, lap, rounds=effort.rounds)
    heading(f"/detected, {PER_SECOND} a second, alone and while `scribe backup` runs again and again")
    rows = [(name, ms(of.percentile_ms(50)), ms(of.percentile_ms(99)), ms(_most(of.laps))) for name, of in laps.items()]
    table(("", "p50", "p99", "most"), rows)
    say(f"beside copies over alone: p99 {ratio(lambda of: of.percentile_ms(99), laps['beside copies'], laps['alone'])}")
    say(f"{len(copies)} copies were made meanwhile")


def _most(laps: list[Lap]) -> float:
    return max(max(lap.each_s) for lap in laps) * 1000


@contextmanager
def _copies(place: Office, done: list[int]) -> Iterator[None]:
    """`scribe backup` in a loop of its own until the block ends; how many came to their end is added to `done`."""
    script = "while scribe_copy; do echo made; done"
    command = f'scribe_copy() {{ "{sys.executable}" -m bot backup "$0" --force >/dev/null; }}; {script}'
    process = subprocess.Popen(  # noqa: S603 - our own words
        ["/bin/sh", "-c", command, str(place.folder / "copy.db")], cwd=ROOT, stdout=subprocess.PIPE, text=True,
        env=environment(place.settings(place.sqlite())), start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        told, _ = process.communicate()
        done.extend(1 for _ in told.splitlines())
