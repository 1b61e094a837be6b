"""A day that was measured in a household, as what its meter is wired to: a minute of it is a `Mains`."""

import cmath
import math
from collections.abc import Iterator
from pathlib import Path

from simulation.emulator import Mains, Three

FILE = Path(__file__).with_name("measured_day.csv")  # where it is from is said there
HEADER = "time;active_power_kw;reactive_power_kvar;voltage_v"
MINUTES = 1440
# The household is measured in one phase; here it has three, and as everywhere they are not used alike.
SHARES = (0.5, 0.3, 0.2)
# A generator of the sun, which the household did not have, makes it export for some hours.
SUNRISE, SUNSET = 8 * 60, 18 * 60
PEAK_W = 4800.0


def measured_day() -> Iterator[Mains]:
    """What the meter is wired to in each minute of the day."""
    lines = [line for line in FILE.read_text(encoding="ascii").splitlines() if not line.startswith("#")]
    assert lines[0] == HEADER
    assert len(lines) == 1 + MINUTES
    for minute, line in enumerate(lines[1:]):
        time, *values = line.split(";")
        assert time == f"{minute // 60:02}:{minute % 60:02}"
        power_kw, reactive_kvar, voltage_v = map(float, values)
        yield _mains(minute, complex(power_kw, reactive_kvar) * 1000, voltage_v)


def sun_w(minute: int) -> float:
    """What the generator gives."""
    return max(0.0, PEAK_W * math.sin(math.pi * (minute - SUNRISE) / (SUNSET - SUNRISE)))


def _mains(minute: int, load_va: complex, voltage_v: float) -> Mains:
    """Complex powers: the angle is that by which the current lags; the exchange is counted outward."""
    generated_va = cmath.rect(sun_w(minute) / 3, math.radians(4.0))
    exchanged_va = [generated_va - share * load_va for share in SHARES]
    return Mains(
        voltage_v=(voltage_v, voltage_v, voltage_v),
        current_a=_three([abs(power) / voltage_v for power in exchanged_va]),
        angle_deg=_three([math.degrees(cmath.phase(power)) for power in exchanged_va]),
        generator_a=_three([abs(generated_va) / voltage_v] * 3),
        generator_angle_deg=_three([math.degrees(cmath.phase(generated_va))] * 3),
        frequency_hz=50 + 0.03 * math.sin(minute / 97),
        generator_closed=sun_w(minute) > 0,
    )


def _three(values: list[float]) -> Three:
    first, second, third = values
    return first, second, third
