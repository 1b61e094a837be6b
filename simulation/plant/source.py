"""Sources of power that obey an export set-point, moved by RAISE and LOWER pulses (4.4, 6.3)."""

from abc import ABC, abstractmethod

from microgrid.terms import Source as SourceKind
from microgrid.units import SECONDS_PER_MINUTE, WS_PER_KWH, watts
from simulation.plant.config import PlantConfig
from simulation.plant.sun import Site, sunshine

# Of the panels' nominal power, what reaches the inverter's output: heat, dust, wiring, conversion.
_PERFORMANCE_PERCENT = 85
_CHARGE_PERCENT = 92  # of the charged energy, what can be had back


class Source(ABC):
    """A source of power in a house. It covers the house's load and exports `setpoint_w` on top.

    All power in whole W at the house's terminals; never above `rated_w`, never negative.
    """

    def __init__(self, config: PlantConfig, rated_w: int) -> None:
        self.rated_w = rated_w
        self.setpoint_w = 0
        self._limit_w = rated_w if config.export_kw is None else min(rated_w, watts(config.export_kw))
        self._pulse_w_per_s = config.pulse_w_per_s

    def pulse(self, direction: int, width_ms: int) -> None:
        """Shift the set-point up (+1) or down (-1) by a pulse's width, within 0 and the export limit."""
        shifted = self.setpoint_w + direction * (self._pulse_w_per_s * width_ms // 1000)
        self.setpoint_w = max(0, min(shifted, self._limit_w))

    def trip(self) -> None:  # noqa: B027 - an inverter has nothing to do
        """The generator breaker opened under the source: it must start again before it gives power."""

    @abstractmethod
    def step(self, load_w: int, minute: int) -> int:
        """Run for this minute beside this load and return the power generated."""


class SolarSource(Source):
    """A solar inverter; with a battery it is a hybrid that carries the set-point through the night.

    The sun serves first; what it gives beyond load and set-point charges the battery, and what does not
    fit is curtailed. `stored_ws` is what the battery can still give, in whole Ws.
    """

    def __init__(self, config: PlantConfig, site: Site, seed: int) -> None:
        super().__init__(config, watts(config.inverter_kw))
        self._site = site
        self._seed = seed
        self._array_w = watts(config.array_kwp)
        self._battery_w = self.rated_w if config.battery_kw is None else watts(config.battery_kw)
        self.capacity_ws = round(config.battery_kwh * WS_PER_KWH)
        self.stored_ws = self.capacity_ws // 2

    def available_w(self, minute: int) -> int:
        """What the panels give in this minute, before the inverter's limit."""
        sunshine_w_m2 = sunshine(minute // 1440, self._site, self._seed)[minute % 1440]
        return self._array_w * sunshine_w_m2 * _PERFORMANCE_PERCENT // 100_000

    def step(self, load_w: int, minute: int) -> int:
        """Run for this minute beside this load and return the power generated."""
        wanted_w = min(load_w + self.setpoint_w, self.rated_w)
        panels_w = self.available_w(minute)
        if panels_w < wanted_w:
            from_battery_w = min(wanted_w - panels_w, self._battery_w, self.stored_ws // SECONDS_PER_MINUTE)
            self.stored_ws -= from_battery_w * SECONDS_PER_MINUTE
            return panels_w + from_battery_w
        charge_w = min(panels_w - wanted_w, self._battery_w)
        charged_ws = charge_w * SECONDS_PER_MINUTE * _CHARGE_PERCENT // 100
        self.stored_ws = min(self.capacity_ws, self.stored_ws + charged_ws)
        return wanted_w


class DieselSource(Source):
    """A fuel generator that runs all the time, from `startup_minutes` after its start or a trip.

    Running, it gives at least its stable minimum, which is exported if nobody in the house needs it, and
    follows load and set-point no faster than its ramp.
    """

    def __init__(self, config: PlantConfig) -> None:
        super().__init__(config, watts(config.rated_kva * config.power_factor))
        self._minimum_w = watts(config.minimum_kw)
        self._ramp_w = watts(config.ramp_kw_per_minute)
        self._startup_minutes = config.startup_minutes
        self.trip()

    def trip(self) -> None:
        """The generator breaker opened under the source: it must start again before it gives power."""
        self._minutes_to_start = self._startup_minutes
        self._output_w = 0

    def step(self, load_w: int, minute: int) -> int:
        """Run for this minute beside this load and return the power generated."""
        if self._minutes_to_start > 0:
            self._minutes_to_start -= 1
            return 0
        wanted_w = load_w + self.setpoint_w
        ramped_w = max(self._output_w - self._ramp_w, min(wanted_w, self._output_w + self._ramp_w))
        self._output_w = max(self._minimum_w, min(ramped_w, self.rated_w))
        return self._output_w


def make_source(config: PlantConfig, site: Site, seed: int) -> Source | None:
    """The source this description asks for, or None for a house without one."""
    if config.source is SourceKind.SOLAR:
        return SolarSource(config, site, seed)
    if config.source is SourceKind.GENERATOR:
        return DieselSource(config)
    return None
