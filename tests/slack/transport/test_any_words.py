"""Any typed text, on every surface: an answer, no ping, and no word of it in the log."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.clock import SetClock
from bot.slack.text import plain_text
from bot.vocabulary import ADD_TO_TIMELINE, KINDS
from storage.database import Database
from tests.support.abroad import HEADS, Said
from tests.support.hostile import FILLED, MARK, QUICK, TEXTS, check_log, check_said, loud, times
from tests.support.workplace import Workplace, workplace


@pytest.fixture
def under_way(office: Workplace) -> Workplace:
    office.say("/incident open SEV2 disk full")
    office.say("/actionitem @bob by friday: buy disks")
    office.deliver()
    return office


@QUICK
@given(head=st.sampled_from(HEADS), text=TEXTS)
@example(head="/detected", text=f"<!channel> {MARK}")
@example(head="/incident title", text=f"&lt;!here&gt; {MARK}")
@example(head="/postmortem template", text=f"../../{MARK}")
def test_any_command_is_answered(under_way: Workplace, caplog: pytest.LogCaptureFixture, head: str, text: str) -> None:
    loud(caplog)
    said = Said.from_now(under_way)
    answer = under_way.ask(f"{head} {text}", raw=True)
    assert answer.ok, answer
    under_way.deliver()
    check_said(said)
    check_log(under_way, caplog)


@QUICK
@given(text=TEXTS, thread=st.booleans())
def test_any_mention_is_answered(
    under_way: Workplace, caplog: pytest.LogCaptureFixture, *, text: str, thread: bool
) -> None:
    loud(caplog)
    said = Said.from_now(under_way)
    root = under_way.slack.say(under_way.carol, under_way.channel, "what now?") if thread else None
    words = f"<@{under_way.slack.bot_user_id}> {text}"
    under_way.slack.say(under_way.bob, under_way.channel, words, thread_ts=root.ts if root else None, raw=True)
    under_way.deliver()
    assert not under_way.slack.undelivered
    check_said(said)
    check_log(under_way, caplog)


@QUICK
@given(message=TEXTS, words=FILLED, kind=st.sampled_from(sorted(KINDS)))
def test_any_form_is_accepted_or_refused(
    under_way: Workplace, caplog: pytest.LogCaptureFixture, message: str, words: str, kind: str
) -> None:
    loud(caplog)
    said = Said.from_now(under_way)
    there = under_way.slack.say(under_way.carol, under_way.channel, message, raw=True)
    assert under_way.slack.shortcut(under_way.bob, there, ADD_TO_TIMELINE).ok
    assert under_way.slack.modal(under_way.bob)
    answer = under_way.slack.submit(under_way.bob, {"kind": kind, "words": words})
    assert answer.ok, answer
    under_way.slack.workspace.close_view(under_way.bob, all_of_them=True)
    under_way.deliver()
    check_said(said)
    check_log(under_way, caplog)


@QUICK
@given(words=FILLED, team=st.one_of(st.none(), FILLED))
def test_any_action_item_is_accepted_or_refused(
    under_way: Workplace, caplog: pytest.LogCaptureFixture, words: str, team: str | None
) -> None:
    loud(caplog)
    said = Said.from_now(under_way)
    assert under_way.ask("/actionitem").ok
    assert under_way.slack.modal(under_way.alice)
    values = {"words": words} | ({"team": " ".join(team.split())[-80:]} if team else {})
    assert under_way.slack.submit(under_way.alice, values).ok
    under_way.slack.workspace.close_view(under_way.alice, all_of_them=True)
    under_way.deliver()
    check_said(said)
    check_log(under_way, caplog)


@QUICK
@given(text=TEXTS)
def test_no_name_of_a_person_pings(under_way: Workplace, text: str) -> None:
    said = Said.from_now(under_way)
    raw = f"<@U0EVIL01|{text}> did it"
    assert under_way.ask(f"/incident lead {raw}", raw=True).ok
    assert under_way.ask(f"/note {raw}", raw=True).ok
    check_said(said)
    assert MARK in plain_text(f"a {raw}").words


def test_a_pasted_block_in_a_draft_does_not_ping_and_reads_as_typed(under_way: Workplace) -> None:
    said = Said.from_now(under_way)
    under_way.ask("/note two lines\n&lt;!channel&gt; &lt;!subteam^S1&gt; &lt;@U0SCRIBE&gt; a &lt; b", raw=True)
    under_way.slack.scopes -= {"files:write"}
    under_way.say("/postmortem draft")
    under_way.deliver()
    under_way.ask("/postmortem show")
    check_said(said)
    assert said.all().replace("\u2060", "").count("<!channel> <!subteam^S1> <@U0SCRIBE> a < b") == 2


@pytest.fixture
def pinning(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    """A workplace with an incident, where a pushpin records a note."""
    with workplace(sqlite, clock=clock, SCRIBE_REACTIONS="pushpin") as office:
        office.slack.scopes |= {"reactions:read", "channels:history"}
        office.say("/incident open SEV2 disk full")
        yield office


@times(30)
@given(message=TEXTS, name=TEXTS.map(lambda text: text[-80:]))
def test_any_message_and_any_name_of_its_author_are_recorded(
    pinning: Workplace, caplog: pytest.LogCaptureFixture, message: str, name: str
) -> None:
    loud(caplog)
    said = Said.from_now(pinning)
    pinning.slack.change_user(pinning.bob, name=name)
    there = pinning.slack.say(pinning.bob, pinning.channel, message, raw=True)
    pinning.slack.react(pinning.carol, there, "pushpin")
    pinning.deliver()
    pinning.slack.unreact(pinning.carol, there, "pushpin")
    pinning.slack.say(pinning.bob, pinning.channel, f"<@{pinning.slack.bot_user_id}> note words", raw=True)
    mention = f"<@{pinning.bob}>"
    for after in (f"/actionitem {mention}: x", f"/incident lead {mention}", "/incident status", "/actionitem list"):
        assert pinning.ask(after, raw=True).ok
    pinning.slack.open_home(pinning.bob)
    pinning.deliver()
    check_said(said)
    check_log(pinning, caplog)
