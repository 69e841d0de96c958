"""Who the bot is in its workspace: learnt once from Slack, never on the way to an answer."""

import logging
from dataclasses import dataclass

from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

TOKEN_REFUSED = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})
"""Slack's words for a token it does not take, or not any more."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    team_id: str | None = None
    bot_user_id: str | None = None
    bot_id: str | None = None
    url: str | None = None
    of_organisation: bool = False


class Identity:
    """The bot's own ids and its workspace's address; unknown until Slack has answered once."""

    def __init__(self, client: WebClient) -> None:
        self._client = client
        self._facts = _Facts()

    @property
    def team_id(self) -> str | None:
        """The workspace the token belongs to."""
        return self._facts.team_id

    @property
    def only_workspace(self) -> str | None:
        """The one workspace the token reaches; None while that is not known, and for an organisation's token."""
        return None if self._facts.of_organisation else self._facts.team_id

    def learn(self) -> bool:
        """Ask Slack who we are; False when it could not say. Never raises: the bot works without knowing."""
        if self._facts.team_id is not None:
            return True
        try:
            answer = self._client.auth_test()
        except SlackApiError as error:
            reason = str(error.response.get("error"))
            if reason in TOKEN_REFUSED:
                _log.error("SLACK_BOT_TOKEN: Slack does not take it (%s); scribe doctor says what to do", reason)
            else:
                _log.warning("Slack did not say who we are: %s", reason)
            return False
        except (SlackClientError, OSError) as error:
            _log.warning("Slack did not say who we are: %s", type(error).__name__)
            return False
        self._facts = _Facts(
            team_id=answer["team_id"],
            bot_user_id=answer["user_id"],
            bot_id=answer["bot_id"],
            url=answer["url"],
            of_organisation=bool(answer.get("is_enterprise_install")),
        )
        return True

    def authorize(self, enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
        """What Bolt asks for each request: the token and who it belongs to, without a call to Slack."""
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            bot_token=self._client.token,
            bot_user_id=self._facts.bot_user_id,
            bot_id=self._facts.bot_id,
        )

    def canvas(self, canvas_id: str) -> str | None:
        """The address of a canvas, made as Slack makes it; None while the workspace's is not known."""
        return f"{self._facts.url}docs/{self._facts.team_id}/{canvas_id}" if self._facts.url else None

    def permalink(self, channel_id: str, ts: str, *, domain: str | None = None, thread_ts: str | None = None) -> str:
        """The address of a message, made as Slack makes it; `domain` helps while the workspace's is not known."""
        base = self._facts.url or f"https://{domain or 'app'}.slack.com/"
        link = f"{base}archives/{channel_id}/p{ts.replace('.', '')}"
        return f"{link}?thread_ts={thread_ts}&cid={channel_id}" if thread_ts and thread_ts != ts else link
