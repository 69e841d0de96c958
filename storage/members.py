"""Members of the workspace, as Slack last described them, and the names that records show for them.

A record keeps a person's id beside the name that was known when it was written; what is read from storage has the name
of now. Groups and channels that words mention by id are rows here too, with `barred` saying what they are.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime, time
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Text,
    and_,
    case,
    delete,
    exists,
    func,
    not_,
    or_,
    select,
    text,
    type_coerce,
    union,
    update,
)

from storage.dialects import upsert
from storage.items import reminder_schedules
from storage.models import (
    action_item_revisions,
    action_items,
    incidents,
    member_listings,
    members,
    postmortem_versions,
    rhythms,
    timeline_entries,
    workspaces,
)
from storage.values import BOT, Member, Rhythm

_COLUMNS = tuple(members.c[each.name] for each in fields(Member))
"""The columns of a Member, named as its fields."""
GROUP, CHANNEL = "group", "channel"
"""The values of `barred` for rows that are no people."""
GONE = ("deactivated", "unknown")
"""The values of `barred` for people who have left: Slack says so, or knows nobody of that id."""
_IS_PERSON = func.coalesce(members.c.barred, "").not_in((GROUP, CHANNEL))
NAME = func.nullif(members.c.name, members.c.user_id)
"""The name of a row of `members`; NULL where Slack knows nobody of that id."""
_MENTION = re.compile(r"(?<![\w@#<])[@#]([UWSCG][A-Z0-9]{2,63})(?![A-Z0-9_])")
"""A person, group or channel in words, by id: its name was not known when they were written."""


def current_name(workspace_id: Any, user_id: Any, stored: Any) -> ColumnElement[str]:
    """The name of the user in the column `user_id` as it is now; the `stored` one for a user who is not known."""
    known = select(NAME).where(members.c.workspace_id == workspace_id, members.c.user_id == user_id)
    return type_coerce(func.coalesce(known.scalar_subquery(), stored), Text)


def names_of(connection: Connection, workspace_id: Any, user_ids: Iterable[str]) -> dict[str, str]:
    """The names, as they are now, of those of the users, groups and channels that are known, by id."""
    wanted = members.c.user_id.in_(sorted(user_ids))
    query = select(members.c.user_id, NAME).where(members.c.workspace_id == workspace_id, wanted)
    return {user_id: name for user_id, name in connection.execute(query) if name}


def stored_names(connection: Connection, incident_id: int) -> tuple[tuple[str, str], ...]:
    """(user id, name) of the people of an incident as its rows and drafts hold them: former names too."""
    entry, item, owner = timeline_entries.c, action_items.c, action_item_revisions.c
    queries = (
        select(entry.author_id, entry.author).where(entry.incident_id == incident_id),
        select(incidents.c.lead_id, incidents.c.lead).where(incidents.c.id == incident_id),
        select(incidents.c.declared_by_id, incidents.c.declared_by).where(incidents.c.id == incident_id),
        select(owner.owner_id, owner.owner)
        .join(action_items, item.id == owner.item_id)
        .where(item.incident_id == incident_id),
        select(owner.worked_by_id, owner.worked_by)
        .join(action_items, item.id == owner.item_id)
        .where(item.incident_id == incident_id),
    )
    found = {(user_id, name): None for user_id, name in connection.execute(union(*queries)) if user_id and name}
    drafts = select(postmortem_versions.c.names).where(postmortem_versions.c.incident_id == incident_id)
    for names in connection.execute(drafts).scalars():
        found |= dict.fromkeys((names or {}).items())
    linked = (
        select(entry.people).where(entry.incident_id == incident_id, entry.people.is_not(None)),
        select(item.people).where(item.incident_id == incident_id, item.people.is_not(None)),
    )
    for query in linked:
        for people in connection.execute(query).scalars():
            found |= dict.fromkeys((user_id, name) for name, user_id in people.items())
    return tuple(found)


def fill_in(connection: Connection, workspace_id: Any, rows: Iterable[dict[str, Any]], *fields: str) -> None:
    """Replace people, groups and channels in the texts `fields` of the rows by their names of now.

    A row's `people` are the user ids behind the `@name`s in its texts; an id in a text is meant too, unless they are
    `{}`. They are rewritten for the new texts. The database is asked only where a text mentions somebody.
    """
    mentioned: list[tuple[dict[str, Any], dict[str, str]]] = []
    for row in rows:
        linked = row.get("people")
        if linked == {}:
            continue
        texts = (row[name] for name in fields if row[name] and ("@" in row[name] or "#" in row[name]))
        people = {found: found for text in texts for found in _MENTION.findall(text)} | (linked or {})
        if people:
            mentioned.append((row, people))
    if not mentioned:
        return
    names = names_of(connection, workspace_id, {user_id for _, people in mentioned for user_id in people.values()})
    for row, people in mentioned:
        shown = {word: names.get(user_id, word) for word, user_id in people.items()}
        for field in fields:
            if row[field]:
                row[field] = _renamed(row[field], people, shown)
        linked = row.get("people") or {}
        by_name: dict[str, str] = {}
        for word, user_id in people.items():
            if user_id[0] in "UW" and (user_id in names or word in linked):
                by_name.setdefault(shown[word], user_id)
        row["people"] = by_name or None


def _renamed(text: str, people: Mapping[str, str], shown: Mapping[str, str]) -> str:
    """The text with the words of `people` after an `@` or `#` as `shown`. `@bob` is not in `@bobby`."""
    # A name in a script without spaces may be followed by letters: Slack's markup, not a space, was around it.
    ends = {True: r"(?!\w|[.-]\w)", False: r"(?![A-Za-z0-9_])"}
    words = (
        re.escape(word) + ("(?![A-Z0-9_])" if word == people[word] else ends[word[-1:].isascii()])
        for word in sorted(people, key=len, reverse=True)
    )
    return re.sub(rf"(?<![\w@#<])([@#])({'|'.join(words)})", lambda match: match[1] + shown[match[2]], text)


def find(connection: Connection, workspace_id: str, user_id: str) -> Member | None:
    """The member; None if Slack has not described them yet."""
    query = select(*_COLUMNS).where(members.c.workspace_id == workspace_id, members.c.user_id == user_id)
    row = connection.execute(query).mappings().first()
    return None if row is None else Member(**row)


def find_many(connection: Connection, workspace_id: str, user_ids: Iterable[str]) -> dict[str, Member]:
    """The known members among the users, by user id."""
    query = select(*_COLUMNS).where(members.c.workspace_id == workspace_id, members.c.user_id.in_(sorted(user_ids)))
    return {row["user_id"]: Member(**row) for row in connection.execute(query).mappings()}


def names(connection: Connection, workspace_id: str) -> dict[str, str]:
    """The display names of all members of the workspace, by user id."""
    query = select(members.c.user_id, members.c.name).where(members.c.workspace_id == workspace_id, _IS_PERSON)
    return {row.user_id: row.name for row in connection.execute(query.order_by(members.c.user_id))}


def knows(connection: Connection, workspace_id: str) -> bool:
    """Whether a bot of that workspace uses this database: it has declared an incident, or stored itself or a member."""
    of_members = exists().where(members.c.workspace_id == workspace_id)
    declared = exists().where(workspaces.c.id == workspace_id)
    return bool(connection.execute(select(or_(of_members, declared))).scalar_one())


def bot_ids(connection: Connection, workspace_id: str) -> frozenset[str]:
    """The user ids of the workspace's bots."""
    query = select(members.c.user_id).where(members.c.workspace_id == workspace_id, members.c.barred == BOT)
    return frozenset(connection.execute(query).scalars())


def mark_barred(connection: Connection, workspace_id: str, user_id: str, why: str, *, at: datetime) -> None:
    """Record at `at` why the member cannot own anything, until `save` replaces it by Slack's next answer."""
    is_member = (members.c.workspace_id == workspace_id) & (members.c.user_id == user_id)
    left_at = _left_at(type_coerce(why, Text), type_coerce(at, members.c.left_at.type))
    connection.execute(update(members).where(is_member).values(barred=why, left_at=left_at))


def _left_at(barred: ColumnElement[Any], at: ColumnElement[Any]) -> ColumnElement[Any]:
    """When somebody who is `barred` now left: `at` if they had not before; NULL for who is there."""
    # No IN, which a statement for many rows cannot have.
    gone, was_gone = (or_(*(func.coalesce(each, "") == why for why in GONE)) for each in (barred, members.c.barred))
    return case((and_(gone, not_(was_gone)), at), (gone, members.c.left_at), else_=None)


def departed(connection: Connection, *, most: int) -> list[tuple[str, str]]:
    """(workspace id, user id) of members whose leaving nothing has followed from yet; settles them.

    Those that another transaction is settling are left out.
    """
    query = (
        select(members.c.workspace_id, members.c.user_id)
        .where(text("members.left_at IS NOT NULL"))
        .order_by(members.c.left_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    found = [(row.workspace_id, row.user_id) for row in connection.execute(query)]
    for workspace_id, user_id in found:
        is_member = (members.c.workspace_id == workspace_id) & (members.c.user_id == user_id)
        connection.execute(update(members).where(is_member).values(left_at=None))
    return found


def save(connection: Connection, people: Sequence[Member], *, at: datetime) -> None:
    """Insert or update the members, as fetched from Slack at `at`; of who left since, `departed` tells.

    The reminders of who has moved to another zone, has left or is back are looked at anew.
    """
    if not people:
        return
    by_workspace: dict[str, list[Member]] = {}
    for person in people:
        by_workspace.setdefault(person.workspace_id, []).append(person)
    before = {
        (workspace_id, user_id): member
        for workspace_id, those in by_workspace.items()
        for user_id, member in find_many(connection, workspace_id, [each.user_id for each in those]).items()
    }
    insertion = upsert(connection)(members)
    fetched = insertion.excluded
    statement = insertion.on_conflict_do_update(
        index_elements=["workspace_id", "user_id"],
        set_={name: fetched[name] for name in ("name", "timezone", "barred", "role", "fetched_at")}
        | {"left_at": _left_at(fetched.barred, fetched.fetched_at)},
    )
    # Always in the same order: two replicas that save the same members at once would deadlock otherwise.
    ordered = sorted(people, key=lambda person: (person.workspace_id, person.user_id))
    rows = [asdict(person) | {"fetched_at": at, "left_at": at if person.barred in GONE else None} for person in ordered]
    connection.execute(statement, rows)
    for workspace_id, those in sorted(by_workspace.items()):
        known = [(each, before[workspace_id, each.user_id]) for each in those if (workspace_id, each.user_id) in before]
        changed = [now.user_id for now, was in known if (now.timezone, now.barred) != (was.timezone, was.barred)]
        if changed:
            reminder_schedules.wake(connection, workspace_id, changed, at=at)


def listed_until(connection: Connection, workspace_id: str) -> tuple[str, datetime] | None:
    """Slack's cursor behind which the list of members has not been read yet, and when it was begun; None for neither.

    Slack may tell the list in parts, over minutes: a restart meanwhile goes on from here.
    """
    columns = (member_listings.c.cursor, member_listings.c.begun_at)
    row = connection.execute(select(*columns).where(member_listings.c.workspace_id == workspace_id)).first()
    return None if row is None else (row.cursor, row.begun_at)


def save_listed_until(connection: Connection, workspace_id: str, cursor: str, *, begun_at: datetime) -> None:
    """Remember where the list goes on; an empty cursor means that it is read to its end."""
    connection.execute(delete(member_listings).where(member_listings.c.workspace_id == workspace_id))
    if cursor:
        row = {"workspace_id": workspace_id, "cursor": cursor, "begun_at": begun_at}
        insertion = upsert(connection)(member_listings)
        statement = insertion.on_conflict_do_update(
            index_elements=["workspace_id"],
            set_={name: insertion.excluded[name] for name in ("cursor", "begun_at")},
        )
        connection.execute(statement, [row])


def rhythm_of(connection: Connection, workspace_id: str, user_id: str) -> Rhythm | None:
    """The person's own rhythm of reminders; None for who has set none."""
    return rhythms_of(connection, [(workspace_id, user_id)]).get((workspace_id, user_id))


def rhythms_of(connection: Connection, people: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Rhythm]:
    """The rhythms of those of the people who have set one, by (workspace id, user id)."""
    people = set(people)
    if not people:
        return {}
    query = select(rhythms).where(
        rhythms.c.workspace_id.in_({workspace_id for workspace_id, _ in people}),
        rhythms.c.user_id.in_({user_id for _, user_id in people}),
    )
    return {
        (row.workspace_id, row.user_id): Rhythm(
            days=tuple(row.days),
            at=None if row.at is None else time.fromisoformat(row.at),
            off_until=row.off_until,
            muted=row.muted,
        )
        for row in connection.execute(query)
    }


def save_rhythm(connection: Connection, workspace_id: str, user_id: str, rhythm: Rhythm) -> None:
    """Save the person's rhythm in place of the one before."""
    values: dict[str, Any] = {
        "days": list(rhythm.days),
        "at": None if rhythm.at is None else f"{rhythm.at:%H:%M}",
        "off_until": rhythm.off_until,
        "muted": rhythm.muted,
    }
    insertion = upsert(connection)(rhythms).values(workspace_id=workspace_id, user_id=user_id, **values)
    connection.execute(insertion.on_conflict_do_update(index_elements=["workspace_id", "user_id"], set_=values))
