"""A pasted chronology: preview its lines with ticks, and record those that were ticked as entries."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.chronology import ChronologyLine, parse_chronology
from bot.domain.incident.conversation import is_conversation
from bot.domain.incident.grammar import looks_secret
from bot.domain.time.format import stamp
from bot.domain.time.moment import Moment
from bot.domain.words import trimmed
from bot.errors import UsageError
from bot.handlers.incident import conversations, doubts
from bot.handlers.incident.incidents import commands_about, erase_buttons, get_current, get_named, read_course
from bot.handlers.incident.revisions import entry_of_button
from bot.handlers.incident.timeline import sync_open_state
from bot.handlers.permission import require_author, require_permission
from bot.handlers.request import Reply, Request
from bot.vocabulary import RESOLVED, Kind
from storage import timeline
from storage.values import BACKFILL, Incident, TimelineEntry

FORM, PREVIEW = "backfill", "backfill_preview"
"""The form with the empty box, and the one with the ticks."""
RECORD = "backfill_record"
"""The submitted ticks."""


def open_form(connection: Connection, request: Request) -> Reply:
    """`backfill [INC-12]`: a form with a large box; `backfill [INC-12] lines`: the preview of the lines.

    `backfill [INC-12] 14:00..15:30`: read the channel's messages of that time, and offer them.
    """
    incident, words = get_named(connection, request)
    if not trimmed(words):
        return Reply(text="", form=FORM, fills={"incident": incident})
    span = conversations.span_of(connection, request, incident, words) if "\n" not in words.strip() else None
    if span is not None:
        return conversations.ask_history(connection, request, incident, span)
    return _pasted(connection, request, incident, words)


def preview(connection: Connection, request: Request) -> Reply:
    """The submitted box: the preview of its lines."""
    return _pasted(connection, request, get_current(connection, request), request.words)


def _pasted(connection: Connection, request: Request, incident: Incident, words: str) -> Reply:
    if is_conversation(words):
        return conversations.preview(connection, request, incident, words)
    return _preview(connection, request, incident, words, entry=None)


def split(connection: Connection, request: Request) -> Reply:
    """`INC-1 3`, of a button: the preview of the entry's lines, of which the first happened when the entry did."""
    incident, entry = entry_of_button(connection, request)
    require_author(connection, request, incident, entry, "edit")
    span = (entry.occurred_at, *filter(None, [entry.until_at]))
    when = " to ".join(at.isoformat(timespec="milliseconds") for at in span)
    words = f"/{entry.kind} {'~' if entry.approximate else ''}{when} {entry.text}"
    return _preview(connection, request, incident, words, entry=entry)


def _preview(
    connection: Connection, request: Request, incident: Incident, words: str, *, entry: TimelineEntry | None
) -> Reply:
    lines = _read(connection, request, incident, words)
    if not any(line.moment for line in lines):
        raise UsageError("No line begins with a time. Write one event a line, each with its time first.")
    fills = {
        "incident": incident,
        "lines": [
            (str(number), _label(request, line.kind, line.moment), line.text)
            for number, line in enumerate(lines)
            if line.moment is not None
        ],
        "problems": [f"{line.typed.strip()[:60]}: {line.problem}" for line in lines if line.problem],
        "words": words,
        "digest": digest(words),
        "now": request.now.isoformat(),
        "entry": entry.number if entry else None,
    }
    return Reply(text="", form=PREVIEW, fills=fills)


def digest(words: str) -> str:
    """What the words are known by: when they were changed in the preview, its ticks are of other lines."""
    return hashlib.sha256("".join(words.split()).encode()).hexdigest()[:16]


def _read(connection: Connection, request: Request, incident: Incident, words: str) -> list[ChronologyLine]:
    course = doubts.course(read_course(connection, incident))
    return parse_chronology(words, now=_now(request), zone=request.zone, course=course)


def _now(request: Request) -> datetime:
    """When the preview was made, so that each line means the same when it is recorded."""
    made_at = request.details.get("now")
    return datetime.fromisoformat(made_at) if made_at else request.now


def _label(request: Request, kind: Kind, moment: Moment) -> str:
    zone = request.zone if request.zone_known else None
    today = request.received_at.date()
    shown = stamp(moment.at, zone, today, approximate=moment.approximate, until_at=moment.until_at)
    return f"{shown} · {kind.label}"


def record(connection: Connection, request: Request) -> Reply:
    """Record the ticked lines: the words are the chronology, `details` say which of its lines, all without `lines`.

    Where they were one entry before, that keeps what was left out, or is taken back where nothing was.
    """
    incident = get_current(connection, request, lock=True)
    lines = _read(connection, request, incident, request.words)
    ticked = request.details.get("lines")
    chosen = {int(number) for number in ticked.split(",") if number} if ticked is not None else set(range(len(lines)))
    taken = [line for number, line in enumerate(lines) if number in chosen and line.moment]
    if not taken:
        raise UsageError("No line is ticked, so nothing was recorded.")
    if any(line.kind.name == RESOLVED for line in taken):
        require_permission(connection, request, incident, "resolve")
    split_up = request.details.get("entry")
    before = timeline.numbered(connection, incident.id, int(split_up)) if split_up else None
    if before is not None:
        require_author(connection, request, incident, before, "edit")
    entries = [
        _append(connection, request, incident, line, line.moment, before=before, first=line is lines[0])
        for line in taken
        if line.moment
    ]
    if before is not None and not before.retracted:
        # The time of the first line was the entry's own.
        rest = [line.typed if number else line.text for number, line in enumerate(lines) if line not in taken]
        _leave_rest(connection, request, before, "\n".join(rest).strip())
    for kind in {entry.kind for entry in entries}:
        sync_open_state(connection, request, incident, kind)
    left = [line for line in lines if line.problem]
    written = (*entries, *(() if before is None else (before,)))
    secrets = [entry.number for entry in written if looks_secret(entry.text)]
    text = slack(
        "backfilled", incident=incident, entries=entries, left=left, secrets=secrets,
        known=0, withheld=0, unseen=0, request=request, command=commands_about(connection, request, incident),
    )  # fmt: skip
    return Reply(
        text=text,
        public=not looks_secret(request.words),
        buttons=erase_buttons(incident, secrets),
        about=incident.name,
    )


def _append(
    connection: Connection,
    request: Request,
    incident: Incident,
    line: ChronologyLine,
    moment: Moment,
    *,
    before: TimelineEntry | None,
    first: bool,
) -> TimelineEntry:
    """Append the line as an entry. Of the entry `before` it has the author, its `first` line also what is not words."""
    qualifier, approximate, until_at = line.qualifier, moment.approximate, moment.until_at
    if before is not None and first:
        qualifier = qualifier or (before.qualifier if line.kind.name == before.kind else None)
        approximate, until_at = before.approximate, before.until_at
    people = (_people_in(before, line.text) if before else {}) | (request.people_in(line.text) or {})
    return timeline.append(
        connection,
        incident.id,
        kind=line.kind.name,
        occurred_at=moment.at,
        recorded_at=request.received_at,
        author=before.author if before else request.user_name,
        author_id=before.author_id if before else request.user_id,
        recorded_by_id=request.user_id,
        text=line.text,
        qualifier=qualifier,
        source=BACKFILL,
        permalink=None,
        people=people or None,
        approximate=approximate,
        until_at=until_at,
    )


def _people_in(entry: TimelineEntry, words: str) -> dict[str, str]:
    return {name: user_id for name, user_id in entry.people.items() if f"@{name}" in words}


def _leave_rest(connection: Connection, request: Request, entry: TimelineEntry, words: str) -> None:
    """Leave in the entry that was split what did not become an entry of its own."""
    changes: dict[str, Any] = {"text": words, "people": _people_in(entry, words) or None}
    timeline.revise(
        connection, entry, by=request.user_id, at=request.received_at, **(changes if words else {"retracted": True})
    )
