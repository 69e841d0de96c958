"""Action items: added by a command or a form, then done, reassigned, snoozed or dropped."""

from datetime import date
from typing import Any

import pytest

from bot.clock import SetClock
from tests.support.ledger import counts, items
from tests.support.workplace import Workplace, at

REFUSED = (
    ("@bob:", "Say what has to be done. Try: /actionitem @bob: test the backups"),
    ("list theirs", "/actionitem list shows this incident's items"),
    ("done", "Which action item? Type its number first. Try: /actionitem done 1"),
    ("done it", "Which action item?"),
    ("done 9", "INC-1 has no action item 9. /actionitem list shows the numbers."),
    ("done 1 and more", "Only the number, please: /actionitem done 1"),
    ("done 2", "Action item 2 is done already: count them"),
    ("assign 1", "That names nobody. Try: /actionitem assign 1 @alice"),
    ("assign 1 zed", "That names nobody."),
    ("snooze 1", "For how many days? Try: /actionitem snooze 1 3d"),
    ("snooze 1 a while", "a while is no number of days."),
    ("snooze 1 999d", "From 1 to 365 days is possible, not 999d."),
    ("drop 1", "Say why, so that nobody asks again: /actionitem drop 1 done upstream"),
    ("due 1", "By when? Try: /actionitem due 1 2026-03-19"),
    (
        "due 1 2026-03-11",
        "2026-03-11 is in the past; today is Thursday 12 March 2026. Try: /actionitem due 1 2026-03-19",
    ),
    (
        "due 1 2026-02-30",
        "2026-02-30 is no date I know. Dates are 2026-12-01, in 2 weeks, 1 December. Try: /actionitem due 1 friday",
    ),
    ("due 1 2426-01-01", "2426-01-01 is more than 10 years ahead. Try: /actionitem due 1 2026-03-19"),
    ("due 2 friday", "Action item 2 is done already: count them"),
    ("snooze 1 -3d", "From 1 to 365 days is possible, not -3d. Try: /actionitem snooze 1 3d"),
    ("snooze 1 0d", "From 1 to 365 days is possible, not 0d."),
    ("snooze 1 400 years", "400 years is no number of days. Try: /actionitem snooze 1 3d"),
    ("link 1", "That is no web address. Try: /actionitem link 1 https://tickets.example/OPS-1"),
    ("link 1 http://tickets.example/1", "That is no web address."),
    ("link 1 https://tickets.example/1 and more", "That is no web address."),
    ("confirm 3", "Action item 3 is agreed already: ask @bob"),
    ("confirm 2 3", "Action item 2 is done already: count them\nAction item 3 is agreed already: ask @bob"),
    ("done 2 9", "Action item 2 is done already: count them\nINC-1 has no action item 9."),
    ("reopen 1", "Action item 1 is proposed, so there is nothing to reopen: buy disks"),
    ("reopen 2 please", "Only the number, please: /actionitem reopen 2"),
    ("drop 0 x", "There is no action item 0. Try: /actionitem drop 1"),
)


def test_a_refusal_repeats_the_words_and_changes_nothing(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem buy disks")
    office.say("/actionitem count them")
    office.say("/actionitem done 2")
    office.say("/actionitem @carol: ask @bob")
    before = counts(office)
    for typed, problem in REFUSED:
        answer = office.refused(f"/actionitem {typed}")
        assert answer.startswith(problem), answer
        assert answer.endswith(f"\nYour words: /actionitem {typed}"), answer
    assert counts(office) == before


def test_owner_term_and_date_are_accepted_in_any_order(office: Workplace) -> None:
    office.say("/detected disk full")
    table = (
        ("@bob short-term by friday: buy disks", ("bob", office.bob, "short-term", date(2026, 3, 13))),
        ("by 2026-04-01 @carol: buy disks", ("carol", office.carol, None, date(2026, 4, 1))),
        ("long term @database-team: buy disks", ("database-team", None, "long-term", None)),
        ("buy disks", (None, None, None, None)),
        (": buy disks", (None, None, None, None)),
    )
    for typed, facts in table:
        assert "buy disks\nOwner: " in office.say(f"/actionitem {typed}")
        item = items(office)[-1]
        assert (item.owner, item.owner_id, item.kind, item.due_on) == facts
        assert item.text == "buy disks"


def test_an_owner_that_slack_sends_by_id_only_is_shown_by_name(office: Workplace) -> None:
    office.say("/detected disk full")
    assert "Owner: carol" in office.say(f"/actionitem <@{office.carol}> by friday: buy disks", raw=True)
    assert "Owner: bob" in office.say(f"/actionitem assign 1 <@{office.bob}>", raw=True)
    assert (items(office)[0].owner, items(office)[0].owner_id) == ("bob", office.bob)


def test_the_due_day_is_a_day_in_the_typists_zone(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-12T20:00:00Z"))
    office.say("/actionitem by tomorrow: buy disks", user=office.alice)
    office.say("/actionitem by tomorrow: buy disks", user=office.carol)
    assert [item.due_on for item in items(office)] == [date(2026, 3, 13), date(2026, 3, 14)]


def test_an_item_can_be_assigned_snoozed_and_dropped_with_its_history(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem @bob: buy disks")
    office.say("/actionitem snooze 1 3d")
    office.say("/actionitem assign 1 @carol")
    assert items(office)[0].snoozed_until is None
    office.say("/actionitem snooze #1 2w")
    assert office.say("/actionitem drop 1 no money <sic>").endswith("Why: no money &lt;sic&gt;")
    item = items(office)[0]
    assert (item.owner_id, item.snoozed_until, item.state) == (office.carol, date(2026, 3, 26), "dropped")
    assert counts(office)["action_item_revisions"] == 5


def test_a_date_is_given_and_an_item_judged_from_another_channel_by_the_incidents_name(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem @bob: buy disks")
    elsewhere = office.slack.add_channel("elsewhere")
    office.private("/actionitem due INC-1 1 2026-04-01", channel=elsewhere)
    office.private("/actionitem done INC-1 1", channel=elsewhere)
    office.private("/actionitem worked INC-1 1 yes none is full", channel=elsewhere)
    (item,) = items(office)
    assert (str(item.due_on), item.state, item.worked, item.worked_why) == ("2026-04-01", "done", True, "none is full")


def test_there_are_lists_for_the_incident_for_mine_and_for_all(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem @bob: buy disks")
    office.say("/actionitem @carol: count disks")
    office.say("/actionitem done 2")
    second = office.slack.add_channel("second")
    office.say("/detected", channel=second)
    office.say("/actionitem @bob: sell disks", channel=second)
    assert office.private("/actionitem list").splitlines() == [
        "1. buy disks · bob · term unknown · no due date",
        "2. count disks · carol · term unknown · done, to look at again 2026-04-11",
    ]
    assert office.private("/actionitem list all").count("INC-") == 2
    assert office.private("/actionitem list mine", user=office.bob).count("INC-") == 2
    assert office.private("/actionitem list mine").startswith("You have no open action item.")


def test_the_bare_command_opens_a_form_that_becomes_the_item(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask("/actionitem")
    assert (answer.status, answer.body) == (200, {})
    assert office.slack.modal(office.alice)
    filled = {"words": "by friday: buy disks", "owner": office.bob, "due": "2026-04-01", "kind": "long-term"}
    assert office.slack.submit(office.alice, filled).body == {}
    item = items(office)[0]
    assert (item.text, item.owner, item.owner_id) == ("by friday: buy disks", "bob", office.bob)
    assert (item.kind, item.due_on) == ("long-term", date(2026, 4, 1))
    assert office.messages()[-1].text.startswith("Action item 1 of INC-1: by friday: buy disks\nOwner: bob")


def test_a_team_in_the_form_needs_no_exact_spelling(office: Workplace) -> None:
    office.say("/detected disk full")
    office.ask("/actionitem")
    assert office.slack.modal(office.alice)
    assert office.slack.submit(office.alice, {"words": "buy disks", "team": "@the Database (on call)"}).body == {}
    assert [(item.owner, item.owner_id, item.text) for item in items(office)] == [
        ("the_Database_on_call", None, "buy disks")
    ]


def test_the_form_works_where_the_bot_is_no_member(office: Workplace) -> None:
    outside = office.slack.add_channel("outside", bot_is_member=False)
    office.say("/detected disk full", channel=outside)
    office.ask("/actionitem", channel=outside)
    assert office.slack.modal(office.alice)
    office.slack.submit(office.alice, {"words": "buy disks"})
    assert office.messages(outside)[-1].text.startswith("Action item 1 of INC-1: buy disks")


def _offered(office: Workplace, typed: str) -> tuple[str, list[str]]:
    answer = office.ask(f"/actionitem {typed}")
    blocks: list[dict[str, Any]] = answer.body.get("blocks", [])
    labels = [str(each["text"]["text"]) for block in blocks for each in block.get("elements", ()) if "text" in each]
    return answer.text, [each for each in labels if each.startswith(("Owner: ", "Due "))]


def test_an_owner_whom_nobody_knows_leaves_a_proposal(office: Workplace) -> None:
    office.say("/detected disk full")
    for name in ("nobody", "everyone", "here", "channel", "zed"):
        said = office.say(f"/actionitem @{name} fix it")
        assert f"Slack knows nobody behind @{name}." in said
        item = items(office)[-1]
        assert (item.owner, item.owner_id, item.state, item.text) == (None, None, "proposed", f"@{name} fix it")
    assert "Owner: sre-team" in office.say("/actionitem @sre-team fix it")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("fix alert (bob, by friday)", ["Owner: @bob"]),
        ("fix alert (bob)", ["Owner: @bob"]),
        ("bob to fix alert", ["Owner: @bob"]),
        ("fix alert, owner: bob", ["Owner: @bob"]),
        ("owner: bob fix alert", ["Owner: @bob"]),
        ("@bob @carol fix alert", ["Owner: @carol"]),
        ("@bob ask @carol", []),
        ("fix alert by april", ["Due Wednesday 1 April 2026", "Due Thursday 30 April 2026"]),
        ("fix alert by Q2", ["Due Wednesday 1 April 2026", "Due Tuesday 30 June 2026"]),
        ("zed to fix alert", []),
        ("alert to fix (again)", []),
    ],
)
def test_a_doubtful_owner_or_date_is_offered(office: Workplace, typed: str, offered: list[str]) -> None:
    office.say("/detected disk full")
    for name in ("bob", "carol"):
        office.say("/note here", user=getattr(office, name))
    text, labels = _offered(office, typed)
    assert labels == offered, text
    if "friday" in typed:
        assert items(office)[-1].due_on == date(2026, 3, 13)


def test_the_number_may_come_first(office: Workplace) -> None:
    office.say("/detected disk full")
    for words in ("buy disks", "count disks", "sell disks"):
        office.say(f"/actionitem {words}")
    assert office.say("/actionitem 1 done").startswith("Action item 1 of INC-1 is done")
    assert office.say("/actionitem #2 done").startswith("Action item 2 of INC-1 is done")
    assert office.say("/actionitem 3 drop no money").startswith("Action item 3 of INC-1 is dropped")
    assert office.say("/actionitem 2 done deals to sign").startswith("Action item 4 of INC-1: 2 done deals to sign")
