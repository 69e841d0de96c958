"""The rules on the document: impact and cause, open questions, length."""

import re

from bot.domain.check.finding import Advice, Material, at_entry
from bot.domain.incident import figures
from bot.domain.incident.topics import is_private
from bot.domain.postmortem import third_person
from bot.domain.postmortem.questions import NOTHING, STILL_OPEN, asked, is_prompt
from bot.domain.words import clipped
from bot.vocabulary import CAUSE, IMPACT
from storage.values import Section

SUMMARY = "summary"
"""The key of the section whose first paragraph tells times and impact together."""
TIMELINE = "timeline"
"""The key of the section that nobody can shorten."""

WORDS = {"classic": 600}
"""The most words of a postmortem in a template, its timeline apart."""
LONG = 1000
"""So many words with the timeline are too many to read at once, unless the timeline alone is the reason."""
A_MINUTE = 230
"""Words that a person reads in a minute."""
MOST_ASKED = 3
"""Questions that one finding repeats; of the others there is a count."""

COVERED = {
    "started": "milestones", "detected": "milestones", "acknowledged": "milestones", "mitigated": "milestones",
    "mitigated_by": "milestones",
    "resolved": "milestones", "detected_by": "detection", "impact": "impact", "figures": "impact", "cause": "cause",
    "measures": "prevention", "owner": "owners", "due": "dates", "slip": "slips",
}  # fmt: skip
"""The rule that reports a fact as missing. While it is on, a section's question about that fact is not reported."""

_NO_TEXT = re.compile(
    r"^\|[-:| \t]+\|[ \t]*$|^[ \t]*```[^\n]*$|<!--.*?(?:-->|\Z)|\]\([^)\n]*\)", re.MULTILINE | re.DOTALL
)
_FIRST_PERSON = re.compile(r"(?<![\w-])(?:I|we|my|our|me|us|mine|ours|let['\u2019]s)(?![\w-])", re.IGNORECASE)
_WORD = re.compile(r"[^\W_][\w'\u2019.,:/-]*")

_LABELLED = re.compile(r"\*\*(?P<label>[\w ]{1,40}):\*\*")


def impact_stated(material: Material) -> Advice:
    """No impact recorded, or none with a figure."""
    if any(_states_figure(section) for section in material.sections if section.edited):
        return
    impacts = [entry for entry in material.entries if entry.kind == IMPACT]
    if material.unknown("impact"):
        yield "Impact", "Nobody says who was hurt, and how", material.answer("impact")
    elif impacts and material.unknown("figures"):
        yield at_entry(impacts[-1]), "It has no figure: how many, how much, how long?", material.answer("figures")


def cause_stated(material: Material) -> Advice:
    """No cause, neither on the timeline nor in an edited section."""
    written = [section.body for section in material.sections if "cause" in section.key and section.edited]
    if material.unknown(CAUSE) and not any(map(_written, written)):
        yield "Cause", "Nothing says what led to it", material.answer(CAUSE)


def prompts(material: Material) -> Advice:
    """Open questions that no other rule reports, in one finding, and questions that the timeline answers by now."""
    found = list(asked(material.sections))
    unanswered = [
        (section.heading, text, material.answer(fact) if fact else material.about(command))
        for section, fact, text, command in found
        if not fact or (material.unknown(fact) and COVERED.get(fact) not in material.on)
    ]
    answered = [text for _, fact, text, _ in found if fact and not material.unknown(fact)]
    if unanswered:
        heading, _, first = unanswered[0]
        yield heading, f"It still asks: {_some([text for _, text, _ in unanswered])}", first
    if answered:
        reason = f"It asks what the timeline knows by now: {_some(answered)}"
        yield found[0][0].heading, reason, material.slash("postmortem draft")


def first_person(material: Material) -> Advice:
    """Entries in the first person, which a public edition tells as somebody else's."""
    told = [(at_entry(entry), entry.text) for entry in material.entries if not is_private(entry.text)]
    found = [(place, text) for place, text in told if _FIRST_PERSON.search(text) and third_person.first_person(text)]
    if found:
        place, text = found[0]
        others = f" ({len(found) - 1} more in the same way)" if len(found) > 1 else ""
        edition = " ".join(third_person.third_person(text).split())
        reason = f"A public edition tells it in the third person: {clipped(edition, 120)}{others}"
        yield place, reason, material.slash("postmortem show public")


def length(material: Material) -> Advice:
    """A long text of which a section that people can shorten is the reason."""
    if material.template not in WORDS:
        return
    counts = [(words(section.body), section) for section in material.sections if section.key != STILL_OPEN]
    total = sum(count for count, _ in counts)
    written = [(count, section.heading) for count, section in counts if section.key != TIMELINE]
    if total > LONG and sum(count for count, _ in written) > WORDS[material.template]:
        highest, longest = max(written)
        minutes = round(total / A_MINUTE)
        yield (
            "The whole text",
            f"{total} words, some {minutes} minutes of reading, of which “{longest}” takes {highest}",
            f"Keep in “{longest}” what a reader acts on, and link to the rest",
        )


def words(body: str) -> int:
    """The words that a reader of the section reads: tables and code too, comments and marks of a table not."""
    return len(_WORD.findall(_NO_TEXT.sub(" ", _own_words(body))))


def _states_figure(section: Section) -> bool:
    """Whether a person wrote a figure of the impact into the section: one that the draft of the summary had not."""
    if figures.figures(_impact_part(section)):
        return True
    if section.key != SUMMARY or section.drafted is None:
        return False
    mine, drafted = (text.partition("\n\n")[0] for text in (section.body, section.drafted))
    return not set(figures.figures(mine)) <= set(figures.figures(drafted))


def _impact_part(section: Section) -> str:
    """The part of a section about the impact: all of a section on it, else the paragraphs with that label."""
    if "impact" in section.key:
        return section.body
    labels = list(_LABELLED.finditer(section.body))
    ends = [label.start() for label in labels[1:]] + [len(section.body)]
    return " ".join(
        section.body[label.end() : end] for label, end in zip(labels, ends, strict=False) if "mpact" in label["label"]
    )


def _own_words(body: str) -> str:
    return "\n".join(line for line in body.split("\n") if line.strip() != NOTHING and not is_prompt(line))


def _some(questions: list[str]) -> str:
    more = len(questions) - MOST_ASKED
    return " ".join((*questions[:MOST_ASKED], *([f"And {more} more."] if more > 0 else [])))


def _written(body: str) -> bool:
    return bool(_own_words(body).strip())
