"""What is listed stands in the order that the list promises, however it went in."""

from bot.clock import SetClock
from storage.items import summaries
from tests.support.as_posted import as_posted
from tests.support.workplace import Workplace, at

DUE = ("2026-03-17", "2026-03-13", "2026-03-20", "2026-03-16")
"""Of the action items 1 to 4: neither in the order of their numbers nor in its reverse."""
LONGEST_OVERDUE_FIRST = ("buy 2 disks", "buy 4 disks", "buy 1 disks", "buy 3 disks")


def in_order(text: str, *words: str) -> bool:
    places = [text.find(each) for each in words]
    return -1 not in places and places == sorted(places)


def test_impact_stands_in_the_order_in_which_it_happened(office: Workplace) -> None:
    office.say("/detected at 11:30 disk full")
    for clock, share in (("11:50", "20%"), ("11:40", "10%"), ("11:45", "15%")):
        office.say(f"/impact at {clock} {share} of users wait")
    office.say("/resolved")
    office.deliver()
    told = ("10% of users", "15% of users", "20% of users")
    assert in_order(office.private("/timeline"), *told)
    summary, timeline = office.drafts[-1].content.decode().split("## Timeline")
    assert in_order(summary, *told)
    assert in_order(timeline, *told)


def test_incidents_stand_in_the_order_in_which_they_happened_the_last_first(office: Workplace) -> None:
    # Neither the order of their numbers nor its reverse.
    for number, clock in enumerate(("11:20", "11:00", "11:40", "11:10"), 1):
        office.say(f"/detected at {clock} disk full", channel=office.slack.add_channel(f"incident-{number}"))
    for command in ("/incident list", "/incident list all", "/incident search disk"):
        assert in_order(office.private(command), "INC-3", "INC-1", "INC-4", "INC-2"), command


def test_my_items_stand_in_the_order_of_their_incidents_those_of_private_ones_among_them(office: Workplace) -> None:
    channels = [office.slack.add_channel(f"incident-{number}") for number in range(1, 5)]
    for channel in channels:
        office.say("/detected disk full", channel=channel)
    # What is typed last has the lowest incident, and what is hidden is read behind what is not.
    for channel in reversed(channels):
        for due in ("2026-04-01", "2026-03-20"):
            office.say(f"/actionitem @bob by {due}: buy disks", channel=channel)
    for channel in (channels[0], channels[2]):
        office.say("/incident private", channel=channel)
    mine = office.private("/actionitem list mine", user=office.bob, channel=channels[3])
    told = [line.split(".")[0] for line in mine.splitlines() if line.startswith("INC-")]
    assert told == [f"INC-{incident} {item}" for incident in range(1, 5) for item in (1, 2)]
    assert mine.count("an action item of a private incident") == 4


def test_lines_that_are_taken_over_stand_in_the_order_in_which_they_happened(office: Workplace) -> None:
    office.say("/detected at 11:00 disk full")
    lines = ("2026-03-12 11:50 third words", "2026-03-12 11:30 first words", "2026-03-12 11:40 second words")
    office.ask("/incident backfill " + "\n".join(lines))
    office.slack.wait_for(lambda: office.slack.modal(office.alice) is not None)
    office.slack.submit(office.alice, {})
    assert in_order(office.private("/timeline"), "first words", "second words", "third words")


def test_a_digest_has_what_is_longest_overdue_first(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    for number, due in enumerate(DUE, 1):
        office.say(f"/actionitem @alice short-term by {due}: buy {number} disks")
    clock.set(at("2026-03-23T09:00:00Z"))
    office.bot.remind()
    office.deliver()
    (digest,) = (each for each in as_posted(office.slack, office.alice) if "overdue" in each.text)
    assert in_order(digest.text, *LONGEST_OVERDUE_FIRST)


def test_a_summary_has_what_is_longest_overdue_first_and_what_waits_longest(office: Workplace, clock: SetClock) -> None:
    office.say("/detected disk full")
    for number, due in enumerate(DUE, 1):
        clock.set(at(f"2026-03-12T12:0{number}:00Z"))
        office.say(f"/actionitem @alice short-term by {due}: buy {number} disks")
    # The first is touched again, so that another one waits longest.
    office.say("/actionitem due 1 2026-03-18")
    with office.database.read() as connection:
        late = summaries.late(connection, office.slack.team_id, today=at("2026-03-19T00:00:00Z").date())
        longest = summaries.longest_waiting(connection, office.slack.team_id, today=at("2026-03-19T00:00:00Z").date())
    assert [each.text for each in late] == [each for each in LONGEST_OVERDUE_FIRST if "3" not in each]
    assert longest is not None
    assert longest.text == "buy 2 disks"
