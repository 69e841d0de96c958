"""Drafts that people ask for within a second: one version, unless anything was recorded or edited in between."""

from pathlib import Path

import pytest

from bot.clock import SetClock
from bot.handlers.postmortem import drafts
from storage import postmortems
from storage.database import Database
from storage.values import Postmortem
from tests.support.ledger import incident, problems
from tests.support.workplace import Workplace, at, workplace

STANDS = "came a moment ago and is the newest: nothing was recorded or edited since."
CUSTOM = '{# Own #}\n{% call section("short", "Short") %}About {{ incident.title }}.{% endcall %}'


@pytest.fixture
def drafted(office: Workplace) -> Workplace:
    """INC-1 with some of everything, drafted as version 1."""
    for typed in (
        "/detected disk full",
        "/note systems: db1",
        "/actionitem @alice short-term by 2026-04-01: alert at 80% disk",
        "/lesson well: the runbook",
    ):
        office.say(typed)
    draft(office)
    return office


def draft(office: Workplace, typed: str = "/postmortem draft", **how: str) -> None:
    office.say(typed, **how)
    office.deliver()


def newest(office: Workplace) -> Postmortem:
    with office.database.read() as connection:
        version = postmortems.newest(connection, incident(office).id)
    assert version is not None
    return version


def told(office: Workplace, user: str) -> list[str]:
    """What this person alone was told of drafts that were not written."""
    return [each.text for each in office.messages(user=user) if each.ephemeral_for == user and STANDS in each.text]


def edit(office: Workplace, words: str) -> None:
    office.ask("/postmortem edit lessons", user=office.bob)
    assert office.slack.modal(office.bob) is not None
    assert office.slack.submit(office.bob, {"words": words}).ok


def edit_there_and_back(office: Workplace) -> None:
    section = newest(office).section("lessons")
    assert section is not None
    edit(office, "We were lucky.")
    edit(office, section.body)


def test_twelve_drafts_asked_for_at_once_are_one_version(office: Workplace) -> None:
    office.say("/detected disk full")
    office.deliver()
    for _ in range(12):
        office.say("/postmortem draft")
    office.deliver()
    assert [file.name for file in office.drafts] == ["INC-1-postmortem-v1.md"]
    assert told(office, office.alice) == []


def test_drafts_asked_for_one_after_the_other_are_one_version_until_a_second_has_passed(
    drafted: Workplace, clock: SetClock
) -> None:
    for moment in ("12:00:00.5", "12:00:01"):
        clock.set(at(f"2026-03-12T{moment}Z"))
        draft(drafted)
    assert len(drafted.drafts) == 1
    assert told(drafted, drafted.alice) == [f"Version 1 of the postmortem of INC-1 {STANDS}"] * 2
    clock.set(at("2026-03-12T12:00:01.001Z"))
    draft(drafted)
    assert [file.name for file in drafted.drafts] == ["INC-1-postmortem-v1.md", "INC-1-postmortem-v2.md"]


@pytest.mark.parametrize("user", ["bob", "carol"])
def test_each_of_several_people_who_ask_is_answered(drafted: Workplace, user: str) -> None:
    asking = getattr(drafted, user)
    for _ in range(2):
        drafted.say("/postmortem draft", user=asking)
        drafted.say("/postmortem draft")
    drafted.deliver()
    assert len(drafted.drafts) == 1
    assert (len(told(drafted, asking)), len(told(drafted, drafted.alice))) == (1, 1)


@pytest.mark.parametrize(
    "typed",
    [
        "/note it slows down",
        "/incident edit 2 systems: db2",
        "/incident undo",
        "/incident severity high",
        "/incident title Carts empty",
        "/incident lead @bob",
        "/actionitem done 1",
        "/actionitem @bob mid-term by 2026-05-01: a larger disk",
        "/lesson badly: no alert",
        "/postmortem review 2026-03-20 10:00",
        "/resolved freed",
    ],
)
def test_what_is_recorded_in_the_same_second_is_in_a_version_of_its_own(drafted: Workplace, typed: str) -> None:
    assert drafted.ask(typed).ok
    before = newest(drafted).version
    draft(drafted)
    draft(drafted)
    assert newest(drafted).version >= before + 1
    assert told(drafted, drafted.alice) == [f"Version {newest(drafted).version} of the postmortem of INC-1 {STANDS}"]
    assert problems(drafted) == []


def test_an_offered_lesson_that_is_struck_is_not_in_a_draft_of_the_same_second(office: Workplace) -> None:
    office.say("/detected at 11:59 by monitoring: disk full")
    office.say("/impact at 11:58 checkout fails")
    draft(office)
    assert "noticed-1" in office.drafts[-1].content.decode()
    office.say("/postmortem strike noticed-1")
    draft(office)
    assert "noticed-1" not in office.drafts[-1].content.decode()
    assert told(office, office.alice) == []


@pytest.mark.parametrize("change", [lambda office: edit(office, "We were lucky."), edit_there_and_back])
def test_an_edit_in_the_same_second_is_merged_into_a_version_of_its_own(drafted: Workplace, change: object) -> None:
    assert callable(change)
    change(drafted)
    edited = newest(drafted)
    draft(drafted)
    assert (newest(drafted).version, newest(drafted).origin) == (edited.version + 1, "draft")
    assert newest(drafted).section("lessons") == edited.section("lessons")
    assert len(drafted.drafts) == 2


def test_an_edit_between_two_drafts_that_wait_is_in_the_one_version(drafted: Workplace) -> None:
    drafted.say("/postmortem draft")
    edit(drafted, "We were lucky.")
    drafted.say("/postmortem draft")
    drafted.deliver()
    assert (newest(drafted).version, newest(drafted).origin) == (3, "draft")
    assert "We were lucky." in drafted.drafts[-1].content.decode()


def test_another_template_makes_a_version_and_stays_for_a_draft_asked_for_before_it_is_written(
    drafted: Workplace,
) -> None:
    drafted.say("/postmortem template sysadmin")
    drafted.say("/postmortem draft")
    drafted.deliver()
    assert (newest(drafted).version, newest(drafted).template) == (2, "sysadmin")
    assert len(told(drafted, drafted.alice)) == 1
    draft(drafted, "/postmortem template classic")
    assert (newest(drafted).version, newest(drafted).template) == (3, "classic")


def test_a_draft_asked_for_in_a_direct_message_comes_there_too(drafted: Workplace) -> None:
    direct = drafted.slack.workspace.direct(drafted.alice).id
    for _ in range(2):
        draft(drafted, "/postmortem draft INC-1", channel=direct)
    assert [file.channel for file in drafted.drafts] == [drafted.channel, direct]
    draft(drafted)
    assert [file.channel for file in drafted.drafts] == [drafted.channel, direct, drafted.channel]


def test_a_draft_asked_for_in_a_channel_it_does_not_go_to_is_the_one_that_came_to_the_incidents(
    drafted: Workplace,
) -> None:
    elsewhere = drafted.slack.add_channel("elsewhere")
    drafted.ask("/postmortem draft INC-1", channel=elsewhere)
    drafted.deliver()
    assert [file.channel for file in drafted.drafts] == [drafted.channel]
    assert [each.text for each in drafted.messages(elsewhere, drafted.alice)][-1].endswith(STANDS)


def test_another_incident_in_the_same_channel_and_second_is_drafted(drafted: Workplace) -> None:
    elsewhere = drafted.slack.add_channel("elsewhere")
    drafted.say("/detected the other thing", channel=elsewhere)
    draft(drafted, "/postmortem draft INC-2")
    assert [file.name for file in drafted.drafts] == ["INC-1-postmortem-v1.md", "INC-2-postmortem-v1.md"]


def test_a_draft_whose_document_was_given_up_is_written_again(office: Workplace) -> None:
    office.say("/detected disk full")
    office.slack.fail_next("files.getUploadURLExternal", error="invalid_auth")
    draft(office)
    assert [action for action, _ in problems(office)] == ["document"]
    draft(office)
    assert [file.name for file in office.drafts] == ["INC-1-postmortem-v2.md"]


def test_each_of_two_people_is_told_that_the_template_they_picked_is_broken(
    sqlite: Database, clock: SetClock, tmp_path: Path
) -> None:
    (tmp_path / "own.md.j2").write_text("{# Own #}\n{{ ''.__class__.__mro__ }}")
    with workplace(sqlite, clock=clock, SCRIBE_TEMPLATES=str(tmp_path)) as office:
        office.say("/detected disk full")
        office.deliver()
        for user in (office.alice, office.bob, office.alice):
            office.ask("/postmortem template own", user=user)
        for user in (office.alice, office.bob):
            answers = [each.text for each in office.messages(user=user) if each.ephemeral_for == user]
            assert [each for each in answers if "was not drafted anew" in each]


def test_a_template_that_was_changed_in_the_same_second_is_drafted_as_it_is_now(
    sqlite: Database, clock: SetClock, tmp_path: Path
) -> None:
    own = tmp_path / "own.md.j2"
    own.write_text(CUSTOM)
    with workplace(sqlite, clock=clock, SCRIBE_TEMPLATES=str(tmp_path)) as office:
        office.say("/detected disk full")
        draft(office, "/postmortem template own")
        office.say("/note not in this template, but in the picture")
        draft(office)
        assert newest(office).version == 2
        own.write_text(CUSTOM.replace("About", "On"))
        draft(office)
        assert newest(office).version == 3
        assert "On disk full." in office.drafts[-1].content.decode()


def test_a_draft_is_not_left_out_for_one_that_comes_long_after(drafted: Workplace, clock: SetClock) -> None:
    drafted.say("/note it slows down")
    drafted.say("/postmortem draft")
    clock.set(at("2026-03-12T12:00:00Z") + 2 * drafts.COALESCED)
    drafted.say("/postmortem draft")
    drafted.deliver()
    assert newest(drafted).version == 2
    assert len(told(drafted, drafted.alice)) == 1
