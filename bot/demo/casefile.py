"""Case files: an incident as the commands that were typed, to be played back."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.errors import UsageError

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[\s,]*")


class TypedCommand(BaseModel):
    """One command: who typed what when."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    user: str = Field(min_length=1)
    command: str = Field(pattern=r"^/[a-z]+$")
    text: str = ""


class Case(BaseModel):
    """One incident: its title, severity, zone and the commands in the order they were typed."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    title: str = Field(min_length=1)
    timezone: str
    severity: str
    commands: tuple[TypedCommand, ...] = Field(min_length=1)

    @property
    def script(self) -> tuple[TypedCommand, ...]:
        """All that is typed: the declaration, the commands, and a last draft.

        What was typed after the resolution belongs into the document too.
        """
        first, last = self.commands[0], self.commands[-1]
        opening = TypedCommand(
            at=first.at, user=first.user, command="/incident", text=f"open {self.severity} {self.title}"
        )
        draft = TypedCommand(at=last.at, user=last.user, command="/postmortem", text="draft")
        return (opening, *self.commands, draft)

    @property
    def people(self) -> tuple[str, ...]:
        """Everybody who types, in the order of their first words."""
        return tuple(dict.fromkeys(each.user for each in self.commands))

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone") from None

    @field_validator("commands")
    @classmethod
    def _in_order(cls, commands: Sequence[TypedCommand]) -> Sequence[TypedCommand]:
        latest: datetime | None = None
        for number, command in enumerate(commands):
            if latest is not None and command.at < latest:
                raise ValueError(f"command {number} was typed before the one above it")
            latest = command.at
        return commands


def read_case(path: Path) -> Case:
    """The case in the file. Raises UsageError naming the file, the line, and what is wrong there."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    try:
        return Case.model_validate_json(content)
    except ValidationError as error:
        problem = error.errors()[0]
        line = _line(content.decode(errors="replace"), problem["loc"])
        message = problem["msg"].removeprefix("Value error, ")
        where = ".".join(str(part) for part in problem["loc"]) or "the file"
        raise UsageError(f"{path}: {f'line {line}: ' if line else ''}{where}: {message}") from None


def _line(text: str, where: tuple[int | str, ...]) -> int | None:
    """The line that `where` begins on: one of the case's fields, or one of its commands; None when it has none."""
    key = re.search(rf'"{re.escape(str(where[0]))}"\s*:\s*', text) if where else None
    if key is None:
        return None
    place = key.start()
    if len(where) > 1 and isinstance(where[1], int):
        try:
            place = _member(text, key.end() + 1, where[1])
        except ValueError:
            # Something in the file only looks like the key.
            return None
    return text.count("\n", 0, place) + 1


def _member(text: str, start: int, index: int) -> int:
    """Where the member of that index begins, in a list whose first may begin at `start`."""
    place = start
    for _ in range(index):
        _, place = _DECODER.raw_decode(text, _after_space(text, place))
    return _after_space(text, place)


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
