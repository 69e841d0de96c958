"""Who takes part: the floor, bare Bolt, and Scribe over a database, each in a process of its own."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qs

from sqlalchemy import select

from storage.database import Database
from storage.models import timeline_entries
from tests.benchmarks.load import Lap
from tests.benchmarks.office import Office
from tests.benchmarks.processes import cpu_s, free_port, python, wait_listening
from tests.benchmarks.requests import Typist

_HEAD = "by monitoring: p99 of checkout over 5 s, "


@dataclass(slots=True, kw_only=True)
class Contender:
    """Something that answers `/detected` on its port. `stored` reads back what it keeps, if it keeps anything."""

    name: str
    port: int
    pid: int
    author_name: Typist
    stored: Callable[[], list[str]] | None = None
    sent: int = field(default=0)

    def detections(self, n: int, *, among: Sequence[Typist] = ()) -> list[bytes]:
        """Requests for `/detected`, each with words of its own, of the author or `among` several in turn."""
        numbers = range(self.sent, self.sent + n)
        self.sent += n
        authors = among or (self.author_name,)
        return [authors[number % len(authors)].types("/detected", f"{_HEAD}no. {number}") for number in numbers]

    def timed(self, run: Callable[[], Lap]) -> Lap:
        """The lap that `run` gives, with the CPU time that the process took for it."""
        before_s = cpu_s(self.pid)
        lap = run()
        return replace(lap, cpu_s=cpu_s(self.pid) - before_s)

    def check(self) -> str:
        """Say that what was sent is stored once each. Raises AssertionError otherwise.

        Every request must have been acknowledged: the load gives up on one that was not.
        """
        if self.stored is None:
            return f"{self.name}: {self.sent} acknowledged, nothing kept"
        wanted = Counter(f"p99 of checkout over 5 s, no. {number}" for number in range(self.sent))
        assert Counter(self.stored()) == wanted, f"{self.name}: what is stored is not what was acknowledged"
        return f"{self.name}: {self.sent} acknowledged, each stored exactly once"


@contextmanager
def floor(office: Office, name: str = "floor") -> Iterator[Contender]:
    """The least that answers durably; its file has that name."""
    port, file = free_port(), office.folder / f"{name}.db"
    with python(["-m", "tests.benchmarks.floor", str(port), str(file), office.slack.signing_secret]) as process:
        wait_listening(process, port)
        yield Contender(
            name="floor", port=port, pid=process.pid, author_name=office.author_name, stored=lambda: _bodies(file)
        )


def _bodies(file: Path) -> list[str]:
    with sqlite3.connect(file) as connection:
        rows = connection.execute("SELECT body FROM entries").fetchall()
    return [parse_qs(body)["text"][0].removeprefix("by monitoring: ") for (body,) in rows]


@contextmanager
def bare_bolt(office: Office) -> Iterator[Contender]:
    """Bolt doing nothing."""
    port = free_port()
    with python(["-m", "tests.benchmarks.bare_bolt", str(port), office.slack.signing_secret]) as process:
        wait_listening(process, port)
        yield Contender(name="bare Bolt", port=port, pid=process.pid, author_name=office.author_name)


@contextmanager
def scribe(office: Office, url: str, *, name: str = "Scribe") -> Iterator[Contender]:
    """`scribe run` over the database at `url`."""
    port = free_port()
    with python(["-m", "bot", "run", "--port", str(port)], office.settings(url)) as process:
        wait_listening(process, port)
        yield Contender(
            name=name, port=port, pid=process.pid, author_name=office.author_name, stored=lambda: _words(url)
        )


def _words(url: str) -> list[str]:
    database = Database(url)
    with database.read() as connection:
        words = list(connection.execute(select(timeline_entries.c.text)).scalars())
    database.close()
    return words
