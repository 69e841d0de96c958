"""How well a conversation's proposals are ticked, on the cases told as chats; and how long many messages take."""

import io
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from bot.domain.incident.backfill import Proposal, propose
from bot.domain.incident.conversation import ChatMessage
from bot.slack.export import read_export
from tests.benchmarks.effort import Effort
from tests.benchmarks.report import heading, table
from tests.support.chats import Chat, Told, chats, write_export

MESSAGES = 20_000


def measure(effort: Effort) -> None:
    """Print recall and precision of the default ticks by chat, and the CPU seconds for a long conversation."""
    heading("Backfill: what is ticked, of what belongs on the timeline (recall), and the reverse (precision)")
    found = {chat.name: (chat, propose([each.message for each in chat.lines])) for chat in chats()}
    rows = [_row(chat, proposals) for chat, proposals in found.values()]
    whole = [(told, each) for chat, proposals in found.values() for told, each in _pairs(chat, proposals)]
    table(("chat", "messages", "recall", "precision", "kind right"), [*rows, ("all of them", *_shares(whole))])
    heading(f"{MESSAGES:,} messages of an export: read and proposed, and beside it, its JSON alone")
    with TemporaryDirectory(prefix="scribe-benchmark-") as folder:
        path = Path(folder) / "export.zip"
        long = _long([told for chat in chats() for told in chat.lines])
        write_export(Chat(name="long", lines=long, for_checking=False), path)
        read_s, propose_s, bare_s = min(_timed(path) for _ in range(effort.rounds))
    table(
        ("read", "propose", "JSON alone", "both to JSON alone"),
        [(f"{read_s:.1f} s", f"{propose_s:.1f} s", f"{bare_s:.2f} s", f"{(read_s + propose_s) / bare_s:.0f} x")],
    )


def _pairs(chat: Chat, proposals: Sequence[Proposal]) -> list[tuple[Told, Proposal]]:
    return list(zip(chat.lines, proposals, strict=True))


def _row(chat: Chat, proposals: Sequence[Proposal]) -> tuple[str, ...]:
    name = f"{chat.name}{', for checking only' * chat.for_checking}"
    return (name, *_shares(_pairs(chat, proposals)))


def _shares(pairs: Sequence[tuple[Told, Proposal]]) -> tuple[str, ...]:
    ticked = [(told, each) for told, each in pairs if each.ticked]
    right = [(told, each) for told, each in ticked if told.kind is not None]
    belong = sum(told.kind is not None for told, _ in pairs)
    kinds = sum(told.kind == each.kind for told, each in right)
    return (
        f"{len(pairs)}",
        f"{len(right) / belong:.0%}",
        f"{len(right) / len(ticked):.0%}",
        f"{kinds / len(right):.0%}",
    )


def _long(lines: Sequence[Told]) -> tuple[Told, ...]:
    """The lines again and again, each time a second later, up to MESSAGES."""
    many: list[Told] = []
    for turn in range(MESSAGES // len(lines) + 1):
        many += [replace(each, message=_later(each.message, turn)) for each in lines]
    return tuple(many[:MESSAGES])


def _later(message: ChatMessage, seconds: int) -> ChatMessage:
    return replace(message, at=message.at + timedelta(seconds=seconds))


def _timed(path: Path) -> tuple[float, float, float]:
    """CPU seconds for reading the export, for the proposals, and for its JSON alone."""
    begun_s = time.process_time()
    messages = read_export(path, "incident-12").messages
    read_s, begun_s = time.process_time() - begun_s, time.process_time()
    assert len(propose(messages)) == MESSAGES
    propose_s = time.process_time() - begun_s
    described = json.dumps([each.to_json() for each in messages])
    begun_s = time.process_time()
    json.load(io.StringIO(described))
    return read_s, propose_s, time.process_time() - begun_s
