"""Months and daylight in the micro-grid's own zone."""

from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest

from microgrid.daylight import DAYLIGHT, day_mask, is_day
from microgrid.months import local_days, local_time, minute_of, month_minutes, month_of, zone_of

ZONES = ["Asia/Karachi", "Asia/Kolkata", "Asia/Kathmandu", "Europe/Berlin", "America/New_York",
         "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "UTC"]  # fmt: skip


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("year", [2011, 2015, 2026])
def test_every_minute_of_a_year_belongs_to_exactly_one_month(name: str, year: int):
    zone = zone_of(name)
    months = [f"{year}-{number:02}" for number in range(1, 13)]
    ranges = [month_minutes(month, zone) for month in [*months, f"{year + 1}-01"]]
    for before, after in pairwise(ranges):
        assert before.stop == after.start
    for month, minutes in zip(months, ranges, strict=False):
        for minute in (minutes.start, minutes.start + 1, minutes[len(minutes) // 2], minutes.stop - 1):
            assert month_of(minute, zone) == month
        assert month_of(minutes.start - 1, zone) != month
        assert month_of(minutes.stop, zone) != month


@pytest.mark.parametrize(
    ("month", "hours"), [("2026-03", 31 * 24 - 1), ("2026-10", 31 * 24 + 1), ("2026-06", 30 * 24)]
)
def test_days_of_23_and_25_hours_bill_every_minute_once(month: str, hours: int):
    assert len(month_minutes(month, zone_of("Europe/Berlin"))) == hours * 60


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("Asia/Kolkata", "2026-05-31T18:30"),
        ("Asia/Kathmandu", "2026-05-31T18:15"),
        ("UTC", "2026-06-01T00:00"),
    ],
)
def test_a_month_begins_at_local_midnight(name: str, start: str):
    first = month_minutes("2026-06", zone_of(name)).start
    assert first == minute_of(datetime.fromisoformat(start + "+00:00"))
    assert local_time(first, zone_of(name)).isoformat()[:16] == "2026-06-01T00:00"


@pytest.mark.parametrize("month", ["2026-13", "2026-6", "26-06", "2026-06-01", "", "0099-01", "9999-12"])
def test_what_is_not_a_month_is_said_in_words(month: str):
    with pytest.raises(ValueError, match="is not a month; write it as YYYY-MM"):
        month_minutes(month, zone_of("UTC"))


@pytest.mark.parametrize("name", ["Asia/Nowhere", "", "../etc/passwd", "/etc/localtime"])
def test_what_is_not_a_zone_is_said_in_words(name: str):
    with pytest.raises(ValueError, match="use an IANA name"):
        zone_of(name)


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("month", ["2011-12", "2026-03", "2026-06", "2026-10"])
def test_the_mask_is_is_day_minute_by_minute(name: str, month: str):
    zone, minutes = zone_of(name), month_minutes(month, zone_of(name))
    some = range(minutes.stop - 3 * 1440, minutes.stop + 700)  # past a change of clocks and of the month
    expected = [is_day(minute, zone) for minute in some]
    np.testing.assert_array_equal(day_mask(some.start, some.stop, zone), expected)
    assert day_mask(some.start, some.start, zone).size == 0


def test_a_mask_may_begin_by_day():
    zone = zone_of("Asia/Karachi")
    noon = minute_of(datetime(2026, 6, 1, 12, tzinfo=zone))
    assert day_mask(noon, noon + 60, zone).all()
    assert not day_mask(noon + 720, noon + 780, zone).any()


def test_the_shortest_day_is_in_january():
    lengths = [
        datetime.combine(datetime.min, end) - datetime.combine(datetime.min, start) for start, end in DAYLIGHT
    ]
    assert min(lengths) == lengths[0] == timedelta(hours=10, minutes=15)
    assert max(lengths) == lengths[5]


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("year", [2011, 2026])
def test_local_days_hold_every_minute_once_and_only_their_own(name: str, year: int):
    zone = zone_of(name)
    minutes = range(month_minutes(f"{year}-01", zone).start, month_minutes(f"{year + 1}-01", zone).start)
    days = local_days(minutes, zone)
    assert [minute for day in days for minute in day] == list(minutes)
    dates = [local_time(day.start, zone).date() for day in days]
    assert [local_time(day.stop - 1, zone).date() for day in days] == dates
    assert len(set(dates)) == len(dates)


@pytest.mark.parametrize(
    ("name", "month", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03", 29, 23),
        ("Europe/Berlin", "2026-10", 25, 25),
        ("America/Havana", "2026-11", 1, 25),
        ("Australia/Lord_Howe", "2026-04", 5, 24.5),
        ("Asia/Kolkata", "2026-06", 7, 24),
        ("Asia/Kathmandu", "2026-06", 7, 24),
    ],
)
def test_a_local_day_is_as_long_as_its_clock_says(name: str, month: str, day: int, hours: float):
    zone = zone_of(name)
    days = local_days(month_minutes(month, zone), zone)
    assert len(days[day - 1]) == hours * 60


def test_local_days_of_a_part_of_the_month_are_cut_to_it():
    zone, month = zone_of(ZONES[2]), month_minutes("2026-06", zone_of(ZONES[2]))
    part = range(month.start + 1430, month.start + 2890)
    assert [len(day) for day in local_days(part, zone)] == [10, 1440, 10]
    assert local_days(range(5, 5), zone) == ()
