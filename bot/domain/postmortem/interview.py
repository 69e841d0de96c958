"""The interview after an incident: fields for what is recorded and what is not known, and the commands they stand for.

First come the milestones, each with its time, since what the timeline suggests rests on them; then the questions that
the draft leaves open, and the lessons it offers. Each answer is the command that could have been typed instead, so that
it is recorded as the entry or the change it is. A field left empty, or as it was, says nothing.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from bot.domain.incident import impact
from bot.domain.incident.lifecycle import in_order
from bot.domain.postmortem.causes import Cause, causes, is_unsorted, sorting
from bot.domain.postmortem.course import possible_mitigation
from bot.domain.postmortem.document import Document
from bot.domain.postmortem.offers import Offer
from bot.domain.postmortem.questions import FACTS, IN_WORDS, TEXTS, stem
from bot.domain.time.format import clock, zone_name
from bot.domain.words import clipped, without_code_marks
from bot.vocabulary import (
    ACKNOWLEDGED,
    ACTION_ITEM,
    ALIASES,
    CAUSE,
    COMMANDS,
    DETECTED,
    DETECTORS,
    ESCALATED,
    FACTORS,
    INCIDENT,
    KINDS,
    LESSON,
    MITIGATED,
    POSTMORTEM,
    QUALIFIER_LABELS,
    RESOLVED,
    STARTED,
)
from storage.values import PENDING, TimelineEntry

WORDS, LINE, TIME, CHOICE, TICKS, PERSON, DATE = "words", "line", "time", "choice", "ticks", "person", "date"
"""The inputs: a text of several lines or of one, an instant, one option, any options, a user, a date."""
MOST_MILESTONES = 60
"""Milestones whose times are shown, the newest ones; Slack takes 100 blocks in a modal."""
MOST_FIELDS = 90
ALWAYS = frozenset({
    "impact", "figures", "share", "cause", "factors", "slip", "detected_by", "measures", "owner", "well", "badly",
})  # fmt: skip
"""The facts that are asked for before there is a draft, which knows what its form has a place for."""
_MISSING = (STARTED, DETECTED, ACKNOWLEDGED, ESCALATED, MITIGATED, RESOLVED)
_MITIGATED_BY = "mitigated_by"
_MILESTONES = frozenset({*_MISSING, _MITIGATED_BY})
_CONFIRM, _STRIKE = "confirm", "strike"
_QUOTED, _HINT = 60, 150
_OPENED = "@"
_DATED = frozenset({"due"})
"""Subcommands whose name also begins an item, with its date."""
_IT_CHANGED = "was changed while the form was open; it is as you answered now."

Answer = str | int | list[str]
Answers = Mapping[str, Answer]
"""What was entered, by the name of its field; an instant is in seconds since 1970. Empty ones are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One input: `options` are (value, label), `initial` is what it holds at first, `example` what it could hold."""

    name: str
    label: str
    input: str
    options: tuple[tuple[str, str], ...] = ()
    initial: Answer | None = None
    hint: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedAnswer:
    """The command that the answer in the field called `field` stands for, and its words.

    `meanwhile` is what somebody else did to the same while the form was open, in words.
    """

    field: str
    command: str
    words: str
    meanwhile: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interview:
    """What the interview rests on: the document, the entries that stand, and the facts that the newest draft asks for.

    `zone` is that of whoever answers, None where it is not known.
    """

    document: Document
    entries: tuple[TimelineEntry, ...]
    asked: Collection[str]
    zone: ZoneInfo | None

    def numbered(self, number: str) -> TimelineEntry | None:
        """The entry of that number, where it stands."""
        return next((entry for entry in self.entries if str(entry.number) == number), None)

    @property
    def unsorted(self) -> list[TimelineEntry]:
        """The causes without a factor."""
        return [entry for entry in self.entries if is_unsorted(entry)]

    def is_open(self, fact: str) -> bool:
        """Whether the fact is not known, and asked for."""
        return fact in self.document.questions and fact in self.asked


def told(
    document: Document, entries: Iterable[TimelineEntry], asked: Collection[str] | None, zone: ZoneInfo | None
) -> Interview:
    """What the interview rests on. `entries` may come in any order; without a draft `asked` is None."""
    standing = in_order([entry for entry in entries if not entry.retracted])
    return Interview(
        document=document, entries=tuple(standing), asked=ALWAYS if asked is None else frozenset(asked), zone=zone
    )


def milestone_fields(told: Interview) -> tuple[Field, ...]:
    """Each milestone with its time, and those that are missing."""
    recorded = [entry for entry in told.entries if entry.kind in KINDS and KINDS[entry.kind].milestone]
    return (*map(_recorded, recorded[-MOST_MILESTONES:]), *_possible_mitigation(told), *_missing(told))


def _recorded(entry: TimelineEntry) -> Field:
    about = "About then. " if entry.approximate else ""
    return Field(
        name=f"time-{entry.number}{_OPENED}{int(entry.occurred_at.timestamp())}",
        label=f"{KINDS[entry.kind].label} · #{entry.number}",
        input=TIME,
        initial=int(entry.occurred_at.timestamp()),
        hint=f"{about}{_first_line(entry, _HINT)}",
    )


def _possible_mitigation(told: Interview) -> Iterator[Field]:
    fix = possible_mitigation(told.document) if _MITIGATED_BY in told.document.questions else None
    if fix is not None:
        local = fix.time.local
        said = f"{clock(local)} {zone_name(local)}: {clipped(without_code_marks(fix.words.first), _QUOTED)}"
        options = ((str(fix.number), clipped(said, 70)),)
        yield Field(
            name=f"fix-{fix.number}", label="This ended the impact", input=TICKS, options=options,
            initial=[str(fix.number)], hint="The last action before the resolution. Untick it if something else did.",
        )  # fmt: skip


def _missing(told: Interview) -> Iterator[Field]:
    questions = told.document.questions
    for kind in _MISSING:
        missing = kind in questions or (kind == MITIGATED and _MITIGATED_BY in questions)
        if missing and (kind != ESCALATED or kind in told.asked):
            example = KINDS[kind].hint.rpartition("] ")[2].rpartition(":] ")[2]
            yield Field(name=f"at-{kind}", label=TEXTS[kind], input=TIME, hint="Leave it empty if it is not known.")
            yield Field(name=f"words-{kind}", label=f"{KINDS[kind].label}: in words", input=LINE, example=example)


def question_fields(told: Interview) -> tuple[Field, ...]:
    """The questions that are open, in their order, and the lessons that are offered."""
    asked = [fact for fact in FACTS if fact not in _MILESTONES and told.is_open(fact)]
    found = [each for fact in asked for each in _FIELDS.get(fact, _in_words)(told, fact)]
    return (*found, *map(_offered, told.document.offers))[:MOST_FIELDS]


def _in_words(told: Interview, fact: str) -> Iterator[Field]:
    if fact in IN_WORDS:
        _, _, example = stem(fact, told.document.examples)
        yield Field(name=f"fact-{fact}", label=TEXTS[fact], input=WORDS, example=example)


def _cause(told: Interview, fact: str) -> Iterator[Field]:
    yield from _in_words(told, fact)
    yield Field(name=f"sort-{fact}", label="Which is that?", input=CHOICE, options=_labelled(FACTORS))


def _detected_by(_told: Interview, fact: str) -> Iterator[Field]:
    yield Field(name=f"fact-{fact}", label=TEXTS[fact], input=CHOICE, options=_labelled(DETECTORS))


def _factors(told: Interview, _fact: str) -> Iterator[Field]:
    for entry in told.unsorted:
        for place, cause in enumerate(_sortable(entry)):
            if cause.factor is None:
                label = f"Cause #{entry.number}: {clipped(' '.join(cause.text.split()), _HINT)}"
                yield Field(
                    name=f"factor-{entry.number}-{place}", label=label, input=CHOICE, options=_labelled(FACTORS)
                )


def _sortable(entry: TimelineEntry) -> tuple[Cause, ...]:
    """The causes of the entry; as one where a command cannot write them anew, for their lines or code."""
    named = causes(entry)
    alone = len(named) > 1 and sorting(entry) == f"{entry.number} {FACTORS[0]}:"
    return (Cause(text=entry.text, factor=entry.qualifier),) if alone else named


def _owners(told: Interview, _fact: str) -> Iterator[Field]:
    for item in told.document.agreed:
        if item.state in PENDING and not item.owner:
            yield Field(name=f"owner-{item.number}", label=_about_item("Who does", item.number, told), input=PERSON)


def _dates(told: Interview, _fact: str) -> Iterator[Field]:
    for item in told.document.agreed:
        if item.state in PENDING and not item.due_on:
            yield Field(name=f"due-{item.number}", label=_about_item("By when is", item.number, told), input=DATE)


def _about_item(asks: str, number: int, told: Interview) -> str:
    words = next((item.words.first for item in told.document.agreed if item.number == number), "")
    return f"{asks} action item {number}: {clipped(words, _HINT)}"


def _review(_told: Interview, fact: str) -> Iterator[Field]:
    yield Field(name=f"fact-{fact}", label=TEXTS[fact], input=TIME, hint="Those of the timeline are invited.")


_FIELDS: dict[str, Callable[[Interview, str], Iterator[Field]]] = {
    CAUSE: _cause,
    "detected_by": _detected_by,
    "factors": _factors,
    "owner": _owners,
    "due": _dates,
    "review": _review,
}
"""The fields of the questions that words alone do not answer."""


def _offered(offer: Offer) -> Field:
    options = ((_CONFIRM, "It is a lesson"), (_STRIKE, "Strike it"))
    side = QUALIFIER_LABELS[offer.side]
    return Field(name=f"offer-{offer.key}", label=f"{side}? {offer.text}", input=CHOICE, options=options)


def _labelled(qualifiers: Sequence[str]) -> tuple[tuple[str, str], ...]:
    return tuple((each, QUALIFIER_LABELS[each]) for each in qualifiers)


def problems(answers: Answers, told: Interview) -> dict[str, str]:
    """What is wrong with the answers themselves, by field."""
    found: dict[str, str] = {}
    for entry in told.unsorted:
        names = [each.name for each in _factors(told, "") if each.name.startswith(f"factor-{entry.number}-")]
        if any(name in answers for name in names):
            # What is not sorted would count as the cause before it.
            found |= {name: "Sort this one as well: it is of the same entry." for name in names if name not in answers}
    share = answers.get("fact-share")
    if isinstance(share, str) and not impact.says_how_many(share):
        found["fact-share"] = "Say what part of them: 12% of users, half of all orders, everybody in one region."
    for name in answers:
        what, _, kind = name.partition("-")
        if what == "words" and f"at-{kind}" not in answers:
            found[f"at-{kind}"] = "When was it? Choose a time, or leave both empty."
        if what == "fact" and kind not in TEXTS:
            # Another release opened the form: the words stay in it.
            found[name] = "This is not asked any more. Keep the words with a note, and leave this empty."
        if what == "sort" and f"fact-{kind}" not in answers:
            found[f"fact-{kind}"] = "What led to it? Say it, or leave both empty."
    return found


def steps(answers: Answers, told: Interview) -> list[TypedAnswer]:
    """The commands that the answers stand for, in the order of the fields."""
    found: list[TypedAnswer] = []
    for name, answer in answers.items():
        what, _, about = name.partition("-")
        if what in _STEPS:
            found += _STEPS[what](name, about, answer, _Answered(answers=answers, told=told))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answered:
    """All the answers, and what they are about."""

    answers: Answers
    told: Interview

    def text(self, name: str) -> str:
        """The text entered there; an empty one where there is none."""
        return str(self.answers.get(name, "")).strip()


def _retimed(name: str, about: str, answer: Answer, answered: _Answered) -> Iterator[TypedAnswer]:
    number, _, opened = about.partition(_OPENED)
    at_s, opened_s = int(str(answer)), int(opened)
    # The picker has minutes only: what is left on it keeps its seconds.
    if at_s // 60 != opened_s // 60:
        entry = answered.told.numbered(number)
        moved = entry is not None and int(entry.occurred_at.timestamp()) != opened_s
        meanwhile = f"The time of #{number} {_IT_CHANGED}" if moved else ""
        yield TypedAnswer(
            field=name, command=INCIDENT.name, words=f"edit {number} at {_iso(at_s)}", meanwhile=meanwhile
        )


def _happened(name: str, kind: str, answer: Answer, answered: _Answered) -> Iterator[TypedAnswer]:
    words = f"at {_iso(int(str(answer)))}: {answered.text(f'words-{kind}')}"
    yield TypedAnswer(field=name, command=kind, words=words, meanwhile=_both(kind, answered.told))


def _fixed(name: str, number: str, answer: Answer, answered: _Answered) -> Iterator[TypedAnswer]:
    fix = answered.told.numbered(number)
    if answer and fix is not None and f"at-{MITIGATED}" not in answered.answers:
        at = fix.occurred_at.isoformat(timespec="milliseconds")
        words = " ".join(without_code_marks(fix.text).split())
        meanwhile = "" if _MITIGATED_BY in answered.told.document.questions else _both(MITIGATED, answered.told)
        yield TypedAnswer(field=name, command=MITIGATED, words=f"at {at}: {words}", meanwhile=meanwhile)


def _answered_fact(name: str, fact: str, answer: Answer, answered: _Answered) -> Iterator[TypedAnswer]:
    """The step of a fact that is asked for; one that is not is among the `problems`."""
    if fact not in TEXTS:
        return
    meanwhile, examples = _both(fact, answered.told), answered.told.document.examples
    if fact == "review":
        at = datetime.fromtimestamp(int(str(answer)), answered.told.zone or UTC)
        when = f"{at:%Y-%m-%d %H:%M}{'' if answered.told.zone else ' UTC'}"
        yield TypedAnswer(field=name, command=POSTMORTEM.name, words=f"review {when}", meanwhile=meanwhile)
    elif fact == "detected_by":
        words = f"edit {examples['detection']} by {answer}"
        yield TypedAnswer(field=name, command=INCIDENT.name, words=words, meanwhile=meanwhile)
    elif fact in IN_WORDS:
        command, head, _ = stem(fact, examples)
        sort = answered.text(f"sort-{fact}")
        text = answered.text(name)
        words = f"{head}{f'{sort}: ' if sort else ''}{text}" if head else _as_words(command, text)
        yield TypedAnswer(field=name, command=command, words=words, meanwhile=meanwhile)


def _as_words(command: str, text: str) -> str:
    """The text with a colon before it where it begins as a subcommand: `drop the old cache` is what has to change."""
    first = (text.split(maxsplit=1) or [""])[0].casefold().rstrip(":,.")
    known = {each.name for each in COMMANDS[command].subcommands} - _DATED
    return f": {text}" if first in known | ALIASES[command].keys() or first.lstrip("#").isdigit() else text


def _sorted(name: str, about: str, answer: Answer, answered: _Answered) -> Iterator[TypedAnswer]:
    """One step for all causes of an entry, under the field of the first that is sorted."""
    number, _, _ = about.partition("-")
    entry = answered.told.numbered(number)
    chosen = {key: str(each) for key, each in answered.answers.items() if key.startswith(f"factor-{number}-")}
    if name != next(iter(chosen), name) or entry is None:
        return
    named = _sortable(entry)
    meanwhile = "" if is_unsorted(entry) else f"Cause #{number} {_IT_CHANGED}"
    words = f"{answer}:"
    if len(named) > 1:
        factors = [chosen.get(f"factor-{number}-{place}", each.factor) for place, each in enumerate(named)]
        texts = (f"{f'{factor}: ' if factor else ''}{cause.text}" for factor, cause in zip(factors, named, strict=True))
        words = "; ".join(texts)
    yield TypedAnswer(field=name, command=INCIDENT.name, words=f"edit {number} {words}", meanwhile=meanwhile)


def _assigned(name: str, number: str, answer: Answer, answered: _Answered) -> Iterator[TypedAnswer]:
    owner = next((item.owner for item in answered.told.document.agreed if str(item.number) == number), None)
    meanwhile = f"The owner of action item {number} {_IT_CHANGED}" if owner else ""
    yield TypedAnswer(field=name, command=ACTION_ITEM.name, words=f"assign {number} {answer}", meanwhile=meanwhile)


def _due(name: str, number: str, answer: Answer, answered: _Answered) -> Iterator[TypedAnswer]:
    due_on = next((item.due_on for item in answered.told.document.agreed if str(item.number) == number), None)
    meanwhile = f"The date of action item {number} {_IT_CHANGED}" if due_on else ""
    yield TypedAnswer(field=name, command=ACTION_ITEM.name, words=f"due {number} {answer}", meanwhile=meanwhile)


def _decided(name: str, key: str, answer: Answer, answered: _Answered) -> Iterator[TypedAnswer]:
    """What is no longer offered was told or struck meanwhile: then there is nothing to decide."""
    offer = next((each for each in answered.told.document.offers if each.key == key), None)
    if offer is not None and answer == _STRIKE:
        yield TypedAnswer(field=name, command=POSTMORTEM.name, words=f"strike {key}")
    elif offer is not None:
        words = offer.command.partition(" ")[2].removeprefix(f"{answered.told.document.incident.name} ")
        yield TypedAnswer(field=name, command=LESSON, words=words)


_STEPS: dict[str, Callable[[str, str, Answer, _Answered], Iterator[TypedAnswer]]] = {
    "time": _retimed,
    "at": _happened,
    "fix": _fixed,
    "fact": _answered_fact,
    "factor": _sorted,
    "owner": _assigned,
    "due": _due,
    "offer": _decided,
}
"""The commands of an answer, by how the name of its field begins."""


def _both(fact: str, told: Interview) -> str:
    if fact in told.document.questions or (fact == MITIGATED and _MITIGATED_BY in told.document.questions):
        return ""
    return f"“{TEXTS[fact]}” was answered by another while the form was open; both answers stand."


def _iso(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds")


def _first_line(entry: TimelineEntry, most: int) -> str:
    return clipped(without_code_marks(entry.text).strip().partition("\n")[0], most)
