"""Renders the templates in `templates/`, for Slack, Markdown, XML or a terminal.

Templates run in Jinja2's sandbox and get plain frozen values. A value that a template prints is escaped once, for its
surface; the template's own text is not escaped.
"""

import re
import threading
from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from jinja2 import (
    BaseLoader,
    ChoiceLoader,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    Template,
    TemplateRuntimeError,
    TemplateSyntaxError,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from bot.documents import escaping, markup
from bot.documents.templates import DEFAULT, SUFFIX, TEMPLATES, TemplateCatalog
from bot.domain.postmortem.course import StepTaken, ending, steps, summarize
from bot.domain.postmortem.customers import for_customers
from bot.domain.postmortem.document import Day, Document, Item, Line, Phase, Stamp
from bot.domain.postmortem.head import Head
from bot.domain.postmortem.headings import heading_key, split_by_headings
from bot.domain.postmortem.layout import TextPart, Words
from bot.domain.postmortem.manuscript import escape_markers
from bot.domain.postmortem.questions import STILL_OPEN, ask_mark, collected, tell_mark
from bot.domain.time import format as time_format
from bot.domain.time.format import duration, local, rough_duration, stamp
from bot.domain.words import CODE, capitalized, clipped, without_code_marks
from bot.vocabulary import DETECTED, Kind
from storage.values import Incident, Postmortem, Section, TimelineEntry

RENDER_LOCK = threading.Lock()
"""Held while a draft, a picture or a report is made.

Each of them holds the interpreter lock for long, so they take turns: an answer to a command waits for at most one.
"""

PICTURE: Final = "timeline.png"
"""The name under which the picture is attached to a page."""
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
    """`text` as a fenced code block, every line `indent` spaces in; where people set fences in it, these are kept."""
    block: list[str] = []
    done = 0
    for code in CODE.finditer(text):
        if code["block"] and "\n" in code["block"]:
            block += [*_paragraphs(text[done : code.start()]), *_block(code["block"].strip("\n")), ""]
            done = code.end()
    block += _paragraphs(text[done:]) if done else _block(text)
    lines = "\n".join(" " * indent + line if line else "" for line in block)
    return Markup(lines.rstrip("\n"))  # noqa: S704 - no fence can end early, and the rest is escaped


def _block(code: str) -> list[str]:
    fence = escaping.fence(code)
    return [f"{fence}text", *escaping.visible(code).split("\n"), fence]


def _paragraphs(prose: str) -> list[str]:
    """The lines of Markdown that show `prose` apart from what is above and below, with its own line ends."""
    lines = [escaping.markdown(line.strip()) for line in prose.strip().split("\n")]
    ended = [f"{line}\\" if line and below else line for line, below in zip(lines, [*lines[1:], ""], strict=True)]
    return ["", *ended, ""] if lines != [""] else []


def _code(text: str) -> Markup:
    """One line of `text` as a code span."""
    return Markup(escaping.code_span(" ".join(escaping.visible(text).split())))  # noqa: S704 - as above


def _cell(text: str) -> Markup:
    """`text` as a cell of a table."""
    return Markup(escaping.markdown(text).replace("|", "\\|"))  # noqa: S704 - escaped here


def _url(address: str) -> Markup | None:
    """A link target for Markdown, or None where `address` is no plain web address."""
    safe = address.startswith(("https://", "http://")) and not set(address) & set(" \t\r\n<>()[]\\`\"'")
    return Markup(address.replace("&", "&amp;")) if safe and address.isprintable() else None  # noqa: S704


_STOPS: Final = frozenset(".!?…:;。\uff01\uff1f\u061f")
_CLOSING: Final = "\"')]»”\u2019"


def _stopped(text: str) -> str:
    """`text` as a sentence: with a full stop unless it ends with a punctuation mark, maybe in quotes or brackets."""
    return text if text.rstrip(_CLOSING)[-1:] in _STOPS else f"{text}."


_SPACES = re.compile(r"[ \t\n]+")


def _sentence(text: str) -> str:
    """`text` from a template on one line, with a capital first and a full stop last, unless it has such marks."""
    one_line = _SPACES.sub(" ", text).strip()
    return type(text)(_stopped(capitalized(one_line)))


def _qualified(qualifier: str, kind: Kind) -> str:
    """The qualifier of an entry as words: who detected, which side of a lesson, which factor of a cause."""
    return f"by {qualifier}" if kind.name == DETECTED else qualifier


def _ask(fact: str) -> Markup:
    """The mark of a question, which takes it to the list at the end of the document."""
    return Markup(ask_mark(fact))  # noqa: S704 - a word of our own between marks


def _tell(topic: str) -> Markup:
    """The mark that the notes about a topic are told here, so that no other place repeats them."""
    return Markup(tell_mark(topic))  # noqa: S704 - as above


def _slack_day(on: date, zone: ZoneInfo) -> Markup:
    """The day as Slack's date, which each reader sees in their own language, as `today` or `tomorrow` if it is.

    It is an instant for Slack: noon in the zone is the same day for all but those who live on the other side of the
    earth.
    """
    noon = datetime.combine(on, time(12), zone)
    return Markup(f"<!date^{int(noon.timestamp())}^{{date_long_pretty}}|{time_format.day(on)}>")  # noqa: S704 - no words


def _slack_ago(at: datetime) -> Markup:
    """How long ago that is, as Slack's date, which stays true: `23 minutes ago`; the day where Slack shows no dates.

    Source of `{ago}`: docs.slack.dev, "Formatting message text", Date formatting.
    """
    return Markup(f"<!date^{int(at.timestamp())}^{{ago}}|on {time_format.day(at.date())}>")  # noqa: S704 - no words


FILTERS: Final[dict[str, Callable[..., object]]] = {
    "ask": _ask,
    "capitalized": capitalized,
    "cell": _cell,
    "clipped": clipped,
    "clock": time_format.clock,
    "code": _code,
    "day": time_format.day,
    "duration": duration,
    "ending": ending,
    "for_customers": for_customers,
    "rough_duration": rough_duration,
    "fenced": _fenced,
    "local": local,
    "offset": time_format.offset,
    "qualified": _qualified,
    "sentence": _sentence,
    "short_day": time_format.short_day,
    "slack_ago": _slack_ago,
    "slack_day": _slack_day,
    "stamp": stamp,
    "steps": steps,
    "stopped": _stopped,
    "tell": _tell,
    "summary": summarize,
    "uncoded": without_code_marks,
    "url": _url,
    "zone": time_format.zone_name,
}


_FROZEN: Final = frozenset(
    {Day, Document, Incident, Item, Kind, Line, Phase, Stamp, StepTaken, TextPart, TimelineEntry, Words}
)
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
    """Collects the sections of a draft: a template calls it as `{% call section(key, heading) %}` around a body.

    Without a key, as `section(heading)`, the heading makes one.
    """

    def __init__(self) -> None:
        self.sections: dict[str, Section] = {}
        self.asked: dict[str, None] = {}
        self.told: set[str] = set()

    def __call__(self, key: str, heading: str | None = None, *, caller: Callable[[], str]) -> str:
        if heading is None:
            key, heading = heading_key(str(key), self.sections), key
        if not _KEY.fullmatch(str(key)) or str(key) in self.sections:
            raise TemplateRuntimeError(f"a section's key is of a to z, 0 to 9 and -, and used once; {key!r} is not")
        title = " ".join(str(heading).split())
        found = collected(str(caller()))
        self.asked.update(dict.fromkeys(found.asked))
        self.told |= found.told
        self.sections[str(key)] = Section(key=str(key), heading=title, body=_without_extra_lines(found.body))
        return ""


def render_draft(document: Document, template: str = DEFAULT, *, custom_dir: Path | None = None) -> tuple[Section, ...]:
    """The sections of a postmortem in the words of `template`, bodies in Markdown, in the template's order.

    `custom_dir` is the operator's folder. A template from there may run for ever, so it is rendered in a process that
    can be killed: see `bot.documents.sandbox`. Raises UsageError for an unknown template.
    """
    drafted = _sections(document, TemplateCatalog(custom_dir).find(template), custom_dir)
    sections = list(drafted.sections.values())
    facts = [document.questions[fact] for fact in drafted.asked if fact in document.questions]
    part = _environment("markdown", custom_dir).get_template("postmortem/parts/still_open.md.j2")
    still_open = _without_extra_lines(part.render(document=document, questions=facts))
    if still_open and STILL_OPEN not in drafted.sections:
        sections.append(Section(key=STILL_OPEN, heading="Still open", body=still_open))
    return tuple(sections)


def public(document: Document) -> tuple[Section, ...]:
    """The sections of the public rendering, of a document made by `audiences.public_document`."""
    return tuple(_sections(document, "renderings/public", None).sections.values())


def _sections(document: Document, name: str, custom_dir: Path | None) -> _Collector:
    """What the template makes of the document.

    A note that a section of the form tells is not told in the timeline too. Which these are is known only from
    rendering, so that a document with such notes is rendered twice, the first time without the rest of its timeline.
    """
    file = TemplateCatalog(custom_dir).path(name).name if custom_dir else f"{name}{SUFFIX}"
    template = _environment("markdown", custom_dir).get_template(f"postmortem/{file}")
    told: frozenset[str] = frozenset()
    if document.topics:
        told = frozenset(_collected(template, document.with_lines(lambda line: line.topic is not None)).told)
    return _collected(template, document.with_lines(lambda line: line.topic not in told) if told else document)


def _collected(template: Template, document: Document) -> _Collector:
    collector = _Collector()
    text = template.render(document=document, incident=document.incident, section=collector)
    if not collector.sections:
        for each in split_by_headings(text, markup.headings(text)):
            collector(each.key, each.heading, caller=partial(str, each.body))
    if not collector.sections:
        raise TemplateRuntimeError("it has no section: a line such as ## Summary begins one")
    return collector


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFile:
    """A file of the message of an entry, which happened at `when` and is of that kind; `words` begin its words.

    `address` is where its bytes are, None where they are not shown; `link` is its page in Slack, if that may be named.
    """

    entry: TimelineEntry
    kind: Kind
    when: str
    words: str
    name: str
    address: str | None
    link: str | None
    is_image: bool


def markdown(
    incident: Incident,
    sections: Iterable[Section],
    *,
    head: Head | None = None,
    picture: str | None = None,
    files: Iterable[ShownFile] = (),
) -> str:
    """The postmortem as one Markdown file: the title, the head, then every section under its heading.

    `picture` is the address of the picture, relative to the file or on the web, which is shown below the head. `files`
    are shown at the end.
    """
    shown = [(each.heading, Markup(each.body)) for each in sections if not each.removed]  # noqa: S704 - Markdown already
    address = picture and (_url(picture) if "://" in picture else Markup(picture))  # noqa: S704 - a file's name of ours
    return (
        _render(
            "markdown",
            "postmortem/parts/file.md.j2",
            incident=incident,
            sections=shown,
            head=head,
            picture=address,
            files=[(each, *map(_target, (each.address, each.link))) for each in files],
        ).strip()
        + "\n"
    )


def _target(address: str | None) -> Markup | None:
    """A link's target in Markdown: on the web, or a file's name of ours; None where there is none."""
    if address is None:
        return None
    return _url(address) if "://" in address else Markup(address)  # noqa: S704 - a file's name of ours


def canvas(document: str, *, version: int, pictured: bool = False) -> str:
    """A postmortem's Markdown below a line that names the version and says that Scribe writes the canvas.

    Unless it is `pictured`, it also says where the picture is.
    """
    shown = Markup(document)  # noqa: S704 - Markdown already
    return _render("markdown", "postmortem/parts/canvas.md.j2", document=shown, version=version, pictured=pictured)


def editable(incident: Incident, postmortem: Postmortem, *, head: Head | None = None) -> str:
    """The same file with the comments by which `bot.domain.postmortem.manuscript` finds the sections again."""
    shown = [(each.key, each.heading, Markup(escape_markers(each.body))) for each in postmortem.shown]  # noqa: S704 - as above
    facts = {"incident": incident, "version": postmortem.version, "sections": shown, "head": head}
    return _render("markdown", "postmortem/parts/editable.md.j2", **facts).strip() + "\n"


def confluence(
    incident: Incident,
    sections: Iterable[Section],
    *,
    version: int,
    head: Head | None = None,
    files: Iterable[ShownFile] = (),
) -> str:
    """The postmortem in Confluence's storage format, as the body of a page, without its title.

    It shows the picture of the timeline that is attached to the page as PICTURE, and the files that are attached under
    their addresses.
    """
    shown = [(section.heading, Markup(markup.storage(section.body))) for section in sections if not section.removed]  # noqa: S704 - as below
    facts: dict[str, object] = {
        "incident": incident,
        "sections": shown,
        "version": version,
        "head": head,
        "picture": PICTURE,
    }
    facts["files"] = list(files)
    return _render("xml", "web/confluence.xml.j2", **facts).strip() + "\n"


_SIZE = re.compile(r'viewBox="0 0 (\d+)[\d.]* (\d+)')
_STYLE = re.compile("<style>(.*?)</style>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawings:
    """What a page has of the picture beside the wide one.

    `tall` is the SVG for a narrow screen. `banner` is the SVG of the phases without words; these are the `totals`, each
    with its key, its label and its duration. `palette` is a style sheet with the picture's colours, `rail` finds each
    entry's mark.
    """

    tall: str = ""
    banner: str = ""
    totals: tuple[tuple[str, str, str], ...] = ()
    palette: str = ""
    rail: markup.Rail | None = None


def page(
    incident: Incident,
    sections: Iterable[Section],
    picture_svg: str,
    *,
    head: Head | None = None,
    drawings: Drawings = Drawings(),
    files: Iterable[ShownFile] = (),
) -> str:
    """The postmortem as one self-contained HTML file, with its head, and its picture below the summary.

    Its content security policy allows no script and no network, and its style sheets only by their hashes. The bytes of
    `files` are in their addresses.
    """
    style = (TEMPLATES / "web" / "page.css").read_text(encoding="utf-8").strip() + drawings.palette
    shown = [
        (
            section.key,
            section.heading,
            Markup(markup.html(section.body, rail=drawings.rail if section.key == "timeline" else None)),  # noqa: S704 - raw HTML is off, so it stays text
        )
        for section in sections
        if not section.removed
    ]
    size = _SIZE.search(picture_svg)
    styles = dict.fromkeys((style, *_STYLE.findall(picture_svg), *_STYLE.findall(drawings.tall)))
    return _render(
        "xml",
        "web/page.html.j2",
        incident=incident,
        head=head,
        sections=shown,
        pictured=next((key for key, _, _ in shown if key == "summary"), None),
        # Escaped when they were drawn.
        picture=Markup(picture_svg),  # noqa: S704
        tall=Markup(drawings.tall),  # noqa: S704
        banner=Markup(drawings.banner),  # noqa: S704
        # A picture taller than wide is printed on a sheet of its own.
        sheet=size is not None and int(size[2]) > int(size[1]),
        totals=drawings.totals,
        files=list(files),
        style=Markup(style),  # noqa: S704 - a shipped file
        style_hashes=[b64encode(sha256(each.encode()).digest()).decode() for each in styles],
    )
