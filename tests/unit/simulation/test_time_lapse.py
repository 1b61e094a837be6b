"""What a meter says if each of its seconds stands for many."""

import msgspec
import pytest

from simulation.time_lapse import TimeLapse
from tests.unit.central.parts import sample

FIRST = sample(
    0, uptime_ms=4003, sequence=3, import_counter_ws=5, export_counter_ws=7, generation_counter_ws=9
)


def later(seconds, late_ms=0, **counters):
    return msgspec.structs.replace(
        FIRST, uptime_ms=4003 + seconds * 1000 + late_ms, sequence=3 + seconds, exchange_p_w=500, **counters
    )


def counters(shown):
    return shown.import_counter_ws, shown.export_counter_ws, shown.generation_counter_ws


def test_uptime_and_counters_rise_so_many_times_as_far_and_nothing_else_changes():
    lapse = TimeLapse(60, FIRST, (100, 200, 300))
    said = later(1, import_counter_ws=5, export_counter_ws=107, generation_counter_ws=10)
    shown = lapse.passed(said)
    assert counters(shown) == (100, 200 + 6000, 300 + 60)
    assert shown.uptime_ms == lapse.uptime_ms == 4003 + 60_000
    assert shown == msgspec.structs.replace(
        said, uptime_ms=64_003, import_counter_ws=100, export_counter_ws=6200, generation_counter_ws=360
    )


def test_rises_add_up():
    lapse = TimeLapse(60, FIRST, (0, 0, 0))
    for second in range(1, 11):
        shown = lapse.passed(later(second, export_counter_ws=7 + second * 3))
    assert (shown.uptime_ms, shown.export_counter_ws) == (4003 + 600_000, 30 * 60)


def test_the_meters_counter_may_turn_and_so_may_the_one_that_is_shown():
    lapse = TimeLapse(60, FIRST, (0, 2**32 - 60, 0))
    lapse.passed(later(1, export_counter_ws=2**32 - 1))
    shown = lapse.passed(later(2, export_counter_ws=1))
    assert shown.export_counter_ws == (2**32 - 60 + 60 * (2**32 - 6)) % 2**32


def test_a_packet_that_is_late_is_of_its_second_all_the_same():
    lapse = TimeLapse(60, FIRST, (0, 0, 0))
    assert lapse.passed(later(1, late_ms=4)).uptime_ms == 4003 + 60_000
    assert lapse.passed(later(2, late_ms=-3)).uptime_ms == 4003 + 120_000


def test_what_the_meter_lives_while_time_stands_still_counts_for_nothing():
    lapse = TimeLapse(60, FIRST, (0, 0, 0))
    lapse.passed(later(1, export_counter_ws=17))
    echo = later(1, late_ms=300, export_counter_ws=22)
    shown = lapse.shown(echo)
    assert (shown.uptime_ms, shown.export_counter_ws, shown.sequence) == (64_003, 600, 4)
    lapse.stood_still(later(3, export_counter_ws=50))
    shown = lapse.passed(later(4, export_counter_ws=60))
    assert (shown.uptime_ms, shown.export_counter_ws) == (124_003, 1200)


@pytest.mark.parametrize("second", [1, 2, 50])
def test_second_by_second_the_meter_is_shown_as_it_is(second):
    said = later(second, import_counter_ws=1000, export_counter_ws=3, generation_counter_ws=2**32 - 1)
    assert TimeLapse(1, FIRST, counters(FIRST)).passed(said) == said
