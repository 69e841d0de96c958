"""Reports into the channel: the numbers as text, the picture as a file."""

from collections.abc import Collection

from slack_sdk.errors import SlackApiError

from bot.documents.picture.painting import painted
from bot.documents.picture.report import draw
from bot.documents.rendering import slack
from bot.documents.turn import TURN
from bot.handlers.report import reports
from bot.slack.context import Door
from bot.slack.outbound import blocks
from storage import outbox
from storage.outbox import Errand

ALT_LIMIT = 1_000
GROUPS = 6
"""So many teams are named in a message; the terminal names all."""


def send(door: Door, errand: Errand, *, no_files: Collection[str]) -> None:
    """Count, and send it; where one of `no_files` is Slack's word, the text alone."""
    content = errand.content
    with TURN, door.database.read() as connection:
        report = reports.asked(connection, errand.workspace_id, content)
    text = slack("report", report=report, shown=GROUPS)
    try:
        if report.declared or report.items.recorded:
            with TURN:
                picture = painted(draw(report))
            door.client.files_upload_v2(
                channel=content["channel"],
                content=picture,
                filename="incident-report.png",
                title=f"Incidents of {report.period.words}",
                initial_comment=text,
                alt_txt=blocks.clip(text.replace("*", ""), ALT_LIMIT),
            )
            return
    except SlackApiError as error:
        if error.response.get("error") not in no_files:
            raise
    post = {"channel": content["channel"], "reply_url": content["reply_url"], "text": text}
    with door.database.write() as connection:
        at = door.clock()
        outbox.add(connection, errand.workspace_id, lane=content["channel"], action="post", content=post, at=at)
        outbox.sent(connection, errand, at=at)
