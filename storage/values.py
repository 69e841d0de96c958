"""Frozen values returned by the store: plain data, standard library only.

Instants end in `_at` and are aware UTC in whole milliseconds; dates end in `_on`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

PENDING = frozenset({"proposed", "open"})
"""The states of an action item that is still to be done."""
BOT = "bot"
"""The value of `Member.barred` for a member that is a program."""
LATE_AFTER = timedelta(seconds=60)
"""An entry recorded at least this long after its event is marked late."""


def whole_milliseconds(moment: datetime) -> datetime:
    """The aware instant in UTC, truncated to milliseconds, so that a value is equal before and after storing it."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident of one workspace. `open` is False once it is resolved and not reopened since."""

    id: int
    workspace_id: str
    number: int
    channel_id: str
    channel_name: str
    title: str
    severity: str | None
    lead: str | None
    lead_id: str | None
    declared_at: datetime
    declared_by: str
    timezone: str
    private: bool
    open: bool

    @property
    def name(self) -> str:
        """Its name in commands and messages: `INC-12`."""
        return f"INC-{self.number}"

    def seen_from(self, channel_id: str) -> bool:
        """Whether it may be shown in that channel: a private incident only in its own."""
        return not self.private or self.channel_id == channel_id


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line of the timeline after its last revision.

    `author` is the display name of the person whose words these are; `recorded_by_id` put them on the timeline.
    `qualifier` is a keyword that the grammar removed from the words: who detected, a lesson's side, a cause's factor.
    `revisions` counts edits, retimings and retractions.
    """

    id: int
    number: int
    kind: str
    occurred_at: datetime
    recorded_at: datetime
    author: str
    author_id: str
    recorded_by_id: str
    text: str
    qualifier: str | None
    source: str
    permalink: str | None
    retracted: bool
    revisions: int

    @property
    def late(self) -> bool:
        """Whether it was recorded LATE_AFTER or more after it happened."""
        return self.recorded_at - self.occurred_at >= LATE_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionItem:
    """Work that follows from an incident. `owner` is a name, with `owner_id` when it is a Slack user.

    `kind` is `short-term`, `long-term` or not known yet. `state` is `proposed`, `open`, `done` or `dropped`.
    `done_when` is the criterion of completion, `ticket` a web address.
    """

    id: int
    number: int
    text: str
    owner: str | None
    owner_id: str | None
    kind: str | None
    due_on: date | None
    state: str
    snoozed_until: date | None
    reason: str | None
    priority: str | None = None
    done_when: str | None = None
    ticket: str | None = None

    @property
    def pending(self) -> bool:
        """Whether it is still to be done: proposed or open."""
        return self.state in PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A reminder of one action item or postmortem to one recipient, with everything that decides when it is sent.

    `recipient_id` is the id of a user or a channel. `kind` is `item`, `escalation` or `postmortem`; the last belongs to
    an incident and has no item. `due_at` is the next time it is evaluated, None for never; `told_on` is the day, in the
    recipient's time zone, of the last digest that held it. Intervals count from `since_at`: when the item was recorded
    or the incident resolved. `published` is whether the incident's postmortem is.
    """

    id: int
    kind: str
    recipient_id: str
    due_at: datetime | None
    told_on: date | None
    incident: Incident
    item: ActionItem | None
    since_at: datetime
    published: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderSchedule:
    """The schedule of one recipient; `told_on` is the day of their last digest."""

    workspace_id: str
    recipient_id: str
    told_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a workspace, by Slack's last answer. `timezone` is an IANA name, if Slack gave one.

    `barred` is the reason why they cannot own anything: `deactivated`, `bot`, `outside` (of another workspace) or
    `unknown`.
    """

    workspace_id: str
    user_id: str
    name: str
    timezone: str | None
    barred: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section of a postmortem. `body` is Markdown; `edited` is True once a person has changed it.

    For an edited section, `drafted` is the body that the template last rendered, None where no template did, and
    `drafted_heading` the template's heading if a person replaced it.
    """

    key: str
    heading: str
    body: str
    edited: bool = False
    drafted: str | None = None
    drafted_heading: str | None = None

    @property
    def base(self) -> str:
        """The body by the template: the common ancestor when the next draft is merged with a person's changes."""
        return (self.drafted or "") if self.edited else self.body

    @property
    def removed(self) -> bool:
        """Whether a person removed it. The section stays stored, so that the next draft does not add it again."""
        return self.edited and not self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmortem:
    """One version of an incident's postmortem.

    `origin` is `draft`, `edit` or `import`; `drafted_at` and `drafted_by` are when and by whom the version was made.
    """

    template: str
    version: int
    sections: tuple[Section, ...]
    drafted_at: datetime
    drafted_by: str
    origin: str = "draft"

    @property
    def shown(self) -> tuple[Section, ...]:
        """The sections that are not removed."""
        return tuple(section for section in self.sections if not section.removed)

    def section(self, key: str) -> Section | None:
        """The section of that key, removed or not."""
        return next((section for section in self.sections if section.key == key), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A place where a postmortem is published, in the notation of its target; `version` is the version there."""

    target: str
    location: str
    version: int
    published_at: datetime
    published_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredIncident:
    """The columns of an incident that a report needs."""

    id: int
    severity: str | None
    declared_at: datetime
    open: bool


class Milestone(NamedTuple):
    """The columns of a timeline entry that the lifecycle needs; a named tuple, as a report reads thousands."""

    incident_id: int
    number: int
    kind: str
    occurred_at: datetime
    qualifier: str | None
    retracted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOutcome:
    """The columns of an action item that a report needs. `zone` is its incident's; `done_at` is None unless done."""

    owner: str | None
    owner_id: str | None
    due_on: date | None
    state: str
    done_at: datetime | None
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnItem:
    """An open action item of one person, and the incident it came from.

    `visible` is False for a private incident in which its owner has no recorded part: whether the owner is in its
    channel is unknown, so the item's words may be shown in that channel only.
    """

    incident_number: int
    incident_title: str
    number: int
    text: str
    kind: str | None
    due_on: date | None
    snoozed_until: date | None
    channel_id: str
    visible: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpublished:
    """A resolved incident whose postmortem is not published. `version` is that of the newest draft, 0 without one."""

    number: int
    title: str
    severity: str | None
    resolved_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitee:
    """A person invited to a review, with their display name."""

    user_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One plan of the meeting about an incident's postmortem; the one with the highest `sequence` is in effect.

    `timezone` is the zone in which the time was typed: an IANA name, or a distance such as `UTC+5:30` or `CET UTC+1`.
    """

    sequence: int
    starts_at: datetime
    duration_s: int
    timezone: str
    cancelled: bool
    people: tuple[Invitee, ...]
    planned_at: datetime
    planned_by_id: str

    @property
    def ends_at(self) -> datetime:
        """The end as a UTC instant."""
        return self.starts_at + timedelta(seconds=self.duration_s)
