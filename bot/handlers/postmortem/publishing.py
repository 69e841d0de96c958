"""Publishing: who asks for what to be published where, and the record of it for the outbox to work with."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.documents.export import latest_draft
from bot.documents.rendering import slack
from bot.domain.words import closest_match
from bot.errors import UsageError
from bot.handlers.lookup import get_by_number, get_current, incident_number
from bot.handlers.permission import require_permission
from bot.handlers.postmortem.audiences import RENDERINGS
from bot.handlers.postmortem.exports import read_record
from bot.handlers.request import Reply, Request
from bot.publishing.target import TARGETS
from storage import outbox
from storage.values import Incident

PUBLISH = "publish"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What the words say: whose postmortem (the channel's, when None), as which rendering, where (everywhere)."""

    number: int | None = None
    how: str | None = None
    targets: tuple[str, ...] = ()


def publish(connection: Connection, request: Request) -> Reply:
    """`publish [blameless|public] [folder|canvas] [INC-12]`: put the newest version where it is set up to go."""
    asked = _asked(request)
    number = asked.number
    incident = get_current(connection, request) if number is None else get_by_number(connection, request, number)
    record = read_record(connection, incident)
    if record.postmortem is None:
        raise UsageError(f"{incident.name} has no draft yet. {request.slash('postmortem')} draft writes one.")
    targets = _targets(request, incident, asked.targets)
    require_permission(connection, request, incident, PUBLISH)
    outbox.add(
        connection,
        request.workspace_id,
        # One after the other, so that two who publish at once make one canvas.
        lane=f"{PUBLISH}:{incident.id}",
        action=PUBLISH,
        content={
            "incident_id": incident.id,
            "targets": list(targets),
            "how": asked.how,
            "channel": request.channel_id,
            "reply_url": request.reply_url,
            "by": request.user_name,
            "prefix": request.settings.prefix,
            "told": False,
        },
        at=request.received_at,
    )
    return Reply(text=slack("publishing", incident=incident, version=latest_draft(record).version, targets=targets))


def _asked(request: Request) -> _Asked:
    asked = _Asked()
    for word in request.words.casefold().split():
        number = incident_number(word)
        if number is not None and asked.number is None:
            asked = replace(asked, number=number)
        elif word in RENDERINGS and asked.how is None:
            asked = replace(asked, how=word)
        elif word in TARGETS:
            asked = replace(asked, targets=(*asked.targets, word))
        else:
            guess = closest_match(word, [*TARGETS, *RENDERINGS])
            raise UsageError(
                f"“{word[:40]}” is no place to publish to.{f' Did you mean {guess}?' if guess else ''} "
                f"Try: {request.slash('postmortem')} publish, alone or with {' or '.join(TARGETS)} after it."
            )
    return asked


def _targets(request: Request, incident: Incident, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The places meant, in the table's order. Raises UsageError where nothing may be published."""
    for name in wanted:
        if name not in request.settings.targets:
            raise UsageError(f"{_NOT_SET.format(it=f'a {name}')} {TARGETS[name].variable}.")
    if not request.settings.targets:
        ways = " or ".join(place.variable for place in TARGETS.values())
        raise UsageError(f"{_NOT_SET.format(it='a place')} {ways}. From a terminal, scribe export prints it.")
    names = [name for name in TARGETS if name in (wanted or request.settings.targets)]
    allowed = tuple(name for name in names if not (incident.private and TARGETS[name].shared))
    refused = next((name for name in wanted if name not in allowed), None) if allowed else names[0]
    if refused:
        raise UsageError(
            f"{incident.name} is kept to its own channel, and a {refused} is read by others too, so it does not "
            "go there. From a terminal, scribe export prints it."
        )
    return allowed


_NOT_SET = "Scribe is not set up to publish to {it}. Whoever runs it can set"
