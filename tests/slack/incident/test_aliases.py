"""The words that people bring from other tools, and those that mean something else, or nothing."""

import pytest

from bot.domain.words import misspelt
from bot.vocabulary import ACTION_ITEM, ALIASES, COMMANDS, EXPLAINED, INCIDENT, KINDS, POSTMORTEM
from tests.support.ledger import counts, entries, incident, items, standing
from tests.support.workplace import Workplace

PLACES = {
    name: {each.name for each in command.subcommands} | (COMMANDS.keys() if command is INCIDENT else set())
    for name, command in ((each.name, each) for each in (INCIDENT, POSTMORTEM, ACTION_ITEM))
}


@pytest.mark.parametrize("command", PLACES)
def test_each_alias_means_what_there_is_and_hides_nothing(command: str) -> None:
    own = PLACES[command]
    for word, alias in ALIASES[command].items():
        assert word not in own | EXPLAINED[command].keys(), word
        for meaning in filter(None, (alias.means, alias.with_words)):
            assert meaning.split()[0] in own, (word, meaning)
    assert not own & EXPLAINED[command].keys()


RECORDED = {
    "close at 11:50 the pool was freed": ("resolved", "the pool was freed"),
    "resolve: freed": ("resolved", "freed"),
    "Close": ("resolved", ""),
    "ack bob looks": ("acknowledged", "bob looks"),
    "mitigate rolled back": ("mitigated", "rolled back"),
    "investigate the pool": ("investigating", "the pool"),
    "escalate to the db team": ("escalated", "to the db team"),
    "detect slow pages": ("detected", "slow pages"),
    "log two\nlines": ("note", "two\nlines"),
}
CHANGED = {
    "rename Carts are empty": ("title", "Carts are empty"),
    "sev1": ("severity", "SEV1"),
    "P1": ("severity", "SEV1"),
    "p2": ("severity", "SEV2"),
    "critical": ("severity", "SEV1"),
    "major": ("severity", "SEV2"),
    "minor": ("severity", "SEV3"),
    "severity P1": ("severity", "SEV1"),
    "severity critical": ("severity", "SEV1"),
    "severity [Major]": ("severity", "SEV2"),
    "sev 4": ("severity", "SEV4"),
    "priority p3": ("severity", "SEV3"),
    "lead me": ("lead", "alice"),
    "take": ("lead", "alice"),
    "lead bob": ("lead", "bob"),
    "lead BOB": ("lead", "bob"),
    "commander @carol": ("lead", "carol"),
    "assign me": ("lead", "alice"),
}


@pytest.mark.parametrize("typed", RECORDED)
def test_an_alias_of_a_kind_records_it(office: Workplace, typed: str) -> None:
    office.say("/incident open SEV4 disk full")
    office.say(f"/incident {typed}")
    assert standing(office) == [RECORDED[typed]]


@pytest.mark.parametrize("typed", CHANGED)
def test_an_alias_changes_a_fact(office: Workplace, typed: str) -> None:
    office.say("/incident open disk full")
    office.say(f"/incident {typed}")
    field, value = CHANGED[typed]
    assert getattr(incident(office), field) == value
    assert standing(office) == [(field, f"@{value}" if field == "lead" else value)]


OPENED = {
    "start checkout fails": (None, "checkout fails"),
    "create SEV2 checkout fails": ("SEV2", "checkout fails"),
    "declare P1 checkout fails": ("SEV1", "checkout fails"),
    "open P1: checkout fails": ("SEV1", "checkout fails"),
    "open [critical] checkout fails": ("SEV1", "checkout fails"),
    "open major: checkout fails": ("SEV2", "checkout fails"),
    "open major outage in Europe": (None, "major outage in Europe"),
    "open p99 over 5 s": (None, "p99 over 5 s"),
    "open s3 is down": (None, "s3 is down"),
    "sev1 checkout fails": ("SEV1", "checkout fails"),
    "P2 checkout fails": ("SEV2", "checkout fails"),
    "critical path broken": ("SEV1", "critical path broken"),
    "low disk space": ("SEV4", "low disk space"),
}


@pytest.mark.parametrize("typed", OPENED)
def test_an_alias_opens_an_incident_with_its_severity(office: Workplace, typed: str) -> None:
    office.say(f"/incident {typed}")
    assert (incident(office).severity, incident(office).title) == OPENED[typed]


def test_a_severity_with_words_during_an_incident_opens_no_second_one(office: Workplace) -> None:
    office.say("/detected disk full")
    refused = office.refused("/incident sev1 because it spreads")
    assert "INC-1 is open in this channel" in refused
    assert "or set how bad it is: /incident severity SEV1" in refused
    assert "There is no SEV5." in office.refused("/incident p5")
    assert "There is no SEV0." in office.refused("/incident severity P0")


def test_numbers_name_an_incident_where_nothing_else_is_numbered(office: Workplace) -> None:
    elsewhere = office.slack.add_channel("elsewhere")
    office.say("/detected disk full")
    office.say("/resolved freed")
    office.deliver()
    for typed in ("/incident status 1", "/incident status #1", "/incident show 1", "/postmortem show 1"):
        assert office.private(typed, channel=elsewhere).startswith("INC-1 ·"), typed
    for typed in ("/postmortem draft 1", "/postmortem generate 1", "/postmortem template classic 1"):
        assert "of INC-1 is being drafted" in office.say(typed, channel=elsewhere), typed
    assert "INC-1" in office.private("/postmortem check 1", channel=elsewhere)
    assert "1 page; 12 is none of them. For the timeline of INC-12: /timeline INC-12" in office.refused("/timeline 12")
    assert office.private("/incident timeline INC-1", channel=elsewhere).startswith("INC-1 · disk full")


def test_ones_own_last_entry_is_edited_and_any_entry_is_taken_back(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/note mine")
    office.say("/note of bob", user=office.bob)
    assert office.say("/incident edit last mine, corrected").startswith("Corrected: Note · 12:00 UTC · INC-1 #2")
    assert office.say("/incident edit last at 11:55").startswith("Corrected: Note · 11:55 UTC · INC-1 #2")
    assert "You have no entry" in office.refused("/incident edit last x", user=office.carol)
    assert "responders" in office.refused("/incident undo 3", user=office.carol)
    assert office.say("/incident undo 3").startswith("Taken back: Note · 12:00 UTC · INC-1 #3")
    assert office.say("/incident undo last").startswith("Taken back: Note · 11:55 UTC · INC-1 #2")
    assert standing(office) == [("detected", "disk full")]
    assert "Entry 3 was taken back." in office.refused("/incident undo 3")
    assert [each.revisions for each in entries(office)] == [0, 3, 1]


def test_a_plain_name_is_a_members_where_only_one_has_it(office: Workplace) -> None:
    office.slack.add_user("Bob Smith")
    office.slack.add_user("Dora Jones")
    office.bot.refresh()
    office.say("/detected disk full")
    office.say("/actionitem look")
    office.say("/incident lead bob")
    assert (incident(office).lead, incident(office).lead_id) == ("bob", office.bob)
    office.say("/incident lead dora")
    assert incident(office).lead == "Dora Jones"
    office.say("/incident lead bob smith")
    assert incident(office).lead == "Bob Smith"
    office.slack.add_user("Eve Jones")
    office.bot.refresh()
    before = counts(office)
    assert "2 people are called jones: Dora Jones, Eve Jones. Type the whole name" in office.refused(
        "/incident lead jones"
    )
    assert "That names nobody." in office.refused("/actionitem assign 1 nobody-here")
    assert counts(office) == before
    for typed, owner in (("assign 1 me", "alice"), ("assign 1 BOB", "bob"), ("reassign 1 Eve Jones", "Eve Jones")):
        office.say(f"/actionitem {typed}")
        assert items(office)[0].owner == owner
    office.say("/actionitem assign 1 me", user=office.carol)
    assert items(office)[0].owner_id == office.carol


ITEMS = {
    "close 1": "done",
    "complete 1": "done",
    "finish #1": "done",
    "resolved 1": "done",
    "cancel 1 not needed": "dropped",
    "wontfix 1: too dear": "dropped",
    "accept 1": "open",
}
TEXTS = (
    "close the firewall port", "complete the runbook", "delete old snapshots", "cancel the contract",
    "ticket system for spares", "show the error", "close 3 ports on the firewall", "update the alarm", "ok button",
)  # fmt: skip
"""Items that begin with a word that would be an alias before a number."""


@pytest.mark.parametrize("typed", ITEMS)
def test_an_alias_before_an_items_number_is_the_subcommand(office: Workplace, typed: str) -> None:
    office.say("/detected disk full")
    office.say("/actionitem watch it")
    office.say(f"/actionitem {typed}")
    assert [item.state for item in items(office)] == [ITEMS[typed]]


@pytest.mark.parametrize("text", TEXTS)
def test_an_alias_before_other_words_is_the_beginning_of_an_item(office: Workplace, text: str) -> None:
    office.say("/detected disk full")
    office.say(f"/actionitem {text}")
    assert [item.text for item in items(office)] == [text]


def test_what_is_not_done_here_is_explained_and_changes_nothing(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem watch it")
    before = counts(office)
    explained = {
        "/incident delete 1": "To take back an entry: /incident undo 1. To correct it: /incident edit 1 new words.",
        "/incident remove": "Nothing is deleted here",
        "/incident fixed": "If it is over: /resolved how it ended",
        "/incident page the dba": "Scribe calls nobody.",
        "/postmortem delete": "every version is kept",
        "/actionitem delete 1": "/actionitem drop 1 no longer needed",
    }
    for typed, answer in explained.items():
        assert answer in office.refused(typed), typed
    assert counts(office) == before


def test_a_mention_takes_the_same_words(office: Workplace) -> None:
    office.say("/detected disk full")
    office.slack.say(office.alice, office.channel, "@scribe sev1")
    office.slack.say(office.alice, office.channel, "@scribe close: freed")
    office.deliver()
    assert incident(office).severity == "SEV1"
    assert standing(office)[-1] == ("resolved", "freed")


SLIPS = {
    "severty": "severity", "sevrity": "severity", "stauts": "status", "opne": "open", "udno": "undo",
    "serach": "search", "mitgated": "mitigated", "resloved": "resolved", "aknowledgd": "acknowledged",
    "investigatin": "investigating", "cuase": "cause", "cancle": "cancel", "duplicat": "duplicate",
    "escalted": "escalated", "lst": None, "merg": None,
}  # fmt: skip
OTHERS = (
    "approve", "archive", "audit", "banana", "because", "causal", "clone", "deploy", "detach", "detected-by",
    "escape", "exit", "export", "impart", "import", "impair", "invite", "join", "late", "last", "leads",
    "leave", "lesion", "load", "lost", "merchant", "message", "monitor", "mute", "no", "node", "notify-all",
    "oven", "pause", "private-channel", "public-page", "read", "redo", "remind", "reminder", "reset",
    "restart", "resume", "review", "revoke", "roles", "rollback", "silence", "slack", "spot", "stage", "stop",
    "subscribe", "summary", "sync", "tag", "team", "test", "thanks!", "tile", "triage", "unlock", "unmute",
    "users", "vote", "webhook", "yes",
)  # fmt: skip


@pytest.mark.parametrize("typed", SLIPS)
def test_a_slip_of_the_keys_is_recognised(office: Workplace, typed: str) -> None:
    meant = f"Did you mean /incident {SLIPS[typed]}?" if SLIPS[typed] else "/incident help lists what there is."
    refused = office.refused(f"/incident {typed}")
    assert meant in refused
    assert ("Did you mean" in refused) is bool(SLIPS[typed])


@pytest.mark.parametrize("word", OTHERS)
def test_another_word_suggests_no_command_that_does_something_else(word: str) -> None:
    choices = [*PLACES[INCIDENT.name], *KINDS, *ALIASES[INCIDENT.name]]
    assert word in choices or misspelt(word, choices) is None
    for command in (POSTMORTEM, ACTION_ITEM):
        choices = [*PLACES[command.name], *ALIASES[command.name]]
        assert word in choices or misspelt(word, choices) is None


def test_help_lists_the_aliases(office: Workplace) -> None:
    shown = office.private("/incident help all")
    for words in ("resolve, close, end", "rename, retitle, name (title)", "dup, dupe, same (duplicate)"):
        assert words in shown
    assert "reassign, give, owner (assign)" in shown
