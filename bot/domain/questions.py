"""What to ask when a fact is not known: the question, and the command whose answer fills it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `fact` is what its answer fills; `command` is what to type, with its slash."""

    fact: str
    text: str
    command: str


_TABLE = (
    ("started", "When did the impact begin?", "started at 14:02"),
    ("detected", "When was it noticed, and by whom or what?",
     "detected at 14:02 by monitoring: what was seen"),
    ("detected_by", "Who noticed it first: monitoring, a customer or an engineer?",
     "incident edit {detection} by monitoring: what was seen"),
    ("acknowledged", "Who took it on, and when?", "acknowledged at 14:05 who is on it"),
    ("mitigated", "When did the impact end or lessen, and through what?",
     "mitigated at 14:30 what ended the impact"),
    ("resolved", "When was it over, and how did it end?", "resolved at 14:40 how it ended"),
    ("impact", "Who was hurt, and how?", "impact about 20% of logins failed"),
    ("figures", "How much: how many, how long?", "impact 1,200 orders failed in 25 minutes"),
    ("share", "What share of users or traffic was hurt?", "impact about 20% of users saw errors"),
    ("cause", "What led to it?", "cause technical: what made it possible"),
    ("measures", "What will keep it from happening again?",
     "actionitem @owner short-term by friday: what has to change"),
    ("owner", "Who does it?", "actionitem assign {unowned} @owner"),
    ("well", "What helped to notice, to decide or to recover?", "lesson well: what helped"),
    ("badly", "What slowed the response down or made it harder?", "lesson badly: what got in the way"),
    ("lucky", "What could easily have been worse?", "lesson lucky: what could have been worse"),
)  # fmt: skip

FACTS = tuple(fact for fact, _, _ in _TABLE)


def questions(unknown: frozenset[str], *, prefix: str, examples: Mapping[str, object]) -> dict[str, Question]:
    """The questions about the facts named in `unknown`, by fact, in the table's order.

    `prefix` stands before a command's name in this workspace; `examples` fill the places in the commands.
    """
    return {
        fact: Question(fact=fact, text=text, command=f"/{prefix}{command.format_map(examples)}")
        for fact, text, command in _TABLE
        if fact in unknown
    }
