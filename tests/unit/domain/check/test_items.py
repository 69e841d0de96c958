from dataclasses import replace

import pytest

from tests.support.casebook import item
from tests.unit.domain.check.checking import CLEAN, SOON, but, found, places


def test_owners_and_dates_are_asked_for_once_for_all_open_items() -> None:
    items = (item(1, "a"), item(2, "b", owner="ada", due_on=SOON), item(3, "c"), item(4, "d", state="done"))
    [owners] = found(*CLEAN, items=items, rule="owners")
    assert (owners.place, owners.fix) == ("Action items 1 and 3", "/actionitem assign 1 me")
    [dates] = found(*CLEAN, items=items, rule="dates")
    assert dates.place == "Action items 1 and 3"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("investigate the 500s", "vague"),
        ("improve monitoring", "vague"),
        ("Ensure it does not happen again", "vague"),
        ("look into point-in-time recovery", "vague"),
        ("consider a second region", "vague"),
        ("be more careful with rm", "vague"),
        ("we should make sure that backups work", "vague"),
        ("try to reproduce it", "vague"),
        ("make rollbacks quicker", "ends"),
        ("bring max_connections down to something sensible", "ends"),
        ("rotate keys regularly", "ends"),
        ("more tests for pricing", "verbs"),
        ("investigate the leak and add a limit of 2 GB", None),
        ("improve p99 to under 300 ms", None),
        ("ensure every config change is staged", None),
        ("make sure alerts fire within 5 minutes", None),
        ("page when more than 2% of checkouts fail", None),
        ("disable the release mechanism until it is safer", None),
        ("add a test with coupons", None),
        ("emergency way to take the dashboard off our edge", "verbs"),
        ("test restores every night", None),
    ],
)
def test_an_item_has_a_firm_verb_and_an_end(text: str, rule: str | None) -> None:
    mine = (item(1, text, owner="ada", due_on=SOON), item(2, "put a guard back", owner="ada", due_on=SOON))
    assert [(finding.rule, finding.place) for finding in found(*CLEAN, items=mine)] == (
        [(rule, "Action item 1")] if rule else []
    )


def test_items_that_only_notice_prevent_nothing() -> None:
    alert, dashboard = item(1, "alert on a full disk"), item(2, "dashboard for the queue")
    assert places(found(*CLEAN, items=(alert, dashboard), rule="prevention")) == ["Action items 1 and 2"]
    assert found(*CLEAN, items=(alert, item(2, "cap the queue")), rule="prevention") == []
    assert places(found(*CLEAN, items=(), rule="prevention")) == ["Action items"]
    assert places(found(*CLEAN, items=(item(1, "cap it", state="dropped"),), rule="prevention")) == ["Action items"]


NO_VERB = (
    "emergency way to take dashboard and API off our own edge", "faster rollback path and better traffic ramp-up",
    "more tests for pricing", "runbook for restores", "alerting", "alerts for the queue and the disk", "Runbook",
    "better monitoring of the queue", "dashboard for the rebuild queue", "a second region", "rate limits per tenant",
    "documentation of the failover procedure", "monitoring of certificates", "training for on-call", "backups of db2",
    "a checklist for releases", "more capacity in the eu region", "safer defaults for the rebuild tool",
    "timeouts in the auth library and the monitoring", "rotation of keys", "new owner for the billing queue",
    "monitoring: runbook for restores", "prevent: stricter review of WAF rules",
)  # fmt: skip
WITH_VERB = (
    "put the CPU guard for regular expressions back", "measure the CPU cost of rules in the test suite",
    "roll rules out in stages, keep a fast path for live attacks", "snapshot production databases with LVM every hour",
    "page when the rebuild queue is older than 10 min", "every config change is staged", "alert on a full disk",
    "prompts show the host in red", "Alarm bei voller Platte einrichten", "alerte quand le disque est plein",
    "adding a test for the parser", "[infra] add a limit", "db: add an index", "when a backup is empty, page the owner",
    "the deploy tool asks before it deletes", "no deploys from laptops any more: require CI", "lint the config in CI",
    "rehearse the failover in June", "synchronise clocks on all hosts", "better test restores",
    "a bot reminds the lead",
    "a guard blocks removal", "two people approve each push", "alerts fire within 5 minutes", "backups restore nightly",
    "dispose of old hosts", "the owner of the queue writes a runbook", "limits apply to all tenants",
    "documentation tells how to fail over", "second the proposal", "`rm` asks twice", "bob to write the runbook",
    "vendor sends us a fix", "codify the escalation path", "dashboard: add the queue", "new hosts get the agent",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_VERB)
def test_an_item_that_names_a_thing_has_no_verb(text: str) -> None:
    mine = (item(1, text, owner="ada", due_on=SOON), item(2, "put a guard back", owner="ada", due_on=SOON))
    [finding] = [each for each in found(*CLEAN, items=mine) if each.place == "Action item 1"]
    assert finding.rule == "verbs"


@pytest.mark.parametrize("text", WITH_VERB)
def test_an_item_with_a_verb_or_in_another_language_is_left_alone(text: str) -> None:
    assert found(*CLEAN, items=(item(1, text), item(2, "put a guard back")), rule="verbs") == []


FIND_OUT = (
    "find out why the queue grew", "investigate the 500s", "look into caching", "figure out what fills the disk",
    "bob to find out why db1 froze", "check why alerts were late", "understand the failover",
    "investigation of the 500s",
    "please look into it", "we should investigate why it took so long", "ask the vendor to find out why it hung",
    "see why the page came late", "dig into the logs", "research regex engines", "explore a second region",
    "get to the bottom of the leak", "determine why replication stopped",
)  # fmt: skip
FOUND_OUT = (
    "find out why the queue grew and add a limit", "investigate the leak, then cap it at 2 GB",
    "look into caching: decide in a page by Friday", "add an alert that tells why a page was late",
    "write down which hosts are hit", "put the findings into the runbook", "page whoever can find the reason",
    "log why a job was refused", "test what happens when db1 is gone", "show in the tool why a push is rejected",
    "investigate the 500s. Done when: the page names the cause", "lookup tables move to memory",
    "document how to find out who is on call", "train two people to investigate memory leaks",
    "finding aids are printed",
)  # fmt: skip


@pytest.mark.parametrize("text", FIND_OUT)
def test_an_item_that_only_finds_out_has_no_end(text: str) -> None:
    mine = (item(1, text, owner="ada", due_on=SOON), item(2, "put a guard back", owner="ada", due_on=SOON))
    [finding] = [each for each in found(*CLEAN, items=mine) if each.place == "Action item 1"]
    assert finding.rule == "vague"
    assert finding.fix.startswith("Say what will be there at the end")


@pytest.mark.parametrize("text", FOUND_OUT)
def test_an_item_that_finds_out_and_says_what_follows_has_an_end(text: str) -> None:
    assert found(*CLEAN, items=(item(1, text), item(2, "put a guard back")), rule="vague") == []


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("make rollbacks quicker", "Say how fast, as a figure"),
        ("bring max_connections down to something sensible", "Say the figure"),
        ("audit all high-risk config options better", "List which ones"),
        ("review the runbooks regularly", "List which ones"),
        ("send notices to users sooner", "Say how often, or how soon"),
        ("make the failover safer", "Name the test"),
        ("improve the cache", "Say the figure"),
        ("consider a second region", "Say what is decided"),
        ("be more careful with rm", "Name the guard"),
    ],
)
def test_the_fix_fits_what_is_vague(text: str, fix: str) -> None:
    [finding] = [
        each for each in found(*CLEAN, items=(item(1, text), item(2, "cap it"))) if each.rule in {"vague", "ends"}
    ]
    assert finding.fix.startswith(fix)


def test_a_thing_without_a_figure_is_one_remark_and_without_that_rule_another() -> None:
    mine = (item(1, "faster rollback path"), item(2, "cap it"))
    [finding] = [each for each in found(*CLEAN, items=mine) if each.place == "Action item 1"]
    assert "how will one know that it is “faster”?" in finding.reason
    assert [each.place for each in found(*CLEAN, items=mine, rule="ends")] == ["Action item 1"]


NOTICES = (
    "page when 2% of checkouts fail", "add an alert on the queue", "monitor certificates", "dashboard for the queue",
    "watch backups with Prometheus", "probe the login every minute", "notify on-call of slow queries",
    "detect empty backups", "warn before a disk is full", "synthetic checkout every minute", "health check for db1",
    "measure the age of the queue", "überwachung der Queue", "alerte sur la file", "heartbeat of the batch job",
)  # fmt: skip
NO_NOTICES = (
    "cap the queue", "add a test with coupons", "roll rules out in stages", "write a runbook", "renew the certificate",
    "ask before rm", "split the pool", "restore nightly", "add a second replica", "train two people", "pin libfoo",
    "limit rebuilds to one", "document the failover", "reject empty configs", "update the status page by hand",
)  # fmt: skip
BY_CUSTOMER = but(replace(CLEAN[2], qualifier="customer"))


@pytest.mark.parametrize("text", NOTICES)
def test_an_item_about_noticing_answers_a_customer_who_noticed_first(text: str) -> None:
    assert found(*BY_CUSTOMER, items=(item(1, "cap it"), item(2, text)), rule="noticing") == []


@pytest.mark.parametrize("text", NO_NOTICES)
def test_a_customer_who_noticed_first_asks_for_an_item_about_noticing(text: str) -> None:
    [finding] = found(*BY_CUSTOMER, items=(item(1, text),), rule="noticing")
    assert (finding.place, finding.fix) == ("#3 Detected", "/actionitem by friday: alert on what the customer saw")
    assert found(*CLEAN, items=(item(1, text),), rule="noticing") == []


def test_without_any_item_only_prevention_is_asked_for() -> None:
    assert [each.rule for each in found(*BY_CUSTOMER, items=()) if "actionitem" in each.fix] == ["prevention"]
    assert places(found(*BY_CUSTOMER, items=(), rule="noticing")) == ["#3 Detected"]
