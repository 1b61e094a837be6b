"""Programs in real time: a central as a process, and houses beside the test on its event loop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from house_client.household import HouseSettings
from house_client.program import HouseProgram
from tests.e2e.neighbourhood import CHAPTER_9
from tests.e2e.processes import CENTRAL, Process

HOST = "127.0.0.1"


@contextmanager
def live_central(folder: Path, port: int = 0) -> Iterator[tuple[Process, int]]:
    """A central in a process of its own, and its port; log and database are in the folder."""
    listen = ("--listen", f"{HOST}:{port}", "--database", folder / "power.sqlite", "--grid", CHAPTER_9)
    with Process((*CENTRAL, "run"), "--headless", *listen) as process:
        yield process, int(process.first_line().rstrip(".\n").rpartition(":")[2])


@asynccontextmanager
async def house_program(
    folder: Path, house: str, central_port: int | None, meter: str | None = None
) -> AsyncIterator[HouseProgram]:
    """A house client on this event loop, in real time."""
    central = None if central_port is None else (HOST, central_port)
    data = folder / f"house-{house}"
    settings = HouseSettings(house=house, meter=meter, central=central, data=data)
    program = HouseProgram(settings)
    try:
        await program.start()
        yield program
    finally:
        await program.stop()


async def until(holds: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    """Wait, while the event loop runs, until something holds; AssertionError names it."""
    try:
        async with asyncio.timeout(timeout_s):
            while not holds():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"{what} did not come within {timeout_s:g} s") from None
