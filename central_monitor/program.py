"""The central at work: server, poller, recorder, controller on one event loop, live or stepped."""

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from central_monitor.adapters.archive import Archive
from central_monitor.adapters.tcp_server import HouseServer
from central_monitor.adapters.writer import DatabaseWriter
from central_monitor.control import Control
from central_monitor.office import TELL_MINUTES, Office
from central_monitor.services.administration import Administration
from central_monitor.services.agreed import Agreed
from central_monitor.services.credit import RunningCredit
from central_monitor.services.directing import Directing
from central_monitor.services.live import LiveState
from central_monitor.services.picture import Picture, allotments
from central_monitor.services.poller import Poller, Told
from central_monitor.services.recorder import Collected, Recorder
from central_monitor.services.savings import savings_so_far
from central_monitor.snapshot import CentralSnapshot
from db.errors import DatabaseError
from microgrid.directives import standing
from microgrid.minute import OrderMinute
from microgrid.terms import Terms
from microgrid.units import MINUTES_PER_DAY, SECONDS_PER_MINUTE
from microgrid.wire.errors import WireCode
from microgrid.wire.limits import MAX_NAME_CHARS, printable
from microgrid.wire.messages import Hello, Refused, Welcome
from node.clock import Clock, SteppedClock, SystemClock
from node.worker import InlineWorker

POLL_PERIOD_S = 1.0
POLL_TIMEOUT_S = 0.8
RECORD_DELAY_S = 3  # after a minute's end: the time houses have to close, journal and announce it
FETCH_TIMEOUT_S = 5.0
CONTROL_PERIOD_S = 10
TARGET_TIMEOUT_S = 5.0
WATCHDOG_S = 10.0  # real time a stepped house has to answer
FRESH_MS = 5_000
TELL_STEPPED_MINUTES = 60  # in fast motion nobody reads every minute's month so far
SEAL_PERIOD_S = 3600.0
OFFICE_PERIOD_S = 5.0  # how long a household waits for word on its answer
WITHDRAW_S = 2.0  # at the end, for houses to acknowledge that nothing is asked of them any more

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Listen:
    """Where houses connect; port 0 takes a free one."""

    host: str = "127.0.0.1"
    port: int = 47474


class CentralProgram:
    """Every part of the central except its window; for one event loop.

    `period_minutes` is the time between control steps in virtual time.
    """

    def __init__(
        self,
        terms: Terms,
        writer: DatabaseWriter,
        listen: Listen,
        clock: Clock | None = None,
        period_minutes: int = 1,
    ) -> None:
        self._agreed = agreed = Agreed(terms)
        self._writer = writer
        self._listen = listen
        self._clock = clock or SystemClock()
        self._stepped = isinstance(self._clock, SteppedClock)
        self._fresh_ms = period_minutes * SECONDS_PER_MINUTE * 1000 if self._stepped else FRESH_MS
        self.archive = Archive(writer.path, InlineWorker() if self._stepped else None)
        last, so_far = self.archive.read_now(lambda records: records.month_so_far(terms))
        self.live = LiveState(agreed, last, {} if so_far is None else so_far.opening)
        directives = writer.load_directives()
        savings = self.archive.read_now(lambda records: savings_so_far(records, agreed, last, directives))
        self._server = HouseServer(self)
        self._control = Control(
            self._server.links,
            agreed,
            self.live,
            self._clock,
            RunningCredit(agreed, last, 0 if so_far is None else so_far.ledger.credit),
            savings,
            period_minutes * SECONDS_PER_MINUTE if self._stepped else CONTROL_PERIOD_S,
            standing(directives),
        )
        self.directing = Directing(writer, agreed, self._control, directives)
        self._poller = Poller(self._server.links, self.live.heard)
        self._recorder = Recorder(self._server.links, writer)
        self._office = Office(
            self._server.links,
            writer,
            self.archive,
            agreed,
            self.live,
            last,
            so_far,
            tell_minutes=TELL_STEPPED_MINUTES if self._stepped else TELL_MINUTES,
        )
        self._picture = Picture(agreed, self.live, self._office.desk, self._fresh_ms)
        self._recorded_through: int | None = None  # the last minute that is on the disk
        self._tasks: list[asyncio.Task[Any]] = []
        self._stopped = False
        self.port = 0

    async def start(self) -> None:
        """Listen, and in live mode begin to poll. OSError in words if the port is taken."""
        try:
            self.port = await self._server.start(self._listen.host, self._listen.port)
        except OSError:
            self.archive.close()
            raise
        if not self._stepped:
            loop = asyncio.get_running_loop()
            at_work = (
                self._poll_live(),
                self._control_live(),
                self._record_live(),
                self._office_live(),
                self._seal_live(),
            )
            self._tasks += [loop.create_task(work) for work in at_work]

    def linked_houses(self) -> list[str]:
        """The houses whose link stands now."""
        return sorted(self._server.links)

    # --- who comes and goes -------------------------------------------------------------------------

    def admit(self, hello: Hello, protocol: int) -> Welcome | Refused:
        """Admit a house that is listed."""
        live = self.live.houses.get(hello.house)
        if live is None:
            self.live.stranger(hello.house, self._clock.now_ms())
            return Refused(
                code=WireCode.UNKNOWN_HOUSE,
                text=f"House {hello.house} is not listed at the central; correct the ID or ask the operator.",
            )
        return Welcome(
            protocol=protocol,
            name=printable(live.house.name, MAX_NAME_CHARS),
            zone=self._agreed.terms.zone,
            central_time_ms=self._clock.now_ms(),
            connection_w=live.house.connection_w,
            last_minute=live.last,
        )

    def linked(self, house: str) -> None:
        """A house is part of the network."""
        self.live.linked(house, self._clock.now_ms())
        self._office.linked(house, self.now_s())

    def lost(self, house: str) -> None:
        """A house's link ended."""
        self.live.lost(house, self._clock.now_ms())

    # --- a tick -------------------------------------------------------------------------------------

    async def tick(self, second: int) -> None:
        """Do everything that is due at this Unix second of virtual time, then let it stand still.

        TimeoutError names the houses that are linked but did not answer within the watchdog's real time.
        """
        assert isinstance(self._clock, SteppedClock)
        self._clock.step_to(second * 1000)
        await self._poll(WATCHDOG_S, must_answer=True)
        await self._record(second, WATCHDOG_S)
        await self._control.step(second, WATCHDOG_S)
        await self._office.step(second, WATCHDOG_S)

    async def _poll_live(self) -> None:
        """Poll every second."""
        while True:
            begun_ms = self._clock.now_ms()
            try:
                await self._poll(POLL_TIMEOUT_S, must_answer=False)
            except Exception:  # a fault that nobody foresaw must not end the polls in silence
                log.exception("a round of polls failed")
            spent_s = (self._clock.now_ms() - begun_ms) / 1000
            await self._clock.sleep(min(POLL_PERIOD_S, max(0.0, POLL_PERIOD_S - spent_s)))

    async def _record_live(self) -> None:
        """Record once a minute, beside the polls, so that a slow house delays nobody's."""
        while True:
            now_ms = self._clock.now_ms()
            second = (now_ms // 1000 // SECONDS_PER_MINUTE + 1) * SECONDS_PER_MINUTE
            await self._clock.sleep(second + RECORD_DELAY_S - now_ms / 1000)
            try:
                await self._record(second, FETCH_TIMEOUT_S)
            except Exception as fault:
                self.live.recorder_fault = f"The last minute was not recorded: {fault}"
                log.exception("a minute was not recorded")

    async def _control_live(self) -> None:
        """Steer every few seconds; as a minute ends, note first what stood in it."""
        while True:
            now_ms = self._clock.now_ms()
            second = (now_ms // 1000 // CONTROL_PERIOD_S + 1) * CONTROL_PERIOD_S
            await self._clock.sleep(second - now_ms / 1000)
            try:
                self._control.note(second // SECONDS_PER_MINUTE)
                await self._control.step(second, TARGET_TIMEOUT_S)
            except Exception as fault:
                self.live.recorder_fault = f"Sellers are not steered: {fault}"
                log.exception("sellers were not steered")

    async def _seal_live(self) -> None:
        """Pack days that are not, one after another, and look again every hour."""
        while True:
            await self._clock.sleep(SEAL_PERIOD_S)
            try:
                while await self._writer.seal_next(self.now_s() // SECONDS_PER_MINUTE // MINUTES_PER_DAY):
                    pass
            except DatabaseError as fault:
                log.error("days not packed: %s", fault)

    async def _office_live(self) -> None:
        """Contracts, bills and papers: beside the minutes, because settling a month takes its time."""
        while True:
            await self._clock.sleep(OFFICE_PERIOD_S)
            try:
                await self._office.step(self.now_s(), FETCH_TIMEOUT_S)
            except Exception as fault:
                self.live.notice(self._clock.now_ms(), f"Contracts or bills could not be dealt with: {fault}")
                log.exception("contracts or bills were not dealt with")

    async def _poll(self, timeout_s: float, *, must_answer: bool) -> None:
        now_ms = self._clock.now_ms()
        minute = now_ms // 1000 // SECONDS_PER_MINUTE
        now = self.live.pool(minute, self._control.credit.credit, now_ms - self._fresh_ms)
        told = Told(
            rate=None if now.rate is None else now.billed_rate,
            tariff=self._agreed.terms.tariff_at(minute).national,
            pool_w=now.pool_w,
            allotments=allotments(self._agreed.contracts_at(minute), now),
        )
        silent = await self._poller.round(now_ms, told, timeout_s)
        if must_answer and silent:
            raise TimeoutError(f"No answer to a poll from house {', '.join(silent)}.")

    async def _record(self, second: int, timeout_s: float) -> None:
        """Record every minute up to this second: orders as they stood, meter minutes as far as they came."""
        end = second // SECONDS_PER_MINUTE
        first = end if self._recorded_through is None else self._recorded_through + 1
        minutes = range(first, end)
        noted = self._control.note(end)
        houses: Sequence[str] = [house for house, live in self.live.houses.items() if live.outbox]
        try:
            collected = await self._recorder.collect(houses, min(first, end - 1), end, timeout_s)
            orders = tuple(noted)  # more may be noted while these are committed
            await self._commit(collected, orders)
            self._recorded_through = max(end - 1, first - 1)
            self._control.stored(minutes, collected.meter, orders)
            self._office.running.add(minutes, collected.meter, orders)
            while self._stepped and collected.more:
                collected = await self._recorder.collect(collected.more, first, end, timeout_s)
                await self._commit(collected, [])
                self._office.running.add(range(0), collected.meter, [])
            for day in range(first // MINUTES_PER_DAY, end // MINUTES_PER_DAY):
                await self._writer.seal(day)
            self.live.recorder_fault = None
        except DatabaseError as fault:
            # Nothing was acknowledged: the houses keep their minutes and offer them again.
            self.live.recorder_fault = str(fault)
            log.error("minutes not stored: %s", fault)
            if self._stepped:
                raise

    async def _commit(self, collected: Collected, orders: Sequence[OrderMinute]) -> None:
        now_s = self.now_s()
        await self._recorder.commit(collected, orders, self._office.changes(collected.meter, now_s))
        self._office.recorded(collected.meter, now_s)
        self.live.recorded(collected.meter)
        self.live.delivered({house for house, _ in collected.owed} - set(collected.more))

    # --- for the screens, and the end ---------------------------------------------------------------

    def snapshot(self) -> CentralSnapshot:
        """The micro-grid at this moment, for the window; LookupError if no tariff is in force."""
        minute = self.now_s() // SECONDS_PER_MINUTE
        return self._picture.take(
            self._clock.now_ms(),
            self._control.credit.credit,
            self._control.orders,
            self._control.record(minute),
            self._office.statements(),
            self._office.work,
            self._office.papers,
            self._control.savings.today(self.now_s()),
        )

    @property
    def administration(self) -> Administration:
        """The operator's orders."""
        return self._office.administration

    def now_s(self) -> int:
        """The central's time, Unix seconds."""
        return self._clock.now_ms() // 1000

    async def stop(self) -> None:
        """Withdraw commands, stop polling, end the links; the database is closed by its owner.

        A second stop does nothing.
        """
        if self._stopped:
            return
        self._stopped = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WITHDRAW_S):
                await self._control.withdraw(self.now_s(), WITHDRAW_S)
        await self._server.stop()
        await asyncio.to_thread(self.archive.close)
