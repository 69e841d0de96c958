"""Where it takes place: a small Slack with one person in it, and a folder that is gone afterwards."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zlib import crc32

from bot.clock import now
from bot.fakeslack.slack import Slack
from tests.benchmarks.requests import Typist


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The stand-in for Slack, a folder, and Alice, whose zone is known, in a channel."""

    slack: Slack
    folder: Path
    alice: str
    channel: str

    @property
    def author_name(self) -> Typist:
        """Alice in the channel."""
        return self.in_channel(self.channel)

    def in_channel(self, channel: str) -> Typist:
        """Alice in another channel."""
        return Typist(secret=self.slack.signing_secret, user=self.alice, channel=channel)

    def sqlite(self, name: str = "scribe") -> str:
        """The URL of an SQLite file in the folder."""
        return f"sqlite:///{self.folder / name}.db"

    def settings(self, url: str) -> Mapping[str, str]:
        """The environment that makes `scribe run` serve HTTP for this Slack, over the database at `url`."""
        return self._common(url) | {"SLACK_SIGNING_SECRET": self.slack.signing_secret}

    def socket_settings(self, url: str) -> Mapping[str, str]:
        """The same for Socket Mode."""
        return self._common(url) | {"SLACK_APP_TOKEN": self.slack.app_token}

    def _common(self, url: str) -> dict[str, str]:
        return {
            "DATABASE_URL": url,
            # Of its own for each bot: what one keeps while its database is busy is not another's.
            "SCRIBE_SPOOL": str(self.folder / f"spool-{crc32(url.encode())}"),
            "SLACK_API_URL": self.slack.api_url,
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SCRIBE_LOG_LEVEL": "WARNING",
        }


@contextmanager
def office() -> Iterator[Office]:
    """An office that is open for the block."""
    slack = Slack(clock=now)
    with TemporaryDirectory(prefix="scribe-benchmark-") as folder, slack.serving():
        alice = slack.add_user("alice", zone="Europe/Berlin")
        yield Office(slack=slack, folder=Path(folder), alice=alice, channel=slack.add_channel("incident"))
