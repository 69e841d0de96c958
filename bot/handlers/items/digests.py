"""What is sent or shown about action items: the daily digest, the weekly summary, and the content of the Home tab."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.items.cadence import Cadence
from bot.domain.items.reminders import ESCALATION, ITEM, POSTMORTEM, WORKED, is_listed, is_person, still_due
from bot.handlers.items.buttons import controls, outcome_buttons, review_buttons
from bot.handlers.items.redact import shown_alone
from bot.handlers.items.reminders import People, calendar_of, load_people, readdress
from bot.handlers.postmortem.publishing import takes
from bot.handlers.request import Control
from storage import home_tab, incidents, members, timeline
from storage.items import action_items, reminder_schedules, reminders
from storage.items.digests import Listed
from storage.values import MEMBER, UNKNOWN, Incident, OwnItem, Reminder, Unpublished

SHOWN = 10
"""Items of a digest with their buttons; each adds two blocks, and Slack limits a message to 50."""
MOST_LISTED = 40
"""Items of a digest; those after the first SHOWN are a line each."""
MOST_ITEMS, MOST_POSTMORTEMS, MOST_INCIDENTS = 60, 15, 20
"""Rows on the Home tab."""
_REASONS = ("cause", "impact")
"""The kinds of entry that say why an incident matters, the telling one first."""
_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestItem:
    """One item of a digest, in Slack text, with its buttons."""

    text: str
    controls: tuple[Control, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A message of several parts, all in Slack text, already escaped.

    `called` is whether one of its reminders still calls for it, rather than all being there only beside those that did.
    `listed` are the row ids of all reminders that it tells of, `holds` the incidents and items that they are about.
    """

    head: str
    parts: tuple[DigestItem, ...]
    foot: str
    called: bool = True
    listed: tuple[int, ...] = ()
    holds: tuple[Listed, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestKey:
    """A digest's recipient, and the day of their calendar that it is for."""

    workspace_id: str
    recipient_id: str
    on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    """One reminder of a digest. `late` are the days since its due date, negative before it; None without one.

    `undecided` says that its reader is to decide who has the item, or by when. `times` is how often its owner was told.
    """

    reminder: Reminder
    late: int | None
    undecided: bool
    gone: bool
    times: int

    @property
    def escalated(self) -> bool:
        return self.reminder.kind == ESCALATION


def digest(
    connection: Connection,
    key: DigestKey,
    *,
    cadence: Cadence,
    prefix: str,
    targets: Collection[str] = (),
    at: datetime | None = None,
) -> Digest | None:
    """The digest of that day: all that is overdue, due soon or waits for the recipient's decision; None for nothing.

    `targets` are the places to publish to that are set up. Days are counted up to `at`, else up to its own day.
    """
    found, people = _load(connection, key, cadence)
    calendars = {each.id: calendar_of(each, people, cadence) for each in found}
    shown = [each for each in found if _is_listed(each, *calendars[each.id], on=key.on)]
    if not shown:
        return None
    zone = calendars[shown[0].id][1]
    on = at.astimezone(zone).date() if at else key.on
    owned = {each.item.id for each in shown if each.item and each.kind == ESCALATION}
    times = reminders.times(connection, owned, kind=ITEM)
    barred = {user_id for (_, user_id), member in people.items() if member.barred}
    listed = sorted((_listed(each, on, barred, times) for each in shown), key=_urgency)
    member = members.find(connection, key.workspace_id, key.recipient_id)
    standing = member.standing if member else UNKNOWN
    words = _DigestWords(
        connection=connection,
        standing=standing,
        targets=targets,
        facts={
            "on": on,
            "to_channel": not is_person(key.recipient_id),
            "reader": key.recipient_id,
            "slash": f"/{prefix}actionitem",
            "zone": zone,
        },
    )
    leads = dict.fromkeys(each.reminder.incident.lead_id for each in listed)
    # The foot points to `list mine`, which has the recipient's own items but not those they get as the lead.
    own = any(
        each.reminder.item and each.reminder.item.pending and each.reminder.item.owner_id == key.recipient_id
        for each in listed
    )
    called = [each for each in shown if each.told_on == key.on]
    return Digest(
        head=slack(
            "digest_head",
            counts=_counts(listed),
            leads=[lead for lead in leads if lead and lead not in barred],
            alone=words.about(listed[0]) if len(listed) == 1 and listed[0].escalated and listed[0].late else None,
            **words.facts,
        ),
        parts=tuple(words.part(each) for each in listed[:SHOWN]) + words.in_short(listed[SHOWN:MOST_LISTED]),
        foot=slack(
            "digest_foot",
            more=len(listed) - MOST_LISTED,
            escalated=any(each.escalated for each in listed),
            own=own,
            **words.facts,
        ),
        called=any(still_due(each, *calendars[each.id], on=key.on) for each in called),
        listed=tuple(each.reminder.id for each in listed),
        holds=tuple(
            (each.reminder.incident.id, each.reminder.item.id if each.reminder.item else None) for each in listed
        ),
    )


def told(connection: Connection, key: DigestKey, sent: Digest) -> None:
    """Count the digest that was sent, for each item on it."""
    reminder_schedules.lock(connection, key.workspace_id, {key.recipient_id: None})
    reminders.count(connection, sent.listed)


def _is_listed(reminder: Reminder, cadence: Cadence, zone: ZoneInfo, *, on: date) -> bool:
    try:
        return is_listed(reminder, cadence, zone, on=on)
    except Exception:  # noqa: BLE001 - the boundary: one reminder, set aside when it was due, must not stop the others
        return False


def next_working_time(connection: Connection, key: DigestKey, *, at: datetime, cadence: Cadence) -> datetime | None:
    """When the recipient's next working day begins; None if they are working at `at`.

    For a digest that could not be sent in time, because Slack or Scribe was down, or was muted meanwhile.
    """
    found, people = _load(connection, key, cadence)
    called = next((each for each in found if each.told_on == key.on), None)
    if called is None:
        return None
    calendar, zone = calendar_of(called, people, cadence)
    return None if calendar.on and calendar.is_working(at, zone) else calendar.next_opening(at, zone)


def reschedule(connection: Connection, key: DigestKey, *, due_at: datetime, closed: bool = False) -> None:
    """Take the digest back: its reminders are due again at `due_at`, as if they had not been sent.

    `closed`: because Slack refuses messages to that channel, so that they are for somebody else.
    """
    reminder_schedules.lock(connection, key.workspace_id, {key.recipient_id: due_at})
    reminders.revoke_digest(connection, key.workspace_id, key.recipient_id, key.on, due_at=due_at)
    reminder_schedules.revoke(connection, key.workspace_id, key.recipient_id, key.on)
    if closed:
        reminder_schedules.close(connection, key.workspace_id, key.recipient_id, at=due_at)


def _load(connection: Connection, key: DigestKey, cadence: Cadence) -> tuple[list[Reminder], People]:
    """The reminders that are still for the recipient, and whom they may be for."""
    # An item may be told of some free days before it is due.
    until = key.on + timedelta(days=-min((*cadence.steps, 0))) + 2 * _WEEK
    found = reminders.of_recipient(connection, key.workspace_id, key.recipient_id, kind=ITEM, until=until)
    people = load_people(connection, found, cadence, at=datetime.combine(key.on, time(), UTC))
    # A channel that counted as closed may be tried once more since the tick that decided for this recipient.
    either = (people, people.with_open_channels())
    recipients = ((each, [readdress(each, known, cadence) for known in either]) for each in found)
    return [each for each, now in recipients if key.recipient_id in {to.recipient_id for to in now if to}], people


def _listed(reminder: Reminder, on: date, barred: Collection[str], times: Mapping[int, int]) -> _Listed:
    item = reminder.item
    gone = item is not None and item.owner_id in barred
    return _Listed(
        reminder=reminder,
        late=(on - item.due_on).days if item and item.pending and item.due_on else None,
        undecided=bool(item and item.pending and (gone or not (item.owner and item.due_on))),
        gone=gone,
        times=times.get(item.id, 0) if item else 0,
    )


def _urgency(listed: _Listed) -> tuple[bool, int, int]:
    return listed.late is None, -(listed.late or 0), listed.reminder.id


def _counts(listed: Sequence[_Listed]) -> dict[str, int]:
    """The figures of the headline. Who is to decide on an item finds it among the open ones as well."""
    counts = Counter(each.reminder.kind for each in listed if each.reminder.kind in {WORKED, POSTMORTEM})
    late = [each.late for each in listed if each.late is not None]
    return {
        WORKED: counts[WORKED],
        POSTMORTEM: counts[POSTMORTEM],
        "open": len(listed) - counts.total(),
        "overdue": sum(days > 0 for days in late),
        "oldest": max(late, default=0),
        "today": late.count(0),
        "undecided": sum(each.undecided for each in listed),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _DigestWords:
    """Puts the reminders of one digest into the words that its reader may read, a user or a channel."""

    connection: Connection
    standing: str
    targets: Collection[str]
    facts: Mapping[str, object]
    causes: dict[int, str] = field(default_factory=dict)

    def part(self, listed: _Listed) -> DigestItem:
        """The item with its buttons."""
        reminder = listed.reminder
        about = self.about(listed)
        unpublishable = reminder.item is None and not any(takes(each, reminder.incident) for each in self.targets)
        text = slack("digest_part", unpublishable=unpublishable, **about, **self.facts)
        if reminder.item is None:
            readable = about["incident"] is reminder.incident
            offers = review_buttons(reminder.incident, readable=readable) if unpublishable else ()
            return DigestItem(text=text, controls=offers)
        offered = outcome_buttons if reminder.kind == WORKED else controls
        return DigestItem(text=text, controls=offered(reminder.incident, reminder.item))

    def in_short(self, rest: Sequence[_Listed]) -> tuple[DigestItem, ...]:
        """The items for which there is no room, a line each."""
        if not rest:
            return ()
        text = slack("digest_rest", rest=[self.about(each) for each in rest], **self.facts)
        return (DigestItem(text=text, controls=()),)

    def about(self, listed: _Listed) -> dict[str, object]:
        """What the templates need of the item."""
        reminder = listed.reminder
        to = {"user_id": reminder.recipient_id, "standing": self.standing}
        incident, item = reminder.incident, reminder.item
        # The channel of the summary hears of no private incident, and of all others as in the summary.
        elsewhere = not is_person(reminder.recipient_id) and reminder.recipient_id != incident.channel_id
        if not elsewhere:
            incident, item = shown_alone(self.connection, incident, item, **to)
        is_shown = incident is reminder.incident
        return {
            "incident": incident,
            "named": elsewhere or self.standing == MEMBER or reminder.recipient_id == incident.channel_id,
            "item": item,
            "kind": reminder.kind,
            "escalated": listed.escalated,
            "late": listed.late,
            "gone": listed.gone,
            "times": listed.times,
            "why": self._why(incident.id) if is_shown else "",
        }

    def _why(self, incident_id: int) -> str:
        """What caused the incident, else what it did, as its timeline says last; empty where it says neither."""
        if incident_id not in self.causes:
            entries = timeline.of_incident(self.connection, incident_id, kinds=_REASONS)
            by_kind = {each.kind: each.text for each in entries if not each.retracted}
            self.causes[incident_id] = next((by_kind[kind] for kind in _REASONS if by_kind.get(kind)), "")
        return self.causes[incident_id]


def expired(
    connection: Connection, workspace_id: str, user_id: str, item_ids: Sequence[int], *, days: int
) -> Digest | None:
    """What tells a user that proposals of theirs were dropped; None where all of them are open again."""
    member = members.find(connection, workspace_id, user_id)
    standing = member.standing if member else UNKNOWN
    parts = []
    for number, item in action_items.by_id(connection, workspace_id, item_ids):
        incident = incidents.numbered(connection, workspace_id, number)
        if incident is None or item.state != "dropped":
            continue
        shown, words = shown_alone(connection, incident, item, user_id=user_id, standing=standing)
        text = slack("expired_part", incident=shown, item=words, named=standing == MEMBER)
        parts.append(DigestItem(text=text, controls=controls(incident, item)))
    if not parts:
        return None
    return Digest(
        head=slack("expired_head", count=len(parts), days=days), parts=tuple(parts[:SHOWN]), foot="", called=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class HomePage:
    """Whose Home tab it is, at `now` in their `zone`.

    Each part is read by itself, so that one that cannot be read leaves the others. Counts include what is not listed.
    """

    workspace_id: str
    user_id: str
    standing: str
    now: datetime
    zone: ZoneInfo

    @property
    def today(self) -> date:
        """The user's date."""
        return self.now.astimezone(self.zone).date()

    def incidents(self, connection: Connection) -> tuple[int, list[tuple[bool, Incident]]]:
        """The open incidents that a member may see, each with whether the user is in it; these are first."""
        if self.standing != MEMBER:
            return 0, []
        return home_tab.open_incidents(connection, self.workspace_id, self.user_id, most=MOST_INCIDENTS)

    def items(self, connection: Connection) -> tuple[int, list[OwnItem]]:
        """The user's open items, most overdue first, those of private incidents redacted where they may not read them.

        Who is no member sees their items alone, without the incidents they are of.
        """
        count, items = home_tab.own_items(
            connection, self.workspace_id, self.user_id, today=self.today, most=MOST_ITEMS
        )
        if self.standing != MEMBER:
            items = [replace(each, incident_title=None, document=None) for each in items]
        return count, items

    def postmortems(self, connection: Connection) -> tuple[int, list[Unpublished]]:
        """The postmortems that a member should publish, the oldest first."""
        if self.standing != MEMBER:
            return 0, []
        return home_tab.unpublished(connection, self.workspace_id, self.user_id, most=MOST_POSTMORTEMS)
