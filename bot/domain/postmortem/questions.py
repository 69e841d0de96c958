"""The question to print for each unknown fact, and the command that answers it.

A command that takes a time carries one of the incident's own, in the incident's zone: its first, that of its start, of
its detection, or its last. Pasted on another day it still means that incident's, and stands in an order that can be.

While a template is rendered, a question leaves a mark in the text and nothing else. `collected` takes the marks out,
with the labels and headings that would stand there alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.vocabulary import COMMANDS
from storage.values import Section


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A question about `fact`; `command` is what to type to answer it, with its slash."""

    fact: str
    text: str
    command: str


_ANSWER = "|"
"""What stands in a command before the words that are the answer; what follows is an example."""
_TABLE = (
    ("started", "When did the impact begin?", "started at {began}"),
    ("detected", "When was it noticed, and by whom or what?",
     "detected at {noticed} by monitoring: what was seen"),
    ("detected_by", "Who noticed it first: monitoring, a customer or an engineer?",
     "incident edit {detection} by monitoring"),
    ("acknowledged", "Who took it on, and when?", "acknowledged at {noticed} who is on it"),
    ("mitigated", "When did the impact end or lessen, and through what?",
     "mitigated at {ended} what ended the impact"),
    ("mitigated_by", "Did the last action before the resolution end the impact?", "mitigated at {fixed} {fix}"),
    ("resolved", "When was it over, and how did it end?", "resolved at {ended} how it ended"),
    ("impact", "Who was hurt, and how?", "impact at {hurt} |who could not do what"),
    ("figures", "How much: how many, how long?", "impact at {hurt} |how many were hurt, for {lasted}"),
    ("share", "What share of users or traffic was hurt?", "impact at {hurt} |at most 100% of users"),
    ("cause", "What led to it?", "cause at {ended} |technical: what made it possible"),
    ("measures", "What will keep it from happening again?",
     "actionitem |@owner short-term by friday: what has to change"),
    ("owner", "Who does it?", "actionitem assign {unowned} me"),
    ("well", "What helped to notice, to decide or to recover?", "lesson at {ended} well: |what helped"),
    ("badly", "What slowed the response down or made it harder?", "lesson at {ended} badly: |what got in the way"),
    ("lucky", "What could easily have been worse?", "lesson at {ended} lucky: |what could have been worse"),
    ("escalated", "Was anybody called in?", "escalated at {noticed} to whom, and why"),
    ("due", "By when is each item done?", "actionitem due {undated} friday"),
    ("technical", "What in the systems made it possible?", "cause at {ended} technical: |what made it possible"),
    ("process", "What in the way of working let it through?", "cause at {ended} process: |what let it through"),
    ("human", "What made the step that led to it look right at the time?",
     "cause at {ended} human: |what made the step look right"),
    ("factors", "Which of these is technical, process, human?", "incident edit {sorting}"),
    ("slip", "A cause names only somebody's slip. What made it look right?",
     "cause at {ended} human: |what made the step look right"),
    ("users", "What did users see, and how many of them?", "impact at {hurt} users: |what users saw, and how many"),
    ("business", "What could the business not do?", "impact at {hurt} business: |what could not be sold or done"),
    ("money", "What did it cost, in sales, credits or work?",
     "impact at {hurt} money: |what it cost in sales, credits or work"),
    ("performance", "How did speed and error rates change?",
     "impact at {hurt} performance: |what got slower or failed, and how much"),
    ("operations", "What could those who run it not do meanwhile?",
     "impact at {hurt} operations: |what could not be run meanwhile"),
    ("systems", "Which systems and services were hit?", "note at {ended} systems: |which systems and services"),
    ("logs", "Which lines of which log show it?", "note at {ended} logs: |the lines that show it"),
    ("configuration", "Which settings or versions mattered?",
     "note at {ended} config: |which settings, which release"),
    ("told_customers", "What were customers told, where and when?",
     "note at {ended} told customers: |what they were told, and where"),
    ("told_staff", "What was the rest of the organisation told?",
     "note at {ended} told staff: |what they were told, and where"),
    ("communication", "What should be told sooner, clearer, or to others?",
     "note at {ended} communication: |who should hear what sooner"),
    ("noticing", "What helped or hindered noticing it?", "lesson at {ended} badly: noticing: |what made it late"),
    ("coordinating", "What helped or hindered working on it together?",
     "lesson at {ended} well: coordinating: |what kept it together"),
    ("telling", "What went well or badly about telling others?",
     "lesson at {ended} badly: telling: |who heard it too late"),
    ("improve", "What should go better next time?", "note at {ended} improve: |what should go better"),
    ("documentation", "Which runbook or page has to change?", "note at {ended} docs: |which page has to say what"),
    ("training", "Who needs to practise what?", "note at {ended} training: |who practises what"),
    ("review", "When is this reviewed, and with whom?", "postmortem review friday 10:00"),
)  # fmt: skip

FACTS = tuple(fact for fact, _, _ in _TABLE)
TEXTS = {fact: text for fact, text, _ in _TABLE}
"""The question about each fact."""
IN_WORDS = frozenset(fact for fact, _, command in _TABLE if _ANSWER in command)
"""The facts that words answer, whatever they are."""
_FACT_OF = {text: fact for fact, text, _ in _TABLE}

STILL_OPEN = "still-open"
"""The key of the section that lists the open questions."""

NOTHING = "*Nothing is recorded yet.*"
"""The body of a section that has only questions to show."""

_ASK, _TELL = "?", "!"
# People's words cannot hold these characters: what is printed has pictures in their place.
_MARK = re.compile(r"\x01([?!])([a-z_]{1,40})\x02")
_GONE = "\x01\x02"
_LABEL = re.compile(r"(?:[ \t]*-[ \t]+)?(?:\*\*[^*\n]{1,60}\*\*)?[ \t]*")
_HEADING = re.compile(r"(#{1,6})[ \t]+\S")

_PROMPT = re.compile(
    r"(?:[ \t]*-[ \t]+)?(?:\*\*[^*\n]{1,40}:\*\*[ \t]*)?\*Not known\.\*[ \t]*(?P<text>[^`\n]{0,300}?)"
    r"[ \t]*`+[ \t]*(?P<command>[^`\n]{1,300}?)[ \t]*`+[ \t]*"
)
"""A question as it stood in the text itself before there was a list of them, on a line of its own."""
_LISTED = re.compile(
    r"-[ \t]+(?:\*Not sorted yet\.\*[ \t]+)?(?P<text>[^`\n]{1,300}?)"
    r"[ \t]*`+[ \t]*(?P<command>/[^`\n]{1,300}?)[ \t]*`+[ \t]*"
)


def questions(
    unknown: frozenset[str], *, prefix: str, examples: Mapping[str, object], name: str = ""
) -> dict[str, Question]:
    """The questions about the facts named in `unknown`, by fact, in the table's order.

    `prefix` is the workspace's prefix of command names; `examples` fill the placeholders in the commands. A `name` is
    put into each command, so that it means that incident in any channel.
    """
    return {
        fact: Question(
            fact=fact,
            text=text,
            command=addressed(f"/{prefix}{command.replace(_ANSWER, '').format_map(examples)}", name, prefix=prefix),
        )
        for fact, text, command in _TABLE
        if fact in unknown
    }


def stem(fact: str, examples: Mapping[str, object]) -> tuple[str, str, str]:
    """Of a fact IN_WORDS: the command that answers it, its words before the answer, and an example of one."""
    (whole,) = (command for each, _, command in _TABLE if each == fact)
    before, _, example = whole.partition(_ANSWER)
    command, _, head = before.format_map(examples).partition(" ")
    return command, head, example.format_map(examples)


def addressed(command: str, name: str, *, prefix: str) -> str:
    """The command with the incident's name after it and its subcommand, unless it has it already."""
    first, *rest = command.split(" ")
    known = COMMANDS.get(first.removeprefix(f"/{prefix}"))
    if not name or known is None or name in rest:
        return command
    subcommand = rest[:1] if rest and rest[0] in {each.name for each in known.subcommands} else []
    return " ".join((first, *subcommand, name, *rest[len(subcommand) :]))


def asked(sections: Iterable[Section]) -> Iterator[tuple[Section, str | None, str, str]]:
    """Every question that the sections show: its section, its fact (None for one of an operator's own), text, command.

    They stand in the list of open questions; in versions of earlier releases also in the text.
    """
    for section in sections:
        form = _LISTED if section.key == STILL_OPEN else _PROMPT
        for line in section.body.split("\n"):
            match = form.fullmatch(line) if "`" in line else None
            if match:
                yield section, _FACT_OF.get(match["text"]), match["text"], match["command"]


def is_prompt(line: str) -> bool:
    """Whether the line is one of Scribe's own questions, as earlier releases printed them, and nothing else."""
    match = _PROMPT.fullmatch(line) if "*Not known.*" in line else None
    return match is not None and match["text"] in _FACT_OF


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A rendered text without its marks, the facts it asks for, and the topics it tells of."""

    body: str
    asked: tuple[str, ...] = ()
    told: frozenset[str] = frozenset()


def ask_mark(fact: str) -> str:
    """What stands in a rendered text where the question about `fact` belongs."""
    return f"\x01{_ASK}{fact}\x02"


def tell_mark(topic: str) -> str:
    """What stands in a rendered text where the notes about `topic` are told."""
    return f"\x01{_TELL}{topic}\x02"


def collected(text: str) -> Collected:
    """The text without marks: a question takes its line with it, and the heading or label that stood above it alone."""
    marks = _MARK.findall(text)
    if not marks:
        return Collected(body=text)
    facts = tuple(dict.fromkeys(fact for sign, fact in marks if sign == _ASK))
    lines = list(map(_without_marks, text.split("\n")))
    body = "\n".join(line for line in without_empty_headings(lines, asked_only=True) if line != _GONE)
    told = frozenset(topic for sign, topic in marks if sign == _TELL)
    return Collected(body=body if body.strip() or not facts else NOTHING, asked=facts, told=told)


def _without_marks(line: str) -> str:
    rest = _MARK.sub("", line)
    if rest == line:
        return line
    return _GONE if _LABEL.fullmatch(rest) else rest.rstrip()


def without_empty_headings(parts: Sequence[str], *, asked_only: bool) -> list[str]:
    """The parts without the headings that have nothing below; with `asked_only` only where a question stood."""
    kept: list[str] = []
    filled, was_asked, level_below = False, False, 0
    for part in reversed(parts):
        heading = _HEADING.match(part)
        if heading is None:
            was_asked = was_asked or part == _GONE
            filled = filled or (part != _GONE and bool(part.strip()))
            kept.append(part)
            continue
        level = len(heading[1])
        if not filled and level_below <= level and (was_asked or not asked_only):
            continue
        kept.append(part)
        filled, was_asked, level_below = False, False, level
    return kept[::-1]
