"""Versions that earlier templates wrote and people edited: drafted anew, they keep every edit and nothing else."""

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.documents import rendering
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.conflict import count_conflicts
from bot.domain.postmortem.edition import published
from bot.domain.postmortem.redraft import redraft, rewritten
from storage.values import Section
from tests.support import casebook
from tests.support.casebook import entry
from tests.support.paths import CASES

STORED = CASES / "stored"
NAMES = sorted(path.stem for path in STORED.glob("*.json"))
TEMPLATES = ("classic", "full", "learning", "response", "sysadmin")
NOON = datetime(2017, 2, 1, 12, tzinfo=UTC)
MORE = [
    entry(1, "started", NOON, "the cleanup ran"),
    entry(2, "impact", NOON + timedelta(minutes=1), "all projects were offline"),
    entry(3, "detected", NOON + timedelta(minutes=5), "nothing answers", qualifier="customer"),
    entry(4, "did", NOON + timedelta(minutes=50), "copied the snapshot back"),
    entry(5, "resolved", NOON + timedelta(minutes=90), "projects are back"),
    entry(6, "cause", NOON + timedelta(days=1), "both consoles looked the same", qualifier="human"),
    entry(7, "note", NOON + timedelta(days=1), "systems: db1"),
    entry(8, "lesson", NOON + timedelta(days=1), "backups were never tried", qualifier="badly"),
]


@cache
def stored(name: str, template: str) -> tuple[Section, ...]:
    """A version as the templates of an earlier release wrote it."""
    bodies = json.loads((STORED / f"{name}.json").read_text())[template]
    return tuple(Section(key=key, heading=heading, body=body) for key, (heading, body) in bodies.items())


@cache
def fresh(template: str, count: int) -> tuple[Section, ...]:
    incident = casebook.incident(casebook.load(casebook.NAMES[1]))
    document = assemble(incident, MORE[:count], [], zone=ZoneInfo("UTC"), named=True)
    return rendering.render_draft(document, template)


def lines(text: str) -> list[str]:
    """The lines that say something, those in quotes of two versions without their mark."""
    return [words for line in text.split("\n") if (words := line.removeprefix(">").strip())]


def test_every_template_of_that_time_is_there() -> None:
    assert set(TEMPLATES) <= set(TemplateCatalog().names())
    assert len(NAMES) > 2


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("name", NAMES)
def test_a_stored_version_nobody_edited_is_drafted_anew_without_a_trace(name: str, template: str) -> None:
    assert redraft(stored(name, template), fresh(template, 8)).sections == fresh(template, 8)


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("name", NAMES)
def test_a_stored_version_is_published_without_its_questions(name: str, template: str) -> None:
    sections = published(stored(name, template))
    assert not any("*Not known.*" in section.body for section in sections)
    assert all(section.body.strip() for section in sections)


EDIT = st.tuples(st.sampled_from(("change", "add", "drop")), st.integers(0, 10_000))


@settings(max_examples=60, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    template=st.sampled_from(TEMPLATES),
    edits=st.lists(EDIT, min_size=1, max_size=5),
    count=st.integers(1, len(MORE)),
)
def test_edits_of_a_stored_version_stay_and_what_nobody_touched_goes(
    name: str, template: str, edits: list[tuple[str, int]], count: int
) -> None:
    for section in stored(name, template):
        body, written = section.body.split("\n"), []
        for number, (how, place) in enumerate(edits):
            at = place % len(body)
            if "```" in section.body or body[at].startswith(("|", "#")):
                continue
            words = f"Words of a person, number {number}."
            written.append(words)
            if how == "change" and body[at]:
                body[at] = f"{body[at]} {words}"
            elif how == "drop":
                body[at : at + 1] = []
                written.pop()
            else:
                body[at:at] = ["", words, ""]
            body = body or [""]
        edited = rewritten(section, "\n".join(body))
        new = next((each for each in fresh(template, count) if each.key == section.key), None)
        if new is None or edited.removed:
            continue
        (merged,) = redraft([edited], [new]).sections
        assert all(words in merged.body for words in written if words in edited.body)
        touched = {line for line in lines(edited.body) if line not in lines(section.body)}
        machine = set(lines(section.body)) - touched - set(lines(new.body))
        assert not machine & set(lines(merged.body))
        for line in set(lines(new.body)):
            assert merged.body.count(f"{line}\n") <= max(1, new.body.count(f"{line}\n")) + edited.body.count(line)


def test_a_conflict_repeats_only_what_the_person_changed() -> None:
    for template in TEMPLATES:
        (summary, *_) = stored("half", template)
        line = next(line for line in summary.body.split("\n") if line.startswith("**Root cause:**"))
        edited = rewritten(summary, summary.body.replace(line, "**Root cause:** two consoles that look the same"))
        merged = redraft([edited, *stored("half", template)[1:]], fresh(template, 8)).sections
        text = "\n".join(section.body for section in merged)
        assert "two consoles that look the same" in merged[0].body
        assert "Not known" not in text
        assert count_conflicts(merged[0].body) <= 1
        assert all(merged[0].body.count(line) == 1 for line in lines(merged[0].body) if "consoles" in line)
