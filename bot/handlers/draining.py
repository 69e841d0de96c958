"""One file of the spool, written down: each request once, in order, and the channel told of it once."""

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.config import Settings
from bot.documents.rendering import slack
from bot.errors import UsageError
from bot.handlers import routes
from bot.handlers.request import Reply, Request
from bot.telemetry.context import request_id, watched
from bot.telemetry.tally import SILENT, Tally
from storage import members, outbox, receipts
from storage.availability import is_away
from storage.database import Database
from storage.deadline import within
from storage.spool import Record, Spool

ENTRY_S = 10.0
"""Seconds the database may take for one request of the spool; nobody waits for it."""
FORM = "It opens a form. Type it again."
_UNUSABLE = (ValueError, KeyError, TypeError)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a kept request: its first answer, or the problem that kept it from being done."""

    request: Request
    reply: Reply | None = None
    problem: str | None = None


def drain(
    database: Database, spool: Spool, path: Path, settings: Settings, *, at: datetime, tally: Tally = SILENT
) -> int | None:
    """Write the file's requests down; how many there were, None when another process holds the file.

    A crash in between does no harm: the file is still there, and what was written is recognised by its key. Raises
    what the database raises when it is away again; then the file stays.
    """
    with spool.draining(path) as held:
        if held is None:
            return None
        outcomes = []
        for record in held.records:
            outcome = _outcome(database, record, settings, tally)
            if outcome is None:
                held.put_aside(record)
            else:
                outcomes.append(outcome)
        if held.bad:
            _log.error("spool: %d records could not be read and are kept in %s", len(held.bad), spool.bad)
        with within(ENTRY_S), database.write() as connection:
            _tell(connection, path.name, outcomes, at)
        return len(held.records)


def _outcome(database: Database, record: Record, settings: Settings, tally: Tally) -> Outcome | None:
    """Do what was asked for; None for a record that is no request or breaks its handler."""
    try:
        request = _revived(database, record, settings)
    except _UNUSABLE:
        return None
    try:
        with watched(tally, request=request_id()), within(ENTRY_S):
            reply = routes.handle(database, request)
    except UsageError as error:
        return Outcome(request=request, problem=str(error))
    except Exception as error:
        if is_away(error):
            raise
        # One request that trips over a mistake of ours must not keep those behind it from the timeline.
        _log.exception("kept request not done")
        return None
    if reply.form is not None:
        return Outcome(request=request, problem=FORM)
    return Outcome(request=request, reply=reply)


def _revived(database: Database, record: Record, settings: Settings) -> Request:
    """The request, in the zone of its person where that could not be told while the database was away."""
    request = Request.from_json(record, settings)
    if request.zone_known:
        return request
    with within(ENTRY_S), database.read() as connection:
        member = members.find(connection, request.workspace_id, request.user_id)
    if member is None or member.timezone is None:
        return request
    name = member.name if request.user_name == request.user_id else request.user_name
    return replace(request, zone=ZoneInfo(member.timezone), zone_known=True, user_name=name)


def _tell(connection: Connection, name: str, outcomes: list[Outcome], at: datetime) -> None:
    """Say in each channel what was written, and to each person what could not be; once for the file `name`."""
    key = f"drained:{name}"
    for place, group in groupby(sorted(outcomes, key=_place), key=_place):
        workspace_id, channel_id = place
        there = list(group)
        channel_key = f"{key}:{channel_id}"
        if receipts.find(connection, workspace_id, channel_key) is not None:
            continue
        receipts.keep(connection, workspace_id, channel_key, {}, at=at)
        done = [outcome.reply for outcome in there if outcome.reply is not None]
        if done:
            _add(connection, there[0].request, "post", {"text": _written(done)}, at)
        for outcome in there:
            if outcome.problem is not None:
                text = slack("not_written", request=outcome.request, problem=outcome.problem)
                _add(connection, outcome.request, "whisper", {"text": text, "user": outcome.request.user_id}, at)


def _place(outcome: Outcome) -> tuple[str, str]:
    return outcome.request.workspace_id, outcome.request.channel_id


def _written(replies: list[Reply]) -> str:
    """What was written, a line each: the answers' first lines, which are escaped already."""
    return "\n".join([slack("drained", count=len(replies)), *(reply.text.partition("\n")[0] for reply in replies)])


def _add(connection: Connection, request: Request, action: str, content: dict[str, str], at: datetime) -> None:
    outbox.add(
        connection,
        request.workspace_id,
        lane=request.channel_id,
        action=action,
        content={"channel": request.channel_id, "reply_url": None, **content},
        at=at,
    )
