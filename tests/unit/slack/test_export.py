"""A Slack export is read within bounds, and a hostile one is refused with a clear error."""

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from bot.domain.incident.conversation import TimeSpan
from bot.errors import UsageError
from bot.slack import export
from bot.slack.export import ExportedChannel, read_export
from tests.support.chats import chats, write_export

DAY = "incident-12/2026-03-12.json"
CHANNELS: Any = [{"id": "C1", "name": "incident-12"}]
USERS: Any = [{"id": "U0ALICE", "name": "al", "profile": {"display_name": "alice"}}]
SAID: Any = {
    "type": "message",
    "ts": "1773313330.000100",
    "user": "U0ALICE",
    "text": "restarted &lt;db1&gt; with <@U0ALICE>",
}


def packed(path: Path, files: dict[str, Any]) -> Path:
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, str | bytes) else json.dumps(content))
    return path


def read(path: Path, **files: Any) -> ExportedChannel:
    whole = {"channels.json": CHANNELS, "users.json": USERS, DAY: [SAID]} | files
    return read_export(packed(path / "export.zip", whole), "#Incident-12")


def test_a_message_has_its_author_words_and_address(tmp_path: Path) -> None:
    channel = read(tmp_path)
    (message,) = channel.messages
    assert (message.author, message.text, message.author_id) == ("alice", "restarted <db1> with @alice", "U0ALICE")
    assert message.permalink == "https://app.slack.com/archives/C1/p1773313330000100"
    assert dict(message.people) == {"alice": "U0ALICE"}


def test_threads_joins_apps_edits_files_and_deleted_messages_are_told_apart(tmp_path: Path) -> None:
    files = [{"name": "graph.png", "title": "graph", "url_private": "https://files.slack.com/graph.png?t=xoxe-1-2-abc"}]
    said = [
        SAID,
        SAID,
        {**SAID, "ts": "2.0", "subtype": "channel_join"},
        {**SAID, "ts": "3.0", "thread_ts": "1773313330.000100", "edited": {"user": "U0ALICE", "ts": "4.0"}},
        {
            "type": "message",
            "subtype": "bot_message",
            "bot_id": "B1",
            "username": "deploybot",
            "text": "x",
            "ts": "4.0",
        },
        {**SAID, "ts": "5.0", "files": files},
        {**SAID, "ts": "6.0", "subtype": "tombstone"},
        {"type": "message", "bot_id": "B9", "username": "scribe", "text": "Did · 14:02 · INC-1 #2", "ts": "7.0"},
    ]
    joined, reply, app, file, own, first = read(tmp_path, **{DAY: said}).messages
    assert joined.event
    assert (reply.in_thread, reply.edited) == (True, True)
    assert "thread_ts=1773313330.000100" in (reply.permalink or "")
    assert (app.by_app, app.author) == (True, "deploybot")
    assert file.files == ("graph.png",)
    assert "graph (https://files.slack.com/graph.png" in file.text
    assert "xoxe" not in file.text
    assert (own.own, first.own) == (True, False)


def test_a_span_leaves_the_rest_out(tmp_path: Path) -> None:
    chat = next(each for each in chats() if each.name.startswith("gitlab"))
    write_export(chat, tmp_path / "export.zip")
    start, end = chat.lines[10].message.at, chat.lines[20].message.at
    found = read_export(tmp_path / "export.zip", "C0INCIDENT", span=TimeSpan(start=start, end=end))
    assert [each.text for each in found.messages] == [each.message.text for each in chat.lines[10:21]]


HOSTILE: dict[str, tuple[dict[str, Any], str]] = {
    "no export": ({"channels.json": "", "a.txt": "x"}, "no JSON"),
    "an object": ({"channels.json": {"id": "C1"}}, "no list"),
    "other types": ({"channels.json": [1, None, {"id": 1, "name": []}]}, "no channel"),
    "deep": ({DAY: "[" * 200_000}, "no JSON"),
    "a long number": ({DAY: "[" + "9" * 10_000 + "]"}, "no JSON"),
    "no text": ({DAY: b"\xff\xfe\x00"}, "no JSON"),
    "cut off": ({DAY: json.dumps([SAID])[:-5]}, "no JSON"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_export_is_refused(tmp_path: Path, name: str) -> None:
    files, problem = HOSTILE[name]
    with pytest.raises(UsageError, match=problem):
        read(tmp_path, **files)


def test_what_is_no_message_is_skipped_and_counted(tmp_path: Path) -> None:
    odd: list[Any] = [
        None, 5, "x", [], {}, {"ts": 5}, {"ts": "yesterday"}, {"ts": "99999999999999"}, {**SAID, "text": 7},
        {**SAID, "ts": "1.0", "reactions": 5, "files": "x", "blocks": {"a": 1}, "attachments": [3], "edited": None},
    ]  # fmt: skip
    channel = read(tmp_path, **{DAY: odd})
    assert (channel.skipped, len(channel.messages)) == (9, 1)


def test_a_bomb_is_not_unpacked_and_paths_lead_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "MOST_BYTES_A_FILE", 1024 * 1024)
    with pytest.raises(UsageError, match="unpacks to more"):
        read(tmp_path, **{DAY: "[" + " " * 8_000_000 + "]"})
    outside = {"../../etc/2026-03-12.json": [SAID], "/incident-12/2026-03-13.json": [{**SAID, "ts": "9.0"}]}
    assert len(read(tmp_path, **outside).messages) == 2
    assert not (tmp_path.parent / "etc").exists()


def _no_archive(path: Path) -> None:
    path.write_bytes(b"PK\x03\x04 no archive")


def _broken(path: Path) -> None:
    packed(path, {"channels.json": CHANNELS, DAY: [SAID] * 50})
    content = bytearray(path.read_bytes())
    content[40:60] = b"\xff" * 20
    path.write_bytes(bytes(content))


def _encrypted(path: Path) -> None:
    packed(path, {"channels.json": CHANNELS, DAY: [SAID]})
    content = path.read_bytes()
    at = content.index(b"PK\x01\x02") + 8
    path.write_bytes(content[:at] + struct.pack("<H", 1) + content[at + 2 :])


@pytest.mark.parametrize("write", [_no_archive, _broken, _encrypted], ids=lambda write: write.__name__)
def test_an_archive_that_cannot_be_read_is_refused(tmp_path: Path, write: Callable[[Path], None]) -> None:
    write(tmp_path / "export.zip")
    with pytest.raises(UsageError, match=r"export\.zip cannot be read as a ZIP archive|no JSON"):
        read_export(tmp_path / "export.zip", "incident-12")
