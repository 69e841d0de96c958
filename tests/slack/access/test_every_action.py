"""The policy cannot be bypassed: each action, by each kind of person, over every way to request it."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.clock import SetClock
from bot.domain.incident.policy import LEAD, POLICY, RESPONDERS
from bot.fakeslack.delivery import PayloadDelivery
from bot.handlers.incident import closing, doubts, updates
from bot.handlers.incident.incidents import ERASE, ERASE_ONE, HELP, HELP_MORE, MAKE_CHANNEL
from bot.handlers.items import buttons
from bot.handlers.postmortem import publishing
from bot.handlers.request import OLD_BUTTON
from bot.handlers.routes import INTERACTIONS, ROUTES
from bot.handlers.sources import lead_up
from bot.vocabulary import ADD_TO_TIMELINE, KINDS
from storage import nudges
from storage.database import Database
from storage.sources import signals
from storage.values import ALERT, Signal
from tests.support.abroad import rows
from tests.support.ledger import entries, incident, incident_count, items
from tests.support.workplace import Workplace, at, workplace

OPEN = {
    "incident open": "declares a new one",
    "incident status": "reads",
    "incident catchup": "reads",
    "incident list": "reads",
    "incident search": "reads",
    "incident report": "reads",
    "incident help": "reads",
    "incident backfill": "opens a form that records; one that resolves is an action below",
    "open_again": "records, as /reopened does",
    "timeline": "reads",
    "postmortem draft": "writes a version; none is lost",
    "postmortem answer": "opens a form whose answers are commands, each with the policy of its own",
    "answer_questions": "as above",
    "answer_milestones": "records as typed; one that resolves or edits is an action below",
    "answer_open": "as above",
    "draft_check": "reads",
    "postmortem show": "reads",
    "postmortem check": "reads",
    "actionitem": "records",
    "actionitem list": "reads",
    "actionitem remind": "changes one's own reminders",
    "item_rhythm": "as above",
    **dict.fromkeys(KINDS.keys() - {"resolved"}, "records"),
    "incident erase": "asks",
    "actionitem erase": "asks",
    "erase_keep": "changes nothing",
    "card_acknowledged": "records",
    "card_mitigated": "records",
    "card_quiet_mitigated": "records",
    "card_item": "opens a form that records",
    "card_timeline": "reads",
    "record_said": "records; one that resolves is an action below",
    "reopen": "records; moved entries are kept",
    "came_back": "records",
    "another_outage": "records; moved entries are kept",
    "new_incident": "as above, and declares",
    "move_here": "records; moved entries are kept",
    "resolved_then": "corrects, as an edit",
    "choose_incident": "as the words that were kept",
    "unreact": "retracts one's own",
    "item_from_message": "records",
    "reaction": "records what the job that it puts down may record",
    "home_opened": "shows, to the person alone",
    "joined": "shows, to the person alone",
    **dict.fromkeys((f"{HELP_MORE}{group}" for group in HELP), "reads"),
    **dict.fromkeys(doubts.RETIME, "records; one that resolves is an action below"),
    "entry_right": "shows",
    "entry_split": "opens a form that records",
    "backfill_preview": "opens a form that records",
    "backfill_record": "records; one that resolves is an action below",
    "backfill_choose": "opens a form that records",
    "backfill_chosen": "records; one that resolves is an action below",
    "entry_undo": "retracts one's own",
    "entry_correct": "opens a form that records",
    "record_note": "records",
    **{f"qualify_{each}": "records" for kind in KINDS.values() for each in kind.qualifiers},
    "item_assign": "opens a form that records",
    "item_date": "opens the form of an action below",
    "postmortem_look": "reads",
    "item_drop": "opens the form that is an action below",
    "still_working": "records nothing",
    "nudge_mitigated": "records",
    "item_accept": "one's own",
    "item_decline": "one's own",
    "signals": "keeps what a source told; the token of its address was checked",
    "alert_declare": "records and declares, as /detected does",
    "alert_dismiss": "says that it is no incident; the alerts are kept",
    **dict.fromkeys((*lead_up.TAKE, lead_up.RECORD), "records"),
    "lead_up_choose": "opens a form that records",
}
"""The routes open to everyone, and why."""
_numbers = count()
_CORRECTED = at("2026-03-12T11:20:00Z")

Way = Callable[[Workplace, str], None]


def _typed(words: str) -> Way:
    def way(office: Workplace, user: str) -> None:
        assert office.ask(f"/{words}".rstrip(), user=user).ok

    return way


def _mentioned(words: str) -> Way:
    def way(office: Workplace, user: str) -> None:
        office.slack.say(user, office.channel, f"@scribe {words}")

    return way


def _written(words: str) -> Way:
    """To Scribe alone, the incident's number before the words."""

    def way(office: Workplace, user: str) -> None:
        command, _, rest = words.partition(" ")
        office.slack.write(user, f"{command} INC-{incident_count(office)} {rest}")

    return way


def _by_number(words: str) -> Way:
    """From another channel, the incident's number before the words."""

    def way(office: Workplace, user: str) -> None:
        command, _, rest = words.partition(" ")
        elsewhere = office.slack.add_channel(f"elsewhere-{next(_numbers)}")
        assert office.ask(f"/{command} INC-{incident_count(office)} {rest}", user=user, channel=elsewhere).ok

    return way


def _by_choice(words: str) -> Way:
    """In a channel without an incident, which is then chosen in the menu."""

    def way(office: Workplace, user: str) -> None:
        number = incident_count(office)
        asked = office.ask(f"/{words}", user=user, channel=office.slack.add_channel(f"elsewhere-{next(_numbers)}"))
        assert asked.message
        options = asked.message.blocks[-1]["elements"][0]["options"]
        value = next(each["value"] for each in options if each["value"].endswith(f" INC-{number}"))
        assert office.slack.click(user, asked, "choose_incident", value).ok

    return way


def _in_thread(words: str) -> Way:
    def way(office: Workplace, user: str) -> None:
        root = office.slack.say(office.carol, office.channel, "what now?")
        office.slack.say(user, office.channel, f"@scribe {words}", thread_ts=root.ts)

    return way


def _pressed(action: str, value: str) -> Way:
    """A click on a button, as Slack delivers it."""

    def way(office: Workplace, user: str) -> None:
        payload = {
            "type": "block_actions",
            "team": {"id": office.slack.team_id, "domain": "x"},
            "user": {"id": user, "username": office.slack.workspace.users[user].name},
            "channel": {"id": office.channel, "name": "incident"},
            "container": {"type": "message", "channel_id": office.channel},
            "trigger_id": f"pressed {next(_numbers)}",
            "actions": [{"type": "button", "block_id": "b", "action_id": action, "value": value}],
        }
        assert office.slack.transport.deliver(PayloadDelivery(kind="interactive", payload=payload)).status == 200

    return way


def _through_form(kind: str) -> Way:
    """The message shortcut's form, with that kind chosen."""

    def way(office: Workplace, user: str) -> None:
        message = office.slack.say(office.carol, office.channel, "what now?")
        office.slack.shortcut(user, message, ADD_TO_TIMELINE)
        assert office.slack.modal(user)
        office.slack.submit(user, {"kind": kind, "words": "freed space"})
        office.slack.workspace.close_view(user, all_of_them=True)

    return way


def _through_drop_form(office: Workplace, user: str) -> None:
    """The button on the item's receipt, and the form that it opens."""
    receipt = next(each for each in office.slack.messages(office.channel) if each.text.startswith("Action item 1 "))
    office.slack.click(user, receipt, buttons.DROP)
    assert office.slack.modal(user)
    office.slack.submit(user, {"words": "done upstream"})
    office.slack.workspace.close_view(user, all_of_them=True)


def _through_reaction(office: Workplace, user: str) -> None:
    message = office.slack.say(office.carol, office.channel, "freed space")
    office.slack.react(user, message, "white_check_mark")


def _through_a_conversation(office: Workplace, user: str) -> None:
    """A pasted conversation, in whose form the message that it is over is ticked."""
    assert office.ask("/incident backfill\nCarol  11:40\nall clear, closing this", user=user).ok
    assert office.slack.modal(user)
    office.slack.submit(user, {})
    office.slack.workspace.close_view(user, all_of_them=True)


def _through_an_edit(office: Workplace, user: str) -> None:
    """Move the reopening to before the resolution, which makes it resolved again."""
    office.say("/resolved for a while", user=office.alice)
    office.say("/reopened it came back", user=office.alice)
    reopened = [entry.number for entry in entries(office, incident_count(office)) if entry.kind == "reopened"]
    office.ask(f"/incident edit {reopened[-1]} at 2026-03-12 11:00 UTC", user=user)


def _through_a_moved_resolution(office: Workplace, user: str) -> None:
    """Resolve an incident of one's own, from here, and move the resolution here by the button."""
    mine = office.slack.add_channel(f"mine-{next(_numbers)}")
    office.say("/detected mails are late", channel=mine, user=user)
    answer = office.ask(f"/resolved INC-{incident_count(office)} they arrive", user=user)
    office.slack.click(user, answer, "move_here")


def _cancelled_by_button(office: Workplace, user: str) -> None:
    _pressed(closing.CANCEL, f"INC-{incident_count(office)} a drill")(office, user)


def _resolved_by_a_nudge(office: Workplace, user: str) -> None:
    with office.database.write() as connection:
        nudges.save(connection, incident(office, incident_count(office)).id, silent_since=1)
    _pressed(updates.RESOLVE, f"INC-{incident_count(office)} 1")(office, user)


def _resolved_when_quiet(office: Workplace, user: str) -> None:
    number, now = incident_count(office), office.bot.context.clock()
    over = Signal(
        source="generic", kind=ALERT, fingerprint=f"{next(_numbers)}", title="disk full", occurred_at=now, ended_at=now
    )
    with office.database.write() as connection:
        place = (office.slack.team_id, office.channel)
        signals.add(connection, *place, [over], at=now)
        entry_id = entries(office, number)[0].id
        signals.take(connection, place, incident_id=incident(office, number).id, entry_id=entry_id, at=now)
    _on_card("card_quiet_resolved")(office, user)


def _channel_by_button(office: Workplace, user: str) -> None:
    _pressed(MAKE_CHANNEL, f"INC-{incident_count(office)}")(office, user)


def _item_done_by_button(office: Workplace, user: str) -> None:
    _pressed(buttons.DONE, f"INC-{incident_count(office)} 1")(office, user)


def _published_by_button(office: Workplace, user: str) -> None:
    _pressed(publishing.ANYWAY, f"INC-{incident_count(office)} folder")(office, user)


def _through_the_interview(field: str) -> Way:
    """The form of the milestones, with that time chosen."""

    def way(office: Workplace, user: str) -> None:
        assert office.ask("/postmortem answer", user=user).ok
        view = office.slack.modal(user)
        assert view
        name = next(each["block_id"] for each in view.blocks if each.get("block_id", "").startswith(field))
        office.slack.submit(user, {name: int(_CORRECTED.timestamp())})
        office.slack.workspace.close_view(user, all_of_them=True)

    return way


def _on_card(action: str, choice: str = "") -> Way:
    """A button of the incident's card."""

    def way(office: Workplace, user: str) -> None:
        _pressed(action, f"INC-{incident_count(office)} card{choice}")(office, user)

    return way


def _undone_by_menu(office: Workplace, user: str) -> None:
    _pressed("entry_menu", f"INC-{incident_count(office)} 1 undo")(office, user)


def _about_the_other(verb: str, *, mentioned: bool = False) -> Way:
    """The command about the newest incident that names the one before it, on which each person may do everything."""

    def way(office: Workplace, user: str) -> None:
        words = f"incident {verb} INC-{incident_count(office) - 1}"
        (_mentioned(words) if mentioned else _typed(words))(office, user)

    return way


def _everybodys(office: Workplace) -> None:
    """An incident in a channel of its own, of which each person is a responder."""
    channel = office.slack.add_channel(f"everybodys-{next(_numbers)}")
    for user in office.people.values():
        office.say("/detected it too", user=user, channel=channel)


def _through_a_click(office: Workplace, user: str) -> None:
    _pressed(ERASE, f"INC-{incident_count(office)} entry 1 it names a customer")(office, user)


def _through_the_question(office: Workplace, user: str) -> None:
    answer = office.ask("/incident erase 1 it names a customer", user=user)
    if answer.body.get("blocks"):
        assert office.slack.click(user, answer, ERASE).ok


def _all(command: str, words: str) -> dict[str, Way]:
    typed = f"{command} {words}".rstrip()
    return {
        "command": _typed(typed),
        "mention": _mentioned(typed),
        "number": _by_number(typed),
        "choice": _by_choice(typed),
    }


WAYS: dict[str, dict[str, Way]] = {
    "severity": {**_all("incident severity", "SEV1"), "card": _on_card("card_severity", " SEV1")},
    "lead": {
        **_all("incident lead", "@carol"),
        **{f"handover by {name}": way for name, way in _all("incident handover", "@carol: it is yours").items()},
    },
    "role": _all("incident role", "comms @carol"),
    "title": {
        **_all("incident title", "Carts are empty"),
        "edit of the detection that it comes from": _typed("incident edit 1 Carts are empty"),
    },
    "private": _all("incident private", ""),
    "resolve": {
        **_all("resolved", "freed space"),
        "mention in a thread": _in_thread("resolved freed space"),
        "subcommand": _typed("incident resolved freed space"),
        "form": _through_form("resolved"),
        "reaction": _through_reaction,
        "conversation": _through_a_conversation,
        "edit": _through_an_edit,
        "move": _through_a_moved_resolution,
        "nudge": _resolved_by_a_nudge,
        "interview": _through_the_interview("at-resolved"),
        "card": _on_card("card_resolved"),
        "card when all alerts are quiet": _resolved_when_quiet,
    },
    "update": _all("incident update", "we freed space, next in 30m"),
    "channel": {**_all("incident channel", ""), "button": _channel_by_button},
    "publish": {**_all("postmortem publish", "anyway"), "button": _published_by_button},
    "cancel": {**_all("incident cancel", "a drill"), "button": _cancelled_by_button},
    "duplicate": {"command": _about_the_other("duplicate")},
    "merge": {"command": _about_the_other("merge"), "mention": _about_the_other("merge", mentioned=True)},
    "edit": {**_all("incident edit", "1 no disk"), "interview": _through_the_interview("time-1")},
    "undo": {**_all("incident undo", "1"), "menu": _undone_by_menu},
    "document": _all("postmortem template", "learning"),
    "review": _all("postmortem review", "2026-03-19 10:00 UTC"),
    "items": {**_all("actionitem done", "1"), "direct message": _written("done 1"), "button": _item_done_by_button},
    "drop": {**_all("actionitem drop", "1 done upstream"), "form": _through_drop_form},
    "erase": {"command": _through_the_question, "click": _through_a_click},
}
DONE: dict[str, Callable[[Workplace, int], bool]] = {
    "severity": lambda office, number: incident(office, number).severity == "SEV1",
    "lead": lambda office, number: incident(office, number).lead == "carol",
    "role": lambda office, number: "role" in {entry.kind for entry in entries(office, number)},
    "title": lambda office, number: incident(office, number).title == "Carts are empty",
    "private": lambda office, number: incident(office, number).private,
    "resolve": lambda office, number: not incident(office, number).open,
    "update": lambda office, number: any(each.kind == "update" for each in entries(office, number)),
    "channel": lambda office, number: incident(office, number).channel_name.startswith("inc-"),
    "publish": lambda office, number: bool(rows(office, numbers=(number,))["publications"]),
    "cancel": lambda office, number: incident(office, number).state == "cancelled",
    "duplicate": lambda office, number: incident(office, number).state == "duplicate",
    "merge": lambda office, number: incident(office, max(number - 1, 1)).same_as_id == incident(office, number).id,
    "edit": lambda office, number: (
        entries(office, number)[0].text == "no disk" or entries(office, number)[0].occurred_at == _CORRECTED
    ),
    "undo": lambda office, number: entries(office, number)[0].retracted,
    "document": lambda office, number: (
        rows(office, numbers=(number,))["postmortem_versions"][-1].template == "learning"
    ),
    "review": lambda office, number: bool(rows(office, numbers=(number,))["reviews"]),
    "items": lambda office, number: items(office, number)[0].state == "done",
    "drop": lambda office, number: items(office, number)[0].state == "dropped",
    "erase": lambda office, number: entries(office, number)[0].text.startswith("[erased by "),
}


@contextmanager
def policed(database: Database, clock: SetClock, circle: str) -> Iterator[Workplace]:
    """A workplace where every action is allowed to `circle` only."""
    policy = ",".join(f"{action}={circle}" for action in POLICY)
    with (
        TemporaryDirectory() as folder,
        workplace(
            database,
            clock=clock,
            SCRIBE_POLICY=policy,
            SCRIBE_PUBLISH_DIR=str(Path(folder)),
            SCRIBE_REACTIONS="white_check_mark=resolved",
            SCRIBE_CHANNELS="on",
        ) as office,
    ):
        office.slack.scopes |= {"reactions:read", "channels:history", "channels:manage", "groups:write"}
        yield office


def led(office: Workplace, *, drafted: bool) -> int:
    """The number of a new incident in a new channel: Alice leads it and has an item, Carol is a responder."""
    office.channel = office.slack.add_channel(f"incident-{next(_numbers)}")
    office.say("/detected disk full")
    office.say("/incident lead @alice")
    office.say("/actionitem @alice: add an alert")
    office.say("/note I am on it", user=office.carol)
    if drafted:
        office.say("/postmortem draft")
    office.deliver()
    return incident_count(office)


@pytest.mark.parametrize(("circle", "may"), [(RESPONDERS, {"responder", "lead"}), (LEAD, {"lead"})])
@pytest.mark.parametrize("action", WAYS)
def test_the_policy_holds_for_every_way_to_request_an_action(
    sqlite: Database, clock: SetClock, circle: str, may: set[str], action: str
) -> None:
    with policed(sqlite, clock, circle) as office:
        people = {"outsider": office.bob, "responder": office.carol, "lead": office.alice}
        for name, way in WAYS[action].items():
            _everybodys(office)
            number = led(office, drafted=action in {"publish", "document"})
            for who, user in people.items():
                way(office, user)
                office.deliver()
                assert DONE[action](office, number) == (who in may), (name, who)
                if who in may:
                    break


def test_what_resolves_by_taking_a_reopening_back_needs_the_permission_to_resolve(
    sqlite: Database, clock: SetClock
) -> None:
    with policed(sqlite, clock, LEAD) as office:
        number = led(office, drafted=False)
        office.say("/resolved for a while", user=office.alice)
        office.say("/reopened it came back", user=office.bob)
        assert "for its lead, alice, to do" in office.refused("/incident undo", user=office.bob)
        assert incident(office, number).open
        office.say(f"/incident undo {entries(office, number)[-1].number}", user=office.alice)
        assert not incident(office, number).open


@pytest.mark.parametrize("command", ["resolved", "incident", "postmortem", "actionitem"])
def test_no_button_is_a_command(sqlite: Database, clock: SetClock, command: str) -> None:
    with policed(sqlite, clock, RESPONDERS) as office:
        number = led(office, drafted=True)
        for words in ("freed space", "severity SEV1", "publish", "drop 1 done upstream"):
            _pressed(command, words)(office, office.alice)
        office.deliver()
        assert not any(done(office, number) for done in DONE.values())


def test_every_route_is_an_action_of_the_policy_or_open_to_everyone() -> None:
    closed = {
        "incident severity", "incident lead", "incident handover", "incident role", "incident title",
        "incident private", "resolved", "postmortem publish",
        "actionitem drop", "incident cancel", "incident duplicate", "incident merge", "incident undo",
        closing.CANCEL, "erase", *ERASE_ONE, "incident edit", "postmortem strike",
        "postmortem edit", "postmortem template", "save_section", "draft_edit", "draft_publish", "publish_anyway",
        "review_plan",
        "postmortem review", "actionitem done", "actionitem assign", "actionitem due", "actionitem snooze",
        "actionitem confirm", "actionitem reopen", "actionitem link", "item_done", "item_confirm", "item_snooze",
        "digest_snooze", "postmortem_seen", "item_reopen", *buttons.DUE, "item_owner",
        "actionitem worked", "item_worked", "item_failed", updates.RESOLVE,
        "incident update", "incident channel", "incident archive", MAKE_CHANNEL, "archive_channel",
        "card_lead", "card_severity", "card_resolved", "card_quiet_resolved", "entry_menu", "unpin",
    }  # fmt: skip
    assert closed | OPEN.keys() == ROUTES.keys() | INTERACTIONS.keys()
    assert not closed & OPEN.keys()
    assert POLICY.keys() == WAYS.keys() == DONE.keys()


JUNK = (
    "", " ", "words", "0", "-1", "INC", "INC-1", "INC-1 ", "INC-1 x", "INC-1 0", "INC-1 999999999", "INC-9 1",
    "INC-1 1 9999-99-99T99:99:99.999+00:00", "INC-1 1 2026-02-30T10:00:00.000+00:00", "INC-1 1 2099-01-01",
    "INC-1 1 2099-01-01T00:00:00.000+00:00", "INC-1 1 0001-01-01T00:00:00.000+00:00", "INC-1 1 \n", "INC-1 1 🦆",
    "INC-1 1 2026-03-12T11:00:00.000+00:00 was 2026-02-30T10:00:00.000+00:00", "INC-1 99999999999999999999",
    "9999-99-99T99:99:99.999+00:00 words", "2099-01-01T00:00:00.000+00:00 words", "2026-02-30T10:00:00.000+00:00 words",
    "0001-01-01T00:00:00.000+00:00 words", "2026-03-12T11:00:00.000+00:00 ", "INC-1 INC-9", "INC-1 1 INC-9",
    "INC-1 entry x why", "INC-1 entry 9 why", "INC-1 entry 1 ", "0123456789abcdef INC-9", "0123456789abcdef here",
    "INC-9 a drill", "x" * 2000, "INC-1 1 " + "x" * 1990,
)  # fmt: skip
"""Values that no button of ours has, or that name what is not there."""


SHARES = 8
"""Of the actions, so that workers can divide the work."""


@pytest.mark.parametrize("share", range(SHARES))
def test_a_forged_value_changes_nothing_and_leaves_no_traceback(
    office: Workplace, caplog: pytest.LogCaptureFixture, share: int
) -> None:
    led(office, drafted=False)
    before = rows(office, numbers=(1,))
    for action in list(INTERACTIONS)[share::SHARES]:
        for value in JUNK:
            told = len(office.messages(user=office.bob)) if not value.strip() else 0
            _pressed(action, value)(office, office.bob)
            if not value.strip():
                assert office.messages(user=office.bob)[told:][-1].text == OLD_BUTTON, action
            problems = [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]
            assert not problems, (action, value, problems)
        office.deliver()
        problems = [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]
        assert not problems, (action, problems)
        assert rows(office, numbers=(1,)) == before, action
