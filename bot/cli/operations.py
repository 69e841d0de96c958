"""Commands of the operator: run, migrate, spool, doctor, manifest."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.base import ScribeGroup, database, schema_errors, settings
from bot.errors import UsageError

if TYPE_CHECKING:
    from storage.database import Database

MOST_LISTED = 100
"""Lines and files that `scribe spool list` names; the rest it does not count."""
_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=3000, show_default=True, help="HTTP mode: the port to listen on."
)
@click.option(
    "--health-port", type=click.IntRange(0, 65535), help="Serve /healthz, /readyz and /metrics here, in either mode."
)
@click.option(
    "--record",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Keep there what Slack sends, one file a shape, with every word and id replaced.",
)
@click.option("--new", is_flag=True, help="Begin with an empty database where there was one that is gone.")
def run(host: str, port: int, health_port: int | None, record: Path | None, *, new: bool) -> None:
    """Run the bot: Socket Mode if SLACK_APP_TOKEN is set, else HTTP."""
    import gc

    # Until `serve` has begun nothing becomes garbage, and looking for some takes a sixth of the start.
    gc.disable()
    from bot.run import serve

    chosen = settings()
    probes = chosen.health_port if health_port is None else health_port
    store = database(chosen.database_url)
    if new and store.file is not None and store.file.is_missing():
        store.file.forget()
    with schema_errors():
        serve(chosen, store, host=host, port=port, health_port=probes, record=record)


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from storage import schema

    store = database(settings().database_url)
    with schema_errors():
        before = schema.migrate(store)
    after = schema.current(store)
    # Without the query, which may hold a password, too.
    address = store.url.set(query={}).render_as_string()
    click.echo(f"{address}: schema {after}" + (", as before" if before == after else ""))


@click.group(cls=ScribeGroup)
def spool() -> None:
    """What was set aside because it could not be read or done: list it, or have it tried again."""


@spool.command("list")
def spool_list() -> None:
    """Say what waits, and what was set aside in the spool and in the outbox, and why."""
    from itertools import islice

    from bot.doctor import set_aside
    from bot.documents.rendering import terminal
    from storage import outbox
    from storage.spool import Spool

    chosen = settings()
    kept = Spool(chosen.spool)
    found = list(islice(set_aside.listed(kept), MOST_LISTED + 1))
    with _store_within_reach(chosen.database_url) as store:
        jobs = None
        if store is not None:
            with store.read() as connection:
                jobs = outbox.set_aside_by_problem(connection)
    click.echo(
        terminal(
            "set_aside",
            folder=kept.folder,
            waiting=kept.count(),
            found=found[:MOST_LISTED],
            more=len(found) > MOST_LISTED,
            jobs=jobs,
        )
    )


@spool.command("retry")
def spool_retry() -> None:
    """Have what was set aside tried again: put right first what stood in its way."""
    from bot.clock import now
    from bot.doctor import set_aside
    from bot.documents.rendering import terminal
    from storage import outbox
    from storage.spool import Spool

    chosen = settings()
    put_back = set_aside.put_back(Spool(chosen.spool))
    with _store_within_reach(chosen.database_url) as store:
        jobs = None
        if store is not None:
            with store.write() as connection:
                jobs = outbox.retry_set_aside(connection, at=now())
    click.echo(terminal("retried", folder=chosen.spool, put_back=put_back, jobs=jobs))


@contextmanager
def _store_within_reach(url: str) -> "Iterator[Database | None]":
    """The database with the newest schema; None where it is away: what lies on the disk is dealt with all the same."""
    from sqlalchemy.exc import DBAPIError

    from storage import schema

    try:
        store = database(url)
        is_usable = not (store.file and not store.file.path.exists()) and schema.current(store) == schema.newest()
    except DBAPIError:
        is_usable = False
    yield store if is_usable else None


@click.command()
@click.option("--try", "channel", metavar="CHANNEL", help="Post, upload, open and delete there for real: C0123ABCD")
@click.option(
    "--user", default="", metavar="USER", help="With --try: who in that channel is shown an answer: U0123ABCD"
)
@click.option("--record", metavar="FOLDER", help="Payloads come to the running bot: scribe run --record FOLDER.")
@click.pass_context
def doctor(context: click.Context, channel: str | None, user: str, record: str | None) -> None:
    """Say what is wrong with tokens, scopes, clock, database and outbox, and how to fix it; exit 1 if anything is."""
    from bot.doctor.checkup import checkup
    from bot.doctor.installation import FAIL
    from bot.doctor.trial import trial
    from bot.documents.rendering import terminal

    if record is not None:
        raise UsageError(f"Slack's payloads come to the running bot: scribe run --record {record}")
    if user and not channel:
        raise UsageError("--user goes with --try CHANNEL")
    failed = False
    for each in trial(settings(), channel, user) if channel else checkup(os.environ):
        click.echo(terminal("diagnosis", it=each))
        failed = failed or each.level == FAIL
    context.exit(1 if failed else 0)


@click.command()
@click.option("--mode", type=click.Choice(["socket", "http"]), default="socket", show_default=True)
@click.option("--url", help="HTTP mode: the bot's public address, https://scribe.example.org")
@click.option(
    "--prefix", metavar="PREFIX", help="Begin every command with it, inc- for /inc-detected; default SCRIBE_PREFIX."
)
@click.option("--no-direct", is_flag=True, help="Without direct messages to Scribe, which need the scope im:history.")
@click.option("--backfill", is_flag=True, help="With what /incident backfill 14:00..15:30 needs: channels' history.")
def manifest(mode: str, url: str | None, prefix: str | None, *, no_direct: bool, backfill: bool) -> None:
    """Print the Slack app's manifest, for "Create New App, From a manifest".

    Slack gives a command to the app that was installed last, and tells nobody: in a workspace with other apps take a
    prefix that is Scribe's alone.
    """
    import json

    from bot.slack.manifest import manifest as describe

    if mode == "http" and not url:
        raise UsageError("HTTP mode needs the bot's public address: scribe manifest --mode http --url https://…")
    if mode == "socket" and url:
        raise UsageError("Socket Mode needs no address. For HTTP: scribe manifest --mode http --url https://…")
    chosen, address = settings(), _address(url) if url else None
    described = describe(
        prefix=_prefix(chosen.prefix, prefix),
        url=address,
        reactions=bool(chosen.reactions),
        canvas=chosen.canvas,
        edits=chosen.follow_edits,
        direct=not no_direct,
        channels=chosen.channels,
        pins=chosen.pins,
        files=bool(chosen.files),
        history=backfill,
    )
    click.echo(json.dumps(described, indent=2, ensure_ascii=False))


def _prefix(running: str, wanted: str | None) -> str:
    """The commands' prefix: `wanted`, or the one that Scribe is `running` with.

    Says on standard error what to set where they differ. Raises UsageError for no prefix, or a contradiction.
    """
    from bot.config import Settings

    if wanted is None or wanted == running:
        return running
    Settings.from_env({"SCRIBE_PREFIX": wanted})
    if running:
        raise UsageError(f"SCRIBE_PREFIX is {running!r} here: leave out --prefix, or set SCRIBE_PREFIX={wanted}")
    click.echo(f"Set SCRIBE_PREFIX={wanted} where Scribe runs, so that its answers name the commands so.", err=True)
    return wanted


def _address(url: str) -> str:
    """The public address without the endpoint's path, which the manifest adds. Raises UsageError for no HTTPS URL."""
    if not _HTTPS.fullmatch(url):
        raise UsageError(f"{url} is no address Slack can reach; write https://scribe.example.org")
    return url.rstrip("/").removesuffix("/slack/events")
