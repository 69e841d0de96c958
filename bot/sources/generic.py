"""Any JSON: where its fields are is a setting; and the events of Standard Webhooks, which differ in how they sign.

Source of the latter: standardwebhooks.com, the specification: `type`, `timestamp` and `data`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from bot.sources.signatures import standard_webhooks
from bot.sources.source import Headers, Payload, Source, UnreadablePayloadError, instant, shaped, signal
from storage.values import ALERT, CHANGE, Signal

FIELDS: Mapping[str, str] = {
    "title": "title",
    "id": "id",
    "at": "startsAt",
    "until": "endsAt",
    "status": "status",
    "text": "description",
    "service": "service",
    "link": "url",
    "labels": "labels",
}
"""Where each field of a signal is, unless the setting says otherwise: a path with dots, `alert.rule.name`."""
OVER = frozenset({"resolved", "ok", "closed", "recovered", "inactive", "normal", "up", "success"})
"""What a status says of an alert that is over, in any case."""
_NOT_OVER = frozenset({"firing", "alerting", "open", "triggered", "alarm", "critical", "warning", "down", "error"})
_ENDINGS = tuple(f".{each}" for each in OVER)


def _at(payload: Any, path: str) -> Any:
    for name in path.split("."):
        if not isinstance(payload, dict):
            return None
        payload = payload.get(name)
    return payload


def _text(payload: Any, path: str) -> str:
    found = _at(payload, path)
    return str(found) if isinstance(found, str | int | float) and not isinstance(found, bool) else ""


def _signal(
    payload: Any, fields: Mapping[str, str], *, source: str, kind: str, now: datetime, over: bool | None = None
) -> Signal:
    where = {**FIELDS, **fields}
    told = {name: _text(payload, path) for name, path in where.items()}
    if not told["title"]:
        raise UnreadablePayloadError(f"{where['title']}: the title, a text, is missing; SCRIBE_HOOKS_GENERIC maps it")
    status = told["status"].casefold()
    if status and over is None and kind == ALERT and status not in OVER | _NOT_OVER:
        raise UnreadablePayloadError(f"{where['status']}: none of {_listed(_NOT_OVER)}, or over: {_listed(OVER)}")
    over = status in OVER if over is None else over
    at = instant(told["at"], where["at"]) if told["at"] else now
    ended_at = instant(told["until"], where["until"]) if told["until"] and over else now
    labels = _at(payload, where["labels"])
    return signal(
        source,
        fingerprint=told["id"] or told["title"],
        title=told["title"],
        kind=kind,
        at=at,
        now=now,
        ended_at=ended_at if over and kind == ALERT else None,
        fired=kind == CHANGE or not over,
        once=bool(told["id"]) and not told["at"],
        text=told["text"],
        service=told["service"],
        link=told["link"],
        labels={str(name): str(value) for name, value in labels.items()} if isinstance(labels, dict) else {},
    )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


def read(
    payload: Any, _headers: Headers, *, now: datetime, fields: Mapping[str, str] | None = None
) -> Sequence[Signal]:
    """The alert of a payload, or those of a list of them."""
    several = payload if isinstance(payload, list) else [payload]
    return [_signal(each, fields or {}, source="generic", kind=ALERT, now=now) for each in several]


def read_change(payload: Any, _headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The change of a payload, or those of a list of them."""
    several = payload if isinstance(payload, list) else [payload]
    fields = {"at": "at", "link": "link"}
    return [_signal(each, fields, source="change", kind=CHANGE, now=now) for each in several]


class StandardWebhook(Payload):
    """An event by the specification; what `data` holds is the sender's."""

    type: str
    timestamp: AwareDatetime
    data: dict[str, Any]


def read_standard(payload: Any, _headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The alert of an event: over where its type ends so (`alert.resolved`), or its data has such a status."""
    told = shaped(StandardWebhook, payload)
    data = {"title": told.type, **told.data}
    over = True if told.type.casefold().endswith(_ENDINGS) else None
    fields = {} if "startsAt" in data else {"at": "timestamp"}
    data.setdefault("timestamp", told.timestamp.isoformat())
    return [_signal(data, fields, source="standard-webhooks", kind=ALERT, now=now, over=over)]


SOURCE = Source(name="generic", label="Monitoring", read=read, version="JSON, as SCRIBE_HOOKS_GENERIC maps it")
CHANGES = Source(
    name="change", label="Pipeline", kind=CHANGE, read=read_change,
    version='JSON such as {"title": "release 418", "service": "checkout", "at": "2026-03-12T10:02:00Z"}',
)  # fmt: skip
STANDARD = Source(
    name="standard-webhooks",
    label="Webhook",
    read=read_standard,
    version="an event of the Standard Webhooks specification: type, timestamp, data",
    signature=standard_webhooks,
)
