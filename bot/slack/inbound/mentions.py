"""`@scribe detected …`: the same grammar in a message; it works in threads, where commands do not."""

from functools import partial

from sqlalchemy import Connection

from bot.errors import UsageError
from bot.handlers.request import Reply
from bot.slack.context import Body, Door
from bot.slack.text import typed
from bot.vocabulary import COMMANDS


def mention(door: Door, body: Body) -> None:
    """Record, and answer in the same thread, or to the person alone where something is wrong.

    An exception goes up to Bolt, which answers 500, and Slack delivers the event again.
    """
    event = body["event"]
    if event.get("bot_id") or not event.get("user"):
        return
    thread = {"thread_ts": event["thread_ts"]} if event.get("thread_ts") else {}
    request = door.requests.of_mention(body, received_at=door.clock())

    def say(connection: Connection, reply: Reply) -> None:
        if reply.form is not None:
            # A mention brings no trigger to open a form with.
            raise UsageError(f"Say it in one line: {request.slash(request.command)} {COMMANDS[request.command].hint}")
        door.say(connection, request, reply, thread)

    try:
        door.keeper.handle(request, also=say, aside=partial(door.say_now, request, thread))
    except UsageError as error:
        door.refuse(request, str(error), typed(event["text"]).words, thread)
    door.delivery.wake()
