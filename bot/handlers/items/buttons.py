"""The buttons and the menu of an action item, the same on every surface that shows it."""

from collections.abc import Iterable
from datetime import date

from bot.domain.time.format import day
from bot.handlers.request import Button, Control, Menu
from storage.values import ActionItem, Incident

DONE, CONFIRM, DATE, SNOOZE, ASSIGN, DROP, REOPEN = (
    "item_done",
    "item_confirm",
    "item_date",
    "item_snooze",
    "item_assign",
    "item_drop",
    "item_reopen",
)
WORKED, FAILED = "item_worked", "item_failed"
"""Whether a finished item had the effect it was for."""
DUE = ("item_due", "item_due_other")
"""One action for each day that is offered: of a message's buttons no two have the same."""
OWNER = "item_owner"
SNOOZE_ALL = "digest_snooze"
"""All that a digest lists; the value begins with the digest's day."""
SHOW, REVIEWED = "postmortem_look", "postmortem_seen"
"""Of a postmortem that can be published nowhere: to read it, and to say that somebody has."""
ACCEPT, DECLINE = "item_accept", "item_decline"
"""The answers of an item's new owner."""
_NONE = "none"
SNOOZES = (("1 day", "1d"), ("3 days", "3d"), ("Next week", "next week"))


def controls(incident: Incident, item: ActionItem) -> tuple[Control, ...]:
    """The controls that apply to the item in its present state."""
    named = f"{incident.name} {item.number}"
    return (
        pending_controls(named, item.state) if item.pending else (Button(label="Reopen", action=REOPEN, value=named),)
    )


def pending_controls(named: str, state: str) -> tuple[Control, ...]:
    """The controls of an item that is proposed or open, `named` as in `INC-12 3`."""
    # Five in one row and no more: a proposal is confirmed before anybody does it.
    label, action = ("Confirm", CONFIRM) if state == "proposed" else ("Done", DONE)
    return (
        Button(label=label, action=action, value=named),
        Button(label="New date", action=DATE, value=named),
        Menu(label="Snooze", action=SNOOZE, options=tuple((label, f"{named} {words}") for label, words in SNOOZES)),
        Button(label="Reassign", action=ASSIGN, value=named),
        Button(label="Drop", action=DROP, value=named),
    )


def snooze_all(on: date) -> Menu:
    """The menu that snoozes all that the recipient's digest of that day lists."""
    options = tuple((label, f"{on} {words}") for label, words in SNOOZES)
    return Menu(label="Snooze all", action=SNOOZE_ALL, options=options)


def review_buttons(incident: Incident, *, readable: bool) -> tuple[Button, ...]:
    """The buttons of a postmortem that can be published nowhere; one who may not read it is not shown it."""
    show = (Button(label="Show", action=SHOW, value=incident.name),) if readable else ()
    return (*show, Button(label="Mark as reviewed", action=REVIEWED, value=incident.name))


def answer_buttons(incident: Incident, item: ActionItem) -> tuple[Button, ...]:
    """The buttons for an item's new owner; who has accepted it is not asked again."""
    named = f"{incident.name} {item.number}"
    accept = () if item.accepted_at else (Button(label="Accept", action=ACCEPT, value=named),)
    return (
        *accept,
        Button(label="Other date", action=DATE, value=named),
        Button(label="Not me", action=DECLINE, value=named),
    )


def decision_buttons(incident: Incident, item: ActionItem) -> tuple[Button, ...]:
    """The buttons for who decides about an item that nobody has any more."""
    named = f"{incident.name} {item.number}"
    return (
        Button(label="Reassign", action=ASSIGN, value=named),
        Button(label="Other date", action=DATE, value=named),
        Button(label="Drop", action=DROP, value=named),
    )


def outcome_buttons(incident: Incident, item: ActionItem) -> tuple[Button, ...]:
    """The buttons that answer whether a finished item worked."""
    named = f"{incident.name} {item.number}"
    return (
        Button(label="It worked", action=WORKED, value=f"{named} yes"),
        Button(label="It did not", action=FAILED, value=f"{named} no"),
    )


def date_before(item: ActionItem) -> str:
    """What a button that dates the item replaces."""
    return str(item.due_on or _NONE)


def owner_before(item: ActionItem) -> str:
    """What a button that gives the item to somebody replaces."""
    return item.owner_id or item.owner or _NONE


def due_buttons(incident: Incident, item: ActionItem, dates: Iterable[date]) -> tuple[Button, ...]:
    """A button for each of at most two days that the words may mean."""
    named = f"{incident.name} {item.number}"
    return tuple(
        Button(label=f"Due {day(each)}", action=action, value=f"{named} {each} was {date_before(item)}")
        for action, each in zip(DUE, dates, strict=False)
    )


def owner_button(incident: Incident, item: ActionItem, name: str, user_id: str) -> Button:
    """A button that gives the item to somebody named in its words."""
    return Button(
        label=f"Owner: @{name}", action=OWNER, value=f"{incident.name} {item.number} {user_id} was {owner_before(item)}"
    )
