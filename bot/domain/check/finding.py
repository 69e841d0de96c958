"""The input of the check's rules, and their findings."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.domain.check.subject import People
from bot.domain.postmortem.document import Document
from bot.domain.postmortem.questions import addressed
from bot.domain.time.format import dated_clock
from bot.vocabulary import ENTRY_KINDS
from storage.values import ActionItem, Section, TimelineEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One piece of advice: where, why, and what to write or type instead.

    `place` is an entry (`#4 Detected`), an action item or a section's heading. `reason` and `fix` contain people's
    words as typed; the template that prints them escapes them. `rule` is the key of the rule.
    """

    rule: str
    place: str
    reason: str
    fix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The input of every rule.

    `entries` are those not retracted, in timeline order; `items` those not dropped; `sections` those of the newest
    version, empty before the first draft, when `template` is None. `now` is aware UTC. `on` are the keys of the rules
    that are switched on. `prefix` is the workspace's prefix of command names; `name` is the
    incident's, where commands without it are for another one.
    """

    document: Document
    entries: tuple[TimelineEntry, ...]
    items: tuple[ActionItem, ...]
    sections: tuple[Section, ...]
    template: str | None
    people: People
    now: datetime
    on: frozenset[str]
    prefix: str
    name: str = ""

    def slash(self, words: str) -> str:
        """A command as it is typed in this workspace."""
        return self.about(f"/{self.prefix}{words}")

    def about(self, command: str) -> str:
        """The command with the incident's name after it and its subcommand, where it needs one."""
        return addressed(command, self.name, prefix=self.prefix)

    def retiming(self, entry: TimelineEntry, at: datetime) -> str:
        """The command that moves the entry to that instant."""
        return self.slash(f"incident edit {entry.number} at {self.time(at)}")

    def time(self, at: datetime) -> str:
        """The instant as a command takes it anywhere and on any day."""
        return dated_clock(at.astimezone(ZoneInfo(self.document.zone)).replace(microsecond=0))

    def unknown(self, fact: str) -> bool:
        """Whether the fact of that name is unknown; see the table in `postmortem.questions`."""
        return fact in self.document.questions

    def answer(self, fact: str) -> str:
        """The command that answers the question about an unknown fact."""
        return self.about(self.document.questions[fact].command)


Advice = Iterator[tuple[str, str, str]]
"""Place, reason and fix of each finding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: `key` switches it off in the settings, `title` is the heading of its findings."""

    key: str
    title: str
    find: Callable[[Material], Advice]

    def findings(self, material: Material) -> tuple[Finding, ...]:
        """The findings of the rule."""
        return tuple(
            Finding(rule=self.key, place=place, reason=reason, fix=fix) for place, reason, fix in self.find(material)
        )


def at_entry(entry: TimelineEntry) -> str:
    """The place of a timeline entry: `#4 Detected`."""
    return f"#{entry.number} {ENTRY_KINDS[entry.kind].label}"


def at_items(numbers: Iterable[int]) -> str:
    """The place of action items: `Action item 4`, `Action items 1, 2 and 5`."""
    listed = sorted(numbers)
    if len(listed) == 1:
        return f"Action item {listed[0]}"
    *most, last = listed
    return f"Action items {', '.join(map(str, most))} and {last}"
