"""The emulated board's front end: what stands at the chip's pins for what the mains do."""

import math
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulation.emulator import Emulator, Profile
from tests.firmware.programs import ADC, PERIODS, SLEEP, SQUARES, compiled, numbers

ADC_STEP_V = 5 / 1023


@pytest.fixture
def board(firmware_build: Path) -> Iterator[Emulator]:
    """A board of nominal parts without noise, whose program sleeps."""
    with Emulator(compiled(SLEEP, firmware_build), seed=0, noise=False) as emulator:
        yield emulator


def mean_probe(board: Emulator, seconds: float = 0.3) -> list[float]:
    """Volts at the ADC's pins, averaged over moments that do not keep step with the mains."""
    looks = round(seconds / 0.00073)
    sums = [0.0] * 9
    for _ in range(looks):
        board.run(0.00073)
        sums = [total + volts for total, volts in zip(sums, board.probe(), strict=True)]
    return [total / looks for total in sums]


def test_an_active_rectifier_is_linear_down_to_nothing(board: Emulator) -> None:
    ratios: list[list[float]] = []
    for share in (1.0, 0.5, 0.1):
        board.set(v1=270 * share, i2=19 * share, g3=19 * share)
        board.run(4)
        volts = mean_probe(board)
        ratios.append([volts[0] / share, volts[4] / share, volts[8] / share])
    for channel in zip(*ratios, strict=True):
        assert max(channel) / min(channel) == pytest.approx(1, abs=1e-3)
    voltage, tie, generator = ratios[0]
    assert voltage == pytest.approx(270 * 12 / 220 * math.sqrt(2) / 4.28, rel=0.01)
    assert tie == pytest.approx(19 * math.sqrt(2) / 5.685, rel=0.04)
    assert generator == pytest.approx(tie, rel=1e-4)
    assert tie < 5  # not at the ADC's end yet


def test_the_frequency_hardly_moves_a_voltage(board: Emulator) -> None:
    board.set(v1=230, i1=5)
    means = []
    for hertz in (45, 50, 65):
        board.set(f=hertz)
        board.run(3)
        means.append(mean_probe(board, 0.6))
    assert [volts[0] / means[1][0] for volts in means] == pytest.approx([1, 1, 1], abs=0.001)
    assert [volts[3] / means[1][3] for volts in means] == pytest.approx([1, 1, 1], abs=0.006)


def test_a_current_that_goes_is_gone_within_a_second(board: Emulator) -> None:
    board.set(i1=10)
    board.run(1)
    begun = board.probe()[3]
    board.set(i1=0)
    board.run(0.15)
    assert board.probe()[3] / begun == pytest.approx(math.exp(-1), rel=0.1)
    board.run(0.85)
    assert board.probe()[3] < ADC_STEP_V


def test_behind_a_bridge_small_currents_are_lost_and_larger_ones_lack_two_diodes(
    firmware_build: Path,
) -> None:
    def volts(profile: Profile, amperes: float) -> float:
        with Emulator(compiled(SLEEP, firmware_build), seed=0, noise=False, profile=profile) as board:
            board.set(i1=amperes)
            board.run(1)
            return mean_probe(board)[3]

    assert volts("bridge", 0.7) < 0.1 * ADC_STEP_V
    assert volts("bridge", 0.9) < 2 * ADC_STEP_V
    lost_v = (volts("active", 10) - volts("bridge", 10)) * 5.685
    assert 1.3 < lost_v < 1.8


def test_parts_differ_from_board_to_board_within_their_tolerances(firmware_build: Path) -> None:
    channels: list[list[float]] = []
    for seed in range(12):
        with Emulator(compiled(SLEEP, firmware_build), seed=seed) as board:
            board.set(v1=230, v2=230, v3=230, i1=5, i2=5, i3=5, g1=5, g2=5, g3=5)
            board.run(4)
            channels.append(mean_probe(board, 0.1))
    nominal = channels[0]
    errors = [got / want - 1 for volts in channels[1:] for got, want in zip(volts, nominal, strict=True)]
    assert max(map(abs, errors)) < 0.013  # 1 %, and the amplifier's offset
    assert statistics.pstdev(errors) > 0.003


def test_without_input_the_adc_shows_nothing_to_speak_of(firmware_build: Path) -> None:
    for seed in range(1, 6):
        with Emulator(compiled(ADC, firmware_build), seed=seed) as board:
            board.run(2.5)
            *inputs, _bandgap = numbers(board)[-1]
        assert max(inputs) < 450  # thousandths: the offset of 0.3, and what noise of 0.5 adds


@pytest.mark.parametrize("seed", [1, 2])
def test_the_adc_reads_what_stands_at_its_pins_in_the_measure_of_the_supply(
    firmware_build: Path, seed: int
) -> None:
    with Emulator(compiled(ADC, firmware_build), seed=seed) as board:
        board.set(v1=230, v2=100, v3=30, i1=15, i2=8, i3=1, g1=2, g2=4, g3=12)
        means = {}
        for supply_v in (5.0, 4.6):
            board.set(vcc=supply_v)
            board.run(3)
            pins = mean_probe(board)
            board.lines()
            board.run(2.5)
            *counts, bandgap = numbers(board)[-1]
            for count, volts in zip(counts, pins, strict=True):
                # a conversion cuts off what is less than a step
                assert count / 1000 == pytest.approx(volts / supply_v * 1023 - 0.5, abs=1.5 + volts * 0.3)
            means[supply_v] = bandgap / 1000
    bandgap_v = (means[5.0] + 0.5) / 1023 * 5
    assert 1.06 < bandgap_v < 1.14
    assert (means[4.6] + 0.5) / 1023 * 4.6 == pytest.approx(bandgap_v, rel=5e-4)


def duties(board: Emulator) -> list[list[float]]:
    """Shares of time that each pin was high, a list for each side in turn, the tie first."""
    return [[high / looks for high in highs] for looks, *highs in numbers(board)]


def test_squares_and_their_xor_follow_the_angle_and_the_multiplexer(firmware_build: Path) -> None:
    with Emulator(compiled(SQUARES, firmware_build), seed=0, noise=False) as board:
        board.set(v1=230, v2=230, v3=230, i1=5, i2=5, i3=5, ia1=30, ia2=-90, ia3=179)
        board.set(g1=5, g2=5, g3=5, ga1=-45, ga2=3, ga3=120)
        board.run(2)
        tie, generator, *_ = duties(board)
    assert tie[:3] == pytest.approx([0.5] * 3, abs=5e-4)
    assert tie[3:] == pytest.approx([30 / 180, 90 / 180, 179 / 180], abs=5e-4)  # 0.1°
    assert generator[3:] == pytest.approx([45 / 180, 3 / 180, 120 / 180], abs=5e-4)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_transformers_turn_the_angle_by_less_than_two_degrees(firmware_build: Path, seed: int) -> None:
    with Emulator(compiled(SQUARES, firmware_build), seed=seed) as board:
        board.set(v1=230, v2=230, v3=230, i1=5, i2=5, i3=5, ia1=30, ia2=60, ia3=90)
        board.run(1)
        angles = [180 * share for share in duties(board)[0][3:]]
    errors = [angle - true for angle, true in zip(angles, (30, 60, 90), strict=True)]
    assert all(abs(error) < 2.1 for error in errors)
    assert max(map(abs, errors)) > 0.1


def test_without_current_a_square_stands_still(firmware_build: Path) -> None:
    with Emulator(compiled(SQUARES, firmware_build), seed=2) as board:
        board.set(v1=230)
        board.run(1.5)
        first, *_ = duties(board)
    assert first[0] == pytest.approx(0.5, abs=0.001)
    assert first[3] == pytest.approx(0.5, abs=0.001)  # the voltage's own
    assert first[1:3] + first[4:] == [0.0] * 4


@pytest.mark.parametrize("hertz", [45.0, 50.0, 64.9])
def test_the_capture_sees_the_frequency_to_a_microsecond(firmware_build: Path, hertz: float) -> None:
    with Emulator(compiled(PERIODS, firmware_build), noise=False) as board:
        board.set(v1=230, f=hertz)
        board.run(1)
        periods = [line[0] / 2e6 for line in numbers(board)[2:-1]]
    assert len(periods) > 30
    assert min(periods) == pytest.approx(1 / hertz, abs=1e-6)
    assert max(periods) == pytest.approx(1 / hertz, abs=1e-6)
    assert statistics.mean(periods) == pytest.approx(1 / hertz, abs=5e-8)


def test_comparators_jitter_by_microseconds(firmware_build: Path) -> None:
    with Emulator(compiled(PERIODS, firmware_build)) as board:
        board.set(v1=230)
        board.run(4)
        periods = [line[0] / 2e6 for line in numbers(board)[2:-1]]
    assert 0.5e-6 < statistics.stdev(periods) < 5e-6
    assert statistics.mean(periods) == pytest.approx(0.02, abs=2e-7)
