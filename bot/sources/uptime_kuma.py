"""Uptime Kuma: the webhook notification with a JSON body, of Uptime Kuma 1 and 2.

Source of the shape: github.com/louislam/uptime-kuma, `server/notification-providers/webhook.js`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from bot.sources.source import Headers, Payload, Source, instant, shaped, signal
from storage.values import Signal

_DOWN, _UP = 0, 1


class KumaHeartbeat(Payload):
    """A look at a monitor: 0 down, 1 up, 2 pending, 3 maintenance. The time is UTC, without saying so."""

    status: Literal[0, 1, 2, 3]
    time: str
    msg: str = ""


class KumaMonitor(Payload):
    """What is looked at."""

    id: int
    name: str = ""
    url: str | None = None
    type: str = ""


class KumaWebhook(Payload):
    """The whole payload; a test has neither heartbeat nor monitor."""

    heartbeat: KumaHeartbeat | None = Field(...)
    monitor: KumaMonitor | None = Field(...)


def read(payload: Any, _headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The monitor that is down, or up again. When it is up, nothing says since when it was down."""
    told = shaped(KumaWebhook, payload)
    beat, monitor = told.heartbeat, told.monitor
    if beat is None or monitor is None or beat.status not in {_DOWN, _UP}:
        return ()
    at, over = instant(beat.time, "heartbeat.time"), beat.status == _UP
    return (
        signal(
            "uptime-kuma",
            fingerprint=str(monitor.id),
            title=monitor.name,
            at=at,
            now=now,
            ended_at=at if over else None,
            fired=not over,
            text=beat.msg,
            service=monitor.name,
            link=monitor.url,
            labels={"type": monitor.type},
        ),
    )


SOURCE = Source(
    name="uptime-kuma", label="Uptime Kuma", read=read, version="the JSON of Uptime Kuma's webhook notification"
)
