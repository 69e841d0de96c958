"""Modals: the forms Scribe opens, and what a submitted one contains."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.domain.postmortem import interview
from bot.domain.postmortem.interview import Field
from bot.errors import UsageError
from bot.handlers.incident import backfill, conversations
from bot.handlers.incident.doubts import CORRECT
from bot.handlers.items.buttons import ASSIGN, DATE, DROP
from bot.handlers.items.redact import OTHERS_TITLE, TITLE
from bot.handlers.postmortem.buttons import PLAN
from bot.handlers.postmortem.edits import CHOOSE, WRITE
from bot.handlers.postmortem.interview import MILESTONES, QUESTIONS
from bot.handlers.request import Reply
from bot.handlers.sources import lead_up
from bot.slack.inbound.payloads import SubmittedView
from bot.slack.outbound.blocks import clip, clip_escaped, section
from bot.vocabulary import ADD_TO_TIMELINE, ITEM_KINDS, KINDS, NOTE, PRIORITIES
from storage.values import ActionItem, Incident, Section, TimelineEntry

ACTION_ITEM = "action_item"
INPUT_LIMIT = 3_000
"""Characters of an input's text, which is Slack's limit."""
PORTION = 2_500
"""Characters of a long text that one input starts with; the other 500 are room to write."""
LABEL_LIMIT = 75
_ERROR_LIMIT = 2_000
_ITEM_TEXT_LIMIT = 300
_MOST_SECTIONS = 100
"""Options of a menu, which is Slack's limit."""
_MOST_PORTIONS = 24
_TICKS = 10
"""Options of a group of checkboxes, which is Slack's limit."""
_MOST_BYTES = 120_000
"""Bytes of a form's inputs; Slack accepts twice that, but a submission contains each text twice, old and new."""
_LENGTHS = {"30m": "30 minutes", "45m": "45 minutes", "1h": "1 hour", "1h30m": "1 hour 30"}
_PLACEHOLDER_LIMIT, _FIELD_LABEL_LIMIT = 150, 300
_EARLIEST_PICKED = 1_000_000_000
"""Slack's pickers take no earlier instant."""
_VERSION_MARK = "@"
_BLANK = " \n"

View = dict[str, Any]
Origin = Mapping[str, Any]
"""Where a form was requested, for its reply; kept in the form's `private_metadata`."""


def entry_form(words: str, *, said_at: datetime, origin: Origin) -> View:
    """*Add to timeline*: kind, time and words, with the message's time and text filled in."""
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
    return _view(ADD_TO_TIMELINE, "Add to timeline", "Add", blocks, origin)


def correction_form(origin: Origin, *, incident: Incident, entry: TimelineEntry) -> View:
    """An entry's time and words, to be corrected."""
    cut = "The entry is longer; what is not shown is lost when you save." if len(entry.text) > INPUT_LIMIT else None
    words = {"type": "plain_text_input", "multiline": True, "max_length": INPUT_LIMIT}
    if entry.text:
        words["initial_value"] = clip(entry.text, INPUT_LIMIT)
    picker = {"type": "datetimepicker", "initial_date_time": int(entry.occurred_at.timestamp())}
    blocks = [
        _input("time", "When it happened, in your own time", picker),
        _input("words", "Words", words, optional=True, hint=cut),
    ]
    said_at = str(entry.occurred_at.timestamp())
    metadata = {**origin, "incident": incident.number, "entry": entry.number, "said_at": said_at}
    return _view(CORRECT, f"Correct entry {entry.number}", "Save", blocks, metadata)


def backfill_form(origin: Origin, *, incident: Incident) -> View:
    """A large box for a chronology; submitting it opens `preview_form`."""
    box = {"type": "plain_text_input", "multiline": True, "max_length": INPUT_LIMIT}
    hint = "One event a line, its time first. A date holds for the lines below it. Longer ones: scribe log --file"
    blocks = [_input("words", "Chronology", box, hint=hint)]
    return _view(backfill.FORM, f"Backfill {incident.name}", "Preview", blocks, {**origin, "incident": incident.number})


def preview_form(
    origin: Origin,
    *,
    incident: Incident,
    lines: Sequence[tuple[str, str, str]],
    problems: Sequence[str],
    words: str,
    digest: str,
    now: str,
    entry: int | None,
) -> View:
    """The entries of a chronology with ticks, as (value, label, words), and its words below to be corrected.

    Raises UsageError for words that do not fit into the form.
    """
    if len(words) > INPUT_LIMIT:
        raise UsageError(
            f"That is longer than a form takes. In a terminal: scribe log {incident.name} --file chronology.txt"
        )
    groups = [lines[start : start + _TICKS] for start in range(0, len(lines), _TICKS)]
    ticks = [_ticks(number, group) for number, group in enumerate(groups)]
    said = (
        [{"type": "section", "text": _plain(clip("Not read:\n" + "\n".join(problems), INPUT_LIMIT))}]
        if problems
        else []
    )
    box = {"type": "plain_text_input", "multiline": True, "max_length": INPUT_LIMIT, "initial_value": words}
    hint = "What you change here is shown again before it is recorded."
    metadata = {**origin, "incident": incident.number, "digest": digest, "now": now, "entry": entry}
    blocks = [*ticks, *said, _input(f"words{_VERSION_MARK}{digest}", "As pasted", box, hint=hint)]
    return _view(backfill.PREVIEW, f"Backfill {incident.name}", "Record", blocks, metadata)


def lead_up_form(origin: Origin, *, incident: Incident, lines: Sequence[tuple[str, str, str]]) -> View:
    """What came before the incident with ticks, as (value, label, words); nothing is ticked at first."""
    groups = [lines[start : start + _TICKS] for start in range(0, len(lines), _TICKS)]
    ticks = [_ticks(number, group, ticked=False) for number, group in enumerate(groups)]
    return _view(lead_up.FORM, f"Before {incident.name}", "Record", ticks, {**origin, "incident": incident.number})


def choice_form(
    origin: Origin,
    *,
    incident: Incident,
    token: str,
    page: int,
    pages: int,
    lines: Sequence[Mapping[str, Any]],
    more: bool,
) -> View:
    """One page of a conversation: its messages in full with the reasons, and ticks that say what each would be.

    `more` says that a later page has something that is proposed; then that is what follows, unless chosen otherwise.
    """
    blocks: list[View] = []
    for start in range(0, len(lines), _TICKS):
        group = lines[start : start + _TICKS]
        blocks.append(section(clip_escaped("\n".join(each["text"] for each in group), INPUT_LIMIT)))
        options = [
            {**_option(each["value"], clip(each["label"], LABEL_LIMIT)), **_described(each["words"])} for each in group
        ]
        ticked = [option for option, each in zip(options, group, strict=True) if each["ticked"]]
        boxes = {"type": "checkboxes", "options": options, **({"initial_options": ticked} if ticked else {})}
        # With the page in the name: an updated form keeps what was ticked where block and action have the same ids.
        blocks.append(_input(f"lines-{page}-{start}", "Record these", boxes, optional=True))
    follows = [_option(conversations.RECORD_ALL, "Record what is ticked so far")]
    follows += [_option(str(each), f"Page {each + 1} of {pages}") for each in range(pages) if each != page]
    chosen = next((each for each in follows if more and each["value"] == str(page + 1)), follows[0])
    menu = {"type": "static_select", "options": follows, "initial_option": chosen}
    hint = "Nothing is recorded that is not ticked, or stands on a page you have not seen."
    blocks.append(_input(f"then-{page}", "Then", menu, hint=hint if pages > 1 else None))
    metadata = {**origin, "incident": incident.number, "token": token, "page": page}
    return _view(conversations.CHOOSE, f"Backfill {incident.name}", "Go on", blocks, metadata)


def _described(words: str) -> View:
    described = clip(" ".join(words.split()), LABEL_LIMIT)
    return {"description": _plain(described)} if described else {}


def _ticks(number: int, lines: Sequence[tuple[str, str, str]], *, ticked: bool = True) -> View:
    options = [
        {
            **_option(value, clip(label, LABEL_LIMIT)),
            **({"description": _plain(clip(text, LABEL_LIMIT))} if text else {}),
        }
        for value, label, text in lines
    ]
    boxes = {"type": "checkboxes", "options": options, **({"initial_options": options} if ticked else {})}
    return _input(f"lines-{number}", "Record these" if not number else "And these", boxes, optional=True)


def item_form(origin: Origin, *, incident: Incident | None = None) -> View:
    """A new action item: text, owner, due date, kind, priority and the sign that it is done.

    It is for the incident, or for the channel's current one.
    """
    origin = {**origin, "named": incident.name} if incident else origin
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
    return _view(ACTION_ITEM, "New action item", "Add", blocks, origin)


def section_form(origin: Origin, *, incident: Incident, sections: Sequence[Section]) -> View:
    """The section to edit; submitting it opens `edit_form`."""
    options = [
        _option(each.key, clip(f"{each.heading}{' (taken out)' * each.removed}", LABEL_LIMIT))
        for each in sections[:_MOST_SECTIONS]
    ]
    select = {"type": "static_select", "options": options}
    metadata = {**origin, "incident": incident.number}
    return _view(CHOOSE, f"Edit {incident.name}", "Next", [_input("words", "Section", select)], metadata)


def edit_form(
    origin: Origin, *, incident: Incident, version: int, erasures: int, section: Section, text: str, note: str = ""
) -> View:
    """The text of one section, in as many inputs as it needs, below an optional `note`.

    Raises UsageError for a text that is too long for a form.
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
    metadata = {
        **origin,
        "incident": incident.number,
        "version": version,
        "erasures": erasures,
        "key": section.key,
        "joints": cut.joints,
    }
    return _view(WRITE, f"Edit {incident.name}", "Save", [*above, *inputs], metadata)


def _portion(index: int, label: str, text: str, *, version: int) -> View:
    # The first input has the name under which `errors` reports a problem.
    name = f"words-{index}" if index else "words"
    initial = {"initial_value": text} if text else {}
    element = {"type": "plain_text_input", "multiline": True, "max_length": INPUT_LIMIT, **initial}
    block = _input(name, clip(label, LABEL_LIMIT), element, optional=True)
    # An updated form keeps what was typed in each input whose block and action ids stay the same (Slack, "Modal
    # views"): with the version in the block id, the form shows the text of the new version.
    return {**block, "block_id": f"{name}{_VERSION_MARK}{version}"}


def assign_form(origin: Origin, *, incident: Incident, item: ActionItem) -> View:
    """The action item's new owner."""
    owner = _input("owner", "New owner", {"type": "users_select"})
    return _about_item(ASSIGN, "Reassign action item", "Reassign", owner, origin, incident=incident, item=item)


def date_form(origin: Origin, *, incident: Incident, item: ActionItem) -> View:
    """The action item's new due date; the picker starts at the present one."""
    initial = {"initial_date": item.due_on.isoformat()} if item.due_on else {}
    due = _input("due", "Due", {"type": "datepicker", **initial})
    return _about_item(DATE, "New date", "Set", due, origin, incident=incident, item=item)


def drop_form(origin: Origin, *, incident: Incident, item: ActionItem) -> View:
    """The reason why the action item is dropped."""
    why = _input("words", "Why, so that nobody asks again", {"type": "plain_text_input", "max_length": INPUT_LIMIT})
    return _about_item(DROP, "Drop action item", "Drop", why, origin, incident=incident, item=item)


def _about_item(
    callback_id: str, title: str, submit: str, field: View, origin: Origin, *, incident: Incident, item: ActionItem
) -> View:
    of = "" if incident.title in {TITLE, OTHERS_TITLE} else f" of {incident.name}"
    text = clip(f"Action item {item.number}{of}: {item.text}", _ITEM_TEXT_LIMIT)
    metadata = {**origin, "incident": incident.number, "item": item.number}
    return _view(callback_id, title, submit, [{"type": "section", "text": _plain(text)}, field], metadata)


def review_form(origin: Origin, *, incident: Incident) -> View:
    """When the review is, and how long; who is invited comes from the timeline."""
    lengths = [_option(value, label) for value, label in _LENGTHS.items()]
    chosen = next(option for option in lengths if option["value"] == "1h")
    hint = "Those of the timeline and the owners of action items are invited."
    select = {"type": "static_select", "options": lengths, "initial_option": chosen}
    blocks = [
        _input("time", "When, in your own time", {"type": "datetimepicker"}, hint=hint),
        _input("length", "How long", select),
    ]
    return _view(PLAN, f"Review of {incident.name}", "Plan", blocks, {**origin, "incident": incident.number})


def milestones_form(origin: Origin, *, incident: Incident, fields: Sequence[Field]) -> View:
    """The interview's first form: each milestone's time, and what is missing; `questions_form` follows."""
    said = "Are these times right? Correct what is not, in your own time. The draft rests on them."
    return _interview(MILESTONES, "Next", said, origin, incident=incident, fields=fields)


def questions_form(origin: Origin, *, incident: Incident, fields: Sequence[Field]) -> View:
    """The interview's second form: a field for each open question."""
    said = "Answer what you know, and leave the rest empty. Each answer goes onto the timeline."
    return _interview(QUESTIONS, "Save", said, origin, incident=incident, fields=fields)


def _interview(
    callback_id: str, submit: str, said: str, origin: Origin, *, incident: Incident, fields: Sequence[Field]
) -> View:
    blocks = [{"type": "section", "text": _plain(said)}, *map(_field, fields)]
    metadata = {**origin, "incident": incident.number}
    return _view(callback_id, f"{incident.name}, answers", submit, blocks, metadata)


def _field(field: Field) -> View:
    element = _INPUTS[field.input](field)
    if field.example:
        element["placeholder"] = _plain(clip(field.example, _PLACEHOLDER_LIMIT))
    label = clip(field.label, _FIELD_LABEL_LIMIT)
    return _input(field.name, label, element, optional=True, hint=field.hint or None)


def _text_input(field: Field) -> View:
    return {"type": "plain_text_input", "multiline": field.input == interview.WORDS, "max_length": INPUT_LIMIT}


def _time_picker(field: Field) -> View:
    chosen = isinstance(field.initial, int) and field.initial >= _EARLIEST_PICKED
    return {"type": "datetimepicker", **({"initial_date_time": field.initial} if chosen else {})}


def _options(field: Field) -> list[View]:
    return [_option(value, clip(label, LABEL_LIMIT)) for value, label in field.options]


def _tick_boxes(field: Field) -> View:
    ticked = [each for each in _options(field) if isinstance(field.initial, list) and each["value"] in field.initial]
    return {"type": "checkboxes", "options": _options(field), **({"initial_options": ticked} if ticked else {})}


_INPUTS: dict[str, Callable[[Field], View]] = {
    interview.WORDS: _text_input,
    interview.LINE: _text_input,
    interview.TIME: _time_picker,
    interview.CHOICE: lambda field: {"type": "static_select", "options": _options(field)},
    interview.TICKS: _tick_boxes,
    interview.PERSON: lambda _field: {"type": "users_select"},
    interview.DATE: lambda _field: {"type": "datepicker"},
}
"""The element of each input of the interview."""


FORMS: dict[str, Callable[..., View]] = {
    ACTION_ITEM: item_form,
    CORRECT: correction_form,
    backfill.FORM: backfill_form,
    backfill.PREVIEW: preview_form,
    conversations.CHOOSE: choice_form,
    ASSIGN: assign_form,
    DATE: date_form,
    DROP: drop_form,
    CHOOSE: section_form,
    WRITE: edit_form,
    lead_up.FORM: lead_up_form,
    PLAN: review_form,
    MILESTONES: milestones_form,
    QUESTIONS: questions_form,
}
"""The form for each `Reply.form`, from its origin and `Reply.fills`."""


def _plain(text: str) -> View:
    return {"type": "plain_text", "text": text}


def _option(value: str, label: str) -> View:
    return {"text": _plain(label), "value": value}


def _input(name: str, label: str, element: View, *, optional: bool = False, hint: str | None = None) -> View:
    """An input block whose block id and action id are the same name."""
    block = {
        "type": "input",
        "block_id": name,
        "label": _plain(label),
        "element": {**element, "action_id": name},
        "optional": optional,
    }
    return {**block, "hint": _plain(hint)} if hint else block


def _view(callback_id: str, title: str, submit: str, blocks: list[View], metadata: Mapping[str, Any]) -> View:
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": _plain(title),
        "submit": _plain(submit),
        "close": _plain("Cancel"),
        "private_metadata": json.dumps(metadata),
        "blocks": blocks,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Portions:
    """A text cut into `texts`, and the blanks between them as `joints`: Slack may strip them from an input."""

    texts: tuple[str, ...]
    joints: tuple[str, ...]


def portions(text: str, limit: int = PORTION) -> Portions:
    """Cut a text at the end of a paragraph, else of a line, else of a word; `Portions.texts` is never empty."""
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
        # Blanks at the beginning of a line are its indentation and stay with it.
        if at > 0 and (sign == " " or not text[at + len(sign) :].startswith(_BLANK[0])):
            return at
    return limit


def joined(texts: Iterable[str], joints: Sequence[str]) -> str:
    """The whole text, without the joints of portions that were emptied."""
    whole = ""
    for text, joint in zip(texts, [*joints, ""], strict=False):
        whole += f"{text}{joint}" if text.strip() else ""
    return whole


def answers(view: SubmittedView) -> dict[str, Any]:
    """The entered values by the input's name; None for an empty input."""
    return {name: each.answer for actions in view.state.values.values() for name, each in actions.items()}


def moment(chosen: int | None, said_at: datetime) -> datetime:
    """The chosen instant, or the message's own where the picker, which has minutes only, was left on it."""
    if chosen is None or chosen // 60 == int(said_at.timestamp()) // 60:
        return said_at
    return datetime.fromtimestamp(chosen, UTC)


def following(origin: Origin, reply: Reply) -> dict[str, Any]:
    """The ack of a submitted form: the form closes, or the form that the reply names replaces it."""
    if reply.form is None:
        return {}
    return {"response_action": "update", "view": FORMS[reply.form](origin, **reply.fills)}


def coming(view: View, name: str) -> View:
    """A small form in place of the view until that is sent; `name` is its `external_id`."""
    text = "One moment: what you entered is being read. If nothing follows, you get your words back in the channel."
    return {
        "type": "modal",
        "title": view["title"],
        "close": view["close"],
        "external_id": name,
        "blocks": [{"type": "section", "text": _plain(text)}],
    }


def errors(problem: str, view: SubmittedView, field: str = "words") -> dict[str, Any]:
    """The ack that keeps the form open, with the problem under a field of the submitted `view`, else its first."""
    return field_errors({field: problem}, view)


def field_errors(problems: Mapping[str, str], view: SubmittedView) -> dict[str, Any]:
    """The same with several problems, by the field that each stands under."""
    shown: dict[str, str] = {}
    for field, problem in problems.items():
        named = (name for name in view.state.values if field in {name, name.partition(_VERSION_MARK)[0]})
        block_id = next(named, next(iter(view.state.values), field))
        shown.setdefault(block_id, clip(problem, _ERROR_LIMIT))
    return {"response_action": "errors", "errors": shown}
