"""Pictures of the running program for the documentation: `python -m simulation.pictures FOLDER`.

A day of chapter 9 is lived until noon; then house C's program is stopped, and at last the central.
"""

import asyncio
import sys
import tempfile
from pathlib import Path

from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.app import render as render_central
from house_client.snapshot import HouseSnapshot
from house_client.ui.app import render as render_house
from simulation.command import CHAPTER_9, DEMO_MONTH
from simulation.demo import Demo
from simulation.scenario import load_scenario

NOON_MINUTES = 12 * 60
GONE_MINUTES = 20
GONE = "C"
KIOSK = "B"
CENTRAL_SIZE = (1280, 800)
KIOSK_SIZE = (1024, 600)


async def _live(folder: Path) -> tuple[list[CentralSnapshot], list[CentralSnapshot], list[HouseSnapshot]]:
    scenario = load_scenario(CHAPTER_9, DEMO_MONTH, days=1, step=5, seed=1)
    start = scenario.minutes.start
    healthy: list[CentralSnapshot] = []
    gone: list[CentralSnapshot] = []
    async with Demo(scenario, folder).assembled() as (central, houses, conductor):
        kiosk = houses[KIOSK]
        for minute in range(start, start + NOON_MINUTES + 1, scenario.step):
            await conductor.tick(minute)
            healthy.append(central.snapshot())
        well = kiosk.snapshot()
        await houses.pop(GONE).stop()
        for minute in range(start + NOON_MINUTES + 5, start + NOON_MINUTES + GONE_MINUTES + 1, scenario.step):
            await conductor.tick(minute)
            gone.append(central.snapshot())
        await central.stop()
        while not kiosk.snapshot().central_detail:
            await asyncio.sleep(0.01)
        return healthy, healthy + gone, [well, kiosk.snapshot()]


def main(folder: Path) -> None:
    """Draw every picture into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data:
        healthy, gone, kiosk = asyncio.run(_live(Path(data)))
    for name, snapshots in (("healthy", healthy), ("house-gone", gone)):
        path = folder / f"central-{name}.png"
        render_central(snapshots[-1], path, CENTRAL_SIZE, earlier=snapshots[-60:-1])
    for name, snapshot in zip(("healthy", "central-gone"), kiosk, strict=True):
        render_house(snapshot, folder / f"house-{name}.png", KIOSK_SIZE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
