"""Current transformers wired wrongly: what a meter measures then, for the installer's checks."""

import cmath
import math

import msgspec

from microgrid.sample import Sample

# Voltages of the phases, as angles: each lags the one before it by a third of a turn.
_PHASE_ANGLE = (0.0, -2 * math.pi / 3, 2 * math.pi / 3)
_NO_POWER_VA = 0.05


class Wiring(msgspec.Struct, frozen=True):
    """Which phase each terminal's transformer sits on (from 0), and whether the wrong way round."""

    current_of: tuple[int, int, int] = (0, 1, 2)
    reversed: tuple[bool, bool, bool] = (False, False, False)

    def seen(self, true: Sample) -> Sample:
        """What a meter with this wiring measures of this truth; the counters are left alone."""
        currents = [_current(true, phase) for phase in range(3)]
        powers = []
        for phase, (source, turned) in enumerate(zip(self.current_of, self.reversed, strict=True)):
            current = -currents[source] if turned else currents[source]
            voltage = cmath.rect(true.voltage_v[phase], _PHASE_ANGLE[phase])
            powers.append(voltage * current.conjugate())
        return msgspec.structs.replace(
            true,
            current_a=tuple(abs(currents[source]) for source in self.current_of),
            power_factor=tuple(map(_factor, powers, true.power_factor)),
            leading=tuple(power.real * power.imag < 0 for power in powers),
            exporting=tuple(power.real > 0 for power in powers),
            exchange_p_w=round(sum(power.real for power in powers)),
            exchange_q_var=round(sum(power.imag for power in powers)),
        )


RIGHT = Wiring()


def wiring_of(text: str) -> Wiring:
    """Wiring as people write it: for each terminal the phase whose current it sees, `r` if reversed.

    `1,2,3` is right, `2,1,3` has the first two swapped, `1,2r,3` the second the wrong way round.
    ValueError if it is none of these.
    """
    terminals = [each.strip() for each in text.split(",")]
    phases = [each.removesuffix("r") for each in terminals]
    if len(phases) != 3 or not set(phases) <= {"1", "2", "3"}:
        raise ValueError(f"{text!r} is no wiring; write three phases, such as 1,2r,3 (r: reversed)")
    first, second, third = (int(phase) - 1 for phase in phases)
    turned = [each.endswith("r") for each in terminals]
    return Wiring(current_of=(first, second, third), reversed=(turned[0], turned[1], turned[2]))


def _current(sample: Sample, phase: int) -> complex:
    """The phase's true current, positive into the micro-grid, against the voltage of the first phase."""
    factor = sample.power_factor[phase]
    angle = -math.acos(factor) if not sample.leading[phase] else math.acos(factor)
    if not sample.exporting[phase]:
        angle += math.pi
    return cmath.rect(sample.current_a[phase], _PHASE_ANGLE[phase] + angle)


def _factor(power: complex, idle: float) -> float:
    return min(1.0, abs(power.real) / abs(power)) if abs(power) > _NO_POWER_VA else idle
