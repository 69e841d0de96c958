"""A canvas in a tab of the incident's channel: the postmortem where its readers are."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.documents import rendering
from bot.errors import UsageError
from bot.publishing.target import Edition, NotYetError, Published
from bot.slack.outbound.delivery import TEMPORARY
from storage.values import Publication

_FENCE = re.compile(r"(\s*)(`{3,}|~{3,})")
_COMMENT = re.compile(r"\s*<!--.*?-->\s*$")
_DEEP = re.compile(r"(\s{0,3})#{4,6}(?=\s)")
_TAG = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)|<(?=[A-Za-z/!?])(?!https?:|mailto:)")
_CALL = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)|!(?=\[[^\]]*\]\(\s*<?[@#])")
_QUOTED_ITEM = re.compile(r"(\s*>\s*)(?:[-*+]|(\d+)[.)])(?=\s)")
_ITEM_QUOTING = re.compile(r"(\s*(?:[-*+]|\d+[.)])\s+)(?:>\s*)+")
_ITEM = re.compile(r"(\s*)([-*+]|\d+[.)])(?=\s)")


def fitted(markdown: str) -> str:
    """The document in the form a canvas takes; nothing that anybody wrote is left out."""
    return "\n".join(_lines(markdown.split("\n"))).strip() + "\n"


def _lines(lines: Iterable[str]) -> Iterator[str]:
    fence, indent, outer = "", 0, "-"
    for line in lines:
        opened = _FENCE.match(line)
        if opened and not fence:
            fence, indent = opened[2], len(opened[1])
            yield from ("", line.lstrip()) if indent else (line,)
        elif fence:
            closed = line.strip() == fence
            yield _outdented(line, indent)
            if closed:
                fence = ""
                yield from ("",) if indent else ()
        elif not _COMMENT.match(line):
            item = _ITEM.match(line)
            outer = item[2] if item and not item[1] else outer
            yield _plain(line, outer)


def _outdented(line: str, indent: int) -> str:
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]


def _plain(line: str, outer: str) -> str:
    """One line; `outer` is the mark of the item that a nested one stands in, and lends it its kind."""
    # `![](@U123)` is a canvas's way to call somebody.
    line = _CALL.sub(lambda found: found[0] if found[1] else "\\!", line)
    line = _TAG.sub(lambda found: found[0] if found[1] else "&lt;", _DEEP.sub(r"\1###", line))
    line = _ITEM_QUOTING.sub(r"\1", line)
    line = _QUOTED_ITEM.sub(lambda found: f"{found[1]}{found[2]}\\." if found[2] else f"{found[1]}•", line)
    return _ITEM.sub(lambda found: f"{found[1]}{outer if found[1] else found[2]}", line, count=1)


MOST_CHARACTERS: Final = 1_048_576
"""Slack, canvases.create: the Markdown of one canvas."""
GONE: Final = frozenset({"canvas_not_found", "file_not_found", "canvas_deleted"})
"""Slack's words for: somebody threw that canvas away."""
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
"""What to tell of Slack's refusals that no patience helps against."""
_AWAY = "Slack does not take it just now."


@dataclass(frozen=True, slots=True)
class CanvasTarget:
    """Canvases of the workspace that `client` talks to; `address` gives the web address of one, where it is known."""

    client: WebClient
    address: Callable[[str], str | None]

    def publish(self, edition: Edition, known: Publication | None) -> Published:
        """Put the edition into its canvas, whole; one that was thrown away is made anew."""
        text = fitted(rendering.canvas(edition.document("md"), version=edition.version))
        if len(text) > MOST_CHARACTERS:
            raise UsageError(f"It is {len(text):,} characters long, and a canvas holds {MOST_CHARACTERS:,}.")
        content = {"type": "markdown", "markdown": text}
        try:
            if known and self._replaced(known.location, content):
                return self._published(known.location, changed=known.version != edition.version)
            return self._published(self._made(edition, content), anew=known is not None)
        except SlackApiError as error:
            raise _told(error) from error
        except (SlackClientError, OSError) as error:
            raise NotYetError(_AWAY) from error

    def _replaced(self, canvas_id: str, content: dict[str, str]) -> bool:
        """Whether there is such a canvas; it holds the content now."""
        try:
            self.client.canvases_edit(
                canvas_id=canvas_id, changes=[{"operation": "replace", "document_content": content}]
            )
        except SlackApiError as error:
            if error.response.get("error") in GONE:
                return False
            raise
        return True

    def _made(self, edition: Edition, content: dict[str, str]) -> str:
        channel_id = edition.record.incident.channel_id
        answer = self.client.canvases_create(title=_title(edition), document_content=content, channel_id=channel_id)
        return str(answer["canvas_id"])

    def _published(self, canvas_id: str, **how: Any) -> Published:
        return Published(
            location=canvas_id, where="the canvas in the incident's channel", link=self.address(canvas_id), **how
        )


def _title(edition: Edition) -> str:
    """A title that holds for good: the incident's own stands in the document, and may change."""
    name = f"{edition.record.incident.name} postmortem"
    return f"{name}, {edition.audience}" if edition.audience else name


def _told(error: SlackApiError) -> Exception:
    """Slack's refusal as what people are told, and whether trying again may help."""
    response = error.response
    reason, detail = str(response.get("error")), str(response.get("detail") or "")
    if reason in PROBLEMS:
        return UsageError(PROBLEMS[reason])
    if detail:
        return UsageError(f"Slack does not take the document: {detail}")
    if reason in TEMPORARY | _CONTENT_FAILED or response.status_code != 200:  # noqa: PLR2004 - HTTP's "done"
        return NotYetError(_AWAY)
    return UsageError(f"Slack refuses: {reason}")
