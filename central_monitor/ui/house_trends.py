"""The short trends of every house's powers, fed by each snapshot whatever screen is shown."""

from collections import defaultdict

from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.presentation import house_state
from node.qt.trend import Trend
from node.qt.value import ValueState


class HouseTrends:
    """By house, the last powers exchanged, generated and used, in W."""

    def __init__(self) -> None:
        self.exchanged: defaultdict[str, Trend] = defaultdict(Trend)
        self.generated: defaultdict[str, Trend] = defaultdict(Trend)
        self.load: defaultdict[str, Trend] = defaultdict(Trend)

    def add(self, snapshot: CentralSnapshot) -> None:
        """Append every house's powers; a house that is not heard now leaves a gap."""
        for house in snapshot.houses:
            live = house_state(house) not in (ValueState.DISCONNECTED, ValueState.STALE)
            sample = house.sample if live else None
            for trends, power_w in (
                (self.exchanged, None if sample is None else sample.exchange_p_w),
                (self.generated, None if sample is None else sample.generator_p_w),
                (self.load, None if sample is None else sample.load_w),
            ):
                trends[house.house].add(snapshot.now_s, power_w)
