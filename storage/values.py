"""The frozen values the store hands out: plain data, standard library only.

Instants end in `_at` and are aware UTC in whole milliseconds; dates end in `_on`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

PENDING = frozenset({"proposed", "open"})
"""The states of an action item that is still to be done."""
BOT = "bot"
"""Why nothing can be theirs: a member that is a program."""
LATE_AFTER = timedelta(seconds=60)
"""An entry typed at least this long after what it tells of is a late entry."""


def whole_milliseconds(moment: datetime) -> datetime:
    """The aware instant `moment` in UTC, cut to the millisecond: the precision every store keeps."""
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
        """What people call it: `INC-12`."""
        return f"INC-{self.number}"

    def seen_from(self, channel_id: str) -> bool:
        """Whether it may be shown in that channel: a private one in its own alone."""
        return not self.private or self.channel_id == channel_id


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line of the timeline as it stands after its last revision.

    `author` is the display name of whose words these are; `recorded_by_id` is who put them on the timeline.
    `qualifier` is what the grammar took off the words: who detected, a lesson's side, a cause's factor.
    `revisions` counts the edits, retimings and retractions since the entry was recorded.
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
        """Whether it was typed noticeably after it happened."""
        return self.recorded_at - self.occurred_at >= LATE_AFTER


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionItem:
    """Something to be done after an incident. `owner` is a name, with `owner_id` when it is a Slack user.

    `kind` is `short-term`, `long-term` or not known yet. `state` is `proposed`, `open`, `done` or `dropped`.
    `done_when` says how one will know that it is done, `ticket` is a web address.
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
    """What somebody will be told, with all that decides when.

    `recipient_id` is a user's id or a channel's. `kind` is `item`, `escalation` or `postmortem`; the last is of an
    incident and has no item. `due_at` is the next time it is looked at, None for never again; `told_on` is the day of
    the recipient's calendar on which it was last told. It counts from `since_at`: when the item was recorded, or the
    incident resolved. `published` is whether the postmortem is.
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
    """One recipient's reminders: when to look at them next, and the day of the last digest."""

    workspace_id: str
    recipient_id: str
    told_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person of a workspace as Slack tells of them. `timezone` is an IANA name, when Slack gave one.

    `barred` says why nothing can be theirs: `deactivated`, `bot`, `outside` (of another workspace), `unknown`.
    """

    workspace_id: str
    user_id: str
    name: str
    timezone: str | None
    barred: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One section of a postmortem: `body` is Markdown, `edited` says whether a person has changed it.

    Of an edited one, `drafted` is the body as the template last wrote it, None where no template did, and
    `drafted_heading` the template's heading, where a person has put another in its place.
    """

    key: str
    heading: str
    body: str
    edited: bool = False
    drafted: str | None = None
    drafted_heading: str | None = None

    @property
    def base(self) -> str:
        """What the template wrote there, and what therefore may give way to what it writes next."""
        return (self.drafted or "") if self.edited else self.body

    @property
    def removed(self) -> bool:
        """Whether a person took it out; it stays known, so that no draft brings it back."""
        return self.edited and not self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Postmortem:
    """One version of an incident's postmortem.

    `origin` says what made it, `draft`, `edit` or `import`; `drafted_at` and `drafted_by` when, and who asked for it.
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
    """Where a postmortem was published: `location` is the target's own name for the place, `version` what it holds."""

    target: str
    location: str
    version: int
    published_at: datetime
    published_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredIncident:
    """As much of an incident as a report counts."""

    id: int
    severity: str | None
    declared_at: datetime
    open: bool


class Milestone(NamedTuple):
    """As much of a standing timeline entry as its incident's lifecycle looks at; a report reads thousands of them."""

    incident_id: int
    number: int
    kind: str
    occurred_at: datetime
    qualifier: str | None
    retracted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOutcome:
    """As much of an action item as a report counts. `zone` is its incident's; `done_at` is None unless it is done."""

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
    """A resolved incident whose postmortem stands nowhere yet. `version` is the newest draft's, 0 without one."""

    number: int
    title: str
    severity: str | None
    resolved_at: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitee:
    """Somebody invited to a review, by the name they go by."""

    user_id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One plan for the meeting about an incident's postmortem; the one of the highest `sequence` stands.

    `timezone` is where its clock time was meant: an IANA name, or a distance such as `UTC+5:30` or `CET UTC+1`.
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
        """The instant it is over, UTC."""
        return self.starts_at + timedelta(seconds=self.duration_s)
