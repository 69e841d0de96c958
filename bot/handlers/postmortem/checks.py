"""The check: advice on an incident's timeline, action items and newest postmortem. It changes and blocks nothing."""

from sqlalchemy import Connection

from bot.clock import now
from bot.config import Settings
from bot.documents.rendering import slack, terminal
from bot.domain.check.checklist import check as advise
from bot.domain.check.checklist import grouped
from bot.errors import UsageError
from bot.handlers.incident.incidents import get_named
from bot.handlers.postmortem.exports import read_by_name, read_record
from bot.handlers.request import Reply, Request
from storage.database import Database

SHOWN = 10
"""Findings in a reply in Slack; the terminal prints all."""


def check(connection: Connection, request: Request) -> Reply:
    """`check [INC-12]`: the advice, to the user alone."""
    incident, rest = get_named(connection, request)
    if rest.strip():
        raise UsageError(f"Which incident? Try: {request.slash('postmortem')} check INC-12")
    record = read_record(connection, incident)
    findings = advise(
        incident,
        record.entries,
        record.items,
        record.postmortem,
        now=request.received_at,
        off=request.settings.check_off,
        prefix=request.settings.prefix,
    )
    return Reply(
        text=slack(
            "check",
            incident=incident,
            postmortem=record.postmortem,
            groups=grouped(findings, most=SHOWN),
            total=len(findings),
            shown=min(SHOWN, len(findings)),
            draft=f"{request.slash('postmortem')} draft",
        )
    )


def describe_check(database: Database, settings: Settings, name: str, *, workspace_id: str | None) -> tuple[str, bool]:
    """The advice on the incident called `name` as plain text, and whether there were no findings.

    Raises UsageError for an unknown incident.
    """
    record = read_by_name(database, name, workspace_id=workspace_id)
    findings = advise(
        record.incident,
        record.entries,
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
        groups=grouped(findings),
        total=len(findings),
        draft=f"/{settings.prefix}postmortem draft",
    )
    return text, not findings
