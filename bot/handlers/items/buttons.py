"""The buttons and the menu of an action item, the same on every surface that shows it."""

import re

from bot.errors import UsageError
from bot.handlers.request import Button, Control, Menu
from storage.values import ActionItem, Incident

DONE, CONFIRM, SNOOZE, ASSIGN, DROP, REOPEN = (
    "item_done",
    "item_confirm",
    "item_snooze",
    "item_assign",
    "item_drop",
    "item_reopen",
)
SNOOZES = (("1 day", "1d"), ("3 days", "3d"), ("Next week", "next week"))
_VALUE = re.compile(r"INC-(?P<incident>[0-9]{1,9}) (?P<words>[0-9]{1,9}(?: .{1,40})?)")


def controls(incident: Incident, item: ActionItem) -> tuple[Control, ...]:
    """The controls that apply to the item in its present state."""
    named = f"{incident.name} {item.number}"
    if not item.pending:
        return (Button(label="Reopen", action=REOPEN, value=named),)
    agree = (Button(label="Confirm", action=CONFIRM, value=named),) if item.state == "proposed" else ()
    return (
        *agree,
        Button(label="Done", action=DONE, value=named),
        Menu(label="Snooze", action=SNOOZE, options=tuple((label, f"{named} {words}") for label, words in SNOOZES)),
        Button(label="Reassign", action=ASSIGN, value=named),
        Button(label="Drop", action=DROP, value=named),
    )


def parse_value(value: str) -> tuple[int, str]:
    """The (incident number, words) in the value of one of `controls`. Raises UsageError for any other value."""
    match = _VALUE.fullmatch(value)
    if match is None:
        raise UsageError(
            "That button is of another version of Scribe, so nothing was changed. Please type the command."
        )
    return int(match["incident"]), match["words"]
