"""What load sharing has saved since the local midnight, against sharing off (8.3.4, ch. 6).

An estimate from the minutes as they came: late and corrected minutes do not move it.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from datetime import datetime, time
from zoneinfo import ZoneInfo

import numpy as np

from central_monitor.services.agreed import Agreed
from central_monitor.services.records import Records
from microgrid.columns import MinuteColumns, OrderColumns, minute_columns, order_columns
from microgrid.directives import Directive, StrategyName, strategies
from microgrid.dispatch.saving import saved
from microgrid.minute import MeterMinute, OrderMinute
from microgrid.months import local_days, local_time, minute_of, zone_of
from microgrid.units import MINUTES_PER_DAY, SECONDS_PER_MINUTE


def day_of(minute: int, zone: ZoneInfo) -> range:
    """The minutes of the local day that this one lies in: 1,440, an hour less or an hour more."""
    first = minute_of(datetime.combine(local_time(minute, zone).date(), time(), zone))
    return local_days(range(first, first + 2 * MINUTES_PER_DAY), zone)[0]


def savings_so_far(
    records: Records, agreed: Agreed, last: Mapping[str, MeterMinute], directives: Sequence[Directive]
) -> "Savings":
    """What the newest row's day has saved so far, from the records; `last` is each house's newest row."""
    newest = max((row.minute for row in last.values()), default=None)
    if newest is None:
        return Savings(agreed, last)
    day = day_of(newest, zone_of(agreed.terms.zone))
    houses = tuple(sorted(house.house for house in agreed.terms.houses))
    with closing(records.minutes.days(day.start, newest + 1, houses)) as recorded:
        return Savings(agreed, last, recorded, directives)


class Savings:
    """Keeps the day's minutes as they are recorded, and counts them when somebody looks.

    Not thread-safe: the network thread owns it.
    """

    def __init__(
        self,
        agreed: Agreed,
        last: Mapping[str, MeterMinute],
        recorded: Iterable[tuple[MinuteColumns, OrderColumns]] = (),
        directives: Sequence[Directive] = (),
    ) -> None:
        """`last` is each house's newest row, `recorded` today's minutes so far of the houses of the terms.

        Load was shared in them as these directives say, in the order they were entered.
        """
        self._agreed = agreed
        self._zone = zone_of(agreed.terms.zone)
        self._last = dict(last)
        self._forget(range(0))
        for columns, orders in recorded:
            minutes = range(columns.first_minute, columns.end_minute)
            self._day = day_of(columns.first_minute, self._zone)
            self._count(columns, orders, strategies(directives, minutes))

    def _forget(self, day: range) -> None:
        """Another day has begun."""
        self._day = day
        self._amount = 0
        self._first: int | None = None  # the first minute counted
        self._shared: dict[int, StrategyName] = {}  # minutes that are not counted yet
        self._meter: list[MeterMinute] = []
        self._orders: list[OrderMinute] = []

    def add(
        self,
        minutes: range,
        meter: Sequence[MeterMinute],
        orders: Sequence[OrderMinute],
        strategy: StrategyName,
    ) -> None:
        """Keep consecutive minutes just recorded, in which load was shared in this way.

        Earlier rows among `meter` only tell where the registers stood.
        """
        if minutes and minutes[-1] >= self._day.stop:
            self._begin(day_of(minutes[-1], self._zone))
        self._note(row for row in meter if row.minute < max(minutes.start, self._day.start))
        today = range(max(minutes.start, self._day.start), minutes.stop)
        self._shared.update(dict.fromkeys(today, strategy))
        self._meter += [row for row in meter if row.minute in today]
        self._orders += [order for order in orders if order.minute in today]

    def today(self, now_s: int) -> tuple[int, int] | None:
        """Micro-coins saved since the local midnight, and the first minute that is counted.

        None before any minute of today is recorded, and where nobody sells.
        """
        minute = now_s // SECONDS_PER_MINUTE
        if minute >= self._day.stop:
            self._begin(day_of(minute, self._zone))
        self._count_kept()
        return None if self._first is None else (self._amount, self._first)

    def _begin(self, day: range) -> None:
        rows = self._meter
        self._forget(day)
        self._note(rows)

    def _note(self, rows: Iterable[MeterMinute]) -> None:
        """Take note of where registers stood."""
        for row in rows:
            if row.house not in self._last or self._last[row.house].minute < row.minute:
                self._last[row.house] = row

    def _count_kept(self) -> None:
        if not self._shared:
            return
        minutes = range(min(self._shared), max(self._shared) + 1)
        known = {house.house for house in self._agreed.terms.houses}
        houses = tuple(sorted(known))
        columns = minute_columns(
            houses, minutes, (row for row in self._meter if row.house in known), self._last
        )
        orders = order_columns(houses, minutes, (order for order in self._orders if order.house in known))
        # Of minutes that nobody recorded nothing is known.
        shared = [self._shared.get(minute, StrategyName.OFF) for minute in minutes]
        self._count(columns, orders, shared)
        self._note(self._meter)
        self._shared, self._meter, self._orders = {}, [], []

    def _count(self, columns: MinuteColumns, orders: OrderColumns, shared: Sequence[StrategyName]) -> None:
        ordered = np.flatnonzero(orders.present.any(axis=1))
        if self._first is None and ordered.size:
            self._first = columns.first_minute + int(ordered[0])
        try:
            self._amount += int(saved(self._agreed.terms, columns, orders, shared).sum())
        except LookupError:  # without a tariff nothing is dearer than anything else
            return
