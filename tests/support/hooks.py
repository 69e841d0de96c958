"""Posts to the bot's endpoint for sources, as a source does."""

import json
from datetime import datetime, timedelta
from typing import Any

import httpx

from bot.sources.addresses import Address, path
from tests.support.workplace import ACK_S, Workplace

SECRET = "hooks-hooks-hooks-hooks"  # noqa: S105 - of the tests
SET_UP: Any = {"SCRIBE_HOOKS_SECRET": SECRET}


def address(office: Workplace, kind: str = "alertmanager", channel: str | None = None) -> str:
    """The whole address of a channel."""
    place = Address(source=kind, workspace_id=office.slack.team_id, channel_id=channel or office.channel)
    return f"{office.url.removesuffix('/slack/events')}{path(SECRET, place)}"


def post(
    office: Workplace, payload: Any, kind: str = "alertmanager", *, channel: str | None = None, **headers: str
) -> httpx.Response:
    """Post the payload; bytes as they are, anything else as JSON."""
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(address(office, kind, channel), content=body, headers=named, timeout=ACK_S)


def alert(
    name: str = "HighLatency", *, at: str = "2026-03-12T11:58:03.25Z", until: str | None = None, **labels: str
) -> dict[str, Any]:
    """One alert as Alertmanager tells it."""
    return {
        "status": "resolved" if until else "firing",
        "labels": {"alertname": name, "service": "checkout", **labels},
        "annotations": {"summary": "p99 over 5 s"},
        "startsAt": at,
        "endsAt": until or "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example.org/graph?g0.expr=p99",
        "fingerprint": f"{name}{sorted(labels.items())}",
    }


def group(*alerts: dict[str, Any]) -> dict[str, Any]:
    """A group of alerts as Alertmanager posts it."""
    return {"version": "4", "status": "firing", "receiver": "scribe", "alerts": list(alerts)}


def hear(office: Workplace, at: datetime | None = None) -> None:
    """See to what came, and send what is to be said."""
    del at
    office.bot.hear()
    office.deliver()


def later(office: Workplace, seconds: float) -> None:
    """Let time pass, and see to what came."""
    clock: Any = office.bot.context.clock
    clock.set(clock() + timedelta(seconds=seconds))
    hear(office)
