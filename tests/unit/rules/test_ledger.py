"""The month: whatever is measured and ordered, books balance, however it is cut into blocks."""

from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.columns import order_columns
from microgrid.daybook import LedgerPoint
from microgrid.ledger import MonthLedger
from microgrid.minute import MeterMinute, OrderMinute
from microgrid.months import local_days, month_minutes, zone_of
from microgrid.statement import PenaltyParts, Statements
from microgrid.terms import Cap, House, Obligation, Role, Source, Tariff, Terms
from microgrid.units import microcoins
from tests.unit.rules.build import (
    FIRST,
    FOREVER,
    HOUSE_COLUMNS,
    MINUTE_FIGURES,
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
    first: int
    terms: Terms
    rows: Rows
    orders: list[OrderMinute]


@st.composite
def months(draw: st.DrawFn, first: int = FIRST) -> Month:
    """Four houses with changing terms and members, gaps, new epochs, open breakers and every order."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    change = first + draw(st.integers(1, COUNT - 2))
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
    joined, left = first + draw(st.integers(-1, COUNT)), first + draw(st.integers(-1, COUNT))
    changes = {"B": {"left": left}, "A": {"joined": joined}, "C": {"joined": left, "left": joined}}
    if draw(st.booleans()):
        members = [msgspec.structs.replace(h, **changes.get(h.house, {})) for h in terms.houses]
        terms = msgspec.structs.replace(terms, houses=tuple(members))
    rows: Rows = {}
    for house in "ABCD":
        powers = [None if random.random() < 0.15 else int(random.integers(-3000, 3000)) for _ in range(COUNT)]
        new_epoch = int(random.integers(0, 2 * COUNT))
        rows[house] = [
            msgspec.structs.replace(
                row,
                epoch=int(row.minute >= first + new_epoch),
                closed_s=int(random.choice([0, 30, 60, 60])),
            )
            for row in history({house: powers}, first)[house]
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
        for minute in range(first, first + COUNT)
        for house in "BD"
        if random.random() < 0.95
    ]
    return Month(first, terms, rows, orders)


@given(months(), st.lists(st.integers(0, COUNT), max_size=8))
@settings(max_examples=40)
def test_books_balance_and_cuts_are_without_effect(month: Month, cuts: list[int]):
    terms, rows, orders = month.terms, month.rows, month.orders
    whole, ledger = month_of_rows(terms, rows, orders, count=COUNT)
    balanced(whole)
    pieces, other = month_of_rows(terms, rows, orders, count=COUNT, cuts=cuts)
    assert pieces == whole
    assert other.point() == ledger.point()


MIDNIGHT = FIRST + 5 * 1440
EVENING = MIDNIGHT - 13


def point(minute: int, credit: int, houses: int = 4) -> LedgerPoint:
    return LedgerPoint(minute=minute, credit=credit, was_closed=(True, False) * (houses // 2))


@given(months(EVENING), st.lists(st.integers(0, COUNT), max_size=5), st.integers(0, 10**7))
@settings(max_examples=40)
def test_days_add_up_to_the_accounts(month: Month, cuts: list[int], credit: int):
    statements, ledger = month_of_rows(
        month.terms, month.rows, month.orders, count=COUNT, cuts=cuts, start=point(EVENING, credit)
    )
    days = ledger.days()
    assert [(d.first_minute, d.end_minute) for d in days] == [
        (EVENING, MIDNIGHT),
        (MIDNIGHT, EVENING + COUNT),
    ]
    for day in days:
        assert day.accounts == tuple(statements.accounts)
        for name in ("microgrid_energy", "national_grid_energy"):
            assert getattr(day, name).sum() == 0
        for name in ("microgrid_amount", "national_grid_amount", "deficit_amount", "minimum_amount"):
            assert getattr(day, name).sum() == 0
    for index, (house, account) in enumerate(statements.accounts.items()):
        sums = {name: sum(int(getattr(day, name)[index]) for day in days) for name in vars(days[0])
                if isinstance(getattr(days[0], name), np.ndarray)}  # fmt: skip
        parts = {name: sums.pop(name) for name in PenaltyParts.__struct_fields__}
        assert sums == {name: getattr(account, name) for name in sums}
        assert account.penalty_energy == parts["deficit_energy"] + parts["minimum_energy"]
        assert account.penalty_amount == parts["deficit_amount"] + parts["minimum_amount"]
        if house in ledger.houses:
            assert ledger.penalty_parts()[house] == PenaltyParts(**parts)


def settled_minutes(ledger: MonthLedger, month: Month, stop: int) -> dict[str, np.ndarray]:
    """Every figure of every minute from where the ledger stands."""
    minutes = range(ledger.point().minute, stop)
    orders = order_columns(ledger.houses, minutes, [o for o in month.orders if o.minute in minutes])
    segments = list(ledger.segments(read(ledger.houses, minutes, month.rows), orders))
    return {
        name: np.concatenate([getattr(s.settled, name) for s in segments])
        for name in (*HOUSE_COLUMNS, *MINUTE_FIGURES)
    }


@given(months(EVENING), st.integers(0, 10**7), st.integers(1, COUNT - 1))
@settings(max_examples=40)
def test_a_ledger_resumed_settles_the_same_minutes(month: Month, credit: int, cut: int):
    begun = point(EVENING, credit)
    whole = settled_minutes(MonthLedger(month.terms, MONTH, start=begun), month, EVENING + COUNT)
    _, ledger = month_of_rows(month.terms, month.rows, month.orders, count=COUNT, start=begun)
    _, part = month_of_rows(month.terms, month.rows, month.orders, count=cut, start=begun)
    for start in (ledger.days()[1].start, part.point()):
        again = MonthLedger(month.terms, MONTH, start=start)
        for name, values in settled_minutes(again, month, EVENING + COUNT).items():
            np.testing.assert_array_equal(values, whole[name][start.minute - EVENING :], err_msg=name)
        assert again.point() == ledger.point()


def test_a_point_of_another_month_or_other_houses_is_refused():
    terms = terms_of(seller("B", 8), buyer("A"))
    for wrong in (point(FIRST - 1, 0, 2), point(FIRST + 30 * 1440, 0, 2), point(FIRST, 0, 4)):
        with pytest.raises(ValueError, match="no point of the ledger of 2026-06 of 2 houses"):
            MonthLedger(terms, MONTH, start=wrong)


def test_a_day_of_23_hours_is_one_day_of_the_ledger():
    terms = terms_of(seller("B", 8), buyer("A"), zone="Europe/Berlin")
    days = local_days(month_minutes("2026-03", zone_of("Europe/Berlin")), zone_of("Europe/Berlin"))
    start = LedgerPoint(minute=days[28].start, credit=0, was_closed=(True, True))
    ledger = MonthLedger(terms, "2026-03", start=start)
    minutes = range(start.minute, days[30].stop)
    ledger.add(read(ledger.houses, minutes, {}), no_orders(ledger.houses, minutes))
    assert [range(d.first_minute, d.end_minute) for d in ledger.days()] == list(days[28:])
    assert len(days[28]) == 23 * 60


def test_a_house_is_billed_for_the_minutes_of_its_membership_only():
    terms = terms_of(seller("B", 8), seller("D", 8), buyer("A"))
    members = {"A": (FIRST + 1, FOREVER), "B": (0, FIRST + 3), "D": (FIRST + 2, FIRST + 2)}
    houses = tuple(
        House(house=house, name=house, connection_w=10_000, joined=joined, left=left)
        for house, (joined, left) in members.items()
    )
    rows = history({"A": [-900, -800, -700, -600], "B": [0, 100, None, 500], "D": [9000] * 4})
    orders = [order("D", m, raise_standing=True, acknowledged_s=0) for m in range(FIRST, FIRST + 4)]
    statements, ledger = month_of_rows(
        msgspec.structs.replace(terms, houses=houses), rows, orders, count=4, cuts=[2]
    )
    balanced(statements)
    a, b, d = (statements.accounts[house] for house in "ABD")
    assert a.microgrid_energy + a.national_grid_energy == -(800 + 700 + 600) * 60
    # 500 W in the minute after B left is no longer billed; half of it was laid into the gap before.
    assert b.microgrid_energy == (100 + 250) * 60
    assert (b.estimated_minutes, b.penalty_energy) == (1, (250 + 150) * 60)
    assert (a.max_power_kw, b.max_power_kw, d.max_power_kw) == (0.8, 0.1, 0.0)
    assert (d.total, d.penalty_energy, d.microgrid_energy) == (0, 0, 0)
    assert ledger.point().was_closed == (True, True, True)


def test_what_no_register_tells_is_charged_to_nobody_as_a_penalty():
    """B's meter is new from the third minute on: what flowed between the epochs is not known."""
    terms = terms_of(seller("B", 8), buyer("A"))
    rows = history({"A": [-1000] * 4, "B": [0] * 4})
    rows["B"][3:] = [msgspec.structs.replace(row, epoch=1) for row in rows["B"][3:]]
    orders = [order("B", m, raise_standing=True, acknowledged_s=0) for m in range(FIRST, FIRST + 4)]
    statements, ledger = month_of_rows(terms, rows, orders, count=4)
    parts = ledger.penalty_parts()
    assert parts["B"].deficit_energy == 3 * 1000 * 60
    assert parts["B"].minimum_energy == 0
    assert statements.accounts["A"].national_grid_energy == -1000 * 60
    assert parts["A"] == PenaltyParts()
    idle, other = month_of_rows(terms, rows, count=4)
    assert other.penalty_parts()["B"].minimum_energy == 3 * 250 * 60
    assert idle.accounts["B"].estimated_minutes == 1
    balanced(statements)


def test_a_house_owes_and_offers_nothing_before_its_first_reading():
    """B's contract runs from the first minute, its meter from the third: only then is it missed."""
    terms = terms_of(seller("B", 8), buyer("A"))
    rows = history({"A": [-1000] * 6, "B": [0] * 6})
    rows["B"] = rows["B"][3:]
    statements, ledger = month_of_rows(terms, rows, count=6)
    assert ledger.penalty_parts()["B"].minimum_energy == 3 * 250 * 60
    assert statements.accounts["B"].estimated_minutes == 0
    balanced(statements)


def test_a_long_silence_is_filled_from_the_profile_the_ledger_is_given():
    asked = []

    def profile(house: str, minutes: range) -> None:
        asked.append((house, minutes))

    terms = terms_of(buyer("A"))
    ledger = MonthLedger(terms, MONTH, profile)
    rows = history({"A": [-100, *[None] * 300, -200]})
    minutes = range(FIRST, FIRST + 302)
    ledger.add(read(ledger.houses, minutes, rows), no_orders(ledger.houses, minutes))
    assert [house for house, _ in asked] == ["A"]


@given(months())
@settings(max_examples=20)
def test_every_segment_is_conserved(month: Month):
    terms, rows, orders = month.terms, month.rows, month.orders
    ledger = MonthLedger(terms, MONTH)
    minutes = range(FIRST, FIRST + COUNT)
    columns = read(ledger.houses, minutes, rows)
    segments = list(ledger.segments(columns, order_columns(ledger.houses, minutes, orders)))
    assert sum(len(segment.block.net_ws) for segment in segments) == COUNT
    assert len(segments) >= 3
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
