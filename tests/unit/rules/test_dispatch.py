"""Load sharing, the cap's cut, the pool for the screens and the house's inner loop."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.dispatch import Seller, Target, keep_cap, share_load
from microgrid.minute import Hold
from microgrid.pool import Reading, obliged, pool
from microgrid.steering import MAX_PULSE_MS, pulse_ms
from microgrid.terms import Cap, Obligation, Source, Tariff
from microgrid.units import microcoins
from tests.unit.rules.build import FOREVER, T, buyer, seller


def tariff(cap: Cap = Cap.OFF, feed_in: int = 0) -> Tariff:
    return Tariff(valid_from=0, valid_to=FOREVER, national=T, feed_in=feed_in, cap=cap)


@st.composite
def fleets(draw: st.DrawFn) -> list[Seller]:
    fleet = []
    for number in range(draw(st.integers(0, 6))):
        max_w = draw(st.one_of(st.integers(1, 5000), st.integers(1, 1_000_000)))
        fleet.append(
            Seller(
                house=f"H{number}",
                min_w=draw(st.integers(0, max_w)),
                max_w=max_w,
                price=microcoins(draw(st.sampled_from([0, 8, 9, 17.6, 20, 25]))),
                source=draw(st.sampled_from(list(Source))),
            )
        )
    return fleet


DEMAND = st.one_of(st.integers(0, 20_000), st.integers(0, 4_000_000))


@given(fleets(), DEMAND, st.booleans())
@settings(max_examples=300)
def test_targets_add_up_to_the_demand_within_the_contracts(fleet: list[Seller], demand_w: int, day: bool):
    targets = share_load(fleet, demand_w, day)
    floor, ceiling = sum(s.min_w for s in fleet), sum(s.max_w for s in fleet)
    assert sum(targets.values()) == min(max(demand_w, floor), ceiling)
    assert all(s.min_w <= targets[s.house] <= s.max_w for s in fleet)
    # The same question has the same answer, in whatever order the sellers are named.
    assert share_load(fleet[::-1], demand_w, day) == targets


@given(fleets(), DEMAND, st.booleans())
@settings(max_examples=300)
def test_equal_prices_are_loaded_equally(fleet: list[Seller], demand_w: int, day: bool):
    """Within a class and price P/Gmax is equal up to a watt, but where one of the two rests on a limit."""
    targets = share_load(fleet, demand_w, day)
    for one, two in combinations(fleet, 2):
        if (one.price, one.source) != (two.price, two.source):
            continue
        low, high = sorted((one, two), key=lambda s: targets[s.house] / s.max_w)
        # A watt, and a millionth of Gmax: what does not divide goes to the first.
        slack = 1 / low.max_w + 1 / high.max_w + 2e-6
        if targets[low.house] / low.max_w + slack < targets[high.house] / high.max_w:
            resting = {high.min_w, max(high.min_w, high.max_w * 90 // 100), max(high.min_w, high.max_w // 10)}
            low_resting = {low.min_w, max(low.min_w, low.max_w // 10), max(low.min_w, low.max_w * 90 // 100)}
            assert targets[high.house] in resting or targets[low.house] in low_resting


@given(fleets(), st.booleans())
def test_more_demand_never_lowers_anybody(fleet: list[Seller], day: bool):
    total = sum(s.max_w for s in fleet)
    before = share_load(fleet, 0, day)
    for tenth in range(1, 11):
        after = share_load(fleet, total * tenth // 10, day)
        assert all(after[house] >= power_w - 1 for house, power_w in before.items())
        before = after


def local_margin(fleet: list[Seller], targets: dict[str, Target], demand_w: int) -> float:
    """What a minute's local energy costs above the tariff, in micro-coins."""
    total = sum(t.target_w for t in targets.values())
    cost = sum(targets[s.house].target_w * (s.price - T) for s in fleet)
    return cost / max(1, total) * min(total, demand_w) / 60_000


@given(fleets(), DEMAND, st.booleans(), st.integers(0, 10**8), st.sampled_from([Cap.MONTH, Cap.MINUTE]))
@settings(max_examples=300)
def test_the_cap_is_kept_or_every_dear_seller_is_at_zero(
    fleet: list[Seller], demand_w: int, day: bool, allowance: int, cap: Cap
):
    shared = share_load(fleet, demand_w, day)
    targets = keep_cap(fleet, shared, demand_w, tariff(cap), allowance)
    dear = [s for s in fleet if s.price > T]
    kept = local_margin(fleet, targets, demand_w) <= allowance + 0.001
    assert kept or all(targets[s.house].target_w == 0 for s in dear)
    for s in fleet:
        target = targets[s.house]
        assert 0 <= target.target_w <= s.max_w
        if target.hold is Hold.CAP:
            assert s in dear
        else:
            assert target.target_w >= shared[s.house]
    # The dearest is cut first: a dearer one than a cut one is at zero.
    cut = [s.price for s in dear if targets[s.house].target_w < shared[s.house]]
    assert all(targets[s.house].target_w == 0 for s in dear if cut and s.price > min(cut))
    # What is cut goes to cheaper headroom, never beyond the demand or what was there before.
    assert sum(t.target_w for t in targets.values()) <= sum(shared.values())


@given(fleets(), DEMAND, st.booleans())
def test_with_the_cap_off_nothing_is_cut(fleet: list[Seller], demand_w: int, day: bool):
    shared = share_load(fleet, demand_w, day)
    targets = keep_cap(fleet, shared, demand_w, tariff(), 0)
    assert {house: target.target_w for house, target in targets.items()} == shared
    assert all(target.hold is not Hold.CAP for target in targets.values())


def test_no_cut_is_larger_than_the_cap_needs():
    fleet = [
        Seller("B", 0, 250, microcoins(8), Source.SOLAR),
        Seller("D", 0, 2500, microcoins(25), Source.GENERATOR),
    ]
    targets = keep_cap(fleet, share_load(fleet, 2000, False), 2000, tariff(Cap.MINUTE), 0)
    more = dict(targets) | {"D": Target(targets["D"].target_w + 1)}
    assert local_margin(fleet, targets, 2000) <= 0 < local_margin(fleet, more, 2000)


def test_a_cut_below_the_minimum_is_offered_to_cheap_headroom():
    fleet = [
        Seller("B", 250, 2500, microcoins(8), Source.SOLAR),
        Seller("D", 2000, 2500, microcoins(25), Source.GENERATOR),
    ]
    targets = keep_cap(fleet, share_load(fleet, 2300, True), 2300, tariff(Cap.MINUTE), 0)
    assert sum(target.target_w for target in targets.values()) == 2300
    assert targets["D"].target_w < 2000
    assert targets["D"].hold is Hold.CAP


def test_254_dear_sellers_are_all_cut():
    fleet = [Seller(f"H{n:03}", 250, 2500, T + n, Source.GENERATOR) for n in range(1, 255)]
    targets = keep_cap(fleet, share_load(fleet, 300_000, True), 300_000, tariff(Cap.MINUTE), 0)
    assert {target.target_w for target in targets.values()} == {0}


def test_the_pool_of_a_poll():
    readings = [
        Reading(seller("B", 8), 2000, True),
        Reading(seller("D", 25), 500, True),
        Reading(buyer("A"), -900, True),
        Reading(buyer("C"), -1800, True),
        Reading(None, -100, True),
    ]
    found = pool(readings, tariff(), day=True, credit=0)
    assert (found.produced_w, found.consumed_w, found.available_w) == (2500, 2800, 5000)
    assert (found.pool_w, found.national_w, found.allotment_w) == (2200, 300, 2500)
    assert found.rate == found.billed_rate == microcoins(11.4)


@pytest.mark.parametrize("change", [{"connected": False}, {"in_service": False}])
def test_a_seller_that_cannot_deliver_is_not_in_the_pool(change: dict[str, bool]):
    reading = Reading(seller("B", 8), 0, **{"connected": True, **change})
    found = pool([reading, Reading(buyer("A"), -1000, True)], tariff(Cap.MONTH), day=True, credit=0)
    assert (found.available_w, found.rate, found.billed_rate) == (0, None, T)


def test_the_sun_is_not_obliged_by_night():
    solar = seller("B", 8, obligation=Obligation.DAYLIGHT)
    assert (obliged(solar, True), obliged(solar, False), obliged(buyer("A"), True)) == (True, False, False)
    assert pool([Reading(solar, 0, True)], tariff(), day=False, credit=0).available_w == 0


@pytest.mark.parametrize(
    ("cap", "credit", "billed"),
    [
        (Cap.OFF, 10**9, 25.0),
        (Cap.MINUTE, 10**9, 17.6),
        (Cap.MONTH, 0, 17.6),
        (Cap.MONTH, microcoins(0.05), 20.6),  # 3 coins a kWh for the sixtieth of 1 kWh
        (Cap.MONTH, 10**9, 25.0),
    ],
)
def test_the_billed_rate_spends_the_credit(cap: Cap, credit: int, billed: float):
    readings = [Reading(seller("D", 25), 1000, True), Reading(buyer("A"), -1000, True)]
    assert pool(readings, tariff(cap), day=False, credit=credit).billed_rate == microcoins(billed)


def test_nobody_at_home():
    found = pool([], tariff(), day=True, credit=0)
    assert (found.produced_w, found.allotment_w, found.rate, found.billed_rate) == (0, 0, None, T)


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6), st.integers(0, 500), st.integers(1, 5000))
def test_a_pulse_points_to_the_target_and_rests_in_the_deadband(
    target: int, export: int, dead: int, gain: int
):
    width = pulse_ms(target, export, dead, gain)
    assert abs(width) <= MAX_PULSE_MS
    if abs(target - export) <= dead:
        assert width == 0
    assert width * (target - export) >= 0
    # It never overshoots.
    assert abs(width) * gain <= abs(target - export) * 1000
