"""Load sharing: the strategies and the cap's cut."""

from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.directives import StrategyName
from microgrid.dispatch import STRATEGIES, Fleet, Seller, Situation, keep_cap, plan, share_load
from microgrid.dispatch.filling import fill, ranks
from microgrid.dispatch.situation import Int
from microgrid.minute import Hold
from microgrid.terms import Cap, Source
from microgrid.units import microcoins
from tests.unit.rules.build import T
from tests.unit.rules.fleets import (
    DEMAND,
    FAST_S,
    SLOW_S,
    asked,
    by_house,
    contented,
    diesel,
    listed_sellers,
    situations,
    sun,
    tariff,
)

NAMES = st.sampled_from(list(StrategyName))
every_strategy = pytest.mark.parametrize("name", list(StrategyName))


def fleets() -> st.SearchStrategy[Fleet]:
    return listed_sellers().map(Fleet.of)


def due_w(fleet: Fleet, demand_w: int) -> int:
    """What targets have to add up to."""
    return min(max(demand_w, int(fleet.min_w.sum())), int(fleet.max_w.sum()))


# --- strategies ---------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(name=NAMES, situation=situations())
def test_targets_add_up_to_the_demand_within_the_contracts(name: StrategyName, situation: Situation):
    fleet = situation.fleet
    target_w = STRATEGIES[name].targets(situation)
    assert int(target_w.sum()) == due_w(fleet, situation.demand_w)
    assert (fleet.min_w <= target_w).all()
    assert (target_w <= fleet.max_w).all()


@settings(max_examples=200)
@given(name=NAMES, situation=situations())
def test_asking_changes_nothing_that_was_asked_about(name: StrategyName, situation: Situation):
    fleet = situation.fleet
    before = [values.copy() for values in (fleet.min_w, fleet.max_w, fleet.price, situation.standing_w)]
    first = STRATEGIES[name].targets(situation)
    first += 1  # what is given away is nobody else's
    again = STRATEGIES[name].targets(situation)
    assert (again == first - 1).all()
    after = (fleet.min_w, fleet.max_w, fleet.price, situation.standing_w)
    assert all((one == two).all() for one, two in zip(before, after, strict=True))


@given(sellers=listed_sellers(), order=st.randoms(use_true_random=False))
def test_a_fleet_is_the_same_in_whatever_order_the_sellers_are_named(sellers: list[Seller], order: Random):
    shuffled = list(sellers)
    order.shuffle(shuffled)
    one, two = Fleet.of(sellers), Fleet.of(shuffled)
    assert one.houses == two.houses
    for name in ("min_w", "max_w", "price", "solar"):
        assert (getattr(one, name) == getattr(two, name)).all()


@settings(max_examples=200)
@given(name=NAMES, situation=contented())
def test_a_calm_answer_does_not_depend_on_where_everybody_stands(name: StrategyName, situation: Situation):
    """Targets come to rest in one place: what stands is looked at in a fast step only."""
    elsewhere = asked(situation.fleet, situation.demand_w, day=situation.day, step_s=SLOW_S)
    assert (STRATEGIES[name].targets(situation) == STRATEGIES[name].targets(elsewhere)).all()


@given(fleets(), DEMAND, st.booleans())
def test_equal_prices_are_loaded_equally(fleet: Fleet, demand_w: int, day: bool):
    """Within a class and price P/Gmax is equal up to a watt, but where one of the two rests on a limit."""
    target_w = share_load(fleet, demand_w, day).tolist()
    low_w, high_w = (np.maximum(fleet.min_w, fleet.max_w * p // 100).tolist() for p in (10, 90))
    least, most, price, solar = (v.tolist() for v in (fleet.min_w, fleet.max_w, fleet.price, fleet.solar))
    for pair in combinations(range(len(fleet.houses)), 2):
        if price[pair[0]] != price[pair[1]] or solar[pair[0]] != solar[pair[1]]:
            continue
        low, high = sorted(pair, key=lambda i: target_w[i] / most[i])
        # A watt, and a millionth of Gmax: what does not divide goes to the first.
        slack = 1 / most[low] + 1 / most[high] + 2e-6
        if target_w[low] / most[low] + slack < target_w[high] / most[high]:
            resting = {least[high], low_w[high], high_w[high]}
            assert target_w[high] in resting or target_w[low] in {least[low], low_w[low], high_w[low]}


@settings(max_examples=200)
@given(name=NAMES, fleet=fleets(), day=st.booleans())
def test_more_demand_never_lowers_anybody(name: StrategyName, fleet: Fleet, day: bool):
    total = int(fleet.max_w.sum())
    before = STRATEGIES[name].targets(asked(fleet, 0, day=day))
    for tenth in range(1, 11):
        after = STRATEGIES[name].targets(asked(fleet, total * tenth // 10, day=day))
        assert (after >= before - 1).all()
        before = after


@given(fleets(), DEMAND, st.booleans())
def test_the_levels_are_climbed_in_their_order(fleet: Fleet, demand_w: int, day: bool):
    """6.4: nobody beyond a level while somebody before it in the order is below its own."""
    target_w = share_load(fleet, demand_w, day)
    preferred = fleet.solar == day
    low_w, high_w = (np.maximum(fleet.min_w, fleet.max_w * p // 100) for p in (10, 90))
    if (target_w > low_w).any():
        assert (target_w >= low_w).all()
    if (target_w[~preferred] > low_w[~preferred]).any():
        assert (target_w[preferred] >= high_w[preferred]).all()
    if (target_w > high_w).any():
        assert (target_w >= high_w).all()
    if (target_w[~preferred] > high_w[~preferred]).any():
        assert (target_w[preferred] == fleet.max_w[preferred]).all()
    for mine in (preferred, ~preferred):
        cheap_first = np.argsort(fleet.price[mine], kind="stable")
        price, above = fleet.price[mine][cheap_first], (target_w > low_w)[mine][cheap_first]
        short = (target_w < high_w)[mine][cheap_first]
        for number in range(len(price)):
            if above[number]:
                assert not short[price < price[number]].any()


@given(fleets(), DEMAND)
def test_in_merit_order_nobody_is_raised_while_a_cheaper_one_has_room(fleet: Fleet, demand_w: int):
    target_w = STRATEGIES[StrategyName.MERIT_ORDER].targets(asked(fleet, demand_w))
    room = target_w < fleet.max_w
    for index in np.flatnonzero(target_w > fleet.min_w):
        assert not room[fleet.price < fleet.price[index]].any()


@given(fleets(), DEMAND)
def test_with_sharing_off_everybody_is_loaded_equally(fleet: Fleet, demand_w: int):
    """One P/Gmax for all, but for those whose minimum is above it."""
    target_w = STRATEGIES[StrategyName.OFF].targets(asked(fleet, demand_w))
    raised = target_w > fleet.min_w
    loading = target_w / fleet.max_w if len(fleet.houses) else np.zeros(0)
    slack = 2 / fleet.max_w + 2e-6 if len(fleet.houses) else np.zeros(0)
    for index in np.flatnonzero(raised):
        assert (loading >= loading[index] - slack - slack[index]).all()


def test_the_strategies_differ_as_they_should():
    """The sun costs 8, the diesel 25."""
    fleet = Fleet.of([sun("B"), diesel("D")])
    found = {
        (name, day): by_house(fleet, strategy.targets(asked(fleet, 3000, day=day)))
        for name, strategy in STRATEGIES.items()
        for day in (True, False)
    }
    assert found[StrategyName.DAY_TIME, True] == {"B": 2250, "D": 750}
    assert found[StrategyName.DAY_TIME, False] == {"B": 750, "D": 2250}
    for day in (True, False):
        assert found[StrategyName.MERIT_ORDER, day] == {"B": 2500, "D": 500}
        assert found[StrategyName.OFF, day] == {"B": 1500, "D": 1500}


MIXES = {
    "nobody": [],
    "two suns and a diesel": [sun("B1", 8), sun("B2", 9), diesel("D")],
    "suns alone": [sun("B1", 8), sun("B2", 8, max_w=5000)],
    "diesels alone": [diesel("D1", 25), diesel("D2", 20, min_w=0), diesel("D3", 25, max_w=250)],
}


@every_strategy
@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("day", [True, False])
@pytest.mark.parametrize("step_s", [FAST_S, SLOW_S])
def test_any_mix_of_sellers_is_served(name: StrategyName, mix: str, day: bool, step_s: int):
    fleet = Fleet.of(MIXES[mix])
    for demand_w in (0, 100, 800, 3000, 7400, 10**5):
        situation = asked(fleet, demand_w, day=day, step_s=step_s)
        assert int(STRATEGIES[name].targets(situation).sum()) == due_w(fleet, demand_w)


def test_the_cheaper_of_two_suns_goes_first():
    fleet = Fleet.of(MIXES["two suns and a diesel"])
    assert share_load(fleet, 3000, True).tolist() == [2250, 500, 250]
    assert share_load(fleet, 3000, False).tolist() == [500, 250, 2250]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=12))
def test_ranks_are_the_places_of_sorted_keys(pairs: list[tuple[int, int]]):
    keys = [np.array([pair[i] for pair in pairs], dtype=np.int64) for i in (0, 1)]
    places = sorted(set(pairs))
    assert ranks(*keys).tolist() == [places.index(pair) for pair in pairs]


@given(fleets(), st.integers(-1000, 10**7), st.integers(0, 2**32 - 1))
def test_what_cannot_be_placed_is_left(fleet: Fleet, left_w: int, seed: int):
    random = np.random.default_rng(seed)
    limit_w = random.integers(0, fleet.max_w + 1)
    rank = random.integers(0, 3, len(fleet.houses))
    power_w = fleet.min_w.copy()
    rest_w = fill(power_w, limit_w, fleet.max_w, rank, left_w)
    room = int(np.maximum(0, limit_w - fleet.min_w).sum())
    assert rest_w == max(0, left_w - room)
    assert int((power_w - fleet.min_w).sum()) == max(0, left_w) - rest_w
    assert (power_w <= np.maximum(limit_w, fleet.min_w)).all()
    for lower in range(2):  # no rank is begun before the one below it is full
        if (power_w > fleet.min_w)[rank > lower].any():
            assert (power_w >= limit_w)[rank == lower].all()


# --- the cap ------------------------------------------------------------------------------------------


def local_margin(fleet: Fleet, target_w: Int, demand_w: int) -> float:
    """What a minute's local energy costs above the tariff, in micro-coins."""
    total = int(target_w.sum())
    cost = int((target_w * (fleet.price - T)).sum())
    return cost / max(1, total) * min(total, demand_w) / 60_000


@settings(max_examples=200)
@given(name=NAMES, fleet=fleets(), demand_w=DEMAND, day=st.booleans(), allowance=st.integers(0, 10**8),
    cap=st.sampled_from([Cap.MONTH, Cap.MINUTE]),
)  # fmt: skip
def test_the_cap_is_kept_or_every_dear_seller_is_at_zero(
    name: StrategyName, fleet: Fleet, demand_w: int, day: bool, allowance: int, cap: Cap
):
    shared_w = STRATEGIES[name].targets(asked(fleet, demand_w, day=day))
    target_w = keep_cap(fleet, shared_w, demand_w, tariff(cap), allowance)
    dear = fleet.price > T
    kept = local_margin(fleet, target_w, demand_w) <= allowance + 0.001
    assert kept or not target_w[dear].any()
    assert (target_w >= 0).all()
    assert (target_w <= fleet.max_w).all()
    cut = target_w < shared_w
    assert dear[cut].all()
    # The dearest is cut first: a dearer one than a cut one is at zero.
    for index in np.flatnonzero(cut):
        assert not target_w[fleet.price > fleet.price[index]].any()
    # What is cut goes to cheaper headroom, cheapest first, never beyond the demand or what was there before.
    taken = target_w > shared_w
    assert (fleet.price[taken] <= T).all()
    for index in np.flatnonzero(taken):
        assert (target_w == fleet.max_w)[fleet.price < fleet.price[index]].all()
    assert int(target_w.sum()) <= int(shared_w.sum())
    if cut.any() and (target_w < fleet.max_w)[~dear].any():
        assert int(target_w.sum()) >= min(demand_w, int(shared_w.sum()))


@given(situations())
def test_with_the_cap_off_nothing_is_cut(situation: Situation):
    for strategy in STRATEGIES.values():
        found = plan(strategy, asked(situation.fleet, situation.demand_w, day=situation.day), tariff(), 0)
        assert (found.target_w >= situation.fleet.min_w).all()
        assert not (found.hold == Hold.CAP).any()


def test_no_cut_is_larger_than_the_cap_needs():
    fleet = Fleet.of([sun("B", min_w=0, max_w=250), diesel("D", min_w=0)])
    target_w = keep_cap(fleet, share_load(fleet, 2000, False), 2000, tariff(Cap.MINUTE), 0)
    more_w = target_w + np.array([0, 1])
    assert local_margin(fleet, target_w, 2000) <= 0 < local_margin(fleet, more_w, 2000)


def test_a_cut_below_the_minimum_is_offered_to_cheap_headroom():
    fleet = Fleet.of([sun("B"), diesel("D", min_w=2000)])
    found = plan(STRATEGIES[StrategyName.DAY_TIME], asked(fleet, 2300), tariff(Cap.MINUTE), 0)
    assert int(found.target_w.sum()) == 2300
    assert found.target_w[1] < 2000
    assert found.hold.tolist() == [Hold.SHARING, Hold.CAP]


def test_254_dear_sellers_are_all_cut():
    fleet = Fleet.of(Seller(f"H{n:03}", 250, 2500, T + n, Source.GENERATOR) for n in range(1, 255))
    assert not keep_cap(fleet, share_load(fleet, 300_000, True), 300_000, tariff(Cap.MINUTE), 0).any()


def test_the_largest_figures_do_not_overflow():
    fleet = Fleet.of(Seller(f"H{n:03}", 0, 10**6, microcoins(500), Source.GENERATOR) for n in range(254))
    demand_w = 254 * 10**6
    target_w = keep_cap(fleet, share_load(fleet, demand_w, True), demand_w, tariff(Cap.MONTH), 10**15)
    assert int(target_w.sum()) == demand_w
