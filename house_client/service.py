"""The house's own work: packets to registers and journal, minutes and targets to and from the central.

Everything here runs on one event loop; only the serial port and the journal have threads of their own.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from db.errors import DatabaseError
from db.house.journal import MinuteJournal
from house_client.meter_exchange import Begun, MeterExchange
from house_client.papers import Papers
from house_client.safe_output import SafeOutput
from house_client.snapshot import CentralState, HouseSnapshot, MeterState
from house_client.source_control import SourceControl
from microgrid.metering import MinuteBuilder
from microgrid.minute import MeterMinute
from microgrid.sample import Quality, Sample
from microgrid.swap import MeterSwap
from microgrid.wire.errors import WireCode
from microgrid.wire.messages import (
    PROTOCOL_MAX,
    PROTOCOL_MIN,
    CentralMessage,
    ContractCall,
    Deliver,
    Delivered,
    ErrorMessage,
    Fetch,
    FetchPost,
    Hello,
    MinuteBatch,
    MinutesAcknowledged,
    MonthSoFar,
    Poll,
    Post,
    PostTaken,
    Reply,
    Target,
    TargetAck,
    Welcome,
)
from node.clock import Clock
from node.worker import Worker

SOFTWARE = "house 0.1"
FRESH_S = 5  # of a meter that sends a packet a second
ROWS_AT_HAND = 240
MARKED_AT_ONCE = 60
# Used until the central has said what this house's connection carries; only a guard against nonsense.
UNKNOWN_CONNECTION_W = 100_000

Send = Callable[[Reply | MinuteBatch | TargetAck | Post | Delivered | ErrorMessage], None]
log = logging.getLogger(__name__)


class HouseService:
    """The state of one house. A sample younger than `fresh_s` is the state of the house now."""

    def __init__(
        self,
        house: str,
        journal: MinuteJournal,
        worker: Worker,
        clock: Clock,
        fresh_s: int = FRESH_S,
        begun: Begun | None = None,
        max_export_w: int | None = None,
        safe_output: SafeOutput | None = None,
    ) -> None:
        """`journal` is used on `worker` only; construct while no job is under way there.

        `begun` is an exchange of the meter that was under way when the program ended, `safe_output` what was
        kept of it. `max_export_w` is the installer's limit of what this house gives.
        """
        self._house = house
        self._journal = journal
        self._worker = worker
        self._clock = clock
        self._fresh_ms = fresh_s * 1000
        self._name, self._zone = house, "UTC"
        last = journal.last()
        self._has_register = last is not None
        self._builder = MinuteBuilder(house, UNKNOWN_CONNECTION_W, last)
        self.exchange = MeterExchange(house, self._builder, begun)
        self._pending = set(journal.pending_minutes())  # journalled and not acknowledged
        self._at_hand: dict[int, MeterMinute] = {}  # the newest of them, to be had without the disk
        self._closed: list[MeterMinute] = []  # and not journalled yet
        self._keeping = asyncio.Lock()  # one write at a time knows what is left
        self._acknowledged: set[int] = set()  # by the central, and not yet marked in the journal
        self._sample: Sample | None = None
        self._sample_ms = 0
        self._offset_ms = 0  # the central's time less our own
        self._poll: Poll | None = None
        self.papers = Papers(house, journal, worker)
        self.journal_fault = ""  # why minutes are not being kept
        self._meter = (MeterState.NO_PORT, "No meter is chosen; choose its port.")
        self._central = (CentralState.NO_ADDRESS, "No central is chosen; enter its address.")
        self._max_export_w = max_export_w
        self._connection_w: int | None = None
        self.control = SourceControl(
            house,
            self._limit_w,
            now_s=lambda: self.central_now_ms() // 1000,
            sample=lambda: None if self.exchange.begun else self.fresh_sample,
            answer=lambda message: self.send(message),
            kept=safe_output,
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self.send: Send = lambda message: None

    @property
    def _limit_w(self) -> int:
        """What this house gives at most, whatever it is told."""
        limits = (self._max_export_w, self._connection_w)
        return min((limit for limit in limits if limit is not None), default=UNKNOWN_CONNECTION_W)

    @property
    def sample(self) -> Sample | None:
        """The newest packet taken in."""
        return self._sample

    @property
    def fresh_sample(self) -> Sample | None:
        """The newest packet if it is the state of the house now."""
        return self._sample if self._fresh() else None

    # --- from the meter -----------------------------------------------------------------------------

    @property
    def meter(self) -> MeterState:
        """Whether the meter is heard, as last told."""
        return self._meter[0]

    def meter_changed(self, state: MeterState, sentence: str) -> None:
        """The serial port came or went, or the meter fell silent."""
        self._meter = (state, sentence)

    async def take(self, timed: list[tuple[int, Sample]], now_ms: int) -> None:
        """Take in packets with their times, close what minutes have ended by now, journal them.

        Without a register nothing is journalled until the central has told the last it knows: the meter's
        counters alone do not say how often they have wrapped. Its next register holds that energy as well.
        DatabaseError if the journal fails; the minutes are kept and journalled with the next ones.
        """
        for at_ms, sample in timed:
            if self._has_register:
                self._closed += self._builder.feed(at_ms, sample)
            self._sample, self._sample_ms = sample, at_ms
        await self._keep(self._builder.close(now_ms))

    async def _keep(self, rows: list[MeterMinute]) -> None:
        """Journal these rows and whatever could not be journalled before; then they may be offered."""
        self._closed += rows
        async with self._keeping:
            closed = tuple(self._closed)
            if not closed:
                return
            await self._write(closed)
            del self._closed[: len(closed)]
            self._pending |= {row.minute for row in closed}
            self._at_hand.update({row.minute: row for row in closed})
            while len(self._at_hand) > ROWS_AT_HAND:
                del self._at_hand[min(self._at_hand)]

    async def begin_swap(self, installer: str, reason: str) -> None:
        """The old meter comes off: its last registers are journalled; Refused if it is not heard.

        DatabaseError if the journal fails: then nothing has begun.
        """
        rows = self.exchange.begin(self.central_now_ms(), self.fresh_sample, installer, reason)
        try:
            await self._keep(rows)
        except DatabaseError:
            self.exchange.cancel()
            raise

    async def finish_swap(self) -> MeterSwap:
        """The new meter takes over: its first registers are journalled, and the central is to know.

        DatabaseError if the journal fails: the registers are journalled with the next minute.
        """
        rows, swap = self.exchange.finish()
        try:
            await self._keep(rows)
        finally:
            await self.papers.exchanged(swap)
        return swap

    async def _write(self, closed: Sequence[MeterMinute]) -> None:
        """Journal minutes, and now and then what was acknowledged meanwhile.

        What is not marked yet would be offered again after a restart, which does no harm.
        """
        done: set[int] = set()
        if not closed or len(self._acknowledged) >= MARKED_AT_ONCE:
            done, self._acknowledged = self._acknowledged, set()
        try:
            await self._worker.submit(lambda: self._journal.append(closed, done))
        except DatabaseError:
            self._acknowledged |= done
            raise

    # --- from the central ---------------------------------------------------------------------------

    def hello(self) -> Hello:
        """Who we are, and what we have that the central has not acknowledged."""
        sample = self._sample
        return Hello(
            house=self._house,
            protocol_min=PROTOCOL_MIN,
            protocol_max=PROTOCOL_MAX,
            software=SOFTWARE,
            boot_id=sample.boot_id if sample else None,
            meter_firmware=sample.firmware if sample else None,
            oldest_unacknowledged=min(self._pending, default=None),
            has_register=self._has_register,
        )

    def link_changed(self, state: CentralState, sentence: str) -> None:
        """The link came or went."""
        self._central = (state, sentence)
        if state is not CentralState.LINKED:
            self.papers.link_lost()

    def handle(self, message: CentralMessage) -> None:
        """Act on a message; what takes time goes on beside the link."""
        if isinstance(message, Poll):
            self._answer_poll(message)
        elif isinstance(message, Fetch):
            self._answer_fetch(message)
        elif isinstance(message, MinutesAcknowledged):
            self._note_acknowledged(message)
        elif isinstance(message, Target):
            self.control.told(message)
        elif isinstance(message, Welcome):
            self._welcomed(message)
        elif isinstance(message, MonthSoFar):
            self.papers.month = message
        elif isinstance(message, FetchPost):
            self.send(self.papers.fetched(message.request_id))
        elif isinstance(message, ContractCall):
            self._beside(self.papers.called(message))
        elif isinstance(message, PostTaken):
            self._beside(self.papers.taken(message.request_id))
        elif isinstance(message, Deliver):
            self._beside(self._take_delivery(message))

    async def _take_delivery(self, message: Deliver) -> None:
        try:
            self.send(await self.papers.delivered(message))
        except DatabaseError as fault:
            self._cannot(message.request_id, fault)

    def _cannot(self, request_id: int, fault: DatabaseError) -> None:
        """Have the central ask again, instead of waiting for an answer that does not come."""
        log.error("house %s: %s", self._house, fault)
        text = f"House {self._house} cannot use its journal now."
        self.send(
            ErrorMessage(house=self._house, request_id=request_id, code=WireCode.NOT_AVAILABLE, text=text)
        )

    def _welcomed(self, message: Welcome) -> None:
        self._name, self._zone = message.name, message.zone
        self._offset_ms = message.central_time_ms - self._clock.now_ms()
        self._builder.connection_w = self._connection_w = message.connection_w
        self.control.follower.limit_w = self._limit_w
        if not self._has_register and message.last_minute is not None:
            self._builder.resume(message.last_minute)
        self._has_register = True

    def _answer_poll(self, message: Poll) -> None:
        self._poll = message
        self._offset_ms = message.central_time_ms - self._clock.now_ms()
        age_ms = max(0, message.central_time_ms - self._sample_ms) if self._sample else 0
        self.send(
            Reply(
                house=self._house,
                request_id=message.request_id,
                sample=self._sample,
                sample_age_ms=min(age_ms, 2**32 - 1),
                outbox=bool(self._pending),
                post=self.papers.post,
            )
        )

    def _answer_fetch(self, message: Fetch) -> None:
        minutes = sorted(minute for minute in self._pending if minute >= message.first_minute)
        minutes = minutes[: message.limit]
        if all(minute in self._at_hand for minute in minutes):
            self._send_batch(message, [self._at_hand[minute] for minute in minutes])
        else:
            self._beside(self._fetch_from_disk(message, set(minutes)))

    async def _fetch_from_disk(self, message: Fetch, minutes: set[int]) -> None:
        # What is acknowledged but not marked yet still counts as pending on the disk.
        limit = message.limit + len(self._acknowledged)
        try:
            rows = await self._worker.submit(lambda: self._journal.pending(limit, message.first_minute))
        except DatabaseError as fault:
            self._cannot(message.request_id, fault)
            return
        self._send_batch(message, [row for row in rows if row.minute in minutes])

    def _send_batch(self, message: Fetch, rows: list[MeterMinute]) -> None:
        more = len(self._pending) > len(rows)
        self.send(
            MinuteBatch(house=self._house, request_id=message.request_id, minutes=tuple(rows), more=more)
        )

    def _note_acknowledged(self, message: MinutesAcknowledged) -> None:
        minutes = {minute for minute, _ in message.committed}
        self._pending -= minutes
        self._acknowledged |= minutes
        for minute in minutes:
            self._at_hand.pop(minute, None)

    def _fresh(self) -> bool:
        return self._sample is not None and self.central_now_ms() - self._sample_ms < self._fresh_ms

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            log.error("house %s: %s", self._house, fault, exc_info=fault)

    async def close(self) -> None:
        """Let what goes on beside the link come to its end; DatabaseError if the journal fails."""
        await asyncio.gather(self.control.ended(), *self._tasks, return_exceptions=True)
        await self._write(tuple(self._closed))

    # --- for the screens ----------------------------------------------------------------------------

    def central_now_ms(self) -> int:
        """The central's time, or our own before it was ever heard."""
        return self._clock.now_ms() + self._offset_ms

    def snapshot(self) -> HouseSnapshot:
        """The house at this moment."""
        now_ms = self.central_now_ms()
        call = self.papers.call_at(now_ms // 1000)
        registers = self._builder.registers
        return HouseSnapshot(
            now_s=now_ms / 1000,
            zone=self._zone,
            house=self._house,
            name=self._name,
            meter=self._meter[0],
            meter_detail=self._meter[1],
            central=self._central[0],
            central_detail=self._central[1],
            sample=self._sample,
            quality=Quality.GOOD if self._fresh() else Quality.STALE,
            age_s=max(0, now_ms - self._sample_ms) / 1000 if self._sample else None,
            import_ws=registers.import_ws if registers else 0,
            export_ws=registers.export_ws if registers else 0,
            generation_ws=registers.generation_ws if registers else 0,
            rate=self._poll.rate if self._poll else None,
            tariff=self._poll.tariff if self._poll else None,
            pool_w=self._poll.pool_w if self._poll else None,
            minutes_waiting=len(self._pending),
            target_w=self.control.target_w,
            target_reason=self.control.reason,
            goal_w=self.control.goal_w,
            safe=self.control.is_safe,
            last_pulse=self.control.last_pulse,
            connection_w=self._connection_w,
            allotment_w=self._poll.allotment_w if self._poll else None,
            month=self.papers.month,
            call=call,
            answer_waiting=self.papers.answered(call),
            bill=self.papers.bill,
            swap=self.exchange.progress(),
            journal_fault=self.journal_fault,
        )


def packet_times(now_ms: int, uptime_now_ms: int, samples: list[Sample]) -> list[tuple[int, Sample]]:
    """When packets of one boot were made, given the meter's uptime now."""
    return [(now_ms - (uptime_now_ms - sample.uptime_ms), sample) for sample in samples]
