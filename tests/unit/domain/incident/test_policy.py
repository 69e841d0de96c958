"""Who sees an incident: one function, and the condition of the queries that list."""

from itertools import product

import pytest

from bot.domain.incident.policy import visible_to
from storage import incidents
from storage.database import Database
from storage.values import GUEST, MEMBER, ONE_CHANNEL_GUEST, OUTSIDE, UNKNOWN
from tests.integration.storage.rows import declare

STANDINGS = (MEMBER, GUEST, ONE_CHANNEL_GUEST, OUTSIDE, UNKNOWN, "deactivated", "bot", "", "Member")


@pytest.mark.parametrize(("standing", "kept"), list(product(STANDINGS, ("public", "private"))))
def test_a_listing_shows_what_the_function_says(sqlite: Database, standing: str, kept: str) -> None:
    private = kept == "private"
    with sqlite.write() as connection:
        incident = declare(connection, channel_id="C1", private=private)
        for channel_id in ("C1", "C2", "D1", ""):
            seen = visible_to(standing, incident, channel_id)
            assert seen == (channel_id == "C1" or (standing == MEMBER and not private))
            place = (connection, incident.workspace_id, channel_id)
            assert [each.id for each in incidents.listing(*place, standing=standing, open_only=False, limit=9)] == [
                incident.id
            ] * seen


def test_who_took_part_sees_a_private_one_only_as_a_member(sqlite: Database) -> None:
    with sqlite.write() as connection:
        incident = declare(connection, channel_id="C1", private=True)
    seen = [standing for standing in STANDINGS if visible_to(standing, incident, "D1", took_part=True)]
    assert seen == [MEMBER]
