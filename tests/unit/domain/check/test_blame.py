from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.check.blame import Blame, find_blame
from bot.domain.check.phrases import ROWS, Wording
from bot.domain.check.quoting import FILLER, mask_quotations
from bot.domain.check.subject import Subject, people, subject
from bot.vocabulary import CAUSE
from storage.values import Section
from tests.support import casebook
from tests.support.casebook import entry, item
from tests.unit.domain.check import more_sentences as more
from tests.unit.domain.check.checking import CLEAN, ITEMS, SOON, after, but, drafted, found, places, version
from tests.unit.domain.check.sentences import BLAMING, BLAMING_CAUSES, NAMES, PLAIN, PLAIN_CAUSES
from tests.unit.domain.texts import QUICK

PEOPLE = people(NAMES)
WORDS = [word for text in (*PLAIN, *(text for text, _ in BLAMING)) for word in text.split()]
ANY = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from([*WORDS, "`", "```", "\n", '"', "> ", "'", "@", "ERROR:"]), max_size=40).map(" ".join),
)


def blame(text: str, *, cause: bool = False) -> list[Blame]:
    return find_blame(text, people=PEOPLE, cause=cause)


@pytest.mark.parametrize("text", PLAIN + more.PLAIN)
def test_an_ordinary_sentence_blames_nobody(text: str) -> None:
    assert blame(text) == []


@pytest.mark.parametrize("text", PLAIN_CAUSES)
def test_an_ordinary_cause_blames_nobody(text: str) -> None:
    assert blame(text, cause=True) == []


@pytest.mark.parametrize(("text", "phrase"), BLAMING)
def test_a_blaming_sentence_is_one_finding_with_its_phrase(text: str, phrase: str) -> None:
    [each] = blame(text)
    assert phrase in each.phrase


@pytest.mark.parametrize("text", more.BLAMING)
def test_a_blaming_sentence_in_other_words_is_found(text: str) -> None:
    assert blame(text)


@pytest.mark.parametrize("text", more.UNNOTICED)
def test_some_blame_is_known_to_go_unnoticed(text: str) -> None:
    assert blame(text) == []


@pytest.mark.parametrize(("text", "phrase"), BLAMING_CAUSES)
def test_a_cause_with_somebody_acting_in_it_is_a_finding(text: str, phrase: str) -> None:
    [each] = blame(text, cause=True)
    assert phrase in each.phrase


@pytest.mark.parametrize(("text", "_phrase"), BLAMING)
@pytest.mark.parametrize("quoted", ["`{}`", "“{}”", '"{}"', "```\n{}\n```", "> {}", "ERROR: {}"])
def test_what_is_quoted_is_nobodys_wording(text: str, _phrase: str, quoted: str) -> None:
    assert blame(quoted.format(text), cause=True) == []


@pytest.mark.parametrize("text", [text for text, _ in BLAMING])
def test_the_better_way_to_say_it_blames_nobody_itself(text: str) -> None:
    for each in blame(text):
        assert blame(each.fault.better.replace("“", "").replace("”", ""), cause=True) == []


@pytest.mark.parametrize("name", casebook.NAMES)
def test_no_word_typed_in_a_sample_case_blames_anybody(name: str) -> None:
    case = casebook.load(name)
    known = people(typed["user"] for typed in case["commands"])
    for typed in case["commands"]:
        assert find_blame(typed["text"], people=known, cause=typed["command"] == f"/{CAUSE}") == []
    published = (case["expected"].get(part, "") for part in ("impact", "root_cause"))
    for text in (case["title"], case["notes"], *published):
        assert find_blame(text, people=known) == []


def test_a_published_cause_with_an_engineer_in_it_is_found_where_causes_stand() -> None:
    told = {name: casebook.load(name)["expected"]["root_cause"] for name in casebook.PUBLISHED}
    phrases = {name: [each.phrase for each in find_blame(text, cause=True)] for name, text in told.items()}
    assert list(phrases.values()) == [[], ["engineer deleted the PostgreSQL data directory on the primary host"], []]


def test_every_fault_has_a_sentence_that_shows_it() -> None:
    shown = {each.fault for text, _ in (*BLAMING, *BLAMING_CAUSES) for each in blame(text, cause=True)}
    assert shown == set(Wording)


def test_a_row_is_looked_for_by_words_its_pattern_asks_for() -> None:
    lone = [row for row in ROWS if not row.causes and "" in row.stems]
    assert lone == []


@given(ANY)
@QUICK
def test_any_text_at_all_can_be_looked_at(text: str) -> None:
    for each in find_blame(text, people=PEOPLE, cause=True):
        assert each.phrase
    assert len(mask_quotations(text)) == len(text)
    assert mask_quotations(text).count("\n") == text.count("\n")


def test_a_long_text_of_nothing_but_triggers_is_read_to_its_end() -> None:
    text = "alice should have checked. " * 4_000
    assert len(blame(text)) == 4_000


@pytest.mark.parametrize(
    ("before", "whom"),
    [
        ("alice ", Subject.PERSON),
        ("the on-call engineer has ", Subject.PERSON),
        ("members of the DBA team ", Subject.PERSON),
        ("the release manager ", Subject.PERSON),
        ("the lock manager ", Subject.THING),
        ("alice's laptop ", Subject.THING),
        ("a script by alice ", Subject.THING),
        ("nobody ", Subject.WE),
        ("Frank ", Subject.UNKNOWN),
        ("db1 ", Subject.THING),
        ("", Subject.NONE),
        ("bob, who was new, ", Subject.PERSON),
        (f"{FILLER * 5} ", Subject.THING),
    ],
)
def test_whom_a_verb_is_about(before: str, whom: Subject) -> None:
    assert subject(before, PEOPLE) is whom


def test_a_bot_and_a_team_lend_no_part_of_their_names_to_people() -> None:
    assert people(["deploy-bot", "release-team", "api-lead", "alice-sre", "Carol Jones"]) == {
        "release-team", "api-lead", "alice", "alice-sre", "carol", "jones", "carol jones",
    }  # fmt: skip


@pytest.mark.parametrize(
    "words",
    [
        "logs: ```\npanic: should have failed to open\nobviously careless human error\n```",
        "the log:\n```\nobviously careless human error\n```\nand more",
        "the log:\n~~~\nobviously careless human error\n~~~",
    ],
)
def test_a_log_pasted_over_several_lines_is_no_blame_where_the_draft_fences_it(words: str) -> None:
    told = but(entry(30, "note", after(50), words))
    assert found(*told, text=drafted(told, ITEMS), rule="wording") == []


def test_what_a_person_writes_below_a_fence_is_read() -> None:
    written = Section(key="lessons", heading="Lessons", body="````\n```\nx\n````\nBob was careless.", drafted="x")
    assert places(found(*CLEAN, text=version(written), rule="wording")) == ["Lessons"]


def test_blame_is_told_once_where_it_was_said_though_the_draft_repeats_it() -> None:
    told = but(
        entry(9, "cause", after(70), "alice failed to check the _flag_ & the `host`; human error <again>"),
        entry(6, "did", after(31), "bob: flag off. I should have asked first", author="bob", author_id="U2"),
    )
    mine = (*ITEMS, item(3, "remind bob that he forgot the test", owner="ada", due_on=SOON))
    findings = found(*told, items=mine, text=drafted(told, mine), rule="wording")
    assert places(findings) == ["#6 Did", "#9 Cause", "#9 Cause", "Action item 3"]


def test_blame_in_a_section_is_told_there() -> None:
    written = Section(key="lessons", heading="Lessons", body="- Bob **should have** known better.", edited=True)
    [finding] = found(*CLEAN, text=version(written), rule="wording")
    assert finding.place == "Lessons"
    assert "Bob should have known" in finding.reason


def test_who_ended_it_is_no_cause() -> None:
    body = "### What led to it\n\n- a full disk.\n\n### How it ended\n\n- **Resolved** at 14:00: alice restarted db1."
    cause = Section(key="cause", heading="Root cause and resolution", body=body)
    assert found(*CLEAN, text=version(cause), rule="wording") == []
    acted = replace(cause, body=body.replace("a full disk", "alice restarted db2"))
    assert places(found(*CLEAN, text=version(acted), rule="wording")) == ["Root cause and resolution"]


def test_a_name_is_known_from_whoever_wrote_an_entry_but_not_from_a_bot() -> None:
    robot = entry(30, "note", after(45), "lark should have noticed", author="lark", author_id="B0123ABCDE")
    assert found(*CLEAN, robot, rule="wording") == []
    person = replace(robot, author_id="U9")
    assert places(found(*CLEAN, person, rule="wording")) == ["#30 Note"]
