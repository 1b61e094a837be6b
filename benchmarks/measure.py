"""What the workloads share: wall time beside processor time, medians, and one way to print a figure.

On a machine that others use, wall time says little by itself; processor time says what the work cost.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
OUTPUT = ROOT / "benchmark-output"


@dataclass
class Spent:
    """Seconds that passed, and seconds of processor time used, all threads together."""

    wall_s: float = 0.0
    cpu_s: float = 0.0

    def __str__(self) -> str:
        return f"{_seconds(self.wall_s)} ({_seconds(self.cpu_s)} CPU)"


@contextmanager
def spending() -> Iterator[Spent]:
    """Measure this process while in the context; the figures are there when it is left."""
    spent = Spent()
    wall, cpu = time.perf_counter(), time.process_time()
    try:
        yield spent
    finally:
        spent.wall_s, spent.cpu_s = time.perf_counter() - wall, time.process_time() - cpu


def medians(runs: Sequence[Spent]) -> Spent:
    """The medians of several runs."""
    return Spent(median(run.wall_s for run in runs), median(run.cpu_s for run in runs))


def repeated(work: Callable[[], object], times: int) -> Spent:
    """Run some work several times; the medians."""
    runs = []
    for _ in range(times):
        with spending() as spent:
            work()
        runs.append(spent)
    return medians(runs)


def run_program(*arguments: str, environment: dict[str, str] | None = None) -> Spent:
    """Run Python with these arguments until it ends, children and all. CalledProcessError if it fails."""
    before, begun = children_cpu_s(), time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
    )
    return Spent(time.perf_counter() - begun, children_cpu_s() - before)


def children_cpu_s() -> float:
    """Processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_bytes() -> int:
    """This process's largest resident memory so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that `percent` of these are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def show(what: str, figure: object) -> None:
    """Print one figure."""
    print(f"  {what}: {figure}", flush=True)


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms" if seconds < 0.1 else f"{seconds:.2f} s"
