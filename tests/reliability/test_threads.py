"""What is slow never runs on a thread that answers people."""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

from bot.clock import SetClock
from bot.documents import rendering
from bot.documents.picture import png, timeline
from bot.documents.picture import report as report_picture
from bot.domain.postmortem import redraft
from bot.domain.report import report
from bot.slack.client import Client
from bot.slack.inbound import forms, listeners, reactions
from bot.vocabulary import ADD_TO_TIMELINE
from storage.database import Database
from tests.support.ledger import outbox_states
from tests.support.workplace import workplace

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
        slack.wait_for(lambda: outbox_states(office).keys() == {"sent"}, within_s=60)
        assert ran.keys() == {*ANSWERS, *SLOW}
        answering = set().union(*(ran[each] for each in ANSWERS))
        assert {each.__qualname__ for each in SLOW if ran[each] & answering} == set()
