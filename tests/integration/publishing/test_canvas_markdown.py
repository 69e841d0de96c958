"""What Slack would refuse in a canvas is put in a form it takes, and no word is lost."""

import pytest

from bot.documents.export import FORMATS
from bot.documents.templates import TemplateCatalog
from bot.fakeslack.canvases import markdown_errors
from bot.slack.outbound.canvas import to_canvas_markdown
from tests.support import casebook
from tests.support.editions import record, story_of_everything

CASES = [
    ("#### Deep", "### Deep"),
    ("<!-- scribe:section timeline -->\nwords", "words"),
    ("a <br> b `<br>` <https://example.org> ``a`<b>`` <b", "a &lt;br> b `<br>` <https://example.org> ``a`<b>`` &lt;b"),
    ("> - quoted item", "> • quoted item"),
    ("> 1. quoted item", "> 1\\. quoted item"),
    ("- > quotation", "- quotation"),
    ("- one\n  1. two", "- one\n  - two"),
    ("1. one\n   - two", "1. one\n   1. two"),
    ("It was on 1 October 2026. It ended at 5 > 3. So", None),
    ("1. one\n1. two", None),
    ("- words\n  ```text\n  a\n    b\n  ```\n- next", "- words\n\n```text\na\n  b\n```\n\n- next"),
    (
        "```\n#### no heading\n<!-- no comment -->\n- > no item\n```",
        "```\n#### no heading\n<!-- no comment -->\n- > no item\n```",
    ),
    ("# Title\n\n## Part\n\n### Below\n\n| a | b |\n| --- | --- |\n| 1 | 2 |", None),
]


@pytest.mark.parametrize(("markdown", "expected"), CASES)
def test_a_construct_slack_refuses_is_put_another_way(markdown: str, expected: str | None) -> None:
    assert to_canvas_markdown(markdown) == f"{expected or markdown}\n"
    assert list(markdown_errors(to_canvas_markdown(markdown))) == []


@pytest.mark.parametrize("template", TemplateCatalog().names())
@pytest.mark.parametrize("name", casebook.NAMES)
def test_every_case_fits_and_says_the_same(name: str, template: str) -> None:
    document = FORMATS["md"](record(name, template))
    assert list(markdown_errors(to_canvas_markdown(document))) == []
    assert to_canvas_markdown(document).split() == document.split()


@pytest.mark.parametrize("template", TemplateCatalog().names())
def test_the_story_of_everything_fits(template: str) -> None:
    assert list(markdown_errors(to_canvas_markdown(FORMATS["md"](story_of_everything(template))))) == []
