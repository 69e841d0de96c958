"""Whom a review is proposed to: who led, wrote the timeline, is named in it, or owns an action item."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from bot.domain.incident.lifecycle import in_order
from bot.domain.incident.sorting import DROPPED
from bot.domain.postmortem.names import words_of
from storage.values import ActionItem, Incident, Invited, TimelineEntry

_PERSON = re.compile(r"[UW][A-Z0-9]{2,}")
_MENTION = re.compile(r"<@(?P<id>[UW][A-Z0-9]{2,})(?:\|[^<>]*)?>|(?<![\w@.])@(?P<name>[^\W_](?:[\w.-]*\w)?)")

Named = tuple[str | None, str | None]
"""(user id, name), either of which may be unknown."""


def proposed(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    items: Iterable[ActionItem],
    *,
    names: Mapping[str, str],
    bots: Collection[str],
) -> tuple[Invited, ...]:
    """The people of the incident, once each: the lead, then in the timeline's order, then the owners.

    `names` are the workspace's display names by user id. Left out are `bots`, teams and roles, and an `@name` that
    belongs to nobody known or to several.
    """
    told = [entry for entry in in_order(entries) if not entry.retracted]
    agreed = [item for item in items if item.state != DROPPED]
    met: list[Named] = [(incident.lead_id, incident.lead), *((entry.author_id, entry.author) for entry in told)]
    owners: list[Named] = [(item.owner_id, item.owner) for item in agreed]
    by_name = _by_name([*names.items(), *met, *owners])
    found = [user_id for user_id, _ in met]
    ids = {user_id for user_id, _ in (*names.items(), *met, *owners) if user_id}
    found += [user_id for entry in told for user_id in _mentioned(entry.text, by_name, ids)]
    found += [user_id for user_id, _ in owners]
    called = {user_id: name for user_id, name in (*met, *owners) if user_id and name} | dict(names)
    people = dict.fromkeys(user_id for user_id in found if user_id and _PERSON.fullmatch(user_id))
    return tuple(Invited(user_id=each, name=called.get(each, each)) for each in people if each not in bots)


def changed(people: Iterable[Invited], *, add: Iterable[Invited], leave_out: Iterable[Invited]) -> tuple[Invited, ...]:
    """The people with some added and some left out, each once."""
    gone = {person.user_id for person in leave_out}
    by_id: dict[str, Invited] = {}
    for person in (*people, *add):
        by_id.setdefault(person.user_id, person)
    return tuple(person for user_id, person in by_id.items() if user_id not in gone)


def _by_name(people: Iterable[Named]) -> dict[tuple[str, ...], set[str]]:
    known: dict[tuple[str, ...], set[str]] = {}
    for user_id, name in people:
        if user_id and name and words_of(name):
            known.setdefault(words_of(name), set()).add(user_id)
    return known


def _mentioned(text: str, by_name: Mapping[tuple[str, ...], set[str]], ids: Collection[str]) -> Iterator[str]:
    for match in _MENTION.finditer(text):
        # Slack's id stands in the words for somebody it gave no name of.
        who = {match["id"] or match["name"]} & set(ids) or by_name.get(words_of(match["name"] or ""), set())
        if len(who) == 1:
            yield from who
