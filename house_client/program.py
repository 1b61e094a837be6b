"""The house program at work: port, service and link on one event loop, live or stepped."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from typing import Any

from db.errors import DatabaseError
from db.house.journal import MinuteJournal
from house_client.household import History, HouseSettings, Refused
from house_client.link import Link
from house_client.meter import Meter
from house_client.meter_choice import meter_at
from house_client.meter_exchange import keep_begun, read_begun
from house_client.safe_output import SafeOutput, keep_safe_output, read_safe_output
from house_client.service import FRESH_S, HouseService, packet_times
from house_client.snapshot import HouseSnapshot, MeterState
from microgrid.contracting import Wish
from microgrid.sample import Sample
from microgrid.swap import MeterSwap
from microgrid.units import SECONDS_PER_MINUTE
from microgrid.wire.messages import ContractCall
from node.arguments import in_words
from node.clock import Clock, SteppedClock, SystemClock
from node.worker import InlineWorker, Worker

WATCHDOG_S = 10.0  # real time in which a stepped house must have heard its meter

log = logging.getLogger(__name__)


class HouseProgram:
    """Every part of the house client except its window; for one event loop.

    Raises DatabaseError on construction if the journal cannot be used.
    """

    def __init__(self, settings: HouseSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or SystemClock()
        stepped = isinstance(self._clock, SteppedClock)
        self._worker = InlineWorker() if stepped else Worker(f"journal {settings.house}")
        settings.data.mkdir(parents=True, exist_ok=True)
        journal_file = settings.data / f"house-{settings.house}.sqlite"
        try:
            self._journal = self._worker.run(lambda: MinuteJournal(journal_file, power_safe=not stepped))
        except BaseException:
            self._worker.close()
            raise
        self.service = self._worker.run(
            lambda: HouseService(
                settings.house,
                self._journal,
                self._worker,
                self._clock,
                fresh_s=SECONDS_PER_MINUTE if stepped else FRESH_S,
                begun=read_begun(settings.data),
                max_export_w=settings.max_export_w,
                safe_output=read_safe_output(settings.data, settings.house),
            )
        )
        self.service.control.keep = self._keep_safe_output
        self._inbox: list[tuple[int, Sample]] = []
        self._arrived = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []
        self._port: Meter | None = None
        self._stopped = False

    async def start(self) -> None:
        """Open the port and begin to look for the central."""
        loop = asyncio.get_running_loop()
        if self.service.exchange.begun is None:
            await self._keep_begun()  # one that was finished as the power failed
        if self._settings.meter is not None:
            self._port = meter_at(
                self._settings.meter,
                lambda at_ms, samples: _call(loop, self._hear, at_ms, samples),
                lambda state, sentence: _call(loop, self._meter_changed, state, sentence),
            )
            self.service.control.pulses.port = self._port
            self._port.start()
        if self._settings.central is not None:
            link = Link(self._settings.central, self.service, self._clock)
            self.service.send = link.send
            self._tasks.append(loop.create_task(link.run()))
        if not isinstance(self._clock, SteppedClock):
            self._tasks.append(loop.create_task(self._live()))

    async def port_opened(self) -> None:
        """Wait until the port is open; TimeoutError names it if that takes too long."""
        port = self._port
        if port is not None and not await asyncio.to_thread(port.wait_open, WATCHDOG_S):
            raise TimeoutError(
                f"House {self._settings.house}: no line to the meter at {self._settings.meter}."
            )

    async def advance(self, second: int, sequence: int, uptime_ms: int) -> None:
        """Do all work up to this Unix second: hear the meter through packet `sequence`, close minutes.

        TimeoutError if the packet does not come within the watchdog's real time.
        """
        assert isinstance(self._clock, SteppedClock)
        self._clock.step_to(second * 1000)
        deadline = time.monotonic() + WATCHDOG_S
        while not self._has_heard(sequence):
            self._arrived.clear()
            left_s = deadline - time.monotonic()
            try:
                async with asyncio.timeout(left_s):
                    await self._arrived.wait()
            except TimeoutError:
                raise TimeoutError(
                    f"House {self._settings.house}: packet {sequence} of the meter did not arrive."
                ) from None
        inbox, self._inbox = self._inbox, []
        timed = packet_times(second * 1000, uptime_ms, [sample for _, sample in inbox])
        await self.service.take(timed, second * 1000)
        await self.service.control.look()

    def _has_heard(self, sequence: int) -> bool:
        newest = self._inbox[-1][1] if self._inbox else self.service.sample
        return newest is not None and newest.sequence >= sequence

    async def _live(self) -> None:
        """Hear the meter as it speaks and close minutes as they end, by the central's time."""
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._arrived.wait()
            self._arrived.clear()
            inbox, self._inbox = self._inbox, []
            offset_ms = self.service.central_now_ms() - self._clock.now_ms()
            timed = [(at_ms + offset_ms, sample) for at_ms, sample in inbox]
            try:
                await self.service.take(timed, self.service.central_now_ms())
                self.service.journal_fault = ""
            except DatabaseError as fault:
                self.service.journal_fault = str(fault)
                log.error("minutes not journalled, to be tried again: %s", fault)
            if timed:
                self.service.control.look()  # beside this: the next minute does not wait for an echo

    def _meter_changed(self, state: MeterState, sentence: str) -> None:
        falls_silent = state is MeterState.SILENT and self.service.meter is MeterState.HEARD
        if falls_silent and isinstance(self._clock, SteppedClock):
            return  # time stands still between ticks, and so does the meter
        self.service.meter_changed(state, sentence)

    def _hear(self, received_ms: int, samples: list[Sample]) -> None:
        self._inbox += [(received_ms, sample) for sample in samples]
        self.service.control.pulses.heard(samples)
        self._arrived.set()

    async def answer(self, wish: Wish, call: ContractCall) -> None:
        """The household answers this call for a contract; Refused if it is not open or it cannot be so."""
        await self.service.papers.answer(wish, call, self.service.central_now_ms() // 1000)

    async def history(self) -> History:
        """Bills, contracts and meters of this house."""
        return self.service.papers.history()

    async def begin_swap(self, installer: str, reason: str) -> None:
        """The old meter comes off now; also a power cut does not make that forgotten. Refused."""
        await self.service.begin_swap(installer, reason)
        try:
            await self._keep_begun()
        except OSError as fault:
            self.service.exchange.cancel()
            raise Refused(f"The exchange cannot be begun: {in_words(fault)}") from fault

    async def cancel_swap(self) -> None:
        """The old meter stays; Refused if no exchange was begun."""
        self.service.exchange.cancel()
        await self._keep_begun()

    async def finish_swap(self) -> MeterSwap:
        """The new meter takes over; Refused if none is heard."""
        swap = await self.service.finish_swap()
        await self._keep_begun()
        return swap

    async def _keep_begun(self) -> None:
        begun, data = self.service.exchange.begun, self._settings.data
        await self._worker.submit(lambda: keep_begun(data, begun))

    async def _keep_safe_output(self, kept: SafeOutput) -> None:
        data, power_safe = self._settings.data, not isinstance(self._clock, SteppedClock)
        await self._worker.submit(lambda: keep_safe_output(data, kept, power_safe=power_safe))

    def snapshot(self) -> HouseSnapshot:
        """The house at this moment, for the window."""
        return self.service.snapshot()

    async def stop(self) -> None:
        """Leave the central, close the port, finish the journal; returns when every thread has ended.

        A second stop does nothing.
        """
        if self._stopped:
            return
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._port is not None:
            await asyncio.to_thread(self._port.stop)
        try:
            await self.service.close()
        finally:
            await self._worker.submit(self._journal.close)
            self._worker.close()


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *arguments: object) -> None:
    """Call on the loop from the port's thread; a loop that has just closed needs no news."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(function, *arguments)
