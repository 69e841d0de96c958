"""A storm of webhooks against one process: all kept once, and what it costs who types; and what stored signals cost.

`python -m tests.benchmarks.webhooks PORT PATH PER_SECOND SECONDS` is the sender, a process of its own.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import func, select

from bot.fakeslack.objects import TEAM_ID
from bot.sources.addresses import Address, path
from storage import schema
from storage.database import Database
from storage.models import signals as rows
from storage.sources import signals
from storage.values import ALERT, Signal
from tests.benchmarks.effort import Effort
from tests.benchmarks.load import Lap, back_to_back, steady
from tests.benchmarks.office import Office, office
from tests.benchmarks.processes import environment, free_port, python, wait_listening
from tests.benchmarks.race import Laps, race, ratio
from tests.benchmarks.report import heading, ms, say, table

PER_SECOND, SECONDS, TYPED = 500, 20, 20
"""Webhooks a second, for how long, and declarations a second meanwhile."""
RATES = (1, 2, 4)
"""Multiples of that rate, the last to see where it breaks."""
STORED, DECLARATIONS, WARM_UP = 100_000, 100, 30
_CONNECTIONS = 200
_SECRET = "benchmark-benchmark"  # noqa: S105 - of the benchmark
_BEGAN = datetime(2026, 3, 12, tzinfo=UTC)
_numbers = count(1)


def measure(effort: Effort) -> None:
    """Print p99 of `/detected` with and without a storm, how much was kept, and the cost of 100,000 signals."""
    with office() as place:
        _storms(place, effort)
        _stored(place, effort)


def _declares(place: Office, number: int) -> list[bytes]:
    """Requests that each declare an incident in a channel of its own."""
    return [place.in_channel(f"C{next(_numbers):09}").types("/detected", "disk full") for _ in range(number)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HookedBot:
    """A running bot with the endpoint on; `cpu_s` is the CPU time of its process."""

    port: int
    pid: int

    @property
    def cpu_s(self) -> float:
        """Of all its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _running(place: Office, url: str) -> Iterator[HookedBot]:
    port = free_port()
    settings = {**place.settings(url), "SCRIBE_HOOKS_SECRET": _SECRET}
    with python(["-m", "bot", "run", "--port", str(port)], settings) as process:
        wait_listening(process, port)
        back_to_back(port, _declares(place, WARM_UP), connections=1)
        yield HookedBot(port=port, pid=process.pid)


def _storms(place: Office, effort: Effort) -> None:
    url, seconds = place.sqlite("storms"), effort.of(SECONDS)
    sent, results, laps = 0, [], dict[int, Lap]()
    with _running(place, url) as bot:
        port = bot.port
        back_to_back(port, [place.author_name.types("/detected", "the storm")], connections=1)
        for rate in (0, *(PER_SECOND * each for each in RATES)):
            sender = _sender(place, port, rate, seconds) if rate else None
            laps[rate] = steady(port, _declares(place, TYPED * seconds), per_second=TYPED, limit_s=seconds + 60.0)
            told = json.loads(sender.communicate()[0]) if sender else {}
            sent += told.get("202", 0)
            results.append((f"{rate}/s", told))
        time.sleep(1)
    kept = _count(url)
    heading(f"/detected, {TYPED} a second, while so many webhooks a second come for {seconds} s to one process")
    calm = Laps([laps[0]])
    table(
        ("", "p50", "p99", "p99 over none", "answered 202", "other answers", "p99 of these", "took"),
        [
            (
                name, ms(of.percentile_ms(50)), ms(of.percentile_ms(99)),
                f"{of.percentile_ms(99) / calm.percentile_ms(99):.2f}",
                str(told.get("202", "")), str(told.get("other", "")), ms(told["p99_ms"]) if told else "",
                f"{told['took_s']:.1f} s" if told else "",
            )
            for (name, told), of in zip(results, (Laps([lap]) for lap in laps.values()), strict=True)
        ],
    )  # fmt: skip
    say(f"{sent:,} answered with 202, {kept:,} kept")
    assert sent == kept, "what was answered with 202 is kept, once"


def _sender(place: Office, port: int, rate: int, seconds: int) -> "subprocess.Popen[str]":
    where = path(_SECRET, Address(source="generic", workspace_id=TEAM_ID, channel_id=place.channel))
    arguments = ["-m", "tests.benchmarks.webhooks", str(port), where, str(rate), str(seconds)]
    return subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, *arguments], env=environment({}), stdout=subprocess.PIPE, text=True
    )


def _count(url: str) -> int:
    with closing(Database(url)) as database, database.read() as connection:
        return connection.execute(select(func.count()).select_from(rows)).scalar_one()


def _stored(place: Office, effort: Effort) -> None:
    urls = {"none stored": place.sqlite("empty"), f"{STORED:,} stored": place.sqlite("full")}
    for name, url in urls.items():
        with closing(Database(url)) as database:
            schema.migrate(database)
            if name != "none stored":
                _fill(database)
    with _running(place, urls["none stored"]) as empty, _running(place, urls[f"{STORED:,} stored"]) as full:
        runners, number = dict(zip(urls, (empty, full), strict=True)), effort.of(DECLARATIONS)
        cpu_ms: dict[int, list[float]] = {empty.pid: [], full.pid: []}

        def lap(bot: HookedBot) -> Lap:
            before_s = bot.cpu_s
            taken = back_to_back(bot.port, _declares(place, number), connections=1)
            cpu_ms[bot.pid].append((bot.cpu_s - before_s) / number * 1000)
            return taken

        laps = race(runners, lap, rounds=effort.rounds)
    heading("A declaration, back to back")
    none, many = laps.values()
    cpu = [median(cpu_ms[each.pid]) for each in runners.values()]
    table(
        ("", "p50", "p99", "CPU each"),
        [
            (name, ms(of.percentile_ms(50)), ms(of.percentile_ms(99)), ms(each))
            for (name, of), each in zip(laps.items(), cpu, strict=True)
        ],
    )
    say(f"with over without: p50 {ratio(lambda of: of.percentile_ms(50), many, none)}, CPU {cpu[1] / cpu[0]:.2f}")


def _fill(database: Database) -> None:
    """Signals of many channels, a tenth of them pending changes of everywhere."""
    for start in range(0, STORED, 5_000):
        with database.write() as connection:
            for channel in range(10):
                told = [
                    Signal(
                        source="generic",
                        kind=ALERT if channel else "change",
                        fingerprint=str(number),
                        title=f"alert {number % 50}",
                        occurred_at=_BEGAN + timedelta(seconds=number),
                    )
                    for number in range(start + channel * 500, start + channel * 500 + 500)
                ]
                place = f"C{channel:08}" if channel else signals.EVERYWHERE
                signals.add(connection, TEAM_ID, place, told, at=_BEGAN)
                signals.ask(connection, (TEAM_ID, place), at=None)


async def _send(port: int, where: str, rate: int, seconds: int) -> None:
    """Post so many different alerts a second, each at its instant, and print what was answered."""
    answers, taken_ms = Counter[str](), list[float]()
    begin_s = time.perf_counter() + 0.5

    async def connection_of(first: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(first, rate * seconds, _CONNECTIONS):
            due_s = begin_s + number / rate
            await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
            at = (_BEGAN + timedelta(milliseconds=number)).isoformat()
            alert = {"title": f"a {number % 9}", "id": f"{rate} {number}", "startsAt": at, "status": "open"}
            body = json.dumps(alert)
            writer.write(f"POST {where} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]))
            answers["202" if b" 202 " in head[:20] else "other"] += 1
            taken_ms.append((time.perf_counter() - due_s) * 1000)
        writer.close()

    await asyncio.gather(*(connection_of(first) for first in range(_CONNECTIONS)))
    took_s = time.perf_counter() - begin_s
    sys.stdout.write(json.dumps({**answers, "p99_ms": quantiles(taken_ms, n=100)[98], "took_s": took_s}))


if __name__ == "__main__":
    asyncio.run(_send(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
