"""The checks in their order, each within bounded time."""

import threading
from collections.abc import Callable, Iterator, Mapping

from bot.clock import Clock, now
from bot.config import Settings
from bot.doctor import slack, store
from bot.doctor.installation import Diagnosis, Installation, fail
from bot.errors import UsageError

LIMIT_S = 20.0
"""What a check may take; each step of it gives up earlier by itself."""

Check = Callable[[Installation], list[Diagnosis]]

CHECKS: tuple[tuple[str, Check], ...] = (
    (slack.BOT, slack.check_bot_token),
    (slack.APP, slack.check_app_token),
    (slack.SCOPES, slack.check_scopes),
    (slack.CLOCK, slack.check_clock),
    (store.DATABASE, store.check_database),
    (store.SCHEMA, store.check_schema),
    (store.DISK, store.check_disk),
    (store.SPOOL, store.check_spool),
    (store.OUTBOX, store.check_outbox),
)
"""What is looked at; a check that another makes pointless says nothing."""


def checkup(environment: Mapping[str, str], *, clock: Clock = now, limit_s: float = LIMIT_S) -> Iterator[Diagnosis]:
    """Every diagnosis as it is made. Never raises, and ends however broken things are."""
    try:
        settings = Settings.from_env(environment)
    except UsageError as error:
        yield fail(
            "settings",
            str(error).removeprefix("settings: "),
            fix="Put that variable right; deploy/OPERATING.md says what each one is.",
        )
        return
    patient = Installation(settings=settings, clock=clock)
    for about, check in CHECKS:
        yield from _within(limit_s, about, check, patient)
    patient.close()


def _within(limit_s: float, about: str, check: Check, patient: Installation) -> list[Diagnosis]:
    """What the check finds, in a thread that is left behind when it takes too long."""
    found: list[Diagnosis] = []

    def look() -> None:
        try:
            found.extend(check(patient))
        except Exception as error:  # noqa: BLE001 - the boundary: one check that breaks must not hide the others
            problem = f"could not be looked at: {type(error).__name__}"
            found.append(fail(about, problem, fix="Put right what is told above; if all of that is well, tell us."))

    thread = threading.Thread(target=look, name=f"doctor-{about}", daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        return [fail(about, f"no answer within {limit_s:g} s", fix="What it asks hangs: look at network and server.")]
    return found
