"""A hostile job: the process ends each time the job is done. It is set aside; all others are sent."""

import subprocess
from pathlib import Path

import pytest

from bot.clock import now
from bot.config import Settings
from bot.doctor.installation import Installation
from bot.doctor.store import check_outbox
from bot.telemetry.health import Health
from storage import outbox
from storage.database import Database
from tests.reliability.process import ScribeProcess, scribe_process
from tests.reliability.test_leases import SHORT_LEASES
from tests.reliability.test_stops import RUN_WITH, database_in
from tests.support.attacks import ROUNDS
from tests.support.workplace import SOCKET

INNOCENT = 8
MOST = outbox.MOST_UNSETTLED if ROUNDS > 1 else 2
POISON = """
import os, signal, time
from bot.slack.client import Client
from bot.server import supervisor
from bot.telemetry import context
context.STUCK_S, supervisor.LOOK_S, run.STOP_S = 4.0, 0.3, 0.5
outbox.MOST_UNSETTLED = {most}
call = Client.api_call
def poisoned(self, method, **how):
    time.sleep(0.1)
    if "poison" in str(how):
        {end}
    return call(self, method, **how)
Client.api_call = poisoned
"""
ENDS = {
    "it kills the process": "os.kill(os.getpid(), signal.SIGKILL)",
    "it hangs": "time.sleep(600)",
}
TRIED = [name for name in ENDS if ROUNDS > 1 or name != "it hangs"]


@pytest.mark.parametrize("name", TRIED)
def test_a_job_that_ends_the_process_at_each_claim_is_set_aside_and_no_other_is(tmp_path: Path, name: str) -> None:
    database, url = database_in(tmp_path), f"sqlite:///{tmp_path}/scribe.db"
    arguments = ["-c", RUN_WITH.format(before=SHORT_LEASES + POISON.format(most=MOST, end=ENDS[name]), keepalive="")]
    with scribe_process(SOCKET, url, tmp_path) as target:
        slack = target.slack
        channels = [slack.add_channel(f"incident-{number}") for number in range(INNOCENT)]
        with database.write() as connection:
            for number, channel in enumerate(channels):
                texts = ("poison", "behind it") if number == INNOCENT // 2 else ("harmless",)
                for text in texts:
                    outbox.post(connection, slack.team_id, channel, {"text": text}, at=now())
        deaths = run_until_settled(target, database, arguments)
        # Once or twice: one that was in hand when the process was killed may have been sent already.
        said = [{message.text for message in slack.messages(channel)} for channel in channels]
        assert [each for each in said if each != {"harmless"}] == [{"behind it"}]
    # The first claim, and those that count: then it is given up, without another attempt.
    assert deaths == MOST
    check_counted(database, tmp_path)
    database.close()


def run_until_settled(target: ScribeProcess, database: Database, arguments: list[str]) -> int:
    """Start the process anew as its supervisor would, until nothing is left to be sent; returns how often it ended."""
    deaths = 0
    while True:
        target.spawn(arguments)
        assert target.process is not None
        while waiting(database):
            try:
                target.process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
            deaths += 1
            assert deaths <= MOST, target.log()
            break
        else:
            return deaths


def waiting(database: Database) -> int:
    with database.read() as connection:
        states = outbox.count_by_state(connection)
    return states.get("waiting", 0) + states.get("sending", 0)


def check_counted(database: Database, folder: Path) -> None:
    """It is counted where a job is that was set aside for any other reason."""
    part = Health(database=database, clock=now).database_parts()["outbox"]
    assert part.facts["parked"] == 1
    with database.read() as connection:
        (parked,) = outbox.set_aside_by_problem(connection)
    assert (parked.action, parked.problem) == (outbox.POST, outbox.UNSETTLED)
    settings = Settings.from_env({"DATABASE_URL": f"sqlite:///{folder}/scribe.db", "SCRIBE_SPOOL": f"{folder}/spool"})
    installation = Installation(settings=settings, clock=now, is_reachable=True)
    told = check_outbox(installation)[-1]
    installation.close()
    assert (told.level, told.fix) == (
        "warn", "Scribe ended each time it was done, or hung: the log says how. Then: scribe spool retry",
    )  # fmt: skip
