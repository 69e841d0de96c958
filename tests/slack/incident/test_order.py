"""What is listed stands in the order that the list promises, however it went in."""

from tests.support.workplace import Workplace


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
