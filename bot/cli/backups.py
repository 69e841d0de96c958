"""`scribe backup` and `scribe restore`, for SQLite; for PostgreSQL they print the server's own commands."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.cli.base import settings
from bot.errors import UsageError

if TYPE_CHECKING:
    from storage.backup import Copy

_DUMP = "pg_dump --format=custom --file={file} {address}"
_LOAD = "pg_restore --clean --if-exists --no-owner --single-transaction --dbname={address} {file}"


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace FILE if there is one.")
def backup(file: Path, *, force: bool) -> None:
    """Copy the database to FILE while the bot runs."""
    from storage import backup as copies

    source = _sqlite_file(settings().database_url, _DUMP, file)
    if not source.exists():
        raise UsageError(f"{source}: there is no database to copy yet.")
    try:
        copy = copies.backup(source, file, force=force)
    except copies.HoldsDataError as error:
        raise UsageError(f"{error} To replace it: scribe backup {shlex.quote(str(file))} --force") from None
    except copies.CopyError as error:
        raise UsageError(str(error)) from None
    click.echo(f"{file}: {_summary(copy)}, checked and on disk")
    beside = _beside(file)
    _tell_files(beside, *copies.copy_files(file, settings().files_dir, beside, prune=True))


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also where there are incidents; they are kept beside.")
def restore(file: Path, *, force: bool) -> None:
    """Put the copy FILE in the database's place; the bot must be stopped."""
    from bot.clock import now
    from storage import backup as copies

    target = _sqlite_file(settings().database_url, _LOAD, file)
    # The old database stays beside the new one, under a name with the time.
    aside = target.with_name(f"{target.name}.before-{now():%Y%m%dT%H%M%SZ}")
    existed = target.exists()
    try:
        copy = copies.restore(file, target, aside=aside, force=force)
    except copies.InUseError as error:
        raise UsageError(f"{error} Stop `scribe run` first, and whatever else has it open.") from None
    except copies.HoldsDataError as error:
        again = f"scribe restore {shlex.quote(str(file))} --force"
        raise UsageError(f"{error} To put the copy in its place, and keep it beside: {again}") from None
    except copies.CopyError as error:
        raise UsageError(str(error)) from None
    old_database = f"\nWhat was there before: {aside}" if existed else ""
    click.echo(f"{target}: {_summary(copy)}{old_database}")
    folder = settings().files_dir
    _tell_files(folder, *copies.copy_files(target, _beside(file), folder))


def _beside(file: Path) -> Path:
    """The folder with the files of messages of a copy."""
    from storage.values import FILES_SUFFIX

    return file.with_name(f"{file.name}{FILES_SUFFIX}")


def _tell_files(folder: Path, named: int, missing: int) -> None:
    """Say which files of messages are there too; nothing where there are none."""
    if named:
        click.echo(f"{folder}: {named - missing} of {named} file{'' if named == 1 else 's'} of messages")


def _sqlite_file(url: str, server_command: str, file: Path) -> Path:
    """The path of the SQLite database at `url`. Raises UsageError with `server_command` for PostgreSQL."""
    from storage.database import libpq_url, sqlite_file

    try:
        path = sqlite_file(url)
        address = "" if path else libpq_url(url)
    except ValueError as error:
        raise UsageError(f"DATABASE_URL: {error}") from None
    if path is None:
        command = server_command.format(address=shlex.quote(address), file=shlex.quote(str(file)))
        raise UsageError(f"PostgreSQL makes its own copies. Run: {command}\nMore on it: deploy/BACKUP.md")
    return path.resolve()


def _summary(copy: "Copy") -> str:
    return (
        f"{copy.incidents} incident{'' if copy.incidents == 1 else 's'}, {copy.entries} "
        f"entr{'y' if copy.entries == 1 else 'ies'}, schema {copy.revision}, {copy.size / 1e6:.1f} MB"
    )
