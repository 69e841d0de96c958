"""The clicks on an action item's buttons: who may use them where, and which command or form each runs."""

import re
from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.items.due import parse_snooze
from bot.errors import UsageError
from bot.handlers.incident.incidents import not_here
from bot.handlers.items import buttons, items
from bot.handlers.items.redact import is_redacted, redact
from bot.handlers.items.reminders import lock_recipients
from bot.handlers.permission import require_permission
from bot.handlers.postmortem import drafts
from bot.handlers.postmortem.publishing import PUBLISH
from bot.handlers.request import Reply, Request
from bot.vocabulary import POSTMORTEM
from storage import incidents, members, postmortems, publications
from storage.items import action_items, digests, reminder_schedules, reminders
from storage.items.digests import PostedDigest
from storage.values import ActionItem, Incident

HOME = "home"
"""The source of clicks on the Home tab, which shows the user's own items alone."""
DIRECT = "directmessage"
"""The name that Slack gives to every direct message."""
_LEFT = "deactivated"
"""The standing of who has left the workspace."""

_Handler = Callable[[Connection, Request], Reply]


def _run(handler: _Handler) -> _Handler:
    """The handler of a command, for a request whose words are a button's value."""

    def clicked(connection: Connection, request: Request) -> Reply:
        return handler(connection, _as_command(connection, request))

    return clicked


def _answer(handler: _Handler, before: Callable[[ActionItem], str]) -> _Handler:
    """As `_run`, unless what the button replaces is not there any more; the receipt takes the place of the asking one.

    `before` is what it replaces, as its value says it.
    """

    def clicked(connection: Connection, request: Request) -> Reply:
        command = _as_command(connection, request)
        _, item, words = items.find(connection, command, "due")
        replaced = request.parsed["before"]
        if replaced not in {None, before(item)} and not words.startswith(before(item)):
            raise UsageError(
                f"Action item {item.number} was changed since, so nothing was changed now: it is "
                f"{f'due {item.due_on}' if item.due_on else 'without a date'}, and {item.owner or 'nobody'} has it."
            )
        return replace(handler(connection, command), replaces=True)

    return clicked


def _judge(connection: Connection, request: Request) -> Reply:
    """Whether the item worked, unless that was answered since the button was shown."""
    command = _as_command(connection, request)
    _, item, _ = items.find(connection, command, "worked")
    if item.worked is not None:
        said = "worked" if item.worked else "did not work"
        raise UsageError(f"Action item {item.number} {said}, {item.worked_by} said, so nothing was changed now.")
    return items.worked(connection, command)


def _give(connection: Connection, request: Request) -> Reply:
    """`NUMBER USER_ID`: assign the item to the user."""
    number, _, user_id = request.words.partition(" ")
    member = members.find(connection, request.workspace_id, user_id)
    name = "_".join(member.name.split()) if member else user_id
    return items.assign(connection, replace(request, words=f"{number} @{name}", people={name: user_id}))


def _open_form(form: str) -> _Handler:
    """A handler that opens a form about the item, unless the item is done or dropped."""

    def clicked(connection: Connection, request: Request) -> Reply:
        incident, item, _ = items.pending(connection, _as_command(connection, request), "assign")
        # Who owns the item need not see its incident.
        seen = request.is_member or request.sees(incident)
        return Reply(text="", form=form, fills={"incident": incident if seen else redact(incident), "item": item})

    return clicked


def _snooze_all(connection: Connection, request: Request) -> Reply:
    """Snooze all that the recipient's live digest lists: in a direct message the user's, else the channel's."""
    value: re.Match[str] = request.parsed
    _check_is_here(request)
    recipient_id = request.user_id if request.is_direct else request.channel_id
    posted = digests.live(connection, request.workspace_id, recipient_id)
    if posted is None or posted.told_on.isoformat() != value["on"]:
        shows = request.slash("actionitem")
        raise UsageError(f"That list is out of date, so nothing was snoozed. What is open now: {shows} list mine")
    until = parse_snooze(value["words"], today=items.today(request))
    listed = _listed_items(connection, posted)
    concerned = dict.fromkeys(incident for incident, _ in listed)
    lock_recipients(connection, concerned, [item for _, item in listed], request.settings.cadence)
    snoozed: list[str] = []
    problems: list[str] = []
    for incident, item in listed:
        words = f"{item.number} {value['words']}"
        command = replace(request, command="actionitem", words=words, incident_number=incident.number)
        if not _may_click(connection, request, incident, item.number):
            problems.append(str(not_here(request, incident.number)))
            continue
        try:
            items.snooze(connection, command)
        except UsageError as error:
            problems.append(str(error))
        else:
            snoozed.append(f"{incident.name} #{item.number}")
    if not snoozed:
        raise UsageError(f"Nothing was snoozed. {problems[0] if problems else 'Nothing of that list is open.'}")
    text = slack("snoozed_all", count=len(snoozed), until=until, kept=len(problems))
    return Reply(text=text, public=True, own=True)


def _listed_items(connection: Connection, posted: PostedDigest) -> list[tuple[Incident, ActionItem]]:
    """The open items that the digest lists, by incident: all who lock several do so in that order."""
    listed = sorted((incident, item) for incident, item in digests.listed(connection, posted) if item is not None)
    found = [(incidents.by_id(connection, of), action_items.with_id(connection, of, item)) for of, item in listed]
    return [(incident, item) for incident, item in found if item.pending and incident.closed_as is None]


def _show_postmortem(connection: Connection, request: Request) -> Reply:
    """The newest draft, to the user alone, who sees the incident or has been in its channel."""
    incident = _incident_of(connection, request)
    how = {"user_id": request.user_id, "standing": request.standing, "channel_id": request.channel_id}
    if is_redacted(connection, incident, **how):
        raise not_here(request, incident.number)
    if postmortems.newest(connection, incident.id) is None:
        draft = request.slash(f"{POSTMORTEM.name} draft")
        raise UsageError(f"{incident.name} has no draft yet. In its channel, {draft} writes one.")
    # What is theirs to read was decided above: the command runs as in the channel, where all may see it.
    there = replace(request, channel_id=incident.channel_id, incident_number=incident.number)
    return drafts.show(connection, replace(there, command=POSTMORTEM.name, words=""))


def _review_postmortem(connection: Connection, request: Request) -> Reply:
    """Save that the postmortem was reviewed, and ask nobody for it any more."""
    incident = _incident_of(connection, request)
    if incident.lead_id != request.user_id:
        if not request.sees(incident):
            raise not_here(request, incident.number)
        require_permission(connection, request, incident, PUBLISH)
    # Who asks twice, or at the same time as somebody else, waits here.
    incidents.numbered(connection, request.workspace_id, incident.number, lock=True)
    recipient_id = reminders.postmortem_recipient(connection, incident.id)
    if recipient_id is None or publications.of_incident(connection, incident.id):
        reviewed = postmortems.reviewed(connection, incident.id)
        by = f": {reviewed[0]} has reviewed it" if reviewed and not incident.open else ""
        raise UsageError(f"Nobody waits for the postmortem of {incident.name}{by}, so nothing was changed now.")
    newest = postmortems.newest(connection, incident.id)
    postmortems.mark_reviewed(
        connection,
        incident.id,
        version=newest.version if newest else 0,
        by=request.user_name,
        by_id=request.user_id,
        at=request.received_at,
    )
    reminder_schedules.lock(connection, request.workspace_id, {recipient_id: None})
    reminders.cancel_postmortem(connection, incident.id)
    text = slack("reviewed", incident=incident, by=request.user_name, version=newest.version if newest else 0)
    return Reply(text=text, public=True, about=incident.name)


def _incident_of(connection: Connection, request: Request) -> Incident:
    """The incident of the button's value, or the one it was merged into. Raises UsageError where there is none."""
    _check_is_here(request)
    number = int(request.parsed["incident"])
    incident = incidents.numbered(connection, request.workspace_id, number)
    if incident is None:
        raise not_here(request, number)
    return incidents.holder(connection, incident)


CLICKS: dict[str, _Handler] = {
    buttons.DONE: _run(items.done),
    buttons.CONFIRM: _run(items.confirm),
    buttons.SNOOZE: _run(items.snooze),
    buttons.REOPEN: _run(items.reopen_item),
    **dict.fromkeys(buttons.DUE, _answer(items.due, buttons.date_before)),
    **dict.fromkeys((buttons.WORKED, buttons.FAILED), _judge),
    buttons.OWNER: _answer(_give, buttons.owner_before),
    buttons.ACCEPT: _run(items.accept),
    buttons.DECLINE: _run(items.decline),
    buttons.DATE: _open_form(buttons.DATE),
    buttons.ASSIGN: _open_form(buttons.ASSIGN),
    buttons.DROP: _open_form(buttons.DROP),
    buttons.DATE: _open_form(buttons.DATE),
}
"""The handler of each button's action on one item."""
ON_DIGESTS: dict[str, _Handler] = {
    buttons.SNOOZE_ALL: _snooze_all,
    buttons.SHOW: _show_postmortem,
    buttons.REVIEWED: _review_postmortem,
}
"""The handler of each further action of a digest's controls."""


def _as_command(connection: Connection, request: Request) -> Request:
    """The click as an `/actionitem` command on the item's incident. Raises UsageError where the user may not click."""
    value: re.Match[str] = request.parsed
    number = int(value["incident"])
    _check_is_here(request)
    incident = incidents.numbered(connection, request.workspace_id, number)
    if incident is None or not _may_click(connection, request, incident, int(value["number"])):
        raise UsageError(f"There is no INC-{number} here, so nothing was changed.")
    return replace(request, command="actionitem", words=value["words"], incident_number=number)


def _check_is_here(request: Request) -> None:
    """Raise UsageError for a click that arrives after its user has left."""
    if request.standing == _LEFT:
        raise UsageError("Slack says that you have left this workspace, so nothing was changed.")


def _may_click(connection: Connection, request: Request, incident: Incident, number: int) -> bool:
    """Whether the user may use the buttons of the incident's item of that number in the request's place.

    In a channel: if the incident is visible there. In the direct message of a digest: also the item's owner and, where
    they are members, the incident's lead and who took part in it. On the Home tab: the owner alone, since the tab may
    have been drawn before the owner changed.
    """
    if request.source == HOME or request.channel_name == DIRECT:
        item = action_items.numbered(connection, incident.id, number)
        if item is not None and item.owner_id == request.user_id:
            return True
        if request.source == HOME:
            return False
        decides = incident.lead_id == request.user_id or incidents.took_part(connection, incident.id, request.user_id)
        if request.is_member and decides:
            return True
    return request.sees(incident)
