"""The month: whatever is measured and ordered, books balance, however it is cut into blocks."""

from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.columns import order_columns
from microgrid.ledger import MonthLedger
from microgrid.minute import MeterMinute, OrderMinute
from microgrid.statement import Statements
from microgrid.terms import Cap, House, Obligation, Role, Source, Tariff, Terms
from microgrid.units import microcoins
from tests.unit.rules.build import (
    FIRST,
    FOREVER,
    MONTH,
    T,
    assert_conserved,
    buyer,
    history,
    meter_minute,
    month_of_rows,
    no_orders,
    order,
    read,
    seller,
    terms_of,
)

COUNT = 30
Rows = dict[str, list[MeterMinute]]


def balanced(statements: Statements) -> None:
    accounts = statements.accounts.values()
    assert statements.postings_total == sum(account.total for account in accounts) == 0
    energy = statements.energy
    assert energy.bought == energy.sold + energy.imported - energy.exported
    assert sum(account.microgrid_energy for account in accounts) == 0
    assert sum(account.national_grid_energy for account in accounts) == 0
    for column in ("microgrid_amount", "national_grid_amount", "penalty_amount"):
        assert sum(getattr(account, column) for account in accounts) == 0


@dataclass(frozen=True, repr=False)  # its repr would be longer than hypothesis prints
class Month:
    terms: Terms
    rows: Rows
    orders: list[OrderMinute]


@st.composite
def months(draw: st.DrawFn) -> Month:
    """Four houses with changing contracts and tariffs, gaps, new epochs, open breakers and every order."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    change = FIRST + draw(st.integers(1, COUNT - 2))
    cap = draw(st.sampled_from(list(Cap)))
    terms = terms_of(
        seller("B", 8, source=Source.SOLAR, obligation=draw(st.sampled_from(list(Obligation)))),
        seller("D", 25, valid_to=change),
        seller("D", 30, valid_from=change, max_kw=3),
        buyer("A"),
        msgspec.structs.replace(buyer("C"), valid_from=change),
        tariffs=(
            Tariff(valid_from=0, valid_to=change + 1, national=T, cap=cap),
            Tariff(valid_from=change + 1, valid_to=FOREVER, national=microcoins(19), feed_in=10**6, cap=cap),
        ),
    )
    rows: Rows = {}
    for house in "ABCD":
        powers = [None if random.random() < 0.15 else int(random.integers(-3000, 3000)) for _ in range(COUNT)]
        new_epoch = int(random.integers(0, 2 * COUNT))
        rows[house] = [
            msgspec.structs.replace(
                row,
                epoch=int(row.minute >= FIRST + new_epoch),
                closed_s=int(random.choice([0, 30, 60, 60])),
            )
            for row in history({house: powers})[house]
        ]
    orders = [
        order(
            house,
            minute,
            raise_standing=bool(random.random() < 0.5),
            target_w=None if random.random() < 0.2 else int(random.integers(0, 2500)),
            acknowledged_s=None if random.random() < 0.2 else (minute - int(random.integers(0, 3))) * 60,
            tie_closed=bool(random.random() < 0.95),
            out_of_service=bool(random.random() < 0.05),
        )
        for minute in range(FIRST, FIRST + COUNT)
        for house in "BD"
        if random.random() < 0.95
    ]
    return Month(terms, rows, orders)


@given(months(), st.lists(st.integers(0, COUNT), max_size=8))
@settings(max_examples=40)
def test_books_balance_and_cuts_are_without_effect(month: Month, cuts: list[int]):
    terms, rows, orders = month.terms, month.rows, month.orders
    whole, ledger = month_of_rows(terms, rows, orders, count=COUNT)
    balanced(whole)
    pieces, other = month_of_rows(terms, rows, orders, count=COUNT, cuts=cuts)
    assert pieces == whole
    assert other.credit == ledger.credit


@given(months())
@settings(max_examples=20)
def test_every_segment_is_conserved(month: Month):
    terms, rows, orders = month.terms, month.rows, month.orders
    ledger = MonthLedger(terms, MONTH)
    minutes = range(FIRST, FIRST + COUNT)
    columns = read(ledger.houses, minutes, rows)
    segments = list(ledger.segments(columns, order_columns(ledger.houses, minutes, orders)))
    assert sum(len(segment.block.net_ws) for segment in segments) == COUNT
    assert len(segments) == 3
    for segment in segments:
        assert_conserved(segment.settled, segment.block.net_ws)


def test_an_open_breaker_is_remembered_into_unheard_minutes_across_blocks():
    """B's breaker was open when last heard: it adds nothing to Pmax, in whichever block its silence lies."""
    terms = terms_of(seller("B", 8, min_kw=0, max_kw=2.5), buyer("A"))
    rows = history({"A": [-1000] * 6, "B": [0, None, None, None, None, None]})
    rows["B"][1] = msgspec.structs.replace(rows["B"][1], closed_s=0)
    orders = [order("B", m, raise_standing=True, acknowledged_s=0) for m in range(FIRST, FIRST + 6)]
    whole, _ = month_of_rows(terms, rows, orders, count=6)
    pieces, _ = month_of_rows(terms, rows, orders, count=6, cuts=[2, 4])
    assert pieces == whole
    assert whole.accounts["A"].national_grid_energy == -6 * 60_000
    assert whole.accounts["B"].penalty_amount == 0


def test_a_raise_counts_from_a_response_time_after_it_was_acknowledged():
    terms = terms_of(seller("B", 8, min_kw=0), buyer("A"))
    rows = history({"A": [-1000] * 3, "B": [0] * 3})
    orders = [
        order("B", m, raise_standing=True, acknowledged_s=FIRST * 60 + 1) for m in range(FIRST, FIRST + 3)
    ]
    statements, _ = month_of_rows(terms, rows, orders, count=3)
    # Acknowledged one second into the first minute: blame begins with the third.
    assert statements.accounts["B"].penalty_energy == 60_000
    never, _ = month_of_rows(terms, rows, [order("B", FIRST, raise_standing=True)], count=3)
    assert never.accounts["B"].penalty_amount == 0


def test_contract_and_tariff_change_within_the_month():
    terms = terms_of(
        seller("B", 8, min_kw=0, valid_to=FIRST + 2),
        seller("B", 10, min_kw=0, valid_from=FIRST + 2),
        buyer("A"),
        tariffs=(
            Tariff(valid_from=0, valid_to=FIRST + 3, national=T),
            Tariff(valid_from=FIRST + 3, valid_to=FOREVER, national=microcoins(20)),
        ),
    )
    rows = history({"A": [-2000] * 4, "B": [1000] * 4})
    statements, _ = month_of_rows(terms, rows, count=4)
    assert statements.accounts["B"].total == pytest.approx((2 * 8 + 2 * 10) * 1e6 / 60, abs=4)
    assert statements.accounts["national_grid"].total == pytest.approx((3 * 17.6 + 20) * 1e6 / 60, abs=4)
    balanced(statements)


def test_a_solar_minimum_runs_by_day_only():
    day = terms_of(seller("B", 8, source=Source.SOLAR, obligation=Obligation.DAYLIGHT), buyer("A"))
    always = terms_of(seller("B", 8, source=Source.SOLAR), buyer("A"))
    count = 9 * 60  # midnight to nine; June's sun is up at 5:50
    rows = history({"A": [0] * count, "B": [0] * count})
    owed = [
        month_of_rows(terms, rows, count=count)[0].accounts["B"].penalty_energy for terms in (day, always)
    ]
    assert owed == [250 * 60 * (9 * 60 - 350), 250 * 60 * count]


def test_out_of_service_stops_the_minimum_and_an_open_tie_suspends_it():
    terms = terms_of(seller("B", 8), buyer("A"))
    rows = history({"A": [-100] * 3, "B": [0] * 3})
    for change in ({"out_of_service": True}, {"tie_closed": False}):
        orders = [order("B", FIRST + 1, **change)]
        statements, _ = month_of_rows(terms, rows, orders, count=3)
        assert statements.accounts["B"].penalty_energy == 2 * 250 * 60
        balanced(statements)
    assert statements.accounts["losses"].national_grid_energy == 100 * 60
    assert statements.accounts["national_grid"].national_grid_energy == 2 * 100 * 60


def test_credit_begins_anew_with_each_month_and_runs_through_it():
    terms = terms_of(seller("B", 8, min_kw=0), seller("D", 25, min_kw=0), buyer("A"))
    rows = history({"A": [-1000] * 20, "B": [1000] * 10 + [0] * 10, "D": [0] * 10 + [1000] * 10})
    statements, ledger = month_of_rows(terms, rows, count=20, cuts=[7, 11])
    # Ten minutes earn 9.6 coins a kWh, ten spend 7.4.
    assert ledger.credit == pytest.approx(10 * (9.6 - 7.4) * 1e6 / 60, abs=20)
    assert statements.accounts["D"].total == pytest.approx(10 * 25e6 / 60, abs=20)
    assert MonthLedger(terms, "2026-07").credit == 0


def test_statement_names_role_powers_and_estimates():
    terms = terms_of(seller("B", 8), buyer("A"))
    terms = msgspec.structs.replace(
        terms, houses=(*terms.houses, House(house="Z", name="Z", connection_w=1000))
    )
    rows = history({"A": [-900, -1500, None, -1200], "B": [700, 800, 600, None]})
    statements, _ = month_of_rows(terms, rows, count=4)
    a, b, z = (statements.accounts[house] for house in "ABZ")
    assert (a.role, b.role, z.role) == (Role.CONSUMER, Role.PRODUCER, "none")
    assert (a.max_power_kw, a.min_power_kw, b.max_power_kw, b.min_power_kw) == (1.5, 0.9, 0.8, 0.6)
    # A's gap is two minutes laid out in a line; B's last minute is not known yet.
    assert (a.estimated_minutes, a.estimated_energy) == (2, -1200 * 60)
    assert (b.estimated_minutes, b.estimated_energy) == (1, 0)
    assert (z.total, z.max_power_kw, z.estimated_minutes) == (0, 0.0, 0)
    assert list(statements.accounts) == ["A", "B", "Z", "national_grid", "reserve", "losses"]
    balanced(statements)


def test_a_house_that_appears_mid_month_owes_its_minimum_but_no_energy():
    terms = terms_of(seller("B", 8), buyer("A"))
    rows = history({"A": [-600] * 3})
    rows["B"] = [meter_minute("B", FIRST + 1, 10**9), meter_minute("B", FIRST + 2, 10**9 + 36_000)]
    statements, _ = month_of_rows(terms, rows, count=3)
    assert statements.accounts["B"].microgrid_energy == 36_000
    assert statements.accounts["B"].estimated_minutes == 0
    balanced(statements)


@pytest.mark.parametrize(("start", "stop"), [(1, 2), (-1, 1), (0, 30 * 1440 + 1)])
def test_minutes_out_of_turn_are_refused(start: int, stop: int):
    ledger = MonthLedger(terms_of(seller("B", 8), buyer("A")), MONTH)
    minutes = range(FIRST + start, FIRST + stop)
    with pytest.raises(ValueError, match="does not follow"):
        ledger.add(read(ledger.houses, minutes, {}), no_orders(ledger.houses, minutes))


def test_other_houses_are_refused_and_an_empty_block_is_nothing():
    ledger = MonthLedger(terms_of(seller("B", 8), buyer("A")), MONTH)
    none, one = range(FIRST, FIRST), range(FIRST, FIRST + 1)
    with pytest.raises(ValueError, match="not the houses of the terms"):
        ledger.add(read(("A",), one, {}), no_orders(("A",), one))
    assert list(ledger.segments(read(ledger.houses, none, {}), no_orders(ledger.houses, none))) == []
    assert ledger.statements().postings_total == 0
