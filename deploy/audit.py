"""Are the locked packages free of known vulnerabilities? Reads what pip-audit found; CI runs it.

`pip-audit --format json … | python deploy/audit.py audit-exceptions.toml`. It ends with 1 for a vulnerability that is
no exception, and for an exception whose day is over or that nothing needs any more. Where the advisories could not be
asked, for all packages or for some, it says so loudly and ends with 0: a build machine without that network would
otherwise stop all work for a reason no change can mend, and the same lock is audited again wherever CI reaches it.
"""

import json
import sys
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

LOUD = "!" * 100


def problems(found: Mapping[str, Any], exceptions: Mapping[str, Any], *, today: date) -> Iterator[str]:
    """What has to be mended, a line each. `found` is pip-audit's JSON, `exceptions` the file's by their ids."""
    needed = set()
    for package in found["dependencies"]:
        for flaw in package.get("vulns", []):
            names = {flaw["id"], *flaw.get("aliases", [])}
            excepted = names & exceptions.keys()
            needed |= excepted
            if not excepted:
                mended = ", ".join(flaw.get("fix_versions", [])) or "no version yet"
                yield f"{package['name']} {package['version']}: {flaw['id']}, mended in {mended}"
    for name, exception in exceptions.items():
        if exception["until"] < today:
            yield f"the exception {name} was for {exception['package']} until {exception['until']}: look at it again"
        if name not in needed and not unaudited(found):
            yield f"the exception {name} for {exception['package']} is needed no more: take it out"


def unaudited(found: Mapping[str, Any]) -> list[str]:
    """The packages nobody could ask about, by name."""
    return [package["name"] for package in found["dependencies"] if "skip_reason" in package]


def read(text: str) -> dict[str, Any] | None:
    """pip-audit's JSON; None where it wrote none, as when it reaches nobody."""
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, dict) and found.get("dependencies") else None


def main(exceptions: Path, text: str, *, today: date) -> int:
    """Say what was found; the exit code."""
    known = {each["id"]: each for each in tomllib.loads(exceptions.read_text(encoding="utf-8")).get("exception", [])}
    found = read(text)
    missed = ["any package"] if found is None else unaudited(found)
    if missed:
        print(f"{LOUD}\nNOT AUDITED: no advisories could be had for {', '.join(missed)}.\n{LOUD}")
    wrong = list(problems(found or {"dependencies": [{"name": "", "skip_reason": ""}]}, known, today=today))
    for each in wrong:
        print(each)
    if not wrong and not missed and found is not None:
        print(
            f"{len(found['dependencies'])} packages audited, {len(known)} exceptions, nothing else known against them"
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.stdin.read(), today=datetime.now(UTC).date()))
