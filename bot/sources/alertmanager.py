"""Prometheus Alertmanager: the webhook receiver, version 4, of Alertmanager 0.16 and later.

Source of the shape: prometheus.io, "Alerting configuration", `webhook_config`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from bot.sources.source import MOST_SIGNALS, Headers, Payload, Source, shaped, signal
from storage.values import Signal

_SAYING = ("summary", "description", "message")
SERVICES = ("service", "service_name", "app", "job")
"""The labels that name a service, the most telling first."""


class PrometheusAlert(Payload):
    """One alert."""

    status: Literal["firing", "resolved"]
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = {}
    starts_at: AwareDatetime = Field(alias="startsAt")
    ends_at: AwareDatetime | None = Field(default=None, alias="endsAt")
    generator_url: str = Field(default="", alias="generatorURL")
    fingerprint: str = ""


class AlertGroup(Payload):
    """The whole payload."""

    version: Literal["4"]
    alerts: Sequence[PrometheusAlert] = Field(max_length=MOST_SIGNALS)


def alerts_of(source: str, alerts: Sequence[PrometheusAlert], *, now: datetime) -> Iterator[Signal]:
    """A signal of each alert. Without a fingerprint, as before Alertmanager 0.19, its labels make one."""
    for each in alerts:
        over = each.status == "resolved"
        yield signal(
            source,
            fingerprint=each.fingerprint or repr(sorted(each.labels.items())),
            title=each.labels.get("alertname", ""),
            at=each.starts_at,
            now=now,
            ended_at=(each.ends_at or now) if over else None,
            fired=not over,
            text=next((each.annotations[name] for name in _SAYING if each.annotations.get(name)), ""),
            service=next((each.labels[name] for name in SERVICES if name in each.labels), None),
            link=each.generator_url,
            labels={name: value for name, value in each.labels.items() if name != "alertname"},
        )


def read(payload: Any, _headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The alerts of a group."""
    return list(alerts_of("alertmanager", shaped(AlertGroup, payload).alerts, now=now))


SOURCE = Source(
    name="alertmanager", label="Prometheus Alertmanager", read=read, version="version 4 of Alertmanager's webhook"
)
