"""What a page or a picture would run, or fetch, by itself: for tests in which it is nothing."""

import re
from html.parser import HTMLParser

ACTIVE = frozenset(
    {
        "animate", "applet", "audio", "base", "embed", "foreignobject", "form", "frame", "iframe", "image", "img",
        "input", "link", "math", "noscript", "object", "script", "set", "source", "template", "track", "video",
    }
)  # fmt: skip
FETCHING = frozenset(
    {
        "action", "background", "cite", "data", "formaction", "longdesc", "ping", "poster", "src", "srcdoc", "srcset",
        "style",
    }
)  # fmt: skip
LINKS = frozenset({"href", "xlink:href"})
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_BLANKS = re.compile(r"[\x00-\x20]")
_FETCHES = re.compile(r"@import|url\(\s*[\"']?(?!#)|expression\(|javascript:", re.IGNORECASE)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_style = tag == "style"
        if tag in ACTIVE:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            self._attribute(tag, name, (value or "").strip())
        if tag == "meta" and dict(attrs).get("http-equiv", "").lower() == "refresh":  # type: ignore[union-attr]
            self.found.append("<meta refresh>")

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on") or name in FETCHING:
            self.found.append(f"{tag}[{name}]")
        elif _leads_away(tag, value) if name in LINKS else _FETCHES.search(value) and name != "content":
            self.found.append(f"{tag}[{name}={value}]")

    def handle_endtag(self, tag: str) -> None:
        self._in_style = self._in_style and tag != "style"

    def handle_data(self, data: str) -> None:
        if self._in_style and _FETCHES.search(data):
            self.found.append(f"style: {data[:80]}")


def _leads_away(tag: str, address: str) -> bool:
    """Whether what an element links to is fetched, or is run when somebody clicks."""
    scheme = _SCHEME.match(_BLANKS.sub("", address))
    if tag == "a":
        return scheme is not None and scheme[1].lower() not in {"http", "https", "mailto"}
    return not address.startswith("#")


def loads(markup: str) -> list[str]:
    """What the HTML or SVG would run or fetch without anybody's click, and links that run something when clicked."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    return reader.found
