"""What Prometheus reads: counts kept here, and states looked up while it asks."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from bot.telemetry.context import Metrics
from bot.telemetry.health import DOWN, Component
from bot.vocabulary import KINDS

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
ACK_BUCKETS_S = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0)
"""Slack gives three seconds; a committed answer takes a few milliseconds."""
_WORD = re.compile(r"[A-Za-z0-9_.]{1,64}")

_STATES = {
    ("outbox", "depth"): ("scribe_outbox_waiting", "Jobs of the outbox that are due or under way"),
    ("outbox", "oldest_s"): ("scribe_outbox_oldest_seconds", "How long the oldest of them has waited"),
    ("outbox", "later"): ("scribe_outbox_later", "Jobs of the outbox whose time has not come"),
    ("outbox", "parked"): ("scribe_outbox_parked", "Jobs that were given up"),
    ("spool", "length"): ("scribe_spool_waiting", "Requests kept on this machine while the database is away"),
    ("spool", "bad"): ("scribe_spool_unreadable", "Records of the spool that could not be used and are kept aside"),
}
"""Facts of the parts that are gauges of their own."""
_UP = ("scribe_part_up", "Whether a part works: 1, or 0 when it is down")


class _Gauges:
    """The gauges of one scrape, as a registry is read."""

    def __init__(self, gauges: Iterable[Metric]) -> None:
        self._gauges = list(gauges)

    def collect(self) -> Iterable[Metric]:
        return self._gauges


def _of_parts(parts: Mapping[str, Component]) -> Iterator[Metric]:
    """What is not known, such as the outbox's depth while the database is away, is left out and not told as zero."""
    up = GaugeMetricFamily(*_UP, labels=["part"])
    for name, each in parts.items():
        up.add_metric([name], 0 if each.state == DOWN else 1)
    yield up
    for (name, fact), (gauge, says) in _STATES.items():
        if name in parts and fact in parts[name].facts:
            yield GaugeMetricFamily(gauge, says, value=float(str(parts[name].facts[fact])))


class PrometheusMetrics(Metrics):
    """The counts of one bot, in a registry of its own: several bots in a process do not share theirs."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._acks = Histogram(
            "scribe_ack_seconds", "From receiving a delivery of Slack's to its answer", ["transport"],
            buckets=ACK_BUCKETS_S, registry=registry,
        )  # fmt: skip
        self._entries = Counter("scribe_entries", "Timeline entries recorded", ["kind"], registry=registry)
        for kind in KINDS:
            # Told as 0 from the beginning: a rate needs to know where a count came from.
            self._entries.labels(kind)
        self._drafts = Counter("scribe_drafts", "Versions of postmortems drafted", registry=registry)
        self._reminders = Counter("scribe_reminders_sent", "People sent a reminder", registry=registry)
        self._slack = Counter(
            "scribe_slack_errors", "Calls of Slack's Web API that failed", ["method", "error"], registry=registry
        )

    def watch(self, name: str, says: str, ask: Callable[[], float]) -> None:
        """Add a gauge; `ask` gives its value at every scrape, at once."""
        Gauge(name, says, registry=self._registry).set_function(ask)

    def page(self, parts: Mapping[str, Component]) -> bytes:
        """Everything in Prometheus's text format, with the parts as they are now."""
        return generate_latest(self._registry) + generate_latest(cast("CollectorRegistry", _Gauges(_of_parts(parts))))

    def acked(self, transport: str, seconds: float) -> None:
        """Count an answer by the time it took."""
        self._acks.labels(transport).observe(seconds)

    def recorded(self, kind: str) -> None:
        """Count an entry by its kind."""
        self._entries.labels(kind).inc()

    def drafted(self) -> None:
        """Count a draft."""
        self._drafts.inc()

    def reminded(self, people: int) -> None:
        """Count the people reminded."""
        self._reminders.inc(people)

    def slack_failed(self, method: str, error: str) -> None:
        """Count a failed call by its method and reason."""
        # The reason comes from outside: what is no plain word becomes no label of its own.
        self._slack.labels(method, error if _WORD.fullmatch(error) else "other").inc()
