"""The contract for machines: an incident as plain JSON values, the schema of them, and a file of them read strictly."""

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bot.domain.incident.lifecycle import DURATIONS, in_order, lifecycle
from bot.errors import UsageError
from bot.vocabulary import DETECTED, DETECTORS, ITEM_KINDS, KINDS, SEVERITIES
from storage.values import ActionItem, Incident, Postmortem, TimelineEntry

Json = dict[str, Any]


def instant(at: datetime | None) -> str | None:
    """The aware instant `at` as `2017-01-31T22:00:00Z`, with milliseconds only when there are any."""
    if at is None:
        return None
    at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds" if at.microsecond // 1000 else "seconds").replace("+00:00", "Z")


def _incident(incident: Incident, entries: Iterable[TimelineEntry]) -> Json:
    life = lifecycle(entries)
    return {
        "id": incident.name,
        "title": incident.title,
        "severity": incident.severity,
        "status": life.status,
        "declared_at": instant(incident.declared_at),
        "started_at": instant(life.started_at),
        "detected_at": instant(life.detected_at),
        "acknowledged_at": instant(life.acknowledged_at),
        "mitigated_at": instant(life.mitigated_at),
        "resolved_at": instant(life.resolved_at),
        "detected_by": life.detected_by,
        "time_to_detect_s": life.time_to_detect_s,
        "time_to_acknowledge_s": life.time_to_acknowledge_s,
        "time_to_mitigate_s": life.time_to_mitigate_s,
        "time_to_resolve_s": life.time_to_resolve_s,
        "escalations": life.escalations,
        "misleading_paths": life.misleading_paths,
    }


def _entry(entry: TimelineEntry) -> Json:
    return {
        "kind": entry.kind,
        "occurred_at": instant(entry.occurred_at),
        "recorded_at": instant(entry.recorded_at),
        "author": entry.author,
        "text": entry.text,
        "source": entry.source,
        "late": entry.late,
        "revisions": entry.revisions,
    }


def _item(item: ActionItem) -> Json:
    return {
        "text": item.text,
        "owner": item.owner,
        "kind": item.kind,
        "due_on": item.due_on.isoformat() if item.due_on else None,
        "state": item.state,
    }


def _postmortem(postmortem: Postmortem) -> Json:
    return {
        "template": postmortem.template,
        "version": postmortem.version,
        "sections": [
            {"key": section.key, "heading": section.heading, "body": section.body, "edited": section.edited}
            for section in postmortem.shown
        ],
    }


def incident_json(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    items: Iterable[ActionItem],
    postmortem: Postmortem | None = None,
) -> Json:
    """What `ID.json` holds: facts, standing entries in timeline order, items by number, the postmortem.

    Durations are seconds, unknown facts null, and `postmortem` is null before the first draft.
    """
    standing = [entry for entry in in_order(entries) if not entry.retracted]
    return {
        "incident": _incident(incident, standing),
        "entries": [_entry(entry) for entry in standing],
        "action_items": [_item(item) for item in sorted(items, key=lambda item: item.number)],
        "postmortem": _postmortem(postmortem) if postmortem else None,
    }


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
        "incident": _incident_schema(),
        "entry": _entry_schema(),
        "action_item": _action_item(),
        "postmortem": _postmortem_schema(),
        "section": _section(),
    }
    return {
        "$schema": DRAFT,
        "$id": "urn:scribe:incident",
        "title": "Scribe incident",
        **document,
        "$defs": definitions,
    }


def _incident_schema() -> Json:
    instants = ("started_at", "detected_at", "acknowledged_at", "mitigated_at", "resolved_at")
    return _object(
        "The facts. Instants are UTC, with milliseconds only where there are any; durations are seconds.",
        id={"type": "string", "pattern": "^INC-[1-9][0-9]*$"},
        title=_WORDS,
        severity=_or_null(_enum(SEVERITIES), "How bad it is."),
        status=_enum(STATUSES),
        declared_at=_INSTANT,
        **{name: _or_null(_INSTANT) for name in instants},
        detected_by=_or_null(_enum(DETECTORS), "Who noticed it first."),
        **{f"{each.key}_s": _or_null(_SECONDS, f"{each.label}: {each.definition}.") for each in DURATIONS},
        escalations={"type": "integer", "minimum": 0},
        misleading_paths={"type": "integer", "minimum": 0, "description": "How many entries rule something out."},
    )


def _entry_schema() -> Json:
    return _object(
        "One line of the timeline as it stands after its last revision.",
        kind=_enum(tuple(KINDS)),
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
        kind=_or_null(_enum(ITEM_KINDS)),
        due_on=_or_null(_DATE),
        state=_enum(STATES),
    )


def _postmortem_schema() -> Json:
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


def _enum(values: tuple[str, ...]) -> Json:
    return {"enum": list(values)}


def _or_null(rule: Json, description: str | None = None) -> Json:
    nullable: Json = {"anyOf": [rule, {"type": "null"}]}
    return {**nullable, "description": description} if description else nullable


MOST_BYTES = 20_000_000
MOST_ENTRIES = 100_000
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_FEW_PROBLEMS = 3


def _storable(words: str) -> str:
    if "\0" in words:
        raise ValueError("holds a NUL character, which cannot be kept")
    return words


def _within_reason(at: datetime) -> datetime:
    if not _FIRST <= at <= _LAST:
        raise ValueError("is no time Scribe keeps; the years are 1970 to 8999")
    return at


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError(f"is no kind of entry; one of {', '.join(KINDS)}")
    return kind


Text = Annotated[str, AfterValidator(_storable)]
Name = Annotated[Text, Field(min_length=1)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z_-]{0,15}$")]
Instant = Annotated[AwareDatetime, AfterValidator(_within_reason)]
Derived = int | float | None
"""What follows from the entries: compared afterwards, not believed."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")


class IncidentFacts(_Strict):
    """The facts of the incident; all but the first four and `declared_at` follow from the entries."""

    id: str = Field(pattern=r"^INC-[1-9][0-9]{0,8}$")
    title: Name
    severity: Annotated[str, AfterValidator(lambda grade: _one_of(grade, SEVERITIES))] | None
    status: str
    declared_at: Instant
    started_at: Instant | None
    detected_at: Instant | None
    acknowledged_at: Instant | None
    mitigated_at: Instant | None
    resolved_at: Instant | None
    detected_by: Annotated[str, AfterValidator(lambda by: _one_of(by, KINDS[DETECTED].qualifiers))] | None
    time_to_detect_s: Derived
    time_to_acknowledge_s: Derived
    time_to_mitigate_s: Derived
    time_to_resolve_s: Derived
    escalations: int
    misleading_paths: int


class EntryFacts(_Strict):
    """One standing entry; the list is in timeline order."""

    kind: Annotated[str, AfterValidator(_known)]
    occurred_at: Instant
    recorded_at: Instant
    author: Text
    text: Text
    source: Word
    late: bool
    revisions: int = Field(ge=0, le=1_000_000)


class ItemFacts(_Strict):
    """One action item; the list is in the order of their numbers."""

    text: Text
    owner: Text | None
    kind: Literal["short-term", "long-term"] | None
    due_on: date | None
    state: Annotated[str, AfterValidator(lambda state: _one_of(state, STATES))]


class SectionFacts(_Strict):
    """One section of the postmortem."""

    key: Text
    heading: Text
    body: Text
    edited: bool


class PostmortemFacts(_Strict):
    """The newest version of the postmortem."""

    template: Annotated[Name, Field(max_length=64)]
    version: int = Field(ge=1, le=1_000_000)
    sections: tuple[SectionFacts, ...]


class ExportFile(_Strict):
    """What `scribe export --format json` writes: the contract for machines."""

    incident: IncidentFacts
    entries: tuple[EntryFacts, ...] = Field(max_length=MOST_ENTRIES)
    action_items: tuple[ItemFacts, ...] = Field(max_length=MOST_ENTRIES)
    postmortem: PostmortemFacts | None


def _one_of(word: str, words: tuple[str, ...]) -> str:
    if word not in words:
        raise ValueError(f"is none of {', '.join(words)}")
    return word


def read_export(path: Path) -> tuple[ExportFile, Any]:
    """The file's facts, and the same as plain values. Raises UsageError naming the places that are wrong."""
    with path.open("rb") as opened:
        content = opened.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise UsageError(f"{path} is larger than {MOST_BYTES // 1_000_000} MB; no incident of Scribe's is.")
    try:
        return ExportFile.model_validate_json(content), json.loads(content)
    except ValidationError as error:
        raise UsageError(f"{path}: {_told(error)}") from None


def _told(error: ValidationError) -> str:
    """The first problems, each with its place; what stands there is not repeated."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{_place(each['loc'])}: {str(each['msg']).removeprefix('Value error, ')}" for each in problems]
    more = len(told) - _FEW_PROBLEMS
    return "; ".join([*told[:_FEW_PROBLEMS], *([f"and {more} more"] if more > 0 else [])])


def _place(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part)[:40] for part in loc) or "the file"
