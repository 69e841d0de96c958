"""The figures in a text: a number, whole as people write it, with what it counts. Nothing is computed.

A figure is a share, a time, an amount of data or money, a count of things. Clock times, dates, versions, HTTP codes,
hosts and tickets are numbers too, but no figures. What cannot be told whole is left alone: half a number is wrong.
"""

import re

GAPS = " \u00a0\u2007\u2009\u202f"
"""The spaces that people, word processors and spreadsheets set between the groups of a number and before its unit."""

ABOUT = (
    rf"(?:(?:about|around|roughly|approximately|approx\.|ca\.?|circa|nearly|almost|well over|over|under|near|close to"
    rf"|more than|less than|fewer than|as many as|at least|at most|up to|some|only|between|half of"
    rf"|(?:a|one) (?:third|quarter) of|two thirds of|three quarters of|~|≈|≥|≤|>|<)[{GAPS}]?)?"
)
_GROUPED = rf"\d{{1,3}}(?:(?:,\d\d)*(?:,\d{{3}})+|(?:\.\d{{3}})+|(?:['\u2019]\d{{3}})+|(?:[{GAPS}]\d{{3}})+)(?!\d)"
WHOLE = rf"(?>{_GROUPED}|\d{{1,15}})"
_NUMBER = rf"(?>{WHOLE}(?:[.,]\d{{1,6}})?)"
_LARGE = r"thousand|million|billion|trillion|lakh|crore|Tsd\.?|Mio\.?|Mrd\.?|mn|bn|tn"
_SCALE = rf"(?:[{GAPS}]?(?:k|m|{_LARGE})(?!\w)|b(?!\w))"
_TO = rf"[{GAPS}]?(?:[-\u2012\u2013]|\b(?:to|and|or|bis)\b)[{GAPS}]?"
AMOUNT = rf"(?>{_NUMBER}{_SCALE}?\+?(?:{_TO}{_NUMBER}{_SCALE}?)?)"
KIND = (
    r"(?:users?|customers?|clients?|visitors?|people|accounts?|tenants?|subscribers?|members?|traffic|requests?"
    r"|calls?|queries|sessions?|log-?ins?|sign-?ins?|sign-?ups?|checkouts?|orders?|payments?|transactions?|sites?"
    r"|projects?|workspaces?|teams?|devices?|merchants?|shops?)\b"
)
AUDIENCE = rf"{KIND}(?:[ ]{KIND})?"
MODIFIER = (
    r"(?:(?!(?:a|an|the|of|on|in|at|to|for|and|or|as|by|per|is|are|was|were|be|from|with|than|after|before|over"
    r"|under|against|this|that|it|am|pm|uhr|utc|gmt|c?e[sd]t|p[sd]t|m[sd]t|bst|ist|jst"
    r"|jan\w*|feb\w*|march|april|may|june|july|aug(?:ust)?|sept?\w*|oct\w*|nov\w*|dec\w*)\b)[^\W\d_][\w-]{0,30} )"
)
_OF = rf"(?:[ ]of (?:all |the |our |its ){{0,2}}(?:{MODIFIER}{{0,2}}?{AUDIENCE}|[^\W\d_][\w-]{{0,30}}))"
PERCENT = rf"(?:[{GAPS}]?[%\u2030]|[ ](?:per ?cent|pct|prozent)\b)"
_SPAN = rf"[{GAPS}]?(?:ms|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|days?|weeks?|months?)\b"
_BYTES = rf"[{GAPS}]?(?:[kKMGTP]i?B(?:ps)?|bytes|[kKMG]bps|[kKMG]bit/s|rps|qps|req(?=/))(?!\w)"
_SIGN = "[$€£¥₹]"
_CODE = r"(?:USD|EUR|GBP|CHF|JPY|INR|SEK|NOK|DKK)\b"
_CURRENCY = rf"(?:(?:US|CA|AU|NZ|HK|A|C|R)?{_SIGN}|{_CODE})"
_NOT_PLURAL = (
    r"(?:has|is|was|does|goes|needs|looks|seems|fails|works|returns|answers|hangs|crashes|shows|says|breaks|runs"
    r"|starts|stops|drops|gets|uses|times|this|its|us|as|always|status|less|across)\b"
)
_THINGS = rf"[{GAPS}]{MODIFIER}{{0,2}}?(?!{_NOT_PLURAL})(?:[^\W\d_][\w-]{{1,30}}(?<!s)s\b|people\b|traffic\b)"
_PART = rf"(?:{WHOLE}|one|two|three|four|five|six|seven|eight|nine|ten)"
EDGE = r"(?<![\w.,:/#'\u2019$€£¥₹@+\u00b1\u2212-])"

_FIGURE = re.compile(
    rf"{EDGE}{ABOUT}(?:"
    rf"{_CURRENCY}[{GAPS}]?{AMOUNT}(?:{_TO}{_CURRENCY}{AMOUNT})?"
    rf"|{AMOUNT}[{GAPS}]?(?:{_SIGN}|{_CODE}|(?:dollars|euros|pounds|francs)\b)"
    rf"|(?:{AMOUNT}{PERCENT}{_TO})?{AMOUNT}{PERCENT}{_OF}?"
    rf"|(?P<code>[45]\d\ds\b)"
    rf"|{_NUMBER}(?: of {_NUMBER}|{_TO}{_NUMBER})?{_BYTES}"
    rf"|{_NUMBER}(?:(?-i:[{GAPS}]?M)|(?<=[.,]\d)m){_THINGS}"
    rf"|(?P<span>{_NUMBER}(?:{_TO}{_NUMBER})?{_SPAN}(?: (?:and )?{_NUMBER}{_SPAN}){{0,3}})"
    rf"|(?P<http>[45]\d\d[ ](?:pages?|errors?|responses?|replies|answers|status(?:es)?|codes?)\b)"
    rf"|{_PART} (?:in|of|out of) {WHOLE}{_THINGS}"
    rf"|(?P<count>{WHOLE}\+?(?:{_TO}{WHOLE})?|(?:{WHOLE}{_TO})?{_NUMBER}{_SCALE}\+?|{_NUMBER}{_SCALE}{_TO}{_NUMBER}{_SCALE}?){_THINGS}"
    rf"|(?:{_NUMBER}{_TO})?{_NUMBER}[{GAPS}]?(?:{_LARGE})(?!\w)"
    r")(?:/[^\W\d_]{1,8}\b)?+(?!\w|:\d)",
    re.IGNORECASE,
)

_NAMES_A_THING = frozenset({
    "account", "android", "build", "case", "chrome", "cluster", "code", "customer", "db", "error", "firefox", "gh",
    "host", "http", "id", "incident", "ios", "issue", "java", "job", "level", "line", "node", "order", "page", "phase",
    "php", "pod", "port", "pr", "python", "rack", "region", "release", "row", "safari", "sev", "shard", "since",
    "status", "step", "tenant", "ticket", "tier", "user", "version", "windows", "year", "zone",
})  # fmt: skip
_LAST_WORD = re.compile(r"([^\W\d_][\w-]*?)(?:[ ]\d+,?(?:[ ](?:and|or|to))?)*[ ]$")
_MAX_NAME_NUMBER = 99
_YEAR = re.compile(r"(?:19|20)\d\d\b(?![.,]\d)")
_DATES = frozenset({"in", "since", "of", "until", "from", "by", "before", "after", "during"})
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}")
_HOUR = re.compile(r"\d{1,2} ?h", re.IGNORECASE)
_CLOCK = frozenset({"at", "since", "until", "till", "by", "from"})
_SEPARATORS = ".,'\u2019\u066b\u066c_"
_TORN_BEFORE = re.compile(
    rf"(?:\d[{_SEPARATORS}]?|(?<![\w.:/-])\d{{1,3}}[{GAPS}]|\d[{GAPS}]?[-\u2010-\u2015/x\u00d7*+][{GAPS}]?"
    rf"|\d[{GAPS}]?(?:{_LARGE})[{GAPS}])$",
    re.IGNORECASE,
)
_TORN_BEHIND = re.compile(
    rf"[{_SEPARATORS}]?\d|[{GAPS}]?%|(?<=\d)[{GAPS}]\d{{3}}(?!\d)|[-\u2010-\u2015/]\d"
    rf"|[{GAPS}]\d+[{GAPS}](?:{_LARGE})\b",
    re.IGNORECASE,
)
_LOOK_BACK = 40


def spans(text: str) -> list[tuple[int, int]]:
    """The figures of `text` as (start, end) offsets, in order; they never overlap."""
    return [
        match.span()
        for match in _FIGURE.finditer(text)
        if not (match["code"] or match["http"] or _is_torn(match) or _is_name(match))
    ]


def figures(text: str) -> tuple[str, ...]:
    """The figures `text` states, verbatim, each once: `about 80% of traffic`, `27 minutes`."""
    return tuple(dict.fromkeys(text[start:end] for start, end in spans(text)))


def _is_torn(match: re.Match[str]) -> bool:
    """Whether a longer number goes on beside the match, in a way that no form of number above covers."""
    before = match.string[max(0, match.start() - _LOOK_BACK) : match.start()]
    return bool(_TORN_BEFORE.search(before) or _TORN_BEHIND.match(match.string, match.end()))


def _is_name(match: re.Match[str]) -> bool:
    """Whether the number belongs to the word before it: `step 3`, `Windows 11 users`, or is a date, hour or address.

    After a word with a capital inside a sentence it does up to 99.
    """
    before = _LAST_WORD.search(match.string[max(0, match.start() - _LOOK_BACK) : match.start()])
    if _ADDRESS.match(match[0]):
        return True
    if not before:
        return False
    word = before[1]
    if match["span"]:
        return word.lower() in _CLOCK and _HOUR.fullmatch(match[0]) is not None
    if not match["count"]:
        return False
    digits = int(re.sub(r"\D.*", "", match["count"]) or 0)
    named = word.lower().removesuffix("s") in _NAMES_A_THING or word.lower() in _NAMES_A_THING
    sentence_start = match.start() == len(before[0])
    capital = any(letter.isupper() for letter in word) and digits <= _MAX_NAME_NUMBER and not sentence_start
    return named or capital or (word.lower() in _DATES and _YEAR.match(match["count"]) is not None)
