"""Find the incident that a command is about."""

import re
from dataclasses import replace

from sqlalchemy import Connection

from bot.errors import UsageError
from bot.handlers.request import Request, first_word
from storage import incidents
from storage.values import Incident

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
