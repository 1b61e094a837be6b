"""The installer's checks against wiring faults that are made from phasors, not from the rule."""

import cmath
import math
from itertools import permutations, product
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid.commissioning import (
    FEWEST_SAMPLES,
    Check,
    CheckKind,
    Expected,
    Finding,
    Flow,
    Verdict,
    check_wiring,
    overall,
    phase_powers,
)
from microgrid.registers import COUNTER_MODULUS
from microgrid.sample import CommandState, MeterFlag, Sample

VOLTAGES = [cmath.rect(230, math.radians(angle)) for angle in (0, -120, 120)]
BACKWARDS = [VOLTAGES[0], VOLTAGES[2], VOLTAGES[1]]
RIGHT = ((0, 1), (1, 1), (2, 1))  # for each terminal: the phase its transformer sits on, and which way round
SECONDS = 10


def currents(
    amperes=(6.0, 4.0, 9.0), angles=(10, 0, 20), flow=Flow.DRAWS, voltages=VOLTAGES
) -> list[complex]:
    """Currents counted into the micro-grid; angles are the load's or the source's lag in degrees."""
    sign = 1 if flow is Flow.EXPORTS else -1
    return [
        sign * cmath.rect(ampere, cmath.phase(voltage) - math.radians(angle))
        for ampere, angle, voltage in zip(amperes, angles, voltages, strict=True)
    ]


def measured(flowing: list[complex], wiring=RIGHT, voltages=VOLTAGES, **change: Any) -> list[Sample]:
    """A packet a second from a meter wired like this, its counters counting what it sees."""
    seen = [way * flowing[phase] for phase, way in wiring]
    powers = [voltage * current.conjugate() for voltage, current in zip(voltages, seen, strict=True)]
    total_w = round(sum(power.real for power in powers))
    values: dict[str, Any] = {
        "boot_id": 1, "voltage_v": tuple(map(abs, voltages)), "current_a": tuple(map(abs, seen)),
        "power_factor": tuple(min(1.0, abs(p.real) / abs(p)) if p else 0.0 for p in powers),
        "exporting": tuple(power.real > 0 for power in powers),
        "leading": tuple(power.imag * (1 if power.real > 0 else -1) < 0 for power in powers),
        "frequency_hz": 50.0, "generator_p_w": 0, "generator_q_var": 0, "generator_s_va": 0,
        "exchange_p_w": total_w, "exchange_q_var": round(sum(power.imag for power in powers)),
        "generation_counter_ws": 0, "generator_breaker_closed": False, "grid_breaker_closed": True,
        "flags": MeterFlag(0), "command_id": 0, "command_state": CommandState.NONE, "firmware": "1",
    }  # fmt: skip
    return [
        Sample(
            uptime_ms=1000 * second,
            sequence=second,
            import_counter_ws=(COUNTER_MODULUS - 2000 + max(0, -total_w) * second) % COUNTER_MODULUS,
            export_counter_ws=max(0, total_w) * second,
            **{**values, **change},
        )
        for second in range(SECONDS + 1)
    ]


def found(samples: list[Sample], flow=Flow.DRAWS, phases=(1, 2, 3)) -> dict[CheckKind, Check]:
    checks = check_wiring(samples, Expected(flow, phases))
    assert [check.kind for check in checks] == list(CheckKind)
    return {check.kind: check for check in checks}


def verdicts(samples: list[Sample], flow=Flow.DRAWS) -> dict[CheckKind, Verdict]:
    return {kind: check.verdict for kind, check in found(samples, flow).items()}


def outcome(check: Check) -> tuple[Verdict, Finding, tuple[int, ...]]:
    return check.verdict, check.finding, check.phases


LOADS = st.tuples(*[st.floats(1.0, 40.0)] * 3)
ANGLES = st.tuples(*[st.floats(-28.0, 28.0)] * 3)
WIRINGS = [
    tuple(zip(order, ways, strict=True))
    for order in permutations(range(3))
    for ways in product((1, -1), repeat=3)
]


@given(LOADS, ANGLES, st.sampled_from(Flow), st.sampled_from([VOLTAGES, BACKWARDS]))
def test_a_house_wired_rightly_is_right_whatever_its_load(amperes, angles, flow, voltages):
    checks = check_wiring(
        measured(currents(amperes, angles, flow, voltages), voltages=voltages), Expected(flow)
    )
    assert [check.kind for check in checks if check.verdict is not Verdict.RIGHT] == []
    assert overall(checks) is Verdict.RIGHT


@given(LOADS, ANGLES, st.sampled_from(Flow), st.sampled_from(WIRINGS), st.sampled_from([VOLTAGES, BACKWARDS]))
def test_no_wrong_wiring_is_ever_called_right(amperes, angles, flow, wiring, voltages):
    samples = measured(currents(amperes, angles, flow, voltages), wiring, voltages)
    checks = check_wiring(samples, Expected(flow))
    assert (overall(checks) is Verdict.RIGHT) == (wiring == RIGHT)


@given(LOADS, ANGLES, st.sampled_from(Flow), st.sets(st.sampled_from([0, 1, 2]), min_size=1, max_size=2))
def test_reversed_transformers_are_named(amperes, angles, flow, turned):
    wiring = tuple((phase, -1 if phase in turned else 1) for phase in range(3))
    checks = found(measured(currents(amperes, angles, flow), wiring), flow)
    named = tuple(sorted(phase + 1 for phase in turned))
    assert outcome(checks[CheckKind.REVERSED]) == (Verdict.WRONG, Finding.TURNED, named)
    assert outcome(checks[CheckKind.DIRECTION]) == (Verdict.WRONG, Finding.OTHER_WAY, named)
    assert checks[CheckKind.SWAPPED].verdict is Verdict.RIGHT


@given(
    LOADS, ANGLES, st.sampled_from(Flow), st.sampled_from([(0, 1), (0, 2), (1, 2)]),
    st.sets(st.sampled_from([0, 1, 2])), st.sampled_from([VOLTAGES, BACKWARDS]),
)  # fmt: skip
def test_two_swapped_transformers_are_named_and_which_of_them_are_turned(
    amperes, angles, flow, pair, turned, voltages
):
    order = [0, 1, 2]
    order[pair[0]], order[pair[1]] = pair[1], pair[0]
    wiring = tuple((order[phase], -1 if phase in turned else 1) for phase in range(3))
    checks = found(measured(currents(amperes, angles, flow, voltages), wiring, voltages), flow)
    assert outcome(checks[CheckKind.SWAPPED]) == (Verdict.WRONG, Finding.PAIR, (pair[0] + 1, pair[1] + 1))
    named = tuple(sorted(phase + 1 for phase in turned))
    if named:
        assert outcome(checks[CheckKind.REVERSED]) == (Verdict.WRONG, Finding.TURNED, named)
    else:
        assert checks[CheckKind.REVERSED].verdict is Verdict.RIGHT


@pytest.mark.parametrize("order", [(1, 2, 0), (2, 0, 1)])
def test_all_three_one_phase_on(order):
    checks = found(measured(currents(), tuple((phase, 1) for phase in order)))
    assert outcome(checks[CheckKind.SWAPPED]) == (Verdict.WRONG, Finding.ROUND, (1, 2, 3))


def test_all_three_one_phase_on_and_turned_look_like_a_poor_power_factor_and_are_not_called_right():
    checks = found(measured(currents(angles=(0, 0, 0)), ((1, -1), (2, -1), (0, -1))))
    assert outcome(checks[CheckKind.SWAPPED]) == (Verdict.OPEN, Finding.LOW_POWER_FACTOR, (1, 2, 3))
    assert outcome(checks[CheckKind.REVERSED]) == (Verdict.OPEN, Finding.LOW_POWER_FACTOR, (1, 2, 3))


def test_a_swap_as_the_books_describe_it():
    """Ohmic loads: half the power factor on both phases, one leading and one lagging, both backwards."""
    (sample, *_) = measured(currents(angles=(0, 0, 0)), ((1, 1), (0, 1), (2, 1)))
    assert sample.power_factor == pytest.approx((0.5, 0.5, 1.0))
    assert sample.leading[0] is not sample.leading[1]
    assert sample.exporting == (True, True, False)


def test_all_turned_or_the_source_runs_is_the_installers_to_tell():
    checks = found(measured(currents(flow=Flow.EXPORTS)), Flow.DRAWS)
    assert outcome(checks[CheckKind.DIRECTION]) == (Verdict.WRONG, Finding.ALL_OTHER_WAY, (1, 2, 3))
    assert outcome(checks[CheckKind.REVERSED]) == (Verdict.OPEN, Finding.ALL_OTHER_WAY, (1, 2, 3))
    assert checks[CheckKind.SWAPPED].verdict is Verdict.RIGHT


def test_a_motor_on_one_phase_tells_nothing_and_two_transformers_on_one_conductor_do():
    motor = found(measured(currents(angles=(0, 50, 0))))
    assert outcome(motor[CheckKind.SWAPPED]) == (Verdict.OPEN, Finding.LOW_POWER_FACTOR, (2,))
    assert motor[CheckKind.DIRECTION].verdict is Verdict.RIGHT
    both = found(measured(currents(), ((0, 1), (0, 1), (2, 1))))
    assert outcome(both[CheckKind.SWAPPED]) == (Verdict.WRONG, Finding.FOREIGN, (2,))


def test_a_phase_without_load_leaves_the_question_open():
    checks = found(measured(currents(amperes=(6.0, 0.2, 9.0))))
    for kind in (CheckKind.DIRECTION, CheckKind.REVERSED, CheckKind.SWAPPED):
        assert outcome(checks[kind]) == (Verdict.OPEN, Finding.TOO_LITTLE_POWER, (2,))
    turned = found(measured(currents(amperes=(6.0, 0.2, 9.0)), ((0, -1), (1, 1), (2, 1))))
    assert outcome(turned[CheckKind.REVERSED]) == (Verdict.WRONG, Finding.TURNED, (1,))


@pytest.mark.parametrize(
    ("volts", "finding", "phases"),
    [
        ((230, 0, 230), Finding.NO_VOLTAGE, (2,)),
        ((0, 0, 0), Finding.NO_VOLTAGE, (1, 2, 3)),
        ((230, 230, 400), Finding.OUT_OF_BAND, (3,)),
        ((200, 230, 230), Finding.OUT_OF_BAND, (1,)),
        ((220, 230, 240), Finding.NOT_ALIKE, (1, 2, 3)),
        ((207, 210, 212), Finding.GOOD, (1, 2, 3)),
    ],
)
def test_voltages(volts, finding, phases):
    voltages = [cmath.rect(v, cmath.phase(u)) for v, u in zip(volts, VOLTAGES, strict=True)]
    check = found(measured([0j, 0j, 0j], voltages=voltages))[CheckKind.VOLTAGE]
    verdict = Verdict.RIGHT if finding is Finding.GOOD else Verdict.WRONG
    assert outcome(check) == (verdict, finding, phases)
    assert check.figures == pytest.approx([volts[phase - 1] for phase in phases])


def test_a_house_on_one_phase():
    one = [VOLTAGES[0], 0j, 0j]
    samples = measured([-5 + 0j, 0j, 0j], voltages=one)
    assert overall(check_wiring(samples, Expected(Flow.DRAWS, (1,)))) is Verdict.RIGHT
    assert found(samples)[CheckKind.VOLTAGE].finding is Finding.NO_VOLTAGE
    stray = found(measured(currents()), phases=(1,))
    assert outcome(stray[CheckKind.VOLTAGE]) == (Verdict.WRONG, Finding.NOT_EXPECTED, (2, 3))


def test_current_on_a_dead_phase():
    samples = measured(currents(), voltages=[VOLTAGES[0], 0j, VOLTAGES[2]])
    check = found(samples)[CheckKind.DEAD_PHASE]
    assert outcome(check) == (Verdict.WRONG, Finding.CURRENT_WITHOUT_VOLTAGE, (2,))
    assert check.figures == pytest.approx([4.0])


@pytest.mark.parametrize(
    ("hertz", "verdict"), [(50.4, Verdict.RIGHT), (0.0, Verdict.WRONG), (60.0, Verdict.WRONG)]
)
def test_frequency(hertz, verdict):
    assert verdicts(measured(currents(), frequency_hz=hertz))[CheckKind.FREQUENCY] is verdict
    assert verdicts(measured([0j] * 3, voltages=[0j] * 3))[CheckKind.FREQUENCY] is Verdict.OPEN


def test_a_sum_that_is_not_the_phases():
    samples = measured(currents())
    assert found(samples)[CheckKind.SUM].figures == pytest.approx((-4224, -4224), abs=1)
    other = [msgspec.structs.replace(s, exchange_p_w=s.exchange_p_w // 2) for s in samples]
    assert found(other)[CheckKind.SUM].finding is Finding.SUM_DIFFERS
    assert verdicts(measured(currents(amperes=(0.05, 0, 0))))[CheckKind.SUM] is Verdict.OPEN


def changed(samples: list[Sample], **columns: Any) -> list[Sample]:
    return [
        msgspec.structs.replace(sample, **{name: values[at] for name, values in columns.items()})
        for at, sample in enumerate(samples)
    ]


def test_counters_follow_the_power_across_their_wrap():
    samples = measured(currents())
    assert samples[0].import_counter_ws > samples[-1].import_counter_ws
    assert found(samples)[CheckKind.COUNTERS].verdict is Verdict.RIGHT
    still = changed(samples, import_counter_ws=[7] * 11)
    assert found(still)[CheckKind.COUNTERS].finding is Finding.STANDS_STILL
    rises = [4000 * second for second in range(11)]
    other = changed(still, export_counter_ws=rises)
    assert found(other)[CheckKind.COUNTERS].finding is Finding.WRONG_COUNTER
    double = changed(samples, import_counter_ws=[2 * rise for rise in rises])
    assert found(double)[CheckKind.COUNTERS].finding is Finding.WRONG_RATE
    assert verdicts(measured(currents(amperes=(0.1, 0.1, 0.1))))[CheckKind.COUNTERS] is Verdict.OPEN


def test_flags_are_told_faults_from_news():
    samples = measured(currents(), flags=MeterFlag.CALIBRATION_BAD | MeterFlag.REVERSE_FLOW)
    check = found(samples)[CheckKind.FLAGS]
    assert (check.verdict, check.flags) == (Verdict.WRONG, MeterFlag.CALIBRATION_BAD | MeterFlag.REVERSE_FLOW)
    news = found(measured(currents(), flags=MeterFlag.COMMAND_REFUSED))[CheckKind.FLAGS]
    assert (news.verdict, news.finding) == (Verdict.OPEN, Finding.REPORTED)


def test_few_packets_or_a_meter_that_just_started_again_tell_nothing():
    samples = measured(currents())
    assert set(verdicts(samples[: FEWEST_SAMPLES - 1]).values()) == {Verdict.OPEN}
    assert found([])[CheckKind.VOLTAGE].finding is Finding.TOO_FEW
    again = [msgspec.structs.replace(s, boot_id=2) for s in samples[:2]]
    assert set(verdicts(samples + again).values()) == {Verdict.OPEN}
    assert overall(check_wiring(samples[:2], Expected(Flow.DRAWS))) is Verdict.OPEN


def test_powers_of_the_phases():
    (sample, *_) = measured(currents((10, 10, 10), (0, 30, -30)))
    powers = phase_powers(sample)
    assert [power.real for power in powers] == pytest.approx([-2300, -1991.9, -1991.9], abs=0.1)
    assert [power.imag for power in powers] == pytest.approx([0, -1150, 1150], abs=0.1)
