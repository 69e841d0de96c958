"""Write the files that come from the code, or with `--check` say which of them are not current.

The vocabulary makes the Slack manifest, the table of commands and the schema of what is exported; the forms of a
time make the table of them; the sample that ships makes the README's picture. Run it after a change of any of them:
`python deploy/generate.py`.
"""

import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from importlib.metadata import requires
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from fontpkg import path as font_path
from fontTools.ttLib import TTFont
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bot.demo.casefile import SAMPLE
from bot.demo.replay import replay_file
from bot.domain.postmortem.export import schema as exported
from bot.domain.time.format import stamp
from bot.domain.time.forms import FORMS, Form
from bot.domain.time.moment import place
from bot.domain.time.typed import take_time
from bot.slack.manifest import manifest
from bot.vocabulary import COMMANDS, Command

ROOT = Path(__file__).resolve().parent.parent
_TABLE = re.compile(r"(?<=<!-- commands -->\n).*?(?=<!-- end of commands -->)", re.DOTALL)
_FORMS = re.compile(r"(?<=<!-- forms -->\n).*?(?=<!-- end of forms -->)", re.DOTALL)
_TYPED_AT = datetime(2026, 11, 26, 14, 4, tzinfo=UTC)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _rows(command: Command) -> Iterator[str]:
    yield f"| `/{command.name}` | {_cell(command.hint)} | {_cell(command.description)} |"
    for each in command.subcommands:
        yield f"| `/{command.name} {each.name}` | {_cell(each.hint)} | {_cell(each.description)} |"


def command_table() -> str:
    """The table: every command, what to type after it, what it is for."""
    rows = [row for command in COMMANDS.values() for row in _rows(command)]
    return "\n".join(["", "| command | then | what it is for |", "| --- | --- | --- |", *rows, "", ""])


def commands(root: Path) -> str:
    """The list of commands, with its table as the vocabulary has it."""
    table = command_table()
    return _TABLE.sub(lambda _: table, (root / "deploy" / "COMMANDS.md").read_text(encoding="utf-8"))


def _reading(example: str) -> str:
    """An example and what it is read as, by somebody in UTC."""
    typed, _ = take_time(example, frozenset(), now=_TYPED_AT)
    if typed is None:
        raise ValueError(f"{example} is read as no time")
    moment = place(typed, now=_TYPED_AT, zone=ZoneInfo("UTC"))
    shown = stamp(
        moment.at, None, _TYPED_AT.date(),
        seconds=moment.seconds, approximate=moment.approximate, until_at=moment.until_at,
    )  # fmt: skip
    return f"`{example}`: {shown}"


def _form_row(form: Form) -> str:
    return f"| {form.name} | {' · '.join(_reading(example) for example in form.examples)} |"


def typing(root: Path) -> str:
    """The guide to what is typed, with its table of the forms of a time."""
    table = "\n".join(["", "| form | is read as |", "| --- | --- |", *map(_form_row, FORMS), "", ""])
    return _FORMS.sub(lambda _: table, (root / "deploy" / "TYPING.md").read_text(encoding="utf-8"))


def slack_manifest(_root: Path) -> str:
    """The manifest for Socket Mode, without prefix or reactions."""
    return json.dumps(manifest(), indent=2, ensure_ascii=False) + "\n"


def advances(_root: Path) -> str:
    """How far each sign of the picture's font goes, regular and bold, in runs of neighbouring code points."""
    font = TTFont(font_path("Arimo"))
    names = font.getBestCmap()
    by_weight = {
        name: font.getGlyphSet(location={"wght": weight}) for name, weight in (("regular", 400), ("bold", 700))
    }
    by_run = groupby(enumerate(sorted(names)), lambda place: place[1] - place[0])
    runs = []
    for _, group in by_run:
        run = [point for _, point in group]
        widths = {name: [round(glyphs[names[point]].width) for point in run] for name, glyphs in by_weight.items()}
        runs.append(json.dumps({"first": run[0], **widths}))
    return f'{{"units_per_em": {font["head"].unitsPerEm}, "runs": [\n' + ",\n".join(runs) + "\n]}\n"


def picture(_root: Path) -> str:
    """The sample's timeline."""
    return replay_file(SAMPLE).documents["svg"]


def schema(_root: Path) -> str:
    """The JSON Schema of an exported incident."""
    return json.dumps(exported(), indent=2, ensure_ascii=False) + "\n"


def _closure(names: Iterable[str]) -> set[str]:
    """The canonical names of these distributions, such as `psycopg[binary]`, and of all that they require on Linux."""
    waiting, found = [Requirement(name) for name in names], set[tuple[str, frozenset[str]]]()
    while waiting:
        each = waiting.pop()
        if (key := (canonicalize_name(each.name), frozenset(each.extras))) in found:
            continue
        found.add(key)
        for text in requires(each.name) or ():
            needed = Requirement(text)
            extras = each.extras or {""}
            if needed.marker is None or any(
                needed.marker.evaluate({"extra": extra, "sys_platform": "linux"}) for extra in extras
            ):
                waiting.append(needed)
    return {name for name, _ in found}


def _locked(root: Path, names: Iterable[str]) -> str:
    """The lines of the lock, with their hashes, of these distributions and all that they require."""
    wanted = _closure(names)
    blocks = re.findall(
        r"^([A-Za-z0-9._-]+)(==.*(?:\n[ ]+.*)*\n)", (root / "requirements.lock").read_text("utf-8"), re.MULTILINE
    )
    return "".join(name + rest for name, rest in blocks if canonicalize_name(name) in wanted)


def runtime_lock(root: Path) -> str:
    """What the image's Scribe runs on: the lock without what only its developers need."""
    return _locked(root, tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"])


def build_lock(root: Path) -> str:
    """What builds the image's wheel: the lock's build backend."""
    return _locked(root, tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"])


GENERATED: dict[str, Callable[[Path], str]] = {
    "deploy/COMMANDS.md": commands,
    "deploy/TYPING.md": typing,
    "deploy/slack-manifest.json": slack_manifest,
    "bot/documents/picture/advances.json": advances,
    "deploy/sample-timeline.svg": picture,
    "deploy/postmortem.schema.json": schema,
    "deploy/image/runtime.lock": runtime_lock,
    "deploy/image/build.lock": build_lock,
}


def stale(root: Path = ROOT) -> list[str]:
    """The files below `root` whose content is not what the code makes."""
    return [
        name
        for name, make in GENERATED.items()
        if not (root / name).exists() or (root / name).read_text(encoding="utf-8") != make(root)
    ]


def main() -> None:
    """Check or write."""
    names = stale()
    if "--check" in sys.argv[1:]:
        if names:
            sys.exit(f"not current: {', '.join(names)}. Run: python deploy/generate.py")
        return
    for name in names:
        (ROOT / name).write_text(GENERATED[name](ROOT), encoding="utf-8")


if __name__ == "__main__":
    main()
