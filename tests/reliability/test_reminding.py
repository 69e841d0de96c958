"""Four processes remind from one PostgreSQL at once, two of them are killed: each person is reminded once."""

import signal
from collections import Counter
from datetime import timedelta

from sqlalchemy import func, select

from bot.clock import SetClock
from bot.config import Settings
from bot.fakeslack.objects import Message
from bot.fakeslack.slack import Slack
from bot.slack.bot import build
from storage.database import Database
from storage.models import outbox, reminders
from tests.support.crew import go, staffed, workers
from tests.support.ledger import expire_leases
from tests.support.many_items import AT, seed

ITEMS, WORKERS = 240, 4


def told(slack: Slack, people: int) -> dict[str, list[Message]]:
    return {f"U{number}": slack.messages(f"U{number}") for number in range(people)}


def posted(slack: Slack) -> int:
    return sum(call.method == "chat.postMessage" and not call.error for call in slack.calls)


def test_killed_in_the_middle_or_not_each_owner_is_told_once(postgres: Database) -> None:
    with postgres.write() as connection:
        seed(connection, ITEMS, owners=ITEMS, due=ITEMS)
    slack = Slack(clock=SetClock(AT))
    with slack.serving():
        staffed(slack, ITEMS)
        environment = {
            "DATABASE_URL": postgres.url.render_as_string(hide_password=False),
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_API_URL": slack.api_url,
        }
        with workers(environment, WORKERS) as running:
            go(running)
            claiming, sending, *others = running
            slack.wait_for(lambda: _written(postgres) > 0)
            claiming.send_signal(signal.SIGKILL)
            slack.wait_for(lambda: posted(slack) >= ITEMS // 4)
            sending.send_signal(signal.SIGKILL)
            assert [each.wait(timeout=120) for each in others] == [0, 0]
        settings = Settings.from_env(environment)
        expire_leases(postgres)
        later = build(settings, postgres, clock=SetClock(AT + timedelta(minutes=1)))
        later.remind()
        later.context.delivery.deliver_due()
        later.stop()
        counts = Counter({user: len(messages) for user, messages in told(slack, ITEMS).items()})
    twice = {user for user, count in counts.items() if count > 1}
    assert set(counts.values()) <= {1, 2}
    # Only jobs of a killed process may be sent twice: Slack had accepted them, and that was not committed.
    assert twice <= _tried_again(postgres)
    assert len(_tried_again(postgres)) <= 2
    assert _rows(postgres) == (ITEMS, ITEMS, "sent")


def _written(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(outbox)).scalar_one()


def _tried_again(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(select(outbox.c.lane).where(outbox.c.attempts > 1)).scalars())


def _rows(database: Database) -> tuple[int, int, str]:
    """How many digests were written, how many items were told, and the state of every job."""
    with database.read() as connection:
        told_items = select(func.count()).select_from(reminders).where(reminders.c.told_on == AT.date())
        (state,) = connection.execute(select(outbox.c.state).distinct()).scalars()
        return _written(database), connection.execute(told_items).scalar_one(), state
