"""From packets to minutes: gaps, echoes, restarts and meters that go wrong."""

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from microgrid.columns import minute_columns
from microgrid.energy import minute_energy
from microgrid.metering import MINUTE_MS, MinuteBuilder, minute_at, registers_of
from microgrid.minute import MeterMinute
from microgrid.registers import COUNTER_MODULUS
from microgrid.sample import CommandState, MeterFlag, Sample

START_MS = 1_000_000 * MINUTE_MS
FIRST = START_MS // MINUTE_MS
SAMPLE = Sample(
    boot_id=1, uptime_ms=0, sequence=0, voltage_v=(230.0, 0.0, 0.0), current_a=(4.0, 0.0, 0.0),
    power_factor=(0.9, 0.0, 0.0), leading=(False, False, False), exporting=(True, False, False),
    frequency_hz=50.0, generator_p_w=1500, generator_q_var=0, generator_s_va=1500, exchange_p_w=1000,
    exchange_q_var=0, import_counter_ws=77, export_counter_ws=COUNTER_MODULUS - 5000, generation_counter_ws=9,
    generator_breaker_closed=True, grid_breaker_closed=True, flags=MeterFlag(0), command_id=0,
    command_state=CommandState.NONE, firmware="t",
)  # fmt: skip


class Meter:
    """A meter that exports 1 kW and writes a packet a second, at the second's end."""

    def __init__(self, builder: MinuteBuilder) -> None:
        self.builder = builder
        self.sample = SAMPLE
        self.seconds = 0
        self.minutes: list[MeterMinute] = []

    def run(self, seconds: int, *, heard: bool = True, **change: Any) -> None:
        for _ in range(seconds):
            self.seconds += 1
            self.sample = msgspec.structs.replace(
                self.sample,
                uptime_ms=self.sample.uptime_ms + 1000,
                sequence=(self.sample.sequence + 1) % COUNTER_MODULUS,
                export_counter_ws=(self.sample.export_counter_ws + 1000) % COUNTER_MODULUS,
                **change,
            )
            if heard:
                self.minutes += self.builder.feed(START_MS + self.seconds * 1000, self.sample)


@pytest.fixture
def meter() -> Meter:
    return Meter(MinuteBuilder("B", 5000, None))


def test_a_minute_holds_the_registers_at_its_end(meter: Meter):
    meter.run(121)
    first, second = meter.minutes
    assert (first.minute, second.minute) == (FIRST, FIRST + 1)
    assert second.export_ws - first.export_ws == 60_000
    assert second.export_ws == COUNTER_MODULUS - 5000 + 120_000
    assert (second.import_ws, second.epoch, second.suspect) == (77, 0, 0)
    assert (second.covered_s, second.closed_s) == (60, 60)
    assert (second.max_w, second.min_w, second.voltage_mv, second.current_ma) == (1000, 1000, 230_000, 4000)
    assert (second.power_factor_milli, second.frequency_mhz) == (900, 50_000)
    assert registers_of(second).export_ws == second.export_ws
    assert minute_at(START_MS + MINUTE_MS) == FIRST
    assert minute_at(START_MS + MINUTE_MS + 1) == FIRST + 1


def test_a_minute_nobody_heard_is_left_out_and_its_energy_carried(meter: Meter):
    meter.run(60)
    meter.run(150, heard=False)
    meter.run(91)
    assert [m.minute for m in meter.minutes] == [FIRST, FIRST + 3, FIRST + 4]
    assert meter.minutes[1].export_ws - meter.minutes[0].export_ws == 180_000
    # The first packet after the silence speaks for no time: 30 seconds were missed, and one more.
    assert meter.minutes[1].covered_s == 29
    assert meter.minutes[2].covered_s == 60


def test_lost_packets_lower_the_coverage_but_lose_no_energy(meter: Meter):
    meter.run(30)
    meter.run(10, heard=False)
    meter.run(81)
    assert meter.minutes[0].covered_s == pytest.approx(60 - 10 - 2, abs=1)
    assert meter.minutes[1].export_ws - meter.minutes[0].export_ws == 60_000


def test_closing_by_the_clock_needs_no_further_packet(meter: Meter):
    meter.run(60)
    assert meter.builder.close(START_MS + MINUTE_MS - 1) == []
    (closed,) = meter.builder.close(START_MS + MINUTE_MS)
    assert closed.minute == FIRST
    assert meter.builder.close(START_MS + MINUTE_MS) == []


def test_an_echo_after_the_minute_closed_opens_nothing_but_its_energy_counts(meter: Meter):
    meter.run(59)
    (closed,) = meter.builder.close(START_MS + MINUTE_MS)
    meter.run(1)  # at the very end of the closed minute
    assert meter.builder.close(START_MS + 2 * MINUTE_MS) == []
    meter.run(61)
    (second,) = meter.minutes
    assert second.minute == FIRST + 1
    assert second.export_ws - closed.export_ws == 61_000


def test_a_restart_carries_on_from_the_last_minute(meter: Meter):
    meter.run(61)
    (last,) = meter.minutes
    meter.builder = MinuteBuilder("B", 5000, last)
    meter.run(179, heard=False)
    meter.run(61)
    after = meter.minutes[1]
    assert (after.minute, after.epoch) == (FIRST + 4, 0)
    assert after.export_ws - last.export_ws == 240_000
    assert MinuteBuilder("B", 5000, last).registers == registers_of(last)
    assert MinuteBuilder("B", 5000, None).registers is None


def test_a_restart_writes_no_minute_twice(meter: Meter):
    meter.run(61)
    (last,) = meter.minutes
    again = MinuteBuilder("B", 5000, last)
    assert again.feed((last.minute + 1) * MINUTE_MS, meter.sample) == []
    assert again.close((last.minute + 2) * MINUTE_MS) == []


def test_a_meter_that_restarts_with_its_counters_is_no_fault(meter: Meter):
    meter.run(30)
    meter.sample = msgspec.structs.replace(meter.sample, boot_id=2, uptime_ms=0, sequence=0)
    meter.run(91)
    assert [m.epoch for m in meter.minutes] == [0, 0]
    assert [m.suspect for m in meter.minutes] == [0, 0]
    assert meter.minutes[1].export_ws - meter.minutes[0].export_ws == 60_000


def test_a_counter_that_fell_begins_an_epoch_and_is_marked(meter: Meter):
    meter.run(61)
    meter.sample = msgspec.structs.replace(meter.sample, export_counter_ws=0)
    meter.run(60)
    assert [m.epoch for m in meter.minutes] == [0, 1]
    assert meter.minutes[1].suspect == 1


@pytest.mark.parametrize("export_w", [1000, -1000])
def test_a_stuck_counter_is_suspect(meter: Meter, export_w: int):
    """Also where the generation counter still turns: that one is not billed."""
    meter.run(60)
    at_rest = meter.sample.export_counter_ws
    for turn in range(61):
        meter.run(1, heard=False)
        stuck = msgspec.structs.replace(
            meter.sample,
            export_counter_ws=at_rest,
            exchange_p_w=export_w,
            generation_counter_ws=10 + turn * 1500,
        )
        meter.minutes += meter.builder.feed(START_MS + meter.seconds * 1000, stuck)
    assert [(m.epoch, m.suspect) for m in meter.minutes] == [(0, 0), (0, 1)]


def test_a_counter_stuck_from_minute_to_minute_is_suspect():
    """One packet a minute is enough to see it."""
    builder = MinuteBuilder("B", 5000, None)
    found = []
    for minute in range(1, 4):
        sample = msgspec.structs.replace(SAMPLE, sequence=minute, uptime_ms=minute * MINUTE_MS)
        found += builder.feed(START_MS + minute * MINUTE_MS, sample)
    assert [m.suspect for m in found] == [0, 1]


def test_an_idle_house_is_not_suspect():
    builder = MinuteBuilder("B", 5000, None)
    found = []
    for minute in range(1, 4):
        sample = msgspec.structs.replace(SAMPLE, sequence=minute, exchange_p_w=20)
        found += builder.feed(START_MS + minute * MINUTE_MS, sample)
    assert [m.suspect for m in found] == [0, 0]


def test_faults_of_the_meter_are_counted_and_seconds_open_left_out(meter: Meter):
    meter.run(20)
    meter.run(15, grid_breaker_closed=False, flags=MeterFlag.VOLTAGE_SATURATED)
    meter.run(26, grid_breaker_closed=True, flags=MeterFlag(0))
    (minute,) = meter.minutes
    assert minute.suspect == 15
    assert minute.closed_s == 45


def test_a_minute_heard_in_part_has_the_breaker_of_what_was_heard(meter: Meter):
    meter.run(30)
    meter.run(16, grid_breaker_closed=False)
    meter.run(14, heard=False, grid_breaker_closed=True)
    meter.run(2)
    (minute,) = meter.minutes
    assert minute.covered_s < 60
    assert minute.closed_s == round(60 * (minute.covered_s - 16) / minute.covered_s)


@pytest.mark.parametrize(("closed", "closed_s"), [(True, 60), (False, 0)])
def test_a_minute_with_a_single_packet_has_the_breaker_as_that_packet_says(closed: bool, closed_s: int):
    builder = MinuteBuilder("B", 5000, None)
    builder.feed(START_MS + MINUTE_MS, msgspec.structs.replace(SAMPLE, grid_breaker_closed=closed))
    (minute,) = builder.close(START_MS + 2 * MINUTE_MS)
    assert (minute.covered_s, minute.closed_s) == (0, closed_s)


def test_a_dead_supply_has_means_of_zero(meter: Meter):
    meter.run(61, voltage_v=(0.0, 0.0, 0.0), current_a=(0.0, 0.0, 0.0))
    assert (meter.minutes[0].voltage_mv, meter.minutes[0].current_ma) == (0, 0)


def test_an_exchange_of_the_meter_loses_and_invents_nothing(meter: Meter):
    meter.run(90)  # the first minute's row, and half of the second
    began = meter.builder.begin_swap(START_MS + 90_000)
    assert [(row.minute, row.epoch, row.export_ws % COUNTER_MODULUS) for row in began] == [
        (FIRST + 1, 0, meter.sample.export_counter_ws)
    ]
    meter.minutes += began
    meter.run(150, heard=False)
    meter.sample = msgspec.structs.replace(SAMPLE, boot_id=9, export_counter_ws=500, import_counter_ws=3)
    meter.run(61)
    heard = meter.builder.swap_heard
    assert heard is not None
    assert (heard[0], heard[1].boot_id, heard[1].export_counter_ws) == (START_MS + 241_000, 9, 1500)
    meter.minutes += meter.builder.finish_swap()
    first = meter.minutes[-1]
    # First heard at second 241, in the minute FIRST + 4: the row stands at the end of the one before.
    assert (first.minute, first.epoch, first.export_ws, first.import_ws) == (FIRST + 3, 1, 1500, 3)
    assert (first.covered_s, first.suspect) == (0, 0)
    meter.run(60)
    assert [row.minute for row in meter.minutes] == [FIRST, FIRST + 1, FIRST + 3, FIRST + 5]
    assert meter.minutes[-1].epoch == 1
    assert meter.builder.swap_heard is None


def test_the_old_meter_counts_for_as_long_as_it_is_heard(meter: Meter):
    meter.run(70)
    meter.minutes += meter.builder.begin_swap(START_MS + 70_000)
    meter.run(20)  # still in the minute that has its row: the registers go on
    last = meter.sample.export_counter_ws
    meter.run(60, heard=False)
    meter.sample = msgspec.structs.replace(SAMPLE, boot_id=9)
    meter.run(1)
    *_, old, new = [*meter.minutes, *meter.builder.finish_swap()]
    assert (old.minute, old.epoch, old.export_ws % COUNTER_MODULUS) == (FIRST + 2, 0, last)
    assert (new.minute, new.epoch) == (FIRST + 3, 1)


def test_an_exchange_that_is_cancelled_changes_nothing_but_where_a_row_stands(meter: Meter):
    meter.run(90)
    meter.minutes += meter.builder.begin_swap(START_MS + 90_000)
    # The old meter lost its power while somebody had a look, and starts again.
    meter.sample = msgspec.structs.replace(meter.sample, boot_id=2, uptime_ms=0)
    meter.run(10)
    assert meter.builder.swap_heard is not None
    meter.builder.cancel_swap()
    meter.run(81)
    assert [(row.minute, row.epoch) for row in meter.minutes] == [(FIRST, 0), (FIRST + 1, 0), (FIRST + 2, 0)]
    assert meter.minutes[2].export_ws - meter.minutes[0].export_ws == 120_000


def test_an_exchange_goes_on_after_the_program_was_started_again(meter: Meter):
    """Whoever takes a meter off may switch the kiosk off with it."""
    meter.run(90)
    (*_, last) = meter.builder.begin_swap(START_MS + 90_000)
    meter.builder = MinuteBuilder("B", 5000, last)
    with pytest.raises(ValueError, match="no meter has been heard"):
        meter.builder.begin_swap(START_MS + 200_000)
    assert meter.builder.begin_swap(START_MS + 200_000, old_boot_id=SAMPLE.boot_id) == []
    with pytest.raises(ValueError, match="no new meter"):
        meter.builder.finish_swap()
    meter.seconds = 240
    meter.sample = msgspec.structs.replace(SAMPLE, boot_id=9)
    meter.run(1)
    (new,) = meter.builder.finish_swap()
    assert (new.minute, new.epoch) == (FIRST + 3, 1)


def test_a_new_meter_that_starts_again_is_one_meter_and_another_is_another(meter: Meter):
    meter.run(90)
    meter.builder.begin_swap(START_MS + 90_000)
    meter.sample = msgspec.structs.replace(SAMPLE, boot_id=9, export_counter_ws=1_000_000)
    meter.run(5)
    meter.sample = msgspec.structs.replace(meter.sample, boot_id=10)
    meter.run(5)
    assert meter.builder.swap_heard is not None
    assert meter.builder.swap_heard[1].export_counter_ws == 1_001_000
    meter.sample = msgspec.structs.replace(meter.sample, boot_id=11, export_counter_ws=0)
    meter.run(5)
    assert meter.builder.swap_heard[1].export_counter_ws == 1000


counter_starts = st.integers(0, COUNTER_MODULUS - 1) | st.sampled_from([0, 1, COUNTER_MODULUS - 2000])


@given(
    starts=st.tuples(counter_starts, counter_starts),
    before_s=st.integers(1, 200),
    after_begin_s=st.integers(0, 100),
    silence_s=st.integers(1, 400),
    waiting_s=st.integers(1, 300),
    rest_s=st.integers(0, 200),
    power_w=st.sampled_from([1000, -1000]),
)
def test_an_exchange_bills_exactly_what_both_meters_counted(
    starts, before_s, after_begin_s, silence_s, waiting_s, rest_s, power_w
):
    counter = "export_counter_ws" if power_w > 0 else "import_counter_ws"
    other = "import_counter_ws" if power_w > 0 else "export_counter_ws"
    builder, rows, second = MinuteBuilder("B", 5000, None), [], 0

    def run(seconds: int, boot_id: int, start_ws: int, since_s: int) -> None:
        nonlocal second
        for _ in range(seconds):
            sample = msgspec.structs.replace(
                SAMPLE, boot_id=boot_id, sequence=second, exchange_p_w=power_w,
                **{counter: (start_ws + (second - since_s) * 1000) % COUNTER_MODULUS, other: 0},
            )  # fmt: skip
            rows.extend(builder.feed(START_MS + second * 1000, sample))
            second += 1

    run(1, 1, starts[0], 0)  # the opening register, at the end of the minute before
    run(before_s, 1, starts[0], 0)
    rows += builder.begin_swap(START_MS + second * 1000)
    run(after_begin_s, 1, starts[0], 0)
    old_s = second - 1
    second += silence_s
    new_from = second
    run(waiting_s, 2, starts[1], new_from)
    rows += builder.finish_swap()
    new_s = waiting_s - 1 + rest_s + 180
    run(rest_s + 180, 2, starts[1], new_from)
    minutes = [row.minute for row in rows]
    assert minutes == sorted(set(minutes))
    final = builder.begin_swap(START_MS + second * 1000)  # whatever is still open
    rows += final
    span = range(rows[0].minute, rows[-1].minute + 1)
    energy = minute_energy(minute_columns(("B",), span, rows, {}), np.array([5000]))
    assert energy.net_ws.sum() == (old_s + new_s) * power_w
    assert {row.epoch for row in rows} == {0, 1}
