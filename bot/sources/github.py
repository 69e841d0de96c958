"""GitHub: deployments that succeeded or failed, releases, merged pull requests.

Source of the shapes and the signature: docs.github.com, "Webhook events and payloads", "Validating webhook deliveries".
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from bot.sources.signatures import hmac_hex
from bot.sources.source import Headers, Payload, Source, UnreadablePayloadError, change, shaped, short_revision
from storage.values import CHANGE, Signal

_EVENT = "x-github-event"
_DEPLOYED = frozenset({"success", "failure", "error"})


class GitHubRepository(Payload):
    """The repository."""

    name: str
    html_url: str = ""


class GitHubDeployment(Payload):
    """A deployment."""

    id: int
    ref: str = ""
    sha: str = ""
    environment: str | None = None


class GitHubDeploymentStatus(Payload):
    """How a deployment went."""

    state: str
    created_at: AwareDatetime
    target_url: str | None = None
    log_url: str | None = None


class DeploymentStatusEvent(Payload):
    """The event `deployment_status`."""

    repository: GitHubRepository
    deployment: GitHubDeployment
    deployment_status: GitHubDeploymentStatus


class GitHubRelease(Payload):
    """A release."""

    id: int
    tag_name: str
    name: str | None = None
    html_url: str | None = None
    published_at: AwareDatetime | None = None


class ReleaseEvent(Payload):
    """The event `release`."""

    action: str
    repository: GitHubRepository
    release: GitHubRelease


class GitHubPullRequest(Payload):
    """A pull request."""

    id: int
    number: int
    title: str
    html_url: str | None = None
    merged: bool | None = None
    merged_at: AwareDatetime | None = None


class PullRequestEvent(Payload):
    """The event `pull_request`."""

    action: str
    repository: GitHubRepository
    pull_request: GitHubPullRequest


def _deployed(payload: Any, now: datetime) -> Sequence[Signal]:
    told = shaped(DeploymentStatusEvent, payload)
    status, deployment = told.deployment_status, told.deployment
    if status.state not in _DEPLOYED:
        return ()
    what = deployment.ref if deployment.ref != deployment.sha else short_revision(deployment.sha)
    return change(
        "github",
        fingerprint=f"deployment {deployment.id} {status.state}",
        title=f"{told.repository.name}: {what} deployed to {deployment.environment or 'production'}",
        at=status.created_at,
        now=now,
        service=told.repository.name,
        link=status.log_url or status.target_url or f"{told.repository.html_url}/deployments",
        failed=status.state != "success",
    )


def _released(payload: Any, now: datetime) -> Sequence[Signal]:
    told = shaped(ReleaseEvent, payload)
    if told.action not in {"published", "released"}:
        return ()
    return change(
        "github",
        fingerprint=f"release {told.release.id}",
        title=f"{told.repository.name}: release {told.release.name or told.release.tag_name}",
        at=told.release.published_at or now,
        now=now,
        service=told.repository.name,
        link=told.release.html_url,
    )


def _merged(payload: Any, now: datetime) -> Sequence[Signal]:
    told = shaped(PullRequestEvent, payload)
    if told.action != "closed" or not told.pull_request.merged:
        return ()
    request = told.pull_request
    return change(
        "github",
        fingerprint=f"pull request {request.id}",
        title=f"{told.repository.name}#{request.number} merged: {request.title}",
        at=request.merged_at or now,
        now=now,
        service=told.repository.name,
        link=request.html_url,
    )


_READERS: Mapping[str, Callable[[Any, datetime], Sequence[Signal]]] = {
    "deployment_status": _deployed,
    "release": _released,
    "pull_request": _merged,
}


def read(payload: Any, headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The change that an event tells of; most events tell of none."""
    event = headers.get(_EVENT)
    if event is None:
        raise UnreadablePayloadError("the header X-GitHub-Event is missing: choose the content type application/json")
    reader = _READERS.get(event)
    return () if reader is None else reader(payload, now)


SOURCE = Source(
    name="github",
    label="GitHub",
    kind=CHANGE,
    read=read,
    version="GitHub's webhooks deployment_status, release and pull_request",
    signature=hmac_hex("x-hub-signature-256", prefix="sha256="),
)
