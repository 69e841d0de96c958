"""Interactive elements: a person's choice becomes the `state.values` and `actions` of a payload."""

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
"""For each element a person may change: the key of its initial value, and that of its value in the state."""

Users = frozenset[str]


def state_values(blocks: list[Json], chosen: dict[str, Any], users: Users) -> Json:
    """The `state.values` of a form: initial values, but for those `chosen` by action_id.

    Raises LookupError for an action_id that is not in the form, ValueError for a choice its element does not
    offer.
    """
    values: dict[str, Json] = {}
    left = dict(chosen)
    for block in blocks:
        for element in elements_of(block):
            if element["type"] in STATE_KEYS and element["type"] != "overflow":
                name = element["action_id"]
                given = name in left
                state = chosen_state(element, left.pop(name), users) if given else initial_state(element)
                values.setdefault(block["block_id"], {})[name] = state
    if left:
        raise LookupError(f"no such input in the form: {', '.join(left)}")
    return values


def missing_inputs(blocks: list[Json], values: dict[str, Json]) -> list[str]:
    """The action_ids of the inputs that have to be filled in and are not."""
    return [
        block["element"]["action_id"]
        for block in blocks
        if block["type"] == "input" and not block.get("optional") and not _is_filled(block, values)
    ]


def initial_state(element: Json) -> Json:
    """An element's state before anybody touched it."""
    first, key = STATE_KEYS[element["type"]]
    empty: list[Json] | None = [] if element["type"] == "checkboxes" else None
    return {"type": element["type"], key: element.get(first, empty)}


def chosen_state(element: Json, value: object, users: Users) -> Json:
    """An element's state after a person chose `value`.

    That is text, an option's value (a list of them for checkboxes), a user id, `YYYY-MM-DD`, `HH:MM`, or Unix
    seconds. Raises ValueError for what the element would not let a person choose.
    """
    kind = element["type"]
    if kind not in STATE_KEYS:
        raise ValueError(f"{kind} holds no value")
    return {"type": kind, STATE_KEYS[kind][1]: _taken(element, value, users)}


def _taken(element: Json, value: object, users: Users) -> object:
    kind = element["type"]
    if value is None or value == "":
        return [] if kind == "checkboxes" else None
    if kind == "checkboxes":
        if not isinstance(value, list):
            raise ValueError("checkboxes take a list of options' values")
        return [_option(element, one) for one in value]
    if STATE_KEYS[kind][1] == "selected_option":
        return _option(element, value)
    if not _takes(element, value, users):
        raise ValueError(f"{value!r} cannot be chosen in {kind} {element['action_id']}")
    return value


def _takes(element: Json, value: object, users: Users) -> bool:
    if element["type"] == "datetimepicker":
        return isinstance(value, int)
    if not isinstance(value, str):
        return False
    if element["type"] == "plain_text_input":
        one_line = bool(element.get("multiline")) or "\n" not in value
        return one_line and element.get("min_length", 0) <= len(value) <= element.get("max_length", 3000)
    if element["type"] == "users_select":
        return value in users
    return bool(re.fullmatch(DATE_PATTERN if element["type"] == "datepicker" else TIME_PATTERN, value))


def _option(element: Json, value: object) -> Json:
    for option in options_of(element):
        if option["value"] == value:
            return {"text": option["text"], "value": value}
    raise ValueError(f"{value!r} is no option of {element['action_id']}")


def _is_filled(block: Json, values: dict[str, Json]) -> bool:
    state = values[block["block_id"]][block["element"]["action_id"]]
    return state[STATE_KEYS[state["type"]][1]] not in (None, "", [])


COPIED = ("text", "value", "style", "placeholder", "confirm", "url")


def block_action(blocks: list[Json], action_id: str, value: object, users: Users, *, ts: str) -> Json:
    """The action of a person who presses a button, or chooses `value` in another element.

    Raises LookupError when there is no such element, or several buttons of that action_id and no `value` to
    tell them apart; ValueError for a value the element does not offer.
    """
    block, element = _found(blocks, action_id, value)
    copied = {key: element[key] for key in COPIED if key in element}
    action = {"action_id": action_id, "block_id": block["block_id"], "type": element["type"], "action_ts": ts}
    if element["type"] == "button":
        return action | copied
    return action | copied | chosen_state(element, value, users)


def _found(blocks: list[Json], action_id: str, value: object) -> tuple[Json, Json]:
    here = [(block, element) for block in blocks for element in elements_of(block)]
    named = [(block, element) for block, element in here if element.get("action_id") == action_id]
    fitting = [
        (block, element)
        for block, element in named
        if value is None or element["type"] != "button" or element.get("value") == value
    ]
    if len(fitting) == 1:
        return fitting[0]
    offered = [(element.get("action_id"), element.get("value")) for _, element in here]
    trouble = "several elements" if fitting else "no element"
    raise LookupError(f"{trouble} {action_id!r} with value {value!r}; there are {offered}")
