"""What every command shares: how it is parsed, how its errors are shown, and the database it works on."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.config import Settings
    from storage.database import Database

_MINUS = re.compile(r"-[0-9]")


class ScribeGroup(click.Group):
    """A group that says what cannot be done on standard error, with exit code 2, and never traces it."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            raise click.UsageError(_shown(problem)) from None


def _shown(problem: str) -> str:
    """What a terminal is told: the words of a file, which are in it, must not move its cursor or change its title."""
    from bot.documents.escaping import visible

    # Half a character, as an argument may hold, is shown by its number.
    return visible(problem.encode(errors="backslashreplace").decode())


def problem_of(error: Exception) -> str | None:
    """What to tell of what cannot be done; None for anything else, which is a mistake of ours."""
    if isinstance(error, UsageError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if "sqlalchemy" not in sys.modules:
        return None
    from sqlalchemy.exc import DBAPIError

    return f"The database: {' '.join(str(error.orig).split())}" if isinstance(error, DBAPIError) else None


class RawArgsCommand(click.Command):
    """A command whose words may begin with a minus and a figure: `-10m` is a time, no option."""

    _MARK = "\0"  # stands in no argument of a program

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments."""
        return super().parse_args(ctx, [f"{self._MARK}{arg}" if _MINUS.match(arg) else arg for arg in args])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        ctx.params["words"] = tuple(word.removeprefix(self._MARK) for word in ctx.params["words"])
        return super().invoke(ctx)


_NEWER = "The database's schema is of a newer Scribe than this one. Install that one here too."


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
    except ArgumentError:
        raise UsageError("DATABASE_URL: that names no database; write sqlite:////a/file.db or postgresql://…") from None
    except ValueError as error:
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
