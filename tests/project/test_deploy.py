"""What Scribe is installed from is built and looked through for real, where the tools for that are."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.config import FROM_FILES
from tests.support.paths import ROOT

BUILD_S = 600.0
BASE = "docker.io/library/python:3.11-slim-bookworm"
_HOSTS_OWN = ("/etc/ssl/certs", "/etc/pip.conf")
"""What an installation of packages needs where the network has an authority or an index of its own."""


def run(*words: str, cwd: Path = ROOT, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(  # noqa: S603 - our own words
        words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=BUILD_S, check=False
    )
    assert done.returncode == 0, f"{' '.join(words)}: {(done.stdout + done.stderr)[-4000:]}"
    return done.stdout


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def needs(*programs: str) -> pytest.MarkDecorator:
    missing = [name for name in programs if shutil.which(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@needs("systemd-analyze")
def test_the_unit_is_valid_and_hardened(tmp_path: Path) -> None:
    unit = tmp_path / "scribe.service"
    text = (ROOT / "deploy" / "scribe.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/scribe/bin/scribe", "/bin/true"), encoding="utf-8")
    run("systemd-analyze", "verify", str(unit))
    told = run("systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=15", str(unit))
    print(told.splitlines()[-1])


@pytest.mark.parametrize("name", ["scribe.service", "compose.yaml", "kubernetes/base/statefulset.yaml"])
def test_tokens_come_as_files_that_scribe_reads(name: str) -> None:
    text = (ROOT / "deploy" / name).read_text(encoding="utf-8")
    assert {variable for variable in FROM_FILES if variable in text} >= {"SLACK_BOT_TOKEN_FILE", "SLACK_APP_TOKEN_FILE"}


class Buildah:
    """Debian's buildah with a store of its own, so that nothing of the machine's is touched."""

    def __init__(self, folder: Path) -> None:
        self._words = ("buildah", "--storage-driver", "vfs", "--root", f"{folder}/store", "--runroot", f"{folder}/run")

    def __call__(self, *words: str) -> str:
        return run(*self._words, *words).strip()

    @contextmanager
    def running(self, container: str, environment: dict[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
        """A command in the container, until the block ends."""
        variables = [word for name, value in environment.items() for word in ("--env", f"{name}={value}")]
        process = subprocess.Popen(  # noqa: S603 - our own words
            [*self._words, "run", "--isolation", "chroot", *variables, container, *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            os.killpg(process.pid, 15)
            process.communicate(timeout=60)


@needs("buildah", "debootstrap")
@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="debootstrap needs root")
def test_the_image_is_built_and_answers_its_health_check(tmp_path: Path) -> None:
    buildah, base = Buildah(tmp_path), tmp_path / "base"
    included = "python3,python3-venv,python3-pip,ca-certificates"
    made = subprocess.run(  # noqa: S603 - our own words
        ["debootstrap", "--variant=minbase", f"--include={included}", "bookworm", str(base)],  # noqa: S607
        capture_output=True, text=True, timeout=BUILD_S, check=False,
    )  # fmt: skip
    if made.returncode != 0:
        pytest.skip(f"no base: {made.stdout[-200:]}")
    container = buildah("from", "scratch")
    buildah("copy", container, str(base), "/")
    buildah("commit", container, BASE)
    shutil.rmtree(base)
    shared = [word for path in _HOSTS_OWN if Path(path).exists() for word in ("--volume", f"{path}:{path}:ro")]
    built = ("bud", "--isolation", "chroot", "--format", "docker", "--pull-never", *shared)
    buildah(*built, "--file", "deploy/Dockerfile", "--tag", "scribe", str(ROOT))

    bot = buildah("from", "--pull-never", "scribe")
    health = free_port()
    settings = {
        "SLACK_BOT_TOKEN": "xoxb-1", "SLACK_SIGNING_SECRET": "0" * 32, "SLACK_API_URL": "http://127.0.0.1:9/",
        "SCRIBE_HEALTH_PORT": str(health),
    }  # fmt: skip
    with buildah.running(bot, settings, "scribe", "run", "--host", "127.0.0.1", "--port", "0"):
        address, give_up_at_s = f"http://127.0.0.1:{health}/healthz", time.monotonic() + 120
        while not _answers(address):
            assert time.monotonic() < give_up_at_s, "not healthy within two minutes"
            time.sleep(0.1)
        config = json.loads(json.loads(buildah("inspect", "--type", "image", "scribe"))["Config"])["config"]
        kind, *check = config["Healthcheck"]["Test"]
        assert kind == "CMD"
        buildah("run", "--isolation", "chroot", "--env", f"SCRIBE_HEALTH_PORT={health}", bot, *check)
        who = buildah("run", "--isolation", "chroot", bot, "sh", "-c", "id -u; stat -c %a /var/lib/scribe")
        assert who.split() == ["10001", "700"]
    assert buildah("run", "--isolation", "chroot", bot, "sh", "-c", "ls /opt/scribe/bin").split().count("pip") == 0


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)
    except OSError:
        return False
