"""Postmortems: draft and show."""

from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.domain.lifecycle import in_order
from bot.domain.postmortem import assemble
from bot.errors import UsageError
from bot.handlers.lookup import named
from bot.handlers.request import Reply, Request
from bot.rendering import draft as render_draft
from bot.rendering import markdown, slack
from storage import action_items, incidents, outbox, postmortems, timeline
from storage.values import Incident, Postmortem


def ask_for_draft(connection: Connection, request: Request, incident: Incident) -> None:
    """Put the drafting into the outbox: it is slow work, and no answer waits for it."""
    outbox.add(
        connection,
        request.workspace_id,
        lane=request.channel_id,
        action="draft",
        content={
            "incident_id": incident.id,
            "channel_id": request.channel_id,
            "by": request.user_name,
            "template": request.template,
            "prefix": request.prefix,
            "reply_url": request.reply_url,
        },
        at=request.received_at,
    )


def draft(connection: Connection, request: Request) -> Reply:
    """`draft`: ask for a new version from what is known now."""
    incident, rest = named(connection, request)
    _nothing_more(request, rest, "draft")
    ask_for_draft(connection, request, incident)
    return Reply(text=slack("drafting", incident=incident), public=True)


def show(connection: Connection, request: Request) -> Reply:
    """`show`: the latest version, as Slack shows it."""
    incident, rest = named(connection, request)
    _nothing_more(request, rest, "show")
    newest = postmortems.newest(connection, incident.id)
    if newest is None:
        raise UsageError(f"{incident.name} has no draft yet. {request.slash('postmortem')} draft writes one.")
    return Reply(text=slack("postmortem", incident=incident, postmortem=newest), document=as_file(incident, newest))


def _nothing_more(request: Request, words: str, subcommand: str) -> None:
    if words.strip():
        raise UsageError(f"Which incident? Try: {request.slash('postmortem')} {subcommand} INC-12")


def compose(
    connection: Connection, incident_id: int, *, template: str, prefix: str, by: str, at: object
) -> tuple[Incident, Postmortem]:
    """Draft the incident's postmortem from the store as it is now, and keep it as a new version."""
    incident = incidents.by_id(connection, incident_id)
    document = assemble(
        incident,
        in_order([e for e in timeline.of_incident(connection, incident_id) if not e.retracted]),
        action_items.of_incident(connection, incident_id),
        zone=ZoneInfo(incident.timezone),
        prefix=prefix,
    )
    sections = render_draft(document, template)
    version = postmortems.add(
        connection, incident_id, template=template, sections=sections, drafted_at=at, drafted_by=by
    )
    return incident, version


def as_file(incident: Incident, postmortem: Postmortem) -> str:
    """The version as one Markdown file."""
    return markdown(incident, postmortem.sections)
