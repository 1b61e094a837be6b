"""Targets where some sellers cannot be counted on: no sun, a trip, or nothing shown yet."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from microgrid.directives import StrategyName
from microgrid.dispatch import STRATEGIES, Fleet, Situation, plan
from microgrid.dispatch.counting import SLACK_W, Crew, Task, divide
from microgrid.dispatch.plan import LEAST_MOVE_W, STILL_W
from microgrid.minute import Hold
from microgrid.terms import Cap
from tests.unit.rules.fleets import SLOW_S, diesel, listed_sellers, sun, tariff

NAMES = st.sampled_from(list(StrategyName))
BY_DAY = STRATEGIES[StrategyName.DAY_TIME]


def task(demand_w: int, cap: Cap = Cap.OFF, step_s: int = SLOW_S) -> Task:
    return Task(demand_w, True, step_s, tariff(cap), 0)


def crew(
    fleet: Fleet, export_w: list[int], asked_w: list[int], uncounted: list[bool], *, new: bool = False
) -> Crew:
    return Crew(
        fleet=fleet,
        export_w=np.array(export_w, dtype=np.int64),
        asked_w=np.array(asked_w, dtype=np.int64),
        hold=np.zeros(len(export_w), dtype=np.int64),
        unproven=np.array(uncounted) & new,
        uncounted=np.array(uncounted, dtype=np.bool_),
    )


@st.composite
def crews(draw: st.DrawFn) -> Crew:
    """Any fleet in any state: exports beside every target, targets from contracts that no longer hold."""
    fleet = Fleet.of(draw(listed_sellers()))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = len(fleet.houses)
    uncounted = random.random(count) < 0.5
    return Crew(
        fleet=fleet,
        export_w=random.integers(0, 2 * fleet.max_w + 1),
        asked_w=random.integers(0, 2 * fleet.max_w + 1),
        hold=random.integers(0, 4, count),
        unproven=uncounted & (random.random(count) < 0.3),
        uncounted=uncounted,
    )


DEMAND = st.one_of(st.integers(0, 20_000), st.integers(0, 4_000_000))


@given(NAMES, crews(), DEMAND, st.sampled_from(list(Cap)), st.sampled_from([10, SLOW_S]))
def test_never_above_the_maximum_and_below_the_minimum_only_by_the_cap(
    name: StrategyName, some: Crew, demand_w: int, cap: Cap, step_s: int
):
    found = divide(STRATEGIES[name], some, task(demand_w, cap, step_s))
    assert (found.target_w >= 0).all()
    assert (found.target_w <= some.fleet.max_w).all()
    assert (found.hold[found.target_w < some.fleet.min_w] == Hold.CAP).all()


@given(NAMES, crews(), DEMAND)
def test_where_all_can_be_counted_on_it_is_the_plan(name: StrategyName, some: Crew, demand_w: int):
    nobody = np.zeros(len(some.fleet.houses), dtype=np.bool_)
    all_counted = replace(some, uncounted=nobody, unproven=nobody)
    found = divide(STRATEGIES[name], all_counted, task(demand_w))
    situation = Situation(some.fleet, demand_w, some.asked_w, day=True, step_s=SLOW_S)
    expected = plan(STRATEGIES[name], situation, tariff(), 0)
    assert (found.target_w == expected.target_w).all()
    assert (found.hold == expected.hold).all()


@given(NAMES, crews(), DEMAND)
def test_others_are_asked_for_all_that_a_tripped_seller_does_not_give(
    name: StrategyName, some: Crew, demand_w: int
):
    tripped = replace(some, export_w=some.export_w * ~some.uncounted)
    found = divide(STRATEGIES[name], tripped, task(demand_w))
    others = some.fleet.only(~some.uncounted)
    due_w = min(max(demand_w, int(others.min_w.sum())), int(others.max_w.sum()))
    band_w = max(STILL_W, demand_w // 100) + LEAST_MOVE_W
    assert abs(int(found.target_w[~some.uncounted].sum()) - due_w) <= band_w


def test_others_are_asked_in_place_of_who_cannot_and_its_own_target_stands():
    """A cloud: the sun was asked for 2250 W and gives 600."""
    fleet = Fleet.of([sun("B"), diesel("D")])
    found = divide(BY_DAY, crew(fleet, [600, 250], [2250, 250], [True, False]), task(2500))
    assert found.target_w.tolist() == [2250, 1900]
    again = divide(BY_DAY, crew(fleet, [600, 1900], [2250, 1900], [True, False]), task(2500))
    assert again.target_w.tolist() == [2250, 1900]
    back = divide(BY_DAY, crew(fleet, [2250, 1900], [2250, 1900], [False, False]), task(2500))
    assert back.target_w.tolist() == [2250, 250]


def test_nobody_is_asked_for_more_than_others_at_their_least_would_leave():
    fleet = Fleet.of([sun("B"), diesel("D")])
    found = divide(BY_DAY, crew(fleet, [600, 250], [2250, 250], [True, False]), task(1500))
    assert found.target_w.tolist() == [1250, 900]
    slightly = divide(BY_DAY, crew(fleet, [600, 250], [1250 + SLACK_W, 250], [True, False]), task(1500))
    assert slightly.target_w[0] == 1250 + SLACK_W


def test_who_gives_nothing_is_asked_for_its_minimum_also_where_nobody_needs_it():
    """Else it would owe nothing."""
    fleet = Fleet.of([sun("B"), diesel("D")])
    found = divide(BY_DAY, crew(fleet, [250, 0], [250, 250], [False, True]), task(100))
    assert found.target_w.tolist() == [250, 250]


def test_who_has_shown_nothing_yet_is_asked_for_its_part_and_nobody_is_lowered_for_it():
    fleet = Fleet.of([sun("B"), diesel("D")])
    begins = divide(BY_DAY, crew(fleet, [0, 2250], [0, 2250], [True, False], new=True), task(2500))
    assert begins.target_w.tolist() == [2250, 2500]
    proven = divide(BY_DAY, crew(fleet, [2250, 2250], [2250, 2250], [False, False]), task(2500))
    assert proven.target_w.tolist() == [2250, 250]


def test_who_cannot_be_lowered_is_counted_as_it_is():
    """Stuck high: 2000 W though asked for 250."""
    fleet = Fleet.of([sun("B"), diesel("D")])
    found = divide(BY_DAY, crew(fleet, [2250, 2000], [2250, 250], [False, True]), task(2500))
    assert found.target_w.tolist() == [500, 250]


def test_a_contract_that_changes_holds_also_for_who_cannot_be_counted_on():
    smaller = Fleet.of([sun("B", max_w=1000), diesel("D", min_w=500)])
    found = divide(BY_DAY, crew(smaller, [600, 100], [2250, 250], [True, True]), task(2500))
    assert found.target_w[0] == 1000
    assert 500 <= found.target_w[1] <= 2500
