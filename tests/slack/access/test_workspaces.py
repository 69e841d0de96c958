"""Workspaces are isolated: commands, forms, buttons, reactions, exports and SQL statements reach one workspace only."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.cli import main
from bot.clock import SetClock, now
from bot.documents import export
from bot.domain.incident.backfill import propose
from bot.domain.incident.conversation import ChatMessage
from bot.domain.report.period import parse_period
from bot.errors import UsageError
from bot.fakeslack.delivery import PayloadDelivery
from bot.fakeslack.objects import Message
from bot.handlers import terminal
from bot.handlers.incident import backfill, conversations
from bot.handlers.incident.doubts import CORRECT
from bot.handlers.items import buttons
from bot.handlers.postmortem import checks, exports, interview
from bot.handlers.postmortem.buttons import PLAN
from bot.handlers.postmortem.edits import CHOOSE, WRITE
from bot.handlers.report import reports
from bot.handlers.routes import INTERACTIONS
from bot.handlers.sources import lead_up
from bot.slack.inbound import forms, payloads
from bot.slack.outbound import home, modals
from bot.vocabulary import ADD_TO_TIMELINE, COMMANDS
from storage import incidents, outbox
from storage.database import Database
from storage.sources import backfills, signals
from storage.values import CHANGE, Signal
from tests.slack.incident.test_commands import STORY
from tests.support.abroad import ABROAD, HEADS, TYPED, Said, abroad, declares, rows
from tests.support.ledger import incident, outbox_states
from tests.support.statements import statements
from tests.support.workplace import Workplace, workplace

_numbers = count()
SECRET = "zebra"  # noqa: S105 - a word that occurs nowhere else


@pytest.fixture
def ours(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    """Our workspace: a resolved incident with entries, items, a draft and a review, and an open one with a button."""
    with workplace(sqlite, clock=clock, SCRIBE_REACTIONS="pushpin", SCRIBE_PINS="on", SCRIBE_CARD="on") as office:
        office.slack.scopes |= {"reactions:read", "channels:history", "pins:read"}
        office.say("/incident open SEV1 the zebra is out")
        for typed in ("/detected", "/impact 5% of zebra stables,", "/cause process:", "/did ask the"):
            office.say(f"{typed} zebra")
        office.say("/incident lead @bob")
        office.say("/actionitem @bob by friday: fence for the zebra")
        office.say("/resolved the zebra is back")
        office.deliver()
        office.say("/postmortem review 2026-03-19 10:00")
        office.say("/detected the zebra again")
        office.say("/actionitem @bob: a higher fence for the zebra")
        office.deliver()
        yield office


@contextmanager
def nothing_shown_or_changed(ours: Workplace) -> Iterator[None]:
    before, output = rows(ours), Said.from_now(ours)
    with abroad(ours):
        yield
    assert SECRET not in output.all()
    assert rows(ours) == before


def button(ours: Workplace) -> Message:
    return next(each for each in reversed(ours.messages()) if "'action_id': 'reopen'" in str(each.blocks))


def test_the_list_of_commands_is_complete() -> None:
    bare = {f"/{name}" for name, command in COMMANDS.items() if not command.subcommands}
    below = {f"/{name} {each.name}" for name, command in COMMANDS.items() for each in command.subcommands}
    assert bare | below <= set(HEADS)


def test_a_command_that_names_another_workspaces_rows_shows_and_changes_nothing(ours: Workplace) -> None:
    for with_incidents_of_their_own in (False, True):
        with nothing_shown_or_changed(ours):
            for typed in sorted(TYPED, key=declares):
                if with_incidents_of_their_own or not declares(typed):
                    ours.ask(typed, user=ours.bob)
        with ours.database.read() as connection:
            assert (ABROAD in incidents.workspace_ids(connection)) == with_incidents_of_their_own


def test_a_mention_a_reaction_a_pin_and_a_thread_reach_no_other_workspace(ours: Workplace) -> None:
    message = ours.slack.say(ours.carol, ours.channel, "what do we know?")
    for words in ("status INC-1", "timeline INC-2", "note x", "undo", "edit 1 x", "postmortem show INC-1", "resolved"):
        with nothing_shown_or_changed(ours):
            ours.slack.say(ours.bob, ours.channel, f"@scribe {words}", thread_ts=message.ts)
    with nothing_shown_or_changed(ours):
        ours.slack.react(ours.bob, message, "pushpin")
    ours.slack.react(ours.carol, message, "pushpin")
    ours.deliver()
    with nothing_shown_or_changed(ours):
        ours.slack.unreact(ours.carol, message, "pushpin")
    pinned = ours.slack.say(ours.carol, ours.channel, "what do we not know?")
    with nothing_shown_or_changed(ours):
        ours.slack.pin(ours.bob, pinned)
    ours.slack.unpin(ours.bob, pinned)
    ours.slack.pin(ours.carol, pinned)
    ours.deliver()
    with nothing_shown_or_changed(ours):
        ours.slack.unpin(ours.carol, pinned)


def test_a_direct_message_reaches_no_other_workspace(ours: Workplace) -> None:
    for words in ("status INC-1", "INC-1", "done INC-1 1", "INC-1 note x", "mine", "list", "postmortem show INC-1"):
        with nothing_shown_or_changed(ours):
            ours.slack.write(ours.bob, words)


def test_an_edited_and_a_deleted_message_reach_no_other_workspace(ours: Workplace) -> None:
    message = ours.slack.say(ours.carol, ours.channel, "what do we know?")
    mention = ours.slack.say(ours.carol, ours.channel, "@scribe note what we know")
    ours.slack.react(ours.carol, message, "pushpin")
    ours.deliver()
    for each, words in ((message, "what do we not know?"), (mention, "@scribe note what we do not know")):
        with nothing_shown_or_changed(ours):
            ours.slack.edit(each, words)
        with nothing_shown_or_changed(ours):
            ours.slack.delete(each)


def test_the_bot_that_joins_a_channel_sends_nothing_of_another_workspace(ours: Workplace) -> None:
    ours.slack.scopes |= {"channels:read"}
    ours.slack.change_channel(ours.channel, bot_is_member=False)
    with ours.database.write() as connection:
        content = {"channel": ours.channel, "text": SECRET}
        outbox.add(
            connection,
            ours.slack.team_id,
            lane=ours.channel,
            action="post",
            content=content,
            at=ours.bot.context.clock(),
        )
    ours.deliver()
    with nothing_shown_or_changed(ours):
        ours.slack.change_channel(ours.channel, bot_is_member=True)
    ours.slack.repeat(ours.slack.answers[-1])
    assert SECRET in ours.messages()[-1].text


def test_a_button_reaches_no_other_workspace(ours: Workplace) -> None:
    with nothing_shown_or_changed(ours):
        ours.slack.click(ours.bob, button(ours), "reopen")
    ours.slack.open_home(ours.bob)
    ours.deliver()
    home = ours.slack.home(ours.bob)
    assert home is not None
    assert SECRET in str(home.blocks)
    with nothing_shown_or_changed(ours):
        ours.slack.click(ours.bob, home, "home_done", "INC-2 1")
    with nothing_shown_or_changed(ours):
        ours.slack.open_home(ours.bob)


def test_a_form_submitted_from_another_workspace_shows_and_changes_nothing(ours: Workplace) -> None:
    message = ours.slack.say(ours.carol, ours.channel, "what do we know?")
    ours.slack.shortcut(ours.bob, message, ADD_TO_TIMELINE)
    assert ours.slack.modal(ours.bob)
    with nothing_shown_or_changed(ours):
        assert ours.slack.submit(ours.bob, {"words": "x"}).body == {}
    assert ours.messages(user=ours.bob)[-1].text.startswith("This channel has no incident yet.")
    ours.ask("/actionitem", user=ours.bob)
    assert ours.slack.modal(ours.bob)
    with nothing_shown_or_changed(ours):
        refused = ours.slack.submit(ours.bob, {"words": "x"})
    assert "This channel has no incident yet." in str(refused.body)


def interaction(ours: Workplace, **more: Any) -> PayloadDelivery:
    """An interaction of Bob's, as Slack delivers it."""
    person = {"id": ours.bob, "username": "bob", "name": "bob"}
    team = {"id": ours.slack.team_id, "domain": "x"}
    payload = {"team": team, "user": person, "trigger_id": f"forged {next(_numbers)}", **more}
    return PayloadDelivery(kind="interactive", payload=payload)


def test_no_forged_button_reaches_another_workspace(ours: Workplace) -> None:
    place = {"channel": {"id": ours.channel, "name": "incident"}, "container": {"channel_id": ours.channel}}
    with nothing_shown_or_changed(ours):
        for action, value in product(
            [*INTERACTIONS, *home.CLICKS, *COMMANDS], ("INC-1 INC-2", "INC-2 1", "INC-2 card", "INC-1", "1")
        ):
            if not declares(f"/{action}"):
                pressed = [{"type": "button", "block_id": "b", "action_id": action, "value": value}]
                sent = interaction(ours, type="block_actions", actions=pressed, **place)
                assert ours.slack.transport.deliver(sent).status == 200


OURS = {
    "incident": 1, "item": 1, "entry": 1, "digest": "x", "now": "2026-03-12T12:00:00+00:00", "version": 1,
    "key": "lessons", "joints": [], "said_at": "1773316800.000001",
    "source": "form", "token": "0" * 32, "page": 0,
}  # fmt: skip
CHOSEN = {"selected_option": {"value": "note"}}
FILLED: dict[str, dict[str, Any]] = {
    ADD_TO_TIMELINE: {"kind": CHOSEN, "time": {}, "words": {"value": "x"}},
    modals.ACTION_ITEM: {"kind": {}, "team": {}, "owner": {}, "due": {}, "words": {"value": "x"}},
    backfill.FORM: {"words": {"value": "11:00 x"}},
    backfill.PREVIEW: {"words": {"value": "11:00 x"}},
    conversations.CHOOSE: {
        "lines-0-0": {"selected_options": [{"value": "0"}]},
        "then-0": {"selected_option": {"value": conversations.RECORD_ALL}},
    },
    CORRECT: {"time": {}, "words": {"value": "x"}},
    CHOOSE: {"words": {"selected_option": {"value": "lessons"}}},
    WRITE: {"words": {"value": "x"}},
    PLAN: {"time": {"selected_date_time": 1773914400}, "length": {"selected_option": {"value": "30m"}}},
    interview.MILESTONES: {"at-resolved": {"selected_date_time": 1773316800}, "words-resolved": {"value": "x"}},
    interview.QUESTIONS: {"fact-cause": {"value": "x"}, "sort-cause": {"selected_option": {"value": "process"}}},
    buttons.ASSIGN: {"owner": {"selected_user": "U000000003"}},
    buttons.DATE: {"due": {"selected_date": "2026-04-01"}},
    buttons.DROP: {"words": {"value": "x"}},
    lead_up.FORM: {"lines-0": {"selected_options": [{"value": "1"}]}},
}
"""Each form, filled in."""


def read_before(ours: Workplace) -> str:
    """A conversation that was read for Bob and INC-1; returns its token."""
    at = ours.bot.context.clock()
    proposals = propose([ChatMessage(at=at, author="carol", text="restarted db1")])
    content = {"proposals": [each.to_json() for each in proposals], "chosen": {}}
    with ours.database.write() as connection:
        found = incidents.numbered(connection, ours.slack.team_id, 1)
        assert found
        return backfills.begin(connection, found.id, user_id=ours.bob, content=content, at=at)


def test_no_forged_form_reaches_another_workspace(ours: Workplace) -> None:
    assert FILLED.keys() == forms._REQUESTS.keys(), "a new form needs a row"
    at = incident(ours).began_at
    change = Signal(source="change", kind=CHANGE, fingerprint="1", title="zebra 418", occurred_at=at)
    with ours.database.write() as connection:
        signals.add(connection, ours.slack.team_id, signals.EVERYWHERE, [change], at=at)
    place = {**OURS, "channel_id": ours.channel, "channel_name": "incident", "token": read_before(ours)}
    for number, (callback_id, values) in enumerate(FILLED.items()):
        view = {
            "id": f"V{number}",
            "type": "modal",
            "callback_id": callback_id,
            "private_metadata": json.dumps(place),
            "state": {"values": {name: {name: value} for name, value in values.items()}},
        }
        sent = interaction(ours, type="view_submission", view=view)
        with nothing_shown_or_changed(ours):
            ack = ours.slack.transport.deliver(sent)
        assert ack.body.get("response_action") == "errors", (callback_id, ack)
        again = interaction(ours, type="view_submission", view={**view, "id": f"V{number} again"})
        taken = ours.slack.transport.deliver(again)
        assert taken.body.get("response_action") != "errors", (callback_id, taken)


def test_the_list_of_events_is_complete() -> None:
    tried = {
        "app_mention", "reaction_added", "reaction_removed", "app_home_opened", "message", "member_joined_channel",
        "pin_added", "pin_removed",
    }  # fmt: skip
    of_the_workspaces_own_members = {"user_change", "team_join"}
    assert tried | of_the_workspaces_own_members == payloads._EVENTS.keys() | {"message"}


NAMING = {
    "backfill": [],
    "change": ["x"],
    "check": ["INC-1"],
    "erase": ["INC-1", "9", "x"],
    "export": ["INC-1"],
    "import": [],
    "log": ["INC-1", "note", "x"],
    "report": ["52w", "--private"],
}
"""The terminal's commands with the option --workspace, and arguments for each."""
NAMING_IN_AN_ADDRESS = {"sources"}
"""What prints the name of a workspace, and reads no database."""
NOT_NAMING = {"run", "demo", "replay", "migrate", "backup", "restore", "doctor", "remind", "manifest", "spool"}
"""The commands that show no incident, and those that an operator runs on the whole database."""


def test_a_terminal_command_reaches_only_the_named_workspace(ours: Workplace, tmp_path: Path) -> None:
    naming = {name for name, each in main.commands.items() if "workspace" in {option.name for option in each.params}}
    assert naming == NAMING.keys() | NAMING_IN_AN_ADDRESS, "a new command needs a row"
    assert main.commands.keys() - naming == NOT_NAMING
    file = tmp_path / "edited.md"
    file.write_text(export.editable(exports.read_by_name(ours.database, "INC-1")).replace("freed", "freezed"))
    chat = tmp_path / "chat.txt"
    chat.write_text("carol  11:00\nrestarted db1")
    arguments = {**NAMING, "import": [str(file)], "backfill": [str(chat), "--incident", "INC-1"]}
    url = ours.database.url.render_as_string(hide_password=False)
    before = rows(ours)

    def output(name: str, *more: str) -> str:
        return CliRunner().invoke(main, [name, *arguments[name], *more], env={"DATABASE_URL": url}).output

    for name in arguments:
        assert "The store knows no workspace T0ABROAD00" in output(name, "--workspace", ABROAD), name
    with abroad(ours):
        ours.say("/incident open a horse")
        ours.say("/postmortem draft")
    for name in arguments:
        # An import repeats the title in its file.
        assert name == "import" or SECRET not in output(name, "--workspace", ABROAD), name
        assert "several workspaces; name one" in output(name), name
    assert rows(ours) == before


def test_an_export_reaches_only_the_named_workspace(ours: Workplace) -> None:
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
    output = [str(export()) for export in exported]
    record = exports.read_by_name(store, "INC-1", workspace_id=ABROAD)
    output += [write(record) for write in export.FORMATS.values()]
    with store.read() as connection:
        view = reports.ReportScope(workspace_id=ABROAD, private=True)
        period = parse_period("52w", now=at, zone=settings.timezone)
        counted = reports.load_report(connection, view, period, now=at)
    output += [str(write(counted)) for write in reports.FORMATS.values()]
    assert SECRET not in "".join(output)
    assert "horse" in "".join(output)
    assert rows(ours) == before
    with pytest.raises(UsageError, match="several workspaces; name one"):
        exports.read_by_name(store, "INC-1")


def test_a_bot_delivers_only_its_own_workspaces_messages(ours: Workplace, clock: SetClock) -> None:
    with ours.database.write() as connection:
        theirs = {"channel": ours.channel, "text": "theirs"}
        outbox.add(connection, ABROAD, lane=ours.channel, action="post", content=theirs, at=clock())
    assert "theirs" not in [message.text for message in ours.messages()]
    assert outbox_states(ours)["waiting"] == 3, "theirs, and the reminders of our review, one a person"
    with abroad(ours):
        pass
    assert "theirs" in [message.text for message in ours.messages()]


def test_a_bot_fetches_its_identity_before_it_delivers(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        with office.database.write() as connection:
            theirs = {"channel": office.channel, "text": "theirs"}
            outbox.add(connection, ABROAD, lane=office.channel, action="post", content=theirs, at=clock())
        assert office.messages() == []
        assert outbox_states(office) == {"waiting": 1}


BOUND = re.compile(
    r"(?<!\w)(workspace_id|incident_id|entry_id|item_id|incidents\.id|timeline_entries\.id|workspaces\.id|outbox\.id)"
    r" (= \?|IN \()"
)
"""A bound to a workspace, or to a row that a bound query found."""
FREE = {
    "outbox": "the worker's look for due jobs, and the pruning of sent ones",
    "receipts": "the pruning of old ones",
    "digests": "as above",
    "search_grams": "an index of words: what it finds is read from the documents of the workspace",
    "alembic_version": "belongs to the schema",
    "sqlite_master": "as above",
}
OF_ROWS = re.compile(r"^\s*(SELECT|UPDATE|DELETE)\b.*?\b(?:FROM|UPDATE) (\w+)", re.DOTALL)


def unbound(statement: str) -> str | None:
    """The table that a statement reads or changes over all workspaces; None for a bound statement."""
    match = OF_ROWS.match(re.sub(r"^UPDATE", "UPDATE UPDATE", statement))
    if match is None or BOUND.search(statement):
        return None
    return match[2]


def test_every_statement_is_bound_to_a_workspace_or_to_a_row_found_in_one(ours: Workplace) -> None:
    with statements(ours.database) as said:
        with abroad(ours):
            for typed, _ in STORY.values():
                ours.ask(typed)
                ours.deliver()
        ours.slack.click(ours.bob, button(ours), "reopen")
        ours.slack.open_home(ours.bob)
        ours.deliver()
    assert len(set(said)) > 50
    over_all = {table: statement for statement in said if (table := unbound(statement)) is not None}
    assert over_all.keys() - FREE.keys() == set(), over_all


def test_a_statement_without_a_bound_is_recognised() -> None:
    assert unbound("SELECT incidents.id FROM incidents WHERE incidents.number = ?") == "incidents"
    assert unbound("UPDATE incidents SET open=? WHERE incidents.number = ?") == "incidents"
    assert unbound("DELETE FROM reviews") == "reviews"
    joined = "SELECT text FROM action_items JOIN incidents ON incidents.id = action_items.incident_id"
    assert unbound(joined) == "action_items"
    assert unbound(f"{joined} WHERE incidents.workspace_id = ?") is None
