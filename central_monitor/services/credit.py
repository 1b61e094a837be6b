"""The cap's credit as it grows through the month, for dispatch and screens (5.7, the cap).

An estimate from the minutes as they came: late and corrected minutes move the bill, which is settled
anew from the database, but not this figure.
"""

from collections.abc import Mapping, Sequence

from central_monitor.services.agreed import Agreed
from central_monitor.services.controller import minute_allowance
from microgrid.columns import minute_columns, order_columns
from microgrid.energy import minute_energy
from microgrid.ledger import block_terms, closed_seconds, make_block
from microgrid.minute import MeterMinute, OrderMinute
from microgrid.months import month_of, zone_of
from microgrid.settlement import capped_cost, local_trade
from microgrid.terms import Cap


class RunningCredit:
    """Micro-coins the month's billed rate has stayed below the tariff so far."""

    def __init__(self, agreed: Agreed, last: Mapping[str, MeterMinute], credit: int = 0) -> None:
        """`last` is each house's last recorded minute; `credit` what the month's earlier minutes left."""
        self._agreed = agreed
        self._zone = zone_of(agreed.terms.zone)
        self._last = dict(last)
        newest = max((row.minute for row in last.values()), default=None)
        self._month = "" if newest is None else month_of(newest, self._zone)
        self.credit = credit

    def add(self, minutes: range, meter: Sequence[MeterMinute], orders: Sequence[OrderMinute]) -> None:
        """Take in consecutive minutes just recorded, all of one month and under one set of terms.

        Earlier rows among `meter` only tell where the registers stood.
        """
        self._note([row for row in meter if row.minute < minutes.start])
        if not minutes:
            return
        month = month_of(minutes.start, self._zone)
        if self._month and month != self._month:
            self.credit = 0
        self._month = month
        fresh = [row for row in meter if row.minute in minutes]
        agreed = self._agreed.terms
        houses = tuple(sorted(house.house for house in agreed.houses))
        terms = block_terms(agreed, houses, minutes.start)
        if terms.cap is Cap.MONTH:
            columns = minute_columns(houses, minutes, fresh, self._last)
            block = make_block(
                agreed,
                agreed.tariff_at(minutes.start),
                order_columns(houses, minutes, orders),
                minute_energy(columns).net_ws,
                closed_seconds(columns),
                slice(0, len(minutes)),
            )
            _, self.credit = capped_cost(local_trade(terms, block), terms.cap, self.credit)
        self._note(fresh)

    def _note(self, rows: Sequence[MeterMinute]) -> None:
        self._last.update({row.house: row for row in sorted(rows, key=lambda row: row.minute)})

    def allowance(self, minute: int, period_minutes: int) -> int:
        """What one minute from `minute` on may spend of the credit until the next control step."""
        return minute_allowance(self._agreed.terms.tariff_at(minute), self.credit, period_minutes)
