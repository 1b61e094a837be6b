"""Sharing off: the raise loop of 5.7.1 alone, which asks everybody alike."""

import numpy as np

from microgrid.dispatch.filling import fill
from microgrid.dispatch.situation import Int, Situation


class EqualLoading:
    """One common P/Gmax for all sellers, within their contracts; no preference."""

    holds_back = False

    def targets(self, situation: Situation) -> Int:
        """Power each seller should export, in W."""
        fleet = situation.fleet
        power_w = fleet.min_w.copy()
        left_w = situation.demand_w - int(power_w.sum())
        fill(power_w, fleet.max_w, fleet.rated_w, np.zeros_like(power_w), left_w)
        return power_w
