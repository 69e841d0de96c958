"""Words for readers outside the company: without links, hosts, paths, channels and sums of money."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.domain.incident import impact
from bot.domain.incident.impact import MONEY_WORDS
from bot.domain.postmortem.names import letters
from bot.domain.words import CODE

LINK, PATH, NETWORK = "(link)", "(path)", "(network)"
_ADDRESS = r"""(?:
      (?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.)[^\s`]*[^\s`)]
    | (?<![\w.])(?:[\w-]{1,63}\.)+[a-z]{2,}(?::\d+)?/(?:[^\s`]*[^\s`)])?
    )"""
_LINK = re.compile(rf"\({_ADDRESS}\)|{_ADDRESS}", re.IGNORECASE | re.VERBOSE)
"""An address, in its brackets, or without the bracket or the backtick after it."""
_CHANNEL = re.compile(r"(?<![\w&#])#[^\W\d_][\w-]+")

_HOST_WORDS = (
    "db|dbs|web|www|app|srv|svr|server|host|node|nfs|cache|lb|haproxy|proxy|worker|mq|zk|primary|replica|standby|slave"
    "|master|broker|shard|vm|rack|sw|switch|router|rtr|fw|firewall|gw|gateway|bastion|jump|ns|dns|mx|smtp|mail|runner"
    "|backup|bak|san|nas|esx|esxi|hv|pod|auth|ldap|vpn"
)
_SOFTWARE = (
    "api|redis|mysql|mongo|pg|pgsql|postgres|nginx|rabbit|rabbitmq|kafka|etcd|es|elastic|elasticsearch|queue|search"
)
"""Words whose number is a version, unless it begins with a zero or another word precedes."""
_NO_HOST_WORDS = (
    "sev|utf|sha|http|ipv|log|top|step|phase|round|part|week|day|level|tier|type|java|python|php|build|error"
)
_TLD = "com|net|org|io|dev|app|cloud|co|uk|de|fr|eu|ai|us|ch|at|nl|info|biz|tech|example|test|invalid"
_INNER = "internal|intern|local|localdomain|lan|corp|intra|intranet"
_PART_OF_INNER = "prod|production|stg|staging|svc|cluster|consul|priv|private|home|int"
_HOST = re.compile(
    rf"""(?<![\w@./:-])(?:
        (?P<network>(?:\d{{1,3}}\.){{3}}\d{{1,3}}/\d{{1,2}})
      | (?P<ip>(?:\d{{1,3}}\.){{3}}\d{{1,3}}(?::\d{{1,5}})?)
      | (?=[0-9a-f:]*\d)(?=[0-9a-f:]*(?:::|[a-f]))(?=(?:[0-9a-f]*:){{2}})[0-9a-f:]*[0-9a-f](?:/\d{{1,3}})?
      | (?:[a-z0-9][\w-]*\.)+(?:{_INNER})(?:\.(?:{_TLD}))?(?::\d{{1,5}})?
      | (?:[a-z0-9][\w-]*\.){{2,}}(?:{_TLD}|{_PART_OF_INNER})(?::\d{{1,5}})?
      | ip(?:-\d{{1,3}}){{4}}
      | (?:[a-z][a-z0-9]*-)*(?:{_HOST_WORDS})(?:-[a-z]+)*-?\d{{1,4}}[a-z]?(?::\d{{1,5}})?
      | (?:[a-z][a-z0-9]*-)+(?:{_SOFTWARE})-?\d{{1,4}}(?::\d{{1,5}})?
      | (?:{_SOFTWARE})-?0\d{{1,3}} | (?:api|queue|search)-\d{{1,4}}
      | [a-z]+(?:-[a-z0-9]+)*-(?!(?:{_NO_HOST_WORDS})\d)[a-z]{{3,}}\d{{1,4}}(?::\d{{1,5}})?
      | (?:[a-z][a-z0-9]*-)+[0-9a-f]{{6,10}}-[a-z0-9]{{5}} | pod-(?=[a-z]*\d)[a-z0-9]+
      | localhost(?::\d{{1,5}})?
    )(?![\w@/-]|\.\w)""",
    re.IGNORECASE | re.VERBOSE,
)
_VERSION = re.compile(r"(?:\bversions?|\brelease|\bv) ?$", re.IGNORECASE)
_MOST = 255
_PATH = re.compile(
    r"(?<![\w/.<])(?:~|\.{1,2})?/(?:[\w.@%+-]+/)+[\w.@%+*-]*(?<![.,])"
    r"|(?<![\w/.<])/(?:etc|var|tmp|opt|usr|home|root|srv|mnt|proc|sys|dev|boot|data)\b(?!/)"
    r"|(?<!\w)[A-Z]:\\[\w\\.-]+"
)
_SUM = re.compile(
    r"[$€£¥]\s?\d|\d\s?(?:k|m|bn|million|billion|thousand)?\s?(?:[€£¥]|(?:USD|EUR|GBP|CHF|dollars?|euros?|pounds)\b)",
    re.IGNORECASE,
)
_PARTS = re.compile(r"(?<=;)\s+|(?<=[.!?])\s+|\n")


def without_links(text: str) -> str:
    """The text with `(link)` for addresses and `a channel` for channels."""
    return _CHANNEL.sub("a channel", _LINK.sub(LINK, text))


@dataclass(slots=True)
class HostNames:
    """Letters for hosts, each the same throughout: `host A`. `is_name` says which words are people's names instead."""

    is_name: Callable[[str], bool] = lambda _: False
    known: dict[str, str] = field(default_factory=dict)

    def replace(self, text: str) -> str:
        """The text with letters for the names and addresses of hosts, and `(path)` for paths in file systems."""
        parts: list[str] = []
        done = 0
        for code in CODE.finditer(text):
            parts += [self._named(text[done : code.start()], " "), self._named(code[0], "-")]
            done = code.end()
        return "".join([*parts, self._named(text[done:], " ")])

    def _named(self, text: str, joint: str) -> str:
        return _HOST.sub(lambda match: self._letter(match, joint), _PATH.sub(PATH, text))

    def _letter(self, match: re.Match[str], joint: str) -> str:
        name = match[0].casefold()
        numbers = re.findall(r"\d+", name)[:4] if match["ip"] or match["network"] else []
        if self.is_name(name) or any(int(number) > _MOST for number in numbers):
            return match[0]
        if numbers and _VERSION.search(match.string[: match.start()]):
            return match[0]
        if match["network"]:
            return NETWORK
        return f"host{joint}{self.known.setdefault(name, letters(len(self.known)))}"


def without_money(text: str, *, impact_line: bool) -> str:
    """The text without its sentences and clauses about money; empty where nothing else is said.

    Of an impact, also those without a sum are about money: `refunds`, `revenue`, or all of one labelled `money:`.
    """
    if impact_line and impact.label(text) == "money":
        return ""
    about = MONEY_WORDS if impact_line else _SUM
    if not (about.search(text) or _SUM.search(text)):
        return text
    kept = [part for part in _PARTS.split(text) if not (about.search(part) or _SUM.search(part))]
    return " ".join(part for part in kept if part.strip()).rstrip("; ")
