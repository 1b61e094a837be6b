"""Pictures of the running program for the documentation: `python -m simulation.pictures FOLDER`.

A day of chapter 9 is lived until noon; then house C's program is stopped, and at last the central.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from central_monitor.adapters.archive import Archive
from central_monitor.adapters.operating import RunningOperator
from central_monitor.operator import Operator
from central_monitor.program import CentralProgram
from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.app import render as render_central
from house_client.program import HouseProgram
from house_client.ui.app import render as render_house
from node.loop_thread import LoopThread
from simulation.command import CHAPTER_9, DEMO_MONTH
from simulation.conductor import Conductor
from simulation.demo import Demo
from simulation.scenario import load_scenario

NOON_MINUTES = 12 * 60
GONE_MINUTES = 20
GONE = "C"
KIOSK = "B"
CENTRAL_SIZE = (1280, 800)
KIOSK_SIZE = (1024, 600)
TREND_SNAPSHOTS = 60
PATIENCE_S = 10.0


class _Town:
    """A demonstration that is moved on between pictures."""

    def __init__(
        self,
        thread: LoopThread,
        central: CentralProgram,
        houses: dict[str, HouseProgram],
        conductor: Conductor,
    ) -> None:
        self._thread = thread
        self._conductor = conductor
        self.central = central
        self.houses = houses
        self.snapshots: list[CentralSnapshot] = []

    def live(self, minutes: range) -> None:
        """Live these minutes, and keep a snapshot of each tick."""
        for minute in minutes:
            self._thread.submit(self._conductor.tick(minute)).result()
            self.snapshots.append(self.central.snapshot())

    def stop(self, program: CentralProgram | HouseProgram) -> None:
        """One of the programs ends."""
        self._thread.submit(program.stop()).result()


@contextmanager
def _assembled(thread: LoopThread, demo: Demo) -> Iterator[_Town]:
    context = demo.assembled()
    central, houses, conductor = thread.submit(context.__aenter__()).result()
    try:
        yield _Town(thread, central, houses, conductor)
    finally:
        thread.submit(context.__aexit__(None, None, None)).result()


def main(folder: Path) -> None:
    """Draw every picture into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    scenario = load_scenario(CHAPTER_9, DEMO_MONTH, days=1, step=5, seed=1)
    start, step = scenario.minutes.start, scenario.step
    noon = start + NOON_MINUTES
    thread = LoopThread("pictures")
    try:
        with tempfile.TemporaryDirectory() as data, _assembled(thread, Demo(scenario, Path(data))) as town:
            kiosk = town.houses[KIOSK]
            town.live(range(start, noon + 1, step))
            well = kiosk.snapshot()  # at once: a meter that is not played for a second has fallen silent
            with closing(Archive(Path(data) / "power.sqlite")) as archive:
                operator = RunningOperator(thread, town.central, archive)
                for screen in ("main", "agreement", "sharing", "detail", "bills", "settings"):
                    _draw(town, folder / f"central-{_NAMES.get(screen, screen)}.png", screen, operator)
            render_house(well, folder / "house-healthy.png", KIOSK_SIZE)
            town.stop(town.houses.pop(GONE))
            town.live(range(noon + step, noon + GONE_MINUTES + 1, step))
            town.stop(town.central)
            deadline = time.monotonic() + PATIENCE_S
            while not kiosk.snapshot().central_detail and time.monotonic() < deadline:
                time.sleep(0.01)
            render_house(kiosk.snapshot(), folder / "house-central-gone.png", KIOSK_SIZE)
            _draw(town, folder / "central-house-gone.png")
    finally:
        thread.stop()


_NAMES = {"main": "healthy"}


def _draw(town: _Town, path: Path, screen: str = "main", operator: Operator | None = None) -> None:
    earlier = town.snapshots[-TREND_SNAPSHOTS:-1]
    render_central(
        town.snapshots[-1], path, CENTRAL_SIZE, earlier=earlier, screen=screen, house=KIOSK, operator=operator
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
