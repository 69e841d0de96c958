"""What is slow never runs on a thread that answers people, and what threads share is used by one after another."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from bot.clock import SetClock
from bot.doctor.recording import Recorder
from bot.documents import rendering
from bot.documents.picture import png, timeline
from bot.documents.picture import report as report_picture
from bot.domain.postmortem import assemble, redraft
from bot.domain.report import report
from bot.slack.client import Client
from bot.slack.inbound import forms, listeners, reactions
from bot.slack.text import PlainText
from bot.vocabulary import ADD_TO_TIMELINE
from storage.database import Database
from storage.spool import Spool
from tests.support.guarded import guard, turns
from tests.support.ledger import outbox_states
from tests.support.workplace import Workplace, workplace

ANSWERS: tuple[Callable[..., Any], ...] = (
    listeners.command,
    listeners.mention,
    listeners.click,
    forms.shortcut,
    forms.submission,
    reactions.reaction,
)
SLOW: tuple[Callable[..., Any], ...] = (
    rendering.render_draft,
    redraft.redraft,
    timeline.draw_timeline,
    png.svg_to_png.__wrapped__,
    report.build_report,
    report_picture.draw_report,
    Client.api_call,
)
Ran = dict[Callable[..., Any], set[int]]


@contextmanager
def watched() -> Iterator[Ran]:
    """Which threads, of those that begin in the block, run what is answered and what is slow."""
    codes: dict[CodeType, Callable[..., Any]] = {each.__code__: each for each in (*ANSWERS, *SLOW)}
    ran: Ran = defaultdict(set)

    def look(frame: FrameType, event: str, _arg: object) -> None:
        if event == "call" and frame.f_code in codes:
            ran[codes[frame.f_code]].add(threading.get_ident())

    threading.setprofile(look)
    try:
        yield ran
    finally:
        threading.setprofile(None)


def test_drafts_pictures_reports_and_calls_to_slack_stay_off_the_threads_that_answer(
    sqlite: Database, clock: SetClock, transport: str
) -> None:
    png.svg_to_png.cache_clear()
    with watched() as ran, workplace(sqlite, clock=clock, transport=transport, SCRIBE_REACTIONS="pushpin") as office:
        slack = office.slack
        slack.scopes |= {"reactions:read", "channels:history"}
        office.bot.context.delivery.start()
        office.say("/detected disk full")
        office.say("/resolved freed")
        slack.say(office.bob, office.channel, "@scribe note in a message")
        message = slack.say(office.bob, office.channel, "pool exhausted")
        slack.react(office.carol, message, "pushpin")
        slack.shortcut(office.carol, message, ADD_TO_TIMELINE)
        assert slack.modal(office.carol)
        slack.submit(office.carol)
        slack.click(office.bob, office.ask("/detected again"), "reopen")
        office.say("/postmortem draft INC-1")
        office.private("/incident report 30d")

        def all_sent() -> bool:
            # The edits of live messages wait for their turn by this clock.
            clock.set(clock() + timedelta(seconds=1))
            return outbox_states(office).keys() == {"sent"}

        slack.wait_for(all_sent, within_s=60)
        assert ran.keys() == {*ANSWERS, *SLOW}
        answering = set().union(*(ran[each] for each in ANSWERS))
        assert {each.__qualname__ for each in SLOW if ran[each] & answering} == set()


def test_drafts_pictures_and_reports_take_turns(office: Workplace) -> None:
    """Each holds the interpreter for long: so an answer to a command waits for at most one."""
    png.svg_to_png.cache_clear()
    slow = (
        assemble.assemble,
        rendering.render_draft,
        redraft.redraft,
        timeline.draw_timeline,
        png.svg_to_png.__wrapped__,
        report.build_report,
        report_picture.draw_report,
    )
    office.say("/detected disk full")
    office.say("/resolved freed")
    office.say("/cause process: nobody watched the disk")
    office.say("/postmortem draft")
    office.private("/incident report 30d")
    with turns(dict.fromkeys(slow, rendering.RENDER_LOCK)) as found:
        office.deliver()
    assert found == {name: {True} for name in found}
    assert not rendering.RENDER_LOCK.locked()


def test_the_picture_of_a_canvas_takes_its_turn(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_CANVAS="on") as office:
        office.slack.scopes = {*office.slack.scopes, "canvases:write"}
        office.say("/detected disk full")
        office.say("/resolved freed")
        office.deliver()
        office.private("/postmortem publish anyway")
        png.svg_to_png.cache_clear()
        with turns({png.svg_to_png.__wrapped__: rendering.RENDER_LOCK}) as found:
            office.deliver()
        assert office.slack.canvases
        assert found == {name: {True} for name in found}


def test_the_spool_is_written_and_closed_by_one_thread_after_another(office: Workplace) -> None:
    offline = office.bot.context.offline
    office.say("/detected disk full")
    with turns(dict.fromkeys((Spool.append, Spool.close), offline._spool_lock)) as found:
        offline._away = True
        request = office.bot.context.requests._request(
            office.slack.team_id, PlainText(words="restarted it"), user_id=office.alice, user_name="alice",
            command="did", channel_id=office.channel, channel_name="x", key="k", source="slash",
            received_at=office.bot.context.clock(),
        )  # fmt: skip
        assert offline.handle(request).text.startswith("Kept")
        assert offline.replay() == 1
        offline.stop()
    assert found == {name: {True} for name in found}


def test_what_the_threads_of_the_outbox_share_is_touched_under_its_lock(
    office: Workplace, clock: SetClock, tmp_path: Path
) -> None:
    delivery, client = office.bot.context.delivery, office.bot.context.client
    recorder, supervisor = Recorder(tmp_path), office.bot.supervisor
    unguarded: list[str] = []
    guard(delivery._leases, "_held", delivery._leases._lock, unguarded)
    guard(delivery._shares, "_begun_s", delivery._shares._lock, unguarded)
    guard(delivery._shares, "_slow_until_s", delivery._shares._lock, unguarded)
    guard(client, "_pauses", client._lock, unguarded)
    guard(supervisor, "_loops", supervisor._lock, unguarded)
    guard(recorder, "_shapes", recorder._lock, unguarded)
    office.say("/detected disk full")
    office.say("/resolved freed")
    office.slack.fail_next("chat.postMessage", retry_after_s=30)
    office.slack.say(office.bob, office.channel, "@scribe note number one")
    office.deliver()
    assert "waiting" in outbox_states(office)
    clock.set(clock() + timedelta(minutes=2))
    delivery._leases.renew()
    office.deliver()
    assert not outbox_states(office).keys() - {"sent"}
    recorder({"type": "block_actions"}, 200)
    supervisor.run("once", lambda: False)
    supervisor.look()
    assert unguarded == []
