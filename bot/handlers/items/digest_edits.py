"""What a digest or a hand-over that was posted says now: what is left of it, and what became of the rest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.config import Settings
from bot.documents.rendering import slack
from bot.handlers.items.digests import Digest, DigestKey, digest
from bot.handlers.items.handovers import compose, told_of
from bot.handlers.items.redact import shown_alone
from storage import incidents, members
from storage.items import action_items, digests, handovers
from storage.items.digests import HANDED, REPLACED, Listed, PostedDigest
from storage.values import MEMBER, UNKNOWN, ActionItem, Handover, Incident, Member

MOST_SETTLED = 10
"""Lines about what became of the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettledItem:
    """An item that is listed no more, or with None the incident's postmortem, as the recipient may read it."""

    incident: Incident
    item: ActionItem | None


def key_of(posted: PostedDigest) -> DigestKey:
    """The key that the digest was written by."""
    return DigestKey(workspace_id=posted.workspace_id, recipient_id=posted.recipient_id, on=posted.told_on)


def present(connection: Connection, key: DigestKey, settings: Settings, *, at: datetime | None = None) -> Digest | None:
    """The digest of those settings; see `digests.digest`."""
    return digest(connection, key, cadence=settings.cadence, prefix=settings.prefix, targets=settings.targets, at=at)


def revised(
    connection: Connection,
    posted: PostedDigest,
    settings: Settings,
    *,
    at: datetime,
    link: Callable[[str, str], str],
    more: Sequence[Handover] = (),
) -> Digest:
    """The message as Slack is to show it at `at`; a hand-over tells also of the changes `more`.

    A digest that was replaced is a line without buttons; `link` makes the address of the current one from its channel
    and `ts`.
    """
    if posted.state == REPLACED:
        newer = digests.live(connection, posted.workspace_id, posted.recipient_id)
        address = link(newer.channel_id, newer.ts) if newer else None
        slash = f"/{settings.prefix}actionitem"
        head = slack("digest_replaced", on=posted.told_on, newer=newer, link=address, slash=slash)
        return Digest(head=head, parts=(), foot="")
    listed = dict.fromkeys(digests.listed(connection, posted))
    if posted.state == HANDED:
        changes = [*handovers.of_message(connection, posted.id), *more]
        # What was due on its day is not told anew each day.
        to = (posted.workspace_id, posted.recipient_id)
        current = compose(connection, *to, changes, on=posted.told_on, prefix=settings.prefix)
        left = {_listing(each, item) for each, item in told_of(changes)}
        # What was told in a line and is not so any more is said too.
        listed |= dict.fromkeys(_listing(each.incident, each.item) for each in changes)
    else:
        current = present(connection, key_of(posted), settings, at=at)
        left = set() if current is None else set(current.holds)
    settled = [each for each in listed if each not in left]
    if not settled and current is not None:
        return current
    facts = _facts(connection, posted, settled, settings, at=at)
    rest = slack("digest_settled", **facts)
    if current is None:
        return Digest(head=slack("digest_empty", **facts), parts=(), foot=rest)
    return replace(current, foot="\n".join(filter(None, (rest, current.foot))))


def _listing(incident: Incident, item: ActionItem) -> Listed:
    return incident.id, item.id


def _facts(
    connection: Connection, posted: PostedDigest, settled: list[Listed], settings: Settings, *, at: datetime
) -> dict[str, object]:
    member = members.find(connection, posted.workspace_id, posted.recipient_id)
    shown = list(_readable(connection, posted, settled[:MOST_SETTLED], member))
    to_channel = any(each.incident.channel_id == posted.recipient_id for each in shown)
    zone = shown[0].incident.timezone if to_channel else member.timezone if member else None
    return {
        "settled": shown,
        "more": len(settled) - len(shown),
        "named": to_channel or (member is not None and member.standing == MEMBER),
        "told_on": posted.told_on,
        "today": at.astimezone(ZoneInfo(zone) if zone else settings.cadence.zone).date(),
        "recipient_id": posted.recipient_id,
        "to_channel": to_channel,
        "handed": posted.state == HANDED,
    }


def _readable(
    connection: Connection, posted: PostedDigest, settled: list[Listed], member: Member | None
) -> Iterator[SettledItem]:
    to = {"user_id": posted.recipient_id, "standing": member.standing if member else UNKNOWN}
    for incident_id, item_id in settled:
        item = None if item_id is None else action_items.with_id(connection, incident_id, item_id)
        incident, item = shown_alone(connection, incidents.by_id(connection, incident_id), item, **to)
        yield SettledItem(incident=incident, item=item)
