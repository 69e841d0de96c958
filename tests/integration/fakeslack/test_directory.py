import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.fakeslack.slack import Slack


def test_the_bot_learns_who_it_is(slack: Slack, client: WebClient) -> None:
    me = client.auth_test()
    assert (me["user_id"], me["bot_id"], me["team_id"]) == (slack.bot_user_id, slack.bot_id, slack.team_id)
    assert me.headers["x-oauth-scopes"] == "chat:write,commands,files:write,users:read"


def test_a_person_has_a_zone_unless_deleted_or_unknown(slack: Slack, client: WebClient, alice: str) -> None:
    user = client.users_info(user=alice, include_locale=True)["user"]
    assert (user["tz"], user["real_name"], user["locale"]) == ("America/New_York", "Alice A.", "en-GB")
    assert user["tz_offset"] in {-18000, -14400}
    gone = slack.add_user("gone", zone="Europe/Paris", deleted=True)
    nowhere = slack.add_user("nowhere", zone=None)
    assert "tz" not in client.users_info(user=gone)["user"]
    assert "tz" not in client.users_info(user=nowhere)["user"]
    with pytest.raises(SlackApiError, match="user_not_found"):
        client.users_info(user="U404")


def test_people_are_listed_by_pages(slack: Slack, client: WebClient) -> None:
    for index in range(5):
        slack.add_user(f"person-{index}")
    pages = [[user["id"] for user in page["members"]] for page in client.users_list(limit=2)]
    assert [id_ for page in pages for id_ in page] == list(slack.workspace.users)
    assert all(len(page) <= 2 for page in pages)
