"""A person's own page: what they have to do, and which postmortems wait for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from storage import homes
from storage.values import OwnItem, Unpublished

MOST_ITEMS, MOST_POSTMORTEMS = 60, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What is somebody's own on the date `today` in their `zone`; the counts are of all, listed or not.

    Items of private incidents are among them, without their words where their owner may not be in the channel.
    """

    today: date
    zone: ZoneInfo
    items: Sequence[OwnItem]
    item_count: int
    postmortems: Sequence[Unpublished]
    postmortem_count: int


def own(connection: Connection, workspace_id: str, user_id: str, *, now: datetime, zone: ZoneInfo) -> Own:
    """The person's open items, the most overdue first, and the postmortems they have to publish, the oldest first."""
    today = now.astimezone(zone).date()
    item_count, items = homes.own_items(connection, workspace_id, user_id, today=today, most=MOST_ITEMS)
    count, postmortems = homes.unpublished(connection, workspace_id, user_id, most=MOST_POSTMORTEMS)
    return Own(
        today=today, zone=zone, items=items, item_count=item_count, postmortems=postmortems, postmortem_count=count
    )
