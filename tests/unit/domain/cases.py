"""The sample incidents, for tests that play them."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.paths import CASES as FOLDER


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    zone: ZoneInfo
    commands: list[dict[str, Any]]
    expected: dict[str, Any]


def _read(path: Path) -> Case:
    case = json.loads(path.read_text())
    return Case(zone=ZoneInfo(case["timezone"]), commands=case["commands"], expected=case["expected"])


CASES = {path.stem: _read(path) for path in sorted(FOLDER.glob("*.json"))}


def typed_at(command: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(command["at"])
