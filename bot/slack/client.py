"""Slack's Web API: calls that honour `Retry-After`, and a single call that tells all of its answer."""

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

    def __init__(self, *, clock: Clock, metrics: Metrics = NO_METRICS, **options: Any) -> None:
        super().__init__(**options)
        self._clock = clock
        self._metrics = metrics
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
            self._metrics.slack_failed(api_method, reason(error))
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


ASK_S = 5
"""Seconds Slack has to answer."""
_HALF_A_SECOND = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswer:
    """Slack's answer. `error` is its word for a refusal; without `reached` it is what failed on the way.

    `scopes` are those of the token, None where Slack did not say. `ahead_s` is how far this machine's clock is ahead
    of Slack's, in seconds, to about a second; None where Slack gave no time.
    """

    reached: bool
    error: str | None
    facts: Mapping[str, Any]
    scopes: frozenset[str] | None = None
    ahead_s: float | None = None


def probe(method: str, *, token: str, api_url: str, clock: Clock) -> ProbeAnswer:
    """Call a method that takes nothing but the token. Never raises, and waits no longer than ASK_S for each step."""
    # Without retries: a doctor tells of the first failure.
    client = WebClient(token=token, base_url=api_url, timeout=ASK_S, retry_handlers=[])
    before = clock()
    try:
        response: Any = client.api_call(method)
        error = None
    except SlackApiError as refused:
        response, error = refused.response, reason(refused)
    except (SlackClientError, OSError, HTTPException, ValueError) as failure:
        return ProbeAnswer(reached=False, error=_why(failure), facts={})
    headers = {str(name).lower(): value for name, value in response.headers.items()}
    data = response.data if isinstance(response.data, dict) else {}
    return ProbeAnswer(
        reached=True,
        error=error,
        facts=data,
        scopes=_scopes(headers.get("x-oauth-scopes")),
        ahead_s=_ahead_s(headers.get("date"), before + (clock() - before) / 2),
    )


def _why(failure: Exception) -> str:
    """What the network says of it, else the failure's name."""
    return " ".join(str(failure.reason).split()) if isinstance(failure, URLError) else reason(failure)


def _scopes(told: str | None) -> frozenset[str] | None:
    return None if told is None else frozenset(each.strip() for each in told.split(",") if each.strip())


def _ahead_s(told: str | None, here: datetime) -> float | None:
    """The header has whole seconds, cut off: half of one is the better guess."""
    try:
        there = parsedate_to_datetime(told or "")
    except ValueError:
        return None
    return (here - there.replace(tzinfo=there.tzinfo or UTC) - _HALF_A_SECOND).total_seconds()
