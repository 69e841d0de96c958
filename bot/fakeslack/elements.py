"""Interactive elements: the values a person chooses become the `state.values` of a payload."""

import re
from typing import Any

from bot.fakeslack.block_kit import DATE_PATTERN, TIME_PATTERN
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import elements_of, options_of

STATE_KEYS = {
    "plain_text_input": ("initial_value", "value"),
    "static_select": ("initial_option", "selected_option"),
    "radio_buttons": ("initial_option", "selected_option"),
    "overflow": ("", "selected_option"),
    "checkboxes": ("initial_options", "selected_options"),
    "users_select": ("initial_user", "selected_user"),
    "datepicker": ("initial_date", "selected_date"),
    "timepicker": ("initial_time", "selected_time"),
    "datetimepicker": ("initial_date_time", "selected_date_time"),
}
"""For each element with a value: the key of its initial value and the key of its value in the state."""

Users = frozenset[str]


def state_values(blocks: list[Json], chosen: dict[str, Any], users: Users) -> Json:
    """Return the `state.values` of a form: the values `chosen` by action_id, else the initial ones.

    Raises LookupError for an action_id that is not in the form, ValueError for a value that cannot be chosen.
    """
    values: dict[str, Json] = {}
    unused = dict(chosen)
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in STATE_KEYS and element["type"] != "overflow":
                action_id = element["action_id"]
                if action_id in unused:
                    state = chosen_state(element, unused.pop(action_id), users)
                else:
                    initial_key, key = STATE_KEYS[element["type"]]
                    empty: list[Json] | None = [] if element["type"] == "checkboxes" else None
                    state = {"type": element["type"], key: element.get(initial_key, empty)}
                values.setdefault(block["block_id"], {})[action_id] = state
    if unused:
        raise LookupError(f"no such input in the form: {', '.join(unused)}")
    return values


def missing_inputs(blocks: list[Json], values: dict[str, Json]) -> list[str]:
    """Return the action_ids of the required inputs without a value."""
    missing = []
    for block in blocks:
        if block["type"] == "input" and not block.get("optional"):
            action_id = block["element"]["action_id"]
            state = values[block["block_id"]][action_id]
            if state[STATE_KEYS[state["type"]][1]] in (None, "", []):
                missing.append(action_id)
    return missing


def chosen_state(element: Json, value: object, users: Users) -> Json:
    """Return the state of an element after a person chose `value`.

    That is a text, the value of an option (a list of them for checkboxes), a user id, `YYYY-MM-DD`, `HH:MM` or Unix
    seconds. Raises ValueError for a value the element does not offer.
    """
    type_ = element["type"]
    if type_ not in STATE_KEYS:
        raise ValueError(f"{type_} holds no value")
    key = STATE_KEYS[type_][1]
    chosen: object
    if value is None or value == "":
        chosen = [] if type_ == "checkboxes" else None
    elif type_ == "checkboxes":
        if not isinstance(value, list):
            raise ValueError("checkboxes take a list of options' values")
        chosen = [_option(element, each) for each in value]
    elif key == "selected_option":
        chosen = _option(element, value)
    elif _accepts(element, value, users):
        chosen = value
    else:
        raise ValueError(f"{value!r} cannot be chosen in {type_} {element['action_id']}")
    return {"type": type_, key: chosen}


def _accepts(element: Json, value: object, users: Users) -> bool:
    if element["type"] == "datetimepicker":
        return isinstance(value, int)
    if not isinstance(value, str):
        return False
    if element["type"] == "plain_text_input":
        fits_lines = bool(element.get("multiline")) or "\n" not in value
        return fits_lines and element.get("min_length", 0) <= len(value) <= element.get("max_length", 3000)
    if element["type"] == "users_select":
        return value in users
    return bool(re.fullmatch(DATE_PATTERN if element["type"] == "datepicker" else TIME_PATTERN, value))


def _option(element: Json, value: object) -> Json:
    for option in options_of(element):
        if option["value"] == value:
            return {"text": option["text"], "value": value}
    raise ValueError(f"{value!r} is no option of {element['action_id']}")
