"""The causes that one entry names: where one ends, which factor it is, and whether it is a person's slip alone.

Nothing is decided here: a factor is one that somebody said, and a slip is met with a question.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bot.domain.incident.grammar import take_qualifier
from bot.domain.words import CODE
from bot.vocabulary import CAUSE, FACTORS, KINDS
from storage.values import TimelineEntry

_WHOLE = re.compile(
    rf"{CODE.pattern}"
    r"|<(?:https?:|mailto:|[@#!])[^<>\n]*>|https?://\S*[^\s;]"
    r"|\"[^\"\n]*\"|\u201c[^\u201c\u201d\n]*\u201d|\u201e[^\u201c-\u201e\n]*[\u201c\u201d]|\u00ab[^\u00ab\u00bb\n]*\u00bb"
    r"|(?<!\w)'[^'\n]*'(?!\w)"
    r"|\((?:[^()\n]|\([^()\n]*\))*\)|\[[^\[\]\n]*\]|\{[^{}\n]*\}",
    re.DOTALL,
)
"""What a semicolon does not end: code, links, quotations, brackets."""

_UNSAFE = re.compile(r".*[`\n<>&]|(?:at\s+|@\s?|~|-)?\d", re.IGNORECASE | re.DOTALL)
"""Words that a command in code does not repeat: further lines, code, marks of mentions, and a time at their head."""
_HABITS = re.compile(
    r"\b(?:review\w*|approv\w*|stag(?:e|es|ed|ing)|process\w*|procedure\w*|runbooks?|polic(?:y|ies)|hand-?overs?"
    r"|on-?call|owners?|ownership|documentation|documented|schedule\w*|train(?:ed|ing)|drills?|tested|untested"
    r"|nobody|no one|noone|watche[sd]|monitored|unnoticed)\b",
    re.IGNORECASE,
)
"""Words of how people work together. A cause with one of them is called `process` in the example that sorts it."""

_ROLE = (
    r"(?:engineer|developer|dev|programmer|operator|admin|administrator|dba|sre|sysadmin|intern|contractor|on-call"
    r"|responder|colleague|technician|employee|teammate|trainee|newcomer|deployer|committer)"
)
_SOMEBODY = (
    r"someone|somebody|he|she|i|we|on-call|@[\w.-]+"
    rf"|(?:(?:the|an?|our|one|new|junior|senior|night) ){{1,5}}{_ROLE}"
)
_ACTED = (
    r"(?:(?:accidentally|mistakenly|inadvertently|wrongly|simply|just|had|has|then) ){0,2}(?:deleted|dropped|removed"
    r"|wiped|erased|ran|executed|typed|pasted|pushed|deployed|merged|released|restarted|rebooted|shut|unplugged"
    r"|changed|edited|entered|disabled|turned off|switched off|applied|skipped|missed|overlooked|ignored|misread"
    r"|pressed|clicked|killed|stopped|truncated|overwrote|revoked|uploaded|copied|picked|chose|failed to|forgot"
    r"|did not|didn['\u2019]t|never|made (?:a|an|the) (?:\w+ )?(?:mistake|error|typo))\b"
)
_PLACE = r"(?:host|server|machine|node|box|database|db|cluster|environment|region|account|branch|window|terminal|tab)"
_SLIP = re.compile(
    r"\b(?:human|operator|user|engineer|developer|admin|administrator|dba|pilot|manual)[ -]"
    r"(?:error|mistake|slip|oversight)s?\b(?! (?:rate|messages?|logs?|pages?|reports?|counts?|codes?|handling))"
    r"|\btypo\b|\bmis(?:typed|clicked|keyed|read)\b|\bmisclick\b|\bfat[- ]?finger|\boversight\b"
    r"|\b(?:accidentally|by accident|by mistake|mistakenly|inadvertently)\b"
    r"|\bcopy[- ]?(?:and[- ])?paste (?:error|mistake)\b"
    rf"|\bwrong (?:{_PLACE}|button)\b",
    re.IGNORECASE,
)
_FORGOT = re.compile(
    r"(?:(?<![\w@.-])(?P<by>[\w@.-]+) )?(?:(?:had|has|have|was|were|been|simply) ){0,2}forgot(?:ten)?\b", re.IGNORECASE
)
_THING = re.compile(
    r"(?:scripts?|jobs?|cron|services?|clients?|servers?|library|code|pipelines?|bots?|releases?|config|tools?|it|which"
    r"|migrations?|caches?|process(?:es)?|workers?|apps?|drivers?|compilers?|systems?|deploys?|proxy|database|that)",
    re.IGNORECASE,
)
_EXPLAINED = re.compile(
    r"\b(?:because|since|due to|so that|without|nothing|nobody|no one|no (?!longer)\w+|alike|identical|the same|looked"
    r"|looks? like|easy to|easily|asks?|warns?|defaults? to|misleading|confusing|unclear|outdated|undocumented"
    r"|not documented|never (?:tested|documented|reviewed)|untested|unreviewed|where both|lets|let|allowed|allows"
    r"|possible|no guard|guard had|missing|lacks?|lacked)\b"
    r"|\b(?:does|did|do|was|were|is) not (?:ask|warn|check|show|tell|test|review)",
    re.IGNORECASE,
)
"""Words with which a cause goes on to say what made the step possible, or look right."""
_LIKENESS = re.compile(
    r"\b(?:alike|identical|the same|looked|looks? like|misleading|confusing|unclear)\b", re.IGNORECASE
)
HUMAN = FACTORS[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One of the causes that an entry names; `factor` is None where nobody said it."""

    text: str
    factor: str | None


def causes(entry: TimelineEntry) -> tuple[Cause, ...]:
    """The causes that the words of a `/cause` name, a semicolon between them.

    A factor before one of them is its own and that of those after it; before the first it is the entry's. What stands
    on further lines belongs to the last one.
    """
    return causes_in(entry.text, entry.qualifier)


def causes_in(words: str, qualifier: str | None) -> tuple[Cause, ...]:
    """The same of the words and the factor of a `/cause`."""
    first, line_end, below = words.partition("\n")
    if "```" in first:
        # A fence may begin in the first line: then the words are left as they are.
        return (Cause(text=words, factor=qualifier),)
    found: list[Cause] = []
    factor = qualifier
    for part in _parts(first):
        named, rest, sure = take_qualifier(KINDS[CAUSE], part)
        text = rest if named and sure else part
        factor = named if named and sure else factor
        if text.strip():
            found.append(Cause(text=text.strip(), factor=factor))
    if not found:
        return (Cause(text=words, factor=qualifier),)
    return (*found[:-1], replace(found[-1], text=f"{found[-1].text}{line_end}{below}"))


def sorting(entry: TimelineEntry) -> str:
    """The words after `incident edit` that say for each cause of the entry which factor it is: an example to change."""
    named = causes(entry)
    if any(_UNSAFE.match(cause.text) for cause in named):
        return f"{entry.number} {FACTORS[0]}:"
    return f"{entry.number} {'; '.join(f'{cause.factor or _example(cause.text)}: {cause.text}' for cause in named)}"


def is_unsorted(entry: TimelineEntry) -> bool:
    """Whether it names a cause that nobody gave a factor."""
    return entry.kind == CAUSE and any(cause.factor is None for cause in causes(entry))


def slips(entries: Iterable[TimelineEntry]) -> list[tuple[TimelineEntry, Cause]]:
    """The causes that are a person's slip alone, with their entries.

    None where another cause says what made a step look right: one that is called human, or tells of a likeness.
    """
    every = list(entries)
    authors = {entry.author for entry in every}
    people = {name for author in authors for name in (author, re.split(r"[\s._-]", author)[0])}
    named = [(entry, cause) for entry in every if entry.kind == CAUSE for cause in causes(entry)]
    found = [(entry, cause) for entry, cause in named if slip(cause.text, people)]
    others = [cause for entry, cause in named if (entry, cause) not in found]
    explained = any(cause.factor == HUMAN or _LIKENESS.search(cause.text) for cause in others)
    return [] if explained else found


def slip(text: str, people: Iterable[str] = ()) -> bool:
    """Whether the text of one cause names a person's slip, and nothing that made it possible or look right.

    `people` are the names of those who took part. English only.
    """
    words = _WHOLE.sub(" ", text)
    if _EXPLAINED.search(words):
        return False
    forgot = _FORGOT.search(words)
    if forgot and not (forgot["by"] and _THING.fullmatch(forgot["by"])):
        return True
    names = "|".join(re.escape(name) for name in people if name)
    somebody = f"{_SOMEBODY}|{names}" if names else _SOMEBODY
    acted = re.compile(
        rf"(?<![\w@])(?:{somebody}) {_ACTED}|\b(?:{_ACTED[:-2]}|run|made|set|taken) by (?:{somebody})(?!\w)",
        re.IGNORECASE,
    )
    return bool(_SLIP.search(words) or acted.search(words))


def _example(text: str) -> str:
    technical, process, human = FACTORS
    if slip(text):
        return human
    return process if _HABITS.search(text) else technical


def _parts(line: str) -> list[str]:
    """The line, cut at its semicolons."""
    whole = [match.span() for match in _WHOLE.finditer(line)]
    cuts = [
        match.start()
        for match in re.finditer(";", line)
        if not any(start <= match.start() < end for start, end in whole)
    ]
    return [line[start:end] for start, end in zip([0, *(cut + 1 for cut in cuts)], [*cuts, len(line)], strict=True)]
