"""The only reader of `templates/`: values go in, escaped text comes out.

Templates run in Jinja2's sandbox and see plain frozen values. Whatever a template prints is escaped exactly
once, for its surface, on the way out; what a template itself says is not.
"""

import re
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateRuntimeError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from bot.documents import escaping, markup
from bot.documents.templates import DEFAULT, SUFFIX, TEMPLATES, TemplateCatalog
from bot.domain.postmortem.document import Day, Document, Line, Phase, Stamp
from bot.domain.postmortem.layout import TextPart, Words
from bot.domain.postmortem.manuscript import escape_markers
from bot.domain.time import format as time_format
from bot.domain.time.format import duration, local, stamp
from bot.vocabulary import DETECTED, Kind
from storage.values import Incident, Postmortem, Section, TimelineEntry

RENDER_LOCK = threading.Lock()


UNKNOWN: Final = "unknown"
UNREADABLE: Final = (TemplateSyntaxError, RecursionError)
"""What `parse` raises where a template's grammar is wrong."""

_ESCAPES: Final[dict[str, escaping.Escape]] = {
    "markdown": escaping.markdown,
    "slack": escaping.slack,
    "xml": escaping.xml,
    "terminal": escaping.visible,
}


def _printed(escape: escaping.Escape, value: object) -> Markup:
    """What `{{ value }}` puts out: escaped unless it is the template's own; None is said to be unknown."""
    if isinstance(value, Markup):
        return value
    return Markup(escape(UNKNOWN if value is None else str(value)))  # noqa: S704 - this is where it is escaped


def _fenced(text: str, indent: int = 0) -> Markup:
    """`text` as a fenced code block, every line `indent` spaces in."""
    fence = escaping.fence(text)
    block = [f"{fence}text", *escaping.visible(text).split("\n"), fence]
    return Markup("\n".join(" " * indent + line if line else "" for line in block))  # noqa: S704 - no fence can end it early


def _code(text: str) -> Markup:
    """One line of `text` as a code span."""
    fence = escaping.fence(text) if "`" in text else "`"
    pad = " " if fence != "`" else ""
    return Markup(f"{fence}{pad}{' '.join(escaping.visible(text).split())}{pad}{fence}")  # noqa: S704 - as above


def _url(address: str) -> Markup | None:
    """A link target for Markdown, or None where `address` is no plain web address."""
    safe = address.startswith(("https://", "http://")) and not set(address) & set(" \t\r\n<>()[]\\`\"'")
    return Markup(address.replace("&", "&amp;")) if safe and address.isprintable() else None  # noqa: S704


def _stopped(text: str) -> str:
    """`text` as a sentence: with a full stop where it has no end of its own."""
    return text if text.endswith((".", "!", "?", "…", ":", ";", "。")) else f"{text}."


_FROZEN: Final = frozenset({Day, Document, Incident, Kind, Line, TextPart, Phase, Stamp, TimelineEntry, Words})
"""What receipts and timelines are made of: checking each access to these doubles the time of a draft."""


def _clipped(text: str, length: int) -> str:
    """As much of `text` as a message has room for, with a sign where it was cut."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _qualified(qualifier: str, kind: Kind) -> str:
    """What qualifies an entry, in a few words: who detected, which side of a lesson, which factor."""
    return f"by {qualifier}" if kind.name == DETECTED else qualifier


_FENCE = re.compile(r" *(`{3,})")

FILTERS: Final[dict[str, Callable[..., object]]] = {
    "clipped": _clipped,
    "clock": time_format.clock,
    "code": _code,
    "day": time_format.day,
    "duration": duration,
    "fenced": _fenced,
    "local": local,
    "offset": time_format.offset,
    "qualified": _qualified,
    "short_day": time_format.short_day,
    "stamp": stamp,
    "stopped": _stopped,
    "url": _url,
    "zone": time_format.zone_name,
}


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, which need not look twice at the public fields of our own frozen values."""

    def getattr(self, obj: object, attribute: str) -> Any:
        if type(obj) in _FROZEN and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                pass  # the sandbox says what that means
        return super().getattr(obj, attribute)


def _loader(custom_dir: Path | None) -> BaseLoader:
    """The shipped files; before them, where there is one, the operator's folder in place of `postmortem/`."""
    shipped = FileSystemLoader(TEMPLATES)
    return (
        ChoiceLoader([PrefixLoader({"postmortem": FileSystemLoader(custom_dir)}), shipped]) if custom_dir else shipped
    )


@cache
def _environment(surface: str, custom_dir: Path | None = None) -> _Sandbox:
    environment = _Sandbox(
        loader=_loader(custom_dir),
        auto_reload=False,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=partial(_printed, _ESCAPES[surface]),
    )
    environment.filters.update(FILTERS)
    return environment


def _render(surface: str, template: str, **facts: object) -> str:
    return _environment(surface).get_template(template).render(facts)


def slack(template: str, **facts: object) -> str:
    """Slack mrkdwn from `templates/slack/<template>.j2`, trimmed; `&`, `<`, `>` in `facts` are escaped."""
    return _render("slack", f"slack/{template}.j2", **facts).strip()


def terminal(template: str, **facts: object) -> str:
    """Plain text from `templates/terminal/<template>.j2`, trimmed; control characters in `facts` are made visible."""
    return _render("terminal", f"terminal/{template}.j2", **facts).strip()


def document(template: str, **facts: object) -> str:
    """A Markdown file from `templates/<template>/<template>.md.j2`."""
    return _tidied(_render("markdown", f"{template}/{template}.md.j2", **facts)) + "\n"


def svg(template: str, **facts: object) -> str:
    """The picture in `templates/web/<template>.svg.j2`."""
    return _render("xml", f"web/{template}.svg.j2", **facts).strip() + "\n"


def _tidied(body: str) -> str:
    """`body` without the blank lines its template left over; those inside a code block are somebody's own."""
    kept: list[str] = []
    fence = ""
    for line in body.split("\n"):
        opened = _FENCE.match(line)
        if opened and (not fence or line.strip() == fence):
            fence = "" if fence else opened[1]
        if fence or line.strip() or (kept and kept[-1]):
            kept.append(line if fence else line.rstrip())
    return "\n".join(kept).strip()


def parse(source: str, path: Path) -> None:
    """Read the source of a template without running it. Raises jinja2.TemplateSyntaxError with file and line."""
    _environment("markdown").parse(source, name=path.name, filename=str(path))


_KEY = re.compile(r"[a-z][a-z0-9-]{0,39}")


class _Collector:
    """What a template calls as `section(key, heading)` around a body."""

    def __init__(self) -> None:
        self.sections: dict[str, Section] = {}

    def __call__(self, key: str, heading: str, caller: Callable[[], str]) -> str:
        if not _KEY.fullmatch(str(key)) or str(key) in self.sections:
            raise TemplateRuntimeError(f"a section's key is of a to z, 0 to 9 and -, and used once; {key!r} is not")
        title = " ".join(str(heading).split())
        self.sections[str(key)] = Section(key=str(key), heading=title, body=_tidied(str(caller())))
        return ""


def render_draft(document: Document, template: str = DEFAULT, *, custom_dir: Path | None = None) -> tuple[Section, ...]:
    """The sections of a postmortem in the words of `template`, bodies in Markdown, in the template's order.

    `own` is the operator's folder; what stands there may do anything a sandbox allows, such as never end.
    Raises UsageError where there is no such template.
    """
    return _sections(document, TemplateCatalog(custom_dir).find(template), custom_dir)


def public(document: Document) -> tuple[Section, ...]:
    """The sections the world may read, of a document that `bot.domain.postmortem.audiences` made."""
    return _sections(document, "renderings/public", None)


def _sections(document: Document, name: str, custom_dir: Path | None) -> tuple[Section, ...]:
    collected = _Collector()
    written = _environment("markdown", custom_dir).get_template(f"postmortem/{name}{SUFFIX}")
    written.render(document=document, section=collected)
    if not collected.sections:
        raise TemplateRuntimeError("it has no section; every template has {% call section(key, heading) %}")
    return tuple(collected.sections.values())


def markdown(incident: Incident, sections: Iterable[Section]) -> str:
    """The whole postmortem as one Markdown file: the title, then every section under its heading."""
    shown = [(each.heading, Markup(each.body)) for each in sections if not each.removed]  # noqa: S704 - Markdown already
    return _render("markdown", "postmortem/parts/file.md.j2", incident=incident, sections=shown).strip() + "\n"


def canvas(document: str, *, version: int) -> str:
    """A postmortem's Markdown under a line that says which version it is and that Scribe writes it."""
    shown = Markup(document)  # noqa: S704 - Markdown already
    return _render("markdown", "postmortem/parts/canvas.md.j2", document=shown, version=version)


def editable(incident: Incident, postmortem: Postmortem) -> str:
    """The same file with comments in it, by which `bot.domain.postmortem.manuscript` finds the sections again."""
    shown = [(each.key, each.heading, Markup(escape_markers(each.body))) for each in postmortem.shown]  # noqa: S704 - as above
    facts = {"incident": incident, "version": postmortem.version, "sections": shown}
    return _render("markdown", "postmortem/parts/editable.md.j2", **facts).strip() + "\n"


def confluence(incident: Incident, sections: Iterable[Section], *, version: int) -> str:
    """The postmortem in Confluence's storage format, to be the body of a page; the title is the page's own."""
    shown = [(section.heading, Markup(markup.storage(section.body))) for section in sections if not section.removed]  # noqa: S704 - as below
    return _render("xml", "web/confluence.xml.j2", incident=incident, sections=shown, version=version).strip() + "\n"


_SIZE = re.compile(r'viewBox="0 0 (\d+)[\d.]* (\d+)')


def _tall(picture_svg: str) -> bool:
    """Whether the picture is so tall that it wants a sheet of its own when printed."""
    size = _SIZE.search(picture_svg)
    return size is not None and int(size[2]) > int(size[1])


_STYLE = re.compile("<style>(.*?)</style>", re.DOTALL)


def _hashed(style: str) -> str:
    return b64encode(sha256(style.encode()).digest()).decode()


def page(incident: Incident, sections: Iterable[Section], picture_svg: str) -> str:
    """One HTML file that needs nothing else: the postmortem with its picture before the timeline's words.

    Its policy allows no script and no network; its style sheet and the picture's are allowed by their hashes.
    """
    style = (TEMPLATES / "web" / "page.css").read_text(encoding="utf-8").strip()
    shown = [
        (section.key, section.heading, Markup(markup.html(section.body)))  # noqa: S704 - raw HTML is off, so it stays text
        for section in sections
        if not section.removed
    ]
    keys = [key for key, _, _ in shown]
    return _render(
        "xml",
        "web/page.html.j2",
        incident=incident,
        sections=shown,
        pictured="timeline" if "timeline" in keys else None,
        tall=_tall(picture_svg),
        picture=Markup(picture_svg),  # noqa: S704 - drawn here, escaped when it was
        style=Markup(style),  # noqa: S704 - our own file
        style_hashes=[_hashed(each) for each in (style, *_STYLE.findall(picture_svg))],
    )
