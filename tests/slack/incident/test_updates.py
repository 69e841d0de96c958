"""Updates to stakeholders, the promise of the next one, and the nudge when it passes or when nobody writes."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from bot.clock import SetClock
from bot.config import Settings
from bot.errors import UsageError
from bot.handlers.incident import updates
from storage import nudges
from storage.database import Database
from tests.support.ledger import entries, incident, standing
from tests.support.replicas import replicas
from tests.support.together import together
from tests.support.workplace import HTTP, Workplace, workplace


def nudged(office: Workplace, channel: str | None = None) -> list[str]:
    """Let the tick run, and return what it was that the channel was reminded of so far."""
    office.bot.nudge()
    told = [each.text for each in office.messages(channel)]
    return [each for each in told if "was promised for" in each or "Nothing was recorded" in each]


def passes(clock: SetClock, **how: float) -> None:
    clock.set(clock() + timedelta(**how))


def promised(office: Workplace) -> str | None:
    with office.database.read() as connection:
        at = updates.promised_at(connection, incident(office))
    return None if at is None else f"{at:%H:%M}"


def test_an_update_is_recorded_told_and_promised(office: Workplace) -> None:
    office.say("/incident open SEV2 Checkout fails")
    office.say("/mitigated rolled back")
    told = office.say("/incident update customers see errors at checkout, next in 30m")
    assert told.splitlines() == [
        "Update · 12:00 UTC · INC-1 #2 · SEV2 · mitigated · Checkout fails",
        "customers see errors at checkout",
        "Next update: 12:30 UTC. Scribe reminds this channel once, when that is over.",
    ]
    assert standing(office)[-1] == ("update", "customers see errors at checkout")
    assert promised(office) == "12:30"
    # In Bob's zone, Los Angeles, it is 05:00.
    assert "Next update: 13:15 UTC" in office.say("/incident update we wait, next at 6:15", user=office.bob)
    assert promised(office) == "13:15"
    assert "Next update" not in office.say("/incident update we still wait")
    assert promised(office) is None
    odd = office.say("/incident update errors, next in line are phones")
    assert "No next update is promised: I read no time in “in line are phones”" in odd
    assert "Try: /incident update customers see" in office.refused("/incident update next in 30m")
    assert "Next update: 12:45 UTC" in office.say("/incident update at 11:50 we knew, next in 45m")
    assert entries(office)[-1].occurred_at < entries(office)[-1].recorded_at


def test_the_channel_of_updates_is_told_and_corrected_and_a_private_incident_is_not(
    sqlite: Database, clock: SetClock
) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_UPDATES_CHANNEL="C000000005") as office:
        status = office.slack.add_channel("status")
        assert status == "C000000005"
        office.say("/incident open SEV1 Checkout <!channel> fails")
        told = office.say("/incident update 5% of carts fail, next in 1h")
        assert told.startswith(f"Update · 12:00 UTC · INC-1 #1 · told in <#{status}>\n5% of carts fail\nNext update")
        assert [each.text for each in office.messages(status)] == [
            "INC-1 · SEV1 · open · Checkout &lt;!channel&gt; fails\n5% of carts fail\nNext update: 13:00 UTC"
        ]
        office.say("/incident edit 1 6% of carts fail, next in 2h")
        assert promised(office) == "14:00"
        office.say("/incident edit 1 next in 90m")
        assert promised(office) == "13:30"
        office.say("/incident edit 1 7% of carts fail")
        assert promised(office) == "13:30"
        office.say("/incident edit 1 at 11:59")
        office.say("/incident undo 1")
        assert promised(office) is None
        said = [each.text.partition("\n")[2] for each in office.messages(status)]
        assert said[1:] == [
            "Corrected, the update of 12:00 UTC: 6% of carts fail\nNext update: 14:00 UTC",
            "Corrected, the update of 12:00 UTC: 6% of carts fail\nNext update: 13:30 UTC",
            "Corrected, the update of 12:00 UTC: 7% of carts fail\nNext update: 13:30 UTC",
            "The update of 11:59 UTC is taken back.",
        ]
        count = len(said)
        office.say("/incident private")
        assert "told in" not in office.say("/incident update the merger leaks, next in 1h")
        secret = office.private("/incident update the key is AKIAIOSFODNN7EXAMPLE")
        assert "AKIA" not in secret
        office.say("/incident private off")
        office.private("/incident update the key is AKIAIOSFODNN7EXAMPLE")
        assert len(office.messages(status)) == count
        office.slack.change_user(office.bob, restricted=True)
        assert "is for members" in office.refused("/incident update I am a guest", user=office.bob)


def test_one_nudge_when_the_promise_passes_until_the_next_one(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open Checkout fails")
    office.say("/incident update carts fail, next in 30m")
    assert nudged(office) == []
    passes(clock, minutes=29)
    assert nudged(office) == []
    passes(clock, minutes=1)
    first = (
        "The next update on INC-1 was promised for 12:30 UTC. "
        "To give it: /incident update INC-1 what is known now, next in 30m"
    )
    assert nudged(office) == [first]
    passes(clock, minutes=5)
    assert nudged(office) == [first]
    office.say("/incident edit 1 next in 10m")
    passes(clock, minutes=10)
    assert [each[:60] for each in nudged(office)] == [first[:60], first[:60].replace("12:30", "12:45")]
    # The next update keeps it, and taking that back leaves the earlier promise, which was told.
    office.say("/incident update better, next in 5m")
    passes(clock, minutes=1)
    office.say("/incident undo")
    passes(clock, minutes=20)
    assert len(nudged(office)) == 2
    for silencing, after in (
        ("/incident update all is well", "/note x"),
        ("/resolved", "/reopened"),
        ("/incident cancel a drill", "/reopened"),
    ):
        office.say("/incident update carts fail, next in 5m")
        passes(clock, minutes=1)
        office.say(silencing)
        passes(clock, minutes=10)
        assert len(nudged(office)) == 2, silencing
        office.say(after)


def test_what_silenced_the_nudge_and_is_taken_back_leaves_the_promise(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open Checkout fails")
    office.say("/incident update carts fail, next in 5m")
    office.say("/resolved")
    passes(clock, minutes=10)
    assert nudged(office) == []
    office.say("/incident undo")
    assert len(nudged(office)) == 1
    passes(clock, minutes=1)
    assert len(nudged(office)) == 1


def test_a_nudge_that_is_late_is_left_out_when_it_is_no_longer_true(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open Checkout fails")
    office.say("/incident update carts fail, next in 5m")
    passes(clock, minutes=6)
    office.bot.nudge()
    office.say("/incident update here it is")
    assert nudged(office) == []


def test_a_silent_incident_is_asked_about_once_and_again_after_an_answer(office: Workplace, clock: SetClock) -> None:
    office.say("/incident open Checkout fails")
    passes(clock, minutes=119)
    office.say("/note we look")
    passes(clock, minutes=119)
    assert nudged(office) == []
    passes(clock, minutes=1)
    assert nudged(office) == ["Nothing was recorded on INC-1 for 2 h. Is it still going on?"]
    for _ in range(3):
        passes(clock, hours=3)
        assert len(nudged(office)) == 1
    asked = next(each for each in office.messages() if "Nothing was recorded" in each.text)
    before = entries(office)
    office.slack.click(office.bob, asked, "still_working")
    said = office.messages()[-1].text
    assert said == (
        "bob says that INC-1 is still being worked on. Nothing is recorded; "
        "Scribe asks again when nothing was recorded for another 2 h."
    )
    assert entries(office) == before
    passes(clock, minutes=119)
    assert nudged(office) == []
    passes(clock, minutes=1)
    assert len(nudged(office)) == 1
    again = next(each for each in office.messages() if "Nothing was recorded" in each.text)
    office.slack.click(office.bob, again, "nudge_mitigated")
    office.slack.click(office.carol, again, "nudge_mitigated")
    assert [each.kind for each in entries(office)] == ["note", "mitigated"]
    assert any("is mitigated already" in each.text for each in office.messages(user=office.carol))
    # A correction is a sign of life.
    passes(clock, minutes=100)
    office.say("/incident edit 1 we look closer")
    passes(clock, minutes=100)
    assert nudged(office) == []
    passes(clock, minutes=20)
    third = nudged(office)
    assert len(third) == 1
    asked = next(each for each in reversed(office.messages()) if "Nothing was recorded" in each.text)
    assert [each["text"]["text"] for each in asked.blocks[-1]["elements"]] == ["Still working", "Resolved"]
    office.slack.click(office.bob, asked, "nudge_resolved")
    office.deliver()
    assert not incident(office).open
    passes(clock, hours=9)
    assert nudged(office) == []


def test_a_promise_ahead_keeps_the_question_about_silence_away_and_zero_turns_it_off(
    sqlite: Database, clock: SetClock
) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_STALE="1h") as office:
        office.say("/incident open Checkout fails")
        office.say("/incident update all asleep, next in 8h")
        passes(clock, hours=7)
        assert nudged(office) == []
        passes(clock, hours=2)
        assert [each[:15] for each in nudged(office)] == ["The next update"]
    with workplace(sqlite, clock=clock, SCRIBE_STALE="0") as office:
        office.say("/note and nothing follows")
        passes(clock, hours=90)
        assert nudged(office) == []


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_replicas_and_restarts_nudge_once(store: str, clock: SetClock, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(store)
    with replicas(database, clock, HTTP, 3) as (office, bots):
        office.say("/incident open Checkout fails")
        office.say("/incident update carts fail, next in 5m")
        other = office.slack.add_channel("mails")
        office.say("/incident open Mails are late", channel=other)
        passes(clock, hours=3)
        for _ in range(2):
            together(lambda number: bots[number % 3].nudge(), 6)
        assert len(nudged(office)) == 1
        assert len(nudged(office, other)) == 1


@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_a_tick_with_nothing_due_reads_indexes_alone(
    store: str, clock: SetClock, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(store)
    with database.read() as connection:
        if store == "postgres":
            # Of an empty table a scan or a sort is as good.
            for other in ("seqscan", "bitmapscan", "sort"):
                connection.execute(text(f"SET LOCAL enable_{other} = off"))
        for query, index in ((nudges._DUE, "ix_nudges_due_at"), (nudges._SILENT, "ix_incidents_open")):
            explain = "EXPLAIN QUERY PLAN " if store == "sqlite" else "EXPLAIN "
            before = f"'{clock():%Y-%m-%d %H:%M:%S}'"
            sql = re.sub(
                r"\?|%\(\w+\)s(::\w+( WITH TIME ZONE)?)?", before, str(query.limit(None).compile(database.engine))
            )
            plan = "\n".join(str(row[-1]) for row in connection.execute(text(explain + sql)))
            assert index in plan, plan


@pytest.mark.parametrize("words", ["5", "1m", "soon", "-2h", "2d"])
def test_a_silence_that_is_no_time_is_refused(words: str) -> None:
    with pytest.raises(UsageError, match="SCRIBE_STALE"):
        Settings.from_env({"SCRIBE_STALE": words})
