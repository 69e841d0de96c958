"""A digest as a Slack message: its parts, each with its buttons below."""

from bot.handlers.digests import Digest
from bot.slack.blocks import BLOCKS_LIMIT, TEXT_LIMIT, Message, clip_escaped, controls

_PART_LIMIT = BLOCKS_LIMIT // 16


def message(digest: Digest) -> Message:
    """The message's blocks, and the whole in plain text for those who hear or glance at it."""
    whole = "\n\n".join(filter(None, [digest.head, *(part.text for part in digest.parts), digest.foot]))
    blocks = [_section(digest.head)]
    for part in digest.parts:
        blocks += [_section(part.text), *controls(part.controls)]
    if digest.foot:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": digest.foot}]})
    return {"text": clip_escaped(whole, TEXT_LIMIT), "blocks": blocks}


def _section(text: str) -> Message:
    return {"type": "section", "text": {"type": "mrkdwn", "text": clip_escaped(text, _PART_LIMIT)}}
