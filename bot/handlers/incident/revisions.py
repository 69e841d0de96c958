"""Correct an entry's time or words, and retract entries. Each change is a revision; nothing is overwritten."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from bot.domain.incident.facts import TIME_LAST, time_first
from bot.domain.incident.grammar import Correction, parse_correction, take_qualifier
from bot.domain.incident.lifecycle import in_order
from bot.domain.incident.updates import take_promise
from bot.domain.time.format import local, stamp
from bot.domain.time.zones import abbreviations_of
from bot.domain.words import parse_number, storable, trimmed
from bot.errors import UsageError
from bot.handlers.incident import doubts, facts, updates
from bot.handlers.incident.closing import restore
from bot.handlers.incident.incidents import commands_about, follow_words, get_current, get_numbering, retitle
from bot.handlers.incident.timeline import QUALIFY, UNDO, UNSAID, ask_for_graph, receipt, sync_open_state
from bot.handlers.permission import require_author
from bot.handlers.request import ENTRY_MENU, Reply, Request, first_word
from bot.vocabulary import ENTRY_KINDS, FACTS, KINDS, NOTE, RESOLVED, UPDATE
from storage import incidents, timeline
from storage.values import MESSAGE_DELETED, MESSAGE_EDITED, MESSAGE_UNPINNED, Incident, TimelineEntry


def edit(connection: Connection, request: Request) -> Reply:
    """`edit 3 at 14:05`, `edit 3 new words`, or both: correct an entry's time or words; `last` is one's own last."""
    # Of any kind of entry the time can be corrected.
    example = f"{request.slash('incident')} edit last at {local(request.now, request.zone)}"
    last, after_last = first_word(request.words)
    if last == "last":
        incident = get_current(connection, request, lock=True)
        entry, words = _own_last(connection, request, incident), after_last
    else:
        number, words = parse_number(request.words, what="entry", example=example)
        incident = get_numbering(connection, request, lock=True)
        entry = _standing(connection, request, incident, number)
        require_author(connection, request, incident, entry, "edit")
    if entry.kind in TIME_LAST:
        words = time_first(words, abbreviations_of(request.zone, entry.occurred_at), now=request.now)
    promise: dict[str, Any] = {}
    if entry.kind == UPDATE:
        words, promise = _new_promise(request, words)
    if promise and not words.strip():
        return _correct(connection, request, incident, entry, None, **promise)
    correction = parse_correction(
        ENTRY_KINDS[entry.kind], words, now=request.now, zone=request.zone, reference=entry.occurred_at,
        typed=commands_about(connection, request, incident)("incident edit", request.words.strip()),
    )  # fmt: skip
    changes = {
        name: value for name in ("occurred_at", "qualifier", "text") if (value := getattr(correction, name)) is not None
    }
    if entry.kind in FACTS and "text" in changes:
        facts.check_revisable(connection, request, incident, entry)
        changes["text"], changes["people"] = facts.read_value(connection, request, entry.kind, changes["text"])
    # The form sends the entry's time also where only its words were changed.
    if correction.occurred_at and not (request.source == "form" and correction.occurred_at == entry.occurred_at):
        changes |= {"approximate": correction.approximate, "until_at": correction.until_at}
    return _correct(connection, request, incident, entry, correction, **changes, **promise)


def _new_promise(request: Request, words: str) -> tuple[str, dict[str, Any]]:
    """The words without the promise at their end, and what it changes: without one the update keeps its own."""
    rest, promise = take_promise(words, now=request.now, zone=request.zone)
    return rest, {"next_at": promise.next_at} if promise.next_at or promise.revoked else {}


def retime(connection: Connection, request: Request) -> Reply:
    """`INC-1 3 2026-02-14T10:46Z`, of a button: the entry happened then, or `about` then.

    A second press changes nothing.
    """
    incident, pressed = _of_button(connection, request)
    entry = _standing(connection, request, incident, int(pressed["number"]))
    require_author(connection, request, incident, entry, "edit")
    at = datetime.fromisoformat(pressed["at"])
    was = pressed["was"] and datetime.fromisoformat(pressed["was"])
    if at == entry.occurred_at:
        return _confirmed(connection, request, incident, entry)
    if was not in {None, entry.occurred_at}:
        stands = stamp(entry.occurred_at, None, request.received_at.date(), approximate=entry.approximate)
        raise UsageError(
            f"Entry {entry.number} of {incident.name} was corrected since, and stands at {stands}, so nothing was "
            f"changed. If that is wrong: {request.slash('incident')} edit {incident.name} {entry.number} "
            f"{at:%Y-%m-%d %H:%M} UTC"
        )
    until_at = entry.until_at and entry.until_at + (at - entry.occurred_at)
    if until_at is not None and until_at > request.now:
        until_at = None
    about = entry.approximate or pressed["about"] is not None
    changes = {"occurred_at": at, "until_at": until_at, "approximate": about}
    corrected = _correct(connection, request, incident, entry, None, **changes)
    return replace(corrected, replaces=True, settles=doubts.ACTIONS)


def confirm_time(connection: Connection, request: Request) -> Reply:
    """`INC-1 3`, of a button: the time that the receipt asked about is right."""
    return _confirmed(connection, request, *entry_of_button(connection, request))


def open_correction(connection: Connection, request: Request) -> Reply:
    """`INC-1 3`, of a button: open the form that corrects the entry's time and words."""
    incident, entry = entry_of_button(connection, request)
    require_author(connection, request, incident, entry, "edit")
    return Reply(text="", form=doubts.CORRECT, fills={"incident": incident, "entry": entry})


def choose(connection: Connection, request: Request) -> Reply:
    """`INC-1 3 edit`, `INC-1 3 undo`, of a receipt's menu: open the form that corrects the entry, or take it back.

    As `/incident undo 3` does; a second choice changes nothing.
    """
    if request.parsed["do"] == "edit":
        return open_correction(connection, request)
    incident, entry = entry_of_button(connection, request)
    require_author(connection, request, incident, entry, "undo")
    return replace(_retract(connection, request, incident, entry), replaces=True)


def undo_entry(connection: Connection, request: Request) -> Reply:
    """`INC-1 6`, of a button: retract that entry of the user's own. A second press changes nothing."""
    incident, pressed = _of_button(connection, request)
    number = int(pressed["number"])
    entry = timeline.numbered(connection, incident.id, number)
    if entry is None or entry.recorded_by_id != request.user_id:
        raise UsageError(f"Entry {number} is not one that you recorded, so it stays.")
    if entry.retracted:
        return replace(receipt(connection, request, "retracted", incident, entry, turned=None), replaces=True)
    return replace(_retract(connection, request, incident, entry), replaces=True)


def qualify(connection: Connection, request: Request) -> Reply:
    """`INC-1 3`, of a button: give the entry the qualifier that its action names. A second press changes nothing.

    Raises UsageError for a qualifier of another kind of entry.
    """
    incident, pressed = _of_button(connection, request)
    number = int(pressed["number"])
    entry = _standing(connection, request, incident, number)
    qualifier = request.command.removeprefix(QUALIFY)
    if qualifier not in ENTRY_KINDS[entry.kind].qualifiers:
        raise UsageError(f"Entry {number} is another kind of entry by now, so nothing was changed.")
    if qualifier != entry.qualifier:
        require_author(connection, request, incident, entry, "edit")
        entry = _revise(connection, request, incident, entry, qualifier=qualifier)
    declared = incident.number if incident.title_entry_number == number else None
    facts: dict[str, Any] = {**UNSAID, "declared": declared}
    reply = receipt(connection, request, "recorded", incident, entry, **facts)
    return replace(reply, recorded=None, own=False, replaces=True, settles=(QUALIFY,))


CLICKS = {
    **dict.fromkeys(doubts.RETIME, retime),
    doubts.CONFIRM_TIME: confirm_time,
    doubts.CORRECT: open_correction,
    UNDO: undo_entry,
    ENTRY_MENU: choose,
    **{f"{QUALIFY}{qualifier}": qualify for kind in KINDS.values() for qualifier in kind.qualifiers},
}
"""The handler of each button under a receipt: for a doubtful time, a missing qualifier, and words said twice."""


def _of_button(connection: Connection, request: Request) -> tuple[Incident, re.Match[str]]:
    """The incident, and the value of a receipt's button.

    Raises UsageError for an incident that is not seen here or was merged since.
    """
    value: re.Match[str] = request.parsed
    return get_numbering(connection, replace(request, named_number=int(value["incident"])), lock=True), value


def entry_of_button(connection: Connection, request: Request) -> tuple[Incident, TimelineEntry]:
    """The entry whose receipt the pressed button stands under, and its incident.

    Raises UsageError where it was taken back, or is not seen here.
    """
    incident, pressed = _of_button(connection, request)
    return incident, _standing(connection, request, incident, int(pressed["number"]))


def _standing(connection: Connection, request: Request, incident: Incident, number: int) -> TimelineEntry:
    """The incident's entry of that number. Raises UsageError where there is none, or it was taken back."""
    entry = timeline.numbered(connection, incident.id, number)
    if entry is None:
        shows = commands_about(connection, request, incident)("timeline", "")
        raise UsageError(f"{incident.name} has no entry {number}. {shows} shows the numbers.")
    if entry.retracted:
        shows = commands_about(connection, request, incident)("timeline", "")
        raise UsageError(f"Entry {number} was taken back. {shows} shows what stands.")
    return entry


def _confirmed(connection: Connection, request: Request, incident: Incident, entry: TimelineEntry) -> Reply:
    return replace(receipt(connection, request, "confirmed", incident, entry), replaces=True, settles=doubts.ACTIONS)


def _correct(
    connection: Connection,
    request: Request,
    incident: Incident,
    entry: TimelineEntry,
    correction: Correction | None,
    **changes: Any,
) -> Reply:
    """Revise the entry and say so; a corrected time may be as doubtful as a new one."""
    doubtful = None
    if "occurred_at" in changes and correction is not None:
        changes["occurred_at"], doubtful = doubts.within(
            connection, request, incident, entry.kind, correction, changes["occurred_at"], without=entry
        )
    if "text" in changes and "people" not in changes:
        kept = {name: user_id for name, user_id in entry.people.items() if f"@{name}" in changes["text"]}
        changes["people"] = kept | (request.people_in(changes["text"]) or {}) or None
    revised = _revise(connection, request, incident, entry, **changes)
    turned = _new_state(connection, incident)
    renamed = retitle(connection, request, incident, revised) if "text" in changes else None
    return receipt(
        connection, request, "revised", incident, revised, before=entry, renamed=renamed,
        assumed=correction is not None and correction.zone_assumed,
        # A form's time has seconds that were not typed.
        seconds=correction is not None and correction.seconds and request.source != "form",
        was=stamp(
            entry.occurred_at, None, revised.occurred_at.date(),
            approximate=entry.approximate, until_at=entry.until_at,
        ), turned=turned, doubts=doubtful, stands=_stands(connection, incident, entry),
        buttons=doubts.buttons(request, incident, revised, doubtful) if doubtful else (),
    )  # fmt: skip


def undo(connection: Connection, request: Request) -> Reply:
    """`undo`: retract the newest entry that the user recorded on this incident; `undo 3`: entry 3.

    Where the user's last act was to close the incident, that is taken back. Another person's entry needs the permission
    `undo`.
    """
    words = request.words.strip()
    incident = get_current(connection, request, lock=True)
    if words.casefold() not in {"", "last"}:
        example = f"{request.slash('incident')} undo"
        number, rest = parse_number(words, what="entry", example=example)
        if rest:
            command = commands_about(connection, request, incident)
            raise UsageError(
                f"{command('incident undo', str(number))} takes that entry back and needs no more words. "
                f"To correct it: {command('incident edit', f'{number} new words')}"
            )
        get_numbering(connection, request)
        entry = _standing(connection, request, incident, number)
        require_author(connection, request, incident, entry, "undo")
        return _retract(connection, request, incident, entry)
    if incident.closed_as is not None:
        own = timeline.last_by(connection, incident.id, request.user_id)
        by, at = incidents.last_closing(connection, incident) or (None, None)
        if by == request.user_id and (own is None or at is None or own.recorded_at <= at):
            return restore(connection, request, incident)
    return _retract(connection, request, incident, _own_last(connection, request, incident))


def _own_last(connection: Connection, request: Request, incident: Incident) -> TimelineEntry:
    entry = timeline.last_by(connection, incident.id, request.user_id)
    if entry is None:
        raise UsageError(f"You have no entry on the timeline of {incident.name} to take back.")
    return entry


def correct_resolution(connection: Connection, request: Request) -> Reply:
    """`INC-1 5`: the incident was resolved at the time of entry 5, a later `/resolved` kept as a note.

    `was TIME` follows, the resolution which that replaces. The note is retracted if it has no words of its own.
    """
    incident = get_numbering(connection, request, lock=True)
    number, _ = parse_number(request.words, what="entry")
    note = timeline.numbered(connection, incident.id, number)
    ends = in_order(timeline.of_incident(connection, incident.id, kinds=(RESOLVED,)))
    end = next((entry for entry in reversed(ends) if not entry.retracted), None)
    changed = UsageError(
        f"{incident.name} has changed since, so nothing was corrected. "
        f"{request.slash('timeline')} {incident.name} shows what stands."
    )
    if note is None or note.retracted or note.kind != NOTE or incident.open or end is None:
        raise changed
    require_author(connection, request, incident, end, "edit")
    if end.occurred_at == note.occurred_at:
        raise UsageError(f"{incident.name} is resolved at that time already.")
    was = request.parsed["was"]
    if was and datetime.fromisoformat(was) != end.occurred_at:
        raise changed
    if note.text == KINDS[RESOLVED].label:
        _revise(connection, request, incident, note, retracted=True)
    changes = {"occurred_at": note.occurred_at, "approximate": note.approximate, "until_at": note.until_at}
    return _correct(connection, request, incident, end, None, **changes)


def unreact(connection: Connection, request: Request) -> Reply:
    """Retract the entry that the user recorded with a reaction to the message of the permalink."""
    incident = get_current(connection, request, lock=True)
    entry = timeline.by_reaction(connection, incident.id, request.permalink or "", request.user_id)
    if entry is None or entry.retracted:
        raise UsageError("That reaction put nothing on the timeline.")
    return _retract(connection, request, incident, entry)


def unpin(connection: Connection, request: Request) -> Reply:
    """Retract the entry that somebody recorded by pinning the message of the permalink, whose pin was taken away."""
    incident = get_current(connection, request, lock=True)
    entry = timeline.by_pin(connection, incident.id, request.permalink or "")
    if entry is None or entry.retracted:
        raise UsageError("That pin put nothing on the timeline.")
    require_author(connection, request, incident, entry, "undo")
    return _retract(connection, request, incident, entry, message_state=MESSAGE_UNPINNED)


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageChange:
    """What became of a message: its `words` now, None when it was deleted, and those `before` where they are known.

    `people` are the user ids behind the `@name`s in the words. `by` is the id of the user who edited it; empty where
    Slack does not say.
    """

    words: str | None
    people: Mapping[str, str]
    before: str | None
    by: str
    at: datetime


def follow_message(
    connection: Connection, workspace_id: str, permalinks: Collection[str], change: MessageChange
) -> None:
    """Note on the entries of a message that it was edited or deleted.

    The words of an entry follow their message as long as they are the message's: what people made of them stays.
    """
    if change.words is not None and change.words == change.before:
        # Slack shows a link's page below the message, or counts a reply to it.
        return
    for entry in timeline.of_message(connection, workspace_id, permalinks):
        if entry.retracted:
            continue
        changes: dict[str, Any] = {"message_state": MESSAGE_DELETED}
        if change.words is not None and entry.kind not in KINDS:
            # The edited message is read again as a command.
            continue
        if change.words is not None:
            qualifier, text = _as_recorded(entry, change.words)
            if text == entry.text:
                continue
            changes["message_state"] = MESSAGE_EDITED
            if change.before is not None and entry.text == _as_recorded(entry, change.before)[1] and text:
                people = {name: user_id for name, user_id in change.people.items() if f"@{name}" in text}
                changes |= {"text": text, "qualifier": qualifier or entry.qualifier, "people": people or None}
        if any(getattr(entry, name) != value for name, value in changes.items() if name != "people"):
            timeline.revise(connection, entry, by=change.by, at=change.at, **changes)
        if "text" in changes:
            follow_words(connection, entry, changes["text"], by=change.by, at=change.at)


def _as_recorded(entry: TimelineEntry, words: str) -> tuple[str | None, str]:
    """The qualifier and the text that an entry of this kind takes from a message's words; no text if it takes none."""
    try:
        qualifier, text, _ = take_qualifier(ENTRY_KINDS[entry.kind], storable(words))
    except UsageError:
        return None, ""
    return qualifier, trimmed(text)


def _retract(
    connection: Connection, request: Request, incident: Incident, entry: TimelineEntry, **changes: Any
) -> Reply:
    revised = _revise(connection, request, incident, entry, retracted=True, **changes)
    turned, stands = _new_state(connection, incident), _stands(connection, incident, entry)
    return receipt(connection, request, "retracted", incident, revised, turned=turned, stands=stands)


def _stands(connection: Connection, incident: Incident, entry: TimelineEntry) -> str | None:
    """What the incident says now of the fact that the entry changed; None for other entries."""
    return facts.standing(connection, incident, entry.kind) if entry.kind in FACTS else None


def _revise(
    connection: Connection, request: Request, incident: Incident, entry: TimelineEntry, **changes: Any
) -> TimelineEntry:
    """Append a revision of the entry, and make the incident accord with it: its state, or the fact that it changed."""
    if entry.kind in FACTS:
        facts.check_revisable(connection, request, incident, entry)
    revised = timeline.revise(connection, entry, by=request.user_id, at=request.received_at, **changes)
    if "text" in changes:
        ask_for_graph(connection, request, incident, revised)
    sync_open_state(connection, request, incident, entry.kind)
    if entry.kind in FACTS:
        facts.refresh(connection, request, incident, entry.kind)
    if entry.kind == UPDATE:
        updates.follow(connection, request, incident, entry, revised)
    return revised


def _new_state(connection: Connection, before: Incident) -> str | None:
    """`open` or `resolved`, if the revision changed the incident to that; else None."""
    is_open = incidents.by_id(connection, before.id).open
    return None if is_open == before.open else "open" if is_open else "resolved"
