"""The workspace is the one that the app is installed in, whatever team the outside of a payload names."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select

from bot.clock import SetClock
from bot.fakeslack import payloads as sent
from bot.fakeslack.delivery import Ack, PayloadDelivery
from bot.slack.inbound.payloads import OwnWorkspace, installed_in
from bot.vocabulary import ADD_TO_TIMELINE
from storage.database import Database
from storage.models import incidents, members, outbox, receipts
from storage.values import MEMBER
from tests.support.ledger import entries, incident, items
from tests.support.workplace import HTTP, SOCKET, Workplace, workplace

PARTNER = "T0PARTNER0"


@dataclass(frozen=True, slots=True)
class _FromTheirChannel:
    """Brings each payload as if it came from a channel that the partner's workspace created."""

    courier: Any

    def deliver(self, delivery: PayloadDelivery) -> Ack:
        payload = json.loads(json.dumps(delivery.payload))
        if "team" in payload:
            payload["team"] = {"id": PARTNER, "domain": "partner"}
        if "team_id" in payload:
            payload |= {"team_id": PARTNER}
        if "view" in payload:
            payload["view"]["team_id"] = PARTNER
        ack: Ack = self.courier.deliver(replace(delivery, payload=payload))
        return ack

    def close(self) -> None:
        if hasattr(self.courier, "close"):
            self.courier.close()


@contextmanager
def in_their_channel(office: Workplace) -> Iterator[None]:
    before = office.slack._http
    office.slack._http = _FromTheirChannel(office.slack.transport)  # type: ignore[assignment]
    try:
        yield
    finally:
        office.slack._http = before


def workspaces(office: Workplace) -> dict[str, set[str]]:
    """The workspaces that the rows of each table belong to."""
    with office.database.read() as connection:
        return {
            table.name: set(connection.execute(select(table.c.workspace_id)).scalars())
            for table in (incidents, members, outbox, receipts)
        }


def event(office: Workplace, content: dict[str, Any]) -> int:
    return office.slack._dispatcher.event(content, user=office.alice).status


def told(office: Workplace) -> list[str]:
    return [f"{entry.kind}: {entry.text}" for entry in entries(office)]


@pytest.mark.parametrize("transport", [HTTP, SOCKET])
def test_every_kind_of_payload_from_a_partners_channel_is_for_our_workspace(  # noqa: PLR0915 - a table of acts
    sqlite: Database, clock: SetClock, transport: str
) -> None:
    with workplace(sqlite, clock=clock, transport=transport, SCRIBE_REACTIONS="pushpin") as office:
        office.slack.scopes |= {"reactions:read", "channels:history", "groups:history", "channels:read"}
        slack, alice = office.slack, office.alice
        with in_their_channel(office):
            receipt = office.ask("/detected disk full")
            assert receipt.text.startswith("Detected · ")
            mention = slack.say(office.carol, office.channel, "@scribe did rebooted")
            slack.edit(mention, "@scribe did rebooted it")
            said = slack.say(office.bob, office.channel, "a word")
            slack.react(alice, said, "pushpin")
            office.deliver()
            slack.unreact(alice, said, "pushpin")
            slack.edit(said, "another word")
            slack.delete(said)
            office.deliver()
            slack.shortcut(alice, slack.say(office.bob, office.channel, "it is back"), ADD_TO_TIMELINE)
            assert slack.modal(alice)
            assert slack.submit(alice, {"kind": "note", "words": "it is back"}).body == {}
            slack.workspace.close_view(alice, all_of_them=True)
            office.say("/actionitem @alice: add an alert")
            again = office.ask("/detected disk full")
            assert slack.click(alice, again, "entry_undo").ok
            slack.open_home(alice)
            office.deliver()
            home = slack.home(alice)
            assert home is not None
            assert "add an alert" in str(home.blocks)
            assert slack.click(alice, home, "home_done").ok
            office.ask("/actionitem")
            form = slack.modal(alice)
            assert form is not None
            user = slack.workspace.users[alice]
            assert slack._dispatcher.interaction(sent.view_closed(user, form), view=form).status in {0, 200, 404}
            slack.workspace.close_view(alice, all_of_them=True)
            slack.change_user(office.bob, display_name="robert")
            joined = replace(user, id="U000000077", name="new")
            assert event(office, {**sent.user_change(slack.workspace, joined), "type": "team_join"}) == 200
            slack.change_channel(office.channel, bot_is_member=False)
            slack.change_channel(office.channel, bot_is_member=True)
            for unread in ("channel_rename", "channel_archive", "channel_unarchive", "app_uninstalled_team"):
                assert event(office, {"type": unread, "channel": office.channel}) == 200
            office.deliver()
        assert told(office) == [
            "detected: disk full",
            "did: rebooted it",
            "note: another word",
            "note: it is back",
            "detected: disk full",
        ]
        assert [entry.retracted for entry in entries(office)] == [False, False, True, False, True]
        assert [item.state for item in items(office)] == ["done"]
        assert not incident(office).private
        found = {team for teams in workspaces(office).values() for team in teams}
        assert found == {slack.team_id}
        names = office.bot.context.members
        assert names.name(slack.team_id, office.bob) == "robert"
        member = names.find(slack.team_id, "U000000077")
        assert member is not None
        assert member.standing == MEMBER
        assert slack.undelivered == []


def test_a_colleague_is_known_by_the_workspace_they_are_of_also_without_the_scope(
    sqlite: Database, clock: SetClock
) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        office.slack.scopes -= {"users:read"}
        office.bot.refresh()
        with in_their_channel(office):
            assert office.say("/detected disk full").startswith("Detected · ")
        assert workspaces(office)["incidents"] == {office.slack.team_id}


def theirs(payload: dict[str, Any]) -> PayloadDelivery:
    kind = "events_api" if payload.get("type") == "event_callback" else "slash_commands"
    return PayloadDelivery(kind=kind, payload=payload)


def test_another_installation_is_never_taken_for_ours(office: Workplace) -> None:
    office.say("/detected zebra")
    written = {"type": "app_mention", "user": "U0STRANGER", "text": "<@U0SCRIBE> status INC-1", "ts": "1.1"}
    mention = {
        "type": "event_callback",
        "team_id": office.slack.team_id,
        "event_id": "Ev1",
        "authorizations": [{"team_id": PARTNER, "user_id": "U0SCRIBE", "is_enterprise_install": False}],
        "event": {**written, "channel": office.channel},
    }
    assert office.slack.transport.deliver(theirs(mention)).status == 200
    with office.database.write() as connection:
        # A bot of the partner's workspace uses the same database.
        row = {"workspace_id": PARTNER, "user_id": "U0THEIRBOT", "name": "scribe", "barred": "bot"}
        connection.execute(members.insert(), row | {"fetched_at": office.bot.context.clock()})
    typed = {
        "command": "/incident", "text": "list all", "team_id": PARTNER, "channel_id": office.channel,
        "user_id": "U0STRANGER", "trigger_id": "1", "api_app_id": office.slack.app_id, "is_enterprise_install": "false",
    }  # fmt: skip
    answer = office.slack.transport.deliver(theirs(typed))
    assert answer.status == 200
    assert "zebra" not in str(answer.body)
    office.deliver()
    assert "zebra" not in str([call.args for call in office.slack.calls[-3:]])
    assert workspaces(office)["incidents"] == {office.slack.team_id}


def test_a_bot_registers_its_workspace_before_anything_is_typed(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, known=False) as office:
        office.slack.scopes -= {"users:read"}
        office.bot.refresh()
        assert workspaces(office)["members"] == {office.slack.team_id}


OURS = "T0OURS0000"
COMMAND = {"command": "/note", "user_id": "U1"}
CLICK = {"type": "block_actions", "user": {"id": "U1"}}
EVENT = {"type": "event_callback", "event": {"type": "app_mention", "user": "U1"}}


def authorized(team_id: str | None, **more: object) -> dict[str, object]:
    return {"authorizations": [{"team_id": team_id, **more}]}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({**EVENT, "team_id": PARTNER, **authorized(OURS)}, OURS),
        ({**EVENT, "team_id": OURS, **authorized(PARTNER)}, PARTNER),
        ({**EVENT, **authorized(OURS)}, OURS),
        ({**EVENT, "team_id": OURS, "authorizations": []}, OURS),
        ({**EVENT, "team_id": OURS, "authorizations": "?"}, OURS),
        ({**EVENT}, OURS),
        ({"type": "view_submission", "team": {"id": PARTNER}, "view": {"app_installed_team_id": OURS}}, OURS),
        ({"type": "view_submission", "team": {"id": OURS}, "view": {"app_installed_team_id": PARTNER}}, PARTNER),
        ({**CLICK, "team": {"id": PARTNER}, "user": {"id": "U1", "team_id": OURS}}, OURS),
        ({**CLICK, "team": {"id": PARTNER}, "message": {"bot_id": "B1"}}, OURS),
        ({**CLICK, "team": {"id": PARTNER}, "message": {"bot_id": "B2"}}, PARTNER),
        ({**CLICK, "team": {"id": PARTNER}}, PARTNER),
        ({**CLICK, "team": {"id": PARTNER}, "view": {"app_installed_team_id": OURS}}, OURS),
        ({**CLICK, "team": {"id": OURS}, "view": {"app_installed_team_id": PARTNER}}, PARTNER),
        ({**CLICK, "team": None, "user": {"id": "U1", "team_id": OURS}}, OURS),
        ({**CLICK, "team": {"id": PARTNER}, "is_enterprise_install": True, "message": {"bot_id": "B1"}}, PARTNER),
        ({**COMMAND, "team_id": PARTNER}, PARTNER),
        ({**COMMAND, "team_id": PARTNER, "is_enterprise_install": "true"}, PARTNER),
        ({**COMMAND, "team_id": OURS}, OURS),
        ({**COMMAND, "team_id": PARTNER, "user_id": "U0COLLEAGUE"}, OURS),
    ],
)
def test_the_installation_is_found(body: dict[str, Any], found: str) -> None:
    def belongs(user_id: str | None, team_id: str) -> bool:
        assert team_id == PARTNER
        return user_id == "U0COLLEAGUE"

    own = OwnWorkspace(team_id=OURS, bot_id="B1", belongs=belongs)
    assert installed_in(body, own) == found


def test_without_an_identity_the_payload_says_it_alone() -> None:
    assert installed_in({**COMMAND, "team_id": PARTNER}, None) == PARTNER
    assert installed_in({**EVENT, "team_id": PARTNER, **authorized(OURS)}, None) == OURS
    assert installed_in({**EVENT, "team_id": "T2", **authorized(None, is_enterprise_install=True)}, None) == "T2"
    assert installed_in({**CLICK, "team": None}, None) is None
