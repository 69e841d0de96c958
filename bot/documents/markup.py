"""Renders Markdown as HTML for Scribe's pages and in Confluence's storage format, and finds its headings.

The only user of markdown-it. Raw HTML is off, so that typed tags stay text. Headings begin below those of the page, and
no level is skipped. An image becomes a link, because a page must not load anything from another host.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from bot.documents.escaping import visible, xml
from bot.domain.postmortem.headings import Heading

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Rule = Callable[[Any, "Sequence[Token]", int, Any, Any], str]

BELOW: Final = 3
"""The highest level of a heading within a section; the section's own heading has level 2."""
_DEEPEST = 6
_RAIL = "rail"


@dataclass(frozen=True, slots=True, kw_only=True)
class RailMark:
    """What a list item gets in front of its words: HTML that is escaped already, an `id`, and classes for its look."""

    html: str
    id: str
    classes: str


Rail = Callable[[str], RailMark | None]
"""The mark of a list item by its words on one line; None for an item that is none of the timeline's."""


def html(markdown: str, *, rail: Rail | None = None) -> str:
    """A section's body as HTML without styles, scripts, or anything to load.

    With a `rail`, the bullet lists of the text itself are drawn along one, each item with its mark.
    """
    return _render(_html_parser(), markdown, {_RAIL: rail} if rail else {})


def storage(markdown: str) -> str:
    """A section's body in Confluence's storage format: XHTML, with code in a macro."""
    return _render(_storage_parser(), markdown, {})


def _render(parser: "MarkdownIt", markdown: str, env: dict[str, Any]) -> str:
    tokens = parser.parse(visible(markdown))
    level = BELOW - 1
    for token in tokens:
        if token.type == "heading_open":
            level = max(BELOW, min(int(token.tag[1]), level + 1, _DEEPEST))
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{level}"
    rendered: str = parser.renderer.render(tokens, parser.options, env)
    return rendered


@cache
def _html_parser() -> "MarkdownIt":
    return _parser(
        {"th_open": _heading_cell, "td_open": _cell, "bullet_list_open": _list, "list_item_open": _list_item}
    )


@cache
def _storage_parser() -> "MarkdownIt":
    return _parser(
        {
            "fence": _code_macro,
            "code_block": _code_macro,
            "table_open": _constant("<table><tbody>\n"),
            "table_close": _constant("</tbody></table>\n"),
            **dict.fromkeys(("thead_open", "thead_close", "tbody_open", "tbody_close"), _constant("")),
        }
    )


def headings(markdown: str) -> list[Heading]:
    """The headings of the text itself, in order: none within a list, a quote or code."""
    tokens = _html_parser().parse(markdown)
    return [
        Heading(level=int(token.tag[1:]), words=_plain(inline), start=token.map[0], end=token.map[1])
        for token, inline in pairwise(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


def _plain(inline: "Token") -> str:
    words = (child.content or " " * (child.type == "softbreak") for child in inline.children or ())
    return " ".join("".join(words).split())


def _parser(rules: dict[str, Rule]) -> "MarkdownIt":
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only a page needs it

    parser = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True}).enable("table")
    for name, rule in {"image": _image_link, **rules}.items():
        parser.add_render_rule(name, rule)
    return parser


def _constant(markup: str) -> Rule:
    def rule(_renderer: Any, _tokens: "Sequence[Token]", _index: int, _options: Any, _env: Any) -> str:
        return markup

    return rule


def _image_link(_renderer: Any, tokens: "Sequence[Token]", index: int, _options: Any, _env: Any) -> str:
    """An image as a link to it; within a link, as its description."""
    image = tokens[index]
    address = str(image.attrGet("src") or "")
    words = xml(image.content or address)
    depth = sum(token.nesting for token in tokens[:index] if token.type in {"link_open", "link_close"})
    return words if depth or not address else f'<a href="{xml(address)}">{words}</a>'


def _list(_renderer: Any, tokens: "Sequence[Token]", index: int, _options: Any, env: Any) -> str:
    return '<ul class="rail">\n' if _RAIL in env and tokens[index].level == 0 else "<ul>\n"


def _list_item(_renderer: Any, tokens: "Sequence[Token]", index: int, _options: Any, env: Any) -> str:
    """An item, with its mark where it is an entry of the timeline."""
    first = next((token for token in tokens[index + 1 : index + 3] if token.type == "inline"), None)
    found = env[_RAIL](_plain(first)) if _RAIL in env and first and tokens[index].level == 1 else None
    return f'<li id="{xml(found.id)}" class="{xml(found.classes)}">{found.html}' if found else "<li>"


def _heading_cell(_renderer: Any, tokens: "Sequence[Token]", index: int, _options: Any, _env: Any) -> str:
    return f'<th scope="col"{_alignment(tokens[index])}>'


def _cell(_renderer: Any, tokens: "Sequence[Token]", index: int, _options: Any, _env: Any) -> str:
    return f"<td{_alignment(tokens[index])}>"


def _alignment(cell: "Token") -> str:
    """The alignment of a cell as a class: the page's content security policy forbids inline styles."""
    side = str(cell.attrGet("style") or "").removeprefix("text-align:")
    return f' class="{side}"' if side in {"left", "center", "right"} else ""


def _code_macro(_renderer: Any, tokens: "Sequence[Token]", index: int, _options: Any, _env: Any) -> str:
    code = tokens[index].content.rstrip("\n").replace("]]>", "]]]]><![CDATA[>")
    return (
        '<ac:structured-macro ac:name="code"><ac:plain-text-body>'
        f"<![CDATA[{code}]]></ac:plain-text-body></ac:structured-macro>\n"
    )
