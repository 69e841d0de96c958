"""A clean incident to be spoiled, and the short way to what is found in it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from bot.documents import rendering
from bot.domain.check.checklist import KEYS, check
from bot.domain.check.finding import Finding
from bot.domain.postmortem.assemble import assemble
from bot.vocabulary import KINDS
from storage.values import ActionItem, Postmortem, Section, TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry, item

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NOW = NOON + timedelta(days=1)
INCIDENT = replace(casebook.incident(casebook.load(casebook.NAMES[0])), declared_by="alice")
SOON = date(2026, 3, 9)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


CLEAN = (
    entry(1, "started", after(0), "release 418 went out"),
    entry(2, "impact", after(1), "12% of checkouts fail"),
    entry(3, "detected", after(9), "error page", qualifier="monitoring"),
    entry(4, "acknowledged", after(11), "Bob is on it", author="bob", author_id="U2"),
    entry(5, "escalated", after(20), "to the pricing team"),
    entry(6, "did", after(31), "flag off", author="bob", author_id="U2"),
    entry(7, "mitigated", after(40), "checkouts go through"),
    entry(8, "resolved", after(60), "error rate as usual"),
    entry(9, "cause", after(70), "the rounding divides by zero", qualifier="technical"),
    *(entry(10 + n, "lesson", after(71), "x", qualifier=side) for n, side in enumerate(("well", "badly", "lucky"))),
)
ITEMS = (
    item(1, "add a test with coupons on every item", owner="ada", due_on=SOON),
    item(2, "page when more than 2% of checkouts fail", owner="bob", due_on=SOON),
)
PROSE = " ".join(["word"] * 450)


def version(*sections: Section, template: str = "classic") -> Postmortem:
    return Postmortem(template=template, version=1, sections=sections, drafted_at=NOW, drafted_by="alice")


def drafted(told: tuple[TimelineEntry, ...], items: tuple[ActionItem, ...], template: str = "classic") -> Postmortem:
    return version(
        *rendering.render_draft(assemble(INCIDENT, told, items, zone=ZoneInfo("UTC")), template), template=template
    )


def found(
    *told: TimelineEntry,
    items: tuple[ActionItem, ...] = ITEMS,
    text: Postmortem | None = None,
    rule: str | None = None,
    now: datetime = NOW,
    prefix: str = "",
) -> list[Finding]:
    """What is found in the timeline, by one rule or by all."""
    off = frozenset(KEYS) - {rule} if rule else frozenset()
    return list(check(INCIDENT, told, items, text, now=now, off=off, prefix=prefix))


def but(*changed: TimelineEntry, without: str = "") -> tuple[TimelineEntry, ...]:
    """The clean timeline, some entries changed by number, or without a kind."""
    other = {each.number: each for each in changed}
    kept = [other.pop(each.number, each) for each in CLEAN if each.kind != without]
    return (*kept, *other.values())


def places(findings: list[Finding]) -> list[str]:
    return [finding.place for finding in findings]


TEXT = st.text(max_size=60) | st.sampled_from(
    ["alice should have told us", "*Not known.* Who? `/x`", "5% of users", "look into"]
)
ENTRIES = st.lists(
    st.builds(
        lambda number, kind, minutes, lag, text, who: entry(
            number, kind, after(minutes), text, recorded_at=after(minutes + lag), author=f"u{who}", author_id=f"U{who}"
        ),
        st.integers(1, 50), st.sampled_from(sorted(KINDS)), st.integers(-3000, 3000), st.integers(-90, 90), TEXT,
        st.integers(1, 3),
    ),
    max_size=12,
)  # fmt: skip
