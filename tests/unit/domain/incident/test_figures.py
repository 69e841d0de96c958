import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.incident.figures import figures, spans

WHOLE = (
    ("27 minutes of errors, about 80% of traffic lost", ("27 minutes", "about 80% of traffic")),
    (
        "roughly 5,000 projects, 5,000 comments and 700 new accounts lost",
        ("roughly 5,000 projects", "5,000 comments", "700 new accounts"),
    ),
    ("CPU near 100% on every HTTP server", ("near 100%",)),
    ("$1.5M lost, €20,000 in refunds", ("$1.5M", "€20,000")),
    ("1 in 5 users, up to 12k requests a minute", ("1 in 5 users", "up to 12k requests")),
    ("2.5% of checkout requests, p99 over 5 s", ("2.5% of checkout requests", "over 5 s")),
    ("~5 GB of uploads gone, 1 h 32 min down", ("~5 GB", "1 h 32 min")),
    ("12 000 users saw errors", ("12 000 users",)),
    ("12\u00a0000 users saw errors", ("12\u00a0000 users",)),
    ("12\u2009000 users saw errors", ("12\u2009000 users",)),
    ("12\u202f000 users saw errors", ("12\u202f000 users",)),
    ("12\u2007000 users saw errors", ("12\u2007000 users",)),
    ("12,500 orders lost", ("12,500 orders",)),
    ("12.500 orders lost", ("12.500 orders",)),
    ("12'500 orders lost", ("12'500 orders",)),
    ("12\u2019500 orders lost", ("12\u2019500 orders",)),
    ("10,00,000 users hurt", ("10,00,000 users",)),
    ("2 000 000 requests failed", ("2 000 000 requests",)),
    ("12 000 000 000 requests failed", ("12 000 000 000 requests",)),
    ("1.2M users hurt", ("1.2M users",)),
    ("1.2m users hurt", ("1.2m users",)),
    ("1,2 Mio Kunden betroffen", ("1,2 Mio",)),
    ("1,2 Mio users hurt", ("1,2 Mio users",)),
    ("1,2 Mio. users hurt", ("1,2 Mio. users",)),
    ("about 2 million rows lost", ("about 2 million rows",)),
    ("3 thousand payments failed", ("3 thousand payments",)),
    ("3k requests", ("3k requests",)),
    ("3 k requests", ("3 k requests",)),
    ("1.2B requests", ("1.2B requests",)),
    ("12k+ users", ("12k+ users",)),
    ("12,000+ users", ("12,000+ users",)),
    ("300\u2013400 users", ("300\u2013400 users",)),
    ("300-400 users", ("300-400 users",)),
    ("300 to 400 users", ("300 to 400 users",)),
    ("300 to 1.2k users", ("300 to 1.2k users",)),
    ("between 300 and 400 users", ("between 300 and 400 users",)),
    ("12 000\u201315 000 users", ("12 000\u201315 000 users",)),
    ("3\u20135 % of orders", ("3\u20135 % of orders",)),
    ("3%\u20135% of orders", ("3%\u20135% of orders",)),
    ("~20 % of users", ("~20 % of users",)),
    ("99.95% of requests", ("99.95% of requests",)),
    ("99,95 % of requests", ("99,95 % of requests",)),
    ("20 per cent of users", ("20 per cent of users",)),
    ("one in 5 users", ("one in 5 users",)),
    ("3 of 12 hosts", ("3 of 12 hosts",)),
    ("half of 1,200 orders", ("half of 1,200 orders",)),
    ("$4,000 in refunds", ("$4,000",)),
    ("US$4,000 in refunds", ("US$4,000",)),
    ("€1.5m lost", ("€1.5m",)),
    ("$1.5 million lost", ("$1.5 million",)),
    ("40.000 € lost", ("40.000 €",)),
    ("40.000€ lost", ("40.000€",)),
    ("1.234.567,89 € lost", ("1.234.567,89 €",)),
    ("1,234,567.89 USD lost", ("1,234,567.89 USD",)),
    ("EUR 40.000 lost", ("EUR 40.000",)),
    ("CHF 1'000 lost", ("CHF 1'000",)),
    ("1'000 CHF lost", ("1'000 CHF",)),
    ("€ 2 Mrd lost", ("€ 2 Mrd",)),
    ("£4k-5k lost", ("£4k-5k",)),
    ("$4k\u2013$5k lost", ("$4k\u2013$5k",)),
    ("₹12,34,567 lost", ("₹12,34,567",)),
    ("1 h 32 min 20 s down", ("1 h 32 min 20 s",)),
    ("5 GB/s lost", ("5 GB/s",)),
    ("60 Mbps left", ("60 Mbps",)),
    ("300 requests/s failed", ("300 requests/s",)),
    ("12 000 requests/s: all lost", ("12 000 requests/s",)),
    ("lost: 12,500 orders: all of them", ("12,500 orders",)),
    ("0.5 s instead of 200 ms", ("0.5 s", "200 ms")),
    ("since 14:02 500 users are locked out", ("500 users",)),
)
LEFT_ALONE = (
    "most APIs answer with 500s",
    "502 pages on proxied sites worldwide",
    "HTTP 502/500s and 404s at 14:02",
    "v1.2.3 clients, 9.2 tools against a 9.6 server",
    "1.2.3 users",
    "1.234.5 users",
    "since 2026-11-21 10.0.0.1 hosts see nothing on port 5432",
    "192.168.100.200 hosts are gone",
    "port 5432 clients, ports 80 and 443 clients",
    "on 21.11.2026 users saw errors",
    "on 3 May orders failed",
    "in 2026 orders failed",
    "since 9 am users see errors",
    "at 1402 UTC users saw errors",
    "at 9h users saw errors",
    "13:42\u201314:09 users saw errors",
    "step 3 fails on db2, see INC-12 and #4",
    "INC-12 users, #4 users, PR 1234 comments",
    "Chrome 120 users, Windows 11 users, iOS 17 users",
    "on db 12 500 users",
    "12 34 567 users",
    "1,234,56 users",
    "1,2,3 users",
    "1_000 users",
    "1e6 requests",
    "3\u00bd hours",
    "200/300 users",
    "24/7 users",
    "2 million 300 thousand users",
    "max_connections 8000 to 2000, it is up again",
    "-5% traffic, +5% errors",
    "",
)


@pytest.mark.parametrize(("text", "found"), WHOLE)
def test_figures_are_found_whole_and_word_for_word(text: str, found: tuple[str, ...]) -> None:
    assert figures(text) == found


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_is_no_figure_of_the_impact_or_cannot_be_told_whole_is_left_alone(text: str) -> None:
    assert figures(text) == ()


NUMBERS = (
    "12 000", "12,500", "12.500", "2 000 000", "1.2", "1,2", "1'000", "12\u00a0000", "12\u2009000", "7", "300", "99.95",
    "10.0.0.1", "1.2.3", "14:02", "2026-11-21", "INC-12", "5/10", "300\u2013400", "1.234.567,89", "1,2,3",
)  # fmt: skip
UNITS = ("%", "M", "k", " Mio", "€", "h", "min", " s", " users", " requests/s", " million", "")
BETWEEN = (", ", "; ", " lost, ", " and then ", ". ", " \u2014 ", " (", ") ", ": ", " of port ", " about ", " ~")


@given(st.lists(st.tuples(st.sampled_from(NUMBERS), st.sampled_from(UNITS), st.sampled_from(BETWEEN)), max_size=6))
def test_a_figure_holds_a_number_with_its_unit_or_no_part_of_it(pieces: list[tuple[str, str, str]]) -> None:
    text, tokens = "", []
    for number, unit, between in pieces:
        tokens.append((len(text), len(text) + len(number), len(text) + len(number) + len(unit)))
        text += number + unit + between
    for start, end in spans(text):
        for begins, number_ends, ends in tokens:
            assert (start <= begins and number_ends <= end) or end <= begins or number_ends <= start, text
            assert end <= begins or ends <= start or ends <= end, text


@given(st.text())
def test_nothing_is_invented(text: str) -> None:
    assert all(figure in text for figure in figures(text))
    ends = [place for span in spans(text) for place in span]
    assert ends == sorted(ends)


REPEATED = (
    "1", "1,111,", "1.111", "1 000 ", "5 a ", "about ", "all the ", "1-", "5 new ", "1 in ", "1 to ", "one ", "$1 ",
)  # fmt: skip


@pytest.mark.parametrize("unit", REPEATED)
def test_forty_kilobytes_of_anything_are_read_to_their_end(unit: str) -> None:
    # A pattern that backtracks would hang here for hours.
    text = unit * (40_000 // len(unit))
    assert all(figure in text for figure in figures(text))
