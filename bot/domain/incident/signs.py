"""What people say in an incident that belongs on its timeline: one table of signs, and how they are found in words.

Each sign has words that a person reads as the reason, points for or against, and perhaps the kind of entry that it
speaks for. Phrases are compared word by word, through an index of their first words.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.vocabulary import (
    CAUSE,
    DETECTED,
    DID,
    ESCALATED,
    IMPACT,
    INVESTIGATING,
    MITIGATED,
    NOTE,
    REOPENED,
    RESOLVED,
    RULED_OUT,
)

TICKED = 2
"""Points from which on a message is ticked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """One row of the table: `why` is what a person reads, `kind` what it speaks for, None for no kind.

    `phrases` are words as they are said, parted by `|`; `#` stands for any number, `#%` for a share,
    `*` for up to three words, `^` for the beginning.
    """

    why: str
    points: int
    phrases: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a message is proposed or is not: the words for a person, the points, and the kind that it speaks for."""

    why: str
    points: int
    kind: str | None = None


def words_in(typed: str) -> frozenset[str]:
    """The words, parted by blanks, as a set."""
    return frozenset(typed.split())


_DONE = """
    rollback complete|rollback completed|rollback done|rollback is done|rollback finished|deploy finished|
    deploy complete|deploy is done|deploy done|restart done|restart complete|failover complete|failover done|
    failover is done|migration done|restore complete|restore finished|restore done|pr is up|pr up|pr to fix|
    fix pr|mr is up|patch is up|fix is up|rolled back|reverted|restarted|rebooted|redeployed|deployed|scaled|
    scaled up|scaled down|scaled out|killed|bumped|disabled|enabled|re-enabled|turned off|turned on|
    turned down|switched|switched off|switched on|switched over|switched back|failed over|failing over|
    drained|purged|flushed|cleared|blocked|unblocked|deleted|removed|wiped|dropped|truncated|mounted|
    unmounted|restored|recovered from|patched|hotfixed|applied|merged|pushed|shipped|released|raised|lowered|
    increased|decreased|reduced|halved|doubled|tripled|paused|unpaused|resumed|stopped|started|cordoned|
    evicted|rotated|renewed|reissued|reset|promoted|demoted|archived|upgraded|downgraded|pinned|toggled|
    flipped|bounced|provisioned|resized|recreated|rebuilt|reindexed|emptied|re-ran|reran|ran|executed|
    throttled|rate limited|rate-limited|whitelisted|allowlisted|blacklisted|banned|isolated|quarantined|
    detached|attached|cut over|shut down|shut off|took down|taken down|took out|taken out|brought up|
    brought back|brought down|spun up|cleaned up|freed|freed up|cancelled|canceled|aborted|cycled|
    power cycled|recycled|rerouted|redirected|repointed|pointed|rebalanced|resynced|migrated|moved|swapped|
    replaced|reconfigured|reloaded|adjusted|tuned|set|added|changed|updated|backfilled|replayed|requeued|
    retried|re-enqueued|revoked|suspended|kicked off|kicked|unlocked|locked|force-pushed|fixed|vacuumed|
    reseated|rewired|unplugged|plugged in|opened|closed|copied|backed up|saved|halted|upped|cherry-picked|
    blackholed|shifted|refunded|credited|turned * off|turned * on|took * out|took * down|took * offline|
    take * out of|put * in|put * into|put * behind|brought * back|brought * up|scaled * up|scaled * down|
    rolled * back|switched * to|switched * over|failed * over|shut * down|cut * over|moved * to|spun * up|
    pulled * out|hotfix is out|fix is out|fix is live|fix is in|fix is deployed|patch is out|is rolled out|
    rolled out|has rolled out|is deployed|went out|decommissioned|invalidated|undeployed|un-deployed|gave|
    granted|installed|uninstalled|grew|extended|expanded|trimmed|compacted|skipped|bypassed
"""
_DOING = """
    rolling back|reverting|restarting|rebooting|redeploying|deploying|scaling|scaling up|scaling down|killing|
    bumping|disabling|enabling|re-enabling|turning off|turning on|switching|switching off|switching over|
    failing over|draining|purging|flushing|clearing|blocking|deleting|removing|wiping|dropping|mounting|
    restoring|patching|applying|merging|pushing|shipping|releasing|raising|lowering|increasing|decreasing|
    reducing|halving|doubling|pausing|stopping|starting|cordoning|evicting|rotating|renewing|resetting|
    promoting|archiving|upgrading|downgrading|pinning|flipping|bouncing|provisioning|resizing|recreating|
    rebuilding|reindexing|emptying|re-running|rerunning|running|executing|throttling|rate limiting|banning|
    isolating|detaching|cutting over|shutting down|taking down|taking out|bringing up|bringing back|
    spinning up|cleaning up|freeing|freeing up|cancelling|canceling|aborting|cycling|recycling|rerouting|
    redirecting|repointing|pointing|rebalancing|resyncing|migrating|moving|swapping|replacing|reloading|
    tuning|adding|changing|updating|backfilling|replaying|requeuing|retrying|revoking|suspending|kicking off|
    unlocking|fixing|backing up|using|copying|testing the fix|invalidating|installing|growing|extending|
    expanding|skipping|bypassing|rolling * back|rolling forward|hotfixing|bumping up|halting|upping|
    cherry-picking|blackholing|shedding|shifting|refunding|crediting|turning * off|turning * on|taking * out|
    taking * down|taking * offline|bringing * back|bringing * up|failing * over|switching * to|moving * to|
    rolling out|is rolling out|putting * in|scaling * up
"""
_BY_FORM = "~done"
"""Stands for a first word that has the form of an action: see `_with_form`."""
_NO_ACTIONS = words_in(
    "need needed indeed agreed confirmed supposed interested excited tired scared worried confused relieved "
    "impressed looking joining catching going coming getting being having waiting hoping thinking eating "
    "heading meeting morning evening nothing something anything everything interesting amazing boring during "
    "building seeing reading working running doing trying watching asking wondering guessing listening "
    "talking typing speed feed bleed embed red hundred expected unexpected delayed related failing failed "
    "crashing missing hanging locked used jinxed sorted noted joined according including following regarding "
    "assuming considering lagging draining recovering improving dropping rising loading processing based "
    "affected impacted reported crashed timed hosted united limited advanced shared ping thing string king "
    "ring bring spring sing wing checking bored stuck keeping letting making taking giving telling saying "
    "drafting opening closing refreshing putting starting stopping typing meeting"
)
"""Words of that form that tell of no action, or of one that other signs speak for."""
_INTENT = "i'll|i will|we'll|we will|going to|gonna|let me|let's|lets|about to|plan is to|planning to"

SIGNS: tuple[Sign, ...] = (
    Sign(
        why="says that it came back",
        points=3,
        kind=REOPENED,
        phrases="it's back|it is back|is happening again|happening again|slow again|down again|broken again|"
        "failing again|are back again|came back|has returned|reopening|reopened|spiking again|"
        "back to failing|errors are back|regressed|it's broken again|relapsed|not over yet|"
        "timeouts again|erroring again|5xx again|errors again|climbing again|rising again|alerting again|"
        "firing again|crashing again|paging again|stuck again|going up again|dropping again|"
        "is back to failing|still happening",
    ),
    Sign(
        why="says that it is over",
        points=3,
        kind=RESOLVED,
        phrases="all clear|^ fixed|^ resolved|incident closed|resolved|resolving the incident|"
        "closing the incident|closing this|closing it|closing incident|closing this incident|calling it|"
        "calling this|calling this resolved|back to normal|back to baseline|back to normal levels|"
        "is normal again|are normal again|fully recovered|fully restored|fully operational|"
        "incident is over|incident over|we're good|we are good|all good now|all systems normal|"
        "stable for #|stable for the last|stable now|is stable|are stable|all traffic is|"
        "#% of traffic is served|standing down|stand down|all checks pass|everything is back|"
        "everything's back|everything is up|marking as resolved|marking this|is up again|issue is fixed|"
        "problem is fixed|no more errors|no errors for|no new errors|confirmed fixed|back up and running|"
        "up and running|nominal|is fixed now|without failures|all green|everything is green|closing out|"
        "looks fully|done here|we're done|we are done|everything up|all * up|it's over|is over",
    ),
    Sign(
        why="says that the impact ended",
        points=3,
        kind=MITIGATED,
        phrases="mitigated|impact is over|impact has ended|back online|back up|is back|are back|recovered|"
        "has recovered|have recovered|works again|work again|working again|succeed again|"
        "succeeding again|is being served|are being served|traffic restored|service restored|is restored|"
        "are restored|can log in again|can check out again|can connect again|is back to|are back to|"
        "error rate below|error rate is below|back below|below #%|and succeed|draining again|"
        "are draining|is draining|kill is executed|serving again|is serving|healthy again|are healthy|"
        "is healthy|loads again|load again|go through again|going through again|bleeding stopped|"
        "stopped the bleeding|no longer failing|errors stopped|errors have stopped|errors are gone|"
        "alerts cleared|workaround in place|workaround is in|we're back|we are back|working now|"
        "works now|is normal|are normal|back under|is working|are working|pods healthy|all healthy|"
        "is drained|up again|customers confirm|restored for|recovered for|back for",
    ),
    Sign(
        why="says that it gets better",
        points=2,
        kind=NOTE,
        phrases="looks better|looking better|looks good|looking good|getting better|seeing recovery|recovering|"
        "coming down|coming back|came down|is dropping|are dropping|dropping everywhere|errors falling|"
        "is falling|are falling|going down|down to #%|down to #|starting to recover|seems better|"
        "slightly better|much better|looks right|looks correct|look right|numbers match|match the|"
        "matches again|moving to monitoring|monitoring now|back down to|settling|settled down|"
        "trending down|improving|improved|replicas ready|caught up|is catching up|are catching up|"
        "catches up|latency is down|errors are down|is copied|is at #%|is at #",
    ),
    Sign(
        why="rules something out",
        points=3,
        kind=RULED_OUT,
        phrases="^ not|false alarm|false positive|ruled out|ruling out|rule out|it's not|it is not|not it|so not|"
        "it isn't|isn't the|is not the|wasn't the|not related|unrelated|not an attack|not caused by|"
        "didn't help|did not help|doesn't help|not helping|no effect|no difference|made no difference|"
        "didn't change anything|did not change anything|nothing changed|no problem on|no problems on|"
        "no issues on|see no problems|sees no problems|see no issues|no issues on their|not an option|"
        "can't fail over|cannot fail over|red herring|false lead|dead end|not us|not our|looks fine|"
        "looks healthy|look fine|look healthy|seems fine|is fine so|is empty|no sign of|no signs of|"
        "no evidence|isn't it|aren't the|are not the|no changes in|exonerated|not to blame|not network|"
        "not dns|not the|no anomalies|nothing unusual in|nothing in the logs|wrong tree|is fine|are fine|"
        "nothing is wrong|nothing wrong|nothing odd|sees nothing|see nothing|no errors in|can't be the|"
        "cannot be the|same errors without|without it has the same|not the database|load is normal|"
        "no spike|not * related|doesn't explain|does not explain|looks normal|look normal|looks ok|"
        "seems ok|is ok so|all good on|nothing on their|no correlation",
    ),
    Sign(why="logged as an action", points=3, kind=DID, phrases="! log|^ log :"),
    Sign(
        why="names a cause",
        points=3,
        kind=CAUSE,
        phrases="root cause|root caused|root cause:|caused by|the cause|is causing|was causing|turns out|"
        "turned out|found it|found the|found a|found an|found that|found out|culprit|smoking gun|"
        "because of|due to|the reason|that's what|that is what|that's why|was missing|so my pr|led to|"
        "resulted in|triggered by|the bug is|a bug in|regression in|misconfigured|misconfiguration|"
        "bad config|has a bad|expired|ran out of|leaks a|leaking|memory leak in|deadlock|deadlocked|"
        "exhausted|was never|nobody noticed|blew up|as well so|invalid config|because the|because it|"
        "because we|because our|without going through|was set to|came from the|introduced in|"
        "introduced by|traced it to|traced to|tracked it down|narrowed it down|pinpointed|fat finger|"
        "fat-fingered|was returning|typo in|filled up|was turned off|was off|had expired|has expired|"
        "was deleted|were deleted|someone deleted|somebody deleted|deploy dropped|migration locked|"
        "change blocked|never * cleaned|race condition|off by one|null pointer|it was the|"
        "it's the * that|that explains|explains why|explains the",
    ),
    Sign(
        why="says who is called in",
        points=3,
        kind=ESCALATED,
        phrases="paging|paged|calling in|called in|calling the|called the|escalated|escalating|escalate to|"
        "pulling in|pulled in|pulling @|looping in|looped in|bringing in|brought in|on the phone with|"
        "on a call with|on the line with|adding @|asked @|opened a ticket with|opened a case|"
        "opened a support|ticket with|case with|support case|opened a sev|reached out to|reaching out to|"
        "contacted|contacting|waking up|woke up|woke|all hands|engaging|engaged|summoning|need a dba|"
        "need someone from|need somebody from|calling dba|calling db|pinged|pinging|pulling * in|"
        "pulled * in|looping * in|looped * in|bringing * in|brought * in|calling * in|called * in|"
        "got * on the|getting * on the|called aws|called gcp|called azure|called support|"
        "called the vendor|calling the vendor|calling aws|called vendor|calling vendor|called facilities|"
        "called security|called it|rang|phoned|asked * to check|asked * to look|asked * to join|"
        "need * from the|escalation to|sev # case|raised a case|raised a ticket|filed a ticket with|"
        "declaring a|declaring this|declared a|declaring sev|bumping to sev|upgrading to sev|"
        "raising to sev|raised to sev",
    ),
    Sign(why="names an action", points=2, kind=DID, phrases=_DONE),
    Sign(why="names an action", points=2, kind=DID, phrases=_DOING),
    Sign(
        why="says who is hurt",
        points=2,
        kind=IMPACT,
        phrases="customers report|customers reporting|customers are|customer reports|customers can't|"
        "customers cannot|customers see|customers seeing|customers on|customers getting|"
        "customers complaining|customers affected|users report|users reporting|users are|users can't|"
        "users cannot|users see|users seeing|users getting|users affected|user reports|merchants report|"
        "more merchants|more customers|more users|partners report|clients report|clients are|"
        "clients can't|impacted|is impacting|impacting|impact is|impact:|affected|affecting|affects|"
        "reports of|reports that|report that|we lost|data loss|lost data|for users|for customers|"
        "for everyone|for all users|for all customers|for all of them|worldwide|globally|in all regions|"
        "nobody can|no one can|people can't|sev1|sev2|sev-1|sev-2|tickets about|calls about|"
        "getting calls|# tickets|tickets so far|complaints|nobody in|no one in|all tenants|all users|"
        "all customers|all regions|every customer|every user|whole office|customers say|users say|"
        "customers complain|users complain|double charged|charged twice|^ customers|^ users|"
        "for all tenants|escalations from|reported by|reporting that|calling about|calling in about",
    ),
    Sign(
        why="says what fails",
        points=2,
        kind=IMPACT,
        phrases="is down|are down|went down|going down for|down for|is offline|are offline|offline now|"
        "unreachable|unavailable|unresponsive|not responding|not loading|won't start|won't load|"
        "won't come up|refuses to start|failing|fails|fail|failed|errors with|erroring|erroring out|"
        "returning 5xx|return 5xx|5xx|broken|breaks|times out|time out|timing out|timed out|hanging|"
        "hangs|stuck|locking up|locked up|crashing|crashlooping|crashloop|crash looping|oomkilled|oom|"
        "oomed|out of memory|out of disk|disk full|no space left|declined|rejected|dropping traffic|"
        "#% of requests|#% of traffic|#% of|# in #|latency is|latency at|p99 is|p95 is|is at 100%|"
        "degraded|outage|is gone|are gone|can't log in|cannot log in|can't access|can't resolve|"
        "unable to|lagging|lag is|behind and|backlog|piling up|spiked|spiking|spike in|maxed out|"
        "saturated|overloaded|pegged|throttled by|lost about|are left|crashes|crash|blank|stale|delayed|"
        "missing|not being|jumped to|jumped from|went from|went up to|climbing|climbed to|error rate at|"
        "error rate is|errors at|slow for|very slow|is slow|are slow|super slow|wrong results|wrong data|"
        "duplicates|duplicated|corrupt|corrupted|refused|reset by peer|connection reset|can't connect|"
        "cannot connect|can't reach|cannot reach|can't pull|can't send|full and|is full|are full|"
        "flapping|packet loss|not working|doesn't work|don't work|does not work|stopped working|"
        "isn't working|aren't working|not delivered|not processed|not updating|no longer|never arrive|"
        "queueing up|queuing up|growing|lag of|dead|have no|has no|was missed|were missed|notready|"
        "not ready|unhealthy|is out|are out|lost power|lost connectivity|panicking|panics|white screen|"
        "5xx on|is at #%|at #% and",
    ),
    Sign(
        why="says what was noticed",
        points=4,
        kind=DETECTED,
        phrases="got paged|getting paged|pager went off|alerts are firing|alerts firing|alert fired|"
        "getting alerts|got an alert|alert just fired|alarms are going",
    ),
    Sign(
        why="says what was noticed",
        points=2,
        kind=DETECTED,
        phrases="we're seeing|we are seeing|seeing|i'm seeing|noticed|just noticed|alert for|alerts for|"
        "pager went off|monitoring shows|graphs show|dashboard shows|metrics show|looks like we have|"
        "something is wrong|something's wrong|i ran the",
    ),
    Sign(
        why="says what is looked at",
        points=2,
        kind=INVESTIGATING,
        phrases="looking into|looking at the|looking for|looking through|checking|investigating|digging|"
        "digging into|tracing|trying to understand|trying to figure|trying to reproduce|could this be|"
        "could it be|might be|may be|maybe it's|maybe too|maybe the|suspect|suspecting|suspicion|"
        "my theory|theory:|hypothesis|smells like|looks like a|looks like the|looks related|seems to be|"
        "seems to|seems like|grabbing a|i think it's|i think it is|i think the|i think this|could be|"
        "related to|taking a heap|heap dump|thread dump|flame graph|profiling|perf trace|bisecting|"
        "comparing|going through|correlates|correlated with|lines up with|matches the|"
        "started right after|started after|all opened|looking at|waiting for queries|reproduced|"
        "can reproduce|logs show|traces show",
    ),
    Sign(
        why="says who was told",
        points=3,
        kind=NOTE,
        phrases="status page updated|updated the status|updated status|posted to the status|posted on the status|"
        "posted a notice|posted an update|posted a status|posted status|statuspage updated|"
        "status page is updated|announced|tweeted|tweet sent|emailed|told * that|told the|told everyone|"
        "told customers|mailed|sent an email to|email sent|sent comms|comms sent|comms are out|comms out|"
        "notified customers|notified the|notifying|informed|banner is up|put up a banner|banner on the|"
        "message to customers|customers notified|status page:|published an update|macro is|macro for|"
        "macro sent|posted on|posted to|sent out to|comms to|informing|told the customers|tweet is out|"
        "status is updated|banner up|statuspage is|published on|subscribers notified",
    ),
    Sign(
        why="says who does what",
        points=2,
        kind=NOTE,
        phrases="i'm ic|i am ic|be ic|i'm incident commander|incident commander|taking ic|take ic|ic handover|"
        "handing over|handed over|handover to|taking over|takes over|i'm lead|commanding|my ic|as ic|"
        "i'm on comms|taking comms|hands on keyboard|is scribe|incident lead|is ic|ic is|ic:|does comms|"
        "on comms|is commanding|is leading|is lead|i'll lead|i'll coordinate|i'm coordinating|"
        "coordinates|has the|handles|i'll handle|i'll be ic|leads this|taking lead|taking the lead|"
        "i'm leading|comms lead|is comms|scribing|is scribing|i'll scribe",
    ),
    Sign(
        why="proposes or decides something",
        points=2,
        kind=NOTE,
        phrases="proposal:|propose|proposing|decision:|decided|we decided|agreed to|plan:|the plan is|fyi|"
        "update:|summary:|sitrep|status update|expect to be|eta is|next update|workaround:|tl;dr|heads up",
    ),
    Sign(
        why="says what others found",
        points=2,
        kind=NOTE,
        phrases="confirmed by|has confirmed|confirmed * on|confirmed a|confirmed an|confirms|acknowledged|"
        "acknowledges|on their side|on their end|vendor says|provider says|vendor said|support says|"
        "aws says|they say|they found|they are working|they're working|upstream says|got word|heard back|"
        "according to|per the vendor",
    ),
    Sign(
        why="says that something is done",
        points=2,
        kind=NOTE,
        phrases="is complete|are complete|is done|are done|has finished|have finished|is finished|all done|"
        "completed|went through|is through|got through|is in place|are in place",
    ),
    Sign(why="says that it works again", points=2, kind=MITIGATED, phrases="is * again|are * again|works * again"),
    Sign(why="tells what followed from what", points=1, kind=CAUSE, phrases=", so|, which|therefore|as a result|hence"),
    Sign(why="gives a reason", points=2, kind=CAUSE, phrases="because"),
    Sign(
        why="tells of a measure",
        points=1,
        kind=NOTE,
        phrases="error rate|errors|latency|p99|p95|queue|queue depth|backlog|cpu|memory|heap|disk|lag|"
        "replication lag|crash rate|throughput|rps|qps|load|loaded|processed|connections|requests|"
        "traffic|tickets|conversion|success rate|decline rate|consumer lag|iops|left to|remaining|"
        "in the queue|pods|nodes|replicas|to go|percent|rows|records|orders",
    ),
    Sign(why="begins with what was done", points=2, kind=DID, phrases=_BY_FORM),
    Sign(why="announces an action", points=1, kind=DID, phrases=_INTENT),
    Sign(
        why="chatter",
        points=-3,
        phrases="my bad|my fault|i see what|i see now|good point|fair enough|thanks|thank you|thx|ty|lol|lmao|"
        "haha|hahaha|coffee|lunch|beer|cake|tea|good morning|morning|gm|gn|good night|night|good evening|"
        "happy friday|nice work|great work|good work|good job|great job|nice one|well done|"
        "you are a hero|hero|legend|kudos|sorry|phew|wow|whoa|ugh|omg|wtf|yay|yikes|ouch|damn|oh no|"
        "sounds good|brb|afk|btw|random q|fun fact|congrats|cheers|any updates|no worries|np|no rush|"
        "same here|me too|hi all|hey all|hello|welcome|this is fine|as usual|not again|classic|"
        "good catch|one sec|blameless|fingers crossed|please join|pls|weekend|dinner|joining|back in #|"
        "back in a|write a postmortem|postmortem doc|writeup|retro|review on",
    ),
    Sign(
        why="speaks of oneself",
        points=-2,
        phrases="for me|for me too|my creds|my laptop|my vpn|my internet|my phone|my screen|i can't|i cannot|"
        "i don't have|i don't know|not sure|not yet|not now|not me|not mine|no idea|idk|dunno|i need a|"
        "i have to|i had|i was in|works for me|i feel|i wish|i hate|i love|on my machine|should be fixed|"
        "will take a look|i'll take a look|let me|lemme",
    ),
    Sign(
        why="is for later",
        points=-2,
        phrases="we should|should have|we need to|todo|action item|action items|follow up|follow-up|next time|"
        "postmortem|post-mortem|retro|for the review|in the review|note to self|remind us|lessons",
    ),
    Sign(
        why="says that it goes on",
        points=-1,
        phrases="still failing|still hanging|still broken|still stuck|still down|still seeing|still the same|"
        "still not|still slow|still declines|still happening for|still nothing|still bad|still there|"
        "still getting",
    ),
    Sign(
        why="asks for something",
        points=-3,
        phrases="^ is it|^ is this|^ is that|^ is there|^ is anyone|^ are we|^ are you|^ are there|^ did we|"
        "^ did you|^ did anyone|^ does it|^ does this|^ does anyone|^ why is|^ why are|^ why did|"
        "^ what is|^ what's|^ what are|^ how is|^ how's|^ how are|^ who is|^ who's|^ any news|^ any luck|"
        "^ anything|^ any eta|^ has anyone|^ have we|^ have you|^ was it|^ was that|^ when did|"
        "^ when will|^ where is|^ where are|^ can we|^ can i|are asking|is asking|wdyt|thoughts|"
        "remind me|try again|can you|could you|can someone|can somebody|can anyone|anyone|anybody|please|"
        "who owns|what's the eta|any eta|eta?|should we|should i|do we|do you|what do|how do|shall we|"
        "need help",
    ),
)
"""The signs in words. Where several have most points, the first one gives the kind."""

_NEGATED = words_in(
    "not never should shouldn't could can cannot can't would wouldn't might may must to if who when won't "
    "haven't hasn't didn't don't doesn't wasn't isn't until once unless before after without maybe perhaps "
    "being"
)
"""Words shortly before an action that say it was not taken, or not now."""
_SPOKEN_OF = 2
"""How many words before an action such a word may stand."""
_ACTING = words_in("i'm we're am are is was i we now just currently still also then and then started start began ok so")
"""Words before an action in progress: elsewhere it is spoken of, as in `after restarting`."""
_STOPS = frozenset([*".,;:!?()^", _BY_FORM])
_TAKEN_BACK = frozenset({DID, RESOLVED, MITIGATED, CAUSE})
"""The kinds whose signs do not count where a word before them says that it is not so."""
_OPENING = frozenset({DID, ESCALATED, INVESTIGATING, RULED_OUT, REOPENED, RESOLVED})
"""Kinds that a message is of which begins with their words, whatever it goes on to say."""
_BRIEF, _BRIEF_WORDS = frozenset({INVESTIGATING, IMPACT, DETECTED}), 3
"""Kinds that say nothing in fewer words: `looking`, `checking now`."""
_FILLERS = words_in("it this that now too already still ok hm yes yeah")
_OPENINGS = words_in("i we i've we've i'm we're i'd have has been just ok so and now also then fyi update finally")
"""Words that may stand before the one with which a message begins to say something."""
_SHORTEST_ACTION, _LEAST_OBJECT = 5, 2
"""Letters of the shortest action, and the words that follow one at least: what it was done to."""
_STATEMENT = 6
"""Words of a statement that says something by the form of its verb alone."""
_PART = re.compile(r"`[^`]+`|\b[A-Za-z]+_[A-Za-z_*]+\b|\b[A-Za-z]{2,}-?[0-9]+\b|\b[a-z]+(?:-[a-z0-9]+)*-[0-9]+\b")
"""Code, and names such as `stg_orders`, `db1` and `core-sw-2`."""
_GAPS = (1, 2, 3)

_TOKEN = re.compile(r"[a-z0-9#~<>][a-z0-9'&/_%+-]*(?:\.[a-z0-9%]+)*|[.,;:!?()@^*]")
_NUMBER = re.compile(r"[~<>]*[0-9][0-9.]*(?P<unit>%|k|m|s|ms|gb|mb|tb|gib|mib|mi|min|h|d|x|rps|qps)?")
_STATUS_CODE = re.compile(r"50[0-9]s?|5xx|5xxs")
_PLAIN = str.maketrans({"\u2019": "'", "\u2018": "'", "^": " ", "*": " ", "~": " "})
_EMOJI = re.compile(r":[a-z0-9_+'-]{2,40}:")


def tokens_in(said: str) -> list[str]:
    """The words, figures and signs of what was said, in lower case and without emoji."""
    words = _EMOJI.sub(" ", said.translate(_PLAIN).lower())
    return [_figure(token) for token in _TOKEN.findall(words)]


def _figure(token: str) -> str:
    """The token; `#` for a number, `#%` for a share, `5xx` for any such status."""
    if not token[0].isdigit() and token[0] not in "~<>#":
        return token
    if _STATUS_CODE.fullmatch(token):
        return "5xx"
    number = _NUMBER.fullmatch(token)
    return token if number is None else "#%" if number["unit"] == "%" else "#"


_Phrase = tuple[tuple[str, ...], int]


def _indexed(signs: Sequence[Sign]) -> dict[str, list[_Phrase]]:
    """The phrases by their first word: what follows it, and the sign's place in the table."""
    found: dict[str, list[_Phrase]] = {}
    for place, sign in enumerate(signs):
        for phrase in sign.phrases.split("|"):
            first, *rest = [_figure(token) for token in _TOKEN.findall(phrase)]
            found.setdefault(first, []).append((tuple(rest), place))
    return found


_BY_FIRST_WORD = _indexed(SIGNS)


def signs_of(said: str) -> Iterator[Reason]:
    """The reasons in a person's words, without links; those for a kind begin with no other."""
    tokens = ["^", *_with_form(tokens_in(said))]
    found: dict[str, tuple[Sign, bool]] = {}
    for place, at in sorted(_signs_in(tokens).items()):
        found.setdefault(SIGNS[place].why, (SIGNS[place], all(token in _OPENINGS | _STOPS for token in tokens[:at])))
    if sum(sign.kind is not None and sign.points >= TICKED for sign, _ in found.values()) > 1:
        # The form of the first word says something only where its meaning is not known.
        found = {why: each for why, each in found.items() if each[0].phrases != _BY_FORM}
    speaking = [(opens and sign.kind in _OPENING, sign.points) for sign, opens in found.values() if sign.kind]
    foremost = max(speaking, default=(False, 0))
    for why, (sign, opens) in found.items():
        # Words speak for one kind, best for that with which they begin; further kinds only make it likelier.
        leads = sign.kind is None or (opens and sign.kind in _OPENING, sign.points) == foremost
        yield Reason(why, sign.points if leads else 1, sign.kind if leads else None)
    if any(_is_action(each, ("ed",)) for each in tokens) and len(tokens) >= _STATEMENT:
        yield Reason("tells of a change", 1)
    if foremost[1] >= TICKED and _PART.search(_EMOJI.sub(" ", said)):
        yield Reason("names a part of the system", 1)
    words = [each for each in tokens if each not in _STOPS and each not in _FILLERS and each != "@"]
    kinds = {sign.kind for sign, _ in found.values() if sign.points > 0}
    if kinds and kinds <= _BRIEF and len(words) < _BRIEF_WORDS:
        yield Reason("only a few words", -1)
    if _EMOJI.sub("", said).rstrip(" .!").endswith("?"):
        yield Reason("asks something", -2)
    if speaking and not {"#", "#%"}.isdisjoint(tokens):
        yield Reason("has figures", 1)


def _signs_in(tokens: Sequence[str]) -> dict[int, int]:
    """The places in SIGNS of the signs whose phrases stand in the words, each with where the first one does."""
    found: dict[int, int] = {}
    for at, token in enumerate(tokens):
        for rest, place in _BY_FIRST_WORD.get(token, ()):
            if place not in found and _stands(tokens, at + 1, rest) and _counts(tokens, at, place):
                found[place] = at
    return found


def _stands(tokens: Sequence[str], at: int, phrase: tuple[str, ...]) -> bool:
    """Whether the phrase stands at this place."""
    for number, word in enumerate(phrase):
        if word == "*":
            return any(_stands(tokens, at + gap, phrase[number + 1 :]) for gap in _GAPS)
        if at >= len(tokens) or tokens[at] != word:
            return False
        at += 1
    return True


def _counts(tokens: Sequence[str], at: int, place: int) -> bool:
    """Whether a phrase at this place is said of what happened, and not of what did not, or may."""
    sign = SIGNS[place]
    if sign.kind in _TAKEN_BACK and _NEGATED.intersection(tokens[max(0, at - _SPOKEN_OF) : at]):
        return False
    if sign.phrases is _DONE and at + 1 < len(tokens) and tokens[at + 1].endswith("ing"):
        # It has `stopped replicating`, and nobody did that.
        return False
    before = tokens[at - 1] if at else "."
    return sign.phrases is not _DOING or before in _ACTING or before in _STOPS


def _is_action(token: str, endings: tuple[str, ...]) -> bool:
    """Whether the word has the form of an action, a participle."""
    return len(token) >= _SHORTEST_ACTION and token.endswith(endings) and token not in _NO_ACTIONS


def _with_form(tokens: list[str]) -> list[str]:
    """The words, with _BY_FORM before the one that they begin with, where that has the form of an action."""
    for at, token in enumerate(tokens):
        if token in _OPENINGS or token in _STOPS:
            continue
        is_action = _is_action(token, ("ed", "ing"))
        follow = sum(each not in _STOPS for each in tokens[at + 1 :])
        return [*tokens[:at], _BY_FORM, *tokens[at:]] if is_action and follow >= _LEAST_OBJECT else tokens
    return tokens
