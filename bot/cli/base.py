"""What commands work with: the settings of the environment, and the database they name."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from bot.errors import UsageError

if TYPE_CHECKING:
    from bot.config import Settings
    from storage.database import Database

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
