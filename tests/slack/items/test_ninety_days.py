"""Ninety days of reminders, hour by hour, over both changes of daylight saving time and the end of a year."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection

from bot.clock import SetClock
from bot.domain.items.cadence import Cadence
from bot.fakeslack.objects import Message
from bot.handlers.items.reminders import tick
from bot.slack.bot import build
from storage.database import Database
from storage.items import reminder_schedules
from tests.support.as_posted import as_posted
from tests.support.workplace import Workplace, at, workplace

BEGIN, END, HOUR = at("2026-10-03T12:00:00Z"), at("2027-01-05T12:00:00Z"), timedelta(hours=1)
HOLIDAYS = "2026-12-25,2027-01-01"
ZONES = {"anna": "Europe/Berlin", "lou": "America/Los_Angeles", "syd": "Australia/Sydney"}
SCRIPT: dict[datetime, tuple[tuple[str, str], ...]] = {
    BEGIN: (
        ("anna", "/detected keys leaked"),
        ("anna", "/incident lead @anna"),
        ("anna", "/actionitem @syd by 2026-10-07: rotate the keys"),
        ("anna", "/actionitem @lou by 2026-10-30: raise the limit"),
        ("anna", "/actionitem @anna by 2026-10-23: write the runbook"),
        ("lou", "/actionitem add an alert"),
        ("anna", "/resolved keys are new"),
    ),
    at("2026-10-06T12:00:00Z"): (("anna", "/actionitem confirm 4"),),
    at("2026-10-07T03:00:00Z"): (("syd", "/actionitem done 1"),),
    at("2026-10-20T12:00:00Z"): (("anna", "/actionitem drop 4 not worth it"),),
    at("2026-10-27T12:00:00Z"): (("anna", "/actionitem done 3"),),
    at("2026-11-20T20:00:00Z"): (("lou", "/actionitem snooze 2 10d"),),
    at("2026-11-30T12:00:00Z"): (("anna", "/actionitem worked 3 yes the runbook was used"),),
    at("2026-12-01T12:00:00Z"): (("anna", "/actionitem @anna by 2026-12-18: drill it"),),
    at("2026-12-08T12:00:00Z"): (("syd", "/actionitem assign 2 @anna"),),
    at("2026-12-21T12:00:00Z"): (("anna", "/actionitem @syd by 2026-12-31: close the account"),),
}
TABLE = Path(__file__).parent / "ninety_days.txt"
_DIGEST = re.compile(r"(?:Your action items|.*[tT]hese need a decision): |.* New date, new owner, or drop\?")


class KilledError(BaseException):
    """Stands for the death of a process within a transaction, which nothing handles."""


@dataclass
class KilledDatabase:
    """A database that raises KilledError before the first commit."""

    real: Database
    read: Callable[..., object] = field(init=False)

    def __post_init__(self) -> None:
        self.read = self.real.read

    @contextmanager
    def write(self) -> Iterator[Connection]:
        with self.real.write() as connection:
            yield connection
            raise KilledError


def expected() -> list[str]:
    """The rows of the table without the remarks."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return [" | ".join(part.strip() for part in line.split("|")[:3]) for line in lines]


@contextmanager
def walked_workplace(database: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(database, clock=clock, SCRIBE_HOLIDAYS=HOLIDAYS) as place:
        place.people = {name: place.slack.add_user(name, zone=zone) for name, zone in ZONES.items()}
        place.bot.refresh()
        yield place


def walk(office: Workplace, clock: SetClock, each_hour: Callable[[], None]) -> list[str]:
    """Each hour type the script's commands, then call `each_hour`; returns the messages in the table's format."""
    now, places = BEGIN, {**{user: name for name, user in office.people.items()}, office.channel: "#incident"}
    while now < END:
        clock.set(now)
        for name, typed in SCRIPT.get(now, ()):
            office.say(typed, user=office.people[name])
        each_hour()
        now += HOUR
    office.deliver()
    messages = [(message, name) for place, name in places.items() for message in as_posted(office.slack, place)]
    digests = [each for each in messages if _DIGEST.match(each[0].text)]
    return sorted(_row(message, name, office) for message, name in digests)


def _row(message: Message, name: str, office: Workplace) -> str:
    head, *parts = message.text.split("\n\n")
    said = head.removeprefix("Your action items: ").replace(f"<@{office.people['anna']}>", "anna")
    numbers = re.findall(r"^\*INC-1(?: (#\d))?\*", "\n".join(parts), re.MULTILINE)
    sent_at = datetime.fromtimestamp(float(message.ts), tz=BEGIN.tzinfo)
    named = " ".join(number or "INC-1" for number in numbers)
    return f"{sent_at:%Y-%m-%d %H:%M} {name} | {said} | {named}"


def test_the_messages_of_three_months_are_the_ones_worked_out_by_hand(sqlite: Database) -> None:
    clock = SetClock(BEGIN)
    with walked_workplace(sqlite, clock) as office:

        def each_hour() -> None:
            office.bot.remind()
            office.deliver()

        assert walk(office, clock, each_hour) == expected()


def test_a_kill_at_every_tick_with_due_reminders_loses_and_repeats_nothing(postgres: Database) -> None:
    """Once before the claim is committed, once after it and before delivery; each time another process continues."""
    clock = SetClock(BEGIN)
    with walked_workplace(postgres, clock) as office:
        killed: list[datetime] = []

        def each_hour() -> None:
            with postgres.read() as connection:
                if not reminder_schedules.is_due(connection, at=clock()):
                    return
            cadence: Cadence = office.bot.context.settings.cadence
            with pytest.raises(KilledError):
                tick(KilledDatabase(postgres), cadence, at=clock())  # type: ignore[arg-type]
            tick(postgres, cadence, at=clock())
            after = build(office.bot.context.settings, postgres, clock=clock)
            after.remind()
            after.context.delivery.deliver_due()
            after.stop()
            killed.append(clock())

        assert walk(office, clock, each_hour) == expected()
        assert len(killed) >= len(expected()) - 2


def test_after_twelve_days_without_a_bot_each_person_gets_one_digest_in_working_hours(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/incident lead @alice")
    for day in (13, 16, 17, 20, 23):
        office.say(f"/actionitem @bob by 2026-03-{day}: buy disk {day}")
    office.say("/actionitem @alice by 2026-03-14: sell disks")
    clock: SetClock = office.bot.context.clock  # type: ignore[assignment]
    for hours in range(48):
        clock.set(at("2026-03-24T06:00:00Z") + hours * HOUR)
        office.bot.remind()
        office.deliver()
    (bobs,) = (each for each in office.slack.messages(office.bob) if "Your action items" in each.text)
    (alices,) = office.slack.messages(office.alice)
    # His hand-over came in the same second.
    assert datetime.fromtimestamp(int(float(bobs.ts)), tz=BEGIN.tzinfo) == at("2026-03-24T16:00:00Z")
    assert datetime.fromtimestamp(float(alices.ts), tz=BEGIN.tzinfo) == at("2026-03-24T09:00:00Z")
    assert bobs.text.startswith(
        "Your action items: 5 open · 5 overdue, the oldest 11 days\n\n*INC-1 #1* · buy disk 13\n"
    )
    assert alices.text.startswith(
        "Your action items: 1 open · 1 overdue, the oldest 10 days\n\n*INC-1 #6* · sell disks"
    )
    escalations = [each for each in office.slack.messages(office.channel) if "need a decision" in each.text]
    assert [re.findall(r"#(\d)\*", each.text) for each in escalations] == [["1", "2", "3"]]
