"""An operator's own templates with headings that people know, and the page that says what a template may use."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from bot.documents import drafting
from bot.documents.rendering import FILTERS, markdown
from bot.documents.templates import SHIPPED, TemplateCatalog
from bot.domain.incident.impact import ASPECTS
from bot.domain.incident.topics import TOPICS
from bot.domain.postmortem.document import Document, Item
from tests.support.paths import ROOT
from tests.unit.documents import golden

OWN = Path(__file__).parent / "own"
PAGE = (ROOT / "deploy" / "TEMPLATES.md").read_text(encoding="utf-8")
HEADINGS = {
    "sre": {
        "about": "About this incident", "summary": "Summary", "impact": "Impact", "cause": "Root Causes",
        "trigger": "Trigger", "resolution": "Resolution", "detection": "Detection", "measures": "Action Items",
        "lessons": "Lessons Learned", "timeline": "Timeline", "supporting-information": "Supporting information",
    },
    "atlassian": {
        "summary": "Incident summary", "leadup": "Leadup", "cause": "Fault", "impact": "Impact",
        "detection": "Detection", "response": "Response", "resolution": "Recovery", "timeline": "Timeline",
        "five-whys": "Five whys", "backlog-check": "Backlog check", "recurrence": "Recurrence", "lessons": "Lessons",
        "measures": "Corrective actions",
    },
    "pagerduty": {
        "summary": "Overview", "what-happened": "What Happened", "factors": "Contributing Factors",
        "resolution": "Resolution", "impact": "Impact", "what-went-well": "What Went Well?",
        "what-didn-t-go-so-well": "What Didn't Go So Well?", "measures": "Action Items",
        "internal-messaging": "Internal Messaging", "external-messaging": "External Messaging",
    },
}  # fmt: skip
SAID = {
    "sre": {
        "about": "**Severity:** SEV1, **lead:** mira", "trigger": "the renderer began to print blank labels",
        "lessons": "### Where we got lucky\n\n- the night shift",
        "supporting-information": "```text\nrenderer[88]: font",
    },
    "atlassian": {
        "leadup": "- 09:30 release 8.4", "five-whys": "3. the release note said", "backlog-check": "- #1: LABEL-12",
        "recurrence": "*it worked*",
    },
    "pagerduty": {
        "what-happened": "**10:41 CET** (09:41 UTC)", "internal-messaging": "- the warehouse stops",
        "external-messaging": "- the status page says", "what-went-well": "- going back to 8.3",
    },
}  # fmt: skip


@pytest.fixture
def document() -> Document:
    return golden.document()


@pytest.mark.parametrize("name", HEADINGS)
def test_the_headings_people_know_make_a_whole_document(document: Document, name: str) -> None:
    catalog = TemplateCatalog(OWN)
    drafted = drafting.draft_sections(document, name, catalog)
    assert drafted.problem is None
    assert {each.key: each.heading for each in drafted.sections if each.key in HEADINGS[name]} == HEADINGS[name]
    bodies = {each.key: each.body for each in drafted.sections}
    assert [key for key, words in SAID[name].items() if words not in bodies[key]] == []
    assert all(bodies.values())
    assert catalog.about(name).startswith("Headings as in ")
    assert "{%" not in markdown(golden.INCIDENT, drafted.sections)


def test_a_section_is_merged_in_the_next_draft_as_in_a_shipped_template(document: Document) -> None:
    first = drafting.draft_sections(document, "sre", TemplateCatalog(OWN)).sections
    again = drafting.draft_sections(document, "sre", TemplateCatalog(OWN)).sections
    assert first == again
    shipped = {each.key for each in drafting.draft_sections(document, "classic", TemplateCatalog()).sections}
    assert {"summary", "timeline", "cause", "measures", "lessons"} <= {each.key for each in first} & shipped


def write(folder: Path, file: str, text: str) -> TemplateCatalog:
    (folder / file).write_text(text, encoding="utf-8")
    return TemplateCatalog(folder)


def test_both_endings_are_found_and_the_longer_one_counts(document: Document, tmp_path: Path) -> None:
    catalog = write(tmp_path, "weekly.md", "## {{ incident.title }} & *more*\n\nplain")
    assert "weekly" in catalog.names()
    (section,) = drafting.draft_sections(document, "weekly", catalog).sections[:1]
    assert (section.heading, section.body) == ("Parcel labels came out blank & more", "plain")
    write(tmp_path, "weekly.md.j2", "## Jinja\n\njinja")
    assert drafting.draft_sections(document, "weekly", catalog).sections[0].body == "jinja"
    write(tmp_path, "README.md", "## How to\n\nread")
    write(tmp_path, "readme.md", "## How to\n\nread")
    assert set(catalog.names()) - set(TemplateCatalog().names()) == {"weekly"}


def test_an_own_md_of_a_shipped_name_takes_its_place(document: Document, tmp_path: Path) -> None:
    catalog = write(tmp_path, "classic.md", "## Ours\n\nour own")
    assert drafting.draft_sections(document, "classic", catalog).sections[0].body == "our own"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("## Summary\n\n{{ nothing }}", "weekly.md, line 3: 'nothing' is undefined"),
        ("## Summary\n\n{% if %}", "weekly.md, line 3: Expected an expression"),
        ("only words", "weekly.md: it has no section: a line such as ## Summary begins one"),
        ("## A\n{{ ''.__class__.__mro__ }}", "weekly.md, line 2: access to attribute '__class__'"),
        ("## A\n{% include 'postmortem/parts/sumary.md.j2' %}", "there is no file"),
        ("## A\n{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "took longer than"),
        ("## A\n{% call section('B') %}x{% endcall %}{% call section('B') %}x{% endcall %}", ""),
    ],
)  # fmt: skip
def test_a_broken_one_falls_back_and_is_named(document: Document, tmp_path: Path, text: str, problem: str) -> None:
    limit_s = 0.5 if "longer" in problem else 5
    drafted = drafting.draft_sections(document, "weekly", write(tmp_path, "weekly.md", text), limit_s=limit_s)
    if problem:
        assert problem in str(drafted.problem)
        assert drafted.instead == "classic"
    else:
        assert [each.key for each in drafted.sections[:2]] == ["b", "b-2"]


def test_what_people_typed_begins_no_section(tmp_path: Path) -> None:
    hostile = golden.hostile("## Owned\n\n# Owned\n\nOwned\n-----\n{{ 1 }}")
    line = "{{ line.words.first }}\n{{ line.words.rest | fenced }}"
    text = f"## Impact\n\n{{% for line in document.impact %}}\n{line}\n{{% endfor %}}"
    drafted = drafting.draft_sections(hostile, "weekly", write(tmp_path, "weekly.md", text))
    assert "impact" in {each.key for each in drafted.sections}
    assert not any("owned" in each.key for each in drafted.sections)
    assert "{{ 1 }}" in drafted.sections[0].body


def test_the_pages_example_renders(document: Document, tmp_path: Path) -> None:
    example = re.search(r"^```jinja\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
    assert example
    drafted = drafting.draft_sections(document, "weekly", write(tmp_path, "weekly.md", example[1]))
    assert drafted.problem is None
    bodies = {each.key: each.body for each in drafted.sections}
    assert list(bodies)[:4] == ["summary", "trigger", "measures", "timeline"]
    assert "- [x] put the fonts into the release (jon, Friday 20 March 2026)" in bodies["measures"]
    assert bodies["trigger"] == "- 10:02 the renderer began to print blank labels"


def test_the_page_names_every_part_every_field_and_every_filter() -> None:
    parts, variables = PAGE.split("## Parts")[1].split("## Variables")
    named = set(re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in parts.splitlines() if line[:1] == "|")))
    helpers = {"canvas", "editable", "file", "head", "words", "told", "lessons_told", "still_open", "offers"}
    assert named == {path.name.removesuffix(".md.j2") for path in (SHIPPED / "parts").iterdir()} - helpers
    assert {each.name for each in fields(Item)} <= set(re.findall(r"\w+", variables))
    assert set(re.findall(r"document\.(\w+)", PAGE)) <= {*dir(Document), *(each.name for each in fields(Document))}
    words = set(re.findall(r"\w+", variables))
    assert {*TOPICS} <= words
    assert {*ASPECTS} <= set(re.findall(r"\w+", parts))
    assert set(re.findall(r"`(\w+)", variables.split("Filters beside")[1])) <= FILTERS.keys()
