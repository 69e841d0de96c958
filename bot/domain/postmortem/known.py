"""What a document tells already, and therefore what is still to be asked."""

from bot.domain.incident.impact import ASPECTS
from bot.domain.incident.lifecycle import Phases
from bot.domain.incident.sorting import DROPPED
from bot.domain.incident.topics import TOPICS
from bot.domain.postmortem.document import Document, Item
from bot.domain.postmortem.questions import Question, questions
from bot.vocabulary import DETECTED, FACTORS, IMPACT, SIDES, STARTED
from storage.values import PENDING


def _agreed(document: Document) -> list[Item]:
    return [item for term, items in document.items.items() if term != DROPPED for item in items]


def _known(document: Document, split: Phases) -> dict[str, bool]:
    """Which facts a question could be asked about are told already; one not listed is never asked about."""
    life = document.lifecycle
    told = {entry.kind for entry in (*split.lead_up, *split.during)}
    agreed = _agreed(document)
    figures = any(part.figure for line in document.impact for part in line.words.parts)
    return {
        "started": bool(told & {STARTED, IMPACT}),
        "detected": life.detected_at is not None,
        "detected_by": life.detected_at is None or life.detected_by is not None,
        "acknowledged": life.acknowledged_at is not None,
        "escalated": life.escalations > 0,
        "mitigated": life.mitigated_at is not None,
        "resolved": life.resolved_at is not None,
        "impact": bool(document.impact),
        "figures": figures or not document.impact,
        "share": bool(document.share) or not figures,
        "cause": bool(document.causes),
        "measures": bool(agreed),
        "owner": all(item.owner or item.state not in PENDING for item in agreed),
        "due": all(item.due_on or item.state not in PENDING for item in agreed),
        **{side: side in document.lessons for side in SIDES},
        **{factor: factor in document.causes for factor in FACTORS},
        **{aspect: aspect in document.aspects for aspect in ASPECTS},
        **{topic: topic in document.topics for topic in TOPICS},
        "review": document.review is not None or "review" in document.topics,
    }


def open_questions(document: Document, split: Phases, prefix: str) -> dict[str, Question]:
    """The questions `document` leaves open, by fact; each template asks those its form has a place for."""
    known = _known(document, split)
    standing = (*split.lead_up, *split.during, *split.aftermath)
    agreed = _agreed(document)
    pending = [item for item in agreed if item.state in PENDING]
    examples = {
        "detection": next((entry.number for entry in standing if entry.kind == DETECTED), 1),
        "unowned": next((item.number for item in pending if not item.owner), 1),
        "undated": next((item.number for item in pending if not item.due_on), 1),
    }
    return questions(frozenset(fact for fact in known if not known[fact]), prefix=prefix, examples=examples)
