"""This machine's clock beside Slack's."""

from bot.doctor.diagnosis import Diagnosis, fail, ok, warn
from bot.doctor.installation import Patient

ABOUT = "clock"
WARN_S, FAIL_S = 60, 300
"""Slack's requests are signed with their time and refused after five minutes (Slack, "Verifying requests")."""
_FIX = "Set this machine's clock by NTP: timedatectl set-ntp true, or chronyd; then timedatectl shows whether it holds."


def clock(patient: Patient) -> list[Diagnosis]:
    """How far the clocks are apart. Nothing while Slack is not reached."""
    if not patient.settings.bot_token.get_secret_value() or not patient.bot.reached:
        return []
    ahead_s = patient.bot.ahead_s
    if ahead_s is None:
        return [warn(ABOUT, "Slack's answer had no time to compare with", fix=_FIX)]
    return [of_skew(ahead_s)]


def of_skew(ahead_s: float) -> Diagnosis:
    """What to say of a clock that is so many seconds ahead of Slack's, or behind it when negative."""
    off_s = abs(ahead_s)
    if off_s <= WARN_S:
        return ok(ABOUT, "as Slack's, within a minute")
    says = f"{off_s:.0f} s {'ahead of' if ahead_s > 0 else 'behind'} Slack's; times without words are wrong by that"
    if off_s <= FAIL_S:
        return warn(ABOUT, says, fix=_FIX)
    return fail(ABOUT, f"{says}, and in HTTP mode every request of Slack's is refused", fix=_FIX)
