"""Each example that a refusal gives after "Try:" can be pasted as it stands, and then works."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.clock import SetClock
from storage.database import Database
from tests.support.paths import ROOT
from tests.support.workplace import Workplace, at, workplace

REFUSED = (
    "/did", "/note", "/cause process:", "/lesson well:", "/impact INC-1", "/investigating", "/ruledout",
    "/incident open", f"/incident open {'x' * 250}", "/incident title", f"/incident title {'x' * 250}",
    "/incident severity", "/incident severity SEV9",
    "/incident lead", "/incident lead nobody", "/incident lead @nobody", "/incident lead @bob @carol",
    "/incident lead a", "/incident handover", "/incident handover nobody: x",
    "/incident role cook me", "/incident role comms", "/incident role ops the cook",
    "/incident private please", "/incident status xx", "/incident catchup xx", "/incident search",
    "/incident report often", "/incident report 0d", "/incident report 2026-02-30..2026-03-01",
    "/incident report 2026-03-01..2026-02-01", "/incident report 2030-01-01..2030-02-01", "/incident report 900y",
    "/incident update", "/incident update checkout fails, next in 0m",
    "/incident edit", "/incident edit x", "/incident edit 0 x", "/incident edit 1", "/incident edit last",
    "/incident undo x", "/incident undo 0",
    "/incident erase", "/incident erase x", "/incident erase 1", f"/incident erase 1 {'x' * 600}",
    "/incident duplicate", "/incident merge", "/incident duplicate INC-1",
    "/actionitem @bob by friday:", "/actionitem due 1", "/actionitem due 1 soonish", "/actionitem due 1 2020-01-01",
    "/actionitem due 1 2999-01-01", "/actionitem due", "/actionitem due x", "/actionitem due 1 2 whenever",
    "/actionitem snooze 1", "/actionitem snooze 1 soonish", "/actionitem snooze 1 900d", "/actionitem snooze",
    "/actionitem done", "/actionitem done 0", "/actionitem confirm", "/actionitem reopen",
    "/actionitem assign", "/actionitem assign 1", "/actionitem assign 1 nobody", "/actionitem assign 1 @robot",
    "/actionitem link 1 ticket", "/actionitem drop", "/actionitem drop 1", "/actionitem link",
    "/actionitem worked 2", "/actionitem worked 2 perhaps", "/actionitem worked",
    "/actionitem erase", "/actionitem erase 1",
    "/actionitem remind sometimes", "/actionitem remind off until", "/actionitem remind off until 2020-01-01",
    "/actionitem remind monday 9:30 noon", "/actionitem remind monday whenever",
    "/actionitem remind monday 9:30 10:30", "/actionitem remind INC-1 monday",
    "/postmortem draft xx", "/postmortem check xx", "/postmortem show blameless INC-1 xx", "/postmortem show xx yy",
    "/postmortem template classic INC-1 xx", "/postmortem template xx", "/postmortem publish nowhere",
    "/postmortem strike", "/postmortem strike xx",
    "/postmortem review for 45m", "/postmortem review 10:00", "/postmortem review friday", "/postmortem review soonish",
    "/postmortem review friday 10:00 for long", "/postmortem review friday 10:00 for 40h",
    "/postmortem review friday 10:00 for 45m for 50m", "/postmortem review 2020-01-01 10:00",
    "/postmortem review 2026-03-12 09:00", "/postmortem review friday 10:00-11:00",
    "/postmortem review friday 10:00 in the big room", "/postmortem review friday 25:99",
    "/postmortem review 2026-03-29 02:30 Europe/Berlin", "/postmortem review friday 10:00 with",
)  # fmt: skip
"""What is typed wrongly on INC-1, which is open, has entries, an open item 1 and a done item 2."""
EXAMPLE = re.compile(r"\bTry: (.*)$", re.MULTILINE)
ELSEWHERE = frozenset({"", "offers these lessons to strike:"})
"""The words of refusals that take more than a command typed wrongly to provoke."""


@pytest.fixture
def tried(sqlite: Database, clock: SetClock, tmp_path: Path) -> Iterator[Workplace]:
    with workplace(sqlite, clock=clock, SCRIBE_PUBLISH_DIR=str(tmp_path)) as office:
        office.slack.add_user("robot", is_bot=True)
        office.bot.refresh()
        office.say("/detected the other one", channel=office.slack.add_channel("other"))
        clock.set(at("2026-03-12T12:10:00Z"))
        office.say("/incident open SEV2 disk full")
        office.say("/did restarted db1")
        office.say("/note what the disk held")
        office.say("/actionitem @alice by friday: buy disks")
        office.say("/actionitem @alice: test the backups")
        office.say("/actionitem done 2")
        office.say("/postmortem draft")
        office.deliver()
        yield office


def places() -> Iterator[tuple[str, str]]:
    """Each place in the code that gives an example, and the longest piece of what it says before that."""
    for path in sorted((ROOT / "bot").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ExampleError":
                yield f"{path.name}:{node.lineno}", longest(node.args[0])
            elif isinstance(node, ast.JoinedStr) and "Try: " in ast.unparse(node) and path.name != "errors.py":
                yield f"{path.name}:{node.lineno}", longest(node)


def longest(node: ast.expr) -> str:
    """The longest piece of the text before the example that is the same in every message."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    text = "".join(str(part.value) if isinstance(part, ast.Constant) else "\0" for part in parts)
    return max((piece.strip() for piece in text.partition("Try: ")[0].split("\0")), key=len)


def examples(text: str) -> list[str]:
    """What the answer says to try, without the words of the user below it."""
    return EXAMPLE.findall(text.partition("\nYour words:")[0])


def test_every_example_can_be_pasted_as_it_stands(tried: Workplace) -> None:
    office, found, refused, answers = tried, set[str](), [], []
    for typed in REFUSED:
        problem = office.ask(typed.replace("INC-1", "INC-2"))
        assert problem.ok, typed
        answers.append(problem.text)
        for example in set(examples(problem.text)) - found:
            found.add(example)
            answer = office.ask(example)
            # Of words that are kept, their author is only asked where they belong.
            done = any(words in answer.text for words in ("are kept", " already"))
            if not example.startswith("/") or ("Your words:" in answer.text and not done):
                refused.append((typed, example, answer.text))
    assert not refused, "\n\n".join(map(str, refused))
    told = "\n".join(answers)
    missing = [place for place, words in places() if words not in told and words not in ELSEWHERE]
    assert not missing, "an example needs a row in REFUSED"


def test_an_example_is_completed_as_the_user_types_it(tried: Workplace) -> None:
    office = tried
    office.slack.say(office.alice, office.channel, "@scribe actionitem snooze 1 soonish")
    answer = office.messages(user=office.alice)[-1]
    assert "Try: @scribe actionitem snooze 1 3d" in answer.text
    refused = office.refused("/actionitem due INC-2 1 soonish", channel=office.slack.add_channel("elsewhere"))
    assert "Try: /actionitem due INC-2 1 friday" in refused
