"""A private incident is shown in its own channel only: one table lists every way to show an incident."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from bot.cli import main
from bot.clock import SetClock
from bot.fakeslack.delivery import PayloadDelivery
from bot.fakeslack.objects import Call
from bot.handlers.items import handovers, reminders
from bot.handlers.later import MOST_ENTRIES
from bot.handlers.routes import INTERACTIONS
from bot.handlers.sources.alerts import ask_to_confirm, request_for
from bot.run import tick_intervals
from bot.slack.context import FORM
from bot.slack.identity import Facts
from bot.slack.outbound import home
from bot.vocabulary import ADD_TO_TIMELINE, COMMANDS
from storage import outbox as outboxes
from storage.database import Database
from storage.models import outbox
from storage.sources import signals
from storage.values import ALERT, CHANGE, Signal
from tests.integration.storage.rows import say
from tests.support.abroad import HEADS, TYPED, declares, rows
from tests.support.ledger import entries, incident, incident_count
from tests.support.workplace import Workplace, workplace

SECRET = "zebra"  # noqa: S105 - a word that occurs nowhere else
ELSEWHERE = "C000000005"
"""The id that the stand-in gives the outside channel, the first thing added to the workplace."""
MONTH = timedelta(days=30)
TERMINAL = {
    "backfill": "needs the database itself; it names one incident",
    "backup": "needs the database itself, which contains everything",
    "change": "keeps a change, and shows no incident",
    "check": "as above",
    "demo": "has a separate database, or a named one",
    "doctor": "shows the state of the database, no incidents",
    "erase": "as above; it repeats no words",
    "export": "as above; it names one incident",
    "import": "as above",
    "log": "as above",
    "manifest": "reads no database",
    "migrate": "shows the schema's number",
    "remind": "as above; it names items",
    "replay": "has a separate database",
    "report": "counts private ones only with --private",
    "restore": "as backup",
    "run": "is tested by all other tests here",
    "sources": "reads no database",
    "spool": "counts what was set aside and shows the reasons, no words",
}
"""The terminal's commands, and why none of them needs to hide private incidents."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Bob is in none of the channels of INC-1 to INC-3; Alice is, and also in `elsewhere`.

    `readers` may read of them in a direct message: Alice, and Dora, who has proposed an item in each of them.
    """

    office: Workplace
    own: frozenset[str]
    elsewhere: str
    published: Path
    clock: SetClock
    readers: frozenset[str] = frozenset()

    def output(self, act: Callable[["Scenario"], object]) -> str:
        """The answers, calls and files that `act` causes outside the incidents' channels, as JSON."""
        slack = self.office.slack
        answers, calls, files = len(slack.answers), len(slack.calls), len(slack.files)
        act(self)
        self.office.deliver()
        parts = [
            *(each.body for each in slack.answers[answers:] if each.channel not in self.own),
            *(each.args for each in slack.calls[calls:] if not self._within(each)),
            *(
                (each.name, each.title, each.initial_comment, each.content.decode(errors="replace"))
                for each in slack.files[files:]
                if each.channel not in self.own
            ),
        ]
        return json.dumps(parts, ensure_ascii=False, default=str)

    def _within(self, call: Call) -> bool:
        """Whether a call is for an own channel or a reader, or begins an upload, whose end names the channel."""
        canvases = {each.id: each.channel for each in self.office.slack.canvases}
        places = (call.args.get("channel_id"), call.args.get("channel"), canvases.get(call.args.get("canvas_id", "")))
        return not (self.own | self.readers).isdisjoint(places) or call.method == "files.getUploadURLExternal"


@pytest.fixture
def scenario(sqlite: Database, clock: SetClock, tmp_path: Path) -> Iterator[Scenario]:
    """INC-1, private and resolved; INC-3, a duplicate of INC-1; INC-2, open, in a private channel."""
    published = tmp_path / "published"
    published.mkdir()
    place = str(published)
    with workplace(
        sqlite,
        clock=clock,
        SCRIBE_PUBLISH_DIR=place,
        SCRIBE_CANVAS="on",
        SCRIBE_CHANNELS="on",
        SCRIBE_UPDATES_CHANNEL=ELSEWHERE,
        SCRIBE_CARD="on",
        SCRIBE_REACTIONS="pushpin",
        SCRIBE_PINS="on",
        SCRIBE_FILES="images",
        SCRIBE_FILES_DIR=str(tmp_path / "files"),
        SCRIBE_PROMETHEUS="http://127.0.0.1:1",
        SCRIBE_SUMMARY_CHANNEL=ELSEWHERE,
        SCRIBE_REMINDERS="worked=20d,drop=20d",
    ) as office:
        office.slack.scopes |= {
            "canvases:write", "channels:history", "files:read", "groups:history", "pins:read", "pins:write",
            "reactions:read",
        }  # fmt: skip
        office.bot.context.identity.facts = Facts()
        office.bot.refresh()
        elsewhere = office.slack.add_channel("elsewhere")
        assert elsewhere == ELSEWHERE
        office.people["dora"] = office.slack.add_user("dora", zone="UTC")
        office.bot.refresh()
        hidden = office.slack.add_channel("acquisition", private=True)
        for channel in (office.channel, hidden):
            _record_everything(office, channel)
        office.say("/resolved the zebra is back")
        again = office.ask("/detected the zebra again")
        office.slack.click(office.alice, again, "reopen")
        office.say("/incident private")
        office.say("/resolved it is back")
        office.deliver()
        own, readers = frozenset({office.channel, hidden}), frozenset({office.alice, office.people["dora"]})
        yield Scenario(office, own, elsewhere, published, clock, readers)


def _record_everything(office: Workplace, channel: str) -> None:
    """Record every kind of row for an incident; an item's owner and the lead are not in the channel."""
    office.say("/incident open SEV1 the zebra is out", channel=channel)
    for typed in (
        "/impact 5% of zebra stables",
        "/cause process: ask the zebra",
        "/actionitem @alice: fence the zebra",
        "/actionitem @bob by friday: feed the zebra",
        "/actionitem @carol: wash the zebra",
        "/actionitem done 3",
        "/actionitem @carol: walk the zebra",
        "/actionitem done 4",
        "/actionitem worked 4 no the zebra ran",
        "/incident lead @bob",
        "/incident role ops @carol",
        "/incident handover @bob: the zebra is yours",
        "/escalated @carol for the zebra",
        "/incident update the zebra is tired, next in 30m",
        "/postmortem draft",
    ):
        office.say(typed, channel=channel)
        office.deliver()
    office.say("/actionitem count the zebra's stripes", channel=channel, user=office.people["dora"])
    office.say("/postmortem review 2026-03-19 10:00 with @bob", channel=channel)
    pinned = office.slack.say(office.alice, channel, "a zebra on the road")
    office.slack.react(office.alice, pinned, "pushpin")
    office.slack.unreact(office.alice, pinned, "pushpin")
    office.deliver()


NAMED = [f"{head}{name}" for head in HEADS for name in ("", " INC-1", " INC-2 1", " INC-3")]


def _commands(place: Callable[[Scenario], tuple[str, str]], every: Iterable[str] = NAMED) -> Callable[[Scenario], None]:
    """Type every command, as the user and in the channel that `place` returns."""

    def act(scenario: Scenario) -> None:
        user, channel = place(scenario)
        for typed in sorted(set(every), key=lambda typed: (declares(typed), typed)):
            scenario.office.ask(typed, user=user, channel=channel)
            scenario.office.slack.workspace.close_view(user, all_of_them=True)

    return act


def _mentions(scenario: Scenario) -> None:
    for typed in NAMED:
        scenario.office.slack.say(scenario.office.bob, scenario.elsewhere, f"@scribe {typed.removeprefix('/')}")


def _direct_messages(scenario: Scenario) -> None:
    for typed in NAMED:
        scenario.office.slack.write(scenario.office.bob, typed.removeprefix("/"))


def _forms(scenario: Scenario) -> None:
    slack, bob = scenario.office.slack, scenario.office.bob
    message = slack.say(bob, scenario.elsewhere, "INC-1")
    slack.shortcut(bob, message, ADD_TO_TIMELINE)
    assert slack.modal(bob)
    slack.submit(bob, {"words": "INC-1"})
    slack.workspace.close_view(bob, all_of_them=True)


def _reactions(scenario: Scenario) -> None:
    message = scenario.office.slack.say(scenario.office.bob, scenario.elsewhere, "INC-1")
    scenario.office.slack.react(scenario.office.bob, message, "pushpin")
    scenario.office.slack.unreact(scenario.office.bob, message, "pushpin")


def _pins(scenario: Scenario) -> None:
    """With pictures, in a channel whose own incident they are taken for."""
    office, slack, bob = scenario.office, scenario.office.slack, scenario.office.bob
    place = slack.add_channel("paddock")
    office.say("/incident open SEV3 a horse", channel=place)
    for words in ("INC-1", "a horse"):
        message = slack.share(bob, place, "horse.png", b"no picture", text=words)
        slack.pin(bob, message)
        office.deliver()
        slack.unpin(bob, message)


def _graphs(scenario: Scenario) -> None:
    """Of a Prometheus that does not answer, on the incident of a channel where they are asked for."""
    meadow = scenario.office.slack.add_channel("meadow")
    scenario.office.say("/incident open SEV3 a horse", channel=meadow)
    scenario.office.say("/note graph INC-1", channel=meadow)
    scenario.office.deliver()


def _buttons(scenario: Scenario) -> None:
    """Forge a click on every button, with the names of private incidents and items."""
    office = scenario.office
    stable = office.slack.add_channel("stable")
    office.say("/incident open SEV3 a horse", channel=stable)
    office.say("/resolved the horse", channel=stable)
    button = office.ask("/detected a horse again", channel=stable)
    ours = f"INC-{incident_count(office)}"
    pressed = office.slack.click(office.bob, button, "reopen").delivery.payload
    posts = office.slack.transport
    values = (f"INC-1 {ours}", f"INC-3 {ours}", f"{ours} INC-2", "INC-2 1", "INC-2 card", "1")
    for number, (action, value) in enumerate(product([*INTERACTIONS, *home.CLICKS, *COMMANDS], values)):
        actions = [{**pressed["actions"][0], "action_id": action, "value": value}]
        payload = {**pressed, "actions": actions, "trigger_id": f"forged {number}"}
        assert posts.deliver(PayloadDelivery(kind="interactive", payload=payload)).status == 200


def _joining(scenario: Scenario) -> None:
    """Who joins the channel of a private incident is told of it there; who joins another channel is not."""
    office, carol = scenario.office, scenario.office.carol
    office.slack.scopes |= {"channels:read", "groups:read"}
    for channel in (scenario.elsewhere, *sorted(scenario.own)):
        office.slack.join(carol, channel)
        alone = [each for each in office.messages(channel, carol) if each.ephemeral_for == carol]
        told = [each for each in alone if each.text.startswith("INC-2 · open · ")]
        assert len(told) == (incident(office, 2).channel_id == channel)


def _home(scenario: Scenario) -> None:
    for user in (scenario.office.bob, scenario.office.carol):
        scenario.office.slack.open_home(user)
        scenario.office.deliver()
        assert scenario.office.slack.home(user)


def _time_passes(scenario: Scenario) -> None:
    """Run the scheduler's ticks twice a day for a month: reminders, digests and summaries, and proposals dropped."""
    for hours in (8, 16) * 30:
        scenario.clock.set(scenario.clock() + timedelta(hours=hours))
        for tick in tick_intervals(scenario.office.bot):
            tick()
        scenario.office.deliver()
    # What the digests list changes, and they are edited.
    for number in (1, 2):
        scenario.office.ask(f"/actionitem snooze {number} 2d")
    scenario.clock.set(scenario.clock() + timedelta(minutes=1))
    scenario.office.deliver()


def _handed_over(scenario: Scenario) -> None:
    """The new owner is told in their working hours, and finishes an item of a SEV1 where they read of it."""
    office, bob = scenario.office, scenario.office.bob
    # A Monday, when it is eleven in Los Angeles.
    scenario.clock.set(scenario.clock() + timedelta(days=2, hours=6))
    office.bot.remind()
    for _ in range(4):
        # Edits of a workspace's messages wait for one another.
        office.deliver()
        scenario.clock.set(scenario.clock() + timedelta(seconds=2))
    told = office.messages(bob)
    assert any("yours now" in each.text for each in told)
    office.slack.click(bob, next(each for each in told if "item_done" in str(each.blocks)), "item_done", "INC-1 2")
    office.deliver()


def _published(scenario: Scenario) -> None:
    office = scenario.office
    office.ask("/postmortem publish anyway")
    office.ask("/postmortem publish public folder anyway")
    office.deliver()
    held = [path.read_text() for path in scenario.published.rglob("*") if path.is_file()]
    assert SECRET not in "".join(held)
    assert held == []


def _archived(scenario: Scenario) -> None:
    """The lead, who is in none of the channels, is told that something could not be posted there."""
    office = scenario.office
    for channel in scenario.own:
        office.slack.change_channel(channel, archived=True)
        with office.database.write() as connection:
            outboxes.post(connection, office.slack.team_id, channel, {"text": SECRET}, at=scenario.clock())
    office.deliver()
    told = [each.text for each in office.messages(office.bob) if "is archived" in each.text]
    assert len(told) == len(scenario.own)


def _own_channel(scenario: Scenario) -> None:
    """INC-2 goes on in a channel of its own, which is archived when its postmortem is published there."""
    office = scenario.office
    office.slack.scopes |= {"channels:manage", "channels:read", "groups:write", "groups:read"}
    [hidden] = scenario.own - {office.channel}
    office.slack.change_channel(hidden, archived=False)
    office.say("/incident channel", channel=hidden)
    office.deliver()
    own = incident(office, 2).channel_id
    assert own != hidden
    object.__setattr__(scenario, "own", scenario.own | {own})
    for typed in ("/resolved the zebra is caught", "/postmortem publish canvas anyway", "/incident archive"):
        assert office.ask(typed, channel=own).ok
        office.deliver()
    assert office.slack.workspace.channels[own].archived
    office.ask("/note the zebra", channel=hidden, user=office.carol)


def _requested_before(scenario: Scenario) -> None:
    """A draft, a publication, a report and a long answer, requested elsewhere before the incident became private."""
    office = scenario.office
    office.say("/incident private off")
    office.ask("/note I am on it", user=office.carol)
    with office.database.write() as connection:
        for number in range(MOST_ENTRIES):
            say(connection, incident(office), f"zebra {number}")
    office.ask("/postmortem draft INC-1", user=office.carol, channel=scenario.elsewhere)
    office.ask("/postmortem publish anyway INC-1", user=office.carol, channel=scenario.elsewhere)
    office.ask("/incident report 30d", user=office.carol, channel=scenario.elsewhere)
    office.ask("/incident backfill INC-1 11:00..12:00", user=office.carol, channel=scenario.elsewhere)
    for typed in ("/postmortem show INC-1", "/postmortem check INC-1"):
        assert "One moment" in office.private(typed, user=office.carol, channel=scenario.elsewhere)
    office.say("/incident private")
    office.deliver()
    assert [path for path in scenario.published.rglob("*") if path.is_file()] == []
    assert "kept to its own channel by now" in office.messages()[-1].text


def _erased(scenario: Scenario) -> None:
    """An entry's words are erased after its receipt was posted, and what was published before is written again."""
    office = scenario.office
    office.slack.say(office.alice, office.channel, "@scribe note the zebra's chip is Zx81Qm4LpT7v")
    office.deliver()
    number = max(entry.number for entry in entries(office))
    answer = office.ask(f"/incident erase {number} it named the owner")
    assert office.slack.click(office.alice, answer, "erase").ok
    office.deliver()


def _report_in_a_terminal(scenario: Scenario) -> None:
    for form in ("text", "md", "json", "svg"):
        url = scenario.office.database.url.render_as_string(hide_password=False)
        ran = CliRunner().invoke(main, ["report", "52w", "--format", form], env={"DATABASE_URL": url})
        assert ran.exit_code == 0, ran.output
        assert SECRET not in ran.output


def _told_by_sources(scenario: Scenario) -> None:
    """Alerts come to the incidents' own channels and to another one; changes and similar incidents are told there."""
    office, now = scenario.office, scenario.clock()
    context, fresh = office.bot.context, office.slack.add_channel("monitored")
    said = Signal(source="generic", kind=ALERT, fingerprint="1", title=SECRET, occurred_at=now)
    told = dict.fromkeys(scenario.own, said)
    told[fresh] = replace(said, title="a horse")
    told[signals.EVERYWHERE] = replace(told[fresh], kind=CHANGE)
    for channel, each in told.items():
        place = (office.slack.team_id, channel)
        context.offline.handle(request_for(place, [each], settings=context.settings, received_at=now))
    office.bot.hear()
    office.deliver()
    stables = office.slack.add_channel("stables")
    office.say("/detected the horse too", channel=stables)
    # It resembles what is private, and is drafted with what resembles it.
    office.say("/impact 5% of stables ask for hay", channel=stables)
    office.bot.index()
    office.bot.hear()
    office.say("/postmortem draft", channel=stables)
    with office.database.write() as connection:
        # Nobody listens there.
        ask_to_confirm(connection, office.slack.team_id, "https://127.0.0.1:1/", at=now)


SURFACES: dict[str, Callable[[Scenario], None]] = {
    "commands in another channel": _commands(
        lambda scenario: (scenario.office.bob, scenario.elsewhere), [*TYPED, *NAMED]
    ),
    "commands in a direct message": _commands(
        lambda scenario: (scenario.office.bob, scenario.office.slack.workspace.direct(scenario.office.bob).id)
    ),
    "an insider's commands in another channel": _commands(lambda scenario: (scenario.office.alice, scenario.elsewhere)),
    "mentions": _mentions,
    "direct messages": _direct_messages,
    "forms": _forms,
    "reactions": _reactions,
    "pins": _pins,
    "graphs": _graphs,
    "buttons": _buttons,
    "Home tabs": _home,
    "joining": _joining,
    "the terminal's report": _report_in_a_terminal,
    "publications": _published,
    "requested before": _requested_before,
    "erasure": _erased,
    "time": _time_passes,
    "hand-overs": _handed_over,
    "archived channels": _archived,
    "a channel of its own": _own_channel,
    "sources": _told_by_sources,
}
"""Every way to show an incident; a new one needs a row."""
CHANGING = {
    "publications", "requested before", "erasure", "time", "hand-overs", "archived channels", "a channel of its own",
    "sources",
}  # fmt: skip
"""The rows at the end of the table that change the incidents' rows."""


def test_nothing_outside_its_channel_shows_it(scenario: Scenario) -> None:
    before = recorded(scenario)
    for surface, act in SURFACES.items():
        assert SECRET not in scenario.output(act), surface
        assert surface in CHANGING or recorded(scenario) == before, surface


def recorded(scenario: Scenario) -> dict[str, list[Any]]:
    """The incidents' rows, without when a reminder is looked at next: a person's own rhythm changes that."""
    found = rows(scenario.office, numbers=(1, 2, 3))
    found["reminders"] = [{**row._mapping, "due_at": None} for row in found["reminders"]]
    return found


def test_its_own_channel_shows_it(scenario: Scenario) -> None:
    office = scenario.office
    for typed in ("status", "list all", "search zebra", "status INC-1", "status INC-3"):
        assert SECRET in office.private(f"/incident {typed}"), typed
    assert SECRET in office.private("/timeline INC-1")
    office.slack.open_home(office.alice)
    office.deliver()
    assert SECRET in str(office.slack.home(office.alice))


def test_a_terminals_report_counts_it_with_the_option_private(scenario: Scenario) -> None:
    url = scenario.office.database.url.render_as_string(hide_password=False)
    counted = [
        json.loads(
            CliRunner().invoke(main, ["report", "52w", "--format", "json", *more], env={"DATABASE_URL": url}).output
        )
        for more in ([], ["--private"])
    ]
    assert [each["incidents"]["declared"] for each in counted] == [0, 2]


def test_an_incident_declared_by_a_mention_is_private_from_the_start(scenario: Scenario) -> None:
    scenario.office.slack.say(scenario.office.bob, scenario.elsewhere, "@scribe detected by mention")
    scenario.office.deliver()
    assert incident(scenario.office, 4).private


def test_the_tables_list_every_job_and_every_command_of_the_terminal(scenario: Scenario) -> None:
    for surface in (
        "Home tabs",
        "joining",
        "reactions",
        "pins",
        "graphs",
        *(each for each in SURFACES if each in CHANGING),
    ):
        SURFACES[surface](scenario)
        scenario.office.deliver()
    with scenario.office.database.read() as connection:
        done = set(connection.execute(select(outbox.c.action)).scalars())
    # A large form holds what the row "forms" sees; only over a socket does it follow as a job. What of reminders and
    # hand-overs was set aside is only made due again.
    done |= {FORM, reminders.TAKE_UP, handovers.TAKE_UP}
    assert done == set(scenario.office.bot.context.delivery._actions), "a new job needs a row above"
    assert TERMINAL.keys() == main.commands.keys(), "a new command needs a row"
