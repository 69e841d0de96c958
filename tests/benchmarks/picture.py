"""Drawing the timeline: from the entries to SVG and PNG, as it grows (aim for 500 entries: under 2 s)."""

import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median

from bot.documents.picture import timeline as picture
from bot.documents.picture.png import png
from bot.domain.incident.lifecycle import lifecycle
from storage.values import TimelineEntry
from tests.benchmarks.effort import Effort
from tests.benchmarks.report import heading, ms, table
from tests.support import timelines

SIZES = (3, 50, 500, 5_000)
SPAN = timedelta(days=9)


def measure(effort: Effort) -> None:
    """Print the median of each size."""
    told = {size: timelines.synthetic(size, SPAN) for size in SIZES}
    svgs = {size: timelines.draw(entries) for size, entries in told.items()}
    rows = {
        size: (_ms(effort, _drawing(entries)), _ms(effort, _painting(svgs[size]))) for size, entries in told.items()
    }
    heading("A picture of the timeline, nine days long: the median (aim: 500 entries under 2,000 ms)")
    table(
        ("entries", "SVG", "PNG of it", "both", "SVG in bytes"),
        [
            (f"{size:,}", ms(svg), ms(image), ms(svg + image), f"{len(svgs[size].encode()):,}")
            for size, (svg, image) in rows.items()
        ],
    )


def _drawing(entries: list[TimelineEntry]) -> Callable[[], object]:
    def draw() -> str:
        return picture.draw_timeline(timelines.INCIDENT, entries, lifecycle(entries), zone=timelines.ZONE)

    return draw


def _painting(svg: str) -> Callable[[], object]:
    return lambda: png(svg)


def _ms(effort: Effort, work: Callable[[], object]) -> float:
    taken = []
    for _ in range(effort.rounds):
        start_s = time.perf_counter()
        work()
        taken.append(1_000 * (time.perf_counter() - start_s))
    return median(taken)
