"""What sharing saved today, as minutes come in, at midnight and after a restart."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from central_monitor.services.agreed import Agreed
from central_monitor.services.savings import Savings, day_of
from microgrid.columns import minute_columns, order_columns
from microgrid.directives import Directive, DirectiveKind, StrategyName
from microgrid.minute import Fate
from microgrid.months import minute_of, zone_of
from tests.unit.central.parts import FIRST, buyer, order_row, row, seller, tariff, terms

TERMS = terms(seller("B", 8), seller("D", 25), buyer("A"))
HOUSES = ("A", "B", "D")
SHARED, OFF = StrategyName.DAY_TIME, StrategyName.OFF
A_MINUTE = 17_000_000 // 60  # 1 kW at 8 instead of 25
MIDNIGHT_S = FIRST * 60


def lived(minutes, first=FIRST, solar_w=2250):
    """Rows and orders of minutes in which B gives this and D 250 W, all of it taken by A."""
    begun = minutes.start - first + 1
    powers = {"A": (solar_w + 250, 0), "B": (0, solar_w), "D": (0, 250)}
    meter = [
        row(house, minute, 60 * taken * (begun + n), 60 * given_ * (begun + n))
        for n, minute in enumerate(minutes)
        for house, (taken, given_) in powers.items()
    ]
    orders = [order_row(house, minute, target_w=1, fate=Fate.MET) for minute in minutes for house in "BD"]
    return meter, orders


def begun(agreed=TERMS, first=FIRST, **more):
    return Savings(Agreed(agreed), {house: row(house, first - 1) for house in HOUSES}, **more)


def coming(savings, minutes, strategy=SHARED, first=FIRST):
    savings.add(minutes, *lived(minutes, first), strategy)


def told(savings: Savings, minute: int, seconds: int = 0) -> Any:
    found = savings.today(60 * minute + seconds)
    assert found is not None
    return found


def test_before_any_minute_of_today_there_is_nothing_to_say():
    assert begun().today(MIDNIGHT_S) is None
    assert Savings(Agreed(TERMS), {}).today(MIDNIGHT_S) is None


@settings(max_examples=25, deadline=None)
@given(cuts=st.sets(st.integers(1, 29), max_size=6), looks=st.sets(st.integers(0, 29)))
def test_the_sum_is_the_same_however_minutes_come_and_whoever_looks(cuts, looks):
    savings = begun()
    for start, stop in pairwise([0, *sorted(cuts), 30]):
        coming(savings, range(FIRST + start, FIRST + stop))
        if start in looks:
            savings.today(MIDNIGHT_S + 60 * stop)
    amount, first = told(savings, FIRST + 30)
    assert first == FIRST
    assert amount == pytest.approx(30 * A_MINUTE, abs=30)


def test_minutes_in_which_sharing_was_off_count_nothing():
    savings = begun()
    coming(savings, range(FIRST, FIRST + 3))
    coming(savings, range(FIRST + 3, FIRST + 8), OFF)
    coming(savings, range(FIRST + 8, FIRST + 10))
    assert told(savings, FIRST + 10)[0] == pytest.approx(5 * A_MINUTE, abs=5)


def test_looking_twice_counts_once():
    savings = begun()
    coming(savings, range(FIRST, FIRST + 3))
    assert savings.today(MIDNIGHT_S + 180) == savings.today(MIDNIGHT_S + 200)


def test_a_new_day_begins_at_zero_also_within_a_tick():
    savings, midnight = begun(), FIRST + 1440
    coming(savings, range(FIRST, midnight - 3))
    assert told(savings, midnight - 3)[0] > 1000 * A_MINUTE
    coming(savings, range(midnight - 3, midnight + 2))
    amount, first = told(savings, midnight + 2)
    assert (first, amount) == (midnight, pytest.approx(2 * A_MINUTE, abs=2))


def test_after_midnight_yesterday_is_over_though_its_last_minute_comes_late():
    savings, midnight = begun(), FIRST + 1440
    coming(savings, range(FIRST, midnight - 1))
    assert savings.today(60 * midnight + 1) is None
    coming(savings, range(midnight - 1, midnight))
    assert savings.today(60 * midnight + 5) is None
    coming(savings, range(midnight, midnight + 1))
    assert savings.today(60 * midnight + 65) == (pytest.approx(A_MINUTE, abs=1), midnight)


def test_a_central_that_begins_at_noon_says_since_when():
    noon = FIRST + 720
    savings = begun(first=noon)
    coming(savings, range(noon, noon + 2), first=noon)
    assert savings.today(60 * (noon + 2)) == (pytest.approx(2 * A_MINUTE, abs=2), noon)


@pytest.mark.parametrize(
    ("date", "length"), [("2026-03-29", 23 * 60), ("2026-10-25", 25 * 60), ("2026-06-01", 24 * 60)]
)
def test_days_of_23_and_25_hours_hold_every_minute(date: str, length: int):
    zone = zone_of("Europe/Berlin")
    first = minute_of(datetime.fromisoformat(date).replace(tzinfo=zone))
    today = day_of(first, zone)
    assert (today.start, len(today)) == (first, length)
    assert day_of(today[-1], zone) == today == day_of(today[len(today) // 2], zone)
    assert day_of(today.stop, zone).start == today.stop
    savings = begun(replace(TERMS, zone="Europe/Berlin"), first)
    coming(savings, range(first, today.stop), first=first)
    amount, since = told(savings, today.stop, seconds=-1)
    assert (since, amount) == (first, pytest.approx(length * A_MINUTE, abs=length))
    assert savings.today(60 * today.stop) is None


def test_a_restart_goes_on_where_the_day_stood():
    whole = begun()
    coming(whole, range(FIRST, FIRST + 10))
    coming(whole, range(FIRST + 10, FIRST + 20), OFF)
    coming(whole, range(FIRST + 20, FIRST + 40))
    directives = [
        Directive(kind=DirectiveKind.STRATEGY, strategy=to, entered_s=at_s, author="Ayesha", note="test")
        for to, at_s in ((OFF, 60 * (FIRST + 9) + 30), (SHARED, 60 * (FIRST + 20)))
    ]
    past = range(FIRST, FIRST + 30)
    meter, orders = lived(past)
    opening = {house: row(house, FIRST - 1) for house in HOUSES}
    last = {each.house: each for each in meter}
    recorded = [(minute_columns(HOUSES, past, meter, opening), order_columns(HOUSES, past, orders))]
    again = Savings(Agreed(TERMS), last, recorded, directives)
    assert told(again, FIRST + 30) == (pytest.approx(20 * A_MINUTE, abs=20), FIRST)
    coming(again, range(FIRST + 30, FIRST + 40))
    assert again.today(60 * (FIRST + 40)) == whole.today(60 * (FIRST + 40))


def test_a_restart_after_hours_in_which_nobody_sold_says_since_when():
    minutes = range(FIRST, FIRST + 10)
    meter, orders = lived(minutes)
    recorded = [(minute_columns(HOUSES, minutes, meter, {}), order_columns(HOUSES, minutes, orders[6:]))]
    assert told(Savings(Agreed(TERMS), {}, recorded), FIRST + 10)[1] == FIRST + 3


def test_late_rows_only_tell_where_the_registers_stood():
    savings = begun()
    meter, orders = lived(range(FIRST, FIRST + 3))
    savings.add(range(FIRST + 2, FIRST + 3), meter, orders[-2:], SHARED)
    assert savings.today(MIDNIGHT_S + 180) == (pytest.approx(A_MINUTE, abs=1), FIRST + 2)
    stale, _ = lived(range(FIRST, FIRST + 1))
    savings.add(range(0), stale, [], SHARED)
    coming(savings, range(FIRST + 3, FIRST + 4))
    assert told(savings, FIRST + 4)[0] == pytest.approx(2 * A_MINUTE, abs=2)


def test_minutes_nobody_recorded_count_nothing():
    savings = begun()
    coming(savings, range(FIRST, FIRST + 2))
    coming(savings, range(FIRST + 8, FIRST + 10))
    assert told(savings, FIRST + 10)[0] == pytest.approx(4 * A_MINUTE, abs=4)


def test_without_a_tariff_nothing_is_counted():
    agreed = terms(seller("B", 8), seller("D", 25), buyer("A"), tariffs=(tariff(valid_from=FIRST + 2),))
    savings = begun(agreed)
    coming(savings, range(FIRST, FIRST + 2))
    assert savings.today(MIDNIGHT_S + 120) == (0, FIRST)
    coming(savings, range(FIRST + 2, FIRST + 4))
    assert savings.today(MIDNIGHT_S + 240) == (pytest.approx(2 * A_MINUTE, abs=2), FIRST)


def test_where_nobody_sells_there_is_nothing_to_say():
    savings = Savings(Agreed(terms(buyer("A"))), {})
    savings.add(range(FIRST, FIRST + 2), [row("A", FIRST + 1, 600)], [], SHARED)
    assert savings.today(MIDNIGHT_S + 120) is None


def test_a_house_that_joined_since_is_counted_with_the_others():
    agreed = Agreed(terms(seller("B", 8), buyer("A")))
    savings = Savings(agreed, {house: row(house, FIRST - 1) for house in HOUSES})
    coming(savings, range(FIRST, FIRST + 2))
    assert savings.today(MIDNIGHT_S + 120) == (0, FIRST)  # one seller has nothing to share
    agreed.change(TERMS)
    coming(savings, range(FIRST + 2, FIRST + 4))
    assert told(savings, FIRST + 4)[0] == pytest.approx(2 * A_MINUTE, abs=2)
