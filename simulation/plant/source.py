"""Sources of power that obey an export set-point, moved by RAISE and LOWER pulses (4.4, 6.3)."""

from abc import ABC, abstractmethod

from microgrid.terms import Source as SourceKind
from microgrid.units import MINUTES_PER_DAY, SECONDS_PER_MINUTE, WS_PER_KWH, watts
from simulation.plant.config import PlantConfig
from simulation.plant.noise import Noise
from simulation.plant.sun import Site, sunshine

# Of the panels' nominal power, what reaches the inverter's output: heat, dust, wiring, conversion.
_PERFORMANCE_PERCENT = 85
_CHARGE_PERCENT = 92  # of the charged energy, what can be had back
_SLOWNESS = 10  # how much slower a source with that fault is


class Source(ABC):
    """A source of power in a house. It covers the house's load and exports `setpoint_w` on top.

    All power in whole W at the house's terminals; never above `rated_w`, never negative. The output follows
    load and set-point no faster than its ramp; it falls at once only with what feeds it. Beside that it
    trembles by its noise, which passes none of its limits, nor the export limit, and makes no export where
    the set-point is 0. Steps may be of any length within a minute: a minute of seconds ends with the same
    set-point and, but for the noise, the same output as one step of a minute, unless a battery or a tank runs
    empty in it.
    """

    def __init__(self, config: PlantConfig, rated_w: int, noise: Noise) -> None:
        self.rated_w = rated_w
        self.setpoint_w = 0
        self.slow = False  # a fault: ramp and pulse gain are a tenth
        self.running = False  # it is there to give power: the generator breaker is closed
        self._limit_w = rated_w if config.export_kw is None else min(rated_w, watts(config.export_kw))
        self._pulse_w_per_s = config.pulse_w_per_s
        self._ramp_w = config.ramp_w_per_minute
        self._noise = noise
        self._output_w = 0  # without noise

    @property
    def obeys(self) -> bool:
        """Whether it can take a pulse at all."""
        return True

    def pulse(self, direction: int, width_ms: int) -> None:
        """Shift the set-point up (+1) or down (-1) by a pulse's width, within 0 and the export limit."""
        effect_ms = width_ms // _SLOWNESS if self.slow else width_ms
        shifted = self.setpoint_w + direction * (self._pulse_w_per_s * effect_ms // 1000)
        self.setpoint_w = max(0, min(shifted, self._limit_w))

    def trip(self) -> None:
        """The generator breaker opened: the source starts again from nothing, with the same set-point."""
        self.running = False
        self._output_w = 0

    def step(
        self, load_w: int, second: int, seconds: int = SECONDS_PER_MINUTE, *, islanded: bool = False
    ) -> int:
        """Run so many seconds from this Unix second on beside this load; the power generated in them.

        `islanded`: the house is cut off, and the source gives what it can of the load and nothing more.
        """
        lowest_w, highest_w = self._limits(second, seconds)
        self.running = highest_w > 0
        ramp_w = self._ramp_w // _SLOWNESS if self.slow else self._ramp_w
        end = second + seconds
        # Differences of one line over time, so that seconds add up to the minute's ramp to the watt.
        change_w = ramp_w * end // SECONDS_PER_MINUTE - ramp_w * second // SECONDS_PER_MINUTE
        held_w = max(lowest_w, min(self._output_w, highest_w))
        wanted_w = max(lowest_w, min(load_w if islanded else load_w + self.setpoint_w, highest_w))
        output_w = max(held_w - change_w, min(wanted_w, held_w + change_w))
        if islanded:
            given_w = output_w = min(output_w, load_w)
        else:
            export_w = self._limit_w if self.setpoint_w else 0
            ceiling_w = min(highest_w, max(output_w, load_w + export_w))
            given_w = max(lowest_w, min(output_w + self._noise.at(second, seconds), ceiling_w))
        self._output_w = output_w
        self._spend(given_w, seconds)
        return given_w

    @abstractmethod
    def _limits(self, second: int, seconds: int) -> tuple[int, int]:
        """Least and most power it can give in this step; both 0 while it does not run."""

    @abstractmethod
    def _spend(self, given_w: int, seconds: int) -> None:
        """Take what the step cost from what feeds the source."""


class SolarSource(Source):
    """A solar inverter; with a battery it is a hybrid that carries the set-point through the night.

    The sun serves first; what it gives beyond load and set-point charges the battery, and what does not
    fit is curtailed.
    """

    def __init__(self, config: PlantConfig, noise: Noise, site: Site, seed: int) -> None:
        super().__init__(config, watts(config.inverter_kw), noise)
        self._site = site
        self._seed = seed
        self._array_w = watts(config.array_kwp)
        self._battery_w = self.rated_w if config.battery_kw is None else watts(config.battery_kw)
        self.capacity_ws = round(config.battery_kwh * WS_PER_KWH)
        self._stored_cws = self.capacity_ws // 2 * 100  # hundredths of a Ws: charging gives no fraction away
        self._panels_w = 0  # in this step
        self._day = -1
        self._sunshine_w_m2: tuple[int, ...] = ()

    @property
    def stored_ws(self) -> int:
        """What the battery can still give."""
        return self._stored_cws // 100

    def available_w(self, minute: int) -> int:
        """What the panels give in this minute, before the inverter's limit."""
        day, index = divmod(minute, MINUTES_PER_DAY)
        if day != self._day:
            self._sunshine_w_m2 = sunshine(day, self._site, self._seed)
            self._day = day
        return self._array_w * self._sunshine_w_m2[index] * _PERFORMANCE_PERCENT // 100_000

    def _limits(self, second: int, seconds: int) -> tuple[int, int]:
        self._panels_w = self.available_w(second // SECONDS_PER_MINUTE)
        battery_w = min(self._battery_w, self._stored_cws // (100 * seconds))
        return 0, min(self.rated_w, self._panels_w + battery_w)

    def _spend(self, given_w: int, seconds: int) -> None:
        if given_w > self._panels_w:
            self._stored_cws -= (given_w - self._panels_w) * seconds * 100
        else:
            charge_w = min(self._panels_w - given_w, self._battery_w)
            charged_cws = charge_w * seconds * _CHARGE_PERCENT
            self._stored_cws = min(self.capacity_ws * 100, self._stored_cws + charged_cws)


class DieselSource(Source):
    """A fuel generator that runs all the time, from `startup_minutes` after its start or a trip.

    Running, it gives at least its stable minimum, at once, which is exported if nobody in the house needs it.
    When what is in the tank would not carry its output through the next step it stops for good.
    """

    def __init__(self, config: PlantConfig, noise: Noise) -> None:
        super().__init__(config, watts(config.rated_kva * config.power_factor), noise)
        self._minimum_w = watts(config.minimum_kw)
        self._startup_s = config.startup_minutes * SECONDS_PER_MINUTE
        self.fuel_ws = None if config.tank_kwh is None else round(config.tank_kwh * WS_PER_KWH)
        self._empty = False
        self.trip()

    @property
    def obeys(self) -> bool:
        """Whether it can take a pulse at all: not with an empty tank."""
        return not self._empty

    def trip(self) -> None:
        """The generator breaker opened under it: it must start again, which takes its start-up time."""
        super().trip()
        self._seconds_to_start = self._startup_s

    def _limits(self, second: int, seconds: int) -> tuple[int, int]:
        if self._empty:
            return 0, 0
        if self._seconds_to_start > 0:
            self._seconds_to_start = max(0, self._seconds_to_start - seconds)
            return 0, 0
        if self.fuel_ws is None:
            return self._minimum_w, self.rated_w
        if self.fuel_ws < max(self._output_w, self._minimum_w, 1) * seconds:
            self._empty = True
            return 0, 0
        return self._minimum_w, min(self.rated_w, self.fuel_ws // seconds)

    def _spend(self, given_w: int, seconds: int) -> None:
        if self.fuel_ws is not None:
            self.fuel_ws -= given_w * seconds


def make_source(config: PlantConfig, site: Site, seed: int, house: str) -> Source | None:
    """The source this description asks for, or None for a house without one."""
    noise = Noise(config.noise_w, seed, house)
    if config.source is SourceKind.SOLAR:
        return SolarSource(config, noise, site, seed)
    if config.source is SourceKind.GENERATOR:
        return DieselSource(config, noise)
    return None
