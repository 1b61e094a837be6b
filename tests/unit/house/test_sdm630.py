"""What an SDM630's registers say, without any line."""

import contextlib
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from house_client.sdm630 import EvenCounter, NotSdm630, Sdm630, decode, serial_number
from microgrid.commissioning import phase_powers
from microgrid.registers import COUNTER_MODULUS
from microgrid.sample import MeterFlag
from microgrid.wire.serial import at_resolution
from tests.unit.house.sdm630_bench import NUMBER, registers

# Dead: no phase has voltage or current, and what hangs on them is 0 as well.
DEAD: dict[str, Any] = {f"r{number}": 0.0 for number in range(30001, 30077, 2)}


def shown(generator=None, uptime_ms=1000, **changed):
    meter = Sdm630(NUMBER)
    other = None if generator is None else decode(generator)
    return meter.sample(uptime_ms, 7, decode(registers(**changed)), other)


def test_every_value_comes_from_its_register_and_has_our_sign():
    sample = shown()
    assert sample.voltage_v == (230.1, 229.5, 231.25)
    assert sample.current_a == (4.5, 9.0, 2.25)
    assert sample.power_factor == (0.966, 0.968, 0.961)
    assert sample.frequency_hz == 49.98
    assert (sample.exchange_p_w, sample.exchange_q_var) == (-2500, 104)  # the house takes: negative
    assert (sample.boot_id, sample.sequence, sample.uptime_ms) == (NUMBER, 7, 1000)
    assert sample.firmware == "SDM630"
    assert sample.grid_breaker_closed
    assert sample.flags == MeterFlag(0)
    assert sample.import_counter_ws == pytest.approx(1034.56 * 3.6e6, abs=300)
    assert sample.export_counter_ws == pytest.approx(78.9 * 3.6e6, abs=300)


def test_letters_follow_the_power_of_each_phase():
    sample = shown()
    assert sample.exporting == (False, False, True)
    assert sample.leading == (False, True, True)  # W and VAr of the same sign lag
    powers = phase_powers(sample)
    for power, w, var in zip(powers, (1000, 2000, -500), (268.6, -516.2, 143.9), strict=True):
        assert power.real == pytest.approx(-w, rel=0.01)
        assert power.imag == pytest.approx(-var, rel=0.06)


def test_a_factors_sign_means_nothing():
    """One make gives it the current's direction, another the load's nature."""
    assert shown(r30031=-0.966, r30033=0.968) == shown()


def test_without_current_a_phase_has_no_angle_whatever_its_factor():
    sample = shown(r30007=0.0, r30013=-0.0, r30031=float("nan"))
    assert (sample.power_factor[0], sample.leading[0], sample.exporting[0]) == (0.0, False, False)


def test_the_breaker_counts_as_closed_while_there_is_voltage():
    sample = shown(**DEAD)
    assert not sample.grid_breaker_closed
    assert sample.frequency_hz == 0.0
    assert shown(**{**DEAD, "r30003": 231.0, "r30071": 50.0}).grid_breaker_closed


def test_without_a_generator_meter_there_is_no_generation():
    sample = shown()
    assert (sample.generator_p_w, sample.generator_s_va, sample.generation_counter_ws) == (0, 0, 0)
    assert not sample.generator_breaker_closed


def test_the_generators_meter_exports_what_is_generated():
    source = registers(r30053=-3000.0, r30057=3010.0, r30061=20.0, r30075=10.0)
    sample = shown(generator=source)
    assert (sample.generator_p_w, sample.generator_q_var, sample.generator_s_va) == (3000, -20, 3010)
    assert sample.generation_counter_ws == 36_000_000
    assert sample.generator_breaker_closed
    assert sample.load_w == 5500
    assert sample.flags == MeterFlag(0)
    assert shown(generator=registers(r30053=21.0)).flags == MeterFlag.REVERSE_FLOW


def test_counters_wrap_at_32_bits():
    kwh = 2**32 / 3.6e6
    assert shown(r30073=kwh * 2 + 1).import_counter_ws == pytest.approx(3.6e6, abs=1500)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"r30001": float("nan")}, "no number"),
        ({"r30073": float("inf")}, "no number"),
        ({"r30071": 0.0}, "frequency would be 0 Hz"),
        ({"r30071": 4.6e-41}, "frequency would be"),
        ({"r30031": 18.0}, "power factors would be beyond 1"),
        ({"r30031": float("nan")}, "power factors would be beyond 1"),
        ({"r30075": -1.0}, "counters would be negative"),
        ({"r30001": 3e38}, "voltage 1: .* is not between 0 and 1000"),
        ({"r30001": -230.0}, "voltage 1"),
        ({"r30053": 1e30}, "exchanged active power"),
    ],
)
def test_what_no_sdm630_shows_is_refused_in_words(changed, why):
    with pytest.raises(NotSdm630, match=why):
        shown(**changed)


@pytest.mark.parametrize("count", [0, 2, 75, 77])
def test_an_answer_of_another_length_is_refused(count):
    with pytest.raises(NotSdm630, match=f"answers with {count} registers, not 76"):
        decode([*registers(), 0][:count])


def test_registers_the_other_way_round_are_noticed():
    swapped = registers()
    swapped[0::2], swapped[1::2] = swapped[1::2], swapped[0::2]
    with pytest.raises(NotSdm630):
        Sdm630(NUMBER).sample(0, 1, decode(swapped), None)


@given(st.lists(st.integers(0, 65_535), min_size=76, max_size=76))
def test_whatever_the_registers_it_is_a_sample_that_can_travel_or_a_refusal(words):
    with contextlib.suppress(NotSdm630):
        sample = Sdm630(NUMBER).sample(0, 1, decode(words), decode(words))
        assert at_resolution(sample) == sample


@pytest.mark.parametrize("words", [[], [0, 0], [1], [1, 2, 3]])
def test_a_meter_without_a_serial_number_is_refused(words):
    with pytest.raises(NotSdm630, match="no serial number"):
        serial_number(words)


def test_a_serial_number_is_most_significant_first():
    assert serial_number([0x0123, 0x4567]) == 0x01234567


# --- counters ---------------------------------------------------------------------------------------


def float32(value):
    return struct.unpack(">f", struct.pack(">f", value))[0]


def stepped(true_ws, step_kwh):
    """What the register shows of this energy: whole steps, as a float."""
    return float32(int(true_ws / 3.6e6 / step_kwh) * step_kwh)


# A float's own step is 14 kWs at 40,000 kWh and 56 kWs at 250,000 kWh.
@pytest.mark.parametrize(
    ("begin_kwh", "step_kwh", "error_ws"),
    [(0, 0.01, 700), (812.34, 0.001, 400), (40_000, 0.01, 4000), (250_000, 0.001, 3000)],
)
@pytest.mark.parametrize("bias", [0.99, 1.0, 1.01])
def test_minutes_are_as_the_power_was_although_the_register_rises_in_steps(
    begin_kwh, step_kwh, error_ws, bias
):
    counter, true_ws = EvenCounter(), begin_kwh * 3.6e6
    first = before = counter.advance(stepped(true_ws, step_kwh), 0, 0)
    for minute in range(120):
        power_w = 250 + 3 * (minute % 60)  # at these powers a step of 0.01 kWh takes minutes
        for _ in range(60):
            true_ws += power_w
            now = counter.advance(stepped(true_ws, step_kwh), power_w * bias, 1.0)
        if minute >= 5:  # once the first steps have been seen
            assert now - before == pytest.approx(power_w * 60, abs=error_ws)
        before = now
    assert now - first == pytest.approx(true_ws - begin_kwh * 3.6e6, abs=2 * 56_250)


@given(
    st.lists(st.tuples(st.floats(0, 5, width=32), st.floats(0, 60_000), st.floats(0, 90)), max_size=40),
    st.floats(0, 400_000, width=32),
    st.integers(0, 39),
)
def test_a_counter_never_falls_nor_runs_ahead_even_when_the_program_is_started_again(steps, kwh, restart):
    counter, shown_kwh, last = EvenCounter(), float32(kwh), 0
    for index, (rise_kwh, power_w, elapsed_s) in enumerate(steps):
        shown_kwh = max(shown_kwh, float32(shown_kwh + rise_kwh))
        if index == restart:
            counter = EvenCounter()
        now = counter.advance(shown_kwh, power_w, elapsed_s)
        assert last <= now <= shown_kwh * 3.6e6
        assert now >= shown_kwh * 3.6e6 - 36_001 - shown_kwh * 3.6e6 * 2**-23
        last = now


def test_a_register_that_fell_is_told_as_it_is():
    counter = EvenCounter()
    counter.advance(100.0, 0, 0)
    assert counter.advance(99.0, 500, 1) == 99 * 3_600_000


def test_a_register_that_does_not_move_is_not_made_to():
    counter = EvenCounter()
    first = counter.advance(100.0, 0, 0)
    assert {counter.advance(100.0, 5000, 1) for _ in range(60)} == {first}


def test_a_sample_carries_the_even_counter():
    meter = Sdm630(NUMBER)
    power = {"r30013": 600.0, "r30015": 0.0, "r30017": 0.0}
    meter.sample(0, 1, decode(registers(r30073=10.0, **power)), None)
    one = meter.sample(1000, 2, decode(registers(r30073=10.01, **power)), None)
    two = meter.sample(2000, 3, decode(registers(r30073=10.01, **power)), None)
    assert one.import_counter_ws - 36_000_000 == pytest.approx(600, abs=20)
    assert (two.import_counter_ws - one.import_counter_ws) % COUNTER_MODULUS == pytest.approx(600, abs=2)
