"""Registers: whatever the counters do, energy is what flowed or nothing."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.registers import COUNTER_MODULUS, RegisterFault, Registers, carry_on

STEPS = st.lists(
    st.tuples(st.integers(0, 700_000), st.integers(0, 700_000), st.integers(0, 1_400_000)), max_size=30
)
COUNTER = st.integers(0, COUNTER_MODULUS - 1)


@given(st.tuples(COUNTER, COUNTER, COUNTER), STEPS)
def test_any_history_with_wraps_sums_exactly(start: tuple[int, int, int], steps: list[tuple[int, int, int]]):
    registers, fault = carry_on(None, start, 0, 10_000)
    assert (registers, fault) == (
        Registers(epoch=0, import_ws=start[0], export_ws=start[1], generation_ws=start[2]),
        None,
    )
    true = start
    for step in steps:
        true = tuple(a + b for a, b in zip(true, step, strict=True))  # type: ignore[assignment]
        registers, fault = carry_on(registers, tuple(v % COUNTER_MODULUS for v in true), 60, 10_000)  # type: ignore[arg-type]
        assert fault is None
    assert (registers.import_ws, registers.export_ws, registers.generation_ws) == true


@given(COUNTER, st.integers(1, 2**31 - 1), st.sampled_from([0, 1]), st.floats(0, 10**9))
@settings(max_examples=200)
def test_a_falling_counter_is_an_alarm_and_never_energy(start: int, fall: int, which: int, elapsed_s: float):
    """Also after a silence in which the connection could have carried the counter full circle."""
    last = Registers(epoch=3, import_ws=start, export_ws=start, generation_ws=start)
    counters = [start, start]
    counters[which] = (start - fall) % COUNTER_MODULUS
    registers, fault = carry_on(last, (counters[0], counters[1], start), elapsed_s, 10_000)
    assert fault is RegisterFault.JUMPED
    assert registers == Registers(epoch=4, import_ws=counters[0], export_ws=counters[1], generation_ws=start)


def test_a_falling_generation_counter_is_an_alarm_too():
    last = Registers(epoch=0, import_ws=0, export_ws=0, generation_ws=5_000_000)
    assert carry_on(last, (0, 0, 0), 60, 10_000)[1] is RegisterFault.JUMPED


def test_a_meter_that_lost_its_counters_is_no_counter_that_turned():
    """A consumer's export is 0 for ever, and its import may be about to turn when the meter is reset."""
    last = Registers(epoch=0, import_ws=COUNTER_MODULUS - 500_000, export_ws=0, generation_ws=0)
    registers, fault = carry_on(last, (0, 0, 0), 60, 10_000)
    assert fault is RegisterFault.ALL_ZERO
    assert registers == Registers(epoch=1, import_ws=0, export_ws=0, generation_ws=0)
    assert carry_on(last, (1, 0, 0), 60, 10_000)[1] is None


@given(COUNTER, st.integers(1_500_001, COUNTER_MODULUS - 1))
def test_a_jump_beyond_the_connection_is_an_alarm(start: int, jump: int):
    last = Registers(epoch=0, import_ws=start, export_ws=0, generation_ws=0)
    registers, fault = carry_on(last, ((start + jump) % COUNTER_MODULUS, 0, 0), 60, 10_000)
    assert fault is RegisterFault.JUMPED
    assert registers.epoch == 1


def test_a_house_computer_dead_for_three_weeks_loses_nothing():
    last = Registers(epoch=0, import_ws=COUNTER_MODULUS - 5, export_ws=7, generation_ws=9)
    energy = 400 * 3_600_000
    registers, fault = carry_on(last, ((energy - 5) % COUNTER_MODULUS, 7, 9), 21 * 86_400, 10_000)
    assert fault is None
    assert registers.import_ws - last.import_ws == energy


def test_a_clock_set_back_makes_no_energy_and_no_alarm():
    last = Registers(epoch=0, import_ws=100, export_ws=0, generation_ws=0)
    registers, fault = carry_on(last, (160, 0, 0), -3600, 10_000)
    assert (registers.import_ws, fault) == (160, None)


@given(st.integers(1, 2**31 - 1), st.floats(0, 10**9))
def test_a_bad_reading_of_0_and_a_silence_after_it_bill_nothing_of_the_meters_past(
    past: int, silence_s: float
):
    last = Registers(epoch=0, import_ws=5, export_ws=past, generation_ws=past)
    at_zero, fault = carry_on(last, (5, 0, past), 1, 10_000)
    assert (at_zero.epoch, at_zero.export_ws, fault) == (1, 0, RegisterFault.JUMPED)
    back, fault = carry_on(at_zero, (5, past, past), silence_s, 10_000)
    assert (back.epoch, back.export_ws) == (2, past)
    assert fault is not None
    assert carry_on(back, (5, past + 60, past), 60, 10_000) == (
        msgspec.structs.replace(back, export_ws=past + 60),
        None,
    )


def test_a_meter_begun_at_0_counts_from_its_first_reading_on():
    new = carry_on(None, (0, 0, 0), 0, 10_000)[0]
    assert carry_on(new, (60, 0, 0), 60, 10_000) == (msgspec.structs.replace(new, import_ws=60), None)
    after_fault = Registers(epoch=1, import_ws=0, export_ws=0, generation_ws=0)
    begun, fault = carry_on(after_fault, (60, 0, 0), 60, 10_000)
    assert (begun.epoch, fault) == (2, RegisterFault.FROM_ZERO)
    assert carry_on(begun, (120, 0, 0), 60, 10_000)[0].import_ws == 120
