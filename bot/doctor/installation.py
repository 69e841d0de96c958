"""What the checks examine, and the diagnoses they return."""

from dataclasses import dataclass
from functools import cached_property

from bot.clock import Clock
from bot.config import Settings
from bot.slack.trial import ProbeAnswer, probe
from storage.database import Database, open_for_diagnosis

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """`level` is OK, WARN (Scribe works, with a limitation or only for now) or FAIL; only OK has no `fix`."""

    level: str
    subject: str
    message: str
    fix: str = ""


def ok(subject: str, message: str) -> Diagnosis:
    """A diagnosis that nothing is wrong."""
    return Diagnosis(level=OK, subject=subject, message=message)


def warn(subject: str, message: str, *, fix: str) -> Diagnosis:
    """A diagnosis of something that works less well than it could, or will stop working."""
    return Diagnosis(level=WARN, subject=subject, message=message, fix=fix)


def fail(subject: str, message: str, *, fix: str) -> Diagnosis:
    """A diagnosis of something that does not work."""
    return Diagnosis(level=FAIL, subject=subject, message=message, fix=fix)


@dataclass(kw_only=True)
class Installation:
    """The settings, and what they lead to, reached when a check first needs it.

    `is_reachable` is set once the database has taken a write; the checks of its content run only then.
    """

    settings: Settings
    clock: Clock
    is_reachable: bool = False

    @cached_property
    def bot(self) -> ProbeAnswer:
        """Slack's answer to the bot's token."""
        return self._probe("auth.test", self.settings.bot_token.get_secret_value())

    @cached_property
    def app(self) -> ProbeAnswer:
        """Slack's answer to the app's token: the URL of a connection, which is not opened."""
        return self._probe("apps.connections.open", self.settings.app_token.get_secret_value())

    @cached_property
    def database(self) -> Database:
        """The database. Raises ValueError for an invalid URL."""
        return open_for_diagnosis(self.settings.database_url)

    def close(self) -> None:
        """Close the database if a check has opened it."""
        if "database" in self.__dict__:
            self.database.close()

    def _probe(self, method: str, token: str) -> ProbeAnswer:
        return probe(method, token=token, api_url=self.settings.api_url, clock=self.clock)
