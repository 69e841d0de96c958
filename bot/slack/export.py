"""A Slack export: one channel's messages out of the archive that an administrator downloads.

It has `channels.json` and `groups.json` (public and private channels) and `users.json`, and for each channel a folder
of its name with one JSON list of messages a day, `2026-11-26.json`, threads included. Source: Slack, "How to read Slack
data exports". The archive may be of any origin, so what is read of it is bounded, and nothing is written to disk.
"""

import json
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zipfile import BadZipFile, LargeZipFile, ZipFile

from bot.domain.incident.conversation import MOST_MESSAGES, ChatMessage, TimeSpan
from bot.errors import UsageError
from bot.slack.inbound.history import chat_message
from bot.slack.inbound.payloads import SourceMessage

MOST_FILES: Final = 500_000
"""Files in an archive: 500 channels over three years have as many."""
MOST_BYTES: Final = 512 * 1024 * 1024
"""Bytes that are unpacked of all files that are read, whatever the archive says of their sizes."""
MOST_BYTES_A_FILE: Final = 64 * 1024 * 1024
_PIECE: Final = 1024 * 1024
_LISTS: Final = ("channels.json", "groups.json")
_DAY = re.compile(r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})\.json")
_ID_LENGTH: Final = 64
_OWN_RECEIPT = re.compile(r"· INC-[0-9]{1,9} #[0-9]{1,9}\b")
"""What Scribe's own messages say: an export names apps by what they are called there."""

Progress = Callable[[int, int], object]
"""Called with the messages read so far, and the days still to be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedChannel:
    """A channel of an export, with its messages in the order in which they were said.

    `skipped` are those that are no messages as documented; `cut` says that there were more than MOST_MESSAGES.
    """

    id: str
    name: str
    messages: tuple[ChatMessage, ...]
    skipped: int
    cut: bool


def read_export(
    path: Path,
    channel: str,
    *,
    span: TimeSpan | None = None,
    address: str = "https://app.slack.com/",
    progress: Progress = lambda _messages, _days: None,
) -> ExportedChannel:
    """Read the channel of that name or id, within the span if one is given. `address` is the workspace's.

    Raises UsageError for an archive that is none, holds too much, or lacks the channel.
    """
    try:
        with ZipFile(path) as archive:
            return _Export(archive, address=address, progress=progress).read(channel, span)
    except (BadZipFile, LargeZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"{path.name} cannot be read as a ZIP archive ({type(error).__name__}). Download the export again."
        ) from None


class _Export:
    """An open archive, and how many bytes of it have been unpacked."""

    def __init__(self, archive: ZipFile, *, address: str, progress: Progress) -> None:
        if len(archive.infolist()) > MOST_FILES:
            raise UsageError(f"The archive has more than {MOST_FILES:,} files, which no export has.")
        self._archive = archive
        self._address = address
        self._progress = progress
        self._left = MOST_BYTES
        # The last one of a name, as Python's zipfile has it; folders above the export's own are left out.
        self._files = {name.lstrip("/"): name for name in archive.namelist()}

    def read(self, channel: str, span: TimeSpan | None) -> ExportedChannel:
        """The channel's messages. Raises UsageError."""
        channel_id, name = self._find(channel)
        people = self._people()
        days = sorted(self._days(name, span))
        found: dict[str, ChatMessage] = {}
        skipped = 0
        for number, (_, file) in enumerate(days):
            for described in self._list(file):
                ts = described.get("ts") if isinstance(described, Mapping) else None
                message = self._message(described, channel_id, people)
                if message is None or not isinstance(ts, str):
                    skipped += 1
                elif span is None or span.start <= message.at <= span.end:
                    found.setdefault(ts, message)
            self._progress(len(found), len(days) - number - 1)
            if len(found) > MOST_MESSAGES:
                break
        messages = sorted(found.values(), key=lambda each: each.at)
        return ExportedChannel(
            id=channel_id,
            name=name,
            messages=tuple(messages[:MOST_MESSAGES]),
            skipped=skipped,
            cut=len(messages) > MOST_MESSAGES,
        )

    def _find(self, channel: str) -> tuple[str, str]:
        wanted = channel.removeprefix("#").casefold()
        listed = [file for file in _LISTS if file in self._files]
        if not listed:
            raise UsageError(
                "The archive has no channels.json, so it is no Slack export. It stands at the top of an export: pack "
                "it without a folder around it."
            )
        names: list[str] = []
        for file in listed:
            for each in self._list(file):
                if not isinstance(each, Mapping):
                    continue
                channel_id, name = each.get("id"), each.get("name")
                if not (isinstance(channel_id, str) and isinstance(name, str) and 0 < len(channel_id) <= _ID_LENGTH):
                    continue
                if wanted in {name.casefold(), channel_id.casefold()}:
                    return channel_id, name
                names.append(name)
        near = ", ".join(sorted(names)[:_NAMED])
        raise UsageError(
            f"The export has no channel {channel}. It has {len(names)}: {near}{'…' * (len(names) > _NAMED)}"
        )

    def _people(self) -> Mapping[str, str]:
        """The names of users by id, as they are shown."""
        found: dict[str, str] = {}
        for each in self._list("users.json") if "users.json" in self._files else ():
            if not isinstance(each, Mapping) or not isinstance(each.get("id"), str):
                continue
            profile = each.get("profile")
            profile = profile if isinstance(profile, Mapping) else {}
            names = (profile.get("display_name"), profile.get("real_name"), each.get("real_name"), each.get("name"))
            found[each["id"]] = next((name for name in names if isinstance(name, str) and name.strip()), each["id"])
        return found

    def _days(self, name: str, span: TimeSpan | None) -> Iterator[tuple[str, str]]:
        """The channel's files by day; a day is that of the workspace's zone, so a span has one more at either end."""
        for file in self._files:
            folder, _, last = file.rpartition("/")
            match = _DAY.fullmatch(last)
            if folder != name or match is None:
                continue
            try:
                day = datetime.fromisoformat(match["day"]).replace(tzinfo=UTC)
            except ValueError:
                continue
            if span is None or span.start - timedelta(days=2) <= day <= span.end + timedelta(days=1):
                yield match["day"], file

    def _list(self, file: str) -> list[Any]:
        """The JSON list in the file. Raises UsageError for anything else, and beyond the limits."""
        try:
            value = json.loads(self._bytes(file))
        except (ValueError, RecursionError):
            raise UsageError(f"{_shown(file)} in the archive is no JSON that can be read.") from None
        if not isinstance(value, list):
            raise UsageError(f"{_shown(file)} in the archive is no list, as it is in a Slack export.")
        return value

    def _bytes(self, file: str) -> bytes:
        pieces: list[bytes] = []
        size = 0
        with self._archive.open(self._files[file]) as stream:
            while piece := stream.read(_PIECE):
                size += len(piece)
                if size > MOST_BYTES_A_FILE or size > self._left:
                    raise UsageError(
                        f"{_shown(file)} in the archive unpacks to more than a day of an export holds; it is not read."
                    )
                pieces.append(piece)
        self._left -= size
        return b"".join(pieces)

    def _message(self, described: object, channel_id: str, people: Mapping[str, str]) -> ChatMessage | None:
        return chat_message(
            described,
            author_of=lambda message: _author(message, described, people),
            name_of=people.get,
            permalink=lambda message: _permalink(self._address, channel_id, message),
            is_own=lambda message: message.by_app and _OWN_RECEIPT.search(message.text or "") is not None,
        )


_NAMED: Final = 20
"""Channels that an error names."""


def _author(message: SourceMessage, described: object, people: Mapping[str, str]) -> tuple[str, str]:
    author_id = message.user or message.bot_id or ""
    if message.app_name and (message.user is None or message.user not in people):
        return author_id, message.app_name
    profile = described.get("user_profile") if isinstance(described, Mapping) else None
    profile = profile if isinstance(profile, Mapping) else {}
    told = (people.get(author_id), profile.get("display_name"), profile.get("real_name"), message.username)
    return author_id, next((name for name in told if isinstance(name, str) and name.strip()), author_id)


def _permalink(address: str, channel_id: str, message: SourceMessage) -> str:
    link = f"{address}archives/{channel_id}/p{message.ts.replace('.', '')}"
    thread = message.thread_ts
    return f"{link}?thread_ts={thread}&cid={channel_id}" if thread and thread != message.ts else link


def _shown(file: str) -> str:
    return file[-80:]
