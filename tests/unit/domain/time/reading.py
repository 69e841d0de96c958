"""Reading times with fixed defaults: on one Saturday, in Berlin unless another zone is given."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.time.moment import Moment, parse_moment
from bot.errors import UsageError

NOW = datetime(2026, 11, 21, 13, 4, tzinfo=UTC)
"""Saturday, 14:04 in Berlin."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def read(words: str, *, now: datetime = NOW, zone: str = "Europe/Berlin") -> Moment | None:
    return parse_moment(words, now=now, zone=ZoneInfo(zone))


def said(words: str, *, now: datetime = NOW, zone: str = "Europe/Berlin") -> Moment:
    moment = read(words, now=now, zone=zone)
    assert moment is not None
    return moment


def refusal(words: str, *, now: datetime = NOW, zone: str = "Europe/Berlin") -> str:
    with pytest.raises(UsageError) as caught:
        read(words, now=now, zone=zone)
    return str(caught.value)
