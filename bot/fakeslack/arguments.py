"""The arguments of a Web API method: what each is called, how it is read, and which have to be there."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from bot.fakeslack.schema import Json, error_message

COMMON_ARGUMENTS: Final = frozenset({"token", "team_id"})
"""Every method takes these; Slack's own client adds the team to all it sends."""

Reader = Callable[[object], Any]


class ApiError(Exception):  # noqa: N818 -- the word for what Slack does with a call; an error is only its name
    """Slack says no: `error` is its word for why, `details` are its messages, `extra` goes with the error."""

    def __init__(self, error: str, *details: str, **extra: str) -> None:
        super().__init__(error, *details)
        self.error = error
        self.details = details
        self.extra = extra


def string(value: object) -> str:
    """A string."""
    if not isinstance(value, str):
        raise TypeError("must be a string")
    return value


def boolean(value: object) -> bool:
    """A boolean, in a form written as 1, 0, true or false."""
    known: dict[object, bool] = {
        True: True,
        False: False,
        "1": True,
        "0": False,
        "true": True,
        "false": False,
    }
    if not isinstance(value, bool | str) or value not in known:
        raise TypeError("must be a boolean")
    return known[value]


def integer(value: object) -> int:
    """A whole number, in a form written in figures."""
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, str) and value.isdecimal())):
        raise TypeError("must be an integer")
    return int(value)


def object_list(value: object) -> list[Json]:
    """A list of objects, in a form written as JSON."""
    found = _unpacked(value)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise TypeError("must be a list of objects")
    return found


def json_object(value: object) -> Json:
    """An object, in a form written as JSON."""
    found = _unpacked(value)
    if not isinstance(found, dict):
        raise TypeError("must be an object")
    return found


def string_list(value: object) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in string(value).split(",") if name.strip()]


def _unpacked(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise TypeError("must be valid JSON") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments a method takes, each with its reader; any other is refused."""

    required: Mapping[str, Reader]
    optional: Mapping[str, Reader]

    def read(self, given: Json) -> dict[str, Any]:
        """The arguments as typed values. Raises Refused (invalid_arguments) naming all that is wrong."""
        faults = [error_message(f"missing required field: {name}", "") for name in self.required if name not in given]
        understood = {}
        for name, value in given.items():
            reader = self.required.get(name) or self.optional.get(name)
            if reader is not None:
                try:
                    understood[name] = reader(value)
                except TypeError as error:
                    faults.append(error_message(str(error), f"/{name}"))
            elif name not in COMMON_ARGUMENTS:
                faults.append(error_message(f"invalid additional property: {name}", ""))
        if faults:
            raise ApiError("invalid_arguments", *faults)
        return understood
