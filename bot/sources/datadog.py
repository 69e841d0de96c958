"""Datadog: the webhooks integration, with the payload that `scribe sources datadog` prints to be pasted there.

Datadog sends what its operator writes, so the shape is our own; its variables are Datadog's.
Source of the variables: docs.datadoghq.com, "Webhooks".
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bot.sources.source import Headers, Payload, Source, instant, shaped, signal
from storage.values import Signal

_ENDS, _NOTHING = frozenset({"Recovered"}), frozenset({"Test"})


class DatadogWebhook(Payload):
    """The whole payload: `$ALERT_CYCLE_KEY`, `$ALERT_TRANSITION`, `$EVENT_TITLE`, `$DATE`, `$LINK` and so on.

    What Datadog has no value for arrives empty, or as `null` in words.
    """

    cycle: str
    transition: str
    title: str
    date: int | str
    monitor: str = ""
    scope: str = ""
    priority: str = ""
    link: str = ""
    host: str = ""
    tags: str = ""
    text: str = ""


def read(payload: Any, _headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The alert that was triggered or has recovered. All of one cycle are one alert."""
    told = shaped(DatadogWebhook, payload)
    if told.transition in _NOTHING:
        return ()
    over = told.transition in _ENDS
    at = instant(told.date, "date")
    tags = [each.strip().partition(":") for each in f"{told.scope},{told.tags}".split(",") if ":" in each]
    labels = {name: value for name, _, value in tags}
    return (
        signal(
            "datadog",
            fingerprint=told.cycle or f"{told.monitor} {told.scope}",
            title=told.title,
            at=at,
            now=now,
            ended_at=at if over else None,
            fired=not over,
            once=bool(told.cycle),
            text=told.text,
            service=labels.get("service"),
            link=told.link,
            labels={"priority": told.priority, "host": told.host, **labels},
        ),
    )


SOURCE = Source(name="datadog", label="Datadog", read=read, version="the payload that scribe sources datadog prints")
