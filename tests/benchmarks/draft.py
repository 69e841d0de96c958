"""Drafting the postmortem of an incident with 10,000 entries: from the store to Markdown, and where the time goes."""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from bot.documents import drafting, rendering
from bot.documents.templates import TemplateCatalog
from bot.domain.incident.lifecycle import in_order
from bot.domain.postmortem.assemble import assemble
from bot.handlers.postmortem.drafts import load_document
from storage import schema, timeline
from storage.database import Database
from storage.items import action_items
from storage.values import Incident
from tests.benchmarks import seed
from tests.benchmarks.effort import Effort
from tests.benchmarks.report import heading, table
from tests.support.asking import save_draft

ENTRIES = 10_000
ITEMS = 20
CHANNEL = "C0LONG"
Result = TypeVar("Result")


class Stopwatch:
    """Seconds of CPU time by the name of what took them, one for each time: another process does not count."""

    def __init__(self) -> None:
        self.taken_s: dict[str, list[float]] = {}

    def time(self, name: str, work: Callable[[], Result]) -> Result:
        """Do the work, and note how long it took."""
        start_s = time.thread_time()
        result = work()
        self.taken_s.setdefault(name, []).append(time.thread_time() - start_s)
        return result


def measure(effort: Effort) -> None:
    """Print the median of each part. The number of entries stays as it is, however short the effort."""
    watch = Stopwatch()
    with TemporaryDirectory(prefix="scribe-benchmark-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'scribe.db'}")
        schema.migrate(database)
        with database.write() as connection:
            incident = seed.incident(connection, CHANNEL, ENTRIES, items=ITEMS)
        for _ in range(effort.rounds):
            _whole(watch, database, incident)
            _parts(watch, database, incident)
        database.close()
    heading(f"A draft of {ENTRIES:,} entries (aim: under 1 s of CPU time)")
    table(
        ("", "median", "worst"), [(name, f"{median(s):.3f} s", f"{max(s):.3f} s") for name, s in watch.taken_s.items()]
    )


def _whole(watch: Stopwatch, database: Database, incident: Incident) -> None:
    def draft() -> str:
        with database.read() as connection:
            of, document = load_document(connection, incident.id, prefix="")
        drafted = drafting.draft_sections(document, "classic", TemplateCatalog())
        with database.write() as connection:
            version = save_draft(connection, of, drafted)
        return rendering.markdown(of, version.sections)

    written = watch.time("store to Markdown, kept as a version", draft)
    assert written.count("restarted") > ENTRIES // 6, "entries are missing from the draft"


def _parts(watch: Stopwatch, database: Database, incident: Incident) -> None:
    def read() -> tuple[Any, Any]:
        with database.read() as connection:
            return timeline.of_incident(connection, incident.id), action_items.of_incident(connection, incident.id)

    entries, items = watch.time("  reading", read)
    zone = ZoneInfo(incident.timezone)
    document = watch.time("  assembling", lambda: assemble(incident, in_order(entries), items, zone=zone))
    sections = watch.time("  rendering", lambda: rendering.render_draft(document))
    watch.time("  one file of it", lambda: rendering.markdown(incident, sections))
