"""What an impact text states: the share of users hurt, the aspects of the impact. Nothing is computed."""

import re

from bot.domain.incident.figures import ABOUT, AMOUNT, AUDIENCE, EDGE, KIND, MODIFIER, PERCENT, WHOLE

_SHARE = re.compile(
    rf"{EDGE}{ABOUT}(?:{AMOUNT}{PERCENT}(?:[ ]of)?|{WHOLE} (?:in|of|out of) {WHOLE})"
    rf"[ ](?:all |the |our |its ){{0,2}}{MODIFIER}{{0,2}}?{AUDIENCE}",
    re.IGNORECASE,
)
_SHARE_IN_WORDS = re.compile(
    rf"(?<![\w-])(?<!not )(?<!nearly )(?:all|every|most|half|a third|two thirds|a quarter|three quarters)"
    rf"(?: of)?[ ](?:all |the |our |its ){{0,2}}{MODIFIER}{{0,2}}?{AUDIENCE}",
    re.IGNORECASE,
)
_UNHURT = re.compile(
    r"\b(?:unaffected|not affected|restored|recovered|recovering|working|works?|intact|fine|survived|healthy"
    r"|normal|back|served again|safe)\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^;.!?\n]+(?:[.]\w[^;.!?\n]*)*")
_COMMA = re.compile(r",[ ]+(?!(?:only|but only|in|on|at|for|from|during|within|via|with|across|mostly|mainly)\b)")
_LIMITS = re.compile(
    r"(?:in|on|at|for|from|to|of|via|with|within|during|using|across|through|behind|under|between|until|after|before|only"
    r"|except|who|that|which|where|when|whose|if|while)\b",
    re.IGNORECASE,
)
_VERB = re.compile(
    r"[ ](?:is|are|was|were|has|have|had|could|can|cannot|did|do|does|will|fail\w*|los[et]|lost|see|saw|seen|got|get"
    r"|gets|receiv\w+|return\w*|hit|hits|affected|impacted|broken|broke|down|drop\w*|time[sd]?|timing|experienc\w+|report\w*"
    r"|went|goes|suffer\w*|unable|unreachable|unavailable|offline|degraded|rejected|blocked|locked|dead|gone)\b",
    re.IGNORECASE,
)
_OF_ALL = re.compile(
    rf"\b(?:all|every|everyone|everybody|everything|everywhere|nobody|no one|none|nothing|entire|entirely|whole"
    rf"|complete|completely|total|totally|fully|worldwide|globally)\b|\bno (?:{MODIFIER})?{AUDIENCE}|\d{PERCENT}",
    re.IGNORECASE,
)

ASPECTS = ("users", "business", "money", "performance", "operations")
_LABEL = re.compile(rf"\s*({'|'.join(ASPECTS)})\s*:\s", re.IGNORECASE)
_MONEY = r"[$€£¥] ?\d|\d ?(?:USD|EUR|GBP|dollars|euros|pounds)\b|\brefunds?\b|\brevenue\b"
MONEY_WORDS = re.compile(_MONEY, re.IGNORECASE)
"""What an impact about money says."""
_ASPECTS = {
    "users": re.compile(rf"\b{KIND}", re.IGNORECASE),
    "business": re.compile(
        r"\b(?:orders?|checkouts?|bookings?|payments?|sales|revenue|contracts?|SLAs?|partners?|merchants?|press)\b",
        re.IGNORECASE,
    ),
    "money": MONEY_WORDS,
    "performance": re.compile(
        r"\b(?:latency|p9\d|slow(?:er|ly|ness)?|errors?|time-?outs?|5(?:\d\d|xx)s?|CPU|load|throughput|queues?)\b",
        re.IGNORECASE,
    ),
    "operations": re.compile(
        r"\b(?:on-?call|staff|support|backups?|deploy(?:s|ments?)?|databases?|hosts?|servers?|replicas?|offline)\b",
        re.IGNORECASE,
    ),
}


def share(text: str) -> str | None:
    """The share of users, customers, traffic and the like that was hurt, verbatim; None where `text` states none.

    It keeps the words that limit it: `at peak 100% of traffic to this API stack`. A share in figures goes before one in
    words. Clauses about what was spared or restored are left out.
    """
    hurt = [clause for clause in _clauses(text) if not _UNHURT.search(clause)]
    found = ((clause, pattern.search(clause)) for pattern in (_SHARE, _SHARE_IN_WORDS) for clause in hurt)
    return next((_limited(clause, match) for clause, match in found if match), None)


def says_how_many(text: str) -> bool:
    """Whether `text` tells what part was hurt: a share, a percentage, or that it was all or none."""
    return _OF_ALL.search(text) is not None or share(text) is not None


def _clauses(text: str) -> list[str]:
    """The parts of `text` between commas and stops; one that only limits its neighbour belongs to it."""
    clauses: list[str] = []
    for sentence in _SENTENCE.finditer(text):
        parts = _COMMA.split(sentence[0].strip())
        for part in parts:
            if clauses and part is not parts[0] and _LIMITS.match(clauses[-1]) and not _VERB.search(clauses[-1]):
                clauses[-1] = f"{clauses[-1]}, {part}"
            else:
                clauses.append(part)
    return clauses


def _limited(clause: str, match: re.Match[str]) -> str:
    """The share with what limits it; where that cannot be told apart from the rest of the clause, all of it."""
    verb = _VERB.search(clause, match.end())
    if _VERB.search(clause, 0, match.start()) or (verb and _limits_behind(clause[verb.end() :])):
        return clause
    return clause[: verb.start()] if verb else clause


def _limits_behind(words: str) -> bool:
    return any(_LIMITS.match(word) for word in words.split())


def aspects(text: str) -> frozenset[str]:
    """The ASPECTS of an impact text: the one it is labelled with (`money: …`), else all it names.

    A text that names none counts as `users`.
    """
    if label := _LABEL.match(text):
        return frozenset({label[1].lower()})
    named = frozenset(aspect for aspect, pattern in _ASPECTS.items() if pattern.search(text))
    return named or frozenset({"users"})


def label(text: str) -> str | None:
    """The aspect that the text is labelled with, None without a label."""
    found = _LABEL.match(text)
    return found[1].lower() if found else None


def unlabelled(text: str) -> str:
    """The impact text without the label of its aspect."""
    label = _LABEL.match(text)
    return text[label.end() :] if label else text
