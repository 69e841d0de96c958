from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.fakeslack.objects import Canvas
from bot.fakeslack.slack import Slack
from tests.integration.fakeslack.conftest import error_of

WORDS = {"type": "markdown", "markdown": "# Words"}


@pytest.fixture(autouse=True)
def _scopes(slack: Slack) -> None:
    slack.scopes = {"commands", "chat:write", "canvases:write"}
    slack.workspace.canvases.clear()
    slack.workspace.free_plan = False


def made(client: WebClient, **args: Any) -> str:
    return str(client.canvases_create(**args)["canvas_id"])


def test_a_canvas_is_made_changed_renamed_and_thrown_away(slack: Slack, client: WebClient, channel: str) -> None:
    id_ = made(client, title="INC-1", document_content=WORDS, channel_id=channel)
    assert slack.canvases == [Canvas(id=id_, title="INC-1", markdown="# Words", channel=channel)]
    other = {"type": "markdown", "markdown": "other"}
    client.canvases_edit(canvas_id=id_, changes=[{"operation": "replace", "document_content": other}])
    client.canvases_edit(canvas_id=id_, changes=[{"operation": "rename", "title_content": WORDS}])
    assert slack.canvases == [Canvas(id=id_, title="# Words", markdown="other", channel=channel)]
    slack.delete_canvas(id_)
    changes = [{"operation": "replace", "document_content": other}]
    assert error_of(client, "canvases.edit", canvas_id=id_, changes=changes) == "canvas_not_found"


@pytest.mark.parametrize(
    "changes",
    [
        [],
        [{"operation": "replace", "document_content": WORDS}] * 2,
        [{"operation": "replace"}],
        [{"operation": "replace", "document_content": {"type": "markdown"}}],
        [{"operation": "replace", "document_content": {"type": "html", "markdown": "x"}}],
        [{"operation": "replace", "document_content": {"type": "markdown", "markdown": "x" * 1_048_577}}],
        [{"operation": "rename", "document_content": WORDS}],
        [{"operation": "shred", "document_content": WORDS}],
    ],
)
def test_a_change_slack_would_not_understand_is_refused(
    slack: Slack, client: WebClient, changes: list[dict[str, Any]]
) -> None:
    id_ = made(client, document_content=WORDS)
    assert error_of(client, "canvases.edit", canvas_id=id_, changes=changes) == "invalid_arguments"
    assert slack.canvases[0].markdown == "# Words"


@pytest.mark.parametrize(
    ("markdown", "detail"),
    [
        ("a\n\n#### deep", "line 3: Unsupported heading depth"),
        ("> - x", "line 1: Unsupported block type (List) within block quote"),
        ("- > x", "line 1: Unsupported block type (Quote) within list item"),
        ("- x\n  ```\n  y\n  ```", "line 2: Unsupported block type (Code block) within list item"),
        ("<!-- x -->", "line 1: Unsupported HTML"),
    ],
)
def test_markdown_slack_does_not_take_is_refused_with_its_line(client: WebClient, markdown: str, detail: str) -> None:
    with pytest.raises(SlackClientError) as refused:
        made(client, document_content={"type": "markdown", "markdown": markdown})
    assert isinstance(refused.value, SlackApiError)
    assert refused.value.response["error"] == "canvas_creation_failed"
    assert refused.value.response["detail"] == f"'content' error: {detail}"


def test_a_free_plan_wants_a_channel_and_has_one_canvas_in_it(slack: Slack, client: WebClient, channel: str) -> None:
    slack.workspace.free_plan = True
    assert error_of(client, "canvases.create", document_content=WORDS) == "free_teams_cannot_create_non_tabbed_canvases"
    made(client, document_content=WORDS, channel_id=channel)
    again = error_of(client, "canvases.create", document_content=WORDS, channel_id=channel)
    assert again == "free_team_canvas_tab_already_exists"


def test_a_canvas_goes_only_where_the_bot_is(slack: Slack, client: WebClient) -> None:
    away = slack.add_channel("away-from-here", bot_is_member=False)
    assert error_of(client, "canvases.create", document_content=WORDS, channel_id=away) == "not_in_channel"
    assert error_of(client, "canvases.create", document_content=WORDS, channel_id="C404") == "channel_not_found"
