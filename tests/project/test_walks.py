"""How far a command walks: the rooms and files of ours that its threads enter, from the request to its answer."""

import pytest

from tests.support.walks import Walk, recorded

MOST: dict[str, tuple[int, int]] = {
    "/detected": (8, 31),
    "/note": (8, 30),
    "/actionitem": (9, 40),
    "/resolved": (9, 41),
    "/postmortem draft": (9, 75),
    "a reminder": (7, 21),
}
"""The most rooms and files."""


@pytest.fixture(scope="module")
def walks() -> dict[str, Walk]:
    return {walk.name: walk for walk in recorded()}


@pytest.mark.parametrize("name", MOST)
def test_a_walk_is_short(walks: dict[str, Walk], name: str) -> None:
    rooms, files = MOST[name]
    assert len(walks[name].rooms) <= rooms, sorted(walks[name].rooms)
    assert len(walks[name].files) <= files, sorted(walks[name].files)
