"""What is examined, and what an examination says."""

from dataclasses import dataclass
from functools import cached_property

from bot.clock import Clock
from bot.config import Settings
from bot.slack.client import ProbeAnswer, probe
from storage.database import Database, open_for_diagnosis

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """`level` is `ok`, `warn` (Scribe works, less well) or `fail`. `fix` is what to do, if anything."""

    level: str
    about: str
    says: str
    fix: str = ""


def ok(about: str, says: str) -> Diagnosis:
    """All is well."""
    return Diagnosis(level=OK, about=about, says=says)


def warn(about: str, says: str, *, fix: str) -> Diagnosis:
    """It works, less well than it could, or will soon not."""
    return Diagnosis(level=WARN, about=about, says=says, fix=fix)


def fail(about: str, says: str, *, fix: str) -> Diagnosis:
    """It does not work."""
    return Diagnosis(level=FAIL, about=about, says=says, fix=fix)


@dataclass(kw_only=True)
class Installation:
    """One installation. `answers` is set once the database was found to answer; until then nobody looks into it."""

    settings: Settings
    clock: Clock
    answers: bool = False

    @cached_property
    def bot(self) -> ProbeAnswer:
        """What Slack says of the bot's token."""
        return self._ask("auth.test", self.settings.bot_token.get_secret_value())

    @cached_property
    def app(self) -> ProbeAnswer:
        """What Slack says of the app's token. It gives an address to connect to; nobody connects."""
        return self._ask("apps.connections.open", self.settings.app_token.get_secret_value())

    @cached_property
    def database(self) -> Database:
        """The database. Raises ValueError for an address that is none."""
        return open_for_diagnosis(self.settings.database_url)

    def close(self) -> None:
        """Give back what was opened."""
        if "database" in self.__dict__:
            self.database.close()

    def _ask(self, method: str, token: str) -> ProbeAnswer:
        return probe(method, token=token, api_url=self.settings.api_url, clock=self.clock)
