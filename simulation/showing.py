"""The demonstration on a screen: the central's window and a kiosk's; without a screen, their pictures."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from concurrent.futures import CancelledError, Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from central_monitor.adapters.archive import Archive
from central_monitor.adapters.operating import RunningOperator
from central_monitor.operator import Operator
from central_monitor.program import CentralProgram
from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.app import render as render_central
from central_monitor.ui.app import run_window
from house_client.program import HouseProgram
from house_client.snapshot import HouseSnapshot
from house_client.ui.app import beside
from house_client.ui.app import render as render_house
from node.loop_thread import LoopThread
from node.progress import progress_bar
from simulation.charts import draw_figures
from simulation.demo import Demo
from simulation.figures import month_figures

TREND_SNAPSHOTS = 60
SHOWN_EVERY_S = 0.05  # faster than this nobody can look, and drawing would slow the month down
INTERRUPTED = "The demonstration was closed before its month was over; nothing was settled.\n"


def has_screen() -> bool:
    """Whether windows can be opened here."""
    if os.environ.get("QT_QPA_PLATFORM") == "offscreen":
        return False
    on_unix = sys.platform not in ("win32", "darwin")
    return not on_unix or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def show(demo: Demo, folder: Path, settle: Callable[[], str]) -> str:
    """Live the month before the user's eyes, settle it, and return what is to be printed."""
    return _in_windows(demo, folder, settle) if has_screen() else _in_pictures(demo, folder, settle)


def _in_pictures(demo: Demo, folder: Path, settle: Callable[[], str]) -> str:
    earlier: list[CentralSnapshot] = []
    houses: dict[str, HouseSnapshot] = {}

    left = len(demo.ticks)

    def shown(central: CentralProgram, programs: Mapping[str, HouseProgram]) -> None:
        nonlocal left
        left -= 1
        if left < TREND_SNAPSHOTS:
            earlier.append(central.snapshot())
            houses.update({house: program.snapshot() for house, program in programs.items()})

    with progress_bar("Living") as lived:
        asyncio.run(demo.live(lived, shown))
    text = settle()
    last = earlier.pop()
    render_central(last, folder / "central.png", earlier=earlier)
    for house, snapshot in houses.items():
        render_house(snapshot, folder / f"house-{house}.png")
    _draw_figures(demo, folder)
    return f"{text}\nPictures of the windows and Figures 9.1 to 9.4 are in {folder}.\n"


def _draw_figures(demo: Demo, folder: Path) -> None:
    draw_figures(month_figures(demo.database, demo.month), folder)


def _in_windows(demo: Demo, folder: Path, settle: Callable[[], str]) -> str:
    kiosk_house = demo.kiosk_house
    results: list[str] = []
    due_s = 0.0

    @contextmanager
    def source(publish: Callable[[CentralSnapshot], None]) -> Iterator[Operator]:
        thread = LoopThread("demonstration")
        begun: Future[CentralProgram] = Future()
        try:
            with beside() as publish_house, progress_bar("Living") as lived:

                def shown(central: CentralProgram, houses: Mapping[str, HouseProgram]) -> None:
                    nonlocal due_s
                    if not begun.done():
                        begun.set_result(central)
                    if time.monotonic() >= due_s:
                        due_s = time.monotonic() + SHOWN_EVERY_S
                        publish(central.snapshot())
                        publish_house(houses[kiosk_house].snapshot())

                async def work() -> None:
                    await demo.live(lived, shown)
                    results.append(await asyncio.to_thread(settle))
                    print(results[-1] + "Close the window to draw Figures 9.1 to 9.4 and end.", flush=True)

                working = thread.submit(work())
                working.add_done_callback(_report)
                first: list[Future[Any]] = [begun, working]
                futures.wait(first, return_when=futures.FIRST_COMPLETED)
                if not begun.done():
                    working.result()  # it ended before it had begun: this says why
                with closing(Archive(demo.database)) as questions:
                    yield RunningOperator(thread, begun.result(), questions)
        finally:
            thread.stop()  # cancels what is still at work and waits until it has put everything away

    run_window(source)
    if not results:
        return INTERRUPTED
    _draw_figures(demo, folder)
    return f"Figures 9.1 to 9.4 are in {folder}.\n"


def _report(working: Future[None]) -> None:
    try:
        working.result()
    except CancelledError:
        pass
    except Exception as fault:
        print(f"main_central.py: {fault}", file=sys.stderr, flush=True)
