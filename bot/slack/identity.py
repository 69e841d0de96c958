"""The bot's identity in its workspace: fetched from Slack in the background, never while a request waits."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.slack.refusals import TOKEN_REFUSED, reason

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What `auth.test` returns, with the token's scopes, which its headers tell.

    It is replaced as a whole, so that threads never see half of it.
    """

    team_id: str | None = None
    bot_user_id: str | None = None
    bot_id: str | None = None
    url: str | None = None
    enterprise_id: str | None = None
    of_organisation: bool = False
    scopes: frozenset[str] = frozenset()


class Identity:
    """The bot's ids and its workspace's address; None until `learn` has succeeded once."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self.facts = Facts()

    @property
    def team_id(self) -> str | None:
        """The workspace the token belongs to."""
        return self.facts.team_id

    @property
    def only_workspace(self) -> str | None:
        """The one workspace the token reaches; None until it is known, and for an organisation's token."""
        return None if self.facts.of_organisation else self.facts.team_id

    def learn(self) -> bool:
        """Fetch the identity unless it is known; False when that failed. Never raises: the bot works without it."""
        if self.facts.team_id is not None:
            return True
        try:
            answer = self._client.auth_test()
        except (SlackClientError, OSError) as error:
            code = reason(error)
            if code in TOKEN_REFUSED:
                _log.error("SLACK_BOT_TOKEN: Slack does not take it (%s); scribe doctor says what to do", code)
            else:
                _log.warning("identity not fetched: %s", code)
            return False
        self.facts = Facts(
            team_id=answer["team_id"],
            bot_user_id=answer["user_id"],
            bot_id=answer["bot_id"],
            url=answer["url"],
            enterprise_id=answer.get("enterprise_id"),
            of_organisation=bool(answer.get("is_enterprise_install")),
            scopes=_scopes({str(name).lower(): str(value) for name, value in answer.headers.items()}),
        )
        return True

    def canvas(self, canvas_id: str) -> str | None:
        """The web address of a canvas, in Slack's format; None until the workspace's address is known."""
        return f"{self.facts.url}docs/{self.facts.team_id}/{canvas_id}" if self.facts.url else None

    def permalink(self, channel_id: str, ts: str, *, domain: str | None = None, thread_ts: str | None = None) -> str:
        """The web address of a message, in Slack's format; built from `domain` until the workspace's is known."""
        base = self.facts.url or f"https://{domain or 'app'}.slack.com/"
        link = f"{base}archives/{channel_id}/p{ts.replace('.', '')}"
        return f"{link}?thread_ts={thread_ts}&cid={channel_id}" if thread_ts and thread_ts != ts else link

    def permalinks(self, channel_id: str, ts: str, *, thread_ts: str | None = None) -> frozenset[str]:
        """Every address that an entry may have been given for a message: with and without its thread."""
        return frozenset(self.permalink(channel_id, ts, thread_ts=each) for each in (None, thread_ts))


def _scopes(headers: Mapping[str, str]) -> frozenset[str]:
    return frozenset(each.strip() for each in headers.get("x-oauth-scopes", "").split(",") if each.strip())
