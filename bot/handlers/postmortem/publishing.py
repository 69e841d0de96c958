"""`/postmortem publish`: parse what goes where, check that it may, and put the publication into the outbox."""

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.documents.export import latest_draft
from bot.documents.rendering import slack
from bot.domain.postmortem.questions import asked
from bot.domain.words import closest_match
from bot.errors import UsageError
from bot.handlers.incident.incidents import commands_about, get_by_number, get_current, incident_number
from bot.handlers.permission import require_permission
from bot.handlers.postmortem.audiences import PICTURES, RENDERINGS, take_money
from bot.handlers.postmortem.exports import read_record
from bot.handlers.postmortem.interview import ANSWER
from bot.handlers.request import Button, Reply, Request
from bot.publishing.target import TARGETS
from bot.vocabulary import POSTMORTEM
from storage import outbox, publications
from storage.values import Incident

PUBLISH = "publish"
"""The action in the outbox and in the policy."""
ANYWAY = "publish_anyway"
"""The action of the button that publishes although questions are open; the value is the incident, then the words."""
_ANYWAY = "anyway"
"""The word that stands for it."""
_NOT_SET = "Scribe is not set up to publish to {it}. Whoever runs it can set"


@dataclass(frozen=True, slots=True, kw_only=True)
class _PublishRequest:
    """The parsed words. Without a number it is the current incident, without targets all that are set up.

    `anyway`: also with questions open.
    """

    number: int | None = None
    audience: str | None = None
    money: bool = False
    pictures: bool = False
    targets: tuple[str, ...] = ()
    anyway: bool = False


def publish(connection: Connection, request: Request) -> Reply:
    """`publish [blameless|public [money] [pictures]] [folder|canvas] [anyway] [INC-12]`: publish the newest version.

    With questions open it asks first, unless `anyway` is said.
    """
    wanted = _parse(request)
    if wanted.number is None:
        incident = get_current(connection, request)
    else:
        incident = get_by_number(connection, request, wanted.number)
    record = read_record(connection, incident)
    if record.postmortem is None:
        draft = commands_about(connection, request, incident)("postmortem draft")
        raise UsageError(f"{incident.name} has no draft yet. {draft} writes one.")
    targets = _allowed_targets(request, incident, wanted.targets)
    require_permission(connection, request, incident, PUBLISH)
    still_open = sum(1 for _ in asked(record.postmortem.shown))
    if still_open and not wanted.anyway:
        return _ask_first(request, incident, still_open, version=latest_draft(record).version)
    outbox.add(
        connection,
        request.workspace_id,
        # A lane per incident: publications that are requested at the same time run in turn, and create one canvas.
        lane=f"{PUBLISH}:{incident.id}",
        action=PUBLISH,
        content={
            "incident_id": incident.id,
            "targets": list(targets),
            "how": wanted.audience,
            "money": wanted.money,
            "pictures": wanted.pictures,
            "channel": request.channel_id,
            "reply_url": request.reply_url,
            "by": request.user_name,
            "asked_by": request.user_id,
            "prefix": request.settings.prefix,
            "told": False,
        },
        at=request.received_at,
    )
    return Reply(text=slack("publishing", incident=incident, version=latest_draft(record).version, targets=targets))


def _ask_first(request: Request, incident: Incident, still_open: int, *, version: int) -> Reply:
    """Ask whether to publish with questions open."""
    words = " ".join(word for word in request.words.split() if incident_number(word, plain=True) is None)
    name = incident.name if incident.channel_id != request.channel_id else ""
    text = slack(
        "publish_open", incident=incident, request=request, still_open=still_open, version=version,
        typed=f"{words} {name}".strip(),
    )  # fmt: skip
    count = "1 question" if still_open == 1 else f"{still_open} questions"
    buttons = (
        Button(label=f"Answer {count}", action=ANSWER, value=incident.name),
        Button(label="Publish anyway", action=ANYWAY, value=f"{incident.name} {words}".strip()),
    )
    return Reply(text=text, buttons=buttons)


def publish_anyway(connection: Connection, request: Request) -> Reply:
    """`INC-12 folder`, of a button: publish it with the questions open."""
    pressed = request.parsed
    words = f"{pressed['words'] or ''} {_ANYWAY}"
    named = replace(request, command=POSTMORTEM.name, words=words, named_number=int(pressed["incident"]))
    return replace(publish(connection, named), replaces=True)


def publish_again(connection: Connection, request: Request, incident: Incident) -> list[str]:
    """Have what is published written again in its present version, after words were erased; returns the targets."""
    published = publications.of_incident(connection, incident.id)
    for each in published:
        target, _, audience = each.target.partition(":")
        content = {
            "incident_id": incident.id,
            "targets": [target],
            "how": audience or None,
            "channel": incident.channel_id,
            "reply_url": None,
            "by": request.user_name,
            "asked_by": request.user_id,
            "prefix": request.settings.prefix,
            "told": False,
            "again": True,
        }
        lane = f"{PUBLISH}:{incident.id}"
        outbox.add(
            connection, incident.workspace_id, lane=lane, action=PUBLISH, content=content, at=request.received_at
        )
    return [each.target for each in published]


def takes(target: str, incident: Incident) -> bool:
    """Whether the incident's postmortem may be published there: not a private one where others read it."""
    return not (incident.private and TARGETS[target].shared)


def _parse(request: Request) -> _PublishRequest:
    money, words = take_money(request.words)
    wanted = _PublishRequest(money=money)
    for word in words.casefold().split():
        number = incident_number(word, plain=True)
        if number is not None and wanted.number is None:
            wanted = replace(wanted, number=number)
        elif word == PICTURES:
            wanted = replace(wanted, pictures=True)
        elif word == _ANYWAY:
            wanted = replace(wanted, anyway=True)
        elif word in RENDERINGS and wanted.audience is None:
            wanted = replace(wanted, audience=word)
        elif word in TARGETS:
            wanted = replace(wanted, targets=(*wanted.targets, word))
        else:
            guess = closest_match(word, [*TARGETS, *RENDERINGS])
            raise UsageError(
                f"“{word[:40]}” is no place to publish to.{f' Did you mean {guess}?' if guess else ''} "
                f"It is typed alone or with {' or '.join(TARGETS)} after it. Try: {request.slash('postmortem')} publish"
            )
    return wanted


def _allowed_targets(request: Request, incident: Incident, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The targets to publish to, in the order of TARGETS.

    Raises UsageError for a target that is not set up, or that would show a private incident to others.
    """
    for name in wanted:
        if name not in request.settings.targets:
            raise UsageError(f"{_NOT_SET.format(it=f'a {name}')} {TARGETS[name].variable}.")
    if not request.settings.targets:
        ways = " or ".join(place.variable for place in TARGETS.values())
        raise UsageError(f"{_NOT_SET.format(it='a place')} {ways}. From a terminal, scribe export prints it.")
    names = [name for name in TARGETS if name in (wanted or request.settings.targets)]
    allowed = tuple(name for name in names if takes(name, incident))
    refused = next((name for name in wanted if name not in allowed), None) if allowed else names[0]
    if refused:
        raise UsageError(
            f"{incident.name} is kept to its own channel, and a {refused} is read by others too, so it does not "
            "go there. From a terminal, scribe export prints it."
        )
    return allowed
