"""A postmortem exported to a file, edited and imported."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.documents import drafting
from bot.documents.export import FORMATS, editable
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem.conflict import count_conflicts
from bot.domain.postmortem.redraft import rewritten
from bot.errors import UsageError
from bot.handlers.postmortem import drafts
from bot.handlers.postmortem.audiences import AudienceOptions, render_for
from bot.handlers.postmortem.exports import read_by_name
from bot.handlers.postmortem.file_import import ImportResult, decode, import_file
from storage import postmortems
from storage.database import Database
from storage.values import Postmortem
from tests.support.asking import NOON, ask, save_draft

MARK = "<!-- scribe: section {} -->"


def draft(database: Database, template: str = "classic") -> Postmortem:
    with database.write() as connection:
        incident, document = drafts.load_document(connection, 1, prefix="")
        drafted = drafting.draft_sections(document, template, TemplateCatalog())
        return save_draft(connection, incident, drafted, template=template)


@pytest.fixture
def store(sqlite: Database) -> Database:
    """INC-1, drafted."""
    ask(sqlite, "/detected disk full")
    draft(sqlite)
    return sqlite


def written(store: Database) -> str:
    return editable(read_by_name(store, "INC-1"))


def bring_in(store: Database, text: str) -> ImportResult:
    return import_file(store, decode(text.encode(), "f.md"), "f.md", by="bob", at=NOON + timedelta(hours=1))


def newest(store: Database) -> Postmortem:
    with store.read() as connection:
        version = postmortems.newest(connection, 1)
    assert version is not None
    return version


def body(store: Database, key: str) -> str:
    section = newest(store).section(key)
    assert section is not None
    return section.body


def replaced(store: Database, key: str, words: str, text: str = "") -> str:
    """The file with other words as the body of a section of the newest version."""
    head, mark, rest = (text or written(store)).partition("## Lessons learned" if key == "lessons" else key)
    return head + mark + rest.replace(body(store, key), words, 1)


def edited_by(store: Database, who: str, key: str, text: str) -> None:
    """Save a section as another user, without the file."""
    version = newest(store)
    sections = tuple(rewritten(each, text) if each.key == key else each for each in version.sections)
    with store.write() as connection:
        facts = {"template": version.template, "sections": sections, "drafted_at": NOON, "drafted_by": who}
        postmortems.add(connection, 1, **facts, origin="edit")


def test_an_unchanged_file_changes_nothing(store: Database) -> None:
    imported = bring_in(store, written(store))
    assert (imported.new, imported.version.version) == (False, 1)


@pytest.mark.parametrize("template", TemplateCatalog().names())
def test_every_templates_draft_comes_back_as_it_was(store: Database, template: str) -> None:
    ask(store, "/note logs: see\n\n```\n## no heading\n```\n<!-- scribe: section summary -->")
    ask(store, "/lesson well: *stars* & <tags> #1")
    draft(store, template)
    assert not bring_in(store, written(store)).new


def test_an_edit_is_a_version_by_the_person_who_imports_it_and_the_same_file_again_makes_none(store: Database) -> None:
    text = written(store).replace("Detected: disk full", "Detected: the disk of db1 was full")
    imported = bring_in(store, text)
    assert (imported.new, imported.changed, imported.conflicts) == (True, ("Timeline",), ())
    version = newest(store)
    assert (version.version, version.origin, version.drafted_by) == (2, "import", "bob")
    assert version.drafted_at == NOON + timedelta(hours=1)
    again = bring_in(store, text)
    assert (again.new, again.already) == (False, 2)
    assert not bring_in(store, written(store)).new


def test_a_file_of_an_older_version_is_brought_together_with_what_came_since(store: Database) -> None:
    text = written(store)
    edited_by(store, "carol", "summary", "Carol's summary.")
    ask(store, "/cause process: nobody watched the disk")
    draft(store)
    imported = bring_in(store, replaced(store, "lessons", "We were lucky.", text))
    assert (imported.opened, imported.version.version, imported.changed) == (1, 4, ("Lessons learned",))
    assert body(store, "summary") != "We were lucky."
    assert "Carol's summary." in body(store, "summary")
    assert "obody watched the disk" in body(store, "cause")


def test_a_true_conflict_is_kept_with_both_and_named(store: Database) -> None:
    text = written(store).replace(body(store, "summary"), "The file's summary.")
    edited_by(store, "carol", "summary", "Carol's summary.")
    imported = bring_in(store, text)
    assert imported.conflicts == (("Issue summary", 1),)
    assert count_conflicts(body(store, "summary")) == 1
    for words in ("> The file's summary.", "> Carol's summary.", "> ***As carol saved it in version 2***"):
        assert words in body(store, "summary")
    assert not bring_in(store, text).new


def test_line_ends_and_a_byte_order_mark_of_another_system_change_nothing(store: Database) -> None:
    text = "\ufeff" + written(store).replace("\n", "\r\n")
    assert not bring_in(store, text).new
    assert bring_in(store, text.replace("Detected: disk full", "Detected: disk was full")).changed == ("Timeline",)
    assert "\r" not in body(store, "timeline")


def test_a_renamed_heading_stays_renamed_through_a_draft(store: Database) -> None:
    imported = bring_in(store, written(store).replace("## Lessons learned", "## What we *take* away"))
    assert imported.changed == ("What we *take* away",)
    assert draft(store).section("lessons") == newest(store).section("lessons")
    assert not bring_in(store, written(store)).new
    assert newest(store).sections[4].heading == "What we *take* away"


def test_a_heading_taken_away_while_its_comment_stands_changes_nothing(store: Database) -> None:
    assert not bring_in(store, written(store).replace("## Lessons learned\n", "")).new


def test_sections_may_be_moved(store: Database) -> None:
    text = written(store)
    parts = text.split("<!-- scribe: ")
    moved = "<!-- scribe: ".join([*parts[:2], *reversed(parts[2:-1]), parts[-1]])
    assert moved != text
    assert not bring_in(store, moved).new


def test_a_section_taken_out_of_the_file_is_taken_out_and_told(store: Database) -> None:
    before, _, after = written(store).partition(MARK.format("lessons"))
    text = before + MARK.format("response") + after.partition(MARK.format("response"))[2]
    imported = bring_in(store, text)
    assert (imported.removed, imported.missing) == (("Lessons learned",), ())
    assert "Lessons learned" not in written(store)
    draft(store)
    assert "Lessons learned" not in written(store)
    assert not bring_in(store, written(store)).new


def test_a_file_that_was_cut_short_takes_nothing_out(store: Database) -> None:
    text = (
        written(store).partition(MARK.format("measures"))[0].replace("Detected: disk full", "Detected: disk was full")
    )
    imported = bring_in(store, text)
    assert imported.missing == (
        "Corrective and preventative measures",
        "Lessons learned",
        "How the response went",
        "Still open",
    )
    assert (imported.removed, imported.changed) == ((), ("Timeline",))
    assert [each.heading for each in newest(store).shown][3:] == list(imported.missing)


def test_a_heading_typed_inside_a_section_is_part_of_its_text(store: Database) -> None:
    words = "## A heading of mine\n\nWords below.\n\n## Timeline\n\nNot the timeline."
    imported = bring_in(store, replaced(store, "lessons", words))
    assert imported.changed == ("Lessons learned",)
    assert body(store, "lessons") == words
    assert not bring_in(store, written(store)).new


def test_without_any_comment_the_headings_tell_and_what_they_do_not_know_gets_a_section(store: Database) -> None:
    lines = [line for line in written(store).split("\n") if not line.startswith("<!--")]
    text = "\n".join(lines).replace("Detected: disk full", "Detected: disk was full")
    imported = bring_in(store, text + "\n## Thanks to all!\n\nBob.\n\n## 2nd\n\nMore.\n")
    assert imported.changed == ("Timeline", "Thanks to all!", "2nd")
    assert [each.key for each in newest(store).sections][-2:] == ["thanks-to-all", "section-2nd"]
    assert body(store, "thanks-to-all") == "Bob."


def test_one_comment_gone_its_heading_tells(store: Database) -> None:
    text = (
        written(store)
        .replace(MARK.format("cause") + "\n", "")
        .replace("Detected: disk full", "Detected: disk was full")
    )
    imported = bring_in(store, text)
    assert (imported.changed, imported.removed) == (("Timeline",), ())


def test_without_comments_the_version_most_like_the_file_is_what_it_was_written_from(store: Database) -> None:
    text = "\n".join(line for line in written(store).split("\n") if not line.startswith("<!--"))
    edited_by(store, "carol", "summary", "Carol's summary.")
    imported = bring_in(store, replaced(store, "lessons", "We were lucky.", text))
    assert (imported.opened, imported.changed) == (1, ("Lessons learned",))
    assert body(store, "summary") == "Carol's summary."


def test_text_before_the_first_section_gets_a_section_of_its_own(store: Database) -> None:
    text = written(store).replace(MARK.format("summary"), f"Read this first.\n\n{MARK.format('summary')}")
    assert bring_in(store, text).changed == ("Notes",)
    assert body(store, "notes") == "Read this first."
    draft(store)
    assert body(store, "notes") == "Read this first."


def test_a_comment_that_stands_twice_loses_no_line(store: Database) -> None:
    text = written(store).replace(
        MARK.format("measures"), f"{MARK.format('summary')}\n## Again\n\nMore of it.\n\n{MARK.format('measures')}"
    )
    bring_in(store, text)
    assert "## Again\n\nMore of it." in body(store, "summary")


def test_an_unknown_section_comment_makes_a_section(store: Database) -> None:
    text = written(store).replace(
        MARK.format("measures"), f"{MARK.format('thanks')}\n## Thanks\n\nBob.\n\n{MARK.format('measures')}"
    )
    assert bring_in(store, text).changed == ("Thanks",)
    assert newest(store).sections[-1].edited


def test_a_section_of_a_megabyte_is_kept_and_drafted_over(store: Database) -> None:
    long = "\n".join(f"- line {number} of what the log said, kept for whoever looks closer" for number in range(17_000))
    assert len(long) > 1_000_000
    assert bring_in(store, replaced(store, "lessons", long)).changed == ("Lessons learned",)
    ask(store, "/lesson well: the alert")
    draft(store)
    assert set(long.split("\n")) <= {line.removeprefix("> ") for line in body(store, "lessons").split("\n")}
    assert not bring_in(store, written(store)).new


def test_the_title_stays_and_that_is_told(store: Database) -> None:
    imported = bring_in(store, written(store).replace("# INC-1: disk full", "# INC-1: db1 was full"))
    assert (imported.new, imported.retitled) == (False, "db1 was full")


def test_a_section_another_template_dropped_is_kept_when_the_file_changed_it(store: Database) -> None:
    text = written(store)
    draft(store, "sysadmin")
    assert newest(store).section("lessons") is None
    bring_in(
        store,
        text.replace("## Lessons learned\n", "## Lessons learned\n\n### What went really well\n\n- The runbook.\n"),
    )
    assert newest(store).section("lessons") is not None
    draft(store, "classic")
    assert [each.key for each in newest(store).sections][-1] == "still-open"
    assert body(store, "lessons") == "### What went really well\n\n- The runbook."


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no postmortem that scribe export wrote"),
        (b"# A recipe\n\nFlour.\n", "is no postmortem that scribe export wrote"),
        (b"# INC-1: x\n\n\xff\xfe\n", "is not in UTF-8: see line 3"),
        (b"# INC-9: x\n", "There is no INC-9"),
        (b"<!-- scribe: INC-1, version 44. -->\n", "is of version 44 of INC-1, and the store has only 1"),
    ],
)
def test_what_is_no_such_file_is_told_and_changes_nothing(store: Database, content: bytes, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        import_file(store, decode(content, "f.md"), "f.md", by="bob", at=NOON)
    assert newest(store).version == 1


def test_an_incident_without_a_draft_has_nothing_to_import_into(sqlite: Database) -> None:
    ask(sqlite, "/detected disk full")
    with pytest.raises(UsageError, match="has no draft yet"):
        bring_in(sqlite, "# INC-1: disk full\n")


def test_control_characters_are_made_visible(store: Database) -> None:
    bring_in(store, replaced(store, "lessons", "a\0b\x07"))
    assert body(store, "lessons") == "a\u2400b\u2407"


def test_the_blameless_and_public_files_and_the_page_have_none_of_the_comments(store: Database) -> None:
    record = read_by_name(store, "INC-1")
    for how in ("blameless", "public"):
        told = render_for(record, how, AudienceOptions(names={}, catalog=TemplateCatalog())).record
        assert "<!-- scribe" not in FORMATS["md"](told) + FORMATS["html"](told)
    assert "<!-- scribe" not in FORMATS["md"](record) + FORMATS["html"](record)
    assert replace(record) == record
