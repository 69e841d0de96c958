"""Whether the database is away: not there, or not able to take anything down just now.

Sources: SQLite, "Result and Error Codes"; PostgreSQL, "Appendix A. Error Codes".
"""

import sqlite3

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionError

_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_INTERRUPT,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_NOTADB,
    }
)
_PRIMARY = 0xFF
"""The bits of SQLite's extended codes that hold the primary one."""
_POSTGRES_CLASSES = frozenset({"08", "28", "3D", "40", "53", "55", "57", "58", "XX"})
_READ_ONLY = "25006"


ERRORS = (DBAPIError, NoConnectionError)
"""What is raised when the database is away, and for other reasons too: `is_away` tells."""


class BusyError(OperationalError):
    """Other writers of this process were before us for longer than we may wait."""

    def __init__(self) -> None:
        super().__init__("BEGIN IMMEDIATE", None, NoConnectionError("other writers are before this one"))


def is_away(error: BaseException) -> bool:
    """Whether trying again later may help. A mistake in a statement, or a row that may not be, is not that."""
    if isinstance(error, NoConnectionError | BusyError):
        return True
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", 0) & _PRIMARY in _SQLITE
    if not isinstance(error, OperationalError) and not hasattr(cause, "sqlstate"):
        return False
    state = getattr(cause, "sqlstate", None)
    if state is None:
        # No word from the server: the connection was refused, broken or timed out.
        return isinstance(error, OperationalError)
    return state == _READ_ONLY or state[:2] in _POSTGRES_CLASSES
