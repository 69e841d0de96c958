"""The timeline: record an entry, show the entries page by page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.chronology import is_chronology
from bot.domain.incident.erasure import is_erased
from bot.domain.incident.grammar import Utterance, graph_query, looks_secret, parse_entry
from bot.domain.incident.lifecycle import is_open, lifecycle, standing
from bot.domain.time.format import clock, stamp, zone_label
from bot.domain.words import clipped, says_nothing
from bot.errors import UsageError
from bot.handlers.incident import doubts
from bot.handlers.incident.incidents import (
    commands_about,
    declare_detected,
    erase_button,
    find_current,
    get_current,
    get_named,
    incident_number,
    not_here,
    read_course,
    retitle,
)
from bot.handlers.incident.which import CHOOSE
from bot.handlers.items.reminders import lock_recipients, plan_item, plan_publication
from bot.handlers.permission import require_permission
from bot.handlers.postmortem.drafts import enqueue_draft
from bot.handlers.postmortem.interview import ANSWER
from bot.handlers.request import MENTION, Button, Reply, Request
from bot.vocabulary import (
    DETECTED,
    ENTRY_KINDS,
    ESCALATED,
    KINDS,
    NOTE,
    QUALIFIER_LABELS,
    REOPENED,
    RESOLVED,
    STARTED,
    Kind,
)
from storage import incidents, receipts, timeline
from storage.items import action_items
from storage.sources import files, graphs
from storage.values import MESSAGE_EDITED, Incident, TimelineEntry

MOVES_OPEN = (RESOLVED, REOPENED)
"""The kinds of entry that open or close an incident."""
BEGINNINGS = (STARTED, DETECTED)
"""The kinds that others may contradict even when they are recorded as now."""
ALREADY_DONE = (
    "That message was carried out before it was edited, and its new words change nothing. "
    "To say something else, write a new message."
)
REPEATED_WITHIN = timedelta(minutes=1)
"""The same words of one person within this time may be a slip."""
UNDO = "entry_undo"
"""The action of the button that takes back the entry it stands under."""
SPLIT = "entry_split"
"""The action of the button under an entry whose words go on with lines that begin with a time."""
CAME_BACK, RETIME, SAME, OTHER, HERE = "came_back", "resolved_then", "another_outage", "new_incident", "move_here"
"""The actions of the buttons under an entry's receipt; the value is `INC-1 5`, the incident and the entry.

HERE is followed by the incident of the channel: the name at the head may have been one of the words.
"""
QUALIFY = "qualify_"
"""How the actions of the buttons begin that set an entry's qualifier."""
MENUS = frozenset({"recorded", "revised", "confirmed"})
"""The receipts of one entry that stands, from which it may be edited or taken back."""
SHOWN_WORDS = 600
"""Characters of an entry's words in a receipt."""
REPEATING = ("recorded", "revised", "moved", "confirmed", "told")
"""The receipts that repeat the entry's words."""
UNSAID: Mapping[str, None] = dict.fromkeys(
    ("declared", "before", "drafting", "also_open", "resolved_again", "afterwards", "end", "detected_again", "was_open",
     "stays_resolved", "stays_open", "repeats", "doubts", "called", "pages_nobody")
)  # fmt: skip
"""What a receipt says only at the moment of recording."""
CLI = "cli"
"""The source of a request that was made at a terminal, whose user is nobody in Slack."""
SLASH = "slash"
"""The source of a request that was typed as a slash command."""
PEOPLE = ("U", "W")
"""How the ids of people begin."""
MOST_CALLED = 5
"""The most people that one receipt mentions."""
PAGE = 40
"""Entries on a page; with long texts clipped, a page stays under Slack's limit for one message."""


def parse(request: Request) -> Utterance:
    """Parse the words of an entry of the kind `request.command`. Raises UsageError for invalid words."""
    name = f"INC-{request.named_number}" if request.named_number is not None else ""
    typed = " ".join(filter(None, (request.slash(request.command), name, request.words.strip())))
    return parse_entry(KINDS[request.command], request.words, now=request.now, zone=request.zone, typed=typed)


def record(connection: Connection, request: Request) -> Reply:
    """Record an entry of the kind `request.command` on the current incident, in whatever state that is.

    `/detected` declares an incident where none is open. A second `/resolved` is recorded as a note.
    """
    kind = KINDS[request.command]
    utterance: Utterance = request.parsed
    if request.revises is not None and (revised := _read_again(connection, request, kind, utterance)) is not None:
        return revised
    latest = find_current(connection, request, lock=True)
    incident, before = _incident_for(connection, request, kind, utterance, latest)
    ended_at = None
    if not incident.open:
        ended_at = lifecycle(timeline.of_incident(connection, incident.id, kinds=MOVES_OPEN)).resolved_at
    resolved_again = kind.name == RESOLVED and ended_at is not None
    if resolved_again:
        kind = KINDS[NOTE]
    detected_again = kind.name == DETECTED and incident.open and timeline.has(connection, incident.id, DETECTED)
    if request.permalink is not None:
        earlier = timeline.by_permalink(connection, incident.id, request.permalink, kind.name)
        if earlier is not None and not earlier.retracted:
            return _take_new_words(connection, request, incident, earlier, utterance)
    occurred_at, doubtful = utterance.occurred_at, None
    # A further detection now contradicts nothing: what follows a detection has the first one before it.
    may_conflict = utterance.timed or (kind.name in BEGINNINGS and not detected_again)
    if may_conflict and latest is not None and latest.id == incident.id:
        occurred_at, doubtful = doubts.within(connection, request, incident, kind.name, utterance, occurred_at)
    elif utterance.moment is not None and utterance.moment.doubtful:
        doubtful = doubts.of_words(utterance, utterance.moment)
    entry = timeline.append(
        connection,
        incident.id,
        kind=kind.name,
        occurred_at=occurred_at,
        recorded_at=request.received_at,
        author=request.author or request.user_name,
        author_id=request.author_id or request.user_id,
        recorded_by_id=request.user_id,
        text=utterance.text or (KINDS[RESOLVED].label if resolved_again else ""),
        qualifier=utterance.qualifier,
        source=request.source,
        permalink=request.permalink,
        people=request.people_in(utterance.text),
        approximate=utterance.approximate,
        until_at=doubtful.moment.until_at if doubtful and doubtful.moment else utterance.until_at,
    )
    if request.files:
        files.add(connection, incident.workspace_id, entry.id, request.files, at=request.received_at)
    ask_for_graph(connection, request, incident, entry)
    open_now = sync_open_state(connection, request, incident, entry.kind)
    around = _Circumstances(
        before=before,
        ended_at=ended_at,
        resolved_again=resolved_again,
        detected_again=detected_again,
        here=None if incident.channel_id == request.channel_id else _open_in(connection, request.channel_id, incident),
        repeats=timeline.said_before(
            connection,
            incident.id,
            entry,
            text=utterance.text,
            since=request.received_at - REPEATED_WITHIN,
            at=entry.occurred_at if utterance.timed else None,
        ),
    )
    afterwards = around.is_after(entry)
    asks_for_help = kind.name == ESCALATED and incident.open
    drafting = incident.open and not open_now
    buttons = around.buttons(request, incident, entry)
    buttons += doubts.buttons(request, incident, entry, doubtful) if doubtful is not None else ()
    if utterance.mentioned is not None and request.author_id is None:
        buttons += doubts.use_mentioned(connection, request, incident, entry, utterance.mentioned[0])
    buttons += _about_words(incident, entry, asks=utterance.asks)
    buttons += (Button(label="Answer the open questions", action=ANSWER, value=incident.name),) if drafting else ()
    return receipt(
        connection,
        request,
        "recorded",
        incident,
        entry,
        assumed=utterance.zone_assumed,
        # The time of another's message has seconds that were not typed.
        seconds=utterance.seconds and (request.permalink is None or request.said_at is not None),
        buttons=buttons,
        declared=incident.number if kind.name != REOPENED and (latest is None or latest.id != incident.id) else None,
        drafting=drafting,
        facts=lifecycle(read_course(connection, incident)) if drafting else None,
        also_open=_open_in(connection, incident.channel_id, incident) if drafting else None,
        end=ended_at and stamp(ended_at, None, request.received_at.date()),
        afterwards=afterwards,
        resolved_again=resolved_again,
        detected_again=detected_again,
        was_open=kind.name == REOPENED and incident.open,
        stays_open=kind.name == RESOLVED and open_now,
        stays_resolved=kind.name == REOPENED and not open_now,
        doubts=doubtful,
        repeats=around.repeats,
        before=before,
        called=called(request, (request.people_in(utterance.text) or {}).values()) if asks_for_help else (),
        pages_nobody=asks_for_help,
    )


def ask_for_graph(connection: Connection, request: Request, incident: Incident, entry: TimelineEntry) -> None:
    """Have the graph fetched that the entry's words ask for, if they do and there is a Prometheus.

    Only for members: an outsider of a shared channel would ask the company's monitoring whatever they like.
    """
    query = graph_query(entry.kind, entry.text)
    if query is not None and request.settings.prometheus and request.is_member:
        asker = {"channel": request.channel_id, "user": request.user_id, "reply_url": request.reply_url}
        tell = None if request.source == CLI else asker
        graphs.ask(connection, incident.workspace_id, entry.id, query, at=request.received_at, tell=tell)


def called(request: Request, user_ids: Iterable[str | None]) -> tuple[str, ...]:
    """Those whom a receipt mentions, at most MOST_CALLED: people other than the user, each once, and no group.

    Nobody where the words are a message themselves, in which Slack has mentioned them.
    """
    if request.source != SLASH:
        return ()
    people = dict.fromkeys(each for each in user_ids if each and each.startswith(PEOPLE) and each != request.user_id)
    return tuple(people)[:MOST_CALLED]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Circumstances:
    """What an entry met when it was recorded, and its receipt asks about.

    `before` is the resolved incident that a new one may continue, `ended_at` when the entry's own was resolved, `here`
    the open one of the channel where another was named, `repeats` the number of an entry of the same words.
    `resolved_again` and `detected_again`: it was resolved or detected already.
    """

    before: Incident | None
    ended_at: datetime | None
    resolved_again: bool
    detected_again: bool
    here: Incident | None
    repeats: int | None

    def is_after(self, entry: TimelineEntry) -> bool:
        """Whether the entry happened after the incident was resolved, and does not reopen it."""
        return self.ended_at is not None and entry.kind != REOPENED and entry.occurred_at >= self.ended_at

    def buttons(self, request: Request, incident: Incident, entry: TimelineEntry) -> tuple[Button, ...]:
        """A button for each question, the likeliest first."""
        value, today = f"{incident.name} {entry.number}", request.received_at.date()
        at = stamp(entry.occurred_at, None, today) if self.resolved_again else None
        end = stamp(self.ended_at, None, today) if self.resolved_again and self.ended_at else None
        here = self.here if self.here is not None and not self.here.private else None
        offers = (
            (UNDO, self.repeats is not None and "Undo", value),
            ("reopen", self.before and f"It is the same one: reopen {self.before.name}",
             f"{self.before.name if self.before else ''} {incident.name}"),
            (CAME_BACK, self.is_after(entry) and not self.resolved_again and "It came back: reopen", value),
            (RETIME, self.resolved_again and at != end and f"Use {at} as the time it was resolved",
             f"{value}{doubts.was(self.ended_at) if self.resolved_again else ''}"),
            (SAME, self.detected_again and "It came back: new round", value),
            (OTHER, self.detected_again and "New incident", value),
            (HERE, here and f"It is about {here.name}, here", f"{value} {here.name if here else ''}"),
        )  # fmt: skip
        return tuple(Button(label=label, action=action, value=value) for action, label, value in offers if label)


def _about_words(incident: Incident, entry: TimelineEntry, *, asks: bool) -> tuple[Button, ...]:
    """A button for each qualifier, if it `asks` for one; and one for words of lines that each begin with a time."""
    value, kind = f"{incident.name} {entry.number}", KINDS[entry.kind]
    missing = [each for each in kind.qualifiers if asks and each != entry.qualifier]
    buttons = tuple(Button(label=QUALIFIER_LABELS[each], action=f"{QUALIFY}{each}", value=value) for each in missing)
    if "\n" not in entry.text or not is_chronology(f"{clock(entry.occurred_at)} {entry.text}"):
        return buttons
    return (*buttons, Button(label="Make an entry of each line", action=SPLIT, value=value))


def _take_new_words(
    connection: Connection, request: Request, incident: Incident, earlier: TimelineEntry, utterance: Utterance
) -> Reply:
    """Revise the entry of a message that is put on the timeline once more, for the message may have been edited.

    Raises UsageError if the entry has had these words before, or if the message is itself a command.
    """
    known = MENTION in {earlier.source, request.source} or not utterance.text
    if known or utterance.text in timeline.texts(connection, earlier):
        raise UsageError(f"That message is on the timeline already: it is entry {earlier.number}.")
    return _revised_words(connection, request, incident, earlier, utterance)


def _read_again(connection: Connection, request: Request, kind: Kind, utterance: Utterance) -> Reply | None:
    """Revise what a mention recorded before its message was edited; None where nothing stands of it.

    An edit that makes another kind of it takes the first entry back. Raises UsageError where the mention did something
    else before, or recorded something before entries knew their message.
    """
    entries = timeline.of_message(connection, request.workspace_id, [request.permalink or ""])
    recorded = [entry for entry in entries if entry.source == MENTION]
    if not recorded:
        check_not_done(connection, request)
    standing = [entry for entry in recorded if not entry.retracted]
    if not standing:
        return None
    earlier = standing[-1]
    incident = incidents.by_id(connection, timeline.incident_id(connection, earlier))
    if not request.sees(incident):
        raise not_here(request, incident.number)
    if earlier.kind != kind.name:
        timeline.revise(connection, earlier, by=request.user_id, at=request.received_at, retracted=True)
        sync_open_state(connection, request, incident, earlier.kind)
        return None
    return _revised_words(connection, request, incident, earlier, utterance, retimed=utterance.timed)


def check_not_done(connection: Connection, request: Request) -> None:
    """Raise UsageError for a message that was edited after its command was carried out: it would be done twice."""
    receipt = receipts.find(connection, request.workspace_id, request.revises or "")
    # The question which incident is meant is no more than that.
    if receipt is not None and not any(each["action"] == CHOOSE for each in receipt.get("buttons", ())):
        raise UsageError(ALREADY_DONE)


def _revised_words(
    connection: Connection,
    request: Request,
    incident: Incident,
    earlier: TimelineEntry,
    utterance: Utterance,
    *,
    retimed: bool = False,
) -> Reply:
    """Revise the entry's words, `retimed` its time too, and tell so; an empty reply where nothing differs."""
    if is_erased([earlier.text]):
        again = f"{earlier.number} new words"
        raise UsageError(
            f"The words of entry {earlier.number} were erased, and are not taken from the message again. "
            f"To write it anew: {commands_about(connection, request, incident)('incident edit', again)}"
        )
    changes: dict[str, Any] = {
        "text": utterance.text or earlier.text,
        "qualifier": utterance.qualifier or earlier.qualifier,
    }
    doubtful = None
    if retimed:
        at = utterance.occurred_at
        at, doubtful = doubts.within(connection, request, incident, earlier.kind, utterance, at, without=earlier)
        until_at = doubtful.moment.until_at if doubtful.moment else None
        changes |= {"occurred_at": at, "approximate": utterance.approximate, "until_at": until_at}
    if all(getattr(earlier, name) == value for name, value in changes.items()):
        return Reply(text="", public=True)
    changes["people"] = request.people_in(utterance.text) if utterance.text else dict(earlier.people) or None
    if request.source != "shortcut":  # its form may hold words that are not the message's
        changes["message_state"] = MESSAGE_EDITED
    revised = timeline.revise(connection, earlier, by=request.user_id, at=request.received_at, **changes)
    ask_for_graph(connection, request, incident, revised)
    open_now = sync_open_state(connection, request, incident, earlier.kind)
    turned = None if open_now == incident.open else "open" if open_now else "resolved"
    return receipt(
        connection,
        request,
        "revised",
        incident,
        revised,
        before=earlier,
        renamed=retitle(connection, request, incident, revised),
        was=stamp(
            earlier.occurred_at, None, revised.occurred_at.date(),
            approximate=earlier.approximate, until_at=earlier.until_at,
        ),
        turned=turned,
        doubts=doubtful,
        buttons=doubts.buttons(request, incident, revised, doubtful) if doubtful else (),
    )  # fmt: skip


def _incident_for(
    connection: Connection, request: Request, kind: Kind, utterance: Utterance, latest: Incident | None
) -> tuple[Incident, Incident | None]:
    """The incident that the entry belongs to, declared or reopened for it where need be.

    Beside a new one stands the resolved one that it may be a recurrence of. Raises UsageError without permission.
    """
    named = request.incident_number is not None or request.named_number is not None
    if request.declares or (not named and _declares(connection, kind, utterance, latest)):
        return declare_detected(connection, request, utterance.text)
    incident = latest or get_current(connection, request)
    # Before it is recorded: what the user records makes a responder of them.
    if kind.name == RESOLVED and incident.open:
        require_permission(connection, request, incident, "resolve")
    if kind.name == REOPENED and incident.open and not named:
        merged = incidents.merged_from(connection, request.channel_id, incident)
        if merged is not None:
            incident = incidents.numbered(connection, merged.workspace_id, merged.number, lock=True) or merged
    if kind.name == REOPENED and incident.closed_as is not None:
        incident = lift_closing(connection, request, incident)
    return incident, None


def _declares(connection: Connection, kind: Kind, utterance: Utterance, latest: Incident | None) -> bool:
    """Whether the entry declares a new incident.

    A detection at a time before the resolution of an incident without a detection belongs to that incident.
    """
    if kind.name != DETECTED or (latest is not None and latest.open):
        return False
    if latest is None:
        return True
    facts = lifecycle(timeline.of_incident(connection, latest.id, kinds=(DETECTED, *MOVES_OPEN)))
    return facts.detected_at is not None or not _is_before(utterance, facts.resolved_at)


def _is_before(utterance: Utterance, resolved_at: datetime | None) -> bool:
    return utterance.timed and resolved_at is not None and utterance.occurred_at <= resolved_at


def _open_in(connection: Connection, channel_id: str, beside: Incident) -> Incident | None:
    """The incident, other than `beside`, that is open in the channel."""
    current = incidents.in_channel(connection, beside.workspace_id, channel_id)
    return current if current is not None and current.open and current.id != beside.id else None


def sync_open_state(connection: Connection, request: Request, incident: Incident, kind: str) -> bool:
    """Open or close the incident as its entries say, after one of `kind` was recorded, corrected, moved or retracted.

    Resolving it requests a draft. A cancelled one and a duplicate stay so. Returns whether the incident is open now.
    Raises UsageError where that resolves it and the user may not; what is recorded anew is checked before, too.
    """
    if kind not in MOVES_OPEN or incident.closed_as is not None:
        return incident.open
    open_now = is_open(timeline.of_incident(connection, incident.id, kinds=MOVES_OPEN))
    if incident.open and not open_now:
        require_permission(connection, request, incident, "resolve")
    incidents.set_open(connection, incident, is_open=open_now)
    if incident.open != open_now:
        plan_publication(
            connection, incident, is_open=open_now, at=request.received_at, cadence=request.settings.cadence
        )
    if incident.open and not open_now:
        if request.channel_id != incident.channel_id:
            request = replace(request, channel_id=incident.channel_id, reply_url=None)
        enqueue_draft(connection, request, incident, asked=False)
    return open_now


def lift_closing(connection: Connection, request: Request, incident: Incident) -> Incident:
    """Make a cancelled incident or a duplicate count again, and plan the reminders of its items anew."""
    counted = incidents.close(connection, incident, None, by=request.user_id, at=request.received_at)
    items = action_items.of_incident(connection, incident.id)
    lock_recipients(connection, (counted,), items, request.settings.cadence)
    for item in items:
        plan_item(connection, counted, item, at=request.received_at, cadence=request.settings.cadence)
    return counted


def show(connection: Connection, request: Request) -> Reply:
    """The newest page of the timeline; `/timeline 2` shows the page before it."""
    incident, rest = get_named(connection, request)
    pages = max(1, -(-timeline.count(connection, incident.id) // PAGE))
    word = rest.strip()
    if len(word.split()) > 1 and not says_nothing(word):
        note = commands_about(connection, request, incident)(NOTE, word)
        raise UsageError(f"{request.slash('timeline')} only shows. To record that: {note}")
    word = "1" if not word or says_nothing(word) else word
    if not (word.isascii() and word.isdigit()) or not 1 <= int(word[:9]) <= pages:
        named = incident_number(word, plain=True)
        other = f" For the timeline of INC-{named}: {request.slash('timeline')} INC-{named}" if named else ""
        raise UsageError(f"The timeline has {pages} page{'s' if pages > 1 else ''}; {word} is none of them.{other}")
    page = int(word)
    shown = standing(timeline.last_happened(connection, incident.id, limit=PAGE, skip=(page - 1) * PAGE))
    return Reply(
        text=slack(
            "timeline",
            incident=incident,
            entries=[with_names(entry) for entry in shown],
            clocks_changed=len({entry.occurred_at.astimezone(request.zone).utcoffset() for entry in shown}) > 1,
            kinds=ENTRY_KINDS,
            zone=request.zone if request.zone_known else None,
            today=request.received_at.date(),
            page=page,
            pages=pages,
            older=f"{request.slash('timeline')} {incident.name} {page + 1}" if page < pages else None,
        )
    )


def with_names(entry: TimelineEntry, people: Mapping[str, str] | None = None) -> TimelineEntry:
    """The entry with `somebody` in place of the id of a person whom Slack has not named yet."""
    words = entry.text
    for name, user_id in (people or entry.people or {}).items():
        if name == user_id:
            words = words.replace(f"@{user_id}", "@somebody")
    if words == entry.text and entry.author != entry.author_id:
        return entry
    return replace(entry, text=words, author="somebody" if entry.author == entry.author_id else entry.author)


def append(
    connection: Connection,
    request: Request,
    incident: Incident,
    kind: str,
    text: str,
    *,
    at: datetime,
    permalink: str | None = None,
    people: Mapping[str, str] | None = None,
    approximate: bool = False,
    until_at: datetime | None = None,
) -> TimelineEntry:
    """Append an entry of the kind by the user: a step that follows from what they did, or a changed fact."""
    return timeline.append(
        connection,
        incident.id,
        kind=kind,
        occurred_at=at,
        recorded_at=request.received_at,
        author=request.user_name,
        author_id=request.user_id,
        recorded_by_id=request.user_id,
        text=text,
        qualifier=None,
        source=request.source,
        permalink=permalink,
        people=dict(people or {}) or None,
        approximate=approximate,
        until_at=until_at,
    )


def receipt(
    connection: Connection,
    request: Request,
    template: str,
    incident: Incident,
    entry: TimelineEntry,
    *,
    assumed: bool = False,
    seconds: bool = False,
    buttons: tuple[Button, ...] = (),
    **facts: object,
) -> Reply:
    """The receipt of an entry, for the channel, rendered from `templates/slack/<template>.j2` with `facts`.

    `assumed` means that the words named no zone; unless the user's zone is known, the receipt names the default zone
    that was used and shows how to correct the time. `seconds` shows the seconds of the entry's time. Somebody in the
    words whom Slack has not named yet appears as `@somebody`, never by id. Where the words look like a secret, the
    receipt is private, does not repeat them, and offers to erase them.
    """
    zone = request.zone if request.zone_known else None
    shown = with_names(entry, request.people)
    secret = template in REPEATING and looks_secret(entry.text)
    if secret:
        buttons = (erase_button(incident, "entry", entry.number), *buttons)
    text = slack(
        template,
        incident=incident,
        entry=shown if request.author_id else replace(shown, author=entry.author),
        unnamed=shown.text != entry.text,
        kind=ENTRY_KINDS[entry.kind],
        when=stamp(
            entry.occurred_at,
            zone,
            request.received_at.date(),
            seconds=seconds,
            approximate=entry.approximate,
            until_at=entry.until_at,
        ),
        assumed=zone_label(request.zone) if assumed and not request.zone_known else None,
        command=commands_about(connection, request, incident),
        request=request,
        secret=secret,
        **facts,
    )
    recorded = entry.kind if template == "recorded" else None
    own = recorded is not None
    words = clipped(shown.text, SHOWN_WORDS) if template in MENUS and not secret else ""
    return Reply(
        text=text,
        public=not secret,
        buttons=buttons,
        about=incident.name,
        recorded=recorded,
        own=own,
        entry=f"{incident.name} {entry.number}" if template in MENUS and not secret else None,
        entry_lines=words.count("\n") + 1 if words else 0,
    )
