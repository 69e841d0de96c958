"""Buttons: what a click did is said in the channel, what is wrong to the person alone."""

import logging
from functools import partial

from slack_bolt import Ack
from sqlalchemy import Connection

from bot.errors import UsageError
from bot.handlers.request import Reply
from bot.slack.context import Body, Door, place
from bot.slack.outbound import modals

_log = logging.getLogger(__name__)


def click(door: Door, ack: Ack, body: Body) -> None:
    """Do what the button says, once however often Slack tells of the click."""
    request = door.requests.of_click(body, received_at=door.clock())

    def say(connection: Connection, reply: Reply) -> None:
        if reply.form is None:
            door.say(connection, request, reply, {})

    try:
        try:
            reply = door.keeper.handle(request, also=say, aside=partial(door.say_now, request, {}))
            if reply.form is not None:
                form = modals.FORMS[reply.form](place(request, source="form"), **reply.fills)
                door.open(body["trigger_id"], form, request)
        except UsageError as error:
            door.refuse(request, str(error), "", {})
    except Exception:  # noqa: BLE001 - the door: a click can be made again
        _log.exception("click not handled")
        door.apologise(body.get("response_url"))
    door.delivery.wake()
    ack()
