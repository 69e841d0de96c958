"""The database: does it answer, does it take a write, is its schema the one this code wants?"""

import os
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from bot.doctor.diagnosis import Diagnosis, fail, ok, warn
from bot.doctor.installation import Patient
from storage import schema as schemas
from storage import vitals
from storage.disk import nearest_folder

DATABASE, SCHEMA = "database", "schema"
_ADDRESS = "Write DATABASE_URL=sqlite:////var/lib/scribe/scribe.db or postgresql://scribe@host/scribe"
_FIXES = (
    ("locked", "Another program holds the file for long: find it with fuser or lsof, and end it."),
    ("readonly", "Make the file and its folder writable for the user that runs Scribe; look for a mount that is ro."),
    ("read-only", "The server takes no writes: it is a standby, or default_transaction_read_only is on."),
    ("not a database", "The file is damaged. Keep a copy of it, then: scribe restore BACKUP --force"),
    ("malformed", "The file is damaged. Keep a copy of it, then: scribe restore BACKUP --force"),
    ("full", "Free some space on the disk the file lies on."),
    (
        "unable to open",
        "Make the folder, writable for the user that runs Scribe, or set DATABASE_URL to another place.",
    ),
    ("password", "Look at user and password in DATABASE_URL, and at pg_hba.conf on the server."),
    ("permission", "Let the user in DATABASE_URL read and write Scribe's tables: it should own the database."),
    ("does not exist", "Create it: createdb scribe; then scribe migrate."),
)
_UNREACHED = "Look whether the server runs, and whether host and port in DATABASE_URL are right: psql should connect."


def database(patient: Patient) -> list[Diagnosis]:
    """Whether the database is there, answers, and takes a write, which is taken back."""
    try:
        file = vitals.file_of(patient.settings.database_url)
        if file is not None and not file.exists():
            return [_not_yet(file)]
        if file is not None and file.is_dir():
            return [fail(DATABASE, f"{file} is a folder", fix=_ADDRESS)]
        store = patient.database
    except ValueError as error:
        return [fail(DATABASE, f"DATABASE_URL: {error}", fix=_ADDRESS)]
    except OSError as error:
        return [fail(DATABASE, f"{error.filename}: {error.strerror}", fix=_fix(str(error)))]
    try:
        vitals.try_writing(store)
    except DBAPIError as error:
        words = " ".join(str(error.orig).split())
        return [fail(DATABASE, f"{file}: {words}" if file else words, fix=_fix(words))]
    patient.answers = True
    return [ok(DATABASE, f"{vitals.address(store)} takes a write")]


def _fix(words: str) -> str:
    return next((fix for part, fix in _FIXES if part in words.casefold()), _UNREACHED)


def _not_yet(file: Path) -> Diagnosis:
    """A file that the first `scribe run` makes, if it can."""
    folder = nearest_folder(file)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return fail(DATABASE, f"{file} is not there and cannot be made in {folder}", fix=_fix("unable to open"))
    return ok(DATABASE, f"{file} is not there yet; scribe run makes it")


def schema(patient: Patient) -> list[Diagnosis]:
    """Whether the schema is the newest. Nothing while the database does not answer."""
    if not patient.answers:
        return []
    store = patient.database
    found, wanted = schemas.current(store), schemas.newest()
    if found == wanted:
        return [ok(SCHEMA, f"{found}, the newest")]
    if not schemas.is_known(found):
        says = f"{found} is of a newer Scribe than this one, which knows {wanted}"
        return [fail(SCHEMA, says, fix="Install that Scribe here too, or restore a backup from before the upgrade.")]
    if store.is_sqlite:
        says = f"{found or 'none yet'}, and this Scribe wants {wanted}"
        return [warn(SCHEMA, says, fix="scribe run brings it there; scribe backup FILE first keeps the way back.")]
    says = f"{found or 'none yet'}, and this Scribe wants {wanted}: scribe run does not start"
    return [fail(SCHEMA, says, fix="Run: scribe migrate")]
