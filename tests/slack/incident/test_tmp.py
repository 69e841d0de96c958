from bot.clock import SetClock
from tests.support.workplace import Workplace
from tests.support.ledger import entries, incident, standing
def test_x(office: Workplace, clock: SetClock) -> None:
    def ask(w, **k):
        a=office.ask(w, **k); print(">", w); print(a.text); print(a.body.get("response_type")); 
    ask("/incident open SEV2 disk full")
    bob=f"<@{office.bob}|bob>"; carol=f"<@{office.carol}|carol>"
    ask(f"/incident role comms {carol}")
    ask(f"/incident role communications {bob} at 11:58")
    ask("/incident role ops me")
    ask("/incident role")
    ask("/incident role xyz me")
    ask("/incident role comms none")
    ask(f"/incident handover {bob}: the replica is full, deploy at 14:05")
    ask(f"/incident handover {bob}: x", channel=office.slack.add_channel("other"))
    ask("/incident handover")
    ask(f"/incident handover INC-1 {carol} I go to sleep", channel=office.slack.add_channel("other2"))
    ask(f"/escalated {bob} and {carol} please look")
    ask("/escalated to the database team")
    ask("/incident undo 3")
    ask("/incident edit 5 @carol: other words")
    ask("/timeline")
    ask("/incident status")
    print(standing(office)); print(incident(office))
    for m in office.messages(): print("M", m.text)
    assert 0
