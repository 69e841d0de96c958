"""An exported incident as a file: read strictly, since it may come from anywhere."""

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from bot.domain.postmortem.schema import STATES
from bot.errors import UsageError
from bot.vocabulary import DETECTED, KINDS, SEVERITIES

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
