"""What can be wrong with what is stored: the database, its disk, the spool, the outbox."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from bot.config import Settings
from bot.doctor.installation import Diagnosis, Installation, fail, ok, warn
from bot.slack.identity import TOKEN_REFUSED
from bot.telemetry.health import BACKLOG_OLD
from storage import outbox
from storage import schema as schemas
from storage.database import sqlite_file
from storage.outbox import ParkedJobs
from storage.spool import Spool, nearest_folder

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


def check_database(patient: Installation) -> list[Diagnosis]:
    """Whether the database is there, answers, and takes a write, which is taken back."""
    try:
        file = sqlite_file(patient.settings.database_url)
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
        store.probe_insert()
    except DBAPIError as error:
        words = " ".join(str(error.orig).split())
        return [fail(DATABASE, f"{file}: {words}" if file else words, fix=_fix(words))]
    patient.answers = True
    return [ok(DATABASE, f"{store.address} takes a write")]


def _fix(words: str) -> str:
    return next((fix for part, fix in _FIXES if part in words.casefold()), _UNREACHED)


def _not_yet(file: Path) -> Diagnosis:
    """A file that the first `scribe run` makes, if it can."""
    folder = nearest_folder(file)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return fail(DATABASE, f"{file} is not there and cannot be made in {folder}", fix=_fix("unable to open"))
    return ok(DATABASE, f"{file} is not there yet; scribe run makes it")


def check_schema(patient: Installation) -> list[Diagnosis]:
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


DISK = "disk"
WARN_BYTES, FAIL_BYTES = 1_000_000_000, 100_000_000
_FREE_SPACE = "Free some space there, or stop Scribe, move the files, and set DATABASE_URL and SCRIBE_SPOOL."


def check_disk(patient: Installation) -> list[Diagnosis]:
    """How much is free where the files lie, one line a disk; a server's own disk is not seen from here."""
    folders = {folder.stat().st_dev: folder for folder in reversed(_folders(patient.settings))}
    return [of_free(shutil.disk_usage(folder).free, folder) for folder in reversed(folders.values())]


def _folders(settings: Settings) -> list[Path]:
    try:
        file = sqlite_file(settings.database_url)
    except ValueError:
        file = None
    return [nearest_folder(each) for each in (file, settings.spool / "any") if each is not None]


def of_free(free_bytes: int, folder: Path) -> Diagnosis:
    """What to say of so much room in the folder."""
    says = f"{free_bytes / 1e9:.1f} GB free in {folder}"
    if free_bytes < FAIL_BYTES:
        return fail(DISK, f"{free_bytes / 1e6:.0f} MB free in {folder}: soon nothing can be saved", fix=_FREE_SPACE)
    return warn(DISK, says, fix=_FREE_SPACE) if free_bytes < WARN_BYTES else ok(DISK, says)


SPOOL = "spool"
_PLACE = "Let the user that runs Scribe write there, with some MB free, or set SCRIBE_SPOOL to another folder."
_WRITTEN = (
    "`scribe run`, with this SCRIBE_SPOOL, writes it down within seconds of the database's return; its log tells."
)
_BAD = "Read that file, put down with `scribe log` what is missing on the timeline, then delete the file."


def check_spool(patient: Installation) -> list[Diagnosis]:
    """Whether it can keep what is typed, what waits in it, and what could not be used."""
    kept = Spool(patient.settings.spool)
    try:
        length, bad, takes = kept.count(), kept.rejected_count(), kept.is_writable()
    except OSError as error:
        return [fail(SPOOL, f"{error.filename}: {error.strerror}", fix=_PLACE)]
    told = []
    if not takes:
        lost = "what is typed while the database is away would be lost"
        told.append(fail(SPOOL, f"{kept.folder} takes nothing: {lost}", fix=_PLACE))
    if length:
        told.append(warn(SPOOL, f"{length} kept in {kept.folder}, not written to the database yet", fix=_WRITTEN))
    if bad:
        told.append(warn(SPOOL, f"{bad} could not be used and {_are(bad)} kept in {kept.rejects_file}", fix=_BAD))
    return told or [ok(SPOOL, f"nothing waits in {kept.folder}")]


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


OUTBOX = "outbox"
LONG = timedelta(hours=1)
LATELY = timedelta(days=30)
"""What was given up stays in the store; after this long it is no news."""
_DELIVER = "See that `scribe run` is running and Slack is reached; the log says why each job is tried again."
_RESOLUTIONS = {
    "channel_not_found": "Invite the bot: /invite @scribe in the channel; then say again what matters.",
    "not_in_channel": "Invite the bot: /invite @scribe in the channel; then say again what matters.",
    "is_archived": "Nothing to do: the channel was archived; `scribe export` still prints the incident.",
    "restricted_action": "The workspace lets no app post there: ask who administers it.",
    "missing_scope": "Add the scope that is missing, above under scopes, and reinstall the app.",
}
_REFUSED = "Slack's word for it; docs.slack.dev says what it means. What was recorded is recorded all the same."
_OURS = "A mistake of Scribe's own: the log of that time says more. Tell us of it."
_SIGN_IN = "Put the token right, above, and start Scribe anew: what is not a day old is then sent."


def check_outbox(patient: Installation) -> list[Diagnosis]:
    """Depth and age, then what was given up by reason. Nothing while there are no tables to look into."""
    if not patient.answers or schemas.current(patient.database) != schemas.newest():
        return []
    at = patient.clock()
    with patient.database.read() as connection:
        waiting = outbox.backlog(connection, at=at)
        why = outbox.oldest_problem(connection)
        given_up = outbox.parked_by_problem(connection, after=at - LATELY)
    return [of_waiting(waiting.depth, waiting.age_s(at), why), *(_of_parked(each) for each in given_up)]


def of_waiting(depth: int, age_s: float, why: str | None) -> Diagnosis:
    """What to say of so many jobs, the oldest of which has waited so many seconds."""
    if not depth:
        return ok(OUTBOX, "nothing waits")
    reason = f" ({why})" if why else ""
    says = f"{depth} waiting, the oldest for {round(age_s / 60)} min{reason}"
    if age_s > LONG.total_seconds():
        return fail(OUTBOX, says, fix=_DELIVER)
    return warn(OUTBOX, says, fix=_DELIVER) if age_s > BACKLOG_OLD.total_seconds() else ok(OUTBOX, says)


def _of_parked(parked: ParkedJobs) -> Diagnosis:
    says = f"{parked.count} {parked.action} given up: {parked.problem}; the last of {parked.latest_at:%F %H:%M} UTC"
    default = _REFUSED if parked.problem.islower() else _OURS
    fix = _SIGN_IN if parked.problem in TOKEN_REFUSED else _RESOLUTIONS.get(parked.problem, default)
    return warn(OUTBOX, says, fix=fix)
