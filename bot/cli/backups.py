"""`scribe backup` and `scribe restore`: which file is meant, and what to say when it cannot be done."""

import shlex
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.base import settings
from bot.errors import UsageError

if TYPE_CHECKING:
    from storage.backup import Copy

_DUMP = "pg_dump --format=custom --file={file} {address}"
_LOAD = "pg_restore --clean --if-exists --no-owner --single-transaction --dbname={address} {file}"
_SERVER = "PostgreSQL makes its own copies. Run: {command}\nMore on it: deploy/BACKUP.md"


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if there is one.")
def backup(file: Path, *, force: bool) -> None:
    """Copy the database to FILE while the bot runs."""
    click.echo(save(settings().database_url, file, force=force))


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also where there are incidents; they are kept beside.")
def restore(file: Path, *, force: bool) -> None:
    """Put the copy FILE in the database's place; the bot must be stopped."""
    from bot.clock import now

    click.echo(put_back(settings().database_url, file, force=force, at=now()))


def save(url: str, file: Path, *, force: bool) -> str:
    """Copy the database at `url` to the file; what was done. Raises UsageError when it cannot be."""
    from storage import backup as copies

    source = _file(url, _DUMP, file)
    if not source.exists():
        raise UsageError(f"{source}: there is no database to copy yet.")
    try:
        copy = copies.backup(source, file, force=force)
    except copies.HoldsDataError as error:
        raise UsageError(f"{error} To replace it: scribe backup {shlex.quote(str(file))} --force") from None
    except copies.CopyError as error:
        raise UsageError(str(error)) from None
    return f"{file}: {_told(copy)}, checked and on disk"


def put_back(url: str, file: Path, *, force: bool, at: datetime) -> str:
    """Put the copy in the database's place; what was done. Raises UsageError when it cannot be.

    What was there is kept beside it under a name with the time `at`.
    """
    from storage import backup as copies

    target = _file(url, _LOAD, file)
    aside = target.with_name(f"{target.name}.before-{at:%Y%m%dT%H%M%SZ}")
    before = target.exists()
    try:
        copy = copies.restore(file, target, aside=aside, force=force)
    except copies.InUseError as error:
        raise UsageError(f"{error} Stop `scribe run` first, and whatever else has it open.") from None
    except copies.HoldsDataError as error:
        again = f"scribe restore {shlex.quote(str(file))} --force"
        raise UsageError(f"{error} To put the copy in its place, and keep it beside: {again}") from None
    except copies.CopyError as error:
        raise UsageError(str(error)) from None
    kept = f"\nWhat was there before: {aside}" if before else ""
    return f"{target}: {_told(copy)}{kept}"


def _file(url: str, command: str, file: Path) -> Path:
    """The SQLite file at the URL. Raises UsageError with the server's own way when it is none."""
    from storage.database import libpq_url, sqlite_file

    try:
        found = sqlite_file(url)
        address = "" if found else libpq_url(url)
    except ValueError as error:
        raise UsageError(f"DATABASE_URL: {error}") from None
    if found is None:
        told = command.format(address=shlex.quote(address), file=shlex.quote(str(file)))
        raise UsageError(_SERVER.format(command=told))
    return found.resolve()


def _told(copy: "Copy") -> str:
    return (
        f"{copy.incidents} incident{'' if copy.incidents == 1 else 's'}, {copy.entries} "
        f"entr{'y' if copy.entries == 1 else 'ies'}, schema {copy.revision}, {copy.size / 1e6:.1f} MB"
    )
