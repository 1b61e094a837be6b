"""The central power monitor: `python main_central.py --help`."""

import sys
from typing import Any

from central_monitor.bootstrap import main


def add_demo(commands: Any) -> None:
    """The demonstration's command; only here does the program know the simulation."""
    from simulation.command import add_command

    add_command(commands)


if __name__ == "__main__":
    at_work = sys.argv[1:2] in (["run"], ["settle"])  # these never load the simulation
    sys.exit(main(sys.argv[1:], None if at_work else add_demo))
