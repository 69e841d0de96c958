"""Schemas for the JSON an app sends: one class for each kind of value, in the manner of JSON Schema.

A schema lists the errors of a value as Slack words them, each with a JSON pointer to the place. Slack's own limits
are in block_kit.py.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Json = dict[str, Any]


class Schema(Protocol):
    """Checks one JSON value."""

    def errors(self, value: object, pointer: str) -> Iterator[str]:
        """Yield one message for each error of `value`; `pointer` is the JSON pointer of its place."""
        ...


def error_message(text: str, pointer: str) -> str:
    """Format an error as Slack does: `[ERROR] must be a string [json-pointer:/blocks/0/text]`."""
    return f"[ERROR] {text} [json-pointer:{pointer or '/'}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class String:
    """A string of `min_length` to `max_length` characters that fully matches `pattern` or is one of `choices`."""

    max_length: int | None = None
    min_length: int = 1
    pattern: str = ""
    choices: tuple[str, ...] = ()

    def errors(self, value: object, pointer: str) -> Iterator[str]:
        """Yield the errors of a value that must be such a string."""
        if not isinstance(value, str):
            yield error_message("must be a string", pointer)
            return
        if len(value) < self.min_length:
            yield error_message(f"must be more than {self.min_length - 1} characters", pointer)
        if self.max_length is not None and len(value) > self.max_length:
            yield error_message(f"must be less than {self.max_length + 1} characters", pointer)
        if value and self.pattern and not re.fullmatch(self.pattern, value):
            yield error_message(f"must match {self.pattern}", pointer)
        if self.choices and value not in self.choices:
            yield error_message(f"must be one of {', '.join(self.choices)}", pointer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Boolean:
    """`true` or `false`."""

    def errors(self, value: object, pointer: str) -> Iterator[str]:
        """Yield an error unless the value is a boolean."""
        if not isinstance(value, bool):
            yield error_message("must be a boolean", pointer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer:
    """An integer from `minimum` to `maximum`, both included."""

    minimum: int = 0
    maximum: int | None = None

    def errors(self, value: object, pointer: str) -> Iterator[str]:
        """Yield an error unless the value is an integer in the range."""
        if not isinstance(value, int) or isinstance(value, bool):
            yield error_message("must be an integer", pointer)
        elif value < self.minimum:
            yield error_message(f"must be at least {self.minimum}", pointer)
        elif self.maximum is not None and value > self.maximum:
            yield error_message(f"must be at most {self.maximum}", pointer)


@dataclass(frozen=True, slots=True, kw_only=True)
class ListOf:
    """A list of `min_items` to `max_items` values, each of which matches `item`."""

    item: Schema
    max_items: int | None = None
    min_items: int = 1

    def errors(self, value: object, pointer: str) -> Iterator[str]:
        """Yield the errors of the list, then those of its items."""
        if not isinstance(value, list):
            yield error_message("must be a list", pointer)
            return
        if len(value) < self.min_items:
            yield error_message(f"must have at least {self.min_items} items", pointer)
        if self.max_items is not None and len(value) > self.max_items:
            yield error_message(f"no more than {self.max_items} items allowed", pointer)
        for index, item in enumerate(value):
            yield from self.item.errors(item, f"{pointer}/{index}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """An object with all `required` keys, any `optional` ones and no others.

    At least one of the keys in `any_of` must be present.
    """

    required: Mapping[str, Schema] = field(default_factory=dict)
    optional: Mapping[str, Schema] = field(default_factory=dict)
    any_of: tuple[str, ...] = ()

    def errors(self, value: object, pointer: str) -> Iterator[str]:
        """Yield missing keys, unknown keys and the errors of the values of known keys."""
        if not isinstance(value, dict):
            yield error_message("must be an object", pointer)
            return
        for key in self.required:
            if key not in value:
                yield error_message(f"missing required field: {key}", pointer)
        if self.any_of and not any(key in value for key in self.any_of):
            yield error_message(f"missing required field: {' or '.join(self.any_of)}", pointer)
        for key, inner in value.items():
            schema = self.required.get(key) or self.optional.get(key)
            if schema is None:
                yield error_message(f"invalid additional property: {key}", pointer)
            else:
                yield from schema.errors(inner, f"{pointer}/{key}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ByType:
    """An object whose `type` selects its schema from `types`; a non-empty `only` restricts the types allowed."""

    types: Mapping[str, Schema]
    only: tuple[str, ...] = ()

    def errors(self, value: object, pointer: str) -> Iterator[str]:
        """Yield an unknown or disallowed type, or the errors by the schema of the type."""
        if not isinstance(value, dict):
            yield error_message("must be an object", pointer)
            return
        type_ = value.get("type")
        schema = self.types.get(type_) if isinstance(type_, str) else None
        if schema is None:
            yield error_message(f"unsupported type: {type_}", f"{pointer}/type")
        elif self.only and type_ not in self.only:
            yield error_message(f"{type_} is not allowed here", f"{pointer}/type")
        else:
            yield from schema.errors({key: inner for key, inner in value.items() if key != "type"}, pointer)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """A value that matches at least one of `schemas`."""

    schemas: tuple[Schema, ...]

    def errors(self, value: object, pointer: str) -> Iterator[str]:
        """Yield the errors by the first schema, when every schema has some."""
        found = [list(schema.errors(value, pointer)) for schema in self.schemas]
        if all(found):
            yield from found[0]
