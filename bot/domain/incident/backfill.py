"""Proposals for the timeline out of a conversation: which messages, of which kind, and why.

What is guessed comes from one table of signs. Each has words that a person reads as the reason, points for or against,
and perhaps the kind of entry that it speaks for. A message is ticked from TICKED points on; nothing else decides.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from bot.domain.incident.conversation import ChatMessage
from bot.domain.incident.secrets import secrets_in
from bot.domain.incident.signs import TICKED, Reason, signs_of, tokens_in, words_in
from bot.vocabulary import (
    DETECTED,
    DID,
    MITIGATED,
    NOTE,
    REOPENED,
    RESOLVED,
)

NEWS_AFTER = timedelta(minutes=30)
"""An alert this long after the last one, or after that was over, is news; sooner it only goes on."""
MOST_READ = 600
"""Characters of a message that are looked at: what it is about stands at its beginning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A message with the guess: its kind, the reasons for it and against it, and whether it is ticked.

    `number` is its place in the conversation. `entry` is the number of the entry that it is already, which is never
    ticked; `taken_back` whether that was taken back.
    """

    number: int
    message: ChatMessage
    kind: str
    reasons: tuple[str, ...]
    ticked: bool
    entry: int | None = None
    taken_back: bool = False

    def to_json(self) -> dict[str, Any]:
        """The proposal as JSON values."""
        return {**asdict(self), "message": self.message.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        message = ChatMessage.from_json(values["message"])
        return cls(**{**values, "message": message, "reasons": tuple(values["reasons"])})


_LAUGHS = frozenset({"joy", "rolling_on_the_floor_laughing", "laughing", "sweat_smile", "grin", "rofl", "heart"})
_PINS = frozenset({"pushpin", "round_pushpin", "bookmark", "memo", "scroll", "clipboard"})
_MANY = 3
_LINK = re.compile(r"https?://[^\s<>|)]{1,500}")
_DASHBOARD = re.compile(
    r"grafana|datadog|kibana|newrelic|honeycomb|sentry|splunk|cloudwatch|monitoring|dashboard|graph|jaeger|trace|metrics"
    r"|panel|/d/|logs|chart"
)
_CHANGE = re.compile(
    r"/pull/|/merge_requests/|/commit|/compare/|/issues/|/browse/|/releases/|/deployments|/runs/|ticket"
)


@dataclass(frozen=True, slots=True)
class _AppSign:
    """What an app's message is: by its words, by the app's name, or both; each set needs one of its words in it."""

    why: str
    points: int
    kind: str | None
    words: frozenset[str]
    also: frozenset[str] = frozenset()
    name: str = ""


_ALERT_OVER = words_in("resolved recovered recovery ok cleared closed up normal auto-resolved")
_ALERT = words_in(
    "firing triggered critical problem alert alarm alerting warning error errors breached down degraded failing failed "
    "p1 p2 sev1 sev2 incident issue exception spike anomaly unhealthy unreachable timeout timeouts outage high"
)
_PARTS = re.compile(r"[-_/.]")
_NO_ALERTS = re.compile(
    r"jira|github|gitlab|bitbucket|zoom|calendar|giphy|poll|remind|slackbot|linear|notion|docs|asana"
)
"""Apps whose issues and incidents are no alerts."""
_FIRING = words_in("firing triggered")
_HANDLED = words_in("acknowledged assigned acked reassigned escalated snoozed commented")
_APP_SIGNS: tuple[_AppSign, ...] = (
    _AppSign("the status page", 3, NOTE, words_in("incident investigating identified monitoring resolved update "
             "updated posted tweet scheduled maintenance sent component"), name="status"),
    _AppSign("a change that is only on its way", 0, None, words_in("deploying started starting progressing queued "
             "pending building in-progress rolling waiting"), words_in("deploy deploying deployment rollout release "
             "sync synced application build pipeline rolling progressing")),
    _AppSign("a deployment", 3, DID, words_in("deployed undeployed promoted synced redeployed")),
    _AppSign("a deployment", 3, DID, words_in("deploy deployment rollout release push migration sync rollback flag "
             "config upgrade"), words_in("succeeded completed finished successful success done live enabled disabled "
             "turned toggled complete rolled applied")),
    _AppSign("a change that was merged", 1, DID, words_in("merged merge")),
    _AppSign("a build", -1, None, words_in("pipeline build tests ci checks")),
)  # fmt: skip
"""What apps write, the first row that fits; alerts come after these, as whether one is news depends on the last one."""


@dataclass(slots=True)
class _Alerts:
    """When the last alert of the conversation came, and whether it was over since."""

    last_at: datetime | None = None
    over: bool = False

    def read(self, at: datetime, words: frozenset[str]) -> tuple[str, int, str | None]:
        """Why, points and kind of an alert."""
        if words & _ALERT_OVER and not words & _FIRING:
            self.over = True
            return "an alert that is over", 0, None
        if words & _HANDLED and not words & _FIRING:
            return "who handles an alert", 0, None
        if not words & _ALERT:
            return "an app's notice", 0, None
        news = self.last_at is None or self.over or at - self.last_at > NEWS_AFTER
        self.last_at, self.over = at, False
        return ("an alert", 3, DETECTED) if news else ("one more alert", 0, None)


def propose(
    messages: Iterable[ChatMessage],
    *,
    entry_of: Callable[[ChatMessage], tuple[int, bool] | None] = lambda _message: None,
    milestones: Collection[str] = (),
) -> list[Proposal]:
    """A proposal for each message, in the order in which they were said.

    `entry_of` tells the entry that a message is already, and whether that was taken back. `milestones` are the kinds of
    milestone that the incident has: a second detection or resolution is proposed as a note.
    """
    alerts, proposals = _Alerts(), []
    for number, message in enumerate(sorted(messages, key=lambda each: each.at)):
        taken = entry_of(message)
        found = list(_reasons(message, alerts))
        if taken is not None:
            why = f"taken back as entry {taken[0]}" if taken[1] else f"entry {taken[0]} already"
            found.insert(0, Reason(why, 0))
        best = max((each for each in found if each.kind), key=lambda each: each.points, default=None)
        proposals.append(
            Proposal(
                number=number,
                message=message,
                kind=best.kind if best and best.kind else NOTE,
                reasons=tuple(dict.fromkeys(each.why for each in found)),
                ticked=taken is None and sum(each.points for each in found) >= TICKED,
                entry=taken[0] if taken else None,
                taken_back=bool(taken and taken[1]),
            )
        )
    return list(_once(proposals, milestones))


def _once(proposals: Sequence[Proposal], there: Collection[str]) -> Iterator[Proposal]:
    """The proposals with one detection, the first, and one resolution, the last before it came back or the end."""
    detected, resolved = DETECTED in there, RESOLVED in there
    rounds, last = set[int](), None
    for each in proposals:
        if each.ticked and each.kind == RESOLVED:
            last = each.number
        elif each.ticked and each.kind == REOPENED and last is not None:
            rounds.add(last)
            last = None
    rounds |= {last} if last is not None else set()
    for each in proposals:
        kind = each.kind
        if kind == DETECTED and each.ticked:
            kind, detected = (NOTE if detected else DETECTED), True
        elif kind == RESOLVED and each.ticked:
            kind = NOTE if resolved else RESOLVED if each.number in rounds else MITIGATED
        yield each if kind == each.kind else replace(each, kind=kind)


def _reasons(message: ChatMessage, alerts: _Alerts) -> Iterator[Reason]:
    """The signs that the message shows."""
    if message.own:
        yield Reason("Scribe's own message", -9)
        return
    if message.event:
        yield Reason("says what happened in the channel", -9)
        return
    if secrets_in(message.text):
        yield Reason("may hold a secret", -9)
    links = _LINK.findall(message.text[:MOST_READ])
    said = _LINK.sub(" ", message.text[:MOST_READ])
    if message.by_app:
        yield _of_app(message, frozenset(tokens_in(said)), alerts)
    else:
        yield from signs_of(said)
    people = sum(count for name, count in message.reactions.items() if name not in _LAUGHS)
    if any(name in _PINS for name in message.reactions):
        yield Reason("marked with a pin", 2)
    if people >= _MANY:
        yield Reason(f"{people} people reacted", 1)
    if any(_DASHBOARD.search(link.lower()) for link in links):
        yield Reason("link to a dashboard", 1)
    elif any(_CHANGE.search(link.lower()) for link in links):
        yield Reason("link to a change or a ticket", 1)
    if message.files:
        yield Reason("has a file", 1)


def _of_app(message: ChatMessage, words: frozenset[str], alerts: _Alerts) -> Reason:
    name = message.author.lower()
    words |= frozenset(part for word in words for part in _PARTS.split(word))
    for row in _APP_SIGNS:
        if row.name in name and words & row.words and (not row.also or words & row.also):
            return Reason(row.why, row.points, row.kind)
    if _NO_ALERTS.search(name):
        return Reason("an app's notice", 0)
    return Reason(*alerts.read(message.at, words))
