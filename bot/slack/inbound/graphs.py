"""Graphs that notes ask for: fetched from Prometheus after the answer, and kept beside the note.

Prometheus is no part of Slack, but is asked as Slack's own hosts are: within a total deadline, up to a size, no
redirect followed, and set aside with the reason where it stays away.
"""

import logging
from datetime import datetime
from urllib.request import Request

from bot.documents.rendering import slack
from bot.domain.incident.grammar import GRAPH_AROUND, graph_query
from bot.domain.incident.lifecycle import lifecycle
from bot.slack.client import CALL_S, exchange
from bot.slack.context import SlackContext
from bot.slack.refusals import ForeignAnswerError, SourceAwayError, reason
from bot.sources import prometheus
from bot.sources.prometheus import GraphError, NoAnswerError, Range
from storage import incidents, outbox, timeline
from storage.outbox import Job
from storage.sources import graphs
from storage.values import GraphSeries, Incident, TimelineEntry

MOST_BYTES = 4_000_000
"""Bytes of an answer: a hundred thousand points."""
MOST_FAILURES = 6
"""Attempts, in about a minute."""
_AWAY = "The Prometheus that SCRIBE_PROMETHEUS names does not answer ({problem}); the next draft asks it again."
_ANOTHER = "/{prefix}incident edit {incident} {number} graph QUERY"
_log = logging.getLogger(__name__)


def fetch(context: SlackContext, job: Job) -> None:
    """Fetch the figures of the note's query for the time around the incident, and keep them.

    Raises what a failure that may pass raises, and SourceAwayError after MOST_FAILURES of them: then the job is set
    aside, and whoever asked for the graph is told.
    """
    row, base = job.content["graph"], context.settings.prometheus
    with context.database.read() as connection:
        entry_id = graphs.entry_of(connection, row)
        if entry_id is None or not base:
            return
        entry = timeline.by_id(connection, entry_id)
        incident = incidents.by_id(connection, timeline.incident_id(connection, entry))
        of = _time_of(incident, timeline.of_incident(connection, incident.id), now=context.clock())
    query = graph_query(entry.kind, entry.text)
    if query is None or entry.retracted:
        return
    try:
        lines, left_out = _ask(base, query, of)
    except GraphError as error:
        again = _ANOTHER.format(prefix=context.settings.prefix, incident=incident.name, number=entry.number)
        text = slack("no_graph", entry=entry, incident=incident, problem=str(error), again=again)
        _refuse(context, job, "refused", text, done=True)
    except (ForeignAnswerError, OSError) as error:
        if job.attempts < MOST_FAILURES:
            raise
        problem = reason(error)
        text = slack("no_graph", entry=entry, incident=incident, problem=_AWAY.format(problem=problem), again="")
        _refuse(context, job, problem, text, done=False)
        raise SourceAwayError(f"prometheus_{problem}"[:64].lower()) from None
    else:
        with context.database.write() as connection:
            graphs.keep(connection, row, query, graphs.figures_json(of.start_s, of.step_s, lines, left_out))
            outbox.mark_sent(connection, job, at=context.clock())


def _time_of(incident: Incident, entries: list[TimelineEntry], *, now: datetime) -> Range:
    """From GRAPH_AROUND before the incident's start to GRAPH_AROUND after its end, or to now."""
    life = lifecycle([each for each in entries if not each.retracted])
    known = [at for at in (life.started_at, life.detected_at, incident.declared_at) if at is not None]
    end = now if life.resolved_at is None else min(now, life.resolved_at + GRAPH_AROUND)
    return prometheus.range_between(min(known) - GRAPH_AROUND, end)


def _ask(base: str, query: str, of: Range) -> tuple[tuple[GraphSeries, ...], int]:
    """The lines, and how many more there are. Raises GraphError; ForeignAnswerError and OSError for what may pass."""
    request = Request(prometheus.address(base, query, of, timeout_s=CALL_S - 1))  # noqa: S310 - the setting is one of HTTP
    status, headers, body = exchange(request, proxy=None, timeout_s=CALL_S, most_bytes=MOST_BYTES)
    try:
        return prometheus.read(status, body, of)
    except NoAnswerError:
        raise ForeignAnswerError(status, headers.get("Retry-After")) from None


def _refuse(context: SlackContext, job: Job, problem: str, text: str, *, done: bool) -> None:
    """Note why there is no graph, and tell whoever asked for it."""
    _log.info("graph not fetched: %s", problem)
    tell = job.content.get("tell")
    with context.database.write() as connection:
        graphs.refuse(connection, job.content["graph"], problem)
        if tell:
            outbox.ephemeral(
                connection,
                job.workspace_id,
                tell["channel"],
                tell["user"],
                {"text": text},
                reply_url=tell["reply_url"],
                at=context.clock(),
            )
        if done:
            outbox.mark_sent(connection, job, at=context.clock())
