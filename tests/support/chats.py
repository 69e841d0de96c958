"""The cases told as chats, in tests/cases/chats: conversations of which it is known what belongs on the timeline."""

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from bot.domain.incident.conversation import ChatMessage
from tests.support.paths import ROOT

_FILES = "https://files.slack.com"
FOLDER = ROOT / "tests" / "cases" / "chats"
_LINE = re.compile(
    r"(?P<kind>-|[a-z]+) (?P<clock>\d\d:\d\d:\d\d) (?P<reply>> )?(?P<author>[^:]+?)(?P<app>\*)?: (?P<text>.*)"
)
_REACTIONS = re.compile(r" \{(?P<names>[^{}]+)\}$")
_FILE = re.compile(r" \[file: (?P<name>[^\]]+)\]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message, and the kind of entry that it is; None for one that does not belong on the timeline."""

    message: ChatMessage
    kind: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A chat; `for_checking` is one that nothing was tuned on."""

    name: str
    lines: tuple[Told, ...]
    for_checking: bool


def chats() -> list[Chat]:
    """All of them, by name."""
    return [read(path) for path in sorted(FOLDER.glob("*.txt"))]


def read(path: Path) -> Chat:
    """The chat in the file."""
    typed = path.read_text(encoding="utf-8").splitlines()
    return Chat(name=path.stem, lines=tuple(_lines(typed)), for_checking="# check" in typed)


def _lines(typed: list[str]) -> Iterator[Told]:
    day = ""
    for number, line in enumerate(typed):
        if line.startswith("#"):
            day = line.removeprefix("# date ") if line.startswith("# date ") else day
            continue
        match = _LINE.fullmatch(line)
        assert match, line
        text, reactions, files = match["text"], dict[str, int](), tuple[str, ...]()
        if found := _REACTIONS.search(text):
            text = text[: found.start()]
            for each in found["names"].split():
                name, _, count = each.partition(":")
                reactions[name] = int(count or 1)
        if found := _FILE.search(text):
            text, files = text[: found.start()], (found["name"],)
        at = datetime.fromisoformat(f"{day}T{match['clock']}").replace(tzinfo=UTC, microsecond=number * 1000)
        message = ChatMessage(
            at=at,
            author=match["author"],
            author_id=f"{'B' if match['app'] else 'U'}0{re.sub('[^A-Z0-9]', '', match['author'].upper())}",
            text=text.replace("\\n", "\n"),
            reactions=reactions,
            files=files,
            by_app=bool(match["app"]),
            in_thread=bool(match["reply"]),
        )
        yield Told(message=message, kind=None if match["kind"] == "-" else match["kind"])


def write_export(chat: Chat, path: Path, *, channel: tuple[str, str] = ("C0INCIDENT", "incident-12")) -> None:
    """The chat as a Slack export with that channel, by id and name."""
    channel_id, name = channel
    people = {each.message.author_id: each.message.author for each in chat.lines if not each.message.by_app}
    days: dict[str, list[dict[str, object]]] = {}
    thread_ts = ""
    for each in chat.lines:
        message = each.message
        ts = f"{message.at.timestamp():.6f}"
        thread_ts = thread_ts if message.in_thread else ts
        who = {"bot_id": message.author_id, "subtype": "bot_message", "username": message.author}
        described: dict[str, object] = {
            "type": "message",
            "ts": ts,
            "text": html.escape(message.text, quote=False),
            **(who if message.by_app else {"user": message.author_id}),
            "reactions": [{"name": name, "count": count, "users": []} for name, count in message.reactions.items()],
            "files": [
                {"name": name, "url_private": f"https://files.slack.com/{name}?t=xoxe-1-2"} for name in message.files
            ],
        }
        if message.in_thread:
            described["thread_ts"] = thread_ts
        days.setdefault(f"{message.at:%Y-%m-%d}", []).append(described)
    joined = {"type": "message", "subtype": "channel_join", "user": next(iter(people)), "ts": "1000000000.000000"}
    days.setdefault("2001-09-09", []).append({**joined, "text": "<@U0X> has joined the channel"})
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("channels.json", json.dumps([{"id": channel_id, "name": name, "members": []}]))
        users = [{"id": user_id, "name": who, "profile": {"display_name": who}} for user_id, who in people.items()]
        archive.writestr("users.json", json.dumps(users))
        for day, messages in days.items():
            archive.writestr(f"{name}/{day}.json", json.dumps(messages))
