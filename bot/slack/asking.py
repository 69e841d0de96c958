"""One question to Slack and all that its answer tells: for whoever looks into what is wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.clock import Clock
from bot.slack.client import reason

ASK_S = 5
"""Seconds Slack has to answer."""
_HALF_A_SECOND = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Slack's answer. `error` is its word for a refusal; without `reached` it is what failed on the way.

    `scopes` are those of the token, None where Slack did not say. `ahead_s` is how far this machine's clock is ahead
    of Slack's, in seconds, to about a second; None where Slack gave no time.
    """

    reached: bool
    error: str | None
    facts: Mapping[str, Any]
    scopes: frozenset[str] | None = None
    ahead_s: float | None = None


def ask(method: str, *, token: str, api_url: str, clock: Clock) -> Answer:
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
        return Answer(reached=False, error=_why(failure), facts={})
    headers = {str(name).lower(): value for name, value in response.headers.items()}
    data = response.data if isinstance(response.data, dict) else {}
    return Answer(
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
