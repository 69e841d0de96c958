"""What happens in Slack without words: a reaction, an opened Home tab. The work is a job's; here it is put down.

Each is a request, as what people type is: while the database is away it is kept, and done afterwards.
"""

from sqlalchemy import Connection

from bot.handlers.request import Reply, Request
from storage import outbox

REACTION, HOME_OPENED = "reaction", "home_opened"
"""The commands of the requests."""
PUBLISH_HOME = "home"
"""The action of the job that publishes a person's Home tab."""
_SILENT = Reply(text="", public=True, own=True)
"""Nobody typed, so nobody is answered."""


def reaction(connection: Connection, request: Request) -> Reply:
    """Put the reaction, or its removal, into the outbox: the event carries no words, so the message is fetched.

    The details are the content of the job and, as `action`, its action. The channel's lane keeps the order.
    """
    content = {name: value for name, value in request.details.items() if name != "action"}
    outbox.add(
        connection,
        request.workspace_id,
        lane=request.channel_id,
        action=request.details["action"],
        content=content,
        at=request.received_at,
    )
    return _SILENT


def home_opened(connection: Connection, request: Request) -> Reply:
    """Have the person's Home tab published."""
    outbox.add(
        connection,
        request.workspace_id,
        lane=f"home:{request.user_id}",
        action=PUBLISH_HOME,
        content={"user_id": request.user_id},
        at=request.received_at,
    )
    return _SILENT
