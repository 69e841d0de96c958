"""What lets an app respond to a person: trigger ids, which open a modal, and response URLs, which post a message."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from secrets import token_hex, token_urlsafe
from threading import Lock
from typing import Final

from bot.fakeslack.objects import BOT_USER_ID, Call, Message
from bot.fakeslack.schema import Json
from bot.fakeslack.validation import ApiError, boolean, complaint_about_message, json_object, object_list, string
from bot.fakeslack.workspace import Workspace

TRIGGER_LIFETIME_S = 3.0


@dataclass(slots=True, kw_only=True)
class Trigger:
    """Who did something, when by the monotonic clock, and whether a modal came of it."""

    user: str
    issued_at_s: float
    used: bool = False


class Triggers:
    """The trigger ids given out. `monotonic` counts real seconds: a set clock does not stretch them."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._issued: dict[str, Trigger] = {}

    def issue(self, user: str, trigger_id: str | None = None) -> str:
        """A new trigger id of a person's; one given by the caller is kept as it was the first time."""
        with self._lock:
            name = trigger_id or f"{len(self._issued) + 1}.{token_hex(5)}.{token_hex(16)}"
            self._issued.setdefault(name, Trigger(user=user, issued_at_s=self._monotonic()))
        return name

    def exchange(self, trigger_id: str) -> str:
        """The person behind a trigger id, which is used up by this. Raises Refused."""
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


MAX_RESPONSES = 5
RESPONSE_URL_LIFETIME_S = 30 * 60

READERS: Final = {
    **dict.fromkeys(("text", "response_type", "thread_ts", "parse"), string),
    **dict.fromkeys(("blocks", "attachments"), object_list),
    **dict.fromkeys(("replace_original", "delete_original", "unfurl_links", "unfurl_media"), boolean),
    **dict.fromkeys(("mrkdwn", "link_names"), boolean),
    "metadata": json_object,
}
RESPONSE_TYPES: Final = ("ephemeral", "in_channel")


def validate_response(body: Json) -> Json:
    """A message as an ack or a response_url may carry it, checked. Raises Refused."""
    for key, value in body.items():
        if key not in READERS:
            raise ApiError("invalid_arguments", f"[ERROR] invalid additional property: {key} [json-pointer:/]")
        try:
            READERS[key](value)
        except TypeError as error:
            raise ApiError("invalid_arguments", f"[ERROR] {error} [json-pointer:/{key}]") from None
    if body.get("response_type", "ephemeral") not in RESPONSE_TYPES:
        raise ApiError("invalid_arguments", "[ERROR] must be ephemeral or in_channel [json-pointer:/response_type]")
    complaint = complaint_about_message(body.get("text", ""), body.get("blocks", []))
    if complaint:
        raise ApiError(complaint.error, *complaint.details)
    return body


def post_response(workspace: Workspace, body: Json, *, user: str, channel: str) -> Message:
    """Post the bot's answer to a person; only they see it, unless it is `in_channel`. Raises Refused."""
    content = validate_response(body)
    return workspace.post(
        channel,
        user=BOT_USER_ID,
        text=content["text"],
        blocks=content.get("blocks"),
        attachments=content.get("attachments", []),
        thread_ts=content.get("thread_ts"),
        metadata=content.get("metadata"),
        ephemeral_for=None if content.get("response_type") == "in_channel" else user,
    )


@dataclass(slots=True, kw_only=True)
class ResponseUrl:
    """One URL given out, and how often it was used. `original_ts` is the message it came with, if any."""

    user: str
    channel: str
    original_ts: str | None
    issued_at_s: float
    uses: int = 0


class ResponseUrls:
    """The response_urls given out. `monotonic` counts real seconds."""

    def __init__(self, workspace: Workspace, monotonic: Callable[[], float]) -> None:
        self._workspace = workspace
        self._monotonic = monotonic
        self._issued: dict[str, ResponseUrl] = {}

    def issue(self, *, user: str, channel: str, original_ts: str | None = None) -> str:
        """The path of a new URL."""
        token = token_urlsafe(16)
        self._issued[token] = ResponseUrl(
            user=user, channel=channel, original_ts=original_ts, issued_at_s=self._monotonic()
        )
        return f"/hooks/{token}"

    def post(self, token: str, body: Json | None) -> tuple[int, str]:
        """What a POST to the URL answers: a status, and `ok` or Slack's word for why not."""
        with self._workspace.lock:
            found = self._issued.get(token)
            if found is None or self._monotonic() - found.issued_at_s > RESPONSE_URL_LIFETIME_S:
                return 404, "expired_url"
            if found.uses >= MAX_RESPONSES:
                return 404, "used_url"
            found.uses += 1
            error = self._refusal(found, body)
            call = Call(method="response_url", args=body or {}, at=self._workspace.clock(), error=error)
            self._workspace.calls.append(call)
            self._workspace.touch()
            return (400, error) if error else (200, "ok")

    def _refusal(self, url: ResponseUrl, body: Json | None) -> str | None:
        if body is None:
            return "invalid_payload"
        try:
            self._apply(url, body)
        except ApiError as refused:
            return refused.error
        return None

    def _apply(self, url: ResponseUrl, body: Json) -> None:
        original = url.original_ts and self._workspace.message(url.channel, url.original_ts)
        if original and body.get("delete_original"):
            self._workspace.put_message(replace(original, deleted=True))
        elif original and body.get("replace_original"):
            content = validate_response(body)
            self._workspace.put_message(
                replace(original, text=content["text"], blocks=content.get("blocks", []), edited=True)
            )
        else:
            post_response(self._workspace, body, user=url.user, channel=url.channel)
