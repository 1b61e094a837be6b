"""Is this meter wired rightly? What an installer is told from a stretch of the meter's packets (5.2).

Each check gives a verdict and what was found; the screens have the words for it, docs/commissioning.md the
rules at length and their limits. Angles are those of a phase's power, positive into the micro-grid: 0° gives
active power, 180° takes it. The phases follow each other by 120°, so a transformer on the wrong phase, the
wrong way round, or both, turns its phase's angle by a multiple of 60°. Where the load's own angle is below
30° (a power factor above 0.87) the nearest multiple tells which.
"""

import cmath
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from microgrid.registers import COUNTER_MODULUS
from microgrid.sample import MeterFlag, Sample

PHASES = (1, 2, 3)
FEWEST_SAMPLES = 5

NOMINAL_V = 230.0
VOLTAGE_BAND = 0.10  # of the nominal voltage, either way (EN 50160)
VOLTAGE_SPREAD = 0.05  # between the highest and the lowest phase, of their mean
DEAD_BELOW = 0.10  # of the nominal voltage: below this a phase is dead
NO_CURRENT_A = 0.1  # below this a phase carries no current
NOMINAL_HZ = 50.0
FREQUENCY_BAND_HZ = 2.0
TELLING_VA = 100.0  # a phase below this has no angle to be judged by
SUM_TOLERANCE = 0.05  # of the phases' power, and at least
SUM_TOLERANCE_W = 50.0
TELLING_WS = 1000.0  # a counter can be judged by this much energy
COUNTER_TOLERANCE = 0.25
NO_FLAGS = MeterFlag(0)
_HARMLESS = MeterFlag.REVERSE_FLOW | MeterFlag.COMMAND_REFUSED | MeterFlag.BROWN_OUT_RESTART


class Verdict(StrEnum):
    """What a check says."""

    RIGHT = "right"
    WRONG = "wrong"
    OPEN = "not yet telling"


class Flow(StrEnum):
    """What the installer has the house do meanwhile."""

    DRAWS = "house draws, source off"
    EXPORTS = "source exports"


class CheckKind(StrEnum):
    """What is checked, in the order in which faults are to be mended."""

    VOLTAGE = "voltage"
    FREQUENCY = "frequency"
    DEAD_PHASE = "current of a dead phase"
    DIRECTION = "direction"
    REVERSED = "reversed transformer"
    SWAPPED = "swapped transformers"
    SUM = "sum of the phases"
    COUNTERS = "counters"
    FLAGS = "what the meter reports"


class Finding(StrEnum):
    """What was found; `Check.phases` and `Check.figures` say where and how much."""

    GOOD = "as it must be"
    TOO_FEW = "too few packets heard"
    NO_VOLTAGE = "no voltage on these phases"
    OUT_OF_BAND = "voltage out of its band on these phases"
    NOT_ALIKE = "voltages differ"
    NOT_EXPECTED = "voltage on phases that are not connected"
    BAD_FREQUENCY = "frequency out of its band"
    CURRENT_WITHOUT_VOLTAGE = "current where there is no voltage"
    TOO_LITTLE_POWER = "too little power on these phases"
    OTHER_WAY = "these phases flow the other way than all others"
    ALL_OTHER_WAY = "every phase flows the other way than was said"
    TURNED = "these transformers are the wrong way round"
    PAIR = "these two transformers are swapped"
    ROUND = "all three transformers are one phase on"
    FOREIGN = "these phases see another phase's current"
    LOW_POWER_FACTOR = "the power factor of these phases tells nothing"
    ONE_PHASE = "one phase alone cannot be swapped"
    SUM_DIFFERS = "the phases do not add up to the meter's power"
    STANDS_STILL = "the counter stands still"
    WRONG_COUNTER = "the other counter moves"
    WRONG_RATE = "the counter moves at another rate than the power"
    REPORTED = "the meter reports something"


@dataclass(frozen=True, slots=True)
class Expected:
    """What the installer says of the house: how it is connected and what it does now."""

    flow: Flow
    phases: tuple[int, ...] = PHASES


@dataclass(frozen=True, slots=True)
class Check:
    """One check's answer. `figures` belong to the finding: measured values in V, Hz, A, W or Ws."""

    kind: CheckKind
    verdict: Verdict
    finding: Finding
    phases: tuple[int, ...] = ()
    figures: tuple[float, ...] = ()
    flags: MeterFlag = NO_FLAGS


def phase_powers(sample: Sample) -> tuple[complex, complex, complex]:
    """Active and reactive power of each phase in W and var, positive into the micro-grid."""
    return _power(sample, 0), _power(sample, 1), _power(sample, 2)


def _power(sample: Sample, phase: int) -> complex:
    factor = sample.power_factor[phase]
    apparent_va = sample.voltage_v[phase] * sample.current_a[phase]
    reactive = math.sqrt(max(0.0, 1 - factor * factor))
    power = apparent_va * complex(factor, -reactive if sample.leading[phase] else reactive)
    return power if sample.exporting[phase] else -power


def check_wiring(samples: Sequence[Sample], expected: Expected) -> tuple[Check, ...]:
    """Every check over these packets, oldest first; only the newest start of the meter counts."""
    stretch = [sample for sample in samples if sample.boot_id == samples[-1].boot_id]
    if len(stretch) < FEWEST_SAMPLES:
        return tuple(Check(kind, Verdict.OPEN, Finding.TOO_FEW) for kind in CheckKind)
    mean = _Means(stretch, expected)
    direction, turned, swapped = _check_transformers(mean)
    return (
        _check_voltage(mean),
        _check_frequency(mean),
        _check_dead_phases(mean),
        direction,
        turned,
        swapped,
        _check_sum(mean),
        _check_counters(stretch, mean.exchange_w),
        _check_flags(stretch),
    )


def overall(checks: Sequence[Check]) -> Verdict:
    """Wrong if anything is; right if everything is."""
    verdicts = {check.verdict for check in checks}
    if Verdict.WRONG in verdicts:
        return Verdict.WRONG
    return Verdict.RIGHT if verdicts == {Verdict.RIGHT} else Verdict.OPEN


class _Means:
    """Means over the stretch, by phase."""

    def __init__(self, stretch: Sequence[Sample], expected: Expected) -> None:
        self.expected = expected
        count = len(stretch)
        self.voltage_v = {p: sum(s.voltage_v[p - 1] for s in stretch) / count for p in PHASES}
        self.current_a = {p: sum(s.current_a[p - 1] for s in stretch) / count for p in PHASES}
        powers = [phase_powers(s) for s in stretch]
        self.power = {p: sum(power[p - 1] for power in powers) / count for p in PHASES}
        self.frequency_hz = sum(s.frequency_hz for s in stretch) / count
        self.exchange_w = sum(s.exchange_p_w for s in stretch) / count
        self.dead = [p for p in PHASES if self.voltage_v[p] < DEAD_BELOW * NOMINAL_V]

    def turns(self, phase: int) -> int:
        """By how many times 60° the phase's angle is off what was expected, 0 … 5."""
        base = 0.0 if self.expected.flow is Flow.EXPORTS else math.pi
        return round((cmath.phase(self.power[phase]) - base) / (math.pi / 3)) % 6


def _check_voltage(mean: _Means) -> Check:
    connected = mean.expected.phases
    values = tuple(mean.voltage_v[phase] for phase in connected)

    def wrong(finding: Finding, phases: Sequence[int]) -> Check:
        figures = tuple(mean.voltage_v[phase] for phase in phases)
        return Check(CheckKind.VOLTAGE, Verdict.WRONG, finding, tuple(phases), figures)

    if dead := [phase for phase in connected if phase in mean.dead]:
        return wrong(Finding.NO_VOLTAGE, dead)
    off = [p for p in connected if abs(mean.voltage_v[p] - NOMINAL_V) > VOLTAGE_BAND * NOMINAL_V]
    if off:
        return wrong(Finding.OUT_OF_BAND, off)
    if stray := [phase for phase in PHASES if phase not in connected and phase not in mean.dead]:
        return wrong(Finding.NOT_EXPECTED, stray)
    if max(values) - min(values) > VOLTAGE_SPREAD * sum(values) / len(values):
        return wrong(Finding.NOT_ALIKE, connected)
    return Check(CheckKind.VOLTAGE, Verdict.RIGHT, Finding.GOOD, connected, values)


def _check_frequency(mean: _Means) -> Check:
    figures = (mean.frequency_hz,)
    if set(mean.expected.phases) <= set(mean.dead):
        return Check(CheckKind.FREQUENCY, Verdict.OPEN, Finding.NO_VOLTAGE, mean.expected.phases)
    if abs(mean.frequency_hz - NOMINAL_HZ) > FREQUENCY_BAND_HZ:
        return Check(CheckKind.FREQUENCY, Verdict.WRONG, Finding.BAD_FREQUENCY, figures=figures)
    return Check(CheckKind.FREQUENCY, Verdict.RIGHT, Finding.GOOD, figures=figures)


def _check_dead_phases(mean: _Means) -> Check:
    found = tuple(phase for phase in mean.dead if mean.current_a[phase] > NO_CURRENT_A)
    if not found:
        return Check(CheckKind.DEAD_PHASE, Verdict.RIGHT, Finding.GOOD, tuple(mean.dead))
    figures = tuple(mean.current_a[phase] for phase in found)
    return Check(CheckKind.DEAD_PHASE, Verdict.WRONG, Finding.CURRENT_WITHOUT_VOLTAGE, found, figures)


# --- current transformers -----------------------------------------------------------------------------


def _check_transformers(mean: _Means) -> tuple[Check, Check, Check]:
    """Direction, reversed and swapped transformers: all three from the angles of the phases."""
    connected = mean.expected.phases
    weak = tuple(phase for phase in connected if abs(mean.power[phase]) < TELLING_VA)
    strong = [phase for phase in connected if phase not in weak]
    turns = {phase: mean.turns(phase) for phase in strong}
    return (
        _check_direction(mean, turns, weak),
        _check_reversed(connected, turns, weak),
        _check_swapped(connected, turns, weak),
    )


def _check_direction(mean: _Means, turns: dict[int, int], weak: tuple[int, ...]) -> Check:
    sign = 1 if mean.expected.flow is Flow.EXPORTS else -1
    against = tuple(phase for phase in turns if mean.power[phase].real * sign < 0)
    figures = tuple(mean.power[phase].real for phase in against)
    if against:
        every = not weak and all(turn == 3 for turn in turns.values())
        finding = Finding.ALL_OTHER_WAY if every else Finding.OTHER_WAY
        return Check(CheckKind.DIRECTION, Verdict.WRONG, finding, against, figures)
    return _right_unless_weak(CheckKind.DIRECTION, weak, mean.expected.phases)


def _check_reversed(connected: tuple[int, ...], turns: dict[int, int], weak: tuple[int, ...]) -> Check:
    """Half a turn: its own phase, the wrong way round. With a swap the odd multiples are turned as well."""
    own = {phase for phase, turn in turns.items() if turn == 3}
    if own and len(own) == len(connected):
        # All agree with each other; whether all are turned, only the installer's own eyes can tell.
        return Check(CheckKind.REVERSED, Verdict.OPEN, Finding.ALL_OTHER_WAY, connected)
    if _swap(turns) is not None:
        own |= {phase for phase, turn in turns.items() if turn in (1, 5)}
    if own:
        return Check(CheckKind.REVERSED, Verdict.WRONG, Finding.TURNED, tuple(sorted(own)))
    unclear = tuple(phase for phase, turn in turns.items() if turn in (1, 5))
    if unclear:
        return Check(CheckKind.REVERSED, Verdict.OPEN, Finding.LOW_POWER_FACTOR, unclear)
    return _right_unless_weak(CheckKind.REVERSED, weak, connected)


def _check_swapped(connected: tuple[int, ...], turns: dict[int, int], weak: tuple[int, ...]) -> Check:
    if len(connected) == 1:
        return Check(CheckKind.SWAPPED, Verdict.RIGHT, Finding.ONE_PHASE, connected)
    if weak:
        return Check(CheckKind.SWAPPED, Verdict.OPEN, Finding.TOO_LITTLE_POWER, weak)
    strange = _swap(turns)
    if strange is not None:
        finding = Finding.PAIR if len(strange) == 2 else Finding.ROUND
        return Check(CheckKind.SWAPPED, Verdict.WRONG, finding, strange)
    # A third of a turn is nobody's load: the current is another phase's, though nobody has its own instead.
    if foreign := tuple(phase for phase, turn in turns.items() if turn in (2, 4)):
        return Check(CheckKind.SWAPPED, Verdict.WRONG, Finding.FOREIGN, foreign)
    if unclear := tuple(phase for phase, turn in turns.items() if turn in (1, 5)):
        return Check(CheckKind.SWAPPED, Verdict.OPEN, Finding.LOW_POWER_FACTOR, unclear)
    return Check(CheckKind.SWAPPED, Verdict.RIGHT, Finding.GOOD, connected)


def _swap(turns: dict[int, int]) -> tuple[int, ...] | None:
    """The phases that have each other's current: two, or all three in a circle; None: no such exchange.

    By 0° or 180° a phase has its own current, by +120° or -60° that of the next, by -120° or +60° that of
    the one before; the other way about where the phases follow each other backwards, which no meter tells.
    All three off by 60° are rather a poor power factor than a circle turned round.
    """
    if len(turns) != len(PHASES) or all(turn in (1, 5) for turn in turns.values()):
        return None
    shift = {0: 0, 3: 0, 2: 1, 5: 1, 4: 2, 1: 2}
    for order in (1, 2):
        source = {phase: (phase - 1 + order * shift[turn]) % 3 + 1 for phase, turn in turns.items()}
        strange = tuple(phase for phase in PHASES if source[phase] != phase)
        if strange and len(set(source.values())) == len(PHASES):
            return strange
    return None


def _right_unless_weak(kind: CheckKind, weak: tuple[int, ...], connected: tuple[int, ...]) -> Check:
    if weak:
        return Check(kind, Verdict.OPEN, Finding.TOO_LITTLE_POWER, weak)
    return Check(kind, Verdict.RIGHT, Finding.GOOD, connected)


# --- power, energy and flags --------------------------------------------------------------------------


def _check_sum(mean: _Means) -> Check:
    """The phases' power, with their signs, against the power the meter gives for all."""
    if sum(abs(power) for power in mean.power.values()) < TELLING_VA:
        return Check(CheckKind.SUM, Verdict.OPEN, Finding.TOO_LITTLE_POWER)
    total_w = sum(power.real for power in mean.power.values())
    allowed_w = max(SUM_TOLERANCE_W, SUM_TOLERANCE * sum(abs(power.real) for power in mean.power.values()))
    differs = abs(total_w - mean.exchange_w) > allowed_w
    verdict, finding = (Verdict.WRONG, Finding.SUM_DIFFERS) if differs else (Verdict.RIGHT, Finding.GOOD)
    return Check(CheckKind.SUM, verdict, finding, figures=(total_w, mean.exchange_w))


def _check_counters(stretch: Sequence[Sample], exchange_w: float) -> Check:
    """The counter of the direction in which power flows must rise by that power, the other one stand."""
    first, last = stretch[0], stretch[-1]
    expected_ws = exchange_w * (last.uptime_ms - first.uptime_ms) / 1000
    imported = (last.import_counter_ws - first.import_counter_ws) % COUNTER_MODULUS
    exported = (last.export_counter_ws - first.export_counter_ws) % COUNTER_MODULUS
    if abs(expected_ws) < TELLING_WS:
        return Check(CheckKind.COUNTERS, Verdict.OPEN, Finding.TOO_LITTLE_POWER)
    forward, backward = (exported, imported) if expected_ws > 0 else (imported, exported)
    figures = (float(imported), float(exported), expected_ws)
    if backward > forward:
        finding = Finding.WRONG_COUNTER
    elif forward == 0:
        finding = Finding.STANDS_STILL
    elif abs(forward - backward - abs(expected_ws)) > COUNTER_TOLERANCE * abs(expected_ws):
        finding = Finding.WRONG_RATE
    else:
        return Check(CheckKind.COUNTERS, Verdict.RIGHT, Finding.GOOD, figures=figures)
    return Check(CheckKind.COUNTERS, Verdict.WRONG, finding, figures=figures)


def _check_flags(stretch: Sequence[Sample]) -> Check:
    flags = NO_FLAGS
    for sample in stretch:
        flags |= sample.flags
    if not flags:
        return Check(CheckKind.FLAGS, Verdict.RIGHT, Finding.GOOD)
    verdict = Verdict.WRONG if flags & ~_HARMLESS else Verdict.OPEN
    return Check(CheckKind.FLAGS, verdict, Finding.REPORTED, flags=flags)
