"""Stops under load, and a connection to Slack that is lost."""

import signal
from pathlib import Path

import pytest

from storage import incidents, outbox, schema, timeline
from storage.database import Database
from tests.benchmarks import seed
from tests.reliability.comparison import compare
from tests.reliability.process import ScribeProcess, scribe_process
from tests.reliability.responders import Responder, responding
from tests.support.workplace import HTTP, SOCKET

ENOUGH = 30
RUN_WITH = """
import sys
from os import environ
from bot import run
from bot.config import Settings
from bot.slack.inbound.socket import Keepalive
from storage.database import Database
{before}
settings, port = Settings.from_env(environ), int(sys.argv[-1])
database = Database(settings.database_url)
run.serve(settings, database, host="127.0.0.1", port=port, keepalive=Keepalive({keepalive}))
"""


def database_in(folder: Path) -> Database:
    database = Database(f"sqlite:///{folder}/scribe.db")
    schema.migrate(database)
    return database


def responder_in(database: Database, target: ScribeProcess, name: str) -> Responder:
    user, channel = target.slack.add_user(name, zone="UTC"), target.slack.add_channel(f"incident-{name}")
    with database.write() as connection:
        seed.incident(connection, channel, 1)
    return Responder(process=target, user=user, channel=channel)


def stored(database: Database, responder: Responder) -> set[str]:
    with database.read() as connection:
        incident = incidents.in_channel(connection, responder.process.slack.team_id, responder.channel)
        assert incident is not None
        return {entry.text for entry in timeline.of_incident(connection, incident.id)[1:]}


def test_told_to_stop_it_answers_all_it_has_stored_and_leaves_the_rest_to_the_next(
    transport: str, tmp_path: Path
) -> None:
    database = database_in(tmp_path)
    with scribe_process(transport, f"sqlite:///{tmp_path}/scribe.db", tmp_path) as target:
        responders = [responder_in(database, target, name) for name in ("alice", "bob", "carol", "dan")]
        target.start()
        with responding(responders):
            target.slack.wait_for(lambda: sum(len(each.typed) for each in responders) > ENOUGH)
            assert target.end(signal.SIGTERM) == 0
            # Nothing is delivered now: what is stored was answered, or its responder still waits for an answer.
            target.slack.wait_for(lambda: all(stored(database, each) <= set(each.typed) for each in responders))
            target.start()
        assert compare(database, target.slack, responders, before=1).faults == {}
        assert target.end(signal.SIGTERM) == 0
        assert "Traceback" not in target.log()
    database.close()


def test_it_stops_in_time_though_slack_hangs_and_what_it_had_in_hand_is_sent_later(tmp_path: Path) -> None:
    database = database_in(tmp_path)
    with scribe_process(SOCKET, f"sqlite:///{tmp_path}/scribe.db", tmp_path) as target:
        slack = target.slack
        alice, channel = slack.add_user("alice", zone="UTC"), slack.add_channel("incident")
        target.spawn(["-c", RUN_WITH.format(before="run.STOP_S = 0.5", keepalive="")])
        slack.wait_connected()
        slack.delay("chat.postMessage", 60)
        slack.say(alice, channel, "@scribe detected disk full")
        slack.wait_for(lambda: states(database).get("sending") == 1)
        # Slack's client gives a call up after ten seconds; the process is gone long before.
        assert target.end(signal.SIGTERM) == 0
        assert "what is left is done after the next start" in target.log()
        assert states(database).get("sending") == 1
    database.close()


def test_hearing_nothing_of_slack_it_ends_so_that_its_supervisor_begins_anew(tmp_path: Path) -> None:
    database_in(tmp_path).close()
    with scribe_process(SOCKET, f"sqlite:///{tmp_path}/scribe.db", tmp_path) as target:
        target.spawn(["-c", RUN_WITH.format(before="", keepalive="lost_s=1.0")])
        assert target.process is not None
        assert target.process.wait(120) == 1
        target.process = None
        assert "nothing heard of Slack" in target.log()
        assert "Traceback" not in target.log()


SOON = """
import time
from bot.handlers import routes
from bot.server import supervisor
from bot.slack.bot import Bot
from bot.telemetry import context
context.STUCK_S, supervisor.LOOK_S, run.STOP_S = 2.0, 0.3, 1.0
def hang(*_anything):
    time.sleep(600)
"""
HANGS = {"a handler": "routes.answer = hang", "a tick": "Bot.replay_spool = hang"}


@pytest.mark.parametrize("hang", HANGS.values(), ids=HANGS)
def test_when_something_hangs_it_ends_so_that_its_supervisor_begins_anew(
    transport: str, tmp_path: Path, hang: str
) -> None:
    database_in(tmp_path).close()
    with scribe_process(transport, f"sqlite:///{tmp_path}/scribe.db", tmp_path) as target:
        alice, channel = target.slack.add_user("alice", zone="UTC"), target.slack.add_channel("incident")
        target.start(["-c", RUN_WITH.format(before=SOON + hang, keepalive="")])
        target.slack.command(alice, channel, "/detected", "disk full")
        assert target.process is not None
        assert target.process.wait(60) == 1
        target.process = None
        assert "; ending, so that the supervisor starts anew" in target.log()


def test_http_stops_in_time_though_a_request_is_only_half_sent(tmp_path: Path) -> None:
    database_in(tmp_path).close()
    with scribe_process(HTTP, f"sqlite:///{tmp_path}/scribe.db", tmp_path) as target:
        target.start(["-c", RUN_WITH.format(before="run.HTTP_STOP_S = 0.5", keepalive="")])
        with target.caller() as caller:
            caller.sendall(b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf")
            assert target.end(signal.SIGTERM) == 0


def states(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return outbox.count_by_state(connection)
