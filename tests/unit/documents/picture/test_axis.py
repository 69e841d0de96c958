"""The time axis and its folds."""

from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from bot.documents.picture.axis import MOST_FOLDS, axis, scale
from bot.domain.time import format as time_format
from tests.support.timelines import START, at

LEFT, RIGHT = 140.0, 868.0
SECONDS = st.lists(st.one_of(st.integers(0, 3600), st.integers(0, 9 * 86_400)), min_size=1, max_size=60)


def instants(seconds: list[int]) -> list[datetime]:
    return [START + timedelta(seconds=second) for second in sorted(seconds)]


@given(SECONDS)
def test_the_axis_is_monotonic_and_within_its_room_however_it_is_folded(seconds: list[int]) -> None:
    moments = instants(seconds)
    measure = scale(moments, LEFT, RIGHT)
    step = (moments[-1] - moments[0]) / 200
    places = [measure.x(moments[0] + step * number) for number in range(201)]
    assert all(before <= after for before, after in pairwise(places))
    assert all(LEFT <= place <= RIGHT for place in places)
    assert all(before < after for (_, before), (_, after) in pairwise(measure.knots))
    assert len(measure.folds) <= MOST_FOLDS


@given(SECONDS)
def test_no_instant_lies_in_a_fold(seconds: list[int]) -> None:
    moments = instants(seconds)
    measure = scale(moments, LEFT, RIGHT)
    for fold in measure.folds:
        assert not [moment for moment in moments if fold.x < measure.x(moment) < fold.x + fold.width]


def test_a_long_silence_is_folded_and_its_length_told() -> None:
    measure = scale([at(minute) for minute in (0, 10, 20, 25, 225, 230, 240)], LEFT, RIGHT)
    assert [fold.lasted for fold in measure.folds] == ["3 h 20 min"]
    assert measure.x(at(240)) == RIGHT
    assert round((measure.x(at(20)) - measure.x(at(10))) / measure.pace) == 600


def test_even_steps_and_short_silences_are_not_folded() -> None:
    assert not scale([at(1440 * day) for day in (0, 4, 9)], LEFT, RIGHT).folds
    assert not scale([at(minute) for minute in (0, 1, 2, 3, 29)], LEFT, RIGHT).folds


def test_each_part_between_folds_has_a_time_of_its_own() -> None:
    moments = [at(minute) for minute in (0, 10, 20, 25, 3000, 3010, 3020, 9000, 9005)]
    measure = scale(moments, LEFT, RIGHT)
    ticks = axis(measure, ZoneInfo("UTC"), LEFT - 12, RIGHT + 12, name=time_format.short_day)
    assert len(measure.folds) == 2
    for stretch in measure.stretches:
        here = [tick for tick in ticks.clocks if measure.x(stretch.start) <= tick.x <= measure.x(stretch.end)]
        assert here
    assert [day.label for day in ticks.days] == ["27 March", "30 March", "3 April"]


def test_round_local_times_stay_round_when_the_clocks_change() -> None:
    measure = scale([START + timedelta(hours=hour) for hour in (0, 60)], LEFT, RIGHT)
    ticks = axis(measure, ZoneInfo("Europe/Berlin"), LEFT - 12, RIGHT + 12, name=time_format.short_day)
    assert [tick.label for tick in ticks.clocks] == [
        *["00:00", "06:00", "12:00", "18:00"] * 2,
        "00:00",
        "06:00",
        "12:00",
    ]
    assert [day.label for day in ticks.days] == ["28 March", "29 March", "30 March"]
