"""The JSON export of an incident: written, described by a schema, and read back.

`incident_json` writes it, `schema` describes it for other programs (published as deploy/postmortem.schema.json), and
`parse_export` reads it strictly. A field is added in all three.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bot.domain.incident import facts
from bot.domain.incident.lifecycle import DURATIONS, in_order, lifecycle
from bot.errors import UsageError
from bot.vocabulary import DETECTED, DETECTORS, ENTRY_KINDS, ITEM_KINDS, KINDS, SEVERITIES
from storage.values import ActionItem, EntryGraph, Incident, Postmortem, TimelineEntry

Json = dict[str, Any]

INCIDENT_STATES: Final = ("open", "resolved", "cancelled", "duplicate")
STATUSES: Final = ("open", "mitigated", "resolved")
STATES: Final = ("proposed", "open", "done", "dropped")


def instant(at: datetime | None) -> str | None:
    """The aware instant `at` as `2017-01-31T22:00:00Z`, with milliseconds only when there are any."""
    if at is None:
        return None
    at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds" if at.microsecond // 1000 else "seconds").replace("+00:00", "Z")


def incident_json(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    items: Iterable[ActionItem],
    postmortem: Postmortem | None = None,
    *,
    graphs: Sequence[EntryGraph] = (),
) -> Json:
    """The incident as plain JSON values: facts, entries in timeline order, action items by number, the postmortem.

    Retracted entries are left out. Durations are seconds, unknown facts null, and `postmortem` is null before the
    first draft. `graphs` is there where notes ask for some.
    """
    entries = [entry for entry in in_order(entries) if not entry.retracted]
    life = lifecycle(entries)
    places = {entry.number: place for place, entry in enumerate(entries, 1)}
    drawn = [
        {
            "entry": places[each.entry_number],
            "query": each.query,
            "start_at": instant(each.start_at),
            "step_s": each.step_s,
            "series": [{"labels": dict(line.labels), "values": list(line.values)} for line in each.series],
            "series_left_out": each.left_out,
        }
        for each in graphs
        if each.entry_number in places
    ]
    return {
        "incident": {
            "id": incident.name,
            "title": incident.title,
            "severity": incident.severity,
            "status": life.status,
            "state": incident.state,
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
            "impact_began_at": instant(life.impact_began_at),
            "rounds": [
                {"began_at": instant(each.began_at), "ended_at": instant(each.ended_at)} for each in life.rounds
            ],
            "time_in_rounds_s": life.time_in_rounds_s,
            "reopened": life.reopened,
            "mitigations": [{"at": instant(each.at), "held": each.held} for each in life.mitigations],
            "severity_changes": [
                {"at": instant(each.from_at), "severity": each.value} for each in facts.severities(incident, entries)
            ],
            "leads": [
                {"name": each.value, "from": instant(each.from_at), "until": instant(each.until_at)}
                for each in facts.leads(entries)
            ],
            "roles": [
                {
                    "role": each.role,
                    "name": each.name,
                    "from": instant(each.from_at),
                    "until": instant(each.until_at),
                }
                for each in facts.roles(entries)
            ],
        },
        "entries": [
            {
                "kind": entry.kind,
                "occurred_at": instant(entry.occurred_at),
                "recorded_at": instant(entry.recorded_at),
                "author": entry.author,
                "text": entry.text,
                "source": entry.source,
                "late": entry.late,
                "backfilled": entry.backfilled,
                "revisions": entry.revisions,
                "approximate": entry.approximate,
                "until_at": instant(entry.until_at),
            }
            for entry in entries
        ],
        "action_items": [
            {
                "text": item.text,
                "owner": item.owner,
                "kind": item.kind,
                "due_on": item.due_on.isoformat() if item.due_on else None,
                "state": item.state,
                "look_again_on": item.look_again_on.isoformat() if item.look_again_on else None,
                "worked": item.worked,
                "worked_why": item.worked_why,
                "worked_by": item.worked_by,
                "worked_at": instant(item.worked_at),
            }
            for item in sorted(items, key=lambda item: item.number)
        ],
        "postmortem": {
            "template": postmortem.template,
            "version": postmortem.version,
            "sections": [
                {"key": section.key, "heading": section.heading, "body": section.body, "edited": section.edited}
                for section in postmortem.shown
            ],
        }
        if postmortem
        else None,
    } | ({"graphs": drawn} if drawn else {})


_TEXT: Final = {"type": "string"}
_BOOLEAN: Final = {"type": "boolean"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_SECONDS: Final = {"type": "number", "minimum": 0}
_INSTANT: Final = {
    "type": "string",
    "format": "date-time",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{3})?Z$",
}
_DATE: Final = {"type": "string", "format": "date", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"}


def schema() -> Json:
    """The JSON Schema (draft 2020-12) of what `incident_json` returns, as plain JSON values."""
    instants = ("started_at", "detected_at", "acknowledged_at", "mitigated_at", "resolved_at")
    document = _object(
        "One incident: its facts, what was written down of it, its action items and its postmortem.",
        incident=_ref("incident"),
        entries=_list("The standing timeline entries, in the order in which it happened.", _ref("entry")),
        action_items=_list("The action items, by number.", _ref("action_item")),
        postmortem=_or_null(_ref("postmortem"), "The newest version; null before the first draft."),
    )
    document["properties"]["graphs"] = _list("Where notes ask for graphs: their figures, by the notes.", _ref("graph"))
    definitions = {
        "incident": _object(
            "The facts. Instants are UTC, with milliseconds only where there are any; durations are seconds.",
            id={"type": "string", "pattern": "^INC-[1-9][0-9]*$"},
            title=_TEXT,
            severity=_or_null(_enum(SEVERITIES), "How bad it is."),
            status={**_enum(STATUSES), "description": "What its entries say."},
            state={**_enum(INCIDENT_STATES), "description": "A cancelled incident and a duplicate count nowhere."},
            declared_at=_INSTANT,
            **{name: _or_null(_INSTANT) for name in instants},
            detected_by=_or_null(_enum(DETECTORS), "Who noticed it first."),
            **{f"{each.key}_s": _or_null(_SECONDS, f"{each.label}: {each.definition}.") for each in DURATIONS},
            escalations=_COUNT,
            misleading_paths={**_COUNT, "description": "How many entries rule something out."},
            impact_began_at=_or_null(_INSTANT, "When users were hurt, as far as it was recorded."),
            rounds=_list("The stretches of trouble; none while the start is unknown.", _ref("round")),
            time_in_rounds_s=_or_null(_SECONDS, "The sum of the rounds; null while one lasts."),
            reopened={**_COUNT, "description": "How many times it came back after a resolution."},
            mitigations=_list("Every mitigation, in the order in which it happened.", _ref("mitigation")),
            severity_changes=_list("The severities from the first one on; `severity` is the last.", _ref("severity")),
            leads=_list("Who led it, in order.", _ref("lead")),
            roles=_list("Who had which other role, by role, each in order.", _ref("role")),
        ),
        "round": _object(
            "One stretch of trouble.",
            began_at=_INSTANT,
            ended_at=_or_null(_INSTANT, "Its resolution; null while it lasts."),
        ),
        "mitigation": _object(
            "One mitigation.",
            at=_INSTANT,
            held={**_BOOLEAN, "description": "Whether no trouble followed it before the end of its round."},
        ),
        "severity": _object("A severity, from an instant on.", at=_INSTANT, severity=_enum(SEVERITIES)),
        "lead": _object(
            "Somebody who led it.",
            **{
                "name": _TEXT,
                "from": _INSTANT,
                "until": _or_null(_INSTANT, "When another one did; null for the last."),
            },
        ),
        "role": _object(
            "Somebody who had a role beside the lead.",
            **{
                "role": {"type": "string", "pattern": "^[a-z][a-z0-9-]{0,19}$"},
                "name": _TEXT,
                "from": _INSTANT,
                "until": _or_null(_INSTANT, "When another one took it or nobody had it; null for who has it."),
            },
        ),
        "entry": _object(
            "One line of the timeline as it stands after its last revision.",
            kind=_enum(tuple(ENTRY_KINDS)),
            occurred_at=_INSTANT,
            recorded_at=_INSTANT,
            author=_TEXT,
            text=_TEXT,
            source={
                "type": "string",
                "pattern": "^[a-z]+$",
                "description": "The way it came: slash, mention, reaction, …",
            },
            late={**_BOOLEAN, "description": "Recorded a minute or more after it happened."},
            backfilled={**_BOOLEAN, "description": "Taken in afterwards, out of a conversation or a chronology."},
            revisions=_COUNT,
            approximate={**_BOOLEAN, "description": "Whether the time was called approximate when it was typed."},
            until_at=_or_null(_INSTANT, "When it ended, if a range of time was typed."),
        ),
        "action_item": _object(
            "Something to be done, as it stands.",
            text=_TEXT,
            owner=_or_null(_TEXT),
            kind=_or_null(_enum(ITEM_KINDS)),
            due_on=_or_null(_DATE),
            state=_enum(STATES),
            look_again_on=_or_null(_DATE, "When it is asked whether what was done had its effect."),
            worked=_or_null(_BOOLEAN, "The last answer to that; null before one."),
            worked_why=_or_null(_TEXT),
            worked_by=_or_null(_TEXT),
            worked_at=_or_null(_INSTANT),
        ),
        "postmortem": _object(
            "One version of the postmortem.",
            template=_TEXT,
            version={"type": "integer", "minimum": 1},
            sections=_list("In the template's order.", _ref("section")),
        ),
        "graph": _object(
            "The figures of a monitoring system that a note asks for.",
            entry={"type": "integer", "minimum": 1, "description": "The note's place among the entries, from 1 on."},
            query=_TEXT,
            start_at=_INSTANT,
            step_s={"type": "integer", "minimum": 1, "description": "Seconds between two values."},
            series=_list("The lines.", _ref("series")),
            series_left_out={**_COUNT, "description": "How many lines more there were."},
        ),
        "series": _object(
            "One line.",
            labels={"type": "object", "additionalProperties": _TEXT},
            values=_list("From `start_at` on; null where there is none.", _or_null({"type": "number"})),
        ),
        "section": _object(
            "One section.",
            key={"type": "string", "pattern": "^[a-z][a-z0-9-]{0,39}$"},
            heading=_TEXT,
            body={**_TEXT, "description": "Markdown: CommonMark, with GitHub's tables."},
            edited={**_BOOLEAN, "description": "Whether a person has changed it."},
        ),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:scribe:incident",
        "title": "Scribe incident",
        **document,
        "$defs": definitions,
    }


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
MOST_LINES, MOST_VALUES, MOST_LABELS = 6, 240, 100
"""The lines of a graph, values of a line and labels of a line that a file may have."""
_MOST_PROBLEMS = 3
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)


def _without_nul(text: str) -> str:
    # PostgreSQL has no NUL in its text type.
    if "\0" in text:
        raise ValueError("holds a NUL character, which cannot be kept")
    return text


def _in_range(at: datetime) -> datetime:
    if not _FIRST <= at <= _LAST:
        raise ValueError("is no time Scribe keeps; the years are 1970 to 8999")
    return at


def _known_kind(kind: str) -> str:
    if kind not in ENTRY_KINDS:
        raise ValueError(f"is no kind of entry; one of {', '.join(ENTRY_KINDS)}")
    return kind


def _one_of(values: tuple[str, ...]) -> AfterValidator:
    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"is none of {', '.join(values)}")
        return value

    return AfterValidator(check)


Text = Annotated[str, AfterValidator(_without_nul)]
Name = Annotated[Text, Field(min_length=1)]
Word = Annotated[str, Field(pattern=r"^[a-z][a-z_-]{0,15}$")]
Instant = Annotated[AwareDatetime, AfterValidator(_in_range)]
Derived = int | float | None
"""A value that follows from the entries. The importer computes it again and compares."""


class _Strict(BaseModel):
    # Built when a file is first read: few processes read one, and all would start later for it.
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", defer_build=True)


class RoundFacts(_Strict):
    """One round of trouble."""

    began_at: Instant
    ended_at: Instant | None


class MitigationFacts(_Strict):
    """One mitigation, and whether it held."""

    at: Instant
    held: bool


class SeverityFacts(_Strict):
    """A severity, from an instant on."""

    at: Instant
    severity: Annotated[str, _one_of(SEVERITIES)]


class LeadFacts(_Strict):
    """Somebody who led it."""

    name: Text
    from_at: Instant = Field(alias="from")
    until: Instant | None


class RoleFacts(_Strict):
    """Somebody who had a role beside the lead."""

    role: Text
    name: Text
    from_at: Instant = Field(alias="from")
    until: Instant | None


class IncidentFacts(_Strict):
    """The facts of the incident; all but the first three, `state` and `declared_at` follow from the entries.

    Files of earlier versions have no `state`, nor what follows `misleading_paths`.
    """

    id: str = Field(pattern=r"^INC-[1-9][0-9]{0,8}$")
    title: Name
    severity: Annotated[str, _one_of(SEVERITIES)] | None
    status: str
    state: Annotated[str, _one_of(INCIDENT_STATES)] | None = None
    declared_at: Instant
    started_at: Instant | None
    detected_at: Instant | None
    acknowledged_at: Instant | None
    mitigated_at: Instant | None
    resolved_at: Instant | None
    detected_by: Annotated[str, _one_of(KINDS[DETECTED].qualifiers)] | None
    time_to_detect_s: Derived
    time_to_acknowledge_s: Derived
    time_to_mitigate_s: Derived
    time_to_resolve_s: Derived
    escalations: int
    misleading_paths: int
    impact_began_at: Instant | None = None
    rounds: tuple[RoundFacts, ...] = ()
    time_in_rounds_s: Derived = None
    reopened: int = 0
    mitigations: tuple[MitigationFacts, ...] = ()
    severity_changes: tuple[SeverityFacts, ...] = ()
    leads: tuple[LeadFacts, ...] = ()
    roles: tuple[RoleFacts, ...] = ()


class EntryFacts(_Strict):
    """One standing entry; the list is in timeline order."""

    kind: Annotated[str, AfterValidator(_known_kind)]
    occurred_at: Instant
    recorded_at: Instant
    author: Text
    text: Text
    source: Word
    late: bool
    backfilled: bool = False
    revisions: int = Field(ge=0, le=1_000_000)
    approximate: bool = False
    until_at: Instant | None = None


class ItemFacts(_Strict):
    """One action item; the list is in the order of their numbers. Files of earlier versions end with `state`."""

    text: Text
    owner: Text | None
    kind: Literal["short-term", "long-term"] | None
    due_on: date | None
    state: Annotated[str, _one_of(STATES)]
    look_again_on: date | None = None
    worked: bool | None = None
    worked_why: Text | None = None
    worked_by: Text | None = None
    worked_at: Instant | None = None


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


class SeriesFacts(_Strict):
    """One line of a graph."""

    labels: dict[Text, Text] = Field(max_length=MOST_LABELS)
    values: tuple[Annotated[float, Field(allow_inf_nan=False)] | None, ...] = Field(
        min_length=1, max_length=MOST_VALUES
    )


class GraphFacts(_Strict):
    """The figures that a note asks for; `entry` is its place in the list of entries, from 1 on."""

    entry: int = Field(ge=1)
    query: Name
    start_at: Instant
    step_s: int = Field(ge=1, le=1_000_000)
    series: tuple[SeriesFacts, ...] = Field(min_length=1, max_length=MOST_LINES)
    series_left_out: int = Field(ge=0)


class ExportFile(_Strict):
    """A whole export, as `scribe export --format json` writes it. Files of earlier versions have no `graphs`."""

    incident: IncidentFacts
    entries: tuple[EntryFacts, ...] = Field(max_length=MOST_ENTRIES)
    action_items: tuple[ItemFacts, ...] = Field(max_length=MOST_ENTRIES)
    postmortem: PostmortemFacts | None
    graphs: tuple[GraphFacts, ...] = Field(default=(), max_length=MOST_ENTRIES)


def parse_export(content: bytes, name: str) -> tuple[ExportFile, Any]:
    """The facts of an export, and the same as plain JSON values; `name` is the file's, for error messages.

    Raises UsageError with the first places that are wrong, and for more than MOST_BYTES bytes.
    """
    if len(content) > MOST_BYTES:
        raise UsageError(f"{name} is larger than {MOST_BYTES // 1_000_000} MB; no incident of Scribe's is.")
    try:
        return ExportFile.model_validate_json(content), json.loads(content)
    except ValidationError as error:
        raise UsageError(f"{name}: {_describe(error)}") from None


def _describe(error: ValidationError) -> str:
    """The first problems, each with its place in the file; the value there is not repeated."""
    problems: list[str] = []
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        place = ".".join(str(part)[:40] for part in each["loc"]) or "the file"
        problems.append(f"{place}: {str(each['msg']).removeprefix('Value error, ')}")
    more = len(problems) - _MOST_PROBLEMS
    return "; ".join([*problems[:_MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])])
