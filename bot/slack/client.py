"""Slack's Web API: a client that honours `Retry-After`, and a probe that reports all of one call's answer."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from bot.clock import Clock
from bot.telemetry.context import NO_METRICS, Metrics

OK, REQUEST_TIMEOUT, TOO_MANY, SERVER_ERROR = 200, 408, 429, 500
"""HTTP statuses; from SERVER_ERROR on, the failure is the server's."""
PROBE_TIMEOUT_S = 5
_LIMITED_BY_CHANNEL = "chat."
"""The methods that Slack limits by channel; it limits the others by workspace. Source: Slack, "Rate Limits"."""
_DEFAULT_RETRY_S = 1.0
_HALF_A_SECOND = timedelta(seconds=0.5)


class PausedError(SlackClientError):
    """Slack's `Retry-After` for this method has `wait_s` seconds left; the call was not sent."""

    def __init__(self, wait_s: float) -> None:
        super().__init__(f"{wait_s:.1f} s")
        self.wait_s = wait_s


class Client(WebClient):
    """A WebClient that observes `Retry-After` for each method and, where Slack limits by channel, each channel.

    Each call that fails is counted in `metrics`; a call that is not sent because it is too early is not.
    """

    def __init__(self, *, clock: Clock, metrics: Metrics = NO_METRICS, **options: Any) -> None:
        super().__init__(**options)
        self._clock = clock
        self._metrics = metrics
        self._lock = threading.Lock()
        self._paused_until: dict[tuple[str, str], datetime] = {}

    def api_call(self, api_method: str, **how: Any) -> SlackResponse:
        """Call Slack. Raises PausedError while the method is paused, otherwise what the WebClient raises."""
        key = (api_method, _channel(how) if api_method.startswith(_LIMITED_BY_CHANNEL) else "")
        self._check_pause(key)
        try:
            return super().api_call(api_method, **how)
        except (SlackClientError, OSError, HTTPException) as error:
            self._metrics.slack_failed(api_method, reason(error))
            if isinstance(error, SlackApiError) and error.response.status_code == TOO_MANY:
                with self._lock:
                    self._paused_until[key] = self._clock() + timedelta(seconds=retry_after_s(error))
            raise

    def _check_pause(self, key: tuple[str, str]) -> None:
        with self._lock:
            until = self._paused_until.get(key)
            if until is None:
                return
            left_s = (until - self._clock()).total_seconds()
            if left_s > 0:
                raise PausedError(left_s)
            del self._paused_until[key]


def _channel(how: dict[str, Any]) -> str:
    """The channel of a call; the WebClient sends arguments as `params`, `data` or `json`, by method."""
    return next((str(part["channel"]) for part in how.values() if isinstance(part, dict) and "channel" in part), "")


def retry_after_s(error: SlackApiError) -> float:
    """The seconds that Slack's answer asks to wait."""
    return float(error.response.headers.get("Retry-After", _DEFAULT_RETRY_S))


def reason(error: Exception) -> str:
    """Slack's error code, otherwise the exception's name; never the request, which contains the token."""
    if not isinstance(error, SlackApiError):
        return type(error).__name__
    code = error.response.get("error") if isinstance(error.response.data, dict) else None
    return str(code or f"http_{error.response.status_code}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswer:
    """Slack's answer. `error` is its error code; without `reached` it is the network's failure.

    `scopes` are the token's, None where Slack did not list them. `ahead_s` is how far this machine's clock is ahead of
    Slack's, in seconds, accurate to about one second; None where Slack gave no time.
    """

    reached: bool
    error: str | None
    facts: Mapping[str, Any]
    scopes: frozenset[str] | None = None
    ahead_s: float | None = None


def probe(method: str, *, token: str, api_url: str, clock: Clock) -> ProbeAnswer:
    """Call a method that needs only the token. Never raises, and waits at most PROBE_TIMEOUT_S for each step."""
    # No retries: the first failure is the diagnosis.
    client = WebClient(token=token, base_url=api_url, timeout=PROBE_TIMEOUT_S, retry_handlers=[])
    before = clock()
    try:
        response: Any = client.api_call(method)
        error = None
    except SlackApiError as refused:
        response, error = refused.response, reason(refused)
    except URLError as failure:
        return ProbeAnswer(reached=False, error=" ".join(str(failure.reason).split()), facts={})
    except (SlackClientError, OSError, HTTPException, ValueError) as failure:
        return ProbeAnswer(reached=False, error=reason(failure), facts={})
    headers = {str(name).lower(): value for name, value in response.headers.items()}
    scopes = headers.get("x-oauth-scopes")
    return ProbeAnswer(
        reached=True,
        error=error,
        facts=response.data if isinstance(response.data, dict) else {},
        scopes=None if scopes is None else frozenset(each.strip() for each in scopes.split(",") if each.strip()),
        ahead_s=_ahead_s(headers.get("date"), before + (clock() - before) / 2),
    )


def _ahead_s(date: str | None, here: datetime) -> float | None:
    """The clock's lead over a `Date` header, whose fraction of a second is cut off: on average that is half of one."""
    try:
        there = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return (here - there.replace(tzinfo=there.tzinfo or UTC) - _HALF_A_SECOND).total_seconds()
