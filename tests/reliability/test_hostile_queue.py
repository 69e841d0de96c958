"""What cannot be read or done, of jobs, hand-overs and reminders, is set aside with its reason; the others are sent."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from bot.clock import SetClock, now
from bot.doctor.installation import Installation
from bot.doctor.store import check_outbox
from bot.handlers.items import handovers, reminders
from bot.slack.bot import Bot
from bot.telemetry.health import Health
from storage import members, outbox
from storage.database import Database
from tests.integration.cli.terminal import scribe
from tests.support.ledger import outbox_states, problems
from tests.support.workplace import Workplace, at, workplace

AT = at("2026-03-12T12:00:00Z")
FIRST_MORNINGS = ("2026-03-12T16:15:00Z", "2026-03-13T00:30:00Z")
"""After AT: in Los Angeles, where Bob is, and in Tokyo, where Carol is. What they were given is told then."""
MONDAYS = ("2026-03-16T00:30:00Z", "2026-03-16T16:30:00Z")
"""Three days before the items are due, and the first of their digests."""
TUESDAYS = ("2026-03-17T00:30:00Z", "2026-03-17T16:30:00Z")
DEEP = "[" * 3_000 + "]" * 3_000
ON_BOTH = {
    "content, a list": ("content", "'[]'"),
    "content, null": ("content", "'null'"),
    "content, words": ("content", "'\"words\"'"),
    "content, deep": ("content", f"'{DEEP}'"),
    "content, without what it needs": ("content", "'{}'"),
    "content, of other types": ("content", """'{"channel": ["C1"], "text": 5, "reply_url": {}}'"""),
    "an action that nobody knows": ("action", "'fly'"),
    "attempts below none": ("attempts", "-1"),
    "attempts beyond all": ("attempts", "2000000000"),
}
ON_SQLITE = {
    "content, no JSON": ("content", "'{'"),
    "content, nothing": ("content", "''"),
    "content, half a character": ("content", "CAST(x'22ff22' AS TEXT)"),
    "content, bytes": ("content", "x'00ff'"),
    "action, bytes": ("action", "x'00ff'"),
    "attempts, a word": ("attempts", "'many'"),
    "due, a word": ("due_at", "'never'"),
    "due, nothing": ("due_at", "''"),
    "due, a number": ("due_at", "0"),
    "due, a day that is none": ("due_at", "'2026-02-31 12:00:00.000000'"),
    "written, a word": ("written_at", "'never'"),
    "written, bytes": ("written_at", "x'00ff'"),
}


@pytest.fixture
def server(postgres: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(postgres, clock=clock) as place:
        yield place


def said(office: Workplace, channel: str) -> list[str]:
    return [each.text for each in office.slack.messages(channel)]


def spoil_first_of_three(office: Workplace, column: str, value: str) -> list[str]:
    """Three messages, two for one channel; the first is spoiled. Returns the channels."""
    bot: Bot = office.bot
    channels = [office.slack.add_channel(name) for name in ("one", "two")]
    with office.database.write() as connection:
        for words, channel in (("bad", channels[0]), ("behind it", channels[0]), ("elsewhere", channels[1])):
            outbox.post(connection, office.slack.team_id, channel, {"text": words}, at=bot.context.clock())
        first = "(SELECT min(id) FROM outbox WHERE state = 'waiting')"
        connection.exec_driver_sql(f"UPDATE outbox SET {column} = {value} WHERE id = {first}")  # noqa: S608 - from the table above
    return channels


def check_set_aside(office: Workplace, channels: list[str]) -> None:
    bot: Bot = office.bot
    bot.remind()
    for _ in range(10):
        office.deliver()
        clock = bot.context.clock
        assert isinstance(clock, SetClock)
        clock.set(clock() + outbox.LEASE * 20)
    assert said(office, channels[0]) == ["behind it"]
    assert said(office, channels[1]) == ["elsewhere"]
    assert outbox_states(office)["parked"] == 1
    health = Health(database=office.database, clock=clock)
    part = health.database_parts()["outbox"]
    assert (part.state, part.facts["depth"], part.facts["parked"]) == ("ok", 0, 1)
    url = office.database.url.render_as_string(hide_password=False)
    settings = bot.context.settings.model_copy(update={"database_url": url})
    installation = Installation(settings=settings, clock=clock, is_reachable=True)
    told = check_outbox(installation)
    installation.close()
    assert [each.level for each in told] == ["ok", "warn"]


@pytest.mark.parametrize("name", [*ON_BOTH, *ON_SQLITE])
def test_a_job_that_cannot_be_read_or_done_keeps_no_other_waiting(office: Workplace, name: str) -> None:
    channels = spoil_first_of_three(office, *(ON_BOTH | ON_SQLITE)[name])
    check_set_aside(office, channels)
    # An erasure looks through all of them.
    office.say("/detected hunter2 on db1")
    office.slack.click(office.alice, office.ask("/incident erase 1 a secret"), "erase")
    assert outbox_states(office)["parked"] == 1


@pytest.mark.parametrize("name", ON_BOTH)
def test_neither_on_a_server(server: Workplace, name: str) -> None:
    check_set_aside(server, spoil_first_of_three(server, *ON_BOTH[name]))


def test_a_job_of_an_unknown_action_waits_in_nobodys_way_for_a_release_that_knows_it(office: Workplace) -> None:
    channels = spoil_first_of_three(office, "action", "'fly'")
    office.deliver()
    assert said(office, channels[0]) == ["behind it"]
    assert problems(office) == [("fly", outbox.UNKNOWN_ACTION)]
    delivery = office.bot.context.delivery
    delivery.use({**delivery._actions, "fly": delivery._actions[outbox.POST]})
    office.bot.remind()
    office.deliver()
    assert said(office, channels[0]) == ["behind it", "bad"]


def test_the_reasons_are_listed_and_the_jobs_tried_again(office: Workplace) -> None:
    channels = spoil_first_of_three(office, "content", "'{'")
    office.deliver()
    url = office.database.url.render_as_string()
    environment = {"DATABASE_URL": url, "SCRIBE_SPOOL": str(office.bot.context.settings.spool)}
    listed = scribe("spool", "list", **environment).stdout
    assert "The outbox: 1 set aside" in listed
    assert "1 post: Unreadable: JSONDecodeError" in listed
    with office.database.write() as connection:
        content = f'{{"channel": "{channels[0]}", "text": "mended"}}'
        connection.execute(text("UPDATE outbox SET content = :content WHERE state = 'parked'"), {"content": content})
    assert "The outbox: 1 due again" in scribe("spool", "retry", **environment).stdout
    clock = office.bot.context.clock
    assert isinstance(clock, SetClock)
    clock.set(now())
    office.deliver()
    assert said(office, channels[0]) == ["behind it", "mended"]
    assert "The outbox: nothing set aside" in scribe("spool", "list", **environment).stdout


REMINDER = "UPDATE reminders SET {} WHERE id = (SELECT min(id) FROM reminders WHERE recipient_id = '{{bob}}')"
HANDOVER = "UPDATE handovers SET {} WHERE id = (SELECT min(id) FROM handovers WHERE recipient_id = '{{bob}}')"
ITEM = "UPDATE action_item_revisions SET {} WHERE item_id = (SELECT min(item_id) FROM reminders)"
MEMBER = "UPDATE members SET {} WHERE user_id = '{{bob}}'"
UNREADABLE = "hex(recipient_id) LIKE '%FF%' OR hex(workspace_id) LIKE '%FF%'"
AGENDA = f"UPDATE agendas SET {{}} WHERE recipient_id = '{{{{bob}}}}' OR {UNREADABLE}"  # noqa: S608 - from above
TOLD = HANDOVER.replace("'{{bob}}'", f"'{{{{bob}}}}' OR {UNREADABLE}")
DATE = (ITEM, "due_on = 'never'", "due_on = '2026-03-19'", 1)
NO_ZONE = (MEMBER, "timezone = 'Mars/Olympus'", "timezone = 'America/Los_Angeles'", 0)
STRANGE_ZONE = (MEMBER, "timezone = '../../etc/passwd'", "timezone = 'America/Los_Angeles'", 0)
REMINDERS: dict[str, tuple[str, str, str, int]] = {
    "a kind that is none": (REMINDER, "kind = 'fly'", "kind = 'item'", 1),
    "no time": (REMINDER, "since_at = 'never'", "since_at = '2026-03-12 12:00:00.000000'", 1),
    "no date of its item": DATE,
    "a zone that is none": NO_ZONE,
    "a zone out of its folder": STRANGE_ZONE,
    "no day of the last digest": (AGENDA, "told_on = 'never'", "told_on = NULL", 0),
    "a recipient of bytes": (AGENDA, "recipient_id = x'00ff'", "recipient_id = '{bob}'", 0),
    "a recipient, half a character": (AGENDA, "recipient_id = CAST(x'55ff' AS TEXT)", "recipient_id = '{bob}'", 0),
    "a workspace of bytes": (AGENDA, "workspace_id = x'00ff'", "workspace_id = '{team}'", 0),
    "a workspace, half a character": (AGENDA, "workspace_id = CAST(x'54ff' AS TEXT)", "workspace_id = '{team}'", 0),
}
"""Where to change what, so that a reminder of Bob's is spoiled or mended; how many of his two he is told meanwhile."""
HANDOVERS: dict[str, tuple[str, str, str, int]] = {
    "no time": (HANDOVER, "recorded_at = 'never'", "recorded_at = '2026-03-12 12:00:00.000000'", 1),
    "no date before": (HANDOVER, "due_on = 'never'", "due_on = NULL", 1),
    "a recipient of bytes": (TOLD, "recipient_id = x'00ff'", "recipient_id = '{bob}'", 1),
    "a recipient, half a character": (TOLD, "recipient_id = CAST(x'55ff' AS TEXT)", "recipient_id = '{bob}'", 1),
    "a workspace, half a character": (TOLD, "workspace_id = CAST(x'54ff' AS TEXT)", "workspace_id = '{team}'", 1),
    "nothing to tell it at": (HANDOVER, "due_at = ''", "told_on = NULL", 1),
    "no time to tell it at": (HANDOVER, "due_at = 'never'", "told_on = NULL", 1),
    "no date of its item": DATE,
    "a zone that is none": NO_ZONE,
    "a zone out of its folder": STRANGE_ZONE,
}
"""The same of what Bob is given."""
BUY, COUNT, SELL = "buy disks", "count disks", "sell disks"


def assign(office: Workplace) -> None:
    office.say("/detected disk full")
    for owner, words in (("bob", BUY), ("bob", COUNT), ("carol", SELL)):
        office.say(f"/actionitem @{owner} short-term by 2026-03-19: {words}")
    office.deliver()


def change(office: Workplace, where: str, what: str) -> None:
    with office.database.write() as connection:
        connection.exec_driver_sql(where.format(what).format(bob=office.bob, team=office.slack.team_id))


def remind(office: Workplace, *moments: str) -> None:
    clock = office.bot.context.clock
    assert isinstance(clock, SetClock)
    for moment in moments:
        clock.set(at(moment))
        office.bot.remind()
        office.deliver()


def retry(office: Workplace) -> None:
    with office.database.write() as connection:
        outbox.retry_set_aside(connection, at=office.bot.context.clock())
    office.deliver()


def parked(office: Workplace) -> set[str]:
    return {action for action, _ in problems(office)}


def told_of(office: Workplace, user_id: str, *, digests: bool) -> list[str]:
    """What a user's digests, or all other messages to them, tell of the three items."""
    found = [
        each for each in said(office, user_id) if each.startswith(("Your action items", "Action items")) == digests
    ]
    return [words for each in found for words in (BUY, COUNT, SELL) if words in each]


@pytest.mark.parametrize("name", REMINDERS)
def test_a_reminder_that_cannot_be_read_or_done_keeps_no_other_waiting(office: Workplace, name: str) -> None:
    where, spoil, mend, others = REMINDERS[name]
    assign(office)
    remind(office, *FIRST_MORNINGS)
    change(office, where, spoil)
    remind(office, *MONDAYS)
    assert told_of(office, office.carol, digests=True) == [SELL]
    assert told_of(office, office.bob, digests=True) == [COUNT] * others
    assert parked(office) == {reminders.TAKE_UP}
    before = len(problems(office))
    # Nothing of it is tried again by itself.
    remind(office, MONDAYS[-1])
    assert len(problems(office)) == before
    change(office, where, mend)
    retry(office)
    remind(office, *TUESDAYS)
    assert problems(office) == []
    assert BUY in told_of(office, office.bob, digests=True)


@pytest.mark.parametrize("name", HANDOVERS)
def test_a_hand_over_that_cannot_be_read_or_done_keeps_no_other_waiting(office: Workplace, name: str) -> None:
    where, spoil, mend, others = HANDOVERS[name]
    assign(office)
    change(office, where, spoil)
    remind(office, *FIRST_MORNINGS)
    assert told_of(office, office.carol, digests=False) == [SELL]
    assert told_of(office, office.bob, digests=False) == [COUNT] * others
    # Where it is the zone or the item, the reminder of the same item cannot be done either.
    assert {handovers.TAKE_UP} <= parked(office) <= {handovers.TAKE_UP, reminders.TAKE_UP}
    before = len(problems(office))
    remind(office, FIRST_MORNINGS[-1])
    assert len(problems(office)) == before
    change(office, where, mend)
    retry(office)
    remind(office, MONDAYS[-1])
    assert problems(office) == []
    assert sorted(told_of(office, office.bob, digests=False)) == [BUY, COUNT]


def test_a_hand_over_spoiled_before_it_is_sent_keeps_no_other_from_being_told(office: Workplace) -> None:
    where, spoil, mend, _ = HANDOVERS["no date before"]
    assign(office)
    clock = office.bot.context.clock
    assert isinstance(clock, SetClock)
    clock.set(at(FIRST_MORNINGS[0]))
    office.bot.remind()
    change(office, where, spoil)
    office.deliver()
    assert told_of(office, office.bob, digests=False) == [COUNT]
    assert parked(office) == {handovers.TAKE_UP}
    change(office, where, mend)
    retry(office)
    remind(office, FIRST_MORNINGS[0])
    assert problems(office) == []
    assert told_of(office, office.bob, digests=False) == [BUY, COUNT]


@pytest.mark.parametrize("name", ["no date of its item", "a zone that is none"])
def test_a_departure_that_cannot_be_done_keeps_no_other_waiting(office: Workplace, name: str) -> None:
    """Bob leads one incident and Carol another; Dave, who has items of both, leaves."""
    where, spoil, mend, others = HANDOVERS[name]
    dave = office.slack.add_user("dave", zone="UTC")
    of_carol = office.slack.add_channel("another")
    led = ((office.bob, office.channel, (BUY, COUNT)), (office.carol, of_carol, (SELL,)))
    for lead, channel, owned in led:
        office.say("/detected disk full", channel=channel)
        office.say(f"/incident lead <@{lead}>", channel=channel)
        for words in owned:
            office.say(f"/actionitem <@{dave}> short-term by 2026-03-19: {words}", channel=channel)
    office.deliver()
    remind(office, "2026-03-12T12:15:00Z")
    change(office, where, spoil)
    with office.database.write() as connection:
        members.mark_barred(connection, office.slack.team_id, dave, "deactivated", at=at("2026-03-12T13:00:00Z"))
    remind(office, *FIRST_MORNINGS)
    assert told_of(office, office.carol, digests=False) == [SELL]
    assert told_of(office, office.bob, digests=False) == [COUNT] * others
    assert handovers.TAKE_UP in parked(office)
    change(office, where, mend)
    retry(office)
    remind(office, MONDAYS[-1])
    assert problems(office) == []
    assert sorted(told_of(office, office.bob, digests=False)) == [BUY, COUNT]


def test_hand_overs_that_all_fail_keep_no_reminder_waiting(office: Workplace) -> None:
    assign(office)
    remind(office, *FIRST_MORNINGS)
    with office.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE handovers RENAME TO elsewhere")
    for monday in MONDAYS:
        with pytest.raises(OperationalError, match="no such table"):
            remind(office, monday)
        office.deliver()
    assert told_of(office, office.bob, digests=True) == [BUY, COUNT]
