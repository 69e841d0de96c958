"""Unsaying: erase the words of an entry or an action item from everything that Scribe keeps and published.

A command asks first, privately, and a button does it. What Slack, Git and copies hold is beyond Scribe: it is named.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.erasure import MAX_REASON, Eraser, is_erased, mark_of, repeats
from bot.domain.words import parse_number, storable
from bot.errors import UsageError
from bot.handlers.incident.facts import refresh
from bot.handlers.incident.incidents import ERASE, ERASE_ONE, commands_about, get_numbering
from bot.handlers.permission import require_permission
from bot.handlers.postmortem.publishing import publish_again
from bot.handlers.request import Button, Reply, Request
from bot.vocabulary import FACTS
from storage import channels, erasure, incidents, outbox, postmortems, publications, timeline
from storage.erasure import ENTRY, ITEM, Written
from storage.items import action_items, digests
from storage.sources import files, graphs
from storage.sources.files import FileStore
from storage.spool import Spool
from storage.values import Incident

KEEP = "erase_keep"
"""The action of the button that leaves everything as it is."""
REDRAW, COMPACT = "redraw", "compact"
"""The jobs that change a posted message or delete shared files, and that rewrite the database's file."""
_MOVED = re.compile(r"moved to INC-[0-9]+")
_CALLED = {ENTRY: "entry", ITEM: "action item"}
_TYPED = {ENTRY: ("incident", "timeline"), ITEM: ("actionitem", "actionitem list")}
"""The command that erases it, and the one that shows its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Target:
    """What is to be erased and why, by somebody who may.

    `copies` are the same thing where it was moved from or to, `others` what else was written in this incident, and
    `family` the row ids of the incidents whose documents may hold the words.
    """

    incident: Incident
    written: Written
    family: tuple[int, ...]
    copies: tuple[Written, ...]
    others: tuple[Written, ...]
    shown: str
    why: str

    @property
    def texts(self) -> list[str]:
        """All words that are to go, as they are stored and as they are shown now; a move's reason is Scribe's own."""
        stored = (text for each in (self.written, *self.copies) for text in each.texts)
        return [*(text for text in stored if not _MOVED.fullmatch(text)), self.shown]

    @property
    def name(self) -> str:
        """`entry 7`, `action item 3`."""
        return f"{_CALLED[self.written.what]} {self.written.number}"


def ask(connection: Connection, request: Request) -> Reply:
    """`/incident erase 7 why`: say what will go, and ask with two buttons."""
    return _ask(connection, request, ENTRY)


def ask_item(connection: Connection, request: Request) -> Reply:
    """`/actionitem erase 3 why`: the same for an action item."""
    return _ask(connection, request, ITEM)


def _ask(connection: Connection, request: Request, what: str) -> Reply:
    incident = get_numbering(connection, request)
    target = _find(connection, request, incident, what, request.words)
    eraser, versions = _eraser(request, target), postmortems.latest_first(connection, incident.id)
    text = slack(
        "erase",
        incident=incident,
        target=target,
        mark=eraser.mark,
        drafts=[each.version for each in versions if any(eraser.holds(section.body) for section in each.sections)],
        title=eraser.holds(incident.title),
        **_elsewhere(
            connection,
            target,
            eraser,
            published=[each.target for of in target.family for each in publications.of_incident(connection, of)],
        ),
    )
    value = f"{incident.name} {what} {target.written.number} {target.why}"
    yes = Button(label=f"Erase {target.name}", action=ERASE, value=value)
    return Reply(text=text, buttons=(yes, Button(label="Keep it", action=KEEP, value=f"{incident.name} {target.name}")))


def keep(_connection: Connection, request: Request) -> Reply:
    """*Keep it*: nothing changes."""
    return Reply(text=slack("kept", name=request.words), replaces=True)


def clicked(connection: Connection, request: Request) -> Reply:
    """*Erase*: the button's value is the incident, what, its number, and why."""
    value: re.Match[str] = request.parsed
    incident = get_numbering(connection, replace(request, named_number=int(value["incident"])))
    return erase(connection, request, incident, value["what"], value["words"])


def erase(connection: Connection, request: Request, incident: Incident, what: str, words: str) -> Reply:
    """Erase it from the database and the spool, and have the rest done by jobs: messages, publications, the file.

    `words` are its number and why. Raises UsageError where the user may not, or nothing is left to erase.
    """
    # Drafts, edits and entries wait for this lock.
    incidents.numbered(connection, incident.workspace_id, incident.number, lock=True)
    target = _find(connection, request, incident, what, words)
    eraser, workspace_id = _eraser(request, target), incident.workspace_id
    for each in (target.written, *target.copies):
        _overwrite(connection, request, each, eraser.mark)
    _forget_files(connection, request, [each.id for each in (target.written, *target.copies) if each.what == ENTRY])
    rewritten = erasure.rewrite(
        connection,
        workspace_id,
        target.family,
        eraser.erased,
        recorded_at=target.written.recorded_at,
    )
    if target.written.kind in FACTS:
        # Its value is erased, so that the incident says what it said before.
        refresh(connection, request, incidents.by_id(connection, incident.id), target.written.kind)
    Spool(request.settings.spool).rewrite(lambda record: _scrubbed(record, eraser), eraser.erased)
    for of in target.family:
        # A digest is drawn anew from what is recorded: of its words nothing is stored that could be erased.
        digests.note_change(connection, of, at=request.received_at)
    left = [job for of in target.family for job in _left_behind(connection, request, of)]
    for job in (*rewritten.posted, *rewritten.shared, *left):
        # A lane each: a message that Slack does not let Scribe change delays no other.
        lane, content = f"{REDRAW}:{job}", {"job": job}
        outbox.add(connection, workspace_id, lane=lane, action=REDRAW, content=content, at=request.received_at)
    outbox.add(connection, workspace_id, lane=COMPACT, action=COMPACT, content={}, at=request.received_at)
    text = slack(
        "erased",
        incident=incident,
        target=target,
        rewritten=rewritten,
        drafts=rewritten.versions,
        title=incident.number in rewritten.titles,
        command=commands_about(connection, request, incident),
        **_elsewhere(
            connection,
            target,
            eraser,
            published=[
                each
                for of in target.family
                for each in publish_again(connection, request, incidents.by_id(connection, of))
            ],
        ),
    )
    # The others of several buttons stay: Slack does not tell what a private message holds.
    return Reply(text=text, replaces=request.command not in ERASE_ONE, about=incident.name)


def _forget_files(connection: Connection, request: Request, entry_ids: Sequence[int]) -> None:
    """Delete what is kept of the entries' graphs and of the files of their messages, rows and bytes.

    Bytes that others have too stay.
    """
    graphs.erase(connection, entry_ids)
    store = FileStore(request.settings.files_dir)
    for digest in files.erase(connection, entry_ids):
        store.delete(digest)


def _left_behind(connection: Connection, request: Request, incident_id: int) -> list[int]:
    """The jobs whose messages stayed where the incident was before; they are to say where it goes on."""
    incident = incidents.by_id(connection, incident_id)
    return erasure.left_behind(
        connection, incident_id, slack("moved_away", incident=incident, prefix=request.settings.prefix)
    )


def _scrubbed(record: dict[str, object], eraser: Eraser) -> dict[str, object]:
    scrubbed: dict[str, object] = erasure.scrub(record, eraser.erased)
    return scrubbed


def _find(connection: Connection, request: Request, incident: Incident, what: str, words: str) -> _Target:
    """What the words name, with the reason after its number. Raises UsageError where the user may not erase it."""
    typed, shows = _TYPED[what]
    command = commands_about(connection, request, incident)
    try:
        number, why = parse_number(words, what=_CALLED[what])
    except UsageError:
        example = command(shows)
        there = [each for each in erasure.written(connection, incident.id) if _is_erasable(each, what)]
        if there:
            own = [each for each in there if request.user_id in each.people]
            example = command(f"{typed} erase", f"{(own or there)[-1].number} it names a customer")
        number, why = parse_number(words, what=_CALLED[what], example=example)
    written = erasure.find(connection, what, incident.id, number)
    if written is None:
        raise UsageError(f"{incident.name} has no {_CALLED[what]} {number}. {command(shows)} shows the numbers.")
    family = set(erasure.family(connection, incident.id))
    items = erasure.moved_items(connection, written)
    moved = erasure.of_instant(connection, written) if what == ENTRY else items.values()
    found = [each for of in sorted(family.union(moved)) for each in erasure.written(connection, of)]
    copies = tuple(
        each
        for each in found
        if each != written and (each.id in items if what == ITEM == each.what else _is_copy(written, each))
    )
    # An item that was merged is recorded by the person who merged it: its copy knows who wrote it.
    if not any(request.user_id in each.people for each in (written, *copies)):
        require_permission(connection, request, incident, ERASE)
    if is_erased(written.texts):
        problem = "is erased already" if any(written.texts) else "has no words to erase"
        raise UsageError(f"{_CALLED[what].capitalize()} {number} of {incident.name} {problem}.")
    return _Target(
        incident=incident,
        written=written,
        family=tuple(sorted(family.union(each.incident_id for each in copies))),
        copies=copies,
        others=tuple(
            each for each in found if each.incident_id == incident.id and each != written and each not in copies
        ),
        shown=_shown(connection, written),
        why=_reason(command(f"{typed} erase", str(number)), why, written),
    )


def _is_erasable(written: Written, what: str) -> bool:
    return written.what == what and not is_erased(written.texts)


def _shown(connection: Connection, written: Written) -> str:
    """Its words with the names of the people in them."""
    read = timeline.numbered if written.what == ENTRY else action_items.numbered
    found = read(connection, written.incident_id, written.number)
    return found.text if found else ""


def _reason(typed: str, why: str, written: Written) -> str:
    """The reason on one line. Raises UsageError for none, and for one that repeats what is to go: it stays."""
    why = " ".join(storable(why).split())
    if not why:
        raise UsageError(f"Say why: it stands in place of the words. Try: {typed} it names a customer")
    if len(why) > MAX_REASON:
        raise UsageError(f"Say why in at most {MAX_REASON} characters. Try: {typed} it names a customer")
    if repeats(why, written.texts):
        raise UsageError(
            f"The reason repeats what is to go, and it stays on the timeline. Say it in other words: {typed} a password"
        )
    return why


def _eraser(request: Request, target: _Target) -> Eraser:
    mark = mark_of(target.written.texts[0], by=request.user_name, on=request.received_at.date(), why=target.why)
    return Eraser(target.texts, mark=mark, kept=[text for each in target.others for text in each.texts])


def _is_copy(of: Written, each: Written) -> bool:
    """Whether it is the same entry, moved: that keeps who wrote it when, and may get a word before it."""
    if not each.what == of.what == ENTRY or (each.incident_id == of.incident_id and each.kind == of.kind):
        return False
    same = (each.recorded_at, each.people) == (of.recorded_at, of.people)
    pairs = ((one, other) for one in each.texts for other in of.texts if one and other)
    return same and any(one.endswith(other) or other.endswith(one) for one, other in pairs)


def _elsewhere(
    connection: Connection, target: _Target, eraser: Eraser, *, published: Sequence[str]
) -> dict[str, object]:
    """What the reply names: the others that hold the same words, and what Scribe cannot reach."""
    alone = Eraser(target.texts, mark=eraser.mark)
    others = [each for each in target.others if any(map(alone.holds, each.texts))]
    own = channels.of_incident(connection, target.incident.id)
    named = own is not None and any(map(eraser.holds, (target.incident.title, own.name)))
    return {
        "channel_id": own.channel_id if own is not None and named else None,
        "others": [f"{_CALLED[each.what]} {each.number}" for each in others],
        "left": target.written,
        "published": published,
        "published_in": sorted({each.partition(":")[0] for each in published}),
    }


def _overwrite(connection: Connection, request: Request, written: Written, mark: str) -> None:
    """Put the mark in place of the words, and add the revision that says who did it, and when."""
    by, at = request.user_id, request.received_at
    erasure.overwrite(connection, written, mark)
    if written.what == ENTRY:
        entry = timeline.numbered(connection, written.incident_id, written.number)
        if entry is not None:
            timeline.revise(connection, replace(entry, text=mark), by=by, at=at)
    else:
        item = action_items.numbered(connection, written.incident_id, written.number)
        if item is not None:
            action_items.revise(connection, item, by=by, at=at)
