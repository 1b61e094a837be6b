"""A month of 254 houses through the ledger alone, from columns in memory. Bar: 3 s and 1 GiB; goal: 1 s.

Making the columns is not counted; one day of them is alive at a time, as when they are read from a database.
"""

import numpy as np

from benchmarks.measure import Spent, medians, peak_bytes, show, spending
from benchmarks.neighbourhood import HOUSES, MONTH, make_terms
from microgrid.columns import EdgeRows, MinuteColumns, OrderColumns
from microgrid.ledger import MonthLedger
from microgrid.months import month_minutes, zone_of
from microgrid.units import MINUTES_PER_DAY, SECONDS_PER_MINUTE

BAR_S = 3.0
BAR_BYTES = 2**30
ROUNDS = 3


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
            fate=np.zeros(shape, dtype=np.int64),
            command_id=np.ones(shape, dtype=np.int64),
            acknowledged_s=np.where(sellers, (first - 5) * SECONDS_PER_MINUTE, -1),
            tie_closed=sellers,
            out_of_service=np.zeros(shape, dtype=np.bool_),
        )


def settle_month(gaps_a_day: int) -> Spent:
    """What the ledger costs for one month."""
    terms = make_terms()
    ledger = MonthLedger(terms, MONTH)
    minutes = month_minutes(MONTH, zone_of(terms.zone))
    month = Month(minutes.start, ledger.houses, gaps_a_day)
    total = Spent()
    for first in range(minutes.start, minutes.stop, MINUTES_PER_DAY):
        columns, orders = month.day(first)
        with spending() as spent:
            ledger.add(columns, orders)
        total.wall_s += spent.wall_s
        total.cpu_s += spent.cpu_s
    statements = ledger.statements()
    if statements.postings_total != 0:
        raise AssertionError("the postings do not sum to zero")
    return total


def main() -> None:
    """Print the time of a whole month and of one with gaps in every house's every day, taken in turns."""
    cases = {"every minute heard": 0, "3 gaps a house and day": 3}
    runs: dict[str, list[Spent]] = {label: [] for label in cases}
    for _ in range(ROUNDS):
        for label, gaps in cases.items():
            runs[label].append(settle_month(gaps))
    for label, spent in runs.items():
        show(f"{HOUSES} houses × 43200 minutes, {label}", medians(spent))
    show("peak resident memory", f"{peak_bytes() / 2**20:.0f} MiB")
    worst = max(medians(spent).wall_s for spent in runs.values())
    raise SystemExit(0 if worst <= BAR_S and peak_bytes() <= BAR_BYTES else 1)


if __name__ == "__main__":
    main()
