"""What a strategy is asked, and what it answers."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from microgrid.terms import Source

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Seller:
    """A connected seller obliged now: its contract's limits in W and price in micro-coins per kWh."""

    house: str
    min_w: int
    max_w: int
    price: int
    source: Source


@dataclass(frozen=True, slots=True)
class Fleet:
    """All sellers that can be asked, sorted by ID; one entry a seller in each array.

    `min_w` and `max_w` are what can be asked of a seller now, `rated_w` is its contract's Gmax: the same as
    `max_w` unless the seller does not follow.
    """

    houses: tuple[str, ...]
    min_w: Int
    max_w: Int
    rated_w: Int
    price: Int
    solar: Bool

    @classmethod
    def of(cls, sellers: Iterable[Seller]) -> "Fleet":
        """The fleet of these sellers."""
        listed = sorted(sellers, key=lambda seller: seller.house)
        max_w = np.array([s.max_w for s in listed], dtype=np.int64)
        return cls(
            houses=tuple(s.house for s in listed),
            min_w=np.array([s.min_w for s in listed], dtype=np.int64),
            max_w=max_w,
            rated_w=max_w,
            price=np.array([s.price for s in listed], dtype=np.int64),
            solar=np.array([s.source is Source.SOLAR for s in listed], dtype=np.bool_),
        )

    def only(self, chosen: Bool) -> "Fleet":
        """The sellers for which `chosen` holds."""
        return Fleet(
            tuple(house for house, taken in zip(self.houses, chosen.tolist(), strict=True) if taken),
            self.min_w[chosen],
            self.max_w[chosen],
            self.rated_w[chosen],
            self.price[chosen],
            self.solar[chosen],
        )

    def limited(self, short: Bool, over: Bool, export_w: Int) -> "Fleet":
        """Who falls `short` can be asked for no more than it gives, who is `over` for no less."""
        max_w = np.where(short, np.minimum(self.max_w, export_w), np.maximum(self.max_w, over * export_w))
        min_w = np.where(over, np.maximum(self.min_w, export_w), np.minimum(self.min_w, max_w))
        return replace(self, min_w=min_w, max_w=max_w)


@dataclass(frozen=True, slots=True)
class Situation:
    """What is to be divided: `demand_w` among the fleet.

    `standing_w` is the target each seller stands under; what it exports if it has none yet. `step_s` is
    the time until targets can be changed again.
    """

    fleet: Fleet
    demand_w: int
    standing_w: Int
    day: bool
    step_s: int


class Strategy(Protocol):
    """A way to divide demand among sellers. It keeps no state: the same situation has the same answer.

    `holds_back`: who is asked for little is held by sharing, to the good of others; else it is just its part.
    """

    holds_back: bool

    def targets(self, situation: Situation) -> Int:
        """Power each seller should export, in W, in the fleet's order.

        Targets lie within the contracts and add up to clip(demand, ΣGmin, ΣGmax).
        """
