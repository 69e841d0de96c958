"""The disks under the SQLite file and under the spool."""

import shutil
from pathlib import Path

from bot.config import Settings
from bot.doctor.diagnosis import Diagnosis, fail, ok, warn
from bot.doctor.installation import Patient
from storage import vitals
from storage.disk import nearest_folder

ABOUT = "disk"
WARN_BYTES, FAIL_BYTES = 1_000_000_000, 100_000_000
_FIX = "Free some space there, or stop Scribe, move the files, and set DATABASE_URL and SCRIBE_SPOOL."


def disk(patient: Patient) -> list[Diagnosis]:
    """How much is free where the files lie, one line a disk; a server's own disk is not seen from here."""
    folders = {folder.stat().st_dev: folder for folder in reversed(_folders(patient.settings))}
    return [of_free(shutil.disk_usage(folder).free, folder) for folder in reversed(folders.values())]


def _folders(settings: Settings) -> list[Path]:
    try:
        file = vitals.file_of(settings.database_url)
    except ValueError:
        file = None
    return [nearest_folder(each) for each in (file, settings.spool / "any") if each is not None]


def of_free(free_bytes: int, folder: Path) -> Diagnosis:
    """What to say of so much room in the folder."""
    says = f"{free_bytes / 1e9:.1f} GB free in {folder}"
    if free_bytes < FAIL_BYTES:
        return fail(ABOUT, f"{free_bytes / 1e6:.0f} MB free in {folder}: soon nothing can be saved", fix=_FIX)
    return warn(ABOUT, says, fix=_FIX) if free_bytes < WARN_BYTES else ok(ABOUT, says)
