"""A real Bolt app with simple answers, for tests of the stand-in."""

import gc
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from slack_bolt import Ack, App, BoltRequest
from slack_bolt.adapter.socket_mode.builtin import SocketModeHandler
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler as WebSocketClientHandler
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.fakeslack.slack import Slack
from bot.server.threaded import ServerThread, base_url, listen

Json = dict[str, Any]


def words(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def field(action_id: str, element: Json, **more: object) -> Json:
    return {
        "type": "input",
        "block_id": f"block-{action_id}",
        "label": words(action_id),
        "element": {"action_id": action_id, **element},
        **more,
    }


def button(action_id: str, value: str) -> Json:
    return {"type": "button", "text": words(action_id), "action_id": action_id, "value": value}


OPTIONS = [{"text": words(name), "value": name} for name in ("red", "green")]

FORM: Json = {
    "type": "modal",
    "callback_id": "form",
    "title": words("A form"),
    "submit": words("Send"),
    "notify_on_close": True,
    "private_metadata": "kept",
    "blocks": [
        field("words", {"type": "plain_text_input", "max_length": 20}),
        field("colour", {"type": "static_select", "options": OPTIONS, "initial_option": OPTIONS[0]}),
        field("shade", {"type": "radio_buttons", "options": OPTIONS}, optional=True),
        field("owner", {"type": "users_select"}, optional=True),
        field("day", {"type": "datepicker", "initial_date": "2026-01-02"}),
        field("moment", {"type": "datetimepicker"}, optional=True),
        {"type": "actions", "block_id": "more", "elements": [button("in_form", "v")]},
    ],
}
BUTTONS: list[Json] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "two of them"}},
    {"type": "actions", "block_id": "row", "elements": [button("done", "1"), button("form", "1")]},
    {"type": "section", "text": words("another"), "accessory": button("done", "2")},
]
ACKS: dict[str, Json] = {
    "/channel": {"text": "for all", "response_type": "in_channel"},
    "/buttons": {"text": "press", "response_type": "in_channel", "blocks": BUTTONS},
    "/secret": {"text": "press", "blocks": BUTTONS},
    "/wide": {"text": "too wide", "blocks": [{"type": "header", "text": words("x" * 151)}]},
    "/heavy": {"text": "heavy", "blocks": [{"type": "section", "text": words("x" * 2900)}] * 5},
    "/mute": {"text": "", "blocks": BUTTONS},
    "/odd": {"text": "odd", "colour": "red"},
}


class Echo:
    """Records the bodies of all requests in `heard`, oldest first."""

    def __init__(self, slack: Slack) -> None:
        self.client = WebClient(token=slack.bot_token, base_url=slack.api_url)
        self.heard: list[Json] = []
        self.retries: list[str | None] = []
        self.form_errors: Json | None = None
        self.app = App(client=self.client, signing_secret=slack.signing_secret, process_before_response=True)
        self.app.use(self._hear)
        for kind in ("/echo", "/slow", "/broken", "/quiet", *ACKS):
            self.app.command(kind)(self._command)
        self.app.shortcut("add_to_timeline")(self._acknowledge)
        for action in ("done", "in_form"):
            self.app.action(action)(self._acknowledge)
        self.app.action("form")(self._open_form)
        self.app.view("form")(self._submitted)
        self.app.view_closed("form")(self._acknowledge)
        for event in ("reaction_added", "reaction_removed", "user_change", "app_home_opened"):
            self.app.event(event)(self._acknowledge)
        self.app.event("app_mention")(self._mentioned)

    def _hear(self, body: Json, request: BoltRequest, next: Callable[[], object]) -> object:  # noqa: A002 -- Bolt names it so
        self.heard.append(body)
        self.retries.append(first_of(request.headers.get("x-slack-retry-num")))
        return next()

    def _command(self, ack: Ack, body: Json) -> None:
        if body["command"] == "/slow":
            time.sleep(0.6)
        if body["command"] == "/broken":
            raise RuntimeError("broken on purpose")
        if body["command"] in ACKS:
            ack(ACKS[body["command"]])
        else:
            ack("" if body["command"] == "/quiet" else f"you typed {body['text']}")

    def _acknowledge(self, ack: Ack) -> None:
        ack("not shown")

    def _open_form(self, ack: Ack, body: Json) -> None:
        ack()
        self.client.views_open(trigger_id=body["trigger_id"], view=FORM)

    def _submitted(self, ack: Ack) -> None:
        if self.form_errors:
            ack(self.form_errors)
        else:
            ack()

    def _mentioned(self, event: Json) -> None:
        self.client.chat_postMessage(channel=event["channel"], text=f"heard {event['text']}")


def first_of(values: Sequence[str] | None) -> str | None:
    return values[0] if values else None


@contextmanager
def over_http(slack: Slack, echo: Echo) -> Iterator[str]:
    async def receive(request: Request) -> Response:
        body = (await request.body()).decode()
        asked = BoltRequest(body=body, headers=dict(request.headers))
        answered = await run_in_threadpool(echo.app.dispatch, asked)
        headers = answered.first_headers_without_set_cookie()
        return Response(answered.body, status_code=answered.status, headers=headers)

    listener = listen(0)
    url = f"{base_url(listener)}/slack/events"
    server = ServerThread(Starlette(routes=[Route("/slack/events", receive, methods=["POST"])]), listener)
    server.start()
    slack.deliver_to(url)
    try:
        yield url
    finally:
        server.stop()


def collect_quietly() -> None:
    """Collect the sockets of replaced sessions, which Slack's clients do not close."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@contextmanager
def over_sockets(slack: Slack, echo: Echo, *, kind: str = "websocket_client") -> Iterator[str]:
    handlers: dict[str, Any] = {"builtin": SocketModeHandler, "websocket_client": WebSocketClientHandler}
    # These clients may lose a connection while they replace it, and notice only after a ping interval.
    handler = handlers[kind](echo.app, slack.app_token, ping_interval=1)
    handler.connect()
    slack.wait_connected()
    try:
        yield ""
    finally:
        # When these clients close first, they may block in a read for ten more seconds. When both ends close at
        # once, the built-in client fails.
        handler.client.auto_reconnect_enabled = False
        slack.cut_sockets()
        with suppress(TimeoutError):
            slack.wait_for(lambda: not handler.client.is_connected(), within_s=2)
        handler.close()
        collect_quietly()
