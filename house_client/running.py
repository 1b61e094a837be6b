"""The household's side of a running house client: what the kiosk's pages ask and do (see `household.py`)."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from db.errors import DatabaseError
from house_client.household import History, HouseSettings, Refused
from house_client.meter_address import modbus_address
from house_client.meter_choice import line_of
from house_client.program import HouseProgram
from house_client.settings_file import write_settings
from house_client.setup import knock, listen_once, own_port, serial_ports
from house_client.snapshot import CentralState, HouseSnapshot, MeterState
from microgrid.contracting import Wish
from microgrid.sample import Quality
from microgrid.swap import MeterSwap
from microgrid.wire.messages import ContractCall
from node.arguments import in_words
from node.clock import SystemClock
from node.loop_thread import LoopThread

SNAPSHOT_PERIOD_S = 0.5

Answer = TypeVar("Answer")
Publish = Callable[[HouseSnapshot], None]

log = logging.getLogger(__name__)


class RunningHousehold:
    """A `Household` whose program runs in `thread`, and is started anew with other settings.

    A house that was never set up (its ID is empty) has no program yet.
    """

    def __init__(self, thread: LoopThread, settings: HouseSettings, publish: Publish) -> None:
        """`publish` is given snapshots from the thread. DatabaseError if the journal cannot be used."""
        self._thread = thread
        self._settings = settings
        self._publish = publish
        self._program: HouseProgram | None = None
        self._clock = SystemClock()
        self._in_use = asyncio.Lock()  # nothing is asked of a program that is being exchanged
        thread.submit(self._start(settings)).result()
        self._publishing = thread.submit(self._publish_on())

    def close(self) -> None:
        """Stop the program; no more snapshots are published."""
        self._publishing.cancel()
        self._thread.submit(self._stop()).result()

    # --- what pages do ------------------------------------------------------------------------------

    def answer(self, wish: Wish, call: ContractCall) -> Future[None]:
        """Answer this call for a contract."""
        return self._do(lambda program: program.answer(wish, call))

    def history(self) -> Future[History]:
        """Bills, contracts and meters of this house."""
        return self._do(lambda program: program.history())

    def begin_swap(self, installer: str, reason: str) -> Future[None]:
        """The old meter comes off now."""
        return self._do(lambda program: program.begin_swap(installer, reason))

    def cancel_swap(self) -> Future[None]:
        """The old meter stays."""
        return self._do(lambda program: program.cancel_swap())

    def finish_swap(self) -> Future[MeterSwap]:
        """The new meter takes over."""
        return self._do(lambda program: program.finish_swap())

    # --- set-up -------------------------------------------------------------------------------------

    def settings(self) -> HouseSettings:
        """What is set now."""
        return self._settings

    def apply(self, settings: HouseSettings) -> Future[None]:
        """Keep these settings and work with them from now on."""
        return self._thread.submit(self._apply(settings))

    def ports(self) -> tuple[tuple[str, str], ...]:
        """The serial ports there are now."""
        return serial_ports()

    def test_port(self, port: str) -> Future[str]:
        """Listen on a port for a few seconds."""
        return self._thread.submit(self._test_port(port))

    def test_central(self, house: str, address: tuple[str, int]) -> Future[str]:
        """Ask the central at this address whether it knows the house."""
        return self._thread.submit(knock(house, address))

    # --- in the thread ------------------------------------------------------------------------------

    def _do(self, act: Callable[[HouseProgram], Coroutine[Any, Any, Answer]]) -> Future[Answer]:
        return self._thread.submit(self._with_program(act))

    async def _with_program(self, act: Callable[[HouseProgram], Coroutine[Any, Any, Answer]]) -> Answer:
        async with self._in_use:
            if self._program is None:
                raise Refused("This house is not set up yet; do that first.")
            return await act(self._program)

    async def _test_port(self, port: str) -> str:
        program, own = self._program, self._settings.meter
        if program is not None and own is not None and line_of(port) == line_of(own):
            if modbus_address(port) != modbus_address(own):
                raise Refused(f"This program uses that line itself, for {own}; connect, to change over.")
            return own_port(port, program.service.fresh_sample)
        return await asyncio.to_thread(listen_once, port)

    async def _apply(self, settings: HouseSettings) -> None:
        """Work with the new settings, then keep them; with the old ones if that cannot be."""
        async with self._in_use:
            try:
                await self._stop()
                await self._start(settings)
                await asyncio.to_thread(write_settings, settings)
            except (DatabaseError, OSError) as fault:
                await self._go_back()
                raise Refused(f"The settings could not be taken over: {in_words(fault)}") from fault
            self._settings = settings

    async def _go_back(self) -> None:
        """Work with the settings that are kept, if their journal can be used."""
        with contextlib.suppress(DatabaseError):
            await self._stop()
        try:
            await self._start(self._settings)
        except DatabaseError as fault:
            log.error("house %s cannot be started again: %s", self._settings.house, fault)

    async def _start(self, settings: HouseSettings) -> None:
        if settings.house:
            program = HouseProgram(settings)
            await program.start()
            self._program = program

    async def _stop(self) -> None:
        program, self._program = self._program, None
        if program is not None:
            await program.stop()

    async def _publish_on(self) -> None:
        while True:
            if not self._in_use.locked():  # what is being exchanged shows nothing
                program = self._program
                try:
                    self._publish(
                        _not_set_up(self._clock.now_ms()) if program is None else program.snapshot()
                    )
                except Exception:  # a fault that nobody foresaw must not leave the last picture standing
                    log.exception("the window was not told")
            await asyncio.sleep(SNAPSHOT_PERIOD_S)


def _not_set_up(now_ms: int) -> HouseSnapshot:
    return HouseSnapshot(
        now_s=now_ms / 1000,
        zone="UTC",
        house="",
        name="",
        meter=MeterState.NO_PORT,
        meter_detail="No meter is chosen; choose its port.",
        central=CentralState.NO_ADDRESS,
        central_detail="No central is chosen; enter its address.",
        sample=None,
        quality=Quality.STALE,
        age_s=None,
        import_ws=0,
        export_ws=0,
        generation_ws=0,
        rate=None,
        tariff=None,
        pool_w=None,
        minutes_waiting=0,
        target_w=None,
    )
