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
from bot.domain.check.checklist import RULES
from bot.errors import UsageError
from bot.fakeslack.block_kit import MAX_MESSAGE_TEXT
from bot.handlers.postmortem.checks import SHOWN, describe_check
from storage import incidents, timeline
from storage.database import Database
from tests.conftest import NOON
from tests.support.casebook import NAMES, load
from tests.support.paths import CASES
from tests.support.workplace import Workplace, at, workplace

GAPS = "Gaps over 30 minutes"
NO_ACKNOWLEDGEMENT = "No acknowledgement is recorded, so the time to acknowledge is unknown"
NO_MITIGATION = "No mitigation is recorded, so the time to mitigate is unknown"
OFFERED = "Lessons that the facts suggest"
FACTORS, LUCK = "Which of these is technical, process, human?", "What could easily have been worse?"
HELPED = "What helped to notice, to decide or to recover?"
NO_VERB = "names a thing, and no verb says what is done"
EDITION = "A public edition tells it in the third person: "
CLOUDFLARE, GITLAB, GOOGLE, REOPENED, UNDONE = NAMES
EXPECTED = {
    CLOUDFLARE: [
        ("Missing milestones", "Acknowledged", NO_ACKNOWLEDGEMENT),
        ("Due dates", "Action items 1, 2, 3, 5, 6 and 7", "No due date"),
        (
            "Action items without a verb", "Action item 6",
            f"“emergency way to take dashboard and API off our own edge” {NO_VERB}",
        ),
        (
            OFFERED, "What went well",
            "Monitoring noticed after 3 min (#1): a lesson? If not, /postmortem strike noticed-1",
        ),
        (
            OFFERED, "What went well",
            "Help was called within the minute (#1 to #3): a lesson? If not, /postmortem strike escalated-3",
        ),
        (
            OFFERED, "What went badly",
            "15 min went into a lead that was ruled out (#4 to #5): a lesson? If not, /postmortem strike ruledout-5",
        ),
        ("Open questions", "Still open", f"It still asks: {FACTORS} {LUCK}"),
        (
            "First person", "#4 Investigating",
            f"{EDITION}maybe an attack of a kind the team has not seen (1 more in the same way)",
        ),
    ],
    GITLAB: [
        ("Missing milestones", "Acknowledged", NO_ACKNOWLEDGEMENT),
        (
            "Causes that are a slip alone", "#23 Cause",
            ("“data directory removed on the wrong host during a manual replica rebuild” names a slip: what made it "
            "look right at the time?"),
        ),
        ("Due dates", "Action items 1, 2, 3, 4, 5, 6, 7 and 8", "No due date"),
        (
            "Vague action items", "Action item 8",
            "“look into point-in-time recovery and continuous archiving”: “look into” has no end to reach",
        ),
        (
            "Action items without a verifiable end", "Action item 3",
            "“bring max_connections down to something sensible”: how will one know that it is “sensible”?",
        ),
        (
            OFFERED, "What went badly",
            ("The first action on record came 1 h 9 min after it was noticed (#9 to #14): a lesson? If not, "
            "/postmortem strike action-14"),
        ),
        (
            "Open questions", "Still open",
            f"It still asks: What share of users or traffic was hurt? {FACTORS} {HELPED} And 1 more.",
        ),
        (GAPS, "#19 to #20", "Nothing for 15 h 42 min, from 1 February 01:18 UTC to 1 February 17:00 UTC"),
        (GAPS, "#15 to #11", "Nothing for 1 h 8 min, from 31 January 23:28 UTC to 1 February 00:36 UTC"),
        (GAPS, "#20 to #21", "Nothing for 1 h, from 1 February 17:00 UTC to 1 February 18:00 UTC"),
        (
            "First person", "#2 Note",
            (f"{EDITION}An engineer took a manual LVM snapshot of production for tests in staging (1 more in the same "
            "way)"),
        ),
    ],
    GOOGLE: [
        ("Missing milestones", "Acknowledged", NO_ACKNOWLEDGEMENT),
        ("Due dates", "Action items 1, 2, 3, 4, 5, 6 and 7", "No due date"),
        (
            "Action items without a verb", "Action item 6",
            f"“faster rollback path and better traffic ramp-up” {NO_VERB}; how will one know that it is “faster”?",
        ),
        *(
            (
                "Action items without a verifiable end", f"Action item {number}",
                f"“{text}”: how will one know that it is “{word}”?",
            )
            for number, text, word in (
                (2, "make rollbacks quicker and more robust", "quicker"),
                (5, "audit all high-risk config options better", "better"),
                (7, "send status notices to users sooner during incidents", "sooner"),
            )
        ),
        (
            OFFERED, "What went well",
            "Monitoring noticed within the minute (#1): a lesson? If not, /postmortem strike noticed-1",
        ),
        (
            OFFERED, "What went badly",
            ("A step did not work at once: tried to roll the config back, security checks rejected it (#6): a lesson? "
            "If not, /postmortem strike failed-6"),
        ),
        ("Open questions", "Still open", f"It still asks: {FACTORS} {LUCK}"),
        (
            "First person", "#4 Investigating",
            f"{EDITION}The team's monitoring blocks on the same auth call and makes things worse",
        ),
    ],
    REOPENED: [
        ("Impact", "Impact", "Nobody says who was hurt, and how"),
        (
            "Missing milestones", "Started",
            "No start is recorded, neither a start nor an impact, so the time to detect is unknown",
        ),
        ("Missing milestones", "Acknowledged", NO_ACKNOWLEDGEMENT),
        ("Missing milestones", "Mitigated", f"{NO_MITIGATION}; the last action before the resolution may be one"),
        ("Detection", "#1 Detected", "It does not say whether monitoring, a customer or an engineer noticed"),
        ("Prevention", "Action item 1", "They only notice it sooner; none prevents it"),
        (
            OFFERED, "What went badly",
            "It came back 40 min after it was resolved (#3 to #6): a lesson? If not, /postmortem strike reopened-6",
        ),
        ("Open questions", "Still open", f"It still asks: {FACTORS} {HELPED} {LUCK}"),
    ],
    UNDONE: [
        ("Impact", "#5 Impact", "It has no figure: how many, how much, how long?"),
        ("Cause", "Cause", "Nothing says what led to it"),
        (
            "Mitigations that may not have held", "#4 Mitigated",
            "Impact (#5) followed at 10 January 12:40 UTC: did it hold? If it did, /postmortem strike held-4",
        ),
        ("Prevention", "Action items", "There is none, so nothing changes yet"),
        (
            OFFERED, "What went well",
            "Monitoring noticed 3 h before users were hurt (#1): a lesson? If not, /postmortem strike noticed-1",
        ),
        (
            OFFERED, "What went well",
            "Somebody took it on after 5 min (#1 to #7): a lesson? If not, /postmortem strike acknowledged-7",
        ),
        ("Open questions", "Still open", f"It still asks: {LUCK}"),
        (GAPS, "#6 to #8", "Nothing for 19 h 10 min, from 10 January 12:50 UTC to 11 January 08:00 UTC"),
        (GAPS, "#2 to #3", "Nothing for 2 h 50 min, from 10 January 09:10 UTC to 10 January 12:00 UTC"),
        (GAPS, "#8 to #9", "Nothing for 1 h 11 min, from 11 January 08:00 UTC to 11 January 09:11 UTC"),
        ("First person", "#7 Acknowledged", f"{EDITION}An engineer reported: “I lead this”"),
    ],
}  # fmt: skip
OPEN = {CLOUDFLARE: (2, 3), GITLAB: (2, 6), GOOGLE: (2, 3), REOPENED: (3, 8), UNDONE: (2, 4)}
"""The version of the draft, and how many questions it leaves open."""


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
    version, still_open = OPEN[name]
    assert answer.startswith(
        f"INC-1 · {total} remarks on postmortem version {version} and its timeline; {still_open} points still open,"
    )
    shown = [each for each in EXPECTED[name] if f"• {each[1]}: {each[2]}\n" in answer]
    assert len(shown) == min(total, SHOWN)


def test_without_a_draft_the_timeline_is_checked_and_the_answer_says_so(office: Workplace) -> None:
    office.say("/detected disk full")
    answer = office.private("/postmortem check")
    first, *rest = answer.splitlines()
    assert first == "INC-1 · 7 remarks on the timeline; there is no draft yet, /postmortem draft writes one"
    assert "*Detection*" in rest
    assert "        → /incident edit 1 by monitoring" in rest
    assert "*Length*" not in rest


def test_a_clean_incident_is_answered_with_one_line(office: Workplace) -> None:
    for typed in (
        "/detected by monitoring: p99 over 5 s",
        "/impact 12% of checkouts fail",
        "/acknowledged bob is on it",
        "/cause the pool has no limit",
        "/actionitem @bob by friday: give the pool a limit of 200",
        "/mitigated pool restarted",
        "/resolved p99 as usual",
    ):
        office.say(typed)
    for side in ("well", "badly", "lucky"):
        office.say(f"/lesson {side}: {'what was seen and done, in plain words for another team to read. ' * 9}")
    office.say("/postmortem draft")
    office.deliver()
    assert office.private("/postmortem check") == "INC-1 · nothing to remark on postmortem version 2 and its timeline"
    assert run(office, "check", "INC-1").exit_code == 0


def test_an_incident_can_be_named_and_other_words_are_refused(office: Workplace) -> None:
    office.say("/detected disk full")
    elsewhere = office.slack.add_channel("elsewhere")
    assert office.private("/postmortem check INC-1", channel=elsewhere).startswith("INC-1 · 7 remarks")
    assert "Try: /postmortem check INC-1" in office.refused("/postmortem check all of it")
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
    assert office.private("/postmortem check").startswith("One moment…")
    answer = office.messages(user=office.alice)[-1].text
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


TROUBLED = (
    ("12:00", "/detected by customer: checkout is slow"),
    ("12:01", "/impact 12% of checkouts fail"),
    ("12:02", "/investigating maybe the release"),
    ("12:03", "/escalated to the pricing team"),
    ("12:50", "/ruledout not the release"),
    ("12:55", "/did I tried to restart it at 12:40, it did not help"),
    ("13:00", "/mitigated feature off"),
    ("13:10", "/impact refunds fail too"),
    ("13:20", "/started at 12:30 the release"),
    ("13:50", "/note all quiet"),
    ("15:00", "/note still quiet"),
    ("16:00", "/resolved feature rolled back"),
    ("16:01", "/cause operator error: the flag was forgotten; no review"),
    ("16:02", "/lesson that took long"),
    ("16:03", "/actionitem cap the queue"),
)
"""An incident about which most rules that name a command have something to say."""
UNTOLD = (
    ("12:00", "/note the page came"),
    ("12:01", "/detected"),
    ("12:02", "/resolved at 11:50 over"),
)
"""An incident about which the others have."""


STAYS = {"First person", "Escalation"}
"""What pasting does not settle: the public edition is only shown, and who came is for somebody else to say."""


def test_every_fix_that_is_a_command_works_when_it_is_pasted_and_settles_its_remark(sqlite: Database) -> None:
    pasted: set[tuple[str, str, str]] = set()
    for number, told in enumerate((TROUBLED, UNTOLD), 1):
        noon = NOON + timedelta(days=10 * number)
        with workplace(sqlite, clock=(clock := SetClock(noon))) as place:
            place.say(f"/incident open SEV2 Checkout {number}")
            for typed_at, typed in told:
                clock.set(noon.replace(hour=int(typed_at[:2]), minute=int(typed_at[3:])))
                place.say(typed)
            place.say("/postmortem draft")
            place.deliver()
            clock.set(noon + timedelta(days=3))
            while left := [each for each in advice(sqlite, number) if each[2].startswith("/") and each not in pasted]:
                title, where, fix = left[0]
                pasted.add(left[0])
                assert len(pasted) < 80
                answer = place.ask(fix)
                place.deliver()
                assert answer.status == 200, (title, fix)
                assert not answer.error, (title, fix)
                assert "Try:" not in answer.text, (title, fix, answer.text)
                assert title in STAYS or (title, where, fix) not in advice(sqlite, number), (title, fix, answer.text)
    assert {title for title, _, _ in pasted} == {rule.title for rule in RULES} - WORDS_ONLY - {FUTURE}


WORDS_ONLY = {
    "Wording", "Action items without a verb", "Vague action items", "Action items without a verifiable end", "Length",
}  # fmt: skip
"""The rules whose fixes say how to write, and name no command."""
FUTURE = "In the future"
"""What cannot be typed: only a clock that was wrong leaves such an entry."""


def advice(database: Database, number: int) -> list[tuple[str, str, str]]:
    """Title, place and fix of each finding, as printed."""
    read, title, where = [], "", ""
    for line in describe_check(database, Settings(), f"INC-{number}", workspace_id=None)[0].splitlines()[1:]:
        if line.startswith("    -> "):
            read.append((title, where, line.removeprefix("    -> ")))
        elif line.startswith("  "):
            where = line.strip().partition(": ")[0]
        elif line:
            title = line
    return read


def test_a_lesson_that_is_offered_is_struck_for_good_or_confirmed(office: Workplace) -> None:
    for typed in (
        "/detected by customer: checkout is slow",
        "/impact 12% of checkouts fail",
        "/acknowledged bob is on it",
    ):
        office.say(typed)
    offered = {fix for _, _, fix in advice(office.database, 1) if "/lesson" in fix}
    assert offered == {
        "/lesson at 2026-03-12 12:00 UTC badly: a customer noticed before monitoring did",
        "/lesson at 2026-03-12 12:00 UTC well: somebody took it on within the minute",
    }
    answer = office.say("/postmortem strike noticed-1")
    assert answer.splitlines() == [
        "Struck from the lessons that INC-1 offers: a customer noticed before monitoring did (#1)",
        "To record it after all: /lesson badly: a customer noticed before monitoring did (#1)",
    ]
    office.say("/postmortem draft")
    office.deliver()
    body = office.drafts[-1].content.decode().partition("## Lessons learned")[2]
    assert "noticed-1" not in body
    assert "customer noticed" not in body
    assert "/postmortem strike INC-1 acknowledged-3" in body
    assert "noticed-1" not in office.private("/postmortem check")
    assert "a customer noticed" not in office.private("/timeline")
    again = office.refused("/postmortem strike noticed-1")
    assert "acknowledged-3" in again
    assert "Try: /postmortem strike acknowledged-3" in again
    assert "Try: /postmortem strike acknowledged-3" in office.refused("/postmortem strike")
    office.say("/lesson well: somebody took it on within the minute")
    assert "offers no lesson to strike" in office.refused("/postmortem strike acknowledged-3")
    # It is recorded after all.
    office.say("/lesson badly: a customer noticed before monitoring did (#1)")
    office.say("/postmortem draft")
    office.deliver()
    assert "- A customer noticed before monitoring did (#1)" in office.drafts[-1].content.decode()
