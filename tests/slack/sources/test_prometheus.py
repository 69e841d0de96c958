"""The real ones: Debian's Prometheus evaluates a rule, its Alertmanager posts what comes of it to a running Scribe."""

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from bot.clock import now
from storage.database import Database
from tests.support.hooks import SET_UP, address, hear
from tests.support.ledger import entries
from tests.support.workplace import Workplace, workplace

WAITS_S = 90.0
_FOLDERS = "/usr/sbin:/usr/local/sbin:/usr/bin"
RULES = """
groups:
  - name: tests
    interval: 1s
    rules:
      - alert: DeadMan
        expr: vector(1) == on() group_left() {wanted}
        labels: {{severity: page, service: checkout}}
        annotations: {{summary: "it fires"}}
"""
PROMETHEUS = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [{rules}]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]}}
"""
ALERTMANAGER = """
route: {{receiver: scribe, group_wait: 1s, group_interval: 1s, repeat_interval: 2s}}
receivers: [{{name: scribe, webhook_configs: [{{url: "{url}"}}]}}]
"""


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=_FOLDERS)
    if found is None:
        pytest.skip(f"no {name}: apt-get install {name}")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def running(arguments: list[str], ready: str) -> Iterator[None]:
    """The process, once that address answers."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603 - ours

    def is_ready() -> bool:
        assert process.poll() is None, arguments
        try:
            return httpx.get(ready).status_code == 200
        except httpx.TransportError:
            return False

    try:
        until(is_ready)
        yield
    finally:
        process.kill()
        process.wait()


def until(so: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + WAITS_S
    while not so():
        assert time.monotonic() < give_up_s
        time.sleep(0.1)


@contextmanager
def monitoring(folder: Path, url: str) -> Iterator[Callable[[str], None]]:
    """Prometheus and Alertmanager; what is yielded sets what the rule compares 1 with, and so whether it fires."""
    prometheus, alertmanager = program("prometheus"), program("prometheus-alertmanager")
    rules, port, web = folder / "rules.yml", free_port(), free_port()
    (folder / "alertmanager.yml").write_text(ALERTMANAGER.format(url=url))
    (folder / "prometheus.yml").write_text(PROMETHEUS.format(rules=rules, alertmanager=port))

    def compare_with(wanted: str) -> None:
        rules.write_text(RULES.format(wanted=wanted))

    compare_with("vector(1)")
    with ExitStack() as stack:
        stack.enter_context(
            running(
                [alertmanager, f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/am",
                 f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="],
                f"http://127.0.0.1:{port}/-/ready",
            )
        )  # fmt: skip
        stack.enter_context(
            running(
                [prometheus, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb",
                 f"--web.listen-address=127.0.0.1:{web}", "--web.enable-lifecycle", "--rules.alert.resend-delay=1s"],
                f"http://127.0.0.1:{web}/-/ready",
            )
        )  # fmt: skip

        def change(wanted: str) -> None:
            compare_with(wanted)
            assert httpx.post(f"http://127.0.0.1:{web}/-/reload").status_code == 200

        yield change


def test_the_real_ones_fire_at_a_running_scribe_and_fall_quiet(sqlite: Database, tmp_path: Path) -> None:
    with workplace(sqlite, clock=now, **SET_UP) as office:
        office.say("/detected checkout is slow")
        with monitoring(tmp_path, address(office)) as change:
            until(lambda: _kinds(office) == ["detected", "alert"])
            fired = entries(office)[-1]
            assert fired.text == "DeadMan: it fires (service=checkout, severity=page)"
            assert abs((fired.occurred_at - fired.recorded_at).total_seconds()) < WAITS_S
            change("vector(2)")
            until(lambda: _kinds(office) == ["detected", "alert"] and entries(office)[-1].until_at is not None)
        assert len([each for each in office.messages() if each.text.startswith("Alert · ")]) == 1


def _kinds(office: Workplace) -> list[str]:
    hear(office)
    return [each.kind for each in entries(office)]
