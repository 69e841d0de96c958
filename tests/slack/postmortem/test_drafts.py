"""The draft's delivery to the channel through the outbox."""

import struct
from urllib.parse import urlencode

import pytest

from bot.clock import SetClock
from bot.documents.picture import png
from bot.fakeslack.block_kit import MAX_BLOCKS_TEXT, MAX_MARKDOWN_TEXT
from bot.fakeslack.objects import Message
from bot.fakeslack.validation import text_length
from bot.handlers.postmortem.exports import read_record
from bot.slack.outbound import drafts
from bot.slack.outbound.delivery import MOST_FAILURES
from storage import outbox, timeline
from tests.support.ledger import counts, entries, incident, outbox_states, problems
from tests.support.workplace import Workplace, at


@pytest.fixture
def resolved(office: Workplace, clock: SetClock) -> Workplace:
    """INC-1, resolved; its draft waits in the outbox."""
    office.say("/detected disk full")
    clock.set(at("2026-03-12T12:30:00Z"))
    office.say("/resolved freed")
    return office


def markdown(messages: list[Message]) -> str:
    """The Markdown of the messages' blocks, in order."""
    return "\n".join(block["text"] for each in messages for block in each.blocks if block["type"] == "markdown")


def lengthen(office: Workplace, count: int) -> None:
    """Add `count` entries to the timeline, as if typed."""
    first = entries(office)[0]
    facts = {
        name: getattr(first, name)
        for name in ("occurred_at", "recorded_at", "author", "author_id", "recorded_by_id", "source", "permalink")
    }
    with office.database.write() as connection:
        for number in range(count):
            text = f"looked at host {number} and wrote down what was seen there, at some length"
            timeline.append(connection, incident(office).id, **facts, kind="investigating", text=text, qualifier=None)


def test_a_resolution_drafts_version_one_and_the_command_version_two(resolved: Workplace) -> None:
    shown = resolved.messages()
    (file,) = resolved.drafts
    assert (file.name, file.channel) == ("INC-1-postmortem-v1.md", resolved.channel)
    assert file.content.decode().startswith("# INC-1")
    assert "disk full" in file.content.decode()
    assert shown[-2].text.startswith("INC-1 · postmortem, version 1 · disk full\n")
    assert (shown[-1].text, shown[-1].thread_ts) == ("Version 1, drafted from what is recorded now", shown[-2].ts)
    resolved.say("/cause process: nobody watched the disk")
    resolved.say("/postmortem draft")
    resolved.deliver()
    assert resolved.drafts[1].name == "INC-1-postmortem-v2.md"
    assert "nobody watched the disk" in resolved.drafts[1].content.decode()
    assert problems(resolved) == []


def test_the_picture_comes_with_the_draft_and_has_a_description(resolved: Workplace) -> None:
    resolved.deliver()
    document, picture = resolved.slack.files
    assert (picture.name, picture.channel) == ("INC-1-timeline.png", resolved.channel)
    assert picture.content.startswith(b"\x89PNG")
    with resolved.database.read() as connection:
        record = read_record(connection, incident(resolved))
    assert drafts.described(record) == "Timeline of INC-1, disk full. Resolved; time to resolve 30 min."
    assert picture.initial_comment == document.initial_comment
    (message,) = [each for each in resolved.messages() if each.files]
    assert message.files == (document, picture)


def test_a_long_timeline_comes_with_a_picture_for_a_phone(office: Workplace) -> None:
    office.say("/detected disk full")
    for number in range(7):
        office.say(f"/did step {number}")
    office.say("/resolved freed space")
    office.deliver()
    document, wide, tall = office.slack.files
    assert (wide.name, tall.name) == ("INC-1-timeline.png", "INC-1-timeline-phone.png")
    assert [each.content[16:20] for each in (wide, tall)] == [struct.pack(">I", 2 * width) for width in (900, 390)]
    (message,) = [each for each in office.messages() if each.files]
    assert message.files == (document, wide, tall)


def test_a_draft_is_sent_without_a_picture_that_cannot_be_drawn(
    resolved: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    png.svg_to_png.cache_clear()
    monkeypatch.setattr(png, "LIMIT_S", 0)
    resolved.deliver()
    assert [file.name for file in resolved.slack.files] == ["INC-1-postmortem-v1.md"]
    assert problems(resolved) == []


def test_an_open_incident_can_be_drafted_and_shown(office: Workplace) -> None:
    office.say("/detected disk full")
    assert "INC-1 has no draft yet. /postmortem draft writes one." in office.refused("/postmortem show")
    office.say("/postmortem draft")
    office.deliver()
    answer = office.ask("/postmortem show INC-1")
    assert answer.text.splitlines() == [
        "INC-1 · postmortem, version 1 · drafted 12:00 UTC on 2026-03-12 by alice",
        "not over yet · Thursday 12 March 2026, from 12:00 UTC · draft, version 1",
    ]
    assert answer.message
    assert "disk full" in markdown([answer.message])


def test_without_files_the_draft_comes_as_messages_within_slacks_limits(resolved: Workplace) -> None:
    lengthen(resolved, 400)
    resolved.slack.scopes -= {"files:write"}
    before = len(resolved.slack.messages(resolved.channel))
    shown = resolved.messages()[before:]
    assert shown[0].text.startswith("INC-1 · postmortem, version 1")
    assert len(shown) > 3
    for message in shown:
        assert text_length(message.blocks) <= MAX_BLOCKS_TEXT
        assert len(markdown([message])) <= MAX_MARKDOWN_TEXT
    document = markdown(shown)
    assert all(f"looked at host {number} and" in document for number in range(400))
    assert problems(resolved) == []


def test_where_the_bot_is_no_member_the_draft_comes_by_the_response_url(office: Workplace) -> None:
    for private in (False, True):
        outside = office.slack.add_channel(f"outside{private}", private=private, bot_is_member=False)
        office.say("/detected disk full", channel=outside)
        office.say("/resolved freed", channel=outside)
        shown = office.messages(outside)
        assert "disk full" in markdown(shown)
        assert shown[2].text.startswith("INC-")
        assert all(message.ephemeral_for is None for message in shown)
    assert problems(office) == []


def test_a_postmortem_of_a_thousand_entries_is_shown_within_slacks_limits(resolved: Workplace) -> None:
    lengthen(resolved, 1_000)
    resolved.say("/postmortem draft")
    resolved.deliver()
    answer = resolved.ask("/postmortem show")
    assert answer.ok, answer.details
    shown = [each for each in resolved.messages(user=resolved.alice) if each.ephemeral_for == resolved.alice]
    assert markdown(shown).endswith("that came with this version.*")
    assert resolved.ask("/timeline").ok
    assert resolved.ask("/incident status").ok


def test_after_a_rate_limit_messages_come_in_order(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    office.slack.fail_next("chat.postMessage", retry_after_s=30)
    for number in range(3):
        office.slack.say(office.bob, office.channel, f"@scribe note number {number}")
    texts = [each.text for each in office.messages() if each.user == office.slack.bot_user_id]
    assert len(texts) == 1
    clock.set(at("2026-03-12T12:00:29Z"))
    assert len([each for each in office.messages() if each.user == office.slack.bot_user_id]) == 1
    clock.set(at("2026-03-12T12:00:31Z"))
    texts = [each.text for each in office.messages() if each.user == office.slack.bot_user_id]
    assert [text.rpartition("\n")[2] for text in texts[1:]] == ["number 0", "number 1", "number 2"]


@pytest.mark.parametrize("error", ["service_unavailable", "internal_error"])
def test_a_temporary_error_of_slack_is_retried(office: Workplace, clock: SetClock, error: str) -> None:
    office.say("/detected disk full")
    office.slack.fail_next("chat.postMessage", error=error, status=503 if error == "service_unavailable" else None)
    office.slack.say(office.bob, office.channel, "@scribe note kept")
    office.deliver()
    assert outbox_states(office)["waiting"] == 1
    clock.set(at("2026-03-12T12:00:10Z"))
    assert office.messages()[-1].text.endswith("kept")


def test_a_permanent_error_of_slack_parks_the_job_with_its_reason(office: Workplace) -> None:
    office.say("/detected disk full")
    office.slack.fail_next("chat.postMessage", error="is_archived")
    office.slack.say(office.bob, office.channel, "@scribe note first")
    office.slack.say(office.bob, office.channel, "@scribe note second")
    assert office.messages()[-1].text.endswith("second")
    assert problems(office) == [("post", "is_archived")]


def test_an_unreachable_response_url_is_retried_and_an_expired_one_parks_the_job(office: Workplace) -> None:
    outside = office.slack.add_channel("outside", bot_is_member=False)
    office.slack.scopes -= {"files:write"}
    payload = office.ask("/detected disk full", channel=outside).delivery.payload
    lengthen(office, 700)
    office.say("/resolved freed", channel=outside)
    office.deliver()
    assert set(problems(office)) == {("post", "not_in_channel")}
    closed = "http://127.0.0.1:9/hooks/closed"
    form = {**payload, "command": "/postmortem", "text": "draft", "trigger_id": "2.t", "response_url": closed}
    assert office.slack.post_signed(office.url, urlencode(form))[0] == 200
    office.deliver()
    assert outbox_states(office)["waiting"] > 1


def test_a_job_that_fails_does_not_stop_the_others(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    with office.database.write() as connection:
        for lane, action in ((office.channel, "draft"), ("elsewhere", "draft"), (office.channel, "nonsense")):
            outbox.add(connection, office.slack.team_id, lane=lane, action=action, content={}, at=clock())
    elsewhere = office.slack.add_channel("second")
    office.slack.say(office.bob, elsewhere, "@scribe detected the other thing")
    office.slack.say(office.bob, office.channel, "@scribe note after it")
    assert "the other thing" in office.messages(elsewhere)[-1].text
    for minute in range(1, MOST_FAILURES + 1):
        clock.set(at(f"2026-03-12T12:{10 * minute - 5:02d}:00Z"))
        office.deliver()
    assert office.messages()[-1].text.endswith("after it")
    assert sorted(problems(office)) == [
        ("draft", "KeyError"), ("draft", "KeyError"), ("nonsense", outbox.UNKNOWN_ACTION),
    ]  # fmt: skip


def test_the_worker_threads_deliver_without_being_called(resolved: Workplace) -> None:
    resolved.bot.context.delivery.start()
    resolved.bot.context.delivery.wake()
    assert resolved.slack.wait_for(lambda: resolved.slack.files)
    resolved.slack.say(resolved.bob, resolved.channel, "@scribe note by itself")
    assert resolved.slack.wait_for(
        lambda: [each for each in resolved.slack.messages(resolved.channel) if "\nby itself\n" in each.text]
    )
    before = counts(resolved)
    resolved.deliver()
    # The note may have the draft's message edited, which comes to nothing.
    assert counts(resolved) | {"outbox": 0} == before | {"outbox": 0}


def test_the_draft_is_stored_while_slack_is_away(office: Workplace) -> None:
    office.say("/detected disk full")
    office.slack.fail_next("chat.postMessage", error="service_unavailable", status=503, times=3)
    office.slack.fail_next("files.getUploadURLExternal", error="service_unavailable", status=503, times=3)
    office.slack.say(office.bob, office.channel, f"<@{office.slack.bot_user_id}> note it slows down")
    office.say("/resolved freed space")
    office.deliver()
    assert office.slack.files == []
    assert "postmortem, version 1" in office.private("/postmortem show")
