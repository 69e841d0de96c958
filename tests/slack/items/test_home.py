"""The App Home tab: open incidents, a person's own items and postmortems, published by a job."""

from datetime import date
from itertools import dropwhile
from typing import Any

from sqlalchemy import text

from bot.clock import SetClock
from bot.fakeslack.dispatcher import Answer
from bot.slack.inbound.payloads import Opened
from bot.slack.outbound import home
from storage import incidents, publications
from storage.database import Database
from tests.integration.storage.rows import declare, plan
from tests.support.ledger import items
from tests.support.workplace import Workplace, at, workplace

CORE = {"commands", "chat:write"}


def opened(office: Workplace, user: str, *, first: str = "*Your action items*") -> list[str]:
    """Open the tab; returns its texts from the one that begins with `first` on."""
    office.slack.open_home(user)
    office.deliver()
    texts = [block["text"]["text"] for block in blocks(office, user) if block["type"] == "section"]
    return list(dropwhile(lambda text: not text.startswith(first), texts))


def click(office: Workplace, user: str, action: str, value: str) -> Answer:
    """Click on the tab as it is shown."""
    shown = office.slack.home(user)
    assert shown
    return office.slack.click(user, shown, action, value)


def blocks(office: Workplace, user: str) -> list[dict[str, Any]]:
    shown = office.slack.home(user)
    assert shown
    return shown.blocks


def test_each_person_sees_their_own_items_overdue_ones_first(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-03-09T12:00:00Z"))
    office.say("/incident open Checkout & <carts>")
    office.say("/actionitem @alice by 2026-03-13: read <diffs>")
    office.say("/actionitem @alice: think")
    office.say("/actionitem @alice long-term by 2026-03-10: buy disks")
    office.say("/actionitem @bob by 2026-03-12: sell disks")
    clock.set(at("2026-03-12T12:00:00Z"))
    texts = opened(office, office.alice)
    assert texts[0] == "*Your action items*\n3 open, the one due first at the top."
    assert texts[1] == (
        "buy disks\n*overdue since Tuesday 10 March 2026, 2 days* · long-term · "
        f"INC-1 item 3, Checkout &amp; &lt;carts&gt; · <#{office.channel}>"
    )
    assert (
        texts[2]
        == f"read &lt;diffs&gt;\ndue tomorrow · INC-1 item 1, Checkout &amp; &lt;carts&gt; · <#{office.channel}>"
    )
    assert texts[3].startswith("think\nno due date")
    assert opened(office, office.bob)[1].startswith("sell disks\n*due today*")
    assert "buy disks" not in str(blocks(office, office.bob))


def test_an_empty_tab_says_what_it_will_show(office: Workplace) -> None:
    texts = opened(office, office.carol)
    assert texts[0] == (
        "*Your action items*\nNone is open. When one is yours it stands here; "
        "/actionitem @you by friday: what has to change adds one in an incident's channel."
    )
    assert texts[1:] == ["*Your postmortems not yet published*\nNone waits."]


def test_the_tab_needs_no_scope_beyond_the_core(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        office.slack.scopes = set(CORE)
        office.say("/incident open disk full")
        office.say("/actionitem @alice: buy disks")
        assert opened(office, office.alice)[1].startswith("buy disks")


def test_a_postmortem_is_on_the_leads_tab_until_it_is_published(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open SEV1 disk full")
    office.say("/incident lead @bob")
    office.say("/resolved freed some")
    assert opened(office, office.bob)[-1] == "*INC-1* disk full\nSEV1 · resolved today · draft version 1"
    clock.set(at("2026-03-15T12:00:00Z"))
    assert opened(office, office.bob)[-1] == "*INC-1* disk full\nSEV1 · resolved 3 days ago · draft version 1"
    assert opened(office, office.alice)[-1].endswith("None waits.")


def test_a_private_incidents_item_is_shown_to_an_owner_who_is_in_its_channel(office: Workplace) -> None:
    hidden = office.slack.add_channel("acquisition", private=True)
    office.say("/incident open the horse is gone", channel=hidden)
    office.say("/actionitem @bob: find the horse", channel=hidden)
    office.say("/incident lead @carol", channel=hidden)
    office.say("/resolved it is back", channel=hidden)
    assert opened(office, office.bob)[1] == (
        f"An action item of a private incident. Its words stand in <#{hidden}>: /actionitem list\n"
        f"no due date · INC-1 item 1 · <#{hidden}>"
    )
    assert "horse" not in str(opened(office, office.carol))
    for user in (office.bob, office.carol):
        office.say("/note I am on it", user=user, channel=hidden)
    assert opened(office, office.bob)[1].startswith("find the horse\nno due date · INC-1 item 1, the horse is gone")
    assert "the horse is gone" in opened(office, office.carol)[-1]
    assert "horse" not in str(opened(office, office.alice)[1:2])


def test_another_workspaces_items_never_appear(database: Database, clock: SetClock) -> None:
    with workplace(database, clock=clock) as office:
        with database.write() as connection:
            plan(connection, declare(connection, "T2"), "theirs", owner="alice", owner_id=office.alice)
        assert "theirs" not in str(opened(office, office.alice))


def test_items_beyond_the_tabs_limit_are_counted(office: Workplace) -> None:
    office.say("/incident open disk full")
    with office.database.write() as connection:
        incident = declare(connection, office.slack.team_id, "C2", title="t" * 120)
        for number in range(97):
            plan(connection, incident, f"{number} " + "&" * 3000, owner="alice", owner_id=office.alice)
        for _ in range(40):
            declare(connection, office.slack.team_id, "C4", title="&" * 120)
        for _ in range(30):
            led = declare(connection, office.slack.team_id, "C3", title="&" * 120, lead="a", lead_id=office.alice)
            incidents.set_open(connection, led, is_open=False)
    texts = opened(office, office.alice)
    assert len(blocks(office, office.alice)) <= 100
    assert "… and 37 more: /actionitem list mine" in texts
    assert "… and 22 more: /incident list" in opened(office, office.alice, first="*Open")
    assert texts[-1] == "… and 15 more: /incident list all"


def test_done_beside_an_item_updates_the_tab(office: Workplace) -> None:
    office.say("/incident open disk full")
    office.say("/actionitem @alice: buy disks")
    office.say("/actionitem @alice: count disks")
    opened(office, office.alice)
    before = len(office.messages())
    answer = click(office, office.alice, home.DONE, "INC-1 1")
    office.slack.repeat(answer)
    office.deliver()
    assert [item.state for item in items(office)] == ["done", "open"]
    assert "buy disks" not in str(blocks(office, office.alice))
    assert len(office.messages()) == before


def test_a_click_on_an_outdated_tab_updates_it(office: Workplace) -> None:
    office.say("/incident open disk full")
    office.say("/actionitem @alice: buy disks")
    opened(office, office.alice)
    office.say("/actionitem done 1")
    shown = office.slack.home(office.alice)
    assert shown
    assert office.slack.click(office.alice, shown, home.DONE).ok
    office.deliver()
    assert "buy disks" not in str(blocks(office, office.alice))


def test_many_openings_are_one_publication_of_the_newest_state(office: Workplace) -> None:
    for _ in range(5):
        office.slack.open_home(office.alice)
    office.say("/incident open disk full")
    office.say("/actionitem @alice: buy disks")
    office.deliver()
    assert [call.method for call in office.slack.calls].count("views.publish") == 1
    assert "buy disks" in str(blocks(office, office.alice))


def test_while_slack_is_away_the_tab_waits(office: Workplace, clock: SetClock) -> None:
    office.slack.fail_next("views.publish", error="internal_error")
    office.slack.open_home(office.alice)
    office.deliver()
    assert office.slack.home(office.alice) is None
    clock.set(at("2026-03-12T12:10:00Z"))
    office.deliver()
    assert office.slack.home(office.alice)


def test_the_messages_tab_is_not_the_home_tab(office: Workplace) -> None:
    def about(tab: str) -> Opened:
        event = {"user": office.alice, "tab": tab}
        return Opened.model_validate({"team_id": office.slack.team_id, "event_id": "Ev1", "event": event})

    home.opened(office.bot.context, about("messages"))
    office.deliver()
    assert office.slack.home(office.alice) is None
    home.opened(office.bot.context, about("home"))
    office.deliver()
    assert office.slack.home(office.alice)


def test_open_incidents_lead_to_their_channels_ones_own_first(office: Workplace) -> None:
    office.say("/incident open SEV1 disk <full>")
    office.say("/incident lead @bob")
    elsewhere = office.slack.add_channel("elsewhere")
    office.say("/incident open carts are empty", user=office.bob, channel=elsewhere)
    office.say("/note I am on it", user=office.carol, channel=elsewhere)
    hidden = office.slack.add_channel("acquisition", private=True)
    office.say("/incident open the horse is gone", user=office.bob, channel=hidden)
    office.say("/note it is quiet", user=office.bob, channel=hidden)
    texts = opened(office, office.carol, first="*Open")
    assert texts[:3] == [
        "*Open incidents*\n2 are open, those you are in at the top.",
        f"*Yours*\n• *INC-2* · carts are empty · <#{elsewhere}> · since 12:00 UTC (21:00 in Tokyo)",
        (
            f"*All others*\n• *INC-1* · SEV1 · disk &lt;full&gt; · <#{office.channel}> · bob leads · "
            "since 12:00 UTC (21:00 in Tokyo)"
        ),
    ]
    assert "horse" not in str(blocks(office, office.carol))
    assert "the horse is gone" in opened(office, office.bob, first="*Yours")[0]
    for channel in (office.channel, elsewhere, hidden):
        office.say("/incident cancel a drill", user=office.bob, channel=channel)
    assert opened(office, office.carol, first="*Open")[0] == (
        "*Open incidents*\nNone is open. /incident open SEV2 what is wrong declares one."
    )


def test_an_item_links_to_its_document_and_its_ticket(office: Workplace) -> None:
    office.say("/incident open disk full")
    office.say("/actionitem @bob: buy disks")
    office.say("/actionitem link 1 https://tickets.example/OPS-1?a=1&b=2")
    with office.database.write() as connection:
        incident = incidents.numbered(connection, office.slack.team_id, 1)
        assert incident
        publications.save(
            connection, incident.id, target="canvas", location="F1", version=1, at=incident.declared_at, by="alice"
        )
    office.bot.context.identity.learn()
    address = office.bot.context.identity.canvas("F1")
    assert opened(office, office.bob)[1] == (
        f"buy disks\nno due date · INC-1 item 1, disk full · <#{office.channel}> · <{address}|document> · "
        "<https://tickets.example/OPS-1?a=1&amp;b=2|ticket>"
    )


def test_each_control_of_an_item_does_what_it_does_in_a_digest_and_updates_the_tab(office: Workplace) -> None:
    office.say("/incident open disk full")
    for number in range(1, 6):
        office.say(f"/actionitem @bob by 2026-03-20: item {number}")
    with office.database.write() as connection:
        incident = incidents.numbered(connection, office.slack.team_id, 1)
        assert incident
        plan(connection, incident, "item 6", owner="bob", owner_id=office.bob, state="proposed")
    opened(office, office.bob)
    before = len(office.messages()), len(office.slack.messages(office.bob))
    click(office, office.bob, "home_done", "INC-1 1")
    click(office, office.bob, "home_snooze", "INC-1 2 3d")
    click(office, office.bob, "home_confirm", "INC-1 6")
    forms = {"date": {"due": "2026-03-27"}, "assign": {"owner": office.carol}, "drop": {"words": "moot"}}
    for number, (action, filled) in enumerate(forms.items(), start=3):
        click(office, office.bob, f"home_{action}", f"INC-1 {number}")
        office.slack.wait_for(lambda: office.slack.modal(office.bob))
        assert office.slack.submit(office.bob, filled).body == {}
    office.deliver()
    found = items(office)
    assert [each.state for each in found] == ["done", "open", "open", "open", "dropped", "open"]
    assert (found[1].snoozed_until, found[2].due_on, found[3].owner) == (date(2026, 3, 15), date(2026, 3, 27), "carol")
    shown = str(blocks(office, office.bob))
    assert [f"item {number}" in shown for number in (1, 4, 5)] == [False] * 3
    assert "due Friday 27 March 2026" in shown
    assert "snoozed until" in shown
    assert (len(office.messages()), len(office.slack.messages(office.bob))) == before


def test_a_part_that_cannot_be_read_leaves_the_others(office: Workplace) -> None:
    office.say("/incident open disk full")
    office.say("/actionitem @alice: buy disks")
    broken = {
        "Open incidents": "UPDATE incidents SET declared_at = 'never'",
        "Your action items": "UPDATE action_item_revisions SET due_on = 'never'",
    }
    for name, statement in broken.items():
        with office.database.write() as connection:
            connection.execute(text(statement))
        texts = opened(office, office.alice, first="*")
        assert f"*{name}* cannot be shown just now." in str(texts)
        assert "*Your postmortems not yet published*" in str(texts)
        assert ("buy disks" in str(texts)) == (name == "Open incidents")
        assert "Your reminders come" in str(blocks(office, office.alice))
