import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.documents import rendering
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.document import Document
from storage.values import TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
INCIDENT = replace(casebook.incident(casebook.load(casebook.NAMES[0])), severity="SEV2")
CLOUDFLARE, GITLAB, GOOGLE, REOPENED, UNDONE = casebook.NAMES


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def document(*told: TimelineEntry, zone: str = "UTC", severity: str | None = "SEV2") -> Document:
    numbered = [replace(each, number=number, id=number) for number, each in enumerate(told, 1)]
    return assemble(replace(INCIDENT, severity=severity), numbered, [], zone=ZoneInfo(zone))


def summary(*told: TimelineEntry, **facts: Any) -> str:
    return rendering.render_draft(document(*told, **facts))[0].body


def paragraph(*told: TimelineEntry, **facts: Any) -> str:
    return summary(*told, **facts).partition("\n\n")[0]


def of_case(name: str) -> str:
    case = casebook.load(name)
    told = assemble(casebook.incident(case), casebook.entries(case), casebook.items(case), zone=casebook.zone(case))
    return rendering.render_draft(told)[0].body


def told(kind: str, minutes: float, text: str = "", **other: object) -> TimelineEntry:
    return entry(0, kind, after(minutes), text, **other)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        (
            CLOUDFLARE,
            (
                "On Tuesday 2 July 2019, from 13:42 to 14:09 UTC (**27 min**, SEV1): 502 pages on proxied sites"
                " worldwide, CPU **near 100%** on every HTTP server; **27 minutes** of errors for all proxied"
                " sites, **about 80% of traffic** lost; dashboard and API unreachable too. Monitoring noticed"
                " after 3 min; it was mitigated at 14:07: global WAF kill executed; our own outage had locked us"
                " out of the panel, used the bypass."
            ),
        ),
        (
            GITLAB,
            (
                "From Tuesday 31 January 2017 at 23:27 to 18:00 UTC the next day (**18 h 33 min**, SEV1):"
                " production database gone, GitLab.com has to go offline; **roughly 5,000 projects**, **5,000"
                " comments** and **700 new accounts** lost; repositories and wikis intact. An engineer noticed"
                " within the minute; it was mitigated at 17:00 on 1 February: database restored without webhooks."
            ),
        ),
        (
            GOOGLE,
            (
                "On Tuesday 30 April 2013, from 18:26 to 19:58 PDT (01:26 to 02:58 UTC on 1 May; **1 h 32 min**,"
                " SEV1): most APIs answer with 500s; at peak **100% of traffic** to this API stack failed; APIs"
                " on other stacks kept working. Monitoring noticed within the minute; it was mitigated at 19:49:"
                " 25% of traffic restored."
            ),
        ),
        (
            REOPENED,
            (
                "This SEV2 incident was on Thursday 1 October 2026. It began at 12:00 UTC and was resolved at"
                " 12:20; it came back at 13:00 and was resolved for good at 13:30: **50 min of trouble in two"
                " rounds** within 1 h 30 min. It ended with: p99 normal since the rebuild was stopped."
            ),
        ),
        (
            UNDONE,
            (
                "This SEV2 incident began on Saturday 10 January 2026. First signs at 09:00 UTC, seen by"
                " monitoring; users were hurt from 12:00 to 09:11 the next day, **21 h 11 min**: all uploads"
                " fail. It was first mitigated at 12:30; a further impact followed at 12:40; mitigated again at"
                " 08:00 the next day: disk grown. The further impact: downloads broken by the switch."
            ),
        ),
    ],
)
def test_a_sample_case_is_told_in_one_paragraph(name: str, first: str) -> None:
    assert of_case(name).partition("\n\n")[0] == first


def test_what_the_paragraph_quotes_is_in_no_list_and_the_cause_follows() -> None:
    body = of_case(CLOUDFLARE)
    assert body.count("502 pages") == 1
    assert "Impact:" not in body
    assert "Share affected" not in body
    assert "**Root cause:** " in body


RESOLVED = told("resolved", 30, "all is well")
IMPACT = told("impact", 0, "all uploads fail")
DETECTED = told("detected", 3, qualifier="monitoring")


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ([IMPACT], "Since Monday 2 March 2026 at 12:00 UTC (SEV2): all uploads fail. It is not over yet."),
        (
            [IMPACT, told("mitigated", 20)],
            (
                "Since Monday 2 March 2026 at 12:00 UTC (SEV2): all uploads fail. It was mitigated at 12:20. It"
                " is not resolved yet."
            ),
        ),
        (
            [IMPACT, told("mitigated", 20, "switched back"), RESOLVED],
            (
                "On Monday 2 March 2026, from 12:00 to 12:30 UTC (**30 min**, SEV2): all uploads fail. It was"
                " mitigated at 12:20: switched back."
            ),
        ),
        (
            [IMPACT, DETECTED, RESOLVED],
            (
                "On Monday 2 March 2026, from 12:00 to 12:30 UTC (**30 min**, SEV2): all uploads fail."
                " Monitoring noticed after 3 min; it ended with: all is well."
            ),
        ),
        (
            [told("detected", 3), RESOLVED],
            (
                "This SEV2 incident lasted from 12:03, when it was noticed, to 12:30 UTC on Monday 2 March 2026"
                " (**27 min**). It ended with: all is well."
            ),
        ),
        (
            [DETECTED, told("impact", 60, "1,200 orders lost"), RESOLVED],
            (
                "On Monday 2 March 2026, from 12:03, when monitoring noticed it, to 12:30 UTC (**27 min**,"
                " SEV2): **1,200 orders** lost. It ended with: all is well."
            ),
        ),
        (
            [told("resolved", 30)],
            "When this SEV2 incident began is not known; it ended on Monday 2 March 2026 at 12:30 UTC.",
        ),
        ([], "When this SEV2 incident began is not known. It is not over yet."),
        (
            [IMPACT, told("resolved", 24 * 60 + 11)],
            "From Monday 2 March 2026 at 12:00 to 12:11 UTC the next day (**24 h 11 min**, SEV2): all uploads fail.",
        ),
        (
            [told("started", 0, approximate=True), RESOLVED],
            (
                "This SEV2 incident lasted from about 12:00 to 12:30 UTC on Monday 2 March 2026 (**30 min**). It"
                " ended with: all is well."
            ),
        ),
        (
            [told("detected", 0), told("resolved", 20), told("reopened", 60)],
            (
                "This SEV2 incident began on Monday 2 March 2026 at 12:00 UTC and was resolved at 12:20; it came"
                " back at 13:00. It is not over yet."
            ),
        ),
        (
            [
                told("started", 0), told("resolved", 10), told("reopened", 20), told("resolved", 30),
                told("reopened", 40), told("resolved", 50), told("reopened", 60), told("resolved", 70),
            ],
            (
                "This SEV2 incident was on Monday 2 March 2026. It began at 12:00 UTC and was resolved at 12:10;"
                " it came back 3 more times, the last time at 13:00, and was resolved for good at 13:10: **40"
                " min of trouble in four rounds** within 1 h 10 min."
            ),
        ),
        (
            [told("started", 0), told("mitigated", 10), told("impact", 15, "logins fail"), told("mitigated", 20)],
            (
                "This SEV2 incident began on Monday 2 March 2026 at 12:00 UTC. It was first mitigated at 12:10;"
                " a further impact followed at 12:15; mitigated again at 12:20. The further impact: logins fail."
                " It is not resolved yet."
            ),
        ),
    ],
)  # fmt: skip
def test_the_course_is_told_as_it_was(entries: list[TimelineEntry], text: str) -> None:
    assert paragraph(*entries) == text


ODD = [
    ("Nobody can log in! Users see a blank page", "The impact as told: Nobody can log in! Users see a blank page."),
    ("is the login down?", "The impact as told: Is the login down?"),
    ("everything is gone!", "The impact as told: Everything is gone!"),
    ("all uploads", "(**30 min**, SEV2): all uploads."),
    ("EU customers", "(**30 min**, SEV2): EU customers."),
    ("uploads fail.", "(**30 min**, SEV2): uploads fail."),
    ("e.g. logins", "(**30 min**, SEV2): e.g. logins."),
    ("uploads fail;", "(**30 min**, SEV2): uploads fail."),
    ("`GET /v1` answers 500", "(**30 min**, SEV2): `GET /v1` answers 500."),
    ("see https://status.example.com/1", "(**30 min**, SEV2): see https://status.example.com/1."),
    ("alle Uploads schlagen fehl", "(**30 min**, SEV2): alle Uploads schlagen fehl."),
    ("上传失败。", "The impact as told: 上传失败。"),
    ("money: $4,000 in refunds", "(**30 min**, SEV2): **$4,000** in refunds."),
]


@pytest.mark.parametrize(("words", "end"), ODD)
def test_words_that_fit_no_clause_stand_as_told(words: str, end: str) -> None:
    assert end in paragraph(told("impact", 0, words), told("resolved", 30))


def test_of_ten_impacts_the_first_and_those_with_figures_are_quoted_and_the_others_listed() -> None:
    impacts = [told("impact", minute, f"thing {minute} fails") for minute in range(8)]
    impacts += [told("impact", 8, "1,200 orders lost"), told("impact", 9, "about 20% of users hurt")]
    body = summary(*impacts, told("resolved", 30))
    first, more = body.split("\n\n", 1)
    assert "thing 0 fails; **1,200 orders** lost; **about 20% of users** hurt." in first
    assert more.startswith("**More on the impact:**\n\n- Thing 1 fails.\n- Thing 2 fails.")
    assert body.count("1,200 orders") == 1


def test_words_on_several_lines_are_listed_whole() -> None:
    body = summary(told("impact", 0, "uploads fail:\nTraceback"), told("resolved", 30))
    assert "**Impact:**\n\n- Uploads fail:\n  ```text\n  Traceback\n  ```" in body


FACTS = {
    "started": told("started", 0, "first errors"),
    "impact": told("impact", 1, "uploads fail"),
    "figures": told("impact", 2, "about 20% of users saw errors"),
    "monitoring": told("detected", 3, "pager", qualifier="monitoring"),
    "detected": told("detected", 4, "somebody wrote"),
    "acknowledged": told("acknowledged", 5, "alice is on it"),
    "mitigated": told("mitigated", 6, "sent to the old bucket"),
    "worse": told("impact", 8, "downloads broken too"),
    "mitigated again": told("mitigated", 9, "disk grown"),
    "resolved": told("resolved", 11, "uploads work"),
    "reopened": told("reopened", 15, "slow again"),
    "resolved again": told("resolved", 19, "no limit left"),
    "summed up": told("impact", 600, "1,200 orders lost"),
    "early": told("detected", -90, "disk at 91%", qualifier="engineer"),
    "question": told("impact", 7, "is the login down?"),
    "nothing": told("mitigated", 10),
}
WORDS = st.sampled_from([
    "uploads fail", "all uploads", "EU customers.", "Nobody can log in! Users see a blank page", "is it down?", "gone!",
    "`GET /v1` answers 500", "see https://status.example.com/1", "alle Uploads schlagen fehl", "p99 at 9 s ...",
    "12 000 users",
    "uploads fail; downloads too;", "errors (mostly 500s)", "", "x" * 400, "several\nlines", "down, down -",
    "he said: \"it is down.\"", "100%",
])  # fmt: skip
SENTENCE = re.compile(r"(?:[A-Z0-9*`]|the impact as told: ).*[.!?…][\"]?")


@given(
    st.sets(st.sampled_from(sorted(FACTS))),
    st.sampled_from(["SEV1", None]),
    st.sampled_from(["UTC", "America/Los_Angeles", "Europe/London", "Asia/Tokyo"]),
    st.sampled_from([1, 240]),
    st.tuples(WORDS, WORDS),
)
def test_it_holds_together_whatever_is_missing_or_odd(
    facts: set[str], severity: str | None, zone: str, stretch: int, odd: tuple[str, str]
) -> None:
    told_oddly = {"impact": odd[0], "mitigated": odd[1], "resolved again": odd[1]}
    entries = [
        replace(
            each,
            text=told_oddly.get(name, each.text),
            occurred_at=NOON + (each.occurred_at - NOON) * stretch,
            recorded_at=NOON,
        )
        for name, each in FACTS.items()
        if name in facts
    ]
    told_facts = document(*entries, zone=zone, severity=severity)
    text = rendering.render_draft(told_facts)[0].body.partition("\n\n**")[0]
    assert "\n" not in text
    assert SENTENCE.fullmatch(text), text
    assert not re.search(r"  | [,.;:)]|[,;:] ?[,.;:]|\( |\(\)|None|unknown|\.\.|undefined", text), text
    for begins in re.findall(r"[.!?] (\S)", text):
        assert not begins.islower(), text
    if "for good" in text:
        assert told_facts.times["resolved_at"], text
    for each in entries:
        if each.kind == "impact" and each.text and each.text.lower() not in odd[1].lower():
            assert text.lower().replace("*", "").count(each.text.lower()) <= 1, text
    for mitigation in told_facts.mitigations:
        end = told_facts.times["resolved_at"]
        if end is None or mitigation.line.time.at <= end.at:
            assert mitigation.line.time.local_clock in text, text
    if told_facts.times["detected_at"] is not None:
        assert re.search("noticed|First signs", text) or told_facts.lifecycle.detected_by is None, text
