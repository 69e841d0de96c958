"""Prometheus as a source of graphs: the address to ask, and how its answer is read.

Source: prometheus.io/docs/prometheus/latest/querying/api, "Range queries": `query`, `start`, `end`, `step`; an answer
has `status`, and `data` with a `matrix`, or `errorType` and `error`.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from storage.values import GraphSeries

MOST_SERIES, MOST_POINTS, MOST_LABEL = 6, 240, 100
"""Lines of a graph, points of a line, and characters of a label's name or value."""
MOST_SEEN: Final = 10_000
"""The most lines that are looked at, to take the highest of them."""
STEPS_S: Final = (5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200)
"""Steps between points, the first one by which MOST_POINTS suffice; beyond, whole days."""
_DAY_S: Final = 86_400
_MOST_WORDS: Final = 200
REFUSED: Final = frozenset({400, 422})
"""The statuses with which Prometheus refuses a query for good."""


class GraphError(Exception):
    """There is no graph of the query, and asking again changes nothing; the message says why, for people."""


class NoAnswerError(Exception):
    """What answered is not Prometheus, or not able to answer now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """The instants that a graph has: `count` of them, every `step_s` seconds from the Unix time `start_s` on."""

    start_s: int
    step_s: int
    count: int


def range_between(start: datetime, end: datetime) -> Range:
    """The instants of a graph from `start` to `end`, on whole steps since 1970, so that a later one has the same."""
    length_s = max(0.0, (end - start).total_seconds())
    days = math.ceil(length_s / (MOST_POINTS - 1) / _DAY_S) * _DAY_S
    step_s = next((each for each in STEPS_S if length_s / each <= MOST_POINTS - 2), max(days, _DAY_S))
    first = math.floor(start.timestamp() / step_s) * step_s
    count = math.floor((end.timestamp() - first) / step_s) + 1
    return Range(start_s=first, step_s=step_s, count=max(1, min(count, MOST_POINTS)))


def address(base: str, query: str, of: Range, *, timeout_s: int) -> str:
    """The address of the range query at the Prometheus at `base`, which gives up after `timeout_s` seconds."""
    end_s = of.start_s + of.step_s * (of.count - 1)
    asked = {"query": query, "start": of.start_s, "end": end_s, "step": of.step_s, "timeout": f"{timeout_s}s"}
    return f"{base}/api/v1/query_range?{urlencode(asked)}"


def read(status: int, body: bytes, of: Range) -> tuple[tuple[GraphSeries, ...], int]:
    """The lines of the answer, the highest MOST_SERIES of them, and how many more there are.

    Raises GraphError where Prometheus refuses the query or has no number in that time, and NoAnswerError.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise NoAnswerError from None
    if not isinstance(answer, dict) or answer.get("status") not in {"success", "error"}:
        raise NoAnswerError
    if answer["status"] == "error":
        if status in REFUSED:
            words = " ".join(str(answer.get("error", "no reason")).split())
            raise GraphError(f"Prometheus refuses the query: {words[:_MOST_WORDS]}")
        raise NoAnswerError
    data = answer.get("data")
    result = data.get("result") if isinstance(data, dict) and data.get("resultType") == "matrix" else None
    if not isinstance(result, list):
        raise NoAnswerError
    found = [line for each in result[:MOST_SEEN] if (line := _line(each, of)) is not None]
    if not found:
        raise GraphError("Prometheus has no number for this query in the time of the incident.")
    highest = sorted(found, key=_highest, reverse=True)[:MOST_SERIES]
    return tuple(each for each in found if each in highest)[:MOST_SERIES], len(result) - len(highest)


def _highest(line: GraphSeries) -> float:
    return max(each for each in line.values if each is not None)


def _line(found: Any, of: Range) -> GraphSeries | None:
    """One line with a value for each step; None without any number. Raises NoAnswerError for another shape."""
    if not isinstance(found, dict) or not isinstance(found.get("metric"), dict):
        raise NoAnswerError
    values: list[float | None] = [None] * of.count
    pairs = found.get("values")
    for pair in pairs if isinstance(pairs, list) else ():
        try:
            at_s, value = (float(each) for each in pair)
        except (TypeError, ValueError):
            raise NoAnswerError from None
        place = round((at_s - of.start_s) / of.step_s) if math.isfinite(at_s) else -1
        if 0 <= place < of.count and math.isfinite(value):
            values[place] = value
    if not any(each is not None for each in values):
        return None
    return GraphSeries(labels=_labels(found["metric"]), values=tuple(values))


def _labels(metric: Mapping[str, Any]) -> dict[str, str]:
    return {name[:MOST_LABEL]: str(value)[:MOST_LABEL].replace("\0", "") for name, value in sorted(metric.items())}
