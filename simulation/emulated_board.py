"""The emulated board with the meter's firmware, calibrated as an installer calibrates one."""

import hashlib
import os
from pathlib import Path

from house_client.calibrator import Calibrator
from microgrid.calibration import PHASES, Channel, Point, Quantity, Side
from simulation.emulator import BUILD, DEAD, EMULATOR, METER_ELF, Emulator, Mains, Three

LOOK_S = 0.02
SETTLED = 2  # packets after a change that still show what was before
AVERAGED = 8
# Two points far apart, both within what is measured; angles are read best away from 0°, 90° and 180°.
LOW_V, HIGH_V = 80.0, 250.0
LOW_A, HIGH_A = 1.0, 15.0
ANGLE_DEG = 60.0


class BoardWire:
    """The board's serial line as the calibrator's wire; waiting for bytes lets the chip live on."""

    def __init__(self, board: Emulator) -> None:
        self._board = board

    def read(self, timeout_s: float) -> bytes:
        """What the chip has sent, as soon as it has sent a line."""
        until_us = self._board.now_us + timeout_s * 1e6
        while not (lines := self._board.lines()) and self._board.now_us < until_us:
            self._board.run(LOOK_S)
        return b"".join(line.text for line in lines)

    def write(self, data: bytes) -> None:
        """Send all of it."""
        self._board.send(data)


def calibrated_board(seed: int, build: Path = BUILD, *, pty: bool = False) -> Emulator:
    """A board with this seed's parts, just switched on, its firmware calibrated; to be closed by the caller.

    The first board of a seed goes through the installer's procedure; what its EEPROM holds then is kept in
    `build` for those after it. With `pty` its serial line is a port to open. LookupError if firmware or
    emulator are not built.
    """
    program, firmware = build / EMULATOR.name, build / METER_ELF.name
    if not (program.exists() and firmware.exists()):
        raise LookupError("The meter's firmware is not built; `make -C firmware all emulator` does it.")
    board = Emulator(firmware, seed=seed, pty=pty, program=program)
    try:
        board.poke_eeprom(0, _calibrated_eeprom(seed, program, firmware))
    except BaseException:
        board.close()
        raise
    return board


def _calibrated_eeprom(seed: int, program: Path, firmware: Path) -> bytes:
    digest = hashlib.sha256(program.read_bytes() + firmware.read_bytes()).hexdigest()[:16]
    image = program.parent / f"calibrated-{seed}-{digest}.eeprom"
    if not image.exists():
        with Emulator(firmware, seed=seed, program=program) as board:
            calibrate(board)
            part = image.with_suffix(f".{os.getpid()}")
            part.write_bytes(board.eeprom())
        part.replace(image)  # whole at once: others may be looking for it
    return image.read_bytes()


def calibrate(board: Emulator, low_a: float = LOW_A) -> None:
    """Apply known voltages, currents and angles, and have the meter adjusted by them, for good."""
    meter = Calibrator(BoardWire(board))
    _adjust(board, meter, Side.TIE, PHASES, low_a)
    for phase in PHASES:  # a packet has the generator's sums only
        _adjust(board, meter, Side.GENERATOR, (phase,), low_a)
    meter.save()


def _adjust(board: Emulator, meter: Calibrator, side: Side, phases: tuple[int, ...], low_a: float) -> None:
    """Adjust the currents of this side in these phases; with the tie's, the voltages."""
    low = _points(board, meter, side, phases, LOW_V, low_a)
    high = _points(board, meter, side, phases, HIGH_V, HIGH_A)
    angles = {channel: high.pop(channel) for channel in list(high) if channel.quantity is Quantity.ANGLE}
    meter.two_point({channel: low[channel] for channel in high}, high)
    meter.angles(angles)


def _points(
    board: Emulator, meter: Calibrator, side: Side, phases: tuple[int, ...],
    voltage_v: float, current_a: float,
) -> dict[Channel, Point]:  # fmt: skip
    """Apply this to these phases, and no current to any other; what the meter reads of it."""
    driven: Three = tuple(current_a if phase in phases else 0.0 for phase in PHASES)  # type: ignore[assignment]
    angles_deg = (ANGLE_DEG,) * 3
    board.connect(
        Mains(
            voltage_v=(voltage_v,) * 3,
            current_a=driven if side is Side.TIE else DEAD,
            angle_deg=angles_deg,
            generator_a=driven if side is Side.GENERATOR else DEAD,
            generator_angle_deg=angles_deg,
        )
    )
    truths = {Channel(Quantity.CURRENT, phase, side): current_a for phase in phases}
    truths |= {Channel(Quantity.ANGLE, phase, side): ANGLE_DEG for phase in phases}
    if side is Side.TIE:
        truths |= {Channel(Quantity.VOLTAGE, phase): voltage_v for phase in phases}
    return meter.points(truths, AVERAGED, SETTLED)
