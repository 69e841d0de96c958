"""The file of proposals: read back what somebody ticked and corrected in it.

One message is an item of a Markdown list with a tick box; deeper lines are more of its words, the quotation below is
for the reader, and a comment carries what is not for editing:

    - [x] 2026-11-26 14:02:10 UTC · did · alice: rolled back release 418
          and restarted the pods
      > names an action; [message](https://…)
      <!-- {"at": "2026-11-26T14:02:10.123000+00:00", …} -->
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.domain.incident.backfill import Proposal
from bot.domain.incident.conversation import MOST_MESSAGES, ChatMessage
from bot.domain.words import closest_match
from bot.errors import UsageError
from bot.vocabulary import KINDS

FILE_MARK = "scribe backfill of"
"""How the comment begins that names the incident."""
_MARK = re.compile(rf"<!-- {FILE_MARK} (?P<name>INC-[0-9]{{1,9}})(?: in (?P<workspace>[A-Za-z0-9_-]{{1,64}}))? -->")
_ITEM = re.compile(
    r"- \[(?P<tick>[ xX]?)\] (?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
    r"(?: ?UTC|Z) · (?P<kind>[^·\n]{1,40}) · (?P<author>[^\n]{1,200}?): ?(?P<words>[^\n]*)"
)
_MORE = "      "
_COMMENT = re.compile(r" {0,5}<!-- (?P<json>\{.*\}) -->")
_MOST_CHARACTERS = 40_000_000
_LABELS = {name: kind.name for kind in KINDS.values() for name in (kind.name, kind.label.lower())}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalsFile:
    """What the file says: the incident's name, its workspace where it was told, and the ticked messages with kinds."""

    incident: str
    workspace_id: str | None
    chosen: tuple[tuple[ChatMessage, str], ...]
    unticked: int


def comment(proposal: Proposal) -> str:
    """What the file keeps of a message beside what a person reads, as JSON that ends no comment."""
    message = proposal.message
    facts = {
        "at": message.at.isoformat(),
        "by": message.author_id,
        "link": message.permalink,
        "people": dict(message.people),
        "app": message.by_app,
    }
    text = json.dumps({name: value for name, value in facts.items() if value}, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("--", "\\u002d\\u002d")


def is_proposals_file(text: str) -> bool:
    """Whether the text is a file of proposals."""
    return _MARK.search(text[:2_000]) is not None


def parse_proposals(text: str) -> ProposalsFile:
    """The ticked messages of the file, with their words, times and kinds as they stand there now.

    Raises UsageError for a file that names no incident, and for a line that cannot be read, with its number.
    """
    mark = _MARK.search(text[:2_000])
    if mark is None or len(text) > _MOST_CHARACTERS:
        raise UsageError("That is no file of proposals: its comment with the incident's name is not there.")
    items = list(_items(text.splitlines()))
    if len(items) > MOST_MESSAGES:
        raise UsageError(f"The file has {len(items):,} messages, and {MOST_MESSAGES:,} fit.")
    chosen = tuple((message, kind) for ticked, message, kind in items if ticked)
    return ProposalsFile(
        incident=mark["name"],
        workspace_id=mark["workspace"],
        chosen=chosen,
        unticked=len(items) - len(chosen),
    )


def _items(lines: list[str]) -> Iterator[tuple[bool, ChatMessage, str]]:
    """Each message, whether it is ticked, and its kind."""
    begun: tuple[bool, ChatMessage, str] | None = None
    for number, line in enumerate(lines, 1):
        if line.startswith("- ["):
            if begun is not None:
                yield begun
            begun = _begun(line, number)
        elif begun is not None:
            ticked, message, kind = begun
            if line.startswith(_MORE):
                begun = ticked, replace(message, text=f"{message.text}\n{line.removeprefix(_MORE)}"), kind
            elif found := _COMMENT.fullmatch(line.rstrip()):
                begun = ticked, _with_facts(message, found["json"], number), kind
    if begun is not None:
        yield begun


def _begun(line: str, number: int) -> tuple[bool, ChatMessage, str]:
    item = _ITEM.fullmatch(line.rstrip())
    if item is None:
        raise UsageError(
            f"Line {number} cannot be read, so nothing was recorded: {line[:60]}. "
            "Write it as: - [x] 2026-11-26 14:02:10 UTC · did · alice: restarted db1"
        )
    typed = item["kind"].strip().casefold()
    kind = _LABELS.get(typed)
    if kind is None:
        guess = closest_match(typed, _LABELS)
        meant = f" Did you mean {guess}?" if guess else ""
        raise UsageError(f"Line {number}: “{typed[:40]}” is no kind of entry.{meant} One of {', '.join(KINDS)}.")
    try:
        at = datetime.fromisoformat(item["time"]).replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(f"Line {number}: {item['time']} is no time. Write it as 2026-11-26 14:02:10 UTC") from None
    return item["tick"] not in {"", " "}, ChatMessage(at=at, author=item["author"].strip(), text=item["words"]), kind


def _with_facts(message: ChatMessage, typed: str, number: int) -> ChatMessage:
    """The message with what its comment keeps; its own time to the millisecond where nobody has changed it."""
    try:
        facts = json.loads(typed)
        at = datetime.fromisoformat(facts["at"])
        people = _strings(facts.get("people"))
        link, by = facts.get("link"), facts.get("by") or ""
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(
            f"Line {number}: the comment cannot be read, so nothing was recorded. Leave it as it was."
        ) from None
    if not (isinstance(link, str | None) and isinstance(by, str) and at.tzinfo is not None):
        raise UsageError(f"Line {number}: the comment cannot be read, so nothing was recorded. Leave it as it was.")
    kept = at if at.replace(microsecond=0) == message.at.replace(microsecond=0) else message.at
    return replace(message, at=kept, author_id=by, permalink=link, people=people, by_app=facts.get("app") is True)


def _strings(value: Any) -> Mapping[str, str]:
    """A mapping of strings. Raises TypeError for anything else."""
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise TypeError("no mapping of strings")
    return value
