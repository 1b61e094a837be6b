"""The registers of an Eastron SDM630, three phases, and what they say as a sample. No line, no clock.

Register map: Eastron, "SDM630 Modbus Protocol". Each parameter is a 32-bit IEEE 754 float in two registers,
the most significant first. The meter counts as its own import what comes in at its supply terminals, which
are those towards the micro-grid: all its signs are turned round here. What this means for wiring, breakers
and counters stands in docs/meters-modbus.md.
"""

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from microgrid.commissioning import DEAD_BELOW, NOMINAL_V
from microgrid.registers import COUNTER_MODULUS
from microgrid.sample import CommandState, MeterFlag, Sample
from microgrid.wire.errors import WireError
from microgrid.wire.serial import at_resolution

FIRST_REGISTER = 0  # 30001
REGISTER_COUNT = 76  # through 30076, in one request: the meter answers at most 80
SERIAL_NUMBER = 0xFC00  # holding registers, two: an unsigned 32-bit number
SERIAL_NUMBER_COUNT = 2
NAME = "SDM630"

WS_PER_KWH = 3_600_000
COARSEST_STEP_WS = 36_000  # 0.01 kWh; some count more finely
LIVE_V = DEAD_BELOW * NOMINAL_V
FREQUENCIES_HZ = (40.0, 70.0)
MAX_FACTOR = 1.01  # rounding
REVERSE_FLOW_W = 20  # of the generator: what it takes below this is its electronics

Three = tuple[float, float, float]
Value = TypeVar("Value")


class NotSdm630(ValueError):
    """These registers are not an SDM630's, or are not set as they leave the factory; the text says what."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one SDM630 shows at one moment, by its own sign: positive flows in at its supply terminals."""

    voltage_v: Three
    current_a: Three
    power_w: Three
    reactive_var: Three
    power_factor: Three  # its sign differs between the meter's makes: not to be used
    total_w: float
    total_var: float
    total_va: float
    frequency_hz: float
    import_kwh: float
    export_kwh: float

    @property
    def is_live(self) -> bool:
        """Whether any phase has voltage."""
        return any(voltage >= LIVE_V for voltage in self.voltage_v)

    def carries(self, phase: int) -> bool:
        """Whether there is a current with a voltage to it."""
        return self.voltage_v[phase] > 0 and self.current_a[phase] != 0

    @property
    def imported_w(self) -> float:
        """The power its import register counts: it counts each phase by itself."""
        return sum(max(0.0, power) for power in self.power_w)

    @property
    def exported_w(self) -> float:
        """The power its export register counts."""
        return sum(max(0.0, -power) for power in self.power_w)


def decode(registers: Sequence[int]) -> Reading:
    """What these input registers, from `FIRST_REGISTER` on, show; NotSdm630 if that cannot be."""
    if len(registers) != REGISTER_COUNT:
        raise NotSdm630(f"it answers with {len(registers)} registers, not {REGISTER_COUNT}")
    floats = struct.unpack(f">{REGISTER_COUNT // 2}f", struct.pack(f">{REGISTER_COUNT}H", *registers))
    used = (*floats[:15], floats[26], floats[28], floats[30], *floats[35:38])
    if not all(map(math.isfinite, used)):
        raise NotSdm630("one of its values is no number")
    reading = Reading(
        voltage_v=_three(floats, 0),
        current_a=_three(floats, 3),
        power_w=_three(floats, 6),
        reactive_var=_three(floats, 12),
        power_factor=_three(floats, 15),
        total_w=floats[26],
        total_va=floats[28],
        total_var=floats[30],
        frequency_hz=floats[35],
        import_kwh=floats[36],
        export_kwh=floats[37],
    )
    low, high = FREQUENCIES_HZ
    if reading.is_live and not low <= reading.frequency_hz <= high:
        raise NotSdm630(f"its frequency would be {reading.frequency_hz:.4g} Hz")
    # So written that what is no number is refused too; without current the meter may show anything.
    if not all(abs(reading.power_factor[n]) <= MAX_FACTOR for n in range(3) if reading.carries(n)):
        raise NotSdm630("one of its power factors would be beyond 1")
    if min(reading.import_kwh, reading.export_kwh) < 0:
        raise NotSdm630("one of its counters would be negative")
    return reading


def _each(of: Callable[[int], Value]) -> tuple[Value, Value, Value]:
    """This of each phase."""
    return of(0), of(1), of(2)


def _three(floats: Sequence[float], first: int) -> Three:
    return _each(lambda phase: floats[first + phase])


def serial_number(registers: Sequence[int]) -> int:
    """The meter's serial number from the two registers at `SERIAL_NUMBER`; NotSdm630 if it has none."""
    if len(registers) != SERIAL_NUMBER_COUNT or not any(registers):
        raise NotSdm630("it has no serial number")
    high, low = registers
    return high << 16 | low


class EvenCounter:
    """A kWh register as a counter of Ws that rises evenly, although the register rises in steps.

    A step of 0.01 kWh is what 600 W carry in a minute: the register alone would give the minutes of a small
    house 0 or a step. Between two steps the counter goes on by the power. It is never ahead of the register
    and never more than a step behind it, and it starts at the register: so it does not fall when the program
    is started again, and no energy is made or lost by it.
    """

    def __init__(self) -> None:
        self._ws: float | None = None

    def advance(self, kwh: float, power_w: float, elapsed_s: float) -> int:
        """The counter, carried on over this time; it falls only where the register itself fell."""
        shown_ws = kwh * WS_PER_KWH
        if self._ws is None or shown_ws < self._ws:
            self._ws = shown_ws
        else:
            carried_ws = self._ws + max(0.0, power_w) * elapsed_s
            self._ws = min(shown_ws, max(carried_ws, shown_ws - _step_ws(kwh)))
        return math.floor(self._ws)


def _step_ws(kwh: float) -> float:
    """By how much the register may rise at once: a step of the meter's, rounded to a float this large."""
    _, exponent = math.frexp(kwh)
    return COARSEST_STEP_WS + math.ldexp(WS_PER_KWH, exponent - 24)


class Sdm630:
    """Readings of a house's meter, and of its generator's if that has one, become the house's samples."""

    def __init__(self, number: int) -> None:
        """`number` is the meter's serial number: another one is another start of a meter."""
        self.number = number
        self._imported, self._exported, self._generated = EvenCounter(), EvenCounter(), EvenCounter()
        self._uptime_ms: int | None = None

    def sample(self, uptime_ms: int, sequence: int, tie: Reading, generator: Reading | None) -> Sample:
        """The house at this moment; NotSdm630 if a value is beyond anything a house can have."""
        elapsed_s = 0.0 if self._uptime_ms is None else (uptime_ms - self._uptime_ms) / 1000
        imported = self._imported.advance(tie.import_kwh, tie.imported_w, elapsed_s)
        exported = self._exported.advance(tie.export_kwh, tie.exported_w, elapsed_s)
        generated = 0
        if generator is not None:
            generated = self._generated.advance(generator.export_kwh, generator.exported_w, elapsed_s)
        self._uptime_ms = uptime_ms
        made = Sample(
            boot_id=self.number,
            uptime_ms=uptime_ms,
            sequence=sequence,
            voltage_v=tie.voltage_v,
            current_a=_each(lambda n: abs(tie.current_a[n])),
            power_factor=_each(lambda n: min(1.0, abs(tie.power_factor[n])) if tie.carries(n) else 0.0),
            leading=_each(lambda n: tie.carries(n) and tie.power_w[n] * tie.reactive_var[n] < 0),
            exporting=_each(lambda n: tie.carries(n) and tie.power_w[n] < 0),
            frequency_hz=tie.frequency_hz if tie.is_live else 0.0,
            generator_p_w=0 if generator is None else round(-generator.total_w),
            generator_q_var=0 if generator is None else round(-generator.total_var),
            generator_s_va=0 if generator is None else round(abs(generator.total_va)),
            exchange_p_w=round(-tie.total_w),
            exchange_q_var=round(-tie.total_var),
            import_counter_ws=imported % COUNTER_MODULUS,
            export_counter_ws=exported % COUNTER_MODULUS,
            generation_counter_ws=generated % COUNTER_MODULUS,
            generator_breaker_closed=generator is not None and generator.is_live,
            grid_breaker_closed=tie.is_live,
            flags=_flags(generator),
            command_id=0,
            command_state=CommandState.NONE,
            firmware=NAME,
        )
        try:
            return at_resolution(made)
        except WireError as fault:
            raise NotSdm630(str(fault).removesuffix(".")) from fault


def _flags(generator: Reading | None) -> MeterFlag:
    if generator is not None and generator.total_w > REVERSE_FLOW_W:
        return MeterFlag.REVERSE_FLOW
    return MeterFlag(0)
