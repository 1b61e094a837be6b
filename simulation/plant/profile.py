"""A load that follows a stated profile, the same every day: for tests that need steps at known times."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from microgrid.months import local_days, local_time, minute_of
from microgrid.units import MINUTES_PER_DAY

MAX_LOAD_W = 100_000


def profile_load(month: range, zone: ZoneInfo, profile_w: Sequence[tuple[int, int]]) -> NDArray[np.int64]:
    """Load in whole W of every minute of these whole local days.

    Each pair is a minute of the local clock's day and the load from then to the next pair's. An hour that a
    clock change skips or repeats belongs to the load that is on.
    """
    load = np.zeros(len(month), dtype=np.int64)
    for day in local_days(month, zone):
        date = local_time(day.start, zone)
        for at, power_w in profile_w:
            begins = minute_of(datetime(date.year, date.month, date.day, at // 60, at % 60, tzinfo=zone))
            load[begins - month.start : day.stop - month.start] = power_w
    return load


def profile_faults(profile_w: Sequence[tuple[int, int]]) -> list[str]:
    """What is wrong with a profile, to be put after the house's name; empty if nothing is."""
    if not profile_w or profile_w[0][0] != 0:
        return ["profile_w must begin at minute 0, such as [[0, 1000], [720, 1500]]."]
    faults = []
    minutes = [minute for minute, _ in profile_w]
    if any(later <= earlier for earlier, later in pairwise(minutes)):
        faults.append("the minutes of profile_w must rise.")
    if minutes[-1] >= MINUTES_PER_DAY:
        faults.append(f"profile_w has minute {minutes[-1]}; a day's minutes are 0 to {MINUTES_PER_DAY - 1}.")
    wrong = [power_w for _, power_w in profile_w if not 0 <= power_w <= MAX_LOAD_W]
    faults += [f"profile_w has {power_w} W; it must be 0 to {MAX_LOAD_W}." for power_w in wrong]
    return faults
