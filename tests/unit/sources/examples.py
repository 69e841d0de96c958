"""A payload of each kind of source in the shape that its vendor documents, cut to what matters, and how it is read."""

import json
from typing import Any, NamedTuple

BEGAN = "2026-03-12T11:58:03.250Z"
_PROMETHEUS = {
    "status": "firing",
    "labels": {"alertname": "HighLatency", "service": "checkout", "severity": "page"},
    "annotations": {"summary": "p99 over 5 s"},
    "startsAt": "2026-03-12T11:58:03.250123456Z",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus.example.org/graph",
    "fingerprint": "9f2c1b7d3a5e4c60",
}
_GROUP = {
    "receiver": "scribe", "status": "firing", "groupLabels": {"alertname": "HighLatency"}, "commonLabels": {},
    "commonAnnotations": {}, "externalURL": "http://alertmanager.example.org", "groupKey": "{}:{}",
    "truncatedAlerts": 0,
}  # fmt: skip
_PAGERDUTY = {
    "id": "Q1", "type": "incident", "self": "https://api.pagerduty.com/incidents/Q1", "number": 7,
    "html_url": "https://acme.pagerduty.com/incidents/Q1", "status": "triggered", "incident_key": "k",
    "created_at": BEGAN, "title": "HighLatency", "urgency": "high", "priority": {"id": "P", "summary": "P1"},
    "service": {"id": "S", "type": "service_reference", "summary": "checkout"}, "assignees": [], "teams": [],
}  # fmt: skip
_ALARM = {
    "AlarmName": "HighLatency", "AlarmDescription": "p99 over 5 s", "AWSAccountId": "123456789012",
    "NewStateValue": "ALARM", "NewStateReason": "Threshold Crossed", "OldStateValue": "OK",
    "StateChangeTime": "2026-03-12T11:58:03.250+0000", "Region": "EU (Ireland)",
    "AlarmArn": "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:HighLatency",
    "Trigger": {"MetricName": "Latency", "Namespace": "AWS/ELB", "Dimensions": [{"name": "Name", "value": "web"}]},
}  # fmt: skip


def sns(message: Any, kind: str = "Notification", **more: str) -> dict[str, Any]:
    """What SNS posts around a message."""
    return {
        "Type": kind, "MessageId": "m", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:alarms",
        "Message": message if isinstance(message, str) else json.dumps(message), "Timestamp": BEGAN,
        "SignatureVersion": "1", "Signature": "c2ln", "SigningCertURL": "https://sns.eu-west-1.amazonaws.com/x.pem",
        **more,
    }  # fmt: skip


_NO_HEADERS: dict[str, str] = {}


class Example(NamedTuple):
    """A payload, its headers, and the title, service, whether it fires, and link that are read from it."""

    source: str
    payload: Any
    title: str = "HighLatency"
    service: str | None = "checkout"
    fires: bool = True
    headers: dict[str, str] = _NO_HEADERS
    at: str = BEGAN


def over(alert: dict[str, Any]) -> dict[str, Any]:
    """The same alert of Prometheus, resolved."""
    return {**alert, "status": "resolved", "endsAt": "2026-03-12T11:59:00Z"}


_SENTRY_METRIC = {
    "action": "critical", "actor": {"id": "sentry"}, "installation": {"uuid": "u"},
    "data": {
        "metric_alert": {
            "id": "7", "identifier": "3", "title": "HighLatency", "status": 20, "date_started": BEGAN,
            "date_detected": BEGAN, "date_closed": None, "projects": ["checkout"], "alert_rule": {"id": "1"},
        },
        "description_title": "Critical: HighLatency", "description_text": "p99 over 5 s",
        "web_url": "https://acme.sentry.io/alerts/7/",
    },
}  # fmt: skip
_REPOSITORY = {
    "id": 1,
    "name": "checkout",
    "full_name": "acme/checkout",
    "html_url": "https://github.com/acme/checkout",
}
_PROJECT = {"id": 1, "name": "checkout", "path_with_namespace": "acme/checkout"}

ALERTS = [
    Example("alertmanager", {**_GROUP, "version": "4", "alerts": [_PROMETHEUS]}),
    Example("alertmanager", {**_GROUP, "version": "4", "alerts": [over(_PROMETHEUS)]}, fires=False),
    # Before Alertmanager 0.19 an alert had no fingerprint.
    Example(
        "alertmanager",
        {"version": "4", "alerts": [{name: each for name, each in _PROMETHEUS.items() if name != "fingerprint"}]},
    ),
    Example(
        "grafana",
        {
            **_GROUP, "version": "1", "orgId": 1, "title": "[FIRING:1]", "state": "alerting", "message": "",
            "alerts": [{**_PROMETHEUS, "dashboardURL": "https://g.example/d/1", "values": {"A": 7}, "silenceURL": ""}],
        },
    ),
    Example("pagerduty", {"event": {"id": "e", "event_type": "incident.triggered", "resource_type": "incident",
            "occurred_at": "2026-03-12T11:58:04Z", "agent": None, "client": None, "data": _PAGERDUTY}}),
    Example("pagerduty", {"event": {"id": "e", "event_type": "incident.resolved", "resource_type": "incident",
            "occurred_at": "2026-03-12T11:59:04Z", "data": _PAGERDUTY}}, fires=False),
    Example(
        "opsgenie",
        {
            "action": "Create", "integrationName": "scribe", "source": {"name": "", "type": "API"},
            "alert": {"alertId": "a", "tinyId": "1", "message": "HighLatency", "alias": "x", "entity": "checkout",
                      "createdAt": 1773316683250, "updatedAt": 1773316683250000000, "tags": ["page"], "priority": "P1",
                      "description": "p99 over 5 s", "details": {"region": "eu"}, "username": "bot"},
        },
    ),
    Example(
        "datadog",
        {"cycle": "123", "transition": "Triggered", "title": "HighLatency", "date": "1773316683250", "monitor": "7",
         "scope": "service:checkout,env:prod", "priority": "normal", "link": "https://app.datadoghq.com/event",
         "host": "",
         "tags": ""},
    ),
    Example("datadog", {"cycle": "123", "transition": "Recovered", "title": "HighLatency", "date": 1773316683250,
                        "scope": "service:checkout"}, fires=False),
    Example("sentry", _SENTRY_METRIC, headers={"sentry-hook-resource": "metric_alert"}),
    Example("sentry", {**_SENTRY_METRIC, "action": "resolved"}, fires=False,
            headers={"sentry-hook-resource": "metric_alert"}),
    Example(
        "sentry",
        {"action": "triggered", "data": {"triggered_rule": "many", "event": {
            "event_id": "e", "issue_id": "9", "title": "HighLatency", "datetime": "2026-03-12T11:58:03.250000Z",
            "web_url": "https://acme.sentry.io/issues/9/", "project": 1, "level": "error", "culprit": "pay()",
            "tags": [["level", "error"]]}}},
        headers={"sentry-hook-resource": "event_alert"}, service=None,
    ),
    Example(
        "sentry",
        {"action": "created", "data": {"issue": {
            "id": "9", "shortId": "CHECKOUT-1", "title": "HighLatency", "culprit": "pay()", "level": "error",
            "permalink": None, "web_url": "https://acme.sentry.io/issues/9/", "firstSeen": BEGAN,
            "project": {"id": "1", "slug": "checkout", "name": "checkout"}}}},
        headers={"sentry-hook-resource": "issue"},
    ),
    Example("cloudwatch", sns(_ALARM), service=None),
    Example("cloudwatch", sns({**_ALARM, "NewStateValue": "OK"}), service=None, fires=False),
    Example(
        "uptime-kuma",
        {"heartbeat": {"monitorID": 29, "status": 0, "time": "2026-03-12 11:58:03.250", "msg": "timeout",
                       "important": True, "duration": 0, "timezone": "UTC", "timezoneOffset": "+00:00"},
         "monitor": {"id": 29, "name": "HighLatency", "url": "https://shop.example.org", "type": "http"},
         "msg": "Down"},
        service="HighLatency",
    ),
    Example("standard-webhooks", {"type": "alert.firing", "timestamp": BEGAN, "data": {
        "id": "a", "title": "HighLatency", "service": "checkout"}}),
    Example("standard-webhooks", {"type": "alert.resolved", "timestamp": BEGAN, "data": {
        "id": "a", "title": "HighLatency", "service": "checkout"}}, fires=False),
    Example("generic", {"title": "HighLatency", "id": "a", "startsAt": BEGAN, "status": "firing",
                        "service": "checkout"}),
]  # fmt: skip
CHANGES = [
    Example(
        "github",
        {"action": "created", "repository": _REPOSITORY,
         "deployment": {"id": 1, "ref": "main", "sha": "0123456789abcdef", "environment": "production"},
         "deployment_status": {"state": "success", "created_at": BEGAN, "target_url": "", "log_url": None}},
        title="checkout: main deployed to production", headers={"x-github-event": "deployment_status"},
    ),
    Example(
        "github",
        {"action": "published", "repository": _REPOSITORY, "release": {
            "id": 1, "tag_name": "v418", "name": None, "html_url": "https://github.com/r", "published_at": BEGAN}},
        title="checkout: release v418", headers={"x-github-event": "release"},
    ),
    Example(
        "github",
        {"action": "closed", "number": 12, "repository": _REPOSITORY, "pull_request": {
            "id": 1, "number": 12, "title": "Round coupons", "merged": True, "merged_at": BEGAN, "html_url": "https://x"}},
        title="checkout#12 merged: Round coupons", headers={"x-github-event": "pull_request"},
    ),
    Example(
        "gitlab",
        {"object_kind": "deployment", "status": "success", "status_changed_at": "2026-03-12 12:58:03 +0100",
         "deployment_id": 1, "environment": "production", "ref": "main", "short_sha": "0123456", "project": _PROJECT},
        title="checkout: main deployed to production", headers={"x-gitlab-event": "Deployment Hook"},
        at="2026-03-12T11:58:03Z",
    ),
    Example(
        "gitlab",
        {"object_kind": "release", "id": 1, "action": "create", "name": "", "tag": "v418", "project": _PROJECT,
         "released_at": "2026-03-12 11:58:03 UTC", "url": "https://gitlab.example.org/r"},
        title="checkout: release v418", headers={"x-gitlab-event": "Release Hook"}, at="2026-03-12T11:58:03Z",
    ),
    Example(
        "gitlab",
        {"object_kind": "merge_request", "project": _PROJECT, "object_attributes": {
            "id": 1, "iid": 12, "title": "Round coupons", "action": "merge", "updated_at": "2026-03-12 11:58:03 UTC"}},
        title="checkout!12 merged: Round coupons", headers={"x-gitlab-event": "Merge Request Hook"},
        at="2026-03-12T11:58:03Z",
    ),
    Example("argocd", {"app": "checkout", "namespace": "argocd", "revision": "0123456789abcdef", "phase": "Succeeded",
                       "finishedAt": BEGAN, "url": "https://argo.example.org/applications/checkout"},
            title="checkout: 0123456 synchronised"),
    Example("change", {"title": "release 418", "service": "checkout", "at": BEGAN}, title="release 418"),
]  # fmt: skip
NOTHING: list[Example] = [
    Example("pagerduty", {"event": {"event_type": "pagey.ping", "occurred_at": BEGAN, "data": {"message": "Hello"}}}),
    Example("opsgenie", {"action": "AddNote", "alert": {"alertId": "a"}}),
    Example("sentry", {"action": "created", "data": {}}, headers={"sentry-hook-resource": "installation"}),
    Example("sentry", {"action": "resolved", "data": {}}, headers={"sentry-hook-resource": "issue"}),
    Example("cloudwatch", sns("You have chosen to subscribe", "SubscriptionConfirmation")),
    Example("cloudwatch", sns({**_ALARM, "NewStateValue": "INSUFFICIENT_DATA"})),
    Example("uptime-kuma", {"heartbeat": None, "monitor": None, "msg": "Testing"}),
    Example("datadog", {"cycle": "", "transition": "Test", "title": "", "date": "1773316683250"}),
    Example("github", {"zen": "Keep it simple"}, headers={"x-github-event": "ping"}),
    Example("gitlab", {"object_kind": "push"}, headers={"x-gitlab-event": "Push Hook"}),
    Example("argocd", {"app": "checkout", "revision": "0", "phase": "Running"}),
]
"""What tells of no alert and no change, and is no error."""
