"""The canvas target: the postmortem as a canvas in a tab of the incident's channel."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.documents import rendering
from bot.errors import UsageError
from bot.publishing.target import Edition, NotYetError, Published
from bot.slack.refusals import Verdict, judge, reason
from storage.values import Publication

_log = logging.getLogger(__name__)

MOST_CHARACTERS: Final = 1_048_576
"""Characters of one canvas's Markdown. Source: Slack, canvases.create."""
GONE: Final = frozenset({"canvas_not_found", "file_not_found", "canvas_deleted"})
"""Slack's error codes for a canvas that was deleted."""
_CONTENT_FAILED: Final = frozenset({"canvas_creation_failed", "canvas_editing_failed"})
_OUTSIDE = "Scribe is not in the incident's channel. Type /invite @scribe there, then publish again."
_SCOPE = (
    "Slack has not given Scribe the scope canvases:write. Whoever runs Scribe adds it to the app (scribe manifest "
    "prints it) and installs the app again."
)
_PLAN = "This workspace's plan has one canvas for each channel, and the channel's is taken."
_ADMINS = "The workspace's settings do not let Scribe write canvases; an admin can change that."
PROBLEMS: Final = {
    **dict.fromkeys(("missing_scope", "not_allowed_token_type", "no_permission"), _SCOPE),
    **dict.fromkeys(("channel_not_found", "not_in_channel"), _OUTSIDE),
    **dict.fromkeys(
        (
            "free_team_canvas_tab_already_exists",
            "free_teams_cannot_create_non_tabbed_canvases",
            "free_teams_cannot_edit_standalone_canvases",
            "team_tier_cannot_create_channel_canvases",
        ),
        _PLAN,
    ),
    **dict.fromkeys(("restricted_action", "canvas_disabled_user_team", "canvas_disabled_file_team"), _ADMINS),
    "is_archived": "The incident's channel is archived, so nothing can be put there.",
}
"""The message for each of Slack's error codes that stays until a person changes something."""
_AWAY = "Slack does not take it just now."

_FENCE = re.compile(r"(\s*)(`{3,}|~{3,})")
_COMMENT = re.compile(r"\s*<!--.*?-->\s*$")
_DEEP = re.compile(r"^(\s{0,3})#{4,6}(?=\s)")
# In the next two, code spans match first, as group 1, and stay as they are.
_TAG = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)|<(?=[A-Za-z/!?])(?!https?:|mailto:)")
# `![](@U123)` is a mention in a canvas.
_MENTION = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)|!(?=\[[^\]]*\]\(\s*<?[@#])")
_QUOTED_ITEM = re.compile(r"^(\s*>\s*)(?:[-*+]|(\d+)[.)])(?=\s)")
_ITEM_QUOTING = re.compile(r"^(\s*(?:[-*+]|\d+[.)])\s+)(?:>\s*)+")
_ITEM = re.compile(r"^(\s*)([-*+]|\d+[.)])(?=\s)")


@dataclass(frozen=True, slots=True)
class CanvasTarget:
    """Canvases of the workspace of `client`; `address` returns a canvas's web address, or None while unknown."""

    client: WebClient
    address: Callable[[str], str | None]

    def publish(self, edition: Edition, known: Publication | None) -> Published:
        """Replace the whole canvas's content; create the canvas if there is none or it was deleted.

        Raises UsageError for a refusal that only a person can change, NotYetError where a later attempt may succeed.
        """
        content = _content(edition)
        if len(content["markdown"]) > MOST_CHARACTERS:
            size = len(content["markdown"])
            raise UsageError(f"It is {size:,} characters long, and a canvas holds {MOST_CHARACTERS:,}.")
        try:
            if known and self._replace(known.location, content):
                self._illustrate(known.location, edition)
                return self._published(known.location, changed=known.version != edition.version)
            # The title has no words of the incident's own title, which may change.
            name = f"{edition.record.incident.name} postmortem"
            answer = self.client.canvases_create(
                title=f"{name}, {edition.audience}" if edition.audience else name,
                document_content=content,
                channel_id=edition.record.incident.channel_id,
            )
            self._illustrate(str(answer["canvas_id"]), edition)
            return self._published(str(answer["canvas_id"]), anew=known is not None)
        except SlackApiError as error:
            raise _problem(error) from error
        except (SlackClientError, OSError) as error:
            raise NotYetError(_AWAY) from error

    def _illustrate(self, canvas_id: str, edition: Edition) -> None:
        """Upload the picture of the timeline to the incident's channel, and write the canvas again with it.

        A canvas shows a file of Slack's only, and those alone who may see the file see it there. Where the bot may not
        upload, the canvas stays as it is: it names the place of the picture. This is not tried again, as every attempt
        would leave a message in the channel.
        """
        incident = edition.record.incident
        try:
            with rendering.RENDER_LOCK:
                picture = edition.png()
            answer = self.client.files_upload_v2(
                channel=incident.channel_id,
                content=picture,
                filename=f"{edition.name}-timeline.png",
                title=f"{edition.name} timeline, as published in version {edition.version}",
            )
            address = str((answer["files"] or [{}])[0].get("permalink") or "")
            content = _content(edition, address)
            if address and len(content["markdown"]) <= MOST_CHARACTERS:
                self._replace(canvas_id, content)
        except (SlackClientError, OSError) as error:
            _log.warning("canvas without its picture: %s", reason(error))

    def _replace(self, canvas_id: str, content: dict[str, str]) -> bool:
        """Replace the canvas's content; False where the canvas was deleted."""
        try:
            self.client.canvases_edit(
                canvas_id=canvas_id, changes=[{"operation": "replace", "document_content": content}]
            )
        except SlackApiError as error:
            if error.response.get("error") in GONE:
                return False
            raise
        return True

    def _published(self, canvas_id: str, **how: Any) -> Published:
        return Published(
            location=canvas_id, where="the canvas in the incident's channel", link=self.address(canvas_id), **how
        )


def _content(edition: Edition, address: str | None = None) -> dict[str, str]:
    """The document of the canvas, with the picture of that address, if any."""
    # A canvas shows a file of Slack's only: those of messages are there already.
    illustrated = edition.illustrated(address, lambda file: file.permalink)
    text = rendering.canvas(illustrated, version=edition.version, pictured=address is not None)
    return {"type": "markdown", "markdown": to_canvas_markdown(text)}


def _problem(error: SlackApiError) -> Exception:
    """The exception for Slack's refusal: UsageError if it is permanent, NotYetError if it may pass."""
    response = error.response
    code, detail = str(response.get("error")), str(response.get("detail") or "")
    if code in PROBLEMS:
        return UsageError(PROBLEMS[code])
    if detail:
        return UsageError(f"Slack does not take the document: {detail}")
    if code in _CONTENT_FAILED or judge(error) is Verdict.LATER:
        return NotYetError(_AWAY)
    return UsageError(f"Slack refuses: {code}")


def to_canvas_markdown(markdown: str) -> str:
    """The document in the subset of Markdown that a canvas accepts, with all of its words.

    A canvas has no heading below the third level, no HTML, no code block in a list, no quotation in an item or item
    in a quotation, and no list of another kind inside a list.
    """
    return "\n".join(_lines(markdown.split("\n"))).strip() + "\n"


def _lines(lines: Iterable[str]) -> Iterator[str]:
    fence, indent, outer = "", 0, "-"
    for line in lines:
        opened = _FENCE.match(line)
        if opened and not fence:
            # A fence inside an item moves out of the list, with an empty line before and after it.
            fence, indent = opened[2], len(opened[1])
            yield from ("", line.lstrip()) if indent else (line,)
        elif fence:
            closed = line.strip() == fence
            yield line[min(indent, len(line) - len(line.lstrip(" "))) :]
            if closed:
                fence = ""
                yield from ("",) if indent else ()
        elif not _COMMENT.match(line):
            item = _ITEM.match(line)
            outer = item[2] if item and not item[1] else outer
            yield _line(line, outer)


def _line(line: str, outer: str) -> str:
    """One line outside of code; an item of a nested list takes `outer`, the mark of the list around it."""
    line = _MENTION.sub(lambda found: found[0] if found[1] else "\\!", line)
    line = _TAG.sub(lambda found: found[0] if found[1] else "&lt;", _DEEP.sub(r"\1###", line))
    line = _ITEM_QUOTING.sub(r"\1", line)
    line = _QUOTED_ITEM.sub(lambda found: f"{found[1]}{found[2]}\\." if found[2] else f"{found[1]}•", line)
    return _ITEM.sub(lambda found: f"{found[1]}{outer if found[1] else found[2]}", line, count=1)
