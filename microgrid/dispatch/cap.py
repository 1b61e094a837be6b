"""The cap in dispatch (5.7): energy of neighbours is kept no dearer than the national grid's beforehand."""

import numpy as np

from microgrid.dispatch.situation import Fleet, Int
from microgrid.terms import Cap, Tariff
from microgrid.units import SECONDS_PER_MINUTE, WS_PER_KWH


def keep_cap(fleet: Fleet, target_w: Int, demand_w: int, tariff: Tariff, allowance: int) -> Int:
    """Targets after the cap: the dearest seller is cut first, to 0 even below its minimum.

    What is cut is offered to headroom priced at or below the tariff, cheapest first, then left to the
    national grid. No cut is larger than needed. `allowance` is the credit in micro-coins that one minute
    may spend.
    """
    if tariff.cap is Cap.OFF:
        return target_w
    cut = _Cut(fleet, target_w, demand_w, tariff, allowance)
    if cut.affordable(0):
        return target_w
    low, high = 1, cut.most_w
    while low < high:
        middle = (low + high) // 2
        if cut.affordable(middle):
            high = middle
        else:
            low = middle + 1
    return cut.targets(high)


class _Cut:
    """Targets as a function of how much is cut from dear sellers in all."""

    def __init__(self, fleet: Fleet, target_w: Int, demand_w: int, tariff: Tariff, allowance: int) -> None:
        self._price = fleet.price
        self._whole_w, self._total_w = target_w, int(target_w.sum())
        self._demand_w = demand_w
        self._national = tariff.national
        self._allowance = allowance * WS_PER_KWH // SECONDS_PER_MINUTE
        dear = fleet.price > tariff.national
        self._dear_w = np.where(dear, target_w, 0)
        self._room_w = np.where(dear, 0, fleet.max_w - target_w)
        self._before_dear_w = _before(self._dear_w, -fleet.price)
        self._before_room_w = _before(self._room_w, fleet.price)
        self.most_w = int(self._dear_w.sum())

    def targets(self, cut_w: int) -> Int:
        """Targets with this much cut from dear sellers and offered to cheaper headroom."""
        spare_w = min(cut_w, max(0, self._demand_w - self._total_w + cut_w))
        # `np.clip` takes three times as long on so few.
        cut = np.minimum(np.maximum(cut_w - self._before_dear_w, 0), self._dear_w)
        taken = np.minimum(np.maximum(spare_w - self._before_room_w, 0), self._room_w)
        targets: Int = self._whole_w - cut + taken
        return targets

    def affordable(self, cut_w: int) -> bool:
        """Whether the local energy of a minute at these targets costs at most T·L + allowance."""
        targets = self.targets(cut_w)
        total_w = int(targets.sum())
        if total_w == 0:
            return True
        local_w = min(total_w, self._demand_w)
        cost = int(targets @ self._price) * local_w // total_w
        return cost <= self._national * local_w + self._allowance


def _before(power_w: Int, key: Int) -> Int:
    """The sum of the power that comes before each seller's in the order of this key, then of houses."""
    order = np.argsort(key, kind="stable")
    before = np.empty_like(power_w)
    before[order] = np.cumsum(power_w[order]) - power_w[order]
    return before
