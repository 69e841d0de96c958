"""The contract for machines: an incident as plain JSON values."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from bot.domain.incident.lifecycle import in_order, lifecycle
from storage.values import ActionItem, Incident, Postmortem, TimelineEntry

Json = dict[str, Any]


def instant(at: datetime | None) -> str | None:
    """The aware instant `at` as `2017-01-31T22:00:00Z`, with milliseconds only when there are any."""
    if at is None:
        return None
    at = at.astimezone(UTC)
    return at.isoformat(timespec="milliseconds" if at.microsecond // 1000 else "seconds").replace("+00:00", "Z")


def _incident(incident: Incident, entries: Iterable[TimelineEntry]) -> Json:
    life = lifecycle(entries)
    return {
        "id": incident.name,
        "title": incident.title,
        "severity": incident.severity,
        "status": life.status,
        "declared_at": instant(incident.declared_at),
        "started_at": instant(life.started_at),
        "detected_at": instant(life.detected_at),
        "acknowledged_at": instant(life.acknowledged_at),
        "mitigated_at": instant(life.mitigated_at),
        "resolved_at": instant(life.resolved_at),
        "detected_by": life.detected_by,
        "time_to_detect_s": life.time_to_detect_s,
        "time_to_acknowledge_s": life.time_to_acknowledge_s,
        "time_to_mitigate_s": life.time_to_mitigate_s,
        "time_to_resolve_s": life.time_to_resolve_s,
        "escalations": life.escalations,
        "misleading_paths": life.misleading_paths,
    }


def _entry(entry: TimelineEntry) -> Json:
    return {
        "kind": entry.kind,
        "occurred_at": instant(entry.occurred_at),
        "recorded_at": instant(entry.recorded_at),
        "author": entry.author,
        "text": entry.text,
        "source": entry.source,
        "late": entry.late,
        "revisions": entry.revisions,
    }


def _item(item: ActionItem) -> Json:
    return {
        "text": item.text,
        "owner": item.owner,
        "kind": item.kind,
        "due_on": item.due_on.isoformat() if item.due_on else None,
        "state": item.state,
    }


def _postmortem(postmortem: Postmortem) -> Json:
    return {
        "template": postmortem.template,
        "version": postmortem.version,
        "sections": [
            {"key": section.key, "heading": section.heading, "body": section.body, "edited": section.edited}
            for section in postmortem.shown
        ],
    }


def contract(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    items: Iterable[ActionItem],
    postmortem: Postmortem | None = None,
) -> Json:
    """What `ID.json` holds: facts, standing entries in timeline order, items by number, the postmortem.

    Durations are seconds, unknown facts null, and `postmortem` is null before the first draft.
    """
    standing = [entry for entry in in_order(entries) if not entry.retracted]
    return {
        "incident": _incident(incident, standing),
        "entries": [_entry(entry) for entry in standing],
        "action_items": [_item(item) for item in sorted(items, key=lambda item: item.number)],
        "postmortem": _postmortem(postmortem) if postmortem else None,
    }
