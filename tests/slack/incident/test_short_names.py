"""A name of one letter is a name at every door, and is kept from readers outside as any other."""

from bot.domain.postmortem.names import Pseudonymizer
from tests.support.ledger import incident, items
from tests.support.workplace import Workplace

OWNED = ("@q: buy disks", "count disks @q", "sell disks, @q by friday")


def test_a_person_of_one_letter_leads_owns_and_is_invited(office: Workplace) -> None:
    q = office.slack.add_user("q", zone="UTC")
    office.say("/detected at 11:30 disk full")
    office.say("/incident lead @q")
    assert (incident(office).lead, incident(office).lead_id) == ("q", q)
    for typed in OWNED:
        office.say(f"/actionitem {typed}")
    assert [(each.owner, each.owner_id, each.text) for each in items(office)] == [
        ("q", q, "buy disks"), ("q", q, "count disks"), ("q", q, "sell disks"),
    ]  # fmt: skip
    office.say("/actionitem @bob: move disks")
    office.say("/actionitem assign 4 @q")
    assert items(office)[-1].owner_id == q
    assert "Invited: q, alice" in office.ask("/postmortem review friday 10:00 with @q").text
    office.say("/did asked @q to look")
    assert "asked @q to look" in office.private("/timeline")


def test_a_name_of_one_letter_is_a_role_outside() -> None:
    people = Pseudonymizer()
    people.learn("U1", "q")
    told = people.pseudonymize("asked @q to look, and q looked at `q`, faq and Q.")
    assert told == "asked responder A to look, and responder A looked at `responder-A`, faq and responder A."
