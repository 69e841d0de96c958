"""The policy: anyone does what an incident needs, responders do the rest, and a setting changes that."""

from pathlib import Path

import pytest

from bot.clock import SetClock
from bot.config import Settings
from bot.domain.incident.policy import POLICY
from bot.errors import UsageError
from storage.database import Database
from tests.support.buttons import buttons
from tests.support.ledger import entries, incident
from tests.support.workplace import Workplace, workplace

ACTIONS = {
    "severity": "/incident severity SEV1",
    "lead": "/incident lead @carol",
    "role": "/incident role comms @carol",
    "title": "/incident title Carts are empty",
    "private": "/incident private",
    "resolve": "/resolved freed space",
    "cancel": "/incident cancel a drill",
    "duplicate": "/incident duplicate INC-2",
    "merge": "/incident merge INC-2",
    "undo": "/incident undo 1",
    "drop": "/actionitem drop 1 done upstream",
}


def everybodys(office: Workplace) -> None:
    """INC-2, in another channel, on which each person may do everything."""
    elsewhere = office.slack.add_channel("second")
    for user in office.people.values():
        office.say("/detected it too", user=user, channel=elsewhere)


@pytest.fixture
def led(office: Workplace) -> Workplace:
    """An incident of Alice's, led by her, with an action item of hers; INC-2 is everybody's, in another channel."""
    office.say("/detected disk full")
    everybodys(office)
    office.say("/incident lead @alice")
    office.say("/actionitem @alice: add an alert")
    return office


@pytest.mark.parametrize("action", ["severity", "lead", "title", "resolve"])
def test_nobody_is_refused_for_who_they_are(led: Workplace, action: str) -> None:
    led.say(ACTIONS[action], user=led.bob)


@pytest.mark.parametrize("action", ["private", "drop"])
def test_a_non_responder_is_refused_with_the_way_to_become_one(led: Workplace, action: str) -> None:
    refused = led.refused(ACTIONS[action], user=led.bob)
    assert "On INC-1 that is for its responders to do." in refused
    assert "/note I am on it. Or ask its lead, alice." in refused
    led.say("/note I am on it", user=led.bob)
    led.say(ACTIONS[action], user=led.bob)


@pytest.mark.parametrize("action", ACTIONS)
def test_the_lead_always_may(led: Workplace, action: str) -> None:
    led.say("/incident lead @carol")
    led.say(ACTIONS[action], user=led.carol)


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("circle", ["lead", "anyone"])
def test_a_policy_can_allow_it_to_the_lead_only_or_to_anyone(
    sqlite: Database, clock: SetClock, action: str, circle: str
) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_POLICY=f"{action}={circle}") as office:
        office.say("/detected disk full")
        everybodys(office)
        office.say("/incident lead @alice")
        office.say("/actionitem @alice: add an alert")
        if circle == "lead":
            office.say("/note I am on it", user=office.bob)
            refused = office.refused(ACTIONS[action], user=office.bob)
            assert "On INC-1 that is for its lead, alice, to do. Ask them." in refused
        office.say(ACTIONS[action], user=office.alice if circle == "lead" else office.bob)


CHANGING = {
    "another time": ("/did at 10:00 CST restarted", "Use 10:00 CST (02:00 UTC)"),
    "the form with the time": ("/did at 23:50 restarted", "Correct"),
    "the words as a time": ("/did restarted at around 11:10 or so", "Use about 11:10 UTC"),
    "how it was noticed": ("/detected at 11:50 it is slow", "By monitoring"),
    "what led to it": ("/cause nobody read the diff", "Process"),
}
"""An entry, and a button of its receipt, which stands in the channel for all, that changes it."""


@pytest.mark.parametrize(("typed", "button"), CHANGING.values(), ids=CHANGING)
def test_the_buttons_of_an_entry_change_it_for_those_alone_who_may_edit_it(
    sqlite: Database, clock: SetClock, typed: str, button: str
) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_POLICY="edit=lead") as office:
        office.say("/detected disk full")
        office.say("/incident lead @carol")
        answer = office.ask(typed)
        (element,) = [each for each in buttons(answer) if each["text"]["text"] == button]
        before = entries(office)
        for user, may in ((office.bob, False), (office.alice, True)):
            office.slack.click(user, answer, element["action_id"], element.get("value"))
            opened = bool(office.slack.modal(user, within_s=0.0 if not may else 1.0)) if button == "Correct" else False
            assert (opened or entries(office) != before) == may, user


def test_a_non_responder_does_not_publish(sqlite: Database, clock: SetClock, tmp_path: Path) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_PUBLISH_DIR=str(tmp_path)) as office:
        office.say("/detected disk full")
        office.say("/resolved freed space")
        office.deliver()
        assert "responders" in office.refused("/postmortem publish", user=office.bob)
        office.say("/note I am on it", user=office.bob)
        assert "responders" not in office.private("/postmortem publish", user=office.bob)


def test_under_a_stricter_policy_anyone_takes_a_vacant_lead_and_drops_their_own_item(
    sqlite: Database, clock: SetClock
) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_POLICY="severity=responders,lead=responders") as office:
        office.say("/incident open SEV2 disk full")
        assert "responders" in office.refused("/incident severity SEV1", user=office.bob)
        office.say("/incident lead @bob", user=office.bob)
        office.say("/incident severity SEV1", user=office.bob)
        assert "responders" in office.refused("/incident lead @carol", user=office.carol)
        office.say("/actionitem @carol: add an alert")
        office.say("/actionitem drop 1 it is there", user=office.carol)


def test_the_person_who_declared_it_is_a_responder(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_POLICY="severity=responders") as office:
        office.say("/incident open SEV2 disk full")
        office.say("/incident lead @carol")
        office.say("/incident severity SEV1")


def test_what_is_kept_as_a_note_needs_no_permission_to_resolve(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_POLICY="resolve=lead") as office:
        office.say("/detected disk full")
        office.say("/incident lead @alice")
        assert "lead" in office.refused("/resolved freed", user=office.bob)
        office.say("/resolved freed")
        office.say("/resolved freed more", user=office.bob)


def test_a_resolution_is_not_moved_to_an_incident_that_the_person_may_not_resolve(
    sqlite: Database, clock: SetClock
) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_POLICY="resolve=lead") as office:
        office.say("/detected disk full")
        office.say("/incident lead @alice")
        office.say("/detected mails are late", channel=office.slack.add_channel("mails"), user=office.bob)
        answer = office.ask("/resolved INC-2 they arrive", user=office.bob)
        office.slack.click(office.bob, answer, "move_here")
        assert "for its lead, alice, to do" in office.messages(user=office.bob)[-1].text
        assert incident(office).open


def test_anyone_records(led: Workplace) -> None:
    for words in ("/did x", "/impact 5% of users", "/escalated to db", "/mitigated", "/note x"):
        led.say(words, user=led.bob)
        led.say("/incident undo", user=led.bob)
    led.say("/actionitem @bob: x", user=led.bob)


def test_a_private_incident_is_shown_in_its_own_channel_only(led: Workplace) -> None:
    elsewhere = led.slack.add_channel("elsewhere")
    led.say("/resolved freed space")
    led.say("/incident private")
    shown = {
        "/incident list all": "INC-1",
        "/incident search disk": "INC-1",
        "/incident status INC-1": "INC-1",
        "/timeline INC-1": "disk full",
        "/postmortem show INC-1": "INC-1",
        "/postmortem check INC-1": "INC-1",
        "/actionitem list all": "add an alert",
    }
    led.deliver()
    for typed, found in shown.items():
        assert found in led.private(typed), typed
        answer = led.private(typed, channel=elsewhere, user=led.bob)
        assert "disk" not in answer.replace("search disk", "").replace("“disk”", ""), typed
        assert "alert" not in answer, typed
    assert "There is no INC-1 here." in led.refused("/incident status INC-1", channel=elsewhere)
    assert led.say("/incident private off").startswith("INC-1 is not private")
    assert "INC-1" in led.private("/incident list all", channel=elsewhere)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("dance=lead", "'dance' is nothing the policy knows; one of severity, lead, role"),
        (
            "resolve=nobody",
            "'nobody' may not resolve; write resolve=outsiders, resolve=anyone, resolve=responders or resolve=lead",
        ),
        ("resolve", "'' may not resolve"),
    ],
)
def test_an_invalid_policy_is_refused_with_its_variable(words: str, problem: str) -> None:
    with pytest.raises(UsageError, match="SCRIBE_POLICY") as raised:
        Settings.from_env({"SCRIBE_POLICY": words})
    assert problem in str(raised.value)


def test_a_policy_names_only_what_it_changes() -> None:
    chosen = Settings.from_env({"SCRIBE_POLICY": " Resolve = Lead ,"}).policy
    assert chosen == {**POLICY, "resolve": "lead"}
