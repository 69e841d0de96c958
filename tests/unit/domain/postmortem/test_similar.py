"""Similar incidents: ranked as SQLite's own BM25 ranks them, and none where nothing tells two incidents alike."""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.postmortem.similar import Compared, Similar, rank, words_in
from storage.values import Incident
from tests.support import casebook
from tests.support.casebook import entry

NOON = datetime(2026, 3, 12, 12, tzinfo=UTC)
INVENTED = (
    (
        "Checkout rejects carts",
        "carts with two coupons are refused",
        "technical: a coupon's rounding differs from the ledger's",
    ),
    (
        "Mails are late",
        "receipts wait in the queue for an hour",
        "technical: a poison message blocks the queue's consumer",
    ),
    ("Certificate expired", "the mobile app cannot log in", "process: nobody renews the certificate of the gateway"),
    (
        "Disk full on db-3",
        "writes to the orders database stop",
        "process: old backups are never deleted from the volume",
    ),
    ("Search is empty", "product pages show no results", "technical: the index was built from an empty snapshot"),
    (
        "DNS does not resolve",
        "half of Europe cannot reach the site",
        "human: a zone file was pushed with a missing dot",
    ),
    ("Logins time out", "sessions are lost in the shop", "technical: Redis evicts sessions when its memory is full"),
    ("Duplicate charges", "40 cards were charged twice", "technical: the payment retry has no idempotency key"),
    ("Thumbnails missing", "sellers see grey boxes", "technical: the image resizer runs out of memory on huge PNGs"),
    ("Deploy stuck", "no release goes out", "process: the runner's token was rotated without telling the pipeline"),
)
RETOLD = {
    0: (
        "Cart totals off by a cent",
        "coupons are rounded up",
        "the ledger and the cart round each coupon on their own",
    ),
    1: ("Newsletter stuck", "no receipts since 9", "the consumer of the queue dies on one poison message, again"),
    2: ("App cannot log in", "all mobile users", "the gateway's certificate ran out over the weekend"),
    3: ("Orders cannot be written", "checkout is read-only", "backups filled the volume of the orders database"),
    4: (
        "No products found",
        "search results are gone",
        "the snapshot that the index is built from was truncated, empty",
    ),
    5: ("Site unreachable from Europe", "nothing resolves", "the zone file had lost a record"),
    6: ("Carts emptied", "sessions gone", "Redis had no memory left and dropped sessions"),
    7: ("Customers pay two times", "17 cards charged", "a payment was sent again by the retry after a timeout"),
    8: ("Listings without images", "thumbnails broken", "PNGs of 200 megapixels kill the resizer"),
    9: ("Release 418 does not go out", "the pipeline waits", "an expired token of the runner"),
}
"""The same again in other words, by the place in INVENTED."""


def told(number: int, title: str, impact: str, cause: str) -> Compared:
    factor, is_named, words = cause.partition(": ")
    at = NOON + timedelta(days=number)
    entries = [
        entry(1, "impact", at, impact),
        entry(2, "cause", at, words if is_named else cause, qualifier=factor if is_named else None),
    ]
    return Compared(incident=incident(number, title), entries=entries)


def incident(number: int, title: str) -> Incident:
    case = casebook.incident(casebook.load(casebook.NAMES[0]))
    return replace(case, id=number, number=number, title=title, declared_at=NOON + timedelta(days=number))


def of_case(number: int, name: str) -> Compared:
    case = casebook.load(name)
    return Compared(
        incident=replace(casebook.incident(case), id=number, number=number),
        entries=casebook.entries(case),
        items=casebook.items(case),
    )


KNOWN = [told(number, *words) for number, words in enumerate(INVENTED, 1)]
KNOWN += [of_case(100 + number, name) for number, name in enumerate(casebook.PUBLISHED)]


GITLAB = 100 + casebook.PUBLISHED.index("gitlab-2017-01-31-database")


def ranked(of: Compared, others: Sequence[Compared]) -> list[Similar]:
    every = [of, *(each for each in others if each.incident.id != of.incident.id)]
    holders = Counter(stem for each in every for stem in each.words)
    return rank(of, others, holders=holders, counted=len(every))


def by_sqlite(of: Compared, others: Sequence[Compared]) -> list[int]:
    """The ids of the others by SQLite's BM25, with a stemmer of its own, the most similar first."""
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE told USING fts5(words, tokenize='porter unicode61')")
    for each in others:
        if each.incident.id != of.incident.id:
            row = (each.incident.id, " ".join(each.texts))
            connection.execute("INSERT INTO told (rowid, words) VALUES (?, ?)", row)
    any_of = " OR ".join(f'"{word}"' for word in of.words.values())
    found = connection.execute("SELECT rowid FROM told WHERE told MATCH ? ORDER BY bm25(told)", (any_of,)).fetchall()
    connection.close()
    return [each for (each,) in found]


@pytest.mark.parametrize("place", RETOLD)
def test_what_happens_again_is_found_first_as_another_ranking_finds_it(place: int) -> None:
    again = told(50, *RETOLD[place])
    found = ranked(again, KNOWN)
    assert [each.incident.number for each in found][:1] == [place + 1] == by_sqlite(again, KNOWN)[:1]
    assert len(found) == 1


@pytest.mark.parametrize("of", KNOWN, ids=lambda each: each.incident.title)
def test_what_has_little_in_common_is_not_called_similar(of: Compared) -> None:
    # In both a database stood still for what was deleted, or not, and for its backups.
    alike = {4: [GITLAB], GITLAB: [4]}
    assert [each.incident.id for each in ranked(of, KNOWN)] == alike.get(of.incident.id, [])


@pytest.mark.parametrize("name", casebook.NAMES)
def test_a_real_incident_that_comes_back_is_found_by_a_part_of_its_words(name: str) -> None:
    known = [*KNOWN[: len(INVENTED)], *(of_case(100 + number, each) for number, each in enumerate(casebook.NAMES))]
    again = replace(of_case(50, name), entries=[entry(1, "impact", NOON, max(of_case(1, name).texts, key=len))])
    found = ranked(again, known)
    assert found[0].incident.id == 100 + casebook.NAMES.index(name) == by_sqlite(again, known)[0]


def test_the_reasons_are_the_rarest_words_the_cause_and_what_is_left() -> None:
    [found] = ranked(told(50, "Carts", "coupons refused", "technical: rounding in the ledger"), KNOWN[:3])
    assert found.why == "same words: carts, coupons, ledger, refused; same cause kind"
    assert replace(found, still_open=1, same_cause=False).why.endswith("refused; 1 action item still open")


def test_what_is_private_or_taken_back_counts_nowhere() -> None:
    first = told(1, "Blue", "Acme's ledger rounds coupons", "a coupon of Acme")
    for changes in ({"retracted": True}, {"text": "private: Acme's ledger rounds coupons"}):
        hidden = replace(first, entries=[replace(each, **changes) for each in first.entries])
        assert list(hidden.words) == ["blue"]
        assert ranked(replace(first, incident=incident(2, "Blue")), [hidden]) == []


def test_of_equals_the_latest_is_first_and_near_ones_are_ordered_by_cause_and_open_items() -> None:
    of = told(50, "ledger coupons", "", "technical: rounding")
    alike = [told(number, "ledger coupons", "", "process: rounding") for number in (1, 2)]
    assert [each.incident.number for each in ranked(of, alike)] == [2, 1]
    same = told(1, "ledger coupons", "", "technical: rounding")
    assert [each.incident.number for each in ranked(of, [same, alike[1]])] == [1, 2]
    item = replace(casebook.items(casebook.load(casebook.PUBLISHED[0]))[0], state="open")
    assert [each.incident.number for each in ranked(of, [replace(alike[0], items=[item]), alike[1]])] == [1, 2]


def test_at_most_three_are_named() -> None:
    alike = [told(number, "ledger coupons", "", "rounding") for number in range(1, 6)]
    others = [told(number, f"other{'x' * number}", "", "y") for number in range(10, 40)]
    assert [each.incident.number for each in ranked(told(50, "ledger coupons", "", ""), [*alike, *others])] == [5, 4, 3]


@pytest.mark.parametrize(
    ("text", "stems"),
    [
        ("The coupons and a COUPON's caches", ["coupon", "cache"]),
        ("https://example.com/coupon/rounding is down", []),
        ("address, status, bus don't show 502s at 14:02", ["address", "status", "bus", "show"]),
        ("Königstraße ist überlastet", ["königstrasse", "überlastet"]),
        ("データベース障害", ["デー", "ータ", "タベ", "ベー", "ース", "ス障", "障害"]),
        ("база данных", ["база", "данных"]),
    ],
)
def test_words_count_in_every_languages_letters(text: str, stems: list[str]) -> None:
    assert list(words_in(text)) == stems
