"""Checks of what is stored: the database, its schema, the disks, the spool, the outbox."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from bot.config import Settings
from bot.doctor.installation import Diagnosis, Installation, fail, ok, warn
from bot.errors import DAMAGED, GONE
from bot.slack.refusals import TOKEN_REFUSED
from bot.telemetry.health import BACKLOG_OLD
from storage import availability, outbox
from storage import schema as schemas
from storage.availability import DatabaseFile
from storage.database import DamagedFileError, sqlite_file
from storage.outbox import ParkedJobs
from storage.spool import Spool, nearest_folder

DATABASE, SCHEMA = "database", "schema"
_ADDRESS = "Write DATABASE_URL=sqlite:////var/lib/scribe/scribe.db or postgresql://scribe@host/scribe"
_GRANT = "Let the user in DATABASE_URL read and write Scribe's tables: it should own the database."
_FIX_BY_ERROR = (
    ("locked", "Another program holds the file for long: find it with fuser or lsof, and end it."),
    ("readonly", "Make the file and its folder writable for the user that runs Scribe; look for a mount that is ro."),
    ("read-only", "The server takes no writes: it is a standby, or default_transaction_read_only is on."),
    ("not a database", f"The file is damaged. {DAMAGED}"),
    ("malformed", f"The file is damaged. {DAMAGED}"),
    ("full", "Free some space on the disk the file lies on."),
    (
        "unable to open",
        "Make the folder, writable for the user that runs Scribe, or set DATABASE_URL to another place.",
    ),
    ("password", "Look at user and password in DATABASE_URL, and at pg_hba.conf on the server."),
    ("permission", _GRANT),
    ("unsupported startup parameter", "PgBouncer takes no `options` in DATABASE_URL: take them out of it."),
    ("no more connections allowed", "Raise max_client_conn in pgbouncer.ini: each Scribe opens up to 20 connections."),
    (
        "query_wait_timeout",
        "The pooler has no server for it: look at its default_pool_size, and whether the server runs.",
    ),
    ("does not exist", "Create it: createdb scribe; then scribe migrate."),
)
_MIGRATE = "After a failover or a restore: is that the right database in DATABASE_URL? Then run: scribe migrate"
_FIX_BY_CONDITION = {
    availability.NO_ROOM: "Free some space on the disk of the server; what is typed is kept meanwhile.",
    availability.EXHAUSTED: "The server has no connection or no memory left: raise max_connections, or end what holds "
    "them; each Scribe opens up to 20 connections.",
    availability.ENDED: "The server starts, stops, recovers, or ends what takes long: look at its log.",
    availability.DAMAGED: "The server, its disk or the proxy before it fails: look at their logs first.",
    availability.SESSION: "What stands before the server does not pass on what Scribe asks: see its manual, or put "
    "?prepare_threshold=none behind DATABASE_URL.",
    availability.BUSY: "Something holds a lock for long: look at pg_stat_activity for who it is.",
}
"""For what a server reports, where no words of `_FIX_BY_ERROR` are in it."""
_UNREACHED = "Look whether the server runs, and whether host and port in DATABASE_URL are right: psql should connect."


def check_database(installation: Installation) -> list[Diagnosis]:
    """Whether the database exists and takes a write, which is rolled back."""
    try:
        file = sqlite_file(installation.settings.database_url)
        if file is not None and not file.exists():
            return [_missing_file(file)]
        if file is not None and file.is_dir():
            return [fail(DATABASE, f"{file} is a folder", fix=_ADDRESS)]
        if file is not None and DatabaseFile(file).is_missing():
            return [fail(DATABASE, f"{file} is empty, and there was a database", fix=GONE)]
        store = installation.database
    except ValueError as error:
        return [fail(DATABASE, f"DATABASE_URL: {error}", fix=_ADDRESS)]
    except OSError as error:
        return [fail(DATABASE, f"{error.filename}: {error.strerror}", fix=_fix_for(str(error)))]
    try:
        store.probe_insert()
        store.check_pages()
    except DamagedFileError as error:
        return [fail(DATABASE, str(error), fix=DAMAGED)]
    except DBAPIError as error:
        problem = " ".join(str(error.orig).split())
        return [fail(DATABASE, f"{file}: {problem}" if file else problem, fix=_fix_for_error(error))]
    installation.is_reachable = True
    return [ok(DATABASE, f"{store.address} takes a write")]


def _fix_for_error(error: DBAPIError) -> str:
    met = availability.condition(error)
    if met == availability.SCHEMA:
        # Its words are those of a database that does not exist.
        return _MIGRATE
    return _fix_for(str(error.orig), _FIX_BY_CONDITION.get(met, _UNREACHED) if met else _UNREACHED)


def _fix_for(error: str, otherwise: str = _UNREACHED) -> str:
    return next((fix for part, fix in _FIX_BY_ERROR if part in error.casefold()), otherwise)


def _missing_file(file: Path) -> Diagnosis:
    """The first `scribe run` creates the file, so it is no fault unless there was one, or its folder takes none."""
    if DatabaseFile(file).is_missing():
        return fail(DATABASE, f"{file} is gone, and there was a database", fix=GONE)
    folder = nearest_folder(file)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        return fail(DATABASE, f"{file} is not there and cannot be made in {folder}", fix=_fix_for("unable to open"))
    return ok(DATABASE, f"{file} is not there yet; scribe run makes it")


def check_schema(installation: Installation) -> list[Diagnosis]:
    """Whether the schema is the newest. Nothing while the database is not reachable."""
    if not installation.is_reachable:
        return []
    store = installation.database
    found, wanted = schemas.current(store), schemas.newest()
    if found == wanted:
        return [_check_usable(installation, found)]
    if not schemas.is_known(found):
        message = f"{found} is of a newer Scribe than this one, which knows {wanted}"
        return [fail(SCHEMA, message, fix="Install that Scribe here too, or restore a backup from before the upgrade.")]
    if store.is_sqlite:
        message = f"{found or 'none yet'}, and this Scribe wants {wanted}"
        return [warn(SCHEMA, message, fix="scribe run brings it there; scribe backup FILE first keeps the way back.")]
    message = f"{found or 'none yet'}, and this Scribe wants {wanted}: scribe run does not start"
    return [fail(SCHEMA, message, fix="Run: scribe migrate")]


def _check_usable(installation: Installation, found: str | None) -> Diagnosis:
    """Whether the tables of the newest schema are all there, and may be read and written."""
    try:
        schemas.check_usable(installation.database)
    except schemas.OutdatedSchemaError as error:
        broken = (
            "The tables are not those of that schema: restore a backup; where nothing is worth keeping, a new database"
        )
        return fail(SCHEMA, f"{found}, but {error}", fix=f"{broken}.")
    except schemas.MissingRightsError as error:
        return fail(SCHEMA, f"{found}, but {error}", fix=_GRANT)
    return ok(SCHEMA, f"{found}, the newest")


DISK = "disk"
WARN_BYTES, FAIL_BYTES = 1_000_000_000, 100_000_000
_FREE_SPACE = "Free some space there, or stop Scribe, move the files, and set DATABASE_URL and SCRIBE_SPOOL."


def check_disk(installation: Installation) -> list[Diagnosis]:
    """The free space of the disks under the SQLite file and the spool, one line per disk."""
    folders = [nearest_folder(file) for file in _local_files(installation.settings)]
    by_device: dict[int, Path] = {}
    for folder in folders:
        by_device.setdefault(folder.stat().st_dev, folder)
    return [disk_diagnosis(shutil.disk_usage(folder).free, folder) for folder in by_device.values()]


def _local_files(settings: Settings) -> list[Path]:
    """The SQLite file, if the database is one, and a file of the spool."""
    try:
        file = sqlite_file(settings.database_url)
    except ValueError:
        file = None
    return [each for each in (file, settings.spool / "any") if each is not None]


def disk_diagnosis(free_bytes: int, folder: Path) -> Diagnosis:
    """The diagnosis of a disk with that much free space."""
    message = f"{free_bytes / 1e9:.1f} GB free in {folder}"
    if free_bytes < FAIL_BYTES:
        return fail(DISK, f"{free_bytes / 1e6:.0f} MB free in {folder}: soon nothing can be saved", fix=_FREE_SPACE)
    return warn(DISK, message, fix=_FREE_SPACE) if free_bytes < WARN_BYTES else ok(DISK, message)


SPOOL = "spool"
_PLACE = "Let the user that runs Scribe write there, with some MB free, or set SCRIBE_SPOOL to another folder."
_WRITTEN = (
    "`scribe run`, with this SCRIBE_SPOOL, writes it down within seconds of the database's return; its log tells."
)
_BAD = "scribe spool list tells why; put the cause right, then: scribe spool retry. Or use `scribe log`, and delete it."


def check_spool(installation: Installation) -> list[Diagnosis]:
    """Whether the spool is writable, how many entries wait in it, and how many could not be replayed."""
    spool = Spool(installation.settings.spool)
    try:
        waiting, bad, is_writable = spool.count(), spool.rejected_count(), spool.is_writable()
    except OSError as error:
        return [fail(SPOOL, f"{error.filename}: {error.strerror}", fix=_PLACE)]
    found = []
    if not is_writable:
        lost = "what is typed while the database is away would be lost"
        found.append(fail(SPOOL, f"{spool.folder} takes nothing: {lost}", fix=_PLACE))
    if waiting:
        found.append(warn(SPOOL, f"{waiting} kept in {spool.folder}, not written to the database yet", fix=_WRITTEN))
    if bad:
        verb = "is" if bad == 1 else "are"
        found.append(warn(SPOOL, f"{bad} could not be used and {verb} kept in {spool.folder}", fix=_BAD))
    return found or [ok(SPOOL, f"nothing waits in {spool.folder}")]


OUTBOX = "outbox"
FAIL_AFTER = timedelta(hours=1)
"""The age of the oldest waiting job that is a failure; from BACKLOG_OLD on it is a warning."""
PARKED_FOR = timedelta(days=30)
"""How long a job that was given up is reported; it stays in the store."""
_DELIVER = "See that `scribe run` is running and Slack is reached; the log says why each job is tried again."
_RESOLUTIONS = {
    "channel_not_found": "Invite the bot: /invite @scribe in the channel; the last 30 days are posted then.",
    "not_in_channel": "Invite the bot: /invite @scribe in the channel; the last 30 days are posted then.",
    "is_archived": "The channel was archived; its incident's lead was told. `scribe export` still prints the incident.",
    "restricted_action": "The workspace lets no app post there: ask who administers it.",
    outbox.UNSETTLED: "Scribe ended each time it was done, or hung: the log says how. Then: scribe spool retry",
    "missing_scope": "Add the scope that is missing, above under scopes, and reinstall the app.",
}
_REFUSED = "Slack's word for it; docs.slack.dev says what it means. What was recorded is recorded all the same."
_OURS = "A mistake of Scribe's own: the log of that time says more. Tell us of it; then: scribe spool retry"
_SIGN_IN = "Put the token right, above, and start Scribe anew: what is not a day old is then sent."


def check_outbox(installation: Installation) -> list[Diagnosis]:
    """The jobs that wait, then those given up, by reason. Nothing while the schema is not the newest."""
    if not installation.is_reachable or schemas.current(installation.database) != schemas.newest():
        return []
    at = installation.clock()
    with installation.database.read() as connection:
        waiting = outbox.backlog(connection, at=at)
        why = outbox.oldest_problem(connection)
        given_up = outbox.parked_by_problem(connection, after=at - PARKED_FOR)
    return [_waiting_diagnosis(waiting.depth, waiting.age_s(at), why), *(_parked_diagnosis(each) for each in given_up)]


def _waiting_diagnosis(depth: int, age_s: float, why: str | None) -> Diagnosis:
    """`age_s` is how long the oldest of the jobs has waited, `why` the error of its last attempt."""
    if not depth:
        return ok(OUTBOX, "nothing waits")
    reason = f" ({why})" if why else ""
    message = f"{depth} waiting, the oldest for {round(age_s / 60)} min{reason}"
    if age_s > FAIL_AFTER.total_seconds():
        return fail(OUTBOX, message, fix=_DELIVER)
    return warn(OUTBOX, message, fix=_DELIVER) if age_s > BACKLOG_OLD.total_seconds() else ok(OUTBOX, message)


def _parked_diagnosis(parked: ParkedJobs) -> Diagnosis:
    message = f"{parked.count} {parked.action} given up: {parked.problem}; the last of {parked.latest_at:%F %H:%M} UTC"
    if parked.problem in TOKEN_REFUSED:
        return warn(OUTBOX, message, fix=_SIGN_IN)
    # Slack's error codes are in lower case; any other problem is the name of an exception of ours.
    default = _REFUSED if parked.problem.islower() else _OURS
    return warn(OUTBOX, message, fix=_RESOLUTIONS.get(parked.problem, default))
