"""The days of a ledger: sums by local day, and the points from which a day can be settled again."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from microgrid.block import Settled
from microgrid.terms import COMMON_ACCOUNTS

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]


class LedgerPoint(msgspec.Struct, frozen=True, kw_only=True):
    """What a ledger knows before `minute` from the month's earlier minutes, besides their sums.

    `credit` is the cap's in micro-coins; `was_closed` says for each house, by ID, whether its breaker was
    closed when last heard.
    """

    minute: int
    credit: int
    was_closed: tuple[bool, ...]


@dataclass(frozen=True)
class DaySums:
    """One local day of all accounts, or the part of it that is settled: `first_minute` <= m < `end_minute`.

    `accounts` are the houses by ID, then national grid, reserve and losses; every array has an entry for
    each. Signs and units are those of `statement.Account`, the parts of a penalty those of
    `statement.PenaltyParts`. A ledger resumed at `start` settles the day again to the same minutes.
    """

    first_minute: int
    end_minute: int
    start: LedgerPoint
    accounts: tuple[str, ...]
    microgrid_energy: Int
    national_grid_energy: Int
    microgrid_amount: Int
    national_grid_amount: Int
    deficit_energy: Int
    deficit_amount: Int
    minimum_energy: Int
    minimum_amount: Int
    penalty_energy: Int
    penalty_amount: Int
    estimated_energy: Int
    estimated_minutes: Int


_ARRAYS = tuple(DaySums.__annotations__)[4:]


def totals(days: Sequence[DaySums], accounts: int) -> dict[str, Int]:
    """The sums of some days by name, for the first so many accounts."""
    sums = {name: np.zeros(accounts, dtype=np.int64) for name in _ARRAYS}
    for day in days:
        for name, values in sums.items():
            values += getattr(day, name)[:accounts]
    return sums


_HOUSE_SUMS = (
    ("microgrid_energy", "sold_energy", "sellers", 1),
    ("microgrid_energy", "bought_energy", "buyers", -1),
    ("national_grid_energy", "fed_in_energy", "sellers", 1),
    ("national_grid_energy", "tariff_energy", "buyers", -1),
    ("microgrid_amount", "sold_amount", "sellers", 1),
    ("microgrid_amount", "bought_amount", "buyers", -1),
    ("national_grid_amount", "fed_in_amount", "sellers", 1),
    ("national_grid_amount", "tariff_amount", "buyers", -1),
    ("deficit_energy", "short_energy", "sellers", 1),
    ("deficit_amount", "short_amount", "sellers", -1),
    ("minimum_energy", "below_energy", "sellers", 1),
    ("minimum_amount", "below_amount", "sellers", -1),
)
"""A house's sum, the figure of a settled block that adds to it, of which houses, and its sign."""

_COMMON_SUMS = {
    "microgrid_energy": ("grid_microgrid_energy", None, None),
    "national_grid_energy": ("grid_national_energy", None, "losses_energy"),
    "microgrid_amount": ("grid_microgrid_amount", "reserve_microgrid_amount", None),
    "national_grid_amount": ("grid_national_amount", None, None),
}
"""The same by minute, for national grid, reserve and losses."""


class OpenDay:
    """A day while its minutes are added up."""

    def __init__(self, start: LedgerPoint, houses: tuple[str, ...]) -> None:
        self.start = start
        self.end_minute = start.minute
        self._accounts = (*houses, *COMMON_ACCOUNTS)
        self._sums = {name: np.zeros(len(self._accounts), dtype=np.int64) for name in _ARRAYS}

    def add(self, settled: Settled, net_ws: Int, estimated: Bool) -> None:
        """Add the day's next minutes."""
        houses = net_ws.shape[1]
        for name, figure, side, sign in _HOUSE_SUMS:
            self._sums[name][getattr(settled, side)] += sign * getattr(settled, figure).sum(axis=0)
        for name, figures in _COMMON_SUMS.items():
            self._sums[name][houses:] += [0 if of is None else getattr(settled, of).sum() for of in figures]
        some = np.flatnonzero(estimated.any(axis=0))
        self._sums["estimated_minutes"][some] += estimated[:, some].sum(axis=0)
        self._sums["estimated_energy"][some] += (net_ws[:, some] * estimated[:, some]).sum(axis=0)
        self.end_minute += len(net_ws)

    def sums(self) -> DaySums:
        """The day so far. What houses pay in penalties is the reserve's."""
        sums = {name: values.copy() for name, values in self._sums.items()}
        for part in ("deficit_amount", "minimum_amount"):
            sums[part][-2] = -sums[part].sum()
        sums["penalty_energy"] = sums["deficit_energy"] + sums["minimum_energy"]
        sums["penalty_amount"] = sums["deficit_amount"] + sums["minimum_amount"]
        return DaySums(
            first_minute=self.start.minute,
            end_minute=self.end_minute,
            start=self.start,
            accounts=self._accounts,
            **sums,
        )
