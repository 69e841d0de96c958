"""The plan of the code: few rooms, each file a concept, no name twice."""

import ast
from collections import Counter
from graphlib import TopologicalSorter

from tests.support.imports import IMPORTS, MODULES, name_of
from tests.support.paths import ROOT

ROOMS, LOOSE_MODULES, FILES_IN_A_FOLDER, LINES_OF_A_NEIGHBOUR = 12, 6, 25, 250
ON_ITS_OWN = {
    "bot.cli": "a command's file is a row of the table in bot/cli/__init__.py",
    "bot.demo.actions": "what the page can do: rows of its table of actions",
    "bot.domain.check": "a file of rules is a row of the checklist",
    "bot.doctor": "a file of checks is a row of the checkup",
    "bot.fakeslack": "a family of Web API methods is a row of the table of methods",
    "bot.slack.inbound.forms": "the forms are one of the listeners",
    "bot.slack.outbound": "what a job does is a row of the table in outgoing.py",
    "bot.sources": "a kind of source is a row of the table in kinds.py",
    "bot.documents.picture.graphs": "a plot has a scale of its own, and no entries",
    "bot.publishing.git": "Git is one way to keep a folder",
    "bot.domain.review.appointment": "a date and a time that lie ahead, a grammar of its own",
    "bot.domain.postmortem.diff3": "a published algorithm, on its own",
}
"""Where a small file may have one importer beside it: the file, or the folder whose files are rows of a table."""


def room_of(module: str) -> str:
    parts = module.split(".")
    return parts[0] if parts[0] == "storage" else ".".join(parts[:2])


def imported_modules(module: str) -> set[str]:
    """The modules of ours that a module imports, whole or a name out of them."""
    return {
        found
        for name in IMPORTS[module]
        if (found := name if name in IMPORTS else name.rpartition(".")[0]) in IMPORTS and found != module
    }


def test_there_are_few_rooms() -> None:
    folders = [path.name for path in (ROOT / "bot").iterdir() if (path / "__init__.py").exists()]
    modules = [path.name for path in (ROOT / "bot").glob("*.py") if path.name != "__init__.py"]
    assert len(folders) <= ROOMS, folders
    assert len(modules) <= LOOSE_MODULES, modules


def test_no_folder_is_a_heap() -> None:
    """Migrations are numbered, and only become more."""
    counts = Counter(path.parent.relative_to(ROOT).as_posix() for path in MODULES if path.parent.name != "versions")
    assert {folder: count for folder, count in counts.items() if count > FILES_IN_A_FOLDER} == {}


def test_no_arrow_between_rooms_runs_back() -> None:
    arrows: dict[str, set[str]] = {}
    for module in IMPORTS:
        targets = {room_of(each) for each in imported_modules(module)} - {room_of(module)}
        arrows.setdefault(room_of(module), set()).update(targets)
    assert list(TopologicalSorter(arrows).static_order())


def test_a_small_file_that_only_its_neighbour_imports_belongs_to_that_neighbour() -> None:
    importers: dict[str, list[str]] = {}
    for module in IMPORTS:
        for each in imported_modules(module):
            importers.setdefault(each, []).append(module)
    splinters = {
        name: importers[name][0]
        for path in MODULES
        if (name := name_of(path)) in importers
        and len(importers[name]) == 1
        and path.name != "__init__.py"
        and len(path.read_text(encoding="utf-8").splitlines()) < LINES_OF_A_NEIGHBOUR
        and importers[name][0].rpartition(".")[0] == name.rpartition(".")[0]
        and not {name, name.rpartition(".")[0]} & ON_ITS_OWN.keys()
    }
    assert splinters == {}


def test_no_class_has_the_name_of_another() -> None:
    names = Counter(
        node.name
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []
