"""A fresh draft over what people wrote: what stays, what comes in, what is carried along."""

from bot.domain.postmortem.conflict import count_conflicts
from bot.domain.postmortem.redraft import handwritten, redraft, renames, rewritten
from storage.values import Section

SUMMARY = Section(
    key="summary", heading="Summary", body="It began at 14:02.\n\n*Not known.* What led to it? `/cause …`"
)
LESSONS = Section(key="lessons", heading="Lessons", body="- well: the runbook")


def changed(section: Section, body: str) -> Section:
    return Section(key=section.key, heading=section.heading, body=body)


def test_what_nobody_edited_is_as_drafted() -> None:
    fresh = changed(SUMMARY, "It began at 14:00.")
    result = redraft([SUMMARY, LESSONS], [fresh])
    assert (result.sections, result.kept, result.carried, result.conflicts) == ((fresh,), (), (), ())


def test_fresh_facts_come_in_and_human_words_stay() -> None:
    mine = rewritten(SUMMARY, "It began at 14:02.\n\nA deploy filled the disk.")
    (section,) = redraft([mine], [changed(SUMMARY, SUMMARY.body.replace("14:02", "14:00"))]).sections
    assert section.body == "It began at 14:00.\n\nA deploy filled the disk."
    assert (section.edited, section.drafted) == (True, SUMMARY.body.replace("14:02", "14:00"))


def test_drafting_again_with_nothing_new_changes_nothing_with_a_conflict_too() -> None:
    mine = rewritten(SUMMARY, SUMMARY.body.replace("14:02", "14:03, I think"))
    fresh = changed(SUMMARY, SUMMARY.body.replace("14:02", "14:00"))
    once = redraft([mine], [fresh])
    assert once.conflicts == (("Summary", 1),)
    again = redraft(once.sections, [fresh])
    assert again == once
    later = redraft(again.sections, [changed(SUMMARY, SUMMARY.body.replace("14:02", "13:59"))])
    assert later.conflicts == (("Summary", 1),)
    assert "13:59" in later.sections[0].body
    assert "14:00" not in later.sections[0].body


def test_an_edit_that_says_what_the_draft_says_is_no_edit_any_more() -> None:
    mine = rewritten(SUMMARY, "It began at 14:00.")
    (section,) = redraft([mine], [changed(SUMMARY, "It began at 14:00.")]).sections
    assert section == changed(SUMMARY, "It began at 14:00.")
    assert rewritten(rewritten(SUMMARY, "x"), SUMMARY.body) == SUMMARY


def test_edited_sections_are_carried_through_a_template_without_them_and_find_their_place_again() -> None:
    mine, own = rewritten(LESSONS, "- well: the runbook\n- badly: no alert"), handwritten("thanks", "Thanks", "Bob!")
    other = redraft([SUMMARY, mine, own], [Section(key="cause", heading="Cause", body="x")])
    assert [each.key for each in other.sections] == ["cause", "lessons", "thanks"]
    assert (other.carried, other.kept) == (("Lessons", "Thanks"), ("Lessons", "Thanks"))
    fresh = Section(key="lessons", heading="What we learned", body="- well: the runbook\n- lucky: it was night")
    back = redraft(other.sections, [fresh, SUMMARY])
    assert [each.key for each in back.sections] == ["lessons", "summary", "thanks"]
    assert back.sections[0].body == "- well: the runbook\n- badly: no alert\n- lucky: it was night"
    assert back.sections[0].heading == "What we learned"
    assert back.carried == ("Thanks",)


def test_a_heading_somebody_gave_stays_and_the_templates_own_is_remembered() -> None:
    mine = rewritten(LESSONS, LESSONS.body, "What we take away")
    assert mine.edited
    (section,) = redraft([mine], [Section(key="lessons", heading="Learned", body="- well: the logs")]).sections
    assert (section.heading, section.drafted_heading) == ("What we take away", "Learned")
    assert section.body == "- well: the logs"
    assert rewritten(section, section.body, "Learned").edited is False


def test_a_section_that_was_taken_out_stays_out_until_a_person_brings_it_back() -> None:
    gone = rewritten(LESSONS, "")
    assert gone.removed
    (section,) = redraft([gone], [changed(LESSONS, "- well: the logs")]).sections
    assert (section.removed, section.drafted) == (True, "- well: the logs")
    assert rewritten(section, "- well: the logs") == changed(LESSONS, "- well: the logs")


def test_a_template_that_comes_to_a_section_people_made_shows_both() -> None:
    (section,) = redraft([handwritten("lessons", "Our lessons", "- mine")], [LESSONS]).sections
    assert count_conflicts(section.body) == 1
    assert section.heading == "Our lessons"


def test_a_makeshift_draft_leaves_edited_sections_alone() -> None:
    mine = rewritten(SUMMARY, "Mine.")
    result = redraft([mine, LESSONS], [changed(SUMMARY, "Other."), changed(LESSONS, "- other")], fallback=True)
    assert result.sections == (mine, changed(LESSONS, "- other"))


def test_sections_kept_before_drafts_were_remembered_are_as_the_template_wrote_them() -> None:
    old = Section(key="lessons", heading="Lessons", body="- old", edited=False)
    assert redraft([old], [LESSONS]).sections == (LESSONS,)
    by_hand = Section(key="lessons", heading="Lessons", body="- old", edited=True)
    assert "- old" in redraft([by_hand], [LESSONS]).sections[0].body


TIMELINE = Section(
    key="timeline", heading="Timeline", body="- 14:02 disk full — bob\n- 14:05 @bob asks — alice\n- 14:09 freed — bob"
)
RENAMED = changed(TIMELINE, "- 14:02 disk full — Robert\n- 14:05 @Robert asks — alice\n- 14:09 freed — Robert")


def test_a_renaming_alone_makes_no_conflict_and_changes_no_name_that_people_wrote() -> None:
    by_person = (
        ("- 14:02 disk full — bob", "- 14:02 disk of db1 full, says bob — bob"),
        ("- 14:09 freed — bob", "- 14:09 freed — bob\n\nThanks to bob."),
        ("- 14:05 @bob asks — alice\n", ""),
    )
    for before, after in by_person:
        mine = rewritten(TIMELINE, TIMELINE.body.replace(before, after))
        (section,) = redraft([mine], [RENAMED], renamed={"bob": "Robert"}).sections
        assert count_conflicts(section.body) == 0
        for line in after.split("\n"):
            # A line that the person left as it was takes the new name.
            assert line in section.body or line in TIMELINE.body
        others = set(RENAMED.body.split("\n")) - {before.replace("bob", "Robert").strip()}
        assert others <= set(section.body.split("\n"))


def test_a_renaming_beside_new_facts_and_a_name_in_words_that_stay() -> None:
    mine = rewritten(TIMELINE, TIMELINE.body + "\n\nbob wrote this.")
    fresh = changed(RENAMED, RENAMED.body.replace("14:09 freed", "14:10 freed"))
    (section,) = redraft([mine], [fresh], renamed={"bob": "Robert"}).sections
    assert section.body == f"{fresh.body}\n\nbob wrote this."


def test_a_name_that_two_people_had_is_no_renaming() -> None:
    before = {"U1": "Sam", "U2": "Sam", "U3": "bob", "U4": "U4"}
    assert renames(before, {"U1": "Sam", "U2": "Samantha", "U3": "Robert", "U4": "Pat"}) == {
        "bob": "Robert",
        "U4": "Pat",
    }
    assert renames(before, {"U1": "Samuel", "U2": "Samantha"}) == {}
