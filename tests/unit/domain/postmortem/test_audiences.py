"""Blameless and public: searched from end to end for whatever must not be there."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.documents import rendering
from bot.domain.postmortem import audiences
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.audiences import IncidentRecord, blameless
from bot.vocabulary import KINDS
from storage.values import ActionItem, Incident, Section, TimelineEntry
from tests.support import casebook
from tests.support.casebook import entry, item
from tests.unit.documents.test_templates import FORMS

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NAMES = {"U1": "Alice Smith", "U2": "bob-sre", "U3": "Will", "U4": "Dave Miller", "U5": "張偉", "U6": "Zoë Ångström"}
WORDS = (
    "Alice and @bob-sre saw it; BOB rebooted, alice_smith's laptop asked <@U4> and <@U9|nobody.known>, then "
    "@dave_miller wrote to alice.smith@corp.example; Will said it will hold; 張偉重启了; zoë ångström: see "
    "https://acme.slack.com/archives/C1/p1?by=bob and www.acme.example/wiki, grafana.acme.internal/d/1, #incident-db"
)
LEAKS = re.compile(
    r"(?i:alice|smith|bob|dave|miller|張偉|ångström|zoë|nobody\.known|corp\.example)|\bWill\b|<@|\bU[1-9]\b"
)
LINKS = re.compile(r"https?:|www\.|slack\.com|acme|archives|incident-db")


def told(number: int, kind: str, text: str, who: str = "U1", **other: object) -> TimelineEntry:
    link = f"https://acme.slack.com/archives/C1/p{number}"
    facts = {"author": NAMES[who], "author_id": who, "recorded_by_id": who, "permalink": link} | other
    return entry(number, kind, NOON + timedelta(minutes=number), text, **facts)


def incident_record(
    entries: list[TimelineEntry], items: list[ActionItem] | None = None, **incident: object
) -> IncidentRecord:
    facts: dict[str, object] = {"lead": "Alice Smith", "lead_id": "U1", "declared_by": "bob-sre"} | incident
    base = casebook.incident(casebook.load(casebook.NAMES[0]))
    return IncidentRecord(incident=replace(base, **facts), entries=tuple(entries), items=tuple(items or ()))  # type: ignore[arg-type]


def everything() -> IncidentRecord:
    """Every kind of entry by everybody, every field full of names and links."""
    who = list(NAMES)
    entries = [told(n, kind, WORDS, who[n % len(who)]) for n, kind in enumerate(KINDS, 1)]
    entries += [told(30 + n, kind, f"private: secret {kind}, {WORDS}") for n, kind in enumerate(KINDS)]
    items = [
        item(1, WORDS, owner="Alice Smith", owner_id="U1"),
        item(2, WORDS, owner="dave-miller"),
        item(3, "teach", owner="sre-team"),
        item(4, WORDS, state="dropped", reason=WORDS),
        item(5, f"private: secret item, {WORDS}"),
    ]
    return incident_record(entries, items, title=f"Down after {WORDS}")


def as_public(whole: IncidentRecord) -> tuple[IncidentRecord, tuple[Section, ...]]:
    version = audiences.public_record(whole, NAMES)
    document = assemble(version.incident, version.entries, version.items, zone=ZoneInfo("UTC"))
    return version, rendering.public(audiences.public_document(document))


def drafted(version: IncidentRecord, template: str) -> str:
    document = assemble(version.incident, version.entries, version.items, zone=ZoneInfo("UTC"))
    return rendering.markdown(version.incident, rendering.render_draft(document, template))


def one_line(text: str, **others: object) -> str:
    """The words of one entry after the blameless rendering."""
    entries = [told(1, "note", "x", "U1"), told(2, "note", "x", "U2"), told(3, "note", text, "U4", **others)]
    return blameless(incident_record(entries), NAMES).entries[2].text


@pytest.mark.parametrize("template", FORMS)
def test_blameless_names_nobody_in_any_form(template: str) -> None:
    file = drafted(blameless(everything(), NAMES), template)
    assert not LEAKS.search(file)
    assert "acme.slack.com/archives/C1/p1)" not in file
    assert "the on-call engineer" in file
    assert "sre-team" in file


def test_public_has_four_sections_and_neither_name_nor_link_nor_private_word() -> None:
    version, sections = as_public(everything())
    assert [section.key for section in sections] == ["summary", "impact", "timeline", "measures"]
    file = rendering.markdown(version.incident, sections)
    assert not LEAKS.search(file)
    assert not LINKS.search(file)
    assert "secret" not in file
    assert "private" not in file
    assert "sre-team" not in file
    assert "Not known" not in file


def test_public_keeps_its_day_apart_from_the_list_below_it() -> None:
    _, sections = as_public(incident_record([told(1, "detected", "disk full")]))
    [happened] = [section.body for section in sections if section.key == "timeline"]
    assert re.search(r"\d{4}\n\n- \*\*", happened)


@pytest.mark.parametrize("name", casebook.NAMES)
def test_a_case_is_told_without_its_people_and_otherwise_whole(name: str) -> None:
    case = casebook.load(name)
    entries = [replace(each, author_id=f"U{each.author}") for each in casebook.entries(case)]
    whole = IncidentRecord(incident=casebook.incident(case), entries=tuple(entries), items=tuple(casebook.items(case)))
    authors = {each.author for each in entries}
    version = blameless(whole, {})
    roles = {each.author for each in version.entries}
    assert len(roles) == len(authors)
    assert [each.text for each in version.entries] == [
        each.text for each in sorted(entries, key=lambda e: e.occurred_at)
    ]
    for file in (*(drafted(version, form) for form in FORMS), rendering.markdown(*_public_file(whole))):
        assert not any(author in file for author in authors)
    assert {each.owner for each in version.items} == {each.owner for each in whole.items}


def _public_file(whole: IncidentRecord) -> tuple[Incident, tuple[Section, ...]]:
    version, sections = as_public(whole)
    return version.incident, sections


def test_a_role_is_the_same_for_one_person_throughout_and_another_for_each() -> None:
    entries = [
        told(1, "note", "seen", "U2"),
        told(2, "detected", "bob-sre told me", "U1"),
        told(3, "acknowledged", "ask Alice", "U4"),
        told(4, "note", "dave miller and @zoe and @zoe", "U2"),
    ]
    version = blameless(incident_record(entries, lead=None, lead_id=None), NAMES)
    assert [each.author for each in version.entries] == [
        "another engineer", "a third engineer", "the on-call engineer", "another engineer",
    ]  # fmt: skip
    assert version.entries[1].text == "another engineer told me"
    assert version.entries[2].text == "ask a third engineer"
    assert version.entries[3].text == "the on-call engineer and a fourth engineer and a fourth engineer"


def test_the_lead_keeps_one_role_whether_known_by_id_or_only_by_name() -> None:
    for lead_id in ("U2", None):
        version = blameless(
            incident_record([told(1, "detected", "bob-sre leads", "U2")], lead="bob-sre", lead_id=lead_id), {}
        )
        assert version.entries[0].author == "the incident lead"
        assert version.entries[0].text == "the incident lead leads"


@pytest.mark.parametrize(
    "kept",
    [
        "it will hold",
        "asked @sre-team and @here",
        "the sre runbook on db1",
        "@ 14:00 user@db1 said so",
        "smithereens, bobbing, malice",
        "github.com is up",
    ],
)
def test_words_that_are_nobodys_name_stay(kept: str) -> None:
    assert one_line(kept) == kept


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Will restarted it", "a third engineer restarted it"),
        ("@will restarted it", "a third engineer restarted it"),
        ("alice-smith's laptop", "the incident lead's laptop"),
        ("ALICE.SMITH", "the incident lead"),
        ("log: alice@db1", "log: the incident lead@db1"),
        ("mail me at x.y@corp.example", "mail me at (address)"),
    ],
)
def test_a_name_is_found_however_it_is_written(typed: str, shown: str) -> None:
    entries = [told(1, "detected", "x", "U2"), told(2, "note", "x", "U4"), told(3, "note", typed, "U3")]
    version = blameless(incident_record(entries), NAMES)
    assert version.entries[2].text.replace("a fourth", "a third") == shown


def test_public_tells_true_times_though_the_entries_that_give_them_are_private() -> None:
    entries = [
        told(0, "impact", "private: 90% of users saw errors"),
        told(5, "detected", "errors"),
        told(25, "resolved", "private: paid the ransom"),
    ]
    _, sections = as_public(incident_record(entries))
    summary, impact, timeline, measures = (section.body for section in sections)
    assert "began on Monday 2 March 2026 at 12:00 UTC and ended at 12:25 UTC, **25 min** later" in summary
    assert impact == "The impact is not known yet."
    assert timeline.count("\n- ") == 1
    assert not any("90%" in body for body in (summary, impact, timeline, measures))


def test_public_says_of_an_incident_without_facts_only_that_there_is_one() -> None:
    _, sections = as_public(incident_record([]))
    assert sections[0].body.startswith("We are looking into an incident.")
    assert sections[2].body == "There is nothing to tell yet."
    assert "working out" in sections[3].body
