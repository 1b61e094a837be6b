from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from microgrid.months import minute_of, month_minutes
from simulation.plant.profile import profile_faults, profile_load

KARACHI = ZoneInfo("Asia/Karachi")
BERLIN = ZoneInfo("Europe/Berlin")


def test_the_load_steps_at_the_local_minute_every_day():
    month = month_minutes("2026-06", KARACHI)
    load = profile_load(month, KARACHI, [(0, 1000), (720, 1500), (721, 0)])
    day = [1000] * 720 + [1500] + [0] * 719
    assert load.tolist() == day * 30


@pytest.mark.parametrize(("month", "minutes_of_1000"), [("2026-03", 180), ("2026-10", 300)])
def test_on_a_day_with_a_clock_change_the_clock_decides(month, minutes_of_1000):
    minutes = month_minutes(month, BERLIN)
    load = profile_load(minutes, BERLIN, [(0, 1000), (240, 1500), (1439, 7)])
    changed = [
        int(np.count_nonzero(load[minutes.index(start) :][:300] == 1000)) for start in _midnights(month)
    ]
    assert sorted(set(changed)) == sorted({240, minutes_of_1000})
    assert np.count_nonzero(load == 7) == 31


def _midnights(month):
    year, number = map(int, month.split("-"))
    return [minute_of(datetime(year, number, day, tzinfo=BERLIN)) for day in range(1, 32)]


def test_a_point_in_the_hour_that_is_left_out_does_not_outlast_the_next():
    month = month_minutes("2026-03", BERLIN)
    load = profile_load(month, BERLIN, [(0, 1), (150, 2), (180, 3)])
    day = minute_of(datetime(2026, 3, 29, tzinfo=BERLIN)) - month.start
    assert load[day : day + 1380].tolist() == [1] * 120 + [3] * 1260


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ([], "must begin at minute 0"),
        ([(1, 100)], "must begin at minute 0"),
        ([(0, 1), (5, 2), (5, 3)], "must rise"),
        ([(0, 1), (1440, 2)], "minute 1440; a day's minutes are 0 to 1439"),
        ([(0, 1), (9, -2)], "has -2 W; it must be 0 to 100000"),
    ],
)
def test_a_wrong_profile_is_told_in_words(profile, words):
    assert any(words in fault for fault in profile_faults(profile))


def test_a_right_profile_has_no_faults():
    assert profile_faults([(0, 0), (1439, 100_000)]) == []
