"""Opsgenie, and Jira Service Management's operations: the webhook integration with alert payloads.

Source of the shape: support.atlassian.com, "Integrate Opsgenie with Webhook" and "Opsgenie Edge Connector alert data".
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from bot.sources.source import Headers, Payload, Source, instant, shaped, signal
from storage.values import Signal

_BEGINS, _ENDS = frozenset({"Create"}), frozenset({"Close", "Delete"})


class OpsgenieAlert(Payload):
    """The alert; its times are milliseconds since 1970."""

    alert_id: str = Field(alias="alertId")
    message: str = ""
    entity: str = ""
    priority: str = ""
    description: str = ""
    created_at: int | None = Field(default=None, alias="createdAt")
    tags: Sequence[str] = ()
    details: Mapping[str, Any] | None = None


class OpsgenieWebhook(Payload):
    """The whole payload."""

    action: str
    alert: OpsgenieAlert


def read(payload: Any, _headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The alert that was created or closed; other actions tell of none."""
    told = shaped(OpsgenieWebhook, payload)
    if told.action not in _BEGINS | _ENDS:
        return ()
    alert, over = told.alert, told.action in _ENDS
    details = {name: value for name, value in (alert.details or {}).items() if isinstance(value, str)}
    return (
        signal(
            "opsgenie",
            fingerprint=alert.alert_id,
            title=alert.message,
            at=now if alert.created_at is None else instant(alert.created_at, "alert.createdAt"),
            now=now,
            ended_at=now if over else None,
            fired=not over,
            text=alert.description,
            service=details.get("service") or alert.entity,
            labels={"priority": alert.priority, "tags": ", ".join(alert.tags), **details},
        ),
    )


SOURCE = Source(name="opsgenie", label="Opsgenie", read=read, version="the payload of Opsgenie's webhook integration")
