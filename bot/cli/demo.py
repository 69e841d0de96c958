"""Commands that run Scribe against the stand-in Slack: no token, no account."""

import os
import secrets
import socket
import sys
import threading
from pathlib import Path

import click

from bot.cli.base import migrated_database
from bot.cli.documents import EDITIONS, check_edition
from bot.errors import UsageError


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port on 127.0.0.1; any free one otherwise.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--http", is_flag=True, help="Reach the bot by HTTP instead of Socket Mode.")
@click.option("--database", "url", help="Keep what is recorded in this database; otherwise it is gone with the demo.")
@click.option("--replay", "file", type=click.Path(path_type=Path), help="Play this case file as a drill.")
@click.option("--speed", type=click.FloatRange(0, 100_000, min_open=True), help="How many times as fast as it was.")
def demo(*, port: int, no_browser: bool, http: bool, url: str | None, file: Path | None, speed: float | None) -> None:
    """Try Scribe in the browser: a small Slack with the real bot behind it; no token, no account."""
    cases, store = {}, None
    if file:
        from bot.demo.casefile import read_case

        given = read_case(file)
        cases[given.id] = given
    if any(name.startswith("SCRIBE_") for name in os.environ):
        from bot.config import Settings
        from bot.demo.demo import demo_variables

        Settings.from_env(demo_variables(os.environ))
    if url:
        store = migrated_database(url)
    listener, token = _listen(port), secrets.token_urlsafe(18)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/{token}/"
    # Before the bot is imported, which takes a second or two: a browser that is as quick waits for the answer.
    click.echo(f"Scribe's demo is at {address}")
    click.echo("It is for this machine alone, and ends with Ctrl-C.")
    if not no_browser:
        _open_in_browser(address)

    from bot.demo.casefile import SAMPLE, read_case
    from bot.demo.serve import serve

    cases = {case.id: case for case in (*cases.values(), read_case(SAMPLE))}
    drill = next(iter(cases)) if file or speed else None
    serve(store, cases, listener=listener, token=token, http=http, drill=drill, speed=speed)


def _listen(port: int) -> socket.socket:
    """A socket that listens on 127.0.0.1. Raises UsageError when the port is taken."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise UsageError(
            f"Port {port}: {os.strerror(error.errno or 0)}. For any free one: scribe demo --port 0"
        ) from None


def _open_in_browser(address: str) -> None:
    """Open the address, or say that it is to be opened."""
    if _has_screen():
        # In a thread, because webbrowser.open blocks until some browsers exit.
        threading.Thread(target=_open_browser, args=[address], daemon=True).start()
    else:
        click.echo("There is no screen here to open a browser on; open that address in one.")


def _open_browser(address: str) -> None:
    import webbrowser

    try:
        opened = webbrowser.open(address)
    except webbrowser.Error:
        opened = False
    if not opened:
        click.echo("No browser could be started; open that address in one.")


def _has_screen() -> bool:
    """Whether a graphical browser can open; on a bare terminal webbrowser would start a text browser instead."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.environ.get("BROWSER"))


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for ID.md, .json, .html, .svg, .png."
)
@click.option("--template", metavar="NAME", help="Draft it in this template.")
@click.option(
    "--edition", type=click.Choice(EDITIONS), help="With roles for names, or as the world may read it; without JSON."
)
def replay(files: tuple[Path, ...], out: Path | None, template: str | None, edition: str | None) -> None:
    """Play incidents back through the real bot: case FILES, or the sample that ships with Scribe."""
    from bot.demo.casefile import SAMPLE
    from bot.demo.replay import replay_file
    from bot.documents.picture.png import png

    check_edition(template, edition)
    for file in files or (SAMPLE,):
        result = replay_file(file, template, edition, templates=os.environ.get("SCRIBE_TEMPLATES", ""))
        if out is None:
            click.echo(result.documents["md"], nl=False)
            continue
        out.mkdir(parents=True, exist_ok=True)
        for suffix, content in result.documents.items():
            (out / f"{result.id}.{suffix}").write_text(content, encoding="utf-8")
        (out / f"{result.id}.png").write_bytes(png(result.documents["svg"]))
        written = ", ".join(f"{result.id}.{suffix}" for suffix in (*result.documents, "png"))
        click.echo(f"{result.id}: {written} in {out}")
