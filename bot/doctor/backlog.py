"""The outbox: what waits to be said, for how long, and what was given up."""

from datetime import timedelta

from bot.doctor.diagnosis import Diagnosis, fail, ok, warn
from bot.doctor.installation import Patient
from bot.slack.identity import TOKEN_REFUSED
from bot.telemetry.health import OLD
from storage import schema, vitals
from storage.vitals import Parked

ABOUT = "outbox"
LONG = timedelta(hours=1)
LATELY = timedelta(days=30)
"""What was given up stays in the store; after this long it is no news."""
_FIX = "See that `scribe run` is running and Slack is reached; the log says why each errand is tried again."
_FIXES = {
    "channel_not_found": "Invite the bot: /invite @scribe in the channel; then say again what matters.",
    "not_in_channel": "Invite the bot: /invite @scribe in the channel; then say again what matters.",
    "is_archived": "Nothing to do: the channel was archived; `scribe export` still prints the incident.",
    "restricted_action": "The workspace lets no app post there: ask who administers it.",
    "missing_scope": "Add the scope that is missing, above under scopes, and reinstall the app.",
}
_REFUSED = "Slack's word for it; docs.slack.dev says what it means. What was recorded is recorded all the same."
_OURS = "A mistake of Scribe's own: the log of that time says more. Tell us of it."
_SIGN_IN = "Put the token right, above, and start Scribe anew: what is not a day old is then sent."


def outbox(patient: Patient) -> list[Diagnosis]:
    """Depth and age, then what was given up by reason. Nothing while there are no tables to look into."""
    if not patient.answers or schema.current(patient.database) != schema.newest():
        return []
    at = patient.clock()
    with patient.database.read() as connection:
        waiting = vitals.waiting(connection, at=at)
        why = vitals.why_waiting(connection)
        given_up = vitals.parked(connection, after=at - LATELY)
    return [of_waiting(waiting.depth, waiting.age_s(at), why), *(_of_parked(each) for each in given_up)]


def of_waiting(depth: int, age_s: float, why: str | None) -> Diagnosis:
    """What to say of so many errands, the oldest of which has waited so many seconds."""
    if not depth:
        return ok(ABOUT, "nothing waits")
    reason = f" ({why})" if why else ""
    says = f"{depth} waiting, the oldest for {round(age_s / 60)} min{reason}"
    if age_s > LONG.total_seconds():
        return fail(ABOUT, says, fix=_FIX)
    return warn(ABOUT, says, fix=_FIX) if age_s > OLD.total_seconds() else ok(ABOUT, says)


def _of_parked(parked: Parked) -> Diagnosis:
    says = f"{parked.count} {parked.action} given up: {parked.problem}; the last of {parked.latest_at:%F %H:%M} UTC"
    default = _REFUSED if parked.problem.islower() else _OURS
    fix = _SIGN_IN if parked.problem in TOKEN_REFUSED else _FIXES.get(parked.problem, default)
    return warn(ABOUT, says, fix=fix)
