"""Delivers payloads to the app and carries out the acks: shows messages, closes, updates and pushes modals."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from bot.fakeslack import payloads
from bot.fakeslack.delivery import PayloadDelivery, Transport
from bot.fakeslack.interactivity import ResponseUrls, Triggers, post_response
from bot.fakeslack.objects import Message, View
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError
from bot.fakeslack.views import check_view_of_type
from bot.fakeslack.workspace import Workspace

INVALID_RESPONSE_ACTION = "invalid_response_action"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The app's answer to one delivery, which `user` caused in `channel` or in the view `view_id`.

    `status` is the HTTP status, 200 for an ack over Socket Mode, 0 without an ack in time. `message` is the message
    posted for the body of the ack. `error` is the code that Slack shows the person, or why Slack would not show the
    answer; `details` has the messages.
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
        """The text of the message posted for the ack, or an empty string."""
        return self.message.text if self.message else ""

    @property
    def ok(self) -> bool:
        """Whether Slack accepted the answer."""
        return self.error is None


class Dispatcher:
    """Delivers over the transport in use and records every answer, oldest first.

    `transport` returns the transport for the next delivery. `undelivered` are the events that got no valid ack.
    """

    def __init__(
        self,
        workspace: Workspace,
        *,
        triggers: Triggers,
        response_urls: ResponseUrls,
        transport: Callable[[], Transport],
    ) -> None:
        self._workspace = workspace
        self._triggers = triggers
        self._response_urls = response_urls
        self._transport = transport
        self.address = ""
        self.answers: list[Answer] = []
        self.undelivered: list[Answer] = []

    def issue_urls(
        self, user: str, channel: str, *, original_ts: str | None = None, trigger_id: str | None = None
    ) -> tuple[str, str]:
        """Issue a response_url and a trigger_id for an action of a person in a channel."""
        path = self._response_urls.issue(user=user, channel=channel, original_ts=original_ts)
        return self.address + path, self._triggers.issue(user, trigger_id)

    def command(self, payload: Json) -> Answer:
        """Deliver a slash command."""
        delivery = PayloadDelivery(kind="slash_commands", payload=payload, takes_payload=True)
        return self._deliver(delivery, user=payload["user_id"], channel=payload["channel_id"])

    def interaction(self, payload: Json, *, channel: str | None = None, view: View | None = None) -> Answer:
        """Deliver an interaction. Slack reads the body of the ack only for a view submission."""
        takes_payload = payload["type"] == "view_submission"
        delivery = PayloadDelivery(kind="interactive", payload=payload, takes_payload=takes_payload)
        view_id = view.id if view else None
        return self._deliver(delivery, user=payload["user"]["id"], channel=channel, view_id=view_id)

    def event(self, content: Json, *, user: str, channel: str | None = None) -> Answer:
        """Deliver an event."""
        delivery = PayloadDelivery(kind="events_api", payload=payloads.event(self._workspace, content))
        return self._deliver(delivery, user=user, channel=channel)

    def repeat(self, answer: Answer) -> Answer:
        """Deliver the same payload again, as a retry."""
        delivery = replace(answer.delivery, retries=answer.delivery.retries + 1)
        return self._deliver(delivery, user=answer.user, channel=answer.channel, view_id=answer.view_id)

    def _deliver(
        self, delivery: PayloadDelivery, *, user: str, channel: str | None = None, view_id: str | None = None
    ) -> Answer:
        if channel in self._workspace.channels:
            shared = payloads.in_channel(self._workspace, delivery.payload, self._workspace.channels[channel])
            delivery = replace(delivery, payload=shared)
        ack = self._transport().deliver(delivery)
        answer = Answer(
            status=ack.status,
            elapsed_s=ack.elapsed_s,
            delivery=delivery,
            user=user,
            channel=channel,
            view_id=view_id,
            body=ack.body,
            late=ack.late,
            error=ack.error,
        )
        if answer.ok:
            try:
                answer = replace(answer, message=self._carry_out(answer))
            except ApiError as refused:
                answer = replace(answer, error=refused.error, details=refused.details)
        with self._workspace.lock:
            self.answers.append(answer)
            if answer.error and delivery.kind == "events_api":
                self.undelivered.append(answer)
            self._workspace.touch()
        return answer

    def _carry_out(self, answer: Answer) -> Message | None:
        if answer.delivery.kind == "slash_commands" and answer.channel and answer.body:
            return post_response(self._workspace, answer.body, user=answer.user, channel=answer.channel)
        if answer.delivery.payload.get("type") == "view_submission":
            view = self._workspace.find_view(view_id=answer.view_id)
            if view:
                self._carry_out_response_action(view, answer.body)
        return None

    def _carry_out_response_action(self, view: View, body: Json) -> None:
        action = body.get("response_action")
        if not body:
            self._workspace.close_view(view.user)
        elif action == "clear":
            self._workspace.close_view(view.user, all_of_them=True)
        elif action == "errors":
            _check_form_errors(view, body.get("errors"))
        elif action in {"update", "push"}:
            content = body.get("view")
            if not isinstance(content, dict):
                raise ApiError(INVALID_RESPONSE_ACTION, "[ERROR] missing required field: view")
            check_view_of_type(content, "modal")
            if action == "update":
                self._workspace.change_view(view, content)
            else:
                self._workspace.push_view(view.user, content, previous=view)
        else:
            raise ApiError(INVALID_RESPONSE_ACTION, f"[ERROR] unknown response_action: {action}")


def _check_form_errors(view: View, errors: object) -> None:
    """Raise ApiError unless `errors` is an object whose keys are block_ids of input blocks."""
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors:
        raise ApiError(INVALID_RESPONSE_ACTION, "[ERROR] missing required field: errors")
    unknown = errors.keys() - inputs
    if unknown:
        raise ApiError(INVALID_RESPONSE_ACTION, f"[ERROR] no input blocks: {', '.join(sorted(unknown))}")
