"""What a figure of the emulated meter is, and the board it is measured on.

Each measurement begins with a calibrated board just switched on, so its figures follow from the firmware,
the emulator, the seed and the points alone: whoever measures, and whatever was measured before.
"""

import math
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from microgrid.sample import Sample
from microgrid.wire.calibration import MeterReader
from microgrid.wire.errors import WireError
from simulation.emulated_board import calibrated_board
from simulation.emulator import BUILD, DEAD, METER_ELF, Emulator, Mains, Three

LOOK_S = 0.05
PATIENCE_S = 3.0
# The first packet after a change is of a second that saw both; the next is right if nothing had to fall.
SETTLED = 1
NOMINAL_V = 230.0
PHASES = (0, 1, 2)


@dataclass(frozen=True)
class Figure:
    """The worst that was measured of something, and what it may be; without a limit it is only reported."""

    name: str
    measured: float
    unit: str
    most: float | None = None
    least: float | None = None
    where: str = ""

    @property
    def holds(self) -> bool:
        """Whether it is within its gate."""
        return (self.most is None or self.measured <= self.most) and (
            self.least is None or self.measured >= self.least
        )

    @property
    def gate(self) -> str:
        """The limit, as the table shows it."""
        if self.most is not None:
            return f"≤ {self.most:g} {self.unit}".rstrip()
        return "reported" if self.least is None else f"≥ {self.least:g} {self.unit}".rstrip()

    def worse(self, other: "Figure") -> "Figure":
        """The worse one of two of the same name."""
        if self.least is not None:
            return min(self, other, key=lambda it: it.measured)
        return max(self, other, key=lambda it: it.measured)

    @property
    def shown(self) -> str:
        """What was measured, as the table shows it."""
        number = f"{self.measured:.0f}" if float(self.measured).is_integer() else f"{self.measured:.3g}"
        return f"{number} {self.unit}".rstrip()

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return f"{self.name}: {self.shown}, {self.gate}{where}"


class Worst:
    """Errors of one kind; keeps the largest, and where it was."""

    def __init__(self) -> None:
        self.error = 0.0
        self.where = ""

    def see(self, error: float, where: str) -> None:
        """One more, of either sign."""
        size = math.inf if math.isnan(error) else abs(error)
        if size > self.error:
            self.error, self.where = size, where

    def figure(self, name: str, unit: str, most: float | None = None) -> Figure:
        """The largest."""
        return Figure(name, self.error, unit, most=most, where=self.where)


class Wrong:
    """What must never be; counts how often it was, and keeps where it was first."""

    def __init__(self) -> None:
        self.count = 0
        self.where = ""

    def see(self, wrong: bool, where: str) -> None:
        """One more look."""
        if wrong:
            self.count += 1
            self.where = self.where or where

    def figure(self, name: str) -> Figure:
        """How often."""
        return Figure(name, self.count, "", most=0, where=self.where)


@dataclass(frozen=True)
class Heard:
    """A packet, and when its last byte was over."""

    at_us: int
    sample: Sample


class Rig:
    """A board that is being measured: what is put on it, and what its packets say then."""

    def __init__(self, board: Emulator) -> None:
        self.board = board
        self.faults = Wrong()
        self._reader = MeterReader()

    def hear(self) -> list[Heard]:
        """The packets since the last call."""
        heard = []
        for line in self.board.lines():
            for what in self._reader.feed(line.text):
                self.faults.see(isinstance(what, WireError), f"{what} at {line.at_us / 1e6:.1f} s")
                if isinstance(what, Sample):
                    heard.append(Heard(line.at_us, what))
        return heard

    def packets(self, count: int) -> list[Heard]:
        """Let time pass until so many more packets have come."""
        heard: list[Heard] = []
        until_us = self.board.now_us + round((count + PATIENCE_S) * 1e6)
        while len(heard) < count:
            if self.board.now_us > until_us:
                raise TimeoutError(f"{len(heard)} of {count} packets until {self.board.now_us / 1e6:.1f} s")
            self.board.run(LOOK_S)
            heard += self.hear()
        return heard

    def read(self, mains: Mains, settled: int = SETTLED) -> Sample:
        """What the meter says of these mains, one packet, after so many that are skipped."""
        self.board.connect(mains)
        return self.packets(settled + 1)[-1].sample


Measurement = Callable[..., Sequence[Figure]]  # of a Rig, and points if fewer than its own

LEAST_STACK_BYTES = 500


def measured(measure: Measurement, seed: int, build: Path = BUILD, **points: object) -> list[Figure]:
    """The figures of one measurement of a board of this seed, and how that board bore it."""
    with calibrated_board(seed, build) as board:
        rig = Rig(board)
        figures = list(measure(rig, **points))
        headroom = Figure("stack headroom", board.stack(), "B", least=LEAST_STACK_BYTES)
        unsound = Figure("faults", len(board.faults), "", most=0, where="; ".join(board.faults[:1]))
        figures += [headroom, unsound, rig.faults.figure("lines that are garbled")]
    name = measure.__name__
    return [replace(it, where=", ".join(filter(None, (it.where, name, f"seed {seed}")))) for it in figures]


MOST_FLASH_BYTES = 16 * 1024
MOST_RAM_BYTES = int(1.1 * 1024)


def sizes(build: Path = BUILD) -> list[Figure]:
    """What the firmware takes of the ATmega328P."""
    said = subprocess.run(
        ["avr-size", "-A", build / METER_ELF.name], capture_output=True, text=True, check=True
    ).stdout
    section = {
        words[0]: int(words[1]) for it in said.splitlines() if len(words := it.split()) == 3 and it[0] == "."
    }
    flash = section[".text"] + section[".data"]
    ram = section[".data"] + section[".bss"] + section.get(".noinit", 0)
    return [
        Figure("flash", flash, "B", most=MOST_FLASH_BYTES),
        Figure("static RAM", ram, "B", most=MOST_RAM_BYTES),
    ]


def combined(figures: Iterable[Figure]) -> list[Figure]:
    """The worst figure of each name, in the order in which the names came first."""
    worst: dict[str, Figure] = {}
    for figure in figures:
        worst[figure.name] = worst[figure.name].worse(figure) if figure.name in worst else figure
    return list(worst.values())


def mains(
    current_a: Three = DEAD, generator_a: Three = DEAD, *,
    angle_deg: float = 0.0, voltage_v: float = NOMINAL_V, frequency_hz: float = 50.0,
) -> Mains:  # fmt: skip
    """The same voltage in all phases, and all currents at the same angle."""
    return Mains(
        voltage_v=all_phases(voltage_v),
        current_a=current_a,
        angle_deg=all_phases(angle_deg),
        generator_a=generator_a,
        generator_angle_deg=all_phases(angle_deg),
        frequency_hz=frequency_hz,
    )


def all_phases(value: float) -> Three:
    """The same in all phases."""
    return value, value, value


def in_phase(phase: int, value: float) -> Three:
    """In this phase (0 … 2) only."""
    first, second, third = (value if it == phase else 0.0 for it in PHASES)
    return first, second, third
