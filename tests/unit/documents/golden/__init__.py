"""One fully told incident, and what each shipped template makes of it, kept as files.

A sentence that vanishes from a form, or changes, is seen in the difference. After a change that is meant:

    python -m tests.unit.documents.golden --write
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.documents import rendering
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.document import Document
from storage.values import ActionItem, Incident, Review, TimelineEntry
from tests.support.casebook import entry, item

FOLDER = Path(__file__).parent
DAY = datetime(2026, 3, 12, tzinfo=UTC)

INCIDENT = Incident(
    id=1, workspace_id="T1", number=7, channel_id="C1", channel_name="inc-parcel-labels",
    title="Parcel labels came out blank", severity="SEV1", lead="mira", lead_id="U1", declared_at=DAY.replace(hour=9),
    declared_by="mira", timezone="Europe/Berlin", private=False, open=False,
)  # fmt: skip

_LATE = timedelta(minutes=40)
# Kind, time of day in UTC, words, author, qualifier.
_TOLD = (
    ("did", "08:30", "release 8.4 of the label renderer went out", "jon", None),
    ("started", "09:02", "the renderer began to print blank labels", "mira", None),
    ("impact", "09:02", "users: 80% of users got blank labels, 3,200 of 4,000 parcels an hour", "mira", None),
    ("detected", "09:10", "the share of blank labels passed 5%", "pager", "monitoring"),
    ("acknowledged", "09:12", "mira takes it", "mira", None),
    ("note", "09:14", "told staff: the warehouse stops two of six belts", "ada", None),
    ("investigating", "09:15", "whether the printers are out of ink", "jon", None),
    ("ruledout", "09:35", "not the printers: the file itself is blank", "jon", None),
    ("escalated", "09:36", "to the renderer team, who know the fonts", "mira", None),
    ("did", "09:41", "took the renderer back to 8.3", "jon", None),
    ("mitigated", "09:44", "labels have text again on four of six belts", "mira", None),
    ("note", "09:50", "told customers: the status page says that parcels leave up to two hours late", "ada", None),
    ("did", "10:05", "emptied the font cache on the two belts left", "jon", None),
    ("resolved", "10:20", "every belt prints labels with text", "mira", None),
    ("impact", "10:30", "business: 2,900 parcels were printed again by hand", "ada", None),
    ("impact", "10:31", "money: 4,100 euros in overtime", "ada", None),
    ("impact", "10:32", "performance: a label took 9 s instead of 0.3 s", "jon", None),
    ("impact", "10:33", "operations: no release could go out until noon", "jon", None),
    ("cause", "10:40", "8.4 looks for its fonts in a folder that the belts do not have", "jon", "technical"),
    ("cause", "10:41", "the stage for tests has all fonts, so a missing one is never seen", "jon", "process"),
    ("cause", "10:42", "the release note said that nothing changes for the belts", "mira", "human"),
    ("note", "10:50", "systems: label-renderer, belts 1 to 6", "jon", None),
    ("note", "10:51", "logs: renderer[88]: font not found, drawing nothing", "jon", None),
    ("note", "10:52", "config: FONT_DIR=/usr/share/labels", "jon", None),
    ("lesson", "11:00", "going back to 8.3 took three minutes", "mira", "well"),
    ("lesson", "11:01", "twenty minutes went into the printers", "jon", "badly"),
    ("lesson", "11:02", "the night shift with its 9,000 parcels was over", "ada", "lucky"),
    ("lesson", "11:03", "noticing: the alert on blank labels was a week old and came first", "mira", "well"),
    ("lesson", "11:04", "coordinating: two people restarted the same belt", "jon", "badly"),
    ("lesson", "11:05", "telling: the warehouse heard it from its own screens", "ada", "badly"),
    ("note", "11:10", "communication: the warehouse is called before the status page is written", "ada", None),
    ("note", "11:11", "improve: look at the file before the printer", "jon", None),
    ("note", "11:12", "docs: the runbook for labels names the font cache", "jon", None),
    ("note", "11:13", "training: each shift goes back one release once a quarter", "mira", None),
    ("did", "11:30", "belts 5 and 6 got the fonts of the others", "jon", None),
)  # fmt: skip

ITEMS = (
    item(
        1, "prevent: put the fonts into the release", owner="jon", owner_id="U2", kind="short-term",
        due_on=date(2026, 3, 20), state="done", priority="high", done_when="a belt without fonts prints a label",
        ticket="https://tickets.example/LABEL-12", look_again_on=date(2026, 4, 18), worked=True,
        worked_why="8.5 printed on a bare belt", worked_by="mira", worked_by_id="U1",
        worked_at=datetime(2026, 4, 20, 8, tzinfo=UTC),
    ),
    item(
        2, "monitoring: alert on one blank label, not on 5%", owner="renderer team", kind="short-term",
        due_on=date(2026, 3, 27), state="done", look_again_on=date(2026, 4, 26),
    ),
    item(
        3, "process: a release note names what the belts need", owner="mira", owner_id="U1", kind="short-term",
        due_on=date(2026, 3, 31), state="done", look_again_on=date(2026, 4, 30), worked=False,
        worked_why="two of five notes name nothing", worked_by="ada", worked_by_id="U3",
        worked_at=datetime(2026, 4, 30, 9, tzinfo=UTC),
    ),
    item(
        4, "automation: the tests print on a belt without fonts", owner="jon", owner_id="U2", kind="long-term",
        due_on=date(2026, 5, 29),
    ),
    item(
        5, "communication: the status page tells the warehouse by itself", owner="ada", owner_id="U3",
        kind="long-term", due_on=date(2026, 6, 30),
    ),
    item(
        6, "system: a belt refuses to print a blank label", owner="belt team", kind="long-term",
        due_on=date(2026, 9, 1),
    ),
    item(7, "a second kind of printer", state="dropped", reason="the printers were not the cause"),
)  # fmt: skip
REVIEW = Review(
    sequence=1, starts_at=datetime(2026, 3, 19, 9, tzinfo=UTC), duration_s=2700, timezone="Europe/Berlin",
    cancelled=False, people=(), planned_at=datetime(2026, 3, 13, tzinfo=UTC), planned_by_id="U1",
)  # fmt: skip


def entries() -> list[TimelineEntry]:
    """The timeline: one entry was recorded later than it happened, all others at once."""
    ids = {"mira": "U1", "jon": "U2", "ada": "U3", "pager": "B1"}
    told = []
    for number, (kind, clock, words, author, qualifier) in enumerate(_TOLD, 1):
        at = datetime.combine(DAY, datetime.strptime(clock, "%H:%M").time(), UTC)  # noqa: DTZ007 - a time of day
        recorded_at = at + _LATE if kind == "started" else at
        told.append(
            entry(
                number, kind, at, words, author=author, author_id=ids[author], qualifier=qualifier,
                recorded_at=recorded_at,
            )
        )  # fmt: skip
    return told


def items() -> list[ActionItem]:
    """The action items, one of each purpose and state."""
    return list(ITEMS)


def document() -> Document:
    """The document of the fully told incident."""
    return assemble(INCIDENT, entries(), items(), zone=ZoneInfo(INCIDENT.timezone), review=REVIEW)


def drafted(template: str) -> str:
    """What the template makes of it, as one Markdown file."""
    return rendering.markdown(INCIDENT, rendering.render_draft(document(), template))


_SECTIONS = frozenset({
    "summary", "detection", "response", "escalation", "resolution", "cause", "impact", "factors", "communication",
    "lessons", "still-open",
})  # fmt: skip
"""What depends on how an incident went, and what is asked of it."""
# The same as _TOLD, with minutes after nine instead of the time of day; of what nobody told nothing may be said.
STATES: dict[str, tuple[tuple[str, int, str, str | None], ...]] = {
    "only declared": (),
    "noticed, and the start unknown": (("detected", 10, "labels are blank", "monitoring"),),
    "noticed by a customer before the impact was": (
        ("detected", 5, "my label is blank", "customer"), ("impact", 10, "80% of users got blank labels", None),
        ("started", 8, "", None), ("escalated", 12, "", None),
    ),
    "noticed before the impact, and acknowledged": (
        ("detected", 5, "the queue grows", "engineer"), ("started", 20, "labels are blank", None),
        ("acknowledged", 25, "mira looks", None),
    ),
    "noticed within the minute": (
        ("started", 10, "labels are blank", None), ("detected", 10, "labels are blank", None),
        ("resolved", 40, "went back to 8.3", None),
    ),
    "mitigated, and not over": (
        ("started", 10, "labels are blank", None), ("detected", 12, "labels are blank", "engineer"),
        ("mitigated", 30, "four of six belts print", None),
    ),
    "mitigated twice, as it did not hold": (
        ("started", 10, "labels are blank", None), ("detected", 12, "labels are blank", "monitoring"),
        ("mitigated", 30, "restarted", None), ("impact", 35, "all belts stand", None),
        ("mitigated", 50, "went back to 8.3", None), ("resolved", 60, "every belt prints", None),
    ),
    "three rounds": (
        ("started", 10, "labels are blank", None), ("detected", 12, "labels are blank", "monitoring"),
        ("resolved", 30, "restarted", None), ("reopened", 50, "blank again", None),
        ("mitigated", 55, "restarted", None), ("resolved", 60, "restarted again", None),
        ("reopened", 90, "and again", None), ("resolved", 120, "went back to 8.3", None),
        ("impact", 130, "2,900 parcels", None),
    ),
    "came back, and not over": (
        ("impact", 10, "labels are blank", None), ("resolved", 30, "restarted", None),
        ("reopened", 50, "blank again", None),
    ),
    "over, and the start unknown": (("resolved", 30, "every belt prints", None), ("cause", 40, "fonts", None)),
    "over before it began": (
        ("started", 30, "labels are blank", None), ("resolved", 10, "every belt prints", None),
        ("detected", 35, "labels are blank", "customer"),
    ),
    "noticed before the impact, and over": (
        ("detected", 5, "the queue grows", "monitoring"), ("impact", 10, "80% of users got blank labels", None),
        ("mitigated", 20, "four of six belts print", None), ("resolved", 40, "went back to 8.3", None),
        ("impact", 50, "2,900 parcels", None),
    ),
    "over midnight here, and on one day in UTC": (
        ("started", 810, "labels are blank", None), ("severity", 815, "SEV2", None),
        ("severity", 830, "SEV3", None), ("lead", 835, "@jon", None), ("cause", 840, "fonts", None),
        ("note", 845, "told staff: two belts stand", None), ("resolved", 870, "every belt prints", None),
    ),
    "over midnight": (
        ("started", 800, "labels are blank", None), ("detected", 830, "labels are blank", "customer"),
        ("resolved", 1_000, "every belt prints", None),
    ),
}  # fmt: skip
"""Other ways in which an incident goes, for the sentences that the fully told one has no use for."""


def states() -> str:
    """What each template makes of each of the STATES: the sections that depend on it, the same words once.

    A question counts as asked, whatever the time in its example.
    """
    lines: list[str] = []
    asked: set[str] = set()
    for name, told in STATES.items():
        lines.append(f"==== {name}")
        found = [
            entry(number, kind, DAY.replace(hour=9) + timedelta(minutes=minute), words, qualifier=qualifier)
            for number, (kind, minute, words, qualifier) in enumerate(told, 1)
        ]
        of_state = assemble(INCIDENT, found, [], zone=ZoneInfo(INCIDENT.timezone))
        shown: set[str] = set()
        for template in sorted(TemplateCatalog().names()):
            for section in rendering.render_draft(of_state, template):
                body = section.body
                if section.key == "still-open":
                    questions = {each.partition("`")[0]: each for each in body.splitlines()}
                    body = "\n".join(each for question, each in questions.items() if question not in asked)
                    asked |= questions.keys()
                if section.key in _SECTIONS and body and body not in shown:
                    shown.add(body)
                    lines += [f"-- {template}: {section.heading}", body, ""]
    return "\n".join(lines)


STATES_PATH = FOLDER / "states.txt"


def path(template: str) -> Path:
    """The file that keeps it."""
    return FOLDER / f"{template}.md"


def hostile(words: str) -> Document:
    """The document of an incident whose every entry has these words."""
    told = [replace(each, text=words) for each in entries()]
    return assemble(INCIDENT, told, items(), zone=ZoneInfo(INCIDENT.timezone))
