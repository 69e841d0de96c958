"""A conversation: messages as they were said in a channel, and how they are read out of what is pasted.

Text that is copied out of Slack, or out of another chat, has the author and the time of a message before its words. How
they stand there differs from client to client and from year to year; one table of shapes holds what is known.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Self
from zoneinfo import ZoneInfo

from bot.domain.incident.chronology import LineReader, LinesAbove
from bot.domain.time.moment import Course
from bot.domain.time.typed import take_time
from bot.domain.time.zones import abbreviations_of
from bot.errors import UsageError

MOST_MESSAGES = 20_000
"""The most messages that one conversation has; the rest is left for the next."""
MOST_CHARACTERS = 20_000_000
"""Characters of a pasted conversation."""
_ADDRESS = re.compile(r"/archives/(?P<channel>[A-Z0-9]+)/p(?P<ts>[0-9]{10,20})")
_LONGEST_HEAD, _MOST_NAMES = 120, 4
_CLOCK = r"[0-9]{1,2}[:.][0-9]{2}(?::[0-9]{2})?(?:[ \u00a0\u202f]?[AaPp]\.?[Mm]\.?)?"
_TODAY = r"(?:[Tt]oday at |[Yy]esterday at )?"
_DATED = rf"(?:[A-Za-z0-9][A-Za-z0-9,./ \u00a0-]{{0,30}} )?{_CLOCK}(?: ?[A-Z]{{1,5}})?"
_NAME = r"[^\s\[\]<>:()][^\[\]<>:()\t]{0,58}?"
_BADGE = r"(?:[ \t]*(?P<app>APP|BOT|app\b))?"
_SHAPES = tuple(
    re.compile(shape)
    for shape in (
        # WhatsApp, Discord's logs, many tools: [14:02] Alice: words
        rf"\[(?P<time>{_DATED})\][ \t]+(?P<name>{_NAME}){_BADGE}: (?P<text>.+)",
        # IRC: [14:02] <alice> words, 14:02 <alice> words
        rf"\[?(?P<time>{_CLOCK})\]?[ \t]+<(?P<name>[^<>\n]{{1,60}})>[ \t]*(?P<text>.*)",
        # Slack until 2019: alice [2:02 PM] words
        rf"(?P<name>{_NAME}){_BADGE}[ \t]+\[(?P<time>{_DATED})\]:?[ \t]*(?P<text>.*)",
        rf"(?P<name>{_NAME}){_BADGE}[ \t]+\((?P<time>{_DATED})\):?[ \t]*(?P<text>.*)",
        # Telegram: Alice, [26.11.2026 14:02]
        rf"(?P<name>[^,\[\]<>:()\t]{{1,60}}), \[(?P<time>{_DATED})\]:?[ \t]*(?P<text>.*)",
        # Slack: Alice Smith  14:02, deploybot APP  2:02 PM
        rf"(?P<name>{_NAME})(?:[ \t]*(?P<app>APP|BOT)[ \t]+|[ \t]{{2,}}|\t)(?P<time>{_DATED})(?P<text>)",
        rf"(?P<name>[A-Z][\w.'-]{{0,30}}(?: [A-Z][\w.'-]{{0,30}}){{0,3}}){_BADGE} (?P<time>{_TODAY}{_CLOCK})(?P<text>)",
        # Slack's mobile clients and Teams: [14:02] Alice Smith, with the words below
        rf"\[(?P<time>{_DATED})\][ \t]+(?P<name>{_NAME}){_BADGE}(?P<text>)",
    )
)
"""How the head of a message is written, in the order in which they are tried."""
_HEAD_ALONE = _SHAPES[-1]
"""The one shape that the line of a chronology has as well; it is a head only with words below it."""
_BARE_TIME = re.compile(rf"\[?(?P<time>{_TODAY}{_CLOCK})\]?")
_CONTINUED = re.compile(rf"\[(?P<time>{_CLOCK})\][ \t]+(?P<text>.+)")
_INDENTED = re.compile(rf"^[ \t\u00a0]{{1,8}}(?={_CLOCK}\s*$)")
_BELOW = "\u2193"
"""Marks a time that was indented."""
_BADGES = frozenset({"APP", "BOT"})
_TIME_BELOW = re.compile(rf"(?:(?P<app>APP|BOT)[ \t]+)?(?P<time>{_TODAY}{_CLOCK})")
_SPAN = re.compile(
    r"(?P<start>[^\n.]{1,40}(?:\.[0-9][^\n.]{0,20}){0,2})(?:\.\.\.?|\u2026| (?:to|until|till) )(?P<end>[^\n]{0,40})"
)
_JOINED_SPAN = re.compile(r"(?P<start>[^\n]{1,40}?[0-9mM])\s*[-\u2013]\s*(?P<end>[0-9]{1,2}[:.][0-9]{2}[^\n]{0,20})")
_DAY = re.compile(r"[0-9]{4}-|[A-Za-z]{3}|/")
_HALF = re.compile(r"[AaPp]\.?[Mm]\.?$")
_NAME_ALONE = re.compile(rf"{_NAME}")
_LEFT_OUT = re.compile(
    r"[0-9]+ repl(?:y|ies)|View (?:thread|newer replies)|Last reply .{1,40}|\(edited\)|New|Unread|Jump to date"
    r"|Also sent to the channel|Replied to a thread.{0,200}|replied to a thread:.{0,200}|[0-9]+ files?"
    r"|Show more|Show less|Collapse|Expand"
)
"""Lines that the client shows around messages."""
_REACTION = re.compile(r":(?P<name>[a-z0-9_+'-]{1,60}):[ \t]*(?P<count>[0-9]{0,3})")
_COUNT = re.compile(r"[0-9]{1,3}")
_EVENT = re.compile(r"(?:joined|left|was added to|has joined|set the channel|renamed the channel|archived) ?#?.{0,120}")
_FILE = re.compile(
    r"(?P<name>[\w][\w .()-]{0,120}\.(?:png|jpe?g|gif|pdf|log|txt|csv|svg|zip|mp4|mov|json|har|gz|webp))"
)
_APP_NAMES = re.compile(
    r"bot\b|\bbot|^(?:pagerduty|opsgenie|datadog|grafana|prometheus|alertmanager|sentry|jenkins|argo ?cd|statuspage"
    r"|nagios|zabbix|new relic|github|gitlab|circleci|cloudwatch|pingdom|uptime|splunk|victorops|jira|zoom|rootly)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message of a conversation.

    `at` is aware UTC. `author_id` is a Slack id, empty where only a name is known. `people` are the user ids behind the
    `@name`s in `text`. `permalink` is its web address, None where it has none: a pasted one. `reactions` counts who
    gave each emoji. `files` are the names of what was attached. `by_app`: an app wrote it. `event`: nobody said it, it
    tells of the channel, such as that somebody joined. `own`: Scribe's own. `in_thread`: a reply. `edited`: changed
    since it was said.
    """

    at: datetime
    author: str
    text: str
    author_id: str = ""
    people: Mapping[str, str] = field(default_factory=dict)
    permalink: str | None = None
    reactions: Mapping[str, int] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    by_app: bool = False
    event: bool = False
    own: bool = False
    in_thread: bool = False
    edited: bool = False

    @property
    def key(self) -> str:
        """What it is known by: its channel and `ts`; a message without an address by its minute and its words."""
        return message_key(self.permalink) or said_key(self.at, self.text)

    def to_json(self) -> dict[str, Any]:
        """The message as JSON values."""
        return {**asdict(self), "at": self.at.isoformat()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_json`."""
        return cls(**{**values, "at": datetime.fromisoformat(values["at"]), "files": tuple(values["files"])})


def message_key(permalink: str | None) -> str | None:
    """The channel and the `ts` in a message's address, which are the same whatever the workspace is called."""
    found = _ADDRESS.search(permalink or "")
    return f"{found['channel']} {found['ts']}" if found else None


def said_key(at: datetime, text: str) -> str:
    """The minute and the words, as a client shows them that has no seconds."""
    return f"{at:%Y-%m-%dT%H:%M} {' '.join(text.split()).casefold()}"


@dataclass(frozen=True, slots=True)
class _Head:
    """Where a message begins: who said it and when, and what of its words stands on the same line.

    `name` is None where the author is that of the message above.
    """

    name: str | None
    time: str
    text: str
    by_app: bool
    lines: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSpan:
    """A span of time, both ends included, as aware UTC."""

    start: datetime
    end: datetime


LONGEST = timedelta(days=31)
"""The longest span that is read at once."""


def parse_span(words: str, *, now: datetime, zone: ZoneInfo, course: Course | None = None) -> TimeSpan | None:
    """`14:00..15:30`, `2026-11-26 23:00..01:30`, `14:00..`, which ends now; None for words that are no such span.

    The end is on the day of the start, or on the next where the clock went round. Raises UsageError for a span that
    ends before it begins, or is longer than LONGEST.
    """
    match = _SPAN.fullmatch(words.strip()) or _JOINED_SPAN.fullmatch(words.strip())
    if match is None:
        return None
    reader = LineReader(now=now, zone=zone, course=course)
    placed = [_placed_end(match["start"], reader, LinesAbove())]
    if placed[0] is None:
        return None
    start, above = placed[0]
    end = now
    if match["end"].strip():
        found = _placed_end(match["end"], reader, replace(above, at=None))
        if found is None:
            raise UsageError(f"{match['end'].strip()} is no time. Write it as 14:00..15:30")
        end = found[0]
        if end < start and not _DAY.search(match["end"]):
            end += timedelta(days=1)
    if end <= start:
        raise UsageError(f"It ends before it begins: {words.strip()[:60]}. Write it as 14:00..15:30")
    if end - start > LONGEST:
        raise UsageError(f"That is longer than {LONGEST.days} days. Write a shorter one: 2026-11-26 14:00..15:30")
    return TimeSpan(start=start, end=min(end, now))


def _placed_end(typed: str, reader: LineReader, above: LinesAbove) -> tuple[datetime, LinesAbove] | None:
    time, rest = take_time(f"{typed.strip()} ", abbreviations_of(reader.zone, reader.now), now=reader.now)
    if time is None or rest.strip():
        return None
    moment, above = reader.place(time, above)
    return moment.at, above


def is_conversation(words: str) -> bool:
    """Whether the words begin with the head of a message, below dates at most."""
    typed = [line for line in words[: _LONGEST_HEAD * 50].splitlines() if line.strip()][:50]
    lines = [_INDENTED.sub(_BELOW, line).strip() for line in typed]
    return any(_head(lines, at, author="", indents=False) is not None for at in range(min(3, len(lines))))


def parse_conversation(words: str, *, now: datetime, zone: ZoneInfo, course: Course | None = None) -> list[ChatMessage]:
    """The messages of a pasted conversation, in order, at most MOST_MESSAGES.

    A date on a line of its own holds for what follows, and the clock may go round. `now` is aware UTC, `zone` that of
    the clock the conversation shows; `course` is when the incident ran. Raises UsageError where no message begins.
    """
    reader = LineReader(now=now, zone=zone, course=course)
    found = list(_messages(words.splitlines(), reader))
    if not found:
        raise UsageError(
            "No message begins with its author and time. Copy it from Slack as it is, or write each as: [14:02] alice: "
            "restarted db1"
        )
    return found


def _messages(typed: Sequence[str], reader: LineReader) -> Iterator[ChatMessage]:
    above, author, by_app, count, half_shown = LinesAbove(), "", False, 0, False
    open_: ChatMessage | None = None
    lines = [_INDENTED.sub(_BELOW, line).strip() for line in typed]
    # Where a time below a name is indented, one that is not is that of one more message.
    indents = any(line.startswith(_BELOW) for line in lines)
    at = 0
    while at < len(lines) and count < MOST_MESSAGES:
        head = _head(lines, at, author=author, indents=indents) if lines[at] else None
        placed = _placed(head, reader, above, half_shown=half_shown) if head else None
        if head is None or placed is None:
            day = None if open_ is not None and len(lines[at]) > _LONGEST_HEAD else _heading(lines[at], reader)
            if day is not None:
                above = replace(above, day=day, at=None)
            elif open_ is not None:
                open_ = _longer(open_, lines[at])
            at += 1
            continue
        if open_ is not None and _says(open_):
            count += 1
            yield open_
        moment_at, above = placed
        half_shown = half_shown or _HALF.search(head.time) is not None
        if head.name is not None:
            author, by_app = head.name, head.by_app or _APP_NAMES.search(head.name) is not None
        open_ = ChatMessage(at=moment_at, author=author, text="", by_app=by_app)
        open_ = _longer(open_, head.text)
        at += head.lines
    if open_ is not None and _says(open_) and count < MOST_MESSAGES:
        yield open_


def _heading(line: str, reader: LineReader) -> date | None:
    return reader.heading(line) if line and len(line) <= _LONGEST_HEAD else None


def _head(lines: Sequence[str], at: int, *, author: str, indents: bool) -> _Head | None:
    """The head that begins on the line, or on that and the next ones."""
    line = lines[at]
    if len(line) > _LONGEST_HEAD * 100:
        return None
    continued = _CONTINUED.fullmatch(line) if author else None
    if (bare := _BARE_TIME.fullmatch(line)) is not None:
        return _Head(None, bare["time"], "", by_app=False) if author else None
    for shape in _SHAPES:
        match = shape.fullmatch(line)
        if match is None:
            continue
        if match["name"] in _BADGES or (shape is _HEAD_ALONE and not _words_below(lines, at)):
            break
        app = match.groupdict().get("app") is not None
        return _Head(match["name"].strip(" ,"), match["time"], match["text"].strip(), by_app=app)
    if continued is not None:
        return _Head(None, continued["time"], continued["text"], by_app=False)
    return _head_of_two_lines(lines, at, indents=indents)


def _head_of_two_lines(lines: Sequence[str], at: int, *, indents: bool) -> _Head | None:
    """A name, perhaps a badge below it, and then a time alone: how Slack's clients copy several messages."""
    if len(lines[at]) > _LONGEST_HEAD or not _NAME_ALONE.fullmatch(lines[at]):
        return None
    below = at + 1
    badge = below < len(lines) and lines[below] in _BADGES
    below += badge
    shown = lines[below] if below < len(lines) else ""
    time = _TIME_BELOW.fullmatch(shown.removeprefix(_BELOW))
    if time is None or len(lines[at].split()) > _MOST_NAMES:
        return None
    if indents and not (badge or time["app"] or shown.startswith(_BELOW)):
        return None
    app = badge or time["app"] is not None
    return _Head(lines[at], time["time"], "", by_app=app, lines=below - at + 1)


def _words_below(lines: Sequence[str], at: int) -> bool:
    """Whether the next line with anything on it is no further line of the same shape."""
    following = next((line for line in lines[at + 1 : at + 4] if line), "")
    return bool(following) and not following.startswith("[") and _BARE_TIME.match(following) is None


def _placed(
    head: _Head, reader: LineReader, above: LinesAbove, *, half_shown: bool
) -> tuple[datetime, LinesAbove] | None:
    """When the message was said; None for what is no time after all."""
    for shown in _readings(head.time, above.at, half_shown=half_shown):
        placed = _placed_at(shown, reader, above)
        if placed is not None and (above.at is None or placed[0] >= above.at):
            return placed
    return _placed_at(head.time, reader, above)


def _readings(shown: str, after: datetime | None, *, half_shown: bool) -> Sequence[str]:
    """The time with both halves of the day, where the conversation's clock has twelve hours and this leaves it out."""
    return [f"{shown} AM", f"{shown} PM"] if half_shown and after is not None and not _HALF.search(shown) else [shown]


def _placed_at(shown: str, reader: LineReader, above: LinesAbove) -> tuple[datetime, LinesAbove] | None:
    try:
        time, rest = take_time(f"{shown} ", abbreviations_of(reader.zone, reader.now), now=reader.now)
        if time is None or rest.strip():
            return None
        moment, above = reader.place(time, above)
    except UsageError:
        return None
    return moment.at, above


def _longer(message: ChatMessage, line: str) -> ChatMessage:
    """The message with one more line: of its words, or of what the client shows below them."""
    if not line and not message.text:
        return message
    if _LEFT_OUT.fullmatch(line):
        return replace(message, edited=message.edited or line == "(edited)")
    if message.text and (reaction := _REACTION.fullmatch(line)):
        return replace(message, reactions={**message.reactions, reaction["name"]: int(reaction["count"] or 1)})
    if message.reactions and _COUNT.fullmatch(line):
        return replace(message, reactions={**message.reactions, list(message.reactions)[-1]: int(line)})
    if file := _FILE.fullmatch(line):
        return replace(message, files=(*message.files, file["name"]))
    if not message.text and _EVENT.fullmatch(line):
        return replace(message, text=line, event=True)
    edited = line.endswith("(edited)")
    words = line.removesuffix("(edited)").rstrip() if edited else line
    return replace(
        message, text=f"{message.text}\n{words}".strip() if message.text else words, edited=message.edited or edited
    )


def _says(message: ChatMessage) -> bool:
    return bool(message.text.strip() or message.files)
