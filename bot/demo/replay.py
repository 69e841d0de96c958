"""Play an incident back through the real boundary: a small Slack types its commands at their own times."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.clock import SetClock
from bot.config import Settings
from bot.demo.casefile import Case, read_case
from bot.documents.export import FORMATS
from bot.errors import UsageError
from bot.fakeslack.slack import Slack
from bot.handlers.postmortem.exports import read_by_name
from bot.server.threaded import ServerThread, base_url, listen
from bot.slack.bot import Bot, build
from bot.slack.inbound.http import application
from storage import schema
from storage.database import Database

SAMPLE = Path(__file__).parent / "cases" / "checkout-2026-03-12-coupons.json"
_CHANNEL_LENGTH = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of a case: its id, and each document by the suffix of its file."""

    id: str
    documents: dict[str, str]


def replay_file(path: Path) -> Replayed:
    """Play the case in the file. Raises UsageError for a broken file, or naming the command Scribe refused."""
    case = read_case(path)
    clock = SetClock(case.commands[0].at)
    slack = Slack(clock=clock)
    with slack.serving(), _bot(slack, clock, case) as bot:
        try:
            _play(case, slack, bot, clock)
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from None
        bot.context.delivery.deliver_due()
        record = read_by_name(bot.context.database, "INC-1")
        return Replayed(id=case.id, documents={suffix: write(record) for suffix, write in FORMATS.items()})


@contextmanager
def _bot(slack: Slack, clock: SetClock, case: Case) -> Iterator[Bot]:
    """The real bot behind its real HTTP face, with a database and a spool of its own."""
    with TemporaryDirectory(prefix="scribe-") as folder:
        settings = Settings.from_env(
            {
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_SIGNING_SECRET": slack.signing_secret,
                "SLACK_API_URL": slack.api_url,
                "SCRIBE_TIMEZONE": case.timezone,
                "SCRIBE_SPOOL": f"{folder}/spool",
            }
        )
        database = Database(f"sqlite:///{folder}/replay.db")
        schema.migrate(database)
        bot = build(settings, database, clock=clock)
        listener = listen(0)
        server = ServerThread(application(bot, settings), listener)
        server.start()
        slack.deliver_to(f"{base_url(listener)}/slack/events")
        try:
            yield bot
        finally:
            server.stop()
            bot.stop()
            database.close()


def _play(case: Case, slack: Slack, bot: Bot, clock: SetClock) -> None:
    channel = slack.add_channel(case.id[:_CHANNEL_LENGTH])
    people = {name: slack.add_user(name, zone=case.timezone) for name in case.people}
    bot.refresh()
    for typed in case.script:
        clock.set(typed.at)
        _say(slack, people[typed.user], channel, typed.command, typed.text)


def _say(slack: Slack, user: str, channel: str, command: str, text: str) -> None:
    answer = slack.command(user, channel, command, text)
    if answer.body.get("response_type") != "in_channel":
        raise UsageError(f"{command} {text}: {answer.text or answer.error or answer.status}")
