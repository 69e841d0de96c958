"""Roles beside the lead, the handover of the lead, and who is called by an escalation."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from bot.clock import SetClock
from bot.config import Settings
from bot.documents.export import FORMATS
from bot.documents.templates import TemplateCatalog
from bot.errors import UsageError
from bot.handlers.postmortem.audiences import BLAMELESS, PUBLIC, AudienceOptions, names_in, render_for
from bot.handlers.postmortem.exports import read_by_name
from bot.handlers.postmortem.json_import import ImportTarget, import_json
from storage.database import Database
from tests.support.ledger import entries, incident, standing
from tests.support.workplace import Workplace, at, workplace


def exported(office: Workplace) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(FORMATS["json"](read_by_name(office.database, "INC-1")))["incident"]
    return facts


def roles(office: Workplace) -> list[tuple[str, str, str, str | None]]:
    """(role, name, from, until) of the export, with the clock times."""
    return [
        (each["role"], each["name"], each["from"][11:16], each["until"] and each["until"][11:16])
        for each in exported(office)["roles"]
    ]


def pings(office: Workplace, user: str, channel: str | None = None) -> int:
    """How often what all see mentions the user."""
    return sum(each.text.count(f"<@{user}>") for each in office.messages(channel) if not each.ephemeral_for)


def test_a_role_is_a_fact_with_its_time(database: Database, clock: SetClock) -> None:
    with workplace(database, clock=clock) as office:
        office.say("/incident open SEV2 disk full")
        assert office.say("/incident role comms @carol") == "INC-1 · comms: carol"
        clock.set(at("2026-03-12T12:30:00Z"))
        told = office.say("/incident role communications @bob at 12:20 UTC", user=office.bob)
        assert told.startswith("INC-1 · comms: bob (was carol) · #2, from 12:20 UTC")
        assert office.say("/incident role me ops") == "INC-1 · ops: alice"
        assert office.say("/incident role comms: @bob") == "INC-1 · comms: bob already, so nothing was changed."
        assert office.private("/incident role").startswith("INC-1 · comms: bob · ops: alice · scribe: nobody\n")
        assert "· comms: bob · ops: alice" in office.private("/incident status")
        assert standing(office) == [("role", "comms: @carol"), ("role", "comms: @bob"), ("role", "ops: @alice")]
        assert office.say("/incident role ops none") == "INC-1 · ops: nobody (was alice)"
        assert roles(office) == [
            ("comms", "carol", "12:00", "12:20"), ("comms", "bob", "12:20", None), ("ops", "alice", "12:30", "12:30"),
        ]  # fmt: skip
        assert office.say("/incident undo 2", user=office.bob).endswith("Roles now: comms carol")
        office.say("/incident edit 1 at 11:50")
        assert roles(office)[0] == ("comms", "carol", "11:50", None)
        assert office.say("/incident edit 1 comms @bob").endswith("comms: @bob\nRoles now: comms bob")
        assert office.say("/incident role lead @carol") == "INC-1 · lead: carol"
        assert pings(office, office.bob) == pings(office, office.carol) == 0


def test_what_is_no_role_is_said_with_those_that_are(office: Workplace) -> None:
    office.say("/detected disk full")
    before = standing(office)
    for typed, problem in (
        ("cook @bob", "Which role? There are comms, ops, scribe. Try: /incident role comms me"),
        ("comms", "That names nobody. Try: /incident role comms @alice"),
        ("comms @bob @carol", "That names nobody. Try: /incident role comms @alice"),
        ("comms the intern", "That names nobody. Try: /incident role comms @alice"),
    ):
        assert office.refused(f"/incident role {typed}").startswith(problem), typed
    assert standing(office) == before


def test_the_roles_are_a_setting(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_ROLES="comms, liaison=customers|clients") as office:
        office.say("/detected disk full")
        assert office.say("/incident role customers @bob") == "INC-1 · liaison: bob"
        assert office.say("/incident role communications @bob") == "INC-1 · comms: bob"
        assert "There are comms, liaison." in office.refused("/incident role scribe @bob")
    for words in ("lead", "two words", ",", "a=b,c=b", "none", ",".join(f"r{number}" for number in range(13))):
        with pytest.raises(UsageError, match="SCRIBE_ROLES"):
            Settings.from_env({"SCRIBE_ROLES": words})


def test_a_handover_changes_the_lead_with_the_words_and_calls_the_person_once(
    office: Workplace, clock: SetClock
) -> None:
    office.say("/incident open SEV2 disk full")
    office.say("/incident lead me")
    clock.set(at("2026-03-12T12:30:00Z"))
    told = office.say("/incident handover @bob: the copy runs until 14:05, look at db2")
    assert told.splitlines() == [
        "INC-1 · lead: bob (was alice)",
        "the copy runs until 14:05, look at db2",
        f"<@{office.bob}>: you lead INC-1 now.",
    ]
    assert pings(office, office.bob) == 1
    assert (incident(office).lead, incident(office).lead_id) == ("bob", office.bob)
    assert standing(office)[-1] == ("lead", "@bob: the copy runs until 14:05, look at db2")
    assert [(each["name"], each["from"][11:16]) for each in exported(office)["leads"]] == [
        ("alice", "12:00"), ("bob", "12:30"),
    ]  # fmt: skip
    assert "Lead: @bob: the copy runs" in office.private("/timeline")
    assert office.say("/incident handover @bob").endswith("bob already, so nothing was changed.")
    office.say("/incident edit 2 @carol: look at db3")
    assert incident(office).lead == "carol"
    assert office.say("/incident undo 2", user=office.alice).endswith("Lead now: alice")
    for typed in ("handover", "handover nobody: x", "lead @bob @carol"):
        assert "names nobody. Try: /incident" in office.refused(f"/incident {typed}"), typed
    office.say("/incident handover @oncall: take it")
    assert standing(office)[-1] == ("lead", "@oncall: take it")


def test_a_handover_from_elsewhere_calls_in_the_incidents_channel_alone(office: Workplace) -> None:
    office.say("/detected disk full")
    there = office.slack.add_channel("elsewhere")
    told = office.private("/incident handover INC-1 @bob the copy runs", channel=there)
    assert f"<@{office.bob}>" not in told
    assert pings(office, office.bob) == 1
    assert pings(office, office.bob, there) == 0
    office.say("/escalated INC-1 @carol to look", channel=there)
    assert pings(office, office.carol) == 1
    assert pings(office, office.carol, there) == 0


def test_a_handover_of_a_private_incident_stays_in_its_channel(office: Workplace) -> None:
    secret, there = office.slack.add_channel("secret", private=True), office.slack.add_channel("elsewhere")
    office.say("/detected the zebra is out", channel=secret)
    assert "There is no INC-1 here." in office.refused("/incident handover INC-1 @bob: a zebra", channel=there)
    office.say("/incident handover @bob: the zebra is yours", channel=secret)
    office.deliver()
    assert pings(office, office.bob, secret) == 1
    assert not any("yours" in each.text for each in office.messages(there))
    assert not any(call.args.get("channel") == office.bob for call in office.slack.calls)


def test_an_escalation_calls_each_person_once_and_says_that_nobody_is_paged(office: Workplace) -> None:
    office.say("/detected disk full")
    told = office.say("/escalated @bob and @carol, the replica; @bob has the key").splitlines()
    assert told[1:] == [
        "@bob and @carol, the replica; @bob has the key",
        f"<@{office.bob}>, <@{office.carol}>: this is for you.",
        "Scribe pages nobody: call who does not answer here.",
    ]
    for words in ("to the database team", "<!subteam^S0DATABASE|@dba> <!here> <!channel>", "me, myself @alice"):
        told = office.say(f"/escalated {words}").splitlines()
        assert "<@" not in str(told)
        assert "<!" not in str(told)
        assert told[-1].startswith("Scribe pages nobody")
    # A mention in a message of the channel has been one already.
    office.slack.say(office.alice, office.channel, "@scribe escalated @carol please look")
    answer = office.messages()[-1]
    assert f"<@{office.carol}>" not in answer.text
    assert "Scribe pages nobody" in answer.text
    office.say("/resolved freed")
    assert "<@" not in office.say("/escalated at 11:50 @bob, as was told later")
    assert [entry.kind for entry in entries(office)].count("escalated") == 6


def test_the_document_tells_who_had_which_role_and_the_other_editions_no_names(
    office: Workplace, clock: SetClock
) -> None:
    office.say("/detected by monitoring: disk full")
    office.say("/incident lead me")
    clock.set(at("2026-03-12T12:10:00Z"))
    office.say("/incident role comms @carol")
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/incident handover @bob: carol tells the customers")
    clock.set(at("2026-03-12T13:00:00Z"))
    office.say("/resolved freed")
    office.deliver()
    record = read_by_name(office.database, "INC-1")
    full = FORMATS["md"](record)
    assert "| Lead | alice 12:00\u201312:30 UTC, then bob |" in full
    assert "| Roles | comms: carol, from 12:10 UTC |" in full
    assert "Led by alice from 12:00 UTC to 12:30 UTC, bob from 12:30 UTC. Comms: carol from 12:10 UTC." in full
    assert "Role: comms: carol" in full
    with office.database.read() as connection:
        options = AudienceOptions(names=names_in(connection, record), catalog=TemplateCatalog())
    blameless, public = (render_for(record, each, options).record for each in (BLAMELESS, PUBLIC))
    told = FORMATS["md"](blameless)
    assert "| Lead | responder A 12:00\u201312:30 UTC, then the lead |" in told
    assert "| Roles | comms: the comms lead, from 12:10 UTC |" in told
    assert "the lead: the comms lead tells the customers" in told
    for edition in (blameless, public):
        for name, write in FORMATS.items():
            assert not re.search("alice|bob|carol", write(edition)), name
    assert json.loads(FORMATS["json"](public))["incident"]["roles"] == []


def test_roles_survive_export_and_import(office: Workplace, clock: SetClock, tmp_path: Path) -> None:
    office.say("/incident open SEV2 disk full")
    office.say("/incident role comms @carol")
    office.say("/incident lead me")
    office.say("/incident handover @bob: look: at db2")
    path = tmp_path / "INC-7.json"
    path.write_text(FORMATS["json"](read_by_name(office.database, "INC-1")).replace('"INC-1"', '"INC-7"'))
    target = ImportTarget(workspace_id=office.slack.team_id, timezone="UTC")
    assert import_json(office.database, path, target, at=clock()).lead == "bob"
    again = json.loads(FORMATS["json"](read_by_name(office.database, "INC-7")))["incident"]
    assert (again["roles"], again["leads"]) == (exported(office)["roles"], exported(office)["leads"])
