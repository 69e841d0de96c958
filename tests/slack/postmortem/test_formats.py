"""The formats of a postmortem, parsed by strict parsers, with hostile text."""

import re
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt

from bot.cli import main
from bot.documents import markup
from bot.documents.export import FORMATS, PRINTED, ExportRecord
from bot.documents.templates import TemplateCatalog
from storage.database import Database
from tests.support import casebook
from tests.support.editions import EDITED, HOSTILE, record, story_of_everything
from tests.support.workplace import Workplace

GITHUB = MarkdownIt("gfm-like", {"linkify": False, "html": True})
TEMPLATES = TemplateCatalog().names()
AC, RI = "urn:ac", "urn:ri"
RECORDS = [(template, name) for template in TEMPLATES for name in (*casebook.NAMES, "everything")]


def record_of(template: str, name: str) -> ExportRecord:
    return story_of_everything(template, edited=False) if name == "everything" else record(name, template)


def raw_html(tokens: list[Any]) -> list[str]:
    """Raw HTML in a document, without comments, which are not rendered."""
    every = [*tokens, *(child for token in tokens for child in token.children or [])]
    html = [token.content for token in every if token.type in {"html_block", "html_inline"}]
    return [each for each in html if not re.fullmatch(r"\s*<!--.*?-->\s*", each, re.DOTALL)]


@pytest.mark.parametrize(("template", "name"), RECORDS)
def test_markdown_has_no_html_complete_tables_and_headings_in_order(template: str, name: str) -> None:
    tokens = GITHUB.parse(FORMATS["md"](record_of(template, name)))
    assert raw_html(tokens) == []
    levels = [int(token.tag[1]) for token in tokens if token.type == "heading_open"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    kinds = [token.type for token in tokens]
    rows = [kinds[start : kinds.index("tr_close", start)] for start, kind in enumerate(kinds) if kind == "tr_open"]
    assert {sum(kind in {"th_open", "td_open"} for kind in row) for row in rows} <= {2}
    inline = [child for token in tokens for child in token.children or []]
    links = {str(child.attrGet("href")) for child in inline if child.type == "link_open"}
    assert links <= {"https://x.slack.com/p1?a=1&b=2"}
    assert not any(child.type == "image" for child in inline)


def confluence(markdown: str) -> ET.Element:
    """A body in Confluence's storage format, as parsed XML."""
    return ET.fromstring(f'<page xmlns:ac="{AC}" xmlns:ri="{RI}">{markdown}</page>')  # noqa: S314 - our own


@pytest.mark.parametrize(("template", "name"), RECORDS)
def test_confluences_storage_format_is_well_formed_and_has_all_words(template: str, name: str) -> None:
    page = confluence(PRINTED["confluence"](record_of(template, name)))
    allowed = {
        "page", "p", "h2", "h3", "strong", "em", "code", "ul", "li", "blockquote", "a", "br",
        "table", "tbody", "tr", "th", "td", "ol",
        *(f"{{{AC}}}{each}" for each in ("structured-macro", "parameter", "plain-text-body", "image")),
        "{urn:ri}attachment",
    }  # fmt: skip
    assert {each.tag for each in page.iter()} <= allowed
    words = "".join(page.itertext())
    if name == "everything":
        assert "<script>alert(1)</script> | `a` || ``b | c`` \\| @everyone <!channel>" in words
        assert "</code></pre><img src=x onerror=alert(1)>\n~~~\n]]>\n> no quote" in words
    else:
        # Several causes in one entry stand apart.
        told = [part for entry in casebook.entries(casebook.load(name)) for part in entry.text.split("; ")]
        assert [part for part in told if part.casefold() not in words.casefold()] == []


def test_an_edited_section_is_well_formed() -> None:
    page = confluence(markup.storage(EDITED))
    assert [each.tag for each in page if each.tag.startswith("h")] == ["h3", "h4", "hr"]
    macros = [each.text for each in page.iter(f"{{{AC}}}plain-text-body")]
    assert macros[0] == "indented ]]> code"
    assert (macros[1] or "").startswith("echo ']]>' && <script>")
    assert [each.get("href") for each in page.iter("a")] == [
        "https://example.org/?a=1&b=2", "https://example.org/p.png",
    ]  # fmt: skip
    assert len(page.findall("table/tbody/tr")) == 2


def test_control_characters_do_not_break_the_xml() -> None:
    assert "␛" in "".join(confluence(markup.storage("a\x1b[31m \ufffe b")).itertext())


def test_a_picture_in_a_link_makes_one_link() -> None:
    assert markup.html("[![words](https://a/p.png)](https://a/)").strip() == '<p><a href="https://a/">words</a></p>'
    assert markup.html("![](https://a/p.png)").strip() == '<p><a href="https://a/p.png">https://a/p.png</a></p>'
    assert "<a" not in markup.html("![x](javascript:alert(1))")


def test_every_format_is_printed_by_export(office: Workplace, sqlite: Database) -> None:
    office.say(f"/detected {HOSTILE.splitlines()[0].replace(chr(0), '')}")
    office.say("/resolved freed")
    office.deliver()
    environment = {"DATABASE_URL": sqlite.url.render_as_string()}
    for form in PRINTED:
        result = CliRunner(env=environment).invoke(main, ["export", "INC-1", "--format", form])
        assert result.exit_code == 0, result.output
        assert len(result.stdout) > 500
    assert confluence(result.stdout) is not None
