"""Incidents: find the one a request is about, declare, look at, list, search, help."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import cache

from sqlalchemy import Connection

from bot.documents.rendering import slack
from bot.domain.incident.channel import channel_name
from bot.domain.incident.grammar import looks_secret
from bot.domain.incident.lifecycle import lifecycle, turning_points
from bot.domain.incident.opening import Opening, parse_opening
from bot.domain.words import take_incident
from bot.errors import ExampleError, UsageError
from bot.handlers import later
from bot.handlers.permission import require_permission
from bot.handlers.request import Button, Reply, Request, first_word
from bot.vocabulary import (
    ACTION_ITEM,
    ALIASES,
    COMMANDS,
    DETECTED,
    IMPACT,
    INCIDENT,
    KINDS,
    POSTMORTEM,
    REOPENED,
    RESOLVED,
    TIMELINE,
    TITLE,
    Alias,
)
from storage import incidents, timeline
from storage.items import action_items
from storage.search import find
from storage.search import index as search_index
from storage.values import Incident, TimelineEntry

ERASE = "erase"
"""The action of the button that erases an entry or an action item."""
ERASE_ONE = tuple(f"{ERASE}_{each}" for each in range(1, 10))
"""The same where a message has several, each for another entry: within a message each button needs its own."""
MAKE_CHANNEL = "make_channel"
"""The action of the button that makes a channel of the incident's own, and of the job that does."""
TITLE_LENGTH = 120
_OWN_CHANNELS = "You see an incident in its own channel, and members of this workspace see the others."
_LISTED = 20
_SNIPPET = 160
"""Characters of what was found that are shown."""
_PLACES = {search_index.ENTRY: "#{}", search_index.ITEM: "action item {}", search_index.PART: "postmortem"}
"""What a place is called in which words were found."""


_OFTEN = (DETECTED, IMPACT)
"""The kinds of milestones and impacts that may be recorded hundreds of times, by people or by alerts."""
_SELDOM = tuple(kind.name for kind in KINDS.values() if kind.milestone and kind.name not in _OFTEN)
"""The others of which an incident's course is known."""
_MOST_READ = 50
"""As many entries of these kinds are all read."""


class UndecidedError(UsageError):
    """It is not known which incident the words are for; `beside` is the channel's open one, if another is asked for."""

    def __init__(self, problem: str, *, beside: Incident | None = None) -> None:
        super().__init__(problem)
        self.beside = beside


def parse_opening_words(request: Request) -> Opening:
    """Parse `[SEV2] title`. Raises UsageError without a title."""
    return parse_opening(request.words)


def open_(connection: Connection, request: Request) -> Reply:
    """`open [SEV2] title`: declare an incident in this channel."""
    opening: Opening = request.parsed
    latest = _lock_declarations(connection, request)
    beside = latest if latest is not None and latest.open else None
    if beside is not None and not request.declares:
        severity = f", or set how bad it is: {request.slash('incident')} severity {opening.severity}"
        rename = f"{request.slash('incident')} title {opening.title}"
        raise UndecidedError(
            f"{beside.name} is open in this channel: {beside.title}. Open another in a channel of its own, "
            f"or rename this one: {rename}{severity if opening.severity else ''}",
            beside=beside,
        )
    incident = _declare(connection, request, title=opening.title, severity=opening.severity)
    text = slack("declared", incident=incident, beside=beside, request=request)
    return Reply(text=text, public=True, buttons=_channel_offer(request, incident))


def _channel_offer(request: Request, incident: Incident) -> tuple[Button, ...]:
    if not request.settings.channels or not request.is_member:
        return ()
    return (Button(label=f"Make #{channel_name(incident)}", action=MAKE_CHANNEL, value=incident.name),)


def declare_detected(connection: Connection, request: Request, words: str) -> tuple[Incident, Incident | None]:
    """The incident that a detection belongs to, and the resolved one it may be a recurrence of.

    The workspace is locked first: when two people detect at the same time, the second joins the first one's incident.
    """
    latest = _lock_declarations(connection, request)
    if latest is not None and latest.open:
        return latest, None
    # The detection is about to become the first entry of the new incident.
    return _declare(connection, request, title=_title_from(words, request), title_entry_number=1), latest


def retitle(connection: Connection, request: Request, incident: Incident, entry: TimelineEntry) -> str | None:
    """Give the incident the title of the entry's new words, if its title comes from that entry; else None.

    The title stays where the policy does not let the user change it, where the words look like a secret, and where
    somebody has given it another one since.
    """
    if incident.title_entry_number != entry.number or looks_secret(entry.text):
        return None
    with suppress(UsageError):
        require_permission(connection, request, incident, "title")
        follow_words(connection, entry, entry.text, by=request.user_id, at=request.received_at)
        title = incidents.by_id(connection, incident.id).title
        return title if title != incident.title else None
    return None


def follow_words(connection: Connection, entry: TimelineEntry, words: str, *, by: str, at: datetime) -> None:
    """Make the entry's new words the first title of its incident, if that came from the entry and they are no secret.

    It is shown unless somebody has given the incident another one.
    """
    incident = incidents.by_id(connection, timeline.incident_id(connection, entry))
    if incident.title_entry_number == entry.number and words.strip() and not looks_secret(words):
        title = _shortened(" ".join(words.split()))
        shown = {} if timeline.has(connection, incident.id, TITLE) else {"title": title}
        incidents.change(connection, incident, shown, by=by, at=at, first_title=title)


def declare_beside(connection: Connection, request: Request, other: Incident, words: str) -> Incident:
    """A new incident in the channel of the other one, and as private as that."""
    incidents.lock_workspace(connection, request.workspace_id)
    there = replace(request, channel_id=other.channel_id, channel_name=other.channel_name, private=other.private)
    return _declare(connection, there, title=_title_from(words, there), title_entry_number=1)


def _lock_declarations(connection: Connection, request: Request) -> Incident | None:
    """Lock the workspace, so that no other transaction declares an incident; return the channel's latest.

    That incident's row is not locked here: a caller may hold the row of the resolved incident before it, so two
    transactions could deadlock.
    """
    incidents.lock_workspace(connection, request.workspace_id)
    return incidents.in_channel(connection, request.workspace_id, request.channel_id)


def _declare(
    connection: Connection,
    request: Request,
    *,
    title: str,
    severity: str | None = None,
    title_entry_number: int | None = None,
) -> Incident:
    return incidents.declare(
        connection,
        card=request.settings.card,
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
        declared_by_id=request.user_id,
        timezone=request.zone.key,
        private=request.private,
        title_entry_number=title_entry_number,
    )


def _title_from(words: str, request: Request) -> str:
    line = " ".join(words.split())
    if not line or looks_secret(line):
        # For a private channel, `channel_name` is its id or Slack's placeholder.
        return "Incident without a title" if request.private else f"Incident in #{request.channel_name}"
    return _shortened(line)


def _shortened(line: str) -> str:
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1].rstrip() + "…"


def list_(connection: Connection, request: Request) -> Reply:
    """`list`, `list all`: the workspace's open incidents, or all of them, newest first."""
    which = request.words.strip().casefold() or "open"
    if which not in {"open", "all"}:
        raise UsageError(
            f"{request.slash('incident')} list shows the open ones, {request.slash('incident')} list all shows all."
        )
    place = (connection, request.workspace_id, request.channel_id)
    found = incidents.listing(*place, standing=request.standing, open_only=which == "open", limit=_LISTED)
    return _listing(connection, request, found, which=which, shown={})


def search(connection: Connection, request: Request) -> Reply:
    """`search words`: the incidents that hold the words in a title, an entry, an action item or a postmortem."""
    words = request.words.strip()
    if not words:
        raise UsageError(f"Search for what? Try: {request.slash('incident')} search disk full")
    later.check_indexed(connection, request)
    place = (connection, request.workspace_id, request.channel_id)
    found = find.search(*place, words, standing=request.standing, limit=_LISTED)
    shown = {
        each.incident.id: _shown(connection, each, words) for each in found if each.document.what != search_index.TITLE
    }
    return _listing(connection, request, [each.incident for each in found], which="found", words=words, shown=shown)


def _shown(connection: Connection, found: find.Found, words: str) -> tuple[str, find.Snippet]:
    """Where the words stand, `#3` of an entry, and a snippet of it with the names of now."""
    document = found.document
    entry = (
        timeline.numbered(connection, document.incident_id, document.number)
        if document.what == search_index.ENTRY
        else None
    )
    text = document.words if entry is None else entry.text
    return _PLACES[document.what].format(document.number), find.snippet(text, words, most=_SNIPPET)


def _listing(connection: Connection, request: Request, found: Sequence[Incident], **facts: object) -> Reply:
    """The incidents on a line each, with how many times each came back."""
    turns = timeline.milestones(connection, [each.id for each in found], (RESOLVED, REOPENED))
    reopened = {incident_id: lifecycle(steps).reopened for incident_id, steps in turns.items()}
    return Reply(text=slack("listing", incidents=found, reopened=reopened, limit=_LISTED, request=request, **facts))


def read_course(connection: Connection, incident: Incident) -> list[TimelineEntry]:
    """The incident's milestones and impacts, in no order.

    Of a kind that was recorded often only those are read that tell something of its course.
    """
    if not timeline.has_more_of(connection, incident.id, _OFTEN, _MOST_READ):
        return timeline.of_incident(connection, incident.id, kinds=(*_SELDOM, *_OFTEN))
    steps = timeline.of_incident(connection, incident.id, kinds=_SELDOM)
    return [*steps, *timeline.firsts(connection, incident.id, _OFTEN, after=turning_points(steps))]


HELP = {
    "entries": "What happens",
    INCIDENT.name: "The incident",
    POSTMORTEM.name: "Postmortem",
    ACTION_ITEM.name: "Action items",
}
"""The groups of commands that the help has a button for, and what that says; its action begins with HELP_MORE."""
HELP_MORE = "help_"


def help_(_connection: Connection, request: Request) -> Reply:
    """`help`: the few lines that a newcomer needs; `help all`: every command; `help actionitem`: one command."""
    word, _ = first_word(request.words)
    chosen = COMMANDS.get(word.removeprefix("/").removeprefix(request.settings.prefix))
    if word == "all":
        aliases = [(name, _also(ALIASES[name])) for name in ALIASES]
        return Reply(text=slack("help", commands=COMMANDS.values(), aliases=aliases, request=request))
    if chosen in {None, INCIDENT}:
        buttons = tuple(Button(label=label, action=f"{HELP_MORE}{group}", value=group) for group, label in HELP.items())
        return Reply(text=slack("welcome", request=request), buttons=buttons)
    return Reply(text=slack("help", commands=(chosen,), aliases=(), request=request))


def help_more(_connection: Connection, request: Request) -> Reply:
    """`actionitem`, of a button under the help: the commands of that group."""
    group = request.words
    commands = [COMMANDS[group]] if group in COMMANDS else [COMMANDS[name] for name in (*KINDS, TIMELINE.name)]
    return Reply(text=slack("help", commands=commands, aliases=(), request=request))


def _also(aliases: Mapping[str, Alias]) -> str:
    """The aliases by what they mean: `close, end (resolved) · rename (title)`."""
    words: dict[str, list[str]] = {}
    for word, alias in aliases.items():
        words.setdefault(alias.means, []).append(word)
    return " · ".join(f"{', '.join(some)} ({means})" for means, some in words.items() if not means.endswith(some[0]))


_PLAIN = re.compile(r"(?:inc)?[-#]?([0-9]{1,9})", re.IGNORECASE)


def find_current(connection: Connection, request: Request, *, lock: bool = False) -> Incident | None:
    """The incident that the request names, else the channel's latest; None where there is none.

    Raises UsageError where the user names one that does not exist, or that they may not see here, and UndecidedError
    where the channel's has moved to one of its own.
    """
    if request.named_number is not None:
        return get_by_number(connection, request, request.named_number, lock=lock)
    if request.incident_number is not None:
        found = incidents.numbered(connection, request.workspace_id, request.incident_number, lock=lock)
        # A form may be older than the incident's being private; a private one's lead and owners may be elsewhere.
        if found is not None and not (request.sees(found) or _looks_after_items(connection, request, found)):
            raise not_here(request, request.incident_number)
        return found
    current = incidents.current(connection, request.workspace_id, request.channel_id, sees=request.sees, lock=lock)
    if (current is None or not current.open) and not request.declares:
        _refuse_moved(connection, request, current)
    return current


def _refuse_moved(connection: Connection, request: Request, current: Incident | None) -> None:
    """Raise UndecidedError where the channel's last incident goes on in a channel of its own.

    Of a private one only that it does is said: who was here need not be there.
    """
    newer_than = current.number if current is not None and current.channel_id == request.channel_id else 0
    moved = incidents.moved_from(connection, request.workspace_id, request.channel_id, newer_than=newer_than)
    if moved is None:
        return
    if not request.sees(moved):
        raise UndecidedError("The incident that was here goes on in a channel of its own. Who is in it can invite you.")
    example = f"{request.slash(request.command)} {moved.name} …" if request.command in COMMANDS else moved.name
    raise UndecidedError(f"{moved.name} has moved to #{moved.channel_name}: type it there, or name it here: {example}")


def _looks_after_items(connection: Connection, request: Request, incident: Incident) -> bool:
    """Whether the request is about an action item, and the user owns one of the incident's or, a member, leads it."""
    if request.command != ACTION_ITEM.name:
        return False
    if request.is_member and incident.lead_id == request.user_id:
        return True
    return any(item.owner_id == request.user_id for item in action_items.of_incident(connection, incident.id))


def not_here(request: Request, number: int) -> UsageError:
    """The error for an incident that does not exist, and for one that the user may not see: the same for both."""
    shows = f"{request.slash('incident')} list all shows what there is."
    return UsageError(f"There is no INC-{number} here. {shows if request.is_member else _OWN_CHANNELS}")


def get_current(connection: Connection, request: Request, *, lock: bool = False) -> Incident:
    """As `find_current`; raises UndecidedError where there is none as well."""
    incident = find_current(connection, request, lock=lock)
    if incident is None:
        if request.is_direct:
            name = example_name(connection, request)
            example = f": {request.slash(request.command)} {name} …" if name else ""
            raise UndecidedError(
                f"There is no incident here. Name the one you mean{example}, or type it in the incident's channel."
            )
        raise UndecidedError(
            f"This channel has no incident yet. Declare one: {request.slash('detected')} what was seen, "
            f"or {request.slash('incident')} open SEV2 title"
        )
    return incident


def example_name(connection: Connection, request: Request, *, but: Incident | None = None) -> str | None:
    """The name of an incident that the user sees here, for an example; None where there is no other than `but`.

    For a command about items the one of their own oldest open item, else the last to happen.
    """
    owned = action_items.owned(connection, request.workspace_id, request.user_id) if request.is_member else []
    if request.command == ACTION_ITEM.name and owned:
        return f"INC-{owned[0][0]}"
    place = (connection, request.workspace_id, request.channel_id)
    found = incidents.listing(*place, standing=request.standing, open_only=False, limit=2)
    return next((each.name for each in found if but is None or each.id != but.id), None)


def get_named(
    connection: Connection, request: Request, *, lock: bool = False, plain: bool = False
) -> tuple[Incident, str]:
    """The incident that the words begin with (`INC-12`), else the current one; and the remaining words.

    With `plain`, `12` names it too. Raises UsageError for an incident that does not exist, or that the user may not see
    here.
    """
    number, rest = take_number(request.words, plain=plain)
    if number is None:
        return get_current(connection, request, lock=lock), request.words
    return get_by_number(connection, request, number, lock=lock), rest


def get_word_and_named(connection: Connection, request: Request) -> tuple[str, Incident]:
    """One case-folded word, or an empty one, and the incident named before or after it, else the current one.

    Raises UsageError for further words, and as `get_named` does.
    """
    word, rest = first_word(request.words)
    if incident_number(word, plain=True) is not None:
        incident, rest = get_named(connection, request, plain=True)
        word, rest = first_word(rest)
    else:
        incident, rest = get_named(connection, replace(request, words=rest), plain=True)
    if rest.strip():
        raise ExampleError(f"“{rest.strip()[:40]}” is one word too many.", incident.name)
    return word, incident


def get_numbering(connection: Connection, request: Request, *, lock: bool = False) -> Incident:
    """As `get_current`, for words about an entry or item by its number.

    Raises UsageError also for an incident that was merged: where its entries are now, they have other numbers.
    """
    incident = get_current(connection, request, lock=lock)
    if request.named_number not in {None, incident.number}:
        raise UsageError(
            f"INC-{request.named_number} was merged into {incident.name}, where its entries and items have other "
            f"numbers: {request.slash('timeline')} {incident.name}"
        )
    return incident


def commands_about(connection: Connection, request: Request, incident: Incident) -> Callable[..., str]:
    """Write a command about the incident as it is typed where the request came from: `("incident edit", "3 at 14:05")`.

    It names the incident unless the same words without a name are for it there. The function asks the store, once.
    """

    @cache
    def name() -> str:
        current = incidents.current(connection, request.workspace_id, request.channel_id, sees=request.sees)
        return "" if current is not None and current.id == incident.id else incident.name

    def command(words: str, rest: str = "") -> str:
        return " ".join(filter(None, (request.slash(words), name(), rest)))

    return command


def erase_button(incident: Incident, what: str, number: int) -> Button:
    """The button on a private receipt of words that look like a secret; `what` is `entry` or `item`."""
    return Button(label="Erase it", action=ERASE, value=f"{incident.name} {what} {number} it looked like a secret")


def erase_buttons(incident: Incident, numbers: Sequence[int]) -> tuple[Button, ...]:
    """A button for each of several entries; beyond what ERASE_ONE has actions for, the words around them must do."""
    return tuple(
        replace(erase_button(incident, "entry", number), label=f"Erase #{number}", action=action)
        for action, number in zip(ERASE_ONE, numbers, strict=False)
    )


def incident_number(word: str, *, plain: bool = False) -> int | None:
    """The number in an incident's name, `INC-12` in any case, with `plain` also in `12` or `#12`; None for others."""
    number, rest = take_incident(word)
    if number is not None:
        return None if rest else number
    match = _PLAIN.fullmatch(word.strip()) if plain else None
    return None if match is None else int(match[1])


def take_number(words: str, *, plain: bool = True) -> tuple[int | None, str]:
    """The number of the incident whose name the words begin with, and the rest; None and all words without one."""
    number, rest = take_incident(words)
    if number is not None:
        return number, rest
    word, rest = first_word(words)
    number = incident_number(word.rstrip(":,"), plain=plain)
    return (None, words) if number is None else (number, rest)


def get_by_number(connection: Connection, request: Request, number: int, *, lock: bool = False) -> Incident:
    """The workspace's incident of that number, or the one it was merged into.

    Raises UsageError where there is none, or the user may not see it here.
    """
    incident = incidents.numbered(connection, request.workspace_id, number, lock=lock)
    if incident is not None and incident.merged:
        # Check the visibility of the one that has the entries: it may be private where the merged one is not.
        held_by = incidents.holder(connection, incident)
        incident = incidents.numbered(connection, request.workspace_id, held_by.number, lock=lock)
    if incident is None or not request.sees(incident):
        raise not_here(request, number)
    return incident
