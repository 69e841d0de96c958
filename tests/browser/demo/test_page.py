"""The page in a real browser: hostile text, every block, two tabs, reloads, a stopped bot, accessibility."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from io import BytesIO
from itertools import product
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import expect
from slack_sdk import WebClient

from bot.demo.serve import serve_page
from bot.fakeslack.block_kit import BLOCKS, ELEMENTS, RICH_TEXT_BLOCKS, RICH_TEXT_ELEMENTS, VIEW_BLOCKS
from bot.server.threaded import listen
from storage.database import Database
from tests.browser.demo.conftest import NARROW, WIDE, Tab
from tests.support.demo_site import CASE, DemoSite

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
        if kind not in {"plain_text_input", "datetimepicker"}
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
def client(site: DemoSite) -> WebClient:
    return WebClient(token=site.demo.slack.bot_token, base_url=site.demo.slack.api_url)


def test_hostile_text_is_shown_as_text_everywhere(site: DemoSite, tab: Tab) -> None:
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
    tab.type("/postmortem publish anyway")
    tab.message("published by alice")
    page.locator("#header").get_by_role("button", name="INC-1 postmortem").click()
    expect(page.locator("#canvas")).to_contain_text("<img src=x")
    page.keyboard.press("Escape")
    tab.type("/postmortem edit timeline")
    expect(page.get_by_role("dialog").locator("textarea").first).to_have_value(re.compile("img src=x"))
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    for name in ("Check", "JSON", "Picture", "Postmortem"):
        page.get_by_role("tab", name=name).click()
    expect(page.locator("#preview-body li", has_text="<img src=x")).not_to_have_count(0)
    assert page.evaluate("window.hit") is None
    assert page.locator("script:not([type=module]), img[src=x], [onerror], a[href^='javascript' i]").count() == 0
    assert page.locator("article.bot .body .mention.loud").count() == 0
    assert not any(
        "<!channel>" in each.text for each in site.demo.slack.messages(site.channel) if each.user != site.alice
    )


def test_a_long_command_above_its_receipt_is_clamped_to_two_lines(tab: Tab) -> None:
    tab.type("/detected disk full")
    tab.type("/note " + "words of a long note " * 20)
    short, long = (tab.message(words).locator(".typed span") for words in ("used /detected", "used /note"))
    shown = "(span) => [getComputedStyle(span).webkitLineClamp, span.scrollHeight > span.clientHeight]"
    assert short.evaluate(shown) == ["2", False]
    assert long.evaluate(shown) == ["2", True]
    assert long.evaluate("(span) => span.clientHeight / parseFloat(getComputedStyle(span).lineHeight)") < 2.5


def test_every_type_of_block_is_rendered(site: DemoSite, tab: Tab, client: WebClient) -> None:
    kinds = [kind for kind in BLOCKS if kind != "input"]
    for kind in kinds:
        client.chat_postMessage(channel=site.channel, text=kind, blocks=blocks(kind))
    client.chat_postMessage(channel=site.channel, text="input", blocks=blocks("input"))
    expect(tab.page.locator("#messages article")).to_have_count(len(kinds) + 1)
    expect(tab.page.locator(".unsupported")).to_have_count(0)
    assert sorted(EVERY_BLOCK) == sorted(BLOCKS)
    assert sorted(EVERY_ELEMENT) == sorted(ELEMENTS)
    assert {each["type"] for each in RICH["elements"]} == set(RICH_TEXT_BLOCKS)
    assert {each["type"] for each in RICH["elements"][0]["elements"]} | {"text"} == set(RICH_TEXT_ELEMENTS)


def test_an_unknown_block_or_element_is_shown_as_an_error(site: DemoSite, tab: Tab) -> None:
    unknown = [{"type": "carousel"}, {"type": "actions", "elements": [{"type": "slider", "action_id": "a"}]}]
    site.demo.slack.workspace.post(site.channel, user=site.demo.slack.bot_user_id, text="x", blocks=unknown)
    shown = tab.page.get_by_role("log").get_by_role("alert")
    expect(shown).to_have_count(2)
    expect(shown.first).to_contain_text("cannot show “carousel”")


def test_every_type_of_input_submits_its_value(site: DemoSite, tab: Tab) -> None:
    view = {
        "type": "modal", "callback_id": "x", "title": plain("Everything"), "submit": plain("Send"),
        "private_metadata": "{}",
        "blocks": blocks(*(kind for kind in VIEW_BLOCKS if kind not in {"actions", "section"})),
    }  # fmt: skip
    tab.open(site.bob, site.channel)
    site.demo.slack.workspace.push_view(site.bob, view)
    form = tab.page.get_by_role("dialog", name="Everything")
    # A datetimepicker shows and reads the time in the person's zone: Bob's is seven hours behind UTC in March.
    expect(form.get_by_label("datetimepicker")).to_have_value("2026-03-12T02:14")
    form.get_by_label("static_select").select_option("two")
    form.get_by_label("users_select").select_option(site.alice)
    form.get_by_label("datepicker", exact=False).first.fill("2026-04-01")
    form.get_by_label("timepicker", exact=False).first.fill("11:15")
    form.get_by_label("datetimepicker").fill("2026-03-12T03:14")
    form.get_by_label("plain_text_input").fill("two\nlines")
    form.get_by_label("Right").check()
    form.get_by_label("Red").check()
    form.get_by_role("button", name="Send").click()
    site.demo.slack.wait_for(lambda: _submissions(site))
    states = [state for block in _submissions(site)[0]["state"]["values"].values() for state in block.values()]
    values = {state.pop("type"): next(iter(state.values())) for state in states}
    assert values["static_select"]["value"] == "two"
    assert values["users_select"] == site.alice
    assert (values["datepicker"], values["timepicker"]) == ("2026-04-01", "11:15")
    assert values["datetimepicker"] == 1_773_306_840 + 3600
    assert values["plain_text_input"] == "two\nlines"
    assert values["radio_buttons"]["value"] == "right"
    assert [each["value"] for each in values["checkboxes"]] == ["red", "blue"]
    tab.page.keyboard.press("Escape")
    expect(form).to_be_hidden()


def _submissions(site: DemoSite) -> list[Json]:
    payloads = [answer.delivery.payload for answer in site.demo.slack.answers]
    return [each["view"] for each in payloads if each.get("type") == "view_submission"]


def test_every_element_of_a_message_reaches_the_bot(site: DemoSite, tab: Tab, client: WebClient) -> None:
    tab.open(site.bob, site.channel)
    kinds = ("overflow", "static_select", "users_select", "button")
    used = [
        {"type": "section", "block_id": f"of-{kind}", "text": plain(kind), "accessory": named(kind, kind)}
        for kind in kinds
    ]
    picker = {"type": "actions", "elements": [named("datetimepicker", "datetimepicker")]}
    client.chat_postMessage(channel=site.channel, text="x", blocks=[*used, picker, *blocks("context")])
    message = tab.page.locator("#messages article").first
    expect(message.locator(".context")).to_contain_text("small")

    def pressed(kind: str) -> Json:
        def found() -> list[Json]:
            actions = [each.delivery.payload.get("actions") or [] for each in site.demo.slack.answers]
            return [action for each in actions for action in each if action["action_id"] == kind]

        return site.demo.slack.wait_for(found)[0]

    message.get_by_role("combobox", name="overflow").select_option("drop")
    assert pressed("overflow")["selected_option"]["value"] == "drop"
    message.get_by_role("combobox", name="static_select").select_option("two")
    assert pressed("static_select")["selected_option"]["value"] == "two"
    # In the person's zone: Bob's is seven hours behind UTC in March.
    expect(message.locator("input[name=datetimepicker]")).to_have_value("2026-03-12T02:14")
    message.locator("input[name=datetimepicker]").fill("2026-03-12T03:14")
    message.locator("input[name=datetimepicker]").blur()
    assert pressed("datetimepicker")["selected_date_time"] == 1_773_306_840 + 3600
    message.get_by_role("combobox", name="users_select").select_option(site.alice)
    assert pressed("users_select")["selected_user"] == site.alice
    message.get_by_role("button", name="Press").click()
    assert pressed("button")["value"] == "v"


def test_a_card_that_is_edited_changes_in_place_and_tells_how_long_ago_by_the_demos_clock(
    site: DemoSite, tab: Tab, client: WebClient
) -> None:
    since = int(site.demo.clock().timestamp()) - 23 * 60
    words = f"open since <!date^{since}^{{date_num}} {{time}}, {{ago}}|some time>"
    card = [{"type": "section", "text": {"type": "mrkdwn", "text": words}}, *blocks("actions")]
    posted = client.chat_postMessage(channel=site.channel, text="card", blocks=card)
    client.chat_postMessage(channel=site.channel, thread_ts=posted["ts"], text="version 1 of it")
    client.chat_postMessage(channel=site.channel, text="below")
    shown = tab.page.locator("#messages article").first
    expect(shown).to_contain_text("23 minutes ago")
    expect(shown).to_contain_text(re.compile(r"open since 20\d\d-\d\d-\d\d \d\d:\d\d, "))
    shown.get_by_role("button", name="1 reply").click()
    tab.message("version 1 of it", within="#thread")
    client.chat_update(channel=site.channel, ts=posted["ts"], text="card", blocks=[*card, *blocks("header")])
    # The card stands beside its thread, and its root in the thread changes as well.
    for where in ("#messages", "#thread"):
        first = tab.page.locator(f"{where} article").first
        expect(first.get_by_role("heading", name="Header")).to_be_visible()
        expect(first).to_contain_text("(edited)")
    expect(tab.page.locator("#messages article")).to_have_count(2)
    site.demo.travel(timedelta(hours=1))
    expect(shown).to_contain_text("1 hour ago")


def test_a_form_with_many_inputs_is_scrolled_and_sent_whole(site: DemoSite, tab: Tab) -> None:
    asked = [
        {"type": "input", "block_id": f"b{number}", "label": plain(f"Question {number}"), "optional": True,
         "element": {"type": "plain_text_input", "action_id": f"a{number}"}}
        for number in range(40)
    ]  # fmt: skip
    view = {"type": "modal", "callback_id": "x", "title": plain("Answer"), "submit": plain("Send"), "blocks": asked}
    tab.page.set_viewport_size(NARROW)
    site.demo.slack.workspace.push_view(site.alice, view)
    form = tab.page.get_by_role("dialog", name="Answer")
    form.get_by_label("Question 39").fill("the last")
    expect(form.get_by_label("Question 39")).to_be_in_viewport()
    expect(form.get_by_role("button", name="Send")).to_be_in_viewport()
    form.get_by_role("button", name="Send").click()
    site.demo.slack.wait_for(lambda: _submissions(site))
    values = _submissions(site)[0]["state"]["values"]
    assert (len(values), values["b39"]["a39"]["value"]) == (40, "the last")
    tab.page.keyboard.press("Escape")
    expect(form).to_be_hidden()


def test_an_updated_form_keeps_typed_values(site: DemoSite, tab: Tab, client: WebClient) -> None:
    asked = [{**each, "block_id": f"asked-{index}"} for index, each in enumerate(blocks("input"))]
    view = {"type": "modal", "title": plain("Asked"), "submit": plain("Send"), "blocks": asked}
    opened = site.demo.slack.workspace.push_view(site.alice, view)
    form = tab.page.get_by_role("dialog", name="Asked")
    form.get_by_label("plain_text_input").fill("half a sent")
    client.views_update(view_id=opened.id, view={**view, "title": plain("Asked again")})
    again = tab.page.get_by_role("dialog", name="Asked again")
    expect(again.get_by_label("plain_text_input")).to_have_value("half a sent")
    # As in Slack, a value belongs to its block_id: the same label and action_id in another block start empty.
    others = [{**each, "block_id": f"other-{index}"} for index, each in enumerate(asked)]
    client.views_update(view_id=opened.id, view={**view, "title": plain("Something else"), "blocks": others})
    other = tab.page.get_by_role("dialog", name="Something else")
    expect(other.get_by_label("plain_text_input")).to_have_value("words")


def test_two_tabs_act_as_two_people_and_private_answers_stay_with_theirs(site: DemoSite, new_tab: NewTab) -> None:
    alices, bobs = new_tab(), new_tab()
    alices.open(site.alice, site.channel)
    bobs.open(site.bob, site.channel)
    alices.type("/detected disk full")
    bobs.message("disk full")
    bobs.type("/incident status")
    expect(bobs.page.locator("article.private .note").first).to_contain_text("Only visible to you")
    alices.type("hello from Alice")
    bobs.message("hello from Alice")
    expect(alices.page.locator("article.private")).to_have_count(0)
    bobs.page.reload()
    bobs.message("hello from Alice")
    expect(bobs.page.locator(".actor[aria-pressed=true]")).to_contain_text("Bob")


@pytest.mark.parametrize("over_http", [True, False])
def test_a_picture_is_attached_or_pasted_and_pinned_and_the_document_shows_it(site: DemoSite, tab: Tab) -> None:
    site.record("/detected disk full")
    page, written = tab.page, BytesIO()
    Image.new("RGB", (60, 40), (200, 30, 30)).save(written, "PNG")
    page.set_input_files("input[type=file]", {"name": "p99.png", "mimeType": "image/png", "buffer": written.getvalue()})
    shared = page.locator("#messages article:has(img)")
    expect(shared.locator("img")).to_have_js_property("naturalWidth", 60)
    tab.choose(shared, "Pin to channel")
    expect(tab.message("Pinned by Alice")).to_be_visible()
    shown = page.locator("#preview-body figure img")
    expect(shown).to_have_js_property("naturalWidth", 60)
    tab.choose(shared, "Unpin from channel")
    expect(shown).to_have_count(0)
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array([1, 2])], "pasted.png", { type: "image/png" }));
          document.getElementById("box").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data }));
        }"""
    )
    tab.message("pasted.png")


def test_a_stopped_bot_is_reported_and_the_typed_command_stays_in_the_box(tab: Tab) -> None:
    tab.type("/detected disk full")
    tab.message("disk full")
    tab.page.get_by_role("button", name="Pull the plug").click()
    expect(tab.page.locator("#bot-stopped")).to_be_visible()
    tab.type("/note still full")
    expect(tab.page.locator("#notice")).to_contain_text("/note failed with the error “dispatch_failed”")
    expect(tab.page.locator("#box")).to_have_value("/note still full")
    tab.page.get_by_role("button", name="Plug it in again").click()
    expect(tab.page.locator("#bot-stopped")).to_be_hidden()
    tab.page.press("#box", "Enter")
    tab.message("used /note")
    expect(tab.page.locator("#preview-body")).to_contain_text("still full")


def test_a_stopped_demo_and_another_at_its_address_are_reported(sqlite: Database, new_tab: NewTab) -> None:
    tab = new_tab()
    with serve_page(sqlite, {CASE.id: CASE}, environment={}) as (address, demo):
        tab.address, port = address, int(address.split(":")[2].split("/")[0])
        tab.open(demo.ids.people["alice"], demo.ids.channels["incident"])
    expect(tab.page.locator("#connection-lost")).to_contain_text("Is scribe demo still running?")
    with serve_page(sqlite, {CASE.id: CASE}, environment={}, listener=listen(port)):
        expect(tab.page.locator("#connection-lost")).to_contain_text("Another demo is running here")


def test_the_page_can_be_used_by_keyboard_alone(tab: Tab) -> None:
    page = tab.page
    page.locator("#messages").focus()
    page.keyboard.press("/")
    page.keyboard.type("i")
    expect(page.get_by_role("option").first).to_contain_text("/investigating")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    expect(page.locator("#box")).to_have_value("/incident ")
    # Slack's client knows the commands and no more: it completes no subcommand.
    page.keyboard.type("st")
    expect(page.get_by_role("option")).to_have_count(0)
    expect(page.locator("#box-hint")).to_contain_text("/incident open [SEV1] title |")
    page.fill("#box", "")
    page.keyboard.type("tell @ca")
    page.keyboard.press("Tab")
    expect(page.locator("#box")).to_have_value("tell @carol ")
    page.keyboard.type("please")
    page.keyboard.press("Enter")
    expect(tab.message("please").locator(".mention")).to_have_text("@carol")
    page.keyboard.press("Alt+2")
    expect(page.locator(".actor[aria-pressed=true]")).to_contain_text("Bob")
    page.locator("#messages").focus()
    page.keyboard.press("ArrowUp")
    expect(tab.message("please")).to_be_focused()
    tab.message("please").locator(".more").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Add to timeline")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_home_tab_shows_the_published_view_and_its_buttons_reach_the_bot(
    site: DemoSite, tab: Tab, client: WebClient
) -> None:
    tab.page.get_by_role("button", name="s Home").click()
    expect(tab.page.locator("#header")).to_contain_text("s Home")
    # Opening the tab makes the bot publish its own view: wait for it, or it would replace the one published below.
    expect(tab.page.locator("#messages .home")).to_contain_text("Your action items")
    assert site.demo.slack.answers[-1].delivery.payload["event"]["type"] == "app_home_opened"
    button = {"type": "actions", "elements": [named("button", "pressed")]}
    client.views_publish(user_id=site.alice, view={"type": "home", "blocks": [*blocks("header"), button]})
    tab.page.get_by_role("button", name="Press").click()
    site.demo.slack.wait_for(lambda: [each for each in site.demo.slack.answers if each.delivery.payload.get("actions")])


def in_a_form(site: DemoSite, tab: Tab) -> None:
    view = {"type": "modal", "title": plain("Everything"), "submit": plain("Send"), "blocks": blocks(*VIEW_BLOCKS)}
    site.demo.slack.workspace.push_view(site.alice, view)
    expect(tab.page.get_by_role("dialog")).to_be_visible()


def in_a_thread(_site: DemoSite, tab: Tab) -> None:
    tab.type("db1 looks odd")
    tab.choose(tab.message("db1 looks odd"), "Reply in thread")
    expect(tab.page.locator("#thread")).to_be_visible()


def at_the_opening(_site: DemoSite, tab: Tab) -> None:
    expect(tab.page.locator(".promise")).to_contain_text(CASE.title)


def in_the_dialogs(_site: DemoSite, tab: Tab) -> None:
    tab.page.locator("#sidebar").get_by_role("button", name="Connect your workspace").click()
    expect(tab.page.get_by_role("dialog")).to_be_visible()


def after_a_drill(site: DemoSite, tab: Tab) -> None:
    for kind in (each for each in BLOCKS if each != "input"):
        site.demo.slack.workspace.post(site.channel, user=site.demo.slack.bot_user_id, text=kind, blocks=blocks(kind))
    site.demo.start_drill(CASE.id, 100_000)
    tab.page.locator("#drill .title").click()
    tab.message("postmortem, version 2")
    tab.page.get_by_role("tab", name="Picture").click()


def in_a_canvas(site: DemoSite, tab: Tab) -> None:
    for words in (
        "/detected disk full",
        "/actionitem @alice by tomorrow: alert at 80% disk",
        "/resolved freed some space",
    ):
        tab.type(words)
    tab.message("postmortem, version 1")
    tab.type("/postmortem publish anyway")
    tab.message("published by alice")
    tab.page.get_by_role("tab", name="Picture").click()
    site.demo.slack.wait_for(lambda: site.demo.slack.workspace.canvases)
    tab.page.locator("#header").get_by_role("button", name="INC-1 postmortem").click()
    expect(tab.page.locator("#canvas")).to_be_visible()


def at_home(site: DemoSite, tab: Tab) -> None:
    in_a_canvas(site, tab)
    tab.page.get_by_role("button", name="s Home").click()
    expect(tab.page.locator("#messages .home")).to_contain_text("alert at 80% disk")


@pytest.mark.parametrize(
    "put",
    [at_the_opening, in_the_dialogs, in_a_form, in_a_thread, in_a_canvas, at_home, after_a_drill],
    ids=lambda put: put.__name__,
)
def test_it_is_accessible_and_fits_wide_and_narrow_light_and_dark(
    site: DemoSite, tab: Tab, put: Callable[[DemoSite, Tab], None]
) -> None:
    put(site, tab)
    for faults in layout_faults(tab):
        assert faults == []


SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def layout_faults(tab: Tab) -> Iterator[list[str]]:
    """The serious violations that axe finds, and whether the page overflows, for each size and colour scheme."""
    for (size, pane), scheme in product(((WIDE, "preview"), (NARROW, "conversation"), (NARROW, "preview")), SCHEMES):
        tab.page.set_viewport_size(size)
        tab.page.emulate_media(color_scheme=scheme)
        tab.page.evaluate(f"document.body.dataset.pane = {json.dumps(pane)}")
        violations = Axe().run(tab.page).response["violations"]
        serious = [each for each in violations if each["impact"] in {"serious", "critical"}]
        yield [f"{each['id']}: {node['html'][:200]}" for each in serious for node in each["nodes"]]
        yield tab.page.evaluate(
            "() => document.documentElement.scrollWidth > innerWidth ? ['wider than the window'] : []"
        )
