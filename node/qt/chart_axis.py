"""Where a chart's axes have their ticks, and what stands at them."""

from datetime import datetime
from math import ceil, floor, log10
from zoneinfo import ZoneInfo

from PySide6.QtCore import QCoreApplication, QDate, QLocale

from microgrid.months import local_days, local_time
from node.qt.format import number

_CONTEXT = "chart"
_CLOCK_STEPS = (5, 10, 15, 30, 60, 120, 180, 240, 360, 720)  # minutes
_CLOCK_PX, _DATE_PX = 84, 36  # what a tick's text takes
_MOST_CLOCK_MINUTES = 3 * 24 * 60  # beyond, days are told and not hours

Tick = tuple[float, str]


def value_ticks(low: float, high: float, most: int) -> list[Tick]:
    """About so many round values at most of low <= v <= high, evenly spaced, as people read them."""
    rough = (high - low) / most
    scale = 10.0 ** floor(log10(rough))
    step = next(scale * factor for factor in (1, 2, 5, 10) if scale * factor >= rough * (1 - 1e-9))
    decimals = max(0, -floor(log10(step) + 1e-9))
    return [
        (place * step, number(place * step, decimals))
        for place in range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
    ]


def is_clock(span: range) -> bool:
    """Whether a span of minutes is short enough for hours to be told."""
    return len(span) <= _MOST_CLOCK_MINUTES


def clock_ticks(span: range, zone: ZoneInfo, width: int) -> list[Tick]:
    """Round local times, as many as fit into a width in pixels."""
    fitting = [step for step in _CLOCK_STEPS if len(span) / step * _CLOCK_PX <= width]
    step = fitting[0] if fitting else _CLOCK_STEPS[-1]
    first = -(-span.start // _CLOCK_STEPS[0]) * _CLOCK_STEPS[0]
    moments = ((minute, local_time(minute, zone)) for minute in range(first, span.stop + 1, _CLOCK_STEPS[0]))
    return [(minute, f"{at:%H:%M}") for minute, at in moments if (at.hour * 60 + at.minute) % step == 0]


def date_ticks(span: range, zone: ZoneInfo, width: int) -> list[Tick]:
    """The day of the month at each day's middle; not of every day if they do not fit into the width."""
    days = local_days(span, zone)
    every = max(1, ceil(len(days) * _DATE_PX / width))
    return [((day.start + day.stop) / 2, str(local_time(day.start, zone).day)) for day in days[::every]]


def time_caption(span: range, zone: ZoneInfo, clock: bool) -> str:
    """Which days the axis shows, by the clock or by dates, and in which zone."""
    first, last = local_time(span.start, zone), local_time(span.stop - 1, zone)
    if not clock:
        text = QCoreApplication.translate(_CONTEXT, "day of {month}, time zone {zone}")
        return text.format(month=_date(first, "MMMM yyyy"), zone=zone.key)
    days = _date(first, "dddd d MMMM yyyy")
    if last.date() != first.date():
        days = QCoreApplication.translate(_CONTEXT, "{first} to {last}").format(
            first=_date(first, "d MMMM"), last=_date(last, "d MMMM yyyy")
        )
    return QCoreApplication.translate(_CONTEXT, "{days}, local time ({zone})").format(
        days=days, zone=zone.key
    )


def _date(at: datetime, pattern: str) -> str:
    return QLocale().toString(QDate(at.year, at.month, at.day), pattern)
