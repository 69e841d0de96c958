import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.incident.impact import says_how_many, share


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("27 minutes of errors for all proxied sites, about 80% of traffic lost", "about 80% of traffic"),
        (
            "at peak 100% of traffic to this API stack failed; other stacks kept working",
            "at peak 100% of traffic to this API stack",
        ),
        ("1 in 5 customers could not pay", "1 in 5 customers"),
        ("half of our customers saw errors", "half of our customers"),
        ("in the EU, 20% of users saw errors", "in the EU, 20% of users"),
        ("20% of users saw errors in the EU", "20% of users saw errors in the EU"),
        ("20% of users saw errors, in the EU only", "20% of users saw errors, in the EU only"),
        ("EU: 20% of users saw errors", "EU: 20% of users"),
        ("checkout failed for 20% of users", "checkout failed for 20% of users"),
        ("20% of requests (EU only) timed out", "20% of requests (EU only)"),
        ("12.5% of sessions dropped.", "12.5% of sessions"),
        ("~20 % of users", "~20 % of users"),
        ("25% of traffic restored", None),
        ("not all users were hurt", None),
        ("5,000 projects lost", None),
        ("CPU at 100%", None),
    ],
)
def test_a_share_is_found_only_where_the_words_state_one_and_keeps_what_limits_it(text: str, found: str | None) -> None:
    assert share(text) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("all uploads fail", True),
        ("every request failed", True),
        ("nobody could log in", True),
        ("no customer could pay", True),
        ("the site was down worldwide", True),
        ("CPU at 100%", True),
        ("error rate 3 %", True),
        ("half of our customers saw errors", True),
        ("1 in 5 customers could not pay", True),
        ("uploads fail", False),
        ("some uploads fall over", False),
        ("1,200 orders failed", False),
    ],
)
def test_what_part_was_hurt_is_told_by_a_share_a_percentage_or_all_and_none(text: str, told: object) -> None:
    assert says_how_many(text) is told


@given(st.text())
def test_nothing_is_invented(text: str) -> None:
    assert (share(text) or "") in text


REPEATED = ("1", "1,111,", "5 a ", "about ", "all the ", "1-", "5 new ", "1 in ", "in, ", "1%, in ")


@pytest.mark.parametrize("unit", REPEATED)
def test_forty_kilobytes_of_anything_are_read_to_their_end(unit: str) -> None:
    # A pattern that backtracks would hang here for hours.
    text = unit * (40_000 // len(unit))
    assert (share(text) or "") in text
