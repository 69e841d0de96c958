"""The policy cannot be bypassed: each action, by each kind of person, over every way to request it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bot.clock import SetClock
from bot.domain.incident.policy import LEAD, POLICY, RESPONDERS
from bot.fakeslack.delivery import PayloadDelivery
from bot.handlers.items import buttons
from bot.handlers.routes import INTERACTIONS, ROUTES
from bot.vocabulary import ADD_TO_TIMELINE, KINDS
from storage.database import Database
from tests.support.abroad import rows
from tests.support.ledger import entries, incident, incident_count, items
from tests.support.workplace import Workplace, workplace

OPEN = {
    "incident open": "declares a new one",
    "incident status": "reads",
    "incident list": "reads",
    "incident search": "reads",
    "incident report": "reads",
    "incident help": "reads",
    "incident edit": "records; one that resolves is an action below",
    "incident undo": "retracts one's own",
    "timeline": "reads",
    "postmortem draft": "writes a version; none is lost",
    "postmortem show": "reads",
    "postmortem edit": "as draft",
    "postmortem template": "as draft",
    "postmortem check": "reads",
    "postmortem review": "plans a meeting",
    "actionitem": "records",
    "actionitem list": "reads",
    "actionitem done": "records",
    "actionitem assign": "records",
    "actionitem due": "records",
    "actionitem snooze": "records",
    "actionitem confirm": "records",
    "actionitem reopen": "records",
    "actionitem link": "records",
    **dict.fromkeys(KINDS.keys() - {"resolved"}, "records"),
    "reopen": "records; moved entries are kept",
    "unreact": "retracts one's own",
    "save_section": "as draft",
    "item_done": "records",
    "item_confirm": "records",
    "item_snooze": "records",
    "item_reopen": "records",
    "item_assign": "opens a form that records",
    "item_drop": "opens the form that is an action below",
}
"""The routes open to everyone, and why."""
_numbers = count()

Way = Callable[[Workplace, str], None]


def _typed(words: str) -> Way:
    def way(office: Workplace, user: str) -> None:
        assert office.ask(f"/{words}".rstrip(), user=user).ok

    return way


def _mentioned(words: str) -> Way:
    def way(office: Workplace, user: str) -> None:
        office.slack.say(user, office.channel, f"@scribe {words}")

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


def _through_an_edit(office: Workplace, user: str) -> None:
    """Move the reopening to before the resolution, which makes it resolved again."""
    office.say("/resolved for a while", user=office.alice)
    office.say("/reopened it came back", user=office.alice)
    reopened = [entry.number for entry in entries(office, incident_count(office)) if entry.kind == "reopened"]
    office.ask(f"/incident edit {reopened[-1]} at 2026-03-12 11:00 UTC", user=user)


def _all(command: str, words: str) -> dict[str, Way]:
    return {"command": _typed(f"{command} {words}"), "mention": _mentioned(f"{command} {words}")}


WAYS: dict[str, dict[str, Way]] = {
    "severity": _all("incident severity", "SEV1"),
    "lead": _all("incident lead", "@carol"),
    "title": _all("incident title", "Carts are empty"),
    "private": _all("incident private", ""),
    "resolve": {
        **_all("resolved", "freed space"),
        "mention in a thread": _in_thread("resolved freed space"),
        "subcommand": _typed("incident resolved freed space"),
        "form": _through_form("resolved"),
        "reaction": _through_reaction,
        "edit": _through_an_edit,
    },
    "publish": _all("postmortem publish", ""),
    "drop": {**_all("actionitem drop", "1 done upstream"), "form": _through_drop_form},
}
DONE: dict[str, Callable[[Workplace, int], bool]] = {
    "severity": lambda office, number: incident(office, number).severity == "SEV1",
    "lead": lambda office, number: incident(office, number).lead == "carol",
    "title": lambda office, number: incident(office, number).title == "Carts are empty",
    "private": lambda office, number: incident(office, number).private,
    "resolve": lambda office, number: not incident(office, number).open,
    "publish": lambda office, number: bool(rows(office, numbers=(number,))["publications"]),
    "drop": lambda office, number: items(office, number)[0].state == "dropped",
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
        ) as office,
    ):
        office.slack.scopes |= {"reactions:read", "channels:history"}
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
            number = led(office, drafted=action == "publish")
            for who, user in people.items():
                way(office, user)
                office.deliver()
                assert DONE[action](office, number) == (who in may), (name, who)
                if who in may:
                    break


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
        "incident severity", "incident lead", "incident title", "incident private", "resolved", "postmortem publish",
        "actionitem drop",
    }  # fmt: skip
    assert closed | OPEN.keys() == ROUTES.keys() | INTERACTIONS.keys()
    assert not closed & OPEN.keys()
    assert POLICY.keys() == WAYS.keys() == DONE.keys()
