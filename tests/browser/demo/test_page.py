"""The page holds: hostile words, every block, two tabs, a reload, a bot that goes away, anybody's eyes."""

import json
import re
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from slack_sdk import WebClient

from bot.demo.serve import open_to_browsers
from bot.fakeslack.block_kit import BLOCKS, ELEMENTS, RICH_TEXT_BLOCKS, RICH_TEXT_ELEMENTS, VIEW_BLOCKS
from storage.database import Database
from tests.browser.demo.conftest import CASE, NARROW, WIDE, Stage, Tab

Json = dict[str, Any]
NewTab = Callable[[], Tab]

HOSTILE = (
    "<img src=x onerror=\"window.hit=1;alert('hit')\"> <script>window.hit=1</script> <!channel> <!here|x> @channel "
    "javascript:window.hit=1 <javascript:window.hit=1|click> [x](javascript:window.hit=1) ```</pre><b>b</b>``` "
    "&lt;b&gt; \u202eabc\u202c %0a ${hit} {{ hit }} “”"
)


def plain(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def option(value: str) -> Json:
    return {"text": plain(value.capitalize()), "value": value}


EVERY_ELEMENT: dict[str, Json] = {
    "button": {"text": plain("Press"), "value": "v", "style": "primary"},
    "static_select": {"options": [option("one"), option("two")], "initial_option": option("one")},
    "users_select": {"placeholder": plain("Who?")},
    "datepicker": {"initial_date": "2026-03-12"},
    "timepicker": {"initial_time": "10:14"},
    "datetimepicker": {"initial_date_time": 1_773_306_840},
    "plain_text_input": {"multiline": True, "initial_value": "words"},
    "radio_buttons": {"options": [option("left"), option("right")], "initial_option": option("left")},
    "checkboxes": {"options": [option("red"), option("blue")], "initial_options": [option("blue")]},
    "overflow": {"options": [option("edit"), option("drop")]},
    "image": {"alt_text": "a cat", "image_url": "https://example.org/cat.png"},
}
RICH: Json = {
    "type": "rich_text",
    "elements": [
        {
            "type": "rich_text_section",
            "elements": [
                {"type": "text", "text": "bold", "style": {"bold": True, "code": True}},
                {"type": "link", "url": "https://example.org"},
                {"type": "user", "user_id": "U1"},
                {"type": "channel", "channel_id": "C1"},
                {"type": "usergroup", "usergroup_id": "S1"},
                {"type": "broadcast", "range": "here"},
                {"type": "emoji", "name": "tada"},
                {"type": "color", "value": "#ff0000"},
                {"type": "date", "timestamp": 1_773_306_840, "format": "{date}"},
            ],
        },
        {"type": "rich_text_list", "style": "ordered", "elements": [{"type": "rich_text_section", "elements": []}]},
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "quoted"}]},
        {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "verbatim"}]},
    ],
}


def named(kind: str, name: str) -> Json:
    given = {"type": kind, **EVERY_ELEMENT[kind]}
    return given if kind == "image" else {**given, "action_id": name}


EVERY_BLOCK: dict[str, list[Json]] = {
    "section": [
        {"text": {"type": "mrkdwn", "text": "*pick*"}, "accessory": named(kind, f"accessory-{kind}")}
        for kind in ELEMENTS
        if kind != "plain_text_input"
    ],
    "input": [
        {"label": plain(kind), "hint": plain("hint"), "optional": True, "element": named(kind, f"input-{kind}")}
        for kind in ELEMENTS
        if kind not in {"button", "overflow", "image"}
    ],
    "actions": [
        {"elements": [named(kind, f"action-{kind}") for kind in ELEMENTS if kind not in {"plain_text_input", "image"}]}
    ],
    "header": [{"text": plain("Header")}],
    "divider": [{}],
    "context": [{"elements": [{"type": "mrkdwn", "text": "_small_"}, named("image", "")]}],
    "markdown": [{"text": "# Title\n\n- **one** [x](https://example.org)\n\n| a | b |\n|---|---|\n| 1 | 2 |"}],
    "image": [{"alt_text": "a dog", "image_url": "https://example.org/dog.png", "title": plain("Dog")}],
    "rich_text": [{key: value for key, value in RICH.items() if key != "type"}],
    "table": [{"rows": [[{"type": "raw_text", "text": "a"}, RICH]], "column_settings": [{"align": "right"}]}],
    "file": [{"external_id": "f", "source": "remote"}],
}


def blocks(*kinds: str) -> list[Json]:
    return [{"type": kind, **each} for kind in kinds for each in EVERY_BLOCK[kind]]


@pytest.fixture
def client(stage: Stage) -> WebClient:
    return WebClient(token=stage.demo.slack.bot_token, base_url=stage.demo.slack.api_url)


def test_hostile_words_stay_words_wherever_they_are_shown(stage: Stage, tab: Tab) -> None:
    page = tab.page
    for typed in (f"/detected {HOSTILE}", HOSTILE, f"/note {'x' * 3_000}{HOSTILE}", f"/impact {'10,000 ' * 1_430}"):
        tab.type(typed)
    tab.message("10,000 10,000")
    tab.choose(tab.message("${hit}"), "Add to timeline")
    page.get_by_role("dialog").get_by_role("button", name="Add").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    tab.type(f"/resolved {HOSTILE}")
    tab.message("postmortem, version 1")
    tab.type(f"/nothing {HOSTILE}")
    expect(page.locator("#notice")).to_contain_text("/nothing is not a valid command")
    tab.type("/postmortem show")
    tab.message("Only visible to you")
    tab.type("/postmortem publish")
    tab.message("published by alice")
    page.locator("#head").get_by_role("button", name="INC-1 postmortem").click()
    expect(page.locator("#canvas")).to_contain_text("<img src=x")
    page.keyboard.press("Escape")
    tab.type("/postmortem edit timeline")
    expect(page.get_by_role("dialog").locator("textarea").first).to_have_value(re.compile("img src=x"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    for name in ("Check", "JSON", "Picture", "Postmortem"):
        page.get_by_role("tab", name=name).click()
    expect(page.locator("#paper li", has_text="<img src=x")).not_to_have_count(0)
    assert page.evaluate("window.hit") is None
    assert page.locator("script:not([type=module]), img[src=x], [onerror], a[href^='javascript' i]").count() == 0
    assert page.locator("article.bot .body .mention.loud").count() == 0
    assert not any(
        "<!channel>" in each.text for each in stage.demo.slack.messages(stage.channel) if each.user != stage.alice
    )


def test_a_long_command_above_its_receipt_is_cut_with_a_sign_that_it_goes_on(tab: Tab) -> None:
    tab.type("/detected disk full")
    tab.type("/note " + "words of a long note " * 20)
    short, long = (tab.message(words).locator(".typed span") for words in ("Detected · ", "Note · "))
    shown = "(span) => [getComputedStyle(span).webkitLineClamp, span.scrollHeight > span.clientHeight]"
    assert short.evaluate(shown) == ["2", False]
    assert long.evaluate(shown) == ["2", True]
    assert long.evaluate("(span) => span.clientHeight / parseFloat(getComputedStyle(span).lineHeight)") < 2.5


def test_every_block_of_a_message_is_shown(stage: Stage, tab: Tab, client: WebClient) -> None:
    kinds = [kind for kind in BLOCKS if kind != "input"]
    for kind in kinds:
        client.chat_postMessage(channel=stage.channel, text=kind, blocks=blocks(kind))
    client.chat_postMessage(channel=stage.channel, text="input", blocks=blocks("input"))
    expect(tab.page.locator("#said article")).to_have_count(len(kinds) + 1)
    expect(tab.page.locator(".unknown")).to_have_count(0)
    assert sorted(EVERY_BLOCK) == sorted(BLOCKS)
    assert sorted(EVERY_ELEMENT) == sorted(ELEMENTS)
    assert {each["type"] for each in RICH["elements"]} == set(RICH_TEXT_BLOCKS)
    assert {each["type"] for each in RICH["elements"][0]["elements"]} | {"text"} == set(RICH_TEXT_ELEMENTS)


def test_a_block_it_cannot_show_is_an_error_and_not_left_out(stage: Stage, tab: Tab) -> None:
    strange = [{"type": "carousel"}, {"type": "actions", "elements": [{"type": "slider", "action_id": "a"}]}]
    stage.demo.slack.workspace.post(stage.channel, user=stage.demo.slack.bot_user_id, text="x", blocks=strange)
    shown = tab.page.get_by_role("log").get_by_role("alert")
    expect(shown).to_have_count(2)
    expect(shown.first).to_contain_text("cannot show “carousel”")


def test_every_input_of_a_form_brings_what_was_filled_in(stage: Stage, tab: Tab) -> None:
    view = {
        "type": "modal", "callback_id": "x", "title": plain("Everything"), "submit": plain("Send"),
        "private_metadata": "{}",
        "blocks": blocks(*(kind for kind in VIEW_BLOCKS if kind not in {"actions", "section"})),
    }  # fmt: skip
    tab.open(stage.bob, stage.channel)
    stage.demo.slack.workspace.push_view(stage.bob, view)
    form = tab.page.get_by_role("dialog", name="Everything")
    # An instant is shown and read in the zone of who fills it in: Bob's, seven hours behind in March.
    expect(form.get_by_label("datetimepicker")).to_have_value("2026-03-12T02:14")
    form.get_by_label("static_select").select_option("two")
    form.get_by_label("users_select").select_option(stage.alice)
    form.get_by_label("datepicker", exact=False).first.fill("2026-04-01")
    form.get_by_label("timepicker", exact=False).first.fill("11:15")
    form.get_by_label("datetimepicker").fill("2026-03-12T03:14")
    form.get_by_label("plain_text_input").fill("two\nlines")
    form.get_by_label("Right").check()
    form.get_by_label("Red").check()
    form.get_by_role("button", name="Send").click()
    stage.demo.slack.wait_for(lambda: _submissions(stage))
    states = [state for block in _submissions(stage)[0]["state"]["values"].values() for state in block.values()]
    values = {state.pop("type"): next(iter(state.values())) for state in states}
    assert values["static_select"]["value"] == "two"
    assert values["users_select"] == stage.alice
    assert (values["datepicker"], values["timepicker"]) == ("2026-04-01", "11:15")
    assert values["datetimepicker"] == 1_773_306_840 + 3600
    assert values["plain_text_input"] == "two\nlines"
    assert values["radio_buttons"]["value"] == "right"
    assert [each["value"] for each in values["checkboxes"]] == ["red", "blue"]
    tab.page.keyboard.press("Escape")
    expect(form).to_be_hidden()


def _submissions(stage: Stage) -> list[Json]:
    payloads = [answer.delivery.payload for answer in stage.demo.slack.answers]
    return [each["view"] for each in payloads if each.get("type") == "view_submission"]


def test_a_form_changed_by_the_bot_keeps_what_was_filled_in(stage: Stage, tab: Tab, client: WebClient) -> None:
    asked = [{**each, "block_id": f"asked-{index}"} for index, each in enumerate(blocks("input"))]
    view = {"type": "modal", "title": plain("Asked"), "submit": plain("Send"), "blocks": asked}
    opened = stage.demo.slack.workspace.push_view(stage.alice, view)
    form = tab.page.get_by_role("dialog", name="Asked")
    form.get_by_label("plain_text_input").fill("half a sent")
    client.views_update(view_id=opened.id, view={**view, "title": plain("Asked again")})
    again = tab.page.get_by_role("dialog", name="Asked again")
    expect(again.get_by_label("plain_text_input")).to_have_value("half a sent")
    # As in Slack, another block is another input, whatever it is called.
    others = [{**each, "block_id": f"other-{index}"} for index, each in enumerate(asked)]
    client.views_update(view_id=opened.id, view={**view, "title": plain("Something else"), "blocks": others})
    other = tab.page.get_by_role("dialog", name="Something else")
    expect(other.get_by_label("plain_text_input")).to_have_value("words")


def test_two_tabs_are_two_people_and_what_is_private_stays_so(stage: Stage, new_tab: NewTab) -> None:
    alices, bobs = new_tab(), new_tab()
    alices.open(stage.alice, stage.channel)
    bobs.open(stage.bob, stage.channel)
    alices.type("/detected disk full")
    bobs.message("disk full")
    bobs.type("/incident status")
    expect(bobs.message("INC-1").locator(".note").first).to_contain_text("Only visible to you")
    alices.type("hello from Alice")
    bobs.message("hello from Alice")
    expect(alices.page.locator("article.private")).to_have_count(0)
    bobs.page.reload()
    bobs.message("hello from Alice")
    expect(bobs.page.locator(".actor[aria-pressed=true]")).to_contain_text("Bob")


@pytest.mark.parametrize("over_http", [True, False])
def test_a_bot_that_goes_away_is_told_of_and_nothing_is_lost(tab: Tab) -> None:
    tab.type("/detected disk full")
    tab.message("disk full")
    tab.page.get_by_role("button", name="Pull the plug").click()
    expect(tab.page.locator("#unplugged")).to_be_visible()
    tab.type("/note still full")
    expect(tab.page.locator("#notice")).to_contain_text("/note failed with the error “dispatch_failed”")
    expect(tab.page.locator("#box")).to_have_value("/note still full")
    tab.page.get_by_role("button", name="Plug it in again").click()
    expect(tab.page.locator("#unplugged")).to_be_hidden()
    tab.page.press("#box", "Enter")
    tab.message("Note · ")
    expect(tab.page.locator("#paper")).to_contain_text("still full")


def test_a_demo_that_ends_is_told_of_and_found_again(sqlite: Database, new_tab: NewTab) -> None:
    tab = new_tab()
    with open_to_browsers(sqlite, {CASE.id: CASE}, environment={}) as (address, demo):
        tab.address, port = address, int(address.split(":")[2].split("/")[0])
        tab.open(demo.cast.people["alice"], demo.cast.channels["incident"])
    expect(tab.page.locator("#lost")).to_contain_text("Is scribe demo still running?")
    with open_to_browsers(sqlite, {CASE.id: CASE}, environment={}, port=port):
        expect(tab.page.locator("#lost")).to_contain_text("Another demo is running here")


def test_the_keyboard_is_enough(tab: Tab) -> None:
    page = tab.page
    page.locator("#said").focus()
    page.keyboard.press("/")
    page.keyboard.type("incident ")
    expect(page.get_by_role("option").first).to_contain_text("/incident open")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator("#box")).to_have_value("/incident status ")
    page.fill("#box", "")
    page.keyboard.type("tell @ca")
    page.keyboard.press("Tab")
    expect(page.locator("#box")).to_have_value("tell @carol ")
    page.keyboard.type("please")
    page.keyboard.press("Enter")
    expect(tab.message("please").locator(".mention")).to_have_text("@carol")
    page.keyboard.press("Alt+2")
    expect(page.locator(".actor[aria-pressed=true]")).to_contain_text("Bob")
    page.locator("#said").focus()
    page.keyboard.press("ArrowUp")
    expect(tab.message("please")).to_be_focused()
    tab.message("please").locator(".more").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Add to timeline")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_home_tab_shows_what_was_published_and_its_buttons_work(stage: Stage, tab: Tab, client: WebClient) -> None:
    tab.page.get_by_role("button", name="s Home").click()
    expect(tab.page.locator("#head")).to_contain_text("s Home")
    # What the bot has to show comes first; it would take the place of what is published here.
    expect(tab.page.locator("#said .home")).to_contain_text("Your action items")
    assert stage.demo.slack.answers[-1].delivery.payload["event"]["type"] == "app_home_opened"
    # The bot answers the opening with a tab of its own: ours comes after it.
    expect(tab.page.get_by_text("Your action items")).to_be_visible()
    button = {"type": "actions", "elements": [named("button", "pressed")]}
    client.views_publish(user_id=stage.alice, view={"type": "home", "blocks": [*blocks("header"), button]})
    tab.page.get_by_role("button", name="Press").click()
    stage.demo.slack.wait_for(
        lambda: [each for each in stage.demo.slack.answers if each.delivery.payload.get("actions")]
    )


def in_a_form(stage: Stage, tab: Tab) -> None:
    view = {"type": "modal", "title": plain("Everything"), "submit": plain("Send"), "blocks": blocks(*VIEW_BLOCKS)}
    stage.demo.slack.workspace.push_view(stage.alice, view)
    expect(tab.page.get_by_role("dialog")).to_be_visible()


def in_a_thread(_stage: Stage, tab: Tab) -> None:
    tab.type("db1 looks odd")
    tab.choose(tab.message("db1 looks odd"), "Reply in thread")
    expect(tab.page.locator("#thread")).to_be_visible()


def after_a_drill(stage: Stage, tab: Tab) -> None:
    for kind in (each for each in BLOCKS if each != "input"):
        stage.demo.slack.workspace.post(
            stage.channel, user=stage.demo.slack.bot_user_id, text=kind, blocks=blocks(kind)
        )
    stage.demo.begin_drill(CASE.id, 100_000)
    tab.page.locator("#drill .title").click()
    tab.message("postmortem, version 2")


def in_a_canvas(stage: Stage, tab: Tab) -> None:
    for words in (
        "/detected disk full",
        "/actionitem @alice by tomorrow: alert at 80% disk",
        "/resolved freed some space",
    ):
        tab.type(words)
    tab.message("postmortem, version 1")
    tab.type("/postmortem publish")
    tab.message("published by alice")
    tab.page.get_by_role("tab", name="Picture").click()
    stage.demo.slack.wait_for(lambda: stage.demo.slack.workspace.canvases)
    tab.page.locator("#head").get_by_role("button", name="INC-1 postmortem").click()
    expect(tab.page.locator("#canvas")).to_be_visible()


def at_home(stage: Stage, tab: Tab) -> None:
    in_a_canvas(stage, tab)
    tab.page.get_by_role("button", name="s Home").click()
    expect(tab.page.locator("#said .home")).to_contain_text("alert at 80% disk")


@pytest.mark.parametrize(
    "put", [in_a_form, in_a_thread, in_a_canvas, at_home, after_a_drill], ids=lambda put: put.__name__
)
def test_it_is_accessible_and_fits_wide_and_narrow_light_and_dark(
    stage: Stage, tab: Tab, put: Callable[[Stage, Tab], None]
) -> None:
    put(stage, tab)
    for found in looks(tab):
        assert found == []


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def looks(tab: Tab) -> Iterator[list[str]]:
    """What axe finds serious, and what does not fit, at each size and in each scheme."""
    for (size, pane), scheme in product(((WIDE, "living"), (NARROW, "conversation"), (NARROW, "living")), SCHEMES):
        tab.page.set_viewport_size(size)
        tab.page.emulate_media(color_scheme=scheme)
        tab.page.evaluate(f"document.body.dataset.pane = {json.dumps(pane)}")
        violations = Axe().run(tab.page).response["violations"]
        serious = [each for each in violations if each["impact"] in {"serious", "critical"}]
        yield [f"{each['id']}: {node['html'][:200]}" for each in serious for node in each["nodes"]]
        yield tab.page.evaluate(
            "() => document.documentElement.scrollWidth > innerWidth ? ['wider than the window'] : []"
        )
