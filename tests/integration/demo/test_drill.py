"""Drills: a case played into the running demo."""

from datetime import timedelta

from bot.handlers.postmortem.exports import read_by_name
from tests.support.demo_site import CASE, DemoSite


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
