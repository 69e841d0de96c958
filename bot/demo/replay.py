"""Replay a case file: a stand-in Slack types its commands at their own times to the real bot, over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.clock import SetClock
from bot.config import Settings
from bot.demo.bot_process import serve_http
from bot.demo.casefile import Case, read_case
from bot.documents.export import FORMATS
from bot.documents.templates import TemplateCatalog
from bot.errors import UsageError
from bot.fakeslack.slack import Slack
from bot.handlers.postmortem.audiences import edition_of
from bot.handlers.postmortem.drafts import in_template
from bot.handlers.postmortem.exports import read_by_name
from bot.slack.bot import Bot, build
from storage import schema
from storage.database import Database

_MAX_CHANNEL_NAME = 80
"""Slack's limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayResult:
    """The case's id, and its documents by the suffix of their files."""

    id: str
    documents: dict[str, str]


def replay_file(
    path: Path, template: str | None = None, edition: str | None = None, *, templates: str = ""
) -> ReplayResult:
    """Replay the case in the file, and write it in that template and edition.

    `templates` is the folder of the operator's own. With an edition there is no JSON, which is the whole record. Raises
    UsageError for a broken file or template, or naming the command that Scribe refused.
    """
    if template:
        TemplateCatalog(Path(templates) if templates else None).find(template)
    case = read_case(path)
    try:
        with replayed(case, templates) as bot:
            database, settings = bot.context.database, bot.context.settings
            record, formats = read_by_name(database, "INC-1"), dict(FORMATS)
            if template:
                record = in_template(database, record, template, settings)
            if edition:
                record = edition_of(database, record, edition, settings).record
                del formats["json"]
            return ReplayResult(id=case.id, documents={suffix: write(record) for suffix, write in formats.items()})
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None


@contextmanager
def replayed(case: Case, templates: str = "") -> Iterator[Bot]:
    """The bot after it has taken every command of the case, over a database and a spool that are then deleted.

    Raises UsageError naming the first command that it refused.
    """
    clock = SetClock(case.commands[0].at)
    slack = Slack(clock=clock)
    with slack.serving(), TemporaryDirectory(prefix="scribe-") as folder:
        settings = Settings.from_env(
            {
                "SLACK_BOT_TOKEN": slack.bot_token,
                "SLACK_SIGNING_SECRET": slack.signing_secret,
                "SLACK_API_URL": slack.api_url,
                "SCRIBE_TIMEZONE": case.timezone,
                "SCRIBE_TEMPLATES": templates,
                "SCRIBE_SPOOL": f"{folder}/spool",
            }
        )
        database = Database(f"sqlite:///{folder}/replay.db")
        schema.migrate(database)
        bot = build(settings, database, clock=clock)
        try:
            with serve_http(bot, settings, slack):
                _play(case, slack, bot, clock)
                bot.context.delivery.deliver_due()
                yield bot
        finally:
            bot.stop()
            database.close()


def _play(case: Case, slack: Slack, bot: Bot, clock: SetClock) -> None:
    channel = slack.add_channel(case.id[:_MAX_CHANNEL_NAME])
    people = {name: slack.add_user(name, zone=case.timezone) for name in case.people}
    bot.refresh()
    for typed in case.script:
        clock.set(typed.at)
        answer = slack.command(people[typed.user], channel, typed.command, typed.text)
        # Scribe confirms a recorded command to the channel; a refusal goes to its author alone.
        if answer.body.get("response_type") != "in_channel":
            raise UsageError(f"{typed.command} {typed.text}: {answer.text or answer.error or answer.status}")
