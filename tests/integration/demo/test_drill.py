"""Drills: a case played into the running demo."""

from collections import Counter
from datetime import timedelta

from bot.handlers.postmortem.exports import read_by_name
from bot.slack.bot import build
from storage import outbox
from storage.database import Database
from tests.support.demo_site import CASE, DemoSite

FAST = 600


def test_a_drill_reports_a_refusal_pauses_while_the_bot_is_stopped_and_resumes(site: DemoSite) -> None:
    demo = site.demo
    demo.bot_process.stop()
    demo.start_drill(CASE.id, 100_000)
    drill = demo.drill
    assert drill is not None
    demo.slack.wait_for(lambda: drill.status()["refusal"])
    assert drill.status()["refusal"] == "/incident: dispatch_failed"
    assert (drill.status()["position"], drill.status()["playing"]) == (0, False)
    demo.bot_process.start()
    drill.resume()
    demo.slack.wait_for(lambda: drill.over)
    assert drill.status()["position"] == len(CASE.script)
    # The demo's clock showed the case's times, so the entries have them.
    record = read_by_name(site.database, "INC-1")
    assert (record.incident.title, record.incident.declared_at) == (CASE.title, CASE.commands[0].at)
    assert demo.clock() >= CASE.commands[-1].at


def test_a_new_drill_ends_the_old_one_and_so_does_time_travel(site: DemoSite) -> None:
    demo = site.demo
    first = demo.start_drill(CASE.id, 0.001)
    old = demo.drill
    assert old is not None
    assert demo.start_drill(CASE.id, 0.001) != first
    assert old.over
    demo.travel(timedelta(hours=1))
    assert demo.drill is not None
    assert demo.drill.over
    assert demo.clock.rate == 1


def test_at_600_times_the_speed_one_version_is_one_message(site: DemoSite) -> None:
    """A lease of 20 s by the demo's clock would be over after 33 ms, and another worker would send the same again."""
    demo, bot = site.demo, site.demo.bot_process.bot
    assert bot is not None
    demo.slack.delay("files.getUploadURLExternal", 0.2)
    other = Database(site.database.url.render_as_string())
    replica = build(bot.context.settings, other, clock=demo.clock)
    replica.refresh()
    replica.context.delivery.start()
    try:
        demo.clock.run(rate=FAST)
        for command in ("/detected disk full", "/resolved freed some", "/postmortem draft", "/postmortem draft"):
            site.record(command)
            demo.slack.wait_for(lambda: states(site.database).keys() <= {"sent"})
    finally:
        replica.stop()
        other.close()
    files = Counter(
        file.name for each in demo.slack.messages(site.channel) for file in each.files if ".md" in file.name
    )
    assert len(files) > 1
    assert set(files.values()) == {1}


def states(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return outbox.count_by_state(connection)
