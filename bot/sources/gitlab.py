"""GitLab: deployments that succeeded or failed, releases, merged merge requests.

Source of the shapes and the token: docs.gitlab.com, "Webhook events".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.sources.signatures import shared_token
from bot.sources.source import Headers, Payload, Source, UnreadablePayloadError, change, instant, shaped
from storage.values import CHANGE, Signal

_DEPLOYED = frozenset({"success", "failed"})
_ZONE = re.compile(r" (?:UTC|(?P<offset>[+-][0-9]{4}))$")


class GitLabProject(Payload):
    """The project."""

    name: str
    path_with_namespace: str = ""


class GitLabDeployment(Payload):
    """The event `deployment`."""

    status: str
    status_changed_at: str
    deployment_id: int
    environment: str = ""
    ref: str = ""
    short_sha: str = ""
    deployable_url: str | None = None
    project: GitLabProject


class GitLabRelease(Payload):
    """The event `release`."""

    id: int
    action: str
    name: str = ""
    tag: str = ""
    released_at: str
    url: str | None = None
    project: GitLabProject


class GitLabMergeRequest(Payload):
    """A merge request."""

    id: int
    iid: int
    title: str
    action: str | None = None
    updated_at: str
    url: str | None = None


class GitLabMergeEvent(Payload):
    """The event `merge_request`."""

    object_attributes: GitLabMergeRequest
    project: GitLabProject


def _instant(words: str, field: str) -> datetime:
    """GitLab writes `2026-03-12 14:02:03 UTC` or `2026-03-12 14:02:03 +0200`."""
    return instant(_ZONE.sub(lambda zone: zone["offset"] or "Z", words), field)


def _deployed(payload: Any, now: datetime) -> Sequence[Signal]:
    told = shaped(GitLabDeployment, payload)
    if told.status not in _DEPLOYED:
        return ()
    return change(
        "gitlab",
        fingerprint=f"deployment {told.deployment_id} {told.status}",
        title=f"{told.project.name}: {told.ref or told.short_sha} deployed to {told.environment}",
        at=_instant(told.status_changed_at, "status_changed_at"),
        now=now,
        service=told.project.name,
        link=told.deployable_url,
        failed=told.status != "success",
    )


def _released(payload: Any, now: datetime) -> Sequence[Signal]:
    told = shaped(GitLabRelease, payload)
    if told.action != "create":
        return ()
    return change(
        "gitlab",
        fingerprint=f"release {told.project.path_with_namespace} {told.id}",
        title=f"{told.project.name}: release {told.name or told.tag}",
        at=_instant(told.released_at, "released_at"),
        now=now,
        service=told.project.name,
        link=told.url,
    )


def _merged(payload: Any, now: datetime) -> Sequence[Signal]:
    told = shaped(GitLabMergeEvent, payload)
    request = told.object_attributes
    if request.action != "merge":
        return ()
    return change(
        "gitlab",
        fingerprint=f"merge request {request.id}",
        title=f"{told.project.name}!{request.iid} merged: {request.title}",
        at=_instant(request.updated_at, "object_attributes.updated_at"),
        now=now,
        service=told.project.name,
        link=request.url,
    )


_READERS: Mapping[str, Callable[[Any, datetime], Sequence[Signal]]] = {
    "deployment": _deployed,
    "release": _released,
    "merge_request": _merged,
}


def read(payload: Any, headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The change that an event tells of; most events tell of none."""
    if "x-gitlab-event" not in headers:
        raise UnreadablePayloadError("the header X-Gitlab-Event is missing: this is no webhook of GitLab")
    kind = payload.get("object_kind") if isinstance(payload, dict) else None
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    return () if reader is None else reader(payload, now)


SOURCE = Source(
    name="gitlab",
    label="GitLab",
    kind=CHANGE,
    read=read,
    version="GitLab's webhooks for deployments, releases and merge requests",
    signature=shared_token("x-gitlab-token"),
)
