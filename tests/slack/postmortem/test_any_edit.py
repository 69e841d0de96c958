"""Any text in a postmortem: wherever it is shown, it runs nothing, fetches nothing and pings no one."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import delete

from bot.clock import SetClock
from bot.documents import export
from bot.errors import UsageError
from bot.handlers.postmortem import exports, file_import
from bot.slack.outbound.modals import PORTION
from storage.database import Database
from storage.models import postmortem_versions
from tests.support.abroad import Said
from tests.support.hostile import CONTROLS, MARK, PIECES, TEXTS, UNPRINTABLE, check_log, check_said, loud, times
from tests.support.loads import loads
from tests.support.workplace import Workplace, at, workplace

MARKDOWN = st.one_of(
    TEXTS,
    st.lists(
        st.one_of(
            PIECES,
            st.sampled_from(
                [
                    "# ", "## ", "- ", "1. ", "> ",
                    "| a | b |\n| :-: | --- |\n| ", "<!-- scribe: section lessons -->\n",
                    "<!-- scribe: end -->\n", "<!--", "-->", "]]>", "<svg onload=alert(1)>", "![a][b]\n\n[b]: ",
                    "http://evil.example/x.png ", "<http://evil.example> ", "[a](data:text/html,x) ", "</style>",
                    "<a href='vbscript:x'>", "![](#C0PUBLIC) ", "\n\n", "    ", "~~~\n", "&#x3c;script&#x3e;",
                ]
            ),
        ),
        max_size=12,
    ).map(lambda pieces: f"{''.join(pieces)} {MARK}"),
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "outside" / "postmortems"
    place.mkdir(parents=True)
    return place


@pytest.fixture
def published(sqlite: Database, clock: SetClock, folder: Path) -> Iterator[Workplace]:
    """INC-1, resolved and drafted, with a folder and a canvas as targets."""
    with workplace(sqlite, clock=clock, SCRIBE_PUBLISH_DIR=str(folder), SCRIBE_CANVAS="on") as office:
        office.slack.scopes |= {"canvases:write"}
        office.say("/detected by monitoring: disk full")
        office.say("/resolved freed")
        office.deliver()
        yield office


def check_folder(folder: Path) -> None:
    """The folder holds only the expected files, and their markup loads nothing."""
    within = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert within <= {"INC-1", *(f"INC-1/{name}" for name in os.listdir(folder / "INC-1"))}  # noqa: PTH208 - names alone
    assert {path.name for path in folder.parent.iterdir()} == {"postmortems"}
    files = folder / "INC-1"
    assert {path.name for path in files.iterdir()} == {
        "postmortem.md", "postmortem.html", "postmortem.json", "timeline.svg",
    }  # fmt: skip
    check_markup((files / "postmortem.html").read_text(), (files / "timeline.svg").read_text())


def check_markup(html: str, svg: str) -> None:
    for text in (html, svg):
        assert loads(text) == []
        assert UNPRINTABLE.search(text) is None
    assert "default-src 'none'" in html
    ET.fromstring(svg)  # noqa: S314 - our own


@times(8)
@given(typed=st.tuples(TEXTS, TEXTS), words=MARKDOWN)
@example(typed=("t", "e"), words="![x](http://evil.example/x.png) ![](@U0SCRIBE) <!channel>")
@example(typed=("t", "e"), words="```\n<!channel> <@U0SCRIBE>\n```\n`<!here>`")
def test_any_text_of_a_section(
    published: Workplace, folder: Path, caplog: pytest.LogCaptureFixture, typed: tuple[str, str], words: str
) -> None:
    loud(caplog)
    said = Said.from_now(published)
    published.ask(f"/incident title {typed[0]}", raw=True)
    published.ask(f"/lesson {typed[1]}", raw=True)
    published.ask("/postmortem draft")
    published.deliver()
    assert published.ask("/postmortem edit lessons").body == {}
    assert published.slack.modal(published.alice)
    assert published.slack.submit(published.alice, {"words": words[-PORTION:]}).ok
    published.slack.workspace.close_view(published.alice, all_of_them=True)
    for after in ("show", "show blameless", "show public", "publish anyway", "check"):
        assert published.ask(f"/postmortem {after}").ok
        published.deliver()
    # The examples share one incident, whose lessons would outgrow the form by what each of them adds.
    published.ask("/incident undo")
    published.ask("/postmortem edit lessons")
    view = published.slack.modal(published.alice)
    assert view
    assert published.slack.submit(published.alice, {block["element"]["action_id"]: "" for block in view.blocks}).ok
    published.slack.workspace.close_view(published.alice, all_of_them=True)
    check_said(said)
    check_log(published, caplog)
    check_folder(folder)


@times(30)
@given(words=MARKDOWN, whole=st.booleans())
@example(words="## a\0b", whole=True)
@example(words="## a\x01b\u2028c", whole=True)
def test_any_file_is_imported_or_refused(
    published: Workplace, caplog: pytest.LogCaptureFixture, words: str, *, whole: bool
) -> None:
    loud(caplog)
    store = published.database
    written = export.editable(exports.read_by_name(store, "INC-1"))
    text = written.replace("## Lessons", f"{words}\n\n## Lessons", 1) if whole else f"# INC-1: x\n\n{words}"
    content = text.encode()
    try:
        imported = file_import.import_file(
            store, file_import.decode(content, "a.md"), "a.md", by="mallory", at=at("2026-03-12T13:00:00Z")
        )
    except UsageError as error:
        assert CONTROLS.search(str(error)) is None  # noqa: PT017 - it need not be raised
        return
    assert CONTROLS.search("".join(each.heading for each in imported.version.sections)) is None
    record = exports.read_by_name(store, "INC-1")
    check_markup(export.FORMATS["html"](record), export.FORMATS["svg"](record))
    ET.fromstring(f'<x xmlns:ac="a" xmlns:ri="r">{export.PRINTED["confluence"](record)}</x>')  # noqa: S314 - our own
    assert json.loads(export.FORMATS["json"](record))["incident"]["id"] == "INC-1"
    check_log(published, caplog)
    with store.write() as connection:
        # Each example is imported into the same draft, otherwise the draft grows with each.
        connection.execute(delete(postmortem_versions).where(postmortem_versions.c.number > 1))


@times(100)
@given(content=st.binary(max_size=200))
def test_any_bytes_of_a_file_are_read_as_text_or_refused(content: bytes) -> None:
    try:
        assert "\r" not in file_import.decode(content, "a.md")
    except UsageError as error:
        assert "a.md" in str(error)  # noqa: PT017 - it need not be raised
