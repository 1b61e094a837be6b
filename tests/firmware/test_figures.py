"""The gates of `make -C firmware bench` (benchmarks/meter_*.py), with fewer points."""

import math
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from benchmarks import meter_accuracy as accuracy
from benchmarks import meter_line as line
from benchmarks.meter_figures import Figure, Heard, Measurement, Rig, Worst, combined, measured, sizes
from microgrid.sample import Sample
from microgrid.wire.serial import Command, CommandKind, PacketReader
from simulation.emulator import Emulator, PinEvent

# Whose parts, and so whose calibration, differ; what no part has to do with is measured on one.
SEEDS = (1, 2, 3)
SENSITIVE: dict[Measurement, dict[str, object]] = {
    accuracy.voltage: {"volts": (30, 55, 110, 230, 270)},
    accuracy.current: {"amperes": (0.025, 0.3, 0.9, 1, 4, 19)},
    accuracy.angle: {"degrees": (3, 60, 87.7, 92.3, 177), "currents_a": (5,)},
    accuracy.saturation: {"step": 4},
}
ONCE: dict[Measurement, dict[str, object]] = {
    line.line: {},
    accuracy.frequency: {"hertz": (45, 49.98, 51.37, 65)},
    accuracy.supply: {"supplies_v": (4.5, 5.5)},
    accuracy.energy: {"flows": ((5, 6, 20), (2, 3, -160)), "seconds": 20},
    accuracy.zero: {},
    line.clock: {"crystals_ppm": (5_000,)},
    line.contest: {},
}


def missed(figures: list[Figure]) -> list[str]:
    return [str(it) for it in figures if not it.holds]


@pytest.mark.parametrize("measure", ONCE, ids=lambda it: it.__name__)
def test_the_meter_holds_its_gates(firmware_build: Path, measure: Measurement) -> None:
    assert not missed(measured(measure, SEEDS[0], firmware_build, **ONCE[measure]))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("measure", SENSITIVE, ids=lambda it: it.__name__)
def test_every_calibrated_meter_holds_its_gates(
    firmware_build: Path, measure: Measurement, seed: int
) -> None:
    assert not missed(measured(measure, seed, firmware_build, **SENSITIVE[measure]))


def test_the_firmware_leaves_room(firmware_build: Path) -> None:
    assert not missed(sizes(firmware_build))


def test_a_figure_follows_from_the_seed_alone(firmware_build: Path) -> None:
    first, second = (
        measured(accuracy.current, 1, firmware_build, amperes=(0.3, 7)) for _ in range(2)
    )  # fmt: skip
    assert first == second


@pytest.mark.parametrize(
    ("measure", "points"),
    [(accuracy.voltage, {"volts": (30, 230)}), (accuracy.angle, {"degrees": (45,), "currents_a": (5,)})],
)
def test_a_meter_that_was_never_calibrated_misses_them(
    firmware_build: Path, measure: Measurement, points: dict[str, object]
) -> None:
    program, firmware = firmware_build / "emulator", firmware_build / "meter.elf"
    with Emulator(firmware, seed=SEEDS[0], program=program) as board:
        assert missed(list(measure(Rig(board), **points)))


# --- the gates themselves ---------------------------------------------------------------------------

PACKET = (
    b"$MTR,1,2,18003,17,229.99,230.02,229.98,4.997,5.003,5.000,0.940LE,0.940LE,0.940LE,50.000,"
    b"4140,2,4140,3242,1180,0,58023,74519,1,1,0000,0,0,1.0.0*36A8\r\n"
)


def packets(*at_s: float) -> list[Heard]:
    """Packets of these times, numbered one after the other."""
    (sample,) = PacketReader().feed(PACKET)
    assert isinstance(sample, Sample)
    return [
        Heard(round(at * 1e6), structs.replace(sample, sequence=number)) for number, at in enumerate(at_s)
    ]


def gates(figures: list[Figure]) -> dict[str, bool]:
    return {it.name: it.holds for it in figures}


def test_answers_between_regular_packets_are_neither_late_nor_lost() -> None:
    assert gates(line.packet_figures(packets(1.0, 1.3, 1.35, 2.004, 2.03, 3.0))) == {
        "packet, off its second": True,
        "packets lost": True,
    }


@pytest.mark.parametrize("at_s", [(1.0, 2.006, 3.0), (1.0, 1.3, 3.0), (1.0, 2.0, 4.0)])
def test_a_packet_that_is_late_or_missing_is_seen(at_s: tuple[float, ...]) -> None:
    assert not gates(line.packet_figures(packets(*at_s)))["packet, off its second"]


def test_a_number_that_is_left_out_is_seen() -> None:
    first, _, third = packets(1.0, 1.5, 2.0)
    assert gates(line.packet_figures([first, third])) == {
        "packet, off its second": True,
        "packets lost": False,
    }


RAISE = line.Pulse(Command(kind=CommandKind.RAISE, command_id=1, width_ms=100), heard_us=1_000_000)
ON, OFF = PinEvent(1_001_000, "raise", True), PinEvent(1_101_000, "raise", False)
PULSE_GATES = (
    "command to pin, p99", "pulse, off its width", "commands not obeyed, pulses not commanded",
    "both outputs on",
)  # fmt: skip


@pytest.mark.parametrize(
    ("pins", "missed"),
    [
        ([ON, OFF], ()),
        ([replace(ON, at_us=1_005_100), replace(OFF, at_us=1_105_100)], PULSE_GATES[:1]),
        ([ON, replace(OFF, at_us=1_103_100)], PULSE_GATES[1:2]),
        ([replace(ON, pin="lower"), replace(OFF, pin="lower")], PULSE_GATES[2:3]),
        ([], PULSE_GATES[2:3]),
        ([ON, OFF, replace(ON, at_us=2_000_000), replace(OFF, at_us=2_100_000)], PULSE_GATES[2:3]),
        (
            [ON, PinEvent(1_050_000, "lower", True), PinEvent(1_060_000, "lower", False), OFF],
            PULSE_GATES[2:],
        ),
    ],
    ids=["right", "late", "long", "wrong output", "none", "one too many", "both"],
)
def test_a_pulse_that_is_not_as_commanded_is_seen(pins: list[PinEvent], missed: tuple[str, ...]) -> None:
    assert gates(line.pulse_figures([RAISE], pins)) == {name: name not in missed for name in PULSE_GATES}


def test_of_several_figures_the_worst_is_shown() -> None:
    figures = [
        Figure("error", 0.2, "V", most=0.5, where="here"),
        Figure("room", 700, "B", least=500),
        Figure("error", 0.6, "V", most=0.5, where="there"),
        Figure("room", 499, "B", least=500),
    ]
    assert combined(figures) == figures[2:]
    assert not any(it.holds for it in combined(figures))


def test_what_is_no_number_is_the_worst_error() -> None:
    worst = Worst()
    worst.see(1.0, "number")
    worst.see(math.nan, "none")
    worst.see(2.0, "number")
    assert not worst.figure("error", "V", 0.5).holds
    assert worst.where == "none"
