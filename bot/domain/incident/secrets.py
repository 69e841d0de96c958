"""Whether typed words hold a secret: a short table of the formats that issuers publish, and of assignments.

Kept by hand: the libraries for this read files of code, where an entropy test is right. In the talk of an incident it
would take every commit, trace and container for a secret, so here a value counts by its form or by the word before it.
"""

import re
from collections.abc import Callable, Iterator

_FORMATS: dict[str, str] = {
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
    "AWS access key": r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    # https://github.blog/engineering/behind-githubs-new-authentication-token-formats/
    "GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255})\b",
    # https://docs.gitlab.com/security/tokens/#token-prefixes
    "GitLab token": r"\bgl(?:pat|dt|rt|cbt|ptt|ft|soat|agent)-[A-Za-z0-9_.-]{20,}",
    # https://docs.slack.dev/authentication/tokens
    "Slack token": r"\b(?:xox[abceoprs]|xapp)-[A-Za-z0-9-]{10,}",
    "Slack webhook": r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/_-]{16,}",
    # https://docs.stripe.com/keys
    "Stripe key": r"\b(?:[rs]k_(?:live|test)|whsec)_[A-Za-z0-9]{10,}",
    # https://cloud.google.com/docs/authentication/api-keys
    "Google key": r"\bAIza[A-Za-z0-9_-]{35}|\bya29\.[A-Za-z0-9_-]{20,}|\bGOCSPX-[A-Za-z0-9_-]{20,}",
    "API key": r"(?<![\w-])sk-(?=[a-z_-]{0,12}[A-Za-z0-9_-]{0,40}[0-9])(?=[a-z0-9_-]{0,40}[A-Z])[A-Za-z0-9_-]{20,}",
    "npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "PyPI token": r"\bpypi-AgE[A-Za-z0-9_-]{16,}",
    "SendGrid key": r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    "DigitalOcean token": r"\bdo[opr]_v1_[a-f0-9]{32,}",
    "Vault token": r"\bhv[bsr]\.[A-Za-z0-9_-]{20,}",
    "Hugging Face token": r"\bhf_[A-Za-z0-9]{30,}",
    "Shopify token": r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    "Databricks token": r"\bdapi[a-f0-9]{32}",
    "Grafana token": r"\bgl(?:sa|c)_[A-Za-z0-9+/=_-]{20,}",
    "Atlassian token": r"\bATATT3[A-Za-z0-9_=-]{20,}",
    "Twilio key": r"\bSK[0-9a-f]{32}\b",
    "Telegram token": r"\b[0-9]{8,10}:AA[A-Za-z0-9_-]{32,}",
    # https://www.rfc-editor.org/rfc/rfc7519: two JSON objects in base64url, and the signature
    "JSON web token": r"(?<![\w.-])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",
    # https://www.rfc-editor.org/rfc/rfc7468
    "private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:[^-]*-----END [A-Z0-9 ]+-----|[^-]*)",
    "age key": r"\bAGE-SECRET-KEY-1[A-Z0-9]{20,}",
}
"""Values that are a secret wherever they stand, each by its issuer's form."""

_NAME = (
    r"(?P<name>[\w.-]{0,40}?(?:pass(?:word|wd|phrase)?|passwort|kennwort|pwd|pw|secret|token|api[ _-]?key|apikey"
    r"|(?:access|secret|account|private|auth|encryption|signing|client|master|root)[ _-]?key|client[ _-]?secret"
    r"|credentials?)(?:[_-](?:key|base|value))*)"
)
_VALUE = r"(?P<value>\"[^\"\n]{3,}\"|'[^'\n]{3,}'|`[^`\n]{3,}`|[^\s\"'`,;]{3,})"
_CALLED = r"(?P<name>pass(?:word|wd|phrase|wort|code)|kennwort|pwd)"
_JOINED: dict[str, str] = {
    "assigned": rf"(?<![\w.-]){_NAME}[\"'`]?\s*(?::=|=>|=(?!=))\s*{_VALUE}",
    "option": rf"(?<!\S)--?{_NAME}\s+(?!-){_VALUE}",
    "labelled": rf"(?<![\w.-]){_NAME}[\"'`]?\s*:\s*{_VALUE}",
    "told": rf"\b{_CALLED}(?:\s+(?:for|of|on|to|in|für)\s+\S+){{0,3}}\s+(?:is|was|now|ist|war)\s+(?:now\s+)?{_VALUE}",
    "beside": rf"\b{_CALLED}\s+{_VALUE}",
    # https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1
    "address": r"\b(?P<name>[a-z][a-z0-9+.-]{0,20})://[^\s/:@]*:(?P<value>[^\s/@]{2,})@[^\s/]",
    # https://www.rfc-editor.org/rfc/rfc6750 and rfc7617
    "bearer": r"\b(?P<name>bearer)\s+(?P<value>[A-Za-z0-9._~+/-]{16,}=*)",
    "basic": r"\b(?P<name>basic)\s+(?P<value>[A-Za-z0-9+/]{12,}=*)",
    "command": (
        r"\b(?P<name>curl\b[^\n]{0,200}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']+:|mysql\w*\b[^\n]{0,200}?\s-p"
        r"|sshpass\s+-p\s*|redis-cli\b[^\n]{0,200}?\s-a\s+)(?P<value>[^\s]{3,})"
    ),
}
"""Values that are one by what stands before them: how it is joined to them decides how strictly they are looked at."""

_PATTERNS = [re.compile(pattern) for pattern in _FORMATS.values()]
_BY_NAME = {how: re.compile(pattern, re.IGNORECASE) for how, pattern in _JOINED.items()}

_SUSPECT = re.compile(
    r"(?i:pass|pwd|pw\b|secret|token|key|credential|kennwort|bearer|basic|curl|mysql|redis-cli|[0-9a-z]_[0-9a-z]{9})"
    r"|://[^\s/]*@|A[KS]IA|xox|xapp-|hooks\.slack|AIza|ya29\.|GOCSPX|sk-|gl[a-z]+-|pypi-|SG\.|hv[bsr]\.|dapi|ATATT3"
    r"|SK[0-9a-f]|:AA|eyJ|-----BEGIN",
    re.ASCII,
)
"""A fast test that all words with a secret pass; most words do not, and need no further look."""
_MARKS = (
    "pass", "pw", "secret", "token", "key", "credential", "kennwort", "bearer", "basic", "curl", "mysql", "redis-cli",
    "_", "://",
)  # fmt: skip
"""All that is _SUSPECT holds one of these in lower case, or one of _EXACT_MARKS; to look for them is faster still."""
_EXACT_MARKS = (
    "AKIA", "ASIA", "xox", "xapp-", "hooks.slack", "AIza", "ya29.", "GOCSPX", "sk-", "gl", "pypi-", "SG.", "hv", "dapi",
    "ATATT3", "SK", ":AA", "eyJ", "-----BEGIN",
)  # fmt: skip


def is_suspect(text: str) -> bool:
    """Whether the text may hold a secret, so that it is worth the search for one; said fast of those that hold none."""
    lower = text.lower()
    marked = any(mark in lower for mark in _MARKS) or any(mark in text for mark in _EXACT_MARKS)
    return marked and _SUSPECT.search(text) is not None


_PLACEHOLDER = re.compile(
    r"[<\[{(].*|\$.*|%[\w{(].*|[*x•.…_-]+"
    r"|(?:is|was|not|no|nil|null|none|true|false|yes|on|off|the|a|an|to|for|from|in|of|and|or|has|had|have|needs?|must|can"
    r"|expired?|expires?|expiry|invalid|missing|empty|wrong|unknown|unset|undefined|required|optional|rotat\w+|revo\w+"
    r"|redacted|hidden|changed?|reset|leaked|exposed|stale|old|new|rejected|refused|denied|refresh\w*|bucket\w*|limit\w*"
    r"|fail\w*|errors?|service|vault|ok|okay|todo|tbd|n/a|default|placeholder|deleted|renewed|working|broken|back|up|down)"
    r"[.!?)]*",
    re.IGNORECASE,
)
_HOST_LIKE = re.compile(
    r"(?:[a-z]+[0-9]*|[0-9]+)(?:[-.][a-z0-9]+)+|[\w.-]*/.*|[\w.+-]+@[\w.-]+\.[a-z]+|https?:.*", re.IGNORECASE
)
_MEASURED = re.compile(
    r"[v<>~+-]?\d[\d.,:/-]*\s*[a-z%]{0,4}[.)]?|sha-?\d+|argon2\w*|md5|base64|utf-?8|oauth2?\w*|s3|k8s|inc-?\d+|sev\d|p\d+",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(
    r"(?:.*[_.-])?(?:next|page|continuation|idempotency|cancellation|sync|resume|trace|fencing|max|min|num|per)[_.-]\w+"
    r"|.*(?:bypass|compass|encompass|trespass|overpass)",
    re.IGNORECASE,
)
_PASSWORD_NAME = re.compile(r"pass|pwd|pw$|kennwort", re.IGNORECASE)
_SHORTEST, _SHORTEST_BESIDE = 6, 7


def secrets_in(text: str) -> tuple[str, ...]:
    """The secrets in the words, each as it stands there without quotes around it; none in ordinary talk."""
    return tuple(dict.fromkeys(_found(text)))


def _found(text: str) -> Iterator[str]:
    for pattern in _PATTERNS:
        yield from (match[0] for match in pattern.finditer(text))
    for how, pattern in _BY_NAME.items():
        for match in pattern.finditer(text):
            value = match["value"].strip("\"'`").rstrip(".,;)")
            if _COUNTS[how](match["name"], value, match["value"] != match["value"].strip("\"'`")):
                yield value


def _is_given(name: str, value: str, quoted: bool) -> bool:  # noqa: FBT001 - the signature of a row of _COUNTS
    """Whether the value is one that a program takes: no placeholder, figure, path or host."""
    if _PLACEHOLDER.fullmatch(value) or _NO_SECRET.fullmatch(name) or value.startswith(("/", "~/", "./")):
        return False
    if name.casefold() == "pass":
        return quoted or _is_mixed(value)
    if _PASSWORD_NAME.search(name):
        return True
    return not _MEASURED.fullmatch(value) and (len(value) >= _SHORTEST) and not _is_name(name, value)


def _is_name(name: str, value: str) -> bool:
    """Whether it is the name of a secret, as a cluster's configuration has them, and not the secret itself."""
    return name.casefold().endswith(("secret", "credentials")) and bool(_HOST_LIKE.fullmatch(value))


def _is_labelled(name: str, value: str, quoted: bool) -> bool:  # noqa: FBT001 - as above
    if quoted and not re.search(r"\s", value):
        return _is_given(name, value, quoted)
    return not _NO_SECRET.fullmatch(name) and _is_unlike_words(value)


def _is_unlike_words(value: str) -> bool:
    return not any(like.fullmatch(value) for like in (_PLACEHOLDER, _MEASURED, _HOST_LIKE)) and _is_mixed(value)


def _is_mixed(value: str) -> bool:
    """Whether it has letters beside digits or signs, or capitals within, as no word of a language has."""
    kinds = (r"[a-z]", r"(?<=.)[A-Z].*[a-z]|[a-z].*[A-Z]", r"[0-9]", r"[!@#$%^&*+=?~_]")
    return len(value) >= _SHORTEST and sum(bool(re.search(kind, value)) for kind in kinds) > 1


_COUNTS: dict[str, Callable[[str, str, bool], bool]] = {
    "assigned": _is_given,
    "option": _is_given,
    "labelled": _is_labelled,
    "told": lambda _name, value, _quoted: _is_unlike_words(value),
    "beside": lambda _name, value, _quoted: (
        len(value) >= _SHORTEST_BESIDE and re.search(r"[0-9]", value) is not None and _is_unlike_words(value)
    ),
    "address": lambda _name, value, _quoted: not re.fullmatch(r"[<\[{$%*x•.…].*", value),
    "bearer": lambda _name, value, _quoted: re.search(r"[0-9]", value) is not None,
    "basic": lambda _name, value, _quoted: all(re.search(kind, value) for kind in ("[a-z]", "[A-Z]", "[0-9=]")),
    "command": lambda _name, value, _quoted: not _PLACEHOLDER.fullmatch(value),
}
"""Whether a value counts, from its name, itself and whether it was in quotes."""
