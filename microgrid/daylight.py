"""Day and night by the daylight table of the source (Table 6.1).

Its shortest day is in January (10 h 15 min), not in December as the source's text says.
"""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from microgrid.months import local_time, minute_of

# Start and end of usable daylight, local time, January first.
DAYLIGHT: tuple[tuple[time, time], ...] = (
    (time(7, 30), time(17, 45)),
    (time(7, 20), time(18, 10)),
    (time(7, 0), time(18, 30)),
    (time(6, 45), time(18, 45)),
    (time(6, 15), time(19, 5)),
    (time(5, 50), time(19, 20)),
    (time(6, 5), time(19, 10)),
    (time(6, 15), time(18, 50)),
    (time(6, 25), time(18, 20)),
    (time(6, 40), time(17, 50)),
    (time(7, 0), time(17, 45)),
    (time(7, 15), time(17, 40)),
)


def is_day(minute: int, zone: ZoneInfo) -> bool:
    """Whether the minute is by day, by Table 6.1, in the micro-grid's zone."""
    local = local_time(minute, zone)
    start, end = DAYLIGHT[local.month - 1]
    return start <= local.time() < end


def next_turn(minute: int, zone: ZoneInfo) -> int:
    """The first minute after this one at which day becomes night or night becomes day."""
    date = local_time(minute, zone).date()
    while True:
        for at in DAYLIGHT[date.month - 1]:
            turn = minute_of(datetime.combine(date, at, tzinfo=zone))
            if turn > minute:
                return turn
        date += timedelta(days=1)


def day_mask(first: int, end: int, zone: ZoneInfo) -> NDArray[np.bool_]:
    """`is_day` of every minute first <= m < end, as an array of that length."""
    mask = np.zeros(max(0, end - first), dtype=np.bool_)
    if not mask.size:
        return mask
    date, last = local_time(first, zone).date(), local_time(end - 1, zone).date()
    while date <= last:
        sunrise, sunset = (
            minute_of(datetime.combine(date, at, tzinfo=zone)) - first for at in DAYLIGHT[date.month - 1]
        )
        mask[max(0, sunrise) : max(0, sunset)] = True
        date += timedelta(days=1)
    return mask
