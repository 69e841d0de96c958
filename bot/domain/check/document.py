"""The rules on the document: impact and cause, open questions, length."""

import re

from bot.domain.check.finding import Advice, Material, at_entry
from bot.domain.incident import impact
from bot.domain.postmortem.questions import FACTS, questions
from bot.vocabulary import CAUSE, IMPACT
from storage.values import Section

TIMELINE = "timeline"
"""The key of the section whose words are not counted."""

WORDS = {"classic": (400, 600)}
"""The fewest and the most words of a postmortem in a template, without its timeline."""

COVERED = {
    "started": "milestones", "detected": "milestones", "acknowledged": "milestones", "mitigated": "milestones",
    "resolved": "milestones", "detected_by": "detection", "impact": "impact", "figures": "impact", "cause": "cause",
    "measures": "prevention", "owner": "owners", "due": "dates",
}  # fmt: skip
"""The rule that reports a fact as missing. While it is on, a section's question about that fact is not reported."""

_PROMPT = re.compile(r"\*Not known\.\*[ \t]*(?P<text>[^`\n]{0,300}?)[ \t]*`+[ \t]*(?P<command>[^`\n]{1,300}?)[ \t]*`+")
_NO_TEXT = re.compile(r"^\|.*\|[ \t]*$|<!--.*?(?:-->|\Z)", re.MULTILINE | re.DOTALL)
_WORD = re.compile(r"[^\W_][\w'\u2019.,:/-]*")
_EXAMPLES = {"detection": 1, "unowned": 1, "undated": 1}
_QUESTIONS = questions(frozenset(FACTS), prefix="", examples=_EXAMPLES)
_FACT_OF = {question.text: fact for fact, question in _QUESTIONS.items()}

_LABELLED = re.compile(r"\*\*(?P<label>[\w ]{1,40}):\*\*")


def impact_stated(material: Material) -> Advice:
    """No impact recorded, or none with a figure."""
    written = [_impact_part(section) for section in material.sections if section.edited]
    if any(impact.figures(_PROMPT.sub("", text)) for text in written):
        return
    impacts = [entry for entry in material.entries if entry.kind == IMPACT]
    if material.unknown("impact"):
        yield "Impact", "Nobody says who was hurt, and how", material.answer("impact")
    elif impacts and material.unknown("figures"):
        yield at_entry(impacts[-1]), "It has no figure: how many, how much, how long?", material.answer("figures")


def cause_stated(material: Material) -> Advice:
    """No cause, neither on the timeline nor in an edited section."""
    question = _QUESTIONS[CAUSE].text
    written = [section.body for section in material.sections if "cause" in section.key and section.edited]
    if material.unknown(CAUSE) and not any(question not in body for body in written):
        yield "Cause", "Nothing says what led to it", material.answer(CAUSE)


def prompts(material: Material) -> Advice:
    """Open questions in a section, unless another rule reports the fact, and questions that the timeline answers."""
    for section in material.sections:
        asked = [(_FACT_OF.get(match["text"]), match) for match in _PROMPT.finditer(section.body)]
        answered = [match for fact, match in asked if fact and not material.unknown(fact)]
        unanswered = [
            match
            for fact, match in asked
            if not fact or (material.unknown(fact) and COVERED.get(fact) not in material.on)
        ]
        if unanswered:
            commands = " · ".join(match["command"] for match in unanswered)
            yield section.heading, f"It still asks: {_texts(unanswered)}", commands
        if answered:
            fix = material.slash("postmortem draft")
            yield section.heading, f"It asks what the timeline knows by now: {_texts(answered)}", fix


def length(material: Material) -> Advice:
    """A text shorter or longer than its template is meant for."""
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
    """The number of words in a body, not counting open questions, tables and code blocks."""
    text = _NO_TEXT.sub(" ", _PROMPT.sub(" ", body))
    return len(_WORD.findall(re.sub(r"```.*?(?:```|\Z)", " ", text, flags=re.DOTALL)))


def _impact_part(section: Section) -> str:
    """The part of a section about the impact: all of a section on it, else the paragraphs with that label."""
    if "impact" in section.key:
        return section.body
    labels = list(_LABELLED.finditer(section.body))
    ends = [label.start() for label in labels[1:]] + [len(section.body)]
    return " ".join(
        section.body[label.end() : end] for label, end in zip(labels, ends, strict=False) if "mpact" in label["label"]
    )


def _texts(questions: list[re.Match[str]]) -> str:
    return " ".join(match["text"] for match in questions)
