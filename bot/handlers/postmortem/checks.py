"""The check: advice on an incident's timeline, action items and newest postmortem, which blocks nothing.

Of the lessons that the facts suggest, one that is struck is not offered again.
"""

from sqlalchemy import Connection

from bot.clock import now
from bot.config import Settings
from bot.documents.export import ExportRecord
from bot.documents.rendering import slack, terminal
from bot.domain.check.checklist import check as advise
from bot.domain.check.checklist import grouped
from bot.domain.postmortem.edition import count_open
from bot.domain.words import quoted
from bot.errors import UsageError
from bot.handlers import later
from bot.handlers.incident.incidents import commands_about, get_named
from bot.handlers.permission import require_permission
from bot.handlers.postmortem.drafts import load_document
from bot.handlers.postmortem.exports import read_by_name, read_record
from bot.handlers.request import Reply, Request
from bot.vocabulary import LESSON
from storage import timeline
from storage.database import Database

SHOWN = 10
"""Findings in a reply in Slack; the terminal prints all."""


def check(connection: Connection, request: Request) -> Reply:
    """`check [INC-12]`: the advice, to the user alone."""
    incident, rest = get_named(connection, request, plain=True)
    if rest.strip():
        raise UsageError(f"Which incident? Try: {request.slash('postmortem')} check {incident.name}")
    later.check_length(connection, request, incident)
    record = read_record(connection, incident)
    command = commands_about(connection, request, incident)
    findings = advise(
        incident,
        (*record.entries, *record.struck),
        record.items,
        record.postmortem,
        now=request.received_at,
        off=request.settings.check_off,
        prefix=request.settings.prefix,
        name=incident.name if incident.name in command("incident").split() else "",
    )
    return Reply(
        text=slack(
            "check",
            incident=incident,
            postmortem=record.postmortem,
            still_open=_count_open(record),
            groups=grouped(findings, most=SHOWN),
            total=len(findings),
            shown=min(SHOWN, len(findings)),
            draft=command("postmortem draft"),
        )
    )


def _count_open(record: ExportRecord) -> int:
    return count_open(record.postmortem.sections) if record.postmortem else 0


def strike(connection: Connection, request: Request) -> Reply:
    """`strike [INC-12] noticed-1`: do not offer that lesson again.

    It is kept as a lesson that was taken back. Raises UsageError for what is not offered.
    """
    incident, rest = get_named(connection, request, lock=True)
    require_permission(connection, request, incident, "document")
    command = commands_about(connection, request, incident)
    _, document = load_document(connection, incident.id, prefix=request.settings.prefix)
    offered = {offer.key: offer for offer in document.offers}
    offer = offered.get(rest.strip().casefold())
    if offer is None:
        typed = f"“{quoted(rest)}” is not among them. " if rest.strip() else ""
        raise UsageError(
            f"{incident.name} offers these lessons to strike: {', '.join(offered)}. {typed}"
            f"Try: {command('postmortem strike', next(iter(offered)))}"
            if offered
            else f"{incident.name} offers no lesson to strike: each was recorded or struck, or none is suggested."
        )
    entry = timeline.append(
        connection,
        incident.id,
        kind=LESSON,
        occurred_at=request.received_at,
        recorded_at=request.received_at,
        author=request.user_name,
        author_id=request.user_id,
        recorded_by_id=request.user_id,
        text=offer.text,
        qualifier=offer.side,
        source=request.source,
        permalink=None,
    )
    timeline.revise(connection, entry, by=request.user_id, at=request.received_at, retracted=True)
    after_all = command("lesson", f"{offer.side}: {offer.text}")
    return Reply(
        text=slack("struck", incident=incident, offer=offer, command=after_all), public=True, about=incident.name
    )


def describe_check(database: Database, settings: Settings, name: str, *, workspace_id: str | None) -> tuple[str, bool]:
    """The advice on the incident called `name` as plain text, and whether there were no findings.

    Raises UsageError for an unknown incident.
    """
    record = read_by_name(database, name, workspace_id=workspace_id)
    findings = advise(
        record.incident,
        (*record.entries, *record.struck),
        record.items,
        record.postmortem,
        now=now(),
        off=settings.check_off,
        prefix=settings.prefix,
    )
    text = terminal(
        "check",
        incident=record.incident,
        postmortem=record.postmortem,
        still_open=_count_open(record),
        groups=grouped(findings),
        total=len(findings),
        draft=f"/{settings.prefix}postmortem draft",
    )
    return text, not findings
