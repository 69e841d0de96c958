"""Parses a manuscript: a postmortem's Markdown file that people edit, with a comment before each section.

The comments name incident, version and sections, and do not show where Markdown is rendered. The head below the title
is passed over. Headings may be changed and sections moved; a section whose comment is gone is recognised by its
heading.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

STRAY, STRAY_HEADING = "notes", "Notes"
"""Key and heading of the section for text before the first one."""

_COMMENT = re.compile(r"<!--[ \t]*scribe:[^\n]*", re.IGNORECASE)
_ESCAPED_COMMENT = re.compile(rf"^ +(?={_COMMENT.pattern})", re.IGNORECASE | re.MULTILINE)
_TYPED_COMMENT = re.compile(rf"^(?= *{_COMMENT.pattern})", re.IGNORECASE | re.MULTILINE)
_HEAD = re.compile(r"<!--[ \t]*scribe:[ \t]*INC-(\d{1,9}),[ \t]*version[ \t]+(\d{1,9})\b[^\n]*", re.IGNORECASE)
_SECTION = re.compile(r"<!--[ \t]*scribe:[ \t]*section[ \t]+([a-z][a-z0-9-]{0,39})[ \t]*-->[ \t]*", re.IGNORECASE)
_END = re.compile(r"<!--[ \t]*scribe:[ \t]*end[ \t]*-->[ \t]*", re.IGNORECASE)
_TITLE = re.compile(r"#[ \t]+INC-(\d{1,9})[ \t]*:[ \t]*(.*?)[ \t]*", re.IGNORECASE)
_HEADING = re.compile(r"##?[ \t]+(\S.*?)[ \t]*#*[ \t]*")
_HEAD_ROW = re.compile(r"\|[ \t]*Incident[ \t]*\|[ \t]*INC-\d{1,9}[ \t]*\|[ \t]*", re.IGNORECASE)
"""The first row of the head that stands below the title."""
_PICTURE = re.compile(r"!\[The timeline of INC-\d{1,9}, drawn\]\([^()\s]*\)[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_NO_KEY = re.compile(r"[^a-z0-9]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
"""What has no place in a title."""
_LONGEST_HEADING, _LONGEST_KEY = 200, 40


@dataclass(frozen=True, slots=True, kw_only=True)
class ManuscriptSection:
    """A section as the file has it; `heading` is empty where there is none."""

    key: str
    heading: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manuscript:
    """A parsed file: its title and its sections. It is `whole` if it has section comments and the closing one.

    A section missing from a whole file was deleted; from another one it may only be cut off.
    """

    title: str | None
    parts: tuple[ManuscriptSection, ...]
    whole: bool


def escape_markers(body: str) -> str:
    """The body as it is written to the file: a line that looks like one of Scribe's comments is indented by a space."""
    return _TYPED_COMMENT.sub(" ", body) if "scribe:" in body.lower() else body


def parse_origin(text: str) -> tuple[int | None, int | None]:
    """The incident's number and the version the file was written from, None for one it does not name."""
    title = None
    for line in text.split("\n"):
        head = _HEAD.fullmatch(line)
        if head:
            return int(head[1]), int(head[2])
        named = _TITLE.fullmatch(line)
        title = title or (int(named[1]) if named else None)
    return title, None


def parse_manuscript(text: str, known: Mapping[str, str]) -> Manuscript:
    """Parse the file. `known` are the headings of the sections it was written with, by key."""
    lines = text.split("\n")
    commented = frozenset(match[1].lower() for line in lines if (match := _SECTION.fullmatch(line)))
    by_heading = {_normalized(heading): key for key, heading in known.items() if key not in commented}
    parser = _Parser(has_comments=bool(commented), by_heading=by_heading)
    for line in lines:
        parser.feed(line)
    whole = bool(commented) and any(map(_END.fullmatch, lines))
    return Manuscript(title=parser.title, parts=tuple(parser.sections()), whole=whole)


def _normalized(heading: str) -> str:
    return " ".join(heading.split()).casefold()


@dataclass(slots=True)
class _Draft:
    heading: str = ""
    lines: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Parser:
    """Reads the file line by line. `by_heading` are the keys of the known sections without a comment, by heading.

    `current` is the section that a line is added to, and `at_start` says that it has only blank lines so far.
    `in_head`: the last line was a row of the head.
    """

    has_comments: bool
    by_heading: dict[str, str]
    title: str | None = None
    drafts: dict[str, _Draft] = field(default_factory=lambda: {STRAY: _Draft()})
    current: _Draft = field(init=False)
    at_start: bool = False
    fence: str = ""
    in_head: bool = False

    def __post_init__(self) -> None:
        self.current = self.drafts[STRAY]

    def feed(self, line: str) -> None:
        section = _SECTION.fullmatch(line)
        if section:
            self._begin(section[1].lower())
        elif not (_COMMENT.fullmatch(line) or self._of_the_head(line)):
            self._add(line)

    def _of_the_head(self, line: str) -> bool:
        """Whether the line is of the head, which is made anew for each version and no part of a section."""
        if self.current is not self.drafts[STRAY]:
            return False
        self.in_head = line.startswith("|") and (self.in_head or _HEAD_ROW.fullmatch(line) is not None)
        return self.in_head or _PICTURE.fullmatch(line) is not None

    def sections(self) -> Iterator[ManuscriptSection]:
        for key, draft in self.drafts.items():
            body = _ESCAPED_COMMENT.sub(lambda spaces: spaces[0][1:], "\n".join(draft.lines)).strip("\n")
            if key != STRAY or draft.heading or body.strip():
                heading = draft.heading or (STRAY_HEADING if key == STRAY else "")
                yield ManuscriptSection(key=key, heading=heading, body=body)

    def _begin(self, key: str) -> None:
        self.current = self.drafts.setdefault(key, _Draft())
        self.at_start, self.fence = True, ""
        if self.current.lines:
            self.current.lines.append("")

    def _add(self, line: str) -> None:
        heading = None if self._in_code(line) else _HEADING.fullmatch(_CONTROLS.sub("", line))
        title = _TITLE.fullmatch(line)
        if title and self.title is None and self.current is self.drafts[STRAY]:
            self.title = title[2]
        elif not (heading and self._take_heading(line, heading[1][:_LONGEST_HEADING])):
            self.current.lines.append(line)
            self.at_start = self.at_start and not line.strip()

    def _in_code(self, line: str) -> bool:
        fence = _FENCE.match(line)
        if fence and (not self.fence or line.strip() == self.fence):
            self.fence = "" if self.fence else fence[1]
            return True
        return bool(self.fence)

    def _take_heading(self, line: str, words: str) -> bool:
        """Take a heading as a section's title, and maybe begin the section; False if it is a line of the body."""
        if not self.at_start:
            if not line.startswith("##"):
                return False
            key = self.by_heading.pop(_normalized(words), None) or (None if self.has_comments else self._new_key(words))
            if key is None:
                return False
            self._begin(key)
        self.at_start = False
        first = not self.current.heading
        self.current.heading = self.current.heading or words
        return first

    def _new_key(self, heading: str) -> str | None:
        """A key made from the heading of an added section, such as `thanks-to-all`; None if it is taken."""
        key = _NO_KEY.sub("-", heading.lower()).strip("-")
        key = (key if key[:1].isalpha() else f"section-{key}")[:_LONGEST_KEY].strip("-")
        return None if key in self.drafts else key
