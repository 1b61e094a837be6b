"""What is told of the meter and not gated: distorted waveforms, and diode bridges as rectifiers."""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.meter_accuracy import VOLTS, percent
from benchmarks.meter_figures import NOMINAL_V, PHASES, Figure, Rig, Worst, all_phases, mains
from house_client.calibrator import Calibrator
from simulation.emulated_board import BoardWire, calibrate
from simulation.emulator import BUILD, EMULATOR, METER_ELF, Emulator

ORDERS = (3, 5, 7)
CONTENTS_PERCENT = (5, 10)
CURRENT_A = 5.0
ANGLE_DEG = 25.0
# Two diodes of a bridge, and a current that leaves enough of itself behind them to be calibrated by.
DIODES_MV = 1400
BRIDGE_LOW_A = 3.0
DEAD_AMPERES = [it / 20 for it in range(10, 31)]
BRIDGE_AMPERES = (1.25, 1.5, 2, 3, 5, 7, 10, 13, 16, 19)


def harmonics(rig: Rig, orders: Iterable[int] = ORDERS) -> list[Figure]:
    """A harmonic in voltage or current, in step with the fundamental: errors of RMS and active power."""
    applied = mains(all_phases(CURRENT_A), angle_deg=ANGLE_DEG)
    figures = []
    for order in orders:
        for content in CONTENTS_PERCENT:
            for key, name in (("hv", "voltage"), ("hi", "current")):
                rig.board.set(**{f"{key}{order}": content})
                sample = rig.read(applied, settled=4)
                rms = (1 + (content / 100) ** 2) ** 0.5
                reading, truth = {
                    "hv": (sample.voltage_v[0], NOMINAL_V * rms),
                    "hi": (sample.current_a[0], CURRENT_A * rms),
                }[key]
                what = f"{content} % of order {order} in the {name}"
                figures.append(Figure(f"{name}, {what}", percent(reading, truth), "%"))
                figures.append(Figure(f"active power, {what}", _power_error(rig, sample.exchange_p_w), "%"))
                rig.board.set(**{f"{key}{order}": 0})
    return figures


def _power_error(rig: Rig, power_w: float) -> float:
    begun, begun_us = rig.board.truth(), rig.board.now_us
    rig.board.run(1.0)
    true = rig.board.truth() - begun
    return percent(power_w, (true.export_ws - true.import_ws) / ((rig.board.now_us - begun_us) / 1e6))


def bridge(seed: int, build: Path = BUILD) -> list[Figure]:
    """The source's diode bridges, their drop told to the meter and the rest calibrated."""
    volts, amperes = Worst(), Worst()
    with Emulator(
        build / METER_ELF.name, profile="bridge", seed=seed, program=build / EMULATOR.name
    ) as board:
        Calibrator(BoardWire(board)).set_values({"DIO": DIODES_MV})
        calibrate(board, low_a=BRIDGE_LOW_A)
        rig = Rig(board)
        rig.read(mains(voltage_v=VOLTS[0]), settled=4)
        for volt in VOLTS:
            sample = rig.read(mains(voltage_v=volt))
            for phase in PHASES:
                volts.see(percent(sample.voltage_v[phase], volt), f"phase {phase + 1} at {volt} V")
        dead_a = 0.0
        for ampere in DEAD_AMPERES:
            if not all(rig.read(mains(all_phases(ampere))).current_a):
                dead_a = ampere
        for ampere in BRIDGE_AMPERES:
            sample = rig.read(mains(all_phases(ampere)))
            for phase in PHASES:
                amperes.see(percent(sample.current_a[phase], ampere), f"phase {phase + 1} at {ampere} A")
    return [
        volts.figure("bridge: voltage, 30 to 270 V", "%"),
        amperes.figure(f"bridge: current, {BRIDGE_AMPERES[0]} to 19 A", "%"),
        Figure("bridge: reads nothing up to", dead_a, "A"),
    ]
