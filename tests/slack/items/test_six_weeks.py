"""Six weeks of autumn and six around the year's end, as five owners in five zones live through them with their lead.

The tables next to this file were worked out by hand from deploy/POSTMORTEMS.md.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bot.clock import SetClock
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.objects import Message
from bot.handlers.items.forecast import forecast
from storage.database import Database
from tests.support.ledger import counts
from tests.support.workplace import Workplace, at, workplace

HERE = Path(__file__).parent
ZONES = {
    "lena": "Europe/London",
    "anna": "Europe/Berlin",
    "gus": "Europe/Berlin",
    "ravi": "Asia/Kolkata",
    "tane": "Pacific/Auckland",
    "neil": "America/New_York",
    "lou": "America/Los_Angeles",
    "maya": "Europe/London",
    "omar": "Europe/Berlin",
    "dina": "Europe/London",
}
SUMMARY, PAYMENTS, SECRET = "C000000005", "C000000006", "C000000007"
"""The ids that the stand-in gives the second channel and those after it."""
HIDDEN = re.compile("horse|fence")
"""Words of the private incident."""
TICK = timedelta(minutes=30)
_MOST_ROUNDS = 4
_NAMED = re.compile(r"^(?:• )?\*(?:INC-(?P<incident>\d+) ?)?(?:#(?P<item>\d+))?\*", re.MULTILINE)
_LATE = re.compile(
    r"^(?:<@\w+>, )?\*(?P<words>[^*]+)\* is (?P<days>\d+ days late; .+)\. New date, new owner, or drop\?"
)
_DIGEST = re.compile(r"^(?:Your action items|(?P<lead><@\w+>)?[:,]? ?[tT]hese need a decision): (?P<counts>.+)")
_SUMMARY = re.compile(r"^Action items since [^:]+: (?P<counts>.+)")
_HANDOVERS = {
    "given": re.compile(r" yours now\. Do you take "),
    "left": re.compile(r" left, with \d+ open "),
    "declined": re.compile(r" given back, "),
}
_LINES = {
    "done": " · done",
    "dropped": " · dropped",
    "reopened": " · open again",
    "dated": " · due ",
    "taken": " has it now",
}
_OTHERS = {
    "expired": re.compile(r"^Nobody took "),
    "muted": re.compile(r"^(?P<who>\w+) has muted "),
    "review": re.compile(r"^Reminder: \*review of "),
}
_RECEIPT = re.compile(r"(Action item \d+|The postmortem) of INC-")
"""Of what its reader has just done."""

Act = Callable[[Workplace], object]


@dataclass
class Play:
    """A workplace that lives through a script.

    `said` are the rows of what the bot said by itself, `heads` the moment, the reader, the first line and the items.
    `insiders` are the readers of words of the private incident.
    """

    office: Workplace
    clock: SetClock
    items: Mapping[str, str]
    said: list[str] = field(default_factory=list)
    heads: list[tuple[str, ...]] = field(default_factory=list)
    insiders: set[str] = field(default_factory=set)
    seen: int = 0

    def run(self, script: Mapping[datetime, tuple[Act, ...]], end: datetime) -> None:
        """Let the time pass from the script's first moment on, and tick as `scribe run` does."""
        begin = min(script)
        moments = {begin + number * TICK for number in range((end - begin) // TICK + 1)}
        moments |= script.keys()
        for moment in sorted(moments):
            self.clock.set(moment)
            for act in script.get(moment, ()):
                act(self.office)
            self._tick()
        self.said.sort()

    def _tick(self) -> None:
        for _ in range(_MOST_ROUNDS):
            self.office.bot.remind()
            self.office.deliver()
            before = self.seen
            calls = self.office.slack.calls
            self.seen = len(calls)
            if before == self.seen:
                return
            for call in calls[before:]:
                if HIDDEN.search(str(call.args)):
                    self.insiders.add(self._reader(call.args["channel"])[1])
                if call.method == "chat.postMessage" and not call.error:
                    self._note(call.args["channel"], call.args["text"])
        raise AssertionError("a tick that does not come to an end")

    @property
    def _names(self) -> dict[str, str]:
        return {user: name for name, user in self.office.people.items()}

    def _reader(self, channel: str) -> tuple[str | None, str]:
        """The user, if it is one, and how the tables name the place."""
        place = self.office.slack.workspace.channels.get(channel)
        user = place.with_user if place else channel
        return user, self._names[user] if user else f"#{place.name}" if place else channel

    def _note(self, channel: str, text: str) -> None:
        slack, names = self.office.slack, self._names
        user, name = self._reader(channel)
        what = self._what(text)
        if what is None and (not user or _RECEIPT.match(text)):
            return
        zone = slack.workspace.users[user].zone if user else ZONES["lena"] if channel == self.office.channel else "UTC"
        local = self.clock().astimezone(ZoneInfo(zone or "UTC"))
        self.said.append(f"{local:%Y-%m-%d %H:%M%z} {name} | {what or text}")
        head = re.sub(r"<@(\w+)>", lambda match: names[match[1]], text.partition("\n")[0]).replace("*", "")
        items = "" if head.startswith(("Action items since", "Reminder")) else _numbers(text)
        self.heads.append((f"{self.clock():%Y-%m-%d %H:%M}", name, head, items))

    def _what(self, text: str) -> str | None:
        """The message in the table's format; None for one that is none of them."""
        numbers = _numbers(text)
        if late := _LATE.match(text):
            item = self.items[late["words"]]
            return f"{item} is {late['days']} | {item}"
        if digest := _DIGEST.match(text):
            return f"{'lena: ' if digest['lead'] else ''}{digest['counts']} | {numbers}"
        if summary := _SUMMARY.match(text):
            return f"{summary['counts']} |"
        head = text.partition("\n\n")[0]
        for what, pattern in (_HANDOVERS | _OTHERS).items():
            if found := pattern.search(head):
                return f"{what} | {found.groupdict().get('who') or numbers}"
        if head.startswith("What others did"):
            lines = text.splitlines()[1:]
            kinds = [what for what, words in _LINES.items() if any(words in line for line in lines)]
            return f"{' '.join(kinds)} | {numbers}"
        return None


def _numbers(text: str) -> str:
    """The items and postmortems that the message names: those of INC-1 by their number alone."""
    found = set[str]()
    for each in _NAMED.finditer(text):
        number, item = each["incident"] or "1", f"#{each['item']}" if each["item"] else ""
        found.add((item if number == "1" else f"{number}{item}") if item else f"INC-{number}")
    found |= {f"INC-{number}" for number in re.findall(r"review of INC-(\d+)", text)}
    return " ".join(sorted(found))


def expected(name: str) -> list[str]:
    """The rows of a table without the remarks."""
    lines = [line for line in (HERE / name).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    return sorted(" | ".join(part.strip() for part in line.split("|")[:3]).strip() for line in lines)


def play(
    database: Database, script: Mapping[datetime, tuple[Act, ...]], *, end: str, items: Mapping[str, str], holidays: str
) -> Play:
    """What was said, once the play is over."""
    clock = SetClock(min(script))
    with workplace(database, clock=clock, SCRIBE_HOLIDAYS=holidays, SCRIBE_SUMMARY_CHANNEL=SUMMARY) as office:
        assert [office.slack.add_channel(name) for name in ("ops", "payments")] == [SUMMARY, PAYMENTS]
        assert office.slack.add_channel("secret", private=True) == SECRET
        office.people = {
            name: office.slack.add_user(name, zone=zone, restricted=name == "gus") for name, zone in ZONES.items()
        }
        office.bot.refresh()
        played = Play(office, clock, items)
        played.run(script, at(end))
        return played


def says(name: str, typed: str, *, channel: str | None = None) -> Act:
    """Type a command, which is accepted."""
    return lambda office: office.say(typed, user=office.people[name], channel=channel)


def asks(name: str, typed: str, *, channel: str | None = None) -> Act:
    """Type a command that is answered to the person alone."""
    return lambda office: office.private(typed, user=office.people[name], channel=channel)


def presses(name: str, action: str, value: str, *, place: str = "", times: int = 1) -> Act:
    """Press a button of the newest message there that has it, in one's own direct messages or a channel."""

    def act(office: Workplace) -> None:
        user = office.people[name]
        where = {"": user, "#incident": office.channel}[place]
        answers = [office.slack.click(user, newest(office, where, action, value), action, value)]
        answers += [office.slack.repeat(answers[0]) for _ in range(times - 1)]
        assert [answer.status for answer in answers] == [200] * times

    return act


def fills(name: str, action: str, value: str, **values: str) -> Act:
    """Open a form by a button of one's newest message, and submit it."""

    def act(office: Workplace) -> None:
        user = office.people[name]
        office.slack.click(user, newest(office, user, action, value), action, value)
        office.slack.wait_for(lambda: office.slack.modal(user))
        answer: Answer = office.slack.submit(user, values)
        assert answer.body == {}, answer

    return act


def newest(office: Workplace, place: str, action: str, value: str) -> Message:
    """The newest message with that button or choice."""
    for message in reversed(office.messages(place)):
        for block in message.blocks:
            for element in block.get("elements", ()):
                values = [element.get("value"), *(option["value"] for option in element.get("options", ()))]
                if element.get("action_id", "").startswith(action) and value in values:
                    return message
    raise AssertionError(f"nothing in {place} has {action} {value}")


def changes(name: str, *, zone: str | None = None, deleted: bool | None = None) -> Act:
    """Move to another zone, or leave."""
    return lambda office: office.slack.change_user(office.people[name], zone=zone, deleted=deleted)


AUTUMN: dict[datetime, tuple[Act, ...]] = {
    at("2026-10-12T12:00:00Z"): (
        says("lena", "/detected disk full"),
        says("lena", "/incident lead @lena"),
        says("lena", "/actionitem @anna by 2026-10-16: buy disks"),
        says("lena", "/actionitem @ravi by 2026-10-24: raise the limit"),
        says("lena", "/actionitem @tane by 2026-10-25: rotate the keys"),
        says("lena", "/actionitem @neil by 2026-10-30: add an alert"),
        says("lena", "/actionitem @lou by 2026-11-02: write the runbook"),
        says("lena", "/actionitem @lena by 2026-11-06: ask the vendor"),
        says("lena", "/actionitem @gus by 2026-11-13: check the invoices"),
        says("lena", "/actionitem @anna tidy the dashboards"),
        says("lena", "/resolved disks are new"),
    ),
    at("2026-10-13T17:00:00Z"): (says("lou", "/actionitem drill the failover"),),
    at("2026-10-14T09:00:00Z"): (
        says("dina", "/detected the horse is gone", channel=SECRET),
        says("dina", "/incident lead @maya", channel=SECRET),
        says("dina", "/actionitem @omar by 2026-10-21: find the horse", channel=SECRET),
        says("dina", "/actionitem @maya by 2026-11-06: mend the fence", channel=SECRET),
    ),
    at("2026-10-19T09:30:00Z"): (presses("anna", "item_done", "INC-1 1", times=2),),
    at("2026-10-20T14:00:00Z"): (says("lena", "/actionitem @neil by 2026-11-27: buy a UPS"),),
    at("2026-10-20T15:00:00Z"): (presses("neil", "item_decline", "INC-1 10"),),
    at("2026-10-20T15:30:00Z"): (says("lena", "/actionitem assign 10 @tane"),),
    at("2026-10-20T21:00:00Z"): (presses("tane", "item_accept", "INC-1 10", times=2),),
    at("2026-10-26T10:00:00Z"): (presses("lena", "postmortem_seen", "INC-1"),),
    at("2026-10-27T21:00:00Z"): (says("tane", "/actionitem snooze 3 21d"),),
    at("2026-10-28T10:00:00Z"): (says("lena", "/actionitem done 2"),),
    at("2026-10-28T10:05:00Z"): (says("lena", "/actionitem reopen 2"),),
    at("2026-10-28T12:00:00Z"): (asks("anna", "/actionitem remind monday 9:30"),),
    at("2026-11-01T12:00:00Z"): (changes("ravi", zone="Europe/Berlin"),),
    at("2026-11-03T10:00:00Z"): (presses("lena", "item_snooze", "INC-1 3 next week", place="#incident"),),
    at("2026-11-03T12:00:00Z"): (changes("maya", deleted=True),),
    at("2026-11-03T14:00:00Z"): (says("dina", "/actionitem assign 2 @omar", channel=SECRET),),
    at("2026-11-04T14:00:00Z"): (changes("neil", deleted=True),),
    at("2026-11-05T15:00:00Z"): (says("lena", "/actionitem assign 4 @lou"),),
    at("2026-11-06T10:00:00Z"): (presses("lena", "item_done", "INC-1 6", times=2),),
    at("2026-11-10T10:00:00Z"): (
        fills("ravi", "item_date", "INC-1 2", due="2026-11-18"),
        says("lena", "/actionitem due 8 2026-11-20"),
    ),
    at("2026-11-10T18:00:00Z"): (asks("lou", "/actionitem remind mute"),),
    at("2026-11-12T18:00:00Z"): (says("lou", "/actionitem done INC-1 5"),),
    at("2026-11-17T14:00:00Z"): (
        presses("lena", "item_done", "INC-1 3", place="#incident", times=2),
        presses("anna", "item_done", "INC-1 3", place="#incident"),
    ),
}
AUTUMN_ITEMS = {"add an alert": "#4", "write the runbook": "#5", "find the horse": "2#1", "mend the fence": "2#2"}

YEAR_END: dict[datetime, tuple[Act, ...]] = {
    at("2026-11-30T15:00:00Z"): (
        says("lena", "/detected disk full"),
        says("lena", "/incident lead @lena"),
        says("lena", "/postmortem review 2026-12-28 16:00 UTC with @tane"),
        *(says("lena", f"/actionitem @anna by 2026-12-{day:02}: buy disk {day}") for day in range(7, 12)),
        says("lena", "/actionitem @ravi by 2026-12-24: raise the limit"),
        says("lena", "/actionitem @tane by 2026-12-31: rotate the keys"),
        says("lena", "/actionitem @lou by 2026-12-18: write the runbook"),
        says("lena", "/actionitem @neil by 2027-01-01: add an alert"),
        says("lena", "/resolved disks are new"),
        says("neil", "/detected payments fail", channel=PAYMENTS),
        says("neil", "/actionitem @lou by 2026-12-11: fix the retries", channel=PAYMENTS),
    ),
    at("2026-12-07T10:00:00Z"): (presses("lena", "postmortem_seen", "INC-1"),),
    at("2026-12-08T15:00:00Z"): (says("neil", "/actionitem page the vendor", channel=PAYMENTS),),
    at("2026-12-11T18:00:00Z"): (lambda office: office.slack.change_channel(office.channel, archived=True),),
    at("2026-12-15T10:00:00Z"): (presses("anna", "item_done", "INC-1 1", times=2),),
    at("2026-12-16T18:00:00Z"): (asks("lou", "/actionitem remind daily 8:00", channel=SUMMARY),),
    at("2026-12-21T15:00:00Z"): (asks("anna", "/actionitem remind off until 2027-01-04", channel=SUMMARY),),
    at("2026-12-26T12:00:00Z"): (changes("ravi", zone="America/New_York"),),
    at("2026-12-29T16:00:00Z"): (asks("ravi", "/actionitem assign INC-1 6 @neil", channel=SUMMARY),),
    at("2027-01-04T21:00:00Z"): (asks("tane", "/actionitem snooze INC-1 7 3d", channel=SUMMARY),),
    at("2027-01-05T10:00:00Z"): (fills("lena", "item_drop", "INC-1 5", words="not worth it"),),
}
YEAR_END_HOLIDAYS = "2026-12-24,2026-12-25,2026-12-31,2027-01-01"
YEAR_END_ITEMS = {"buy disk 7": "#1", "fix the retries": "2#1"}


def differences(said: list[str], table: str) -> str:
    """What is in one of them alone, by recipient."""
    wanted = expected(table)
    rows = [f"+ {row}" for row in said if row not in wanted] + [f"- {row}" for row in wanted if row not in said]
    twice = [f"twice {row}" for row, group in groupby(said) if len(list(group)) > 1]
    return "\n".join(sorted(rows, key=lambda row: (row[2:].split("|")[0].split()[-1], row[2:]))) + "\n".join(twice)


def test_six_weeks_of_autumn_are_as_the_guide_says(sqlite: Database) -> None:
    played = play(sqlite, AUTUMN, end="2026-11-23T18:00:00Z", items=AUTUMN_ITEMS, holidays="2026-11-02")
    assert differences(played.said, "six_weeks_autumn.txt") == ""
    assert played.said == expected("six_weeks_autumn.txt")
    assert played.insiders == {"#secret", "dina"}


def test_six_weeks_around_the_year_s_end_are_as_the_guide_says(sqlite: Database) -> None:
    said = play(sqlite, YEAR_END, end="2027-01-11T12:00:00Z", items=YEAR_END_ITEMS, holidays=YEAR_END_HOLIDAYS).said
    assert differences(said, "six_weeks_year_end.txt") == ""
    assert said == expected("six_weeks_year_end.txt")


FORECAST_FROM, FORECAST_TO = min(YEAR_END), "2027-01-06T18:00:00Z"
_DAY = re.compile(r"[A-Z][a-z]+day \d+ \w+ \d{4}")
_SAID = re.compile(r"  (?P<clock>\d\d:\d\d)(?: \([^()]+\))? · (?P<to>[^:]+): (?P<head>.+)")
_ABOUT = re.compile(r"    INC-(?P<incident>\d+)(?: #(?P<item>\d+))?(?P<rest>.*)")


def forecast_rows(text: str) -> Iterator[tuple[str, ...]]:
    """The messages of a forecast, as a play notes them."""
    day, row, found = "", None, set[str]()
    for line in [*text.splitlines()[1:], "  00:00 · nobody: the end"]:
        if _DAY.fullmatch(line):
            day = datetime.strptime(line.partition(" ")[2], "%d %B %Y").date().isoformat()  # noqa: DTZ007 - a date
        elif said := _SAID.fullmatch(line):
            if row:
                yield (*row, " ".join(sorted(found)))
            row, found = (
                (f"{day} {said['clock']}", said["to"].replace("the channel of the summary", "#ops"), said["head"]),
                set(),
            )
        elif about := _ABOUT.fullmatch(line):
            number = "" if about["incident"] == "1" else about["incident"]
            found.add(f"{number}#{about['item']}" if about["item"] else f"INC-{about['incident']}")


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_forecast_tells_what_is_said_then_if_nobody_does_anything(kind: str, request: pytest.FixtureRequest) -> None:
    """Hand-overs, digests, escalations, summaries, a review, a mute and a proposal that is dropped."""
    database: Database = request.getfixturevalue(kind)
    forecasts: list[str] = []

    def foresee(office: Workplace) -> None:
        before = counts(office)
        settings = office.bot.context.settings
        forecasts.append(forecast(database, settings, at=FORECAST_FROM, until=at(FORECAST_TO)))
        assert counts(office) == before

    acts = (
        *YEAR_END[FORECAST_FROM],
        says("neil", "/actionitem page the vendor", channel=PAYMENTS),
        asks("lou", "/actionitem remind mute"),
        foresee,
    )
    played = play(database, {FORECAST_FROM: acts}, end=FORECAST_TO, items=YEAR_END_ITEMS, holidays=YEAR_END_HOLIDAYS)
    told = {head.partition(":")[0].partition(" ")[0] for _, _, head, _ in played.heads}
    assert {"Your", "An", "Action", "Reminder", "Nobody", "lou"} <= told
    reviewed = [
        (when, to, "Reminder: the review of INC-1 is ahead." if head.startswith("Reminder") else head, items)
        for when, to, head, items in played.heads
    ]
    assert sorted(forecast_rows(forecasts[0])) == sorted(reviewed)
