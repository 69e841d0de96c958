"""Sentry: webhooks of an internal integration, for metric alerts, issue alerts and issues.

Source of the shapes and the signature: docs.sentry.io, "Integration Platform", "Webhooks".
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, Field

from bot.sources.signatures import hmac_hex
from bot.sources.source import Headers, Payload, Source, UnreadablePayloadError, instant, shaped, signal
from storage.values import Signal

_RESOURCE = "sentry-hook-resource"


class SentryMetricAlert(Payload):
    """A metric that crossed a threshold, or is back."""

    id: str | int
    title: str = ""
    date_started: AwareDatetime
    date_closed: AwareDatetime | None = None
    projects: Sequence[str] = ()


class SentryMetricData(Payload):
    """A metric alert, and what is said of it."""

    metric_alert: SentryMetricAlert
    description_title: str = ""
    description_text: str = ""
    web_url: str | None = None


class SentryIssueEvent(Payload):
    """The event that set an issue alert off."""

    event_id: str
    title: str = ""
    datetime: str | float
    issue_id: str | None = None
    web_url: str | None = None
    project: str | int | None = None
    level: str = ""
    culprit: str = ""
    environment: str | None = None


class SentryIssueAlertData(Payload):
    """An issue alert."""

    event: SentryIssueEvent
    triggered_rule: str = ""


class SentryProject(Payload):
    """The project of an issue."""

    slug: str = ""


class SentryIssue(Payload):
    """An issue."""

    id: str | int
    title: str = ""
    culprit: str | None = None
    level: str = ""
    permalink: str | None = None
    web_url: str | None = None
    project: SentryProject | None = None
    first_seen: AwareDatetime | None = Field(default=None, alias="firstSeen")


class SentryIssueData(Payload):
    """An issue, and no more."""

    issue: SentryIssue


class SentryWebhook(Payload):
    """The whole payload; what `data` holds depends on the resource, which a header names."""

    action: str
    data: dict[str, Any]


def read(payload: Any, headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The alert that a resource tells of; others, such as installations and comments, tell of none."""
    resource = headers.get(_RESOURCE)
    if resource is None:
        raise UnreadablePayloadError("the header Sentry-Hook-Resource is missing: this is no webhook of an integration")
    told = shaped(SentryWebhook, payload)
    reader = _READERS.get(resource)
    return () if reader is None else tuple(reader(told, now))


def _metric(told: SentryWebhook, now: datetime) -> Sequence[Signal]:
    data, over = shaped(SentryMetricData, told.data), told.action == "resolved"
    alert = data.metric_alert
    return [
        signal(
            "sentry",
            fingerprint=f"metric {alert.id}",
            title=data.description_title.partition(": ")[2] or alert.title,
            at=alert.date_started,
            now=now,
            ended_at=(alert.date_closed or now) if over else None,
            fired=not over,
            text=data.description_text,
            service=alert.projects[0] if alert.projects else None,
            link=data.web_url,
            labels={"level": "" if over else told.action},
        )
    ]


def _issue_alert(told: SentryWebhook, now: datetime) -> Sequence[Signal]:
    """An issue alert; nothing says when it is over but the issue, whose id is its fingerprint."""
    data = shaped(SentryIssueAlertData, told.data)
    event = data.event
    return [
        signal(
            "sentry",
            fingerprint=f"issue {event.issue_id or event.event_id}",
            title=event.title,
            at=instant(event.datetime, "data.event.datetime"),
            now=now,
            text=event.culprit,
            link=event.web_url,
            labels={"level": event.level, "environment": event.environment or "", "rule": data.triggered_rule},
        )
    ]


def _issue(told: SentryWebhook, now: datetime) -> Sequence[Signal]:
    if told.action != "created":
        return []
    issue = shaped(SentryIssueData, told.data).issue
    return [
        signal(
            "sentry",
            fingerprint=f"issue {issue.id}",
            title=issue.title,
            at=issue.first_seen or now,
            now=now,
            text=issue.culprit or "",
            service=issue.project.slug if issue.project else None,
            link=issue.web_url or issue.permalink,
            labels={"level": issue.level},
        )
    ]


_READERS = {"metric_alert": _metric, "event_alert": _issue_alert, "issue": _issue}

SOURCE = Source(
    name="sentry",
    label="Sentry",
    read=read,
    version="the webhooks of Sentry's integration platform",
    signature=hmac_hex("sentry-hook-signature"),
)
