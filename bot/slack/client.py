"""Slack's Web API, asked with patience: what Slack wants us to wait for is not asked again before its time.

What fails there is counted.
"""

import threading
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from bot.clock import Clock
from bot.telemetry.tally import SILENT, Tally

TOO_MANY = 429
_ONE_S = 1.0
_BY_CHANNEL = "chat."
"""The methods Slack counts by channel; the others it counts by workspace. Source: Slack, "Rate Limits"."""


class PausedError(SlackClientError):
    """Slack has asked to be left alone with this for another `wait_s` seconds; nothing was sent."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"{wait_s:.1f} s")
        self.wait_s = wait_s


class Client(WebClient):
    """A WebClient that keeps what `Retry-After` asks for, for each method and, where Slack counts so, each channel.

    Each call that fails is told to the tally; one that is too early fails nowhere, and is not.
    """

    def __init__(self, *, clock: Clock, tally: Tally = SILENT, **options: Any) -> None:
        super().__init__(**options)
        self._clock = clock
        self._tally = tally
        self._lock = threading.Lock()
        self._until: dict[tuple[str, str], datetime] = {}

    def api_call(self, api_method: str, **how: Any) -> SlackResponse:
        """Call Slack, unless it is too early.

        Raises PausedError then, and else what the WebClient raises.
        """
        key = (api_method, _channel(how) if api_method.startswith(_BY_CHANNEL) else "")
        self._wait_for(key)
        try:
            return super().api_call(api_method, **how)
        except (SlackClientError, OSError, HTTPException) as error:
            self._tally.slack_failed(api_method, reason(error))
            if isinstance(error, SlackApiError) and error.response.status_code == TOO_MANY:
                self._pause(key, float(error.response.headers.get("Retry-After", _ONE_S)))
            raise

    def _wait_for(self, key: tuple[str, str]) -> None:
        with self._lock:
            until = self._until.get(key)
            if until is None:
                return
            left_s = (until - self._clock()).total_seconds()
            if left_s > 0:
                raise PausedError(left_s)
            del self._until[key]

    def _pause(self, key: tuple[str, str], wait_s: float) -> None:
        with self._lock:
            self._until[key] = self._clock() + timedelta(seconds=wait_s)


def reason(error: Exception) -> str:
    """Slack's word for what went wrong, else the failure's name; never the request, which holds the token."""
    if not isinstance(error, SlackApiError):
        return type(error).__name__
    told = error.response.get("error") if isinstance(error.response.data, dict) else None
    return str(told or f"http_{error.response.status_code}")


def _channel(how: dict[str, Any]) -> str:
    """The channel the call is about, in whichever way its arguments are sent."""
    return next((str(part["channel"]) for part in how.values() if isinstance(part, dict) and "channel" in part), "")
