"""Frozen values returned by the store: plain data, standard library only.

Instants end in `_at` and are aware UTC in whole milliseconds; dates end in `_on`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

PENDING = frozenset({"proposed", "open"})
"""The states of an action item that is still to be done."""
BOT = "bot"
"""The value of `Member.barred` for a member that is a program."""
MEMBER, GUEST, ONE_CHANNEL_GUEST = "member", "guest", "guest of one"
"""The values of `Member.role`: a full member of the workspace or its organisation, a guest of several channels or one.
"""
OUTSIDE, UNKNOWN = "outside", "unknown"
"""Standings of a person who belongs to another organisation, and of one whom Slack has not described."""
MESSAGE_EDITED, MESSAGE_DELETED, MESSAGE_UNPINNED = "edited", "deleted", "unpinned"
"""The values of `TimelineEntry.message_state`."""
CANCELLED, DUPLICATE, MERGED, MISTAKEN = "cancelled", "duplicate", "merged", "mistaken"
"""How an incident is closed that was none, or was another one. The entries of a duplicate stay with it; those of a
merged and of a mistaken one were moved. A mistaken one was declared where the earlier one should have been reopened.
"""
ALERT, CHANGE = "alert", "change"
"""The kinds of signals; each is also the kind of the timeline entry that it becomes."""
FROM_SOURCE = "source"
"""In place of a person's id, and as an entry's source: a source outside of Slack told it."""
BACKFILL = "backfill"
"""The source of an entry that was taken in afterwards, out of a conversation or a chronology."""
LATE_AFTER = timedelta(seconds=60)
"""An entry recorded at least this long after its event is marked late."""


def whole_milliseconds(moment: datetime) -> datetime:
    """The aware instant in UTC, truncated to milliseconds, so that a value is equal before and after storing it."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One incident of one workspace. `open` is False once it is resolved or closed, and not reopened since.

    `lead` and `declared_by` are names, as they are now where there is an id. A closed incident is in no count, reminder
    or list of open ones. `closed_as` is one of the four constants above, None for an incident that counts; `closed_why`
    says why in words, and `same_as_id` is the incident that it was. `title_entry_number` is the entry whose
    words its first title follows, None for a title set by hand. `severity`, `lead` and `title` are the last ones,
    `first_severity` is that of the declaration, None where it had none or it is not on record. `happened_at` is when it
    began, as far as its entries say, else when it was declared: lists and reports go by it.
    """

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
    declared_by_id: str | None = None
    closed_as: str | None = None
    closed_why: str | None = None
    same_as_id: int | None = None
    title_entry_number: int | None = None
    first_severity: str | None = None
    highest_severity: str | None = None
    happened_at: datetime | None = None

    @property
    def began_at(self) -> datetime:
        """When it happened; for a value made by hand without that, when it was declared."""
        return self.happened_at or self.declared_at

    @property
    def severity_told(self) -> str | None:
        """The highest severity, and the last one where that is another: `SEV1, now SEV3`."""
        if self.severity == (self.highest_severity or self.severity):
            return self.severity
        return f"{self.highest_severity}, now {self.severity}" if self.severity else self.highest_severity

    @property
    def name(self) -> str:
        """Its name in commands and messages: `INC-12`."""
        return f"INC-{self.number}"

    @property
    def merged(self) -> bool:
        """Whether its entries and items were moved to the incident `same_as_id`."""
        return self.closed_as in {MERGED, MISTAKEN}

    @property
    def state(self) -> str:
        """`open`, `resolved`, `cancelled` or `duplicate`."""
        if self.closed_as is not None:
            return CANCELLED if self.closed_as == CANCELLED else DUPLICATE
        return "open" if self.open else "resolved"

    @property
    def standing(self) -> str:
        """The state, with the reason where it is closed: `cancelled: false alarm`."""
        return f"{self.state}: {self.closed_why}" if self.closed_as and self.closed_why else self.state


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One line of the timeline after its last revision.

    `author` is the name, as it is now, of the person whose words these are; `recorded_by_id` put them on the timeline.
    `people` are the user ids behind the `@name`s in the text.
    `qualifier` is a keyword that the grammar removed from the words: who detected, a lesson's side, a cause's factor.
    `revisions` counts edits, retimings and retractions. `message_state` is what became of the message it was made from
    since: MESSAGE_EDITED, MESSAGE_DELETED, MESSAGE_UNPINNED; None for none of them. `approximate`: the time was called
    so. `until_at` is the end of what took a while. `next_at` is when an update promised the next one.
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
    people: Mapping[str, str] = field(default_factory=dict, compare=False)
    message_state: str | None = None
    approximate: bool = False
    until_at: datetime | None = None
    next_at: datetime | None = None

    @property
    def late(self) -> bool:
        """Whether it was recorded LATE_AFTER or more after it happened."""
        return self.recorded_at - self.occurred_at >= LATE_AFTER

    @property
    def backfilled(self) -> bool:
        """Whether it was taken in afterwards, out of a conversation or a chronology."""
        return self.source == BACKFILL


FILES_SUFFIX = ".files"
"""Beside `scribe.db` the bytes of files are in `scribe.db.files`, and beside a copy in a folder of that name, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFile:
    """A file of the message that the entry of that number was made from, whose bytes are kept under `sha256`.

    `name` is Slack's, `kind` says what the bytes are (`png`, `pdf`), `size` counts them. `permalink` is its page in
    Slack.
    """

    entry_number: int
    name: str
    kind: str
    size: int
    sha256: str
    permalink: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSeries:
    """One line of a graph: its labels, and a value for each step, None where there is none."""

    labels: Mapping[str, str]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryGraph:
    """The figures of the query that the note of that number asks for, every `step_s` seconds from `start_at` on.

    `left_out` counts the lines beyond those that are kept.
    """

    entry_number: int
    query: str
    start_at: datetime
    step_s: int
    series: tuple[GraphSeries, ...]
    left_out: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionItem:
    """Work that follows from an incident. `owner` is a name, with `owner_id` when it is a Slack user.

    `kind` is `short-term`, `long-term` or not known yet. `state` is `proposed`, `open`, `done` or `dropped`.
    `done_when` is the criterion of completion, `ticket` a web address. `people` are the user ids behind the `@name`s in
    the text.

    `look_again_on` is the day from which its owner is asked whether it worked, None until it is done. `worked` is the
    last answer, None before one; `worked_why` its words, `worked_by` and `worked_at` who gave it and when.
    `accepted_at` is when its present owner said that they take it.
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
    look_again_on: date | None = None
    worked: bool | None = None
    worked_why: str | None = None
    worked_by: str | None = None
    worked_by_id: str | None = None
    worked_at: datetime | None = None
    accepted_at: datetime | None = None
    people: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def pending(self) -> bool:
        """Whether it is still to be done: proposed or open."""
        return self.state in PENDING


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """What a source outside of Slack told once: an alert, which lasts until `ended_at`, or a change, which does not.

    `kind` is ALERT or CHANGE. With the same `source`, `fingerprint` and `occurred_at` it is the same one; with `once`
    whatever its time is. `title` is what it is called, `text` says more, `link` leads to it; `service` is what it is
    about, where the source says so. An alert that has not `fired` was only told to be over. `id` is that of its row, 0
    before it is stored.
    """

    source: str
    kind: str
    fingerprint: str
    title: str
    occurred_at: datetime
    ended_at: datetime | None = None
    fired: bool = True
    once: bool = False
    text: str = ""
    service: str | None = None
    link: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminder:
    """A reminder of one action item or postmortem to one recipient, with everything that decides when it is sent.

    `recipient_id` is the id of a user or a channel. `kind` is `item`, `escalation`, `worked` or `postmortem`; the last
    belongs to an incident and has no item. `due_at` is the next time it is evaluated, None for never; `told_on` is the
    day, in the recipient's time zone, of the last digest that it called for. `handed_on` is the last day on which its
    reader heard of the item otherwise, by a hand-over or an act of their own. `times` counts the digests that listed
    it. `snoozed_until` is the lead's snooze of an escalation, apart from the owner's, which the item has. Intervals
    count from `since_at`: when the item was recorded or the incident resolved. `published` is whether the incident's
    postmortem is.
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
    handed_on: date | None = None
    snoozed_until: date | None = None
    times: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderSchedule:
    """The schedule of one recipient; `told_on` is the day of their last digest, `bundled_on` that of their last bundle.

    A bundle is the one digest a week that is about what is a week overdue or waits for a decision.
    """

    workspace_id: str
    recipient_id: str
    told_on: date | None
    bundled_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When a person wants their reminders, on their own clock.

    `days` are weekdays, Monday 0, none for every workday; `at` is the time, None for the default. Before `off_until`
    there are none, with `muted` there are none at all.
    """

    days: tuple[int, ...] = ()
    at: time | None = None
    off_until: date | None = None
    muted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """A change of an item that a person or a channel, the recipient, is to be told of, or was.

    `kind` is one of the constants of `bot.domain.items.handover`, `by_id` the user who made the change; for who left,
    that user. `held`, `state` and `due_on` are what it was before the change: whether it was the recipient's, its state
    (None for a new one) and its date. `due_at` is not before when to tell it, None once that is settled; `told_on` the
    day of the recipient's calendar on which they were told, None before and where there was nothing to say.
    """

    id: int
    recipient_id: str
    kind: str
    by_id: str
    held: bool
    state: str | None
    due_on: date | None
    recorded_at: datetime
    due_at: datetime | None
    told_on: date | None
    incident: Incident
    item: ActionItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member of a workspace, by Slack's last answer. `timezone` is an IANA name, if Slack gave one.

    `barred` is the reason why they cannot own anything: `deactivated`, `bot`, `outside` (of another workspace),
    `unknown` (whose name is the id), or `group` and `channel`, which are no people. `role` is MEMBER or a kind of
    guest; None until Slack has told it.
    """

    workspace_id: str
    user_id: str
    name: str
    timezone: str | None
    barred: str | None = None
    role: str | None = None

    @property
    def standing(self) -> str:
        """What decides what they may see: MEMBER, a kind of guest, the reason why they are barred, or UNKNOWN."""
        return self.barred or self.role or UNKNOWN

    @property
    def known_name(self) -> str | None:
        """The name; None where Slack knows nobody of that id."""
        return None if self.name == self.user_id else self.name


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
    `names` are those that the template printed, by user id.
    """

    template: str
    version: int
    sections: tuple[Section, ...]
    drafted_at: datetime
    drafted_by: str
    origin: str = "draft"
    drafted_by_id: str | None = None
    names: Mapping[str, str] = field(default_factory=dict, compare=False)

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
    """The columns of an incident that a report needs. `severity` is the highest that it had."""

    id: int
    severity: str | None
    happened_at: datetime
    open: bool


class ToldCause(NamedTuple):
    """The columns of a cause that a report needs: its incident, and the words and the factor of the entry."""

    number: int
    channel_id: str
    text: str
    qualifier: str | None


class Milestone(NamedTuple):
    """The columns of a timeline entry that the lifecycle needs; a named tuple, as thousands are read at once."""

    incident_id: int
    number: int
    kind: str
    occurred_at: datetime
    qualifier: str | None
    approximate: bool = False
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
    channel is unknown, so the item's words may be shown in that channel only. The title is None where the owner may see
    nothing of the incident but the item. `document` is where the postmortem is published.
    """

    incident_id: int
    incident_number: int
    incident_title: str | None
    number: int
    text: str
    kind: str | None
    due_on: date | None
    state: str
    snoozed_until: date | None
    ticket: str | None
    channel_id: str
    visible: bool
    document: Publication | None = None


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
