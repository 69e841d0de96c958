"""Imports point one way: cli, run, demo → slack, server → handlers → documents → domain → storage.values."""

import re
import sys
from graphlib import TopologicalSorter

import pytest

from tests.support.imports import IMPORTS
from tests.support.paths import ROOT

OURS = ("bot", "storage", "templates", "tests")


def within(name: str, *rooms: str) -> bool:
    return any(name == room or name.startswith(f"{room}.") for room in rooms)


def wrong(room: str, *allowed: str, third_party: bool = True) -> list[str]:
    """What the modules of a room import of ours beside what is allowed; and of others, unless they may."""
    return [
        f"{module} imports {name}"
        for module, names in IMPORTS.items()
        if within(module, room)
        for name in names
        if not within(name, room, *allowed)
        and (within(name, *OURS) or not (third_party or name.partition(".")[0] in sys.stdlib_module_names))
    ]


def test_there_is_something_to_look_at() -> None:
    assert len(IMPORTS) > 80
    assert "storage.timeline.append" not in IMPORTS["bot.handlers.incident.timeline"]
    assert "storage.timeline" in IMPORTS["bot.handlers.incident.timeline"]


def test_storage_knows_nothing_of_the_bot() -> None:
    assert wrong("storage") == []


def test_the_stored_values_need_nothing() -> None:
    assert wrong("storage.values", third_party=False) == []


def test_the_domain_knows_only_its_words_and_stored_values() -> None:
    allowed = ("bot.errors", "bot.vocabulary", "storage.values")
    of_others = (
        "bot.domain.items.due imports dateparser",
        "bot.domain.postmortem.export imports pydantic",
    )
    outside = [each for each in wrong("bot.domain", *allowed, third_party=False) if not each.startswith(of_others)]
    assert outside == []


def test_handlers_know_no_surface() -> None:
    surfaces = (
        "bot.slack",
        "bot.fakeslack",
        "bot.slack.inbound.http",
        "bot.run",
        "bot.demo.replay",
        "bot.demo",
        "bot.cli",
        "slack_sdk",
        "slack_bolt",
    )
    for module, names in IMPORTS.items():
        if within(module, "bot.handlers"):
            assert [name for name in names if within(name, *surfaces)] == [], module


@pytest.mark.parametrize(
    ("library", "rooms"),
    [
        (("slack_bolt", "slack_sdk"), ("bot.slack",)),
        (("alembic",), ("storage",)),
        (("jinja2", "markupsafe"), ("bot.documents.rendering",)),
        (("markdown_it",), ("bot.documents.markup",)),
        (("apscheduler",), ("bot.server.scheduler",)),
        (("dateparser",), ("bot.domain.items.due",)),
        (("icalendar",), ("bot.documents.calendar",)),
        (("click",), ("bot.cli",)),
        (("resvg_py", "fontpkg"), ("bot.documents.picture.png",)),
        (("prometheus_client",), ("bot.telemetry.metrics",)),
    ],
)  # fmt: skip
def test_a_library_is_used_in_one_room(library: tuple[str, ...], rooms: tuple[str, ...]) -> None:
    users = {module for module, names in IMPORTS.items() if any(within(name, *library) for name in names)}
    assert users
    assert [module for module in users if not within(module, *rooms)] == []


def test_sql_is_written_in_storage_alone() -> None:
    """Elsewhere its connections are passed on, and its errors told."""
    passed_on = {"sqlalchemy.Connection"} | {
        f"sqlalchemy.exc.{name}" for name in ("ArgumentError", "DBAPIError", "IntegrityError")
    }
    for module, names in IMPORTS.items():
        if not within(module, "storage"):
            assert [name for name in names if within(name, "sqlalchemy") and name not in passed_on] == [], module


def test_the_stand_in_knows_of_the_bot_only_the_time_and_how_to_serve() -> None:
    assert wrong("bot.fakeslack", "bot.clock", "bot.server.threaded") == []


def test_only_the_entry_point_imports_the_command_line() -> None:
    users = {module for module, names in IMPORTS.items() if any(within(name, "bot.cli") for name in names)}
    assert {module for module in users if not within(module, "bot.cli")} == {"bot.__main__"}


def test_the_demo_pages_modules_import_each_other_in_no_circle() -> None:
    page = ROOT / "templates" / "web" / "demo"
    imported = {
        path.name: re.findall(r'from "\./(\w+\.js)"', path.read_text(encoding="utf-8")) for path in page.glob("*.js")
    }
    order = list(TopologicalSorter(imported).static_order())
    assert sorted(order) == sorted(imported)
    assert order.index("mrkdwn.js") < order.index("elements.js") < order.index("page.js")
