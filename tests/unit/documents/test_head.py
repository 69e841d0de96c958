"""The head of a postmortem on each surface: escaped once, in the semantics of its format, and no part of an import."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from bot.documents import markup, rendering
from bot.documents.export import FORMATS, PRINTED, editable, head_of, with_picture
from bot.domain.postmortem.head import Fact, Head
from bot.domain.postmortem.manuscript import parse_manuscript
from tests.support import casebook, editions
from tests.unit.documents.test_rendering import INCIDENT, Page

HOSTILE = "a | b <script>x</script> `c` *d* \\| [x](http://y) & e"
HEAD = Head(
    rows=(Fact(label="Incident", text="INC-1"), Fact(label="Lead", text=HOSTILE)),
    figures=(Fact(label="Time to detect", text="3 min"), Fact(label="Share affected", text=HOSTILE)),
    brief="",
)


def test_a_file_has_a_table_of_two_columns_whatever_is_in_it() -> None:
    file = rendering.markdown(INCIDENT, [], head=HEAD)
    page = Page(markup.html(file.partition("\n\n")[2]))
    assert page.tags.count("table") == 1
    assert page.tags.count("td") == page.tags.count("th") == 2
    assert "script" not in page.tags
    assert "a | b <script>x</script> c *d* \\| [x](http://y) & e" in page.words


def test_a_page_has_its_key_figures_and_its_head_as_lists_of_terms() -> None:
    page = Page(rendering.page(INCIDENT, [], "", head=HEAD))
    assert page.tags.count("dl") == 2
    assert page.tags.count("dt") == page.tags.count("dd") == 3
    assert "script" not in page.tags
    assert HOSTILE in page.words
    bare = Page(rendering.page(INCIDENT, [], "", head=replace(HEAD, figures=())))
    assert bare.tags.count("dl") == 1


def test_confluence_has_the_table_and_the_picture_that_is_attached() -> None:
    body = rendering.confluence(INCIDENT, [], version=1, head=HEAD)
    root = ET.fromstring(f'<r xmlns:ac="a" xmlns:ri="r">{body}</r>')  # noqa: S314 - our own
    assert [cell.text for cell in root.iter("td")] == ["INC-1", HOSTILE, "3 min", HOSTILE]
    [attached] = root.iter("{r}attachment")
    assert attached.attrib == {"{r}filename": "timeline.png"}


@pytest.mark.parametrize("name", casebook.NAMES)
def test_a_file_is_taken_back_without_its_head_and_picture(name: str) -> None:
    record = editions.record(name)
    for file in (editable(record), with_picture(record, "timeline.svg"), FORMATS["md"](record)):
        assert "\n| Incident | INC-1 |\n| --- | --- |\n| Date | " in file
        known = {each.key: each.heading for each in record.postmortem.shown} if record.postmortem else {}
        read = parse_manuscript(file, known)
        assert "notes" not in {part.key for part in read.parts}
        assert not any("| Incident |" in part.body or "![" in part.body for part in read.parts)


def test_a_table_that_somebody_typed_above_the_sections_is_kept() -> None:
    head = "| Incident | INC-1 |\n| --- | --- |\n| Date | y |"
    file = f"# INC-1: x\n\n{head}\n\n| ours | b |\n| --- | --- |\n\n## Cause\n\nz\n"
    read = parse_manuscript(file, {"cause": "Cause"})
    assert {part.key: part.body for part in read.parts} == {"notes": "| ours | b |\n| --- | --- |", "cause": "z"}


def test_every_format_of_a_case_shows_its_head() -> None:
    record = editions.record(casebook.NAMES[0])
    date = next(row.text for row in head_of(record).rows if row.label == "Date")
    for text in (FORMATS["md"](record), FORMATS["html"](record), PRINTED["confluence"](record)):
        assert date in text
