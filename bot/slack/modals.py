"""Forms: what is asked in a modal, and what came back."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.slack.blocks import clip
from bot.vocabulary import ADD_TO_TIMELINE, ITEM_KINDS, KINDS, NOTE

ACTION_ITEM = "action_item"
INPUT_LIMIT = 3_000
LABEL_LIMIT = 75
_ERROR_LIMIT = 2_000

View = dict[str, Any]


def _plain(text: str) -> View:
    return {"type": "plain_text", "text": text}


def _option(value: str, label: str) -> View:
    return {"text": _plain(label), "value": value}


def _input(name: str, label: str, element: View, *, optional: bool = False, hint: str | None = None) -> View:
    """An input block; block and action carry the same name."""
    block = {
        "type": "input",
        "block_id": name,
        "label": _plain(label),
        "element": {**element, "action_id": name},
        "optional": optional,
    }
    return {**block, "hint": _plain(hint)} if hint else block


def _view(callback_id: str, title: str, submit: str, blocks: list[View], place: Mapping[str, Any]) -> View:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": _plain(title),
        "submit": _plain(submit),
        "close": _plain("Cancel"),
        "private_metadata": json.dumps(place),
        "blocks": blocks,
    }


def entry_form(words: str, *, said_at: datetime, place: Mapping[str, Any]) -> View:
    """*Add to timeline*: kind, time and words, filled in from the message."""
    kinds = [_option(kind.name, clip(f"{kind.label}: {kind.description}", LABEL_LIMIT)) for kind in KINDS.values()]
    chosen = next(option for option in kinds if option["value"] == NOTE)
    cut = "The message is longer; this is its beginning." if len(words) > INPUT_LIMIT else None
    blocks = [
        _input("kind", "Kind", {"type": "static_select", "options": kinds, "initial_option": chosen}),
        _input(
            "time",
            "When it happened, in your own time",
            {"type": "datetimepicker", "initial_date_time": int(said_at.timestamp())},
        ),
        _input(
            "words",
            "Words",
            {
                "type": "plain_text_input",
                "multiline": True,
                "initial_value": clip(words, INPUT_LIMIT),
                "max_length": INPUT_LIMIT,
            },
            hint=cut,
        ),
    ]
    return _view(ADD_TO_TIMELINE, "Add to timeline", "Add", blocks, place)


def item_form(place: Mapping[str, Any]) -> View:
    """A new action item: what, who, until when, how far-reaching."""
    kinds = [_option(kind, kind.capitalize()) for kind in ITEM_KINDS]
    blocks = [
        _input(
            "words",
            "What has to change",
            {"type": "plain_text_input", "multiline": True, "max_length": INPUT_LIMIT},
        ),
        _input("owner", "Owner", {"type": "users_select"}, optional=True),
        _input(
            "team",
            "… or a team or role",
            {"type": "plain_text_input", "max_length": 80},
            optional=True,
            hint="A name without spaces, such as database-team",
        ),
        _input("due", "Due", {"type": "datepicker"}, optional=True),
        _input("kind", "Term", {"type": "radio_buttons", "options": kinds}, optional=True),
    ]
    return _view(ACTION_ITEM, "New action item", "Add", blocks, place)


def answers(view: Mapping[str, Any]) -> dict[str, Any]:
    """What was filled in, by the input's name; None where nothing was."""
    values = view["state"]["values"]
    return {name: _answer(actions[name]) for name, actions in values.items()}


def _answer(state: Mapping[str, Any]) -> Any:
    for key in ("value", "selected_user", "selected_date", "selected_date_time"):
        if state.get(key) is not None:
            return state[key]
    option = state.get("selected_option")
    return option["value"] if option else None


def moment(chosen: int | None, said_at: datetime) -> datetime:
    """The instant of the picker, which knows minutes only: left as it was, it means the message's own instant."""
    if chosen is None or chosen // 60 == int(said_at.timestamp()) // 60:
        return said_at
    return datetime.fromtimestamp(chosen, UTC)


def errors(problem: str, field: str = "words") -> dict[str, Any]:
    """The answer that keeps the form open, with the problem under a field."""
    return {"response_action": "errors", "errors": {field: clip(problem, _ERROR_LIMIT)}}
