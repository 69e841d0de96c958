"""What was done, in one list: its order, its parts, what dead ends cost, and what a person changed in it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.documents import markup, rendering
from bot.documents.templates import TemplateCatalog
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.document import Document
from bot.domain.postmortem.redraft import redraft, rewritten
from storage.values import Section, TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLOUDFLARE, GITLAB, GOOGLE, REOPENED, UNDONE = casebook.NAMES
PLACE = {"classic": "cause"}
"""The section with the list, where it is not `resolution`."""


def told(kind: str, minutes: float, text: str = "", **other: object) -> TimelineEntry:
    return entry(0, kind, NOON + timedelta(minutes=minutes), text, **other)


def document(*entries: TimelineEntry) -> Document:
    numbered = [replace(each, number=number, id=number) for number, each in enumerate(entries, 1)]
    return assemble(casebook.incident(casebook.load(CLOUDFLARE)), numbered, [], zone=ZoneInfo("UTC"))


def section(drafted: Document, template: str = "classic") -> Section:
    key = PLACE.get(template, "resolution")
    return next(each for each in rendering.render_draft(drafted, template) if each.key == key)


def case(name: str) -> Document:
    of = casebook.load(name)
    return assemble(casebook.incident(of), casebook.entries(of), casebook.items(of), zone=casebook.zone(of))


def lines(body: str) -> list[str]:
    return [line for line in body.partition("### What was done\n\n")[2].partition("\n### ")[0].split("\n") if line]


@pytest.mark.parametrize("template", ["classic", "devops", "full", "learning", "response", "sysadmin"])
@pytest.mark.parametrize("name", casebook.NAMES)
def test_every_form_tells_every_step_once_and_in_order(name: str, template: str) -> None:
    assert template in TemplateCatalog().names()
    drafted = case(name)
    body = section(drafted, template).body
    kinds = ("did", "mitigated", "ruledout", "resolved", "reopened")
    steps = [line for phase in drafted.timeline for day in phase.days for line in day.lines if line.kind in kinds]
    listed = lines(body)
    assert len([line for line in listed if not line.startswith("**")]) == len(steps)
    lowered = body.lower()
    places = [lowered.index(step.words.first.lower()) for step in steps]
    assert places == sorted(places)


def test_rounds_and_dead_ends_are_among_the_steps_and_what_came_after_stands_apart() -> None:
    assert lines(section(case(CLOUDFLARE)).body) == [
        "1. **14:00 UTC** Ruled out (15 min, 13:45 to 14:00): attack dismissed: the WAF is what burns the CPU.",
        (
            "1. **14:07 UTC** Mitigated: global WAF kill executed; our own outage had locked us out of the"
            " panel, used the bypass."
        ),
        "1. **14:09 UTC** Resolved: traffic and CPU normal worldwide.",
        "**Afterwards:**",
        "- **14:52 UTC**: Fix tested in one city, WAF enabled again everywhere.",
    ]
    assert lines(section(case(REOPENED)).body)[1:5] == [
        "1. **12:20 UTC** Resolved: p99 normal.",
        "1. **12:50 UTC**: Halved the batch size of the index rebuild.",
        "1. **13:00 UTC** Reopened: slow again.",
        "1. **13:10 UTC**: Stopped the index rebuild.",
    ]
    assert lines(section(case(GITLAB)).body)[0] == "**Before it began:**"


def test_no_cost_is_claimed_where_it_is_not_known() -> None:
    body = section(case(GITLAB)).body
    assert body.count("Ruled out:") == 4
    assert "Ruled out (" not in body


def test_how_it_ended_is_told_where_the_steps_alone_do_not_show_it() -> None:
    assert "How it ended" not in section(case(CLOUDFLARE)).body
    assert section(case(REOPENED)).body.endswith(
        "### How it ended\n\nIt began at 12:00 UTC and was resolved at 12:20; it came back at 13:00 and was"
        " resolved for good at 13:30: **50 min of trouble in two rounds** within 1 h 30 min."
    )
    assert section(case(UNDONE)).body.endswith(
        "It was first mitigated at 12:30 UTC; a further impact followed at 12:40; mitigated again at 08:00"
        " the next day; it was resolved at 09:11."
    )


def test_an_edited_step_stays_edited_when_a_step_is_recorded_before_it() -> None:
    first, second = told("did", 5, "restarted db1"), told("did", 9, "restarted db2")
    start, end = told("started", 0), told("resolved", 20, "all is well")
    before = section(document(start, first, second, end))
    mine = rewritten(before, before.body.replace("Restarted db2", "Restarted the second database"))
    fresh = section(document(start, told("did", 2, "drained db1"), first, second, end))
    result = redraft([mine], [fresh])
    assert result.conflicts == ()
    assert lines(result.sections[0].body) == [
        "1. **12:02 UTC**: Drained db1.",
        "1. **12:05 UTC**: Restarted db1.",
        "1. **12:09 UTC**: Restarted the second database.",
        "1. **12:20 UTC** Resolved: all is well.",
    ]


def test_a_step_of_several_lines_divides_no_list() -> None:
    steps = [told("did", minute, "ran:\nmake\nmake install") for minute in range(1, 13)]
    html = markup.html(section(document(told("started", 0), *steps, told("resolved", 20))).body)
    assert html.count("<ol>") == 1
    assert html.count("<pre>") == 12
    assert "<ol start" not in html


FIX = told("did", 10, "stopped `the rebuild`")


@pytest.mark.parametrize(
    ("entries", "asked"),
    [
        ([FIX, told("resolved", 30)], True),
        ([told("did", 5, "restarted db1"), FIX, told("note", 12, "x"), told("resolved", 30)], True),
        ([FIX, told("resolved", 41)], False),
        ([FIX, told("mitigated", 12), told("resolved", 30)], False),
        ([FIX, told("impact", 12, "logins fail"), told("resolved", 30)], False),
        ([told("did", 10), told("resolved", 30)], False),
        ([told("resolved", 9), told("reopened", 9.5), told("resolved", 30)], False),
        ([FIX], False),
        ([told("resolved", 30), told("did", 31, "emptied the bucket")], False),
    ],
)
def test_the_last_action_shortly_before_the_resolution_is_offered_as_the_mitigation(
    entries: list[TimelineEntry], asked: object
) -> None:
    questions = document(told("started", 0), *entries).questions
    assert ("mitigated_by" in questions) is asked
    assert not (asked and "mitigated" in questions)
    if asked:
        assert questions["mitigated_by"].command == "/mitigated at 2026-03-02 12:10 UTC stopped the rebuild"
