"""The sample cases as the values the store would hand out."""

import json
import re
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bot.vocabulary import DETECTORS
from storage.values import ActionItem, Incident, TimelineEntry
from tests.support.paths import CASES as FOLDER

CASES = sorted(FOLDER.glob("*.json"))
NAMES = [path.stem for path in CASES]
PUBLISHED = [name for name in NAMES if not name.startswith("invented-")]
"""The real incidents: what their publishers say is expected of them too."""

_AT = re.compile(r"at (\d\d):(\d\d) (.*)", re.DOTALL)
_BY = re.compile(rf"by ({'|'.join(DETECTORS)}): (.*)", re.DOTALL)
_ITEM = re.compile(r"@(\S+) (short-term|long-term)(?: by (\S+))?: (.*)", re.DOTALL)


def load(name: str) -> dict[str, Any]:
    case: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return case


def zone(case: dict[str, Any]) -> ZoneInfo:
    return ZoneInfo(case["timezone"])


def _instant(words: str) -> datetime:
    return datetime.fromisoformat(words)


def incident(case: dict[str, Any]) -> Incident:
    first = case["commands"][0]
    return Incident(
        id=1, workspace_id="T1", number=1, channel_id="C1", channel_name="incident", title=case["title"],
        severity=case["severity"], lead=None, lead_id=None, declared_at=_instant(first["at"]),
        declared_by=first["user"], timezone=case["timezone"], private=False, open=False,
    )  # fmt: skip


def entry(number: int, kind: str, at: datetime, text: str = "", **other: object) -> TimelineEntry:
    facts: dict[str, Any] = {
        "id": number, "number": number, "kind": kind, "occurred_at": at, "recorded_at": at, "author": "alice",
        "author_id": "U1", "recorded_by_id": "U1", "text": text, "qualifier": None, "source": "slash",
        "permalink": None, "retracted": False, "revisions": 0,
    }  # fmt: skip
    return TimelineEntry(**{**facts, **other})


def _typed(number: int, command: dict[str, Any], local: ZoneInfo) -> TimelineEntry:
    text, recorded_at, qualifier = command["text"], _instant(command["at"]), None
    occurred_at = recorded_at
    if command["backdated"] and (found := _AT.match(text)):
        text = found[3]
        there = recorded_at.astimezone(local).replace(hour=int(found[1]), minute=int(found[2]))
        occurred_at = (there if there <= recorded_at else there - timedelta(days=1)).astimezone(recorded_at.tzinfo)
    if found := _BY.match(text):
        qualifier, text = found[1], found[2]
    return entry(
        number, command["command"][1:], occurred_at, text,
        recorded_at=recorded_at, author=command["user"], qualifier=qualifier,
    )  # fmt: skip


def entries(case: dict[str, Any]) -> list[TimelineEntry]:
    typed = [command for command in case["commands"] if command["command"] != "/actionitem"]
    return [_typed(number, command, zone(case)) for number, command in enumerate(typed, 1)]


def item(number: int, text: str, **other: object) -> ActionItem:
    facts: dict[str, Any] = {
        "id": number, "number": number, "text": text, "owner": None, "owner_id": None, "kind": None,
        "due_on": None, "state": "open", "snoozed_until": None, "reason": None,
    }  # fmt: skip
    return ActionItem(**{**facts, **other})


def items(case: dict[str, Any]) -> list[ActionItem]:
    typed = [command["text"] for command in case["commands"] if command["command"] == "/actionitem"]
    found = [match for text in typed if (match := _ITEM.match(text))]
    return [
        item(number, match[4], owner=match[1], kind=match[2], due_on=match[3] and date.fromisoformat(match[3]))
        for number, match in enumerate(found, 1)
    ]
