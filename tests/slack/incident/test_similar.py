"""Similar incidents: shown to who tells the first impact or cause, named in the draft, each where it may be seen."""

from collections.abc import Iterator

import pytest

from bot.clock import SetClock
from storage.database import Database
from tests.support.hooks import hear, later
from tests.support.workplace import Workplace, workplace

SHARED = "coupon rounding breaks the checkout total"


@pytest.fixture
def office(database: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(database, clock=clock) as place:
        yield place


def earlier(office: Workplace, *, channel: str | None = None, private: bool = False) -> None:
    """An incident that was, with an open action item, indexed."""
    for typed in (
        f"/detected {SHARED}",
        "/cause technical: the rounding of a coupon differs between checkout and ledger",
        "/actionitem @bob by 2026-03-20: one place rounds",
        *(["/incident private on"] if private else []),
        "/resolved the coupon is off",
    ):
        office.say(typed, channel=channel)
    office.deliver()
    office.bot.index()


def shown(office: Workplace, user: str | None = None, channel: str | None = None) -> list[str]:
    """The messages about similar incidents that the person alone saw."""
    hear(office)
    told = office.messages(channel, user=user or office.alice)
    return [each.text for each in told if "resembles" in each.text]


def section(office: Workplace) -> str:
    """The section about them in a new draft."""
    office.say("/postmortem draft")
    office.deliver()
    text = office.drafts[-1].content.decode()
    return text.partition("## Similar incidents\n")[2].partition("\n## ")[0].strip()


def test_who_tells_the_first_impact_is_shown_what_is_like_it(office: Workplace) -> None:
    earlier(office)
    later(office, 7200)
    office.say("/detected checkout rejects carts")
    assert shown(office) == []
    office.say("/impact every coupon with rounding is refused")
    office.say("/cause technical: the ledger rounds a coupon again")
    [told] = shown(office)
    assert told == (
        "INC-2 resembles an earlier incident:\n"
        f"• INC-1 · Thursday 12 March 2026 · {SHARED} · <#{office.channel}>\n"
        ">same words: checkout, coupon, ledger, rounding; same cause kind; 1 action item still open\n"
        "Only you see this."
    )
    later(office, 60)
    assert len(shown(office)) == 1
    assert shown(office, office.bob) == []
    assert section(office) == (
        "- **INC-1**, Thursday 12 March 2026: same words: checkout, coupon, ledger, rounding; same cause kind; "
        "1 action item still open"
    )
    for edition in ("blameless", "public"):
        shown_of_it = str(office.ask(f"/postmortem show {edition}").body["blocks"])
        assert "the ledger rounds a coupon" in shown_of_it
        assert "INC-1" not in shown_of_it


ASIDE, HERE = "aside", ""
SEEN: dict[tuple[str, str, str], tuple[bool, bool]] = {
    (HERE, "public", "member"): (True, True),
    (HERE, "public", "guest"): (True, True),
    (HERE, "private", "member"): (True, False),
    (HERE, "private", "guest"): (True, False),
    (ASIDE, "public", "member"): (True, False),
    (ASIDE, "public", "guest"): (False, False),
    (ASIDE, "private", "member"): (False, False),
}
"""Whether an incident in a channel is told to somebody in another incident's channel, and named in that one's draft."""


@pytest.mark.parametrize(("place", "kept", "reader"), SEEN)
def test_each_is_told_what_they_see_there_and_the_draft_what_all_readers_see(
    office: Workplace, place: str, kept: str, reader: str
) -> None:
    earlier(office, channel=office.slack.add_channel(place) if place else None, private=kept == "private")
    guest = office.slack.add_user("gus", zone="UTC", restricted=True)
    office.bot.refresh()
    user = guest if reader == "guest" else office.alice
    office.say("/detected checkout rejects carts", user=user)
    office.say("/impact every coupon with rounding is refused", user=user)
    told = bool(shown(office, user))
    assert shown(office, office.bob) == []
    assert (told, "INC-1" in section(office)) == SEEN[place, kept, reader]


def test_the_setting_turns_all_of_it_off(database: Database, clock: SetClock) -> None:
    with workplace(database, clock=clock, SCRIBE_SIMILAR="off") as office:
        earlier(office)
        office.say("/detected checkout rejects carts")
        office.say("/impact every coupon with rounding is refused")
        assert shown(office) == []
        assert section(office) == ""


def test_one_word_in_common_is_no_likeness(office: Workplace) -> None:
    earlier(office)
    office.say("/detected the mail queue grows")
    office.say("/impact 300 receipts of the checkout wait")
    assert shown(office) == []
    assert section(office) == ""
