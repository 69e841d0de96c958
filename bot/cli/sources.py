"""Commands about sources outside of Slack: their addresses, and a change that a pipeline tells."""

import re
import secrets
from typing import TYPE_CHECKING

import click

from bot.cli.base import migrated_database, settings
from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.config import Settings
    from storage.database import Database

_BASE = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(/[A-Za-z0-9._~/-]*)?")
_ANY_CHANNEL = "all"
_EXAMPLE = "https://scribe.example.org"


@click.command()
@click.argument("kind", required=False)
@click.option("--channel", metavar="CHANNEL", help="The channel whose incidents it is about: C0123ABCD; changes: all.")
@click.option("--url", default=_EXAMPLE, show_default=True, help="Where the source reaches Scribe.")
@click.option("--workspace", help="The Slack workspace's id; Slack is asked for it otherwise.")
def sources(kind: str | None, channel: str | None, url: str, workspace: str | None) -> None:
    """List the sources of alerts and changes; or print the address of one, and how to set it up."""
    from bot.documents.rendering import terminal
    from bot.sources.addresses import Address, path
    from bot.sources.kinds import SOURCES
    from storage.sources.signals import EVERYWHERE
    from storage.values import CHANGE

    chosen = settings()
    secret = chosen.hooks_secret.get_secret_value()
    if kind is None:
        listed = terminal(
            "sources",
            sources=SOURCES.values(), signed=chosen.hooks_signed, is_on=bool(secret), new_secret=secrets.token_hex(32),
        )  # fmt: skip
        click.echo(listed)
        return
    source = SOURCES.get(kind)
    if source is None:
        raise UsageError(f"There is no source {kind}. One of: {', '.join(SOURCES)}")
    if not secret:
        raise UsageError(f"Set SCRIBE_HOOKS_SECRET first, where Scribe runs. A new secret: {secrets.token_hex(32)}")
    if not _BASE.fullmatch(url):
        raise UsageError(f"{url} is no address; write --url {_EXAMPLE}")
    channel_id = _channel(channel, kind, is_of_changes=source.kind == CHANGE)
    place = Address(
        source=kind,
        workspace_id=workspace or _workspace(chosen),
        channel_id=EVERYWHERE if channel_id == _ANY_CHANNEL else channel_id,
    )
    address = f"{url.rstrip('/')}{path(secret, place)}"
    facts = {"is_signed": kind in chosen.hooks_signed, "example": _EXAMPLE if url == _EXAMPLE else None}
    click.echo(terminal("source", source=source, url=address, **facts))


def _channel(channel: str | None, kind: str, *, is_of_changes: bool) -> str:
    from bot.config import CHANNEL_ID

    if channel is None and is_of_changes:
        return _ANY_CHANNEL
    if channel is None or not (CHANNEL_ID.fullmatch(channel) or (is_of_changes and channel == _ANY_CHANNEL)):
        raise UsageError(
            f"Whose incidents is it about? The id stands at the end of the channel's details: "
            f"scribe sources {kind} --channel C0123ABCD"
        )
    return channel


def _workspace(chosen: "Settings") -> str:
    """The workspace of the token, by Slack. Raises UsageError where it does not say."""
    from bot.clock import now
    from bot.slack.client import Client
    from bot.slack.identity import Identity

    identity = Identity(Client(clock=now, token=chosen.bot_token.get_secret_value(), base_url=chosen.api_url))
    if not chosen.bot_token.get_secret_value() or not identity.learn() or identity.only_workspace is None:
        raise UsageError("Slack does not tell which workspace this is: give its id, --workspace T0123ABCD")
    return identity.only_workspace


@click.command()
@click.argument("title")
@click.option("--service", help="What was changed: checkout")
@click.option("--at", "when", metavar="TIME", help="When: 10:02, -5m; now otherwise.")
@click.option("--link", metavar="URL", help="Where to read more.")
@click.option("--channel", metavar="CHANNEL", help="Only for this channel's incidents: C0123ABCD")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def change(
    title: str, service: str | None, when: str | None, link: str | None, channel: str | None, workspace: str | None
) -> None:
    """Keep a change, to be offered to incidents that begin soon after: scribe change "release 418"."""
    from bot.clock import now
    from bot.handlers.sources.lead_up import keep_change

    chosen = settings()
    store: Database = migrated_database(chosen.database_url)
    click.echo(
        keep_change(
            store, chosen, title, at=now(), when=when, service=service, link=link, channel_id=channel,
            workspace_id=workspace,
        )
    )  # fmt: skip
