"""Socket Mode: Bolt over a WebSocket the bot opens itself, so that no public address is needed."""

from typing import Any

from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler
from slack_sdk import WebClient

from bot.config import Settings
from bot.slack.app import Bot

WORKERS = 10


def connect(bot: Bot, settings: Settings) -> Any:
    """Open the connection; the handler given back has `close()`.

    Raises slack_sdk.errors.SlackApiError when Slack refuses the app token.
    """
    token = settings.app_token.get_secret_value()
    handler = SocketModeHandler(
        bot.app,
        token,
        # Neither client reads SLACK_API_URL by itself; and this adapter, unlike the built-in, switches Nagle off.
        web_client=WebClient(token=token, base_url=settings.api_url),
        concurrency=WORKERS,
    )
    handler.client.connect()
    return handler
