"""Merit order: the cheapest seller first, whatever its source and the time of day."""

from microgrid.dispatch.filling import fill, ranks
from microgrid.dispatch.situation import Int, Situation


class MeritOrder:
    """Everybody's minimum, then the cheapest to its maximum, and so on; equal prices at equal P/Gmax."""

    holds_back = True

    def targets(self, situation: Situation) -> Int:
        """Power each seller should export, in W."""
        fleet = situation.fleet
        power_w = fleet.min_w.copy()
        left_w = situation.demand_w - int(power_w.sum())
        fill(power_w, fleet.max_w, fleet.rated_w, ranks(fleet.price), left_w)
        return power_w
