"""The five ways to write a postmortem, on every case and on words that want to break them."""

import re
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from bot.documents import rendering
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.document import Document
from bot.vocabulary import KINDS
from storage.values import ActionItem, Section, TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry, item
from tests.unit.documents.test_rendering import HOSTILE, INCIDENT, after, tokens

FORMS = {
    "classic": ("summary", "timeline", "cause", "measures", "lessons", "response"),
    "learning": ("summary", "cause", "timeline", "resolution", "measures", "lessons"),
    "response": (
        "summary", "cause", "detection", "response", "escalation", "resolution", "timeline", "measures",
        "communication",
    ),
    "full": (
        "summary", "impact", "response", "timeline", "cause", "resolution", "lessons", "measures", "follow-up",
        "communication", "checklist",
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
    "told customers: at 12:10": ("response", "communication"),
    "told staff: by mail": ("full", "communication"),
    "improve: one lead": ("full", "lessons"),
    "review: on Friday": ("full", "follow-up"),
}
UNKNOWN = {
    "learning": ("cause technical", "cause process", "cause human", "lesson well", "mitigated", "resolved"),
    "response": ("detected", "acknowledged", "escalated", "note communication", "note told customers"),
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


def test_the_five_forms_ship_and_say_what_they_are_for() -> None:
    catalog = TemplateCatalog()
    assert catalog.names() == tuple(sorted(FORMS))
    abouts = [catalog.about(name) for name in catalog.names()]
    assert all(about.endswith(".") and len(about) < 130 for about in abouts)


@pytest.mark.parametrize("template", FORMS)
@pytest.mark.parametrize("name", casebook.NAMES)
def test_a_case_fills_every_section_of_the_form_and_loses_no_word(name: str, template: str) -> None:
    case, document = casebook.load(name), case_document(name)
    drafted = rendering.render_draft(document, template)
    assert tuple(section.key for section in drafted) == FORMS[template]
    assert all(section.body == section.body.strip() != "" and section.heading for section in drafted)
    assert not any("\n\n\n" in section.body or "None" in section.body for section in drafted)
    file = rendering.markdown(casebook.incident(case), drafted).replace("**", "")
    told = [entry.text for entry in casebook.entries(case)] + [item.text for item in casebook.items(case)]
    assert all(words in file for words in told)


@pytest.mark.parametrize("key", ["summary", "timeline", "measures"])
@pytest.mark.parametrize("name", casebook.NAMES)
def test_a_key_means_the_same_in_every_form(name: str, key: str) -> None:
    document = case_document(name)
    due = document.questions["due"].text
    bodies = {
        section.body.partition(f"\n\n*Not known.* {due}")[0]
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
            prose = re.sub(r"`[^`]*`", "", section.body)
            assert set(re.findall(r"\d+", prose)) <= known


@pytest.mark.parametrize("template", UNKNOWN)
def test_what_a_form_cannot_know_it_asks_naming_the_command(template: str) -> None:
    file = "\n".join(section.body for section in draft(template, []).values())
    assert all(re.search(rf"\*Not known\.\* [^`]+`/{command}\b", file) for command in UNKNOWN[template])
    assert "0 s" not in file


@pytest.mark.parametrize(("words", "place"), TOPICS.items())
def test_words_that_say_what_they_are_about_fill_their_section(words: str, place: tuple[str, str]) -> None:
    template, key = place
    label, _, text = words.partition(": ")
    # A review is best answered with a plan for it.
    asked = "`/postmortem review" if label == "review" else f"`/note {label.split()[0]}"
    assert asked in draft(template, [])[key].body
    body = draft(template, [entry(1, "note", after(0), words)])[key].body
    assert text in body
    assert f"{label}:" not in body
    assert asked not in body or label.startswith("told")


def test_impact_stands_under_what_it_hurt_and_what_fits_nowhere_under_the_first() -> None:
    told = [
        entry(1, "impact", after(0), "p99 latency of 9 s"),
        entry(2, "impact", after(1), "money: $4,000 in refunds"),
        entry(3, "impact", after(2), "20% of users saw errors"),
    ]
    impact = draft("full", told)["impact"].body
    users, business, money = re.split(r"### \w+", impact)[1:]
    assert " ".join(users.split()) == "- p99 latency of **9 s** - **20% of users** saw errors"
    assert "`/impact business:" in business
    assert money.strip() == "- **$4,000** in refunds"
    performance = draft("sysadmin", told)["impact"].body.partition("### Performance")[2]
    assert "latency" in performance.partition("### Operations")[0]


def test_impact_that_hurt_several_is_told_once() -> None:
    told = [entry(1, "impact", after(0), "20% of users get errors, the servers are offline")]
    sections = draft("sysadmin", told)
    assert sections["impact"].body.count("the servers are offline") == 1
    performance, operations = sections["impact"].body.partition("### Performance")[2].split("### Operations")
    assert performance.strip() == operations.strip() == "As told above."
    # Nor does the summary repeat the share that the only line above it tells.
    assert sections["summary"].body.count("20% of users") == 1


def test_a_missing_date_is_asked_for_with_the_command_that_gives_it() -> None:
    items = [item(1, "x", owner="dba", due_on=date(2026, 4, 1)), item(2, "y", owner="dba")]
    assert "`/actionitem due 2 friday`" in draft("full", [], items)["measures"].body


def test_a_form_without_lessons_still_shows_those_that_were_told_and_asks_for_no_others() -> None:
    told = [entry(1, "lesson", after(0), "the rollback was quick", qualifier="well")]
    for template in ("response", "sysadmin"):
        assert draft(template, told)["lessons"].body == "### What went well\n\n- the rollback was quick"
        assert "lessons" not in draft(template, [])


def test_the_draft_for_customers_tells_times_and_share_but_nothing_from_a_private_entry() -> None:
    told = [
        entry(1, "impact", after(0), "20% of users saw errors"),
        entry(2, "resolved", after(25)),
    ]
    body = draft("response", told, [item(1, "fix it")])["communication"].body
    assert (
        "> From Monday 2 March 2026, 12:00 UTC to 12:25 UTC (25 min), our service did not work as it should. "
        "Affected: 20% of users. It is resolved. We have agreed on 1 measure to keep it from happening again." in body
    )
    told[0] = replace(told[0], text="private: 20% of users saw errors")
    assert "20%" not in draft("response", told)["communication"].body


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
    ]


def hostile(template: str, text: str) -> dict[str, Section]:
    told = [entry(number, kind, after(number), text, author=text) for number, kind in enumerate(KINDS, 1)]
    told += [entry(50, "note", after(50), f"{words}{text}") for words in TOPICS]
    items = [item(1, text, owner=text, kind="short-term"), item(2, text, state="dropped", reason=text)]
    return draft(template, told, items)


@pytest.mark.parametrize("template", FORMS)
def test_hostile_words_in_every_field_break_no_form(template: str) -> None:
    harmless = {key: tokens(section.body) for key, section in hostile(template, "words").items()}
    for key, section in hostile(template, HOSTILE).items():
        assert tokens(section.body) <= harmless[key] | {"fence", "strong_open", "strong_close", "text_special"}
        assert "<!channel" not in re.sub(r"^ *(`{3,}).*?^ *\1$", "", section.body, flags=re.DOTALL | re.MULTILINE)
