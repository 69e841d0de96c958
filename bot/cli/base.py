"""What the commands share: parsing, error messages, the settings and the database."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from bot.errors import DAMAGED, GONE, UsageError

if TYPE_CHECKING:
    from bot.config import Settings
    from storage.database import Database

_NEGATIVE = re.compile(r"-[0-9]")


class ScribeGroup(click.Group):
    """Prints an expected error on standard error and exits with 2, without a traceback; lists commands in whole."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the whole first paragraph of each command's help, where click would cut it."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        rows = [
            (name, " ".join((command.help or "").partition("\n\n")[0].split()))
            for name, command in found.items()
            if command and not command.hidden
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            problem = error_message(error)
            if problem is None:
                raise
            from bot.documents.escaping import visible

            # The message may quote a file: its control characters must not reach the terminal. A lone surrogate,
            # which an argument can hold, has no encoding and is shown by its number.
            text = visible(problem.encode(errors="backslashreplace").decode())
            raise click.UsageError(text) from None


def error_message(error: Exception) -> str | None:
    """The message for an error that the user or the operator can fix; None for a bug."""
    if isinstance(error, UsageError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    if "sqlalchemy" not in sys.modules:
        return None
    from sqlalchemy.exc import DBAPIError

    from storage.availability import is_damaged

    if not isinstance(error, DBAPIError):
        return None
    problem = f"The database: {' '.join(str(error.orig).split())}"
    return f"{problem}. {DAMAGED}" if is_damaged(error) else problem


class RawArgsCommand(click.Command):
    """A command whose argument `words` may begin with a minus and a digit: `-10m` is a time, not an option."""

    _MARK = "\0"  # an argument of a process never contains it

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Hide those minuses from click's parser."""
        return super().parse_args(ctx, [f"{self._MARK}{arg}" if _NEGATIVE.match(arg) else arg for arg in args])

    def invoke(self, ctx: click.Context) -> Any:
        """Restore the words, and run the command."""
        ctx.params["words"] = tuple(word.removeprefix(self._MARK) for word in ctx.params["words"])
        return super().invoke(ctx)


def settings() -> "Settings":
    """The settings in this process's environment. Raises UsageError naming an invalid variable."""
    from bot.config import Settings

    return Settings.from_env(os.environ)


def database(url: str) -> "Database":
    """The database at `url`, closed when the command ends. Raises UsageError for an invalid URL."""
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


def migrated_database(url: str) -> "Database":
    """As `database`, with the newest schema. Raises UsageError when the operator has to migrate it or to upgrade."""
    from storage import schema

    store = database(url)
    with schema_errors():
        schema.ensure(store)
    return store


@contextmanager
def schema_errors() -> Iterator[None]:
    """Turns a wrong schema, and a file that is lost or damaged, into a UsageError that names the remedy."""
    from storage import schema
    from storage.database import DamagedFileError

    try:
        yield
    except schema.OutdatedSchemaError:
        raise UsageError("The database's schema is older than this Scribe. Run: scribe migrate") from None
    except schema.UnknownSchemaError:
        raise UsageError(
            "The database's schema is of a newer Scribe than this one. Install that one here too."
        ) from None
    except schema.LostDatabaseError as error:
        raise UsageError(f"{error} is gone: there was a database of Scribe's. {GONE}") from None
    except DamagedFileError as error:
        raise UsageError(f"{error}. {DAMAGED}") from None
