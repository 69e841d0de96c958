"""Case files: an incident as the commands that were typed, to be played back."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator

from bot.errors import UsageError


class Typed(BaseModel):
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
    commands: tuple[Typed, ...] = Field(min_length=1)

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone") from None

    @field_validator("commands")
    @classmethod
    def _in_order(cls, commands: Sequence[Typed]) -> Sequence[Typed]:
        latest: datetime | None = None
        for number, command in enumerate(commands):
            if latest is not None and command.at < latest:
                raise ValueError(f"command {number} was typed before the one above it")
            latest = command.at
        return commands


def read_case(path: Path) -> Case:
    """The case in the file. Raises UsageError naming the file and what in it is wrong."""
    try:
        return Case.model_validate_json(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the file"
        raise UsageError(f"{path}: {where}: {problem['msg']}") from None
