"""Counters and gauges for Prometheus: events are counted as they happen, states are looked up at each scrape."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import cast

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from bot.telemetry.context import Metrics
from bot.telemetry.health import DOWN, Component
from bot.vocabulary import KINDS

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
ACK_BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0)
"""Slack's limit for an answer is 3 s; a committed answer takes a few milliseconds."""
_LABEL = re.compile(r"[A-Za-z0-9_.]{1,64}")

_FACT_GAUGES = {
    ("outbox", "depth"): ("scribe_outbox_waiting", "Jobs of the outbox that are due or under way"),
    ("outbox", "oldest_s"): ("scribe_outbox_oldest_seconds", "How long the oldest of them has waited"),
    ("outbox", "later"): ("scribe_outbox_later", "Jobs of the outbox whose time has not come"),
    ("outbox", "parked"): ("scribe_outbox_parked", "Jobs that were given up"),
    ("spool", "length"): ("scribe_spool_waiting", "Requests kept on this machine while the database is away"),
    ("spool", "bad"): ("scribe_spool_unreadable", "Records of the spool that could not be used and are kept aside"),
}
"""The gauge (name, help) for a fact of a part, by (part, fact)."""


class PrometheusMetrics(Metrics):
    """The metrics of one bot, in a separate registry: several bots in one process do not share counts."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._acks = Histogram(
            "scribe_ack_seconds", "From receiving a delivery of Slack's to its answer", ["transport"],
            buckets=ACK_BUCKETS_S, registry=registry,
        )  # fmt: skip
        self._entries = Counter("scribe_entries", "Timeline entries recorded", ["kind"], registry=registry)
        for kind in KINDS:
            # Exposed as 0 before the first entry: Prometheus' rate() needs a sample from before an increase.
            self._entries.labels(kind)
        # Looking a child up by its label costs more than counting.
        self._ack, self._entry = cache(self._acks.labels), cache(self._entries.labels)
        self._drafts = Counter("scribe_drafts", "Versions of postmortems drafted", registry=registry)
        self._reminders = Counter("scribe_reminders_sent", "People sent a reminder", registry=registry)
        self._loops = Counter(
            "scribe_loop_failures", "Turns of loops that raised an exception, and went on", ["loop"], registry=registry
        )
        self._slack = Counter(
            "scribe_slack_errors", "Calls of Slack's Web API that failed", ["method", "error"], registry=registry
        )

    def exposition(self, parts: Mapping[str, Component]) -> bytes:
        """Everything in Prometheus' text format, with the current state of the parts as gauges."""
        gauges = cast("CollectorRegistry", _PartGauges(parts))
        return generate_latest(self._registry) + generate_latest(gauges)

    def acked(self, transport: str, seconds: float) -> None:
        """Observe the time of an answer."""
        self._ack(transport).observe(seconds)

    def recorded(self, kind: str) -> None:
        """Count an entry by its kind."""
        self._entry(kind).inc()

    def drafted(self) -> None:
        """Count a draft."""
        self._drafts.inc()

    def reminded(self, people: int) -> None:
        """Count the people reminded."""
        self._reminders.inc(people)

    def loop_failed(self, name: str) -> None:
        """Count a failed turn by its loop."""
        self._loops.labels(name).inc()

    def slack_failed(self, method: str, error: str) -> None:
        """Count a failed call by its method and its reason."""
        # The reason comes from outside: anything but a plain code would let a response create labels at will.
        self._slack.labels(method, error if _LABEL.fullmatch(error) else "other").inc()


class _PartGauges:
    """The parts of one scrape as a collector; it has the one method of a registry that `generate_latest` calls."""

    def __init__(self, parts: Mapping[str, Component]) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges. Unknown facts, such as the outbox's depth without a database, are left out, not 0."""
        up = GaugeMetricFamily("scribe_part_up", "Whether a part works: 1, or 0 when it is down", labels=["part"])
        for name, part in self._parts.items():
            up.add_metric([name], 0 if part.state == DOWN else 1)
        yield up
        for (name, fact), (gauge, description) in _FACT_GAUGES.items():
            if name in self._parts and fact in self._parts[name].facts:
                yield GaugeMetricFamily(gauge, description, value=float(str(self._parts[name].facts[fact])))
