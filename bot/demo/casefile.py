"""Case files: an incident as the list of commands that people typed, for replays and drills."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.domain.postmortem.export import Instant
from bot.errors import UsageError

SAMPLE: Final = Path(__file__).parent / "cases" / "checkout-2026-03-12-coupons.json"
"""The case that ships with Scribe."""
_DECODER = json.JSONDecoder()
_SEPARATORS = re.compile(r"[\s,]*")


class TypedCommand(BaseModel):
    """One command, with its author and its aware time, of a year that Scribe keeps."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: Instant
    user: str = Field(min_length=1)
    command: str = Field(pattern=r"^/[a-z]+$")
    text: str = ""


class Case(BaseModel):
    """One incident, its commands in the order they were typed. `timezone` is an IANA name."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    title: str = Field(min_length=1)
    timezone: str
    severity: str
    commands: tuple[TypedCommand, ...] = Field(min_length=1)

    @property
    def script(self) -> tuple[TypedCommand, ...]:
        """The commands to type: the declaration, the case's own, and a last draft.

        Resolving drafts the postmortem already; the last draft adds what was typed after the resolution.
        """
        first, last = self.commands[0], self.commands[-1]
        opening = TypedCommand(
            at=first.at, user=first.user, command="/incident", text=f"open {self.severity} {self.title}"
        )
        draft = TypedCommand(at=last.at, user=last.user, command="/postmortem", text="draft")
        return (opening, *self.commands, draft)

    @property
    def people(self) -> tuple[str, ...]:
        """The authors, in the order of their first commands."""
        return tuple(dict.fromkeys(each.user for each in self.commands))

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone") from None

    @field_validator("commands")
    @classmethod
    def _check_order(cls, commands: Sequence[TypedCommand]) -> Sequence[TypedCommand]:
        latest: datetime | None = None
        for number, command in enumerate(commands):
            if latest is not None and command.at < latest:
                raise ValueError(f"command {number} was typed before the one above it")
            latest = command.at
        return commands


def read_case(path: Path) -> Case:
    """Read and validate a case file. Raises UsageError naming the file, the line and the field at fault."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    try:
        return Case.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]
        line = _line_of(problem["loc"], content.decode(errors="replace"))
        message = problem["msg"].removeprefix("Value error, ")
        where = ".".join(str(part) for part in problem["loc"]) or "the file"
        raise UsageError(f"{path}: {f'line {line}: ' if line else ''}{where}: {message}") from None


def _line_of(location: tuple[int | str, ...], text: str) -> int | None:
    """The line of a field of the case, or of one of its commands; None when the text does not show it."""
    key = re.search(rf'"{re.escape(str(location[0]))}"\s*:\s*', text) if location else None
    if key is None:
        return None
    offset = key.start()
    if len(location) > 1 and isinstance(location[1], int):
        try:
            offset = _element_offset(text, key.end() + 1, location[1])
        except ValueError:
            # The match was not the key, but the same characters within a string.
            return None
    return text.count("\n", 0, offset) + 1


def _element_offset(text: str, start: int, index: int) -> int:
    """The offset of a JSON array's element; `start` is just after the opening bracket."""
    offset = start
    for _ in range(index):
        _, offset = _DECODER.raw_decode(text, _skip_separators(text, offset))
    return _skip_separators(text, offset)


def _skip_separators(text: str, offset: int) -> int:
    found = _SEPARATORS.match(text, offset)
    return found.end() if found else offset
