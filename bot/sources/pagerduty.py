"""PagerDuty: webhooks V3.

Source of the shape and the signature: developer.pagerduty.com, "Webhooks Overview" and "Verifying Signatures".
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from bot.sources.signatures import hmac_hex
from bot.sources.source import Headers, Payload, Source, UnreadablePayloadError, shaped, signal
from storage.values import Signal

_REOPENED = "incident.reopened"
_BEGINS, _ENDS = frozenset({"incident.triggered", _REOPENED}), frozenset({"incident.resolved"})


class PagerDutyReference(Payload):
    """A service, a priority, or what else is only named."""

    id: str = ""
    summary: str | None = None


class PagerDutyIncident(Payload):
    """What an event is about, as far as it is an incident."""

    id: str
    title: str = ""
    html_url: str | None = None
    created_at: AwareDatetime | None = None
    urgency: str | None = None
    service: PagerDutyReference | None = None
    priority: PagerDutyReference | None = None


class PagerDutyEvent(Payload):
    """What happened."""

    event_type: str
    occurred_at: AwareDatetime
    data: dict[str, Any]


class PagerDutyWebhook(Payload):
    """The whole payload."""

    event: PagerDutyEvent


def read(payload: Any, _headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The incident that was triggered or resolved; other events, such as the test one, tell of no alert."""
    if isinstance(payload, dict) and "messages" in payload:
        raise UnreadablePayloadError("messages: this is a webhook of version 1 or 2; subscribe to webhooks V3")
    event = shaped(PagerDutyWebhook, payload).event
    if event.event_type not in _BEGINS | _ENDS:
        return ()
    incident, over = shaped(PagerDutyIncident, event.data), event.event_type in _ENDS
    created_at = None if event.event_type == _REOPENED else incident.created_at
    priority = (incident.priority and incident.priority.summary) or ""
    return (
        signal(
            "pagerduty",
            fingerprint=incident.id,
            title=incident.title,
            at=created_at or event.occurred_at,
            now=now,
            ended_at=event.occurred_at if over else None,
            fired=not over,
            service=incident.service.summary if incident.service else None,
            link=incident.html_url,
            labels={"urgency": incident.urgency or "", "priority": priority},
        ),
    )


SOURCE = Source(
    name="pagerduty",
    label="PagerDuty",
    read=read,
    version="PagerDuty's webhooks V3",
    signature=hmac_hex("x-pagerduty-signature", prefix="v1="),
)
