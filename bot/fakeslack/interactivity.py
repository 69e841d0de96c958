"""What lets an app respond to a person: trigger ids, which open a modal, and response URLs, which post messages.

Source: Slack's guide to handling user interaction. A trigger id is valid for three seconds and one modal; a response
URL for half an hour and five messages, even in channels the bot is not a member of.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from secrets import token_hex, token_urlsafe
from threading import Lock
from typing import Final

from bot.fakeslack.objects import BOT_USER_ID, Call, Message
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError, boolean, check_message, json_object, object_list, string
from bot.fakeslack.workspace import Workspace

TRIGGER_LIFETIME_S = 3.0
RESPONSE_URL_LIFETIME_S = 30 * 60
MAX_RESPONSES = 5

RESPONSE_FIELDS: Final = {
    **dict.fromkeys(("text", "response_type", "thread_ts", "parse"), string),
    **dict.fromkeys(("blocks", "attachments"), object_list),
    **dict.fromkeys(("replace_original", "delete_original", "unfurl_links", "unfurl_media"), boolean),
    **dict.fromkeys(("mrkdwn", "link_names"), boolean),
    "metadata": json_object,
}
RESPONSE_TYPES: Final = ("ephemeral", "in_channel")


@dataclass(slots=True, kw_only=True)
class Trigger:
    """A trigger id issued to a user at a monotonic time; `used` once a modal was opened with it."""

    user: str
    issued_at_s: float
    used: bool = False


class Triggers:
    """The issued trigger ids. `monotonic` returns real seconds, so that setting the workspace's clock expires none."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._issued: dict[str, Trigger] = {}

    def issue(self, user: str, trigger_id: str | None = None) -> str:
        """Issue a new trigger id, or the given one unless it was issued before."""
        with self._lock:
            name = trigger_id or f"{len(self._issued) + 1}.{token_hex(5)}.{token_hex(16)}"
            self._issued.setdefault(name, Trigger(user=user, issued_at_s=self._monotonic()))
        return name

    def exchange(self, trigger_id: str) -> str:
        """Use a trigger id and return the id of its user. Raises ApiError."""
        with self._lock:
            trigger = self._issued.get(trigger_id)
            if trigger is None:
                raise ApiError("invalid_trigger_id")
            if trigger.used:
                raise ApiError("exchanged_trigger_id")
            if self._monotonic() - trigger.issued_at_s > TRIGGER_LIFETIME_S:
                raise ApiError("expired_trigger_id")
            trigger.used = True
            return trigger.user


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """An issued URL and how often it was used; `original_ts` is the message whose button was clicked, if any."""

    user: str
    channel: str
    original_ts: str | None
    issued_at_s: float
    uses: int = 0


class ResponseUrls:
    """The issued response URLs. `monotonic` returns real seconds."""

    def __init__(self, workspace: Workspace, monotonic: Callable[[], float]) -> None:
        self._workspace = workspace
        self._monotonic = monotonic
        self._issued: dict[str, ResponseUrl] = {}

    def issue(self, *, user: str, channel: str, original_ts: str | None = None) -> str:
        """Issue a URL and return its path."""
        token = token_urlsafe(16)
        self._issued[token] = ResponseUrl(
            user=user, channel=channel, original_ts=original_ts, issued_at_s=self._monotonic()
        )
        return f"/hooks/{token}"

    def post(self, token: str, body: Json | None) -> tuple[int, str]:
        """Handle a POST to a URL; return the status and either `ok` or Slack's error code."""
        with self._workspace.lock:
            url = self._issued.get(token)
            if url is None or self._monotonic() - url.issued_at_s > RESPONSE_URL_LIFETIME_S:
                return 404, "expired_url"
            if url.uses >= MAX_RESPONSES:
                return 404, "used_url"
            url.uses += 1
            error = None
            if body is None:
                error = "invalid_payload"
            else:
                try:
                    self._respond(url, body)
                except ApiError as refused:
                    error = refused.error
            call = Call(method="response_url", args=body or {}, at=self._workspace.clock(), error=error)
            self._workspace.calls.append(call)
            self._workspace.touch()
            return (400, error) if error else (200, "ok")

    def _respond(self, url: ResponseUrl, body: Json) -> None:
        original = url.original_ts and self._workspace.message(url.channel, url.original_ts)
        if original and body.get("delete_original"):
            self._workspace.put_message(replace(original, deleted=True))
        elif original and body.get("replace_original"):
            _check_response(body)
            self._workspace.put_message(
                replace(original, text=body["text"], blocks=body.get("blocks", []), edited=True)
            )
        else:
            post_response(self._workspace, body, user=url.user, channel=url.channel)


def post_response(workspace: Workspace, body: Json, *, user: str, channel: str) -> Message:
    """Post a response from an ack or a response URL, ephemeral unless it is `in_channel`. Raises ApiError."""
    _check_response(body)
    return workspace.post(
        channel,
        user=BOT_USER_ID,
        text=body["text"],
        blocks=body.get("blocks"),
        attachments=body.get("attachments", []),
        thread_ts=body.get("thread_ts"),
        metadata=body.get("metadata"),
        ephemeral_for=None if body.get("response_type") == "in_channel" else user,
    )


def _check_response(body: Json) -> None:
    for key, value in body.items():
        if key not in RESPONSE_FIELDS:
            raise ApiError("invalid_arguments", f"[ERROR] invalid additional property: {key} [json-pointer:/]")
        try:
            RESPONSE_FIELDS[key](value)
        except TypeError as error:
            raise ApiError("invalid_arguments", f"[ERROR] {error} [json-pointer:/{key}]") from None
    if body.get("response_type", "ephemeral") not in RESPONSE_TYPES:
        raise ApiError("invalid_arguments", "[ERROR] must be ephemeral or in_channel [json-pointer:/response_type]")
    check_message(body.get("text", ""), body.get("blocks", []))
