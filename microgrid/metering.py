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
        self._open = None

    def feed(self, at_ms: int, sample: Sample) -> list[MeterMinute]:
        """Take in one packet; returns the minute it closed, if it begins a new one."""
        closed = self._close_before(minute_at(at_ms))
        counters = (sample.import_counter_ws, sample.export_counter_ws, sample.generation_counter_ws)
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

    def _close_before(self, minute: int) -> list[MeterMinute]:
        if self._open is None or self._open.minute >= minute:
            return []
        closed = self._open.as_record(self._house)
        self._closed_through = closed.minute
        self._open = None
        return [closed]

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
