"""Files of messages that are on a timeline: fetched from Slack after the answer, looked at, and kept.

The payloads name a file by its id. Where its bytes are, and what and how many they are, Slack is asked when the job is
done: then it also says whether the file is still there.
"""

import logging
from typing import Any

from slack_sdk.errors import SlackApiError

from bot.documents.images import Fit, UnfitError, fit, kind_of
from bot.documents.rendering import RENDER_LOCK
from bot.slack.context import SlackContext
from bot.slack.refusals import FileKeptBackError, ForeignAnswerError, Verdict, judge, reason
from storage import outbox
from storage.outbox import Job
from storage.sources import files
from storage.sources.files import FileStore

_log = logging.getLogger(__name__)
_MEGABYTE = 1_000_000
_TOO_LARGE = "answer_too_large"


def keep(context: SlackContext, job: Job) -> None:
    """Keep the file, or note in its row why not.

    Raises what Slack's refusal raises: where that is for good, the job is set aside with it, and the row says so too.
    """
    row = job.content["file"]
    with context.database.read() as connection:
        file_id = files.waiting(connection, row)
    if file_id is None:
        return
    described: dict[str, Any] = {}
    try:
        described = context.client.files_info(file=file_id)["file"]
        kept = _fetch(context, described)
    except UnfitError as error:
        _refuse(context, job, described, str(error), done=True)
    except (SlackApiError, FileKeptBackError) as error:
        if judge(error) is Verdict.NEVER:
            _refuse(context, job, described, reason(error), done=False)
        raise
    else:
        # Before the row says so: bytes that no row names are nobody's, a row without bytes would be a lie.
        digest = FileStore(context.settings.files_dir).put(kept.content)
        with context.database.write() as connection:
            is_wanted = files.keep(
                connection,
                row,
                name=_string(described, "title") or _string(described, "name"),
                kind=kept.kind,
                size=len(kept.content),
                digest=digest,
                permalink=_string(described, "permalink") or None,
            )
            unclaimed = not is_wanted and digest not in files.referenced(connection)
            outbox.mark_sent(connection, job, at=context.clock())
        if unclaimed:
            FileStore(context.settings.files_dir).delete(digest)


def _fetch(context: SlackContext, described: dict[str, Any]) -> Fit:
    """The file as it is kept. Raises UnfitError for one of another kind or size."""
    settings, most_bytes = context.settings, context.settings.files_mb * _MEGABYTE
    kind = kind_of(_string(described, "name"), _string(described, "filetype"))
    if kind not in settings.files:
        raise UnfitError("kind_not_kept")
    size = described.get("size")
    if isinstance(size, int) and size > most_bytes:
        raise UnfitError("too_large")
    url = _string(described, "url_private_download") or _string(described, "url_private")
    try:
        content = context.client.download(url, workspace_url=context.identity.facts.url, most_bytes=most_bytes)
    except ForeignAnswerError as error:
        if str(error) == _TOO_LARGE:
            raise UnfitError("too_large") from None
        raise
    # One at a time, as with pictures that are drawn: a large image takes memory and processor.
    with RENDER_LOCK:
        return fit(content, kind, settings.files)


def _refuse(context: SlackContext, job: Job, described: dict[str, Any], problem: str, *, done: bool) -> None:
    _log.info("file not kept: %s", problem)
    with context.database.write() as connection:
        files.refuse(connection, job.content["file"], name=_string(described, "title"), problem=problem)
        if done:
            outbox.mark_sent(connection, job, at=context.clock())


def _string(described: dict[str, Any], name: str) -> str:
    value = described.get(name)
    return value if isinstance(value, str) else ""
