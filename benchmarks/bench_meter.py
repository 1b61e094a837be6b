"""The emulated meter against truth, boards of three seeds: each figure, its gate, and whether it holds.

`python -m benchmarks meter`, or `make -C firmware bench`, which builds first. The gates but that of speed are
tests too (tests/firmware/test_figures.py), with fewer points.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from benchmarks import meter_accuracy as accuracy
from benchmarks import meter_line as line
from benchmarks import meter_reports as reports
from benchmarks.measure import children_cpu_s
from benchmarks.meter_figures import Figure, combined, measured, sizes
from simulation.emulated_board import calibrated_board

SEEDS = (1, 2, 3)
# The longest first, so that no processor is left with it at the end.
CAMPAIGN = (
    line.line, accuracy.angle, accuracy.energy, accuracy.current, accuracy.voltage, accuracy.saturation,
    accuracy.frequency, accuracy.supply, accuracy.zero, line.clock, line.contest,
)  # fmt: skip
SPEED_S = 30
LEAST_SPEED = 10.0
FORMAT = "{:<50} {:>14} {:>12}  {:<8} {}"


def speed() -> Figure:
    """Emulated seconds in a second of processor time, which is what a machine of its own would take."""
    begun_s = children_cpu_s()
    with calibrated_board(SEEDS[0]) as board:
        board.connect(line.BUSY)
        board.run(SPEED_S)
    spent_s = children_cpu_s() - begun_s
    return Figure("emulation, times as fast as real time", SPEED_S / spent_s, "", least=LEAST_SPEED)


def all_figures() -> list[Figure]:
    """Everything; minutes of processor time, on all processors."""
    for seed in SEEDS:
        calibrated_board(seed).close()
    figures = [*sizes(), speed()]
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # the emulators are processes of their own
        jobs = [partial(measured, measure, seed) for measure in CAMPAIGN for seed in SEEDS]
        jobs += [partial(measured, reports.harmonics, SEEDS[0]), partial(reports.bridge, SEEDS[0])]
        for found in pool.map(lambda job: job(), jobs):
            figures += found
    return combined(figures)


def main() -> int:
    """Print the table; exit code 1 if a gate does not hold."""
    try:
        figures = all_figures()
    except LookupError as missing:
        print(missing, file=sys.stderr)
        return 1
    print(FORMAT.format("figure", "gate", "worst", "", "where"))
    for it in figures:
        reported = it.most is None and it.least is None
        verdict = "reported" if reported else "holds" if it.holds else "MISSED"
        print(FORMAT.format(it.name, it.gate, it.shown, verdict, it.where if it.measured else ""))
    return int(not all(it.holds for it in figures))


if __name__ == "__main__":
    sys.exit(main())
