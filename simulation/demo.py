"""A month in seconds: on virtual time through real ptys, serial parser, TCP, database and settlement."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from central_monitor.adapters.writer import DatabaseWriter
from central_monitor.program import CentralProgram, Listen
from central_monitor.snapshot import LinkState
from house_client.household import HouseSettings
from house_client.program import HouseProgram
from microgrid.units import SECONDS_PER_MINUTE
from node.clock import SteppedClock
from node.worker import InlineWorker
from simulation.conductor import Conductor
from simulation.emulated_board import calibrated_board
from simulation.emulated_meter import EmulatedMeter
from simulation.meter import PtyMeter
from simulation.plant.house_plant import HousePlant
from simulation.scenario import Scenario
from simulation.virtual_meter import VirtualMeter

LOOPBACK = "127.0.0.1"
LINK_TIMEOUT_S = 10.0

Lived = Callable[[int, int], None]
"""Told how many minutes of how many have been lived."""
Shown = Callable[[CentralProgram, Mapping[str, HouseProgram]], None]
"""Shown the programs after each tick, to take snapshots of what it wants to see."""


class Demo:
    """A neighbourhood on one event loop: meters on ptys, house programs, and the central on TCP."""

    def __init__(self, scenario: Scenario, folder: Path, emulated: str | None = None) -> None:
        """`folder` receives power.sqlite; what an earlier demo left there under that name is replaced.

        `emulated` is the house, if any, whose meter is the firmware in its emulator.
        """
        self._scenario = scenario
        self._folder = folder
        self.emulated = emulated
        self.plants: dict[str, HousePlant] = {}  # as they were lived
        self.database = folder / "power.sqlite"

    @property
    def kiosk_house(self) -> str:
        """The house whose kiosk is worth watching."""
        return self._scenario.first_seller if self.emulated is None else self.emulated

    @property
    def month(self) -> str:
        """The month lived, or lived the first days of, as YYYY-MM."""
        return self._scenario.month

    @property
    def ticks(self) -> Sequence[int]:
        """The minutes at which time stands still, the first and the last included."""
        minutes = self._scenario.minutes
        return (*range(minutes.start, minutes.stop, self._scenario.step), minutes.stop)

    async def live(self, lived: Lived, shown: Shown | None = None) -> None:
        """Live through the scenario's minutes. TimeoutError names who did not answer."""
        minutes = self._scenario.minutes
        async with self.assembled() as (central, houses, conductor):
            for minute in self.ticks:
                await conductor.tick(minute)
                lived(minute - minutes.start, len(minutes))
                if shown is not None:
                    shown(central, houses)

    @asynccontextmanager
    async def assembled(self) -> AsyncIterator[tuple[CentralProgram, dict[str, HouseProgram], Conductor]]:
        """Everything made, joined and linked, at the scenario's first minute; stopped on leaving.

        A house taken out of the dictionary and stopped is one that has gone.
        """
        async with AsyncExitStack() as stack:
            yield await self._assemble(stack)

    async def _assemble(
        self, stack: AsyncExitStack
    ) -> tuple[CentralProgram, dict[str, HouseProgram], Conductor]:
        self._clear()
        start_ms = self._scenario.minutes.start * SECONDS_PER_MINUTE * 1000
        writer = DatabaseWriter(self.database, InlineWorker())
        stack.callback(writer.close)
        writer.save_terms(self._scenario.terms)
        central = CentralProgram(
            self._scenario.terms,
            writer,
            Listen(host=LOOPBACK, port=0),
            SteppedClock(start_ms),
            period_minutes=self._scenario.step,
        )
        await central.start()
        stack.push_async_callback(central.stop)
        meters = {}
        for house, virtual in self._scenario.meters().items():
            self.plants[house] = virtual.plant
            meters[house] = PtyMeter(self._emulate(virtual, stack) if house == self.emulated else virtual)
            stack.callback(meters[house].close)
        houses = {}
        for house, meter in meters.items():
            settings = HouseSettings(
                house=house,
                meter=meter.port,
                central=(LOOPBACK, central.port),
                data=self._folder / "houses",
            )
            houses[house] = HouseProgram(settings, SteppedClock(start_ms))
            stack.push_async_callback(houses[house].stop)
            await houses[house].start()
        for program in houses.values():
            await program.port_opened()
        await _all_linked(central)
        conductor = Conductor(central, houses, meters)
        stack.enter_context(conductor.serving())
        return central, houses, conductor

    def _emulate(self, meter: VirtualMeter, stack: AsyncExitStack) -> EmulatedMeter:
        """The firmware in place of this meter."""
        board = stack.enter_context(calibrated_board(self._scenario.seed))
        return EmulatedMeter(meter.plant, board, silent=meter.silent)

    def _clear(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for file in self._folder.glob("power.sqlite*"):
            file.unlink()
        shutil.rmtree(self._folder / "houses", ignore_errors=True)


async def _all_linked(central: CentralProgram) -> None:
    async with asyncio.timeout(LINK_TIMEOUT_S):
        while any(live.link is not LinkState.LINKED for live in central.live.houses.values()):
            await asyncio.sleep(0.005)
