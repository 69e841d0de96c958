"""Masks what a text quotes: code, log lines, stack traces, quoted sentences.

The rule on wording is about what a person says, and not about what they cite from a machine or from someone else.
"""

import re

FILLER = "\u00a4"
"""Replaces each quoted character, so that the rest keeps its position."""

_LEVEL = r"(?:ERROR|ERR|WARN|WARNING|FATAL|CRITICAL|CRIT|PANIC|SEVERE|NOTICE|INFO|DEBUG|TRACE)"
_ERROR_CLASS = r"(?:[A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*(?:Error|Exception)\b"

_BLOCKS = (
    r"```.*?(?:```|\Z)",
    r"(?m:^[ \t]*~~~.*?(?:^[ \t]*~~~|\Z))",
)
_SPANS = (
    r"``[^\n]{1,400}?``",
    r"`[^`\n]{1,400}`",
    r"https?://\S+",
)
_QUOTATIONS = (
    r'"[^"\n]{1,400}"',
    r"\u201c[^\u201d\n]{1,400}\u201d",
    r"\u201e[^\u201c\u201d\n]{1,400}[\u201c\u201d]",
    r"\u00ab[^\u00bb\n]{1,400}\u00bb",
    r"\u2018[^\u2018\u2019\n]{1,400}\u2019(?!\w)",
    r"(?<!\w)'[^'\n]{1,400}'(?!\w)",
)
_LINES = (
    r"[ \t]*(?:>|&gt;).*",
    r"(?: {4}|\t)[ \t]*(?![-*+][ ]|\d{1,9}[.)][ ]).*",
    r"[ \t]*[$#%][ ]\S*[ ]?[-./\w].*(?<![.!?])",
    r"[ \t]*(?:at [\w$.<>/]+ ?\(|File \"|File \u00a4|Traceback \(most|goroutine \d|Caused by: " + _ERROR_CLASS + r").*",
    rf"[ \t]*{_ERROR_CLASS}:.*",
    r"[ \t]*[\[(]?\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d.*",
    r"[ \t]*[\[(]?(?:[A-Z][a-z]{2} [ \d]\d )?\d\d:\d\d:\d\d[.,\]\s].*",
    r"[ \t]*[EWIF]\d{4} \d\d:\d\d:.*",
)
_TAILS = (
    rf"\b{_LEVEL}\]?:.*",
    rf"\[{_LEVEL}\].*",
    rf"\b(?:{_LEVEL}[ ]+[\[(\w.]+\]?:|(?:level|lvl|severity)=\w+).*",
    r"\b(?:msg|message|err|error)=.*",
    r"(?<![\w-])[\w./-]{2,60}\[\d{1,10}\]: .*",
    r"(?i:(?<![\w-])(?:fatal|panic|stderr|stdout|logs?|syslog|journal|console|dmesg|error message|error): .*)",
)
_QUOTED = tuple(
    re.compile(pattern, flags)
    for flags, patterns in (
        (re.DOTALL, _BLOCKS),
        (0, _SPANS),
        (re.MULTILINE, tuple(f"^{line}$" for line in _LINES)),
        (0, _TAILS),
        (0, _QUOTATIONS),
    )
    for pattern in patterns
)
_SIGN = re.compile(r"[^\n]")
_FENCED = re.compile(
    r"^[ \t]*(?P<fence>`{3,}|~{3,})[^`\n]*$.*?(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|\Z)", re.MULTILINE | re.DOTALL
)


def mask_quotations(text: str) -> str:
    """`text` with a FILLER for each quoted character; line ends and length stay the same."""
    for pattern in _QUOTED:
        text = pattern.sub(lambda match: _SIGN.sub(FILLER, match[0]), text)
    return text


def without_fences(markdown: str) -> str:
    """`markdown` without its fenced code blocks. A fence is closed only by one of its own length."""
    return _FENCED.sub("", markdown)
