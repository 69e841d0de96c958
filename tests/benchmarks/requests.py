"""What Slack sends when somebody types a command: a signed HTTP request, ready for the wire."""

import time
from dataclasses import dataclass
from secrets import token_hex
from urllib.parse import urlencode

from slack_sdk.signature import SignatureVerifier

from bot.fakeslack.objects import APP_ID, TEAM_DOMAIN, TEAM_ID

_HEAD = (
    "POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Slackbot 1.0 (+https://api.slack.com/robots)\r\n"
    "Accept-Encoding: gzip,deflate\r\nAccept: application/json,*/*\r\n"
    "X-Slack-Signature: {signature}\r\nX-Slack-Request-Timestamp: {timestamp}\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Typist:
    """Somebody in a channel; `secret` is what Slack signs with."""

    secret: str
    user: str
    channel: str

    def types(self, command: str, text: str = "") -> bytes:
        """The request for a command, with a trigger id of its own. Good for five minutes."""
        form = {
            "token": "verification",
            "team_id": TEAM_ID,
            "team_domain": TEAM_DOMAIN,
            "channel_id": self.channel,
            "channel_name": "incident",
            "user_id": self.user,
            "user_name": "alice",
            "command": command,
            "text": text,
            "api_app_id": APP_ID,
            "is_enterprise_install": "false",
            "response_url": f"https://hooks.example/commands/{TEAM_ID}/{token_hex(16)}",
            "trigger_id": f"{token_hex(6)}.{token_hex(16)}",
        }
        return _signed(urlencode(form), self.secret)


def _signed(body: str, secret: str) -> bytes:
    timestamp = str(int(time.time()))
    signature = SignatureVerifier(secret).generate_signature(timestamp=timestamp, body=body)
    return (_HEAD.format(signature=signature, timestamp=timestamp, length=len(body)) + body).encode()
