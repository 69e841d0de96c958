"""Delivers payloads to the bot, over HTTP or Socket Mode, and carries out what its acks say."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.fakeslack import payloads
from bot.fakeslack.delivery import Ack, PayloadDelivery, Transport
from bot.fakeslack.interactivity import ResponseUrls, Triggers, post_response
from bot.fakeslack.objects import Message, View
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError
from bot.fakeslack.views import require_valid_view
from bot.fakeslack.workspace import Workspace

INVALID_RESPONSE = "invalid_response_action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The bot's answer to one delivery.

    `status` is the HTTP status, 200 for an ack over Socket Mode, 0 when nothing came in time. `message` is
    what the ack's body made appear, and `text` its words, or empty. `error` is what Slack would tell the
    person, or why it would not show the answer; `details` say more.
    """

    status: int
    elapsed_s: float
    delivery: PayloadDelivery
    user: str
    channel: str | None = None
    view_id: str | None = None
    body: Json = field(default_factory=dict)
    late: bool = False
    error: str | None = None
    details: tuple[str, ...] = ()
    message: Message | None = None

    @property
    def text(self) -> str:
        """The words of the message the ack made appear; empty if none did."""
        return self.message.text if self.message else ""

    @property
    def ok(self) -> bool:
        """Whether Slack took it."""
        return self.error is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A delivery and whom it is for: `user`, in `channel` or in the view `view_id`."""

    delivery: PayloadDelivery
    user: str
    channel: str | None = None
    view_id: str | None = None


def read(workspace: Workspace, job: Job, ack: Ack) -> Answer:
    """Read an ack, and do in the workspace what it says."""
    error, message = ack.error, None
    details: tuple[str, ...] = ()
    if error is None:
        try:
            message = _carry_out(workspace, job, ack.body)
        except ApiError as refused:
            error, details = refused.error, refused.details
    return Answer(
        status=ack.status,
        elapsed_s=ack.elapsed_s,
        delivery=job.delivery,
        user=job.user,
        channel=job.channel,
        view_id=job.view_id,
        body=ack.body,
        late=ack.late,
        error=error,
        details=details,
        message=message,
    )


def _carry_out(workspace: Workspace, job: Job, body: Json) -> Message | None:
    if job.delivery.kind == "slash_commands" and job.channel and body:
        return post_response(workspace, body, user=job.user, channel=job.channel)
    if job.delivery.payload.get("type") == "view_submission":
        view = workspace.find_view(view_id=job.view_id)
        if view:
            _respond(workspace, view, body)
    return None


def _respond(workspace: Workspace, view: View, body: Json) -> None:
    action = body.get("response_action")
    if not body:
        workspace.close_view(view.user)
    elif action == "clear":
        workspace.close_view(view.user, all_of_them=True)
    elif action == "errors":
        _check_errors(view, body.get("errors"))
    elif action in {"update", "push"}:
        _show(workspace, view, body)
    else:
        raise ApiError(INVALID_RESPONSE, f"[ERROR] unknown response_action: {action}")


def _show(workspace: Workspace, view: View, body: Json) -> None:
    content = body.get("view")
    if not isinstance(content, dict):
        raise ApiError(INVALID_RESPONSE, "[ERROR] missing required field: view")
    require_valid_view(content, "modal")
    if body["response_action"] == "update":
        workspace.change_view(view, content)
    else:
        workspace.push_view(view.user, content, previous=view)


def _check_errors(view: View, errors: object) -> None:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise ApiError(INVALID_RESPONSE, "[ERROR] missing required field: errors")
    strange = errors.keys() - inputs
    if strange:
        raise ApiError(INVALID_RESPONSE, f"[ERROR] no input blocks: {', '.join(sorted(strange))}")


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
