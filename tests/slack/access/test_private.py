"""A private incident is shown in its own channel and nowhere else: one table of everything that tells of incidents."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from bot.cli import main
from bot.clock import SetClock
from bot.fakeslack.delivery import PayloadDelivery
from bot.fakeslack.objects import Call
from bot.handlers.routes import INTERACTIONS
from bot.run import tick_intervals
from bot.slack.outbound import home
from bot.vocabulary import ADD_TO_TIMELINE, COMMANDS
from storage.database import Database
from storage.models import outbox
from tests.support.abroad import HEADS, TYPED, declares, rows
from tests.support.ledger import incident, incident_count
from tests.support.workplace import Workplace, workplace

SECRET = "zebra"  # noqa: S105 - a word that stands nowhere else
ELSEWHERE = "C000000020"
"""The id that the stand-in gives the channel outside; it counts them, direct messages too."""
MONTH = timedelta(days=30)
TERMINAL = {
    "backup": "whoever has the store itself has all of it",
    "check": "as above",
    "demo": "has a store of its own, or one that is named",
    "doctor": "tells of the store, not of incidents",
    "export": "as above; it names one incident",
    "import": "as above",
    "log": "as above",
    "manifest": "reads no store",
    "migrate": "tells the schema's number",
    "remind": "as above; it names items",
    "replay": "has a store of its own",
    "report": "counts private ones with --private alone",
    "restore": "as backup",
    "run": "is what all the others here are about",
}
"""The commands of a terminal, and why none of them tells people what is private."""


@dataclass(frozen=True, slots=True)
class Hushed:
    """Bob has never been in the channels of INC-1 to INC-3; Alice has, and says where she is `elsewhere`, too."""

    office: Workplace
    own: frozenset[str]
    elsewhere: str
    published: Path
    clock: SetClock

    def told(self, act: Callable[["Hushed"], object]) -> str:
        """All that the bot says because of it: answers, calls and files, but for those in the incidents' channels."""
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
        """Whether a call speaks to an incident's own channel, or begins an upload: its end tells where to."""
        canvases = {each.id: each.channel for each in self.office.slack.canvases}
        places = (call.args.get("channel_id"), call.args.get("channel"), canvases.get(call.args.get("canvas_id", "")))
        return bool(self.own.intersection(places)) or call.method == "files.getUploadURLExternal"


@pytest.fixture
def hushed(sqlite: Database, clock: SetClock, tmp_path: Path) -> Iterator[Hushed]:
    """INC-1 made private and resolved, INC-3 that turned out to be INC-1, INC-2 of a private channel and open."""
    published = tmp_path / "published"
    published.mkdir()
    place = str(published)
    with workplace(
        sqlite,
        clock=clock,
        SCRIBE_PUBLISH_DIR=place,
        SCRIBE_CANVAS="on",
        SCRIBE_REACTIONS="pushpin",
        SCRIBE_SUMMARY_CHANNEL=ELSEWHERE,
    ) as office:
        office.slack.scopes |= {"canvases:write", "reactions:read", "channels:history", "groups:history"}
        hidden = office.slack.add_channel("acquisition", private=True)
        for channel in (office.channel, hidden):
            _told_all(office, channel)
        office.say("/resolved the zebra is back")
        again = office.ask("/detected the zebra again")
        office.slack.click(office.alice, again, "reopen")
        office.say("/incident private")
        office.say("/resolved it is back")
        office.deliver()
        elsewhere = office.slack.add_channel("elsewhere")
        assert elsewhere == ELSEWHERE
        yield Hushed(office, frozenset({office.channel, hidden}), elsewhere, published, clock)


def _told_all(office: Workplace, channel: str) -> None:
    """Everything there is to an incident, an item and a lead from outside of the channel among it."""
    office.say("/incident open SEV1 the zebra is out", channel=channel)
    for typed in (
        "/impact 5% of zebra stables",
        "/cause process: ask the zebra",
        "/actionitem @alice: fence the zebra",
        "/actionitem @bob by friday: feed the zebra",
        "/incident lead @bob",
        "/postmortem draft",
    ):
        office.say(typed, channel=channel)
        office.deliver()
    office.say("/postmortem review 2026-03-19 10:00 with @bob", channel=channel)
    pinned = office.slack.say(office.alice, channel, "a zebra on the road")
    office.slack.react(office.alice, pinned, "pushpin")
    office.slack.unreact(office.alice, pinned, "pushpin")
    office.deliver()


NAMED = [f"{head}{name}" for head in HEADS for name in ("", " INC-1", " INC-2 1", " INC-3")]


def _commands(place: Callable[[Hushed], tuple[str, str]], every: Iterable[str] = NAMED) -> Callable[[Hushed], None]:
    """Every command there is, typed by somebody somewhere."""

    def act(hushed: Hushed) -> None:
        user, channel = place(hushed)
        for typed in sorted(set(every), key=lambda typed: (declares(typed), typed)):
            hushed.office.ask(typed, user=user, channel=channel)
            hushed.office.slack.workspace.close_view(user, all_of_them=True)

    return act


def _mentions(hushed: Hushed) -> None:
    for typed in NAMED:
        hushed.office.slack.say(hushed.office.bob, hushed.elsewhere, f"@scribe {typed.removeprefix('/')}")


def _forms(hushed: Hushed) -> None:
    slack, bob = hushed.office.slack, hushed.office.bob
    message = slack.say(bob, hushed.elsewhere, "INC-1")
    slack.shortcut(bob, message, ADD_TO_TIMELINE)
    assert slack.modal(bob)
    slack.submit(bob, {"words": "INC-1"})
    slack.workspace.close_view(bob, all_of_them=True)


def _reactions(hushed: Hushed) -> None:
    message = hushed.office.slack.say(hushed.office.bob, hushed.elsewhere, "INC-1")
    hushed.office.slack.react(hushed.office.bob, message, "pushpin")
    hushed.office.slack.unreact(hushed.office.bob, message, "pushpin")


def _buttons(hushed: Hushed) -> None:
    """Every button there is, with the names of what is hidden, as no message of ours has it there."""
    office = hushed.office
    stable = office.slack.add_channel("stable")
    office.say("/incident open SEV3 a horse", channel=stable)
    office.say("/resolved the horse", channel=stable)
    button = office.ask("/detected a horse again", channel=stable)
    ours = f"INC-{incident_count(office)}"
    pressed = office.slack.click(office.bob, button, "reopen").delivery.payload
    posts = office.slack.transport
    values = (f"INC-1 {ours}", f"INC-3 {ours}", f"{ours} INC-2", "INC-2 1", "1")
    for number, (action, value) in enumerate(product([*INTERACTIONS, home.DONE, *COMMANDS], values)):
        actions = [{**pressed["actions"][0], "action_id": action, "value": value}]
        payload = {**pressed, "actions": actions, "trigger_id": f"forged {number}"}
        assert posts.deliver(PayloadDelivery(kind="interactive", payload=payload)).status == 200


def _home(hushed: Hushed) -> None:
    for user in (hushed.office.bob, hushed.office.carol):
        hushed.office.slack.open_home(user)
        hushed.office.deliver()
        assert hushed.office.slack.home(user)


def _time_passes(hushed: Hushed) -> None:
    """All that is done by the clock, for a month: reminders of reviews, and whatever ticks."""
    for _ in range(30):
        hushed.clock.set(hushed.clock() + timedelta(days=1))
        for tick in tick_intervals(hushed.office.bot):
            tick()
        hushed.office.deliver()


def _published(hushed: Hushed) -> None:
    office = hushed.office
    office.ask("/postmortem publish")
    office.ask("/postmortem publish public folder")
    office.deliver()
    held = [path.read_text() for path in hushed.published.rglob("*") if path.is_file()]
    assert SECRET not in "".join(held)
    assert held == []


def _asked_for_before(hushed: Hushed) -> None:
    """A draft and a publication that somebody elsewhere asked for while it was not private yet."""
    office = hushed.office
    office.say("/incident private off")
    office.ask("/note I am on it", user=office.carol)
    office.ask("/postmortem draft INC-1", user=office.carol, channel=hushed.elsewhere)
    office.ask("/postmortem publish INC-1", user=office.carol, channel=hushed.elsewhere)
    office.ask("/incident report 30d", user=office.carol, channel=hushed.elsewhere)
    office.say("/incident private")
    office.deliver()
    assert [path for path in hushed.published.rglob("*") if path.is_file()] == []
    assert "kept to its own channel by now" in office.messages()[-1].text


def _report_in_a_terminal(hushed: Hushed) -> None:
    for form in ("text", "md", "json", "svg"):
        url = hushed.office.database.url.render_as_string(hide_password=False)
        ran = CliRunner().invoke(main, ["report", "52w", "--format", form], env={"DATABASE_URL": url})
        assert ran.exit_code == 0, ran.output
        assert SECRET not in ran.output


SURFACES: dict[str, Callable[[Hushed], None]] = {
    "commands in another channel": _commands(lambda hushed: (hushed.office.bob, hushed.elsewhere), [*TYPED, *NAMED]),
    "commands in a direct message": _commands(
        lambda hushed: (hushed.office.bob, hushed.office.slack.workspace.direct(hushed.office.bob).id)
    ),
    "an insider's commands in another channel": _commands(lambda hushed: (hushed.office.alice, hushed.elsewhere)),
    "mentions": _mentions,
    "forms": _forms,
    "reactions": _reactions,
    "buttons": _buttons,
    "Home tabs": _home,
    "the terminal's report": _report_in_a_terminal,
    "publications": _published,
    "asked for before": _asked_for_before,
    "time": _time_passes,
}
"""Everything that may tell of an incident. Whoever adds a way to tell adds a row."""
MOVING = {"publications", "asked for before", "time"}
"""The rows, at the end of the table, in which something comes of it in the incident's own channel."""


def test_nobody_elsewhere_is_told_of_it(hushed: Hushed) -> None:
    before = rows(hushed.office, numbers=(1, 2, 3))
    for surface, act in SURFACES.items():
        assert SECRET not in hushed.told(act), surface
        assert surface in MOVING or rows(hushed.office, numbers=(1, 2, 3)) == before, surface


def test_its_own_channel_shows_it(hushed: Hushed) -> None:
    office = hushed.office
    for typed in ("status", "list all", "search zebra", "status INC-1", "status INC-3"):
        assert SECRET in office.private(f"/incident {typed}"), typed
    assert SECRET in office.private("/timeline INC-1")
    office.slack.open_home(office.alice)
    office.deliver()
    assert SECRET in str(office.slack.home(office.alice))


def test_a_terminals_report_counts_it_when_asked_to(hushed: Hushed) -> None:
    url = hushed.office.database.url.render_as_string(hide_password=False)
    counted = [
        json.loads(
            CliRunner().invoke(main, ["report", "52w", "--format", "json", *more], env={"DATABASE_URL": url}).output
        )
        for more in ([], ["--private"])
    ]
    assert [each["incidents"]["declared"] for each in counted] == [0, 2]


def test_it_is_private_from_the_start_where_nobody_knows_the_channel_to_be_public(hushed: Hushed) -> None:
    hushed.office.slack.say(hushed.office.bob, hushed.elsewhere, "@scribe detected by mention")
    hushed.office.deliver()
    assert incident(hushed.office, 4).private


def test_the_table_has_every_errand_and_every_command_of_the_terminal(hushed: Hushed) -> None:
    for surface in ("Home tabs", "reactions", "publications", "asked for before", "time"):
        SURFACES[surface](hushed)
        hushed.office.deliver()
    with hushed.office.database.read() as connection:
        done = set(connection.execute(select(outbox.c.action)).scalars())
    assert done == set(hushed.office.bot.context.delivery._actions), "what a job sends is looked at above"
    assert TERMINAL.keys() == main.commands.keys(), "what a new command tells is a row of the table"
