"""Markdown read: as HTML for a page of ours, as Confluence's storage format. The only boundary of the parser.

Raw HTML is off, so what people typed stays text; headings fit below those of the page, none skipped; a picture from
elsewhere becomes a link, since a page that is only looked at asks nobody for anything.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from bot.documents.escaping import visible, xml

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

Rule = Callable[[Any, "Sequence[Token]", int, Any, Any], str]

BELOW: Final = 3
"""The highest level of a heading within a section, whose own is the second."""
_DEEPEST = 6


def html(markdown: str) -> str:
    """A section's body as HTML that needs no style of its own and nothing from elsewhere."""
    return _read(_html_reader(), markdown)


def storage(markdown: str) -> str:
    """A section's body in Confluence's storage format: XHTML, with code in a macro."""
    return _read(_storage_reader(), markdown)


def _read(reader: "MarkdownIt", markdown: str) -> str:
    tokens = reader.parse(visible(markdown))
    _fit_headings(tokens)
    rendered: str = reader.renderer.render(tokens, reader.options, {})
    return rendered


def _fit_headings(tokens: "Sequence[Token]") -> None:
    level = BELOW - 1
    for token in tokens:
        if token.type == "heading_open":
            level = max(BELOW, min(int(token.tag[1]), level + 1, _DEEPEST))
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{level}"


@cache
def _reader() -> Callable[[dict[str, Rule]], "MarkdownIt"]:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - only a page needs it

    def make(rules: dict[str, Rule]) -> MarkdownIt:
        reader = MarkdownIt("commonmark", {"html": False, "xhtmlOut": True}).enable("table")
        for name, rule in {"image": _linked, **rules}.items():
            reader.add_render_rule(name, rule)
        return reader

    return make


@cache
def _html_reader() -> "MarkdownIt":
    return _reader()({"th_open": _heading_cell, "td_open": _cell})


@cache
def _storage_reader() -> "MarkdownIt":
    return _reader()(
        {
            "fence": _code_macro,
            "code_block": _code_macro,
            "table_open": _saying("<table><tbody>\n"),
            "table_close": _saying("</tbody></table>\n"),
            **dict.fromkeys(("thead_open", "thead_close", "tbody_open", "tbody_close"), _saying("")),
        }
    )


def _saying(words: str) -> Rule:
    def rule(_renderer: Any, _tokens: "Sequence[Token]", _index: int, _options: Any, _env: Any) -> str:
        return words

    return rule


def _linked(_renderer: Any, tokens: "Sequence[Token]", index: int, _options: Any, _env: Any) -> str:
    """A picture, as a link to it; within a link, as its words alone."""
    picture = tokens[index]
    address = str(picture.attrGet("src") or "")
    words = xml(picture.content or address)
    depth = sum(token.nesting for token in tokens[:index] if token.type in {"link_open", "link_close"})
    return words if depth or not address else f'<a href="{xml(address)}">{words}</a>'


def _heading_cell(_renderer: Any, tokens: "Sequence[Token]", index: int, _options: Any, _env: Any) -> str:
    return f'<th scope="col"{_side(tokens[index])}>'


def _cell(_renderer: Any, tokens: "Sequence[Token]", index: int, _options: Any, _env: Any) -> str:
    return f"<td{_side(tokens[index])}>"


def _side(cell: "Token") -> str:
    """The alignment of a cell as a class: the page's policy allows no style on an element."""
    side = str(cell.attrGet("style") or "").removeprefix("text-align:")
    return f' class="{side}"' if side in {"left", "center", "right"} else ""


def _code_macro(_renderer: Any, tokens: "Sequence[Token]", index: int, _options: Any, _env: Any) -> str:
    code = tokens[index].content.rstrip("\n").replace("]]>", "]]]]><![CDATA[>")
    return (
        '<ac:structured-macro ac:name="code"><ac:plain-text-body>'
        f"<![CDATA[{code}]]></ac:plain-text-body></ac:structured-macro>\n"
    )
