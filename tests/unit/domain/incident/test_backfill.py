"""Proposals out of a conversation: which messages are ticked, of which kind, and with which reasons."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.domain.incident.backfill import Proposal, propose
from bot.domain.incident.conversation import ChatMessage
from tests.support.chats import Chat, chats

AT = datetime(2026, 3, 12, 11, 0, tzinfo=UTC)
BELONGS = (
    "rolled back",
    "restarting pods",
    "rolled back to v118",
    "looks better",
    "customers report they can't check out",
    "calling in DBA",
    "pulling Priya in from networking",
    "called AWS support, case 99123 sev 1",
    "failing over to replica 2",
    "failed over to us-west",
    "bounced the load balancer",
    "flipped the feature flag off",
    "killed the long running query",
    "halted the rollout at 20%",
    "hotfix is out",
    "hotfix deployed",
    "upped the memory to 4Gi",
    "turned the cron off",
    "put the site in maintenance mode",
    "took web-3 out of rotation",
    "traffic shifted to eu-west-1",
    "drained the node and rebooted it",
    "reverting the PR now",
    "applied the migration by hand",
    "added an index on orders.created_at",
    "rerunning the DAG from 02:00",
    "we've re-enabled checkout for 10% of users",
    "manually refunded the 43 double charged orders",
    "rate limiting the noisy tenant",
    "I've blackholed the attacking prefix",
    "renewed the cert and reloaded nginx",
    "scaled the workers from 10 to 40",
    "cleared the cache",
    "pushed a config change to stop the retries",
    "kafka consumer group reset to latest",
    "pinned the version to 2.3.1",
    "paused the queue",
    "shedding load at the edge",
    "cherry-picked the fix onto release/42",
    "canary is rolling out to 5%",
    "getting 500s on /api/orders",
    "site is down",
    "checkout is broken for everyone in DE",
    "app crashes on launch on iOS 17",
    "about 30% of logins fail",
    "emails are delayed by 40 minutes",
    "support is getting calls about missing orders",
    "12 tickets about this already",
    "dashboards are blank for all tenants",
    "API latency went from 200ms to 8s",
    "VPN is down for the whole office",
    "error rate at 60%",
    "webhooks are not being delivered",
    "payments timing out since 10:02",
    "crash rate jumped to 4%",
    "SEV1, all of EU is out",
    "customers are being double charged",
    "data is 3 hours stale",
    "nobody in the Berlin office can log in",
    "we're getting alerts for high error rate on checkout",
    "just got paged for disk on db-4",
    "synthetic checks started failing at 10:04",
    "Seeing a spike in 5xx on the gateway",
    "looking at the slow query log now",
    "I think it's the new connection pooler",
    "could be related to the deploy at 10:00",
    "checking whether the last deploy is to blame",
    "suspect the CDN, all errors come from one POP",
    "digging through the ingress logs",
    "CPU on the primary is pegged, looking at queries",
    "correlates with the 14:00 config push",
    "smells like DNS",
    "not the database, load is normal",
    "DNS is fine",
    "rollback didn't help",
    "AWS says nothing is wrong on their end",
    "restarting made no difference",
    "it isn't the new release, canary without it has the same errors",
    "network team sees nothing odd",
    "root cause is an expired certificate on the auth proxy",
    "turns out the migration locked the orders table",
    "the cert expired at 10:00",
    "someone deleted the S3 bucket policy",
    "yesterday's deploy dropped the index",
    "disk filled up because log rotation was off",
    "it was the firewall change, CHG-3321 blocked port 5432",
    "ok so the new pooler opens a connection per request, that exhausted the DB",
    "error rate back under 1%",
    "checkout works again",
    "we're back",
    "site is back up",
    "all pods healthy, traffic is normal",
    "logins are working now",
    "queue is drained",
    "recovered",
    "fixed",
    "marking this resolved",
    "all green, closing",
    "no errors for 30 min, calling this done",
    "We're all good, incident closed",
    "it's happening again",
    "errors are climbing again",
    "seeing 500s again",
    "status page updated",
    "posted on statuspage: investigating elevated errors",
    "I'm taking IC",
    "Ben is IC, Ana does comms",
    "next update in 30 min",
    "we decided not to fail over, risk of data loss",
    "support macro sent out to agents",
    "emailed affected customers",
    "queue depth is coming down, 40k left",
    "replica is catching up, 20 min to go",
    "first canary looks healthy, continuing",
    "vendor confirmed an outage on their side",
    "Cloudflare acknowledged the issue: https://www.cloudflarestatus.com/incidents/x",
    "declaring a SEV2",
)
CHATTER = (
    "hi",
    "here",
    "on it",
    "looking",
    "looking now",
    "ack",
    "same",
    "+1",
    "what's going on?",
    "any update?",
    "how's it going",
    "is anyone looking at this",
    "who deployed last?",
    "should we roll back?",
    "can we restart it?",
    "maybe restart it?",
    "wdyt",
    "do you want me to restart it",
    "I can help if needed",
    "give me 5",
    "one sec",
    "omw to a laptop",
    "let me check",
    "lemme look",
    "👀",
    "joining the bridge",
    "zoom link?",
    "link to the dashboard?",
    "lol classic",
    "not again",
    "it's always DNS",
    "my internet is flaky today",
    "eating lunch, back in 10",
    "thanks for jumping on",
    "great job all",
    "I'll write the postmortem",
    "can someone grant me access to prod?",
    "I don't have access to that",
    "got it",
    "ok",
    "makes sense",
    "yep",
    "agreed",
    "nope",
    "hm weird",
    "interesting",
    "that's bad",
    "this is fine :fire:",
    "anyone know the password policy page?",
    "who's on call for payments?",
    "sorry was in a meeting, what did I miss",
    "can you share your screen",
    "please use the thread",
    "same here, it's slow for me too",
    "ping me if you need me",
    "I have to drop in 15",
    "should be fixed soon",
    "will take a look after standup",
    "the runbook says to restart it but idk",
    "good catch",
    "wait, what",
    "nice",
    "is it just me or is slack slow",
    "are we telling customers?",
    "ETA?",
    "still broken for me",
    "works for me",
    "try again?",
    "brb",
    "happy friday everyone",
    "anyone else hungry",
    "remind me to fix that dashboard later",
)
KINDS = (
    ("did", "rolled back"),
    ("did", "restarting pods"),
    ("did", "I've blackholed the attacking prefix"),
    ("did", "traffic shifted to eu-west-1"),
    ("impact", "customers report they can't check out"),
    ("impact", "site is down"),
    ("escalated", "calling in DBA"),
    ("escalated", "pulling Priya in from networking"),
    ("investigating", "suspect the CDN, all errors come from one POP"),
    ("ruledout", "rollback didn't help"),
    ("cause", "root cause is an expired certificate on the auth proxy"),
    ("mitigated", "checkout works again"),
    ("mitigated", "error rate back under 1%"),
    ("resolved", "all green, closing"),
    ("reopened", "it's happening again"),
    ("detected", "we're getting alerts for high error rate on checkout"),
    ("note", "status page updated"),
    ("note", "looks better"),
    ("note", "I'm taking IC"),
)


def message(text: str, *, minute: int = 0, author: str = "alice", **facts: Any) -> ChatMessage:
    return replace(ChatMessage(at=AT + timedelta(minutes=minute), author=author, text=text), **facts)


def only(text: str, **facts: Any) -> Proposal:
    (proposal,) = propose([message(text, **facts)])
    return proposal


@pytest.mark.parametrize("words", BELONGS)
def test_what_people_say_in_short_is_ticked_with_a_reason(words: str) -> None:
    proposal = only(words)
    assert proposal.ticked
    assert proposal.reasons


@pytest.mark.parametrize("words", CHATTER)
def test_chatter_and_questions_are_left_unticked(words: str) -> None:
    assert not only(words).ticked


@pytest.mark.parametrize(("kind", "words"), KINDS)
def test_the_kind_follows_from_the_words(kind: str, words: str) -> None:
    assert only(words).kind == kind


def test_reasons_are_what_a_person_reads() -> None:
    proposal = only(
        "restarting db1, replication lag is 40 s https://grafana.example/d/abc", reactions={"eyes": 2, "+1": 1}
    )
    assert set(proposal.reasons) >= {
        "names an action", "has figures", "3 people reacted", "link to a dashboard",
    }  # fmt: skip
    assert "has a file" in only("look at this", files=("graph.png",)).reasons


@pytest.mark.parametrize(
    ("text", "facts", "why"),
    [
        ("<@U1> has joined the channel", {"event": True}, "says what happened in the channel"),
        ("Did · 14:02 UTC · INC-1 #2\nrestarted db1", {"own": True}, "Scribe's own message"),
        ("restarted db1, password: hunter2hunter2", {}, "may hold a secret"),
        ("should we restart db1?", {}, "asks something"),
        ("we haven't restarted db1", {}, ""),
    ],
)
def test_what_is_no_step_of_the_incident_is_unticked(text: str, facts: dict[str, Any], why: str) -> None:
    proposal = only(text, **facts)
    assert not proposal.ticked
    assert why in "|".join(proposal.reasons)


def test_a_pin_alone_ticks_a_message() -> None:
    assert only("the thing we spoke of", reactions={"pushpin": 1}).ticked


def test_an_alert_is_news_once_and_again_after_it_was_over() -> None:
    told = [
        ("[FIRING] HighErrorRate checkout", 0),
        ("[FIRING] HighErrorRate search", 1),
        ("alice acknowledged incident 4", 2),
        ("[RESOLVED] HighErrorRate checkout", 5),
        ("[FIRING] HighErrorRate checkout", 9),
        ("[FIRING] HighErrorRate checkout", 80),
    ]
    found = propose([message(text, minute=minute, author="PagerDuty", by_app=True) for text, minute in told])
    assert [each.ticked for each in found] == [True, False, False, False, True, True]
    assert [each.kind for each in found if each.ticked] == ["detected", "note", "note"]


@pytest.mark.parametrize(
    ("author", "text", "kind"),
    [
        ("Deploy Bot", "Deployed checkout 418 to production by alice", "did"),
        ("ArgoCD", "Application checkout synced to 9f2c1d7", "did"),
        ("Statuspage", "Incident updated: Checkout fails - Monitoring", "note"),
    ],
)
def test_what_apps_tell_is_known_by_its_words(author: str, text: str, kind: str) -> None:
    proposal = only(text, author=author, by_app=True)
    assert (proposal.ticked, proposal.kind) == (True, kind)


@pytest.mark.parametrize("text", ["Deploying checkout 418 to production", "Pipeline #8 passed", "Reminder: standup"])
def test_what_apps_tell_beside_is_unticked(text: str) -> None:
    assert not only(text, author="Some Bot", by_app=True).ticked


def test_one_resolution_stays_one_and_what_the_incident_has_is_a_note() -> None:
    said = [message("all clear", minute=1), message("all clear again, closing", minute=9)]
    assert [each.kind for each in propose(said)] == ["mitigated", "resolved"]
    assert [each.kind for each in propose(said, milestones=["resolved"])] == ["note", "note"]
    back = [said[0], message("it's back", minute=4), said[1]]
    assert [each.kind for each in propose(back)] == ["resolved", "reopened", "resolved"]


def test_what_is_an_entry_already_is_not_ticked() -> None:
    found = propose([message("rolled back")], entry_of=lambda _message: (5, False))
    assert (found[0].ticked, found[0].entry, found[0].reasons[0]) == (False, 5, "entry 5 already")


@pytest.mark.parametrize("chat", chats(), ids=lambda chat: chat.name)
def test_the_chats_are_told_apart_well(chat: Chat) -> None:
    found = propose([each.message for each in chat.lines])
    right = sum(proposal.ticked and told.kind is not None for proposal, told in zip(found, chat.lines, strict=True))
    assert right / sum(told.kind is not None for told in chat.lines) >= 0.85
    assert right / sum(proposal.ticked for proposal in found) >= 0.75
