"""How far the calibrated meter's readings are from what is true: V, A, Hz, degrees, watt-seconds.

The gates are here and nowhere else. Every reading is one packet's, not a mean of several.
"""

import math
from collections.abc import Iterable, Sequence

from benchmarks.meter_figures import NOMINAL_V, PHASES, Figure, Rig, Worst, Wrong, all_phases, in_phase, mains
from microgrid.sample import MeterFlag, Sample
from simulation.emulator import DEAD, Mains, Three

VOLTAGE_PERCENT = 0.5
CURRENT_PERCENT = 1.0
SMALL_A, SMALL_CURRENT_MA = 1.0, 30.0
FREQUENCY_HZ = 0.005
ANGLE_DEG = 0.3
ENERGY_PERCENT = 1.5  # what voltage and current may be off together
LEAST_V, MOST_V = 30.0, 270.0
MOST_A = 19.0
# Beyond these every channel is saturated, whatever its parts: the dividers end at 277 V and 20.1 A, 1 % to
# either side.
SATURATED_V, SATURATED_A = 281.0, 20.4

VOLTS = range(30, 271, 10)
AMPERES = (0.02, 0.025, 0.03, 0.035, 0.05, 0.1, 0.2, 0.5, 0.9, 1, 1.5, 2, 3, 5, 7, 10, 13, 16, 19)
HERTZ = (45, 46.37, 48, 49, 49.5, 49.98, 50, 50.02, 50.5, 51, 52, 53.61, 55, 57, 59, 60, 61, 63.33, 65)
# Both ways through 90°, where the direction that holds must give way; 0.3° beyond the 2° are the angle's own.
DEGREES = (0, 3, 10, 30, 45, 60, 75, 87.7, 92.3, 87.7, 92.3, 105, 120, 135, 150, 170, 177, 180)  # fmt: skip
ANGLE_CURRENTS_A = (3, 15)
SUPPLIES_V = (4.5, 4.75, 5.25, 5.5)
# Current, generator's current and the angle of both.
FLOWS = ((5, 6, 20), (2, 3, -45), (10, 1.2, 160), (1.2, 15, 5), (4, 8, -120))


def generator_a(sample: Sample, phase: int) -> float:
    """Amperes of the generator, if only this phase has any."""
    voltage_v = sample.voltage_v[phase]
    return sample.generator_s_va / voltage_v if voltage_v else 0.0


def voltage(rig: Rig, volts: Iterable[float] = VOLTS) -> list[Figure]:
    """All phases at 50 Hz, upwards."""
    worst = Worst()
    for volt in volts:
        sample = rig.read(mains(voltage_v=volt))
        for phase in PHASES:
            worst.see(percent(sample.voltage_v[phase], volt), f"phase {phase + 1} at {volt:g} V")
    return [worst.figure("voltage, 30 to 270 V", "%", VOLTAGE_PERCENT)]


def current(rig: Rig, amperes: Iterable[float] = AMPERES) -> list[Figure]:
    """Tie and generator in all phases at 50 Hz, upwards; the generator's one phase at a time."""
    large, small = Worst(), Worst()
    points = sorted(amperes)
    for phase in PHASES:
        rig.read(mains(), settled=3)
        for ampere in points:
            sample = rig.read(mains(all_phases(ampere), in_phase(phase, ampere)))
            read = {f"I{it + 1}": sample.current_a[it] for it in PHASES}
            read[f"G{phase + 1}"] = generator_a(sample, phase)
            for channel, reading in read.items():
                where = f"{channel} at {ampere:g} A"
                if ampere >= SMALL_A:
                    large.see(percent(reading, ampere), where)
                else:
                    small.see(1000 * (reading - ampere), where)
    return [
        large.figure("current, 1 to 19 A", "%", CURRENT_PERCENT),
        small.figure("current, below 1 A", "mA", SMALL_CURRENT_MA),
    ]


def frequency(rig: Rig, hertz: Iterable[float] = HERTZ) -> list[Figure]:
    """Frequency, and what it does to voltages and currents."""
    worst, volts, amperes = Worst(), Worst(), Worst()
    for hz in hertz:
        sample = rig.read(mains(all_phases(5.0), frequency_hz=hz))
        worst.see(sample.frequency_hz - hz, f"at {hz:g} Hz")
        _see_phases(sample, 5.0, f"at {hz:g} Hz", volts, amperes)
    return [
        worst.figure("frequency, 45 to 65 Hz", "Hz", FREQUENCY_HZ),
        volts.figure("voltage at 45 to 65 Hz", "%"),
        amperes.figure("current at 45 to 65 Hz", "%"),
    ]


def angle(
    rig: Rig, degrees: Sequence[float] = DEGREES, currents_a: Iterable[float] = ANGLE_CURRENTS_A
) -> list[Figure]:
    """Angle, lead or lag, and direction, of one phase at a time, tie and generator.

    The angle is that of P and Q: a power factor of three decimals is 2.6° wide at 0°.
    """
    worst, lead, direction = Worst(), Wrong(), Wrong()
    for current_a in currents_a:
        for phase in PHASES:
            amperes = in_phase(phase, current_a)
            for sign in (1, -1):
                for degree in degrees if sign > 0 else [it for it in degrees if 0 < it < 180]:
                    sample = rig.read(mains(amperes, amperes, angle_deg=sign * degree))
                    sides = {
                        "I": (sample.exchange_p_w, sample.exchange_q_var),
                        "G": (sample.generator_p_w, sample.generator_q_var),
                    }
                    for side, (p, q) in sides.items():
                        where = f"{side}{phase + 1} at {sign * degree:g}°, {current_a:g} A"
                        _look_at_angle(p, q, sign * degree, where, worst, lead, direction)
                    where = f"letters {phase + 1} at {sign * degree:g}°, {current_a:g} A"
                    direction.see(sample.exporting[phase] != (degree < 90), where)
                    if 3 <= degree <= 177:
                        lead.see(sample.leading[phase] != ((degree < 90) != (sign > 0)), where)
    return [
        worst.figure("angle, 3 to 15 A", "°", ANGLE_DEG),
        lead.figure("lead or lag wrong, 3 to 177°"),
        direction.figure("direction wrong, outside 90 ± 2.3°"),
    ]


def _look_at_angle(
    p: int, q: int, degree: float, where: str, worst: Worst, lead: Wrong, direction: Wrong
) -> None:
    worst.see((math.degrees(math.atan2(q, p)) - degree + 180) % 360 - 180, where)
    direction.see((p > 0) != (abs(degree) < 90), where)
    if 3 <= abs(degree) <= 177:
        lead.see((q > 0) != (degree > 0), where)


def zero(rig: Rig) -> list[Figure]:
    """Nothing applied since the start, then voltage alone, then nothing again."""
    wrong = Wrong()
    nothing = [it.sample for it in rig.packets(2)]
    voltage_alone = [rig.read(mains(voltage_v=MOST_V)), *(it.sample for it in rig.packets(2))]
    rig.read(mains(all_phases(MOST_A), all_phases(MOST_A)))
    flowed = rig.read(mains(), settled=4)
    nothing.append(rig.read(Mains(), settled=8))  # capacitors discharge with 1 s
    for sample in (*nothing, *voltage_alone, flowed):
        read = (*sample.current_a, *sample.power_factor, sample.exchange_p_w, sample.exchange_q_var,
                sample.generator_p_w, sample.generator_q_var, sample.generator_s_va)  # fmt: skip
        wrong.see(any(read), f"currents at {sample.uptime_ms} ms")
    for sample in nothing:
        wrong.see(any(sample.voltage_v) or sample.frequency_hz != 0, f"voltages at {sample.uptime_ms} ms")
    for sample in (nothing[1], voltage_alone[-1]):
        counted = sample.import_counter_ws + sample.export_counter_ws + sample.generation_counter_ws
        wrong.see(counted != 0, f"counters at {sample.uptime_ms} ms")
    return [wrong.figure("readings of nothing that are not zero")]


def saturation(rig: Rig, step: float = 1.0) -> list[Figure]:
    """No flag up to the end of the range, none missing beyond any divider's, and none wrong in between.

    In between, where each channel ends is its parts' affair: no reading without a flag may be wrong.
    """
    early, missing, lying = Wrong(), Wrong(), Wrong()
    _below_saturation(rig, early)
    for volt in steps(MOST_V, SATURATED_V, step):
        sample = rig.read(mains(voltage_v=volt))
        error = max(abs(percent(it, volt)) for it in sample.voltage_v)
        flagged = MeterFlag.VOLTAGE_SATURATED in sample.flags
        lying.see(not flagged and error > VOLTAGE_PERCENT, f"at {volt:g} V")
    for ampere in steps(MOST_A, SATURATED_A, step / 5):
        for phase in PHASES:
            sample = rig.read(mains(all_phases(ampere), in_phase(phase, ampere)))
            read = (*sample.current_a, generator_a(sample, phase))
            error = max(abs(percent(it, ampere)) for it in read)
            flagged = MeterFlag.CURRENT_SATURATED in sample.flags
            lying.see(not flagged and error > CURRENT_PERCENT, f"at {ampere:g} A")
    for phase in PHASES:
        _above_saturation(rig, phase, missing)
    return [
        early.figure("saturation flagged up to 270 V, 19 A"),
        missing.figure("saturation not flagged from 281 V, 20.4 A"),
        lying.figure("readings wrong and not flagged between"),
    ]


def _below_saturation(rig: Rig, early: Wrong) -> None:
    both = MeterFlag.VOLTAGE_SATURATED | MeterFlag.CURRENT_SATURATED
    sample = rig.read(mains(all_phases(MOST_A), all_phases(MOST_A), voltage_v=MOST_V))
    early.see(bool(sample.flags & both), f"flags {sample.flags!r}")


def _above_saturation(rig: Rig, phase: int, missing: Wrong) -> None:
    """One channel at a time, the others well within their range."""
    cases: dict[str, tuple[Mains, MeterFlag]] = {
        "V": (_one_voltage(phase, SATURATED_V), MeterFlag.VOLTAGE_SATURATED),
        "I": (mains(in_phase(phase, SATURATED_A)), MeterFlag.CURRENT_SATURATED),
        "G": (mains(DEAD, in_phase(phase, SATURATED_A)), MeterFlag.CURRENT_SATURATED),
    }
    for channel, (applied, flag) in cases.items():
        sample = rig.read(applied, settled=3)
        missing.see(sample.flags & ~MeterFlag.REVERSE_FLOW != flag, f"{channel}{phase + 1}: {sample.flags!r}")


def _one_voltage(phase: int, high_v: float) -> Mains:
    first, second, third = (high_v if it == phase else NOMINAL_V for it in PHASES)
    return Mains(voltage_v=(first, second, third))


def _see_phases(sample: Sample, true_a: float, where: str, volts: Worst, amperes: Worst) -> None:
    """What each phase reads of the nominal voltage and of this current."""
    for phase in PHASES:
        volts.see(percent(sample.voltage_v[phase], NOMINAL_V), f"phase {phase + 1} {where}")
        amperes.see(percent(sample.current_a[phase], true_a), f"phase {phase + 1} {where}")


def supply(rig: Rig, supplies_v: Iterable[float] = SUPPLIES_V) -> list[Figure]:
    """Calibrated at 5 V: the ADC's reference is the supply."""
    volts, amperes = Worst(), Worst()
    for supply_v in supplies_v:
        rig.board.set(vcc=supply_v)
        sample = rig.read(mains(all_phases(10.0)), settled=4)
        _see_phases(sample, 10.0, f"on {supply_v:g} V", volts, amperes)
    return [
        volts.figure("voltage, supply 4.5 to 5.5 V", "%", VOLTAGE_PERCENT),
        amperes.figure("current, supply 4.5 to 5.5 V", "%", CURRENT_PERCENT),
    ]


def energy(rig: Rig, flows: Iterable[Three] = FLOWS, seconds: int = 60) -> list[Figure]:
    """Counters against ∫ p dt of the waveforms, over so long for each flow."""
    worst = Worst()
    for current_a, generator, degree in flows:
        applied = mains(all_phases(current_a), all_phases(generator), angle_deg=degree)
        before, begun = rig.read(applied, settled=3), rig.board.truth()
        after, true = rig.packets(seconds)[-1].sample, rig.board.truth() - begun
        # Which way the tie's power flows; a generator that takes power generates nothing.
        counted = {
            "import": (after.import_counter_ws - before.import_counter_ws, true.import_ws),
            "export": (after.export_counter_ws - before.export_counter_ws, true.export_ws),
            "generation": (after.generation_counter_ws - before.generation_counter_ws, true.generation_ws),
        }
        for name, (ws, true_ws) in counted.items():
            where = f"{name}, {current_a:g} and {generator:g} A at {degree:g}°"
            worst.see(percent(ws, true_ws) if true_ws else (ws and math.inf), where)
    return [worst.figure(f"counters over {seconds} s", "%", ENERGY_PERCENT)]


def percent(reading: float, truth: float) -> float:
    """By how much a reading is off, in percent of what is true."""
    return 100 * (reading - truth) / truth


def steps(low: float, high: float, step: float) -> list[float]:
    """From low to high, both included."""
    count = max(1, round((high - low) / step))
    return [low + (high - low) * it / count for it in range(count + 1)]
