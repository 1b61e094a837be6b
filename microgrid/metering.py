"""From the meter's packets to the house's minutes: registers carried on, gaps left as gaps."""

from microgrid.minute import MeterMinute
from microgrid.registers import COUNTER_MODULUS, RegisterFault, Registers, carry_on
from microgrid.sample import Sample

MINUTE_MS = 60_000
MAX_INT = 2**63 - 1
# A counter that stands still while at least this much power flows is stuck.
STUCK_POWER_W = 30


class MinuteBuilder:
    """Turns samples, in the order of their times, into closed minutes of one house.

    Times are Unix milliseconds. A packet at the very end of a minute belongs to that minute. A minute
    without a packet is left out: the registers carry its energy into the next one.

    An exchange of the meter goes from `begin_swap` to `finish_swap` or `cancel_swap`. The old meter counts
    for as long as it is heard, the new one from its first packet on; what neither measured is unknown.
    """

    def __init__(self, house: str, connection_w: int, last: MeterMinute | None) -> None:
        """`connection_w` bounds what can be energy; `last` is the last minute known of this house."""
        self._house = house
        self.connection_w = connection_w
        self._registers: Registers | None = None
        self._at_ms = 0
        self._closed_through = -1
        self._before: Sample | None = None
        self._open: _OpenMinute | None = None
        self._written: Registers | None = None  # as of the last minute closed
        self._swap: _Swap | None = None
        if last is not None:
            self.resume(last)

    @property
    def registers(self) -> Registers | None:
        """The registers as of the last packet; None before the first ever."""
        return self._registers

    def resume(self, last: MeterMinute) -> None:
        """Carry on from this minute: the journal's last, or for a lost disk the central's."""
        self._registers = registers_of(last)
        self._at_ms = (last.minute + 1) * MINUTE_MS
        self._closed_through = last.minute
        self._written = self._registers
        self._open = None

    def feed(self, at_ms: int, sample: Sample) -> list[MeterMinute]:
        """Take in one packet; returns the minute it closed, if it begins a new one."""
        closed = self._close_before(minute_at(at_ms))
        if self._swap is not None and sample.boot_id != self._swap.old_boot_id:
            self._swap.hold(at_ms, sample, self.connection_w)
            return closed
        counters = _counters(sample)
        elapsed_s = max(0, at_ms - self._at_ms) / 1000
        before = self._registers
        self._registers, fault = carry_on(self._registers, counters, elapsed_s, self.connection_w)
        minute = minute_at(at_ms)
        if minute > self._closed_through:
            if self._open is None:
                self._open = _OpenMinute(minute, before)
            self._open.add(sample, self._heard_ms(sample), fault, self._registers)
        self._before = sample
        self._at_ms = max(self._at_ms, at_ms)
        return closed

    def close(self, now_ms: int) -> list[MeterMinute]:
        """Close the open minute if it has ended by now."""
        return self._close_before(now_ms // MINUTE_MS)

    def begin_swap(self, now_ms: int, old_boot_id: int | None = None) -> list[MeterMinute]:
        """The old meter is about to come off; returns the row of its registers if they have none yet.

        Packets of any other start of a meter are kept back from now on. `old_boot_id` is the old meter's
        start, where the exchange was begun before this program started (default: that of the last packet).
        ValueError if no meter was ever heard.
        """
        if old_boot_id is None:
            if self._before is None:
                raise ValueError("no meter has been heard")
            old_boot_id = self._before.boot_id
        self._swap = _Swap(old_boot_id)
        return [*self.close(now_ms), *self._flush()]

    @property
    def swap_heard(self) -> tuple[int, Sample] | None:
        """The first packet of the meter heard in place of the old one, with its time; None: none yet."""
        return None if self._swap is None else self._swap.first

    def finish_swap(self) -> list[MeterMinute]:
        """The new meter takes over: the last row of the old one, if it has none yet, and the new one's first.

        That one stands in a new epoch, in the minute before the new meter was heard or the next that has
        no row; it carries the counters of the first packet. ValueError if no new meter has been heard.
        """
        if self._swap is None or self._swap.first is None:
            raise ValueError("no new meter has been heard")
        at_ms, sample = self._swap.first
        rows = self._flush()
        epoch = 0 if self._registers is None else self._registers.epoch + 1
        self._registers = opening_registers(epoch, sample)
        self._before, self._at_ms, self._swap = sample, at_ms, None
        minute = max(minute_at(at_ms) - 1, self._closed_through + 1)
        return [*rows, self._close(_of_one(minute, sample, self._registers))]

    def cancel_swap(self) -> None:
        """The old meter stays; its next packet carries on."""
        self._swap = None

    def _flush(self) -> list[MeterMinute]:
        """A row of all that was counted up to now, in the open minute or else in the next."""
        if self._open is not None:
            return [self._close(self._open)]
        if self._registers is None or self._registers == self._written or self._before is None:
            return []
        return [self._close(_of_one(self._closed_through + 1, self._before, self._registers))]

    def _close_before(self, minute: int) -> list[MeterMinute]:
        if self._open is None or self._open.minute >= minute:
            return []
        return [self._close(self._open)]

    def _close(self, minute: "_OpenMinute") -> MeterMinute:
        closed = minute.as_record(self._house)
        self._closed_through = closed.minute
        self._written = registers_of(closed)
        self._open = None
        return closed

    def _heard_ms(self, sample: Sample) -> int:
        """Time the packet speaks for: since the one before it, unless packets were lost between."""
        before = self._before
        if before is None or before.boot_id != sample.boot_id:
            return 0
        if (before.sequence + 1) % COUNTER_MODULUS != sample.sequence:
            return 0
        return max(0, sample.uptime_ms - before.uptime_ms)


def minute_at(at_ms: int) -> int:
    """The minute a packet at this time belongs to; the end of a minute is still in it."""
    return (at_ms - 1) // MINUTE_MS


def registers_of(minute: MeterMinute) -> Registers:
    """The registers a minute ended with."""
    return Registers(
        epoch=minute.epoch,
        import_ws=minute.import_ws,
        export_ws=minute.export_ws,
        generation_ws=minute.generation_ws,
    )


def opening_registers(epoch: int, sample: Sample) -> Registers:
    """The registers a new meter begins with.

    A counter at 0 begins at one full turn: a register's first rise from 0 would be taken for a fault.
    """
    imported, exported, generated = (counter or COUNTER_MODULUS for counter in _counters(sample))
    return Registers(epoch=epoch, import_ws=imported, export_ws=exported, generation_ws=generated)


class _Swap:
    """An exchange of the meter under way: what is heard in place of the old one."""

    def __init__(self, old_boot_id: int) -> None:
        self.old_boot_id = old_boot_id
        self.first: tuple[int, Sample] | None = None
        self._newest: tuple[int, Sample] | None = None

    def hold(self, at_ms: int, sample: Sample, connection_w: int) -> None:
        """Keep the first packet; a start that does not carry on its counters is another meter."""
        if self._newest is None or not self._carries_on(at_ms, sample, connection_w):
            self.first = (at_ms, sample)
        self._newest = (at_ms, sample)

    def _carries_on(self, at_ms: int, sample: Sample, connection_w: int) -> bool:
        assert self._newest is not None
        then_ms, then = self._newest
        before = opening_registers(0, then)
        _, fault = carry_on(before, _counters(sample), max(0, at_ms - then_ms) / 1000, connection_w)
        return fault is None


class _OpenMinute:
    """Sums over the packets of a minute that has not ended."""

    def __init__(self, minute: int, before: Registers | None) -> None:
        """`before` are the registers as of the packet before the minute; None if there was none."""
        self.minute = minute
        self._max_w, self._min_w, self._least_w = -MAX_INT, MAX_INT, MAX_INT
        self._sums = (0.0, 0.0, 0.0, 0.0)  # of voltage, current, power factor, frequency by time
        self._latest: Sample | None = None
        self._heard_ms = 0
        self._closed_ms = 0
        self._suspect = 0
        self._moved = before is None  # one reading alone cannot show a counter that stands still
        self._registers = before

    def add(self, sample: Sample, heard_ms: int, fault: RegisterFault | None, registers: Registers) -> None:
        heard_ms = min(heard_ms, MINUTE_MS)
        power_w = sample.exchange_p_w
        self._max_w = max(self._max_w, power_w)
        self._min_w = min(self._min_w, power_w)
        self._least_w = min(self._least_w, abs(power_w))
        self._latest = sample
        if heard_ms:
            voltage, current, power_factor, frequency = self._sums
            v, i, pf, f = _means(sample)
            self._sums = (
                voltage + v * heard_ms,
                current + i * heard_ms,
                power_factor + pf * heard_ms,
                frequency + f * heard_ms,
            )
            self._heard_ms += heard_ms
            self._closed_ms += heard_ms if sample.grid_breaker_closed else 0
        self._suspect += 1 if fault is not None or sample.flags else 0
        self._moved |= self._registers is not None and _billed(registers) != _billed(self._registers)
        self._registers = registers

    def as_record(self, house: str) -> MeterMinute:
        if self._registers is None or self._latest is None:
            raise ValueError("a minute without a packet has no record")
        sums, weight = (self._sums, self._heard_ms) if self._heard_ms else (_means(self._latest), 1)
        voltage, current, power_factor, frequency = sums
        stuck = not self._moved and self._least_w > STUCK_POWER_W
        # What was not heard of the minute is taken to have been as the rest: the breaker's share of the
        # minute counts as capacity, and silence of the house's computer is no open breaker.
        closed = self._closed_ms / self._heard_ms if self._heard_ms else self._latest.grid_breaker_closed
        return MeterMinute(
            house=house,
            minute=self.minute,
            epoch=self._registers.epoch,
            import_ws=self._registers.import_ws,
            export_ws=self._registers.export_ws,
            generation_ws=self._registers.generation_ws,
            closed_s=round(60 * closed),
            covered_s=min(60, round(self._heard_ms / 1000)),
            max_w=self._max_w,
            min_w=self._min_w,
            voltage_mv=round(voltage * 1000 / weight),
            current_ma=round(current * 1000 / weight),
            power_factor_milli=round(power_factor * 1000 / weight),
            frequency_mhz=round(frequency * 1000 / weight),
            suspect=self._suspect + stuck,
        )


def _of_one(minute: int, sample: Sample, registers: Registers) -> _OpenMinute:
    """A minute that says where the registers stood, and of which nothing was heard."""
    made = _OpenMinute(minute, None)
    made.add(sample, 0, None, registers)
    return made


def _counters(sample: Sample) -> tuple[int, int, int]:
    return sample.import_counter_ws, sample.export_counter_ws, sample.generation_counter_ws


def _billed(registers: Registers) -> tuple[int, int]:
    return registers.import_ws, registers.export_ws


def _means(sample: Sample) -> tuple[float, float, float, float]:
    """Voltage, current, power factor and frequency of a sample, means of the phases that are live."""
    if all(sample.voltage_v):
        voltage = sum(sample.voltage_v) / 3
        return voltage, sum(sample.current_a) / 3, sum(sample.power_factor) / 3, sample.frequency_hz
    live = [phase for phase in range(3) if sample.voltage_v[phase] > 0] or [0]
    voltage, current, power_factor = (
        sum(values[phase] for phase in live) / len(live)
        for values in (sample.voltage_v, sample.current_a, sample.power_factor)
    )
    return voltage, current, power_factor, sample.frequency_hz
