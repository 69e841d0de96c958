from slack_sdk import WebClient

from bot.clock import now
from bot.fakeslack.slack import Slack
from tests.integration.fakeslack.conftest import error_of
from tests.integration.fakeslack.echo import FORM

BLOCKS = [{"type": "section", "text": {"type": "mrkdwn", "text": "words"}}]


def test_a_trigger_expires_after_three_seconds() -> None:
    seconds = [100.0]
    slack = Slack(clock=now, monotonic=lambda: seconds[0])
    alice, channel = slack.add_user("alice"), slack.add_channel("inc-1")
    with slack.serving():
        client = WebClient(token=slack.bot_token, base_url=slack.api_url)
        for trigger, age_s in (("in-time", 2.9), ("too-late", 3.1)):
            slack.command(alice, channel, "/x", trigger_id=trigger)
            seconds[0] += age_s
            answer = client.api_call("views.open", json={"trigger_id": trigger, "view": FORM}) if age_s < 3 else None
            assert answer is None or answer["ok"]
        assert error_of(client, "views.open", trigger_id="too-late", view=FORM) == "expired_trigger_id"
        assert slack.modal(alice, within_s=0)


def test_a_view_is_updated_only_in_its_latest_state(slack: Slack, client: WebClient, channel: str, alice: str) -> None:
    slack.command(alice, channel, "/x", trigger_id="t-update")
    view = client.views_open(trigger_id="t-update", view={**FORM, "external_id": "mine"})["view"]
    fresh = {**FORM, "title": {"type": "plain_text", "text": "Fresh"}}
    changed = client.views_update(view_id=view["id"], hash=view["hash"], view=fresh)["view"]
    open_ = slack.modal(alice)
    assert open_ is not None
    assert open_.title == "Fresh"
    assert changed["hash"] != view["hash"]
    assert error_of(client, "views.update", view_id=view["id"], hash=view["hash"], view=fresh) == "hash_conflict"
    assert error_of(client, "views.update", view_id="V404", view=fresh) == "not_found"
    assert error_of(client, "views.update", view=fresh) == "invalid_arguments"
    bad = {**FORM, "title": {"type": "plain_text", "text": "x" * 25}}
    assert error_of(client, "views.update", view_id=view["id"], view=bad) == "invalid_arguments"
    slack.dismiss(alice)
    assert error_of(client, "views.update", view_id=view["id"], view=fresh) == "not_found"


def test_a_home_is_no_modal_and_a_modal_no_home(client: WebClient, alice: str) -> None:
    assert error_of(client, "views.publish", user_id=alice, view=FORM) == "invalid_arguments"
    home = {"type": "home", "blocks": BLOCKS}
    assert error_of(client, "views.open", trigger_id="x", view=home) == "invalid_arguments"
    assert error_of(client, "views.publish", user_id="U404", view=home) == "user_not_found"
