"""The walk of a command through the code: which files and rooms its threads enter, recorded while it is done."""

import sys
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from bot.clock import SetClock
from bot.telemetry.context import Heartbeat
from storage import schema
from storage.database import Database
from tests.support.paths import ROOT
from tests.support.workplace import Workplace, at, workplace

NOON = at("2026-03-12T12:00:00Z")
_NOT_WALKED = ("bot/fakeslack", "bot/telemetry/logs.py", "bot/server/supervisor.py")
"""The stand-in, the log, and what keeps threads turning, which idle ones do too."""


@dataclass
class Walk:
    """What was entered. `stays` counts how often control went into another file than the one it was in."""

    name: str
    files: set[str] = field(default_factory=set)
    stays: int = 0

    @property
    def rooms(self) -> set[str]:
        """The folders of `bot`, its modules, and `storage`."""
        return {file if file.count("/") == 1 and file.startswith("bot/") else _room(file) for file in self.files}


def _room(file: str) -> str:
    parts = file.split("/")
    return "/".join(parts[:2]) if parts[0] == "bot" else parts[0]


class Recorder:
    """A profile function for `sys.setprofile`, which notes each of our files that a call enters while it is on."""

    def __init__(self) -> None:
        self._walk: Walk | None = None
        self._last: dict[int, str] = defaultdict(str)
        self._ours: dict[str, str | None] = {}

    @contextmanager
    def walking(self, name: str) -> Iterator[Walk]:
        """Record within the block, in this thread and in those that have the profile function since they began."""
        walk = self._walk = Walk(name)
        sys.setprofile(self)
        try:
            yield walk
        finally:
            sys.setprofile(None)
            self._walk = None

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        # The beats of idle threads are no steps of anybody's.
        if self._walk is None or event != "call" or frame.f_code is Heartbeat.beat.__code__:
            return
        path = frame.f_code.co_filename
        if path not in self._ours:
            self._ours[path] = _ours(path)
        file = self._ours[path]
        if file is not None:
            thread = threading.get_ident()
            self._walk.files.add(file)
            self._walk.stays += file != self._last[thread]
            self._last[thread] = file


def _ours(path: str) -> str | None:
    """The file's path from the project's root; None for a file of others, and for the stand-in."""
    try:
        file = Path(path).relative_to(ROOT).as_posix()
    except ValueError:
        return None
    return file if file.startswith(("bot/", "storage/")) and not file.startswith(_NOT_WALKED) else None


def _detected(office: Workplace) -> None:
    office.say("/detected at 11:58 disk full", channel=office.slack.add_channel("db"))


def _noted(office: Workplace) -> None:
    office.say("/note we look")


def _resolved(office: Workplace) -> None:
    office.say("/resolved it is over")


def _drafted(office: Workplace) -> None:
    office.say("/postmortem draft")
    office.deliver()
    # The message waits for its turn among the workspace's edits, and the files wait for the message.
    _clock(office).set(_clock(office)() + timedelta(seconds=10))
    office.deliver()


def _item(office: Workplace) -> None:
    office.say("/actionitem @alice by 2026-03-13: alert on a full disk")


def _clock(office: Workplace) -> SetClock:
    clock = office.bot.context.clock
    assert isinstance(clock, SetClock)
    return clock


def _reminded(office: Workplace) -> None:
    _clock(office).set(at("2026-03-16T12:00:00Z"))
    office.bot.remind()
    office.deliver()


WALKS: dict[str, Callable[[Workplace], None]] = {
    "/detected": _detected,
    "/note": _noted,
    "/actionitem": _item,
    "/resolved": _resolved,
    "/postmortem draft": _drafted,
    "a reminder": _reminded,
}


def recorded() -> list[Walk]:
    """Every walk, in the order of WALKS, each after the code has run once, so that no first import is part of it."""
    recorder = Recorder()
    threading.setprofile(recorder)
    try:
        with TemporaryDirectory() as folder:
            database = Database(f"sqlite:///{folder}/scribe.db")
            schema.migrate(database)
            with workplace(database, clock=SetClock(NOON), SCRIBE_CARD="on") as office:
                office.say("/detected warm up")
                for run in WALKS.values():
                    run(office)
                _clock(office).set(NOON)
                office.say("/detected disk full")
                walks = []
                for name, run in WALKS.items():
                    # What follows from the walk before, such as a look after its new channel, is no part of this one.
                    for seconds in (0, 10, 10):
                        _clock(office).set(_clock(office)() + timedelta(seconds=seconds))
                        office.deliver()
                    with recorder.walking(name) as walk:
                        run(office)
                    walks.append(walk)
            database.close()
    finally:
        threading.setprofile(None)
    return walks
