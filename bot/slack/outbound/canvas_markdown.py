"""Markdown as a Slack canvas takes it: without what makes Slack refuse the whole document, or call somebody.

A canvas has headings of three levels and no HTML; no list within a quotation, no quotation or code block within a list,
and no list within one of the other kind. Source: Slack's canvas reference, and the `detail` of its refusals.
"""

import re
from collections.abc import Iterable, Iterator

_FENCE = re.compile(r"(\s*)(`{3,}|~{3,})")
_COMMENT = re.compile(r"\s*<!--.*?-->\s*$")
_DEEP = re.compile(r"(\s{0,3})#{4,6}(?=\s)")
_TAG = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)|<(?=[A-Za-z/!?])(?!https?:|mailto:)")
_CALL = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)|!(?=\[[^\]]*\]\(\s*<?[@#])")
_QUOTED_ITEM = re.compile(r"(\s*>\s*)(?:[-*+]|(\d+)[.)])(?=\s)")
_ITEM_QUOTING = re.compile(r"(\s*(?:[-*+]|\d+[.)])\s+)(?:>\s*)+")
_ITEM = re.compile(r"(\s*)([-*+]|\d+[.)])(?=\s)")


def fitted(markdown: str) -> str:
    """The document in the form a canvas takes; nothing that anybody wrote is left out."""
    return "\n".join(_lines(markdown.split("\n"))).strip() + "\n"


def _lines(lines: Iterable[str]) -> Iterator[str]:
    fence, indent, outer = "", 0, "-"
    for line in lines:
        opened = _FENCE.match(line)
        if opened and not fence:
            fence, indent = opened[2], len(opened[1])
            yield from ("", line.lstrip()) if indent else (line,)
        elif fence:
            closed = line.strip() == fence
            yield _outdented(line, indent)
            if closed:
                fence = ""
                yield from ("",) if indent else ()
        elif not _COMMENT.match(line):
            item = _ITEM.match(line)
            outer = item[2] if item and not item[1] else outer
            yield _plain(line, outer)


def _outdented(line: str, indent: int) -> str:
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]


def _plain(line: str, outer: str) -> str:
    """One line; `outer` is the mark of the item that a nested one stands in, and lends it its kind."""
    # `![](@U123)` is a canvas's way to call somebody.
    line = _CALL.sub(lambda found: found[0] if found[1] else "\\!", line)
    line = _TAG.sub(lambda found: found[0] if found[1] else "&lt;", _DEEP.sub(r"\1###", line))
    line = _ITEM_QUOTING.sub(r"\1", line)
    line = _QUOTED_ITEM.sub(lambda found: f"{found[1]}{found[2]}\\." if found[2] else f"{found[1]}•", line)
    return _ITEM.sub(lambda found: f"{found[1]}{outer if found[1] else found[2]}", line, count=1)
