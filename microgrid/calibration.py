"""Two-point calibration of a meter: from what it reads and what is true, its new gains, offsets and angles.

No raw values are needed: a reading is gain × formula + offset, and gain and offset are known. In
docs/meter.md.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from statistics import fmean, pstdev
from typing import NamedTuple

from microgrid.sample import MeterFlag, Sample
from microgrid.wire.calibration import ITEMS

PHASES = (1, 2, 3)
_PPM = 1_000_000
_MILLI = 1000

# An angle is read from a cosine of three decimals, that is flat towards 0° and 180°. Near 90° the direction
# may be either.
LEAST_ANGLE_DEG = 30.0
CLEAR_OF_RIGHT_ANGLE_DEG = 3.0

LEAST_CLOCK_S = 60.0
CLOCK_GROUP = 10  # packets at either end of a comparison of clocks


class CalibrationError(ValueError):
    """Why a meter cannot be calibrated so, as a sentence for the installer."""


class Quantity(StrEnum):
    """What is calibrated."""

    VOLTAGE = "voltage"
    CURRENT = "current"
    ANGLE = "angle"


class Side(StrEnum):
    """Where a current is measured."""

    TIE = "tie"
    GENERATOR = "generator"


class _Bounds(NamedTuple):
    """What makes points of a quantity good."""

    unit: str
    least_distance: float  # between two points
    scatter: float  # standard deviation of the readings, of the truth and at least …
    least_scatter: float  # … this
    saturated: MeterFlag


_BOUNDS = {
    Quantity.VOLTAGE: _Bounds("V", 50.0, 0.005, 0.2, MeterFlag.VOLTAGE_SATURATED),
    Quantity.CURRENT: _Bounds("A", 2.0, 0.005, 0.01, MeterFlag.CURRENT_SATURATED),
    Quantity.ANGLE: _Bounds("°", 0.0, 0.0, 0.3, MeterFlag(0)),
}


class Channel(NamedTuple):
    """One thing a meter measures, by whose values it is corrected; voltages have no side."""

    quantity: Quantity
    phase: int  # 1 … 3
    side: Side = Side.TIE

    @property
    def unit(self) -> str:
        """Of readings and truths."""
        return _BOUNDS[self.quantity].unit

    @property
    def gain(self) -> str:
        """Name of the gain; CalibrationError for an angle, which has none."""
        return self._name("G")

    @property
    def offset(self) -> str:
        """Name of the offset, or of the angle by which is corrected."""
        return self._name("A" if self.quantity is Quantity.ANGLE else "O")

    def _name(self, kind: str) -> str:
        letter = "G" if self.side is Side.GENERATOR else "I"
        name = f"{'V' if self.quantity is Quantity.VOLTAGE else letter}{self.phase}{kind}"
        if name not in ITEMS or (kind == "G" and self.quantity is Quantity.ANGLE):
            raise CalibrationError(f"There is no {self}.")
        return name

    def __str__(self) -> str:
        if self.quantity is Quantity.VOLTAGE:
            return f"voltage of phase {self.phase}"
        return f"{self.quantity} of phase {self.phase}, {self.side}"


class Point(NamedTuple):
    """What the meter read while something else was true; volts, amperes or degrees."""

    reading: float
    truth: float


class GainOffset(NamedTuple):
    """Gain in ppm and offset in mV or mA, as the meter keeps them."""

    gain: int
    offset: int


# --- readings ---------------------------------------------------------------------------------------


def reading_of(sample: Sample, channel: Channel) -> float:
    """What a packet says of a channel, in volts, amperes or degrees.

    The generator is read from its sums: they are one phase's while the other two carry no current there.
    """
    at = channel.phase - 1
    if channel.quantity is Quantity.VOLTAGE:
        return sample.voltage_v[at]
    if channel.side is Side.GENERATOR:
        if channel.quantity is Quantity.ANGLE:
            return math.degrees(math.atan2(sample.generator_q_var, sample.generator_p_w))
        voltage_v = sample.voltage_v[at]
        return sample.generator_s_va / voltage_v if voltage_v else 0.0
    if channel.quantity is Quantity.CURRENT:
        return sample.current_a[at]
    return phase_angle_deg(sample.power_factor[at], sample.leading[at], sample.exporting[at])


def phase_angle_deg(power_factor: float, leading: bool, exporting: bool) -> float:
    """The angle of a phase's power, -180 … 180, positive where the current, counted outward, lags."""
    angle_deg = math.degrees(math.acos(power_factor))
    if not exporting:
        angle_deg -= 180.0
    return -angle_deg if leading else angle_deg


def steady_reading(samples: Sequence[Sample], channel: Channel, truth: float) -> float:
    """The mean of the readings of a channel; CalibrationError if they are no measurement of `truth`."""
    bounds = _BOUNDS[channel.quantity]
    flags = MeterFlag(0)
    for sample in samples:
        flags |= sample.flags
    if flags & bounds.saturated:
        raise CalibrationError(f"The meter cannot read so high a {channel.quantity}; apply less.")
    if flags & MeterFlag.SUPPLY_LOW:
        raise CalibrationError("The meter's supply is low; give it another.")
    driven = channel._replace(quantity=Quantity.CURRENT) if channel.quantity is Quantity.ANGLE else channel
    if not all(reading_of(sample, driven) for sample in samples):
        raise CalibrationError(f"The {driven} reads zero; is it connected and on?")
    readings = [reading_of(sample, channel) for sample in samples]
    scatter = pstdev(readings)
    if scatter > max(bounds.scatter * abs(truth), bounds.least_scatter):
        raise CalibrationError(
            f"The {channel} reads {min(readings):.3f} to {max(readings):.3f} {bounds.unit};"
            " wait until it stands still."
        )
    return fmean(readings)


# --- arithmetic -------------------------------------------------------------------------------------


def two_point(channel: Channel, present: GainOffset, one: Point, other: Point) -> GainOffset:
    """The gain and offset by which both points would have read true; CalibrationError if there are none."""
    low, high = sorted((one, other), key=lambda point: point.truth)
    bounds = _BOUNDS[channel.quantity]
    if not high.truth - low.truth >= bounds.least_distance:
        raise CalibrationError(
            f"{low.truth:g} and {high.truth:g} {bounds.unit} are too near each other;"
            f" let at least {bounds.least_distance:g} {bounds.unit} be between them."
        )
    if not low.truth > 0:
        raise CalibrationError(f"{low.truth:g} {bounds.unit} cannot be a point; it must be above zero.")
    if not high.reading > low.reading:
        raise CalibrationError(
            f"The {channel} does not rise with what is applied; is it connected to the right terminal?"
        )
    gain = present.gain * (high.truth - low.truth) / (high.reading - low.reading)
    # What the formula gives is (reading - offset) / gain, in volts or amperes.
    formula = (high.reading - present.offset / _MILLI) / (present.gain / _PPM)
    offset = (high.truth - formula * gain / _PPM) * _MILLI
    return GainOffset(_within(channel, channel.gain, gain), _within(channel, channel.offset, offset))


def angle_offset(channel: Channel, present: int, point: Point) -> int:
    """The angle value by which the point would have read true; CalibrationError if there is none."""
    size = abs(point.truth)
    if not LEAST_ANGLE_DEG <= size <= 180.0 - LEAST_ANGLE_DEG or abs(size - 90.0) < CLEAR_OF_RIGHT_ANGLE_DEG:
        raise CalibrationError(
            f"{point.truth:g}° is no angle to calibrate at; apply one between {LEAST_ANGLE_DEG:g}° and"
            f" {180 - LEAST_ANGLE_DEG:g}°, either way, and not within {CLEAR_OF_RIGHT_ANGLE_DEG:g}° of 90°."
        )
    wrong_deg = math.remainder(point.reading - point.truth, 360.0)
    return _within(channel, channel.offset, present + wrong_deg * _MILLI)


def clock_ppm(present: int, heard: Sequence[tuple[float, int]]) -> int:
    """The CLK by which a meter's uptime would have kept pace with a true clock; CalibrationError if none.

    `heard` are true seconds and the uptime in ms of the packet heard then. A packet may be heard late, never
    early: of the first and of the last ones, that with the least delay counts.
    """
    few = min(len(heard) // 2, CLOCK_GROUP)
    if few < 1 or not heard[-1][0] - heard[0][0] >= LEAST_CLOCK_S:
        raise CalibrationError(f"A clock is not compared in less than {LEAST_CLOCK_S:g} s.")
    pace = 1.0
    for _ in range(3):  # which packet was heard with the least delay depends a little on the pace itself
        (began_s, began_ms), (ended_s, ended_ms) = (
            min(group, key=lambda packet: packet[0] - packet[1] / (_MILLI * pace))
            for group in (heard[:few], heard[-few:])
        )
        pace = (ended_ms - began_ms) / _MILLI / (ended_s - began_s)
    return _within("board's clock", "CLK", present + (pace - 1.0) * _PPM)


def _within(what: object, name: str, value: float) -> int:
    item = ITEMS[name]
    whole = round(value)
    if not item.low <= whole <= item.high:
        raise CalibrationError(
            f"The {what} would need {name} = {whole} {item.unit}, beyond {item.low} … {item.high};"
            " something is wired wrongly, has a wrong value, or the truth was mistyped."
        )
    return whole
