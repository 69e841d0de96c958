"""Drafting over what people wrote, from the store to the check, beside the bare rendering of the same Markdown."""

import gc
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from jinja2 import Environment

from bot.clock import now
from bot.documents import drafting, rendering
from bot.documents.templates import TemplateCatalog
from bot.domain.check.checklist import check
from bot.domain.postmortem.redraft import handwritten, rewritten
from bot.handlers.postmortem.drafts import load_document
from bot.handlers.postmortem.exports import read_record
from storage import postmortems, schema
from storage.database import Database
from storage.values import Incident, Section
from tests.benchmarks import seed
from tests.benchmarks.effort import Effort
from tests.benchmarks.report import heading, table
from tests.support.asking import save_draft

SIZES = (100, 1_000, 10_000, 100_000)
SECTIONS = 30
EVERY = 7
"""Of the lines of a drafted section a person has changed one in so many."""

BARE = Environment(autoescape=False).from_string(  # noqa: S701 - the floor: nothing is escaped, nothing is safe
    "{% for section in sections %}## {{ section.heading }}\n\n"
    "{% for line in section.lines %}{{ line }}\n{% endfor %}\n{% endfor %}"
)


def measure(effort: Effort) -> None:
    """Print the best of the rounds by the number of entries, its ratio to bare Jinja2, and to a tenth as many."""
    rows: list[tuple[str, ...]] = []
    before_s = 0.0
    for entries in SIZES:
        whole_s, bare_s = _measured(entries, effort.rounds)
        growth = f"{whole_s / before_s:.1f} x" if before_s else ""
        rows.append((f"{entries:,}", f"{whole_s * 1000:.0f} ms", f"{whole_s / bare_s:.0f} x", growth))
        before_s = whole_s
    heading(f"Draft, merge {SECTIONS} edited sections, keep, check (aim: under 300 ms for 1,000 entries)")
    table(("entries", "best", "to bare Jinja2", "to a tenth as many"), rows)


def _measured(entries: int, rounds: int) -> tuple[float, float]:
    """The best seconds of the whole, and of bare Jinja2 with the same text."""
    with TemporaryDirectory(prefix="scribe-benchmark-") as folder:
        database = Database(f"sqlite:///{Path(folder) / 'scribe.db'}")
        schema.migrate(database)
        incident = _edited(database, entries)
        whole_s = min(_timed(lambda: _whole(database, incident)) for _ in range(rounds))
        with database.read() as connection:
            newest = postmortems.newest(connection, incident.id)
        assert newest is not None
        assert sum(section.edited for section in newest.sections) == SECTIONS
        sections = [{"heading": each.heading, "lines": each.body.split("\n")} for each in newest.sections]
        bare_s = min(_timed(lambda: BARE.render(sections=sections)) for _ in range(rounds))
        database.close()
    return whole_s, bare_s


def _timed(work: Callable[[], object]) -> float:
    gc.collect()
    start_s = perf_counter()
    work()
    return perf_counter() - start_s


def _edited(database: Database, entries: int) -> Incident:
    """An incident, drafted, every section edited, and as many more of people's own as make thirty."""
    with database.write() as connection:
        incident = seed.incident(connection, "C0EDITED", entries, items=20)
        _, document = load_document(connection, incident.id, prefix="")
        drafted = drafting.draft_sections(document, "classic", TemplateCatalog())
        edited = [_by_hand(section) for section in drafted.sections]
        own = [_own(number) for number in range(SECTIONS - len(edited))]
        facts = {"template": "classic", "drafted_at": now(), "drafted_by": "alice"}
        postmortems.add(connection, incident.id, sections=(*edited, *own), **facts, origin="edit")
        # Something new for the draft to bring in, between what people changed.
        seed.more(connection, incident.id, entries)
    return incident


def _by_hand(section: Section) -> Section:
    lines = section.body.split("\n")
    lines[::EVERY] = [f"{line} (as I saw it)" for line in lines[::EVERY]]
    return rewritten(section, "\n".join(lines))


def _own(number: int) -> Section:
    return handwritten(f"own-{number}", f"Of our own, {number}", "\n\n".join(f"Paragraph {n}." for n in range(20)))


def _whole(database: Database, incident: Incident) -> None:
    with database.read() as connection:
        of, document = load_document(connection, incident.id, prefix="")
    drafted = drafting.draft_sections(document, "classic", TemplateCatalog())
    with database.write() as connection:
        version = save_draft(connection, of, drafted)
    rendering.markdown(of, version.sections)
    with database.read() as connection:
        record = read_record(connection, of)
    check(of, record.entries, record.items, record.postmortem, now=now())
