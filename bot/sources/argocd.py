"""Argo CD Notifications: a webhook whose body is the template that `scribe sources argocd` prints.

Argo CD sends what its operator's template says, so the shape is our own; its fields are those of an Application.
Source of these: argo-cd.readthedocs.io, "Notifications", "Webhook" and "Templates".
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime, Field

from bot.sources.source import Headers, Payload, Source, change, shaped, short_revision
from storage.values import CHANGE, Signal

_DONE = frozenset({"Succeeded", "Failed", "Error"})


class ArgoSync(Payload):
    """The whole payload: an application after a synchronisation."""

    app: str
    revision: str
    phase: str
    finished_at: AwareDatetime | None = Field(default=None, alias="finishedAt")
    namespace: str = ""
    url: str = ""


def read(payload: Any, _headers: Headers, *, now: datetime) -> Sequence[Signal]:
    """The synchronisation, once it is done."""
    told = shaped(ArgoSync, payload)
    if told.phase not in _DONE:
        return ()
    return change(
        "argocd",
        fingerprint=f"{told.namespace}/{told.app} {told.revision} {told.phase}",
        title=f"{told.app}: {short_revision(told.revision)} synchronised",
        at=told.finished_at or now,
        now=now,
        service=told.app,
        link=told.url,
        failed=told.phase != "Succeeded",
    )


SOURCE = Source(
    name="argocd", label="Argo CD", kind=CHANGE, read=read, version="the body that scribe sources argocd prints"
)
