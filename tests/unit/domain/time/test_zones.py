from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.domain.time import zones
from bot.domain.time.typed import needs_zone
from tests.unit.domain.time.reading import read, said, utc


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ("13:02 UTC", "2026-11-21 13:02"),
        ("13:02 utc", "2026-11-21 13:02"),
        ("13:02UTC", "2026-11-21 13:02"),
        ("13:02Z", "2026-11-21 13:02"),
        ("13:02z", "2026-11-21 13:02"),
        ("13:02 Z", "2026-11-21 13:02"),
        ("13:02 (UTC)", "2026-11-21 13:02"),
        ("13:02 GMT", "2026-11-21 13:02"),
        ("14:02 UTC", "2026-11-20 14:02"),
        ("15:02+02:00", "2026-11-21 13:02"),
        ("15:02 +02:00", "2026-11-21 13:02"),
        ("15:02 +0200", "2026-11-21 13:02"),
        ("10:02 -03:00", "2026-11-21 13:02"),
        ("10:02 \u221203:00", "2026-11-21 13:02"),
        ("15:02 UTC+2", "2026-11-21 13:02"),
        ("18:32 UTC+5:30", "2026-11-21 13:02"),
        ("10:02 GMT-3", "2026-11-21 13:02"),
        ("5:02 am Pacific/Pitcairn", "2026-11-21 13:02"),
        ("18:32 Asia/Kolkata", "2026-11-21 13:02"),
        ("18:32 asia/kolkata", "2026-11-21 13:02"),
        ("10:02 America/Argentina/Buenos_Aires", "2026-11-21 13:02"),
        ("8:02 ET", "2026-11-21 13:02"),
        ("5:02am PT", "2026-11-21 13:02"),
        ("2026-11-21T13:02Z", "2026-11-21 13:02"),
        ("2026-11-21t13:02:30.250Z", "2026-11-21 13:02:30.250"),
        ("2026-11-21T10:02-03:00", "2026-11-21 13:02"),
        ("2026-11-21 10:02:30-03", "2026-11-21 13:02:30"),
        ("2026-07-02 10:00 PT", "2026-07-02 17:00"),
        ("2026-11-20 23:59 UTC-12", "2026-11-21 11:59"),
    ],
)
def test_a_typed_zone_means_the_same_for_every_typist(words: str, at: str) -> None:
    for zone in ("Europe/Berlin", "Asia/Tokyo", "America/Chicago"):
        moment = said(words, zone=zone)
        assert moment.at == utc(at)
        assert not moment.zone_assumed
        assert not moment.rest
    assert not needs_zone(words)


@pytest.mark.parametrize(
    ("words", "zone", "at"),
    [
        ("14:02 CET", "America/Chicago", "2026-11-21 13:02"),
        ("14:02 cet:", "America/Chicago", "2026-11-21 13:02"),
        ("2026-07-02 14:02 CET", "Europe/Berlin", "2026-07-02 12:02"),
        ("2026-07-02 14:02 CEST", "Europe/Berlin", "2026-07-02 12:02"),
        ("2026-07-02 08:00 EST", "America/New_York", "2026-07-02 12:00"),
        ("8:02 EST", "Europe/Berlin", "2026-11-21 13:02"),
        ("7:02 CST", "America/Chicago", "2026-11-21 13:02"),
        ("21:02 CST", "Asia/Shanghai", "2026-11-21 13:02"),
        ("8:02 CST", "America/Havana", "2026-11-21 13:02"),
        ("18:32 IST", "Asia/Kolkata", "2026-11-21 13:02"),
        ("15:02 IST", "Asia/Jerusalem", "2026-11-21 13:02"),
        ("2026-07-02 14:02 IST", "Europe/Dublin", "2026-07-02 13:02"),
        ("2026-07-02 14:02 BST", "Europe/London", "2026-07-02 13:02"),
        ("21:02 PST", "Asia/Manila", "2026-11-21 13:02"),
        ("5:02 PST", "Europe/Berlin", "2026-11-21 13:02"),
        ("15:02 SAST", "Africa/Johannesburg", "2026-11-21 13:02"),
        ("yesterday 14:02 CET", "Europe/Berlin", "2026-11-20 13:02"),
    ],
)
def test_an_abbreviation_has_its_meaning_in_the_typists_zone_first_and_the_common_one_after(
    words: str, zone: str, at: str
) -> None:
    moment = said(words, zone=zone)
    assert moment.at == utc(at)
    assert not moment.zone_assumed
    assert needs_zone(words)


@pytest.mark.parametrize(
    ("words", "taken", "others"),
    [
        ("14:02 CST: disk full", "2026-11-20 20:02", {"2026-11-21 06:02", "2026-11-20 19:02"}),
        ("7:02 CST", "2026-11-21 13:02", {"2026-11-20 23:02", "2026-11-21 12:02"}),
        ("21:02 cst", "2026-11-21 13:02", {"2026-11-21 03:02", "2026-11-21 02:02"}),
        ("18:32 IST", "2026-11-21 13:02", set()),
        ("13:02 BST", "2026-11-21 12:02", {"2026-11-21 07:02"}),
        ("9:02 AST", "2026-11-21 13:02", {"2026-11-21 06:02"}),
        ("17:02 GST", "2026-11-21 13:02", set()),
    ],
)
def test_of_an_abbreviation_of_several_zones_the_likeliest_is_taken_and_the_others_offered(
    words: str, taken: str, others: set[str]
) -> None:
    moment = said(words).moment
    assert moment.at == utc(taken)
    assert {each.at for each in moment.doubts} == {utc(each) for each in others}
    assert {each.reason for each in moment.doubts} <= {"as_named"}


def test_winter_time_typed_in_chicagos_summer_is_what_the_wall_showed() -> None:
    moment = said("10:02 CST", now=utc("2026-07-02 18:00"), zone="America/Chicago").moment
    assert (moment.at, moment.reason) == (utc("2026-07-02 15:02"), "wall_clock")
    assert utc("2026-07-02 16:02") in {each.at for each in moment.doubts}


def test_the_old_abbreviation_just_after_the_clocks_changed_is_not_put_a_day_back() -> None:
    after = utc("2026-03-08 15:00")
    moment = said("08:30 CST", now=after, zone="America/Chicago").moment
    assert (moment.at, moment.reason) == (utc("2026-03-08 13:30"), "wall_clock")
    assert utc("2026-03-08 14:30") in {each.at for each in moment.doubts}
    assert said("01:30 CST", now=after, zone="America/Chicago").at == utc("2026-03-08 07:30")


def test_yesterday_in_anothers_zone_may_be_the_typists_own_while_it_is_another_day_there() -> None:
    moment = said("yesterday 23:50 UTC", now=utc("2026-07-03 00:30"), zone="America/Los_Angeles").moment
    assert moment.at == utc("2026-07-02 23:50")
    assert [(each.at, each.reason) for each in moment.doubts] == [(utc("2026-07-01 23:50"), "other_date")]
    assert said("yesterday 23:50 UTC").at == utc("2026-11-20 23:50")
    assert needs_zone("yesterday 23:50 UTC")


WINTER, SUMMER = "2026-01-15", "2026-07-15"
CLOCKS: dict[str, tuple[str, str]] = {
    "WET": ("Europe/Lisbon", WINTER), "WEST": ("Europe/Lisbon", SUMMER), "CET": ("Europe/Berlin", WINTER),
    "CEST": ("Europe/Berlin", SUMMER), "MET": ("Europe/Berlin", WINTER), "MEST": ("Europe/Berlin", SUMMER),
    "EET": ("Europe/Athens", WINTER), "EEST": ("Europe/Athens", SUMMER), "MSK": ("Europe/Moscow", WINTER),
    "TRT": ("Europe/Istanbul", WINTER), "EST": ("America/New_York", WINTER), "EDT": ("America/New_York", SUMMER),
    "CDT": ("America/Chicago", SUMMER), "MST": ("America/Denver", WINTER), "MDT": ("America/Denver", SUMMER),
    "PST": ("America/Los_Angeles", WINTER), "PDT": ("America/Los_Angeles", SUMMER),
    "AKST": ("America/Anchorage", WINTER), "AKDT": ("America/Anchorage", SUMMER), "HST": ("Pacific/Honolulu", WINTER),
    "NST": ("America/St_Johns", WINTER), "NDT": ("America/St_Johns", SUMMER), "ADT": ("America/Halifax", SUMMER),
    "BRT": ("America/Sao_Paulo", WINTER), "ART": ("America/Argentina/Buenos_Aires", WINTER),
    "WAT": ("Africa/Lagos", WINTER), "CAT": ("Africa/Maputo", WINTER), "SAST": ("Africa/Johannesburg", WINTER),
    "EAT": ("Africa/Nairobi", WINTER), "IDT": ("Asia/Jerusalem", SUMMER), "PKT": ("Asia/Karachi", WINTER),
    "NPT": ("Asia/Kathmandu", WINTER), "ICT": ("Asia/Bangkok", WINTER), "WIB": ("Asia/Jakarta", WINTER),
    "WITA": ("Asia/Makassar", WINTER), "WIT": ("Asia/Jayapura", WINTER), "SGT": ("Asia/Singapore", WINTER),
    "HKT": ("Asia/Hong_Kong", WINTER), "PHT": ("Asia/Manila", WINTER), "JST": ("Asia/Tokyo", WINTER),
    "KST": ("Asia/Seoul", WINTER), "AWST": ("Australia/Perth", WINTER), "ACST": ("Australia/Adelaide", SUMMER),
    "ACDT": ("Australia/Adelaide", WINTER), "AEST": ("Australia/Sydney", SUMMER), "AEDT": ("Australia/Sydney", WINTER),
    "NZST": ("Pacific/Auckland", SUMMER), "NZDT": ("Pacific/Auckland", WINTER),
    "MEZ": ("Europe/Berlin", WINTER), "MESZ": ("Europe/Berlin", SUMMER), "WEZ": ("Europe/Lisbon", WINTER),
    "WESZ": ("Europe/Lisbon", SUMMER), "OEZ": ("Europe/Athens", WINTER), "OESZ": ("Europe/Athens", SUMMER),
}  # fmt: skip
"""Where the clocks go by an abbreviation, and when, by the tz database: what it means is what they showed."""
SEVERAL: dict[str, tuple[tuple[str, str], ...]] = {
    "CST": (("America/Chicago", WINTER), ("Asia/Shanghai", WINTER), ("America/Havana", WINTER)),
    "IST": (("Asia/Kolkata", WINTER), ("Europe/Dublin", SUMMER), ("Asia/Jerusalem", WINTER)),
    "BST": (("Europe/London", SUMMER), ("Asia/Dhaka", WINTER)),
    "AST": (("America/Halifax", WINTER), ("Asia/Riyadh", WINTER)),
    "GST": (("Asia/Dubai", WINTER), ("Atlantic/South_Georgia", WINTER)),
}
ALL_YEAR = {
    "ET": "America/New_York", "CT": "America/Chicago", "MT": "America/Denver", "PT": "America/Los_Angeles",
    "Pacific": "America/Los_Angeles", "Mountain Time": "America/Denver", "Central Time": "America/Chicago",
    "Eastern": "America/New_York", "Central European Time": "Europe/Berlin", "W. Europe Time": "Europe/Berlin",
    "Eastern European Time": "Europe/Athens", "Western European Time": "Europe/Lisbon", "British Time": "Europe/London",
    "India Standard Time": "Asia/Kolkata", "Japan Time": "Asia/Tokyo", "China Time": "Asia/Shanghai",
    "Alaska Time": "America/Anchorage", "Alaskan Time": "America/Anchorage", "Hawaii Time": "Pacific/Honolulu",
    "Hawaiian Time": "Pacific/Honolulu", "UK time": "Europe/London", "Munich time": "Europe/Berlin",
    "Berliner Zeit": "Europe/Berlin", "French time": "Europe/Paris", "Irish time": "Europe/Dublin",
    "Barcelona time": "Europe/Madrid", "Bangalore time": "Asia/Kolkata", "Tel Aviv time": "Asia/Jerusalem",
    "SF time": "America/Los_Angeles", "NYC time": "America/New_York", "Texas time": "America/Chicago",
    "New York time": "America/New_York", "PST8PDT": "America/Los_Angeles", "EST5EDT": "America/New_York",
}  # fmt: skip
ORDINARY = {
    "WET", "WEST", "MET", "EST", "MST", "NST", "ADT", "ART", "BRT", "WAT", "CAT", "EAT", "WIT", "ICT", "TRT", "HST",
    "SGT", "PHT", "IST", "AST", "GST",
}  # fmt: skip
"""Words, unless they are in capitals."""
SOMEWHERE_ELSE = "Pacific/Kiritimati"


def shown(day: str, place: str) -> datetime:
    """The instant at which the clocks of the place showed 09:30 on that day."""
    return datetime.fromisoformat(f"{day} 09:30").replace(tzinfo=ZoneInfo(place)).astimezone(UTC)


def test_the_tables_here_name_every_abbreviation_there_is() -> None:
    assert CLOCKS.keys() >= zones.FIXED.keys()
    assert SEVERAL.keys() == zones.AMBIGUOUS.keys()
    assert ALL_YEAR.keys() >= zones.GENERIC.keys()


@pytest.mark.parametrize("name", CLOCKS)
def test_an_abbreviation_is_what_the_clocks_showed_where_it_is_used(name: str) -> None:
    place, day = CLOCKS[name]
    moment = said(f"{day} 09:30 {name} disk full", zone=SOMEWHERE_ELSE)
    assert (moment.at, moment.rest) == (shown(day, place), "disk full")
    if name in zones.FIXED:
        small = read(f"{day} 09:30 {name.lower()} disk full", zone=SOMEWHERE_ELSE)
        assert small is not None
        assert small.rest == (f"{name.lower()} disk full" if name in ORDINARY else "disk full")
        usual = zones.usual_place(name)
        # The place whose wall clocks are meant all year round has a summer; so it knows the name or its other half.
        assert usual is None or shown(day, str(usual)) == shown(day, place)
        assert (usual is None) == (shown(WINTER, place).hour == shown(SUMMER, place).hour), usual


@pytest.mark.parametrize("name", SEVERAL)
def test_an_abbreviation_of_several_zones_is_what_the_clocks_of_one_of_them_showed(name: str) -> None:
    near = utc("2026-07-20 12:00")
    meant = {each.utcoffset(near) for each in zones.meanings(name, ZoneInfo(SOMEWHERE_ELSE), near)}
    assert meant == {
        datetime.fromisoformat(f"{day} 09:30").replace(tzinfo=ZoneInfo(place)).utcoffset()
        for place, day in SEVERAL[name]
    }
    assert [place for _, place in zones.AMBIGUOUS[name]] == [place for place, _ in SEVERAL[name]]


@pytest.mark.parametrize("name", ALL_YEAR)
def test_a_name_for_all_the_year_is_what_the_clocks_showed_in_both_halves(name: str) -> None:
    for day in (WINTER, SUMMER):
        moment = said(f"{day} 09:30 {name}: disk full", zone=SOMEWHERE_ELSE)
        assert (moment.at, moment.rest) == (shown(day, ALL_YEAR[name]), "disk full"), day
