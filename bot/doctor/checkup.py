"""The doctor's checks in their order, each within bounded time."""

import threading
from collections.abc import Callable, Iterator, Mapping

from bot.clock import Clock, now
from bot.config import Settings
from bot.doctor import slack, store, surroundings
from bot.doctor.installation import Diagnosis, Installation, fail
from bot.errors import UsageError

LIMIT_S = 20.0
"""The time limit of one check; its network requests have shorter ones."""

Check = Callable[[Installation], list[Diagnosis]]

CHECKS: tuple[tuple[str, Check], ...] = (
    (slack.BOT, slack.check_bot_token),
    (slack.APP, slack.check_app_token),
    (slack.SCOPES, slack.check_scopes),
    (slack.OFF, slack.check_off),
    (slack.CLOCK, slack.check_clock),
    (store.DATABASE, store.check_database),
    (surroundings.POOLER, surroundings.check_pooler),
    (store.SCHEMA, store.check_schema),
    (store.DISK, store.check_disk),
    (store.SPOOL, store.check_spool),
    (store.OUTBOX, store.check_outbox),
    (surroundings.CHANNELS, surroundings.check_channels),
    (surroundings.FILES, surroundings.check_files),
    (surroundings.FONT, surroundings.check_font),
)
"""By subject. A check that needs what an earlier one found to be broken returns nothing."""


def checkup(environment: Mapping[str, str], *, clock: Clock = now, limit_s: float = LIMIT_S) -> Iterator[Diagnosis]:
    """Run every check, yielding each diagnosis at once. Never raises; a check ends after `limit_s` at most."""
    try:
        settings = Settings.from_env(environment)
    except UsageError as error:
        yield fail(
            "settings",
            str(error).removeprefix("settings: "),
            fix="Put that variable right; deploy/OPERATING.md says what each one is.",
        )
        return
    installation = Installation(settings=settings, clock=clock)
    for subject, check in CHECKS:
        yield from _run_within(limit_s, subject, check, installation)
    installation.close()


def _run_within(limit_s: float, subject: str, check: Check, installation: Installation) -> list[Diagnosis]:
    """The check's diagnoses; a check that exceeds the limit is left running in its daemon thread."""
    found: list[Diagnosis] = []

    def run() -> None:
        try:
            found.extend(check(installation))
        except Exception as error:  # noqa: BLE001 - the boundary: a check that breaks must not end the others
            problem = f"could not be looked at: {type(error).__name__}"
            found.append(fail(subject, problem, fix="Put right what is told above; if all of that is well, tell us."))

    thread = threading.Thread(target=run, name=f"doctor-{subject}", daemon=True)
    thread.start()
    thread.join(limit_s)
    if thread.is_alive():
        return [fail(subject, f"no answer within {limit_s:g} s", fix="What it asks hangs: look at network and server.")]
    return found
