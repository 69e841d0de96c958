"""Changes and earlier alerts: kept unseen, offered once an incident is declared, taken by a person."""

from collections.abc import Iterator

import pytest

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from bot.handlers.sources.lead_up import keep_change
from bot.sources.addresses import ALL
from storage.database import Database
from storage.sources.signals import EVERYWHERE
from tests.support.hooks import SET_UP, alert, group, hear, later, post
from tests.support.ledger import entries
from tests.support.workplace import Workplace, at, workplace

assert ALL != EVERYWHERE
RELEASE = {
    "title": "release 418",
    "service": "checkout",
    "at": "2026-03-12T11:57:00Z",
    "link": "https://ci.example/418",
}
FLAG = {"title": "flag coupons on", "service": "checkout", "at": "2026-03-12T11:20:00Z"}
OTHER = {"title": "release 77", "service": "mails", "at": "2026-03-12T11:50:00Z"}
OLD = {"title": "release 417", "service": "checkout", "at": "2026-03-12T09:30:00Z"}


@pytest.fixture
def office(database: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(database, clock=clock, SCRIBE_ALERTS="keep", **SET_UP) as place:
        yield place


def offer(office: Workplace) -> Message:
    """What was offered."""
    hear(office)
    return next(each for each in office.messages() if "lead_up_" in str(each.blocks))


def test_changes_are_kept_unseen_and_offered_at_the_declaration(office: Workplace) -> None:
    assert post(office, [RELEASE, FLAG, OTHER, OLD, RELEASE], "change", channel=EVERYWHERE).status_code == 202
    hear(office)
    assert office.messages() == []
    office.say("/detected checkout is slow")
    offered = offer(office)
    lines = offered.text.splitlines()
    assert lines[0] == "3 changes shortly before INC-1:"
    assert lines[1:4] == [
        "• 3 min before: <https://ci.example/418|release 418> (checkout)",
        "• 10 min before: release 77 (mails)",
        "• 40 min before: flag coupons on (checkout)",
    ]
    assert "release 418, 3 min before" in str(offered.blocks)
    later(office, 30)
    assert len([each for each in office.messages() if "lead_up_" in str(each.blocks)]) == 1
    office.slack.click(office.bob, offered, "lead_up_take_1")
    office.deliver()
    taken = entries(office)[-1]
    assert (taken.kind, taken.text, taken.permalink) == ("change", "release 418 (checkout)", RELEASE["link"])
    assert (taken.occurred_at, taken.recorded_by_id) == (at("2026-03-12T11:57:00Z"), office.bob)
    office.slack.click(office.bob, offered, "lead_up_take_1")
    assert "taken already" in office.messages(user=office.bob)[-1].text
    assert len(entries(office)) == 2


def test_where_alerts_name_the_service_changes_of_others_are_left_out(office: Workplace) -> None:
    post(office, [RELEASE, OTHER], "change", channel=EVERYWHERE)
    office.say("/detected checkout is slow")
    post(office, group(alert()))
    shown = offer(office)
    assert "release 418" in shown.text
    assert "release 77" not in shown.text


def test_earlier_alerts_are_offered_with_ticks(office: Workplace) -> None:
    post(office, group(alert("DiskFull", at="2026-03-12T11:00:00Z"), alert("Ancient", at="2026-03-12T07:00:00Z")))
    post(office, FLAG, "change", channel=EVERYWHERE)
    hear(office)
    office.say("/detected checkout is slow")
    offered = offer(office)
    assert "An alert before that, on no incident yet:" in offered.text
    assert "Ancient" not in offered.text
    office.slack.click(office.alice, offered, "lead_up_choose")
    form = office.slack.modal(office.alice)
    assert form
    (boxes,) = (each["element"]["options"] for each in form.blocks)
    office.slack.submit(office.alice, {"lines-0": [each["value"] for each in boxes]})
    office.deliver()
    assert [(each.kind, each.occurred_at) for each in entries(office)[1:]] == [
        ("alert", at("2026-03-12T11:00:00Z")), ("change", at("2026-03-12T11:20:00Z")),
    ]  # fmt: skip
    assert "Change · 11:20:00 UTC · INC-1 #3 · Pipeline, taken by alice" in office.messages()[-1].text


def test_an_address_of_one_channel_is_for_its_incidents_alone(office: Workplace) -> None:
    post(office, RELEASE, "change", channel=office.slack.add_channel("other"))
    office.say("/detected checkout is slow")
    hear(office)
    assert not [each for each in office.messages() if "lead_up_" in str(each.blocks)]


def test_the_terminal_keeps_a_change_too(office: Workplace) -> None:
    office.say("/detected mails are late")
    office.say("/resolved they are not")
    settings, clock = office.bot.context.settings, office.bot.context.clock()
    for _ in range(2):
        told = keep_change(
            office.database, settings, "release 418", at=clock, when="11:58", service="checkout", link=None,
            channel_id=None, workspace_id=None,
        )  # fmt: skip
    assert told == "Kept: release 418 of checkout, at 2026-03-12 11:58:00 UTC"
    office.say("/detected checkout is slow")
    assert "• 2 min before: release 418 (checkout)" in offer(office).text
