"""The grammar of an action item: owner, date, term and priority, in any order before the words or after them."""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice

from bot.domain.items.due import other_reading, read_dates, refused_date, vague_dates
from bot.domain.items.labels import PURPOSE
from bot.domain.words import INVISIBLE, quoted, storable, trimmed
from bot.errors import UsageError

DROPPED = "dropped"
"""The state of an action item decided against."""
ME = "me"
"""The owner that people type for themselves."""


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


_WINDOW = 100
"""The most characters of one part."""
_DATE_WORDS = 6
_NO_DATE_WORDS = 4
_NUMBER = re.compile(r"\s*#?[0-9]+(?=[\s:,;]|$)")
_LINK = re.compile(r"https://[^\s<>|\"'`\x00-\x20]{1,1000}")
_EXAMPLE = "@alice short-term by friday: test the backups"

_END = r"(?=[ ,;:)\]!?]|\.(?: |$)|$)"
# The colon of an `:emoji:` belongs to the words.
_GAP = re.compile(r" *(?:(?P<mark>(?<! ):|:(?![\w+'-]+:)|[-\u2013\u2014](?= ))|[,;]|\.(?= ))? *")
_STARTS = r"(?<![\w'\u2019@/.-])"
_COLON_FIRST = re.compile(r" *:(?= )")
"""What forms put before the words where they were given no owner, date or term."""
_BULLET = re.compile(r" *(?:[-*\u2022] |\[ ?\] )?")
_GAP_BEFORE = re.compile(r"[ ,;]*(?: [-\u2013\u2014] ?)?$")
_WORDS = re.compile(r"[^ ]+")
_NEXT_WORD = re.compile(r" *(?P<word>[\w'\u2019&]+)")
_LAST_WORD = re.compile(r"(?P<word>[\w'\u2019]*)[ ,;(\[]*$")

_NAME = r"@(?P<owner>[\w-](?:[\w.-]{0,78}[\w-])?)"
_OWNS = r"(?:owner|owned by|assignee|assigned to|assign to|for|->|\u2192)[ :=]{1,2}"
_MINE = r"(?:owner|assignee)[:=] ?me"
_HEAD_OWNER = re.compile(rf"(?:(?:{_OWNS})?{_NAME}(?: to(?= [a-z]))?|(?:{_OWNS}|)me(?=:)|{_MINE}){_END}", re.IGNORECASE)
_TAIL_OWNER = re.compile(rf"(?<![\w@/])(?:(?P<owns>{_OWNS})?{_NAME}|(?P<mine>{_MINE}))$", re.IGNORECASE)
_MENTION = re.compile(rf"(?<![\w@.]){_NAME}(?![\w@])")
_AND_ANOTHER = re.compile(r" ?(?:and|or|&|\+|/) ?@")
_AFTER_ANOTHER = re.compile(r"@[\w.-]+ ?(?:and|or|&|\+|/|,) ?$")
_IS_TO = _words("will should must shall can could would needs wants")
"""After `@bob`, the start of a sentence about what Bob is to do: he owns the item, and the sentence stays whole."""
_IS = _words("is was isn't wasn't has had does did said says found knows broke asked thinks noticed saw wrote and or &")
"""After `@bob`, the start of a sentence about Bob: it names no owner."""
_TOWARDS = _words(
    "to with from by of and or at via ask tell ping thank thanks than like cc about as per see help replace train "
    "notify call email page message inform interview behind against before after between without for"
)
"""Before `@alice` at the end, a word that makes her a part of the sentence."""

_PLAIN_OWNERS = (
    re.compile(r"(?:^|[\s(\[])(?:owner|assignee|assigned to|owned by)[:=]? ([^\W\d_][\w.-]*)", re.IGNORECASE),
    re.compile(r"^ *([^\W\d_][\w.-]*) (?:to|will|should|must) [a-z]", re.IGNORECASE),
    re.compile(r"^ *([^\W\d_][\w.-]*) ?(?::| [-\u2013\u2014] )", re.IGNORECASE),
    re.compile(r"[(\[]([^\W\d_][\w.-]*)(?:, [^()\[\]]*)?[)\]] *[.!]?$"),
)
"""Where people write a name without an @; whether somebody has it, the members say."""

_TERM = r"(?P<kind>short|long)[ -]?term"
_LEVELS = {
    "p0": "high", "p1": "high", "p2": "medium", "p3": "low", "p4": "low", "0": "high", "1": "high", "2": "medium",
    "3": "low", "4": "low", "high": "high", "medium": "medium", "low": "low",
}  # fmt: skip
_LEVEL = r"(?:high|medium|low|p?[0-4])"
_PRIORITY = (
    rf"(?:prio(?:rity)?[ :=]{{1,2}}(?P<after>{_LEVEL})|(?P<before>{_LEVEL})[ -]prio(?:rity)?"
    r"|(?P<code>p[0-4])|(?P<bare>high|medium|low))"
)
_NOUNS = _words(
    "support plan solution goal goals trend trends data stats metrics effect project debt retention archive "
    "contract lease branch release storage memory store alert alerts alarm alarms incident incidents page pages ticket "
    "tickets bug bugs outage outages issue issues runbook runbooks channel sla slas response process"
)
"""After `long-term` or `P1`, a noun that it belongs to."""
_ARTICLES = _words(
    "the a an of this in over on for as is are be to every all any no like via than and or when our each"
)
"""Before a term or a priority at the end, a word that makes it a part of the sentence."""
_SUBJECTS = _words("the a an our all we it they i he she there that this these no every")
"""After `in 2 weeks` at the start, a word that makes that a part of the sentence."""
_FILLER = r"(?:asap|please|pls|thanks|thx|todo|action item|action)"
"""What may stand beside the parts, and stays in the words."""

_DUE = (
    r"(?:(?P<by>by)|due(?: (?:by|on|date))?|(?P<until>until|till?|before)|no[t]? later than|deadline(?: is)?|eta"
    r"|bis(?: (?:zum|sp\u00e4testens))?|sp\u00e4testens(?: bis)?|f\u00e4llig(?: am)?"
    r"|avant(?: le)?|d['\u2019]ici(?: le)?|pour(?: le)?)(?:[:=] ?| )"
)
"""What announces a date."""
_OF_ITSELF = re.compile(
    r"(?P<until>(?:in|dans) )|.*\b(?:eo[dwmqy]|cob|close of business|end of|ende de[rs]|monatsende|fin du|fin de)\b",
    re.IGNORECASE,
)
"""A date that needs no such word: `EOD friday`, `in 2 weeks`."""
_GOES_ON = _words(
    "keep kept hold held mute muted leave left stay stays wait waits silence silenced pause paused disable disabled "
    "freeze frozen block blocked snooze snoozed valid run runs ran expire expires expired end ends ended lasts again "
    "off on down up out back open closed happens happened shift extend increase reduce"
)
"""Beside `until friday` or `in 2 weeks`, a word that makes it a part of the sentence."""
_CLOCK = (
    r",?(?: at)? (?:[0-9]{1,2}(?::[0-9]{2}(?: ?[ap]m)?| ?[ap]m)|noon|midnight|morning|afternoon|evening)"
    r"(?: (?:utc|[a-z]{1,4}t))?(?!\w|:[0-9])"
)
_DATE_LIKE = re.compile(r"[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{2,4}")
_FIGURE = re.compile(r"[0-9]{1,2}[.-][0-9]{1,2}")
_LENGTH = re.compile(r"(?:an?|one|two|three|four|[0-9]{1,3}) ?(?:[dw]|days?|weeks?|months?)", re.IGNORECASE)
_STOP = re.compile(r":(?![0-9])|[ ,]@| (?:short|long)[ -]?term\b| p[0-4]\b", re.IGNORECASE)
_SOON = re.compile(r"[0-9]{1,3} ?[dw]|[0-9]{1,3} (?:day|week)s?|today|tomorrow|heute|demain", re.IGNORECASE)

_TERM_HEAD, _TERM_TAIL = re.compile(_TERM + _END, re.IGNORECASE), re.compile(_STARTS + _TERM + "$", re.IGNORECASE)
_PRIORITY_HEAD = re.compile(_PRIORITY + _END, re.IGNORECASE)
_PRIORITY_TAIL = re.compile(_STARTS + _PRIORITY + "$", re.IGNORECASE)
_PURPOSE_HEAD = re.compile(f"(?:{PURPOSE}){_END}(?!:[^ ])", re.IGNORECASE)
_FILLER_HEAD = re.compile(_FILLER + _END, re.IGNORECASE)
_FILLER_TAIL = re.compile(_STARTS + _FILLER + "$", re.IGNORECASE)
_DUE_HEAD, _DUE_TAIL = re.compile(_DUE, re.IGNORECASE), re.compile(_STARTS + _DUE, re.IGNORECASE)
_CLOCK_HEAD, _CLOCK_TAIL = re.compile(_CLOCK, re.IGNORECASE), re.compile(_CLOCK + "$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemWords:
    """An action item as typed: `owner` without its @ (ME for the typist), `kind` one of ITEM_KINDS, `priority` one of
    PRIORITIES.

    `text` are the words without what these were read from, and `text_with_owner` those that leave the owner in, for
    one who can own nothing. What is doubtful stays in the words: `other_owner` is somebody whom they name, and
    `other_dates` are days that may be meant instead of `due_on`. `problem` says why a date was not taken.
    """

    owner: str | None
    kind: str | None
    due_on: date | None
    text: str
    text_with_owner: str
    priority: str | None = None
    other_owner: str | None = None
    other_dates: tuple[date, ...] = ()
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What stands from `start` to `end`: an owner, a term or a priority with its `value`, a date, or a filler.

    A `bare` part of the head, such as `friday` or `high`, counts only if a colon or another part follows; `closed`
    says that a colon does. A part that is `kept` stays in the words. `dates` and `problem` as in ItemWords.
    """

    name: str
    start: int = 0
    end: int = 0
    value: str | None = None
    due_on: date | None = None
    bare: bool = False
    closed: bool = False
    kept: bool = False
    dates: tuple[date, ...] = ()
    problem: str | None = None


_NONE = _Part(name="")


def parse_item(words: str, *, today: date, typed: str = "") -> ItemWords:
    """The action item the words describe; `typed` are the command and its words.

    Owner, date, term and priority are each taken once; a second one stays in the words, and so does a date that is
    past, is none, or may be two. Raises UsageError without words.
    """
    # Of the same length as the words, so that what is found in one can be cut out of the other.
    plain = re.sub(rf"[\s{INVISIBLE}]", " ", storable(words))
    if colon := _COLON_FIRST.match(plain):
        words, plain = words[colon.end() :], plain[colon.end() :]
    head, doubted = _head(plain, today)
    parts = [*head, *_tail(plain, head[-1].end if head else 0, {part.name for part in head}, today)]
    by_name = {part.name: part for part in parts}
    # It stays the label of the words, and comes first whatever stood before it.
    label = f"{by_name['purpose'].value}: " if "purpose" in by_name else ""
    text = _without(words, parts)
    if not text:
        example = f"{typed.rstrip(': ')}: test the backups" if typed else _EXAMPLE
        raise UsageError(f"Say what has to be done. Try: {example}")
    owner, due = by_name.get("owner", _NONE), by_name.get("due", _NONE)
    dates = due.dates if due.name else tuple(each for part in doubted for each in part.dates)
    return ItemWords(
        owner=owner.value,
        kind=by_name.get("term", _NONE).value,
        due_on=due.due_on,
        text=label + text,
        text_with_owner=label + _without(words, [part for part in parts if part is not owner]),
        priority=by_name.get("priority", _NONE).value,
        other_owner=_other_owner(text, owner),
        other_dates=dates,
        problem=due.problem,
    )


def _without(words: str, parts: Iterable[_Part]) -> str:
    """The words less those parts of them that are not to be kept."""
    left, position = [], 0
    for part in sorted((each for each in parts if not each.kept), key=lambda each: each.start):
        left.append(words[position : part.start])
        position = part.end
    left.append(words[position:])
    return trimmed("".join(left))


def _other_owner(text: str, owner: _Part) -> str | None:
    """Somebody else whom the words name, where no owner was taken out of them."""
    named = [mention["owner"] for mention in _MENTION.finditer(text)]
    return next((name for name in named if name != owner.value), None) if owner.kept or owner.value is None else None


def _head(plain: str, today: date) -> tuple[list[_Part], list[_Part]]:
    """The parts that the words begin with, and those bare ones that nothing follows to make them parts."""
    parts: list[_Part] = []
    doubted: list[_Part] = []
    bullet = _BULLET.match(plain)
    position = bullet.end() if bullet else 0
    while part := _head_part(plain, position, today, {part.name for part in parts}):
        gap = _GAP.match(plain, part.end)
        position = gap.end() if gap else part.end
        # What cannot be seen before the first part goes with it.
        start = part.start if plain[: part.start].strip() else 0
        parts.append(replace(part, start=start, end=position, closed=bool(gap and gap["mark"])))
        if part.name == "owner" and part.kept:
            break
    while parts and (parts[-1].name == "filler" or (parts[-1].bare and not _counts(parts, plain))):
        doubted.append(_only_offered(parts.pop()))
    purpose = next((index for index, part in enumerate(parts) if part.name == "purpose" and not part.closed), None)
    if purpose is not None and not parts[-1].closed:
        # `prevent @alice from …`: the verb of the sentence.
        del parts[purpose:]
    return parts, doubted


def _counts(parts: list[_Part], plain: str) -> bool:
    """Whether the last part of the head, a bare one, is a part though the words go on after it without a colon."""
    last, follows = parts[-1], any(part.name != "filler" for part in parts[:-1])
    if last.closed or _word_after(plain, last.end) in _NOUNS:
        return last.closed
    typed = plain[last.start : last.end].strip(" ,;")
    return {
        "due": follows and bool(_SOON.fullmatch(typed)),
        "term": follows,
        "purpose": False,
        "priority": typed[0] in "pP",
    }[last.name]


def _head_part(plain: str, position: int, today: date, found: set[str]) -> _Part | None:
    """The part that begins at the position, in brackets or without; None where none of a new name does."""
    bracket = plain[position : position + 1] in set("([")
    for read in (_head_owner, _head_due, _head_term, _head_priority, _head_purpose, _head_filler):
        part = read(plain, position + bracket, today)
        if part is None or part.name in found:
            continue
        if not bracket:
            return part
        if plain[part.end : part.end + 1] in set(")]"):
            return replace(part, start=position, end=part.end + 1, bare=part.bare and part.name == "due")
    return None


def _head_owner(plain: str, position: int, _today: date) -> _Part | None:
    match = _HEAD_OWNER.match(plain, position)
    if match is None:
        return None
    follows = _word_after(plain, match.end())
    another = bool(_AND_ANOTHER.match(plain, match.end()))
    if follows in _IS and not another:
        return None
    return _Part(
        name="owner",
        start=position,
        end=match.end(),
        value=match["owner"] or ME,
        kept=another or follows in _IS_TO,
    )


def _head_term(plain: str, position: int, _today: date) -> _Part | None:
    match = _TERM_HEAD.match(plain, position)
    return match and _Part(
        name="term", start=position, end=match.end(), value=f"{match['kind'].lower()}-term", bare=True
    )


def _head_priority(plain: str, position: int, _today: date) -> _Part | None:
    match = _PRIORITY_HEAD.match(plain, position)
    return match and _Part(
        name="priority",
        start=position,
        end=match.end(),
        value=_level(match),
        bare=bool(match["code"] or match["bare"]),
    )


def _level(match: re.Match[str]) -> str:
    return _LEVELS[(match["after"] or match["before"] or match["code"] or match["bare"]).lower()]


def _head_purpose(plain: str, position: int, _today: date) -> _Part | None:
    match = _PURPOSE_HEAD.match(plain, position)
    return match and _Part(name="purpose", start=position, end=match.end(), value=match[0], bare=True)


def _head_filler(plain: str, position: int, _today: date) -> _Part | None:
    match = _FILLER_HEAD.match(plain, position)
    return match and _Part(name="filler", start=position, end=match.end(), kept=True)


def _head_due(plain: str, position: int, today: date) -> _Part | None:
    """A date with what announces it, or alone."""
    announced = _DUE_HEAD.match(plain, position)
    start = announced.end() if announced else position
    window = plain[start : start + _WINDOW]
    stop = _STOP.search(window)
    typed = window[: stop.start()] if stop else window
    # The longest that is a date: `1 december 2026`, not `1 december`.
    ends = [word.end() for word in islice(_WORDS.finditer(typed), _DATE_WORDS)]
    phrases = [typed[:end].rstrip(",;)]!?") for end in reversed(ends)]
    phrase = next((each for each in phrases if read_dates(each, today=today)), None)
    if phrase is None:
        first = typed.split(" ", 1)[0].rstrip(",;)]!?")
        if announced and stop and first == typed and (vague := vague_dates(first, today=today)):
            return _Part(name="due", start=position, end=start + len(typed), kept=True, dates=vague)
        if announced and not announced["until"] and (problem := _no_date(typed, closed=stop is not None)):
            return _Part(name="due", start=position, end=start + len(typed), kept=True, problem=problem)
        return None
    end = start + len(phrase)
    itself = None if announced else _OF_ITSELF.match(phrase)
    if not (announced or itself) and _FIGURE.fullmatch(phrase):
        return None
    part = _dated(phrase, read_dates(phrase, today=today), today, start=position, end=end)
    if (announced or itself) and (clock := _CLOCK_HEAD.match(plain, end)):
        # An item is due on a day: the words keep the time.
        part = replace(part, end=clock.end(), kept=True)
    lasts = (announced or itself or {"until": None})["until"]
    amount = announced and announced["by"] and _LENGTH.fullmatch(phrase)
    goes_on = _word_after(plain, end) in _SUBJECTS | _GOES_ON
    return replace(part, bare=bool(not (announced or itself) or amount or (lasts and goes_on)))


def _no_date(typed: str, *, closed: bool) -> str | None:
    """Why a date was announced and none is taken, if the words were clearly meant as one."""
    first = typed.split(" ", 1)[0]
    if _DATE_LIKE.fullmatch(first):
        return f"{quoted(first)} is no date I know."
    words = typed.split()
    return f"{quoted(typed)} is no date I know." if closed and 0 < len(words) <= _NO_DATE_WORDS else None


def _dated(phrase: str, dates: tuple[date, ...], today: date, *, start: int, end: int) -> _Part:
    """The part of an announced date; one that may be two, or nothing can be due on, is not taken."""
    if len(dates) > 1:
        problem = f"{phrase} is read differently in different places."
        return _Part(name="due", start=start, end=end, kept=True, dates=dates, problem=problem)
    if refused := refused_date(dates[0], today):
        meant = _with_next_year(dates[0], today)
        return _Part(name="due", start=start, end=end, kept=True, dates=meant, problem=refused)
    other = other_reading(phrase, today=today)
    return _Part(name="due", start=start, end=end, due_on=dates[0], dates=(other,) if other else ())


def _with_next_year(due_on: date, today: date) -> tuple[date, ...]:
    """The day with its next year, which is meant where the year of a date of the last months is mistyped."""
    if not today - timedelta(days=365) < due_on < today:
        return ()
    with suppress(ValueError):
        return (due_on.replace(year=due_on.year + 1),)
    return ()


def _tail(plain: str, start: int, found: set[str], today: date) -> list[_Part]:
    """The parts that the words from `start` end with, the last one first."""
    parts: list[_Part] = []
    end = len(plain)
    while True:
        stop = start + len(plain[start:end].rstrip(" ,;.!"))
        part = _tail_part(plain[max(start, stop - _WINDOW) : stop], today, found | {each.name for each in parts})
        if part is None:
            return parts
        begin = max(start, stop - _WINDOW) + part.start
        gap = _GAP_BEFORE.search(plain, start, begin)
        begin = gap.start() if gap else begin
        parts.append(replace(part, start=begin, end=end))
        end = begin


def _tail_part(words: str, today: date, found: set[str]) -> _Part | None:
    """The part that the words end with; None where they end with none of a new name."""
    if words[-1:] in set(")]"):
        opening = max(words.rfind("("), words.rfind("["))
        part = _head_part(words, opening, today, found) if opening >= 0 else None
        if part is None or part.end != len(words):
            comma = words.rfind(", ", opening) if opening >= 0 else -1
            inner = _tail_due(words[comma + 2 : -1], today) if comma >= 0 and "due" not in found else None
            if inner is None or inner.start != 0:
                return None
            # Beside a name in the same brackets, which stay whole.
            return replace(inner, start=opening, end=len(words), kept=True)
        return _only_offered(part) if part.bare else part
    for read in (_tail_owner, _tail_due, _tail_term, _tail_priority, _tail_filler):
        part = read(words, today)
        if part is not None and part.name not in found:
            return part
    return None


def _tail_owner(words: str, _today: date) -> _Part | None:
    match = _TAIL_OWNER.search(words)
    if match is None or _AFTER_ANOTHER.search(words[: match.start()]):
        return None
    if match["owner"] and not match["owns"] and _word_before(words, match.start()) in _TOWARDS:
        return None
    # `a laptop for @bob`: he owns the item or is to get the laptop.
    benefits = (match["owns"] or "").lower().startswith("for")
    return _Part(name="owner", start=match.start(), end=len(words), value=match["owner"] or ME, kept=benefits)


def _tail_term(words: str, _today: date) -> _Part | None:
    match = _TERM_TAIL.search(words)
    if match is None or _word_before(words, match.start()) in _ARTICLES:
        return None
    return _Part(name="term", start=match.start(), end=len(words), value=f"{match['kind'].lower()}-term")


def _tail_priority(words: str, _today: date) -> _Part | None:
    match = _PRIORITY_TAIL.search(words)
    if match is None or match["bare"] or _word_before(words, match.start()) in _ARTICLES:
        return None
    return _Part(name="priority", start=match.start(), end=len(words), value=_level(match))


def _tail_filler(words: str, _today: date) -> _Part | None:
    match = _FILLER_TAIL.search(words)
    return match and _Part(name="filler", start=match.start(), end=len(words), kept=True)


def _tail_due(words: str, today: date) -> _Part | None:
    """An announced date; or one that may be meant as one, which stays in the words."""
    clock = _CLOCK_TAIL.search(words)
    without_clock = words[: clock.start()] if clock else words
    for match in _DUE_TAIL.finditer(without_clock):
        phrase = without_clock[match.end() :]
        dates = read_dates(phrase, today=today)
        start, end = match.start(), len(words)
        if dates and not (len(dates) > 1 and _FIGURE.fullmatch(phrase)):
            part = _dated(phrase, dates, today, start=start, end=end)
            doubtful = (match["until"] and _GOES_ON.intersection(words[:start].lower().split())) or (
                match["by"] and _LENGTH.fullmatch(phrase)
            )
            return _only_offered(part) if doubtful else replace(part, kept=part.kept or bool(clock))
        if vague := vague_dates(phrase, today=today):
            return _Part(name="due", start=start, end=end, kept=True, dates=vague)
        if _DATE_LIKE.fullmatch(phrase) and (problem := _no_date(phrase, closed=False)):
            return _Part(name="due", start=start, end=end, kept=True, problem=problem)
    for word in list(_WORDS.finditer(without_clock))[-_DATE_WORDS:]:
        phrase, start = without_clock[word.start() :], word.start()
        dates = read_dates(phrase, today=today)
        if len(dates) == 1 and not _FIGURE.fullmatch(phrase):
            part = _dated(phrase, dates, today, start=start, end=len(words))
            itself = _OF_ITSELF.match(phrase)
            if itself and not (itself["until"] and _word_before(words, start) in _GOES_ON):
                return replace(part, kept=part.kept or bool(clock))
            return _only_offered(part)
    return None


def _only_offered(part: _Part) -> _Part:
    """The part left in the words, its date a button."""
    dates = (part.due_on, *part.dates) if part.due_on else ()
    return replace(part, due_on=None, dates=dates, kept=True, problem=None)


def _word_after(plain: str, position: int) -> str:
    """The word right after the position, in lower case; empty where none follows a space there."""
    match = _NEXT_WORD.match(plain, position)
    return match["word"].lower() if match else ""


def _word_before(plain: str, position: int) -> str:
    match = _LAST_WORD.search(plain[:position])
    return match["word"].lower() if match else ""


def plain_owner(text: str) -> str | None:
    """A word without an @ that stands where people write a name: `bob to fix it`, `fix it (bob)`, `owner: bob`."""
    return next((match[1] for form in _PLAIN_OWNERS if (match := form.search(text))), None)


def second_owner(text: str) -> str | None:
    """The name with an @ that the words begin with, once an owner was taken out of them: `@bob @carol fix it`."""
    match = _MENTION.match(text)
    return match and match["owner"]


def without_announcement(words: str) -> str:
    """The words of a date without the `by` or `due on` before them."""
    announced = _DUE_HEAD.match(words)
    return words[announced.end() :] if announced else words


def names_new_item(words: str, *, today: date) -> bool:
    """Whether the words after `due` are those of a new item, `friday: fix it`, and not `3 friday`, an item's date."""
    number = _NUMBER.match(words)
    if number is None:
        return bool(words.strip())
    part = _head_due(re.sub(r"\s", " ", words), 0, today)
    return part is not None and part.end > number.end() and not read_dates(words[number.end() :], today=today)


def parse_link(words: str) -> str | None:
    """The first web address in the words, `https://…`, without the punctuation after it; None when there is none."""
    match = _LINK.search(words)
    return match[0].rstrip(".,;:!?)") if match else None
