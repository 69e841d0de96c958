"""What a message says by every door, and what becomes of its entry when it is edited or deleted later."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from bot.clock import SetClock
from bot.fakeslack import payloads
from bot.fakeslack.objects import Message
from bot.slack.inbound.messages import MOST_CHARACTERS, read_message, words_of
from bot.vocabulary import ADD_TO_TIMELINE
from storage.database import Database
from tests.slack.incident.test_shortcut import form, initial
from tests.support.hostile import JSON, times
from tests.support.ledger import counts, entries, incident_count, items, revisions, standing
from tests.support.workplace import Workplace, at, workplace

CODE = "ran `kubectl get <pod> && echo *` then ```\nif a < b:\n    _run_()\n``` and it held"


@pytest.fixture
def pinning(sqlite: Database, clock: SetClock) -> Iterator[Workplace]:
    """A workplace with an incident, where a pushpin records a note and the bot hears of edits."""
    with workplace(sqlite, clock=clock, SCRIBE_REACTIONS="pushpin", SCRIBE_FOLLOW_EDITS="on") as office:
        office.slack.scopes |= {"reactions:read", "channels:history"}
        office.say("/detected disk full")
        yield office


def pin(office: Workplace, message: Message, user: str = "") -> None:
    """Pin the message; a second pin of the same person takes the first one away before."""
    office.slack.react(user or office.carol, message, "pushpin")
    office.deliver()


def ephemerals(office: Workplace, user: str) -> list[str]:
    return [message.text for message in office.messages(user=user) if message.ephemeral_for == user]


def rich(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "rich_text", "elements": list(elements)}]


def section(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text_section", "elements": list(elements)}


MRKDWN, PLAIN = "mrkdwn", "plain_text"
ALERTS: dict[str, tuple[dict[str, Any], str]] = {
    "an attachment": (
        {
            "attachments": [
                {
                    "fallback": "not this",
                    "pretext": "Alert",
                    "title": "p99 &gt; 5 s",
                    "title_link": "https://grafana.example/d/1",
                    "text": "on <http://db1.example|db1.example>",
                    "fields": [{"title": "Value", "value": "7.1"}, {"value": "prod"}],
                    "image_url": "https://grafana.example/render/1.png",
                }
            ]
        },
        "Alert\np99 > 5 s (https://grafana.example/d/1)\non db1.example\nValue: 7.1\nprod\nhttps://grafana.example/render/1.png",
    ),
    "a fallback alone": ({"attachments": [{"fallback": "p99 over 5 s"}]}, "p99 over 5 s"),
    "blocks": (
        {
            "text": "a summary",
            "blocks": [
                {"type": "header", "text": {"type": PLAIN, "text": "FIRING <b> & c"}},
                {"type": "section", "text": {"type": MRKDWN, "text": "*db1* is &lt;slow&gt; <https://x.example|look>"}},
                {"type": "divider"},
                {"type": "section", "fields": [{"type": MRKDWN, "text": "What"}, {"type": PLAIN, "text": "hi"}]},
                {"type": "image", "image_url": "https://x.example/1", "alt_text": "graph"},
                {"type": "context", "elements": [{"type": "image"}, {"type": MRKDWN, "text": "via it"}]},
                {"type": "actions", "elements": [{"type": "button", "text": {"type": PLAIN, "text": "Silence"}}]},
                {"type": "of tomorrow", "text": {"type": MRKDWN, "text": "new"}},
            ],
        },
        "FIRING <b> & c\n*db1* is <slow> look (https://x.example)\nWhat\nhi\ngraph (https://x.example/1)\nvia it\nnew",
    ),
    "blocks in an attachment": (
        {"attachments": [{"fallback": "[no preview available]", "blocks": [{"type": "x", "text": {"text": "down"}}]}]},
        "down",
    ),
    "rich text": (
        {
            "blocks": rich(
                section(
                    {"type": "text", "text": "ran "},
                    {"type": "text", "text": "a < b", "style": {"code": True}},
                    {"type": "text", "text": " by "},
                    {"type": "broadcast", "range": "here"},
                    {"type": "emoji", "name": "fire"},
                    {"type": "link", "url": "https://x.example/?a=1&b=2", "text": "it"},
                    {"type": "usergroup", "usergroup_id": "S123"},
                ),
                {"type": "rich_text_list", "style": "ordered", "elements": [section({"type": "text", "text": "one"})]},
                {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "if a:\n  b"}]},
                {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]},
            )
        },
        "ran `a < b` by @here:fire:it (https://x.example/?a=1&b=2)@S123\n1. one\n```\nif a:\n  b\n```\n> said",
    ),
    "a table": (
        {"blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": each} for each in ("host", "db1")]]}]},
        "host | db1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_the_same_by_shortcut_and_by_reaction(pinning: Workplace, name: str) -> None:
    parts, words = ALERTS[name]
    first = pinning.slack.say_by_app(pinning.channel, name="Prometheus", **parts)
    assert initial(form(pinning, first))["words"] == words
    pinning.slack.submit(pinning.carol)
    pin(pinning, pinning.slack.say_by_app(pinning.channel, name="Prometheus", **parts))
    by_form, by_pin = entries(pinning)[1:]
    assert by_form.text == by_pin.text == words
    assert by_form.author == by_pin.author == "Prometheus"


def test_a_file_is_its_title_and_address_beside_the_words_and_a_preview_is_not_the_persons() -> None:
    described = {
        "ts": "1.0",
        "user": "U1",
        "text": "see <https://a.example>",
        "files": [
            {"title": "graph.png", "permalink": "https://s.example/f1"},
            {"name": "x.log", "mode": "hosted"},
            {"mode": "tombstone", "name": "gone"},
        ],
        "attachments": [{"from_url": "https://a.example", "title": "A page", "text": "of others"}, {"text": "of ours"}],
    }
    message = read_message(described)
    assert message is not None
    assert words_of(message) == "see <https://a.example>\nof ours\n<https://s.example/f1|graph.png>\nx.log"


def test_a_message_by_webhook_has_the_name_it_shows() -> None:
    profile = {"name": "incoming-webhook"}
    message = read_message(
        {"ts": "1.0", "bot_id": "B1", "user": "", "username": "Alertmanager", "bot_profile": profile}
    )
    assert message is not None
    assert message.app_name == "Alertmanager"


@times(60)
@given(blocks=JSON, attachments=JSON, files=JSON)
def test_no_shape_of_a_message_breaks_its_reading(blocks: Any, attachments: Any, files: Any) -> None:
    message = read_message({"ts": "1.0", "blocks": [blocks], "attachments": [attachments], "files": [files]})
    assert message is not None
    assert isinstance(words_of(message), str)


def test_deep_and_wide_messages_are_read_to_their_limits() -> None:
    deep: dict[str, Any] = {"type": "of tomorrow", "text": "bottom"}
    for _ in range(400):
        deep = {"type": "of tomorrow", "text": "level", "elements": [deep], "blocks": [deep]}
    wide = [{"type": "section", "text": {"type": MRKDWN, "text": "x" * 3_000}}] * 2_000
    message = read_message({"ts": "1.0", "blocks": [deep, *wide], "attachments": [{"fields": wide}] * 50})
    assert message is not None
    assert len(words_of(message)) < 2 * MOST_CHARACTERS + 1_000


def test_blocks_within_blocks_are_read_so_far_and_no_further() -> None:
    def nested(levels: int) -> dict[str, Any]:
        inner = [nested(levels - 1)] if levels > 1 else []
        return {"type": "of tomorrow", "text": f"{levels} left", "blocks": inner}

    for place, deepest in (({"blocks": [nested(20)]}, 8), ({"attachments": [{"blocks": [nested(20)]}]}, 7)):
        message = read_message({"ts": "1.0", **place})
        assert message is not None
        assert words_of(message).splitlines() == [f"{20 - level} left" for level in range(deepest)]


def test_code_stays_code_by_every_door_and_on_the_way_out(pinning: Workplace) -> None:
    pinning.say(f"/did {CODE}")
    pinning.slack.say(pinning.bob, pinning.channel, f"@scribe did {CODE}")
    message = pinning.slack.say(pinning.bob, pinning.channel, CODE)
    pin(pinning, message)
    form(pinning, message)
    pinning.slack.submit(pinning.carol, {"kind": "investigating"})
    assert {text for _, text in standing(pinning)[1:]} == {CODE}
    shown = CODE.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert all(shown in each.text for each in pinning.messages()[-3:] if "· INC-1 #" in each.text)
    pinning.say("/resolved")
    pinning.deliver()
    draft = pinning.drafts[-1].content.decode()
    assert draft.count("ran `kubectl get <pod> && echo *` then") >= 4
    assert draft.count("  ```text\n  if a < b:\n      _run_()\n  ```\n\n  and it held") >= 4


def test_a_message_edited_later_revises_its_entry_and_a_deleted_one_is_marked(
    pinning: Workplace, clock: SetClock
) -> None:
    message = pinning.slack.say(pinning.bob, pinning.channel, "pool <exhausted>")
    pin(pinning, message)
    seen = len(pinning.messages())
    clock.set(at("2026-03-12T12:10:00Z"))
    pinning.slack.edit(message, "pool of db1 <exhausted>")
    pinning.slack.repeat(pinning.slack.answers[-1])
    assert standing(pinning)[1] == ("note", "pool of db1 <exhausted>")
    (revision,) = revisions(pinning)
    assert (revision.revised_by_id, revision.message_state) == (pinning.bob, "edited")
    assert revision.revised_at == at("2026-03-12T12:10:00Z")
    assert "(bob, message edited in Slack)" in pinning.private("/timeline")
    pinning.slack.delete(message)
    assert standing(pinning)[1] == ("note", "pool of db1 <exhausted>")
    assert "(bob, message deleted in Slack)" in pinning.private("/timeline")
    assert len(pinning.messages()) == seen - 1
    pinning.say("/resolved")
    pinning.deliver()
    assert "*message deleted in Slack*" in pinning.drafts[-1].content.decode()


def test_words_that_people_changed_do_not_follow_the_message(pinning: Workplace) -> None:
    message = pinning.slack.say(pinning.bob, pinning.channel, "pool exhausted")
    pin(pinning, message)
    pinning.say("/incident edit 2 the pool of db1 is exhausted")
    pinning.slack.edit(message, "pool exhausted, I think")
    assert standing(pinning)[1] == ("note", "the pool of db1 is exhausted")
    assert entries(pinning)[1].message_state == "edited"


def test_an_entry_taken_back_and_a_message_of_no_entry_are_left_alone(pinning: Workplace) -> None:
    message = pinning.slack.say(pinning.bob, pinning.channel, "pool exhausted")
    pin(pinning, message)
    pinning.say("/incident undo", user=pinning.carol)
    before = counts(pinning)
    pinning.slack.edit(message, "again")
    other = pinning.slack.say(pinning.bob, pinning.channel, "of nothing")
    pinning.slack.edit(other, "of no matter")
    pinning.slack.delete(other)
    after = counts(pinning)
    assert {name for name in before if before[name] != after[name]} <= {"receipts"}
    assert not pinning.slack.undelivered


def test_a_second_pin_takes_the_new_words_where_no_edit_was_heard_of(pinning: Workplace) -> None:
    message = pinning.slack.say(pinning.bob, pinning.channel, "pool exhausted")
    pin(pinning, message)
    with pinning.slack.failing_deliveries():
        edited = pinning.slack.edit(message, "pool of db1 exhausted")
    pin(pinning, edited, pinning.alice)
    assert standing(pinning)[1:] == [("note", "pool of db1 exhausted")]
    assert pinning.messages()[-1].text.startswith("Corrected: Note · 12:00 UTC · INC-1 #2\npool of db1 exhausted")
    pin(pinning, edited, pinning.bob)
    assert ephemerals(pinning, pinning.bob) == ["That message is on the timeline already: it is entry 2."]


def test_a_second_pin_does_not_undo_what_people_made_of_the_words(pinning: Workplace) -> None:
    message = pinning.slack.say(pinning.bob, pinning.channel, "pool exhausted")
    pin(pinning, message)
    pinning.say("/incident edit 2 the pool of db1 is exhausted")
    pin(pinning, message, pinning.alice)
    assert standing(pinning)[1:] == [("note", "the pool of db1 is exhausted")]
    assert len(ephemerals(pinning, pinning.alice)) == 1


def test_shortcut_and_pin_know_one_message_in_a_thread(pinning: Workplace) -> None:
    root = pinning.slack.say(pinning.bob, pinning.channel, "what do we know?")
    message = pinning.slack.say(pinning.bob, pinning.channel, "pool exhausted", thread_ts=root.ts)
    form(pinning, message)
    pinning.slack.submit(pinning.carol)
    pin(pinning, message, pinning.alice)
    assert ephemerals(pinning, pinning.alice) == ["That message is on the timeline already: it is entry 2."]
    pinning.slack.edit(message, "pool of db1 exhausted")
    assert standing(pinning)[1:] == [("note", "pool of db1 exhausted")]


def test_an_edited_mention_revises_what_it_recorded(pinning: Workplace, clock: SetClock) -> None:
    message = pinning.slack.say(pinning.bob, pinning.channel, "@scribe did restrated db1")
    clock.set(at("2026-03-12T12:10:00Z"))
    pinning.slack.edit(message, "@scribe did restarted db1")
    assert standing(pinning)[1:] == [("did", "restarted db1")]
    assert pinning.messages()[-1].text.startswith("Corrected: Did · 12:00 UTC")
    pinning.slack.edit(message, "@scribe did at 11:55 UTC restarted db1")
    assert f"{entries(pinning)[1].occurred_at:%H:%M}" == "11:55"
    pinning.slack.edit(message, "@scribe note at 11:55 UTC restarted db1")
    assert standing(pinning)[1:] == [("note", "restarted db1")]
    assert incident_count(pinning) == 1
    assert not pinning.slack.undelivered


def test_an_edited_mention_is_read_where_it_was_refused_and_does_nothing_twice(office: Workplace) -> None:
    office.say("/detected disk full")
    refused = office.slack.say(office.bob, office.channel, "@scribe detectd by monitoring: again")
    office.slack.edit(refused, "@scribe did freed space")
    assert standing(office)[1:] == [("did", "freed space")]
    item = office.slack.say(office.bob, office.channel, "@scribe actionitem @carol short-term: watch it")
    office.slack.edit(item, "@scribe actionitem @carol short-term: watch them")
    assert [each.text for each in items(office)] == ["watch it"]
    assert ephemerals(office, office.bob)[-1].startswith("That message was carried out before it was edited")
    severity = office.slack.say(office.bob, office.channel, "@scribe severity SEV2")
    office.slack.edit(severity, "@scribe severity SEV1")
    assert office.messages()[-1].text == "INC-1 · severity: SEV1 (was SEV2)"
    changed = [entry for entry in entries(office) if entry.kind == "severity"]
    assert [(entry.text, entry.revisions) for entry in changed] == [("SEV1", 1)], "one entry, corrected"


def test_the_words_of_a_refused_mention_show_the_bots_name(office: Workplace) -> None:
    office.slack.say(office.bob, office.channel, "@scribe did at 25:00 freed")
    assert ephemerals(office, office.bob)[-1].endswith("Your words: @scribe did at 25:00 freed")
    assert office.ask("/did at 25:00 &lt;x&gt; <@U0SCRIBE> <http://deploy.sh|deploy.sh>", raw=True).text.endswith(
        "Your words: /did at 25:00 &lt;x&gt; @scribe deploy.sh"
    )


def test_an_app_speaks_for_a_person_and_not_for_itself(office: Workplace) -> None:
    office.say("/detected disk full")
    robot = office.slack.add_user("alerts", is_bot=True)
    for user in (office.bob, robot, "U0STRANGER", ""):
        office.slack.workspace.users.setdefault(user, office.slack.workspace.users[robot])
        office.slack.say_by_app(office.channel, "<@U0SCRIBE> did freed space", user=user)
    assert [(each.text, each.author_id) for each in entries(office)[1:]] == [("freed space", office.bob)]
    assert not office.slack.undelivered


def test_a_mention_is_found_again_by_the_shortcut(office: Workplace) -> None:
    office.say("/detected disk full")
    message = office.slack.say(office.bob, office.channel, "@scribe note freed space")
    assert office.slack.shortcut(office.carol, message, ADD_TO_TIMELINE).ok
    assert office.slack.modal(office.carol)
    problem = office.slack.submit(office.carol).body["errors"]["words"]
    assert problem == "That message is on the timeline already: it is entry 2."


def test_an_edited_mention_keeps_who_is_in_it_and_forgets_the_range(pinning: Workplace) -> None:
    said = pinning.slack.say(pinning.alice, pinning.channel, "@scribe did ~11:50-11:55 @bob restarts dbl")
    assert entries(pinning)[-1].until_at is not None
    pinning.slack.edit(said, "@scribe did at 11:51 @bob restarts db1")
    entry = entries(pinning)[-1]
    assert (entry.text, dict(entry.people)) == ("@bob restarts db1", {"bob": pinning.bob})
    assert (f"{entry.occurred_at:%H:%M}", entry.until_at, entry.approximate) == ("11:51", None, False)


def test_an_edited_message_keeps_who_is_in_its_entry(pinning: Workplace) -> None:
    said = pinning.slack.say(pinning.alice, pinning.channel, "@bob restarts dbl")
    pin(pinning, said)
    pinning.slack.edit(said, "@bob restarts db1")
    entry = entries(pinning)[-1]
    assert (entry.text, dict(entry.people)) == ("@bob restarts db1", {"bob": pinning.bob})


def test_an_edited_mention_stays_on_the_day_of_the_incident(office: Workplace, clock: SetClock) -> None:
    clock.set(at("2026-02-14T12:30:00Z"))
    office.say("/detected at 09:33 disk full")
    office.say("/resolved at 11:59 freed")
    clock.set(at("2026-02-15T12:00:00Z"))
    said = office.slack.say(office.alice, office.channel, "@scribe note at 10:46 the graph lookd odd")
    office.slack.edit(said, "@scribe note at 10:46 the graph looked odd")
    entry = entries(office)[-1]
    assert (entry.text, entry.occurred_at) == ("the graph looked odd", at("2026-02-14T10:46:00Z"))


def test_a_link_that_slack_shows_below_a_message_is_no_edit(pinning: Workplace) -> None:
    said = pinning.slack.say(pinning.alice, pinning.channel, "@scribe note see https://x.example")
    before = pinning.slack.workspace.message(said.channel, said.ts)
    assert before is not None
    pinning.slack._tell(before, payloads.message_changed(before, before, ts="1773316900.000100"))
    assert entries(pinning)[-1].message_state is None


def test_that_its_message_is_gone_stays_on_an_entry_that_is_moved(pinning: Workplace) -> None:
    said = pinning.slack.say(pinning.alice, pinning.channel, "db1 is full")
    pin(pinning, said)
    pinning.slack.delete(said)
    mails = pinning.slack.add_channel("mails")
    pinning.say("/detected mails are late", channel=mails)
    pinning.say("/incident merge INC-1", channel=mails)
    assert [(each.text, each.message_state) for each in entries(pinning, 2)][-1] == ("db1 is full", "deleted")
