"""Sends deliveries to the bot, over HTTP or Socket Mode, and keeps what came back."""

from collections.abc import Callable
from dataclasses import replace

from bot.fakeslack import payloads
from bot.fakeslack.answers import Answer, Job, read
from bot.fakeslack.delivery import PayloadDelivery, Transport
from bot.fakeslack.interactivity import ResponseUrls
from bot.fakeslack.objects import View
from bot.fakeslack.schema import Json
from bot.fakeslack.triggers import Triggers
from bot.fakeslack.workspace import Workspace


class Dispatcher:
    """`courier` gives the way to the bot as it is now; `answers` and `undelivered` are kept in order."""

    def __init__(
        self, workspace: Workspace, *, triggers: Triggers, hooks: ResponseUrls, courier: Callable[[], Transport]
    ) -> None:
        self._workspace = workspace
        self._triggers = triggers
        self._hooks = hooks
        self._courier = courier
        self.address = ""
        self.answers: list[Answer] = []
        self.undelivered: list[Answer] = []

    def urls(
        self, user: str, channel: str, *, original_ts: str | None = None, trigger_id: str | None = None
    ) -> tuple[str, str]:
        """A response_url and a trigger_id for something a person does in a channel."""
        path = self._hooks.issue(user=user, channel=channel, original_ts=original_ts)
        return self.address + path, self._triggers.issue(user, trigger_id)

    def command(self, payload: Json) -> Answer:
        """Deliver a slash command."""
        delivery = PayloadDelivery(kind="slash_commands", payload=payload, takes_payload=True)
        return self.send(Job(delivery=delivery, user=payload["user_id"], channel=payload["channel_id"]))

    def interaction(self, payload: Json, *, channel: str | None = None, view: View | None = None) -> Answer:
        """Deliver an interaction. Only a submitted view may be answered with a body."""
        delivery = PayloadDelivery(
            kind="interactive", payload=payload, takes_payload=payload["type"] == "view_submission"
        )
        view_id = view.id if view else None
        job = Job(delivery=delivery, user=payload["user"]["id"], channel=channel, view_id=view_id)
        return self.send(job)

    def event(self, content: Json, *, user: str, channel: str | None = None) -> Answer:
        """Deliver an event; one that is not acked is kept in `undelivered`."""
        delivery = PayloadDelivery(kind="events_api", payload=payloads.event(self._workspace, content))
        return self.send(Job(delivery=delivery, user=user, channel=channel))

    def repeat(self, answer: Answer) -> Answer:
        """The same delivery once more, as a retry."""
        delivery = replace(answer.delivery, retries=answer.delivery.retries + 1)
        return self.send(Job(delivery=delivery, user=answer.user, channel=answer.channel, view_id=answer.view_id))

    def send(self, job: Job) -> Answer:
        """Deliver, wait, and do what the ack says."""
        ack = self._courier().deliver(job.delivery)
        answer = read(self._workspace, job, ack)
        with self._workspace.lock:
            self.answers.append(answer)
            if answer.error and job.delivery.kind == "events_api":
                self.undelivered.append(answer)
            self._workspace.touch()
        return answer
