"""Incidents at the edges: each is rendered in every form and format, without an empty heading or half a sentence."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from bot.documents import rendering
from bot.documents.export import PRINTED, ExportRecord, for_publication
from bot.documents.templates import TemplateCatalog
from bot.domain.incident.lifecycle import lifecycle
from bot.domain.postmortem import audiences
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.audiences import IncidentRecord
from bot.domain.postmortem.edition import published
from bot.vocabulary import KINDS
from storage.values import Postmortem, Section, TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry, item

NOON = datetime(2026, 3, 28, 12, tzinfo=UTC)
RIGHT_TO_LEFT = "\u05e0\u05e4\u05d9\u05dc\u05d4 \u2067\u05e2\u05d5\u05d3\u2069"
TEMPLATES = TemplateCatalog().names()


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def run(without: str = "") -> list[TimelineEntry]:
    told = [
        entry(1, "impact", after(0), "checkout fails for 20% of users"),
        entry(2, "detected", after(4), "alarms", qualifier="monitoring"),
        entry(3, "did", after(9), "rolled back"),
        entry(4, "resolved", after(30), "orders flow"),
        entry(5, "cause", after(60), "the pool was too small", qualifier="technical"),
    ]
    return [each for each in told if each.kind != without]


CASES: dict[str, list[TimelineEntry]] = {
    "nothing": [],
    "one entry": [entry(1, "detected", after(0), "disk full")],
    "one note": [entry(1, "note", after(0), "systems: db1")],
    "no detection": run("detected"),
    "no resolution": run("resolved"),
    "no impact": run("impact"),
    "retracted only": [replace(each, retracted=True) for each in run()],
    "every kind at once": [
        entry(number, kind.name, after(0), "words", qualifier=qualifier)
        for number, (kind, qualifier) in enumerate(
            [(kind, qualifier) for kind in KINDS.values() for qualifier in (None, *kind.qualifiers)], 1
        )
    ],
    "every kind, wordless": [entry(number, kind, after(number)) for number, kind in enumerate(KINDS, 1)],
    "over the change of the clocks": [
        replace(each, occurred_at=each.occurred_at + timedelta(hours=number * 6)) for number, each in enumerate(run())
    ],
    "topics and aspects": [
        *run(),
        *(
            entry(number, "note", after(70), f"{label}: what was told")
            for number, label in enumerate(("systems", "logs", "docs", "told customers", "improve", "review"), 10)
        ),
        *(
            entry(number, "impact", after(2), f"{label}: much of it")
            for number, label in enumerate(("users", "Money", "private: money", "performance", "business"), 20)
        ),
    ],
}
ZONES = ("UTC", "America/Los_Angeles", "Asia/Kathmandu", "Europe/Berlin")
HALF = re.compile(
    r"\bNone\b|  \S|\(\)| [,.;:!?](?:\s|$)|\.\.(?!\.)|,\.|:\.|\*\*\*\*|\bunknown\b|[\x00-\x08]", re.MULTILINE
)
"""What is left of a sentence that lacks a part."""
LABEL = re.compile(
    r"(?:users|money|performance|business|operations|systems|logs|docs|improve|told customers): ", re.IGNORECASE
)


def whole(case: str, template: str, zone: str = "America/Los_Angeles", title: str = "Checkout fails") -> ExportRecord:
    incident = replace(
        casebook.incident(casebook.load(casebook.NAMES[0])), title=title, timezone=zone, severity=None, open=True
    )
    entries = [each for each in CASES[case] if not each.retracted]
    items = [] if case == "nothing" else [item(1, "watch the pool", owner="dba")]
    document = assemble(incident, CASES[case], items, zone=ZoneInfo(zone), named=True)
    newest = Postmortem(
        template=template,
        version=1,
        sections=rendering.render_draft(document, template),
        drafted_at=NOON,
        drafted_by="alice",
    )
    return ExportRecord(
        incident=incident, entries=entries, items=items, postmortem=newest, lifecycle=lifecycle(entries)
    )


def has_empty_heading(sections: tuple[Section, ...]) -> bool:
    text = "\n".join(f"## {each.heading}\n\n{each.body}\n" for each in sections)
    levels = [(len(match[1]), match.start(), match.end()) for match in re.finditer(r"^(#+) .*$", text, re.MULTILINE)]
    ends = [*(start for _, start, _ in levels[1:]), len(text)]
    deeper = [*(level for level, _, _ in levels[1:]), 0]
    return any(
        not text[end:stop].strip() and below <= level
        for (level, _, end), stop, below in zip(levels, ends, deeper, strict=True)
    )


def prose(sections: tuple[Section, ...]) -> str:
    """The text without code, and without the indent of lists and blocks."""
    text = "\n".join(section.body for section in sections)
    return re.sub(
        r"^ +", "", re.sub(r"`[^`]*`", "code", re.sub(r"```.*?```", "", text, flags=re.DOTALL)), flags=re.MULTILINE
    )


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("case", CASES)
def test_a_draft_and_what_is_published_of_it_are_whole(case: str, template: str) -> None:
    for zone in ZONES:
        record = whole(case, template, zone)
        assert record.postmortem is not None
        draft = record.postmortem.sections
        assert not HALF.search(prose(draft)), HALF.search(prose(draft))
        assert not has_empty_heading(draft)
        edition = published(draft)
        assert not has_empty_heading(edition)
        assert not re.search(r"Still open|Nothing is recorded|Not known|Late entries|Recorded by", prose(edition))
        told = (section for section in draft if section.key != "still-open")
        assert not LABEL.search("\n".join(section.body for section in told))


def test_what_is_published_has_no_open_tick_and_nothing_unsorted() -> None:
    body = "- ☑ It has times\n- ☐ Everybody has read it\n\nMine: ☐ is a box.\n\n### Not sorted yet\n\n- A lesson."
    [section] = published([Section(key="checklist", heading="Checklist", body=body)])
    assert section.body == "- ☑ It has times\n\nMine: ☐ is a box.\n\n### Other\n\n- A lesson."
    assert published([Section(key="checklist", heading="Checklist", body="- ☐ Everybody has read it")]) == ()


def test_the_summary_has_the_highest_severity() -> None:
    incident = replace(
        casebook.incident(casebook.load(casebook.NAMES[0])), severity="SEV3", highest_severity="SEV1", open=False
    )
    [summary, *_] = rendering.render_draft(assemble(incident, run(), [], zone=ZoneInfo("UTC")))
    assert "SEV1)" in summary.body
    assert "SEV3" not in summary.body


@pytest.mark.parametrize("form", PRINTED)
@pytest.mark.parametrize("case", CASES)
def test_every_format_takes_it(case: str, form: str) -> None:
    for template in TEMPLATES:
        record = whole(case, template, title=RIGHT_TO_LEFT)
        for each in (record, for_publication(record)):
            printed = PRINTED[form](each)
            assert printed.strip()
            if form == "svg":
                ET.fromstring(printed)  # noqa: S314 - our own
                assert not LABEL.search(re.sub(r"<style>.*?</style>", "", printed, flags=re.DOTALL))


def _blameless(record: IncidentRecord) -> tuple[Section, ...]:
    redacted = audiences.blameless(record, {})
    document = assemble(redacted.incident, redacted.entries, redacted.items, zone=ZoneInfo("UTC"))
    return published(rendering.render_draft(document))


def _public(record: IncidentRecord) -> tuple[Section, ...]:
    redacted = audiences.public_record(record, {})
    document = assemble(redacted.incident, redacted.entries, redacted.items, zone=ZoneInfo("UTC"))
    return rendering.public(audiences.public_document(document))


@pytest.mark.parametrize("render", [_blameless, _public])
@pytest.mark.parametrize("case", CASES)
def test_every_audience_takes_it(case: str, render: Callable[[IncidentRecord], tuple[Section, ...]]) -> None:
    record = whole(case, "classic")
    sections = render(
        IncidentRecord(incident=record.incident, entries=tuple(record.entries), items=tuple(record.items))
    )
    assert not has_empty_heading(sections)
    assert not HALF.search(prose(sections)), HALF.search(prose(sections))
