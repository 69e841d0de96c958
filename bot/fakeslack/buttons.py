"""What a press or a choice becomes: the entry of `actions` in block_actions."""

from bot.fakeslack.elements import Users, chosen_state
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import elements_of

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
