"""The exported HTML page in a real browser: it is accessible, loads nothing from elsewhere, and prints."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.documents.export import FORMATS, ExportRecord
from bot.documents.picture import timeline
from bot.documents.templates import TemplateCatalog
from storage.values import Section
from tests.support import casebook
from tests.support.editions import drafted, record, story_of_everything
from tests.support.pdf import without_spaces, words_of_page

axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe: install the development packages")

TEMPLATES = TemplateCatalog().names()
SHOWN: dict[str, dict[str, Any]] = {
    "wide": {"viewport": {"width": 1280, "height": 900}},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 320, "height": 640}},
}


@pytest.fixture(scope="module", params=SHOWN)
def screen(request: pytest.FixtureRequest, browser: Any) -> Iterator[Any]:
    """A tab with each size and colour scheme."""
    context = browser.new_context(**SHOWN[request.param])
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def tab(browser: Any) -> Iterator[Any]:
    """A wide tab in light colours."""
    context = browser.new_context(**SHOWN["wide"])
    yield context.new_page()
    context.close()


def show(tab: Any, folder: Path, export: ExportRecord) -> None:
    path = folder / "postmortem.html"
    path.write_text(FORMATS["html"](export), encoding="utf-8")
    tab.goto(path.as_uri())


def faults(tab: Any) -> list[str]:
    """The violations of all of axe's rules: the rule, and the first elements at fault."""
    found = axe.Axe().run(tab).response["violations"]
    return [f"{each['id']}: {[node['html'][:100] for node in each['nodes'][:3]]}" for each in found]


def test_axe_finds_the_faults_of_an_inaccessible_page(tab: Any) -> None:
    tab.set_content("<title></title><table><tr><td>1</td></tr></table><h3>x</h3><img src='x.png'>")
    assert {each.partition(":")[0] for each in faults(tab)} >= {
        "document-title",
        "html-has-lang",
        "image-alt",
        "region",
    }


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_is_accessible_with_hostile_text(tab: Any, tmp_path: Path, template: str) -> None:
    show(tab, tmp_path, story_of_everything(template))
    assert faults(tab) == []


def test_a_case_is_accessible_on_every_screen(screen: Any, tmp_path: Path) -> None:
    for export in (record(casebook.NAMES[0], "full"), story_of_everything()):
        show(screen, tmp_path, export)
        assert faults(screen) == []
        assert screen.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_on_a_phone_the_tables_fit_and_break_no_word(browser: Any, tmp_path: Path) -> None:
    export = record(casebook.NAMES[0])
    assert export.postmortem
    own = "| a | b |\n| --- | --- |\n| x | " + "a sentence of a table that a person wrote " * 4 + "|"
    sections = (*export.postmortem.sections, Section(key="own", heading="Own", body=own))
    context = browser.new_context(viewport={"width": 390, "height": 800})
    tab = context.new_page()
    show(tab, tmp_path, replace(export, postmortem=replace(export.postmortem, sections=sections)))
    broken = """() => [...document.querySelectorAll("th, td")].flatMap((cell) => [
      ...cell.firstChild.data.matchAll(/\\S+/g)].filter((word) => {
        const range = document.createRange();
        range.setStart(cell.firstChild, word.index);
        range.setEnd(cell.firstChild, word.index + word[0].length);
        return range.getClientRects().length > 1;
      }).map(String))"""
    assert tab.evaluate(broken) == []
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    context.close()


def test_the_page_runs_nothing_loads_nothing_and_violates_no_policy(tab: Any, tmp_path: Path) -> None:
    requests: list[str] = []
    complaints: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("dialog", lambda dialog: complaints.append(dialog.message))
    show(tab, tmp_path, story_of_everything())
    assert requests == [(tmp_path / "postmortem.html").as_uri()]
    assert complaints == []
    assert tab.evaluate("document.querySelectorAll('script, img, link, iframe, [style], [onclick]').length") == 0
    assert tab.evaluate("getComputedStyle(document.body).maxWidth") == "896px"


def test_headings_landmarks_and_table_headers_serve_screen_readers(tab: Any, tmp_path: Path) -> None:
    show(tab, tmp_path, story_of_everything())
    levels = [
        int(each) for each in tab.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(e => e.tagName[1])")
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert tab.evaluate("[...document.querySelectorAll('th')].every(e => ['col', 'row'].includes(e.scope))")
    assert tab.evaluate("document.documentElement.lang") == "en"
    assert tab.evaluate("['header', 'main', 'figure svg title'].every(each => document.querySelector(each))")


def test_it_prints_in_light_colours_with_the_whole_picture(tab: Any, tmp_path: Path) -> None:
    show(tab, tmp_path, record(casebook.NAMES[0]))
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.evaluate("getComputedStyle(document.querySelector('figure')).overflowX") == "visible"
    tab.emulate_media(media="screen", color_scheme="light")


@pytest.mark.parametrize("name", casebook.NAMES)
def test_page_1_of_a_print_has_the_summary_and_the_picture(tab: Any, tmp_path: Path, name: str) -> None:
    show(tab, tmp_path, record(name))
    told = tab.evaluate("[...document.querySelectorAll('.summary > p, .wide text')].map((each) => each.textContent)")
    tab.emulate_media(media="print")
    printed = words_of_page(tab.pdf(format="A4", prefer_css_page_size=True), 1)
    tab.emulate_media(media="screen")
    assert len(told) > 15
    assert [each for each in told if without_spaces(each) not in printed] == []


def test_the_picture_is_as_wide_as_the_text(tab: Any, tmp_path: Path) -> None:
    show(tab, tmp_path, record(casebook.NAMES[0]))
    edges = """(each) => {
      const box = document.querySelector(each).getBoundingClientRect(); return [box.left, box.right] }"""
    assert tab.evaluate(edges, ".wide path[d^='M20 ']") == pytest.approx(tab.evaluate(edges, ".summary > p"), abs=1)


def test_a_phone_has_the_picture_from_top_to_bottom_and_letters_that_can_be_read(browser: Any, tmp_path: Path) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    tab = context.new_page()
    show(tab, tmp_path, record(casebook.NAMES[1]))
    assert not tab.is_visible(".wide")
    assert tab.is_visible(".narrow")
    letters = tab.evaluate("""[...document.querySelectorAll('.narrow text')].map((each) =>
      parseFloat(getComputedStyle(each).fontSize) * each.getScreenCTM().a)""")
    assert min(letters) > 12
    assert faults(tab) == []
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_each_entry_leads_to_its_mark_in_the_picture_and_to_slack(browser: Any, tmp_path: Path, width: int) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900})
    tab = context.new_page()
    export = record(casebook.NAMES[1])
    export = replace(
        export, entries=[replace(each, permalink=f"https://x.slack.com/p{each.number}") for each in export.entries]
    )
    show(tab, tmp_path, drafted(export.incident, export.entries, export.items))
    lines = tab.locator(".rail > li")
    assert lines.count() == len(timeline.shown(export.entries))
    for place in range(0, lines.count(), 7):
        line = lines.nth(place)
        number = line.get_attribute("id").removeprefix("entry-")
        line.locator("a.mark >> visible=true").click()
        drawn = tab.locator("g:target")
        assert drawn.is_visible()
        [told] = [each for each in export.entries if each.number == int(number)]
        assert told.text[:20] in drawn.locator("title").text_content()
        assert line.locator("a", has_text="message").get_attribute("href") == told.permalink
    assert tab.locator(".rail > li:not([id])").count() == 0
    context.close()


def test_the_rail_keeps_what_people_made_of_the_timeline(tab: Any, tmp_path: Path) -> None:
    export = record(casebook.NAMES[1])
    assert export.postmortem
    changed = [
        replace(each, body=each.body.replace("Impact: production database gone", "Impact: the database was gone")
                .replace("- **17:00** Mitigated", "- a line of my own\n- **17:00** of no entry\n- **17:00** Mitigated"))
        for each in export.postmortem.sections
    ]  # fmt: skip
    show(tab, tmp_path, replace(export, postmortem=replace(export.postmortem, sections=tuple(changed))))
    plain = tab.evaluate("[...document.querySelectorAll('.rail > li:not([id])')].map(each => each.textContent.trim())")
    assert plain == ["a line of my own", "17:00 of no entry"]
    edited = tab.locator(".rail > li", has_text="the database was gone")
    [impact] = [each for each in export.entries if each.kind == "impact" and each.text.startswith("production")]
    assert edited.get_attribute("id") == f"entry-{impact.number}"
