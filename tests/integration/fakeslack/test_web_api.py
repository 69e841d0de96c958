import inspect
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.fakeslack.delivery import tls
from bot.fakeslack.slack import Slack
from bot.fakeslack.validation import COMMON_ARGUMENTS
from bot.fakeslack.web_api import METHODS

NOT_DOCUMENTED = {"container_id", "agent_prompt"}
"""Arguments that slack_sdk can send and that Slack's reference of these methods does not list."""

SAMPLES: dict[str, Any] = {
    "files": [{"id": "F1"}],
    "length": 3,
    "view": {"type": "home", "blocks": []},
}


def call(slack: Slack, method: str, token: str | None = None, **args: object) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token or token_for(slack, method)}"}
    response = httpx.post(f"{slack.api_url}{method}", json=args, headers=headers, trust_env=False, verify=tls())
    body: dict[str, Any] = response.json()
    assert "x-oauth-scopes" in response.headers
    return body


def token_for(slack: Slack, method: str) -> str:
    return slack.app_token if METHODS[method].app_token else slack.bot_token


def required(method: str) -> dict[str, Any]:
    return {name: SAMPLES.get(name, "x") for name in METHODS[method].arguments.required}


@pytest.mark.parametrize("method", METHODS)
def test_every_method_refuses_an_argument_it_does_not_document(slack: Slack, method: str) -> None:
    slack.scopes = {*slack.scopes, METHODS[method].scope or "commands"}
    body = call(slack, method, **required(method), colour="red")
    assert body["error"] == "invalid_arguments"
    assert "colour" in " ".join(body["response_metadata"]["messages"])


@pytest.mark.parametrize("method", [name for name, row in METHODS.items() if row.arguments.required])
def test_every_method_says_which_required_argument_is_missing(slack: Slack, method: str) -> None:
    slack.scopes = {*slack.scopes, METHODS[method].scope or "commands"}
    body = call(slack, method)
    assert body["error"] == "invalid_arguments"
    for name in METHODS[method].arguments.required:
        assert name in " ".join(body["response_metadata"]["messages"])


@pytest.mark.parametrize("method", METHODS)
def test_every_method_wants_its_kind_of_token(slack: Slack, method: str) -> None:
    wrong = slack.bot_token if METHODS[method].app_token else slack.app_token
    assert call(slack, method, token=wrong)["error"] == "not_allowed_token_type"
    assert call(slack, method, token="xoxb-made-up")["error"] == "invalid_auth"  # noqa: S106 -- not a real one


@pytest.mark.parametrize("method", [name for name, row in METHODS.items() if row.scope])
def test_every_method_with_a_scope_needs_it(slack: Slack, method: str) -> None:
    before = slack.scopes
    slack.scopes = {"commands"}
    try:
        body = call(slack, method, **required(method))
    finally:
        slack.scopes = before
    assert (body["error"], body["needed"], body["provided"]) == (
        "missing_scope",
        METHODS[method].scope,
        "commands",
    )


@pytest.mark.parametrize("method", METHODS)
def test_every_method_takes_what_slacks_own_client_sends(method: str) -> None:
    sent = inspect.signature(getattr(WebClient, method.replace(".", "_"))).parameters
    arguments = METHODS[method].arguments
    ours = {*arguments.required, *arguments.optional, *COMMON_ARGUMENTS, "app_token"}
    assert set(sent) - {"self", "kwargs"} - NOT_DOCUMENTED <= ours
    assert set(arguments.required) <= set(sent)


def test_a_call_without_a_token_or_of_no_method_is_refused(slack: Slack) -> None:
    anonymous = httpx.post(f"{slack.api_url}auth.test", trust_env=False)
    assert anonymous.json() == {"ok": False, "error": "not_authed"}
    unknown = call_unknown(slack)
    assert unknown["error"] == "unknown_method"


def call_unknown(slack: Slack) -> dict[str, Any]:
    url = f"{slack.api_url}chat.shout"
    body: dict[str, Any] = httpx.post(url, data={"token": slack.bot_token}, trust_env=False).json()
    return body


def test_a_form_body_does_as_well_as_json(slack: Slack, client: WebClient, channel: str) -> None:
    client.api_call("chat.postMessage", params={"channel": channel, "text": "x", "blocks": '[{"type":"divider"}]'})
    assert slack.messages(channel)[0].blocks[0]["type"] == "divider"
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        client.api_call("chat.postMessage", params={"channel": channel, "text": "x", "blocks": "[{"})


def test_a_body_of_another_kind_is_refused(slack: Slack) -> None:
    url, headers = f"{slack.api_url}auth.test", {"Authorization": f"Bearer {slack.bot_token}"}
    kinds = {"text/plain": "invalid_post_type", "application/json": "invalid_json"}
    for kind, error in kinds.items():
        answer = httpx.post(url, content="[1", headers={**headers, "Content-Type": kind}, trust_env=False)
        assert answer.json()["error"] == error


def test_calls_are_recorded_with_typed_arguments(slack: Slack, client: WebClient, alice: str) -> None:
    client.users_info(user=alice, include_locale=True)
    call = slack.calls[-1]
    assert (call.method, call.args, call.error) == (
        "users.info",
        {"user": alice, "include_locale": True},
        None,
    )
