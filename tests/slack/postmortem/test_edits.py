"""/postmortem edit: a form with a section's text, also while another person saves an edit."""

import re

import pytest

from bot.clock import SetClock
from bot.fakeslack.dispatcher import Answer
from bot.fakeslack.objects import View
from bot.slack.outbound.modals import joined, portions
from storage import postmortems
from storage.values import Postmortem
from tests.support.ledger import incident, problems
from tests.support.workplace import Workplace, at


@pytest.fixture
def drafted(office: Workplace) -> Workplace:
    """INC-1, drafted."""
    office.say("/detected disk full")
    office.say("/postmortem draft")
    office.deliver()
    return office


def newest(office: Workplace) -> Postmortem:
    with office.database.read() as connection:
        version = postmortems.newest(connection, incident(office).id)
    assert version is not None
    return version


def body(office: Workplace, key: str) -> str:
    section = newest(office).section(key)
    assert section is not None
    return section.body


def form(office: Workplace, typed: str = "/postmortem edit lessons", user: str = "") -> View:
    """Type the command; returns the form."""
    user = user or office.alice
    assert office.ask(typed, user=user).body == {}
    view = office.slack.modal(user)
    assert view is not None
    return view


def text_in(view: View) -> str:
    return "\n".join(block["element"].get("initial_value", "") for block in view.blocks if block["type"] == "input")


def send(office: Workplace, words: str, user: str = "") -> Answer:
    answer = office.slack.submit(user or office.alice, {"words": words})
    assert answer.ok, answer
    return answer


def last_ephemeral(office: Workplace, user: str = "") -> str:
    """The text of the last message that only this person sees."""
    user = user or office.alice
    return [each.text for each in office.messages(user=user) if each.ephemeral_for == user][-1]


def test_a_section_is_chosen_in_one_form_and_edited_in_the_next(drafted: Workplace) -> None:
    view = form(drafted, "/postmortem edit")
    labels = [each["text"]["text"] for each in view.blocks[0]["element"]["options"]]
    assert labels == [each.heading for each in newest(drafted).sections]
    send(drafted, "lessons")
    following = drafted.slack.modal(drafted.alice)
    assert following is not None
    assert text_in(following) == body(drafted, "lessons")
    send(drafted, "We were lucky.")
    assert drafted.slack.modal(drafted.alice, within_s=0) is None
    assert last_ephemeral(drafted) == "INC-1 · postmortem, version 2 · Lessons learned, edited"
    version = newest(drafted)
    assert (version.origin, version.drafted_by, version.template) == ("edit", "alice", "classic")
    assert body(drafted, "lessons") == "We were lucky."


@pytest.mark.parametrize("typed", ["lessons", "INC-1 lessons", "Lessons learned", "LESS", "inc-1 lesons"])
def test_a_section_is_found_by_key_heading_or_prefix(drafted: Workplace, typed: str) -> None:
    view = form(drafted, f"/postmortem edit {typed}")
    assert view.blocks[0]["label"]["text"] == "Lessons learned"


def test_what_cannot_be_edited_is_refused_at_once(office: Workplace) -> None:
    office.say("/detected disk full")
    assert "INC-1 has no draft yet. /postmortem draft writes one." in office.refused("/postmortem edit")
    office.say("/postmortem draft")
    office.deliver()
    assert "There is: summary, timeline" in office.refused("/postmortem edit weather")
    assert "There is no INC-7" in office.refused("/postmortem edit INC-7 summary")


def test_in_a_thread_there_is_no_form_and_the_answer_says_so(drafted: Workplace) -> None:
    drafted.slack.say(drafted.bob, drafted.channel, "@scribe postmortem edit lessons")
    assert "A form opens in the channel, from /postmortem edit INC-1" in last_ephemeral(drafted, drafted.bob)


def test_an_unchanged_text_makes_no_version(drafted: Workplace) -> None:
    form(drafted)
    assert drafted.slack.submit(drafted.alice).body == {}
    assert newest(drafted).version == 1
    assert last_ephemeral(drafted) == "INC-1 · Lessons learned is as in version 1; nothing was changed."


def test_a_new_draft_keeps_the_edits_and_says_so(drafted: Workplace) -> None:
    form(drafted)
    send(drafted, "We were lucky.")
    drafted.say("/cause process: nobody watched the disk")
    drafted.say("/postmortem draft")
    assert "What people wrote is kept: Lessons learned" in drafted.messages()[-1].text
    assert body(drafted, "lessons") == "We were lucky."
    assert "- Process: nobody watched the disk." in body(drafted, "cause")
    file = drafted.drafts[-1].content.decode()
    assert "We were lucky." in file


def test_a_new_draft_names_its_conflicts(drafted: Workplace, clock: SetClock) -> None:
    drafted.say("/lesson well: the runbook")
    drafted.say("/postmortem draft")
    drafted.deliver()
    form(drafted)
    send(drafted, body(drafted, "lessons").replace("The runbook.", "The runbook helped."))
    drafted.say("/incident edit last the alert came at once")
    drafted.say("/postmortem draft")
    text = drafted.messages()[-1].text
    assert "1 conflict: Lessons learned. Both versions stand there; /postmortem edit chooses." in text
    assert "> - The runbook helped." in body(drafted, "lessons")
    assert "> - The alert came at once." in body(drafted, "lessons")
    assert "> ###" not in body(drafted, "lessons")
    clock.set(at("2026-03-12T12:00:02Z"))
    drafted.say("/postmortem draft")
    assert "1 conflict: Lessons learned" in drafted.messages()[-1].text
    assert newest(drafted).version == 5


def test_an_edit_saved_while_a_draft_waits_is_in_it(drafted: Workplace) -> None:
    form(drafted)
    drafted.say("/postmortem draft")
    send(drafted, "We were lucky.")
    drafted.deliver()
    assert (newest(drafted).version, newest(drafted).origin) == (3, "draft")
    assert body(drafted, "lessons") == "We were lucky."


def test_words_in_an_edited_section_do_not_ping(drafted: Workplace) -> None:
    form(drafted)
    send(drafted, f"<!channel> <@{drafted.bob}> see <#C1> and a<b, \\<!here>")
    shown = drafted.ask("/postmortem show").message
    assert shown is not None
    text = shown.blocks[1]["text"]
    assert not re.search("<[!@#]", text)
    assert f"<!channel> <@{drafted.bob}> see <#C1> and a<b, \\<!here>" in text.replace("\u2060", "")


def test_an_emptied_section_is_removed_and_can_be_restored(drafted: Workplace) -> None:
    before = body(drafted, "lessons")
    form(drafted)
    send(drafted, "")
    assert (
        last_ephemeral(drafted) == "INC-1 · postmortem, version 2 · Lessons learned, taken out. Version 1 still has it"
    )
    drafted.say("/postmortem draft")
    drafted.deliver()
    assert "Lessons learned" not in drafted.drafts[-1].content.decode()
    shown = drafted.ask("/postmortem show v1").message
    assert shown is not None
    assert "Lessons learned" in shown.blocks[1]["text"]
    assert form(drafted, "/postmortem edit").blocks[0]["element"]["options"][4]["text"]["text"].endswith("(taken out)")
    drafted.slack.dismiss(drafted.alice)
    assert text_in(form(drafted)) == before
    drafted.slack.submit(drafted.alice)
    assert body(drafted, "lessons") == before


def test_edits_of_different_lines_are_merged(drafted: Workplace) -> None:
    form(drafted)
    send(drafted, "### Well\n\n- The runbook.\n\n### Badly\n\n- No alert.")
    before = body(drafted, "lessons")
    first, *_, last = before.split("\n")
    form(drafted)
    form(drafted, user=drafted.bob)
    send(drafted, before.replace(first, "### Good"))
    send(drafted, before.replace(last, "We were lucky."), drafted.bob)
    assert body(drafted, "lessons") == before.replace(first, "### Good").replace(last, "We were lucky.")
    assert "alice saved version 3 while you were writing; both changes are in it." in last_ephemeral(
        drafted, drafted.bob
    )


def test_the_form_of_a_conflict_has_other_block_ids(drafted: Workplace) -> None:
    """With the same ids Slack keeps what was typed in each input, and would show one version as both."""
    form(drafted)
    before = form(drafted, user=drafted.bob)
    send(drafted, "Alice thinks so.")
    send(drafted, "Bob thinks otherwise.", drafted.bob)
    after = drafted.slack.modal(drafted.bob)
    assert after is not None
    assert not {each["block_id"] for each in before.blocks} & {each["block_id"] for each in after.blocks}


def test_the_second_edit_of_the_same_lines_shows_both_versions(drafted: Workplace) -> None:
    form(drafted)
    form(drafted, user=drafted.bob)
    send(drafted, "Alice thinks so.")
    answer = send(drafted, "Bob <thinks> otherwise.", drafted.bob)
    assert answer.body["response_action"] == "update"
    assert newest(drafted).version == 2
    view = drafted.slack.modal(drafted.bob)
    assert view is not None
    assert view.blocks[0]["text"]["text"].startswith("alice saved version 2 while you were writing.")
    assert "> Alice thinks so." in text_in(view)
    assert "> Bob <thinks> otherwise." in text_in(view)
    assert "Bob &lt;thinks&gt; otherwise." in last_ephemeral(drafted, drafted.bob)
    send(drafted, "They think differently.", drafted.bob)
    assert (body(drafted, "lessons"), newest(drafted).version) == ("They think differently.", 3)
    assert drafted.slack.modal(drafted.bob, within_s=0) is None
    assert problems(drafted) == []


def test_a_form_sent_twice_is_saved_once(drafted: Workplace) -> None:
    form(drafted)
    answer = send(drafted, "We were lucky.")
    drafted.slack.repeat(answer)
    assert newest(drafted).version == 2


def test_an_edit_of_a_section_that_the_template_dropped_is_saved(drafted: Workplace) -> None:
    form(drafted, "/postmortem edit measures")
    form(drafted, user=drafted.bob)
    drafted.say("/postmortem template sysadmin")
    drafted.deliver()
    send(drafted, "We were lucky.", drafted.bob)
    assert [section.key for section in newest(drafted).sections[-2:]] == ["lessons", "still-open"]
    drafted.say("/postmortem draft")
    drafted.deliver()
    assert body(drafted, "lessons") == "We were lucky."
    assert "Not in this template, so at the end: Lessons learned" in drafted.messages()[-1].text


def test_a_long_section_is_split_into_inputs_and_joined_unchanged(drafted: Workplace) -> None:
    long = "\n\n".join(f"Paragraph {number}. {'words ' * 60}".strip() for number in range(40))
    form(drafted)
    send(drafted, "short")
    with drafted.database.write() as connection:
        version = newest(drafted)
        sections = tuple(
            type(each)(key=each.key, heading=each.heading, body=long) if each.key == "lessons" else each
            for each in version.sections
        )
        postmortems.add(
            connection, incident(drafted).id, template="classic", sections=sections, drafted_at=version.drafted_at,
            drafted_by="alice",
        )  # fmt: skip
    view = form(drafted)
    assert len(view.blocks) > 4
    assert view.blocks[0]["label"]["text"].startswith("Lessons learned, part 1 of ")
    assert drafted.slack.submit(drafted.alice).body == {}
    assert "nothing was changed" in last_ephemeral(drafted)
    form(drafted)
    drafted.slack.submit(drafted.alice, {"words-1": "changed"})
    assert "changed" in body(drafted, "lessons")
    assert body(drafted, "lessons").startswith(long[:2_000])


def test_a_section_too_long_for_a_form_is_refused_with_the_way_by_file(drafted: Workplace) -> None:
    with drafted.database.write() as connection:
        version = newest(drafted)
        first, *rest = version.sections
        huge = type(first)(key=first.key, heading=first.heading, body="x" * 1_000_000)
        postmortems.add(
            connection, incident(drafted).id, template="classic", sections=(huge, *rest),
            drafted_at=version.drafted_at, drafted_by="alice",
        )  # fmt: skip
    assert "scribe export INC-1 &gt; edited.md" in drafted.refused("/postmortem edit summary")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "short",
        "a" * 9_000,
        "word " * 3_000,
        "- item\n  more\n" * 700,
        "line\n\n\n\nline\n" * 900,
        "\u2003x\n" * 4_000,
    ],
)
def test_portions_joined_are_the_text_they_were_cut_from(text: str) -> None:
    text = text.strip()
    cut = portions(text)
    assert joined(cut.texts, cut.joints) == text
    assert joined([each.strip(" \n") for each in cut.texts], cut.joints) == text
    assert all(len(each) <= 2_500 for each in cut.texts)
