"""Commands of the operator: run, migrate, doctor, manifest."""

import os
import re

import click

from bot.cli.base import database, schema_errors, settings
from bot.errors import UsageError

_HTTPS = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=3000, show_default=True, help="HTTP mode: the port to listen on."
)
@click.option(
    "--health-port", type=click.IntRange(0, 65535), help="Serve /healthz, /readyz and /metrics here, in either mode."
)
def run(host: str, port: int, health_port: int | None) -> None:
    """Run the bot: Socket Mode if SLACK_APP_TOKEN is set, else HTTP."""
    from bot.run import serve

    chosen = settings()
    probes = chosen.health_port if health_port is None else health_port
    with schema_errors():
        serve(chosen, database(chosen.database_url), host=host, port=port, health_port=probes)


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from storage import schema

    store = database(settings().database_url)
    before = schema.current(store)
    with schema_errors():
        schema.migrate(store)
    after = schema.current(store)
    # Without the query, which may hold a password, too.
    address = store.url.set(query={}).render_as_string()
    click.echo(f"{address}: schema {after}" + (", as before" if before == after else ""))


@click.command()
@click.pass_context
def doctor(context: click.Context) -> None:
    """Say what is wrong with tokens, scopes, clock, database and outbox, and how to fix it; exit 1 if anything is."""
    from bot.doctor.checkup import checkup
    from bot.doctor.installation import FAIL
    from bot.documents.rendering import terminal

    failed = False
    for each in checkup(os.environ):
        click.echo(terminal("diagnosis", it=each))
        failed = failed or each.level == FAIL
    context.exit(1 if failed else 0)


@click.command()
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
    """The public address without the endpoint's path, which the manifest adds. Raises UsageError for no HTTPS URL."""
    if not _HTTPS.fullmatch(url):
        raise UsageError(f"{url} is no address Slack can reach; write https://scribe.example.org")
    return url.rstrip("/").removesuffix("/slack/events")
