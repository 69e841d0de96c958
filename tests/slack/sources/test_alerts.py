"""Alerts, from the post of a source to the timeline, the channel and the card."""

from collections.abc import Iterator

import pytest

from bot.clock import SetClock
from bot.fakeslack.objects import Message
from storage.database import Database
from tests.slack.incident.test_erase import erase, stored
from tests.support.hooks import SET_UP, alert, group, hear, later, post
from tests.support.ledger import entries, incident, incident_count
from tests.support.workplace import Workplace, at, workplace

SINCE = at("2026-03-12T11:58:03.250Z")
QUIET = "2026-03-12T12:31:00Z"


@pytest.fixture
def office(database: Database, clock: SetClock) -> Iterator[Workplace]:
    with workplace(database, clock=clock, SCRIBE_CARD="on", **SET_UP) as place:
        yield place


def said(office: Workplace) -> list[str]:
    """What the bot posted, without the card."""
    return [each.text for each in office.messages() if "Alert · " in each.text or " alert" in each.text.lower()]


def card(office: Workplace) -> Message:
    """The incident's card as it is now."""
    later(office, 10)
    return next(each for each in office.messages() if "card_timeline" in str(each.blocks))


def asked(office: Workplace) -> Message:
    """The question whether alerts are an incident."""
    return next(each for each in office.messages() if "alert_declare" in str(each.blocks))


def test_an_alert_is_an_entry_of_the_open_incident_once_and_with_its_own_time(office: Workplace) -> None:
    office.say("/detected checkout is slow")
    for _ in range(3):
        answer = post(office, group(alert()))
        assert (answer.status_code, answer.text) == (202, "kept: 1 alert\n")
        later(office, 60)
    told = entries(office)[-1]
    assert (told.kind, told.author, told.occurred_at) == ("alert", "Prometheus Alertmanager", SINCE)
    assert told.text == "HighLatency: p99 over 5 s (service=checkout)"
    assert told.permalink == "http://prometheus.example.org/graph?g0.expr=p99"
    assert len(entries(office)) == 2
    assert said(office) == [
        "Alert · 11:58:03.250 UTC · INC-1 #2 · Prometheus Alertmanager\nHighLatency: p99 over 5 s (service=checkout)"
    ]


def test_a_storm_is_one_entry_with_a_count_and_its_labels_and_one_message(office: Workplace) -> None:
    office.say("/detected checkout is slow")
    for second in range(0, 60, 6):
        for tenth in range(2):
            first = 25 * (second // 3 + tenth)
            storm = [alert(f"Alert{n % 2}", instance=f"host{n}", cluster="eu1") for n in range(first, first + 25)]
            assert post(office, group(*storm)).status_code == 202
        later(office, 6)
    later(office, 30)
    (told,) = entries(office)[1:]
    assert told.text == "500 alerts: Alert0 (250), Alert1 (250) (service=checkout, cluster=eu1)"
    assert told.revisions <= 6
    assert len(said(office)) == 1
    assert "500 of 500 alerts fire" in str(card(office).blocks)


def test_when_all_are_quiet_the_card_says_so_and_a_person_decides(office: Workplace) -> None:
    office.say("/detected checkout is slow")
    both = [alert(), alert("DiskFull")]
    post(office, group(*both))
    hear(office)
    later(office, 45 * 60)
    post(office, group(alert(until="2026-03-12T12:20:00Z")))
    assert "1 of 2 alerts fire" in str(card(office).blocks)
    post(office, group(alert("DiskFull", until=QUIET)))
    shown = card(office)
    assert "All 2 alerts are quiet since 12:31 UTC." in str(shown.blocks)
    assert "Resolved at 12:31" in str(shown.blocks)
    assert incident(office).open
    assert entries(office)[1].until_at == at(QUIET)
    assert office.slack.click(office.bob, shown, "card_quiet_mitigated").ok
    office.deliver()
    assert [(each.kind, each.text, each.occurred_at) for each in entries(office)[2:]] == [
        ("mitigated", "all 2 alerts are quiet", at(QUIET))
    ]
    shown = card(office)
    assert "Mitigated at 12:31" not in str(shown.blocks)
    office.slack.click(office.bob, shown, "card_quiet_resolved")
    assert not incident(office).open


def test_an_alert_that_fires_again_takes_the_buttons_back(office: Workplace) -> None:
    office.say("/detected checkout is slow")
    post(office, group(alert()))
    later(office, 40 * 60)
    post(office, group(alert(until=QUIET)))
    shown = card(office)
    post(office, group(alert(at="2026-03-12T12:35:00Z")))
    hear(office)
    office.slack.click(office.bob, shown, "card_quiet_mitigated")
    assert "fires again, so nothing was recorded" in office.messages(user=office.bob)[-1].text
    assert [each.kind for each in entries(office)] == ["detected", "alert", "alert"]


def test_where_none_is_open_the_channel_is_asked_once_and_declares_at_the_moment_of_the_alert(
    office: Workplace,
) -> None:
    post(office, group(alert(), alert(instance="b")))
    hear(office)
    assert "2 alerts: HighLatency (2) (service=checkout)" in asked(office).text
    post(office, group(alert(instance="c")))
    later(office, 60)
    (question,) = office.messages()
    assert "3 alerts: HighLatency (3) (service=checkout)" in question.text
    assert "Since 11:58:03.250 UTC, says Prometheus Alertmanager. No incident is open here." in question.text
    assert office.slack.click(office.alice, question, "alert_declare").ok
    later(office, 10)
    (detected,) = entries(office)
    assert (detected.kind, detected.qualifier, detected.occurred_at) == ("detected", "monitoring", SINCE)
    assert detected.recorded_by_id == office.alice
    assert detected.text.startswith("3 alerts: HighLatency (3)")
    receipt = next(each.text for each in office.messages() if each.text.startswith("Detected · 11:58:03.250 UTC"))
    assert "by monitoring: Prometheus Alertmanager" in receipt
    assert "INC-1 is declared by alice" in receipt
    assert incident_count(office) == 1


def test_what_is_no_incident_is_not_asked_about_again(office: Workplace) -> None:
    post(office, group(alert()))
    hear(office)
    office.slack.click(office.bob, asked(office), "alert_dismiss")
    post(office, group(alert()))
    later(office, 2 * 3600)
    assert incident_count(office) == 0
    assert [each.text for each in office.messages()] == [
        "No incident, says bob: HighLatency: p99 over 5 s (service=checkout) (since 11:58:03.250 UTC)"
    ]
    post(office, group(alert(at="2026-03-12T14:00:00Z")))
    hear(office)
    assert "alert_declare" in str(office.messages()[-1].blocks)


@pytest.mark.parametrize("rule", ["keep", "declare"])
def test_the_rule_of_the_channel_decides(sqlite: Database, clock: SetClock, rule: str) -> None:
    with workplace(sqlite, clock=clock, SCRIBE_ALERTS=f"ask,C000000001={rule}", **SET_UP) as office:
        channel = office.slack.add_channel("monitored")
        office.bot.context.settings.alerts[channel] = rule
        post(office, group(alert()), channel=channel)
        post(office, group(alert("Blip", until="2026-03-12T11:59:00Z")), channel=channel)
        hear(office)
        later(office, 60)
        assert incident_count(office) == (rule == "declare")
        assert len(office.messages(channel)) == (rule == "declare")
        if rule == "declare":
            assert incident(office).private
            assert incident(office).declared_by == "Prometheus Alertmanager"
            assert entries(office)[0].occurred_at == SINCE
            assert "Detected · 11:58:03.250 UTC · INC-1 #1" in office.messages(channel)[0].text


def test_two_replicas_and_any_order_make_one_entry(office: Workplace) -> None:
    office.say("/detected checkout is slow")
    post(office, group(alert(until="2026-03-12T11:59:00Z")))
    hear(office)
    assert len(entries(office)) == 1
    post(office, group(alert()))
    post(office, group(alert(until="2026-03-12T11:59:00Z")))
    hear(office)
    hear(office)
    (_, told) = entries(office)
    assert (told.occurred_at, told.until_at) == (SINCE, at("2026-03-12T11:59:00Z"))


def test_a_merge_takes_the_alerts_along(office: Workplace) -> None:
    other = office.slack.add_channel("other")
    office.say("/detected checkout is slow")
    office.say("/detected mails are late", channel=other)
    post(office, group(alert()), channel=other)
    hear(office)
    office.say("/incident merge INC-2")
    office.deliver()
    (moved,) = (each for each in entries(office) if each.kind == "alert")
    assert "The alert fires: HighLatency" in str(card(office).blocks)
    later(office, 3600)
    post(office, group(alert(until=QUIET)), channel=other)
    assert "The alert is quiet since 12:31 UTC." in str(card(office).blocks)
    assert entries(office)[moved.number - 1].until_at == at(QUIET)
    post(office, group(alert("DiskFull")), channel=other)
    hear(office)
    assert entries(office)[-1].text.startswith("DiskFull")


def test_erased_words_of_an_alert_are_nowhere(office: Workplace) -> None:
    office.say("/detected checkout is slow")
    office.say("/incident lead me")
    post(office, group(alert("Zebra", instance="zebra")))
    hear(office)
    answer = office.ask("/incident erase 3 it names a customer")
    assert office.slack.click(office.alice, answer, "erase").ok
    post(office, group(alert("Zebra", instance="zebra")))
    later(office, 60)
    assert "zebra" not in stored(office.database).lower()
    assert "erased by alice" in str(card(office).blocks)


def test_the_same_alert_loses_its_words_where_it_is_on_no_timeline_too(office: Workplace) -> None:
    office.say("/detected checkout is slow")
    post(office, group(alert("Zebra"), alert("Horse")))
    later(office, 30)
    # One that is over as it comes, and one that comes when no incident is open.
    post(office, group(alert("Zebra", at="2026-03-12T11:59:20Z", until="2026-03-12T11:59:40Z")))
    later(office, 30)
    office.say("/resolved it is over")
    post(office, group(alert("Zebra", at="2026-03-12T12:00:50Z"), alert("Donkey", at="2026-03-12T12:00:50Z")))
    later(office, 30)
    assert "Zebra" in stored(office.database, "signals")
    answer = erase(office, "2 it names a customer")
    assert "• What told it: it has the words, and may tell them again." in answer
    assert "The message itself" not in answer
    assert "Zebra" not in stored(office.database)
    assert "Donkey" in stored(office.database, "signals")


def test_what_somebody_corrected_erased_or_took_back_stays_so_and_hides_no_alert_that_comes(office: Workplace) -> None:
    office.say("/detected checkout is slow")
    post(office, group(alert()))
    hear(office)
    office.say("/incident edit 2 the queue was full")
    post(office, group(alert("DiskFull")))
    later(office, 30)
    erase(office, "3 it names a customer")
    post(office, group(alert("DiskEmpty")))
    later(office, 30)
    office.say("/incident undo 4")
    assert "fire" not in card(office).text
    assert "DiskEmpty" not in str(card(office).blocks)
    post(office, group(alert("NoDisk"), alert("NoRoom")))
    later(office, 30)
    told = [(each.text.partition(" (")[0], each.retracted) for each in entries(office)[1:]]
    assert told == [
        ("the queue was full", False),
        ("[erased by alice on 2026-03-12: it names a customer]", False),
        ("DiskEmpty: p99 over 5 s", True),
        ("2 alerts: NoDisk, NoRoom", False),
    ]
    assert [each.partition("\n")[2].partition(" (")[0] for each in said(office)][-1] == "2 alerts: NoDisk, NoRoom"


def test_after_a_resolution_an_alert_asks_and_the_next_incident_takes_it(office: Workplace) -> None:
    office.say("/detected checkout is slow")
    office.say("/resolved it is over")
    post(office, group(alert()))
    hear(office)
    office.slack.click(office.alice, asked(office), "alert_declare")
    assert incident_count(office) == 2
    assert entries(office, 2)[0].occurred_at == SINCE
    post(office, group(alert("DiskFull")))
    later(office, 600)
    assert [each.kind for each in entries(office, 2)] == ["detected", "alert"]
