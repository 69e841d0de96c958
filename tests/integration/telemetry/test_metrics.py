"""What is counted: through real Bolt, over both transports."""

import re
import time

import httpx
import pytest
from slack_sdk.errors import SlackApiError

from bot.clock import SetClock
from bot.slack.client import PausedError
from bot.telemetry.health import DEGRADED, DOWN, OK, Component, component
from bot.telemetry.metrics import PrometheusMetrics
from storage.database import Database
from tests.support.workplace import HTTP, Workplace, at, workplace


def samples(metrics: PrometheusMetrics, parts: dict[str, Component] | None = None) -> dict[str, float]:
    """What a scrape reads, without the instants at which counting began."""
    lines = metrics.exposition(parts or {}).decode().splitlines()
    pairs = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: float(value) for name, _, value in pairs if "_created" not in name}


@pytest.fixture
def metrics() -> PrometheusMetrics:
    return PrometheusMetrics()


def test_answers_entries_and_drafts_are_counted_over_both_transports(
    sqlite: Database, clock: SetClock, transport: str, metrics: PrometheusMetrics
) -> None:
    with workplace(sqlite, clock=clock, transport=transport, metrics=metrics) as office:
        office.say("/detected disk full")
        first = office.say("/did freed space", trigger_id="1.2.3")
        assert office.say("/did freed space", trigger_id="1.2.3") == first
        office.say("/did freed more")
        office.refused("/did at 25:99 freed")
        office.say("/resolved over")
        office.deliver()
        deliveries = len(office.answers)
        # The answer reaches Slack before it is counted.
        office.slack.wait_for(lambda: _counted(metrics, transport) == deliveries)
    found = samples(metrics)
    assert found['scribe_entries_total{kind="did"}'] == 2
    assert found['scribe_entries_total{kind="detected"}'] == found['scribe_entries_total{kind="resolved"}'] == 1
    assert found["scribe_drafts_total"] == 1
    assert found[f'scribe_ack_seconds_bucket{{le="+Inf",transport="{transport}"}}'] == deliveries
    assert found[f'scribe_ack_seconds_sum{{transport="{transport}"}}'] > 0


def _counted(metrics: PrometheusMetrics, transport: str) -> float | None:
    return samples(metrics).get(f'scribe_ack_seconds_count{{transport="{transport}"}}')


def test_an_entry_by_mention_or_reaction_is_counted_too(
    sqlite: Database, clock: SetClock, metrics: PrometheusMetrics
) -> None:
    with workplace(sqlite, clock=clock, metrics=metrics, SCRIBE_REACTIONS="pushpin=note") as office:
        office.slack.scopes = office.slack.scopes | {"reactions:read", "channels:history"}
        office.say("/detected disk full")
        office.slack.say(office.alice, office.channel, f"<@{office.slack.bot_user_id}> note from a thread", raw=True)
        message = office.slack.say(office.bob, office.channel, "db1 is back")
        office.slack.react(office.bob, message, "pushpin")
        office.deliver()
        assert samples(metrics)['scribe_entries_total{kind="note"}'] == 2


def test_a_reminder_is_counted_when_slack_took_it(
    sqlite: Database, clock: SetClock, metrics: PrometheusMetrics
) -> None:
    with workplace(sqlite, clock=clock, metrics=metrics) as office:
        office.say("/detected disk full")
        office.say("/actionitem @alice by 2026-03-13: buy disks")
        clock.set(at("2026-03-13T09:00:00Z"))
        office.bot.remind()
        assert samples(metrics)["scribe_reminders_sent_total"] == 0
        office.deliver()
        assert samples(metrics)["scribe_reminders_sent_total"] == 1


def test_what_was_kept_while_the_database_was_away_is_counted_once_it_is_written(
    sqlite: Database, clock: SetClock, metrics: PrometheusMetrics
) -> None:
    with workplace(sqlite, clock=clock, metrics=metrics) as office:
        office.say("/detected disk full")
        office.bot.context.offline.start(ensured=False)
        for words in ("freed space", "freed space", "freed more"):
            assert office.say(f"/did {words}", trigger_id=words).startswith("Kept")
        office.refused("/did at 25:99 freed")
        assert samples(metrics)['scribe_entries_total{kind="did"}'] == 0
        office.bot.replay_spool()
        assert samples(metrics)['scribe_entries_total{kind="did"}'] == 2


def test_a_call_that_is_not_made_since_slack_asked_to_wait_is_no_error_of_slacks(
    sqlite: Database, clock: SetClock, metrics: PrometheusMetrics
) -> None:
    with workplace(sqlite, clock=clock, metrics=metrics) as office:
        office.slack.fail_next("chat.postMessage", retry_after_s=30)
        for problem in (SlackApiError, PausedError, PausedError):
            with pytest.raises(problem):
                office.bot.context.client.chat_postMessage(channel=office.channel, text="x")
        name = 'scribe_slack_errors_total{error="ratelimited",method="chat.postMessage"}'
        assert samples(metrics)[name] == 1


def test_slacks_refusals_are_counted_by_method_and_reason(
    sqlite: Database, clock: SetClock, metrics: PrometheusMetrics
) -> None:
    with workplace(sqlite, clock=clock, metrics=metrics) as office:
        office.slack.fail_next("auth.test", error="internal_error", status=500)
        office.slack.fail_next("users.list", error="ratelimited")
        office.slack.fail_next("chat.postMessage", error="no words\n# TYPE forged counter")
        assert not office.bot.context.identity.__class__(office.bot.context.client).learn()
        office.bot.context.members.refresh(office.slack.team_id)
        with pytest.raises(Exception, match="failed"):
            office.bot.context.client.chat_postMessage(channel=office.channel, text="x")
        office.bot.context.client.base_url = "http://127.0.0.1:1/"
        with pytest.raises(OSError, match="refused"):
            office.bot.context.client.auth_test()
    found = {name: value for name, value in samples(metrics).items() if name.startswith("scribe_slack_errors")}
    assert found == {
        'scribe_slack_errors_total{error="internal_error",method="auth.test"}': 1,
        'scribe_slack_errors_total{error="ratelimited",method="users.list"}': 1,
        'scribe_slack_errors_total{error="other",method="chat.postMessage"}': 1,
        'scribe_slack_errors_total{error="URLError",method="auth.test"}': 1,
    }


def test_the_parts_are_gauges_and_what_is_not_known_is_left_out(metrics: PrometheusMetrics) -> None:
    found = samples(metrics, {"database": component(OK), "outbox": component(DEGRADED, depth=3, oldest_s=700)})
    assert found['scribe_part_up{part="database"}'] == found['scribe_part_up{part="outbox"}'] == 1
    assert (found["scribe_outbox_waiting"], found["scribe_outbox_oldest_seconds"]) == (3, 700)
    away = samples(metrics, {"database": component(DOWN, error="OperationalError")})
    assert away['scribe_part_up{part="database"}'] == 0
    assert "scribe_outbox_waiting" not in away


def test_two_bots_of_one_process_count_apart(metrics: PrometheusMetrics) -> None:
    other = PrometheusMetrics()
    other.recorded("did")
    assert samples(other)['scribe_entries_total{kind="did"}'] == 1
    assert samples(metrics)['scribe_entries_total{kind="did"}'] == 0


def test_the_page_is_prometheus_text_and_holds_no_typed_text(
    sqlite: Database, clock: SetClock, metrics: PrometheusMetrics
) -> None:
    with workplace(sqlite, clock=clock, transport=HTTP, metrics=metrics) as office:
        office.say("/detected the secret runbook")
        office.slack.wait_for(lambda: _counted(metrics, HTTP) == 1)
        page = scraped(office)
    assert "secret" not in page
    assert re.search(r"^# TYPE scribe_ack_seconds histogram$", page, re.MULTILINE)
    assert re.search(r"^scribe_outbox_waiting 0\.0$", page, re.MULTILINE)


def scraped(office: Workplace) -> str:
    answer = httpx.get(office.url.replace("/slack/events", "/metrics"), trust_env=False)
    assert answer.headers["content-type"].startswith("text/plain; version=")
    return answer.text


def test_a_request_that_is_not_slacks_is_not_counted(
    sqlite: Database, clock: SetClock, metrics: PrometheusMetrics
) -> None:
    with workplace(sqlite, clock=clock, metrics=metrics) as office:
        stale = str(int(time.time()) - 1000)
        assert office.slack.post_signed(office.url, "command=/detected", timestamp=stale)[0] == 401
        assert not any(name.startswith("scribe_ack_seconds") for name in samples(metrics))
