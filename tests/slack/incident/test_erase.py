"""Unsaying: an erased entry's words are nowhere, and that it was erased is on record."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, select, text

from bot.clock import SetClock
from bot.documents import drafting
from bot.documents.drafting import Drafted
from bot.documents.export import FORMATS
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.objects import Message
from bot.handlers.postmortem.exports import read_by_name
from bot.vocabulary import ADD_TO_TIMELINE
from storage.database import Database
from storage.models import entry_revisions, metadata
from storage.spool import Spool
from tests.slack.incident.test_channels import SCOPES, own
from tests.support.ledger import entries, incident, items, problems, standing
from tests.support.workplace import Workplace, at, workplace

SECRET = "Tr0ub4dor-and-3"  # noqa: S105 - nobody's
SENTENCE = f"the shop's admin logs in with {SECRET}, says <vendor>"
WHY = "it held a password"
MARK = f"[erased by alice on 2026-03-12: {WHY}]"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "postmortems"
    place.mkdir()
    return place


@pytest.fixture
def publisher(database: Database, clock: SetClock, folder: Path) -> Iterator[Workplace]:
    """A workplace that publishes to a folder and to canvases, on either database."""
    with workplace(database, clock=clock, SCRIBE_PUBLISH_DIR=str(folder), SCRIBE_CANVAS="on") as place:
        place.slack.scopes = {*place.slack.scopes, "canvases:write"}
        yield place


def erase(office: Workplace, words: str, *, user: str | None = None, command: str = "incident") -> str:
    """Type the command, press its button, and deliver; returns the answer to the click."""
    answer = office.ask(f"/{command} erase {words}", user=user)
    assert [each["text"]["text"] for each in buttons(answer)][1] == "Keep it", answer
    return press(office, answer, user=user)


def press(office: Workplace, answer: Answer, *, action: str = "erase", user: str | None = None) -> str:
    """Press a button; what the person alone is told."""
    user = user or office.alice
    assert office.slack.click(user, answer, action).ok
    return [each.text for each in office.messages(user=user) if each.ephemeral_for == user][-1]


def buttons(answer: Answer) -> list[dict[str, dict[str, str]]]:
    return [each for block in answer.body.get("blocks", []) for each in block.get("elements", [])]


def stored(database: Database, name: str = "") -> str:
    """All that the tables hold, or the one of that name, as text."""
    with database.read() as connection:
        rows = [
            json.dumps([str(value) for value in row], ensure_ascii=False)
            for table in metadata.sorted_tables
            if name in {"", table.name}
            for row in connection.execute(select(table))
        ]
    return "\n".join(rows)


def raw(database: Database) -> bytes:
    """The bytes of an SQLite file, its write-ahead log and its shared memory; of a server, the text of every column."""
    if database.is_sqlite:
        path = Path(str(database.url.database))
        return b"".join(each.read_bytes() for each in path.parent.glob(f"{path.name}*"))
    with database.read() as connection:
        tables = inspect(connection).get_table_names()
        return "\n".join(
            str(row[0])
            for table in tables
            for row in connection.execute(text(f'SELECT t::text FROM "{table}" t'))  # noqa: S608 - our tables
        ).encode()


def files(*places: Path) -> bytes:
    return b"".join(each.read_bytes() for place in places for each in place.rglob("*") if each.is_file())


def spool(office: Workplace) -> Path:
    return office.bot.context.settings.spool


def type_in_an_outage(office: Workplace, typed: str) -> str:
    """Type a command while the database is away, and replay it when it is back; returns the answer."""
    office.bot.context.offline._away = True
    answer = office.ask(typed).text
    assert SECRET.encode() in files(spool(office))
    assert office.bot.context.offline.replay() == 1
    office.deliver()
    return answer


def settle(office: Workplace, clock: SetClock) -> None:
    """Let the seconds pass in which live messages are edited, one after the other."""
    for _ in range(8):
        office.deliver()
        clock.set(clock() + timedelta(seconds=1))


def holders(office: Workplace) -> list[str]:
    """The messages of all channels that hold the secret, and the files; not the receipts of slash commands."""
    places = office.slack.workspace.channels
    texts = [
        each.text + json.dumps(each.blocks)
        for place in places
        for each in office.messages(place)
        if each.metadata or each.files
    ]
    files = [str(each.content) for each in office.slack.files]
    return [each for each in (*texts, *files) if SECRET in each]


def test_an_erased_secret_is_nowhere(publisher: Workplace, folder: Path, clock: SetClock) -> None:
    office, database = publisher, publisher.database
    type_in_an_outage(office, f"/detected by monitoring: {SENTENCE}")
    office.say("/note db1 is full")
    office.say(f"/incident edit 1 {SENTENCE}, again")
    office.slack.say(office.alice, office.channel, f"@scribe note at 11:50 {SECRET} is old, `{SECRET}`")
    office.slack.say(office.bob, office.channel, f"@scribe nonsense {SECRET}")
    office.say(f"/note the vendor has {SECRET}, too")
    assert office.say("/incident undo").startswith("Taken back: Note")
    office.say(f"/actionitem @alice by 2026-04-01: change {SECRET}")
    assert office.slack.click(office.alice, office.answers[-1], "item_done").ok
    office.say("/resolved freed")
    office.deliver()
    office.private("/postmortem publish anyway")
    office.private("/postmortem publish blameless folder anyway")
    office.deliver()
    for table in ("timeline_entries", "entry_revisions", "receipts", "outbox", "postmortem_versions", "incidents"):
        assert SECRET in stored(database, table), table
    assert SECRET.encode() in raw(database)
    assert SECRET.encode() in files(folder)
    assert any(SECRET in canvas.markdown for canvas in office.slack.canvases)
    # A rejected line of an outage long ago still has the words.
    Spool(spool(office)).rejects_file.write_text(f'0000 {{"words": "{SECRET} on db1"}}\nffff {SECRET[:9]}', "utf-8")
    first = erase(office, f"1 {WHY}")
    assert first.startswith(f"Erased · INC-1, entry 1 · {WHY}\n"), first
    assert "The same words stand in entry 3, entry 4, action item 1, which are to be erased, too." in first
    assert erase(office, f"3 {WHY}").startswith("Erased · INC-1, entry 3")
    assert erase(office, f"4 {WHY}").startswith("Erased · INC-1, entry 4")
    last = erase(office, f"1 {WHY}", command="actionitem")
    assert "The same words" not in last
    office.deliver()
    assert SECRET not in stored(database)
    assert SECRET.encode() not in raw(database)
    assert SECRET.encode() not in files(folder, spool(office))
    assert not any(SECRET in canvas.markdown for canvas in office.slack.canvases)
    assert "parked" not in stored(database)
    record = read_by_name(database, "INC-1")
    for form, write in FORMATS.items():
        assert SECRET not in write(record), form
    for name in ("INC-1", "INC-1-blameless"):
        assert WHY in (folder / name / "postmortem.md").read_text(encoding="utf-8"), name
    settle(office, clock)
    assert holders(office) == []
    assert office.private(f"/incident search {SECRET[:9]}").startswith("No incident holds")
    # Typed anew: nothing of it was kept to be merged back in.
    office.say("/postmortem draft")
    office.deliver()
    assert SECRET not in office.drafts[-1].content.decode()


def test_cards_drafts_stories_and_updates_lose_the_words_in_every_channel(database: Database, clock: SetClock) -> None:
    environment: dict[str, Any] = {"SCRIBE_CARD": "on", "SCRIBE_CHANNELS": "on", "SCRIBE_UPDATES_CHANNEL": "C000000005"}
    with workplace(database, clock=clock, **environment) as office:
        office.slack.scopes |= SCOPES
        assert office.slack.add_channel("updates") == "C000000005"
        office.say("/detected checkout fails")
        office.say(f"/note {SENTENCE}")
        office.say(f"/incident update we change {SECRET}, next in 30m")
        settle(office, clock)
        office.ask("/incident channel")
        settle(office, clock)
        channel = own(office).id
        office.say("/resolved freed", channel=channel)
        settle(office, clock)
        # The card and its old self, the story, the update, the version.
        assert len(holders(office)) >= 5
        told = ""
        for number in (2, 3):
            answer = office.ask(f"/incident erase {number} {WHY}", channel=channel)
            assert office.slack.click(office.alice, answer, "erase").ok
            told += office.messages(channel, user=office.alice)[-1].text
        assert "The files of drafts that held them are being deleted; /postmortem draft shares the newest." in told
        settle(office, clock)
        assert holders(office) == []
        assert office.drafts == []
        left = [each.text for each in office.messages() if each.text.startswith(f"INC-1 goes on in <#{channel}>.")]
        assert len(left) == 2
        assert problems(office) == []


def test_the_name_of_a_channel_made_for_the_incident_is_named(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_CHANNELS="on") as office:
        office.slack.scopes |= SCOPES
        office.say(f"/detected {SENTENCE}")
        office.say("/note db1 is full")
        office.ask("/incident channel")
        office.deliver()
        channel = own(office).id
        named = f"• The name and the purpose of <#{channel}>"
        assert named not in office.private(f"/incident erase 2 {WHY}", channel=channel)
        answer = office.ask(f"/incident erase 1 {WHY}", channel=channel)
        assert named in answer.text
        assert office.slack.click(office.alice, answer, "erase").ok
        assert named in office.messages(channel, user=office.alice)[-1].text


def test_a_file_that_was_deleted_by_hand_keeps_no_other_from_going(office: Workplace) -> None:
    office.say(f"/detected {SENTENCE}")
    office.say("/resolved freed")
    office.deliver()
    gone, kept = office.slack.files
    office.slack.workspace.files.remove(gone)
    erase(office, f"1 {WHY}")
    office.deliver()
    assert kept not in office.slack.files
    assert problems(office) == []


def test_the_record_keeps_that_it_was_erased_by_whom_and_when(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    office.say(f"/did at 11:50 {SENTENCE}", user=office.bob)
    office.say("/incident edit 2 at 11:52", user=office.bob)
    clock.set(at("2026-03-12T12:30:00Z"))
    before = entries(office)[1]
    erase(office, f"2 {WHY}", user=office.bob)
    after = entries(office)[1]
    assert after.text == f"[erased by bob on 2026-03-12: {WHY}]"
    kept = ("number", "kind", "occurred_at", "recorded_at", "author", "recorded_by_id", "source", "late")
    assert all(getattr(before, name) == getattr(after, name) for name in kept)
    with office.database.read() as connection:
        chain = connection.execute(select(entry_revisions).order_by(entry_revisions.c.number)).mappings().all()
    assert [(row["number"], row["revised_by_id"], row["text"]) for row in chain] == [
        (1, office.bob, after.text), (2, office.bob, after.text),
    ]  # fmt: skip
    assert [f"{row['revised_at']:%H:%M}" for row in chain] == ["12:00", "12:30"]
    assert f"Did: {after.text}" in office.private("/timeline")


def test_it_may_be_written_again_without_the_secret_and_erased_once_more(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say(f"/did {SENTENCE}")
    erase(office, f"2 {WHY}")
    assert office.refused(f"/incident erase 2 {WHY}") == (
        f"Entry 2 of INC-1 is erased already.\nYour words: /incident erase 2 {WHY}"
    )
    assert office.say("/incident edit 2 changed the vendor's login").endswith("changed the vendor's login")
    erase(office, "2 it names the vendor")
    assert standing(office)[1] == ("did", "[erased by alice on 2026-03-12: it names the vendor]")


def test_keep_it_changes_nothing(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask(f"/incident erase 1 {WHY}")
    assert press(office, answer, action="erase_keep") == "Kept: INC-1 entry 1 stays as it is."
    assert standing(office) == [("detected", "disk full")]


def test_a_second_press_says_that_it_is_done(office: Workplace) -> None:
    office.say("/detected disk full")
    first, second = (office.ask(f"/incident erase 1 {WHY}") for _ in range(2))
    press(office, first)
    assert "Entry 1 of INC-1 is erased already." in press(office, second)
    assert entries(office)[0].revisions == 1


def test_the_question_says_what_goes_and_what_scribe_cannot_reach(office: Workplace) -> None:
    office.say(f"/detected {SENTENCE}")
    office.say("/resolved freed")
    office.deliver()
    shown = office.private(f"/incident erase 1 {WHY}")
    assert SECRET not in shown
    assert "from version 1 of the postmortem, from the title." in shown
    assert MARK in shown
    for place in (
        "Receipts of slash commands",
        "Files of those drafts that were shared weeks ago",
        "Backups and exports",
    ):
        assert place in shown


def test_a_title_that_came_from_the_entry_goes_too(office: Workplace) -> None:
    office.say(f"/detected {SENTENCE}")
    shown = erase(office, f"1 {WHY}")
    assert incident(office).title == MARK
    assert "INC-1 needs a new title: /incident title what is broken" in shown


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("", "Which entry? Type its number first. Try: /incident erase 2 it names a customer"),
        ("2", "Say why: it stands in place of the words. Try: /incident erase 2 it names a customer"),
        (f"2 {SECRET} was there", "The reason repeats what is to go, and it stays on the timeline."),
        (f"2 {SENTENCE}", "The reason repeats what is to go"),
        ("2 password=hunter2", "The reason repeats what is to go"),
        (f"2 {'x' * 201}", "Say why in at most 200 characters."),
        ("9 it names a customer", "INC-1 has no entry 9. /timeline shows the numbers."),
        ("3 it names a customer", "Entry 3 of INC-1 has no words to erase."),
    ],
)
def test_what_cannot_be_erased_is_refused(office: Workplace, words: str, problem: str) -> None:
    office.say("/detected disk full")
    office.say(f"/did {SENTENCE}")
    office.say("/mitigated")
    assert office.refused(f"/incident erase {words}".strip()).startswith(problem)


def test_only_the_writer_and_the_lead_may(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say(f"/did {SENTENCE}", user=office.bob)
    office.say("/incident lead @alice")
    office.say("/note here too", user=office.carol)
    assert office.refused(f"/incident erase 2 {WHY}", user=office.carol).startswith(
        "On INC-1 that is for its lead, alice, to do."
    )
    answer = office.ask(f"/incident erase 2 {WHY}", user=office.bob)
    assert "Erase entry 2" in answer.text
    erase(office, f"2 {WHY}")
    assert standing(office)[1] == ("did", MARK)


def test_other_peoples_words_stay_where_they_share_some_with_it(office: Workplace) -> None:
    office.say("/detected disk full on the primary database of the checkout")
    office.say("/note disk full on the primary database of the checkout, login was Sw0rdfish99")
    office.say("/note Sw0rd is a codename")
    office.say("/resolved freed")
    office.deliver()
    erase(office, f"2 {WHY}")
    office.deliver()
    assert [words for _, words in standing(office)] == [
        "disk full on the primary database of the checkout", MARK, "Sw0rd is a codename", "freed",
    ]  # fmt: skip
    shown = office.ask("/postmortem show").body["blocks"][-1]["text"]
    assert "Detected: disk full on the primary database of the checkout — alice" in shown
    assert f"Note: {MARK} — alice" in shown


def test_a_section_that_somebody_wrote_loses_the_secret_alone(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say(f"/did {SENTENCE}")
    office.say("/resolved freed")
    office.deliver()
    edit(office, "summary", f"We were slow.\n\nThe login {SECRET} was in a note.\n\nWe know better now.")
    erase(office, f"2 {WHY}")
    office.say("/postmortem draft")
    office.deliver()
    draft = office.drafts[-1].content.decode()
    assert SECRET not in draft
    assert "We were slow." in draft
    assert "We know better now." in draft
    assert "conflict" not in office.messages()[-1].text


def edit(office: Workplace, section: str, words: str) -> None:
    """Edit a section in its form."""
    assert office.ask(f"/postmortem edit {section}").body == {}
    assert office.slack.modal(office.alice) is not None
    assert office.slack.submit(office.alice, {"words": words}).ok
    office.deliver()


def test_a_form_that_was_open_does_not_bring_the_words_back(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say(f"/did {SENTENCE}")
    office.say("/resolved freed")
    office.deliver()
    assert office.ask("/postmortem edit timeline").body == {}
    view = office.slack.modal(office.alice)
    assert view is not None
    assert SECRET in json.dumps(view.blocks)
    erase(office, f"2 {WHY}", user=office.alice)
    answer = office.slack.submit(office.alice)
    assert "erased while the form was open" in json.dumps(answer.body)
    assert SECRET not in stored(office.database)


def test_a_posted_receipt_is_changed_in_slack(office: Workplace) -> None:
    office.say("/detected disk full")
    office.slack.say(office.alice, office.channel, f"@scribe note {SENTENCE}")
    office.deliver()
    erase(office, f"2 {WHY}")
    (receipt,) = [each for each in office.messages() if each.text.startswith("Note ·")]
    assert receipt.text == f"Note · 12:00 UTC · INC-1 #2\n{MARK}"
    assert receipt.edited


def test_what_waits_for_slack_is_sent_without_the_words(office: Workplace) -> None:
    office.say("/detected disk full")
    office.slack.say(office.alice, office.channel, f"@scribe note {SENTENCE}")
    answer = office.ask(f"/incident erase 2 {WHY}")
    assert office.slack.click(office.alice, answer, "erase").ok
    assert [each.text for each in office.messages() if each.text.startswith("Note ·")] == [
        f"Note · 12:00 UTC · INC-1 #2\n{MARK}"
    ]


def test_a_repeated_delivery_gets_the_receipt_without_the_words(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say(f"/note {SENTENCE}")
    erase(office, f"2 {WHY}")
    again = office.slack.repeat(office.answers[1])
    assert again.text == f"Note · 12:00 UTC · INC-1 #2\n{MARK}"
    assert len(entries(office)) == 2


def test_a_draft_that_was_being_written_is_written_without_the_words(
    office: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.say("/detected disk full")
    office.say(f"/note {SENTENCE}")
    answer = office.ask(f"/incident erase 2 {WHY}")
    draft = drafting.draft_sections
    pressed: list[Answer] = []

    def slow(*what: Any, **how: Any) -> Drafted:
        if not pressed:
            pressed.append(office.slack.click(office.alice, answer, "erase"))
        return draft(*what, **how)

    monkeypatch.setattr(drafting, "draft_sections", slow)
    office.say("/postmortem draft")
    office.deliver()
    assert pressed[0].ok
    assert SECRET not in stored(office.database)
    assert [MARK[:-1] in each.content.decode() for each in office.drafts] == [True]


def test_an_erased_messages_words_are_not_taken_again(office: Workplace) -> None:
    office.say("/detected disk full")
    message = office.slack.say(office.bob, office.channel, SENTENCE)
    bodies = []
    for _ in range(2):
        assert office.slack.shortcut(office.alice, message, ADD_TO_TIMELINE).ok
        assert office.slack.modal(office.alice)
        bodies.append(json.dumps(office.slack.submit(office.alice, {"kind": "note"}).body))
        office.slack.workspace.close_view(office.alice, all_of_them=True)
        office.deliver()
        if len(entries(office)[1].text) == len(SENTENCE):
            assert "The message itself" in office.private(f"/incident erase 2 {WHY}", user=office.bob)
            erase(office, f"2 {WHY}", user=office.bob)
    assert "The words of entry 2 were erased, and are not taken from the message again." in bodies[1]
    assert SECRET not in stored(office.database)


def test_the_name_of_somebody_in_the_words_goes_too(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/note @carol of the vendor was paged")
    office.say("/resolved freed")
    office.deliver()
    erase(office, "2 it names somebody")
    shown = office.ask("/postmortem show").body["blocks"][-1]["text"]
    assert "carol" not in shown
    assert office.carol not in stored(office.database, "timeline_entries")


def test_a_private_entry_stays_private(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say(f"/note private: {SENTENCE}")
    erase(office, f"2 {WHY}")
    assert standing(office)[1] == ("note", f"private: {MARK}")


def test_another_channel_cannot_erase_a_private_incidents_entry(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/incident private")
    elsewhere = office.slack.add_channel("elsewhere")
    refused = office.refused(f"/incident erase INC-1 1 {WHY}", channel=elsewhere)
    assert refused.startswith("There is no INC-1 here.")


def test_the_words_go_from_the_incident_that_was_merged(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    office.say("/resolved freed")
    clock.set(at("2026-03-12T12:30:00Z"))
    answer = office.ask("/detected disk full again")
    office.say(f"/note {SENTENCE}")
    assert office.slack.click(office.alice, answer, "reopen").ok
    office.deliver()
    number = next(each.number for each in entries(office) if each.text == SENTENCE)
    erase(office, f"{number} {WHY}")
    assert SECRET not in stored(office.database)


def test_a_hostile_reason_and_name_are_no_markup_anywhere(office: Workplace) -> None:
    office.say(f"/detected {SENTENCE}")
    office.say("/resolved freed")
    office.deliver()
    erase(office, "1 <!channel> `a` *b* [c](https://d) & |e| ~f~")
    assert entries(office)[0].text == "[erased by alice on 2026-03-12: !channel a b c (https://d) e f]"


def test_an_action_items_words_go_with_its_ticket_and_reasons(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say(f"/actionitem @alice by 2026-04-01: change {SENTENCE} as in https://tickets.example/OPS-1")
    office.say(f"/actionitem drop 1 {SECRET} is gone")
    shown = erase(office, f"1 {WHY}", command="actionitem")
    assert shown.startswith(f"Erased · INC-1, action item 1 · {WHY}")
    (item,) = items(office)
    assert (item.text, item.reason, item.ticket, item.state, item.owner) == (MARK, MARK, None, "dropped", "alice")
    assert SECRET not in stored(office.database)


def test_why_it_worked_goes_with_an_action_items_words(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say(f"/actionitem @alice: change {SENTENCE}")
    office.say("/actionitem done 1")
    office.say(f"/actionitem worked 1 no {SECRET} is back")
    office.say("/actionitem worked 1 yes")
    erase(office, f"1 {WHY}", command="actionitem")
    (item,) = items(office)
    assert (item.text, item.worked, item.worked_why) == (MARK, True, None)
    assert SECRET not in stored(office.database)


SAID = "/note password=hunter2 is in the log"


def test_words_that_look_like_a_secret_are_saved_and_answered_privately(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask(SAID)
    assert answer.body["response_type"] == "ephemeral"
    assert answer.text.startswith("Note · 12:00 UTC · INC-1 #2\nThis looks like a secret")
    assert "hunter2" not in json.dumps(answer.body)
    assert "/incident erase 2 it held a password" in answer.text
    assert standing(office)[1] == ("note", "password=hunter2 is in the log")
    assert press(office, answer).startswith("Erased · INC-1, entry 2 · it looked like a secret")
    assert "hunter2" not in stored(office.database)
    assert b"hunter2" not in raw(office.database)


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("/detected password=hunter2 is on the page", 1),
        ("/incident edit 1 password=hunter2 is in the log", 1),
        ("/actionitem @alice by 2026-04-01: change password=hunter2", 1),
        ("/actionitem change password=hunter2", 1),
    ],
)
def test_every_way_to_write_is_answered_privately(office: Workplace, typed: str, number: int) -> None:
    if not typed.startswith("/detected"):
        office.say("/detected disk full")
    answer = office.ask(typed)
    assert answer.body["response_type"] == "ephemeral", answer
    assert "hunter2" not in json.dumps(answer.body)
    assert "hunter2" not in incident(office).title
    shown = press(office, answer)
    assert f" {number} · it looked like a secret" in shown
    assert "hunter2" not in stored(office.database)


def test_a_mention_and_a_form_with_a_secret_are_answered_privately(office: Workplace) -> None:
    office.say("/detected disk full")
    office.slack.say(office.alice, office.channel, "@scribe note password=hunter2")
    assert office.ask("/actionitem").body == {}
    assert office.slack.modal(office.alice) is not None
    filled = {"words": "change it", "owner": office.alice, "done_when": "password=hunter2 is refused"}
    assert office.slack.submit(office.alice, filled).ok
    told = [each for each in office.messages(user=office.alice) if "looks like a secret" in each.text]
    assert [each.ephemeral_for for each in told] == [office.alice, office.alice]
    assert not any("hunter2" in each.text for each in told)


def test_in_an_outage_a_secret_is_not_repeated_either(office: Workplace) -> None:
    office.say("/detected disk full")
    office.bot.context.offline._away = True
    answers = [office.ask(typed) for typed in (SAID, "/actionitem change password=hunter2", "/note all is well")]
    assert [each.body["response_type"] for each in answers] == ["ephemeral", "ephemeral", "in_channel"]
    assert "hunter2" not in "".join(each.text for each in answers)
    assert office.bot.context.offline.replay() == 3
    shown = office.messages(user=office.alice)
    assert not any("hunter2" in each.text for each in shown)
    assert [each.ephemeral_for for each in shown if "stand in the record" in each.text] == [office.alice] * 2


def test_later_receipts_of_a_suspicious_item_do_not_repeat_it(office: Workplace) -> None:
    office.say("/detected disk full")
    office.ask("/actionitem @alice by 2026-04-01: change password=hunter2")
    assert "hunter2" not in office.private("/actionitem done 1")


def test_undo_does_not_repeat_the_words(office: Workplace) -> None:
    office.say("/detected disk full")
    office.ask(SAID)
    assert office.say("/incident undo") == "Taken back: Note · 12:00 UTC · INC-1 #2"


@pytest.mark.parametrize(("action", "copy"), [("new_incident", "INC-2 1"), ("another_outage", "3")])
def test_the_entry_that_a_moved_one_was_before_is_erased_too(office: Workplace, action: str, copy: str) -> None:
    office.say("/detected disk full")
    answer = office.ask(f"/detected {SENTENCE}")
    assert office.slack.click(office.alice, answer, action).ok
    assert "The same words" not in erase(office, f"{copy} {WHY}")
    office.deliver()
    assert SECRET not in stored(office.database)


def test_an_entry_moved_with_a_word_before_it_is_erased_in_both(office: Workplace) -> None:
    office.say("/detected disk full")
    mails = office.slack.add_channel("mails")
    office.say("/detected mails are late", channel=mails)
    answer = office.ask(f"/note INC-1 {SENTENCE}", channel=mails)
    assert office.slack.click(office.alice, answer, "move_here").ok
    assert entries(office, 2)[1].text == f"INC-1 {SENTENCE}"
    erase(office, f"INC-2 2 {WHY}")
    office.deliver()
    assert SECRET not in stored(office.database)


@pytest.mark.parametrize("action", ["another_outage", "new_incident"])
def test_a_moved_secret_is_no_title_and_is_not_repeated(office: Workplace, action: str) -> None:
    office.say("/detected disk full")
    answer = office.ask("/detected password=hunter2secret")
    assert office.slack.click(office.alice, answer, action).ok
    shown = office.messages(user=office.alice)[-1]
    assert shown.ephemeral_for == office.alice
    assert "This looks like a secret" in shown.text
    assert "hunter2" not in shown.text
    assert "hunter2" not in incident(office, 2 if action == "new_incident" else 1).title


def test_a_chronology_with_a_secret_is_answered_privately(office: Workplace) -> None:
    office.say("/detected disk full")
    assert office.ask("/incident backfill 11:50 we look\n11:51 password=hunter2").body == {}
    assert office.slack.modal(office.alice)
    assert office.slack.submit(office.alice).ok
    (told,) = [each for each in office.messages(user=office.alice) if "#3 looks like a secret" in each.text]
    assert told.ephemeral_for == office.alice
    assert "hunter2" not in told.text


def lines_of_secrets(office: Workplace) -> Message:
    """Record a chronology with two secrets; what the person alone is told."""
    office.say("/detected disk full")
    assert office.ask("/incident backfill 11:50 we look\n11:51 password=hunter2\n11:52 token=Zx81kQ77p1").body == {}
    assert office.slack.modal(office.alice)
    assert office.slack.submit(office.alice).ok
    return office.messages(user=office.alice)[-1]


def test_each_secret_of_a_chronology_has_its_own_button(office: Workplace) -> None:
    told = lines_of_secrets(office)
    assert told.ephemeral_for == office.alice
    assert labels(told) == ["Erase #3", "Erase #4"]
    for number, secret in ((3, "hunter2"), (4, "Zx81kQ77p1")):
        assert office.slack.click(office.alice, told, f"erase_{number - 2}").ok
        answer = office.messages(user=office.alice)[-1]
        assert answer.text.startswith(f"Erased · INC-1, entry {number} · it looked like a secret")
        assert secret not in stored(office.database)


def labels(message: Message) -> list[str]:
    return [each["text"]["text"] for block in message.blocks for each in block.get("elements", ())]


def test_an_entry_that_was_split_is_offered_beside_its_lines(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.ask("/note at 11:50 we look\n11:51 password=hunter2\n11:52 it is freed")
    assert office.slack.click(office.alice, answer, "entry_split").ok
    assert office.slack.modal(office.alice)
    assert office.slack.submit(office.alice).ok
    told = office.messages(user=office.alice)[-1]
    assert told.ephemeral_for == office.alice
    assert labels(told) == ["Erase #4", "Erase #2"]
    for number in (1, 2):
        assert office.slack.click(office.alice, told, f"erase_{number}").ok
    assert "hunter2" not in stored(office.database)


TITLED = "password=hunter2xyz1"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (f"/incident title {TITLED}", "INC-1 · title: password=[hidden] (was disk full)"),
        (f"/incident open SEV2 {TITLED}", "INC-3 is declared · SEV2 · password=[hidden]"),
        (f"/incident cancel {TITLED} was posted", "INC-1 is closed, cancelled: password=[hidden] was posted"),
        (f"/incident cancel INC-2 {TITLED}", "INC-2 is closed, cancelled: password=[hidden]"),
        (f"/incident duplicate INC-2: {TITLED}", "INC-1 is closed, duplicate: the same as INC-2: password=[hidden]"),
        (f"/incident title INC-2 {TITLED}", "INC-2 · title: password=[hidden] (was mails are late)"),
    ],
)
def test_what_is_no_entry_and_looks_like_a_secret_is_told_to_nobody_else(
    office: Workplace, typed: str, said: str
) -> None:
    office.say("/detected disk full")
    mails = office.slack.add_channel("mails")
    office.say("/detected mails are late", channel=mails)
    channel = office.slack.add_channel("third") if " open " in typed else office.channel
    before = [office.messages(each) for each in (office.channel, mails)]
    answer = office.ask(typed, channel=channel)
    assert answer.body["response_type"] == "ephemeral"
    assert answer.text.startswith(said)
    assert "looks like a secret" in answer.text
    assert "hunter2" not in json.dumps(answer.body)
    office.deliver()
    assert [office.messages(each) for each in (office.channel, mails)] == before
    assert "hunter2" in stored(office.database)
    # As the hint says: the same words as a note, which has the button.
    noted = office.ask(f"/note {'INC-2 ' if 'INC-2 ' in typed else ''}{TITLED}", channel=channel)
    assert office.slack.click(office.alice, noted, "erase").ok
    office.deliver()
    assert "hunter2" not in stored(office.database)


def test_a_title_that_looks_like_a_secret_is_hidden_in_others_receipts(office: Workplace) -> None:
    office.say("/detected disk full")
    mails = office.slack.add_channel("mails")
    office.say("/detected mails are late", channel=mails)
    office.ask(f"/incident title {TITLED}")
    shown = [
        office.say("/incident merge INC-2"),
        office.messages(mails)[-1].text,
        office.say("/incident title disk is full"),
    ]
    assert not any("hunter2" in each for each in shown)
    assert shown[0].startswith("INC-2 is merged into INC-1: password=[hidden]\n")
    assert shown[1].startswith(f"INC-2 is merged into INC-1 in <#{office.channel}>.\n")
    assert shown[2] == "INC-1 · title: disk is full (was password=[hidden])"


def test_a_secret_with_signs_of_markup_is_hidden_and_a_placeholder_is_not(office: Workplace) -> None:
    office.say("/detected disk full")
    assert office.private("/incident title password=a&b<c>d1").startswith("INC-1 · title: password=[hidden] (was ")
    assert office.say("/incident title password=<redacted> in the log").startswith(
        "INC-1 · title: password=&lt;redacted&gt; in the log (was password=[hidden])"
    )


def test_in_an_outage_a_titles_secret_is_told_to_its_writer_alone(office: Workplace) -> None:
    office.say("/detected disk full")
    office.bot.context.offline._away = True
    assert "hunter2" not in office.ask(f"/incident title {TITLED}").text
    assert office.bot.context.offline.replay() == 1
    office.deliver()
    shown = office.messages(user=office.alice)
    assert not any("hunter2" in each.text for each in shown)
    assert [each.ephemeral_for for each in shown if "press Erase it" in each.text] == [office.alice]


@pytest.mark.parametrize("typed", ["INC-1 {} is wrong", "INC-1 {} is\nwrong <x> & y"])
def test_a_moved_secret_is_told_in_no_channel_and_erased_from_both(
    office: Workplace, clock: SetClock, typed: str
) -> None:
    office.say("/detected disk full")
    mails = office.slack.add_channel("mails")
    office.say("/detected mails are late", channel=mails)
    clock.set(at("2026-03-12T12:20:00Z"))
    answer = office.ask(f"/note {typed.format(TITLED)}", channel=mails)
    clock.set(at("2026-03-12T12:30:00Z"))
    assert office.slack.click(office.alice, answer, "move_here").ok
    told = office.messages(mails, user=office.alice)[-1]
    assert told.ephemeral_for == office.alice
    assert not any("hunter2" in each.text for each in (*office.messages(mails), *office.messages(office.channel)))
    assert office.slack.click(office.alice, told, "erase").ok
    office.deliver()
    assert "hunter2" not in stored(office.database)
    assert b"hunter2" not in raw(office.database)


@pytest.mark.parametrize("number", [1, 2])
def test_an_item_that_was_moved_is_erased_in_both(office: Workplace, clock: SetClock, number: int) -> None:
    office.say("/detected disk full")
    office.say("/actionitem @alice: buy a disk")
    clock.set(at("2026-03-12T12:10:00Z"))
    mails = office.slack.add_channel("mails")
    office.say("/detected mails are late", channel=mails)
    clock.set(at("2026-03-12T12:20:00Z"))
    office.ask(f"/actionitem @alice: change {TITLED}", channel=mails)
    office.say("/actionitem @alice: restart the queue", channel=mails)
    clock.set(at("2026-03-12T12:30:00Z"))
    answer = office.ask("/incident merge INC-2")
    assert office.slack.click(office.alice, answer, "open_again").ok
    clock.set(at("2026-03-12T12:40:00Z"))
    shown = erase(office, f"INC-{number} {3 - number} {WHY}", command="actionitem")
    assert "The same words" not in shown
    office.deliver()
    assert [each.text for each in items(office)] == ["buy a disk", MARK, "restart the queue"]
    assert "hunter2" not in stored(office.database)


def test_what_was_published_before_the_entry_was_moved_is_written_again(publisher: Workplace, folder: Path) -> None:
    publisher.say("/detected disk full")
    answer = publisher.ask(f"/detected {SENTENCE}")
    publisher.say("/postmortem draft")
    publisher.deliver()
    publisher.private("/postmortem publish anyway")
    publisher.deliver()
    assert SECRET.encode() in files(folder)
    assert publisher.slack.click(publisher.alice, answer, "new_incident").ok
    erase(publisher, f"INC-2 1 {WHY}")
    publisher.deliver()
    assert SECRET.encode() not in files(folder)
    assert SECRET not in stored(publisher.database)


def test_who_wrote_an_item_may_erase_it_where_it_was_merged(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/incident lead @carol")
    mails = office.slack.add_channel("mails")
    office.say("/detected mails are late", channel=mails)
    office.say(f"/actionitem @alice: change {SECRET}", channel=mails, user=office.bob)
    office.say("/incident merge INC-2")
    erase(office, f"1 {WHY}", user=office.bob, command="actionitem")
    office.deliver()
    assert SECRET not in stored(office.database)
