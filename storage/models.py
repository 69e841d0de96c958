"""The tables.

Each row belongs to a workspace, by its own column or through its incident. Timeline entries are append-only: a change
is a new row of `entry_revisions`, of which the last one is in effect, and nothing is overwritten, except by an erasure
(see `storage.erasure`). Action items do the same with `action_item_revisions`.
"""

from sqlalchemy import (
    DDL,
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    event,
    false,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

from storage.dialects import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    # Only a column declared INTEGER PRIMARY KEY is SQLite's row id: https://sqlite.org/lang_createtable.html#rowid
    return Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True)


def _people() -> Column[dict[str, str]]:
    # The user ids behind the @names in a row's text, by name; NULL where none was linked.
    return Column("people", JSON(none_as_null=True))


def _of_incident() -> Column[int]:
    return Column("incident_id", ForeignKey("incidents.id"), nullable=False)


workspaces = Table(
    "workspaces",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("last_incident_number", Integer, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    Column("user_id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("timezone", String(64)),
    Column("barred", String(16)),
    Column("role", String(16)),
    # When it was noticed that they left, until their open items are handed to somebody who decides about them.
    Column("left_at", Instant),
    Column("fetched_at", Instant, nullable=False),
    Index(None, "left_at", sqlite_where=text("left_at IS NOT NULL"), postgresql_where=text("left_at IS NOT NULL")),
)

member_listings = Table(
    "member_listings",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    Column("cursor", Text, nullable=False),
    Column("begun_at", Instant, nullable=False),
)

OPEN = "open"
"""The WHERE clause of the partial index of open incidents; literal as for UNSENT."""
LED = "lead_id IS NOT NULL"
"""The WHERE clause of the partial index of incidents by their lead."""
STALE = "stale"
"""The WHERE clause of the partial index of stale incidents; a query must contain it literally."""
UNINDEXED = "unindexed"
"""The WHERE clause of the partial index of incidents with words that are not indexed; literal as for UNSENT."""
PAST = "state <> 'live'"
"""The WHERE clause of the partial index of digests that will be deleted; literal as for UNSENT."""
TOLD = "due_at IS NULL"
"""The WHERE clause of the partial index of hand-overs that will be deleted; literal as for UNSENT."""
RESOLVES = "kind = 'resolved'"
"""The WHERE clause of the partial index of resolutions; literal as for UNSENT."""

incidents = Table(
    "incidents",
    metadata,
    _id(),
    Column("workspace_id", String(64), ForeignKey("workspaces.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("channel_id", String(64), nullable=False),
    Column("channel_name", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("first_title", Text),
    Column("title_entry_number", Integer),
    Column("severity", String(8)),
    Column("first_severity", String(8)),
    Column("highest_severity", String(8)),
    Column("lead", Text),
    Column("lead_id", String(64)),
    Column("declared_at", Instant, nullable=False),
    # NULL in a row that a replica of an older release has just declared; the next entry fills it in.
    Column("happened_at", Instant),
    Column("declared_by", Text, nullable=False),
    Column("declared_by_id", String(64)),
    Column("timezone", String(64), nullable=False),
    Column("private", Boolean, nullable=False),
    Column("open", Boolean, nullable=False),
    Column("closed_as", String(16)),
    Column("closed_why", Text),
    Column("same_as_id", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("incidents.id")),
    Column("last_entry_number", Integer, nullable=False),
    Column("last_item_number", Integer, nullable=False),
    Column("erasures", Integer, nullable=False, server_default="0"),
    # Something changed that a live message may show, since one was last edited.
    Column("stale", Boolean, nullable=False, server_default=false()),
    # How far the index of words goes: see `storage.search.index`. Below 0 it does not have the title either.
    Column("indexed_entries", Integer, nullable=False, server_default="-1"),
    Column("indexed_items", Integer, nullable=False, server_default="0"),
    Column("indexed_version", Integer, nullable=False, server_default="0"),
    Column("unindexed", Boolean, nullable=False, server_default=true()),
    UniqueConstraint("workspace_id", "number"),
    Index(None, "workspace_id", "channel_id", "number"),
    Index(None, "workspace_id", "happened_at"),
    Index(None, "workspace_id", "channel_id", "happened_at", "number"),
    Index(None, "workspace_id", "lead_id", sqlite_where=text(LED), postgresql_where=text(LED)),
    # Named for what they hold: the few that are open, which a tick looks through, a channel has, and a list shows.
    Index("ix_incidents_open", "id", sqlite_where=text(OPEN), postgresql_where=text(OPEN)),
    Index(
        "ix_incidents_open_in", "workspace_id", "channel_id", "number",
        sqlite_where=text(OPEN), postgresql_where=text(OPEN),
    ),
    Index(
        "ix_incidents_open_since", "workspace_id", "happened_at", "number",
        sqlite_where=text(OPEN), postgresql_where=text(OPEN),
    ),
    Index(None, "workspace_id", "stale", sqlite_where=text(STALE), postgresql_where=text(STALE)),
    Index("ix_incidents_unindexed", "id", sqlite_where=text(UNINDEXED), postgresql_where=text(UNINDEXED)),
)  # fmt: skip

nudges = Table(
    "nudges",
    metadata,
    _id(),
    _of_incident(),
    # When to look whether a promised update has come; the timeline says whether one is promised, and for when.
    Column("due_at", Instant),
    # The promise that the channel was reminded of, by its time; the last entry before the silence it was asked about.
    Column("told_at", Instant),
    Column("silent_since", Integer),
    # When somebody last said that they are still working on it.
    Column("heard_at", Instant),
    UniqueConstraint("incident_id"),
    Index(None, "due_at", sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")),
)

incident_channels = Table(
    "incident_channels",
    metadata,
    _id(),
    _of_incident(),
    Column("workspace_id", String(64), nullable=False),
    # Where it was before, and where it goes on; NULL while the channel is being made.
    Column("old_channel_id", String(64), nullable=False),
    Column("channel_id", String(64)),
    Column("name", String(80), nullable=False),
    Column("asked_by_id", String(64), nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("moved_at", Instant),
    Column("archived_at", Instant),
    UniqueConstraint("incident_id"),
    Index(None, "workspace_id", "old_channel_id"),
)

incident_changes = Table(
    "incident_changes",
    metadata,
    _id(),
    _of_incident(),
    Column("field", String(16), nullable=False),
    Column("value", Text),
    Column("changed_at", Instant, nullable=False),
    Column("changed_by", Text, nullable=False),
    Index(None, "incident_id"),
)

incident_figures = Table(
    "incident_figures",
    metadata,
    _id(),
    _of_incident(),
    # What they were counted from: so many entries and revisions, by these rules. Where these differ they are void.
    Column("entries", Integer, nullable=False),
    Column("revisions", Integer, nullable=False),
    Column("rules", Integer, nullable=False),
    Column("figures", JSON, nullable=False),
    UniqueConstraint("incident_id"),
)

timeline_entries = Table(
    "timeline_entries",
    metadata,
    _id(),
    _of_incident(),
    Column("number", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("author", Text, nullable=False),
    Column("author_id", String(64), nullable=False),
    Column("recorded_by_id", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("qualifier", String(16)),
    Column("source", String(16), nullable=False),
    Column("permalink", Text),
    _people(),
    Column("approximate", Boolean, nullable=False, server_default=false()),
    Column("until_at", Instant),
    Column("next_at", Instant),
    UniqueConstraint("incident_id", "number"),
    Index(
        None, "permalink", sqlite_where=text("permalink IS NOT NULL"), postgresql_where=text("permalink IS NOT NULL")
    ),
    Index(
        None, "incident_id", "permalink",
        sqlite_where=text("permalink IS NOT NULL"), postgresql_where=text("permalink IS NOT NULL"),
    ),
    Index(None, "incident_id", "occurred_at", "number"),
    Index(None, "incident_id", "kind", "occurred_at", "number"),
    Index(None, "incident_id", "recorded_by_id", "number"),
    # Named for what it holds: who resolved what, which incident it ever was.
    Index(
        "ix_timeline_entries_resolved", "recorded_by_id", "incident_id",
        sqlite_where=text(RESOLVES), postgresql_where=text(RESOLVES),
    ),
    # Of the few with another person's words, by whose they are.
    Index(
        "ix_timeline_entries_of_another", "incident_id", "author_id", "number",
        sqlite_where=text("author_id <> recorded_by_id"), postgresql_where=text("author_id <> recorded_by_id"),
    ),
)  # fmt: skip

revised_entries = Table(
    "revised_entries",
    metadata,
    # Where the entries that have revisions stand, so that the timeline is read in order, a page at a time: the others
    # stand where they were recorded. Derived from the last revision, and so written again with each.
    _id(),
    Column("entry_id", ForeignKey("timeline_entries.id"), nullable=False),
    _of_incident(),
    Column("number", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    # NULL for one that was taken back.
    Column("stands_at", Instant),
    UniqueConstraint("entry_id"),
    Index(None, "incident_id", "stands_at", "number"),
    Index(None, "incident_id", "kind", "stands_at", "number"),
)

entry_revisions = Table(
    "entry_revisions",
    metadata,
    _id(),
    Column("entry_id", ForeignKey("timeline_entries.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("text", Text, nullable=False),
    Column("qualifier", String(16)),
    Column("retracted", Boolean, nullable=False),
    _people(),
    Column("revised_at", Instant, nullable=False),
    Column("revised_by_id", String(64), nullable=False),
    Column("message_state", String(16)),
    Column("approximate", Boolean, nullable=False, server_default=false()),
    Column("until_at", Instant),
    Column("next_at", Instant),
    UniqueConstraint("entry_id", "number"),
)

entry_files = Table(
    "entry_files",
    metadata,
    _id(),
    Column("entry_id", ForeignKey("timeline_entries.id"), nullable=False),
    # Slack's; what is known of it beyond that, where it is kept.
    Column("file_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", String(16)),
    Column("size", BigInteger),
    Column("sha256", String(64)),
    Column("permalink", Text),
    Column("problem", String(64)),
    Column("added_at", Instant, nullable=False),
    UniqueConstraint("entry_id", "file_id"),
    Index(None, "sha256"),
)

entry_graphs = Table(
    "entry_graphs",
    metadata,
    _id(),
    Column("entry_id", ForeignKey("timeline_entries.id"), nullable=False, unique=True),
    Column("query", Text, nullable=False),
    Column("figures", JSON),
    Column("problem", String(64)),
    Column("added_at", Instant, nullable=False),
)

FRESH = "fresh"
"""The WHERE clause of the partial index of signals that were not looked at yet; literal as for UNSENT."""
PENDING_SIGNAL = "state = 'pending'"
"""The WHERE clause of the partial index of signals that no incident has yet; literal as for UNSENT."""

FIRING = "ended_at IS NULL"
"""The WHERE clause of the partial index of alerts that are not over; literal as for UNSENT."""

signals = Table(
    "signals",
    metadata,
    _id(),
    Column("workspace_id", String(64), nullable=False),
    # Of the address that it came to; `*` for a change that may concern any channel's incident.
    Column("channel_id", String(64), nullable=False),
    Column("source", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    # Hashes: of source and fingerprint, by which its end is known, and of these and the start, by which a repeat is.
    Column("identity", String(64), nullable=False),
    Column("key", String(64), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("service", Text),
    Column("link", Text),
    Column("labels", JSON, nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("fired", Boolean, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("repeats", Integer, nullable=False),
    # Something about it is new since it was last looked at.
    Column("fresh", Boolean, nullable=False),
    Column("state", String(16), nullable=False),
    # When its channel was asked whether it is an incident.
    Column("asked_at", Instant),
    Column("incident_id", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("incidents.id")),
    Column("entry_id", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("timeline_entries.id")),
    # When it was written on its entry.
    Column("told_at", Instant),
    UniqueConstraint("workspace_id", "channel_id", "key"),
    Index(
        "ix_signals_fresh",
        "workspace_id",
        "channel_id",
        sqlite_where=text(FRESH),
        postgresql_where=text(FRESH),
    ),
    Index(
        "ix_signals_pending",
        "workspace_id",
        "channel_id",
        "occurred_at",
        sqlite_where=text(PENDING_SIGNAL),
        postgresql_where=text(PENDING_SIGNAL),
    ),
    Index(
        "ix_signals_firing",
        "workspace_id",
        "channel_id",
        "identity",
        sqlite_where=text(FIRING),
        postgresql_where=text(FIRING),
    ),
    Index(None, "incident_id"),
    Index(None, "entry_id"),
    Index(None, "received_at"),
)

action_items = Table(
    "action_items",
    metadata,
    _id(),
    _of_incident(),
    Column("number", Integer, nullable=False),
    Column("text", Text, nullable=False),
    Column("kind", String(16)),
    Column("priority", String(16)),
    Column("done_when", Text),
    Column("recorded_at", Instant, nullable=False),
    Column("recorded_by_id", String(64), nullable=False),
    _people(),
    UniqueConstraint("incident_id", "number"),
)

OWNED = "owner_id IS NOT NULL"
"""The WHERE clause of the partial index of items by their owners."""

action_item_revisions = Table(
    "action_item_revisions",
    metadata,
    _id(),
    Column("item_id", ForeignKey("action_items.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("owner", Text),
    Column("owner_id", String(64)),
    Column("due_on", Date),
    Column("state", String(16), nullable=False),
    Column("snoozed_until", Date),
    Column("reason", Text),
    Column("ticket", Text),
    Column("look_again_on", Date),
    Column("worked", Boolean),
    Column("worked_why", Text),
    Column("worked_by", Text),
    Column("worked_by_id", String(64)),
    Column("worked_at", Instant),
    Column("accepted_at", Instant),
    Column("revised_at", Instant, nullable=False),
    Column("revised_by_id", String(64), nullable=False),
    UniqueConstraint("item_id", "number"),
    Index(None, "owner_id", "item_id", sqlite_where=text(OWNED), postgresql_where=text(OWNED)),
)

reminders = Table(
    "reminders",
    metadata,
    _id(),
    Column("workspace_id", String(64), nullable=False),
    Column("recipient_id", String(64), nullable=False),
    _of_incident(),
    Column("item_id", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("action_items.id")),
    Column("kind", String(16), nullable=False),
    Column("since_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("told_on", Date),
    Column("handed_on", Date),
    Column("snoozed_until", Date),
    Column("times", Integer, nullable=False, server_default="0"),
    # One reminder of a kind for an item; one of a kind for an incident among those without an item.
    Index("uq_reminders_item_id", "item_id", "kind", unique=True),
    Index(
        "uq_reminders_incident_id",
        "incident_id",
        "kind",
        unique=True,
        sqlite_where=text("item_id IS NULL"),
        postgresql_where=text("item_id IS NULL"),
    ),
    Index(None, "recipient_id", "due_at"),
)

agendas = Table(
    "agendas",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    Column("recipient_id", String(64), primary_key=True),
    Column("due_at", Instant),
    Column("told_on", Date),
    Column("bundled_on", Date),
    # When Slack last refused a message to this channel: it is archived, or the bot is not in it.
    Column("closed_at", Instant),
    Index(None, "due_at", sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")),
)

digests = Table(
    "digests",
    metadata,
    _id(),
    Column("workspace_id", String(64), nullable=False),
    Column("recipient_id", String(64), nullable=False),
    Column("told_on", Date, nullable=False),
    Column("channel_id", String(64), nullable=False),
    Column("ts", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    # Of the message that Slack shows, whose words are kept nowhere else.
    Column("fingerprint", String(64), nullable=False),
    Column("posted_at", Instant, nullable=False),
    Column("edited_at", Instant),
    Index(None, "workspace_id", "recipient_id", "state"),
    Index(None, "workspace_id", "edited_at"),
    Index(None, "posted_at", sqlite_where=text(PAST), postgresql_where=text(PAST)),
)

digest_items = Table(
    "digest_items",
    metadata,
    _id(),
    Column("digest_id", ForeignKey("digests.id"), nullable=False),
    _of_incident(),
    # NULL for the incident's postmortem.
    Column("item_id", BigInteger().with_variant(Integer, "sqlite"), ForeignKey("action_items.id")),
    Index(None, "digest_id"),
    Index(None, "incident_id"),
    Index(None, "item_id"),
)

live_messages = Table(
    "live_messages",
    metadata,
    _id(),
    Column("workspace_id", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    _of_incident(),
    Column("channel_id", String(64), nullable=False),
    # Empty while it is made anew.
    Column("ts", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    # Of the message that Slack shows, whose words are kept nowhere else.
    Column("fingerprint", String(64), nullable=False),
    Column("renewed", Boolean, nullable=False),
    Column("posted_at", Instant, nullable=False),
    Column("edited_at", Instant),
    UniqueConstraint("incident_id", "kind"),
    Index(None, "workspace_id", "edited_at"),
)

rhythms = Table(
    "rhythms",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    Column("user_id", String(64), primary_key=True),
    # Weekdays, Monday 0; none for every workday.
    Column("days", JSON, nullable=False),
    # `09:30`, on the person's clock; NULL for the default.
    Column("at", String(5)),
    Column("off_until", Date),
    Column("muted", Boolean, nullable=False),
)

weekly_summaries = Table(
    "weekly_summaries",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    # The last revision of an action item that a summary has told, and when that was.
    Column("revision_id", BigInteger, nullable=False),
    # Ids before it of which nothing was committed by then.
    Column("missing", JSON(none_as_null=True)),
    Column("told_at", Instant, nullable=False),
)

handovers = Table(
    "handovers",
    metadata,
    _id(),
    Column("workspace_id", String(64), nullable=False),
    Column("recipient_id", String(64), nullable=False),
    _of_incident(),
    Column("item_id", ForeignKey("action_items.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("by_id", String(64), nullable=False),
    # What the recipient knew of the item before: whether it was theirs, its state and its date.
    Column("held", Boolean, nullable=False),
    Column("state", String(16)),
    Column("due_on", Date),
    Column("recorded_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("told_on", Date),
    # The message that tells it, a row of `digests`.
    Column("message_id", BigInteger),
    Index(None, "due_at", sqlite_where=text("due_at IS NOT NULL"), postgresql_where=text("due_at IS NOT NULL")),
    Index(None, "recorded_at", sqlite_where=text(TOLD), postgresql_where=text(TOLD)),
    Index(None, "workspace_id", "recipient_id"),
    Index(None, "item_id"),
    Index(None, "message_id"),
)

postmortem_versions = Table(
    "postmortem_versions",
    metadata,
    _id(),
    _of_incident(),
    Column("number", Integer, nullable=False),
    Column("template", String(64), nullable=False),
    Column("sections", JSON, nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("drafted_by", Text, nullable=False),
    Column("drafted_by_id", String(64)),
    # The names by user id that the template printed.
    Column("names", JSON(none_as_null=True)),
    Column("origin", String(16), nullable=False, server_default="draft"),
    UniqueConstraint("incident_id", "number"),
)

publications = Table(
    "publications",
    metadata,
    _id(),
    _of_incident(),
    Column("target", String(32), nullable=False),
    Column("location", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("published_at", Instant, nullable=False),
    Column("published_by", Text, nullable=False),
    UniqueConstraint("incident_id", "target"),
)

postmortem_reviews = Table(
    "postmortem_reviews",
    metadata,
    _id(),
    _of_incident(),
    # The newest version at that time; 0 where none was drafted.
    Column("version", Integer, nullable=False),
    Column("reviewed_at", Instant, nullable=False),
    Column("reviewed_by", Text, nullable=False),
    Column("reviewed_by_id", String(64), nullable=False),
    Index(None, "incident_id"),
)

reviews = Table(
    "reviews",
    metadata,
    _id(),
    _of_incident(),
    # Append-only: moving or cancelling a review adds a row with the next sequence.
    Column("sequence", Integer, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("duration_s", Integer, nullable=False),
    Column("timezone", String(64), nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Column("people", JSON, nullable=False),
    Column("planned_at", Instant, nullable=False),
    Column("planned_by_id", String(64), nullable=False),
    UniqueConstraint("incident_id", "sequence"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("workspace_id", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("answer", JSON, nullable=False),
    Column("answered_at", Instant, nullable=False),
    # One B-tree instead of two to write before every answer.
    sqlite_with_rowid=False,
)

UNSENT = "state IN ('waiting', 'sending')"
"""The WHERE clause of the outbox's partial indexes of jobs to be done.

A query must contain it literally, or neither database uses the index.
"""

PARKED = "state = 'parked'"
"""The WHERE clause of the partial index of jobs that were given up; literal as for UNSENT."""

search_documents = Table(
    "search_documents",
    metadata,
    # The incident and the place in it: see `storage.search.index`.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("words", Text, nullable=False),
    # PostgreSQL's; SQLite has them in a table of FTS5.
    Column("grams", Text().with_variant(TSVECTOR(), "postgresql")),
    # Without a list of what is yet to be sorted in, which each search would read through.
    Index(None, "grams", postgresql_using="gin", postgresql_with={"fastupdate": "off"}).ddl_if(dialect="postgresql"),
)
FTS = "CREATE VIRTUAL TABLE search_grams USING fts5 (grams, content='', detail=none, columnsize=0, tokenize=ascii)"
"""SQLite's index of the grams, which stand in it as words with spaces between them."""
event.listen(search_documents, "after_create", DDL(FTS).execute_if(dialect="sqlite"))  # type: ignore[no-untyped-call]

SENT = "state = 'sent'"
"""The WHERE clause of the partial index of jobs that will be deleted; literal as for UNSENT."""

outbox = Table(
    "outbox",
    metadata,
    _id(),
    Column("workspace_id", String(64), nullable=False),
    Column("lane", String(64), nullable=False),
    Column("action", String(16), nullable=False),
    Column("content", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    # When the wait until `due_at` began; none for a job that is due at once or at a time of its own.
    Column("put_off_at", Instant),
    Column("written_at", Instant, nullable=False),
    Column("sent_at", Instant),
    # A posted message's channel and `ts`, or the ids of shared files, with a space between them.
    Column("sent_as", String(96)),
    Column("problem", Text),
    CheckConstraint("state IN ('waiting', 'sending', 'sent', 'parked')", name="state"),
    # Partial indexes: sent jobs stay in the table for weeks, and polling must not scan them.
    Index(None, "due_at", "id", sqlite_where=text(UNSENT), postgresql_where=text(UNSENT)),
    Index(None, "workspace_id", "lane", "id", sqlite_where=text(UNSENT), postgresql_where=text(UNSENT)),
    Index(None, "workspace_id", "lane", sqlite_where=text(PARKED), postgresql_where=text(PARKED)),
    Index(None, "sent_at", sqlite_where=text(SENT), postgresql_where=text(SENT)),
)

backfills = Table(
    "backfills",
    metadata,
    _id(),
    _of_incident(),
    Column("token", String(32), nullable=False),
    Column("user_id", String(64), nullable=False),
    Column("content", JSON, nullable=False),
    Column("begun_at", Instant, nullable=False),
    UniqueConstraint("token"),
    Index(None, "incident_id"),
    Index(None, "begun_at"),
)
