"""The question to print for each unknown fact, and the command that answers it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question about `fact`; `command` is what to type to answer it, with its slash."""

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
    ("escalated", "Was anybody called in?", "escalated at 14:10 to whom, and why"),
    ("due", "By when is each item done?", "actionitem due {undated} friday"),
    ("technical", "What in the systems made it possible?", "cause technical: what made it possible"),
    ("process", "What in the way of working let it through?", "cause process: the change skipped staging"),
    ("human", "What made the step that led to it look right at the time?",
     "cause human: both consoles looked the same"),
    ("users", "What did users see, and how many of them?", "impact users: about 20% of users saw errors"),
    ("business", "What could the business not do?", "impact business: 1,200 orders were not taken"),
    ("money", "What did it cost, in sales, credits or work?", "impact money: $4,000 in refunds"),
    ("performance", "How did speed and error rates change?", "impact performance: p99 went from 0.2 s to 5 s"),
    ("operations", "What could those who run it not do meanwhile?", "impact operations: no deploys for 3 hours"),
    ("systems", "Which systems and services were hit?", "note systems: checkout-api, db1"),
    ("logs", "Which lines of which log show it?", "note logs: paste the lines that show it"),
    ("configuration", "Which settings or versions mattered?", "note config: pool size 10, release 2026.3.1"),
    ("told_customers", "What were customers told, where and when?", "note told customers: status page at 14:20"),
    ("told_staff", "What was the rest of the organisation told?", "note told staff: mail to all at 14:25"),
    ("communication", "What should be told sooner, clearer, or to others?",
     "note communication: support hears of it first"),
    ("improve", "What should go better next time?", "note improve: the first hour, with one person leading"),
    ("documentation", "Which runbook or page has to change?", "note docs: runbook for restores, step 3"),
    ("training", "Who needs to practise what?", "note training: a restore drill each quarter"),
    ("review", "When is this reviewed, and with whom?", "postmortem review friday 10:00"),
)  # fmt: skip

FACTS = tuple(fact for fact, _, _ in _TABLE)


def questions(unknown: frozenset[str], *, prefix: str, examples: Mapping[str, object]) -> dict[str, Question]:
    """The questions about the facts named in `unknown`, by fact, in the table's order.

    `prefix` is the workspace's prefix of command names; `examples` fill the placeholders in the commands.
    """
    return {
        fact: Question(fact=fact, text=text, command=f"/{prefix}{command.format_map(examples)}")
        for fact, text, command in _TABLE
        if fact in unknown
    }
