"""What a household consumes, minute by minute, as chapter 9 describes it (9.2)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from microgrid.months import local_time, minute_of
from simulation.plant.streams import stream

WMIN_PER_KWH = 60_000  # watt-minutes, the energy of 1 W for a minute
DAY_STARTS, DAY_ENDS = 7, 19  # local hours of the source's "12 hour basis"
DAY_KWH = (6.0, 18.0)
NIGHT_KWH = (4.0, 9.0)
REFERENCE_DAYS = 30  # the month the given kWh belong to

# Watts, shortest and longest run in minutes; a household of Karachi.
_APPLIANCES: tuple[tuple[int, int, int], ...] = (
    (1500, 4, 8),  # kettle
    (1000, 10, 25),  # iron
    (1200, 20, 60),  # air conditioner
    (750, 15, 30),  # water pump
    (500, 30, 60),  # washing machine
    (900, 3, 10),  # microwave oven
    (150, 60, 180),  # television
)
_MOST_AT_ONCE_W = 2000  # of appliances beside the base
_APPLIANCE_SHARE = 0.4  # of a half-day's energy; the rest is the base
_TRIES = 14  # appliances drawn for half a day
# The base by local hour: a low in the early morning, a high in the evening.
_BASE_BY_HOUR = (
    62, 56, 52, 50, 52, 62, 80, 95, 100, 98, 96, 98,
    104, 108, 104, 100, 100, 106, 118, 130, 132, 120, 98, 76,
)  # fmt: skip


def household_load(
    month: range, zone: ZoneInfo, monthly_kwh: float, seed: int, house: str
) -> NDArray[np.int64]:
    """Load in whole W of every minute of one calendar month.

    Each day draws its energy from 6–18 kWh between 07 and 19 o'clock and 4–9 kWh in the other hours; the
    draws are then moved towards one end of their ranges until the month makes `monthly_kwh` × days / 30,
    met to the watt-minute. A month that cannot be had inside the ranges (below 10 or above 27 kWh a day)
    scales all draws alike and leaves them. The whole month is made at once: cutting it changes nothing.
    """
    random = stream(seed, house, "load", month.start)
    periods = _half_days(month, zone)
    days = len(periods) // 2
    target_wmin = round(monthly_kwh * WMIN_PER_KWH * days / REFERENCE_DAYS)
    energies = _energies(target_wmin, days, random)
    base = _base(month, zone, random)
    load = np.zeros(len(month), dtype=np.int64)
    for minutes, energy_wmin in zip(periods, energies, strict=True):
        at = np.concatenate([np.arange(part.start, part.stop) for part in minutes]) - month.start
        blocks = _appliances(len(at), energy_wmin, random)
        load[at] = blocks + spread(energy_wmin - int(blocks.sum()), base[at])
    return load


def spread(total: int, weights: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole numbers in proportion to `weights` (all positive) whose sum is exactly `total`."""
    edges = np.cumsum(weights)
    steps = np.floor(edges * (total / edges[-1]) + 0.5).astype(np.int64)
    return np.asarray(np.diff(steps, prepend=np.int64(0)))


def _half_days(month: range, zone: ZoneInfo) -> list[tuple[range, ...]]:
    """Day and night of every local date of the month in turn; the night is the date's two dark ends."""
    periods: list[tuple[range, ...]] = []
    date = local_time(month.start, zone).date()
    start = month.start
    while start < month.stop:
        morning = minute_of(datetime(date.year, date.month, date.day, DAY_STARTS, tzinfo=zone))
        evening = minute_of(datetime(date.year, date.month, date.day, DAY_ENDS, tzinfo=zone))
        date += timedelta(days=1)
        end = minute_of(datetime(date.year, date.month, date.day, tzinfo=zone))
        periods += [(range(morning, evening),), (range(start, morning), range(evening, end))]
        start = end
    return periods


def _energies(target_wmin: int, days: int, random: np.random.Generator) -> list[int]:
    """Energy in watt-minutes of every half-day, day first, summing to the target."""
    low = np.tile([DAY_KWH[0], NIGHT_KWH[0]], days) * WMIN_PER_KWH
    high = np.tile([DAY_KWH[1], NIGHT_KWH[1]], days) * WMIN_PER_KWH
    drawn = low + (high - low) * random.random(2 * days)
    if not low.sum() <= target_wmin <= high.sum():
        return [int(energy) for energy in spread(target_wmin, drawn)]
    if drawn.sum() > target_wmin:
        drawn = low + (drawn - low) * ((target_wmin - low.sum()) / (drawn - low).sum())
    else:
        drawn = high - (high - drawn) * ((high.sum() - target_wmin) / (high - drawn).sum())
    return [int(energy) for energy in spread(target_wmin, drawn)]


def _base(month: range, zone: ZoneInfo, random: np.random.Generator) -> NDArray[np.float64]:
    """Shape of the base load: the hour's level, a few per cent up and down every quarter of an hour."""
    first = local_time(month.start, zone)
    offset = first.hour * 60 + first.minute
    # Local time is read off an hour late or early after a clock change inside the month; for a shape of
    # consumption that is near enough, while day and night above are exact.
    clock = (np.arange(len(month)) + offset) % 1440 / 60
    level = np.interp(clock, np.arange(25), [*_BASE_BY_HOUR, _BASE_BY_HOUR[0]])
    quarters = random.random(len(month) // 15 + 1)
    return np.asarray(level * (0.85 + 0.3 * np.repeat(quarters, 15)[: len(month)]))


def _appliances(minutes: int, energy_wmin: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Appliances running in blocks of minutes, together within their share of the half-day's energy."""
    load = np.zeros(minutes, dtype=np.int64)
    left_wmin = int(energy_wmin * _APPLIANCE_SHARE)
    for which, where, how_long in random.random((_TRIES, 3)).tolist():
        power_w, shortest, longest = _pick(_APPLIANCES, which)
        length = shortest + int(how_long * (longest - shortest + 1))
        start = int(where * (minutes - length))
        block = load[start : start + length]
        if power_w * length > left_wmin or int(block.max()) + power_w > _MOST_AT_ONCE_W:
            continue
        block += power_w
        left_wmin -= power_w * length
    return load


def _pick(choices: Sequence[tuple[int, int, int]], draw: float) -> tuple[int, int, int]:
    return choices[int(draw * len(choices))]
