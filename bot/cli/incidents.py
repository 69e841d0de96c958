"""Commands on incidents that need no Slack: record an entry, preview the reminders."""

import click

from bot.cli.base import RawArgsCommand, error_message, migrated_database, settings
from bot.errors import UsageError

_FIRST_YEAR, _LAST_YEAR = 1970, 2999
"""The years that `remind --at` takes: near the limits of `datetime`, adding days overflows."""


@click.command(cls=RawArgsCommand)
@click.argument("incident", metavar="INC")
@click.argument("words", nargs=-1, required=True)
@click.option("--as", "author", default=None, help="Whose words these are; your login name otherwise.")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def log(incident: str, words: tuple[str, ...], author: str | None, workspace: str | None) -> None:
    """Record an entry without Slack: scribe log INC-12 "detected at 14:02 disk full"."""
    from bot.clock import now
    from bot.handlers.terminal import record_entry

    at, chosen, text = now(), settings(), " ".join(words)
    try:
        store = migrated_database(chosen.database_url)
        receipt = record_entry(store, chosen, incident, text, at=at, author=author, workspace_id=workspace)
    except Exception as error:
        problem = error_message(error)
        if problem is None:
            raise
        raise UsageError(f"{problem}\nYour words: {text}") from None
    click.echo(receipt)


@click.command()
@click.option("--dry-run", is_flag=True, help="Print who would get what, and why the rest is silent; send nothing.")
@click.option("--at", "when", metavar="TIME", help="As if it were that time: 2026-11-23T09:00, in SCRIBE_TIMEZONE.")
def remind(*, dry_run: bool, when: str | None) -> None:
    """Say who would be reminded of which action items, now or at a time; `scribe run` sends the reminders."""
    from datetime import datetime

    from bot.clock import now
    from bot.handlers.items.dry_run import describe_tick

    if not dry_run:
        raise UsageError("scribe run sends the reminders. To see who would get which: scribe remind --dry-run")
    chosen = settings()
    try:
        at = datetime.fromisoformat(when) if when else now()
    except ValueError:
        raise UsageError(f"{when} is no time. Write it as 2026-11-23T09:00") from None
    at = at if at.tzinfo else at.replace(tzinfo=chosen.timezone)
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise UsageError(f"{when} is too far away. Write it as 2026-11-23T09:00")
    click.echo(describe_tick(migrated_database(chosen.database_url), chosen.cadence, at=at))
