"""Two-point calibration: what comes out, and what is refused."""

import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid.calibration import (
    CalibrationError,
    Channel,
    GainOffset,
    Point,
    Quantity,
    Side,
    angle_offset,
    clock_ppm,
    phase_angle_deg,
    reading_of,
    steady_reading,
    two_point,
)
from microgrid.sample import MeterFlag
from microgrid.wire.calibration import ITEMS
from tests.unit.wire.examples import SAMPLE

VOLTAGE = Channel(Quantity.VOLTAGE, 1)
CURRENT = Channel(Quantity.CURRENT, 3)
ANGLE = Channel(Quantity.ANGLE, 3)
NOMINAL = GainOffset(1_000_000, 0)
QUIET = msgspec.structs.replace(SAMPLE, flags=MeterFlag(0))


def test_names_of_a_channels_values():
    assert (VOLTAGE.gain, VOLTAGE.offset) == ("V1G", "V1O")
    assert (CURRENT.gain, CURRENT.offset) == ("I3G", "I3O")
    generator = Channel(Quantity.CURRENT, 2, Side.GENERATOR)
    assert (generator.gain, generator.offset) == ("G2G", "G2O")
    assert generator._replace(quantity=Quantity.ANGLE).offset == "G2A"
    for channel in (ANGLE, Channel(Quantity.VOLTAGE, 4)):
        with pytest.raises(CalibrationError):
            _ = channel.gain


# --- two points -------------------------------------------------------------------------------------


def test_two_points_by_hand():
    # reads 2 % too little and 1 V too much: 100 → 99, 250 → 246
    found = two_point(VOLTAGE, NOMINAL, Point(99.0, 100.0), Point(246.0, 250.0))
    assert found == GainOffset(1_020_408, -1_020)


@given(
    wrong_gain=st.floats(0.9, 1.1),
    wrong_offset=st.floats(-3.0, 3.0),
    present=st.builds(GainOffset, st.integers(900_000, 1_100_000), st.integers(-3_000, 3_000)),
    low=st.floats(50.0, 100.0),
    high=st.floats(160.0, 270.0),
    swapped=st.booleans(),
)
def test_both_points_then_read_true_whatever_was_set_before(
    wrong_gain, wrong_offset, present, low, high, swapped
):
    def formula(truth):
        return truth * wrong_gain + wrong_offset

    def reading(truth, values):
        return formula(truth) * values.gain / 1e6 + values.offset / 1e3

    points = [Point(reading(truth, present), truth) for truth in (low, high)]
    found = two_point(VOLTAGE, present, *(reversed(points) if swapped else points))
    for truth in (low, high, (low + high) / 2):
        assert reading(truth, found) == pytest.approx(truth, abs=0.002)


@pytest.mark.parametrize(
    ("channel", "low", "high", "why"),
    [
        (VOLTAGE, (200.0, 200.0), (240.0, 240.0), "200 and 240 V are too near .* at least 50 V"),
        (CURRENT, (1.0, 1.0), (2.9, 2.9), "1 and 2.9 A are too near .* at least 2 A"),
        (VOLTAGE, (0.0, 0.0), (240.0, 240.0), "0 V cannot be a point"),
        (VOLTAGE, (-250.0, -250.0), (240.0, 240.0), "-250 V cannot be a point"),
        (VOLTAGE, (230.0, 100.0), (230.0, 250.0), "does not rise with what is applied"),
        (VOLTAGE, (230.0, 100.0), (220.0, 250.0), "does not rise with what is applied"),
        (CURRENT, (0.5, 1.0), (4.0, 15.0), "current of phase 3, tie would need I3G = 4000000 ppm"),
        (VOLTAGE, (130.0, 100.0), (280.0, 250.0), "would need V1O = -30000 mV, beyond -20000 … 20000"),
        (VOLTAGE, (100.0, math.nan), (250.0, 250.0), "too near"),
    ],
)
def test_points_that_give_nothing_are_refused_in_a_sentence(channel, low, high, why):
    with pytest.raises(CalibrationError, match=why) as caught:
        two_point(channel, NOMINAL, Point(*low), Point(*high))
    assert str(caught.value).endswith((".", "?"))


# --- angles -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("present", "reading", "truth", "new"),
    [
        (0, 61.5, 60.0, 1_500),
        (1_500, 58.0, 60.0, -500),
        (0, -123.25, -120.0, -3_250),
        (250, 60.0, 60.0, 250),
    ],
)
def test_the_angle_it_sees_too_much_is_taken_off(present, reading, truth, new):
    assert angle_offset(ANGLE, present, Point(reading, truth)) == new


@pytest.mark.parametrize("truth", [0.0, 29.0, -29.0, 88.0, -90.0, 92.5, 151.0, 180.0, 300.0, math.nan])
def test_angles_that_cannot_be_told_exactly_enough_are_refused(truth):
    with pytest.raises(CalibrationError, match="no angle to calibrate at"):
        angle_offset(ANGLE, 0, Point(truth, truth))


@pytest.mark.parametrize("reading", [-60.0, -120.0, 180.0])
def test_a_transformer_that_is_turned_or_swapped_is_not_calibrated_away(reading):
    with pytest.raises(CalibrationError, match="wired wrongly"):
        angle_offset(ANGLE, 0, Point(reading, 60.0))


@pytest.mark.parametrize("degrees", [-179.0, -120.0, -60.0, -1.0, 1.0, 60.0, 120.0, 179.0])
def test_an_angle_comes_back_from_power_factor_and_letters(degrees):
    angle = math.radians(degrees)
    exporting = math.cos(angle) > 0
    leading = math.sin(angle) * math.cos(angle) < 0
    assert phase_angle_deg(abs(math.cos(angle)), leading, exporting) == pytest.approx(degrees)


# --- readings ---------------------------------------------------------------------------------------


def test_what_a_packet_says_of_each_channel():
    generator = Channel(Quantity.CURRENT, 1, Side.GENERATOR)
    assert reading_of(SAMPLE, VOLTAGE) == 230.12
    assert reading_of(SAMPLE, CURRENT) == 12.5
    assert reading_of(SAMPLE, ANGLE) == pytest.approx(-36.87, abs=0.01)  # 0.800CE
    assert reading_of(SAMPLE, generator) == pytest.approx(3502 / 230.12)
    angle = reading_of(SAMPLE, generator._replace(quantity=Quantity.ANGLE))
    assert angle == pytest.approx(math.degrees(math.atan2(-120, 3500)))


def test_readings_are_averaged():
    samples = [msgspec.structs.replace(QUIET, voltage_v=(v, 0.0, 0.0)) for v in (229.9, 230.0, 230.4)]
    assert steady_reading(samples, VOLTAGE, 230.0) == pytest.approx(230.1)


@pytest.mark.parametrize(
    ("changes", "channel", "why"),
    [
        ({"flags": MeterFlag.VOLTAGE_SATURATED}, VOLTAGE, "cannot read so high a voltage"),
        ({"flags": MeterFlag.CURRENT_SATURATED}, CURRENT, "cannot read so high a current"),
        ({"flags": MeterFlag.SUPPLY_LOW}, VOLTAGE, "supply is low"),
        ({"voltage_v": (0.0, 230.0, 230.0)}, VOLTAGE, "voltage of phase 1 reads zero"),
        ({"current_a": (1.0, 1.0, 0.0)}, CURRENT, "current of phase 3, tie reads zero"),
        ({"current_a": (1.0, 1.0, 0.0)}, ANGLE, "current of phase 3, tie reads zero"),
        ({"voltage_v": (240.0, 230.0, 230.0)}, VOLTAGE, "reads 230.120 to 240.000 V; wait"),
        ({"current_a": (1.0, 1.0, 12.0)}, CURRENT, "reads 12.000 to 12.500 A; wait"),
        ({"power_factor": (1.0, 1.0, 0.75)}, ANGLE, "; wait until it stands still"),
    ],
)
def test_readings_that_are_no_measurement_are_refused(changes, channel, why):
    samples = [*[QUIET] * 9, msgspec.structs.replace(QUIET, **changes)]
    with pytest.raises(CalibrationError, match=why):
        steady_reading(samples, channel, reading_of(QUIET, channel))


def test_a_saturated_current_does_not_hinder_a_voltage():
    sample = msgspec.structs.replace(QUIET, flags=MeterFlag.CURRENT_SATURATED)
    assert steady_reading([sample], VOLTAGE, 230.0) == pytest.approx(230.12)


# --- the clock --------------------------------------------------------------------------------------


def heard(fast_ppm, seconds, delays_s):
    """Packets of a clock that is fast, each heard some time after it was sent."""
    return [
        (1000.0 + second + delays_s[second % len(delays_s)], round(second * 1000 * (1 + fast_ppm * 1e-6)))
        for second in range(seconds + 1)
    ]


@pytest.mark.parametrize("fast_ppm", [-5000, -20, 0, 300, 5000])
def test_a_clock_is_compared_in_spite_of_delays(fast_ppm):
    found = clock_ppm(100, heard(fast_ppm, 600, [0.4, 0.02, 0.0, 0.1, 0.016, 0.3, 0.2]))
    assert found == pytest.approx(100 + fast_ppm, abs=2)


@pytest.mark.parametrize("seconds", [0, 1, 59])
def test_clocks_that_cannot_be_compared_in_so_short_a_time(seconds):
    with pytest.raises(CalibrationError, match="not compared in less than 60 s"):
        clock_ppm(0, heard(0, seconds, [0.0])[:seconds])


def test_a_clock_that_is_beyond_all_bounds():
    with pytest.raises(CalibrationError, match="board's clock would need CLK"):
        clock_ppm(ITEMS["CLK"].high, heard(100, 100, [0.0]))
