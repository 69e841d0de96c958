"""What README and guides name is there: every command, option and setting, by the parsers that take them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from bot.cli import main
from bot.config import FROM_FILES, Settings
from bot.errors import UsageError
from bot.handlers.routes import understand
from bot.vocabulary import COMMANDS
from tests.support.asking import request
from tests.support.paths import ROOT

GUIDES = (ROOT / "README.md", *sorted((ROOT / "deploy").glob("*.md")), ROOT / "deploy" / "env.example")
SETTINGS = {field.alias for field in Settings.model_fields.values()} | FROM_FILES.keys()
ELSEWHERE = {"/invite", "/healthz", "/readyz", "/metrics", "/slack/events", "/help"}
"""Slack's own commands, paths of the probes, and what is understood of a mention alone: `@scribe help`."""
MOST_LINES = 130
"""Of the README: what is longer stands in a guide."""
_BLOCK = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
_SPAN = re.compile(r"`([^`]+)`")
_PREFIXES = re.compile(r"/(?:live-|inc-)")
_SCRIBE = re.compile(r"(?:^|[ (]|bin/)(scribe [a-z][^#;>]*)")
_ASSIGNED = re.compile(r"\b((?:SCRIBE|SLACK)_[A-Z0-9_]+)=([^\s`]+)")
_SETTING = re.compile(r"(?m)^#?([A-Z0-9_]+)=")
_NAMED = re.compile(r"\b(?:SCRIBE_[A-Z0-9_]+|SLACK_[A-Z0-9_]+|DATABASE_URL(?:_FILE)?)\b")


def code(path: Path) -> Iterator[str]:
    """What stands in code, one line each; a span that is broken over two lines is one."""
    text = path.read_text(encoding="utf-8")
    for block in _BLOCK.findall(text):
        yield from block.splitlines()
    for span in _SPAN.findall(_BLOCK.sub("", text)):
        yield " ".join(span.split()).replace("\\|", "|")


def typed(path: Path) -> Iterator[str]:
    """What is typed in Slack, as a slash command without a prefix and with words for an ellipsis."""
    for line in code(path):
        said = re.sub(r"^@scribe (?=[a-z])", "/", line)
        if re.match(r"/[a-z]", said) and said.split()[0] not in ELSEWHERE:
            yield _PREFIXES.sub("/", said).replace("…", "disk full")


def in_terminal(path: Path) -> Iterator[list[str]]:
    """The arguments of every `scribe …`, one list for each alternative of `--format md|html`."""
    for line in code(path):
        for found in _SCRIBE.findall(re.sub(r"\$\([^)]*\)", "x", line)):
            arguments = shlex.split(found)[1:]
            place = next((index for index, each in enumerate(arguments) if "|" in each), None)
            if place is None:
                yield arguments
                continue
            for each in arguments[place].split("|"):
                yield [*arguments[:place], each, *arguments[place + 1 :]]


def problem_of(said: str) -> str | None:
    """Why Scribe does not understand it; None when it does. A name alone is only looked up."""
    name, _, words = said.removeprefix("/").partition(" ")
    if name not in COMMANDS:
        return f"no command: {said}"
    if not words or words in {each.name for each in COMMANDS[name].subcommands}:
        return None
    try:
        understand(request(said))
    except UsageError as error:
        return f"{said}: {error}"
    return None


def problem_in_terminal(arguments: list[str]) -> str | None:
    """Why click refuses it; None when it does not. A name alone is only looked up."""
    command: click.Command = main
    context = click.Context(main, info_name="scribe")
    rest = arguments
    try:
        while isinstance(command, click.Group):
            _, found, rest = command.resolve_command(context, rest)
            assert found is not None
            command = found
            if not rest:
                return None
        command.make_context(command.name, list(rest), parent=context)
    except click.ClickException as error:
        # The files of examples are not there.
        if re.search("No such file|does not exist", error.format_message()):
            return None
        return f"scribe {' '.join(arguments)}: {error.format_message()}"
    return None


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_every_command_and_setting_that_it_names_is_there(path: Path) -> None:
    assert [each for said in typed(path) if (each := problem_of(said))] == []
    assert [each for given in in_terminal(path) if (each := problem_in_terminal(given))] == []
    named = set(_NAMED.findall(path.read_text(encoding="utf-8")))
    assert {each for each in named if each.rstrip("_") == each} - SETTINGS == set()


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_every_value_and_option_that_it_names_is_one(path: Path) -> None:
    for name, value in _ASSIGNED.findall(path.read_text(encoding="utf-8")):
        # Templates and folders of one's own are not there.
        if value != "xoxb-" and name not in {"SCRIBE_TEMPLATE", "SCRIBE_TEMPLATES", "SCRIBE_PUBLISH_DIR", *FROM_FILES}:
            Settings.from_env({name: value.rstrip(",;.")})
    options = {option for command in commands(main) for each in command.params for option in each.opts}
    alone = {re.split(r"[ =]", span)[0] for span in code(path) if span.startswith("--")}
    assert alone - options - {"--check"} == set()


def commands(group: click.Group) -> Iterator[click.Command]:
    for each in group.commands.values():
        yield from commands(each) if isinstance(each, click.Group) else (each,)


def test_a_wrong_command_option_or_setting_would_be_noticed() -> None:
    for said in ("/detcted x", "/incident sevrity SEV1", "/did at 25:99 x"):
        assert problem_of(said), said
    for given in ("exprt INC-1", "export INC-1 --formt md", "export INC-1 --format pdf", "spool lst", "erase INC-1"):
        assert problem_in_terminal(given.split()), given
    assert problem_of("/did -10m restarted db1") is None
    assert problem_in_terminal(["log", "INC-12", "did at 14:02 x"]) is None


def test_every_setting_stands_in_the_guide_and_in_the_example() -> None:
    internal = {"SLACK_API_URL"}
    for name in ("OPERATING.md", "env.example"):
        text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
        assert SETTINGS - internal - set(_NAMED.findall(text)) == set(), name


def test_guide_and_example_have_the_settings_in_one_order() -> None:
    guide = (ROOT / "deploy" / "OPERATING.md").read_text(encoding="utf-8").partition("\n## Who")[0]
    rows = [line.split("|")[1] for line in guide.splitlines() if line.startswith("| `")]
    example = (ROOT / "deploy" / "env.example").read_text(encoding="utf-8")
    assert [*dict.fromkeys(_SETTING.findall(example))] == [name for row in rows for name in _SPAN.findall(row)]


def test_every_guide_is_linked_from_the_readme_or_the_operators_guide() -> None:
    ways = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "deploy/OPERATING.md"))
    guides = {path.name for path in GUIDES if path.suffix == ".md" and path.parent.name == "deploy"}
    assert {name for name in guides if f"({name}" not in ways and f"(deploy/{name}" not in ways} == set()


def test_the_readme_is_short_and_begins_with_six_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count("\n") <= MOST_LINES
    rows = [line for line in text.partition("##")[0].splitlines() if line.startswith("| `/")]
    assert len(rows) == 6
