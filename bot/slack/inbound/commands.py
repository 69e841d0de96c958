"""Slash commands: the answer is the ack."""

import logging

from slack_bolt import Ack

from bot.errors import UsageError
from bot.slack.context import NOT_SAVED, Body, Door, place
from bot.slack.outbound import blocks, modals
from bot.slack.text import typed

_log = logging.getLogger(__name__)


def command(door: Door, ack: Ack, body: Body) -> None:
    """Handle, commit, then acknowledge with the receipt; nothing is raised, since Bolt would lose the answer."""
    received_at = door.clock()
    try:
        request = door.requests.of_command(body, received_at=received_at)
        reply = door.keeper.handle(request)
        form = None if reply.form is None else modals.FORMS[reply.form](place(request, source="form"), **reply.fills)
    except UsageError as error:
        ack(**blocks.refusal(str(error), _as_typed(body)))
    except Exception:  # noqa: BLE001 - the door: whatever it was, the words go back to the person who typed them
        _log.exception("command not saved")
        ack(**blocks.refusal(NOT_SAVED, _as_typed(body)))
    else:
        door.delivery.wake()
        if form is None:
            ack(**blocks.ack(reply))
        else:
            door.open(body["trigger_id"], form, request)
            ack()


def _as_typed(body: Body) -> str:
    return f"{body.get('command', '')} {typed(body.get('text') or '').words}".strip()
