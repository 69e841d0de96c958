"""The check: runs every rule over a timeline and its postmortem. It gives advice and blocks nothing.

RULES is the table of rules, the most urgent first. Each can be switched off by its key.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice, zip_longest
from zoneinfo import ZoneInfo

from bot.domain.check import blame, document, timeline
from bot.domain.check import items as check_items
from bot.domain.check.finding import Finding, Material, Rule
from bot.domain.check.subject import people
from bot.domain.incident.lifecycle import in_order
from bot.domain.items.item import DROPPED
from bot.domain.postmortem.assemble import assemble
from bot.domain.words import closest_match
from storage.values import ActionItem, Incident, Postmortem, TimelineEntry

RULES = (
    Rule(key="order", title="Out of order", find=timeline.order),
    Rule(key="future", title="In the future", find=timeline.future),
    Rule(key="times", title="Earlier times in the words", find=timeline.named_times),
    Rule(key="impact", title="Impact", find=document.impact_stated),
    Rule(key="cause", title="Cause", find=document.cause_stated),
    Rule(key="milestones", title="Missing milestones", find=timeline.milestones),
    Rule(key="detection", title="Detection", find=timeline.detection),
    Rule(key="held", title="Mitigations that may not have held", find=timeline.mitigations),
    Rule(key="escalation", title="Escalation", find=timeline.escalation),
    Rule(key="wording", title="Wording", find=blame.wording),
    Rule(key="slips", title="Causes that are a slip alone", find=timeline.slips_alone),
    Rule(key="prevention", title="Prevention", find=check_items.prevention),
    Rule(key="noticing", title="Noticed by a customer", find=check_items.noticing),
    Rule(key="owners", title="Owners", find=check_items.owners),
    Rule(key="dates", title="Due dates", find=check_items.dates),
    Rule(key="verbs", title="Action items without a verb", find=check_items.verbs),
    Rule(key="vague", title="Vague action items", find=check_items.vague),
    Rule(key="ends", title="Action items without a verifiable end", find=check_items.ends),
    Rule(key="deadends", title="Dead ends over 30 minutes", find=timeline.dead_end_lessons),
    Rule(key="offers", title="Lessons that the facts suggest", find=timeline.lessons_offered),
    Rule(key="unsorted", title="Not sorted yet", find=timeline.unsorted),
    Rule(key="prompts", title="Open questions", find=document.prompts),
    Rule(key="gaps", title="Gaps over 30 minutes", find=timeline.silences),
    Rule(key="person", title="First person", find=document.first_person),
    Rule(key="length", title="Length", find=document.length),
)
KEYS = tuple(rule.key for rule in RULES)
_TITLES = {rule.key: rule.title for rule in RULES}
_BOT_ID = re.compile(r"B[A-Z0-9]{7,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingGroup:
    """The findings of one rule: those shown, and how many there are in all."""

    title: str
    findings: tuple[Finding, ...]
    total: int


def check(
    incident: Incident,
    entries: Iterable[TimelineEntry],
    items: Iterable[ActionItem],
    postmortem: Postmortem | None,
    *,
    now: datetime,
    off: frozenset[str] = frozenset(),
    prefix: str = "",
    name: str = "",
) -> tuple[Finding, ...]:
    """The findings, in the order of RULES. Without a draft only the timeline and the items are checked. Of the entries
    that were taken back only the lessons count: they are not offered again.

    `now` is aware UTC; `off` holds the keys of rules not to apply; `prefix` is the prefix of command names; `name`
    is put into the commands, where without it they are for another incident.
    """
    every = tuple(entries)
    standing = tuple(in_order(entry for entry in every if not entry.retracted))
    agreed = tuple(item for item in items if item.state != DROPPED)
    material = Material(
        document=assemble(incident, every, agreed, zone=ZoneInfo(incident.timezone), prefix=prefix),
        entries=standing,
        items=agreed,
        sections=postmortem.shown if postmortem else (),
        template=postmortem.template if postmortem else None,
        people=people(set(_names(incident, standing, agreed))),
        now=now,
        on=frozenset(KEYS) - off,
        prefix=prefix,
        name=name,
    )
    return tuple(finding for rule in RULES if rule.key in material.on for finding in rule.findings(material))


def grouped(findings: Sequence[Finding], *, most: int | None = None) -> tuple[FindingGroup, ...]:
    """The findings by rule, at most `most` in all: the first of every rule is shown before the second of any."""
    by_rule = {key: tuple(found) for key, found in groupby(findings, lambda finding: finding.rule)}
    by_rank = (finding for rank in zip_longest(*by_rule.values()) for finding in rank if finding is not None)
    chosen = list(islice(by_rank, most))
    counts = {key: sum(finding.rule == key for finding in chosen) for key in by_rule}
    return tuple(
        FindingGroup(title=_TITLES[key], findings=found[: counts[key]], total=len(found))
        for key, found in by_rule.items()
        if counts[key]
    )


def parse_off(words: str) -> frozenset[str]:
    """The keys in a list such as `gaps,length`. Raises ValueError for one that is no rule's, with the nearest."""
    named = frozenset(word.strip().lower() for word in words.split(",") if word.strip())
    for name in sorted(named - set(KEYS)):
        guess = closest_match(name, KEYS)
        meant = f"; did you mean {guess}?" if guess else "."
        raise ValueError(f"{name!r} is no rule{meant} The rules are {', '.join(KEYS)}")
    return named


def _names(incident: Incident, entries: Iterable[TimelineEntry], items: Iterable[ActionItem]) -> Iterator[str]:
    """The names of people in this incident: authors that are no bot, owners, the lead, the declarer."""
    yield from (entry.author for entry in entries if not _BOT_ID.fullmatch(entry.author_id))
    yield from (item.owner for item in items if item.owner)
    yield from (name for name in (incident.lead, incident.declared_by) if name)
