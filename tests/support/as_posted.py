"""Messages as they were posted: a digest is edited later, and the older ones are a line by then."""

from dataclasses import replace
from typing import Any

from bot.fakeslack.objects import Message
from bot.fakeslack.slack import Slack


def as_posted(slack: Slack, place: str, user: str | None = None) -> list[Message]:
    """What was posted there, each message with its first text and blocks."""
    first = {
        call.args["metadata"]["event_payload"]["key"]: call.args
        for call in slack.calls
        if call.method == "chat.postMessage" and not call.error and call.args.get("metadata")
    }
    return [_restored(message, first) for message in slack.messages(place, user)]


def _restored(message: Message, first: dict[str, dict[str, Any]]) -> Message:
    key = message.metadata["event_payload"]["key"] if message.metadata else None
    if not message.edited or key not in first:
        return message
    return replace(message, text=first[key]["text"], blocks=first[key].get("blocks", []), edited=False)
