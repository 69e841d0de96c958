"""Somebody of another workspace in the same database, who names our channels, incidents, forms and buttons."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Table, select

from bot.fakeslack.delivery import Ack, PayloadDelivery, Transport
from storage.models import incidents, metadata
from tests.slack.incident.test_commands import STORY
from tests.support.workplace import Workplace

ABROAD = "T0ABROAD00"

HEADS = sorted(
    {" ".join(typed.split()[: len(key.split())]) for key, (typed, _) in STORY.items() if key != "second item"}
)
"""Every command there is, with its subcommand."""
TYPED = [
    *(typed for typed, _ in STORY.values()),
    *(f"{head}{ids}" for ids in ("", " INC-1", " 1 words", " INC-2 1") for head in HEADS),
]
"""Every command as the story has it, alone, and after it the names and numbers of what somebody else has."""
LAST = ("/detected", "/incident detected", "/incident open")
"""What declares an incident where there is none, and so comes last."""


def declares(typed: str) -> bool:
    """Whether the command declares an incident where there is none."""
    return typed.startswith(LAST)


@dataclass(frozen=True, slots=True)
class _Relabelled:
    """Brings what the stand-in sends as if another workspace had sent it."""

    courier: Any
    home_id: str

    def deliver(self, delivery: PayloadDelivery) -> Ack:
        written = json.dumps(delivery.payload).replace(self.home_id, ABROAD)
        ack: Ack = self.courier.deliver(replace(delivery, payload=json.loads(written)))
        return ack

    def close(self) -> None:
        self.courier.close()


@contextmanager
def abroad(office: Workplace) -> Iterator[None]:
    """Meanwhile all that is typed, pressed and sent comes from the other workspace, and the bot is that one's."""
    slack, identity = office.slack, office.bot.context.identity
    courier: Transport | None = slack._http
    assert identity.learn()
    at_home = identity.facts
    slack._http = _Relabelled(courier, slack.team_id)  # type: ignore[assignment]
    identity.facts = replace(at_home, team_id=ABROAD)
    try:
        yield
        office.deliver()
    finally:
        slack._http = courier  # type: ignore[assignment]
        identity.facts = at_home


@dataclass(frozen=True, slots=True)
class Said:
    """All that the bot said since: answers, calls of the Web API, files."""

    office: Workplace
    answers: int
    calls: int
    files: int

    @classmethod
    def from_now(cls, office: Workplace) -> "Said":
        slack = office.slack
        return cls(office, len(slack.answers), len(slack.calls), len(slack.files))

    def all(self) -> str:
        slack = self.office.slack
        parts = [
            *(json.dumps(answer.body, ensure_ascii=False) for answer in slack.answers[self.answers :]),
            *(json.dumps(call.args, ensure_ascii=False, default=str) for call in slack.calls[self.calls :]),
            *(file.content.decode(errors="replace") for file in slack.files[self.files :]),
        ]
        return "\n".join(parts)


def rows(office: Workplace, *, of: str | None = None, numbers: tuple[int, ...] = ()) -> dict[str, list[Any]]:
    """What the store holds of a workspace, or of some of its incidents: every table but receipts and members."""
    workspace_id = of or office.slack.team_id
    ours = select(incidents.c.id).where(incidents.c.workspace_id == workspace_id)
    if numbers:
        ours = ours.where(incidents.c.number.in_(numbers))
    ids: dict[str, Any] = {"incidents": ours}
    held = {}
    with office.database.read() as connection:
        for table in metadata.sorted_tables:
            condition = _whose(table, ids)
            if condition is not None:
                ids.setdefault(table.name, select(table.c.id).where(condition))
                held[table.name] = list(connection.execute(select(table).where(condition).order_by(table.c.id)))
    return held


def _whose(table: Table, ids: dict[str, Any]) -> Any:
    """The rows that hang on the incidents looked for; None for a table that does not."""
    if table.name == "incidents":
        return table.c.id.in_(ids["incidents"])
    for key in table.foreign_keys:
        parent = key.column.table.name
        if parent in ids:
            return key.parent.in_(ids[parent])
    return None
