"""Renders the templates in `templates/`, for Slack, Markdown, XML or a terminal.

Templates run in Jinja2's sandbox and get plain frozen values. A value that a template prints is escaped once, for its
surface; the template's own text is not escaped.
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
"""Held while a draft, a picture or a report is made.

Each of them holds the interpreter lock for long, so they take turns: an answer to a command waits for at most one.
"""

UNKNOWN: Final = "unknown"
UNREADABLE: Final = (TemplateSyntaxError, RecursionError)
"""What `parse` raises for a syntax error in a template."""

_ESCAPES: Final[dict[str, escaping.Escape]] = {
    "markdown": escaping.markdown,
    "slack": escaping.slack,
    "xml": escaping.xml,
    "terminal": escaping.visible,
}


def _escape(escape: escaping.Escape, value: object) -> Markup:
    """The output of `{{ value }}`: escaped unless it is already Markup, with `unknown` for None."""
    if isinstance(value, Markup):
        return value
    return Markup(escape(UNKNOWN if value is None else str(value)))  # noqa: S704 - escaped here


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
    """`text` as a sentence: with a full stop unless it ends with a punctuation mark."""
    return text if text.endswith((".", "!", "?", "…", ":", ";", "。")) else f"{text}."


def _clipped(text: str, length: int) -> str:
    """`text` in at most `length` characters, with an ellipsis where it is cut."""
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def _qualified(qualifier: str, kind: Kind) -> str:
    """The qualifier of an entry as words: who detected, which side of a lesson, which factor of a cause."""
    return f"by {qualifier}" if kind.name == DETECTED else qualifier


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


_FROZEN: Final = frozenset({Day, Document, Incident, Kind, Line, TextPart, Phase, Stamp, TimelineEntry, Words})
"""The values that timelines are made of."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox without its check of public fields of _FROZEN values, which doubles the time of a draft."""

    def getattr(self, obj: object, attribute: str) -> Any:
        if type(obj) in _FROZEN and not attribute.startswith("_"):
            try:
                return getattr(obj, attribute)
            except AttributeError:
                pass  # the sandbox returns its undefined value
        return super().getattr(obj, attribute)


@cache
def _environment(surface: str, custom_dir: Path | None = None) -> _Sandbox:
    """The environment of one surface. Files in `custom_dir` replace those of `templates/postmortem/`."""
    loader: BaseLoader = FileSystemLoader(TEMPLATES)
    if custom_dir:
        loader = ChoiceLoader([PrefixLoader({"postmortem": FileSystemLoader(custom_dir)}), loader])
    environment = _Sandbox(
        loader=loader,
        auto_reload=False,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=partial(_escape, _ESCAPES[surface]),
    )
    environment.filters.update(FILTERS)
    return environment


def _render(surface: str, template: str, **facts: object) -> str:
    return _environment(surface).get_template(template).render(facts)


def slack(template: str, **facts: object) -> str:
    """Slack mrkdwn from `templates/slack/<template>.j2`, trimmed; `&`, `<`, `>` in `facts` are escaped."""
    return _render("slack", f"slack/{template}.j2", **facts).strip()


def terminal(template: str, **facts: object) -> str:
    """Plain text from `templates/terminal/<template>.j2`, trimmed, with control characters in `facts` made visible."""
    return _render("terminal", f"terminal/{template}.j2", **facts).strip()


def document(template: str, **facts: object) -> str:
    """A Markdown file from `templates/<template>/<template>.md.j2`."""
    return _without_extra_lines(_render("markdown", f"{template}/{template}.md.j2", **facts)) + "\n"


def svg(template: str, **facts: object) -> str:
    """The picture in `templates/web/<template>.svg.j2`."""
    return _render("xml", f"web/{template}.svg.j2", **facts).strip() + "\n"


_FENCE = re.compile(r" *(`{3,})")


def _without_extra_lines(body: str) -> str:
    """`body` without the repeated blank lines that its template leaves; code blocks stay as they are."""
    lines: list[str] = []
    fence = ""
    for line in body.split("\n"):
        opened = _FENCE.match(line)
        if opened and (not fence or line.strip() == fence):
            fence = "" if fence else opened[1]
        if fence or line.strip() or (lines and lines[-1]):
            lines.append(line if fence else line.rstrip())
    return "\n".join(lines).strip()


def parse(source: str, path: Path) -> None:
    """Parse the source of a template without running it. Raises one of UNREADABLE, with file and line if known."""
    _environment("markdown").parse(source, name=path.name, filename=str(path))


_KEY = re.compile(r"[a-z][a-z0-9-]{0,39}")


class _Collector:
    """Collects the sections of a draft: a template calls it as `{% call section(key, heading) %}` around a body."""

    def __init__(self) -> None:
        self.sections: dict[str, Section] = {}

    def __call__(self, key: str, heading: str, caller: Callable[[], str]) -> str:
        if not _KEY.fullmatch(str(key)) or str(key) in self.sections:
            raise TemplateRuntimeError(f"a section's key is of a to z, 0 to 9 and -, and used once; {key!r} is not")
        title = " ".join(str(heading).split())
        self.sections[str(key)] = Section(key=str(key), heading=title, body=_without_extra_lines(str(caller())))
        return ""


def render_draft(document: Document, template: str = DEFAULT, *, custom_dir: Path | None = None) -> tuple[Section, ...]:
    """The sections of a postmortem in the words of `template`, bodies in Markdown, in the template's order.

    `custom_dir` is the operator's folder. A template from there may run for ever, so it is rendered in a process that
    can be killed: see `bot.documents.sandbox`. Raises UsageError for an unknown template.
    """
    return _sections(document, TemplateCatalog(custom_dir).find(template), custom_dir)


def public(document: Document) -> tuple[Section, ...]:
    """The sections of the public rendering, of a document made by `audiences.public_document`."""
    return _sections(document, "renderings/public", None)


def _sections(document: Document, name: str, custom_dir: Path | None) -> tuple[Section, ...]:
    collector = _Collector()
    template = _environment("markdown", custom_dir).get_template(f"postmortem/{name}{SUFFIX}")
    template.render(document=document, section=collector)
    if not collector.sections:
        raise TemplateRuntimeError("it has no section; every template has {% call section(key, heading) %}")
    return tuple(collector.sections.values())


def markdown(incident: Incident, sections: Iterable[Section]) -> str:
    """The postmortem as one Markdown file: the title, then every section under its heading."""
    shown = [(each.heading, Markup(each.body)) for each in sections if not each.removed]  # noqa: S704 - Markdown already
    return _render("markdown", "postmortem/parts/file.md.j2", incident=incident, sections=shown).strip() + "\n"


def canvas(document: str, *, version: int) -> str:
    """A postmortem's Markdown below a line that names the version and says that Scribe writes the canvas."""
    shown = Markup(document)  # noqa: S704 - Markdown already
    return _render("markdown", "postmortem/parts/canvas.md.j2", document=shown, version=version)


def editable(incident: Incident, postmortem: Postmortem) -> str:
    """The same file with the comments by which `bot.domain.postmortem.manuscript` finds the sections again."""
    shown = [(each.key, each.heading, Markup(escape_markers(each.body))) for each in postmortem.shown]  # noqa: S704 - as above
    facts = {"incident": incident, "version": postmortem.version, "sections": shown}
    return _render("markdown", "postmortem/parts/editable.md.j2", **facts).strip() + "\n"


def confluence(incident: Incident, sections: Iterable[Section], *, version: int) -> str:
    """The postmortem in Confluence's storage format, as the body of a page, without its title."""
    shown = [(section.heading, Markup(markup.storage(section.body))) for section in sections if not section.removed]  # noqa: S704 - as below
    return _render("xml", "web/confluence.xml.j2", incident=incident, sections=shown, version=version).strip() + "\n"


_SIZE = re.compile(r'viewBox="0 0 (\d+)[\d.]* (\d+)')
_STYLE = re.compile("<style>(.*?)</style>", re.DOTALL)


def page(incident: Incident, sections: Iterable[Section], picture_svg: str) -> str:
    """The postmortem as one self-contained HTML file, with its picture above the text of the timeline.

    Its content security policy allows no script and no network, and its two style sheets only by their hashes.
    """
    size = _SIZE.search(picture_svg)
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
        # A picture taller than wide is printed on a sheet of its own.
        tall=size is not None and int(size[2]) > int(size[1]),
        picture=Markup(picture_svg),  # noqa: S704 - escaped when it was drawn
        style=Markup(style),  # noqa: S704 - a shipped file
        style_hashes=[
            b64encode(sha256(each.encode()).digest()).decode() for each in (style, *_STYLE.findall(picture_svg))
        ],
    )
