"""Months in the micro-grid's own zone: which minutes belong to a bill.

Inside, time is UTC; the zone only decides where a month begins and ends, so that days of 23 and of
25 hours bill every minute once.
"""

import re
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from microgrid.units import SECONDS_PER_MINUTE


def zone_of(name: str) -> ZoneInfo:
    """The IANA zone of this name; ValueError in words if there is none."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"There is no time zone {name!r}; use an IANA name such as Asia/Karachi.") from None


def local_time(minute: int, zone: ZoneInfo) -> datetime:
    """The local time at which the minute begins."""
    return datetime.fromtimestamp(minute * SECONDS_PER_MINUTE, zone)


def minute_of(moment: datetime) -> int:
    """The minute that contains this aware moment."""
    return int(moment.timestamp() // SECONDS_PER_MINUTE)


def month_of(minute: int, zone: ZoneInfo) -> str:
    """The month, as YYYY-MM, that the minute belongs to in this zone."""
    return local_time(minute, zone).strftime("%Y-%m")


def month_minutes(month: str, zone: ZoneInfo) -> range:
    """The minutes of a month given as YYYY-MM in this zone; ValueError in words for another form."""
    match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", month)
    if match is None or not "1970" <= match[1] < "9999":
        raise ValueError(f"{month!r} is not a month; write it as YYYY-MM, for example 2026-06.")
    first = datetime(int(match[1]), int(match[2]), 1, tzinfo=zone)
    after = (first.replace(tzinfo=None) + timedelta(days=32)).replace(day=1, tzinfo=zone)
    return range(minute_of(first), minute_of(after))


def local_days(minutes: range, zone: ZoneInfo) -> tuple[range, ...]:
    """The range cut at every local midnight, so that days of 23 and 25 hours hold every minute once.

    The first and the last may be parts of a day.
    """
    days: list[range] = []
    first = minutes.start
    while first < minutes.stop:
        date = local_time(first, zone).date() + timedelta(days=1)
        # A date the zone left out begins and ends at one moment: the next that does not is meant.
        while (end := minute_of(datetime.combine(date, time(), zone))) <= first:
            date += timedelta(days=1)
        days.append(range(first, min(end, minutes.stop)))
        first = days[-1].stop
    return tuple(days)
