"""What Slack keeps of a channel: its messages as a conversation, from the Web API or from an export."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from slack_sdk.errors import SlackApiError, SlackClientError
from sqlalchemy import Connection

from bot.clock import elapsed_s
from bot.documents.rendering import slack
from bot.domain.incident.conversation import MOST_MESSAGES, ChatMessage
from bot.handlers.incident import conversations
from bot.handlers.request import Reply, Request
from bot.slack.context import SlackContext
from bot.slack.inbound.messages import read_message, words_of
from bot.slack.inbound.payloads import SourceMessage
from bot.slack.inbound.requests import instant_of_ts
from bot.slack.refusals import gives_up, reason
from bot.slack.text import Naming, plain_text
from storage import outbox
from storage.outbox import Job
from storage.sources import backfills

PAGE: Final = 200
"""Messages in one answer of Slack's, which recommends no more."""
THREADS_BEFORE_S: Final = 6 * 3600
"""Seconds before the time span in which a thread may have begun that goes on in it."""
PROGRESS_S: Final = 15.0
"""Seconds between two messages on the progress."""
MOST_PROGRESS: Final = 2
"""Messages on the progress: a `response_url` takes five messages, and the last ones are the proposals."""
_SAID = frozenset({None, "", "bot_message", "file_share", "thread_broadcast", "me_message"})
"""The subtypes of what somebody said; the others tell of the channel, such as that somebody joined."""
_FILE_TOKEN = re.compile(r"(?P<sign>[?&])t=xox[a-z]-[A-Za-z0-9-]*&?")
"""The token that an export puts behind each file's address."""


def chat_message(
    described: object,
    *,
    author_of: Callable[[SourceMessage], tuple[str, str]],
    name_of: Naming,
    permalink: Callable[[SourceMessage], str],
    is_own: Callable[[SourceMessage], bool],
) -> ChatMessage | None:
    """Slack's message object as a message of a conversation; None for one that is deleted, or not as documented."""
    message = read_message(described)
    if message is None or not isinstance(described, Mapping) or message.subtype == "tombstone":
        return None
    author_id, author = author_of(message)
    said = plain_text(_FILE_TOKEN.sub(r"\g<sign>", words_of(message)), name_of=name_of)
    return ChatMessage(
        at=instant_of_ts(message.ts),
        author=author or "somebody",
        author_id=author_id,
        text=said.words.strip(),
        people=said.people,
        permalink=permalink(message),
        reactions=_reactions(described.get("reactions")),
        files=_file_names(message.files),
        by_app=message.by_app,
        event=message.subtype not in _SAID,
        own=is_own(message),
        in_thread=message.thread_ts not in {None, message.ts},
        edited=message.edited is not None,
    )


def _reactions(value: object) -> dict[str, int]:
    found = {}
    for each in value if isinstance(value, list) else ():
        if isinstance(each, Mapping) and isinstance(each.get("name"), str):
            users, count = each.get("users"), each.get("count")
            known = count if isinstance(count, int) else len(users) if isinstance(users, list) else 1
            found[each["name"][:100]] = max(0, min(known, MOST_MESSAGES))
    return found


def _file_names(value: object) -> tuple[str, ...]:
    parts = [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
    names = [each.get("name") or each.get("title") for each in parts]
    return tuple(name[:200] for name in names if isinstance(name, str) and name)


def read(context: SlackContext, job: Job) -> None:
    """Read the channel's messages, threads included, and offer the proposals to who asked; or say why that is not.

    What was read is kept when Slack asks to wait, so that the next attempt goes on from there.
    """
    token = job.content["token"]
    request = replace(Request.from_json(job.content["request"], context.settings), key=None)
    with context.database.read() as connection:
        kept = backfills.find(connection, token)
    if kept is None:
        return
    reading = _Reading(context, job, request, dict(kept.content))
    try:
        reading.go_on()
    except (SlackClientError, OSError) as error:
        if isinstance(error, SlackApiError) and gives_up(error, job.attempts):
            _tell(context, job, request, Reply(text=slack("no_history", problem=reason(error), request=request)), token)
            return
        with context.database.write() as connection:
            backfills.keep(connection, token, reading.content)
        raise
    messages = list(_conversation(context, job, reading.content["messages"]))
    with context.database.write() as connection:
        reply = conversations.offer(connection, request, job.content["incident_id"], token, messages)
        context.reply(connection, request, reply, {})
        outbox.mark_sent(connection, job, at=context.clock())


def _tell(context: SlackContext, job: Job, request: Request, reply: Reply, token: str) -> None:
    def settle(connection: Connection) -> None:
        backfills.settle(connection, token)
        context.reply(connection, request, reply, {})
        outbox.mark_sent(connection, job, at=context.clock())

    with context.database.write() as connection:
        settle(connection)


class _Reading:
    """How far the reading of one channel is: `content` has the messages, and where to go on."""

    def __init__(self, context: SlackContext, job: Job, request: Request, content: dict[str, Any]) -> None:
        self._context = context
        self._job = job
        self._request = request
        self.content = content
        self._told_s, self._times = elapsed_s(), int(content.get("told", 0))

    def go_on(self) -> None:
        """Read what is still to be read. Raises what Slack's client raises."""
        start, end = self._job.content["start"], self._job.content["end"]
        content, channel = self.content, self._job.content["channel"]
        while not content.get("paged") and len(content["messages"]) < MOST_MESSAGES:
            page = self._context.client.conversations_history(
                channel=channel,
                oldest=f"{start - THREADS_BEFORE_S:.6f}",
                latest=f"{end:.6f}",
                inclusive=True,
                limit=PAGE,
                cursor=content["cursor"],
            )
            for message in _objects(page["messages"]):
                if _ts(message) >= start:
                    content["messages"].append(message)
                if message.get("reply_count") and float(message.get("latest_reply") or end) >= start:
                    content["threads"].append(message["ts"])
            content["cursor"] = _next_cursor(page.data)
            content["paged"] = content["cursor"] is None
            self._report()
        while content["threads"] and len(content["messages"]) < MOST_MESSAGES:
            content["messages"] += self._replies(channel, content["threads"][-1], start, end)
            content["threads"].pop()
            self._report()

    def _replies(self, channel: str, ts: str, start: float, end: float) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while len(found) < MOST_MESSAGES:
            page = self._context.client.conversations_replies(channel=channel, ts=ts, limit=PAGE, cursor=cursor)
            found += [each for each in _objects(page["messages"]) if each["ts"] != ts and start <= _ts(each) <= end]
            cursor = _next_cursor(page.data)
            if cursor is None:
                break
        return found

    def _report(self) -> None:
        """Say how far it is, where it takes long."""
        if elapsed_s() - self._told_s < PROGRESS_S or self._times >= MOST_PROGRESS:
            return
        self._told_s, self._times = elapsed_s(), self._times + 1
        self.content["told"] = self._times
        incident = f"INC-{self._request.named_number}" if self._request.named_number else "the incident"
        counts = {"count": len(self.content["messages"]), "threads": len(self.content["threads"])}
        reply = Reply(text=slack("reading_on", incident=incident, **counts))
        with self._context.database.write() as connection:
            self._context.reply(connection, self._request, reply, {})


def _conversation(context: SlackContext, job: Job, described: list[dict[str, Any]]) -> Iterator[ChatMessage]:
    """The messages, each once: a reply that was also sent to the channel is in both."""
    workspace_id, channel = job.workspace_id, job.content["channel"]
    facts = context.identity.facts
    by_ts = {each["ts"]: each for each in described}
    for each in sorted(by_ts.values(), key=_ts):
        message = chat_message(
            each,
            author_of=lambda message: context.requests.author_of(workspace_id, message),
            name_of=context.requests.names(workspace_id),
            permalink=lambda message: context.identity.permalink(channel, message.ts, thread_ts=message.thread_ts),
            is_own=lambda message: (
                (message.user is not None and message.user == facts.bot_user_id)
                or (message.bot_id is not None and message.bot_id == facts.bot_id)
            ),
        )
        if message is not None:
            yield message


def _objects(value: object) -> list[dict[str, Any]]:
    """The messages of an answer that have a time."""
    parts = value if isinstance(value, list) else []
    return [each for each in parts if isinstance(each, dict) and isinstance(each.get("ts"), str) and _ts(each) > 0]


def _ts(message: Mapping[str, Any]) -> float:
    try:
        return float(message["ts"])
    except ValueError:
        return 0.0


def _next_cursor(answer: Any) -> str | None:
    metadata = answer.get("response_metadata") if isinstance(answer, Mapping) else None
    cursor = metadata.get("next_cursor") if isinstance(metadata, Mapping) else None
    return cursor if isinstance(cursor, str) and cursor else None
