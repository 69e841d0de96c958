"""The spool: what was typed while the database was away, and whether more can be kept."""

from bot.doctor.diagnosis import Diagnosis, fail, ok, warn
from bot.doctor.installation import Patient
from storage.spool import Spool

ABOUT = "spool"
_PLACE = "Let the user that runs Scribe write there, with some MB free, or set SCRIBE_SPOOL to another folder."
_WRITTEN = (
    "`scribe run`, with this SCRIBE_SPOOL, writes it down within seconds of the database's return; its log tells."
)
_BAD = "Read that file, put down with `scribe log` what is missing on the timeline, then delete the file."


def spool(patient: Patient) -> list[Diagnosis]:
    """Whether it can keep what is typed, what waits in it, and what could not be used."""
    kept = Spool(patient.settings.spool)
    try:
        length, bad, takes = kept.length(), kept.bad_length(), kept.takes()
    except OSError as error:
        return [fail(ABOUT, f"{error.filename}: {error.strerror}", fix=_PLACE)]
    told = []
    if not takes:
        lost = "what is typed while the database is away would be lost"
        told.append(fail(ABOUT, f"{kept.folder} takes nothing: {lost}", fix=_PLACE))
    if length:
        told.append(warn(ABOUT, f"{length} kept in {kept.folder}, not written to the database yet", fix=_WRITTEN))
    if bad:
        told.append(warn(ABOUT, f"{bad} could not be used and {_are(bad)} kept in {kept.bad}", fix=_BAD))
    return told or [ok(ABOUT, f"nothing waits in {kept.folder}")]


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
