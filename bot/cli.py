"""The `scribe` command: the only place where things are wired together.

What is heavy is imported by the command that needs it, so that `scribe --help` answers at once.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.config import Settings
    from storage.database import Database

Function = TypeVar("Function", bound=Callable[..., Any])
FORMATS = ("md", "html", "json", "svg")


class People(click.Group):
    """A group whose usage errors are one line on standard error, exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what cannot be done is said, not traced."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise click.UsageError(str(error)) from None


def settings() -> "Settings":
    """The settings of this process's environment."""
    from bot.config import Settings

    return Settings.from_env(os.environ)


def database(url: str) -> "Database":
    """The database at `url`. Raises UsageError for an address that is none."""
    from sqlalchemy.exc import ArgumentError

    from storage.database import Database

    try:
        return Database(url)
    except (ArgumentError, ValueError) as error:
        raise UsageError(f"DATABASE_URL: {error}") from None


def ready(url: str) -> "Database":
    """The database at `url`, its schema the newest. Raises UsageError when that is the operator's to bring about."""
    from storage import schema

    store = database(url)
    try:
        schema.ensure(store)
    except schema.OutdatedSchemaError:
        raise UsageError("The database's schema is older than this Scribe. Run: scribe migrate") from None
    return store


@click.group(cls=People, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scribe-bot")
def main() -> None:
    """Scribe writes the incident's timeline down, live, and drafts the postmortem from it."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="HTTP mode: the address to listen on.")
@click.option("--port", default=3000, show_default=True, help="HTTP mode: the port to listen on.")
def run(host: str, port: int) -> None:
    """Run the bot: Socket Mode if SLACK_APP_TOKEN is set, else HTTP."""
    from bot.running import serve

    chosen = settings()
    serve(chosen, ready(chosen.database_url), host=host, port=port)


@main.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for ID.md, .json, .html, .svg.")
def replay(files: tuple[Path, ...], out: Path | None) -> None:
    """Play incidents back through the real bot: case FILES, or the sample that ships with Scribe."""
    from bot.replay import SAMPLE, replay_file

    for file in files or (SAMPLE,):
        replayed = replay_file(file)
        if out is None:
            click.echo(replayed.documents["md"])
            continue
        out.mkdir(parents=True, exist_ok=True)
        for suffix, content in replayed.documents.items():
            (out / f"{replayed.id}.{suffix}").write_text(content, encoding="utf-8")
        click.echo(f"{replayed.id}: {', '.join(f'{replayed.id}.{suffix}' for suffix in replayed.documents)} in {out}")


@main.command()
@click.argument("incident", metavar="INC")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="md", show_default=True)
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def export(incident: str, format_: str, workspace: str | None) -> None:
    """Print an incident's postmortem, or its JSON or picture, from the store."""
    from bot.handlers.exports import FORMATS as WRITERS
    from bot.handlers.exports import export as read

    record = read(ready(settings().database_url), incident, workspace_id=workspace)
    click.echo(WRITERS[format_](record).rstrip("\n"))


@main.command()
@click.argument("incident", metavar="INC")
@click.argument("words", nargs=-1, required=True)
@click.option("--as", "author", default=None, help="Whose words these are; your login name otherwise.")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def log(incident: str, words: tuple[str, ...], author: str | None, workspace: str | None) -> None:
    """Record an entry without Slack: scribe log INC-12 "detected at 14:02 disk full"."""
    from bot.handlers.logbook import log as record

    chosen = settings()
    click.echo(
        record(ready(chosen.database_url), chosen, incident, " ".join(words), author=author, workspace_id=workspace)
    )


@main.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from storage import schema

    store = database(settings().database_url)
    before = schema.current(store)
    schema.migrate(store)
    after = schema.current(store)
    click.echo(f"{store.url.render_as_string()}: schema {after}" + (", as before" if before == after else ""))


@main.command()
@click.option("--mode", type=click.Choice(["socket", "http"]), default="socket", show_default=True)
@click.option("--url", help="HTTP mode: the bot's public address, https://scribe.example.org")
def manifest(mode: str, url: str | None) -> None:
    """Print the Slack app's manifest, for "Create New App, From a manifest"."""
    import json

    from bot.slack.manifest import manifest as describe

    if mode == "http" and not url:
        raise UsageError("HTTP mode needs the bot's public address: scribe manifest --mode http --url https://…")
    chosen = settings()
    described = describe(prefix=chosen.prefix, url=url if mode == "http" else None, reactions=bool(chosen.reactions))
    click.echo(json.dumps(described, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
