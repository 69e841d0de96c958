import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.incident.impact import figures, share, spans


@pytest.mark.parametrize(
    ("text", "found"),
    [
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
    ],
)
def test_figures_are_found_word_for_word(text: str, found: tuple[str, ...]) -> None:
    assert figures(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "most APIs answer with 500s",
        "502 pages on proxied sites worldwide",
        "HTTP 502/500s and 404s at 14:02",
        "v1.2.3 clients, 9.2 tools against a 9.6 server",
        "since 2026-11-21 10.0.0.1 hosts see nothing on port 5432",
        "step 3 fails on db2, see INC-12 and #4",
        "max_connections 8000 to 2000, it is up again",
        "",
    ],
)
def test_numbers_that_say_nothing_of_the_impact_are_no_figures(text: str) -> None:
    assert figures(text) == ()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("27 minutes of errors for all proxied sites, about 80% of traffic lost", "about 80% of traffic"),
        ("at peak 100% of traffic to this API stack failed; other stacks kept working", "100% of traffic"),
        ("1 in 5 customers could not pay", "1 in 5 customers"),
        ("half of our customers saw errors", "half of our customers"),
        ("25% of traffic restored", None),
        ("not all users were hurt", None),
        ("5,000 projects lost", None),
        ("CPU at 100%", None),
    ],
)
def test_a_share_is_found_only_where_the_words_state_one(text: str, found: str | None) -> None:
    assert share(text) == found


@given(st.text())
def test_nothing_is_invented(text: str) -> None:
    assert all(figure in text for figure in figures(text))
    assert (share(text) or "") in text
    ends = [place for span in spans(text) for place in span]
    assert ends == sorted(ends)


@pytest.mark.parametrize("unit", ["1", "1,111,", "5 a ", "about ", "all the ", "1-", "5 new ", "1 in "])
def test_forty_kilobytes_of_anything_are_read_to_their_end(unit: str) -> None:
    # A pattern that backtracks would hang here for hours.
    text = unit * (40_000 // len(unit))
    assert all(figure in text for figure in figures(text))
    assert (share(text) or "") in text
