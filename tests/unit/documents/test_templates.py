"""The six ways to write a postmortem, on every case and on words that want to break them."""

import re
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from bot.documents import rendering
from bot.documents.templates import TemplateCatalog
from bot.domain.incident.topics import topic
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.causes import causes
from bot.domain.postmortem.document import Document
from bot.domain.postmortem.questions import NOTHING, STILL_OPEN
from bot.vocabulary import KINDS
from storage.values import ActionItem, Section, TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry, item
from tests.unit.documents.test_rendering import HOSTILE, INCIDENT, after, tokens

FORMS = {
    "classic": ("summary", "timeline", "cause", "measures", "lessons", "response"),
    "learning": ("summary", "cause", "timeline", "resolution", "measures", "lessons"),
    "response": (
        "summary", "cause", "detection", "response", "escalation", "resolution", "timeline", "measures", "lessons",
        "communication",
    ),
    "full": (
        "summary", "impact", "response", "timeline", "log", "cause", "resolution", "lessons", "measures", "follow-up",
        "effectiveness", "communication", "checklist",
    ),
    "devops": (
        "summary", "timeline", "cause", "factors", "resolution", "follow-up", "lessons", "measures", "effectiveness",
    ),
    "sysadmin": (
        "summary", "systems", "timeline", "analysis", "impact", "cause", "resolution", "measures", "documentation",
        "communication-improvements", "training",
    ),
}  # fmt: skip
TOPICS = {
    "systems: db1": ("sysadmin", "systems"),
    "logs: disk full": ("sysadmin", "analysis"),
    "config: pool 10": ("sysadmin", "analysis"),
    "docs: runbook 3": ("sysadmin", "documentation"),
    "communication: tell support": ("sysadmin", "communication-improvements"),
    "training: a drill": ("sysadmin", "training"),
    "noticing: an alert": ("response", "lessons"),
    "coordination: one lead": ("response", "lessons"),
    "telling: by mail": ("response", "lessons"),
    "differently: one lead": ("devops", "lessons"),
    "told customers: at 12:10": ("response", "communication"),
    "told staff: by mail": ("full", "communication"),
    "improve: one lead": ("full", "lessons"),
    "review: on Friday": ("full", "follow-up"),
}
UNKNOWN = {
    "learning": ("cause technical", "cause process", "cause human", "lesson well", "mitigated", "resolved"),
    "response": ("detected", "acknowledged", "escalated", "note communication", "note told customers", "lesson well"),
    "devops": ("cause", "cause process", "note improve", "note training", "postmortem review"),
    "full": ("impact users", "impact business", "impact money", "note improve", "note docs", "postmortem review"),
    "sysadmin": (
        "note systems",
        "note logs",
        "note config",
        "impact performance",
        "impact operations",
        "note training",
    ),
}


def draft(template: str, told: list[TimelineEntry], items: list[ActionItem] | None = None) -> dict[str, Section]:
    document = assemble(INCIDENT, told, items or [], zone=ZoneInfo("UTC"))
    return {section.key: section for section in rendering.render_draft(document, template)}


def case_document(name: str) -> Document:
    case = casebook.load(name)
    return assemble(casebook.incident(case), casebook.entries(case), casebook.items(case), zone=casebook.zone(case))


def test_the_six_forms_ship_and_say_what_they_are_for() -> None:
    catalog = TemplateCatalog()
    assert catalog.names() == tuple(sorted(FORMS))
    abouts = [catalog.about(name) for name in catalog.names()]
    assert all(about.endswith(".") and len(about) < 130 for about in abouts)


@pytest.mark.parametrize("template", FORMS)
@pytest.mark.parametrize("name", casebook.NAMES)
def test_a_case_fills_every_section_of_the_form_and_loses_no_word(name: str, template: str) -> None:
    case, document = casebook.load(name), case_document(name)
    drafted = rendering.render_draft(document, template)
    assert tuple(section.key for section in drafted if section.key != STILL_OPEN) == FORMS[template]
    assert all(section.body == section.body.strip() != "" and section.heading for section in drafted)
    assert not any("\n\n\n" in section.body or "None" in section.body for section in drafted)
    file = rendering.markdown(casebook.incident(case), drafted).replace("**", "").casefold()
    # Several causes of one entry stand apart.
    entries = casebook.entries(case)
    told = [each.text for entry in entries for each in (causes(entry) if entry.kind == "cause" else [entry])]
    told = [topic(text)[1] for text in told] + [item.text for item in casebook.items(case)]
    assert [words for words in told if words.strip().casefold() not in file] == []


@pytest.mark.parametrize("key", ["summary", "timeline", "measures"])
@pytest.mark.parametrize("name", casebook.PUBLISHED)
def test_a_key_means_the_same_in_every_form(name: str, key: str) -> None:
    document = case_document(name)
    bodies = {
        section.body
        for template in FORMS
        for section in rendering.render_draft(document, template)
        if section.key == key
    }
    assert len(bodies) == 1


@pytest.mark.parametrize("name", casebook.NAMES)
def test_no_form_states_a_figure_nobody_stated(name: str) -> None:
    case, document = casebook.load(name), case_document(name)
    computed = " ".join(section.body for section in rendering.render_draft(document, "classic"))
    said = " ".join(each.text for each in casebook.entries(case))
    known = set(re.findall(r"\d+", f"{computed} {said} {len(casebook.items(case))}"))
    for template in FORMS:
        for section in rendering.render_draft(document, template):
            if section.key in {"log", "effectiveness"}:
                continue  # one counts what was told, the other plans
            prose = re.sub(r"`[^`]*`", "", section.body)
            assert set(re.findall(r"\d+", prose)) <= known


def _typed(command: str) -> str:
    """A pattern of the command as a question names it, with the incident's own time before the words."""
    name, *words = command.split(" ", 1)
    return rf"`/{name}\b[^`]*\b{words[0] if words else ''}"


@pytest.mark.parametrize("template", UNKNOWN)
def test_what_a_form_cannot_know_it_asks_naming_the_command(template: str) -> None:
    file = "\n".join(section.body for section in draft(template, []).values())
    asked = draft(template, [])[STILL_OPEN].body
    assert [each for each in UNKNOWN[template] if not re.search(_typed(each), asked)] == []
    assert "0 s" not in file


@pytest.mark.parametrize(("words", "place"), TOPICS.items())
def test_words_that_say_what_they_are_about_fill_their_section(words: str, place: tuple[str, str]) -> None:
    template, key = place
    label, _, text = words.partition(": ")
    # A review is best answered with a plan for it.
    commands = {
        "review": "postmortem review", "differently": "note improve", "noticing": "lesson badly: noticing",
        "coordination": "lesson well: coordinating", "telling": "lesson badly: telling",
    }  # fmt: skip
    asked = _typed(commands.get(label) or f"note {label}")
    assert re.search(asked, draft(template, [])[STILL_OPEN].body)
    sections = draft(template, [entry(1, "note", after(0), words)])
    assert text.casefold() in sections[key].body.casefold()
    assert f"{label}:" not in sections[key].body
    assert not re.search(asked, sections[STILL_OPEN].body)
    assert text not in sections["timeline"].body


def test_a_note_says_in_the_timeline_what_it_is_about_where_the_form_has_no_section_for_it() -> None:
    drafted = draft("classic", [entry(1, "note", after(0), "systems: db1"), entry(2, "did", after(1), "x")])
    assert "Note (affected systems): db1 — alice" in drafted["timeline"].body


def test_impact_stands_under_what_it_hurt_and_what_fits_nowhere_under_the_first() -> None:
    told = [
        entry(1, "impact", after(0), "p99 latency of 9 s"),
        entry(2, "impact", after(1), "money: $4,000 in refunds"),
        entry(3, "impact", after(2), "20% of users saw errors"),
    ]
    impact = draft("full", told)["impact"].body
    users, money = re.split(r"### (?:Users|Money)", impact)[1:]
    assert " ".join(users.split()) == "- p99 latency of **9 s**. - **20% of users** saw errors."
    assert money.strip() == "- **$4,000** in refunds."
    assert " business: " in draft("full", told)[STILL_OPEN].body
    performance = draft("sysadmin", told)["impact"].body.partition("### Performance")[2]
    assert "latency" in performance.partition("### Operations")[0]


def test_impact_that_hurt_several_is_told_once() -> None:
    told = [entry(1, "impact", after(0), "20% of users get errors, the servers are offline")]
    sections = draft("sysadmin", told)
    assert sections["impact"].body.count("the servers are offline") == 1
    assert "###" not in sections["impact"].body.partition("### Users")[2]
    # Nor does the summary repeat the share that the only line above it tells.
    assert sections["summary"].body.count("20% of users") == 1


def test_a_missing_date_is_asked_for_with_the_command_that_gives_it() -> None:
    items = [item(1, "x", owner="dba", due_on=date(2026, 4, 1)), item(2, "y", owner="dba")]
    assert "`/actionitem due 2 friday`" in draft("full", [], items)[STILL_OPEN].body


def test_a_form_without_lessons_still_shows_those_that_were_told_and_asks_for_no_others() -> None:
    told = [entry(1, "lesson", after(0), "the rollback was quick", qualifier="well")]
    assert draft("sysadmin", told)["lessons"].body == "### What went well\n\n- The rollback was quick."
    assert "lessons" not in draft("sysadmin", [])


def test_lessons_about_the_response_stand_by_topic_in_its_own_form_and_by_side_in_the_others() -> None:
    told = [
        entry(1, "lesson", after(0), "noticing: the alert came first", qualifier="well"),
        entry(2, "lesson", after(1), "the rollback was quick", qualifier="well"),
        entry(3, "lesson", after(2), "telling: nobody told support", qualifier="badly"),
        entry(4, "note", after(3), "coordinating: two leads"),
    ]
    by_topic = draft("response", told)["lessons"].body
    noticing, coordinating, telling, others = re.split(
        r"### (?:Noticing it|Coordinating|Telling others|What went well)", by_topic
    )[1:]
    assert noticing.strip() == "- Went well: the alert came first."
    assert coordinating.strip() == "- Two leads."
    assert telling.strip() == "- Went badly: nobody told support."
    assert "The rollback was quick" in others
    assert "alert" not in others
    by_side = draft("classic", told)["lessons"].body
    assert re.findall("^- (.*)$", by_side, re.MULTILINE) == [
        "The alert came first.", "The rollback was quick.", "Nobody told support.",
    ]  # fmt: skip


def test_what_contributed_stands_apart_from_the_root_cause() -> None:
    told = [
        entry(1, "cause", after(0), "a full disk", qualifier="technical"),
        entry(2, "cause", after(1), "no alert", qualifier="technical"),
        entry(3, "cause", after(2), "the review was skipped", qualifier="process"),
    ]
    sections = draft("devops", told)
    assert sections["cause"].body == "A full disk."
    technical, process = re.split(r"### \w+", sections["factors"].body)[1:]
    assert (technical.strip(), process.strip()) == ("- No alert.", "- The review was skipped.")
    assert "/cause" in sections[STILL_OPEN].body
    assert " human: " in sections[STILL_OPEN].body
    only = draft("devops", told[:1])["factors"].body
    assert only == "### Technical\n\nThe root cause above."


def test_the_feedback_loop_says_by_when_each_item_is_done_and_looked_at_again_and_whether_it_worked() -> None:
    due = date(2026, 3, 20)
    items = [
        item(1, "one", due_on=due),
        item(2, "two"),
        item(3, "three", due_on=due, state="done", look_again_on=date(2026, 4, 11)),
        item(
            4,
            "four",
            state="done",
            look_again_on=date(2026, 4, 11),
            worked=True,
            worked_why="it *rang*",
            worked_by="bob",
            worked_at=after(0),
        ),
        item(5, "five", state="done", worked=False),
        item(6, "six", state="dropped"),
    ]
    loop = draft("devops", [], items)["effectiveness"].body
    assert loop.splitlines() == [
        "- **#1** open, due Friday 20 March 2026, to be looked at again by Sunday 19 April 2026.",
        "- **#3** *done*; whether it worked is to be looked at on Saturday 11 April 2026.",
        "- **#4** *it worked*, said bob on Monday 2 March 2026: it \\*rang\\*.",
        "- **#5** *it did not work*.",
    ]
    assert draft("full", [], items)["effectiveness"].body == loop
    undated = [item(number, "x") for number in range(1, 4)]
    assert draft("full", [], undated)["effectiveness"].body == NOTHING
    assert "/actionitem due 1" in draft("devops", [], undated)[STILL_OPEN].body
    assert "*done, it worked*" in draft("classic", [], items)["measures"].body


RESOLVED = "It is resolved."


def for_customers(told: list[TimelineEntry], items: list[ActionItem] | None = None) -> list[str]:
    """The lines of the draft for customers, without the marks of the quotation."""
    body = draft("response", told, items)["communication"].body
    return [line[2:] for line in body.split("\n") if line.startswith("> ")]


def test_the_draft_for_customers_tells_what_for_how_long_and_what_is_done() -> None:
    told = [
        entry(1, "impact", after(0), "20% of users saw errors on db1, CPU at 100%; we lost 3 orders worth $90"),
        entry(2, "impact", after(1), "private: the press called"),
        entry(3, "impact", after(2), "money: refunds of $4,000"),
        entry(4, "impact", after(3), "on-call could not reach the deploy pipeline"),
        entry(5, "impact", after(4), "12 uploads lost; no payment data exposed"),
        entry(6, "resolved", after(25)),
    ]
    items = [
        item(1, "prevent: we should page alice on db1", owner="dba", ticket="https://acme.example/browse/OPS-1"),
        item(2, "alert on lag, done when: it fires", state="done"),
        item(3, "private: pay the ransom"),
        item(4, "dropped words", state="dropped"),
    ]
    assert for_customers(told, items) == [
        f"On Monday 2 March 2026 the service did not work as it should for 25 min, from 12:00 to 12:25 UTC. {RESOLVED}",
        "**What customers noticed:** 20% of users saw errors on host A.",
        "**What was lost:** 12 uploads lost.",
        "**What was not affected:** No payment data exposed.",
        "**What has been done:** Alert on lag.",
        "**What is being done:** The team should page an engineer on host A.",
        "We are sorry for the trouble that this caused.",
    ]


def test_customers_are_told_of_the_rounds_and_not_of_the_quiet_time_between() -> None:
    told = [
        entry(1, "detected", after(-30)),
        entry(2, "started", after(0)),
        entry(3, "resolved", after(20)),
        entry(4, "reopened", after(60)),
        entry(5, "resolved", after(90)),
    ]
    [first, *_] = for_customers(told)
    assert first == (
        "The service did not work as it should for 50 min in two rounds: on Monday 2 March 2026 from 12:00 to "
        "12:20 UTC; and then from 13:00 to 13:30 UTC. It is resolved."
    )
    [still, *_] = for_customers(told[:2])
    assert (
        still == "On Monday 2 March 2026 the service stopped working as it should at 12:00 UTC. It is being worked on."
    )


@pytest.mark.parametrize(
    ("impact", "words"),
    [
        (-25, "Detected on Monday 2 March 2026 at 12:00 UTC, **25 min** after the impact began."),
        (0, "Detected on Monday 2 March 2026 at 12:00 UTC, in the minute in which the impact began."),
        (180, "Detected on Monday 2 March 2026 at 12:00 UTC, **3 h** before the impact began."),
        (None, "Detected on Monday 2 March 2026 at 12:00 UTC."),
    ],
)
def test_the_detection_is_told_against_the_impact(impact: int | None, words: str) -> None:
    told = [entry(1, "detected", after(0))]
    if impact is not None:
        told.append(entry(2, "impact", after(impact), "20% of users saw errors"))
    assert draft("response", told)["detection"].body == words


def test_the_checklist_ticks_only_what_the_timeline_shows() -> None:
    told = [
        entry(1, "started", after(0)),
        entry(2, "detected", after(1), qualifier="monitoring"),
        entry(3, "resolved", after(9)),
    ]
    body = draft("full", told, [item(1, "x", owner="dba", due_on=date(2026, 4, 1)), item(2, "y", owner="dba")])
    lines = body["checklist"].body.splitlines()
    assert [line for line in lines if line.startswith("- ☑")] == [
        "- ☑ Start, detection and resolution have their times",
        "- ☑ It is told who or what noticed it first",
        "- ☑ The timeline is thorough: it says what went on in every half hour",
    ]
    unsorted = draft("full", [*told, entry(4, "cause", after(2), "a full disk")])["checklist"].body
    assert "- ☐ Technical, process and human factors are each looked at" in unsorted
    assert "###" not in draft("devops", [*told, entry(4, "cause", after(2), "a full disk")])["factors"].body
    assert "- ☑ The timeline is thorough" not in draft("full", [told[0], entry(2, "note", after(31))])["checklist"].body


def hostile(template: str, text: str) -> dict[str, Section]:
    told = [entry(number, kind, after(number), text, author=text) for number, kind in enumerate(KINDS, 1)]
    told += [entry(50, "note", after(50), f"{words}{text}") for words in TOPICS]
    items = [item(1, text, owner=text, kind="short-term"), item(2, text, state="dropped", reason=text)]
    return draft(template, told, items)


@pytest.mark.parametrize("template", FORMS)
def test_hostile_words_in_every_field_break_no_form(template: str) -> None:
    # A semicolon divides the words of a cause.
    plain, longer, divided = (hostile(template, words) for words in ("words", "words\nand more", "words; and more"))
    harmless = {
        key: tokens(section.body) | tokens(longer[key].body) | tokens(divided[key].body)
        for key, section in plain.items()
    }
    for key, section in hostile(template, HOSTILE).items():
        assert tokens(section.body) <= harmless[key] | {
            "code_inline",
            "fence",
            "strong_open",
            "strong_close",
            "text_special",
        }
        assert "<!channel" not in re.sub(r"^ *(`{3,}).*?^ *\1$", "", section.body, flags=re.DOTALL | re.MULTILINE)
