"""Planted faults: how many of a random sample of small faults the tests notice.

Each fault is one change of one line of `bot`, `storage` or `templates`. A kind of fault is drawn first and a place for
it second, so that numbers and comparisons do not crowd out the rest. The tests that reach the line are run in a copy
of the tree until one fails. What survives is printed, to be read: it is a hole in the tests or changes nothing.

Which tests reach what takes one run of all tests under coverage. A part is done in minutes:

    python -m tests.benchmarks planted --short --under bot/domain/items --tests tests/unit/domain/items

What was reached is kept in `build/reach`, or in the folder that SCRIBE_REACH names, and read again while neither tests
nor code change, or as long as SCRIBE_REACH names it.
"""

import ast
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from tests.benchmarks.effort import Effort
from tests.support.paths import ROOT
from tests.support.reach import FOLDER, MOST

SAMPLE = 200
AIM = 92
"""Percent of the faults that the tests are to notice."""
KINDS = "PLANTED"
"""The variable with a pattern: only faults are planted whose kind and file it is found in."""
MOST_S = 90.0
"""Seconds of tests that are run for one fault."""
_ROOMS = ("bot", "storage")
_NOT_PLANTED = re.compile(r"storage/migrations/|bot/fakeslack/|bot/demo/cases/|__main__")
"""Parts that run once, are a stand-in, or are data."""
_SWAPPED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "is": "is not", "is not": "is",
            "in": "not in", "not in": "in"}  # fmt: skip
_NAMES = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.Is: "is",
          ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in"}  # fmt: skip
_CONDITIONS = frozenset({"where", "and_", "or_", "order_by", "filter"})
"""Calls that mean something else without one of their arguments."""
_LINKS = frozenset({"with_for_update", "desc", "limit", "distinct", "casefold", "lower", "strip", "nulls_last"})
"""Methods without which a chain still runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One change: the text of `file` from `start` to `end` becomes `text`."""

    kind: str
    file: str
    line: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Which tests reach a line (file, line) and a template (name), the narrowest first, and how long each takes."""

    seconds: dict[str, float]
    sizes: dict[str, int]
    lines: dict[tuple[str, int], list[str]]
    templates: dict[str, list[str]]

    def tests(self, fault: Fault, most_s: float = MOST_S) -> list[str]:
        """The tests to run for the fault, at most so many seconds of them."""
        if fault.file.startswith("templates/"):
            found = self.templates.get(fault.file.removeprefix("templates/"), [])
        else:
            found = self._of_line(fault.file, fault.line)
        chosen: list[str] = []
        for test in found:
            most_s -= self.seconds[test]
            if chosen and most_s < 0:
                break
            chosen.append(test)
        return chosen

    def _of_line(self, file: str, line: int) -> list[str]:
        """Tests that reach the line: of one that runs at import, those that reach a use of what it defines."""
        if found := self.lines.get((file, line)):
            return found
        lines = _uses(file, line) or sorted(each for name, each in self.lines if name == file)
        tests = {test for each in lines for test in self.lines.get((file, each), ())}
        return sorted(tests, key=lambda test: (self.sizes[test], test))[:MOST]


@cache
def _tree(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def _uses(file: str, line: int) -> list[int]:
    """The lines of the statement that the line is in; of one at the top of a module, those that use its name too."""
    for statement in _tree(file).body:
        if statement.lineno <= line <= (statement.end_lineno or statement.lineno):
            break
    lines = {line}
    names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        # A query is often made of others above it.
        for _ in range(3):
            for other in _tree(file).body:
                used = [node for node in ast.walk(other) if isinstance(node, ast.Name) and node.id in names]
                lines |= {node.lineno for node in used if isinstance(node.ctx, ast.Load)}
                if used and isinstance(other, ast.Assign | ast.AnnAssign):
                    names |= {node.id for node in ast.walk(other) if isinstance(node, ast.Name)
                              and isinstance(node.ctx, ast.Store)}  # fmt: skip
        return sorted(lines)
    nearest = [node for node in ast.walk(statement) if isinstance(node, ast.stmt)
               and node.lineno <= line <= (node.end_lineno or node.lineno)]  # fmt: skip
    innermost = max(nearest, key=lambda node: node.lineno, default=statement)
    return list(range(innermost.lineno, line + 1))


def measure(effort: Effort) -> None:
    """Plant the sample, and print what was noticed and each fault that was not."""
    found = reached(effort.tests)
    kinds = re.compile(os.environ.get(KINDS, ""))
    chosen = sample(random.Random(effort.seed), effort.of(SAMPLE), found, kinds, effort.under)  # noqa: S311 - no secret
    survivors: list[Fault] = []
    queue: SimpleQueue[Fault | None] = SimpleQueue()
    for fault in chosen:
        queue.put(fault)
    workers = [threading.Thread(target=_plant_all, args=(queue, found, survivors)) for _ in range(os.cpu_count() or 1)]
    for worker in workers:
        queue.put(None)
        worker.start()
    for worker in workers:
        worker.join()
    for fault in sorted(survivors, key=lambda each: (each.file, each.line)):
        print(f"{fault.file}:{fault.line}  {fault.kind}\n{_difference(fault)}")
    noticed, where = len(chosen) - len(survivors), f" under {effort.under}" if effort.under else ""
    print(f"planted faults{where}, seed {effort.seed}: {noticed} of {len(chosen)} noticed, "
          f"{100 * noticed / len(chosen):.0f} % (aim {AIM} %, without those that change nothing)")  # fmt: skip


def reached(of: Sequence[str] = ()) -> Reached:
    """What the tests reach, by default all: read, or measured by one run of them if a test or the code has changed."""
    name = "-".join([_state(), *(test.replace("/", "_") for test in of)])
    folder = Path(os.environ.get(FOLDER) or ROOT / "build" / "reach" / name)
    if not folder.exists():
        environment = {**os.environ, FOLDER: str(folder), "PYTHONPATH": str(ROOT)}
        few = ["-n0"] if of else ["--deselect", "tests/project"]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.support.reach", *few, *of]
        subprocess.run(command, cwd=ROOT, env=environment, check=False)  # noqa: S603 - fixed arguments
    seconds: dict[str, float] = {}
    sizes: dict[str, int] = defaultdict(int)
    lines: dict[tuple[str, int], list[str]] = defaultdict(list)
    templates: dict[str, list[str]] = defaultdict(list)
    for part in sorted(folder.glob("*.json")):
        content = json.loads(part.read_text(encoding="utf-8"))
        for test, (test_s, size) in content["tests"].items():
            seconds[test] = seconds.get(test, 0) + test_s
            sizes[test] += size
        for file, by_line in content["lines"].items():
            for line, tests in by_line.items():
                lines[file, int(line)] += tests
        for name, tests in content["templates"].items():
            templates[name] += [test for test in tests if test in seconds]
    for tests in [*lines.values(), *templates.values()]:
        tests.sort(key=lambda test: (sizes[test], test))
    return Reached(seconds=seconds, sizes=dict(sizes), lines=dict(lines), templates=dict(templates))


def _state() -> str:
    """A name for the present state of the tree."""
    command = ["git", "stash", "create"]
    changed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    command = ["git", "rev-parse", f"{changed or 'HEAD'}^{{tree}}"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


def sample(dice: random.Random, count: int, found: Reached, kinds: re.Pattern[str], under: str = "") -> list[Fault]:
    """So many faults in files `under` a path, of kinds drawn evenly, in lines that a test reaches or run at import."""
    by_kind: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults():
        if fault.file.startswith(under) and kinds.search(f"{fault.kind} {fault.file}") and found.tests(fault):
            by_kind[fault.kind].append(fault)
    chosen: dict[Fault, None] = {}
    while len(chosen) < min(count, sum(map(len, by_kind.values()))):
        chosen[dice.choice(by_kind[dice.choice(sorted(by_kind))])] = None
    return list(chosen)


def faults() -> Iterator[Fault]:
    """All faults that may be planted."""
    for room in _ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            file = path.relative_to(ROOT).as_posix()
            if not _NOT_PLANTED.search(file):
                yield from _of_code(file, path.read_text(encoding="utf-8"))
    for path in sorted((ROOT / "templates").rglob("*.j2")):
        yield from _of_template(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))


@dataclass(frozen=True, slots=True)
class Code:
    """The text of a file, by nodes of its syntax tree, whose columns count bytes."""

    text: bytes
    starts: list[int]

    @classmethod
    def read(cls, text: str) -> "Code":
        """The code of a text."""
        lines = text.encode().split(b"\n")
        return cls(text.encode(), [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))])

    def start(self, node: ast.expr | ast.stmt) -> int:
        """Where the node begins."""
        return self.starts[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        """Where the node ends."""
        return self.starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)

    def of(self, node: ast.expr | ast.stmt) -> str:
        """The text of the node."""
        return self.text[self.start(node) : self.end(node)].decode()


Change = tuple[int, int, str]
"""Where a change begins and ends, and the text that comes there."""


def _comparison(node: ast.Compare, code: Code) -> Iterator[Change]:
    operator = _NAMES[type(node.ops[0])]
    start, end = code.end(node.left), code.start(node.comparators[0])
    if code.text[start:end].strip() == operator.encode():
        yield start, end, f" {_SWAPPED[operator]} "


def _condition_left_out(node: ast.BoolOp, code: Code) -> Iterator[Change]:
    word = " and " if isinstance(node.op, ast.And) else " or "
    for left_out in node.values:
        kept = word.join(f"({code.of(each)})" for each in node.values if each is not left_out)
        yield code.start(node), code.end(node), f"({kept})"


def _negation(node: ast.UnaryOp, code: Code) -> Iterator[Change]:
    if isinstance(node.op, ast.Not):
        yield code.start(node), code.end(node), f"({code.of(node.operand)})"


def _branch(node: ast.If | ast.IfExp, code: Code) -> Iterator[Change]:
    yield code.start(node.test), code.end(node.test), f"not ({code.of(node.test)})"


def _statement_left_out(node: ast.Expr, code: Code) -> Iterator[Change]:
    if isinstance(node.value, ast.Call) and not code.of(node).startswith("_log."):
        yield code.start(node), code.end(node), "pass"


def _number(node: ast.Constant, code: Code) -> Iterator[Change]:
    if type(node.value) is int:
        yield code.start(node), code.end(node), str(node.value + 1)


def _truth(node: ast.Constant, code: Code) -> Iterator[Change]:
    # Without its slots or its keywords a dataclass does the same.
    if type(node.value) is bool and b"@dataclass" not in code.text[: code.start(node)].rpartition(b"\n")[2]:
        yield code.start(node), code.end(node), str(not node.value)


def _sum(node: ast.BinOp, code: Code) -> Iterator[Change]:
    sign = {ast.Add: "-", ast.Sub: "+"}.get(type(node.op))
    if sign and '"' not in code.of(node):
        yield code.end(node.left), code.start(node.right), f" {sign} "


def _argument_left_out(node: ast.Call, code: Code) -> Iterator[Change]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in _CONDITIONS and len(node.args) > 1:
        for left_out in node.args:
            kept = ", ".join(code.of(each) for each in node.args if each is not left_out)
            yield code.start(node.args[0]), code.end(node.args[-1]), kept


def _link_left_out(node: ast.Call, code: Code) -> Iterator[Change]:
    # Whoever asks for one row takes the first, however many come.
    is_for_one = isinstance(node.func, ast.Attribute) and node.func.attr == "limit" and code.of(node).endswith("(1)")
    if isinstance(node.func, ast.Attribute) and node.func.attr in _LINKS and not is_for_one:
        yield code.end(node.func.value), code.end(node), ""


def _lock_left_out(node: ast.With, code: Code) -> Iterator[Change]:
    first = node.items[0]
    if "lock" in code.of(first.context_expr).casefold() and first.optional_vars is None:
        yield code.start(first.context_expr), code.end(first.context_expr), "__import__('contextlib').nullcontext()"


_PLANTERS: Sequence[tuple[str, type[ast.AST], Callable[[Any, Code], Iterator[Change]]]] = (
    ("comparison", ast.Compare, _comparison),
    ("condition left out", ast.BoolOp, _condition_left_out),
    ("negation left out", ast.UnaryOp, _negation),
    ("branch turned", ast.If, _branch),
    ("choice turned", ast.IfExp, _branch),
    ("statement left out", ast.Expr, _statement_left_out),
    ("number", ast.Constant, _number),
    ("truth", ast.Constant, _truth),
    ("sum", ast.BinOp, _sum),
    ("argument left out", ast.Call, _argument_left_out),
    ("call left out", ast.Call, _link_left_out),
    ("lock left out", ast.With, _lock_left_out),
)


def _of_code(file: str, text: str) -> Iterator[Fault]:
    code = Code.read(text)
    for node in ast.walk(ast.parse(text)):
        for kind, of, plant in _PLANTERS:
            if isinstance(node, of):
                for start, end, changed in plant(node, code):
                    line = getattr(node, "lineno", 1)
                    yield Fault(kind=kind, file=file, line=line, start=start, end=end, text=changed)


_TEMPLATE_PARTS = (
    ("template: words left out", re.compile(rb"(?m)^(?!\s*\{[%#]).*[a-z].*$"), rb""),
    ("template: value left out", re.compile(rb"\{\{.*?\}\}"), rb""),
    ("template: branch turned", re.compile(rb"(?<=\{% if )(?!not )(.*?)(?= %\})"), rb"not (\1)"),
)
"""Kinds of faults in templates: what is found, and what comes in its place."""


def _of_template(file: str, text: str) -> Iterator[Fault]:
    # A comment in braces is no part of what is rendered.
    plain = re.sub(rb"(?s)\{#.*?#\}", lambda comment: re.sub(rb"[^\n]", b" ", comment[0]), text.encode())
    for kind, pattern, changed in _TEMPLATE_PARTS:
        for match in pattern.finditer(plain):
            line = plain[: match.start()].count(b"\n") + 1
            instead = match.expand(changed).decode()
            yield Fault(kind=kind, file=file, line=line, start=match.start(), end=match.end(), text=instead)


def _plant_all(queue: "SimpleQueue[Fault | None]", found: Reached, survivors: list[Fault]) -> None:
    """Plant each fault of the queue in a copy of the tree; add those that no test notices to the survivors."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "scribe"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", "build", "__pycache__", ".*_cache"))
        while (fault := queue.get()) is not None:
            path = copy / fault.file
            before = path.read_bytes()
            path.write_bytes(before[: fault.start] + fault.text.encode() + before[fault.end :])
            chosen = found.tests(fault)
            failed = _first_to_fail(copy, chosen)
            path.write_bytes(before)
            # A test that fails without the fault too, as on a busy machine, has noticed nothing.
            if failed is None or (failed and _first_to_fail(copy, [failed]) is not None):
                survivors.append(fault)


def _first_to_fail(copy: Path, tests: list[str]) -> str | None:
    """The first of the tests that fails; an empty text where none could begin or they did not end in time."""
    (copy / "build").mkdir(exist_ok=True)
    (copy / "build" / "chosen").write_text("\n".join(tests), encoding="utf-8")
    command = [sys.executable, "-B", "-m", "pytest", "-rfE", "-x", "-n0", "-p", "no:cacheprovider", "@build/chosen"]
    environment = {**os.environ, "PYTHONPATH": str(copy), "COLUMNS": "10000"}
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments
            command, cwd=copy, env=environment, capture_output=True, timeout=4 * MOST_S, check=False, text=True
        )
    except subprocess.TimeoutExpired:
        return ""
    if done.returncode == 0:
        return None
    failed = re.search(r"(?m)^(?:FAILED|ERROR) (.+?)(?: - .*)?$", done.stdout)
    return failed[1] if failed and failed[1] in tests else ""


def _difference(fault: Fault) -> str:
    """The line before and after."""
    before = (ROOT / fault.file).read_bytes()
    after = before[: fault.start] + fault.text.encode() + before[fault.end :]
    lines = before.decode().split("\n")[fault.line - 1 : fault.line + 3]
    changed = after.decode().split("\n")[fault.line - 1 : fault.line + 3]
    return "\n".join([*(f"  - {line}" for line in lines if line not in changed),
                      *(f"  + {line}" for line in changed if line not in lines)])  # fmt: skip
