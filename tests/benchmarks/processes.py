"""A process of its own for each thing measured, so that none shares its interpreter's lock."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_WITHIN_S = 30.0
STOP_WITHIN_S = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")
_OURS = ("SLACK_", "SCRIBE_", "DATABASE_URL")


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with nothing of Scribe's but what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return kept | dict(given)


@contextmanager
def python(arguments: Sequence[str], given: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Python with these arguments, from the project's folder, ended with the block."""
    command = [sys.executable, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(given or {}))  # noqa: S603 - our own words
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of this machine nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def wait_listening(process: subprocess.Popen[bytes], port: int) -> None:
    """Return once the port takes connections. Raises RuntimeError when the process ends or never listens."""
    give_up_at_s = time.monotonic() + START_WITHIN_S
    while process.poll() is None and time.monotonic() < give_up_at_s:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.005)
        else:
            return
    raise RuntimeError(f"nothing listens on port {port}")


def cpu_s(pid: int) -> float:
    """The seconds of CPU time that the process took, all threads. Raises OSError where there is no /proc."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(process: subprocess.Popen[bytes]) -> float:
    """The memory the process has resident, in megabytes. Raises OSError where there is no /proc."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) * 1024 / 1e6
