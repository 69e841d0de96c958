"""What arrives by HTTP: whether it is Slack's, and its way to Bolt."""

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from slack_bolt import App, BoltRequest
from slack_sdk.signature import SignatureVerifier

from bot.config import Settings

_UNREADABLE = (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError)
_log = logging.getLogger(__name__)


class Signatures:
    """Whether a request comes from Slack: the signature over its body, at most five minutes old.

    Source of the rule: Slack, "Verifying requests from Slack".
    """

    def __init__(self, settings: Settings) -> None:
        self._verifier = SignatureVerifier(settings.signing_secret.get_secret_value())

    def hold(self, body: bytes, headers: Mapping[str, str]) -> bool:
        """True when timestamp and signature are there, are well-formed, fresh and right. Never raises."""
        try:
            return self._verifier.is_valid_request(body, dict(headers))
        except (ValueError, TypeError):
            # A timestamp that is no number; a signature with letters outside of ASCII.
            return False


def dispatch(app: App, body: str, headers: Mapping[str, str]) -> tuple[int, str, dict[str, str]]:
    """Hand a verified HTTP request to Bolt; gives (status, body, headers) of the answer.

    A body that is not what Slack sends is answered with 400, and nothing of it is repeated or logged.
    """
    try:
        response = app.dispatch(BoltRequest(body=_plain_form(body), headers=dict(headers)))
    except _UNREADABLE as error:
        # What goes wrong in a listener, Bolt answers itself; this is a body that is no JSON or not of Slack's shape.
        _log.warning("request not readable: %s", type(error).__name__)
        return 400, "not readable", {"content-type": "text/plain"}
    flat = {name: values[0] for name, values in response.headers.items()}
    content: Any = response.body
    return response.status, content if isinstance(content, str) else json.dumps(content), flat


def _plain_form(body: str) -> str:
    """The body as Bolt reads it right: it takes any form that holds the word `payload` for an interaction's.

    Without this, `/note payload too large` would reach nobody.
    """
    if "payload" not in body or body.startswith("{"):
        return body
    form = dict(parse_qsl(body, keep_blank_values=True))
    return body if "payload" in form else json.dumps(form)
