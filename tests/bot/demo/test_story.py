"""A newcomer's five minutes, in a real browser: declare, record, resolve, look, travel."""

import httpx
import pytest
from playwright.sync_api import expect

from bot.demo.hints import STEPS
from bot.slack.app import Bot
from storage import action_items, timeline
from storage.values import TimelineEntry
from tests.bot.demo.conftest import CASE, Stage, Tab


def entries(stage: Stage) -> list[TimelineEntry]:
    with stage.database.read() as connection:
        return timeline.of_incident(connection, 1)


@pytest.mark.parametrize("over_http", [False])
def test_an_incident_is_declared_recorded_and_resolved_and_its_document_writes_itself(stage: Stage, tab: Tab) -> None:
    page, paper = tab.page, tab.page.locator("#paper")
    expect(page.locator("#living")).to_contain_text("As soon as something is detected")

    page.type("#box", "/dete")
    expect(page.get_by_role("option")).to_contain_text("by monitoring|customer|engineer")
    page.press("#box", "Tab")
    expect(page.locator("#box")).to_have_value("/detected ")
    expect(page.locator("#box-hint")).to_contain_text("[at TIME]")
    page.type("#box", "by monitoring: p99 over 5 s")
    page.press("#box", "Enter")
    expect(tab.message("Detected · ").locator(".typed")).to_contain_text("Alice used /detected by monitoring")
    expect(paper).to_contain_text("Detected by monitoring: p99 over 5 s")
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
    tab.message("Did · ")
    expect(paper.locator("li.fresh", has_text="restarted the checkout pods")).to_be_visible()

    tab.act_as("Bob")
    tab.type("/did -5m rolled release 418 back")
    expect(tab.message("rolled release 418 back")).to_contain_text("in Los Angeles")
    tab.type("/resolved p99 is back at 300 ms")
    draft = tab.message("postmortem, version 1")
    expect(draft.locator(".preview").first).to_contain_text("rolled release 418 back")
    expect(draft.get_by_role("region", name="INC-1 timeline").get_by_role("img")).to_be_visible()
    page.wait_for_function("() => document.querySelector('.preview img')?.naturalWidth > 500")
    expect(page.locator("#about")).to_contain_text("resolved")

    page.get_by_role("tab", name="Check").click()
    expect(paper).to_contain_text("remarks, as a reviewer would make them")
    page.get_by_role("tab", name="JSON").click()
    expect(paper).to_contain_text('"status": "resolved"')
    page.get_by_role("tab", name="Picture").click()
    page.wait_for_function("() => document.querySelector('#paper img')?.naturalWidth > 100")

    recorded = [(each.kind, each.author, each.text) for each in entries(stage)]
    assert recorded == [
        ("detected", "alice", "p99 over 5 s"),
        ("did", "alice", "restarted the checkout pods"),
        ("did", "bob", "rolled release 418 back"),
        ("resolved", "bob", "p99 is back at 300 ms"),
    ]
    assert entries(stage)[1].occurred_at.isoformat() == "2026-01-01T10:00:00+00:00"


def test_the_first_minute_is_five_hints_each_done_by_doing_it(tab: Tab) -> None:
    page, hints = tab.page, tab.page.locator("#hints")
    for number, step in enumerate(STEPS, 1):
        expect(hints).to_contain_text(f"{number} of 5")
        if step == "act_as":
            tab.act_as("Bob")
        hints.locator(".fill").click()
        page.press("#box", "Enter")
        if step == "add":
            tab.choose(tab.message("Error rate falls"), "Add to timeline")
            page.get_by_role("dialog").get_by_role("button", name="Add").click()
        if step == "travel":
            tab.message("Action item 1")
            page.get_by_role("button", name="Travel 1 week forward").click()
    expect(hints).to_contain_text("That was the whole way")
    hints.get_by_role("button", name="Dismiss").click()
    expect(hints).to_be_empty()
    page.reload()
    expect(page.locator("#said article").first).to_be_visible()
    expect(hints).to_be_empty()


def test_a_journey_moves_the_clock_and_what_was_due_on_the_way_has_happened(stage: Stage, tab: Tab) -> None:
    before = stage.demo.clock()
    tab.page.get_by_role("button", name="Travel 1 week forward").click()
    tab.page.wait_for_function("() => document.querySelector('#told').textContent.startsWith('It is')")
    passed = stage.demo.clock() - before
    assert (passed.days, passed.seconds < 60) == (7, True)
    # A message is dated by the same clock.
    tab.type("hello from next week")
    stamp = tab.message("hello from next week").locator("time").get_attribute("datetime")
    assert stamp is not None
    assert stamp[:10] == f"{stage.demo.clock():%Y-%m-%d}"


@pytest.mark.skipif(not hasattr(Bot, "remind"), reason="this Scribe does not remind anybody yet")
def test_a_week_later_its_owner_is_reminded_and_presses_done(stage: Stage, tab: Tab) -> None:
    tab.type("/detected disk full")
    tab.type("/actionitem @bob short-term by tomorrow: alert at 80% disk")
    tab.message("Action item 1")
    tab.page.get_by_role("button", name="Travel 1 week forward").click()
    bob = tab.page.locator("#places").get_by_role("button", name="Bob")
    expect(bob).to_contain_text("new")
    bob.click()
    tab.page.locator("#places").get_by_role("button", name="Scribe", exact=True).click()
    expect(bob).not_to_contain_text("new")
    tab.message("alert at 80% disk").get_by_role("button", name="Done").click()
    tab.message("is done")
    with stage.database.read() as connection:
        assert [item.state for item in action_items.of_incident(connection, 1)] == ["done"]


def test_messages_of_another_day_stand_under_its_name(stage: Stage, tab: Tab) -> None:
    tab.type("today")
    expect(tab.message("today").locator(".day")).to_contain_text(f"{stage.demo.clock():%d %B %Y}".lstrip("0"))
    tab.type("today still")
    expect(tab.message("today still").locator(".day")).to_have_count(0)
    tab.page.get_by_role("button", name="Travel 1 day forward").click()
    expect(tab.page.locator("#told")).to_contain_text("It is")
    tab.type("tomorrow")
    expect(tab.message("tomorrow").locator(".day")).to_contain_text(f"{stage.demo.clock():%d %B %Y}".lstrip("0"))


def test_a_drill_plays_pauses_steps_and_is_taken_over(stage: Stage, tab: Tab) -> None:
    page, drill = tab.page, tab.page.locator("#drill")
    page.get_by_role("button", name="Watch a drill").click()
    expect(page.locator("#head")).to_contain_text(CASE.id)
    tab.message("Incident open")
    drill.get_by_role("button", name="Pause").click()
    expect(drill).to_contain_text("paused before")
    stood_at = stage.demo.clock()
    at = stage.demo.drill.shown()["at"] if stage.demo.drill else None
    drill.get_by_role("button", name="Step").click()
    expect(drill).to_contain_text(f"{at + 1} of {len(CASE.script)}" if at is not None else "no drill")
    assert stage.demo.clock() >= stood_at
    drill.get_by_role("button", name="Take over").click()
    expect(drill).to_contain_text("Taken over")
    tab.type("/note I go on from here")
    assert "12 Mar" in page.locator("#now").inner_text()
    expect(page.locator("#paper")).to_contain_text("I go on from here")


def test_what_was_typed_reaches_the_bot_in_threads_and_by_reaction(stage: Stage, tab: Tab) -> None:
    tab.type("/detected disk full")
    tab.message("Detected · ")
    tab.type("db1 looks odd")
    tab.message("db1 looks odd").get_by_role("button", name="React with pushpin").click()
    tab.message("Note · ", within="#thread") if tab.page.locator("#thread").is_visible() else None
    tab.message("db1 looks odd").get_by_role("button", name="1 reply").click()
    tab.message("Note · ", within="#thread")
    tab.type("/did x", box="#thread-box")
    expect(tab.page.locator("#notice")).to_contain_text("not supported in threads")
    expect(tab.page.locator("#thread-box")).to_have_value("/did x")
    tab.type("@scribe did freed some space", box="#thread-box")
    tab.message("Did · ", within="#thread")
    tab.page.keyboard.press("Escape")
    expect(tab.page.locator("#thread")).to_be_hidden()
    assert [each.kind for each in entries(stage)] == ["detected", "note", "did"]


def test_a_file_is_shown_and_can_be_had(stage: Stage, tab: Tab) -> None:
    tab.type("/detected disk full")
    tab.type("/resolved freed some space")
    with tab.page.expect_download() as got:
        tab.message("postmortem, version 1").get_by_role("link", name="Download").first.click()
    assert got.value.suggested_filename == "INC-1-postmortem-v1.md"
    assert "disk full" in got.value.path().read_text(encoding="utf-8")
    answer = httpx.get(f"{stage.address}files/{stage.demo.slack.files[0].id}", trust_env=False)
    assert answer.headers["content-disposition"] == "attachment"


def test_a_button_in_a_message_is_pressed(tab: Tab) -> None:
    for words in ("/detected disk full", "/resolved freed some space"):
        tab.type(words)
        tab.message(words.partition(" ")[2])
    tab.type("/detected disk full again")
    tab.message("disk full again").get_by_role("button", name="It is the same one: reopen INC-1").click()
    tab.message("INC-1 is open again")
    expect(tab.page.locator("#about")).to_contain_text("INC-1")
