"""The cap's running credit: the ledger's own figure while minutes come in order, and never a crash."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from central_monitor.services.agreed import Agreed
from central_monitor.services.credit import RunningCredit
from microgrid.columns import minute_columns, order_columns
from microgrid.ledger import MonthLedger
from microgrid.months import month_minutes, zone_of
from microgrid.terms import Cap
from tests.unit.central.parts import FIRST, MONTH, ZONE, buyer, order_row, row, seller, tariff, terms

TERMS = terms(seller("B", 8), seller("D", 25), buyer("A"), buyer("C"))
HOUSES = ("A", "B", "C", "D")


def played(seed, minutes, first=FIRST):
    """Opening rows, meter rows and order rows of minutes at random powers."""
    random = np.random.default_rng(seed)
    registers = dict.fromkeys(HOUSES, (0, 0))
    opening = {house: row(house, first - 1) for house in HOUSES}
    meter, orders = [], []
    for minute in range(first, first + minutes):
        for house in HOUSES:
            power_w = int(random.integers(0, 2500)) * (1 if house in "BD" else -1)
            taken, given_ = registers[house]
            registers[house] = (taken + 60 * max(0, -power_w), given_ + 60 * max(0, power_w))
            meter.append(row(house, minute, *registers[house], closed_s=int(random.choice([0, 60, 60, 60]))))
        orders += [
            order_row(
                house,
                minute,
                raise_standing=bool(random.integers(0, 2)),
                target_w=int(random.integers(0, 2500)),
                command_id=1,
                acknowledged_s=60 * (minute - 3),
            )
            for house in "BD"
        ]
    return opening, meter, orders


def within(rows, minutes):
    return [r for r in rows if r.minute in minutes]


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), cuts=st.sets(st.integers(1, 19), max_size=5))
def test_it_is_the_ledgers_credit_however_the_minutes_are_cut(seed, cuts):
    opening, meter, orders = played(seed, 20)
    credit, ledger = RunningCredit(Agreed(TERMS), opening), MonthLedger(TERMS, MONTH)
    last = dict(opening)
    for start, stop in pairwise([0, *sorted(cuts), 20]):
        minutes = range(FIRST + start, FIRST + stop)
        rows, ordered = within(meter, minutes), within(orders, minutes)
        credit.add(minutes, rows, ordered)
        ledger.add(minute_columns(HOUSES, minutes, rows, last), order_columns(HOUSES, minutes, ordered))
        last.update({r.house: r for r in rows})
        assert credit.credit == ledger.credit


def test_cheap_minutes_are_credit():
    opening = {house: row(house, FIRST - 1) for house in HOUSES}
    credit = RunningCredit(Agreed(TERMS), opening)
    minute = range(FIRST, FIRST + 1)
    rows = [row("A", FIRST, 60_000), row("B", FIRST, 0, 60_000), row("C", FIRST), row("D", FIRST)]
    credit.add(minute, rows, [])
    # 1/60 kWh at 9.6 coins below the tariff.
    assert credit.credit == 160_000
    assert credit.allowance(FIRST + 1, 5) == 32_000


@pytest.mark.parametrize("cap", [Cap.MINUTE, Cap.OFF])
def test_other_settings_of_the_cap_know_no_credit(cap):
    agreed = terms(*TERMS.contracts, cap=cap)
    opening, meter, orders = played(1, 5)
    credit = RunningCredit(Agreed(agreed), opening)
    credit.add(range(FIRST, FIRST + 5), meter, orders)
    assert credit.credit == 0
    assert credit.allowance(FIRST, 1) == 0


def test_a_month_begins_without_credit():
    end = month_minutes(MONTH, zone_of(ZONE)).stop
    opening, meter, orders = played(2, 4, first=end - 2)
    credit = RunningCredit(Agreed(TERMS), opening)
    credit.credit = 10**9
    credit.add(range(end - 2, end), within(meter, range(end - 2, end)), orders[:4])
    assert credit.credit > 10**9 // 2
    july = range(end, end + 2)
    fresh = RunningCredit(Agreed(TERMS), {r.house: r for r in meter if r.minute == end - 1})
    credit.add(july, within(meter, july), orders[4:])
    fresh.add(july, within(meter, july), orders[4:])
    assert credit.credit == fresh.credit


def test_a_central_that_restarts_in_a_new_month_begins_without_credit():
    end = month_minutes(MONTH, zone_of(ZONE)).stop
    last = {house: row(house, end - 5) for house in HOUSES}
    credit = RunningCredit(Agreed(TERMS), last, credit=10**9)
    credit.add(range(end, end + 1), [], [])
    assert credit.credit == 0
    same_month = RunningCredit(Agreed(TERMS), last, credit=10**9)
    same_month.add(range(end - 4, end - 3), [], [])
    assert same_month.credit == 10**9


def test_no_minutes_are_no_news():
    credit = RunningCredit(Agreed(TERMS), {}, credit=77)
    credit.add(range(FIRST, FIRST), [], [])
    assert credit.credit == 77


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32 - 1), kept=st.lists(st.booleans(), min_size=40, max_size=40))
def test_missing_rows_are_borne(seed, kept):
    opening, meter, orders = played(seed, 10)
    some = [r for r, keep in zip(meter, kept, strict=True) if keep]
    credit = RunningCredit(Agreed(TERMS), {} if seed % 2 else opening)
    for start in range(0, 10, 2):
        minutes = range(FIRST + start, FIRST + start + 2)
        credit.add(minutes, within(some, minutes), within(orders, minutes))
        assert credit.credit >= 0


def test_late_rows_only_tell_where_the_registers_stood():
    opening = {house: row(house, FIRST - 1) for house in HOUSES}
    credit = RunningCredit(Agreed(TERMS), opening)
    minutes = range(FIRST + 2, FIRST + 3)
    late = [row("A", FIRST + 1, 600_000), row("B", FIRST + 1, 0, 600_000)]
    now = [row("A", FIRST + 2, 660_000), row("B", FIRST + 2, 0, 660_000), row("C", FIRST + 2)]
    credit.add(minutes, [*late, *now, row("D", FIRST + 2)], [])
    assert credit.credit == 160_000


def test_a_minute_without_a_tariff_is_a_lookup_error():
    credit = RunningCredit(Agreed(terms(buyer("A"), tariffs=(tariff(valid_to=FIRST),))), {})
    with pytest.raises(LookupError, match="no tariff is in force"):
        credit.add(range(FIRST, FIRST + 1), [], [])
