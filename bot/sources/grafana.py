"""Grafana Alerting: the webhook contact point, version 1, of Grafana 9 and later.

Source of the shape and the signature: grafana.com, "Configure webhook notifications".
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from bot.sources.alertmanager import PrometheusAlert, alerts_of
from bot.sources.signatures import timestamped_hmac
from bot.sources.source import MOST_SIGNALS, Headers, Payload, Source, shaped
from storage.values import Signal


class GrafanaAlert(PrometheusAlert):
    """One alert; a dashboard leads further than the rule that made it."""

    dashboard_url: str = Field(default="", alias="dashboardURL")
    panel_url: str = Field(default="", alias="panelURL")


class GrafanaGroup(Payload):
    """The whole payload."""

    version: Literal["1"]
    alerts: Sequence[GrafanaAlert] = Field(max_length=MOST_SIGNALS)


def read(payload: Any, _headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The alerts of a notification."""
    alerts = [
        each.model_copy(update={"generator_url": each.panel_url or each.dashboard_url or each.generator_url})
        for each in shaped(GrafanaGroup, payload).alerts
    ]
    return list(alerts_of("grafana", alerts, now=now))


SOURCE = Source(
    name="grafana",
    label="Grafana",
    read=read,
    version="version 1 of Grafana Alerting's webhook (Grafana 9 and later)",
    signature=timestamped_hmac("x-grafana-alerting-signature", "x-grafana-alerting-signature-timestamp"),
)
