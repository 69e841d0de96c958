"""Incidents: find the one a request is about, declare, look at, change their facts, list, search, help."""

import re
from collections.abc import Mapping
from dataclasses import replace

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.lifecycle import DURATIONS, lifecycle
from bot.domain.incident.opening import Opening, parse_opening, parse_severity, parse_title
from bot.errors import UsageError
from bot.handlers.permission import require_permission
from bot.handlers.request import Reply, Request, first_word, parse_person
from bot.vocabulary import COMMANDS, INCIDENT, KINDS
from storage import action_items, incidents, outbox, postmortems, timeline
from storage.values import Incident

TITLE_LENGTH = 120
_LISTED = 20


def parse_opening_words(request: Request) -> Opening:
    """Parse `[SEV2] title`. Raises UsageError without a title."""
    return parse_opening(request.words)


def open_(connection: Connection, request: Request) -> Reply:
    """`open [SEV2] title`: declare an incident in this channel."""
    opening: Opening = request.parsed
    latest = _lock_declarations(connection, request)
    if latest is not None and latest.open:
        raise UsageError(
            f"{latest.name} is open in this channel: {latest.title}. Open another in a channel of its own, "
            f"or rename this one: {request.slash('incident')} title new title"
        )
    incident = _declare(connection, request, title=opening.title, severity=opening.severity)
    return Reply(text=slack("declared", incident=incident, request=request), public=True)


def declare_detected(connection: Connection, request: Request, words: str) -> tuple[Incident, Incident | None]:
    """The incident that a detection belongs to, and the resolved one it may be a recurrence of.

    The workspace is locked first: when two people detect at the same time, the second joins the first one's incident.
    """
    latest = _lock_declarations(connection, request)
    if latest is not None and latest.open:
        return latest, None
    return _declare(connection, request, title=_title_from(words, request)), latest


def _lock_declarations(connection: Connection, request: Request) -> Incident | None:
    """Lock the workspace, so that no other transaction declares an incident; return the channel's latest.

    That incident's row is not locked here: a caller may hold the row of the resolved incident before it, so two
    transactions could deadlock.
    """
    incidents.lock_workspace(connection, request.workspace_id)
    return incidents.in_channel(connection, request.workspace_id, request.channel_id)


def _declare(connection: Connection, request: Request, *, title: str, severity: str | None = None) -> Incident:
    return incidents.declare(
        connection,
        workspace_id=request.workspace_id,
        number=incidents.next_number(connection, request.workspace_id),
        channel_id=request.channel_id,
        channel_name=request.channel_name,
        title=title,
        severity=severity,
        lead=None,
        lead_id=None,
        declared_at=request.received_at,
        declared_by=request.user_name,
        timezone=request.zone.key,
        private=request.private,
    )


def _title_from(words: str, request: Request) -> str:
    line = " ".join(words.split())
    if not line:
        # For a private channel, `channel_name` is its id or Slack's placeholder.
        return "Incident without a title" if request.private else f"Incident in #{request.channel_name}"
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def status(connection: Connection, request: Request) -> Reply:
    """`status [INC-12]`: milestones, durations, the lead, open action items."""
    incident, rest = get_named(connection, request)
    if rest.strip():
        raise UsageError(f"Which incident? Try: {request.slash('incident')} status INC-12")
    entries = [entry for entry in timeline.of_incident(connection, incident.id) if not entry.retracted]
    facts = lifecycle(entries)
    items = action_items.of_incident(connection, incident.id)
    text = slack(
        "status",
        incident=incident,
        facts=facts,
        durations=[(each.label, getattr(facts, f"{each.key}_s")) for each in DURATIONS],
        entries=entries,
        open_items=[item for item in items if item.pending],
        postmortem=postmortems.newest(connection, incident.id),
        zone=request.zone if request.zone_known else None,
        today=request.received_at.date(),
        kinds=KINDS,
        undelivered=outbox.parked_problems(
            connection, incident.workspace_id, (incident.channel_id, f"draft:{incident.id}")
        ),
    )
    return Reply(text=text)


def severity(connection: Connection, request: Request) -> Reply:
    """`severity SEV2`: set the severity."""
    return _change(connection, request, {"severity": parse_severity(request.words)}, "severity")


def lead(connection: Connection, request: Request) -> Reply:
    """`lead @who`: set the lead."""
    name, user_id = parse_person(request, request.words, f"{request.slash('incident')} lead @alice")
    return _change(connection, request, {"lead": name, "lead_id": user_id}, "lead")


def title(connection: Connection, request: Request) -> Reply:
    """`title new title`: rename the incident."""
    title = parse_title(request.words, example=f"{request.slash('incident')} title checkout fails")
    return _change(connection, request, {"title": title}, "title")


def private(connection: Connection, request: Request) -> Reply:
    """`private`, `private off`: whether the incident is hidden outside its own channel."""
    word = request.words.strip().casefold()
    if word not in {"", "on", "off"}:
        raise UsageError(f"Try: {request.slash('incident')} private, or {request.slash('incident')} private off")
    _, after = _set_facts(connection, request, {"private": word != "off"}, "private")
    return Reply(text=slack("private", incident=after), public=True)


def _set_facts(
    connection: Connection, request: Request, facts: Mapping[str, object], field: str
) -> tuple[Incident, Incident]:
    """Change the current incident; return it as it was and as it is. Raises UsageError without permission."""
    before = get_current(connection, request, lock=True)
    require_permission(connection, request, before, field)
    return before, incidents.change(connection, before, facts, by=request.user_id, at=request.received_at)


def _change(connection: Connection, request: Request, facts: Mapping[str, object], field: str) -> Reply:
    before, after = _set_facts(connection, request, facts, field)
    text = slack("changed", incident=after, field=field, was=getattr(before, field), now=getattr(after, field))
    return Reply(text=text, public=True)


def list_(connection: Connection, request: Request) -> Reply:
    """`list`, `list all`: the workspace's open incidents, or all of them, newest first."""
    which = request.words.strip().casefold() or "open"
    if which not in {"open", "all"}:
        raise UsageError(
            f"{request.slash('incident')} list shows the open ones, {request.slash('incident')} list all shows all."
        )
    found = incidents.listing(
        connection, request.workspace_id, request.channel_id, open_only=which == "open", limit=_LISTED
    )
    return Reply(text=slack("listing", which=which, incidents=found, limit=_LISTED, request=request))


def search(connection: Connection, request: Request) -> Reply:
    """`search words`: the incidents whose title or timeline contains the words."""
    words = request.words.strip()
    if not words:
        raise UsageError(f"Search for what? Try: {request.slash('incident')} search disk full")
    found = incidents.search(connection, request.workspace_id, request.channel_id, words, limit=_LISTED)
    return Reply(text=slack("listing", which="found", words=words, incidents=found, limit=_LISTED, request=request))


def help_(_connection: Connection, request: Request) -> Reply:
    """`help`: every command and its syntax; `help actionitem`: one command."""
    word, _ = first_word(request.words)
    chosen = COMMANDS.get(word.removeprefix("/").removeprefix(request.settings.prefix))
    commands = COMMANDS.values() if chosen in {None, INCIDENT} else (chosen,)
    return Reply(text=slack("help", commands=commands, request=request))


_NAME = re.compile(r"inc-?([0-9]{1,9})", re.IGNORECASE)


def find_current(connection: Connection, request: Request, *, lock: bool = False) -> Incident | None:
    """The incident that the request names, else the channel's latest; None where there is none."""
    if request.incident_number is not None:
        return incidents.numbered(connection, request.workspace_id, request.incident_number, lock=lock)
    return incidents.in_channel(connection, request.workspace_id, request.channel_id, lock=lock)


def get_current(connection: Connection, request: Request, *, lock: bool = False) -> Incident:
    """As `find_current`; raises UsageError where there is none."""
    incident = find_current(connection, request, lock=lock)
    if incident is None:
        raise UsageError(
            f"This channel has no incident yet. Declare one: {request.slash('detected')} what was seen, "
            f"or {request.slash('incident')} open SEV2 title"
        )
    return incident


def get_named(connection: Connection, request: Request) -> tuple[Incident, str]:
    """The incident that the words begin with (`INC-12`), else the current one; and the remaining words.

    Raises UsageError for an incident that does not exist, or is private to another channel.
    """
    word, rest = first_word(request.words)
    number = incident_number(word)
    if number is None:
        return get_current(connection, request), request.words
    return get_by_number(connection, request, number), rest


def get_word_and_named(connection: Connection, request: Request) -> tuple[str, Incident]:
    """One case-folded word, or an empty one, and the incident named before or after it, else the current one.

    Raises UsageError for further words, and as `get_named` does.
    """
    word, rest = first_word(request.words)
    if incident_number(word) is not None:
        incident, rest = get_named(connection, request)
        word, rest = first_word(rest)
    else:
        incident, rest = get_named(connection, replace(request, words=rest))
    if rest.strip():
        raise UsageError(f"“{rest.strip()[:40]}” is one word too many. Try: {word} {incident.name}")
    return word, incident


def incident_number(word: str) -> int | None:
    """The number in an incident's name, `INC-12` in any case; None for any other word."""
    match = _NAME.fullmatch(word.strip())
    return None if match is None else int(match[1])


def get_by_number(connection: Connection, request: Request, number: int) -> Incident:
    """The workspace's incident of that number, or the one it is a duplicate of.

    Raises UsageError where there is none, or it is private to another channel.
    """
    incident = incidents.numbered(connection, request.workspace_id, number)
    if incident is not None:
        # Check the visibility of the original: it may be private where its duplicate is not.
        incident = incidents.duplicate_of(connection, incident) or incident
    if incident is None or not incident.seen_from(request.channel_id):
        raise UsageError(f"There is no INC-{number} here. {request.slash('incident')} list all shows what there is.")
    return incident
