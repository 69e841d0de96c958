"""What an impact text states: its figures, the share of users hurt, the aspects of the impact. Nothing is computed.

A figure is a number with what it counts: a share, a time, an amount of data or money, a count of things.
Clock times, dates, versions, HTTP codes, hosts and tickets are numbers too, but no figures of the impact.
"""

import re

_ABOUT = (
    r"(?:(?:about|around|roughly|approximately|approx\.|nearly|almost|over|under|near|close to|more than"
    r"|less than|fewer than|at least|at most|up to|some|only|~|≈|≥|≤|>|<)[ \u00a0]?)?"
)
_WHOLE = r"(?>\d{1,3}(?:[,\u00a0\u202f]\d{3})+(?!\d)|\d{1,15})"
_NUMBER = rf"(?>{_WHOLE}(?:\.\d{{1,6}})?)"
_SCALE = r"(?:[ \u00a0]?(?:k|K|M|bn|thousand|million|billion)\b)"
_AMOUNT = rf"{_NUMBER}(?:[ ]?(?:-|\u2013|to)[ ]?{_NUMBER})?{_SCALE}?"
_KIND = (
    r"(?:users?|customers?|clients?|visitors?|people|accounts?|tenants?|subscribers?|members?|traffic|requests?"
    r"|calls?|queries|sessions?|log-?ins?|sign-?ins?|sign-?ups?|checkouts?|orders?|payments?|transactions?|sites?"
    r"|projects?|workspaces?|teams?|devices?|merchants?|shops?)\b"
)
_AUDIENCE = rf"{_KIND}(?:[ ]{_KIND})?"
_MODIFIER = (
    r"(?:(?!(?:a|an|the|of|on|in|at|to|for|and|or|as|by|per|is|are|was|were|be|from|with|than|after|before|over"
    r"|under|against|this|that|it)\b)[^\W\d_][\w-]{0,30} )"
)
_OF = rf"(?:[ ]of (?:all |the |our |its ){{0,2}}(?:{_MODIFIER}{{0,2}}?{_AUDIENCE}|[^\W\d_][\w-]{{0,30}}))"
_PERCENT = r"(?:[ \u00a0]?%|[ ]per ?cent\b)"
_SPAN = r"[ \u00a0]?(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|days?|weeks?|months?)\b"
_BYTES = r"[ \u00a0]?(?:[kKMGTP]i?B|bytes|[kKMG]bps|[kKMG]bit/s|rps|req/s)(?!\w)"
_NOT_PLURAL = (
    r"(?:has|is|was|does|goes|needs|looks|seems|fails|works|returns|answers|hangs|crashes|shows|says|breaks|runs"
    r"|starts|stops|drops|gets|uses|times|this|its|us|as|always|status|less|across)\b"
)
_THINGS = rf"[ \u00a0]{_MODIFIER}{{0,2}}?(?!{_NOT_PLURAL})(?:[^\W\d_][\w-]{{1,30}}(?<!s)s\b|people\b|traffic\b)"
_EDGE = r"(?<![\w.,:/#'\u2019$€£@-])"

_FIGURE = re.compile(
    rf"{_EDGE}{_ABOUT}(?:"
    rf"[$€£¥][ ]?{_AMOUNT}"
    rf"|{_AMOUNT}[ ]?(?:USD|EUR|GBP|dollars|euros|pounds)\b"
    rf"|{_AMOUNT}{_PERCENT}{_OF}?"
    rf"|(?P<code>[45]\d\ds\b)"
    rf"|{_NUMBER}(?: of {_NUMBER})?{_BYTES}"
    rf"|{_NUMBER}{_SPAN}(?: {_NUMBER}{_SPAN})?"
    rf"|(?P<http>[45]\d\d[ ](?:pages?|errors?|responses?|replies|answers|status(?:es)?|codes?)\b)"
    rf"|{_WHOLE} (?:in|of|out of) {_WHOLE}{_THINGS}"
    rf"|(?P<count>{_WHOLE}(?:[ ]?(?:-|\u2013|to)[ ]?{_WHOLE})?|{_NUMBER}{_SCALE}){_THINGS}"
    r")(?![\w:])",
    re.IGNORECASE,
)

_NAMES_A_THING = frozenset({
    "build", "cluster", "code", "db", "error", "host", "http", "issue", "level", "line", "node", "page",
    "phase", "pod", "port", "rack", "region", "release", "row", "sev", "shard", "since", "status",
    "step", "ticket", "tier", "version", "year", "zone",
})  # fmt: skip
_SHARE = re.compile(
    rf"{_EDGE}{_ABOUT}(?:{_AMOUNT}{_PERCENT}(?:[ ]of)?|{_WHOLE} (?:in|of|out of) {_WHOLE})"
    rf"[ ](?:all |the |our |its ){{0,2}}{_MODIFIER}{{0,2}}?{_AUDIENCE}",
    re.IGNORECASE,
)
_SHARE_IN_WORDS = re.compile(
    rf"(?<![\w-])(?<!not )(?<!nearly )(?:all|every|most|half|a third|two thirds|a quarter|three quarters)"
    rf"(?: of)?[ ](?:all |the |our |its ){{0,2}}{_MODIFIER}{{0,2}}?{_AUDIENCE}",
    re.IGNORECASE,
)
_UNHURT = re.compile(
    r"\b(?:unaffected|not affected|restored|recovered|recovering|working|works?|intact|fine|survived|healthy"
    r"|normal|back|served again|safe)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[^,;.\n]+(?:[.,]\d+[^,;.\n]*)*")
_LAST_WORD = re.compile(r"([^\W\d_]+)[ ]$")
_MAX_NAME_NUMBER = 99

ASPECTS = ("users", "business", "money", "performance", "operations")
_LABEL = re.compile(rf"\s*({'|'.join(ASPECTS)})\s*:\s", re.IGNORECASE)
_MONEY = r"[$€£¥] ?\d|\d ?(?:USD|EUR|GBP|dollars|euros|pounds)\b|\brefunds?\b|\brevenue\b"
_ASPECTS = {
    "users": re.compile(rf"\b{_KIND}", re.IGNORECASE),
    "business": re.compile(
        r"\b(?:orders?|checkouts?|bookings?|payments?|sales|revenue|contracts?|SLAs?|partners?|merchants?|press)\b",
        re.IGNORECASE,
    ),
    "money": re.compile(_MONEY, re.IGNORECASE),
    "performance": re.compile(
        r"\b(?:latency|p9\d|slow(?:er|ly|ness)?|errors?|time-?outs?|5(?:\d\d|xx)s?|CPU|load|throughput|queues?)\b",
        re.IGNORECASE,
    ),
    "operations": re.compile(
        r"\b(?:on-?call|staff|support|backups?|deploy(?:s|ments?)?|databases?|hosts?|servers?|replicas?|offline)\b",
        re.IGNORECASE,
    ),
}


def spans(text: str) -> list[tuple[int, int]]:
    """The figures of `text` as (start, end) offsets, in order; they never overlap."""
    return [match.span() for match in _FIGURE.finditer(text) if not (match["code"] or match["http"] or _is_name(match))]


def _is_name(match: re.Match[str]) -> bool:
    """Whether the number belongs to the word before it: `step 3`, `Windows 11 users`.

    After a capitalised word inside a sentence it does up to 99.
    """
    before = _LAST_WORD.search(match.string[max(0, match.start() - 40) : match.start()])
    if not match["count"] or not before:
        return False
    word = before[1]
    digits = int(re.sub(r"\D.*", "", match["count"]) or 0)
    sentence_start = match.start() == len(before[0])
    return word.lower() in _NAMES_A_THING or (word[0].isupper() and digits <= _MAX_NAME_NUMBER and not sentence_start)


def figures(text: str) -> tuple[str, ...]:
    """The figures `text` states, verbatim, each once: `about 80% of traffic`, `27 minutes`."""
    return tuple(dict.fromkeys(text[start:end] for start, end in spans(text)))


def share(text: str) -> str | None:
    """The share of users, customers, traffic and the like that was hurt, verbatim; None where `text` states none.

    A share in figures goes before one in words. Clauses about what was spared or restored are left out.
    """
    hurt = [clause[0] for clause in _CLAUSE.finditer(text) if not _UNHURT.search(clause[0])]
    found = (pattern.search(clause) for pattern in (_SHARE, _SHARE_IN_WORDS) for clause in hurt)
    return next((match[0] for match in found if match), None)


def aspects(text: str) -> frozenset[str]:
    """The ASPECTS of an impact text: the one it is labelled with (`money: …`), else all it names.

    A text that names none counts as `users`.
    """
    if label := _LABEL.match(text):
        return frozenset({label[1].lower()})
    named = frozenset(aspect for aspect, pattern in _ASPECTS.items() if pattern.search(text))
    return named or frozenset({"users"})


def unlabelled(text: str) -> str:
    """The impact text without the label of its aspect."""
    label = _LABEL.match(text)
    return text[label.end() :] if label else text
