"""The App Home tab, which needs no scope: a job publishes it each time its owner opens it."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.clock import Clock
from bot.documents.rendering import slack
from bot.domain.time.format import zone_label
from bot.handlers import events
from bot.handlers.items import buttons, rhythms
from bot.handlers.items.digests import HomeContent, home_content
from bot.handlers.request import Button
from bot.slack.context import SlackContext
from bot.slack.inbound.payloads import Opened
from bot.slack.outbound import blocks
from storage import outbox
from storage.outbox import Job
from storage.values import OwnItem

PUBLISH = events.PUBLISH_HOME
DONE = "home_done"
"""The action id of the button beside an item; its value is `INC-12 3`."""
RHYTHM = "home_rhythm"
"""The action id of the menu that changes the person's rhythm of reminders."""
CLICKS = {DONE: buttons.DONE, RHYTHM: rhythms.CHOOSE}
"""What each action of the tab stands for: by its id here it is known to come from the tab."""

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


def publish(context: SlackContext, job: Job) -> None:
    """Publish the tab from the current state of the database, unless a newer job will do the same."""
    user_id = job.content["user_id"]
    member = context.members.find(job.workspace_id, user_id)
    zone = ZoneInfo(member.timezone) if member and member.timezone else context.settings.timezone
    with context.database.read() as connection:
        if outbox.is_superseded(connection, job):
            return
        standing = context.requests.standing(job.workspace_id, user_id)
        mine = home_content(connection, job.workspace_id, user_id, standing=standing, now=context.clock(), zone=zone)
        rhythm = rhythms.at_home(
            connection, job.workspace_id, user_id, today=mine.today, cadence=context.settings.cadence
        )
    context.client.views_publish(user_id=user_id, view=view(mine, rhythm, prefix=context.settings.prefix))


def view(mine: HomeContent, rhythm: rhythms.ShownRhythm, *, prefix: str) -> dict[str, Any]:
    """The tab: the items with a button each, their rhythm, then the postmortems; at most Slack's 100 blocks."""
    items = [*_items(mine, prefix), *_rhythm(mine, rhythm, prefix)]
    return {"type": "home", "blocks": [*items, {"type": "divider"}, *_postmortems(mine, prefix)]}


def _items(mine: HomeContent, prefix: str) -> Iterator[Block]:
    yield _section("home_items", mine=mine, prefix=prefix)
    for item in mine.items:
        yield _section("home_item", item=item, today=mine.today, prefix=prefix) | {"accessory": _done(item)}
    if mine.item_count > len(mine.items):
        yield _section("home_more", more=mine.item_count - len(mine.items), command=f"/{prefix}actionitem list mine")


def _rhythm(mine: HomeContent, rhythm: rhythms.ShownRhythm, prefix: str) -> Iterator[Block]:
    text = slack("home_rhythm", words=rhythm.words, zone=zone_label(mine.zone), prefix=prefix)
    yield {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}
    yield from blocks.controls((replace(rhythm.menu, action=RHYTHM),))


def _postmortems(mine: HomeContent, prefix: str) -> Iterator[Block]:
    yield _section("home_postmortems", mine=mine, prefix=prefix)
    for postmortem in mine.postmortems:
        yield _section("home_postmortem", postmortem=postmortem, mine=mine)
    if mine.postmortem_count > len(mine.postmortems):
        more = mine.postmortem_count - len(mine.postmortems)
        yield _section("home_more", more=more, command=f"/{prefix}incident list all")


def _section(template: str, **facts: object) -> Block:
    text = blocks.clip_escaped(slack(template, **facts), blocks.SECTION_LIMIT)
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def _done(item: OwnItem) -> Block:
    return blocks.button(Button(label="Done", action=DONE, value=f"INC-{item.incident_number} {item.number}"))
