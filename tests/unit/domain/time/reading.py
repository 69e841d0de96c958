"""Reading times with fixed defaults: on one Saturday, in Berlin unless another zone is given."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.time.moment import Moment, place
from bot.domain.time.typed import take_time
from bot.domain.time.zones import abbreviations_of
from bot.errors import UsageError

NOW = datetime(2026, 11, 21, 13, 4, tzinfo=UTC)
"""Saturday, 14:04 in Berlin."""


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Read:
    """What was read: the moment, and the words after it."""

    moment: Moment
    rest: str

    @property
    def at(self) -> datetime:
        return self.moment.at

    @property
    def zone_assumed(self) -> bool:
        return self.moment.zone_assumed

    @property
    def seconds(self) -> bool:
        return self.moment.seconds


def read(words: str, *, now: datetime = NOW, zone: str = "Europe/Berlin") -> Read | None:
    own = ZoneInfo(zone)
    typed, rest = take_time(words, abbreviations_of(own, now), now=now)
    return Read(place(typed, now=now, zone=own), rest) if typed else None


def said(words: str, *, now: datetime = NOW, zone: str = "Europe/Berlin") -> Read:
    moment = read(words, now=now, zone=zone)
    assert moment is not None
    return moment


def refusal(words: str, *, now: datetime = NOW, zone: str = "Europe/Berlin") -> str:
    with pytest.raises(UsageError) as caught:
        read(words, now=now, zone=zone)
    return str(caught.value)
