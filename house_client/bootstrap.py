"""The house client's composition root: arguments in, a running program, an exit code out."""

import argparse
import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import platformdirs

from db.errors import DatabaseError
from house_client.household import HouseSettings, Refused
from house_client.program import HouseProgram
from house_client.snapshot import HouseSnapshot
from microgrid.contracting import Wish
from microgrid.terms import HOUSE_ID
from node.arguments import address, in_words
from node.clock import SteppedClock
from node.ending import told_to_end
from node.logs import start_logging
from node.loop_thread import LoopThread
from node.stepped import follow_clock

SNAPSHOT_PERIOD_S = 0.5


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="main_house.py", description="The house client of a micro-grid.")
    parser.add_argument(
        "--house", type=_house, required=True, help="ID of this house, as the central knows it"
    )
    parser.add_argument("--serial", metavar="PORT", help="serial port of the meter, for example /dev/ttyUSB0")
    parser.add_argument("--central", type=address, metavar="HOST:PORT", help="address of the central")
    parser.add_argument("--data", type=Path, help="folder for journal and log (default: the user's own)")
    parser.add_argument("--headless", action="store_true", help="run without a window")
    parser.add_argument("--windowed", action="store_true", help="do not fill the screen")
    parser.add_argument(
        "--stepped-clock", type=address, metavar="HOST:PORT", help="follow a conductor's clock"
    )
    return parser.parse_args(arguments)


def _house(text: str) -> str:
    if HOUSE_ID.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an ID; it has 1 to 32 letters, digits, hyphens or underscores"
        )
    return text


def main(arguments: Sequence[str]) -> int:
    """Run the house client; the exit code, with a sentence on stderr if it could not run."""
    options = _arguments(arguments)
    data = options.data or Path(platformdirs.user_data_dir("microgrid-house"))
    settings = HouseSettings(
        house=options.house, serial_port=options.serial, central=options.central, data=data
    )
    try:
        start_logging(data, "house")
        if options.stepped_clock is not None:
            asyncio.run(_run_stepped(settings, options.stepped_clock))
        elif options.headless:
            asyncio.run(_run_headless(settings))
        else:
            return _run_window(settings, kiosk=not options.windowed)
    except KeyboardInterrupt:
        return 0
    except (DatabaseError, OSError) as fault:
        print(f"House {options.house}: {in_words(fault)}", file=sys.stderr)
        return 1
    return 0


async def _run_stepped(settings: HouseSettings, clock_address: tuple[str, int]) -> None:
    program = HouseProgram(settings, SteppedClock())
    await program.start()
    try:
        await program.port_opened()

        async def on_tick(message: dict[str, Any]) -> dict[str, Any]:
            await program.advance(message["tick"], message["sequence"], message["uptime_ms"])
            return await _play_household(program, message.get("answer"))

        await follow_clock(clock_address, {"role": "house", "house": settings.house}, on_tick)
    finally:
        await program.stop()


async def _play_household(program: HouseProgram, answer: dict[str, Any] | None) -> dict[str, Any]:
    """What a conductor has the household answer to a call for a contract; the words if it is refused."""
    if answer is None:
        return {}
    try:
        await program.answer(msgspec.convert(answer, Wish))
    except Refused as fault:
        return {"refused": str(fault)}
    return {}


async def _run_headless(settings: HouseSettings) -> None:
    program = HouseProgram(settings)
    await program.start()
    ended = told_to_end()
    try:
        await ended.wait()
    finally:
        await program.stop()


def _run_window(settings: HouseSettings, *, kiosk: bool) -> int:
    from house_client.ui.app import run_window  # headless needs no Qt

    @contextmanager
    def source(publish: Callable[[HouseSnapshot], None]) -> Iterator[None]:
        thread = LoopThread("house")
        try:
            program = thread.submit(_started(settings)).result()
            publishing = thread.submit(_publish(program, publish))
            try:
                yield
            finally:
                publishing.cancel()
                thread.submit(program.stop()).result()
        finally:
            thread.stop()

    return run_window(source, kiosk=kiosk)


async def _started(settings: HouseSettings) -> HouseProgram:
    program = HouseProgram(settings)
    await program.start()
    return program


async def _publish(program: HouseProgram, publish: Callable[[HouseSnapshot], None]) -> None:
    while True:
        publish(program.snapshot())
        await asyncio.sleep(SNAPSHOT_PERIOD_S)
