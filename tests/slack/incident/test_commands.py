"""Slash commands as a responder types them, through Bolt."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, event

from bot.clock import SetClock
from bot.vocabulary import COMMANDS, KINDS
from storage.database import Database
from tests.support.ledger import standing
from tests.support.workplace import Workplace, at, workplace

SLACK_WAITS_S = 3.0
LOCKS = re.compile(r"\bFROM (?:incidents|workspaces) ")
CHANGE = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")
UNLOCKED = {"live_messages", "outbox", "receipts", "members", "member_listings"}
"""Tables that do not hold what an incident is."""

STORY = {
    "incident help": ("/incident help all", "/started [at TIME] what broke first"),
    "incident open": ("/incident open SEV2 Checkout fails", "INC-1 is declared · SEV2 · Checkout fails"),
    "started": ("/started at 11:40 a deploy", "Started · 11:40 UTC · INC-1 #1 · late entry"),
    "detected": ("/detected at 11:45 by customer: carts are empty", "Detected · 11:45 UTC · INC-1 #2 · by customer"),
    "acknowledged": ("/acknowledged @bob looks", "Acknowledged · 12:00 UTC · INC-1 #3\n@bob looks"),
    "escalated": ("/escalated to the database team", "Escalated · 12:00 UTC · INC-1 #4"),
    "investigating": ("/investigating the cache", "Investigating · 12:00 UTC · INC-1 #5"),
    "ruledout": ("/ruledout not the cache", "Ruled out · 12:00 UTC · INC-1 #6"),
    "did": ("/did rolled back", "Did · 12:00 UTC · INC-1 #7"),
    "impact": ("/impact 5% of carts are empty", "Impact · 12:00 UTC · INC-1 #8"),
    "cause": ("/cause process: nobody read the diff", "Cause · 12:00 UTC · INC-1 #9 · process"),
    "mitigated": ("/mitigated by the rollback", "Mitigated · 12:00 UTC · INC-1 #10"),
    "note": ("/note at least two carts were lost", "Note · 12:00 UTC · INC-1 #11\nat least two carts were lost"),
    "lesson": ("/lesson lucky: it was a quiet day", "Lesson · 12:00 UTC · INC-1 #12 · lucky"),
    "incident status": ("/incident status", "INC-1 · mitigated · SEV2 · Checkout fails"),
    "incident severity": ("/incident severity 3", "INC-1 · severity: SEV3 (was SEV2)"),
    "incident lead": ("/incident lead @carol", "INC-1 · lead: carol"),
    "incident handover": ("/incident handover @carol: look at the carts", "INC-1 · lead: carol\nlook at the carts"),
    "incident role": ("/incident role comms @bob", "INC-1 · comms: bob"),
    "incident catchup": ("/incident catchup", "Lead: carol · comms: bob\nStarted: 11:40 UTC · Detected: 11:45 UTC"),
    "incident private": ("/incident private off", "INC-1 is not private"),
    "incident channel": ("/incident channel", "set SCRIBE_CHANNELS=on"),
    "incident archive": ("/incident archive", "INC-1 has no channel of its own"),
    "incident update": ("/incident update carts are empty, next in 30m", "Update · 12:00 UTC · INC-1 #17"),
    "incident title": ("/incident title Carts empty", "INC-1 · title: Carts empty (was Checkout fails)"),
    "incident list": ("/incident list", "INC-1 · open · SEV2, now SEV3 · Carts empty"),
    "incident search": ("/incident search quiet day", "INC-1 · open"),
    "incident backfill": ("/incident backfill", ""),
    "incident report": ("/incident report 7d", "The report on the last 7 days is being counted"),
    "incident edit": ("/incident edit 7 at 11:58", "Corrected: Did · 11:58 UTC · INC-1 #7"),
    "incident erase": ("/incident erase 2 it names a customer", "Erase entry 2 of INC-1?"),
    "incident undo": ("/incident undo", "Taken back: Title · 12:00 UTC · INC-1 #18\nTitle now: Checkout fails"),
    "timeline": ("/timeline", "7. 11:58 UTC · Did: rolled back (alice, late entry)"),
    "actionitem": (
        "/actionitem @bob long-term by friday: read diffs",
        "Action item 1 of INC-1: read diffs\nOwner: bob · long-term · due Friday 13 March 2026",
    ),
    "actionitem list": ("/actionitem list", "1. read diffs · bob · long-term · due 2026-03-13"),
    "actionitem assign": ("/actionitem assign 1 @carol", "Action item 1 of INC-1 has a new owner: read diffs"),
    "actionitem due": ("/actionitem due 1 2026-04-01", "due Wednesday 1 April 2026"),
    "actionitem link": (
        "/actionitem link 1 https://tickets.example/7",
        "Action item 1 of INC-1 has a ticket: read diffs",
    ),
    "actionitem snooze": ("/actionitem snooze 1 3d", "is snoozed until 2026-03-15"),
    "actionitem done": ("/actionitem done 1", "Action item 1 of INC-1 is done"),
    "actionitem worked": ("/actionitem worked 1 no the diff was read too late", "Action item 1 of INC-1 did not work"),
    "actionitem reopen": ("/actionitem reopen 1", "Action item 1 of INC-1 is open again: read diffs"),
    "second item": ("/actionitem buy a cart", "Action item 2 of INC-1"),
    "actionitem confirm": ("/actionitem confirm 2", "Action item 2 of INC-1 is agreed: buy a cart"),
    "actionitem erase": ("/actionitem erase 2 it names a customer", "Erase action item 2 of INC-1?"),
    "actionitem remind": ("/actionitem remind", "Your reminders come every workday at 09:00, UTC time."),
    "actionitem drop": ("/actionitem drop 2 no money", "Why: no money"),
    "resolved": ("/resolved all carts are full", "INC-1 is resolved. Its postmortem is being drafted"),
    "incident duplicate": ("/incident duplicate INC-2", "There is no INC-2 here."),
    "incident merge": ("/incident merge INC-2", "There is no INC-2 here."),
    "incident cancel": ("/incident cancel a drill", "INC-1 is closed, cancelled: a drill"),
    "reopened": ("/reopened empty again", "Reopened · 12:00 UTC · INC-1 #20"),
    "postmortem draft": ("/postmortem draft", "is being drafted from what is known now"),
    "postmortem edit": ("/postmortem edit", ""),
    "postmortem answer": ("/postmortem answer", ""),
    "postmortem check": ("/postmortem check", "INC-1"),
    "postmortem strike": ("/postmortem strike acknowledged-3", "Struck from the lessons that INC-1 offers"),
    "postmortem template": ("/postmortem template", "learning"),
    "postmortem review": (
        "/postmortem review 2026-03-19 10:00",
        "INC-1 · review on Thursday 19 March 2026, 10:00 to 11:00 UTC\nInvited: carol, alice, bob\n",
    ),
    "postmortem show": ("/postmortem show", "INC-1 · postmortem, version 2"),
    "postmortem publish": ("/postmortem publish", "Whoever runs it can set SCRIBE_PUBLISH_DIR=/srv/postmortems"),
}
"""Every command once, in an order that makes one incident: the typed text, and a part of the answer."""


def play(office: Workplace, prefix: str = "") -> list[str]:
    """Type the commands of STORY; returns the answers."""
    answers = []
    for typed, expected in STORY.values():
        answer = office.ask(typed.replace("/", f"/{prefix}", 1))
        assert answer.ok, (typed, answer)
        assert expected.replace("/started", f"/{prefix}started") in answer.text, (typed, answer.text)
        answers.append(answer.text)
        office.deliver()
    return answers


def test_the_story_has_every_command_and_subcommand() -> None:
    bare = {name for name, command in COMMANDS.items() if not command.subcommands} | {"actionitem"}
    below = {f"{name} {each.name}" for name, command in COMMANDS.items() for each in command.subcommands}
    assert bare | below == STORY.keys() - {"second item"}


def test_every_command_works_over_both_transports(sqlite: Database, clock: SetClock, transport: str) -> None:
    with workplace(sqlite, clock=clock, transport=transport) as office:
        play(office)
        assert {"incident-report.png", "INC-1-review.ics"} < {file.name for file in office.slack.files}
        assert [file.name for file in office.drafts] == ["INC-1-postmortem-v1.md", "INC-1-postmortem-v2.md"]
        assert not office.slack.undelivered


@contextmanager
def unlocked_changes(database: Database) -> Iterator[tuple[list[str], set[str]]]:
    """The statements that change an incident which their transaction has not locked; and all tables changed."""
    unlocked: list[str] = []
    changed: set[str] = set()
    locked = False

    def begin(_connection: Connection) -> None:
        nonlocal locked
        locked = False

    def look(_connection: Connection, _cursor: object, statement: str, *_arguments: object) -> None:
        nonlocal locked
        locked = locked or (" FOR UPDATE" in statement and bool(LOCKS.search(statement)))
        change = CHANGE.match(statement)
        if change and change[1] not in UNLOCKED and " SET stale=" not in statement:
            changed.add(change[1])
            if not locked:
                unlocked.append(statement)

    event.listen(database.engine, "begin", begin)
    event.listen(database.engine, "before_cursor_execute", look)
    yield unlocked, changed
    event.remove(database.engine, "begin", begin)
    event.remove(database.engine, "before_cursor_execute", look)


def test_whatever_changes_an_incident_has_locked_it_before(postgres: Database, clock: SetClock) -> None:
    """The incident's row, or the workspace's for a new one; else what follows from its entries would be lost."""
    with workplace(postgres, clock=clock) as office, unlocked_changes(postgres) as (unlocked, changed):
        for typed, _ in STORY.values():
            office.ask(typed)
            office.deliver()
            assert unlocked == [], typed
    assert changed >= {
        "incidents", "timeline_entries", "entry_revisions", "action_items", "action_item_revisions", "reviews",
        "postmortem_versions", "incident_changes", "reminders",
    }  # fmt: skip


def test_a_prefix_of_the_manifest_that_the_settings_lack_is_read_and_logged(
    office: Workplace, caplog: pytest.LogCaptureFixture
) -> None:
    assert "Detected" in office.say("/inc-detected disk full")
    assert "#2" in office.say("/ops_note looking")
    assert [entry for entry in caplog.messages if "SCRIBE_PREFIX" in entry] == [
        "commands come as /inc-detected: set SCRIBE_PREFIX=inc-",
        "commands come as /ops_note: set SCRIBE_PREFIX=ops_",
    ]
    assert "disk full" not in caplog.text
    office.refused("/nothing-known x")


def test_every_command_has_the_prefix_when_typed_and_when_shown(sqlite: Database, clock: SetClock) -> None:
    bare = re.compile(rf"(?<![\w<])/({'|'.join(COMMANDS)})\b")
    with workplace(sqlite, clock=clock, SCRIBE_PREFIX="inc-") as office:
        refusals = [office.refused(f"/inc-{typed}") for typed in ("note x", "postmortem show", "incident opne", "foo")]
        shown = play(office, "inc-") + [message.text for message in office.messages()]
        assert [text for text in [*shown, *refusals] if bare.search(text.partition("\nYour words:")[0])] == []
        assert not bare.search(office.drafts[-1].content.decode())


def test_every_kind_is_also_a_word_after_incident(office: Workplace) -> None:
    office.say("/incident open disk full")
    for name, kind in KINDS.items():
        words = "well: words" if name == "lesson" else "words"
        assert office.say(f"/incident {name} {words}").startswith(f"{kind.label} · 12:00 UTC · INC-1")
    assert office.say("/incident did: and with a colon").startswith("Did ·")


def test_a_bare_command_with_subcommands_explains_itself(office: Workplace) -> None:
    assert office.private("/postmortem").splitlines() == [
        "/postmortem draft [INC-12] · Draft it again from what is known now",
        "/postmortem show [blameless|public [money]|v3] [INC-12] · Show the newest one",
        "/postmortem answer [INC-12] · Answer what is still open, in a form",
        "/postmortem edit [INC-12] [section] · Edit a section in a form",
        "/postmortem template [NAME] [INC-12] · Draft it in that template; bare lists them",
        "/postmortem check [INC-12] · Advice before others read it",
        "/postmortem strike [INC-12] OFFER · Take a lesson that is offered off the list",
        (
            "/postmortem publish [blameless|public [money] [pictures]] [folder|canvas] [anyway] [INC-12]"
            " · Put it where it is read, or update it there"
        ),
        "/postmortem review [INC-12] WHEN [for 45m] [with @who] | cancel · Plan the meeting; bare shows the plan",
    ]
    assert office.private("/incident") == office.private("/incident help")
    assert office.private("/incident help did") == "/did [at TIME] what was done · An action taken"


def test_a_detection_declares_an_incident_and_the_receipt_is_the_ack(office: Workplace) -> None:
    text = office.say("/detected at 11:52 by monitoring: p99 over 5 s")
    assert text.startswith("Detected · 11:52 UTC · INC-1 #1 · by monitoring · late entry")
    assert "p99 over 5 s" in text
    assert "INC-1 is declared" in text


def test_the_receipt_has_the_time_in_the_typists_zone(office: Workplace) -> None:
    office.say("/detected disk full")
    assert office.say("/did at 4:50 freed space", user=office.bob).startswith(
        "Did · 11:50 UTC (04:50 in Los Angeles) · INC-1 #2 · late entry"
    )


def test_words_may_contain_the_word_payload(office: Workplace) -> None:
    office.say("/detected payload too large")
    office.say('/note payload={"a": 1}&b=2')
    assert standing(office) == [("detected", "payload too large"), ("note", 'payload={"a": 1}&b=2')]


def test_a_command_works_where_the_bot_is_no_member_and_in_a_direct_message(office: Workplace) -> None:
    outside = office.slack.add_channel("outside", bot_is_member=False)
    assert office.say("/detected disk full", channel=outside).startswith("Detected · 12:00 UTC · INC-1 #1")
    direct = office.slack.workspace.direct(office.alice).id
    assert "INC-2 #1" in office.say("/detected my own trouble", channel=direct)
    assert "my own trouble" not in office.private("/incident list all")


def test_entries_of_a_private_channel_are_shown_only_there(office: Workplace) -> None:
    hidden = office.slack.add_channel("acquisition", private=True)
    assert "INC-1 is declared" in office.say("/detected", channel=hidden)
    office.say("/actionitem tell nobody", channel=hidden)
    for typed in ("/incident list all", "/incident search tell", "/actionitem list all"):
        assert "INC-1" not in office.private(typed), typed
    for typed in ("/incident status INC-1", "/timeline INC-1", "/postmortem show INC-1", "/postmortem draft INC-1"):
        assert "There is no INC-1 here" in office.refused(typed), typed
    assert "INC-1" in office.private("/incident list all", channel=hidden)


def test_a_long_timeline_is_shown_by_pages_the_newest_first(office: Workplace) -> None:
    office.say("/detected disk full")
    for number in range(2, 83):
        office.say(f"/note number {number}")
    first, last = office.private("/timeline"), office.private("/timeline INC-1 3")
    assert "page 1 of 3, newest first" in first
    assert "Earlier: /timeline INC-1 2" in first
    assert "82. 12:00 UTC · Note: number 82 (alice)" in first
    assert "Earlier" not in last
    assert "1. 12:00 UTC · Detected: disk full (alice)" in last


def test_an_entry_of_another_day_is_shown_with_its_date(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    clock.set(at("2026-03-13T02:00:00Z"))
    assert office.say("/did at 23:50 freed", user=office.alice).startswith("Did · 12 Mar 23:50 UTC · INC-1 #2")
    assert office.say("/did at 18:30 freed", user=office.bob).startswith(
        "Did · 01:30 UTC (12 Mar 18:30 in Los Angeles) · INC-1 #3"
    )
    assert office.say("/did 2026-03-12 23:59:30 UTC logs say so").startswith("Did · 12 Mar 23:59:30 UTC")


def test_a_command_is_answered_within_the_three_seconds_slack_waits(office: Workplace) -> None:
    """The quickest of three counts: a busy machine may hold up one of them."""
    for typed in ("/detected disk full", "/note we look", "/actionitem @alice by friday: buy disks", "/timeline"):
        assert min(office.ask(typed).elapsed_s for _ in range(3)) < SLACK_WAITS_S, typed
