"""The postmortem check in Slack and in the terminal, with its setting and on the sample cases."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner, Result
from freezegun import freeze_time

from bot.cli import main
from bot.clock import SetClock
from bot.config import Settings
from bot.errors import UsageError
from bot.fakeslack.block_kit import MAX_MESSAGE_TEXT
from bot.handlers.postmortem.checks import SHOWN, describe_check
from storage import incidents, timeline
from storage.database import Database
from tests.conftest import NOON
from tests.support.casebook import NAMES, load
from tests.support.paths import CASES
from tests.support.workplace import Workplace, at, workplace

ASKED = (
    "It still asks: What helped to notice, to decide or to recover? What slowed the response down or made it harder? "
    "What could easily have been worse?"
)
GAPS = "Gaps over 30 minutes"
NO_ACKNOWLEDGEMENT = "No acknowledgement is recorded, so the time to acknowledge is unknown"
CLOUDFLARE, GITLAB, GOOGLE = NAMES
EXPECTED = {
    CLOUDFLARE: [
        ("Missing milestones", "Acknowledged", NO_ACKNOWLEDGEMENT),
        ("Due dates", "Action items 1, 2, 3, 5, 6 and 7", "No due date"),
        ("Open questions", "Lessons learned", ASKED),
        ("Length", "The whole text", "295 words without the timeline; the template classic is meant for 400 to 600"),
    ],
    GITLAB: [
        ("Missing milestones", "Acknowledged", NO_ACKNOWLEDGEMENT),
        ("Due dates", "Action items 1, 2, 3, 4, 5, 6, 7 and 8", "No due date"),
        (
            "Vague action items", "Action item 8",
            "“look into point-in-time recovery and continuous archiving”: “look into” has no end to reach",
        ),
        (
            "Action items without a verifiable end", "Action item 3",
            "“bring max_connections down to something sensible”: how will one know that it is “sensible”?",
        ),
        ("Open questions", "Issue summary", "It still asks: What share of users or traffic was hurt?"),
        ("Open questions", "Lessons learned", ASKED),
        (GAPS, "#19 to #20", "Nothing for 15 h 42 min, from 1 February 01:18 UTC to 1 February 17:00 UTC"),
        (GAPS, "#15 to #11", "Nothing for 1 h 8 min, from 31 January 23:28 UTC to 1 February 00:36 UTC"),
        (GAPS, "#20 to #21", "Nothing for 1 h, from 1 February 17:00 UTC to 1 February 18:00 UTC"),
        ("Length", "The whole text", "309 words without the timeline; the template classic is meant for 400 to 600"),
    ],
    GOOGLE: [
        ("Missing milestones", "Acknowledged", NO_ACKNOWLEDGEMENT),
        ("Due dates", "Action items 1, 2, 3, 4, 5, 6 and 7", "No due date"),
        *(
            (
                "Action items without a verifiable end", f"Action item {number}",
                f"“{text}”: how will one know that it is “{word}”?",
            )
            for number, text, word in (
                (2, "make rollbacks quicker and more robust", "quicker"),
                (5, "audit all high-risk config options better", "better"),
                (6, "faster rollback path and better traffic ramp-up", "faster"),
                (7, "send status notices to users sooner during incidents", "sooner"),
            )
        ),
        ("Open questions", "Lessons learned", ASKED),
        ("Length", "The whole text", "255 words without the timeline; the template classic is meant for 400 to 600"),
    ],
}  # fmt: skip


def findings(text: str) -> list[tuple[str, str, str]]:
    """The printed findings as (title, place, reason)."""
    title, read = "", []
    for line in text.splitlines()[1:]:
        if line.startswith("    -> "):
            continue
        if line.startswith("  "):
            place, _, reason = line.strip().partition(": ")
            read.append((title, place, reason))
        elif line:
            title = line
    return read


@contextmanager
def played(case: dict[str, Any], database: Database) -> Iterator[Workplace]:
    """A workplace where the case's commands were typed and drafted."""
    clock = SetClock(at(case["commands"][0]["at"]))
    with workplace(database, clock=clock, SCRIBE_TIMEZONE=case["timezone"]) as place:
        people = {
            name: place.slack.add_user(name, zone=case["timezone"])
            for name in dict.fromkeys(typed["user"] for typed in case["commands"])
        }
        place.bot.refresh()
        opener = people[case["commands"][0]["user"]]
        place.say(f"/incident open {case['severity']} {case['title']}", user=opener)
        for typed in case["commands"]:
            clock.set(at(typed["at"]))
            place.say(f"{typed['command']} {typed['text']}", user=people[typed["user"]])
        place.say("/postmortem draft", user=opener)
        place.deliver()
        yield place


@pytest.mark.parametrize("name", NAMES)
def test_a_sample_case_has_exactly_these_findings(name: str, sqlite: Database) -> None:
    with played(load(name), sqlite) as place:
        text, clean = describe_check(sqlite, Settings(), "INC-1", workspace_id=None)
        answer = place.private("/postmortem check")
    assert not clean
    assert findings(text) == EXPECTED[name]
    total = len(EXPECTED[name])
    assert answer.startswith(f"INC-1 · {total} remarks on postmortem version 2 and its timeline\n")
    for _, where, reason in EXPECTED[name]:
        assert f"• {where}: {reason}\n" in answer


def test_without_a_draft_the_timeline_is_checked_and_the_answer_says_so(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.private("/postmortem check")
    first, *rest = answer.splitlines()
    assert first == "INC-1 · 7 remarks on the timeline; there is no draft yet, /postmortem draft writes one"
    assert "*Detection*" in rest
    assert "        → /incident edit 1 by monitoring: what was seen" in rest
    assert "*Length*" not in rest


def test_a_clean_incident_is_answered_with_one_line(office: Workplace) -> None:
    for typed in (
        "/detected by monitoring: p99 over 5 s",
        "/impact 12% of checkouts fail",
        "/acknowledged I am on it",
        "/cause the pool has no limit",
        "/actionitem @bob by friday: give the pool a limit of 200",
        "/mitigated pool restarted",
        "/resolved p99 as usual",
    ):
        office.say(typed)
    for side in ("well", "badly", "lucky"):
        office.say(f"/lesson {side}: {'what we saw and did, in plain words for another team to read. ' * 9}")
    office.say("/postmortem draft")
    office.deliver()
    assert office.private("/postmortem check") == "INC-1 · nothing to remark on postmortem version 2 and its timeline"
    assert run(office, "check", "INC-1").exit_code == 0


def test_an_incident_can_be_named_and_other_words_are_refused(office: Workplace) -> None:
    office.say("/detected disk full")
    elsewhere = office.slack.add_channel("elsewhere")
    assert office.private("/postmortem check INC-1", channel=elsewhere).startswith("INC-1 · 7 remarks")
    assert "Try: /postmortem check INC-12" in office.refused("/postmortem check all of it")
    assert "no incident yet" in office.refused("/postmortem check", channel=elsewhere)


def test_the_check_writes_nothing(office: Workplace) -> None:
    office.say("/detected disk full")
    before = office.private("/incident status")
    office.private("/postmortem check")
    assert office.private("/incident status") == before


def test_words_in_the_advice_do_not_ping(office: Workplace) -> None:
    office.say("/detected by monitoring: <!channel> alice should have <!here> checked & told @bob")
    office.say("/actionitem look into <!channel> & more")
    answer = office.private("/postmortem check")
    assert "<!" not in answer
    assert "&amp;" in answer


def test_a_rule_that_is_switched_off_is_silent_everywhere(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_CHECK_OFF="milestones, detection", SCRIBE_PREFIX="inc-") as place:
        place.say("/inc-detected disk full")
        answer = place.private("/inc-postmortem check")
        assert "Missing milestones" not in answer
        assert "/inc-impact" in answer
        result = run(place, "check", "INC-1", SCRIBE_CHECK_OFF="cause,impact,wording,prevention")
        assert [title for title, _, _ in findings(result.output)] == ["Missing milestones"] * 3 + ["Detection"]


def test_a_thousand_findings_are_cut_in_slack_and_printed_in_full_by_the_terminal(office: Workplace) -> None:
    office.say("/detected by monitoring: p99 over 5 s")
    words = "alice should have checked this; " + "x" * 2000
    with office.database.write() as connection:
        [workspace] = incidents.workspace_ids(connection)
        incident = incidents.numbered(connection, workspace, 1)
        assert incident is not None
        for minute in range(1000):
            timeline.append(
                connection, incident.id, kind="note", occurred_at=NOON + timedelta(minutes=31 * minute),
                recorded_at=NOON, author="alice", author_id="U1", recorded_by_id="U1", text=words, qualifier=None,
                source="slash", permalink=None,
            )  # fmt: skip
    answer = office.private("/postmortem check")
    assert len(answer) < MAX_MESSAGE_TEXT / 4
    assert answer.count("•") == SHOWN
    total = re.search(r"INC-1 · (\d+) remarks", answer)
    assert total
    assert f"prints all {total[1]}." in answer
    assert len(findings(run(office, "check", "INC-1").output)) == int(total[1]) > 2000


def run(place: Workplace, *words: str, **environment: str) -> Result:
    """Run `scribe …` at noon on the workplace's database."""
    url = place.database.url.render_as_string(hide_password=False)
    with freeze_time(NOON):
        return CliRunner().invoke(main, list(words), env={"DATABASE_URL": url, "SCRIBE_CHECK_OFF": "", **environment})


def test_the_terminal_exits_with_one_for_findings_and_with_two_for_a_mistake(office: Workplace) -> None:
    office.say("/detected disk full")
    result = run(office, "check", "INC-1")
    assert result.exit_code == 1
    assert result.output.startswith("INC-1: 7 remarks on the timeline; there is no draft yet")
    assert run(office, "check", "INC-9").exit_code == 2
    assert run(office, "check", "what").exit_code == 2


def test_control_characters_in_the_advice_do_not_reach_the_terminal(office: Workplace) -> None:
    office.say("/detected by monitoring: alice should have \x1b[31mchecked")
    assert "\x1b" not in run(office, "check", "INC-1").output


@pytest.mark.parametrize(("words", "nearest"), [("gap", "gaps"), ("gaps,lenght", "length"), ("Wordings", "wording")])
def test_an_unknown_rule_names_the_variable_and_the_nearest_rule(words: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f"SCRIBE_CHECK_OFF: .* is no rule; did you mean {nearest}"):
        Settings.from_env({"SCRIBE_CHECK_OFF": words})


def test_all_rules_are_on_by_default() -> None:
    assert Settings.from_env({"SCRIBE_CHECK_OFF": ""}).check_off == frozenset()
    assert Settings.from_env({"SCRIBE_CHECK_OFF": "gaps, Length"}).check_off == {"gaps", "length"}


def test_every_case_file_has_expected_findings() -> None:
    folder = CASES
    assert sorted(EXPECTED) == sorted(json.loads(path.read_text())["id"] for path in folder.glob("*.json"))
