"""Some minutes of the closed loop as processes lived them: what the central recorded, settled and judged."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from central_monitor.adapters.exports import statements_json
from central_monitor.services.records import open_records
from microgrid.columns import OrderColumns
from microgrid.ledger import MonthLedger, Segment
from microgrid.minute import Fate, Hold
from microgrid.units import SECONDS_PER_MINUTE
from simulation.days import FOLDER, judged
from simulation.loop_figures import LoopFigures
from simulation.meter import make_meter
from simulation.oracle import Oracle
from simulation.plant.config import GridFile, read_grid
from simulation.plant.faults import fault_of
from simulation.settled import settled_minutes
from tests.e2e.neighbourhood import NO_FAULTS, Neighbourhood

Int = NDArray[np.int64]
Value = TypeVar("Value", np.int64, np.bool_)


class DayTown(Neighbourhood):
    """The neighbourhood of one of the days (see `simulation.days`), in steps of a minute."""

    def __init__(
        self, folder: Path, grid: str, month: str = "2026-06", minute: int = 0,
        faults: Mapping[str, Sequence[str]] = NO_FAULTS,
    ) -> None:  # fmt: skip
        """It begins at this minute of the month; `faults` count theirs from there."""
        path = FOLDER / f"{grid}.toml"
        super().__init__(folder, grid=path, month=month, faults=faults)
        self.month_name = month
        self.now = self._start_minute = self.month.start + minute
        self.plants: GridFile = read_grid(path.read_bytes())

    @property
    def minutes(self) -> range:
        """The minutes lived."""
        return range(self._start_minute, self.now)

    def at(self, hour: int, minute: int = 0) -> int:
        """The place of this local time of the first day among the minutes lived."""
        return self.month.start + 60 * hour + minute - self._start_minute

    def play_to(self, hour: int, minute: int = 0) -> None:
        """Live on until this local time of the first day."""
        self.play_until(self.month.start + 60 * hour + minute)

    def lived(self) -> "Lived":
        """What the central recorded; all processes must have ended."""
        whole = range(self.month.start, self.minutes.stop)  # a month is settled from its first minute on
        with open_records(self.database) as records:
            columns = records.minutes.read(whole.start, whole.stop)
            orders = records.minutes.read_orders(whole.start, whole.stop)
            of_day = records.minutes.read_orders(self.minutes.start, self.minutes.stop)
        segments = list(MonthLedger(self.terms, self.month_name).segments(columns, orders))
        minutes = settled_minutes(MonthLedger(self.terms, self.month_name), columns, orders)
        minutes = minutes.since(self.minutes.start)._replace(orders=of_day)
        begun = self.minutes.start - whole.start
        return Lived(
            present=columns.present[begun:],
            orders=of_day,
            net_w=minutes.net_ws // SECONDS_PER_MINUTE,
            penalty_ws=np.concatenate([part.settled.penalty_energy for part in segments])[begun:],
            sums=np.concatenate([_sum(part) for part in segments]),
            figures=judged(self.terms, self.plants, 1, minutes),
        )

    def remembered(self) -> bytes:
        """The statements of the same minutes in memory."""
        plants = {
            house: make_meter(
                self.plants, house, seed=1, start=self.minutes.start,
                faults=[fault_of(text) for text in self._faults.get(house, ())],
            ).plant
            for house in self.houses
        }  # fmt: skip
        oracle = Oracle(self.terms, plants, {}, 1)
        for _ in oracle.run(self.minutes):
            pass
        whole, played = range(self.month.start, self.minutes.stop), oracle.played
        for minute in range(whole.start, self.minutes.start):
            played.meter[minute], played.orders[minute] = [], []
        if self.minutes.start > whole.start:  # within the month an opening is a row as any other
            played.meter[self.minutes.start - 1] = list(played.opening.values())
            played.opening = {}
        return statements_json(played.statements(self.terms, self.month_name, whole))


class Lived(NamedTuple):
    """The minutes lived, [minutes, houses]; `sums` are of all minutes of the month so far."""

    present: NDArray[np.bool_]  # which meter minutes the central has
    orders: OrderColumns
    net_w: Int
    penalty_ws: Int
    sums: Int  # of all postings of a minute
    figures: LoopFigures

    def fates(self, house: str, span: slice) -> set[Fate]:
        """What became of a seller's orders in these minutes."""
        return set(map(Fate, self.of(house, self.orders.fate)[span].tolist()))

    def of(self, house: str, values: NDArray[Value]) -> NDArray[Value]:
        """A house's column."""
        return values[:, self.orders.houses.index(house)]

    def power_w(self, house: str) -> Int:
        """What a house gives by minute."""
        return self.of(house, self.net_w)

    @property
    def import_w(self) -> Int:
        """From the national grid, by minute."""
        return -self.net_w.sum(axis=1)

    def assert_sound(self, town: DayTown, *, orders_missing: bool = False) -> None:
        """Whatever happened: no minute is missing, postings come to nothing, and contracts are kept to.

        `orders_missing`: a central that was gone for a while has no order minutes of it.
        """
        assert self.present.all()
        assert (self.sums == 0).all()
        for place, house in enumerate(self.orders.houses):
            contract = town.terms.contract_at(house, town.minutes.start)
            if contract is None or contract.source is None:
                continue
            target_w, hold = self.orders.target_w[:, place], self.orders.hold[:, place]
            assert orders_missing or self.orders.present[:, place].all()
            assert (target_w <= contract.max_w).all()
            assert (self.net_w[:, place] <= contract.max_w).all()
            below = (target_w >= 0) & (target_w < contract.min_w)
            held = np.isin(hold, (Hold.CAP, Hold.OPERATOR))
            held[1:] |= held[:-1]  # who is released is held to its minimum once it had the time to respond
            assert not (below & ~held).any()


def _sum(segment: Segment) -> Int:
    """What all postings of each minute come to."""
    settled = segment.settled
    houses = settled.microgrid_amount + settled.national_amount + settled.penalty_amount
    common = settled.grid_microgrid_amount + settled.grid_national_amount
    total: Int = houses.sum(axis=1) + common + settled.reserve_microgrid_amount
    return total + settled.reserve_penalty_amount
