"""A newcomer's first minutes on the page, in a real browser: declare, record, resolve, edit, publish, travel."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from playwright.sync_api import Locator, expect

from bot.demo.demo import ANSWER, PUBLISH, STEPS, STORY
from bot.documents.picture.tall import WIDTH
from bot.vocabulary import KINDS
from storage import timeline
from storage.items import action_items
from storage.values import TimelineEntry
from tests.browser.demo.conftest import NARROW, WIDE, Tab
from tests.support.demo_site import CASE, DemoSite

NewTab = Callable[[], Tab]
FRIDAY = 5


def entries(site: DemoSite) -> list[TimelineEntry]:
    with site.database.read() as connection:
        return timeline.of_incident(connection, 1)


def resolve(tab: Tab) -> None:
    """Type an incident from its detection to its resolution, which drafts the postmortem."""
    for words in ("/detected disk full", "/resolved freed some space"):
        tab.type(words)
        tab.message(words.partition(" ")[2])
    tab.message("postmortem, version 1")


def drafted(tab: Tab) -> Locator:
    """Open the thread of the draft's message; the reply with the files of its first version."""
    tab.message("postmortem, version 1").get_by_role("button", name="1 reply").click()
    return tab.message("Version 1, drafted", within="#thread")


@pytest.mark.parametrize("over_http", [False])
def test_an_incident_is_declared_recorded_and_resolved_and_the_preview_follows(site: DemoSite, tab: Tab) -> None:
    page, preview = tab.page, tab.page.locator("#preview-body")
    expect(page.locator("#preview")).to_contain_text("As soon as something is detected")

    page.type("#box", "/dete")
    expect(page.get_by_role("option")).to_contain_text("by monitoring|customer|engineer")
    page.press("#box", "Tab")
    expect(page.locator("#box")).to_have_value("/detected ")
    expect(page.locator("#box-hint")).to_contain_text("[at TIME]")
    page.type("#box", "by monitoring: p99 over 5 s")
    page.press("#box", "Enter")
    expect(tab.message("used /detected").locator(".typed")).to_contain_text("Alice used /detected by monitoring")
    expect(preview).to_contain_text("Detected by monitoring: p99 over 5 s")
    expect(page.locator("#about")).to_contain_text("open")

    tab.type("Error rate falls since I restarted the checkout pods")
    tab.choose(tab.message("Error rate falls"), "Add to timeline")
    form = page.get_by_role("dialog", name="Add to timeline")
    form.get_by_label("Kind").select_option("did")
    form.get_by_label("Words").fill("restarted the checkout pods")
    form.get_by_label("When it happened").fill("2026-01-01T10:00")
    form.get_by_label("Words").fill("")
    form.get_by_role("button", name="Add").click()
    expect(form).to_contain_text("Please fill in this field.")
    form.get_by_label("Words").fill("restarted the checkout pods")
    form.get_by_role("button", name="Add").click()
    expect(form).to_be_hidden()
    tab.message("Did restarted the checkout pods")
    expect(preview.locator("li.fresh", has_text="Did: restarted the checkout pods")).to_be_visible()

    tab.act_as("Bob")
    tab.type("/did -5m rolled release 418 back")
    expect(tab.message("used /did")).to_contain_text("in Los Angeles")
    tab.type("/resolved p99 is back at 300 ms")
    draft = drafted(tab)
    expect(draft.locator(".file-preview").first).to_contain_text("rolled release 418 back")
    expect(draft.get_by_role("region", name="INC-1 timeline").get_by_role("img")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.file-preview img')?.naturalWidth > 500")
    page.keyboard.press("Escape")
    expect(page.locator("#about")).to_contain_text("resolved")

    page.get_by_role("tab", name="Check").click()
    expect(preview).to_contain_text("remarks, as a reviewer would make them")
    page.get_by_role("tab", name="JSON").click()
    expect(preview).to_contain_text('"status": "resolved"')
    page.get_by_role("tab", name="Picture").click()
    page.wait_for_function("() => document.querySelector('#preview-body img')?.naturalWidth > 100")

    recorded = [(each.kind, each.author, each.text) for each in entries(site)]
    assert recorded == [
        ("detected", "alice", "p99 over 5 s"),
        ("did", "alice", "restarted the checkout pods"),
        ("did", "bob", "rolled release 418 back"),
        ("resolved", "bob", "p99 is back at 300 ms"),
    ]
    assert entries(site)[1].occurred_at.isoformat() == "2026-01-01T10:00:00+00:00"


def test_a_section_is_edited_in_a_form_and_a_new_draft_keeps_its_words(tab: Tab) -> None:
    page, preview = tab.page, tab.page.locator("#preview-body")
    resolve(tab)
    tab.type("/postmortem edit")
    form = page.get_by_role("dialog", name="Edit INC-1")
    form.get_by_label("Section").select_option(label="Lessons learned")
    form.get_by_role("button", name="Next").click()
    box = form.get_by_label("Lessons learned")
    expect(box).to_have_value(re.compile("Nothing is recorded yet"))
    box.fill("Nobody watched the <disk>.")
    form.get_by_role("button", name="Save").click()
    expect(form).to_be_hidden()
    tab.message("version 2")
    expect(preview).to_contain_text("Nobody watched the <disk>.")
    expect(preview.locator(".edited")).to_have_text("edited by hand")
    tab.type("/note systems: db1")
    tab.type("/postmortem draft")
    tab.message("postmortem, version 3")
    expect(preview).to_contain_text("Nobody watched the <disk>.")


def test_an_edit_of_lines_changed_meanwhile_shows_both_texts(site: DemoSite, tab: Tab, new_tab: NewTab) -> None:
    resolve(tab)
    bobs = new_tab()
    bobs.open(site.bob, site.channel)
    for each in (tab, bobs):
        each.type("/postmortem edit lessons")
        each.page.get_by_role("dialog").get_by_label("Lessons learned").fill(f"As {each.acting()} sees it.")
    for each in (tab, bobs):
        each.page.get_by_role("dialog").get_by_role("button", name="Save").click()
    form = bobs.page.get_by_role("dialog")
    expect(form).to_contain_text("alice saved version 2 while you were writing")
    expect(form.get_by_label("Lessons learned")).to_have_value(
        re.compile("As Bob sees it.*As Alice sees it.", re.DOTALL)
    )
    expect(tab.page.get_by_role("dialog")).to_have_count(0)


def test_a_published_postmortem_opens_as_a_canvas(tab: Tab) -> None:
    page, canvas = tab.page, tab.page.locator("#canvas")
    resolve(tab)
    tab.type("/postmortem publish anyway")
    tab.message("published by alice").get_by_role("link", name="the canvas").click()
    expect(canvas).to_contain_text("Detected: disk full")
    page.reload()
    expect(canvas).to_contain_text("Detected: disk full")
    page.keyboard.press("Escape")
    expect(canvas).to_be_hidden()
    page.locator("#header").get_by_role("button", name="INC-1 postmortem").click()
    expect(canvas).to_be_visible()
    canvas.get_by_role("button", name="Close").click()
    expect(canvas).to_be_hidden()


def test_the_list_stays_at_its_end_while_pictures_load_unless_the_reader_scrolled_up(site: DemoSite, tab: Tab) -> None:
    resolve(tab)
    for count in (1, 2):
        tab.type("/incident report 30d")
        tab.page.wait_for_function(
            "(count) => [...document.querySelectorAll('#messages .file-preview img')]"
            ".filter((each) => each.naturalWidth > 500).length === count",
            arg=count,
        )
    tab.act_as("Bob")
    tab.type("is it over?")
    expect(tab.message("is it over?")).to_be_in_viewport(ratio=1)
    # A reader who scrolled up stays there, until they post something themselves.
    tab.page.evaluate("() => { document.querySelector('#messages').scrollTop = 0; }")
    expect(tab.page.locator("#messages article").first).to_be_in_viewport()
    site.demo.slack.say(site.alice, site.channel, "yes, it is")
    tab.page.locator("#messages article", has_text="yes, it is").wait_for()
    expect(tab.page.locator("#messages article").first).to_be_in_viewport()
    tab.type("thanks")
    expect(tab.message("thanks")).to_be_in_viewport(ratio=1)


def test_a_review_has_a_calendar_file_and_a_reminder_before_it(site: DemoSite, tab: Tab) -> None:
    resolve(tab)
    day = site.demo.clock() + timedelta(days=9)
    tab.type(f"/postmortem review {day:%Y-%m-%d} 10:00")
    expect(tab.message("BEGIN:VCALENDAR").locator(".file-preview")).to_contain_text("SUMMARY:")
    for _ in range(2):
        tab.page.get_by_role("button", name="Travel 1 week forward").click()
        expect(tab.page.locator("#announcements")).to_contain_text("It is")
    (reminder,) = (each for each in site.demo.slack.messages(site.alice) if each.text.startswith("Reminder: "))
    workday = day.date() - timedelta(days=1)
    while workday.isoweekday() > FRIDAY:
        workday -= timedelta(days=1)
    assert datetime.fromtimestamp(float(reminder.ts), tz=UTC).date() == workday
    tab.open(site.alice, site.demo.slack.workspace.direct(site.alice).id)
    expect(tab.message("Reminder: ")).to_contain_text("review of INC-1")


def test_an_action_item_is_done_from_the_home_tab(site: DemoSite, tab: Tab) -> None:
    tab.type("/detected disk full")
    tab.type("/actionitem @alice short-term by tomorrow: alert at 80% disk")
    tab.message("Action item 1")
    tab.page.get_by_role("button", name="s Home").click()
    home = tab.page.locator("#messages .home")
    expect(home).to_contain_text("alert at 80% disk")
    home.get_by_role("button", name="Done").click()
    expect(home).not_to_contain_text("alert at 80% disk")
    with site.database.read() as connection:
        assert [item.state for item in action_items.of_incident(connection, 1)] == ["done"]


def test_the_film_leads_line_by_line_to_a_published_postmortem_and_a_digest(site: DemoSite, tab: Tab) -> None:
    page, hints = tab.page, tab.page.locator("#hints")
    began = site.demo.clock()
    for number, step in enumerate((*STORY, ANSWER, PUBLISH), 1):
        expect(hints).to_contain_text(f"{number} of {len(STEPS)}")
        if step == "dead_end":
            tab.act_as("Bob")
        hints.locator(".fill").click()
        page.press("#box", "Enter")
    expect(page.locator("#header").get_by_role("button", name="INC-1 postmortem")).to_be_visible()
    moved = sum((scene.then for scene in STORY.values()), timedelta())
    assert moved <= site.demo.clock() - began < moved + timedelta(minutes=10)
    # The clock moved on between the lines, so the durations are those of an incident.
    with site.database.read() as connection:
        lines = timeline.of_incident(connection, 1)
    assert [each.kind for each in lines] == [
        *(scene.command for scene in STORY.values() if scene.command in KINDS),
        "started",
    ]
    assert lines[4].occurred_at - lines[0].occurred_at >= timedelta(minutes=15)
    assert lines[-1].occurred_at < lines[0].occurred_at
    hints.get_by_role("button", name="Travel a week").click()
    hints.get_by_role("button", name="See the digest").click()
    tab.message("fill the cache before a release takes traffic")
    expect(page.locator(".actor[aria-pressed=true]")).to_contain_text("Bob")
    expect(hints).to_contain_text("That was the whole way, Bob. Now yours:")
    hints.get_by_role("button", name="Connect your workspace").click()
    dialog = page.get_by_role("dialog", name="Connect your workspace")
    manifest = json.loads(dialog.get_by_label("The manifest").input_value())
    assert {each["command"] for each in manifest["features"]["slash_commands"]} >= {"/detected", "/resolved"}
    expect(dialog).to_contain_text("SLACK_APP_TOKEN=xapp-… SLACK_BOT_TOKEN=xoxb-… scribe run")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    hints.get_by_role("button", name="Dismiss").click()
    expect(hints).to_be_empty()
    page.reload()
    expect(page.locator("#messages article").first).to_be_visible()
    expect(hints).to_be_empty()


def test_the_page_opens_on_a_finished_postmortem(tab: Tab) -> None:
    preview = tab.page.locator("#preview")
    expect(preview.get_by_role("article", name="A finished postmortem")).to_contain_text(CASE.title)
    phases = ("Undetected 9 min", "Investigating 27 min", "Mitigating 3 min", "Monitoring 26 min")
    expect(preview.locator(".phases li")).to_have_text(phases)
    expect(preview).to_contain_text("1,140 checkouts failed")
    expect(preview).not_to_contain_text("Still open")
    tab.type("/detected disk full")
    expect(preview.locator(".promise")).to_have_count(0)
    expect(preview).to_contain_text("Detected: disk full")


def test_a_case_of_ones_own_is_played_as_by_backfill(site: DemoSite, tab: Tab) -> None:
    page = tab.page
    page.locator("#sidebar").get_by_role("button", name="Play your own case").click()
    dialog = page.get_by_role("dialog", name="Play your own case")
    dialog.get_by_role("button", name="Play it").click()
    expect(dialog).to_contain_text("A title and at least one line, please.")
    dialog.get_by_label("What it was").fill("Login <fails>")
    dialog.get_by_label("What happened, and when").fill("no time here")
    dialog.get_by_role("button", name="Play it").click()
    expect(page.locator("#notice")).to_contain_text("No line begins with a time")
    page.locator("#sidebar").get_by_role("button", name="Play your own case").click()
    dialog.get_by_label("What it was").fill("Login fails")
    dialog.get_by_label("What happened, and when").fill(
        "09:14 detected by customer: two tickets\n09:44 resolved: restarted"
    )
    dialog.get_by_role("button", name="Play it").click()
    form = page.get_by_role("dialog", name="Backfill INC-2")
    expect(form.get_by_label("two tickets")).to_be_checked()
    form.get_by_role("button", name="Record").click()
    tab.message("postmortem, version 1")
    expect(page.locator("#header")).to_contain_text("my-case-2")
    expect(page.locator("#hints")).to_contain_text("1 of 4")
    with site.database.read() as connection:
        assert [each.kind for each in timeline.of_incident(connection, 2)] == ["detected", "resolved"]


@pytest.mark.parametrize("over_http", [False])
def test_an_alert_fires_and_the_deploy_before_it_is_offered(tab: Tab) -> None:
    page, sidebar, notice = tab.page, tab.page.locator("#sidebar"), tab.page.locator("#notice.calm")
    sidebar.get_by_role("button", name="s Home").click()
    sidebar.get_by_role("button", name="A deploy is told").click()
    expect(notice).to_contain_text("202, kept: 1 change")
    expect(page.locator("#header")).to_contain_text("incident")
    sidebar.get_by_role("button", name="An alert fires").click()
    expect(notice).to_contain_text("202, kept: 1 alert")
    tab.message("No incident is open here").get_by_role("button", name="Declare incident").click()
    expect(page.locator("#hints")).to_contain_text(f"2 of {len(STEPS)}")
    tab.message("A change shortly before INC-1").get_by_role(
        "button", name=re.compile("^release 418, .* before$")
    ).click()
    tab.message("taken by alice")
    before = page.locator("#preview-body", has_text="Before it began")
    expect(before).to_contain_text("Change: release 418 (checkout)")
    expect(before).to_contain_text("Detected by monitoring: CheckoutErrorRate")
    sidebar.get_by_role("button", name="Pull the plug").click()
    sidebar.get_by_role("button", name="An alert fires").click()
    expect(page.locator("#notice:not(.calm)")).to_contain_text("Scribe is unplugged")


def test_the_hint_lets_the_monitoring_say_it(tab: Tab) -> None:
    tab.page.locator("#hints").get_by_role("button", name="Or let the monitoring say it").click()
    tab.message("No incident is open here").get_by_role("button", name="Declare incident").click()
    tab.message("A change shortly before INC-1")


def test_a_pasted_conversation_is_backfilled_with_ticks(site: DemoSite, tab: Tab) -> None:
    page = tab.page
    page.set_viewport_size(NARROW)
    page.locator("#panes").get_by_role("button", name="Channels").click()
    page.locator("#sidebar").get_by_role("button", name="Backfill a pasted conversation").click()
    dialog = page.get_by_role("dialog", name="Backfill a pasted conversation")
    dialog.get_by_role("button", name="Choose what goes in").click()
    form = page.get_by_role("dialog", name="Backfill INC-1")
    # It is read from its top, and its first ticks are below.
    expect(form.get_by_text("an alert, link to a dashboard")).to_be_in_viewport()
    for words, ticked in (
        ("rolling back release 418 now", True),
        ("lunch can wait", False),
        ("thanks everybody", False),
    ):
        expect(form.get_by_label(words)).to_be_checked(checked=ticked)
    assert page.evaluate("document.querySelector('dialog').scrollWidth <= innerWidth")
    form.get_by_role("button", name="Go on").click()
    tab.message("postmortem, version 1")
    kinds = [each.kind for each in entries(site)]
    assert kinds == [
        "detected", "impact", "investigating", "ruledout", "did", "did", "did", "mitigated", "resolved",
    ]  # fmt: skip
    lasted = entries(site)[-1].occurred_at - entries(site)[0].occurred_at
    assert lasted == timedelta(minutes=40)


def test_threads_and_canvases_stand_beside_the_channel_and_over_it_on_a_phone(tab: Tab) -> None:
    page = tab.page
    tab.type("db1 looks odd")
    message = tab.message("db1 looks odd")
    tab.choose(message, "Reply in thread")
    expect(page.locator("#thread")).to_be_visible()
    expect(page.locator("#preview")).to_be_hidden()
    tab.type("and in the channel", box="#box")
    tab.message("and in the channel", within="#messages")
    boxes = [page.locator(each).bounding_box() for each in ("#messages", "#thread")]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"] + 1
    page.set_viewport_size(NARROW)
    expect(page.locator("#thread-box")).to_be_in_viewport()
    expect(page.locator("#messages")).to_be_hidden()
    page.locator("#panes").get_by_role("button", name="Conversation").click()
    expect(page.locator("#thread")).to_be_hidden()
    expect(message).to_be_visible()


def test_the_picture_can_be_read_in_the_side_column_and_on_a_phone(tab: Tab) -> None:
    page = tab.page
    resolve(tab)
    page.set_viewport_size({"width": 1100, "height": 800})
    page.get_by_role("tab", name="Picture").click()
    shown = page.locator("#preview-body img.timeline")
    for width in (1100, 900, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.evaluate("document.body.dataset.pane = 'preview'")
        expect(page.locator(".rail li")).to_have_text([re.compile("Detected disk full$"), re.compile("Resolved freed")])
        sizes = page.locator(".rail p").evaluate_all(
            "(all) => all.map((each) => parseFloat(getComputedStyle(each).fontSize))"
        )
        assert min(sizes) >= 13
        # The vertical picture, whose texts are 13 pixels high where it is as wide as it is drawn.
        page.wait_for_function("() => document.querySelector('#preview-body img.timeline').currentSrc.includes('tall')")
        expect(shown).to_be_visible()
        assert shown.evaluate("(image) => image.decode().then(() => image.clientWidth)") >= WIDTH
        assert page.evaluate("document.querySelector('#preview-body').scrollWidth <= innerWidth")
    page.set_viewport_size(WIDE)
    expect(shown).to_be_visible()
    assert shown.evaluate("(image) => image.clientWidth") > 600


def test_time_travel_moves_the_clock_that_also_dates_messages(site: DemoSite, tab: Tab) -> None:
    before = site.demo.clock()
    tab.page.get_by_role("button", name="Travel 1 week forward").click()
    tab.page.wait_for_function("() => document.querySelector('#announcements').textContent.startsWith('It is')")
    assert timedelta(weeks=1) <= site.demo.clock() - before < timedelta(weeks=1, hours=1)
    tab.type("hello from next week")
    stamp = tab.message("hello from next week").locator("time").get_attribute("datetime")
    assert stamp is not None
    assert stamp[:10] == f"{site.demo.clock():%Y-%m-%d}"


def test_an_owner_is_reminded_within_a_week_and_marks_the_item_done(site: DemoSite, tab: Tab) -> None:
    tab.type("/detected disk full")
    tab.type("/actionitem @bob short-term by tomorrow: alert at 80% disk")
    tab.message("Action item 1")
    tab.page.get_by_role("button", name="Travel 1 week forward").click()
    bob = tab.page.locator("#sidebar").get_by_role("button", name="Bob")
    expect(bob).to_contain_text("new")
    bob.click()
    tab.page.locator("#sidebar").get_by_role("button", name="Scribe", exact=True).click()
    expect(bob).not_to_contain_text("new")
    tab.message("alert at 80% disk").get_by_role("button", name="Done").click()
    tab.message("is done")
    with site.database.read() as connection:
        assert [item.state for item in action_items.of_incident(connection, 1)] == ["done"]


def test_the_first_message_of_a_day_shows_its_date(site: DemoSite, tab: Tab) -> None:
    tab.type("today")
    expect(tab.message("today").locator(".day")).to_contain_text(f"{site.demo.clock():%d %B %Y}".lstrip("0"))
    tab.type("today still")
    expect(tab.message("today still").locator(".day")).to_have_count(0)
    tab.page.get_by_role("button", name="Travel 1 day forward").click()
    expect(tab.page.locator("#announcements")).to_contain_text("It is")
    tab.type("tomorrow")
    expect(tab.message("tomorrow").locator(".day")).to_contain_text(f"{site.demo.clock():%d %B %Y}".lstrip("0"))


def test_a_drill_plays_pauses_steps_and_is_taken_over(site: DemoSite, tab: Tab) -> None:
    page, drill = tab.page, tab.page.locator("#drill")
    page.get_by_role("button", name="Watch a drill").click()
    expect(page.locator("#header")).to_contain_text(CASE.id)
    tab.message("Incident open")
    drill.get_by_role("button", name="Pause").click()
    expect(drill).to_contain_text("paused before")
    paused_at = site.demo.clock()
    assert site.demo.drill is not None
    position = site.demo.drill.status()["position"]
    drill.get_by_role("button", name="Step").click()
    expect(drill).to_contain_text(f"{position + 1} of {len(CASE.script)}")
    assert site.demo.clock() >= paused_at
    drill.get_by_role("button", name="Take over").click()
    expect(drill).to_contain_text("Taken over")
    tab.type("/note I go on from here")
    assert "12 Mar" in page.locator("#now").inner_text()
    expect(page.locator("#preview-body")).to_contain_text("I go on from here")


def test_entries_are_recorded_by_reaction_and_from_a_thread(site: DemoSite, tab: Tab) -> None:
    tab.type("/detected disk full")
    tab.message("used /detected")
    tab.type("db1 looks odd")
    tab.message("db1 looks odd").get_by_role("button", name="React with pushpin").click()
    tab.message("db1 looks odd").get_by_role("button", name="1 reply").click()
    tab.message("Note db1 looks odd", within="#thread")
    tab.type("/did x", box="#thread-box")
    expect(tab.page.locator("#notice")).to_contain_text("not supported in threads")
    expect(tab.page.locator("#thread-box")).to_have_value("/did x")
    tab.type("@scribe did freed some space", box="#thread-box")
    tab.message("Did freed some space", within="#thread")
    tab.page.keyboard.press("Escape")
    expect(tab.page.locator("#thread")).to_be_hidden()
    assert [each.kind for each in entries(site)] == ["detected", "note", "did"]


def test_a_file_is_downloaded_as_an_attachment(site: DemoSite, tab: Tab) -> None:
    resolve(tab)
    with tab.page.expect_download() as download:
        drafted(tab).get_by_role("link", name="Download").first.click()
    assert download.value.suggested_filename == "INC-1-postmortem-v1.md"
    assert "disk full" in download.value.path().read_text(encoding="utf-8")
    answer = httpx.get(f"{site.address}files/{site.demo.slack.files[0].id}", trust_env=False)
    assert answer.headers["content-disposition"] == "attachment"


def test_a_button_in_a_message_reaches_the_bot(tab: Tab) -> None:
    resolve(tab)
    tab.type("/detected disk full again")
    tab.message("disk full again").get_by_role("button", name="It is the same one: reopen INC-1").click()
    tab.message("INC-1 is open again")
    expect(tab.page.locator("#about")).to_contain_text("INC-1")
