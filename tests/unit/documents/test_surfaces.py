from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from bot.documents import rendering
from bot.documents.picture.timeline import draw_timeline
from bot.domain.incident.lifecycle import lifecycle
from storage.values import Section
from tests.support.casebook import entry
from tests.unit.documents.test_rendering import HOSTILE, INCIDENT, after, sections


class Page(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: dict[str, list[str]] = {}
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            self.attributes.setdefault(name, []).append(value or "")

    def handle_data(self, data: str) -> None:
        self.words += data


def test_a_page_needs_nothing_from_anywhere_and_holds_its_picture() -> None:
    told = [entry(1, "detected", after(0), HOSTILE), entry(2, "resolved", after(9), HOSTILE)]
    svg = draw_timeline(INCIDENT, told, lifecycle(told), zone=ZoneInfo("UTC"))
    edited = Section(key="notes", heading="<b>Notes</b>", body="<script>alert(1)</script> [x](javascript:alert(1))")
    page = Page(rendering.page(INCIDENT, [*sections(told).values(), edited], svg))
    assert not {"script", "link", "img", "iframe", "b", "image", "use"} & set(page.tags)
    assert not {"src", "href", "style", "onerror", "xlink:href"} & set(page.attributes)
    assert page.tags.count("svg") == page.tags.count("h1") == 1
    policy = next(value for value in page.attributes["content"] if "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "<img src=x onerror=alert(1)>" in page.words


def test_slack_words_are_escaped_once_and_unknown_facts_are_said() -> None:
    template = rendering._environment("slack").from_string("*{{ label }}* {{ text }} {{ at }}")
    assert template.render(label="Did", text="<!channel> & *x*", at=None) == (
        "*Did* &lt;!channel&gt; &amp; *x* unknown"
    )


def test_a_name_a_template_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        rendering._environment("markdown").from_string("{{ nothing }}").render()


def test_a_template_cannot_reach_into_python() -> None:
    for source in ("{{ x.__class__.__mro__ }}", "{{ x.append(1) }}"):
        with pytest.raises((SecurityError, UndefinedError)):
            rendering._environment("markdown").from_string(source).render(x=[])
