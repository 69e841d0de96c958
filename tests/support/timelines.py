"""Timelines to draw, and what a drawn picture holds."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

from bot.documents.picture import timeline as picture
from bot.documents.picture.text_width import width
from bot.domain.incident.lifecycle import in_order, lifecycle
from bot.vocabulary import KINDS
from storage.values import TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry

SVG = "{http://www.w3.org/2000/svg}"
ZONE = ZoneInfo("UTC")
START = datetime(2026, 3, 27, 22, tzinfo=UTC)
INCIDENT = casebook.incident(casebook.load(casebook.NAMES[0]))
WORDS = (
    "looked at the queue depth of the ingest workers",
    "restarted api-7",
    "p99 back at 200 ms",
    "a rather long sentence that goes into what was seen on the third host and why nobody believed it at first",
    "",
)
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "]]></text><script>alert(1)</script> &amp; \"'",
    "\x00\x1b\x7f\ud800",
    "x" * 10_000,
    "שלום עולם \u202eabc",
    "長い文章です。" * 40,
    "👩\u200d👩\u200d👧 🇩🇪 1\ufe0f\u20e3 👍🏽 e\u0301",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """Where a text lies, in pixels."""

    text: str
    left: float
    right: float
    top: float
    bottom: float

    def touches(self, other: "Box") -> bool:
        """Whether they lie on top of each other."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def told(*rows: tuple[str, float] | tuple[str, float, str]) -> list[TimelineEntry]:
    """Entries of (kind, minutes after START, words)."""
    return [entry(number, row[0], at(row[1]), *row[2:]) for number, row in enumerate(rows, 1)]


def synthetic(count: int, span: timedelta, seed: int = 1, words: tuple[str, ...] = WORDS) -> list[TimelineEntry]:
    """So many entries of all kinds within `span`, the first `started`, the last `resolved`."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    kinds = [kind for kind in KINDS if kind != "lesson"]
    inner = [
        entry(number, dice.choice(kinds), START + span * dice.random() ** 2, dice.choice(words))
        for number in range(2, count)
    ]
    first, last = entry(1, "started", START, "disk full"), entry(count, "resolved", START + span, dice.choice(words))
    return in_order([first, *inner, last])


def draw(entries: list[TimelineEntry], zone: str = "UTC") -> str:
    return picture.draw_timeline(INCIDENT, entries, lifecycle(entries), zone=ZoneInfo(zone))


def drawn(entries: list[TimelineEntry], zone: str = "UTC") -> ET.Element:
    return ET.fromstring(draw(entries, zone))  # noqa: S314 - our own


def words(root: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def counted(root: ET.Element) -> int:
    """How many entries are in the picture: each as a mark, or counted in a cluster."""
    return sum(int(group.get("data-entries", 0)) for group in root.iter(f"{SVG}g"))


def boxes(root: ET.Element) -> Iterator[Box]:
    for text in root.iter(f"{SVG}text"):
        said, size = "".join(text.itertext()), float(text.get("font-size", 12))
        bold = text.get("font-weight") == "700"
        length = float(text.get("textLength", 0)) or width(said, size, bold=bold)
        shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor", "start")]
        left, base = float(text.get("x", 0)) - shift * length, float(text.get("y", 0))
        yield Box(text=said, left=left, right=left + length, top=base - 0.75 * size, bottom=base + 0.22 * size)


def on_top_of_each_other(root: ET.Element) -> list[tuple[str, str]]:
    return [(one.text, other.text) for one, other in combinations(boxes(root), 2) if one.touches(other)]
