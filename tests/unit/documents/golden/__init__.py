"""One fully told incident, and what each shipped template makes of it, kept as files.

A sentence that vanishes from a form, or changes, is seen in the difference. After a change that is meant:

    python -m tests.unit.documents.golden --write
"""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bot.documents import rendering
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.audiences import public_document
from bot.domain.postmortem.document import Document
from bot.domain.postmortem.head import head
from storage.values import ActionItem, Incident, Postmortem, Review, Section, TimelineEntry
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


_BELOW = "\nwhat stands below"
_LINK = {"permalink": "https://acme.slack.com/archives/C1/p1", "message_state": "edited"}
# Kind, minutes after the start, words, and what else the entry has.
_AT_LENGTH: tuple[tuple[str, int, str, dict[str, Any]], ...] = (
    ("severity", 0, "SEV3", {}), ("started", 0, f"labels are blank{_BELOW}", {"approximate": True}),
    ("lead", 2, "@jon", {}), ("role", 3, "ops: @ada", {}),
    ("detected", 4, f"my label is blank{_BELOW}", {"qualifier": "customer", **_LINK}),
    ("acknowledged", 5, f"jon looks{_BELOW}", {}),
    ("investigating", 6, f"the printers{_BELOW}", {"until_at": timedelta(minutes=4)}),
    ("ruledout", 11, f"not the printers{_BELOW}", {}), ("escalated", 12, f"to the belt team{_BELOW}", {}),
    ("severity", 13, "SEV1", {}), ("lead", 14, "@mira", {}),
    ("impact", 15, f"users: 3,200 of 4,000 parcels{_BELOW}", {}),
    ("impact", 15, f"the night shift stood{_BELOW}", {}),
    ("impact", 16, f"money: 4,100 euros{_BELOW}", {}), ("impact", 16, "not affected: letters", {}),
    ("impact", 16, "lost: 12 parcels", {}),
    ("update", 17, "we are on it", {}), ("update", 18, f"four belts print{_BELOW}", {}),
    ("note", 18, f"told staff: two belts stand{_BELOW}", {}),
    ("note", 18, f"told customers: two hours late{_BELOW}", {}),
    ("did", 19, f"went back to 8.3{_BELOW}", {}), ("mitigated", 20, f"four belts print{_BELOW}", {}),
    ("resolved", 40, f"every belt prints{_BELOW}", {"approximate": True}),
    ("severity", 41, "SEV2", {}), ("cause", 50, f"fonts{_BELOW}", {}),
    ("cause", 50, f"the belts have none{_BELOW}", {}), ("cause", 50, "nor a second way to print", {}),
    ("cause", 51, f"no test without fonts{_BELOW}", {"qualifier": "process"}),
    ("lesson", 52, f"it was said in time{_BELOW}", {}), ("lesson", 53, f"noticing: too late{_BELOW}", {}),
    ("lesson", 54, f"telling: in time{_BELOW}", {"qualifier": "well"}),
    *(("note", 55, f"{topic}: words{_BELOW}", {}) for topic in (
        "systems", "logs", "config", "communication", "noticing", "coordinating", "telling", "improve", "docs",
        "training", "review",
    )),
    ("note", 56, f"plain words{_BELOW}", {"message_state": "deleted"}),
)  # fmt: skip
_BRIEFLY: tuple[tuple[str, int, str, dict[str, Any]], ...] = (
    ("severity", 0, "SEV3", {}), ("started", 0, "labels are blank", {"approximate": True}), ("lead", 2, "@jon", {}),
    ("detected", 4, "my label is blank", {"qualifier": "customer", "approximate": True, **_LINK}),
    ("investigating", 5, "the printers", {}), ("ruledout", 15, "not the printers", {}),
    ("severity", 13, "SEV1", {}), ("lead", 14, "@mira", {}), ("update", 17, "we are on it", {}),
    ("impact", 18, "users: 3,200 of 4,000 parcels", {}), ("mitigated", 20, "four belts print", {}),
    ("resolved", 40, "every belt prints", {"approximate": True}), ("cause", 50, "fonts", {}),
    ("cause", 51, "jon forgot the fonts", {"qualifier": "human"}),
)  # fmt: skip


def _round(number: int) -> tuple[tuple[str, int, str, dict[str, Any]], ...]:
    end = 600 * number
    return (
        ("mitigated", end - 30, "restarted", {}), ("impact", end - 25, "all belts stand", {}),
        ("mitigated", end - 20, "restarted", {}), ("resolved", end, "it prints", {}),
        ("reopened", end + 200, "blank again", {}),
    )  # fmt: skip


_ROUNDS: tuple[tuple[str, int, str, dict[str, Any]], ...] = (
    ("started", 0, "labels are blank", {}), ("detected", 1, "labels are blank", {"qualifier": "engineer"}),
    *_round(1), *_round(2), *_round(3), ("resolved", 2_900, "went back to 8.3", {}),
)  # fmt: skip
_DAYS: tuple[tuple[str, int, str, dict[str, Any]], ...] = (
    ("started", 0, "labels are blank", {}), ("role", 1, "ops: @ada", {}),
    ("impact", 2, "Users could not print 9,000 labels. Most of them waited until the evening of the next day.", {}),
    ("detected", 3_000, "my label is blank", {"qualifier": "customer"}), ("role", 3_100, "ops: @jon", {}),
    ("cause", 3_200, "fonts were missing", {}), ("cause", 3_201, "nobody looked", {}),
    ("resolved", 4_400, "every belt prints", {}), ("escalated", 4_500, "to the belt team", {}),
)  # fmt: skip
_ITEMS_AT_LENGTH = (
    item(
        1, f"prevent: ship the fonts{_BELOW}", owner="jon", owner_id="U2", kind="short-term",
        due_on=date(2026, 3, 20),
    ),
    item(2, f"write it down{_BELOW}", kind="long-term", ticket="LABEL-12"),
    item(
        3, f"monitoring: alert sooner{_BELOW}", owner="ada", owner_id="U3", state="done", worked=True,
        worked_why=f"it rang{_BELOW}", done_when=f"it rings{_BELOW}",
    ),
    item(4, f"another printer{_BELOW}", state="dropped", reason=f"too dear{_BELOW}"),
    item(5, f"a proposal{_BELOW}", state="proposed"),
)  # fmt: skip
_Told = tuple[tuple[str, int, str, dict[str, Any]], ...]
OTHERS: dict[str, tuple[str, datetime, _Told, dict[str, Any]]] = {
    "nothing told, and a duplicate": (
        "UTC", DAY, (), {"closed_as": "duplicate", "closed_why": "of INC-3", "severity": None},
    ),
    "at length, in UTC": ("UTC", DAY, _AT_LENGTH, {"severity": "SEV2", "highest_severity": "SEV1"}),
    "behind UTC and into the next day there": (
        "America/Los_Angeles", DAY.replace(hour=23, minute=50), _BRIEFLY, {"severity": "SEV2"},
    ),
    "one day here and two in UTC": ("Asia/Tokyo", DAY.replace(hour=23, minute=50), _BRIEFLY, {}),
    "two days here and one in UTC": ("Asia/Tokyo", DAY.replace(hour=14, minute=50), _BRIEFLY, {}),
    "while the clocks change": (
        "Europe/Berlin", datetime(2026, 3, 29, 0, 45, tzinfo=UTC), _BRIEFLY, {"severity": None},
    ),
    "rounds over a new year": ("America/Los_Angeles", datetime(2026, 12, 31, 10, tzinfo=UTC), _ROUNDS, {}),
    "rounds over a new year, and not over": (
        "Asia/Tokyo", datetime(2026, 12, 31, 10, tzinfo=UTC), _ROUNDS[:-1], {"severity": None, "open": True},
    ),
    "two rounds": ("UTC", datetime(2026, 12, 31, 10, tzinfo=UTC), (*_ROUNDS[:7], ("resolved", 900, "", {})), {}),
    "not over, with its impact": ("America/Los_Angeles", DAY, _BRIEFLY[:10], {"open": True}),
    "not over, mitigated, in UTC": ("UTC", DAY, _BRIEFLY[1:11], {"open": True}),
    "the impact before the start, over midnight": (
        "America/Los_Angeles", DAY.replace(hour=6),
        (
            ("impact", 0, "users: 80% of parcels", {"approximate": True}), ("detected", 30, "blank", {}),
            ("started", 70, "labels are blank", {}), ("resolved", 120, "it prints", {}),
        ),
        {},
    ),
    "over days": ("America/Los_Angeles", DAY, _DAYS, {"severity": None}),
    "over days and a new year": ("UTC", datetime(2026, 12, 30, 10, tzinfo=UTC), _DAYS, {}),
    "detected, and over within the hour": (
        "America/Los_Angeles", DAY,
        (("detected", 0, "80% of labels are blank", {"qualifier": "engineer"}), ("resolved", 40, "it prints", {})),
        {},
    ),
    "detected by nobody named, and not over": (
        "UTC", DAY, (("detected", 0, "80% of labels are blank", {}), ("impact", 5, "users: 9,000 parcels", {})),
        {"open": True},
    ),
    "signs before users were hurt, into the next day": (
        "Europe/Berlin", DAY.replace(hour=20),
        (
            ("detected", 0, "the queue grows", {"qualifier": "monitoring"}),
            ("impact", 200, "users: 80% of parcels", {}), ("resolved", 1_700, "it prints", {}),
        ),
        {},
    ),
    "signs the day before users were hurt, and not over": (
        "Europe/Berlin", DAY.replace(hour=20),
        (("detected", 0, "the queue grows", {"qualifier": "monitoring"}), ("impact", 200, "users: 80% of parcels", {})),
        {"open": True},
    ),
    "nothing but a cause and an impact nobody timed": (
        "UTC", DAY, (("note", 0, "somebody rang", {}), ("cause", 9, "fonts", {})), {"open": True},
    ),
    "only the end, with its impact": (
        "UTC", DAY, (("resolved", 5, "it prints", {}), ("impact", 9, "80% of parcels", {})), {},
    ),
    "an end that does not fit, with its impact": (
        "UTC", DAY,
        (
            ("resolved", 5, "it prints", {}), ("started", 9, "blank", {}), ("detected", 9, "blank", {}),
            ("impact", 9, "users: 80% of parcels", {}),
        ),
        {},
    ),
    "only its impact, without figures": ("UTC", DAY, (("impact", 9, "parcels stood", {}),), {"open": True}),
}  # fmt: skip
"""Incidents told at length, with words below their first line, in other zones, over days and in rounds."""


def others() -> str:
    """All that the templates, the public edition, the file, the file to edit and the canvas make of OTHERS.

    The same words once; a question counts as asked, whatever the time in its example.
    """
    lines: list[str] = []
    shown: set[str] = set()
    asked: set[str] = set()

    def show(of: str, text: str) -> None:
        if text and text not in shown:
            shown.add(text)
            lines.extend([f"-- {of}", text, ""])

    for name, (zone, start, told, changes) in OTHERS.items():
        lines.append(f"==== {name}")
        incident = replace(INCIDENT, timezone=zone, declared_at=start, **changes)
        found = [_at_length(number, start, *each) for number, each in enumerate(told, 1)]
        its_items = _ITEMS_AT_LENGTH if told is _AT_LENGTH or told is _BRIEFLY else ()
        document_of = assemble(incident, found, its_items, zone=ZoneInfo(zone))
        for template in sorted(TemplateCatalog().names()):
            for section in rendering.render_draft(document_of, template):
                body = section.body
                if section.key == "still-open":
                    questions = {each.partition("`")[0]: each for each in body.splitlines()}
                    body = "\n".join(each for question, each in questions.items() if question not in asked)
                    asked |= questions.keys()
                    show(f"{template}, what it asks, in its order", "\n".join(questions) if its_items else "")
                show(f"{template}: {section.heading}", body)
        for section in rendering.public(public_document(document_of)):
            show(f"public: {section.heading}", section.body)
        top = head(incident, found, document_of.lifecycle)
        draft = Postmortem(
            template="classic", version=3, sections=(Section(key="summary", heading="Summary", body="Words."),),
            drafted_at=start, drafted_by="mira",
        )  # fmt: skip
        for picture in (None, "timeline.svg"):
            show("file", rendering.markdown(incident, draft.sections, head=top, picture=picture))
        show("file to edit", rendering.editable(incident, draft, head=top))
    for pictured in (False, True):
        show("canvas", rendering.canvas("# Words", version=3, pictured=pictured))
    return "\n".join(lines)


def _at_length(number: int, start: datetime, kind: str, minute: int, words: str, more: dict[str, Any]) -> TimelineEntry:
    at = start + timedelta(minutes=minute)
    ends = {"until_at": at + more["until_at"]} if "until_at" in more else {}
    return entry(number, kind, at, words, **{**more, **ends})


OTHERS_PATH = FOLDER / "others.txt"


def path(template: str) -> Path:
    """The file that keeps it."""
    return FOLDER / f"{template}.md"


def hostile(words: str) -> Document:
    """The document of an incident whose every entry has these words."""
    told = [replace(each, text=words) for each in entries()]
    return assemble(INCIDENT, told, items(), zone=ZoneInfo(INCIDENT.timezone))
