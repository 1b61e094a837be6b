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
from house_client.household import Household, HouseSettings, Refused
from house_client.meter_address import EXAMPLES, modbus_address
from house_client.program import HouseProgram
from house_client.running import RunningHousehold
from house_client.settings_file import read_settings
from house_client.snapshot import HouseSnapshot
from microgrid.contracting import Wish
from microgrid.terms import HOUSE_ID, MAX_CONNECTION_W
from microgrid.units import watts
from node.arguments import address, in_words
from node.clock import SteppedClock
from node.ending import told_to_end
from node.logs import start_logging
from node.loop_thread import LoopThread
from node.stepped import follow_clock


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="main_house.py", description="The house client of a micro-grid.")
    parser.add_argument(
        "--house", type=_house, help="ID of this house, as the central knows it (default: as set up)"
    )
    parser.add_argument(
        "--meter",
        "--serial",
        type=_meter,
        metavar="PORT",
        help="serial port of the meter, for example /dev/ttyUSB0; or a Modbus meter's address, like "
        + EXAMPLES,
    )
    parser.add_argument("--central", type=address, metavar="HOST:PORT", help="address of the central")
    parser.add_argument(
        "--max-export-kw",
        type=_power,
        metavar="KW",
        help="what this house gives at most, whatever the central asks (default: what its connection can)",
    )
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


def _meter(text: str) -> str:
    try:
        modbus_address(text)
    except ValueError as fault:
        raise argparse.ArgumentTypeError(str(fault)) from fault
    return text


def _power(text: str) -> int:
    """A limit in whole watts."""
    try:
        power_w = watts(float(text))
    except (ValueError, OverflowError):
        power_w = 0
    if not 0 < power_w <= MAX_CONNECTION_W:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a power in kW above 0 and at most {MAX_CONNECTION_W // 1000}"
        )
    return power_w


def main(arguments: Sequence[str]) -> int:
    """Run the house client; the exit code, with a sentence on stderr if it could not run."""
    options = _arguments(arguments)
    data = options.data or Path(platformdirs.user_data_dir("microgrid-house"))
    try:
        settings = _settings(options, data)
        start_logging(data, "house")
        if options.stepped_clock is not None:
            asyncio.run(_run_stepped(settings, options.stepped_clock))
        elif options.headless:
            asyncio.run(_run_headless(settings))
        else:
            return _run_window(settings, kiosk=not options.windowed)
    except KeyboardInterrupt:
        return 0
    except (DatabaseError, OSError, ValueError) as fault:
        name = f"House {options.house}" if options.house else "main_house.py"
        print(f"{name}: {in_words(fault)}", file=sys.stderr)
        return 1
    return 0


def _settings(options: argparse.Namespace, data: Path) -> HouseSettings:
    """What the command line says, and for the rest what was set up at the kiosk.

    ValueError if that is not enough to run without one.
    """
    kept = read_settings(data)
    if kept is None or options.house not in (None, kept.house):
        kept = HouseSettings(house="", meter=None, central=None, data=data)
    settings = HouseSettings(
        house=options.house or kept.house,
        meter=options.meter or kept.meter,
        central=options.central or kept.central,
        data=data,
        max_export_w=options.max_export_kw or kept.max_export_w,
    )
    if not settings.house and (options.headless or options.stepped_clock):
        raise ValueError("this house is not set up yet; name it with --house, or set it up at the kiosk.")
    return settings


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
    call = program.snapshot().call
    if call is None:
        return {"refused": "No contract is being asked for now."}
    try:
        await program.answer(msgspec.convert(answer, Wish), call)
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
    def source(publish: Callable[[HouseSnapshot], None]) -> Iterator[Household]:
        thread = LoopThread("house")
        try:
            household = RunningHousehold(thread, settings, publish)
            try:
                yield household
            finally:
                household.close()
        finally:
            thread.stop()

    return run_window(source, kiosk=kiosk)
