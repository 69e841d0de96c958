"""The App Home tab, which needs no scope: a job publishes it each time its owner opens it."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.clock import Clock
from bot.documents.rendering import slack
from bot.domain.time.format import zone_label
from bot.handlers import events
from bot.handlers.items import buttons, rhythms
from bot.handlers.items.digests import HomePage
from bot.handlers.request import Control
from bot.slack.context import SlackContext
from bot.slack.inbound.payloads import Opened
from bot.slack.outbound import blocks, publications
from storage import outbox
from storage.availability import is_away
from storage.outbox import Job
from storage.values import MEMBER

PUBLISH = events.PUBLISH_HOME
ITEM_ACTIONS = {
    each: each.replace("item_", "home_")
    for each in (buttons.DONE, buttons.CONFIRM, buttons.DATE, buttons.SNOOZE, buttons.ASSIGN, buttons.DROP)
}
"""The action ids of an item's controls here, by those of a message; the values are the same, `INC-12 3`."""
DONE = ITEM_ACTIONS[buttons.DONE]
RHYTHM = "home_rhythm"
"""The action id of the menu that changes the person's rhythm of reminders."""
CLICKS = {here: action for action, here in ITEM_ACTIONS.items()} | {RHYTHM: rhythms.CHOOSE}
"""What each action of the tab stands for: by its id here it is known to come from the tab."""
OPENED_HERE = "at_home"
"""The field of a form's metadata that says that it was opened on the tab, which then shows what was done."""
WITH_CONTROLS = 30
"""Items with controls, two blocks each; the others are lines. With all its parts full the tab has 91 of 100 blocks."""
_LINES = 10
"""Items or incidents of one block."""
_log = logging.getLogger(__name__)

Block = dict[str, Any]


def opened(context: SlackContext, payload: Opened) -> None:
    """Have the opened tab published; an exception makes Slack deliver the event again."""
    user_id = payload.user_id
    if user_id is None:
        return
    request = context.requests.of_event(
        events.HOME_OPENED,
        payload.team_id,
        user_id,
        channel_id=user_id,
        key=None,
        received_at=context.clock(),
    )
    context.offline.handle(request)
    context.delivery.wake()


def refresh(connection: Connection, workspace_id: str, user_id: str, clock: Clock) -> None:
    """Have the person's tab published, within the caller's transaction."""
    content = {"user_id": user_id}
    outbox.add(connection, workspace_id, lane=f"home:{user_id}", action=PUBLISH, content=content, at=clock())


@dataclass(frozen=True, slots=True, kw_only=True)
class _HomePart:
    """What a part of the tab is made from."""

    context: SlackContext
    connection: Connection
    page: HomePage

    @property
    def prefix(self) -> str:
        """The prefix of the commands."""
        return self.context.settings.prefix


def publish(context: SlackContext, job: Job) -> None:
    """Publish the tab from the current state of the database, unless a newer job will do the same."""
    user_id = job.content["user_id"]
    member = context.members.find(job.workspace_id, user_id)
    with context.database.read() as connection:
        if outbox.is_superseded(connection, job):
            return
    page = HomePage(
        workspace_id=job.workspace_id,
        user_id=user_id,
        standing=context.requests.standing(job.workspace_id, user_id),
        now=context.clock(),
        zone=ZoneInfo(member.timezone) if member and member.timezone else context.settings.timezone,
    )
    context.client.views_publish(user_id=user_id, view={"type": "home", "blocks": list(_blocks(context, page))})


def _blocks(context: SlackContext, page: HomePage) -> Iterator[Block]:
    """All parts, at most Slack's 100 blocks; a line instead of each that cannot be read or shown."""
    for name, write in _PARTS.items():
        try:
            with context.database.read() as connection:
                part = list(write(_HomePart(context=context, connection=connection, page=page)))
        except Exception as error:
            if is_away(error):
                raise
            _log.exception("%s not shown", name)
            part = [_section("home_failed", name=name)]
        yield from part


def _incidents(part: _HomePart) -> Iterator[Block]:
    if part.page.standing != MEMBER:
        return
    count, found = part.page.incidents(part.connection)
    facts = {"zone": part.page.zone, "today": part.page.now.date(), "prefix": part.prefix}
    yield _section("home_incidents", count=count, **facts)
    for heading, is_own in (("Yours", True), ("All others", False)):
        shown = [incident for own, incident in found if own is is_own]
        for start in range(0, len(shown), _LINES):
            lines = shown[start : start + _LINES]
            yield _section("home_incident", heading=None if start else heading, incidents=lines, **facts)
    if count > len(found):
        yield _section("home_more", more=count - len(found), command=f"/{part.prefix}incident list")
    yield _DIVIDER


def _items(part: _HomePart) -> Iterator[Block]:
    count, items = part.page.items(part.connection)
    facts = {"today": part.page.today, "prefix": part.prefix}
    yield _section("home_items", count=count, **facts)
    for item in items[:WITH_CONTROLS]:
        link = publications.address(part.context, item.document) if item.document else None
        yield _section("home_item", item=item, link=link, **facts)
        named = f"INC-{item.incident_number} {item.number}"
        yield from blocks.controls(tuple(map(_here, buttons.pending_controls(named, item.state))))
    rest = items[WITH_CONTROLS:]
    for start in range(0, len(rest), _LINES):
        yield _section("home_rest", items=rest[start : start + _LINES], **facts)
    if count > len(items):
        yield _section("home_more", more=count - len(items), command=f"/{part.prefix}actionitem list mine")


def _here(control: Control) -> Control:
    return replace(control, action=ITEM_ACTIONS[control.action])


def _rhythm(part: _HomePart) -> Iterator[Block]:
    page = part.page
    rhythm = rhythms.at_home(
        part.connection, page.workspace_id, page.user_id, today=page.today, cadence=part.context.settings.cadence
    )
    text = slack("home_rhythm", words=rhythm.words, zone=zone_label(page.zone), prefix=part.prefix)
    yield {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}
    yield from blocks.controls((replace(rhythm.menu, action=RHYTHM),))


def _postmortems(part: _HomePart) -> Iterator[Block]:
    count, found = part.page.postmortems(part.connection)
    yield _DIVIDER
    yield _section("home_postmortems", count=count)
    for postmortem in found:
        yield _section("home_postmortem", postmortem=postmortem, today=part.page.today, zone=part.page.zone)
    if count > len(found):
        yield _section("home_more", more=count - len(found), command=f"/{part.prefix}incident list all")


_PARTS: Mapping[str, Callable[[_HomePart], Iterator[Block]]] = {
    "Open incidents": _incidents,
    "Your action items": _items,
    "Your reminders": _rhythm,
    "Your postmortems": _postmortems,
}
"""The parts by what they are called where one cannot be shown."""
_DIVIDER: Block = {"type": "divider"}


def _section(template: str, **facts: object) -> Block:
    text = blocks.clip_escaped(slack(template, **facts), blocks.SECTION_LIMIT)
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}
