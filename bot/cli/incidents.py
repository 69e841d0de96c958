"""Commands on incidents that need no Slack: record an entry, take in a conversation, erase one, preview reminders."""

import sys
from pathlib import Path
from typing import TextIO

import click

from bot.cli.base import RawArgsCommand, error_message, migrated_database, settings
from bot.errors import UsageError

DEFAULT_ADDRESS = "https://app.slack.com/"
"""The address of messages where that of their workspace is not known; Slack leads on from there."""
_FIRST_YEAR, _LAST_YEAR = 1970, 2999
"""The years that `remind --at` takes: near the limits of `datetime`, adding days overflows."""


@click.command(cls=RawArgsCommand)
@click.argument("incident", metavar="INC")
@click.argument("words", nargs=-1)
@click.option("--file", type=click.File(encoding="utf-8"), help="A chronology: one event a line, its time first.")
@click.option("--as", "author", default=None, help="Whose words these are; your login name otherwise.")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def log(incident: str, words: tuple[str, ...], file: TextIO | None, author: str | None, workspace: str | None) -> None:
    """Record an entry without Slack: scribe log INC-12 "detected by monitoring: disk full"; or the lines of a file."""
    from bot.clock import now
    from bot.handlers.terminal import record_chronology, record_entry

    if bool(words) == (file is not None):
        raise UsageError(f'Say what to record: scribe log {incident} "note what happened", or --file chronology.txt')
    at, chosen = now(), settings()
    try:
        text = " ".join(words) if file is None else file.read()
    except UnicodeDecodeError:
        raise UsageError("The file is no text in UTF-8, so nothing was recorded.") from None
    record = record_entry if file is None else record_chronology
    try:
        store = migrated_database(chosen.database_url)
        receipt = record(store, chosen, incident, text, at=at, author=author, workspace_id=workspace)
    except Exception as error:
        problem = error_message(error)
        if problem is None:
            raise
        raise UsageError(f"{problem}\nYour words: {text}" if file is None else problem) from None
    click.echo(receipt)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--channel", metavar="NAME", help="Of a Slack export: the channel, incident-12 or its id.")
@click.option("--incident", metavar="INC", help="The incident; that of the channel unless given.")
@click.option("--between", metavar="14:00..15:30", help="Only what was said then, in SCRIBE_TIMEZONE.")
@click.option("--as", "author", default=None, help="Who records what is ticked; your login name otherwise.")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def backfill(
    file: Path,
    channel: str | None,
    incident: str | None,
    between: str | None,
    author: str | None,
    workspace: str | None,
) -> None:
    """Propose entries from a Slack export or a copied conversation; record what is ticked in the proposals.

    An export takes --channel incident-12, copied text --incident INC-12. What is printed is a file of proposals with
    ticks, to be edited; the same command with that file records what is ticked in it.

    scribe backfill slack-export.zip --channel incident-12 > proposals.md
    """
    from bot.clock import now
    from bot.domain.incident.proposals import is_proposals_file
    from bot.handlers import terminal

    at, chosen = now(), settings()
    if file.suffix.lower() == ".zip":
        if channel is None:
            raise UsageError(f"Name the channel: scribe backfill {file} --channel incident-12")
        text = ""
    else:
        text = _text_of(file)
        if channel is not None:
            raise UsageError(
                "--channel goes with a Slack export, a file that ends in .zip; copied text: --incident INC-12"
            )
        if is_proposals_file(text):
            if incident or between:
                raise UsageError("The file names its incident, and the messages: leave out --incident and --between.")
            store = migrated_database(chosen.database_url)
            click.echo(terminal.record_proposals(store, chosen, text, at=at, author=author, workspace_id=workspace))
            return
        if incident is None:
            raise UsageError(f"Say which incident it belongs to: scribe backfill {file} --incident INC-12")
    store = migrated_database(chosen.database_url)
    found = terminal.incident_of(store, name=incident, channel=channel, workspace_id=workspace)
    span = terminal.read_span(chosen, between, at=at) if between else None
    cut = False
    if channel is not None:
        from bot.slack.export import read_export

        exported = read_export(
            file, channel, span=span, address=terminal.address_of(store, found) or DEFAULT_ADDRESS, progress=_progress
        )
        messages, cut = list(exported.messages), exported.cut
    else:
        messages = terminal.read_pasted(store, chosen, found, text, at=at)
        messages = [each for each in messages if span is None or span.start <= each.at <= span.end]
    if not messages:
        raise UsageError("There are no messages in that time.")
    proposed = terminal.propose_messages(store, found, messages, cut=cut)
    ticked = sum(each.ticked for each in proposed.proposals)
    click.echo(proposed.file, nl=False)
    click.echo(f"{len(messages):,} messages, {ticked} of them ticked. Nothing is recorded yet.", err=True)


def _text_of(file: Path) -> str:
    from bot.domain.incident.conversation import MOST_CHARACTERS

    with click.open_file(str(file), "rb") as stream:
        content: bytes = stream.read(MOST_CHARACTERS * 3)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no text in UTF-8, and no archive that ends in .zip.") from None


def _progress(messages: int, days: int) -> None:
    """On a terminal, how far the reading of an export is."""
    if sys.stderr.isatty():
        click.echo(f"\r{messages:,} messages, {days} days to go \x1b[K", nl=days == 0, err=True)


@click.command(cls=RawArgsCommand)
@click.argument("incident", metavar="INC")
@click.argument("words", nargs=-1, required=True, metavar="NUMBER WHY")
@click.option("--item", is_flag=True, help="NUMBER is an action item's, not an entry's.")
@click.option("--as", "author", default=None, help="Who erases; your login name otherwise.")
@click.option("--workspace", help="The Slack workspace's id, where the store knows several.")
def erase(incident: str, words: tuple[str, ...], author: str | None, workspace: str | None, *, item: bool) -> None:
    """Erase an entry's words for good, everywhere: scribe erase INC-12 7 "it names a customer"."""
    from bot.clock import now
    from bot.handlers.terminal import erase_words

    at, chosen, what = now(), settings(), "item" if item else "entry"
    store = migrated_database(chosen.database_url)
    click.echo(
        erase_words(store, chosen, incident, " ".join(words), what=what, at=at, author=author, workspace_id=workspace)
    )


@click.command()
@click.option("--dry-run", is_flag=True, help="Print who would get what, and why the rest is silent; send nothing.")
@click.option(
    "--at", "when", metavar="TIME", help="All that would be said until then: 2026-11-23T09:00, in SCRIBE_TIMEZONE."
)
@click.option("--private", is_flag=True, help="With the words of private incidents.")
def remind(*, dry_run: bool, when: str | None, private: bool) -> None:
    """Say who would be reminded of which action items, now or until a time; `scribe run` sends the reminders."""
    from datetime import datetime

    from bot.clock import now
    from bot.handlers.items.dry_run import describe_tick
    from bot.handlers.items.forecast import forecast

    if not dry_run:
        raise UsageError("scribe run sends the reminders. To see who would get which: scribe remind --dry-run")
    chosen, begin = settings(), now()
    try:
        at = datetime.fromisoformat(when) if when else begin
    except ValueError:
        raise UsageError(f"{when} is no time. Write it as 2026-11-23T09:00") from None
    at = at if at.tzinfo else at.replace(tzinfo=chosen.timezone)
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        raise UsageError(f"{when} is too far away. Write it as 2026-11-23T09:00")
    store = migrated_database(chosen.database_url)
    if at > begin:
        click.echo(forecast(store, chosen, at=begin, until=at, private=private))
    else:
        click.echo(describe_tick(store, chosen.cadence, at=at, private=private))
