"""The JSON Schema of `scribe export --format json`, from the vocabulary: what a program may rely on.

Every field is always there and no other is; what is not known is null. Source of the form: JSON Schema, draft 2020-12.
"""

from typing import Any, Final

from bot.domain.incident.lifecycle import DURATIONS
from bot.vocabulary import DETECTORS, ITEM_KINDS, KINDS, SEVERITIES

Json = dict[str, Any]

STATUSES: Final = ("open", "mitigated", "resolved")
STATES: Final = ("proposed", "open", "done", "dropped")
DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"

_WORDS: Final = {"type": "string"}
_FLAG: Final = {"type": "boolean"}
_INSTANT: Final = {
    "type": "string",
    "format": "date-time",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{3})?Z$",
}
_DATE: Final = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}
_SECONDS: Final = {"type": "number", "minimum": 0}


def schema() -> Json:
    """The schema as plain JSON values."""
    document = _object(
        "One incident: its facts, what was written down of it, its action items and its postmortem.",
        incident=_ref("incident"),
        entries=_list("The standing timeline entries, in the order in which it happened.", _ref("entry")),
        action_items=_list("The action items, by number.", _ref("action_item")),
        postmortem=_or_null(_ref("postmortem"), "The newest version; null before the first draft."),
    )
    definitions = {
        "incident": _incident(),
        "entry": _entry(),
        "action_item": _action_item(),
        "postmortem": _postmortem(),
        "section": _section(),
    }
    return {
        "$schema": DRAFT,
        "$id": "urn:scribe:incident",
        "title": "Scribe incident",
        **document,
        "$defs": definitions,
    }


def _incident() -> Json:
    instants = ("started_at", "detected_at", "acknowledged_at", "mitigated_at", "resolved_at")
    return _object(
        "The facts. Instants are UTC, with milliseconds only where there are any; durations are seconds.",
        id={"type": "string", "pattern": "^INC-[1-9][0-9]*$"},
        title=_WORDS,
        severity=_or_null(_one_of(SEVERITIES), "How bad it is."),
        status=_one_of(STATUSES),
        declared_at=_INSTANT,
        **{name: _or_null(_INSTANT) for name in instants},
        detected_by=_or_null(_one_of(DETECTORS), "Who noticed it first."),
        **{f"{each.key}_s": _or_null(_SECONDS, f"{each.label}: {each.definition}.") for each in DURATIONS},
        escalations={"type": "integer", "minimum": 0},
        misleading_paths={"type": "integer", "minimum": 0, "description": "How many entries rule something out."},
    )


def _entry() -> Json:
    return _object(
        "One line of the timeline as it stands after its last revision.",
        kind=_one_of(tuple(KINDS)),
        occurred_at=_INSTANT,
        recorded_at=_INSTANT,
        author=_WORDS,
        text=_WORDS,
        source={"type": "string", "pattern": "^[a-z]+$", "description": "The way it came: slash, mention, reaction, …"},
        late={**_FLAG, "description": "Recorded a minute or more after it happened."},
        revisions={"type": "integer", "minimum": 0},
    )


def _action_item() -> Json:
    return _object(
        "Something to be done, as it stands.",
        text=_WORDS,
        owner=_or_null(_WORDS),
        kind=_or_null(_one_of(ITEM_KINDS)),
        due_on=_or_null(_DATE),
        state=_one_of(STATES),
    )


def _postmortem() -> Json:
    return _object(
        "One version of the postmortem.",
        template=_WORDS,
        version={"type": "integer", "minimum": 1},
        sections=_list("In the template's order.", _ref("section")),
    )


def _section() -> Json:
    return _object(
        "One section.",
        key={"type": "string", "pattern": "^[a-z][a-z0-9-]{0,39}$"},
        heading=_WORDS,
        body={**_WORDS, "description": "Markdown: CommonMark, with GitHub's tables."},
        edited={**_FLAG, "description": "Whether a person has changed it."},
    )


def _object(description: str, **properties: Json) -> Json:
    return {
        "description": description,
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def _list(description: str, items: Json) -> Json:
    return {"description": description, "type": "array", "items": items}


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def _one_of(values: tuple[str, ...]) -> Json:
    return {"enum": list(values)}


def _or_null(rule: Json, description: str | None = None) -> Json:
    nullable: Json = {"anyOf": [rule, {"type": "null"}]}
    return {**nullable, "description": description} if description else nullable
