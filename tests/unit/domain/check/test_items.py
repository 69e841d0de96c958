import pytest

from tests.support.casebook import item
from tests.unit.domain.check.checking import CLEAN, SOON, found, places


def test_owners_and_dates_are_asked_for_once_for_all_open_items() -> None:
    items = (item(1, "a"), item(2, "b", owner="ada", due_on=SOON), item(3, "c"), item(4, "d", state="done"))
    [owners] = found(*CLEAN, items=items, rule="owners")
    assert (owners.place, owners.fix) == ("Action items 1 and 3", "/actionitem assign 1 @owner")
    [dates] = found(*CLEAN, items=items, rule="dates")
    assert dates.place == "Action items 1 and 3"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("investigate the 500s", "vague"),
        ("improve monitoring", "vague"),
        ("Ensure it does not happen again", "vague"),
        ("look into point-in-time recovery", "vague"),
        ("consider a second region", "vague"),
        ("be more careful with rm", "vague"),
        ("we should make sure that backups work", "vague"),
        ("try to reproduce it", "vague"),
        ("make rollbacks quicker", "ends"),
        ("bring max_connections down to something sensible", "ends"),
        ("rotate keys regularly", "ends"),
        ("more tests for pricing", "ends"),
        ("investigate the leak and add a limit of 2 GB", None),
        ("improve p99 to under 300 ms", None),
        ("ensure every config change is staged", None),
        ("make sure alerts fire within 5 minutes", None),
        ("page when more than 2% of checkouts fail", None),
        ("disable the release mechanism until it is safer", None),
        ("add a test with coupons", None),
        ("emergency way to take the dashboard off our edge", None),
        ("test restores every night", None),
    ],
)
def test_an_item_has_a_firm_verb_and_an_end(text: str, rule: str | None) -> None:
    mine = (item(1, text, owner="ada", due_on=SOON), item(2, "put a guard back", owner="ada", due_on=SOON))
    assert [(finding.rule, finding.place) for finding in found(*CLEAN, items=mine)] == (
        [(rule, "Action item 1")] if rule else []
    )


def test_items_that_only_notice_prevent_nothing() -> None:
    alert, dashboard = item(1, "alert on a full disk"), item(2, "dashboard for the queue")
    assert places(found(*CLEAN, items=(alert, dashboard), rule="prevention")) == ["Action items 1 and 2"]
    assert found(*CLEAN, items=(alert, item(2, "cap the queue")), rule="prevention") == []
    assert places(found(*CLEAN, items=(), rule="prevention")) == ["Action items"]
    assert places(found(*CLEAN, items=(item(1, "cap it", state="dropped"),), rule="prevention")) == ["Action items"]
