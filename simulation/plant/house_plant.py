"""One house's plant: load, source, breakers and exact energy, a minute or a second at a time."""

import math
from collections.abc import Callable, Sequence
from operator import sub
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray

from microgrid.months import month_minutes, month_of
from microgrid.registers import COUNTER_MODULUS
from microgrid.sample import CommandState, MeterFlag, Sample
from microgrid.units import SECONDS_PER_MINUTE
from simulation.plant.config import PlantConfig, plant_faults
from simulation.plant.faults import Fault, FaultKind
from simulation.plant.household import household_load
from simulation.plant.profile import profile_load
from simulation.plant.source import make_source
from simulation.plant.sun import Site
from simulation.plant.supply import Supply

FIRMWARE = "sim-1"
NO_FLAGS = MeterFlag(0)

MonthLoad = Callable[[range], Sequence[int] | NDArray[np.int64]]
"""The loads in W of the minutes of one calendar month."""


class PlantMinute(msgspec.Struct, frozen=True):
    """A minute of a house, as far as it has been played.

    Powers in W of the newest step, which is the whole minute or one second of it; exact registers in Ws at
    that step's end; `closed_s` seconds of this minute with the grid breaker closed.
    """

    minute: int
    load_w: int
    generator_p_w: int
    exchange_p_w: int  # positive: into the micro-grid
    import_ws: int
    export_ws: int
    generation_ws: int
    generator_breaker_closed: bool
    grid_breaker_closed: bool
    closed_s: int


class HousePlant:
    """The plant of one house from the minute `start` on; everything follows from seed, house and commands.

    `load` replaces the load of the description, for a replay. `start_ws` is what the import, export and
    generation registers begin at; `faults` count their minutes from `start`. A power is steady within a
    step and each register grows by power times seconds, so in every step generation - load is the exchange.
    """

    def __init__(
        self, house: str, config: PlantConfig, *, zone: ZoneInfo, site: Site, seed: int, start: int,
        load: MonthLoad | None = None, start_ws: tuple[int, int, int] = (0, 0, 0),
        faults: Sequence[Fault] = (),
    ) -> None:  # fmt: skip
        self.house = house
        self.source = make_source(config, site, seed, house)
        self.second = start * SECONDS_PER_MINUTE  # Unix seconds: where the plant stands
        self._load = load or _load(house, config, zone, seed)
        self._zone = zone
        self._month = range(start, start)
        self._loads = np.zeros(0, dtype=np.int32)
        self._supply = Supply(seed, house)
        self._start = start
        self._faults = tuple(faults)
        self._suffers: frozenset[FaultKind] = frozenset()
        self._take_faults()
        self._start_ws = start_ws
        self.last = PlantMinute(start - 1, 0, 0, 0, *start_ws, False, True, 0)

    @property
    def next_minute(self) -> int:
        """The minute that the next step plays, or goes on with."""
        return self.second // SECONDS_PER_MINUTE

    @property
    def flowed_ws(self) -> tuple[int, int, int]:
        """What was imported, exported and generated since the start."""
        now_ws = (self.last.import_ws, self.last.export_ws, self.last.generation_ws)
        imported_ws, exported_ws, generated_ws = map(sub, now_ws, self._start_ws)
        return imported_ws, exported_ws, generated_ws

    def suffers(self, kind: FaultKind) -> bool:
        """Whether the house has this fault now, for a command that comes and for the next step."""
        return kind in self._suffers

    def pulse(self, direction: int, width_ms: int) -> bool:
        """Move the source's set-point (+1 up, -1 down) by a pulse; False if nothing can obey."""
        if self.source is None or not self.source.obeys or self.suffers(FaultKind.TRIPPED):
            return False
        if not self.suffers(FaultKind.STUCK):
            self.source.pulse(direction, width_ms)
        return True

    def step(self, seconds: int = SECONDS_PER_MINUTE) -> PlantMinute:
        """Play so many seconds, at most to the minute's end."""
        minute, played_s = divmod(self.second, SECONDS_PER_MINUTE)
        seconds = min(seconds, SECONDS_PER_MINUTE - played_s)
        closed = FaultKind.OPEN not in self._suffers
        load_w = self._load_w(minute)
        generator_w = self._generate(load_w, seconds, islanded=not closed)
        if not closed:
            load_w = generator_w  # the rest of the house is dark
        exchange_w = generator_w - load_w
        last = self.last
        closed_s = (last.closed_s if played_s else 0) + (seconds if closed else 0)
        self.last = PlantMinute(
            minute, load_w, generator_w, exchange_w,
            last.import_ws + max(0, -exchange_w) * seconds,
            last.export_ws + max(0, exchange_w) * seconds,
            last.generation_ws + generator_w * seconds,
            self.source is not None and self.source.running, closed, closed_s,
        )  # fmt: skip
        self.second += seconds
        if self._faults and self.second % SECONDS_PER_MINUTE == 0:
            self._take_faults()
        return self.last

    def _generate(self, load_w: int, seconds: int, *, islanded: bool) -> int:
        if self.source is None:
            return 0
        if FaultKind.TRIPPED in self._suffers:
            self.source.trip()
            return 0
        return self.source.step(load_w, self.second, seconds, islanded=islanded)

    def _take_faults(self) -> None:
        minute = self.next_minute - self._start
        self._suffers = frozenset(fault.kind for fault in self._faults if fault.holds(minute))
        if self.source is not None:
            self.source.slow = self.suffers(FaultKind.SLOW)

    def to_sample(
        self, at: PlantMinute, *, boot_id: int, uptime_ms: int, sequence: int,
        command_id: int = 0, command_state: CommandState = CommandState.NONE, flags: MeterFlag = NO_FLAGS,
    ) -> Sample:  # fmt: skip
        """The reading of the house's meter for this minute, at the resolution of its serial packet.

        Phase values belong to the exchange with the micro-grid, split over the phases as evenly as whole
        watts allow. The meter sees one lagging power factor; the source covers the load's reactive power
        as it covers the active.
        """
        voltages_cv, frequency_mhz, factor_milli = self._supply.at(at.minute)
        reactive = math.sqrt(1_000_000 - factor_milli**2) / factor_milli
        generator_q = round(at.generator_p_w * reactive)
        third_w, rest_w = divmod(abs(at.exchange_p_w), 3)
        first = round((third_w + (rest_w > 0)) * 100_000 / (voltages_cv[0] * factor_milli / 1000)) / 1000
        second = round((third_w + (rest_w > 1)) * 100_000 / (voltages_cv[1] * factor_milli / 1000)) / 1000
        third = round(third_w * 100_000 / (voltages_cv[2] * factor_milli / 1000)) / 1000
        factor = factor_milli / 1000
        return Sample(
            boot_id=boot_id,
            uptime_ms=uptime_ms,
            sequence=sequence,
            voltage_v=(voltages_cv[0] / 100, voltages_cv[1] / 100, voltages_cv[2] / 100),
            current_a=(first, second, third),
            power_factor=(factor, factor, factor),
            leading=(False, False, False),
            exporting=(at.exchange_p_w > 0,) * 3,
            frequency_hz=frequency_mhz / 1000,
            generator_p_w=at.generator_p_w,
            generator_q_var=generator_q,
            generator_s_va=round(math.hypot(at.generator_p_w, generator_q)),
            exchange_p_w=at.exchange_p_w,
            exchange_q_var=round(at.exchange_p_w * reactive),
            import_counter_ws=at.import_ws % COUNTER_MODULUS,
            export_counter_ws=at.export_ws % COUNTER_MODULUS,
            generation_counter_ws=at.generation_ws % COUNTER_MODULUS,
            generator_breaker_closed=at.generator_breaker_closed,
            grid_breaker_closed=at.grid_breaker_closed,
            flags=flags,
            command_id=command_id,
            command_state=command_state,
            firmware=FIRMWARE,
        )

    def _load_w(self, minute: int) -> int:
        if minute not in self._month:
            self._month = month_minutes(month_of(minute, self._zone), self._zone)
            self._loads = np.asarray(self._load(self._month), dtype=np.int32)
        return int(self._loads[minute - self._month.start])


def _load(house: str, config: PlantConfig, zone: ZoneInfo, seed: int) -> MonthLoad:
    """What the description says the house consumes; it must be without faults."""
    profile_w, monthly_kwh = config.profile_w, config.monthly_kwh
    if profile_w is not None:
        return lambda month: profile_load(month, zone, profile_w)
    if monthly_kwh is None:
        raise ValueError(" ".join(plant_faults(house, config)))
    return lambda month: household_load(month, zone, monthly_kwh, seed, house)
