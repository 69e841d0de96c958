"""The buttons of an action item, the same wherever it is shown."""

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
    """What can be done with the item as it stands."""
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
    """The (incident's number, words) of a value that `controls` made. Raises UsageError for any other."""
    match = _VALUE.fullmatch(value)
    if match is None:
        raise UsageError(
            "That button is of another version of Scribe, so nothing was changed. Please type the command."
        )
    return int(match["incident"]), match["words"]
