"""What the checks look at: the settings, Slack's answers, the store; each asked for once, when first needed."""

from dataclasses import dataclass
from functools import cached_property

from bot.clock import Clock
from bot.config import Settings
from bot.slack.asking import Answer, ask
from storage.database import Database
from storage.vitals import reach


@dataclass(kw_only=True)
class Patient:
    """One installation. `answers` is set once the database was found to answer; until then nobody looks into it."""

    settings: Settings
    clock: Clock
    answers: bool = False

    @cached_property
    def bot(self) -> Answer:
        """What Slack says of the bot's token."""
        return self._ask("auth.test", self.settings.bot_token.get_secret_value())

    @cached_property
    def app(self) -> Answer:
        """What Slack says of the app's token. It gives an address to connect to; nobody connects."""
        return self._ask("apps.connections.open", self.settings.app_token.get_secret_value())

    @cached_property
    def database(self) -> Database:
        """The database. Raises ValueError for an address that is none."""
        return reach(self.settings.database_url)

    def close(self) -> None:
        """Give back what was opened."""
        if "database" in self.__dict__:
            self.database.close()

    def _ask(self, method: str, token: str) -> Answer:
        return ask(method, token=token, api_url=self.settings.api_url, clock=self.clock)
