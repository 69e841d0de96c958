"""Every question's example, pasted as it stands: it is taken, at a time of the incident, and answers that question."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from bot.clock import SetClock
from bot.domain.postmortem.questions import FACTS
from bot.handlers.postmortem.drafts import load_document
from storage import timeline
from storage.database import Database
from tests.support.workplace import Workplace, at, workplace

FIRST = {
    "figures": ["impact at 2026-03-12 12:05:30 UTC checkout fails"],
    "share": ["impact at 2026-03-12 12:05:30 UTC 12 orders fail"],
    "owner": ["actionitem watch the queue"],
    "due": ["actionitem watch the queue"],
    "factors": ["cause a full disk"],
    "slip": ["cause human: bob forgot to renew the certificate"],
    "badly": ["did at 2026-03-12 12:06:30 UTC looked at the disk"],
    "mitigated_by": ["resolved at 2026-03-12 12:40:10 UTC all is well"],
}
"""What has to be told before the question comes up."""
_IMPACT = frozenset({"impact", "started", "users"})
ALSO = {
    **dict.fromkeys(("acknowledged", "escalated", "coordinating"), frozenset({"well"})),
    "resolved": frozenset({"mitigated"}),
    "mitigated_by": frozenset({"mitigated"}),
    "cause": frozenset({"technical"}),
    **dict.fromkeys(("technical", "process", "human"), frozenset({"cause"})),
    **dict.fromkeys(("impact", "users", "business", "money", "performance", "operations"), _IMPACT),
}
"""The facts that one answer settles beside the one it is asked for."""


@dataclass(frozen=True)
class Desk:
    """INC-1 ran from 12:05:30 to 12:40:10, and little more is told of it."""

    office: Workplace
    database: Database
    prefix: str

    def say(self, words: str) -> None:
        assert self.office.ask(f"/{self.prefix}{words}").ok

    def questions(self) -> dict[str, str]:
        with self.database.read() as connection:
            _, document = load_document(connection, 1, prefix=self.prefix)
        return {fact: question.command for fact, question in document.questions.items()}


@contextmanager
def desk(database: Database, clock: SetClock, fact: str, prefix: str = "") -> Iterator[Desk]:
    with workplace(database, clock=clock, SCRIBE_PREFIX=prefix, SCRIBE_TIMEZONE="Asia/Kathmandu") as office:
        shown = Desk(office, database, prefix)
        clock.set(at("2026-03-12T12:05:30Z"))
        shown.say("incident open checkout fails" if fact == "detected" else "detected checkout fails")
        clock.set(at("2026-03-12T12:40:10Z"))
        shown.say("did restarted it")
        for words in FIRST.get(fact, ()):
            shown.say(words)
        yield shown


@pytest.mark.parametrize("fact", FACTS)
def test_an_example_answers_its_question(sqlite: Database, clock: SetClock, fact: str) -> None:
    with desk(sqlite, clock, fact) as shown:
        clock.set(at("2026-03-12T15:00:00Z"))
        answered(shown, fact)


@pytest.mark.parametrize("fact", FACTS)
def test_it_does_months_later_beside_a_newer_incident_and_under_a_prefix(
    sqlite: Database, clock: SetClock, fact: str
) -> None:
    with desk(sqlite, clock, fact, prefix="inc-") as shown:
        # A Friday, late in the day: "friday" in an example is still one to come.
        clock.set(at("2026-05-15T15:00:00Z"))
        shown.say("incident open search is down")
        answered(shown, fact)


def answered(shown: Desk, fact: str) -> None:
    """Paste the example, and look at what it changed."""
    asked = shown.questions()
    answer = shown.office.ask(asked[fact])
    assert answer.ok, asked[fact]
    left = shown.questions()
    assert fact not in left, answer.text
    assert set(asked) - set(left) - {fact} <= ALSO.get(fact, frozenset())
    began_at, ended_at = at("2026-03-12T12:05:30Z"), at("2026-03-12T12:40:10Z")
    with shown.database.read() as connection:
        entries = timeline.of_incident(connection, 1)
    assert all(began_at <= entry.occurred_at <= ended_at for entry in entries), asked[fact]
