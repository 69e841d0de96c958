"""The buttons under a message: tests of what a receipt offers look here, whatever blocks say the rest of it."""

from typing import Any

from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.objects import Message


def buttons(shown: Message | Answer | None) -> list[dict[str, Any]]:
    """The elements in the rows of buttons of a message or of an answer's message: not the menu beside a receipt."""
    message = shown.message if isinstance(shown, Answer) else shown
    assert message is not None
    return [each for block in message.blocks if block["type"] == "actions" for each in block["elements"]]


def labels(shown: Message | Answer | None) -> list[str]:
    """What the buttons say, in their order."""
    return [each["text"]["text"] for each in buttons(shown)]
