"""Settle a month of 254 houses, day by day, from synthetic columns: time and peak memory.

Run as `python -m benchmarks.bench_settlement`. Bar: 2 s and 1 GiB; goal: 0.5 s.
Making the columns is not counted; one day of them is alive at a time, as when they are read from a database.
"""

import resource
import time
from datetime import datetime

import numpy as np

from microgrid.columns import MINUTES_PER_DAY, EdgeRows, MinuteColumns, OrderColumns
from microgrid.ledger import MonthLedger
from microgrid.months import minute_of, month_minutes, zone_of
from microgrid.terms import Contract, House, Role, Source, Tariff, Terms
from microgrid.units import SECONDS_PER_MINUTE, microcoins

HOUSES = 254
MONTH = "2026-06"
ZONE = "Asia/Karachi"
BAR_S = 2.0
BAR_BYTES = 2**30


def make_terms() -> Terms:
    """Half the houses sell, half buy; every third seller is dearer than the national grid."""
    first, end = minute_of(datetime(2020, 1, 1, tzinfo=zone_of(ZONE))), 2**31
    names = [f"H{number:03}" for number in range(HOUSES)]
    contracts = []
    for number, name in enumerate(names):
        if number % 2:
            contracts.append(
                Contract(house=name, role=Role.CONSUMER, valid_from=first, valid_to=end, max_w=6000)
            )
            continue
        source, price = (Source.GENERATOR, 25) if number % 3 == 0 else (Source.SOLAR, 8 + number % 7)
        contracts.append(
            Contract(
                house=name,
                role=Role.PRODUCER,
                valid_from=first,
                valid_to=end,
                min_w=250,
                max_w=2500,
                price=microcoins(price),
                source=source,
            )
        )
    return Terms(
        zone=ZONE,
        houses=tuple(House(house=name, name=name, connection_w=10_000) for name in names),
        contracts=tuple(contracts),
        tariffs=(Tariff(valid_from=first, valid_to=end, national=microcoins(17.6), feed_in=microcoins(5)),),
    )


class Month:
    """A month of columns, one day at a time, with registers that carry on from day to day."""

    def __init__(self, first: int, houses: tuple[str, ...], gaps_a_day: int) -> None:
        self._random = np.random.default_rng(1)
        self._first = first
        self._houses = houses
        self._gaps = gaps_a_day
        self._export = np.zeros(len(houses), dtype=np.int64)
        self._import = np.zeros(len(houses), dtype=np.int64)

    def day(self, first: int) -> tuple[MinuteColumns, OrderColumns]:
        """Columns of the day that begins with minute `first`; registers of missing minutes are 0."""
        shape = (MINUTES_PER_DAY, len(self._houses))
        power_w = np.where(np.arange(shape[1]) % 2, -1, 1) * self._random.integers(0, 3000, shape)
        energy_ws = power_w * SECONDS_PER_MINUTE
        edge = EdgeRows(
            minute=np.full(shape[1], first - 1),
            epoch=np.zeros(shape[1], dtype=np.int64),
            import_ws=self._import,
            export_ws=self._export,
            generation_ws=self._export,
        )
        export = self._export + np.cumsum(np.maximum(energy_ws, 0), axis=0)
        imported = self._import + np.cumsum(np.maximum(-energy_ws, 0), axis=0)
        self._export, self._import = export[-1].copy(), imported[-1].copy()
        present = np.ones(shape, dtype=np.bool_)
        for _ in range(self._gaps):
            # Never the last row, which is the next day's opening.
            present[self._random.integers(0, MINUTES_PER_DAY - 1, shape[1]), np.arange(shape[1])] = False
        none = np.full(shape[1], -1, dtype=np.int64)
        columns = MinuteColumns(
            houses=self._houses,
            first_minute=first,
            end_minute=first + MINUTES_PER_DAY,
            present=present,
            epoch=np.zeros(shape, dtype=np.int64),
            import_ws=np.where(present, imported, 0),
            export_ws=np.where(present, export, 0),
            generation_ws=np.where(present, export, 0),
            closed_s=np.where(present, SECONDS_PER_MINUTE, 0),
            covered_s=np.where(present, SECONDS_PER_MINUTE, 0),
            max_w=np.where(present, power_w, 0),
            min_w=np.where(present, power_w, 0),
            origin=np.zeros(shape, dtype=np.int64),
            suspect=np.zeros(shape, dtype=np.int64),
            opening=edge,
            closing=EdgeRows(none, none, none, none, none),
        )
        return columns, self._orders(first, shape)

    def _orders(self, first: int, shape: tuple[int, int]) -> OrderColumns:
        sellers = np.broadcast_to(np.arange(shape[1]) % 2 == 0, shape)
        raised = (self._random.random(shape[0]) < 0.3)[:, None] & sellers
        return OrderColumns(
            houses=self._houses,
            first_minute=first,
            end_minute=first + shape[0],
            present=sellers,
            raise_standing=raised,
            target_w=np.where(sellers, self._random.integers(250, 2500, shape), -1),
            hold=np.zeros(shape, dtype=np.int64),
            command_id=np.ones(shape, dtype=np.int64),
            acknowledged_s=np.where(sellers, (first - 5) * SECONDS_PER_MINUTE, -1),
            tie_closed=sellers,
            out_of_service=np.zeros(shape, dtype=np.bool_),
        )


def settle_month(gaps_a_day: int) -> float:
    """Seconds spent in the ledger for one month."""
    terms = make_terms()
    ledger = MonthLedger(terms, MONTH)
    minutes = month_minutes(MONTH, zone_of(ZONE))
    month = Month(minutes.start, ledger.houses, gaps_a_day)
    spent = 0.0
    for first in range(minutes.start, minutes.stop, MINUTES_PER_DAY):
        columns, orders = month.day(first)
        begun = time.perf_counter()
        ledger.add(columns, orders)
        spent += time.perf_counter() - begun
    begun = time.perf_counter()
    statements = ledger.statements()
    spent += time.perf_counter() - begun
    if statements.postings_total != 0:
        raise AssertionError("the postings do not sum to zero")
    return spent


def main() -> None:
    """Print the time of a whole month and of one with gaps in every house's every day."""
    worst = 0.0
    for label, gaps in (("every minute heard", 0), ("3 gaps a house and day", 3)):
        seconds = settle_month(gaps)
        worst = max(worst, seconds)
        print(f"settle {HOUSES} houses × 43200 minutes, {label}: {seconds:.2f} s (bar {BAR_S:g} s)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(f"peak resident memory: {peak / 2**20:.0f} MiB (bar {BAR_BYTES // 2**20} MiB)")
    raise SystemExit(0 if worst <= BAR_S and peak <= BAR_BYTES else 1)


if __name__ == "__main__":
    main()
