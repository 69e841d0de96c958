from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.incident.dead_ends import MOST_OPEN, dead_ends
from tests.support.casebook import entry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "pairs"),
    [
        ([("investigating", "an attack"), ("ruledout", "attack dismissed")], [(1, 2)]),
        ([("investigating", "the network"), ("investigating", "disks"), ("ruledout", "disk is fine")], [(2, 3)]),
        ([("investigating", "the network"), ("investigating", "disks"), ("ruledout", "network is fine")], [(1, 3)]),
        ([("investigating", "the network"), ("investigating", "disks"), ("ruledout", "no")], [(2, 3)]),
        ([("investigating", "the network"), ("ruledout", "no"), ("ruledout", "not that")], [(1, 2)]),
        ([("investigating", "a"), ("investigating", "b"), ("ruledout", "no"), ("ruledout", "no")], [(2, 3), (1, 4)]),
        ([("ruledout", "the network"), ("investigating", "the network")], []),
        ([("investigating", "the network"), ("resolved", ""), ("ruledout", "the network")], []),
        ([("did", "the network"), ("note", "the network"), ("ruledout", "the network")], []),
    ],
)
def test_a_dead_end_begins_where_it_was_first_looked_into(
    told: list[tuple[str, str]], pairs: list[tuple[int, int]]
) -> None:
    entries = [entry(n, kind, NOON + timedelta(minutes=n), text) for n, (kind, text) in enumerate(told, 1)]
    found = dead_ends(entries, lambda each: each.text)
    assert [(began.number, ended.number) for began, ended in found] == pairs


@pytest.mark.parametrize(("later", "answered"), [(MOST_OPEN - 1, 1), (MOST_OPEN, MOST_OPEN + 1)])
def test_a_lead_with_too_many_open_ones_after_it_is_answered_no_more(later: int, answered: int) -> None:
    """Each answer is compared with every open lead, so that of a long incident they are the last ones."""
    told = [("investigating", "the network"), *[("investigating", "disks")] * later, ("ruledout", "network is fine")]
    entries = [entry(n, kind, NOON + timedelta(minutes=n), text) for n, (kind, text) in enumerate(told, 1)]
    ((began, _),) = dead_ends(entries, lambda each: each.text)
    assert began.number == answered
