"""Blameless and public: searched from end to end for whatever must not be there."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import perf_counter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.documents import rendering
from bot.domain.postmortem import audiences
from bot.domain.postmortem.assemble import assemble
from bot.domain.postmortem.audiences import IncidentRecord, blameless
from bot.domain.postmortem.names import Pseudonymizer
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
    assert "the on-call engineer" not in file
    assert "the lead" in file
    assert "responder E" in file
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


def test_a_link_in_code_or_beside_its_label_leaves_the_code_and_the_label() -> None:
    words = "ran `curl https://acme.example/x`, see the board (https://acme.example/b) or www.acme.example/c."
    version, _ = as_public(incident_record([told(1, "did", words)]))
    assert version.entries[0].text == "ran `curl (link)`, see the board (link) or (link)"


def test_public_keeps_its_day_apart_from_the_list_below_it() -> None:
    _, sections = as_public(incident_record([told(1, "detected", "disk full")]))
    [happened] = [section.body for section in sections if section.key == "timeline"]
    assert re.search(r"\d{4}\n\n- \*\*", happened)


@pytest.mark.parametrize("name", casebook.PUBLISHED)
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
        "responder A", "responder B", "responder C", "responder A",
    ]  # fmt: skip
    assert version.entries[1].text == "responder A told me"
    assert version.entries[2].text == "ask responder B"
    assert version.entries[3].text == "responder C and responder D and responder D"


def test_the_lead_keeps_one_role_whether_known_by_id_or_only_by_name() -> None:
    for lead_id in ("U2", None):
        version = blameless(
            incident_record([told(1, "detected", "bob-sre leads", "U2")], lead="bob-sre", lead_id=lead_id), {}
        )
        assert version.entries[0].author == "the lead"
        assert version.entries[0].text == "the lead leads"


@pytest.mark.parametrize(
    "kept",
    [
        "it will hold",
        "asked @sre-team and @here",
        "the sre runbook on db1",
        "@ 14:00 user@db1 said so",
        "smithereens, bobbing, malice",
        "github.com is up",
        "Will it hold?",
        "Will have to wait. Will fix it later",
        "https://x.example/will/it, see `will` and [will](https://x.example/a_(b))",
        "`max_connections` on db1 to 2000",
    ],
)
def test_words_that_are_nobodys_name_stay(kept: str) -> None:
    assert one_line(kept) == kept


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Will restarted it", "Responder C restarted it"),
        ("@will restarted it", "responder C restarted it"),
        ("asked Will, who knew", "asked responder C, who knew"),
        ("Will's fix", "Responder C's fix"),
        ("Will: on it", "Responder C: on it"),
        ("Will and Alice did it", "Responder C and the lead did it"),
        ("done. Alice\u2019s turn", "done. The lead\u2019s turn"),
        ("alice-smith's laptop", "the lead's laptop"),
        ("ALICE.SMITH", "The lead"),
        ("log: alice@db1", "log: the lead@db1"),
        ("[runbook](https://x.example/w_(1)) of Dave", "[runbook](https://x.example/w_(1)) of responder B"),
        ("[by Dave](https://x.example/w)", "[by responder B](https://x.example/w)"),
        ("[board](https://x.example/dave/1) is up", "board (link) is up"),
        ("see https://x.example/dave-miller/1, then", "see (link), then"),
        ("see wiki.x.example/dave", "see (link)"),
        ("<https://x.example/a|Dave's board>", "<https://x.example/a|Responder B's board>"),
        ("https://acme.slack.com/archives/C1/p1", "(link)"),
        ("`ssh dave@db1 && ls /home/alice_smith`", "`ssh responder-B@db1 && ls /home/the-lead`"),
        ("``a `dave` b``", "``a `responder-B` b``"),
        ("```\ndave$ will it?\n```", "```\nresponder-B$ will it?\n```"),
        ("mail me at x.y@corp.example", "mail me at (address)"),
    ],
)
def test_a_name_is_found_however_it_is_written(typed: str, shown: str) -> None:
    entries = [told(1, "detected", "x", "U2"), told(2, "note", "x", "U4"), told(3, "note", typed, "U3")]
    version = blameless(incident_record(entries), NAMES)
    assert version.entries[2].text == shown


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
    assert sections[0].body.startswith("An incident is being looked into.")
    assert sections[2].body == "There is nothing to tell yet."
    assert "being worked out" in sections[3].body


def public_file(entries: list[TimelineEntry], items: list[ActionItem] | None = None, *, money: bool = False) -> str:
    version = audiences.public_record(incident_record(entries, items), NAMES, money=money)
    document = assemble(version.incident, version.entries, version.items, zone=ZoneInfo("UTC"))
    return rendering.markdown(version.incident, rendering.public(audiences.public_document(document)))


@pytest.mark.parametrize(
    ("typed", "public"),
    [
        ("I restarted db1", "An engineer restarted host A"),
        ("we left db1 for db-2.prod.internal and 10.2.0.7:5432", "The team left host A for host B and host C"),
        ("db1 and DB1 and db2", "host A and host A and host B"),
        ("Alice ran `ssh db1 'ls /var/lib/pg'`", "An engineer ran `ssh host-A 'ls (path)'`"),
        ("restarted web-03, pod-7f9x and nfs-share01", "restarted host A, host B and host C"),
        ("opened ::1 and 2001:db8::8a2e, blocked 10.0.0.0/8", "opened host A and host B, blocked (network)"),
        ("deleted ~/x/y and C:\\logs\\a, kept and/or", "deleted (path) and (path), kept and/or"),
        ("status.acme.example said so", "host A said so"),
        ("alice-sre1 and bob-sre", "host A and an engineer"),
    ],
)  # fmt: skip
def test_public_has_no_host_path_or_first_person(typed: str, public: str) -> None:
    version = audiences.public_record(incident_record([told(1, "did", typed)]), NAMES)
    assert version.entries[0].text == public


@pytest.mark.parametrize(
    "kept",
    [
        "GitLab.com was down in us-east-1 and eu-west-1a",
        "p99 over 5 s, HTTP 502 at 12:30:45, 80% of v2.3.1",
        "version 1.2.3.4 of python3 on k8s, s3, ec2, log4j2, es6, postgres14",
        "CVE-2021-44228, SEV1, INC-12, utf-8, covid-19, sha-256, top-10, phase-2",
        "/checkout answered 500, server 3 of 5, max_connections 8000",
        "the customer wrote “we cannot log in”",
        "999.1.2.3 and os.path.join",
    ],
)
def test_public_keeps_what_is_no_host(kept: str) -> None:
    version = audiences.public_record(incident_record([told(1, "did", kept)]), NAMES)
    assert version.entries[0].text == kept


def test_public_divides_the_lead_up_off_and_keeps_announcements() -> None:
    entries = [
        told(0, "did", "deployed the rule"),
        told(5, "detected", "errors"),
        told(6, "note", "we announced that the site is slow"),
        told(7, "note", "told customers: we are working on it; refunds of $5 each"),
        told(8, "note", "announced it to staff"),
        told(9, "note", "told staff: mail to all"),
        told(10, "note", "private: announced it to the press"),
        told(11, "note", "looked at the status"),
        told(25, "resolved", "errors gone"),
        told(40, "did", "tidied up"),
    ]
    file = public_file(entries)
    timeline = file.partition("## What happened")[2].partition("\n## ")[0]
    assert re.findall(r"### (.*)|\*\*(\d\d:\d\d) UTC\*\* (.*?)[:.]", timeline) == [
        ("Before it began", "", ""),
        ("", "12:00", "Did"),
        ("The incident", "", ""),
        ("", "12:05", "Detected"),
        ("", "12:06", "Told customers"),
        ("", "12:07", "Told customers"),
        ("", "12:25", "Resolved"),
        ("Afterwards", "", ""),
        ("", "12:40", "Did"),
    ]
    assert "The team is working on it; refunds of $5 each" in timeline
    assert "told customers:" not in timeline


def test_money_is_public_only_where_it_is_asked_for() -> None:
    entries = [
        told(0, "impact", "money: $4,000 in refunds"),
        told(1, "impact", "300 orders failed; we lost $20k of revenue"),
        told(2, "did", "paid the vendor 300 EUR"),
        told(3, "impact", "users saw 500s"),
        told(9, "resolved", "back"),
    ]
    items = [item(1, "spend $900 on disks"), item(2, "watch the disks")]
    file = public_file(entries, items)
    assert not re.search(r"\$|EUR|revenue|refund|vendor|disks on", file)
    assert "300 orders failed" in file
    assert "users saw 500s" in file.lower()
    assert "atch the disks" in file
    asked = public_file(entries, items, money=True)
    assert all(words in asked for words in ("$4,000 in refunds", "the team lost $20k", "300 EUR", "$900"))
    assert "money:" not in file


def test_leads_one_after_the_other_are_the_lead_and_a_responder() -> None:
    entries = [
        told(1, "lead", "will", "U2", people={"will": "U3"}),
        told(2, "lead", "@Alice Smith", "U2", people={"Alice Smith": "U1"}),
        told(3, "note", "x", "U2"),
    ]
    version = blameless(incident_record(entries), NAMES)
    assert [each.text for each in version.entries] == ["responder B", "the lead", "x"]
    assert [each.author for each in version.entries] == ["responder A"] * 3


def test_somebody_named_by_id_who_wrote_nothing_has_a_role_too() -> None:
    entry = told(1, "note", "asked @Zed Zappa; Zappa knew", "U2", people={"Zed Zappa": "U77"})
    assert blameless(incident_record([entry]), NAMES).entries[0].text == "asked responder B; responder B knew"


def test_an_item_shows_nobody_in_its_criterion_or_ticket() -> None:
    items = [
        item(1, "x", done_when="Alice has tried it", ticket="https://t.example/alice/OPS-1"),
        item(2, "y", ticket="https://t.example/OPS-2"),
    ]
    version = blameless(incident_record([told(1, "note", "x")], items), NAMES)
    assert [each.done_when for each in version.items] == ["The lead has tried it", None]
    assert [each.ticket for each in version.items] == [None, "https://t.example/OPS-2"]
    public = audiences.public_record(incident_record([], items), NAMES)
    assert {(each.done_when, each.ticket) for each in public.items} == {(None, None)}


PIECES = st.sampled_from([
    "Alice", "@alice", "alice_smith", "Smith's", "bob-sre", "@bob-sre:", "Dave", "DAVE MILLER", "<@U4>", "<@U9|x>",
    "張偉", "zoë ångström\u2019s", "@will", "db1", ".", ";", "\n", "`ssh alice@db1`", "`a", "```\nbob-sre$ x\n```",
    "https://x.example/dave/1", "https://x.example/ok",
    "[Alice](https://x.example/a_(b))", "[b](https://x.example/smith)",
    "<https://x.example/q|Bob-sre's>", "a.smith@corp.example", "(", ")", "*", "_",
])  # fmt: skip


IN_TICKS = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
"""Code as Markdown has it."""


@given(st.lists(PIECES, max_size=12).map(" ".join))
@example(text="`a a.smith@corp.example `ssh alice@db1`")
@example(text="`a [b](https://x.example/smith) `ssh alice@db1`")
@settings(deadline=None)
def test_no_name_is_left_and_every_link_that_is_left_is_whole(text: str) -> None:
    shown = one_line(text)
    assert not re.search(r"(?i:alice|smith|bob|dave|miller|張偉|ångström|zoë|corp\.example)|@will|<@|\bU\d\b", shown)
    links = re.findall(r"https://[^\s|>]*", text)
    # In code a name is replaced wherever it stands, within an address too.
    assert all(link in links for link in re.findall(r"https://[^\s|>]*", IN_TICKS.sub("", shown)))
    assert shown.count("`") == text.count("`")


@pytest.mark.parametrize("text", ["a-" * 5000, "db1 " * 2500, "a." * 5000, "/a" * 5000, "Alice " * 1600, "[" * 9000])
def test_the_longest_words_are_redacted_in_time(text: str) -> None:
    begun = perf_counter()
    audiences.public_record(incident_record([told(1, "did", text)]), NAMES)
    assert perf_counter() - begun < 20


@pytest.mark.parametrize(
    ("names", "typed", "shown"),
    [
        (["李"], "李 looked; 李子 was eaten", "responder A looked; 李子 was eaten"),
        (["王芳"], "王芳看了", "responder A看了"),
        (["x"], "x looked at xx, and @x", "responder A looked at xx, and responder A"),
        (["Al"], "Al looked at alpine", "responder A looked at alpine"),
        (
            ["Ann Lee", "Bo"],
            "ann told lee and Bo of the boat",
            "responder A told responder A and responder B of the boat",
        ),
        (["Ann Li"], "li told ann", "li told responder A"),
    ],
)
def test_short_names_are_found_as_words_alone(names: list[str], typed: str, shown: str) -> None:
    known = Pseudonymizer()
    for number, name in enumerate(names):
        known.learn(f"U{number}", name)
        known.learn_parts(name)
    found = known.pseudonymize(typed)
    assert f"{found[0].lower()}{found[1:]}" == shown
