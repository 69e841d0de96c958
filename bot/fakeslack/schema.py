"""The small language the Block Kit tables are written in: one class for each kind of rule.

A rule says what is wrong with a JSON value, as sentences in Slack's own wording with the place appended as
a JSON pointer. Nothing here knows any of Slack's figures.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Json = dict[str, Any]


class Rule(Protocol):
    """Something that can find fault with a JSON value."""

    def problems(self, value: object, at: str) -> Iterator[str]:
        """One sentence for each fault of `value`, which stands at the JSON pointer `at`."""
        ...


def fault(words: str, at: str) -> str:
    """A fault in Slack's wording: `[ERROR] must be … [json-pointer:/blocks/0/text]`."""
    return f"[ERROR] {words} [json-pointer:{at or '/'}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A string of `least` to `most` characters, matching `pattern` from end to end, or one of `choices`."""

    most: int | None = None
    least: int = 1
    pattern: str = ""
    choices: tuple[str, ...] = ()

    def problems(self, value: object, at: str) -> Iterator[str]:
        """Faults of a value that should be such a string."""
        if not isinstance(value, str):
            yield fault("must be a string", at)
            return
        if len(value) < self.least:
            yield fault(f"must be more than {self.least - 1} characters", at)
        if self.most is not None and len(value) > self.most:
            yield fault(f"must be less than {self.most + 1} characters", at)
        if value and self.pattern and not re.fullmatch(self.pattern, value):
            yield fault(f"must match {self.pattern}", at)
        if self.choices and value not in self.choices:
            yield fault(f"must be one of {', '.join(self.choices)}", at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A boolean."""

    def problems(self, value: object, at: str) -> Iterator[str]:
        """Faults of a value that should be true or false."""
        if not isinstance(value, bool):
            yield fault("must be a boolean", at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A whole number from `least` to `most`, both included."""

    least: int = 0
    most: int | None = None

    def problems(self, value: object, at: str) -> Iterator[str]:
        """Faults of a value that should be such a number."""
        if not isinstance(value, int) or isinstance(value, bool):
            yield fault("must be an integer", at)
        elif value < self.least:
            yield fault(f"must be at least {self.least}", at)
        elif self.most is not None and value > self.most:
            yield fault(f"must be at most {self.most}", at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """A list of `least` to `most` values that all obey `rule`."""

    rule: Rule
    most: int | None = None
    least: int = 1

    def problems(self, value: object, at: str) -> Iterator[str]:
        """Faults of the list, then those of its members."""
        if not isinstance(value, list):
            yield fault("must be a list", at)
            return
        if len(value) < self.least:
            yield fault(f"must have at least {self.least} items", at)
        if self.most is not None and len(value) > self.most:
            yield fault(f"no more than {self.most} items allowed", at)
        for index, member in enumerate(value):
            yield from self.rule.problems(member, f"{at}/{index}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An object with the `required` keys, perhaps those of `optional`, and no others.

    `any_of` names keys of which at least one has to be there.
    """

    required: Mapping[str, Rule] = field(default_factory=dict)
    optional: Mapping[str, Rule] = field(default_factory=dict)
    any_of: tuple[str, ...] = ()

    def problems(self, value: object, at: str) -> Iterator[str]:
        """Missing keys, unknown keys, and the faults of what stands under the known ones."""
        if not isinstance(value, dict):
            yield fault("must be an object", at)
            return
        for key in self.required:
            if key not in value:
                yield fault(f"missing required field: {key}", at)
        if self.any_of and not any(key in value for key in self.any_of):
            yield fault(f"missing required field: {' or '.join(self.any_of)}", at)
        for key, inner in value.items():
            rule = self.required.get(key) or self.optional.get(key)
            if rule is None:
                yield fault(f"invalid additional property: {key}", at)
            else:
                yield from rule.problems(inner, f"{at}/{key}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """An object whose `type` picks its rule from `kinds`; with `only`, just those types may stand here."""

    kinds: Mapping[str, Rule]
    only: tuple[str, ...] = ()

    def problems(self, value: object, at: str) -> Iterator[str]:
        """An unknown or misplaced type, or the faults by the type's own rule."""
        if not isinstance(value, dict):
            yield fault("must be an object", at)
            return
        kind = value.get("type")
        rule = self.kinds.get(kind) if isinstance(kind, str) else None
        if rule is None:
            yield fault(f"unsupported type: {kind}", f"{at}/type")
        elif self.only and kind not in self.only:
            yield fault(f"{kind} is not allowed here", f"{at}/type")
        else:
            yield from rule.problems({key: inner for key, inner in value.items() if key != "type"}, at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """A value that obeys at least one of `rules`; when it obeys none, the faults by the first are told."""

    rules: tuple[Rule, ...]

    def problems(self, value: object, at: str) -> Iterator[str]:
        """Nothing, or the faults by the first rule."""
        found = [list(rule.problems(value, at)) for rule in self.rules]
        if all(found):
            yield from found[0]
