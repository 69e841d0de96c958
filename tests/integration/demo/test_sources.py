"""What machines tell the demo at the page's word: it goes the way of a real source, to the real endpoint."""

from datetime import timedelta

import pytest

from bot.demo.actions import ACTIONS, DEPLOYED_BEFORE, FIRED_BEFORE
from bot.demo.demo import FIRST_RELEASE
from bot.errors import UsageError
from bot.fakeslack.objects import Message
from bot.handlers.sources import alerts, lead_up
from storage import timeline
from storage.values import TimelineEntry
from tests.support.demo_site import DemoSite

RELEASE = f"release {FIRST_RELEASE}"


def tell(site: DemoSite, what: str) -> None:
    answer = ACTIONS["tell"](site.demo, user=site.alice, channel=site.channel, what=what)
    assert answer == {"answer": {"deploy": "kept: 1 change", "alert": "kept: 1 alert"}[what]}


def wait_for(site: DemoSite, words: str) -> Message:
    slack = site.demo.slack
    found = slack.wait_for(lambda: [each for each in slack.messages(site.channel) if words in each.text])
    message: Message = found[-1]
    return message


def press(site: DemoSite, message: Message, action: str) -> None:
    where = {"channel": site.channel, "ts": message.ts}
    assert ACTIONS["click"](site.demo, user=site.alice, action_id=action, **where) == {}


def entries(site: DemoSite) -> list[TimelineEntry]:
    with site.database.read() as connection:
        return timeline.of_incident(connection, 1)


@pytest.mark.parametrize("order", [("deploy", "alert"), ("alert", "deploy")])
def test_an_alert_is_declared_and_the_deploy_before_it_is_offered_and_taken(
    site: DemoSite, order: tuple[str, str]
) -> None:
    told_at = site.demo.clock()
    for what in order:
        tell(site, what)
    press(site, wait_for(site, "No incident is open here"), alerts.DECLARE)
    # The story's first step is done, and its clock moves on.
    assert site.demo.film.done == ["detect"]
    offer = wait_for(site, f"before: <https://ci.example.com/checkout/releases/{FIRST_RELEASE}|{RELEASE}>")
    press(site, offer, lead_up.TAKE[0])
    wait_for(site, "taken by alice")
    deployed, detected = sorted(entries(site), key=lambda each: each.occurred_at)
    assert (deployed.kind, deployed.text, deployed.author) == ("change", f"{RELEASE} (checkout)", "Pipeline")
    assert (detected.kind, detected.qualifier, detected.author) == ("detected", "monitoring", "Prometheus Alertmanager")
    for entry, before in ((deployed, DEPLOYED_BEFORE), (detected, FIRED_BEFORE)):
        assert timedelta() <= entry.occurred_at - (told_at - before) < timedelta(minutes=1)


def test_an_alert_during_an_incident_stands_on_its_timeline(site: DemoSite) -> None:
    site.record("/detected disk full")
    tell(site, "alert")
    wait_for(site, "7% of checkouts fail")
    assert [each.kind for each in entries(site)] == ["detected", "alert"]


def test_each_deploy_has_a_number_of_its_own(site: DemoSite) -> None:
    for _ in range(2):
        tell(site, "deploy")
    site.record("/detected disk full")
    assert f"release {FIRST_RELEASE + 1}" in wait_for(site, RELEASE).text


def test_nobody_hears_it_while_the_bot_is_unplugged(site: DemoSite) -> None:
    site.demo.bot_process.stop()
    with pytest.raises(UsageError, match="unplugged"):
        site.demo.bot_process.tell("alertmanager", site.channel, {})
    site.demo.bot_process.start()
    tell(site, "alert")


def test_what_is_no_payload_or_no_thing_to_tell_is_refused(site: DemoSite) -> None:
    with pytest.raises(UsageError, match="did not take it: version: Field required"):
        site.demo.bot_process.tell("alertmanager", site.channel, {})
    for wrong in ({"what": "fire"}, {"channel": "C404"}):
        given = {"channel": site.channel, "what": "alert", **wrong}
        with pytest.raises(KeyError):
            ACTIONS["tell"](site.demo, user=site.alice, **given)
