"""Alerts in words: what several of them are called together."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from storage.values import Signal

_SHOWN_LABELS = 6
_LABELS_LIMIT = 200


def exact(at: datetime) -> str:
    """`14:02:03.250 UTC`: the instant as its source gave it; the milliseconds only where there are some."""
    in_utc = at.astimezone(UTC)
    return f"{in_utc:%H:%M:%S}{f'.{in_utc.microsecond // 1000:03}' if in_utc.microsecond else ''} UTC"


def words_of(signal: Signal) -> str:
    """What it is called, with what it says more: `HighLatency: p99 over 5 s`."""
    return f"{signal.title}: {signal.text}" if signal.text and signal.text != signal.title else signal.title


def summary(count: int, titles: Sequence[tuple[str, int]], labels: Mapping[str, str], example: Signal) -> str:
    """One alert in its words, several by their names: `500 alerts: HighLatency (480), DiskFull (20)`.

    The labels that all have follow in brackets. `titles` may lack the rarer ones.
    """
    told = [f"{name}={value}" for name, value in labels.items()][:_SHOWN_LABELS]
    of_all = f" ({', '.join(told)})" if told else ""
    of_all = of_all if len(of_all) <= _LABELS_LIMIT else f"{of_all[:_LABELS_LIMIT]}…)"
    if count == 1:
        return f"{words_of(example)}{of_all}"
    names = ", ".join(f"{title} ({number})" if number > 1 else title for title, number in titles)
    rest = count - sum(number for _, number in titles)
    return f"{count} alerts: {names}{f', {rest} others' if rest else ''}{of_all}"
