"""What a meter measures, as readings for the screens of both programs."""

from math import hypot

from PySide6.QtCore import QCoreApplication

from microgrid.sample import Sample
from node.qt.format import MINUS, Quantity, number, power
from node.qt.value import Reading, ValueState

_CONTEXT = "measured"
_UNITY = 0.995  # from here on a power factor is shown as 1.00, which neither leads nor lags

# The widest each is expected to be.
VOLTAGE = Quantity("999.9", "V")
CURRENT = Quantity("999.99", "A")
FREQUENCY = Quantity("99.99", "Hz")
POWER = Quantity(f"{MINUS}99.99", "kW")


def voltage(sample: Sample | None, phase: int, state: ValueState) -> Reading:
    """The phase's voltage."""
    value = 0.0 if sample is None else sample.voltage_v[phase]
    return Reading(Quantity(number(value, 1), VOLTAGE.unit), state)


def current(sample: Sample | None, phase: int, state: ValueState) -> Reading:
    """The phase's current."""
    value = 0.0 if sample is None else sample.current_a[phase]
    return Reading(Quantity(number(value, 2), CURRENT.unit), state)


def power_factor(sample: Sample | None, phase: int, state: ValueState) -> Reading:
    """The phase's power factor, with lead or lag, which is measured too, in place of a unit."""
    if sample is None or state is ValueState.DISCONNECTED:
        return Reading(Quantity("", ""), ValueState.DISCONNECTED)
    value = sample.power_factor[phase]
    if value >= _UNITY:
        word = ""
    elif sample.leading[phase]:
        word = QCoreApplication.translate(_CONTEXT, "lead")
    else:
        word = QCoreApplication.translate(_CONTEXT, "lag")
    return Reading(Quantity(number(value, 2), word), state)


def frequency(sample: Sample | None, state: ValueState) -> Reading:
    """The frequency."""
    value = 0.0 if sample is None else sample.frequency_hz
    return Reading(Quantity(number(value, 2), FREQUENCY.unit), state)


def powers(p_w: int, q_var: int, state: ValueState, *, signed: bool = False) -> tuple[Reading, ...]:
    """Active, reactive and apparent power of P and Q; `signed` as in `format.number`."""
    apparent = power(hypot(p_w, q_var))
    return (
        Reading(power(p_w, signed=signed), state),
        Reading(power(q_var, signed=signed)._replace(unit="kvar"), state),
        Reading(apparent._replace(unit="kVA"), state),
    )
