"""An incident's channel of its own: made on request, moved to, archived on request, whatever Slack or a crash does."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.clock import SetClock
from bot.domain.incident.channel import channel_name
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.objects import BOT_USER_ID, Channel
from storage.database import Database
from tests.support.ledger import expire_leases, incident, standing
from tests.support.replicas import replicas
from tests.support.together import together
from tests.support.workplace import HTTP, Workplace, workplace

SCOPES = {"channels:manage", "channels:read", "groups:write", "groups:read", "usergroups:read"}


@contextmanager
def with_channels(database: Database, clock: SetClock, **environment: Any) -> Iterator[Workplace]:
    with workplace(database, clock=clock, SCRIBE_CHANNELS="on", **environment) as office:
        office.slack.scopes |= SCOPES
        yield office


@pytest.fixture
def office(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    with with_channels(sqlite, clock) as made:
        yield made


def press(office: Workplace, answer: Answer, user: str | None = None) -> None:
    office.slack.click(user or office.bob, answer, "make_channel")
    office.deliver()


def named(office: Workplace, name: str) -> Channel:
    found = [each for each in office.slack.workspace.channels.values() if each.name == name]
    assert len(found) == 1, (name, [each.name for each in office.slack.workspace.channels.values()])
    return found[0]


def own(office: Workplace, number: int = 1) -> Channel:
    return office.slack.workspace.channels[incident(office, number).channel_id]


def calls(office: Workplace, method: str) -> list[dict[str, Any]]:
    return [each.args for each in office.slack.calls if each.method == method and not each.error]


def test_a_declared_incident_offers_a_channel_and_goes_on_there(sqlite: Database, clock: SetClock) -> None:
    # Dora and Erin are in the group; Erin is deactivated, and keeps nobody out.
    with with_channels(sqlite, clock, SCRIBE_INVITE_SEV1="S0DATABASE,U000000006") as office:
        dora, erin = office.slack.add_user("dora"), office.slack.add_user("erin", deleted=True)
        frank = office.slack.add_user("frank")
        assert frank == "U000000007"
        office.slack.workspace.groups["S0DATABASE"] = "dba"
        office.slack.workspace.group_members["S0DATABASE"] = (dora, erin)
        said = office.ask("/incident open SEV1 Checkout fails: 5% & more!")
        [button] = said.message.blocks[-1]["elements"] if said.message else []
        assert button["text"]["text"] == "Make #inc-1-checkout-fails-5-more"
        office.say("/note @carol looks at the database")
        press(office, said)
        channel = named(office, "inc-1-checkout-fails-5-more")
        assert channel == own(office)
        assert channel.purpose == "INC-1: Checkout fails: 5% & more! (made by Scribe)"
        assert channel.members == frozenset({BOT_USER_ID, office.alice, office.bob, office.carol, dora})
        assert [each.text for each in office.messages(channel.id)] == [
            (
                "INC-1 · SEV1 · open · Checkout fails: 5% &amp; more!\n"
                f"Lead: nobody yet · declared 12:00 UTC by alice in <#{office.channel}>\n"
                "1. 12:00 UTC · Note: @carol looks at the database\n"
                "What is typed here is for INC-1 from now on."
            )
        ]
        old = [each.text for each in office.messages()]
        assert (
            old[-1] == f"INC-1 goes on in <#{channel.id}>. From here it is reached by number: /note INC-1 what you saw"
        )
        assert any("#inc-1-checkout-fails-5-more is being made for INC-1" in each for each in old)
        assert "INC-1 #2" in office.say("/did rolled back", channel=channel.id)


def test_in_the_old_channel_words_are_kept_and_asked_about_until_another_one_is_opened(office: Workplace) -> None:
    said = office.ask("/incident open SEV2 Checkout fails")
    press(office, said)
    asked = office.ask("/did rolled back")
    assert asked.text.startswith(
        "INC-1 has moved to #inc-1-checkout-fails: type it there, or name it here: /did INC-1 …"
    )
    office.slack.click(office.alice, asked, "choose_incident", _option(asked, "INC-1"))
    assert standing(office) == [("did", "rolled back")]
    for typed in ("/incident status", "/timeline", "/resolved", "/incident severity SEV1", "/detected again"):
        assert "has moved to #inc-1" in office.private(typed), typed
    assert incident(office).open
    assert "INC-1 #2" in office.say("/note INC-1 from the old channel")
    assert "from the old channel" in office.messages(own(office).id)[-1].text
    again = office.ask("/detected mails are late")
    office.slack.click(office.alice, again, "choose_incident", _option(again, "here"))
    assert standing(office, 2) == [("detected", "mails are late")]
    assert "INC-2 #2" in office.say("/note about the mails")
    office.say("/resolved")
    assert "INC-2 #4" in office.say("/note afterwards")


def test_the_groups_of_a_severity_are_not_let_into_a_private_channel(sqlite: Database, clock: SetClock) -> None:
    with with_channels(sqlite, clock, SCRIBE_INVITE_SEV1="U000000005") as office:
        assert office.slack.add_user("dora") == "U000000005"
        hidden = office.slack.add_channel("acquisition", private=True, members={office.alice, office.bob})
        press(office, office.ask("/incident open SEV1 the merger leaks", channel=hidden))
        assert own(office).members == frozenset({BOT_USER_ID, office.alice, office.bob})


def _option(answer: Answer, ends: str) -> str:
    assert answer.message
    options = answer.message.blocks[-1]["elements"][0]["options"]
    return next(str(each["value"]) for each in options if each["value"].endswith(f" {ends}"))


def test_a_private_incident_gets_a_private_channel_and_nothing_of_it_is_said_elsewhere(office: Workplace) -> None:
    hidden = office.slack.add_channel("acquisition", private=True, members={office.alice, office.bob, office.carol})
    said = office.ask("/incident open SEV1 The merger with @carol leaks", channel=hidden)
    assert "leaks" not in str(said.body["blocks"][-1])
    office.say("/note ask @carol nothing", channel=hidden)
    press(office, said)
    channel = own(office)
    assert (channel.name, channel.private) == ("inc-1", True)
    assert channel.purpose == "INC-1 (made by Scribe)"
    # Who is only spoken of is not let in.
    assert channel.members == frozenset({BOT_USER_ID, office.alice, office.bob})
    told = [each.text for each in office.messages(hidden)]
    assert (
        told[-1] == "The incident that was here goes on in a private channel of its own. Who is in it can invite you."
    )
    refused = office.private("/note more", channel=hidden, user=office.carol)
    assert refused.startswith("The incident that was here goes on in a channel of its own.")
    assert "INC-1" not in refused
    assert "There is no INC-1 here" in office.refused("/incident status INC-1", channel=hidden, user=office.carol)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Zürich: Straße gesperrt!", "inc-7-zurich-strasse-gesperrt"),
        ("日本語", "inc-7"),
        ("---", "inc-7"),
        ("<!channel> @here", "inc-7-channel-here"),
        ("x" * 200, "inc-7-" + "x" * 50),
        ("the checkout " * 10, "inc-7-the-checkout-the-checkout-the-checkout-the"),
        ("UPPER_case.dots", "inc-7-upper-case-dots"),
    ],
)
def test_a_name_is_one_that_slack_takes(office: Workplace, title: str, name: str) -> None:
    office.say("/incident open Checkout fails")
    given = replace(incident(office), number=7, title=title)
    assert channel_name(given) == name
    assert channel_name(given, attempt=9).endswith("-9")
    assert len(channel_name(given, attempt=9)) <= 80
    office.bot.context.client.conversations_create(name=name)


def test_a_taken_name_gets_a_suffix_also_where_nobody_may_look(office: Workplace) -> None:
    office.slack.add_channel("inc-1-checkout-fails")
    archived = office.slack.add_channel("inc-1-checkout-fails-2")
    office.slack.change_channel(archived, archived=True)
    press(office, office.ask("/incident open Checkout fails"))
    assert own(office).name == "inc-1-checkout-fails-3"
    office.slack.scopes -= {"channels:read"}
    office.slack.add_channel("inc-2-mails-are-late")
    press(office, office.ask("/incident open Mails are late"))
    assert own(office, 2).name == "inc-2-mails-are-late-2"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("missing_scope", "Whoever runs it can add the scope channels:manage"),
        ("restricted_action", "Slack does not let Scribe make channels (restricted_action)"),
        ("a_new_word", "(a_new_word)"),
    ],
)
def test_what_slack_refuses_is_told_to_who_asked_and_may_be_asked_again(
    office: Workplace, clock: SetClock, error: str, words: str
) -> None:
    said = office.ask("/incident open Checkout fails")
    office.slack.fail_next("conversations.create", error=error, times=4)
    office.slack.click(office.bob, said, "make_channel")
    for _ in range(4):
        office.deliver()
        clock.set(clock() + timedelta(minutes=2))
    assert words in office.messages(user=office.bob)[-1].text
    assert words not in office.messages(user=office.carol)[-1].text
    assert incident(office).channel_id == office.channel
    office.slack._faults.pending.clear()
    office.say("/incident channel")
    office.deliver()
    assert own(office).name == "inc-1-checkout-fails"


def test_pressed_twice_and_by_two_at_once_one_channel_is_made(postgres: Database, clock: SetClock) -> None:
    with replicas(postgres, clock, HTTP, 2) as (office, bots):
        for bot in bots:
            object.__setattr__(bot.context.settings, "channels", True)
        office.slack.scopes |= SCOPES
        said = office.ask("/incident open Checkout fails")
        office.say("/incident channel")
        people = [office.alice, office.bob, office.carol, office.bob]
        together(lambda number: office.ask("/incident channel", user=people[number]), 4)
        together(lambda number: bots[number % 2].context.delivery.deliver_due(), 4)
        office.deliver()
        assert len(calls(office, "conversations.create")) == 1
        assert "has a channel of its own already: #inc-1-checkout-fails" in office.refused("/incident channel INC-1")
        assert said.ok


@pytest.mark.parametrize(
    "method", ["conversations.create", "conversations.setPurpose", "conversations.invite", "chat.postMessage"]
)
@pytest.mark.parametrize("died", ["before the call", "before the answer"])
def test_killed_at_any_step_it_ends_with_one_channel_and_every_word_once(
    sqlite: Database, clock: SetClock, method: str, died: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies just before a call to Slack, or after Slack did it and before the answer came."""
    with with_channels(sqlite, clock) as office:
        office.say("/incident open Checkout fails")
        office.say("/incident channel", user=office.bob)
        client = office.bot.context.client
        killed: list[Any] = []
        call = client.api_call

        def dying(name: str, **how: Any) -> Any:
            if name == method and not killed:
                killed.append(call(name, **how) if died == "before the answer" else None)
                raise KeyboardInterrupt
            return call(name, **how)

        monkeypatch.setattr(client, "api_call", dying)
        with pytest.raises(KeyboardInterrupt):
            office.deliver()
        assert killed
        expire_leases(office.database)
        office.deliver()
        channel = own(office)
        assert channel.name == "inc-1-checkout-fails"
        assert channel.purpose
        assert [each.name for each in office.slack.workspace.channels.values() if each.name.startswith("inc-")] == [
            channel.name
        ]
        assert {office.alice, office.bob} <= (channel.members or set())
        keys = [each.metadata["event_payload"]["key"] for each in office.messages(channel.id) if each.metadata]
        assert len(set(keys)) == 1


def test_a_slow_slack_is_waited_for(office: Workplace, clock: SetClock) -> None:
    said = office.ask("/incident open Checkout fails")
    for method in ("conversations.create", "conversations.setPurpose", "conversations.invite"):
        office.slack.fail_next(method, retry_after_s=30)
    press(office, said)
    assert incident(office).channel_id == office.channel
    for _ in range(3):
        clock.set(clock() + timedelta(seconds=31))
        office.deliver()
    assert {office.alice, office.bob} <= (own(office).members or set())
    assert len(calls(office, "conversations.create")) == 1


def test_people_are_invited_one_by_one_where_slack_refuses_all(office: Workplace) -> None:
    said = office.ask("/incident open Checkout fails")
    office.slack.fail_next("conversations.invite", error="user_not_found")
    press(office, said)
    assert own(office).members == frozenset({BOT_USER_ID, office.alice, office.bob})


def test_an_incident_that_is_closed_meanwhile_stays_where_it_is(office: Workplace) -> None:
    said = office.ask("/incident open Checkout fails")
    office.slack.click(office.bob, said, "make_channel")
    office.say("/incident cancel a drill")
    office.deliver()
    assert incident(office).channel_id == office.channel
    assert calls(office, "conversations.create") == []
    assert "INC-1 was closed meanwhile" in office.messages(user=office.bob)[-1].text
    assert "is cancelled, so it gets no channel" in office.refused("/incident channel")


def test_a_channel_that_is_being_made_is_not_used_once_the_incident_is_private(
    office: Workplace, clock: SetClock
) -> None:
    hidden = office.slack.add_channel("acquisition", private=True, members={office.alice, office.bob})
    office.say("/incident open SEV1 The merger leaks", channel=hidden)
    office.say("/incident private off", channel=hidden)
    office.slack.fail_next("conversations.setPurpose", retry_after_s=30)
    office.say("/incident channel", channel=hidden)
    office.deliver()
    open_to_all = named(office, "inc-1-the-merger-leaks")
    assert not open_to_all.private
    told = office.say("/incident private", channel=hidden)
    assert told.splitlines()[-1] == (
        "#inc-1-the-merger-leaks, which was being made for it, is not used. "
        "To have another made: /incident channel INC-1"
    )
    clock.set(clock() + timedelta(seconds=31))
    assert office.messages(open_to_all.id) == []
    assert incident(office).channel_id == hidden
    office.say("/incident channel", channel=hidden)
    office.deliver()
    assert (own(office).name, own(office).private) == ("inc-1", True)
    assert "which was being made" not in office.say("/incident private off", channel=own(office).id)


def test_an_incident_that_is_open_again_keeps_its_channel(sqlite: Database, clock: SetClock, tmp_path: Any) -> None:
    with with_channels(sqlite, clock, SCRIBE_PUBLISH_DIR=str(tmp_path)) as office:
        press(office, office.ask("/incident open Checkout fails"), office.alice)
        channel = own(office)
        office.say("/resolved rolled back", channel=channel.id)
        office.deliver()
        assert office.ask("/postmortem publish anyway", channel=channel.id).ok
        office.deliver()
        office.slack.fail_next("conversations.archive", retry_after_s=30)
        office.say("/incident archive", channel=channel.id)
        office.deliver()
        office.say("/reopened it is back", channel=channel.id)
        clock.set(clock() + timedelta(seconds=31))
        told = office.messages(channel.id, office.alice)[-1].text
        assert told == "#inc-1-checkout-fails was not archived: INC-1 is open again."
        assert not own(office).archived


def test_the_story_is_told_in_the_workspaces_own_commands(sqlite: Database, clock: SetClock) -> None:
    with with_channels(sqlite, clock, SCRIBE_PREFIX="ops-") as office:
        office.say("/ops-incident open Checkout fails")
        for number in range(10):
            office.say(f"/ops-note step {number}")
        office.say("/ops-incident channel")
        office.deliver()
        assert "2 earlier entries: /ops-timeline" in office.messages(own(office).id)[0].text


def test_without_the_setting_or_for_a_guest_no_channel_is_offered_or_made(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock) as office:
        assert "blocks" not in office.ask("/incident open Checkout fails").body
        assert "set SCRIBE_CHANNELS=on" in office.refused("/incident channel")
        assert "has no channel of its own" in office.refused("/incident archive")
    with with_channels(sqlite, clock) as office:
        office.say("/resolved")
        office.slack.change_user(office.bob, restricted=True)
        assert "blocks" not in office.ask("/incident open Mails are late", user=office.bob).body
        assert "is for members" in office.refused("/incident channel", user=office.bob)


def test_a_channel_is_archived_on_request_once_its_postmortem_is_published(
    sqlite: Database, clock: SetClock, tmp_path: Any
) -> None:
    with with_channels(sqlite, clock, SCRIBE_PUBLISH_DIR=str(tmp_path)) as office:
        press(office, office.ask("/incident open Checkout fails"), office.alice)
        channel = own(office)
        assert "is open, so its channel stays" in office.refused("/incident archive", channel=channel.id)
        office.say("/resolved rolled back", channel=channel.id)
        office.deliver()
        assert "not published yet" in office.refused("/incident archive", channel=channel.id)
        assert office.ask("/postmortem publish anyway", channel=channel.id).ok
        published = next(each for each in office.messages(channel.id) if "published by alice" in each.text)
        assert not own(office).archived
        office.slack.fail_next("conversations.archive", error="restricted_action")
        refused = office.refused("/incident archive INC-1", user=office.carol)
        assert "for its responders to do" in refused
        office.slack.click(office.alice, published, "archive_channel")
        assert "was not archived: Slack says restricted_action" in office.messages(channel.id, office.alice)[-1].text
        assert "is being archived" in office.private("/incident archive INC-1")
        office.deliver()
        assert own(office).archived
        assert "is archived already" in office.refused("/incident archive INC-1")
        assert "INC-1 · resolved" in office.private("/incident status INC-1")


def test_the_stand_in_refuses_as_slack_documents(office: Workplace) -> None:
    client = office.bot.context.client
    channel = client.conversations_create(name="a-place")["channel"]["id"]

    def refused(call: Callable[[], object]) -> str:
        with pytest.raises(SlackApiError) as raised:
            call()
        return str(raised.value.response["error"])

    assert refused(lambda: client.conversations_create(name="a-place")) == "name_taken"
    assert refused(lambda: client.conversations_create(name="A")) == "invalid_name_specials"
    assert refused(lambda: client.conversations_create(name="a b")) == "invalid_name_specials"
    assert refused(lambda: client.conversations_create(name="---")) == "invalid_name_punctuation"
    assert refused(lambda: client.conversations_create(name="")) == "invalid_name_required"
    assert refused(lambda: client.conversations_create(name="x" * 81)) == "invalid_name_maxlength"
    invite = client.conversations_invite
    assert refused(lambda: invite(channel=channel, users=[BOT_USER_ID])) == "cant_invite_self"
    assert refused(lambda: invite(channel=channel, users=[office.alice, "U0NOBODY"])) == "user_not_found"
    assert invite(channel=channel, users=[office.alice, "U0NOBODY"], force=True)["errors"][0]["user"] == "U0NOBODY"
    assert refused(lambda: invite(channel=channel, users=[office.alice])) == "already_in_channel"
    purpose = client.conversations_setPurpose
    assert refused(lambda: purpose(channel=channel, purpose="x" * 251)) == "too_long"
    client.conversations_archive(channel=channel)
    assert refused(lambda: client.conversations_archive(channel=channel)) == "already_archived"
    assert refused(lambda: purpose(channel=channel, purpose="x")) == "is_archived"
    office.slack.scopes -= SCOPES
    for call in (
        lambda: client.conversations_create(name="other"),
        lambda: client.conversations_archive(channel=office.channel),
        lambda: client.users_conversations(types="public_channel"),
        lambda: client.usergroups_users_list(usergroup="S0DATABASE"),
    ):
        assert refused(call) == "missing_scope"
