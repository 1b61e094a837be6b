"""A month's minutes as recorded and as settled, for what is drawn of them.

Energy and rate are those the settlement found in the minute: nothing is measured or priced a second time.
"""

from collections.abc import Generator
from contextlib import closing
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from central_monitor.services.records import Records
from microgrid.columns import MinuteColumns, OrderColumns
from microgrid.ledger import MonthLedger
from microgrid.months import month_minutes, month_of, zone_of
from microgrid.terms import Terms
from microgrid.units import MICROCOINS_PER_COIN, WS_PER_KWH

Int = NDArray[np.int64]
Floats = NDArray[np.float64]


class SettledMinutes(NamedTuple):
    """Some minutes as recorded and as settled."""

    columns: MinuteColumns
    orders: OrderColumns
    net_ws: Int  # [minutes, houses]
    local_ws: Int  # [minutes]
    local_amount: Int

    def since(self, minute: int) -> "SettledMinutes":
        """The settled values of these minutes from this one on; columns and orders stay whole."""
        skipped = max(0, minute - self.columns.first_minute)
        rest = (values[skipped:] for values in (self.net_ws, self.local_ws, self.local_amount))
        return SettledMinutes(self.columns, self.orders, *rest)


def settled_through(records: Records, terms: Terms, minutes: range) -> Generator[SettledMinutes, None, None]:
    """All minutes of the month up to the end of these, settled from its first on."""
    zone = zone_of(terms.zone)
    month = month_of(minutes.start, zone)
    if minutes.stop > month_minutes(month, zone).stop:
        raise ValueError(f"These minutes reach beyond {month}; the month is settled by itself.")
    ledger = MonthLedger(terms, month, records.habits(terms))
    with closing(records.minutes.days(ledger.minutes.start, minutes.stop, ledger.houses)) as days:
        for columns, orders in days:
            yield settled_minutes(ledger, columns, orders)


def settled_minutes(ledger: MonthLedger, columns: MinuteColumns, orders: OrderColumns) -> SettledMinutes:
    """These minutes, added to the ledger."""
    parts = list(ledger.segments(columns, orders))
    return SettledMinutes(
        columns=columns,
        orders=orders,
        net_ws=np.concatenate([part.block.net_ws for part in parts]),
        local_ws=np.concatenate([part.settled.local_energy for part in parts]),
        local_amount=np.concatenate([part.settled.local_amount for part in parts]),
    )


def generation_ws(columns: MinuteColumns) -> Int:
    """Energy generated in each minute [minutes, houses]; spread evenly over minutes nobody heard."""
    found = np.zeros(columns.present.shape, dtype=np.int64)
    edges = np.arange(columns.first_minute - 1, columns.end_minute)
    for place in range(len(columns.houses)):
        minute, epoch, generated = _rows(columns, place)
        if minute.size:
            rises = np.diff(generated)  # across epochs, or where it fell, nothing is known
            register = np.concatenate(([0], np.cumsum(rises * ((rises > 0) & (np.diff(epoch) == 0)))))
            found[:, place] = np.diff(np.rint(np.interp(edges, minute, register)).astype(np.int64))
    return found


def _rows(columns: MinuteColumns, place: int) -> tuple[Int, Int, Int]:
    """Minute, epoch and generation register of a house's rows, the nearest ones outside included."""
    before, after, heard = columns.opening, columns.closing, columns.present[:, place]
    minute = np.arange(columns.first_minute, columns.end_minute)[heard]
    epoch, generated = columns.epoch[heard, place], columns.generation_ws[heard, place]
    rows = (
        np.concatenate(([before.minute[place]], minute, [after.minute[place]])),
        np.concatenate(([before.epoch[place]], epoch, [after.epoch[place]])),
        np.concatenate(([before.generation_ws[place]], generated, [after.generation_ws[place]])),
    )
    there = rows[0] >= 0
    return rows[0][there], rows[1][there], rows[2][there]


def rate_of(amount: NDArray[Any], energy_ws: NDArray[Any]) -> Floats:
    """Coins per kWh of micro-coins and Ws; NaN where there is no energy."""
    return ratio(amount * (WS_PER_KWH / MICROCOINS_PER_COIN), energy_ws)


def ratio(above: NDArray[Any], below: NDArray[Any]) -> Floats:
    """The quotient, NaN where `below` is zero."""
    return np.where(below > 0, above / np.where(below > 0, below, 1), np.nan)
