"""Are the locked packages free of known vulnerabilities? Reads what pip-audit found; CI runs it.

`pip-audit --format json … | python deploy/audit.py audit-exceptions.toml`. It ends with 1 for a vulnerability that is
no exception, and for an exception whose day is over or that nothing needs any more. Where the advisories could not be
asked, for all packages or for some, it says so loudly and ends with 0: a build machine without that network would
otherwise stop all work for a reason no change can mend, and the same lock is audited again wherever CI reaches it.

Without that network, `python deploy/audit.py audit-exceptions.toml --advisories FILE` compares the lock with advisories
from a file: in OSV's JSON, as https://osv.dev exports it, one, a list, or its archive of all for PyPI.
"""

import argparse
import json
import re
import sys
import tomllib
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from packaging.version import InvalidVersion, Version

Json = dict[str, Any]

FORM = """FILE is JSON as osv.dev exports it: one advisory, a list of them, {"vulns": [...]}, or its PyPI/all.zip.
For example:

  [{"id": "GHSA-xxxx-xxxx-xxxx", "aliases": ["CVE-2026-0001"],
    "affected": [{"package": {"ecosystem": "PyPI", "name": "jinja2"},
                  "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.1.6"}]}],
                  "versions": ["3.1.5"]}]}]

A version is affected from `introduced` until before `fixed`, or up to `last_affected`; and each of `versions` is.
Advisories with `withdrawn` do not count. The form: https://ossf.github.io/osv-schema/"""
_LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==(?P<version>[^\s;\\]+)", re.MULTILINE)
_ALWAYS = "0"
"""OSV's word for a range without a beginning."""
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


def locked(text: str) -> dict[str, str]:
    """The version of each package in a lock, by its normalized name."""
    return {_normalized(each["name"]): each["version"] for each in _LOCKED.finditer(text)}


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def advisories(path: Path) -> list[Json]:
    """The advisories in a file, as FORM says. Raises ValueError or OSError for a file that holds none."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            texts = [archive.read(name) for name in archive.namelist() if name.endswith(".json")]
    else:
        texts = [path.read_bytes()]
    found = [each for text in texts for each in _listed(json.loads(text))]
    if not found or not all(isinstance(each, dict) and "id" in each for each in found):
        raise ValueError("that holds no advisories in OSV's form")
    return found


def _listed(content: Any) -> list[Any]:
    if isinstance(content, dict):
        content = content.get("vulns", [content])
    return content if isinstance(content, list) else []


def compare(lock: Mapping[str, str], known: Sequence[Json]) -> Json:
    """The locked packages with what the advisories hold against them, in the form of pip-audit's JSON."""
    flaws: dict[str, list[Json]] = {name: [] for name in lock}
    for advisory in known:
        for affected in advisory.get("affected", []):
            name = _normalized(affected.get("package", {}).get("name", ""))
            ours = name in lock and affected["package"].get("ecosystem") == "PyPI"
            if ours and not advisory.get("withdrawn") and _is_affected(lock[name], affected):
                flaw = {"id": advisory["id"], "aliases": advisory.get("aliases", []), "fix_versions": _fixes(affected)}
                names = {flaw["id"], *flaw["aliases"]}
                # The same flaw comes from several databases, each of which names the others' numbers.
                if all(names.isdisjoint({each["id"], *each["aliases"]}) for each in flaws[name]):
                    flaws[name].append(flaw)
    return {"dependencies": [{"name": name, "version": lock[name], "vulns": flaws[name]} for name in lock]}


def _is_affected(version: str, affected: Json) -> bool:
    ranges = [each for each in affected.get("ranges", []) if each.get("type") in {"ECOSYSTEM", "SEMVER"}]
    return version in affected.get("versions", []) or any(_is_within(Version(version), each) for each in ranges)


def _is_within(version: Version, span: Json) -> bool:
    """Whether the last event at or before the version says that the flaw is there."""
    is_there = False
    for at, what in sorted(_events(span), key=lambda event: event[0]):
        if at < version or (at == version and what != "last_affected"):
            is_there = what == "introduced"
    return is_there


def _events(span: Json) -> Iterator[tuple[Version, str]]:
    for event in span.get("events", []):
        for what, value in event.items():
            try:
                yield Version("0.dev0" if value == _ALWAYS else value), what
            except InvalidVersion:
                continue


def _fixes(affected: Json) -> list[str]:
    return [event["fixed"] for span in affected.get("ranges", []) for event in span["events"] if "fixed" in event]


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


def run(arguments: Sequence[str] | None = None) -> int:
    """Audit what the command line names; the exit code."""
    parser = argparse.ArgumentParser(epilog=FORM, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("exceptions", type=Path, help="what is let pass, each with a reason and a day")
    parser.add_argument(
        "--advisories", type=Path, metavar="FILE", help="compare the lock with these, without a network"
    )
    parser.add_argument("--lock", type=Path, default=Path("requirements.lock"), help="the lock (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    today = datetime.now(UTC).date()
    if chosen.advisories is None:
        return main(chosen.exceptions, sys.stdin.read(), today=today)
    try:
        found = compare(locked(chosen.lock.read_text(encoding="utf-8")), advisories(chosen.advisories))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        # A file that somebody chose and that cannot be read is a mistake, unlike a network that is not there.
        parser.error(f"{chosen.advisories}: {error}")
    return main(chosen.exceptions, json.dumps(found), today=today)


if __name__ == "__main__":
    sys.exit(run())
