"""The Day Time Algorithm: by day the load moves to the sun, by night to the generators (6.4).

The printed pair 6.4.1/6.4.2 can lock up, loses power with unequal numbers of sellers and never lowers;
targets that add up to the demand replace it. A seller rises through the levels
Gmin → 0.1 Gmax → 0.9 Gmax → Gmax: floors first, then the preferred class to 0.9, the other to 0.9, the
preferred to 1, the other to 1; cheapest first within a class.
"""

import numpy as np

from microgrid.dispatch.filling import fill, ranks
from microgrid.dispatch.situation import Fleet, Int, Situation

LOW_PERCENT, HIGH_PERCENT = 10, 90  # the source's thresholds of the loading factor
FAST_PERCENT = 20  # of what is asked of the sellers now: a change of demand beyond it is a fast step
# A step of control as long as this leaves a source the time to follow: there is nothing to bridge.
BRIDGED_STEP_S = 60


def level(fleet: Fleet, percent: int) -> Int:
    """This share of everybody's Gmax, within what can be asked."""
    return np.clip(fleet.rated_w * percent // 100, fleet.min_w, fleet.max_w)


def share_load(fleet: Fleet, demand_w: int, day: bool) -> Int:
    """Where targets come to rest: adding up to clip(demand, ΣGmin, ΣGmax)."""
    power_w = fleet.min_w.copy()
    left_w = demand_w - int(power_w.sum())
    together = np.zeros(len(fleet.houses), dtype=np.int64)
    left_w = fill(power_w, level(fleet, LOW_PERCENT), fleet.rated_w, together, left_w)
    rank = ranks((fleet.solar != day).astype(np.int64), fleet.price)
    left_w = fill(power_w, level(fleet, HIGH_PERCENT), fleet.rated_w, rank, left_w)
    fill(power_w, fleet.max_w, fleet.rated_w, rank, left_w)
    return power_w


class DayTime:
    """By the time of day; a fast step of demand goes to generators first, then moves to its place (6.3)."""

    holds_back = True

    def targets(self, situation: Situation) -> Int:
        """Power each seller should export, in W."""
        fleet, demand_w = situation.fleet, situation.demand_w
        if self._is_fast(situation):
            return _generators_first(situation)
        return share_load(fleet, demand_w, situation.day)

    def _is_fast(self, situation: Situation) -> bool:
        if situation.step_s > BRIDGED_STEP_S:
            return False
        asked_w = int(situation.standing_w.sum())
        return abs(situation.demand_w - asked_w) * 100 > FAST_PERCENT * max(asked_w, situation.demand_w)


def _generators_first(situation: Situation) -> Int:
    """The sun stays where it is, the generators take the step; beyond their limits the sun does."""
    fleet = situation.fleet
    solar, diesel = fleet.only(fleet.solar), fleet.only(~fleet.solar)
    still_w = np.clip(situation.standing_w[fleet.solar], solar.min_w, solar.max_w)
    power_w = np.empty_like(fleet.min_w)
    power_w[~fleet.solar] = share_load(diesel, situation.demand_w - int(still_w.sum()), situation.day)
    left_w = situation.demand_w - int(power_w[~fleet.solar].sum())
    power_w[fleet.solar] = (
        still_w if left_w == int(still_w.sum()) else share_load(solar, left_w, situation.day)
    )
    return power_w
