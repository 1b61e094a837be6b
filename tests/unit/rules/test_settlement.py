"""The settlement of a minute: what holds for every block, and the rules one by one."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.block import Settled
from microgrid.settlement import allotments, import_blame, local_trade, market, settle
from microgrid.terms import MAX_CONNECTION_W, MAX_HOUSES, MAX_PRICE, Cap, PenaltyBasis
from microgrid.units import WS_PER_KWH, microcoins
from tests.unit.rules.build import (
    HOUSE_COLUMNS,
    MINUTE_FIGURES,
    Case,
    T,
    assert_conserved,
    block,
    block_terms,
    cases,
    rows_of,
)


@given(cases())
@settings(max_examples=200)
def test_energy_and_money_are_conserved_in_every_minute(case: Case):
    settled = settle(case.terms, case.block, 0)
    assert_conserved(settled, case.block.net_ws)
    assert (settled.penalty_amount <= 0).all()
    assert (settled.penalty_energy >= 0).all()
    # The community may keep what is left over, but never owes.
    reserve = settled.reserve_microgrid_amount + settled.reserve_penalty_amount
    assert (reserve >= 0).all()


@given(cases())
@settings(max_examples=100)
def test_direction_decides_who_pays(case: Case):
    settled = settle(case.terms, case.block, 0)
    exporting, importing = case.block.net_ws > 0, case.block.net_ws < 0
    for amount in (settled.microgrid_amount, settled.national_amount):
        assert (amount[exporting] >= 0).all()
        assert (amount[importing] <= 0).all()
        assert not amount[case.block.net_ws == 0].any()


@given(cases(caps=[Cap.OFF]))
@settings(max_examples=100)
def test_uncapped_rate_lies_between_the_lowest_and_the_highest_price(case: Case):
    trade, price = local_trade(case.terms, case.block), market(case.terms, case.block).terms.price
    prices = np.where(trade.instructed > 0, price, -1)
    fed_in = (trade.uninstructed > 0).any(axis=1)
    lowest = np.where(trade.instructed > 0, price, np.iinfo(np.int64).max).min(axis=1, initial=2**62)
    lowest = np.where(fed_in, np.minimum(lowest, case.terms.feed_in), lowest)
    highest = np.maximum(prices.max(axis=1, initial=-1), np.where(fed_in, case.terms.feed_in, -1))
    for row in np.flatnonzero(trade.energy):
        low, high = int(lowest[row]) * int(trade.energy[row]), int(highest[row]) * int(trade.energy[row])
        assert low - WS_PER_KWH <= int(trade.cost[row]) * WS_PER_KWH <= high + WS_PER_KWH


@given(cases(caps=[Cap.MONTH, Cap.MINUTE]))
@settings(max_examples=150)
def test_capped_mean_never_exceeds_the_tariff(case: Case):
    settled = settle(case.terms, case.block, 0)
    due = [int(energy) * case.terms.national // WS_PER_KWH for energy in settled.local_energy]
    paid = [int(amount) for amount in settled.local_amount]
    if case.terms.cap is Cap.MINUTE:
        assert all(amount <= limit for amount, limit in zip(paid, due, strict=True))
        assert settled.credit == 0
    for end in range(len(due)):
        assert sum(paid[: end + 1]) <= sum(due[: end + 1])
    if case.terms.cap is Cap.MONTH:
        assert settled.credit == sum(due) - sum(paid)
    # What sellers failed to deliver is never dearer than the national grid's either.
    charged = settled.grid_microgrid_amount + settled.reserve_microgrid_amount
    assert (charged <= settled.grid_microgrid_amount).all()


@given(cases(max_minutes=20), st.integers(0, 20))
@settings(max_examples=100)
def test_a_block_cut_in_two_settles_to_the_same(case: Case, cut: int):
    whole = settle(case.terms, case.block, 0)
    first = settle(case.terms, rows_of(case.block, slice(0, cut)), 0)
    second = settle(case.terms, rows_of(case.block, slice(cut, None)), first.credit)
    for name in (*HOUSE_COLUMNS, *MINUTE_FIGURES):
        pieces = np.concatenate((getattr(first, name), getattr(second, name)))
        np.testing.assert_array_equal(pieces, getattr(whole, name), err_msg=name)
    assert second.credit == whole.credit


@given(cases(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_order_of_houses_moves_no_more_than_ties(case: Case, random):
    """Common accounts do not depend on the order of IDs; a house's posting does by its rounding only.

    A tie's odd unit goes to the lower ID. A posting is up to three shared amounts, and a price times
    a share: an odd watt-second at the highest price here is a thousandth of a coin and less.
    """
    houses = case.block.net_ws.shape[1]
    order = list(range(houses))
    random.shuffle(order)
    columns: dict[str, Any] = {n: v[order] for n, v in vars(case.terms).items() if isinstance(v, np.ndarray)}
    terms = replace(case.terms, **columns)
    moved = replace(case.block, **{n: v[:, order] if v.ndim == 2 else v for n, v in vars(case.block).items()})
    one, two = settle(case.terms, case.block, 0), settle(terms, moved, 0)
    np.testing.assert_array_equal(one.grid_microgrid_energy, two.grid_microgrid_energy)
    np.testing.assert_array_equal(one.grid_national_amount, two.grid_national_amount)
    np.testing.assert_array_equal(one.local_energy, two.local_energy)
    for name in ("microgrid_energy", "national_energy", "penalty_energy"):
        assert (abs(getattr(one, name)[:, order] - getattr(two, name)) <= 3).all(), name


def test_order_of_houses_is_without_effect_where_nothing_ties():
    terms = block_terms("ppcc-", max_w=[2500, 2500, 4000, 4000, 0], price=[8_000_000, 25_000_000, 0, 0, 0])
    minute = block([1357, 743, -1111, -1867, -13])
    order = [3, 0, 4, 2, 1]
    shuffled = block_terms("cp-cp", max_w=[4000, 2500, 0, 4000, 2500], price=[0, 8_000_000, 0, 0, 25_000_000])
    one = settle(terms, minute, 0)
    two = settle(shuffled, block([-1867, 1357, -13, -1111, 743]), 0)
    for name in HOUSE_COLUMNS:
        np.testing.assert_array_equal(getattr(one, name)[:, order], getattr(two, name), err_msg=name)


@given(cases())
@settings(max_examples=150)
def test_blame_is_at_most_the_import_and_the_shortfall(case: Case):
    sides = market(case.terms, case.block)
    blame = import_blame(sides)
    missing = np.maximum(0, -case.block.net_ws.sum(axis=1))
    assert (blame.blamed <= missing).all()
    assert (blame.deficit <= np.maximum(0, sides.terms.max_w * 60 - sides.export)).all()
    assert not blame.deficit[~sides.block.raise_standing].any()
    assert not blame.deficit[~blame.duty].any()
    # Every kWh from the national grid is paid by somebody, once.
    np.testing.assert_array_equal(blame.at_tariff.sum(axis=1) + blame.blamed, missing)


@given(cases())
@settings(max_examples=150)
def test_a_seller_at_its_target_is_charged_nothing(case: Case):
    """An obeyed LOWER, also one below Gmin by the cap, costs nothing, whatever else happens."""
    rows = len(case.block.net_ws)
    net, target, raised = (
        case.block.net_ws.copy(), case.block.target_w.copy(), case.block.raise_standing.copy()
    )  # fmt: skip
    target[:, 0] = np.random.default_rng(rows).integers(0, int(case.terms.min_w[0]) + 1, rows)
    net[:, 0], raised[:, 0] = target[:, 0] * 60, False
    settled = settle(case.terms, replace(case.block, net_ws=net, target_w=target, raise_standing=raised), 0)
    assert not settled.penalty_amount[:, 0].any()
    assert not settled.penalty_energy[:, 0].any()


@given(cases())
@settings(max_examples=100)
def test_no_kilowatt_hour_is_charged_twice(case: Case):
    settled = settle(case.terms, case.block, 0)
    owed_w = np.where(case.terms.producer, case.terms.max_w, 0)
    assert (settled.penalty_energy <= np.maximum(0, owed_w * 60 - np.maximum(case.block.net_ws, 0))).all()


@given(cases())
@settings(max_examples=100)
def test_an_island_has_no_tariff_and_no_penalty(case: Case):
    island = replace(case.block, tie_closed=np.zeros_like(case.block.tie_closed))
    settled = settle(case.terms, island, 0)
    assert_conserved(settled, island.net_ws)
    assert not settled.national_amount.any()
    assert not settled.grid_national_amount.any()
    assert not settled.grid_microgrid_energy.any()
    assert not settled.penalty_amount.any()
    np.testing.assert_array_equal(settled.losses_energy, -island.net_ws.sum(axis=1))


@pytest.mark.parametrize("cap", list(Cap))
@pytest.mark.parametrize("importing", [1, MAX_HOUSES // 2, MAX_HOUSES])
def test_the_largest_micro_grid_at_the_highest_price_does_not_overflow(cap: Cap, importing: int):
    """254 houses at 1.25 times a connection of 1 MW: one product of energy and price is above 2⁶³."""
    selling = MAX_HOUSES - importing
    terms = block_terms(
        "c" * importing + "p" * selling,
        max_w=[MAX_CONNECTION_W] * MAX_HOUSES,
        min_w=[0] * importing + [MAX_CONNECTION_W] * selling,
        price=[0] * importing + [MAX_PRICE] * selling,
        national=MAX_PRICE,
        feed_in=MAX_PRICE,
        cap=cap,
    )
    power_w = MAX_CONNECTION_W * 5 // 4
    minute = block([-power_w] * importing + [power_w] * selling, 3)
    settled = settle(terms, minute, 0)
    assert_conserved(settled, minute.net_ws)
    imported = max(0, importing - selling) * power_w * 60
    assert (
        int(settled.grid_national_amount[0])
        == ((imported - max(0, selling - importing) * power_w * 60) * MAX_PRICE + WS_PER_KWH // 2)
        // WS_PER_KWH
    )


def test_buyers_pay_only_what_a_capped_rate_gives_sellers():
    """Sellers priced above the billed rate bear the difference; the cheap one gets its price."""
    terms = block_terms("ppc", max_w=[2500, 2500, 5000], price=[8_000_000, 25_000_000, 0], cap=Cap.MINUTE)
    settled = settle(terms, block([500, 1500, -2000], 60), 0)
    assert int(settled.local_amount.sum()) == pytest.approx(2 * T, abs=60)
    assert int(settled.microgrid_amount[:, 0].sum()) == pytest.approx(0.5 * 8_000_000, abs=60)
    assert int(settled.microgrid_amount[:, 1].sum()) == pytest.approx(2 * T - 4_000_000, abs=120)


@given(cases(caps=[Cap.MINUTE], max_minutes=6))
@settings(max_examples=150)
def test_the_cap_takes_nothing_from_sellers_at_or_below_the_tariff(case: Case):
    trade, settled = local_trade(case.terms, case.block), settle(case.terms, case.block, 0)
    price = case.terms.price[settled.sellers]
    cheap = (price <= case.terms.national) & (trade.instructed > 0)
    own = trade.price_weight / WS_PER_KWH
    assert (settled.sold_amount[cheap] >= own[cheap] - 2).all()
    assert (settled.sold_amount <= own + 2).all()


def test_a_month_of_cheap_noons_pays_for_dear_nights():
    """Credit earned at 8 lets the rate rise to 25 later, until it is spent."""
    terms = block_terms("ppc", max_w=[2500, 2500, 5000], price=[8_000_000, 25_000_000, 0], cap=Cap.MONTH)
    noon = settle(terms, block([1000, 0, -1000], 60), 0)
    assert noon.credit == pytest.approx(T - 8_000_000, abs=60)
    night = settle(terms, block([0, 1000, -1000], 60), noon.credit)
    assert int(night.local_amount.sum()) == pytest.approx(25_000_000, abs=60)
    assert night.credit == pytest.approx(2 * T - 33_000_000, abs=120)
    later = settle(terms, block([0, 1000, -1000], 60), night.credit)
    assert int(later.local_amount.sum()) == pytest.approx(3 * T - 33_000_000, abs=180)
    assert later.credit == 0


def test_export_above_the_contract_or_a_lower_is_paid_the_feed_in_price():
    terms = block_terms("pc", max_w=[2000, 5000], price=[8_000_000, 0], feed_in=3_000_000, deadband_w=25)
    above = settle(terms, block([2500, -5000]), 0)
    assert int(above.microgrid_amount[0, 0]) == round((2.0 * 8 + 0.5 * 3) * 1e6 / 60)
    held = settle(terms, block([2000, -5000], obeying=[True, False], target_w=[1000, -1]), 0)
    assert int(held.microgrid_amount[0, 0]) == round((1.025 * 8 + 0.975 * 3) * 1e6 / 60)


def test_a_house_without_contract_sells_at_the_feed_in_price_and_buys_without_allotment():
    terms = block_terms("-pc", max_w=[0, 1000, 3000], price=[0, 8_000_000, 0], feed_in=3_000_000)
    selling = settle(terms, block([600, 0, -600]), 0)
    assert int(selling.microgrid_amount[0, 0]) == 30_000
    buying = settle(terms, block([-500, 1000, -1000]), 0)
    # 500 W above Pmax, all of it by the house that has no allotment.
    assert buying.national_energy[0].tolist() == [-30_000, 0, 0]
    assert buying.microgrid_energy[0].tolist() == [0, 60_000, -60_000]


def test_allotment_is_the_smaller_of_declared_maximum_and_share():
    terms = block_terms("pcc-", max_w=[4000, 1000, 3000, 0])
    assert allotments(terms, np.array([4000 * 60])).tolist() == [[0, 60_000, 120_000, 0]]


def test_a_disconnected_seller_leaves_pmax_but_its_minimum_runs():
    terms = block_terms("pc", max_w=[2000, 3000], min_w=[600, 0], price=[8_000_000, 0])
    away = settle(terms, block([0, -1000], closed_s=[0, 60]), 0)
    assert int(away.penalty_amount[0, 0]) == -round(0.6 * T / 60)
    # Nobody's power was available, so the buyer's import is its own, at the tariff.
    assert int(away.national_energy[0, 1]) == -60_000
    excused = settle(terms, block([0, -1000], closed_s=[0, 60], out_of_service=[True, False]), 0)
    assert not excused.penalty_amount.any()


def test_what_no_register_tells_costs_no_penalty_but_stays_in_what_sellers_can_give():
    terms = block_terms("ppc", max_w=[2500, 2500, 9000], min_w=[250, 250, 0], price=[8_000_000] * 2 + [0])
    for known, deficits, minima in (
        ([True, True, True], [500, 500], [0, 0]),
        ([False, True, True], [0, 1000], [0, 0]),
        ([True, False, True], [1000, 0], [0, 0]),
        ([False, False, True], [0, 0], [0, 0]),
    ):
        minute = block([0, 0, -1000], raised=[True, True, False], known=known)
        settled = settle(terms, minute, 0)
        assert (settled.deficit_energy[0, :2] // 60).tolist() == deficits
        assert (settled.minimum_energy[0, :2] // 60).tolist() == minima
        assert import_blame(market(terms, minute)).duty[0].tolist() == [True, True]
        assert_conserved(settled, minute.net_ws)
    idle = settle(terms, block([0, 0, -1000], known=[False, True, True]), 0)
    assert (idle.minimum_energy[0] // 60).tolist() == [0, 250, 0]
    assert idle.minimum_amount[0].tolist() == idle.penalty_amount[0].tolist()
    assert idle.penalty_energy[0].tolist() == idle.minimum_energy[0].tolist()


@pytest.mark.parametrize(("day", "owed"), [(True, True), (False, False)])
def test_a_seller_obliged_by_daylight_owes_nothing_by_night(day: bool, owed: bool):
    terms = block_terms(
        "pc", max_w=[2000, 3000], min_w=[600, 0], price=[8_000_000, 0], daylight_only=[True, False]
    )
    settled = settle(terms, block([0, -1000], raised=[True, False], day=day), 0)
    assert bool(settled.penalty_amount[0, 0]) is owed
    assert bool(settled.grid_microgrid_energy[0]) is owed


def test_blame_shares_equally_but_never_beyond_a_sellers_shortfall():
    terms = block_terms("ppc", max_w=[2500, 2500, 9000], price=[8_000_000, 9_000_000, 0])
    blame = import_blame(market(terms, block([2400, 1000, -4400], raised=[True, True, False])))
    assert blame.deficit[0].tolist() == [100 * 60, 900 * 60]


def test_only_commanded_sellers_answer_and_the_rest_is_at_the_tariff():
    terms = block_terms("ppc", max_w=[2500, 2500, 9000], price=[8_000_000, 8_000_000, 0])
    settled = settle(
        terms, block([1000, 1000, -4000], raised=[True, False, False], target_w=[1500, -1, -1]), 0
    )
    assert settled.penalty_energy[0].tolist() == [500 * 60, 0, 0]
    assert settled.national_energy[0].tolist() == [0, 0, -1500 * 60]


def test_replaced_energy_is_not_dearer_than_the_tariff_under_the_cap():
    """Uncapped, a substitute at 25 leaves 7.4 a kWh in the reserve; with the cap it costs T."""
    for cap, paid in ((Cap.OFF, 25_000_000), (Cap.MINUTE, T), (Cap.MONTH, T)):
        terms = block_terms("pc", max_w=[2500, 5000], price=[25_000_000, 0], cap=cap)
        settled = settle(terms, block([1000, -2000], 60, raised=[True, False]), 10**9)
        charged = settled.grid_microgrid_amount + settled.reserve_microgrid_amount
        assert int(charged.sum()) == pytest.approx(paid, abs=60)


def test_replacement_cost_charges_only_what_buyers_did_not_pay():
    terms = block_terms("pc", max_w=[2500, 5000], price=[8_000_000, 0], basis=PenaltyBasis.REPLACEMENT_COST)
    settled = settle(terms, block([1000, -2000], 60, raised=[True, False]), 0)
    assert int(settled.penalty_amount.sum()) == pytest.approx(-(T - 8_000_000), abs=60)
    reserve = settled.reserve_microgrid_amount + settled.reserve_penalty_amount
    assert not reserve.any()


def test_an_empty_block_settles_to_nothing_and_keeps_the_credit():
    terms = block_terms("pc", max_w=[1, 1], cap=Cap.MONTH)
    settled: Settled = settle(terms, block([0, 0], 0), microcoins(3))
    assert settled.credit == microcoins(3)
    assert settled.microgrid_amount.shape == (0, 2)


def test_sellers_pay_nothing_for_a_watt_second_under_the_cap():
    """The smallest trades round to zero or one micro-coin, never below zero."""
    for energy in range(1, 40):
        terms = block_terms("ppc", max_w=[9, 9, 9], price=[2 * T, 3 * T, 0], cap=Cap.MINUTE)
        minute = block([0, 0, 0])
        minute.net_ws[0] = [energy, 2 * energy, -3 * energy]
        settled = settle(terms, minute, 0)
        assert (settled.microgrid_amount[0, :2] >= 0).all()
        assert_conserved(settled, minute.net_ws)


def test_the_minute_worked_by_hand_in_the_documentation():
    """docs/settlement.md: change the figures there if these change."""
    terms = block_terms(
        "ppcc", max_w=[2500, 2500, 5000, 5000], min_w=[250, 250, 0, 0], price=[8_000_000, 25_000_000, 0, 0]
    )
    s = settle(terms, block([1500, 900, -1200, -1800], raised=[True, True, False, False]), 0)
    assert s.microgrid_amount[0].tolist() == [200_000, 375_000, -287_500, -431_250]
    assert s.penalty_amount[0].tolist() == [-88_000, -88_000, 0, 0]
    assert (int(s.grid_microgrid_amount[0]), int(s.reserve_microgrid_amount[0])) == (176_000, -32_250)
    assert int(s.reserve_penalty_amount[0]) == 176_000
    assert not s.national_amount.any()


@pytest.mark.parametrize(
    ("cap", "paid", "credit"),
    [(Cap.MONTH, 416_667, 36_666), (Cap.MINUTE, 293_333, 0), (Cap.OFF, 416_667, 0)],
)
def test_the_cap_example_of_the_documentation(cap: Cap, paid: int, credit: int):
    terms = block_terms("ppc", max_w=[2500, 2500, 5000], price=[8_000_000, 25_000_000, 0], cap=cap)
    noon = settle(terms, block([1000, 0, -1000]), 0)
    assert (int(noon.local_amount[0]), noon.credit) == (133_333, 160_000 if cap is Cap.MONTH else 0)
    night = settle(terms, block([0, 1000, -1000]), noon.credit)
    assert (int(night.local_amount[0]), night.credit) == (paid, credit)
    assert int(night.microgrid_amount[0, 1]) == paid
