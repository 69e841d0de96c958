"""The `scribe` command: the only place where things are wired together.

What is heavy is imported by the command that needs it, so that `scribe --help` answers at once.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.config import Settings
    from bot.handlers.exports import Record
    from storage.database import Database

_NEWER = "The database's schema is of a newer Scribe than this one. Install that one here too."
Function = TypeVar("Function", bound=Callable[..., Any])
REPORT_FORMATS = ("text", "md", "json", "svg", "png")
FORMATS = ("md", "html", "json", "svg", "png", "confluence")
_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?")
_MINUS = re.compile(r"-[0-9]")
READERS = ("blameless", "public")


class People(click.Group):
    """A group that says what cannot be done on standard error, with exit code 2, and never traces it."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            raise click.UsageError(str(error)) from None
        except Exception as error:
            problem = _problem(error)
            if problem is None:
                raise
            raise click.UsageError(problem) from None


def _problem(error: Exception) -> str | None:
    """What to tell of a disk or a database that will not do; None for anything else, which is a mistake of ours."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if "sqlalchemy" not in sys.modules:
        return None
    from sqlalchemy.exc import DBAPIError

    return f"The database: {' '.join(str(error.orig).split())}" if isinstance(error, DBAPIError) else None


class Words(click.Command):
    """A command whose words may begin with a minus and a figure: `-10m` is a time, no option."""

    _MARK = "\0"  # stands in no argument of a program

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        return super().parse_args(ctx, [f"{self._MARK}{arg}" if _MINUS.match(arg) else arg for arg in args])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        ctx.params["words"] = tuple(word.removeprefix(self._MARK) for word in ctx.params["words"])
        return super().invoke(ctx)


def settings() -> "Settings":
    """The settings of this process's environment."""
    from bot.config import Settings

    return Settings.from_env(os.environ)


def database(url: str) -> "Database":
    """The database at `url`, closed when the command ends. Raises UsageError for an address that is none."""
    from sqlalchemy.exc import ArgumentError

    from storage.database import Database

    try:
        store = Database(url)
    except (ArgumentError, ValueError) as error:
        raise UsageError(f"DATABASE_URL: {error}") from None
    click.get_current_context().call_on_close(store.close)
    return store


def ready(url: str) -> "Database":
    """The database at `url`, its schema the newest. Raises UsageError when that is the operator's to bring about."""
    from storage import schema

    store = database(url)
    with schema_told():
        schema.ensure(store)
    return store


@contextmanager
def schema_told() -> Iterator[None]:
    """Say what to do about a schema that is not this Scribe's. Raises UsageError."""
    from storage import schema

    try:
        yield
    except schema.OutdatedSchemaError:
        raise UsageError("The database's schema is older than this Scribe. Run: scribe migrate") from None
    except schema.UnknownSchemaError:
        raise UsageError(_NEWER) from None


@click.group(cls=People, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scribe-bot")
def main() -> None:
    """Scribe writes the incident's timeline down, live, and drafts the postmortem from it."""


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=3000, show_default=True, help="HTTP mode: the port to listen on."
)
@click.option(
    "--health-port", type=click.IntRange(0, 65535), help="Serve /healthz, /readyz and /metrics here, in either mode."
)
def run(host: str, port: int, health_port: int | None) -> None:
    """Run the bot: Socket Mode if SLACK_APP_TOKEN is set, else HTTP."""
    from bot.running import serve

    chosen = settings()
    probes = chosen.health_port if health_port is None else health_port
    with schema_told():
        serve(chosen, database(chosen.database_url), host=host, port=port, health_port=probes)


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="The port on 127.0.0.1; any free one otherwise.")
@click.option("--no-browser", is_flag=True, help="Only print the address.")
@click.option("--http", is_flag=True, help="Reach the bot by HTTP instead of Socket Mode.")
@click.option("--database", "url", help="Keep what is recorded in this database; otherwise it is gone with the demo.")
@click.option("--replay", "file", type=click.Path(path_type=Path), help="Play this case file as a drill.")
@click.option("--speed", type=click.FloatRange(0, 100_000, min_open=True), help="How many times as fast as it was.")
def demo(*, port: int, no_browser: bool, http: bool, url: str | None, file: Path | None, speed: float | None) -> None:
    """Try Scribe in the browser: a small Slack with the real bot behind it; no token, no account."""
    from bot.casefile import read_case
    from bot.demo.serve import serve
    from bot.replay import SAMPLE

    given = read_case(file) if file else None
    cases = {case.id: case for case in (given, read_case(SAMPLE)) if case}
    playing = given.id if given else next(iter(cases)) if speed else None
    store = ready(url) if url else None
    serve(store, cases, tell=click.echo, port=port, http=http, browser=not no_browser, playing=playing, speed=speed)


@main.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for ID.md, .json, .html, .svg, .png."
)
def replay(files: tuple[Path, ...], out: Path | None) -> None:
    """Play incidents back through the real bot: case FILES, or the sample that ships with Scribe."""
    from bot.raster import png
    from bot.replay import SAMPLE, replay_file

    for file in files or (SAMPLE,):
        replayed = replay_file(file)
        if out is None:
            click.echo(replayed.documents["md"], nl=False)
            continue
        out.mkdir(parents=True, exist_ok=True)
        for suffix, content in replayed.documents.items():
            (out / f"{replayed.id}.{suffix}").write_text(content, encoding="utf-8")
        (out / f"{replayed.id}.png").write_bytes(png(replayed.documents["svg"]))
        written = ", ".join(f"{replayed.id}.{suffix}" for suffix in (*replayed.documents, "png"))
        click.echo(f"{replayed.id}: {written} in {out}")


@main.command()
@click.argument("incident", metavar="INC")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="md", show_default=True)
@click.option("--as", "how", type=click.Choice(READERS), help="With roles for names, or as the world may read it.")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def export(incident: str, format_: str, how: str | None, workspace: str | None) -> None:
    """Print an incident's postmortem, or its JSON or picture, from the store."""
    from bot.handlers.exports import BINARY, editable
    from bot.handlers.exports import PRINTED as TEXTS
    from bot.handlers.exports import export as read

    if how and format_ == "json":
        raise UsageError(f"json is the whole record, names and all; --as {how} goes with the other formats.")
    if format_ in BINARY and sys.stdout.isatty():
        raise UsageError(
            f"{format_} is no text; send it to a file: scribe export … --format {format_} > {incident}.{format_}"
        )
    chosen = settings()
    store = ready(chosen.database_url)
    record = read(store, incident, workspace_id=workspace)
    if how:
        record = _retold(store, record, how, chosen)
    write = editable if format_ == "md" and not how else (TEXTS | BINARY)[format_]
    click.echo(write(record), nl=False)


def _retold(store: "Database", record: "Record", how: str, chosen: "Settings") -> "Record":
    """The record for other readers; a template that could not be used is named on standard error."""
    from bot.handlers.renderings import Means, names_in, retell

    with store.read() as connection:
        means = Means(names=names_in(connection, record), shelf=chosen.shelf, prefix=chosen.prefix)
    told = retell(record, how, means)
    if told.drafted.problem:
        click.echo(f"{told.drafted.problem} Written with the template {told.drafted.instead} instead.", err=True)
    return told.record


@main.command("import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--as", "author", default=None, help="Markdown: whose edit it is; your login name otherwise.")
@click.option("--workspace", help="The Slack workspace's id, where the store knows none or several.")
@click.option("--channel", help="JSON: the id of the channel the incident belongs to, C0123ABC.")
@click.option("--public", is_flag=True, help="JSON: let the whole workspace see it, not its channel alone.")
def import_(file: Path, author: str | None, workspace: str | None, channel: str | None, *, public: bool) -> None:
    """Take back what "scribe export" wrote: Markdown with what was edited in it ("-" reads standard input), or the JSON
    of an incident that this store does not have."""
    if file.suffix.lower() == ".json":
        if author:
            raise UsageError("--as says whose edit a Markdown file is; JSON names its people itself.")
        click.echo(_import_incident(file, workspace, channel, public=public))
        return
    if channel or public:
        raise UsageError("--channel and --public go with a file that ends in .json: an incident this store lacks.")
    from bot.handlers.imports import printed

    with click.open_file(str(file), "rb") as stream:
        content = stream.read()
    chosen = settings()
    store = ready(chosen.database_url)
    click.echo(printed(store, chosen, content, str(file), author=author, workspace_id=workspace))


def _import_incident(file: Path, workspace: str | None, channel: str | None, *, public: bool) -> str:
    """Put the incident in the file into the store; what was done."""
    from bot.clock import now
    from bot.handlers.json_import import Place, put

    chosen = settings()
    place = Place(workspace_id=workspace, timezone=chosen.timezone.key, channel_id=channel, public=public)
    incident = put(ready(chosen.database_url), file, place, at=now())
    seen = "the workspace" if public else f"the channel {channel}" if channel else "`scribe export` alone"
    return f"{incident.name} is in the store, to be seen by {seen}: {incident.title}"


@main.command()
@click.argument("incident", metavar="INC")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
@click.pass_context
def check(context: click.Context, incident: str, workspace: str | None) -> None:
    """Advise on an incident's postmortem as a reviewer would; exit 0 when there is nothing to say, else 1."""
    from bot.handlers.checks import printed

    chosen = settings()
    text, clean = printed(ready(chosen.database_url), chosen, incident, workspace_id=workspace)
    click.echo(text)
    context.exit(0 if clean else 1)


@main.command(cls=Words)
@click.argument("words", nargs=-1, metavar="[30d]")
@click.option("--format", "format_", type=click.Choice(REPORT_FORMATS), default="text", show_default=True)
@click.option("--private", is_flag=True, help="Count private channels' incidents too.")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def report(words: tuple[str, ...], format_: str, workspace: str | None, *, private: bool) -> None:
    """Print the numbers of a period: 30d, 12w, 1y or 2026-10-01..2026-10-31."""
    from bot.clock import now
    from bot.handlers.reports import FORMATS as WRITERS
    from bot.handlers.reports import printed

    if format_ == "png" and sys.stdout.isatty():
        raise UsageError("A picture is no text: scribe report --format png > report.png")
    chosen, at = settings(), now()
    store = ready(chosen.database_url)
    counted = printed(store, " ".join(words), now=at, zone=chosen.timezone, workspace_id=workspace, private=private)
    if format_ == "png":
        from bot.raster import png

        click.echo(png(WRITERS["svg"](counted)), nl=False)
    else:
        click.echo(WRITERS[format_](counted), nl=False)


@main.command(cls=Words)
@click.argument("incident", metavar="INC")
@click.argument("words", nargs=-1, required=True)
@click.option("--as", "author", default=None, help="Whose words these are; your login name otherwise.")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def log(incident: str, words: tuple[str, ...], author: str | None, workspace: str | None) -> None:
    """Record an entry without Slack: scribe log INC-12 "detected at 14:02 disk full"."""
    from bot.clock import now
    from bot.handlers.logbook import log as record

    at, chosen, said = now(), settings(), " ".join(words)
    try:
        store = ready(chosen.database_url)
        receipt = record(store, chosen, incident, said, at=at, author=author, workspace_id=workspace)
    except UsageError as error:
        raise UsageError(f"{error}\nYour words: {said}") from None
    click.echo(receipt)


@main.command()
@click.option("--dry-run", is_flag=True, help="Print who would get what, and why the rest is silent; send nothing.")
@click.option("--at", "when", metavar="TIME", help="As if it were that time: 2026-11-23T09:00, in SCRIBE_TIMEZONE.")
def remind(*, dry_run: bool, when: str | None) -> None:
    """Say who would be reminded of which action items, now or at a time; `scribe run` sends the reminders."""
    from datetime import datetime

    from bot.clock import now
    from bot.handlers.rehearsal import rehearse

    if not dry_run:
        raise UsageError("scribe run sends the reminders. To see who would get which: scribe remind --dry-run")
    chosen = settings()
    try:
        at = datetime.fromisoformat(when) if when else now()
    except ValueError:
        raise UsageError(f"{when} is no time. Write it as 2026-11-23T09:00") from None
    at = at if at.tzinfo else at.replace(tzinfo=chosen.timezone)
    click.echo(rehearse(ready(chosen.database_url), chosen.cadence, at=at))


@main.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from storage import schema

    store = database(settings().database_url)
    before = schema.current(store)
    with schema_told():
        schema.migrate(store)
    after = schema.current(store)
    # Without the query, where a password may stand too.
    address = store.url.set(query={}).render_as_string()
    click.echo(f"{address}: schema {after}" + (", as before" if before == after else ""))


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if there is one.")
def backup(file: Path, *, force: bool) -> None:
    """Copy the database to FILE while the bot runs."""
    from bot.backups import save

    click.echo(save(settings().database_url, file, force=force))


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also where there are incidents; they are kept beside.")
def restore(file: Path, *, force: bool) -> None:
    """Put the copy FILE in the database's place; the bot must be stopped."""
    from bot.backups import put_back
    from bot.clock import now

    click.echo(put_back(settings().database_url, file, force=force, at=now()))


@main.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Say what is wrong with tokens, scopes, clock, database and outbox, and how to fix it; exit 1 if anything is."""
    from bot.doctor.checkup import checkup
    from bot.doctor.diagnosis import FAIL
    from bot.rendering import terminal

    failed = False
    for each in checkup(os.environ):
        click.echo(terminal("diagnosis", it=each))
        failed = failed or each.level == FAIL
    context.exit(1 if failed else 0)


@main.command()
@click.option("--mode", type=click.Choice(["socket", "http"]), default="socket", show_default=True)
@click.option("--url", help="HTTP mode: the bot's public address, https://scribe.example.org")
def manifest(mode: str, url: str | None) -> None:
    """Print the Slack app's manifest, for "Create New App, From a manifest"."""
    import json

    from bot.slack.manifest import manifest as describe

    if mode == "http" and not url:
        raise UsageError("HTTP mode needs the bot's public address: scribe manifest --mode http --url https://…")
    if mode == "socket" and url:
        raise UsageError("Socket Mode needs no address. For HTTP: scribe manifest --mode http --url https://…")
    chosen, address = settings(), _address(url) if url else None
    described = describe(prefix=chosen.prefix, url=address, reactions=bool(chosen.reactions), canvas=chosen.canvas)
    click.echo(json.dumps(described, indent=2, ensure_ascii=False))


def _address(url: str) -> str:
    """The public address without Slack's endpoint, which the manifest adds. Raises UsageError for what is none."""
    if not _HTTPS.fullmatch(url):
        raise UsageError(f"{url} is no address Slack can reach; write https://scribe.example.org")
    return url.rstrip("/").removesuffix("/slack/events")


if __name__ == "__main__":
    sys.exit(main())
