"""What a reviewer says about the text: impact and cause, open questions, length, wording."""

import html
import re
from collections.abc import Iterator

from bot.domain.check.blame import Blame, blaming, worth_trying
from bot.domain.check.finding import Advice, Material, at_entry, at_items
from bot.domain.check.phrases import PhraseRow, Wording
from bot.domain.check.quoting import unfenced
from bot.domain.incident import impact
from bot.domain.postmortem.questions import FACTS, questions
from bot.vocabulary import CAUSE, IMPACT
from storage.values import Section

TIMELINE = "timeline"
"""The key of the section whose words are not counted."""

WORDS = {"classic": (400, 600)}
"""How many words a postmortem in a template has, at least and at most, without its timeline."""

COVERED = {
    "started": "milestones", "detected": "milestones", "acknowledged": "milestones", "mitigated": "milestones",
    "resolved": "milestones", "detected_by": "detection", "impact": "impact", "figures": "impact", "cause": "cause",
    "measures": "prevention", "owner": "owners", "due": "dates",
}  # fmt: skip
"""The facts that have a rule of their own: what it says need not be said again of the section that asks."""

_PROMPT = re.compile(r"\*Not known\.\*[ \t]*(?P<text>[^`\n]{0,300}?)[ \t]*`+[ \t]*(?P<command>[^`\n]{1,300}?)[ \t]*`+")
_NO_TEXT = re.compile(r"^\|.*\|[ \t]*$|<!--.*?(?:-->|\Z)", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"[^\W_][\w'\u2019.,:/-]*")
_EXAMPLES = {"detection": 1, "unowned": 1, "undated": 1}
_QUESTIONS = questions(frozenset(FACTS), prefix="", examples=_EXAMPLES)
_FACT_OF = {question.text: fact for fact, question in _QUESTIONS.items()}

_LABELLED = re.compile(r"\*\*(?P<label>[\w ]{1,40}):\*\*")
_ENDING = re.compile(r"^#{2,6}[ \t].*\b(?:ended|end|resol|recover|mitigat|restor)", re.IGNORECASE | re.MULTILINE)
_EMPHASIS = re.compile(r"\*\*|__")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BULLET_HEAD = re.compile(r"^[-*+\d.)\s]*(?:#\d+\s+)?")
_SPACE = re.compile(r"\s+")


def impact_stated(material: Material) -> Advice:
    """An impact nobody recorded, or one without a figure."""
    written = [_impact_part(section) for section in material.sections if section.edited]
    if any(impact.figures(_PROMPT.sub("", text)) for text in written):
        return
    told = [entry for entry in material.entries if entry.kind == IMPACT]
    if material.unknown("impact"):
        yield "Impact", "Nobody says who was hurt, and how", material.answer("impact")
    elif told and material.unknown("figures"):
        yield at_entry(told[-1]), "It has no figure: how many, how much, how long?", material.answer("figures")


def cause_stated(material: Material) -> Advice:
    """A cause that stands neither on the timeline nor in a section somebody wrote."""
    question = _QUESTIONS[CAUSE].text
    written = [section.body for section in material.sections if "cause" in section.key and section.edited]
    if material.unknown(CAUSE) and not any(question not in body for body in written):
        yield "Cause", "Nothing says what led to it", material.answer(CAUSE)


def prompts(material: Material) -> Advice:
    """Sections that still ask, but for what another rule says already; and those that ask what is known by now."""
    for section in material.sections:
        asked = [(_FACT_OF.get(match["text"]), match) for match in _PROMPT.finditer(section.body)]
        known = [match for fact, match in asked if fact and not material.unknown(fact)]
        still = [
            match
            for fact, match in asked
            if not fact or (material.unknown(fact) and COVERED.get(fact) not in material.on)
        ]
        if still:
            yield section.heading, f"It still asks: {_each(still, 'text', ' ')}", _each(still, "command", " · ")
        if known:
            fix = material.slash("postmortem draft")
            yield section.heading, f"It asks what the timeline knows by now: {_each(known, 'text', ' ')}", fix


def length(material: Material) -> Advice:
    """A text much shorter or longer than its template is meant for."""
    if material.template not in WORDS:
        return
    least, most = WORDS[material.template]
    counts = [(words(section.body), section.heading) for section in material.sections if section.key != TIMELINE]
    total = sum(count for count, _ in counts)
    if counts and not least <= total <= most:
        (fewest, shortest), (highest, longest) = min(counts), max(counts)
        reason = f"{total} words without the timeline; the template {material.template} is meant for {least} to {most}"
        fix = (
            f"{shortest} has the fewest ({fewest}): tell there what a reader from another team would ask"
            if total < least
            else f"{longest} has the most ({highest}): keep what a reader acts on, link to the rest"
        )
        yield "The whole text", reason, fix


def words(body: str) -> int:
    """How many words a reader reads in it: open questions, tables and code blocks do not count."""
    text = _NO_TEXT.sub(" ", _PROMPT.sub(" ", body))
    return len(_WORD.findall(re.sub(r"```.*?(?:```|\Z)", " ", text, flags=re.DOTALL)))


def wording(material: Material) -> Advice:
    """Words that blame or use hindsight, in entries, action items and sections; each is told once, at its source."""
    said: set[str] = set()
    bodies = _without_entries(material)
    texts = (*(entry.text for entry in material.entries), *(item.text for item in material.items), *bodies)
    rows = worth_trying("\n".join(texts))
    for place, blame in _at_source(material, rows):
        said.add(_key(blame.sentence))
        yield place, *_told(blame)
    for section, body in zip(material.sections, bodies, strict=True):
        for blame in _in_section(section.key, body, material, rows):
            if not said & {_key(part) for part in _candidates(blame.sentence)}:
                yield section.heading, *_told(blame)


def _told(blame: Blame) -> tuple[str, str]:
    return f"“{blame.phrase}” {blame.fault.reason}", blame.fault.better


def _without_entries(material: Material) -> list[str]:
    """The sections' bodies, less the timeline's lines: those are read where they come from."""
    told = {entry.text for entry in material.entries if entry.text}
    return [
        "\n".join(line for line in section.body.split("\n") if _entry_words(line) not in told)
        for section in material.sections
    ]


def _entry_words(line: str) -> str:
    """What a line of the timeline holds between its label and its author; of another line, whatever stands there."""
    return line.partition(": ")[2].rpartition(" — ")[0]


def _at_source(material: Material, rows: tuple[PhraseRow, ...]) -> Iterator[tuple[str, Blame]]:
    for entry in material.entries:
        for blame in blaming(entry.text, people=material.people, cause=entry.kind == CAUSE, rows=rows):
            yield at_entry(entry), blame
    for item in material.items:
        for blame in blaming(item.text, people=material.people, rows=rows):
            # An item that asks for care is vague, and that is said there.
            if blame.fault is not Wording.APPEAL or "vague" not in material.on:
                yield at_items([item.number]), blame


def _in_section(key: str, body: str, material: Material, rows: tuple[PhraseRow, ...]) -> Iterator[Blame]:
    """The blame in a section. Where causes stand, what is told of the recovery is no cause."""
    text = html.unescape(_ESCAPED.sub(r"\1", _EMPHASIS.sub("", unfenced(body))))
    ending = _ENDING.search(text) if "cause" in key else None
    causes, rest = (text[: ending.start()], text[ending.start() :]) if ending else (text, "")
    yield from blaming(causes, people=material.people, cause="cause" in key, rows=rows)
    yield from blaming(rest, people=material.people, rows=rows)


def _candidates(sentence: str) -> Iterator[str]:
    """The sentence, and what of it may be an entry's own: without list mark, time and label, without the author."""
    head = len(sentence) - len(_BULLET_HEAD.sub("", sentence))
    starts = (0, head, *(match.end() for match in re.finditer(": ", sentence)))
    dash = sentence.rfind(" — ")
    for start in starts:
        yield sentence[start:]
        if dash > start:
            yield sentence[start:dash]


def _key(sentence: str) -> str:
    return _SPACE.sub(" ", sentence).strip(" .:;,!?").lower()


def _impact_part(section: Section) -> str:
    """What a section says of the impact: all of it, or the paragraphs under that label."""
    if "impact" in section.key:
        return section.body
    labels = list(_LABELLED.finditer(section.body))
    ends = [label.start() for label in labels[1:]] + [len(section.body)]
    return " ".join(
        section.body[label.end() : end] for label, end in zip(labels, ends, strict=False) if "mpact" in label["label"]
    )


def _each(matches: list[re.Match[str]], group: str, joint: str) -> str:
    return joint.join(match[group] for match in matches)
