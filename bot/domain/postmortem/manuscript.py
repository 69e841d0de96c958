"""The file people edit: a postmortem in Markdown with comments that tell which section is which, read back.

The comments cannot be seen where Markdown is shown. Headings may be changed, sections moved; where the comments
themselves are gone, the headings tell.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

STRAY, STRAY_HEADING = "notes", "Notes"
"""The section for what stands before the first one."""

_MARK = re.compile(r"<!--[ \t]*scribe:[^\n]*", re.IGNORECASE)
_SHELTERED = re.compile(rf"^ +(?={_MARK.pattern})", re.IGNORECASE | re.MULTILINE)
_LIKE_A_MARK = re.compile(rf"^(?= *{_MARK.pattern})", re.IGNORECASE | re.MULTILINE)
_HEAD = re.compile(r"<!--[ \t]*scribe:[ \t]*INC-(\d{1,9}),[ \t]*version[ \t]+(\d{1,9})\b[^\n]*", re.IGNORECASE)
_SECTION = re.compile(r"<!--[ \t]*scribe:[ \t]*section[ \t]+([a-z][a-z0-9-]{0,39})[ \t]*-->[ \t]*", re.IGNORECASE)
_END = re.compile(r"<!--[ \t]*scribe:[ \t]*end[ \t]*-->[ \t]*", re.IGNORECASE)
_TITLE = re.compile(r"#[ \t]+INC-(\d{1,9})[ \t]*:[ \t]*(.*?)[ \t]*", re.IGNORECASE)
_HEADING = re.compile(r"##?[ \t]+(\S.*?)[ \t]*#*[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NO_KEY = re.compile(r"[^a-z0-9]+")
_LONGEST_HEADING, _LONGEST_KEY = 200, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ManuscriptSection:
    """A section as the file has it; `heading` is empty where there is none."""

    key: str
    heading: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manuscript:
    """What the file says: its title, its sections, and whether it is `whole`, with the comments up to its end."""

    title: str | None
    parts: tuple[ManuscriptSection, ...]
    whole: bool


def escape_markers(body: str) -> str:
    """The body as it goes into the file: what in it looks like one of our comments stands one space further in."""
    return _LIKE_A_MARK.sub(" ", body) if "scribe:" in body.lower() else body


def parse_origin(text: str) -> tuple[int | None, int | None]:
    """The incident's number and the version the file was written from, each None where it does not tell."""
    title = None
    for line in text.split("\n"):
        head = _HEAD.fullmatch(line)
        if head:
            return int(head[1]), int(head[2])
        named = _TITLE.fullmatch(line)
        title = title or (int(named[1]) if named else None)
    return title, None


def parse_manuscript(text: str, known: Mapping[str, str]) -> Manuscript:
    """The sections of the file. `known` are the headings of those it may have, by key."""
    lines = text.split("\n")
    marked = frozenset(match[1].lower() for line in lines if (match := _SECTION.fullmatch(line)))
    unmarked = {_plain(heading): key for key, heading in known.items() if key not in marked}
    reader = _Reader(marked=bool(marked), unmarked=unmarked)
    for line in lines:
        reader.take(line)
    whole = bool(marked) and any(map(_END.fullmatch, lines))
    return Manuscript(title=reader.title, parts=tuple(reader.parts()), whole=whole)


def _plain(heading: str) -> str:
    return " ".join(heading.split()).casefold()


def _key(heading: str) -> str:
    """A key for a section that has none: `thanks-to-all`."""
    key = _NO_KEY.sub("-", heading.lower()).strip("-")
    return (key if key[:1].isalpha() else f"section-{key}")[:_LONGEST_KEY].strip("-")


@dataclass(slots=True)
class _Draft:
    heading: str = ""
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    """Takes the file line by line. `unmarked` are the known sections without a comment in it, by heading."""

    marked: bool
    unmarked: dict[str, str]
    title: str | None = None
    drafts: dict[str, _Draft] = field(default_factory=lambda: {STRAY: _Draft()})
    now: _Draft = field(init=False)
    begins: bool = False
    fence: str = ""

    def __post_init__(self) -> None:
        self.now = self.drafts[STRAY]

    def take(self, line: str) -> None:
        """Read one line."""
        section = _SECTION.fullmatch(line)
        if section:
            self._begin(section[1].lower())
        elif not _MARK.fullmatch(line):
            self._text(line)

    def parts(self) -> Iterator[ManuscriptSection]:
        """The sections, in their order in the file."""
        for key, draft in self.drafts.items():
            body = _SHELTERED.sub(lambda spaces: spaces[0][1:], "\n".join(draft.lines)).strip("\n")
            if key != STRAY or draft.heading or body.strip():
                heading = draft.heading or (STRAY_HEADING if key == STRAY else "")
                yield ManuscriptSection(key=key, heading=heading, body=body)

    def _begin(self, key: str) -> None:
        self.now = self.drafts.setdefault(key, _Draft())
        self.begins, self.fence = True, ""
        if self.now.lines:
            self.now.lines.append("")

    def _text(self, line: str) -> None:
        heading = None if self._in_code(line) else _HEADING.fullmatch(line)
        title = _TITLE.fullmatch(line)
        if title and self.title is None and self.now is self.drafts[STRAY]:
            self.title = title[2]
        elif not (heading and self._heading(line, heading[1][:_LONGEST_HEADING])):
            self.now.lines.append(line)
            self.begins = self.begins and not line.strip()

    def _in_code(self, line: str) -> bool:
        fence = _FENCE.match(line)
        if fence and (not self.fence or line.strip() == self.fence):
            self.fence = "" if self.fence else fence[1]
            return True
        return bool(self.fence)

    def _heading(self, line: str, words: str) -> bool:
        """Whether the heading is a section's own, and no line of its text."""
        if not self.begins:
            if not line.startswith("##"):
                return False
            key = self.unmarked.pop(_plain(words), None) or (None if self.marked else self._new_key(words))
            if key is None:
                return False
            self._begin(key)
        self.begins = False
        own = not self.now.heading
        self.now.heading = self.now.heading or words
        return own

    def _new_key(self, heading: str) -> str | None:
        key = _key(heading)
        return None if key in self.drafts else key
