"""Exports an incident as Markdown, HTML, JSON, SVG, PNG, or in Confluence's storage format."""

import json
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from bot.documents import markup, rendering
from bot.documents.images import MEDIA_TYPES, SHOWN
from bot.documents.picture import phases, timeline
from bot.documents.picture.labels import MILESTONES, words
from bot.documents.picture.png import svg_to_png
from bot.documents.picture.tall import draw_tall
from bot.domain.incident.lifecycle import Lifecycle
from bot.domain.postmortem.edition import published
from bot.domain.postmortem.export import incident_json
from bot.domain.postmortem.head import Head, head
from bot.domain.time.format import clock, stamp
from bot.domain.words import clipped
from bot.errors import UsageError
from bot.vocabulary import ENTRY_KINDS
from storage.values import ActionItem, EntryFile, EntryGraph, Incident, Postmortem, Review, TimelineEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRecord:
    """The data of one export. `lifecycle` is that of all entries, even if `entries` has only those for an audience.

    `former_names` are (user id, name) of the incident's people, names they had before included. `published` is the
    newest version of the postmortem that is published whole. `files` are those of the entries' messages; `read_file`
    returns the bytes of one by its SHA-256, and without it they are named and not shown. `struck` are lessons that were
    taken back, which are not offered again. `graphs` are those that notes ask for, drawn below the picture.
    """

    incident: Incident
    entries: list[TimelineEntry]
    items: list[ActionItem]
    postmortem: Postmortem | None
    lifecycle: Lifecycle
    review: Review | None = None
    former_names: tuple[tuple[str, str], ...] = ()
    published: int | None = None
    files: tuple[EntryFile, ...] = ()
    read_file: Callable[[str], bytes | None] | None = field(default=None, repr=False, compare=False)
    struck: tuple[TimelineEntry, ...] = ()
    graphs: tuple[EntryGraph, ...] = ()


def latest_draft(record: ExportRecord) -> Postmortem:
    """The record's newest postmortem. Raises UsageError if there is none yet."""
    if record.postmortem is None:
        raise UsageError(f"{record.incident.name} has no draft yet; /postmortem draft in its channel writes one.")
    return record.postmortem


def for_publication(record: ExportRecord) -> ExportRecord:
    """The record with its newest version as it is published: without open questions, and without what is empty."""
    newest = latest_draft(record)
    return replace(record, postmortem=replace(newest, sections=published(newest.sections)))


def head_of(record: ExportRecord) -> Head:
    """The head of the record's newest version."""
    return head(
        record.incident,
        record.entries,
        record.lifecycle,
        postmortem=record.postmortem,
        published=record.published,
        review=record.review,
    )


MOST_SHOWN_BYTES = 25_000_000
"""Bytes of pictures and files in one page; what is beyond is named with a link."""
MOST_WORDS = 240
"""Characters of an entry's words beside its picture; the rest, such as links to the files, is in the timeline."""
_ENDINGS = {"jpeg": "jpg"}


def shown_files(record: ExportRecord, address: Callable[[EntryFile], str | None]) -> tuple[rendering.ShownFile, ...]:
    """The files in the order in which it happened, each with its entry and its address, if it has one."""
    entries = {entry.number: entry for entry in record.entries}
    zone = ZoneInfo(record.incident.timezone)
    of_entries = [each for each in record.files if each.entry_number in entries]
    in_order = sorted(of_entries, key=lambda each: (entries[each.entry_number].occurred_at, each.entry_number))
    return tuple(
        rendering.ShownFile(
            entry=entries[each.entry_number],
            kind=ENTRY_KINDS[entries[each.entry_number].kind],
            when=stamp(entries[each.entry_number].occurred_at, zone, entries[each.entry_number].occurred_at.date()),
            words=_said(entries[each.entry_number], each),
            name=each.name,
            address=address(each),
            link=each.permalink,
            is_image=each.kind in SHOWN,
        )
        for each in in_order
    )


def _said(entry: TimelineEntry, file: EntryFile) -> str:
    """The first line of the entry's words, unless the message had none and they are the file's own link."""
    line = entry.text.partition("\n")[0]
    return "" if file.permalink and file.permalink in line else clipped(line, MOST_WORDS)


def file_name(file: EntryFile) -> str:
    """The file's name beside a document: not the one that somebody gave it, which may be anybody's name."""
    return f"file-{file.entry_number}-{file.sha256[:12]}.{_ENDINGS.get(file.kind, file.kind)}"


def file_bytes(record: ExportRecord) -> dict[str, bytes]:
    """The bytes of the record's files by `file_name`, as far as they are there."""
    found = {file_name(each): _read(record, each) for each in record.files}
    return {name: content for name, content in found.items() if content is not None}


def _read(record: ExportRecord, file: EntryFile) -> bytes | None:
    return None if record.read_file is None else record.read_file(file.sha256)


def embedded(record: ExportRecord) -> Callable[[EntryFile], str | None]:
    """The address of a file in the page itself, as long as there is room."""
    room = MOST_SHOWN_BYTES

    def address(file: EntryFile) -> str | None:
        nonlocal room
        content = _read(record, file) if file.size <= room else None
        if content is None:
            return None
        room -= len(content)
        return f"data:{MEDIA_TYPES[file.kind]};base64,{b64encode(content).decode()}"

    return address


def _md(record: ExportRecord) -> str:
    return with_picture(record, None)


def with_picture(
    record: ExportRecord, picture: str | None, address: Callable[[EntryFile], str | None] = lambda _file: None
) -> str:
    """The Markdown with the picture of the timeline, which has that address, below the head; None for no picture.

    `address` gives those of the files of messages; where it gives none, a file is linked to in Slack.
    """
    return rendering.markdown(
        record.incident,
        latest_draft(record).sections,
        head=head_of(record),
        picture=picture,
        files=shown_files(record, address),
    )


def editable(record: ExportRecord) -> str:
    """The Markdown that `scribe import` reads back."""
    return rendering.editable(record.incident, latest_draft(record), head=head_of(record))


def _html(record: ExportRecord) -> str:
    zone, wide, tall = ZoneInfo(record.incident.timezone), _svg(record), _tall(record)
    files = shown_files(record, embedded(record))
    beside: dict[int, list[tuple[int, str]]] = {}
    for index, each in enumerate(files, 1):
        beside.setdefault(each.entry.number, []).append((index, "picture" if each.is_image else "file"))
    listed = timeline.shown(record.entries)
    spans = phases.spans(listed, record.lifecycle)
    drawings = rendering.Drawings(
        tall=tall,
        banner=rendering.svg("phases", shares=phases.shares(spans), colours=timeline.LIGHT) if spans else "",
        totals=tuple((phase.key, phase.label, lasted) for phase, lasted in phases.totals(spans)),
        palette=timeline.palette(),
        rail=_Rail(listed, zone, spans, {"wide": wide, "tall": tall}, beside),
    )
    page = rendering.page(
        record.incident,
        latest_draft(record).sections,
        wide,
        head=head_of(record),
        drawings=drawings,
        files=files,
    )
    return page.strip() + "\n"


_CLOCK = re.compile(r"(?:about )?(\d\d:\d\d)(?: to (?:\d[^:(]*)?\d\d:\d\d)?(?: \S+ \([^)]*\)| UTC)? (.*)", re.DOTALL)
"""The head of a line of the timeline: `about 10:02 to 10:10 CET (09:02 to 09:10 UTC) Did: …`."""
_NO_WORD = re.compile(r"[\W_]+")
_ENOUGH = 24
"""The letters by which the words of an entry are recognised, of those that a person may have edited."""
_MOST = 200
"""The most entries of one minute among which a line's is looked for."""


def _letters(text: str) -> str:
    return _NO_WORD.sub("", text).casefold()


class _Rail:
    """Finds the entry of each line of the timeline, in order, and the mark that the picture has for it.

    A line is an entry's where it has its time and its kind, and the beginning of its words unless there is no other
    entry of that time and kind. What a person has added to the section has no mark.
    """

    def __init__(
        self,
        entries: Iterable[TimelineEntry],
        zone: ZoneInfo,
        spans: Sequence[phases.Span],
        pictures: dict[str, str],
        files: Mapping[int, Sequence[tuple[int, str]]],
    ) -> None:
        """`files` are those at the end of the page, each by its place and what it is, by the entries' numbers."""
        self._spans = spans
        self._files = files
        self._left: dict[str, list[tuple[str, str, TimelineEntry]]] = {}
        for entry in entries:
            at = clock(entry.occurred_at.astimezone(zone))
            told = _letters(ENTRY_KINDS[entry.kind].label), _letters(words(entry))[:_ENOUGH], entry
            self._left.setdefault(at, []).append(told)
        self._drawn = {(side, int(number)) for side, svg in pictures.items() for number in _MARKS[side].findall(svg)}

    def __call__(self, line: str) -> markup.RailMark | None:
        """The mark of the line."""
        found = self._entry(line)
        if found is None:
            return None
        phase = phases.phase_at(self._spans, found.occurred_at)
        role = "milestone" if found.kind in MILESTONES.kinds else "other"
        return markup.RailMark(
            html=rendering.svg(
                "mark",
                entry=found,
                shape=timeline.SHAPES[found.kind],
                files=self._files.get(found.number, ()),
                targets=[(side, prefix) for side, prefix in _TARGETS.items() if (side, found.number) in self._drawn],
            ).strip(),
            id=f"entry-{found.number}",
            classes=f"{role} in-{phase.key}" if phase else role,
        )

    def _entry(self, line: str) -> TimelineEntry | None:
        match = _CLOCK.match(line)
        if match is None:
            return None
        left, said = self._left.get(match[1], []), _letters(match[2])
        possible = [told for told in left[:_MOST] if said.startswith(told[0])]
        same = [told for told in possible if told[1] in said]
        if not same and len(possible) != 1:
            return None
        found = max(same or possible, key=lambda told: len(told[1]))
        left.remove(found)
        return found[2]


_TARGETS = {"wide": "mark-", "tall": "tall-mark-"}
"""What the ids of the marks begin with in each picture."""
_MARKS = {side: re.compile(f'<g id="{prefix}(\\d+)"') for side, prefix in _TARGETS.items()}


def _svg(record: ExportRecord) -> str:
    zone = ZoneInfo(record.incident.timezone)
    # An audience may not get every entry.
    told = {entry.number for entry in record.entries}
    graphs = [graph for graph in record.graphs if graph.entry_number in told]
    return timeline.draw_timeline(record.incident, record.entries, record.lifecycle, zone=zone, graphs=graphs)


def _tall(record: ExportRecord) -> str:
    zone = ZoneInfo(record.incident.timezone)
    return draw_tall(record.incident, record.entries, record.lifecycle, zone=zone)


def _json(record: ExportRecord) -> str:
    document = incident_json(record.incident, record.entries, record.items, record.postmortem, graphs=record.graphs)
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _confluence(record: ExportRecord) -> str:
    newest = latest_draft(record)
    return rendering.confluence(
        record.incident,
        published(newest.sections),
        version=newest.version,
        head=head_of(record),
        files=shown_files(record, file_name),
    )


def _png(record: ExportRecord) -> bytes:
    return svg_to_png(_svg(record))


def _tall_png(record: ExportRecord) -> bytes:
    return svg_to_png(_tall(record))


FORMATS: dict[str, Callable[[ExportRecord], str]] = {"md": _md, "html": _html, "json": _json, "svg": _svg}
"""The formats of a postmortem's files, by suffix."""
PRINTED: dict[str, Callable[[ExportRecord], str]] = {**FORMATS, "phone-svg": _tall, "confluence": _confluence}
"""All text formats that `scribe export` can print."""
BINARY: dict[str, Callable[[ExportRecord], bytes]] = {"png": _png, "phone-png": _tall_png}
"""The binary formats."""
