"""The bot: its parts assembled, and its background tasks."""

from dataclasses import dataclass
from datetime import timedelta

from bot.clock import Clock, SharedClock, now
from bot.config import Settings
from bot.handlers.incident import similar, updates
from bot.handlers.items import handovers as item_handovers
from bot.handlers.items.reminders import plan_summary, tick
from bot.handlers.offline import OfflineQueue
from bot.handlers.sources import alerts, lead_up
from bot.server.supervisor import Supervisor
from bot.slack.client import Client
from bot.slack.context import SlackContext
from bot.slack.identity import Identity
from bot.slack.inbound import listeners
from bot.slack.inbound.requests import Requests
from bot.slack.members import Members
from bot.slack.outbound import blocks, outgoing
from bot.slack.outbound.delivery import Delivery
from bot.slack.outbound.presence import Presence
from bot.slack.refusals import TOKEN_REFUSED
from bot.telemetry.context import NO_METRICS, ContextThreadPool, Metrics
from storage import outbox, retention
from storage.database import Database
from storage.search import index as search_index

RESUME_WITHIN = timedelta(days=1)
"""The age up to which messages that failed for a refused token are sent after all; older ones are out of date."""
RETENTION = timedelta(days=30)
"""How long the database keeps what was sent, and the receipts that make a repeat recognisable."""
BACKFILL_KEPT = timedelta(days=1)
"""How long a conversation that was read waits for somebody to choose from it."""
_BACKGROUND_THREADS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Bot:
    """The running bot: Bolt's app, which the transports call, and the tasks that the scheduler calls."""

    app: listeners.ScribeApp
    context: SlackContext
    presence: Presence
    supervisor: Supervisor

    def start(self, *, ensured: bool = True) -> None:
        """Start delivery, and fetch the bot's identity and the members in the background.

        Unless `ensured`, the database has not been reached yet: requests go to the spool until it is.
        """
        self.context.offline.start(ensured=ensured)
        self.context.delivery.start()
        self.context.executor.submit(self.refresh)

    def refresh(self) -> None:
        """Fetch the bot's identity and the members; send what Slack refused while the token was invalid."""
        context = self.context
        if not context.identity.learn() or not context.identity.team_id:
            return
        self._resume()
        context.members.register(context.identity.team_id, context.identity.facts.bot_user_id)
        context.members.refresh(context.identity.team_id)
        if context.settings.summary_channel:
            with context.database.write() as connection:
                plan_summary(connection, context.identity.team_id, at=context.clock(), cadence=context.settings.cadence)

    def list_members(self) -> None:
        """Go on with the list of members, where Slack asked to wait."""
        if (team_id := self.context.identity.team_id) is not None:
            self.context.members.go_on(team_id)

    def _resume(self) -> None:
        """Make the jobs due again that Slack refused for the token, if they are younger than RESUME_WITHIN."""
        at = self.context.clock()
        ours = self.context.identity.only_workspace
        with self.context.database.write() as connection:
            outbox.requeue(connection, problems=TOKEN_REFUSED, workspace_id=ours, since_at=at - RESUME_WITHIN, at=at)
        self.context.delivery.wake()

    def remind(self) -> None:
        """Put the hand-overs and the reminders that are due into the outbox; see to what of it was set aside."""
        self.context.delivery.retry_known()
        database, settings, at = self.context.database, self.context.settings, self.context.clock()
        try:
            # First, so that the digests of the same moment leave out what these tell.
            self.hand_over()
        finally:
            # Whatever keeps these from being told must not keep the reminders waiting.
            if tick(database, settings.cadence, at=at):
                self.context.delivery.wake()

    def hand_over(self) -> None:
        """Put the hand-overs that are due into the outbox, most of them a moment after the change that they tell."""
        if item_handovers.tick(self.context.database, self.context.settings.cadence, at=self.context.clock()):
            self.context.delivery.wake()

    def nudge(self) -> None:
        """Put the nudges that are due into the outbox: at any hour, as incidents have no working hours."""
        context = self.context
        at, ours = context.delivery.clock(), context.identity.only_workspace
        if updates.tick(context.database, context.settings, at=at, workspace_id=ours):
            context.delivery.wake()

    def hear(self) -> None:
        """See to what sources outside of Slack told since, and to what is like an incident that was just declared."""
        context = self.context
        at, ours = context.clock(), context.identity.only_workspace
        told = alerts.tick(context.database, context.settings, at=at, workspace_id=ours)
        offered = lead_up.tick(context.database, at=at, workspace_id=ours)
        shown = similar.tick(context.database, at=at, workspace_id=ours) if context.settings.similar else 0
        if told or offered or shown:
            context.delivery.wake()

    def index(self) -> None:
        """Index the words of what was recorded just now; a search reads what is not indexed yet."""
        search_index.catch_up(self.context.database)

    def prune(self) -> None:
        """Delete what is older than RETENTION, and conversations that nobody chose from within BACKFILL_KEPT."""
        at = self.context.clock()
        retention.prune(self.context.database, before=at - RETENTION, backfills_before=at - BACKFILL_KEPT)

    def replay_spool(self) -> None:
        """Carry out the requests of the spool, if the database is back, and what waits for channels just joined."""
        if self.context.offline.replay():
            self.context.delivery.wake()
        if not self.context.offline.away:
            self.presence.admit_joined()

    def stop(self) -> None:
        """Finish the work that has begun, and stop all threads."""
        self.context.executor.shutdown(wait=True, cancel_futures=True)
        self.context.members.stop()
        self.context.delivery.stop()
        self.supervisor.stop()
        self.context.offline.stop()


def build(
    settings: Settings,
    database: Database,
    *,
    clock: Clock = now,
    shared: SharedClock | None = None,
    metrics: Metrics = NO_METRICS,
) -> Bot:
    """The bot for these settings and this database; starts no thread and calls no method of Slack's.

    `shared` is the clock of all bots that use the database, by which the outbox waits; without it that is `clock`.
    """
    supervisor = Supervisor(metrics)
    token = settings.bot_token.get_secret_value()
    client = Client(clock=clock, metrics=metrics, token=token, base_url=settings.api_url)
    executor = ContextThreadPool(max_workers=_BACKGROUND_THREADS, thread_name_prefix="background")
    identity = Identity(client)
    # A separate pool: look-ups that wait for Slack must not delay a form beyond its trigger's three seconds.
    members = Members(
        client, database, clock, ContextThreadPool(_BACKGROUND_THREADS, thread_name_prefix="members"), identity
    )
    requests = Requests(settings, members, identity)
    context = SlackContext(
        settings=settings,
        database=database,
        clock=clock,
        client=client,
        identity=identity,
        members=members,
        requests=requests,
        delivery=Delivery(database, clock, identity, metrics, supervisor=supervisor, shared=shared),
        offline=OfflineQueue(database, settings, clock, metrics, requests.locate, blocks.message),
        executor=executor,
        metrics=metrics,
    )
    presence = Presence(context)
    context.delivery.use(outgoing.actions(context), presence.look, presence.park)
    return Bot(
        app=listeners.listen(context, settings, presence), context=context, presence=presence, supervisor=supervisor
    )
