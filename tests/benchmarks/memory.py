"""What an idle bot holds in memory, over both transports, before and after it was used."""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from subprocess import Popen

from tests.benchmarks.effort import Effort
from tests.benchmarks.office import Office, office
from tests.benchmarks.processes import free_port, python, resident_mb, wait_listening
from tests.benchmarks.report import heading, table

IDLE_S = 5.0
COMMANDS = 500
RUN = ("-m", "bot", "run")
Transport = Callable[[Office], AbstractContextManager[Popen[bytes]]]


def measure(effort: Effort) -> None:
    """Print the resident memory of `scribe run`."""
    commands = effort.of(COMMANDS)
    rows = [_row(name, transport, commands) for name, transport in (("HTTP", _http), ("Socket Mode", _socket))]
    heading("Resident memory of an idle bot (aim: under 80 MB)")
    table(("", f"{IDLE_S:.0f} s after the start", f"after {commands} commands"), rows)


def _row(name: str, transport: Transport, commands: int) -> tuple[str, str, str]:
    with office() as place, transport(place) as process:
        time.sleep(IDLE_S)
        idle_mb = resident_mb(process)
        for number in range(commands):
            answer = place.slack.command(place.alice, place.channel, "/detected", f"disk full on db{number}")
            assert not answer.error, answer
        return name, f"{idle_mb:.0f} MB", f"{resident_mb(process):.0f} MB"


@contextmanager
def _http(place: Office) -> Iterator[Popen[bytes]]:
    port = free_port()
    with python([*RUN, "--port", str(port)], place.settings(place.sqlite())) as process:
        wait_listening(process, port)
        place.slack.deliver_to(f"http://127.0.0.1:{port}/slack/events")
        yield process


@contextmanager
def _socket(place: Office) -> Iterator[Popen[bytes]]:
    with python(RUN, place.socket_settings(place.sqlite())) as process:
        place.slack.wait_connected(within_s=30)
        yield process
