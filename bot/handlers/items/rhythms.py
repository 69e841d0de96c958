"""A person's own rhythm of reminders: set it, show it, and tell the leads of their items when they mute it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.items.cadence import Cadence
from bot.domain.items.rhythm import describe, is_rhythm, parse_rhythm
from bot.domain.time.format import clock_text, zone_label
from bot.errors import UsageError
from bot.handlers.items.redact import shown_alone
from bot.handlers.request import Menu, Reply, Request
from storage import incidents, members, outbox
from storage.items import action_items, reminder_schedules, reminders
from storage.values import UNKNOWN, ActionItem, Incident, Rhythm

MUTED = "muted"
"""How the lanes of the jobs begin that tell leads who has muted."""
CHOOSE = "item_rhythm"
"""The action of the menu on the Home tab; a choice is the words after `remind`."""
_NAMED = 10
"""Items of a person that a lead is shown when they mute their reminders."""

_AWAY = (("None for a week", "off 1w"), ("None for two weeks", "off 2w"), ("Mute them", "mute"))

Pair = tuple[Incident, ActionItem]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownRhythm:
    """A rhythm in words, and the menu that changes it."""

    words: str
    menu: Menu


def adds(request: Request) -> bool:
    """Whether `remind …` is a new item rather than a rhythm: `remind the customers`."""
    return not is_rhythm(request.words)


def remind(connection: Connection, request: Request) -> Reply:
    """`remind monday 9:30`, `off until DATE`, `mute`, `default`: set the user's own rhythm; without words show it."""
    workspace_id, user_id = request.workspace_id, request.user_id
    if not request.words.strip():
        return _shown(request, members.rhythm_of(connection, workspace_id, user_id) or Rhythm(), changed=False)
    if request.named_number is not None:
        # The words may be an item's number, and as a time of day they would change all that the user is reminded of.
        raise UsageError(
            "Your reminders have one rhythm, whatever the incident, so none is named. "
            f"Try: {request.slash('actionitem')} remind monday 9:30"
        )
    # The lock is what makes two changes at once come one after the other, and what is planned be looked at again.
    reminder_schedules.lock(connection, workspace_id, {user_id: request.received_at})
    before = members.rhythm_of(connection, workspace_id, user_id) or Rhythm()
    rhythm = parse_rhythm(request.words, before=before, today=_today(request))
    members.save_rhythm(connection, workspace_id, user_id, rhythm)
    reminders.wake(connection, workspace_id, user_id, at=request.received_at)
    if rhythm.muted != before.muted:
        _tell_leads(connection, request, muted=rhythm.muted)
    return _shown(request, rhythm, changed=True)


def at_home(connection: Connection, workspace_id: str, user_id: str, *, today: date, cadence: Cadence) -> ShownRhythm:
    """The user's rhythm as their Home tab shows it, with the menu that changes it."""
    rhythm = members.rhythm_of(connection, workspace_id, user_id) or Rhythm()
    usual, opens = describe(Rhythm(), cadence, today=today), clock_text(cadence.opens)
    options = [(usual.capitalize(), "default"), (f"On Monday at {opens}", f"monday {opens}"), *_AWAY]
    if rhythm.muted or (rhythm.off_until and rhythm.off_until > today):
        options.insert(0, ("Have them again", "on"))
    return ShownRhythm(
        words=describe(rhythm, cadence, today=today),
        menu=Menu(label="Change it", action=CHOOSE, options=tuple(options)),
    )


def _today(request: Request) -> date:
    return request.now.astimezone(request.zone).date()


def _shown(request: Request, rhythm: Rhythm, *, changed: bool) -> Reply:
    today = _today(request)
    text = slack(
        "rhythm",
        rhythm=rhythm,
        words=describe(rhythm, request.settings.cadence, today=today),
        zone=zone_label(request.zone),
        today=today,
        example=today + timedelta(days=14),
        on=request.settings.cadence.on,
        changed=changed,
        request=request,
    )
    return Reply(text=text)


def _tell_leads(connection: Connection, request: Request, *, muted: bool) -> None:
    """Have each lead of the user's open items told, in their hours, who has muted; or not told yet, if it is undone."""
    workspace_id, at = request.workspace_id, request.received_at
    for lead_id, pairs in _by_lead(connection, request):
        lane = f"{MUTED}:{request.user_id}:{lead_id}"
        outbox.supersede(connection, workspace_id, lanes=[lane], at=at)
        lead = members.find(connection, workspace_id, lead_id)
        if not muted or (lead is not None and lead.barred):
            continue
        standing = lead.standing if lead else UNKNOWN
        shown = [shown_alone(connection, *each, user_id=lead_id, standing=standing) for each in pairs[:_NAMED]]
        text = slack("muted", request=request, shown=shown, more=len(pairs) - len(shown))
        cadence = request.settings.cadence
        zone = ZoneInfo(lead.timezone) if lead and lead.timezone else cadence.zone
        due_at = at if cadence.is_working(at, zone) else cadence.next_opening(at, zone)
        content = {"channel": lead_id, "reply_url": None, "text": text}
        outbox.add(connection, workspace_id, lane=lane, action=outbox.POST, content=content, at=at, due_at=due_at)


def _by_lead(connection: Connection, request: Request) -> Iterator[tuple[str, list[Pair]]]:
    """The user's open items by the lead of their incidents, without those that they lead themselves."""
    by_lead: dict[str, list[Pair]] = {}
    for number, item in action_items.owned(connection, request.workspace_id, request.user_id):
        incident = incidents.numbered(connection, request.workspace_id, number)
        if incident is not None and incident.lead_id not in {None, request.user_id}:
            by_lead.setdefault(str(incident.lead_id), []).append((incident, item))
    yield from sorted(by_lead.items())
