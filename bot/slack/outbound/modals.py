"""Forms: what is asked in a modal, and what came back."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.errors import UsageError
from bot.handlers.items.buttons import ASSIGN, DROP
from bot.handlers.postmortem.edits import CHOOSE, WRITE
from bot.handlers.request import Reply
from bot.slack.inbound.payloads import View as Submitted
from bot.slack.outbound.blocks import clip
from bot.vocabulary import ADD_TO_TIMELINE, ITEM_KINDS, KINDS, NOTE, PRIORITIES
from storage.values import ActionItem, Incident, Section

PORTION = 2_500
"""Characters of one portion: 500 less than an input takes, so that there is room to write."""

_BLANK = " \n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Portions:
    """The portions, and the blanks between each and the next: a form might not give them back."""

    texts: tuple[str, ...]
    joints: tuple[str, ...]


def portions(text: str, limit: int = PORTION) -> Portions:
    """Cut a text where a paragraph ends, else a line, else a word; `Portions.texts` is never empty."""
    texts: list[str] = []
    joints: list[str] = []
    while len(text) > limit:
        cut = _cut(text, limit)
        head, tail = text[:cut].rstrip(_BLANK), text[cut:].lstrip(_BLANK)
        texts.append(head)
        joints.append(text[len(head) : len(text) - len(tail)])
        text = tail
    return Portions(texts=(*texts, text), joints=tuple(joints))


def _cut(text: str, limit: int) -> int:
    for sign in ("\n\n", "\n", " "):
        at = text.rfind(sign, limit // 2, limit)
        # Blanks at a line's beginning are its indentation, and belong to it.
        if at > 0 and (sign == " " or not text[at + len(sign) :].startswith(_BLANK[0])):
            return at
    return limit


def joined(texts: Iterable[str], joints: Sequence[str]) -> str:
    """The whole text, less the blanks around portions that were emptied."""
    whole = ""
    for text, joint in zip(texts, [*joints, ""], strict=False):
        whole += f"{text}{joint}" if text.strip() else ""
    return whole


ACTION_ITEM = "action_item"
INPUT_LIMIT = 3_000
LABEL_LIMIT = 75
_ERROR_LIMIT = 2_000
_MOST_SECTIONS = 100
_MOST_PORTIONS = 24
_MOST_BYTES = 120_000
"""Of the inputs of a form. Slack takes twice as much, and sends all of it back twice: as it was, and as it is."""
_SHOWN = 300
_OF_VERSION = "@"

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
    """A new action item: what, who, until when, how far-reaching, how urgent, and how one will know."""
    kinds = [_option(kind, kind.capitalize()) for kind in ITEM_KINDS]
    priorities = [_option(each, each.capitalize()) for each in PRIORITIES]
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
        _input("priority", "Priority", {"type": "static_select", "options": priorities}, optional=True),
        _input(
            "done_when",
            "Done when",
            {"type": "plain_text_input", "max_length": INPUT_LIMIT},
            optional=True,
            hint="What one will see that shows it, such as: the alert fires in a test",
        ),
    ]
    return _view(ACTION_ITEM, "New action item", "Add", blocks, place)


def choosing_form(place: Mapping[str, Any], *, incident: Incident, sections: Sequence[Section]) -> View:
    """Which section to edit; sending it off opens the next form."""
    options = [
        _option(each.key, clip(f"{each.heading}{' (taken out)' * each.removed}", LABEL_LIMIT))
        for each in sections[:_MOST_SECTIONS]
    ]
    select = {"type": "static_select", "options": options}
    kept = {**place, "incident": incident.number}
    return _view(CHOOSE, f"Edit {incident.name}", "Next", [_input("words", "Section", select)], kept)


def writing_form(
    place: Mapping[str, Any], *, incident: Incident, version: int, section: Section, text: str, note: str = ""
) -> View:
    """The text of one section, in as many inputs as it takes. `note` stands above it.

    Raises UsageError for a text that is longer than a form.
    """
    cut = portions(text)
    count = len(cut.texts)
    inputs = [
        _portion(index, f"{section.heading}{f', part {index + 1} of {count}' * (count > 1)}", each, version=version)
        for index, each in enumerate(cut.texts)
    ]
    if count > _MOST_PORTIONS or len(json.dumps(inputs)) > _MOST_BYTES:
        raise UsageError(
            f"{clip(section.heading, LABEL_LIMIT)} is too long for a form. In a terminal: scribe export "
            f"{incident.name} > edited.md, change it, scribe import edited.md"
        )
    above = [{"type": "section", "text": _plain(clip(note, INPUT_LIMIT))}] if note else []
    kept = {**place, "incident": incident.number, "version": version, "key": section.key, "joints": cut.joints}
    return _view(WRITE, f"Edit {incident.name}", "Save", [*above, *inputs], kept)


def _portion(index: int, label: str, text: str, *, version: int) -> View:
    # The first has the name under which every form tells what is wrong.
    name = f"words-{index}" if index else "words"
    begun = {"initial_value": text} if text else {}
    element = {"type": "plain_text_input", "multiline": True, "max_length": INPUT_LIMIT, **begun}
    block = _input(name, clip(label, LABEL_LIMIT), element, optional=True)
    # A form that takes another's place keeps what was typed wherever block and action are the same (Slack, "Modal
    # views"): the text of both versions would never be seen.
    return {**block, "block_id": f"{name}{_OF_VERSION}{version}"}


def assign_form(place: Mapping[str, Any], *, incident: Incident, item: ActionItem) -> View:
    """Who has the action item from now on."""
    blocks = [_about(incident, item), _input("owner", "New owner", {"type": "users_select"})]
    return _view(ASSIGN, "Reassign action item", "Reassign", blocks, _of_item(place, incident, item))


def drop_form(place: Mapping[str, Any], *, incident: Incident, item: ActionItem) -> View:
    """Why the action item is dropped."""
    why = {"type": "plain_text_input", "max_length": INPUT_LIMIT}
    blocks = [_about(incident, item), _input("words", "Why, so that nobody asks again", why)]
    return _view(DROP, "Drop action item", "Drop", blocks, _of_item(place, incident, item))


def _about(incident: Incident, item: ActionItem) -> View:
    text = f"Action item {item.number} of {incident.name}: {item.text}"
    return {"type": "section", "text": _plain(clip(text, _SHOWN))}


def _of_item(place: Mapping[str, Any], incident: Incident, item: ActionItem) -> dict[str, Any]:
    return {**place, "incident": incident.number, "item": item.number}


FORMS: dict[str, Callable[..., View]] = {
    ACTION_ITEM: item_form,
    ASSIGN: assign_form,
    DROP: drop_form,
    CHOOSE: choosing_form,
    WRITE: writing_form,
}
"""The form a reply asks for, from its place and what the reply fills in."""


def answers(view: Submitted) -> dict[str, Any]:
    """What was filled in, by the input's name; None where nothing was."""
    return {name: each.answer for actions in view.state.values.values() for name, each in actions.items()}


def moment(chosen: int | None, said_at: datetime) -> datetime:
    """The instant of the picker, which knows minutes only: left as it was, it means the message's own instant."""
    if chosen is None or chosen // 60 == int(said_at.timestamp()) // 60:
        return said_at
    return datetime.fromtimestamp(chosen, UTC)


def following(place: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """The answer to a form that was sent off: it closes, or the form the reply asks for takes its place."""
    if reply.form is None:
        return {}
    return {"response_action": "update", "view": FORMS[reply.form](place, **reply.fills)}


def errors(problem: str, view: Submitted, field: str = "words") -> dict[str, Any]:
    """The answer that keeps the form open, with the problem under a field of the `view` that was sent off."""
    block_id = next((name for name in view.state.values if name.partition(_OF_VERSION)[0] == field), field)
    return {"response_action": "errors", "errors": {block_id: clip(problem, _ERROR_LIMIT)}}
