"""The bot: its parts, put together, and what it does in the background."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from slack_bolt import App

from bot.clock import Clock, now
from bot.config import Settings
from bot.handlers.items.reminders import plan_summary, tick
from bot.handlers.offline import OfflineQueue
from bot.slack.client import Client
from bot.slack.context import CALL_S, SlackContext
from bot.slack.identity import TOKEN_REFUSED, Identity
from bot.slack.inbound import listeners
from bot.slack.inbound.requests import Requests
from bot.slack.members import Members
from bot.slack.outbound import outgoing
from bot.slack.outbound.delivery import Delivery
from bot.telemetry.context import NO_METRICS, ContextThreadPool, Metrics
from storage import outbox, receipts
from storage.database import Database

_BACKGROUND = 4
NEWS = timedelta(days=1)
"""How long it is still worth saying what Slack did not take because of the token."""
KEPT = timedelta(days=30)
"""How long the store remembers what was sent, and the answers that make a repeat recognisable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """The running parts: Bolt's app for the transports, and what works in the background."""

    app: App
    context: SlackContext

    def start(self, *, ensured: bool = True) -> None:
        """Begin to deliver, and learn who we are and who works here.

        Unless `ensured`, the database could not be reached yet: what is typed is kept until it can.
        """
        self.context.offline.start(ensured=ensured)
        self.context.delivery.start()
        self.context.executor.submit(self.refresh)

    def refresh(self) -> None:
        """Ask Slack who we are, and who the workspace's members are."""
        if self.context.identity.learn() and self.context.identity.team_id:
            self._resume()
            self.context.members.refresh(self.context.identity.team_id)
            self._plan_summary(self.context.identity.team_id)

    def _resume(self) -> None:
        """Say what could not be said while Slack did not take the token, unless it is old news by now."""
        at = self.context.clock()
        ours = self.context.identity.only_workspace
        with self.context.database.write() as connection:
            outbox.requeue(connection, problems=TOKEN_REFUSED, workspace_id=ours, since_at=at - NEWS, at=at)
        self.context.delivery.wake()

    def _plan_summary(self, team_id: str) -> None:
        if self.context.settings.summary_channel:
            with self.context.database.write() as connection:
                plan_summary(connection, team_id, at=self.context.clock(), cadence=self.context.settings.cadence)

    def remind(self) -> None:
        """Look whether anybody is to be reminded, and let the outbox tell them."""
        if tick(self.context.database, self.context.settings.cadence, at=self.context.clock()):
            self.context.delivery.wake()

    def prune(self) -> None:
        """Forget what was sent and answered long ago."""
        before = self.context.clock() - KEPT
        for table in (outbox, receipts):
            with self.context.database.write() as connection:
                table.prune(connection, before=before)

    def replay_spool(self) -> None:
        """Write down what was kept while the database was away, if it is back."""
        if self.context.offline.replay():
            self.context.delivery.wake()

    def stop(self) -> None:
        """Finish what is in hand."""
        self.context.executor.shutdown(wait=True, cancel_futures=True)
        self.context.members.stop()
        self.context.delivery.stop()
        self.context.offline.stop()


def build(settings: Settings, database: Database, *, clock: Clock = now, metrics: Metrics = NO_METRICS) -> Bot:
    """The bot for these settings, over this database; nothing runs yet and nothing is asked of Slack."""
    token = settings.bot_token.get_secret_value()
    client = Client(clock=clock, metrics=metrics, token=token, base_url=settings.api_url, timeout=CALL_S)
    executor = ContextThreadPool(max_workers=_BACKGROUND, thread_name_prefix="background")
    identity = Identity(client)
    # Threads of their own: a look-up that waits for Slack must not keep a form from opening in its three seconds.
    members = Members(client, database, clock, ThreadPoolExecutor(_BACKGROUND, thread_name_prefix="members"))
    requests = Requests(settings, members)
    context = SlackContext(
        settings=settings,
        database=database,
        clock=clock,
        client=client,
        identity=identity,
        members=members,
        requests=requests,
        delivery=Delivery(database, clock, identity, metrics),
        offline=OfflineQueue(database, settings, clock, metrics, requests.locate),
        executor=executor,
        metrics=metrics,
    )
    context.delivery.use(outgoing.actions(context))
    return Bot(app=listeners.listen(context, settings), context=context)
