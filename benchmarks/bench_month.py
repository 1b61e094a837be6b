"""The demonstration's month of four houses on its full path, as a process. Goal: 60 s.

BENCHMARK_DAYS sets another number of days than 30.
"""

import os
import tempfile

from benchmarks.measure import run_program, show

DAYS = os.environ.get("BENCHMARK_DAYS", "30")


def main() -> None:
    """Print the time of one run, from process start to the written statements."""
    with tempfile.TemporaryDirectory() as folder:
        spent = run_program("main_central.py", "demo", "--days", DAYS, "--headless", "--out", folder)
    show(f"{DAYS} days", spent)


if __name__ == "__main__":
    main()
