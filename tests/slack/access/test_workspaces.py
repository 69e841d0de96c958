"""Nothing crosses workspaces: not by a command, a form, a button, a reaction, an export, or a query without a bound."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import event

from bot.cli import main
from bot.clock import SetClock, now
from bot.documents import export
from bot.domain.report.period import parse_period
from bot.errors import UsageError
from bot.fakeslack.delivery import PayloadDelivery
from bot.fakeslack.objects import Message
from bot.handlers import terminal
from bot.handlers.items import buttons
from bot.handlers.postmortem import checks, exports
from bot.handlers.postmortem.edits import CHOOSE, WRITE
from bot.handlers.report import reports
from bot.handlers.routes import INTERACTIONS
from bot.slack.inbound import forms, payloads
from bot.slack.outbound import home, modals
from bot.vocabulary import ADD_TO_TIMELINE, COMMANDS
from storage import incidents, outbox
from storage.database import Database
from tests.slack.incident.test_commands import STORY
from tests.support.abroad import ABROAD, HEADS, TYPED, Said, abroad, declares, rows
from tests.support.ledger import outbox_states
from tests.support.workplace import Workplace, workplace

_numbers = count()
SECRET = "zebra"  # noqa: S105 - a word that stands nowhere else


@pytest.fixture
def ours(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    """Our workspace: a resolved incident with all there is to one, and an open one with a button."""
    with workplace(sqlite, clock=clock, SCRIBE_REACTIONS="pushpin") as office:
        office.slack.scopes |= {"reactions:read", "channels:history"}
        office.say("/incident open SEV1 the zebra is out")
        office.say("/incident lead @bob")
        for typed in ("/detected", "/impact 5% of zebra stables,", "/cause process:", "/did ask the"):
            office.say(f"{typed} zebra")
        office.say("/actionitem @bob by friday: fence for the zebra")
        office.say("/resolved the zebra is back")
        office.deliver()
        office.say("/postmortem review 2026-03-19 10:00")
        office.say("/detected the zebra again")
        office.say("/actionitem @bob: a higher fence for the zebra")
        office.deliver()
        yield office


@contextmanager
def nothing_seen_nor_changed(ours: Workplace) -> Iterator[None]:
    before, said = rows(ours), Said.from_now(ours)
    with abroad(ours):
        yield
    assert SECRET not in said.all()
    assert rows(ours) == before


def button(ours: Workplace) -> Message:
    return next(each for each in reversed(ours.messages()) if "reopen" in str(each.blocks))


def test_every_command_is_tried() -> None:
    bare = {f"/{name}" for name, command in COMMANDS.items() if not command.subcommands}
    below = {f"/{name} {each.name}" for name, command in COMMANDS.items() for each in command.subcommands}
    assert bare | below <= set(HEADS)


def test_a_command_that_names_another_workspaces_things_sees_and_changes_nothing(ours: Workplace) -> None:
    for with_incidents_of_their_own in (False, True):
        with nothing_seen_nor_changed(ours):
            for typed in sorted(TYPED, key=declares):
                if with_incidents_of_their_own or not declares(typed):
                    ours.ask(typed, user=ours.bob)
        with ours.database.read() as connection:
            assert (ABROAD in incidents.workspace_ids(connection)) == with_incidents_of_their_own


def test_neither_does_a_mention_a_reaction_or_a_thread(ours: Workplace) -> None:
    message = ours.slack.say(ours.carol, ours.channel, "what do we know?")
    for words in ("status INC-1", "timeline INC-2", "note x", "undo", "edit 1 x", "postmortem show INC-1", "resolved"):
        with nothing_seen_nor_changed(ours):
            ours.slack.say(ours.bob, ours.channel, f"@scribe {words}", thread_ts=message.ts)
    with nothing_seen_nor_changed(ours):
        ours.slack.react(ours.bob, message, "pushpin")
    ours.slack.react(ours.carol, message, "pushpin")
    ours.deliver()
    with nothing_seen_nor_changed(ours):
        ours.slack.unreact(ours.carol, message, "pushpin")


def test_neither_does_a_button_of_theirs(ours: Workplace) -> None:
    with nothing_seen_nor_changed(ours):
        ours.slack.click(ours.bob, button(ours), "reopen")
    ours.slack.open_home(ours.bob)
    ours.deliver()
    home = ours.slack.home(ours.bob)
    assert home is not None
    assert SECRET in str(home.blocks)
    with nothing_seen_nor_changed(ours):
        ours.slack.click(ours.bob, home, "home_done", "INC-2 1")
    with nothing_seen_nor_changed(ours):
        ours.slack.open_home(ours.bob)


def test_neither_does_a_form_opened_there_or_here(ours: Workplace) -> None:
    message = ours.slack.say(ours.carol, ours.channel, "what do we know?")
    ours.slack.shortcut(ours.bob, message, ADD_TO_TIMELINE)
    assert ours.slack.modal(ours.bob)
    with nothing_seen_nor_changed(ours):
        refused = ours.slack.submit(ours.bob, {"words": "x"})
    assert "This channel has no incident yet." in str(refused.body)
    ours.slack.dismiss(ours.bob)
    ours.ask("/actionitem", user=ours.bob)
    assert ours.slack.modal(ours.bob)
    with nothing_seen_nor_changed(ours):
        refused = ours.slack.submit(ours.bob, {"words": "x"})
    assert "This channel has no incident yet." in str(refused.body)


def interaction(ours: Workplace, **more: Any) -> PayloadDelivery:
    """What Slack would send of Bob's doing something, whatever it was."""
    person = {"id": ours.bob, "username": "bob", "name": "bob"}
    team = {"id": ours.slack.team_id, "domain": "x"}
    payload = {"team": team, "user": person, "trigger_id": f"forged {next(_numbers)}", **more}
    return PayloadDelivery(kind="interactive", payload=payload)


def test_neither_does_any_button_that_names_what_is_ours(ours: Workplace) -> None:
    place = {"channel": {"id": ours.channel, "name": "incident"}, "container": {"channel_id": ours.channel}}
    with nothing_seen_nor_changed(ours):
        for action, value in product([*INTERACTIONS, home.DONE, *COMMANDS], ("INC-1 INC-2", "INC-2 1", "INC-1", "1")):
            if not declares(f"/{action}"):
                pressed = [{"type": "button", "block_id": "b", "action_id": action, "value": value}]
                sent = interaction(ours, type="block_actions", actions=pressed, **place)
                assert ours.slack.transport.deliver(sent).status == 200


OURS = {
    "incident": 1, "item": 1, "version": 1, "key": "lessons", "joints": [], "said_at": "1773316800.000001",
    "source": "form",
}  # fmt: skip
CHOSEN = {"selected_option": {"value": "note"}}
FILLED: dict[str, dict[str, Any]] = {
    ADD_TO_TIMELINE: {"kind": CHOSEN, "time": {}, "words": {"value": "x"}},
    modals.ACTION_ITEM: {"kind": {}, "team": {}, "owner": {}, "due": {}, "words": {"value": "x"}},
    CHOOSE: {"words": {"selected_option": {"value": "lessons"}}},
    WRITE: {"words": {"value": "x"}},
    buttons.ASSIGN: {"owner": {"selected_user": "U000000003"}},
    buttons.DROP: {"words": {"value": "x"}},
}
"""Every form there is, filled in."""


def test_neither_does_any_form_that_remembers_what_is_ours(ours: Workplace) -> None:
    assert FILLED.keys() == forms._REQUESTS.keys(), "a new form is tried here, too"
    place = {**OURS, "channel_id": ours.channel, "channel_name": "incident"}
    for number, (callback_id, values) in enumerate(FILLED.items()):
        view = {
            "id": f"V{number}",
            "type": "modal",
            "callback_id": callback_id,
            "private_metadata": json.dumps(place),
            "state": {"values": {name: {name: value} for name, value in values.items()}},
        }
        sent = interaction(ours, type="view_submission", view=view)
        with nothing_seen_nor_changed(ours):
            ack = ours.slack.transport.deliver(sent)
        assert ack.body.get("response_action") == "errors", (callback_id, ack)
        again = interaction(ours, type="view_submission", view={**view, "id": f"V{number} again"})
        taken = ours.slack.transport.deliver(again)
        assert taken.body.get("response_action") != "errors", (callback_id, taken)


def test_every_event_that_is_listened_to_is_tried() -> None:
    tried = {"app_mention", "reaction_added", "reaction_removed", "app_home_opened"}
    of_the_workspaces_own_members = {"user_change"}
    assert tried | of_the_workspaces_own_members == payloads._EVENTS.keys()


VISIBLE_TO = {
    "check": ["INC-1"],
    "export": ["INC-1"],
    "import": [],
    "log": ["INC-1", "note", "x"],
    "report": ["52w", "--private"],
}
"""The commands of a terminal that name a workspace, and what they are asked."""
WITHOUT = {"run", "demo", "replay", "migrate", "backup", "restore", "doctor", "remind", "manifest"}
"""Those that show nobody an incident of the store, and those of the whole store, for whoever keeps it."""


def test_neither_does_a_terminal(ours: Workplace, tmp_path: Path) -> None:
    naming = {name for name, each in main.commands.items() if "workspace" in {option.name for option in each.params}}
    assert naming == VISIBLE_TO.keys(), "a new command is tried here, too"
    assert main.commands.keys() - naming == WITHOUT
    file = tmp_path / "edited.md"
    file.write_text(export.editable(exports.read_by_name(ours.database, "INC-1")).replace("freed", "freezed"))
    asked = {**VISIBLE_TO, "import": [str(file)]}
    url = ours.database.url.render_as_string(hide_password=False)
    before = rows(ours)

    def told(name: str, *more: str) -> str:
        return CliRunner().invoke(main, [name, *asked[name], *more], env={"DATABASE_URL": url}).output

    for name in asked:
        assert "The store knows no workspace T0ABROAD00" in told(name, "--workspace", ABROAD), name
    with abroad(ours):
        ours.say("/incident open a horse")
        ours.say("/postmortem draft")
    for name in asked:
        # An import repeats the title that stands in the file it is given.
        assert name == "import" or SECRET not in told(name, "--workspace", ABROAD), name
        assert "several workspaces; name one" in told(name), name
    assert rows(ours) == before


def test_neither_does_an_export(ours: Workplace) -> None:
    settings, at, store = ours.bot.context.settings, now(), ours.database
    exported = (
        lambda: exports.read_by_name(store, "INC-1", workspace_id=ABROAD),
        lambda: checks.describe_check(store, settings, "INC-1", workspace_id=ABROAD),
        lambda: terminal.record_entry(store, settings, "INC-1", "note x", at=at, author="eve", workspace_id=ABROAD),
    )
    before = rows(ours)
    for unknown in exported:
        with pytest.raises(UsageError, match="The store knows no workspace T0ABROAD00") as refused:
            unknown()
        assert SECRET not in str(refused.value)
    with abroad(ours):
        ours.say("/incident open a horse")
        ours.say("/resolved it is back")
    said = [str(export()) for export in exported]
    record = exports.read_by_name(store, "INC-1", workspace_id=ABROAD)
    said += [write(record) for write in export.FORMATS.values()]
    with store.read() as connection:
        view = reports.ReportScope(workspace_id=ABROAD, private=True)
        period = parse_period("52w", now=at, zone=settings.timezone)
        counted = reports.load_report(connection, view, period, now=at)
    said += [str(write(counted)) for write in reports.FORMATS.values()]
    assert SECRET not in "".join(said)
    assert "horse" in "".join(said)
    assert rows(ours) == before
    with pytest.raises(UsageError, match="several workspaces; name one"):
        exports.read_by_name(store, "INC-1")


def test_a_bot_says_nothing_of_what_another_workspaces_bot_has_to_say(ours: Workplace, clock: SetClock) -> None:
    with ours.database.write() as connection:
        theirs = {"channel": ours.channel, "text": "theirs"}
        outbox.add(connection, ABROAD, lane=ours.channel, action="post", content=theirs, at=clock())
    assert "theirs" not in [message.text for message in ours.messages()]
    assert outbox_states(ours)["waiting"] == 2, "theirs, and the reminder of our review"
    with abroad(ours):
        pass
    assert "theirs" in [message.text for message in ours.messages()]


def test_a_bot_that_was_not_told_yet_who_it_is_asks_first(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        with office.database.write() as connection:
            theirs = {"channel": office.channel, "text": "theirs"}
            outbox.add(connection, ABROAD, lane=office.channel, action="post", content=theirs, at=clock())
        assert office.messages() == []
        assert outbox_states(office) == {"waiting": 1}


BOUND = re.compile(
    r"(?<!\w)(workspace_id|incident_id|entry_id|item_id|incidents\.id|workspaces\.id|outbox\.id) (= \?|IN \()"
)
"""A bound to a workspace, or to a row that was found within one."""
FREE = {
    "outbox": "a look for the worker, or what was sent long ago",
    "receipts": "what was answered long ago",
    "alembic_version": "the schema's",
    "sqlite_master": "as above",
}
OF_ROWS = re.compile(r"^\s*(SELECT|UPDATE|DELETE)\b.*?\b(?:FROM|UPDATE) (\w+)", re.DOTALL)


def unbound(statement: str) -> str | None:
    """The table a statement reads or changes over all workspaces; None for one that does not."""
    match = OF_ROWS.match(re.sub(r"^UPDATE", "UPDATE UPDATE", statement))
    if match is None or BOUND.search(statement):
        return None
    return match[2]


def test_every_statement_is_bound_to_a_workspace_or_to_a_row_found_in_one(ours: Workplace) -> None:
    statements: set[str] = set()

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        statements.add(statement)

    event.listen(ours.database.engine, "before_cursor_execute", note)
    try:
        with abroad(ours):
            for typed, _ in STORY.values():
                ours.ask(typed)
                ours.deliver()
        ours.slack.click(ours.bob, button(ours), "reopen")
        ours.slack.open_home(ours.bob)
        ours.deliver()
    finally:
        event.remove(ours.database.engine, "before_cursor_execute", note)
    assert len(statements) > 50
    over_all = {table: statement for statement in statements if (table := unbound(statement)) is not None}
    assert over_all.keys() - FREE.keys() == set(), over_all


def test_a_statement_without_a_bound_would_be_noticed() -> None:
    assert unbound("SELECT incidents.id FROM incidents WHERE incidents.number = ?") == "incidents"
    assert unbound("UPDATE incidents SET open=? WHERE incidents.number = ?") == "incidents"
    assert unbound("DELETE FROM reviews") == "reviews"
    joined = "SELECT text FROM action_items JOIN incidents ON incidents.id = action_items.incident_id"
    assert unbound(joined) == "action_items"
    assert unbound(f"{joined} WHERE incidents.workspace_id = ?") is None
