"""One person, one name: every surface shows somebody by the name that Slack gives them now, and nobody by id."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from bot.clock import SetClock
from bot.documents.export import FORMATS
from bot.handlers.postmortem.exports import read_by_name
from bot.vocabulary import ADD_TO_TIMELINE
from storage import members, timeline
from storage.database import Database
from tests.integration.storage.rows import declare, say
from tests.support.ledger import entries, incident, items, standing
from tests.support.workplace import Workplace, workplace

PARTNER = "T0PARTNER0"


@dataclass(frozen=True)
class Person:
    """Somebody before and after what Slack tells of them; `names` are those that no surface may show afterwards."""

    id: str
    name: str
    names: tuple[str, ...]
    learn: Callable[[], None] = lambda: None


def by_handle(office: Workplace) -> Person:
    dave = office.slack.add_user("u2dave", real_name="", display_name="")
    office.slack.workspace.users[dave] = replace(office.slack.workspace.users[dave], real_name="")
    office.bot.refresh()
    return Person(dave, "u2dave", (dave,))


def by_real_name(office: Workplace) -> Person:
    dave = office.slack.add_user("u2dave", real_name="Dave Miller", display_name="")
    office.bot.refresh()
    return Person(dave, "Dave Miller", (dave, "u2dave"))


def by_display_name(office: Workplace) -> Person:
    dave = office.slack.add_user("u2dave", real_name="David Miller", display_name="Dave")
    office.bot.refresh()
    return Person(dave, "Dave", (dave, "u2dave", "David"))


def renamed_later(office: Workplace) -> Person:
    dave = office.slack.add_user("u2dave", display_name="Oldname")
    office.bot.refresh()
    learn = lambda: office.slack.change_user(dave, display_name="Dave O'Neil")  # noqa: E731
    return Person(dave, "Dave O'Neil", (dave, "u2dave", "Oldname"), learn)


def learned_later(office: Workplace) -> Person:
    """A stranger to the bot: Slack answers only when everything is typed."""
    dave = office.slack.add_user("u2dave", display_name="Dave")
    office.slack.scopes -= {"users:read"}

    def learn() -> None:
        office.slack.scopes |= {"users:read"}
        office.bot.refresh()

    return Person(dave, "Dave", (dave, "u2dave"), learn)


def deactivated(office: Workplace) -> Person:
    dave = office.slack.add_user("u2dave", display_name="Dave")
    office.bot.refresh()
    return Person(dave, "Dave", (dave, "u2dave"), lambda: office.slack.change_user(dave, deleted=True))


def of_another_organisation(office: Workplace) -> Person:
    office.slack.scopes |= {"team:read"}
    office.slack.workspace.organisations[PARTNER] = "Partner Inc"
    dave = office.slack.add_user("u2dave", display_name="Dave", team_id=PARTNER)
    return Person(dave, "Dave (Partner Inc)", (dave, "u2dave"), office.bot.refresh)


PEOPLE: dict[str, Callable[[Workplace], Person]] = {
    each.__name__: each
    for each in (
        by_handle, by_real_name, by_display_name, renamed_later, learned_later, deactivated, of_another_organisation,
    )
}  # fmt: skip


@pytest.fixture(params=PEOPLE)
def story(request: pytest.FixtureRequest, database: Database, clock: SetClock) -> Iterator[tuple[Workplace, Person]]:
    """An incident that the person declared, leads, writes in and is mentioned in; then Slack tells what it does."""
    with workplace(database, clock=clock, SCRIBE_REACTIONS="memo=note") as office:
        office.slack.scopes |= {"reactions:read", "channels:history", "groups:history"}
        dave = PEOPLE[request.param](office)
        office.ask("/detected disk full", user=dave.id)
        office.ask(f"/did <@{dave.id}|u2dave> and <@{dave.id}> are asked", raw=True)
        office.ask("/note mine", user=dave.id)
        said = office.slack.say(dave.id, office.channel, "a word of theirs")
        office.slack.shortcut(office.alice, said, ADD_TO_TIMELINE)
        assert office.slack.modal(office.alice)
        office.slack.submit(office.alice)
        office.slack.react(office.alice, office.slack.say(dave.id, office.channel, "another word"), "memo")
        office.deliver()
        office.ask(f"/incident lead <@{dave.id}|u2dave>", raw=True)
        office.ask(f"/actionitem @bob: ask <@{dave.id}|u2dave> for a disk", raw=True)
        office.ask(f"/actionitem <@{dave.id}|u2dave>: buy a disk", raw=True)
        office.ask("/resolved freed", user=dave.id)
        dave.learn()
        # What was looked up in the background is stored.
        _idle(office)
        yield office, dave


def _idle(office: Workplace) -> None:
    office.bot.context.members._executor.submit(int).result()
    while office.bot.context.members._pending:
        office.slack.wait_for(lambda: not office.bot.context.members._pending)


def shown(office: Workplace) -> dict[str, str]:
    """What each surface shows, by its name."""
    office.ask("/postmortem draft")
    office.deliver()
    record = read_by_name(office.database, "INC-1")
    return {
        "timeline": office.private("/timeline"),
        "status": office.private("/incident status"),
        "items": office.private("/actionitem list"),
        "search": office.private("/incident search asked"),
        "edit": office.say("/incident edit 2 -1m"),
        "undo": office.ask("/incident undo", user=office.alice).text,
        "draft": office.drafts[-1].content.decode(),
        "shown draft": str(office.ask("/postmortem show").body),
        **{f"export {name}": write(record) for name, write in FORMATS.items()},
    }


NAMED = {"timeline", "status", "items", "edit", "draft", "shown draft", "export md", "export json", "export svg"}
"""The surfaces that show this person."""


def test_every_surface_shows_a_person_by_the_name_of_now_and_never_by_id(story: tuple[Workplace, Person]) -> None:
    office, dave = story
    surfaces = shown(office)
    for surface, text in surfaces.items():
        for wrong in dave.names:
            if wrong not in dave.name:
                assert wrong not in text, (surface, wrong)
    escaped = {dave.name, dave.name.replace("'", "&#39;")}
    assert [surface for surface in NAMED if not any(name in surfaces[surface] for name in escaped)] == []
    assert {entry.author for entry in entries(office)} <= {dave.name, "alice"}
    assert incident(office).declared_by == dave.name


def test_a_receipt_shows_nobody_by_id_and_says_who_is_not_known_yet(office: Workplace) -> None:
    office.slack.scopes -= {"users:read"}
    pat = office.slack.add_user("u2pat", display_name="Pat")
    receipt = office.ask(f"/detected <@{pat}> is asked", raw=True).text
    assert "@somebody is asked\n" in receipt
    assert receipt.endswith("Slack has not told me yet who @somebody is; the timeline shows the name when it does.")
    assert pat not in receipt
    office.say("/resolved freed")
    office.deliver()
    office.slack.scopes |= {"users:read"}
    office.bot.refresh()
    assert "@Pat is asked" in office.private("/timeline")
    assert incident(office).title == "@Pat is asked"
    # The draft was written before the name was known.
    assert pat in office.drafts[-1].content.decode()
    assert "@Pat is asked" in str(office.ask("/postmortem show").body)
    assert pat not in str(office.ask("/postmortem show").body)


def test_an_id_in_old_words_is_shown_by_name_and_kept_through_a_revision(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say(f"/note @{office.carol} and @UNKNOWN1 and x@{office.carol}")
    assert standing(office)[1][1] == f"@carol and @UNKNOWN1 and x@{office.carol}"
    office.say("/incident edit 2 at 11:59")
    office.slack.change_user(office.carol, display_name="Caroline")
    assert standing(office)[1][1] == f"@Caroline and @UNKNOWN1 and x@{office.carol}"
    assert entries(office)[1].revisions == 1


def test_a_name_in_edited_words_and_in_a_reopened_incident_follows_its_person(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/resolved")
    second = office.ask("/detected @bob sees it again")
    office.say("/incident edit 1 @bob and @bobby see it")
    office.slack.click(office.alice, second, "reopen")
    office.slack.change_user(office.bob, display_name="Bob B.")
    assert standing(office)[-1] == ("reopened", "@Bob B. and @bobby see it")


def test_groups_and_channels_are_named_where_the_scopes_allow_it(office: Workplace) -> None:
    office.say("/detected disk full")
    office.slack.workspace.groups["S0SRE"] = "sre"
    hidden = office.slack.add_channel("acquisition", private=True)
    general = office.slack.add_channel("general")
    words = f"<!subteam^S0SRE> looks in <#{general}|> and <#{hidden}|>"
    office.ask(f"/did {words}", raw=True)
    _idle(office)
    assert standing(office)[-1][1] == f"@S0SRE looks in #{general} and #{hidden}"
    office.slack.scopes |= {"usergroups:read", "channels:read", "groups:read"}
    office.bot.context.members._cache.clear()
    office.ask(f"/did {words}", raw=True)
    _idle(office)
    assert [text for _, text in standing(office)[1:]] == [f"@sre looks in #general and #{hidden}"] * 2


def test_a_lead_is_somebody_whom_slack_knows(office: Workplace) -> None:
    office.say("/detected disk full")
    for name in ("nobody", "ghost", "channel", "here"):
        refused = office.refused(f"/incident lead @{name}")
        assert refused.startswith(f"Slack knows nobody behind @{name}. Try: /incident lead @alice\n"), refused
    assert "knows nobody behind @ghost" in office.ask("/incident lead <@U0GHOST|ghost>", raw=True).text
    assert incident(office).lead is None
    for typed, lead in (
        ("<!subteam^S1|@dba-oncall>", ("dba-oncall", None)),
        ("@database-team", ("database-team", None)),
        ("@Carol", ("carol", office.carol)),
        (f"<@{office.bob}|u2bob>", ("bob", office.bob)),
    ):
        office.ask(f"/incident lead {typed}", raw=True)
        assert (incident(office).lead, incident(office).lead_id) == lead, typed
    for user in ("first", "second"):
        office.slack.add_user(user, display_name="Sam")
    office.bot.refresh()
    assert office.ask("/incident lead @Sam", raw=True).text.startswith("Several people are called @Sam.")


def test_an_item_cannot_be_assigned_to_a_name_that_slack_does_not_know(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/actionitem buy disks")
    refused = office.refused("/actionitem assign 1 @nobody")
    assert refused.startswith("Slack knows nobody behind @nobody. Try: /actionitem assign 1 @alice")
    assert items(office)[0].owner is None


def test_the_policy_asks_for_ids_and_not_for_names(sqlite: Database, clock: SetClock) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_POLICY="title=responders") as office:
        office.say("/incident open disk full", user=office.bob)
        office.slack.change_user(office.carol, display_name="bob")
        office.slack.change_user(office.bob, display_name="Robert")
        assert "responders" in office.refused("/incident title mine", user=office.carol)
        office.say("/incident title disk of db1 full", user=office.bob)
        assert incident(office).declared_by == "Robert"


def test_people_of_one_name_stay_two_people(office: Workplace) -> None:
    office.say("/detected disk full")
    twins = [office.slack.add_user(name, display_name="Sam") for name in ("first", "second")]
    office.bot.refresh()
    office.ask(f"/did <@{twins[0]}> asks <@{twins[1]}>", raw=True)
    assert standing(office)[-1] == ("did", "@Sam asks @Sam")
    office.slack.change_user(twins[1], display_name="Samantha")
    assert standing(office)[-1] == ("did", "@Sam asks @Samantha")


def test_a_version_tells_who_made_it_by_the_name_of_now(office: Workplace) -> None:
    office.say("/detected disk full")
    office.say("/postmortem draft", user=office.bob)
    office.deliver()
    office.slack.change_user(office.bob, display_name="Robert")
    record = read_by_name(office.database, "INC-1")
    assert record.postmortem is not None
    assert record.postmortem.drafted_by == "Robert"


def test_rows_without_ids_keep_their_names(sqlite: Database) -> None:
    with sqlite.write() as connection:
        old = declare(connection, declared_by="eve", lead="database-team")
        say(connection, old, author="zoe", author_id="U9GONE")
        assert members.names_of(connection, "T1", ["U9GONE"]) == {}
        assert (old.declared_by, old.lead) == ("eve", "database-team")
        assert [entry.author for entry in timeline.of_incident(connection, old.id)] == ["zoe"]


def test_a_former_name_in_words_that_people_wrote_is_a_role_for_other_readers(office: Workplace) -> None:
    office.say("/detected disk full", user=office.bob)
    office.say("/postmortem draft")
    office.deliver()
    office.ask("/postmortem edit summary")
    assert office.slack.modal(office.alice)
    office.slack.submit(office.alice, {"words": "bob saw it first."})
    office.slack.change_user(office.bob, display_name="Robert")
    office.ask("/postmortem draft")
    office.deliver()
    blameless = str(office.ask("/postmortem show blameless").body)
    assert "saw it first." in blameless
    assert "bob" not in blameless.casefold()
    assert "robert" not in blameless.casefold()


def test_an_edited_draft_takes_a_new_name_without_a_conflict(office: Workplace) -> None:
    office.say("/detected disk full", user=office.bob)
    office.say("/did @bob is asked", user=office.carol)
    office.say("/postmortem draft")
    office.deliver()
    office.ask("/postmortem edit timeline")
    form = office.slack.modal(office.alice)
    assert form is not None
    text = "\n".join(each["element"].get("initial_value", "") for each in form.blocks if each["type"] == "input")
    office.slack.submit(office.alice, {"words": text.replace("disk full — bob", "disk of db1 full, so bob — bob")})
    office.slack.change_user(office.bob, display_name="Robert")
    office.say("/postmortem draft")
    office.deliver()
    draft = office.drafts[-1].content.decode()
    assert "disk of db1 full, so bob — bob" in draft
    assert "@Robert is asked — carol" in draft
    assert "conflict" not in office.messages()[-1].text


@pytest.mark.parametrize(("scopes", "name"), [({"users:read"}, "Pat"), (set(), "somebody")])
def test_the_author_of_a_strangers_message_is_named_in_the_receipt_or_not_at_all(
    office: Workplace, scopes: set[str], name: str
) -> None:
    office.say("/detected disk full")
    pat = office.slack.add_user("u2pat", display_name="Pat")
    office.slack.scopes = (office.slack.scopes - {"users:read"}) | scopes
    said = office.slack.say(pat, office.channel, "pool exhausted")
    office.slack.shortcut(office.carol, said, ADD_TO_TIMELINE)
    assert office.slack.modal(office.carol)
    _idle(office)
    office.slack.submit(office.carol)
    receipt = office.messages()[-1].text
    assert f"words of {name}\n" in receipt
    assert pat not in receipt
