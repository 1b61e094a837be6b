"""A control step: what it holds to, how it stays steady, and the fast step."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from microgrid.directives import StrategyName
from microgrid.dispatch import STRATEGIES, Fleet, Plan, Situation, plan
from microgrid.dispatch.plan import LEAST_MOVE_W, STILL_W
from microgrid.dispatch.situation import Int
from microgrid.minute import Hold
from microgrid.terms import Cap
from tests.unit.rules.fleets import FAST_S, SLOW_S, asked, contented, diesel, situations, sun, tariff

NAMES = st.sampled_from(list(StrategyName))
CAPS = st.sampled_from(list(Cap))
ALLOWANCE = st.integers(0, 10**7)
BY_DAY = STRATEGIES[StrategyName.DAY_TIME]


def planned(fleet: Fleet, demand_w: int, standing: Int | None = None, **more: object) -> Plan:
    return plan(BY_DAY, asked(fleet, demand_w, standing=standing, **more), tariff(), 0)  # type: ignore[arg-type]


@settings(max_examples=200)
@given(name=NAMES, situation=situations(), cap=CAPS, allowance=ALLOWANCE)
def test_never_above_the_maximum_and_below_the_minimum_only_by_the_cap(
    name: StrategyName, situation: Situation, cap: Cap, allowance: int
):
    fleet = situation.fleet
    found = plan(STRATEGIES[name], situation, tariff(cap), allowance)
    assert (found.target_w >= 0).all()
    assert (found.target_w <= fleet.max_w).all()
    assert (found.hold[found.target_w < fleet.min_w] == Hold.CAP).all()


@settings(max_examples=200)
@given(name=NAMES, situation=situations(), cap=CAPS, allowance=ALLOWANCE)
def test_what_is_not_a_command_is_missing_from_the_sum_by_less_than_the_band(
    name: StrategyName, situation: Situation, cap: Cap, allowance: int
):
    """Whatever stood before: within ten watts, or a hundredth, of what would be ordered anew."""
    found = plan(STRATEGIES[name], situation, tariff(cap), allowance)
    fresh = plan(STRATEGIES[name], situation, tariff(cap), allowance)
    anew = asked(
        situation.fleet, situation.demand_w, standing=situation.fleet.max_w * 2 + 10**6, day=situation.day
    )
    ideal = plan(STRATEGIES[name], anew, tariff(cap), allowance)
    band_w = max(STILL_W, situation.demand_w // 100)
    assert (found.target_w == fresh.target_w).all()
    if situation.step_s > 60 or name is not StrategyName.DAY_TIME:
        assert abs(int(found.target_w.sum() - ideal.target_w.sum())) <= band_w


@settings(max_examples=200)
@given(name=NAMES, situation=situations(SLOW_S), cap=CAPS, allowance=ALLOWANCE)
def test_targets_that_stand_well_are_left_alone(
    name: StrategyName, situation: Situation, cap: Cap, allowance: int
):
    first = plan(STRATEGIES[name], situation, tariff(cap), allowance)
    again = asked(situation.fleet, situation.demand_w, standing=first.target_w, day=situation.day)
    second = plan(STRATEGIES[name], again, tariff(cap), allowance)
    assert (second.target_w == first.target_w).all()


@settings(max_examples=200)
@given(name=NAMES, situation=contented(), tremble=st.lists(st.integers(-100, 100), min_size=1, max_size=10))
def test_demand_that_trembles_within_the_band_moves_nothing(
    name: StrategyName, situation: Situation, tremble: list[int]
):
    """No commands at constant load: 0 of them an hour, however long the hour."""
    fleet, demand_w = situation.fleet, situation.demand_w
    assume(demand_w > 200)
    stands = STRATEGIES[name].targets(asked(fleet, demand_w, day=situation.day))
    band_w = max(STILL_W, demand_w // 103)  # within the band also of the demand it has trembled to
    for share in tremble:
        moved = asked(fleet, demand_w + share * band_w // 100, standing=stands, day=situation.day, step_s=10)
        found = plan(STRATEGIES[name], moved, tariff(), 0).target_w
        assert (found == stands).all()


def test_nobody_is_called_for_a_few_watts():
    fleet = Fleet.of([sun("B"), diesel("D")])
    stands = np.array([1000 - LEAST_MOVE_W + 1, 400])
    found = planned(fleet, 2000, stands)
    assert found.target_w.tolist() == [1750, 250]
    found = planned(fleet, 1400, np.array([1150 - LEAST_MOVE_W + 1, 400]))
    assert found.target_w.tolist() == [1150 - LEAST_MOVE_W + 1, 250]


def test_few_watts_of_many_sellers_are_worth_a_command():
    """254 sellers, each 4 W away: together more than a twentieth of the demand."""
    fleet = Fleet.of(diesel(f"H{n:03}", min_w=0) for n in range(254))
    demand_w = 254 * 80
    found = planned(fleet, demand_w, np.full(254, 76), step_s=FAST_S)
    assert int(found.target_w.sum()) == demand_w


def test_the_band_is_of_what_is_asked_where_demand_is_far_more():
    """A hundredth of 250 kW is all that these two give, and more than the cap is passed by."""
    fleet = Fleet.of([sun("B", 8, min_w=0, max_w=1000), diesel("D", 25, min_w=0)])
    stands = asked(fleet, 250_000, standing=[1000, 2500])
    found = plan(STRATEGIES[StrategyName.MERIT_ORDER], stands, tariff(Cap.MINUTE), 0)
    assert found.target_w[1] < 1300
    assert found.hold[1] == Hold.CAP


def test_a_shift_among_many_sellers_is_carried_out():
    """What each moves is little beside the demand of a large neighbourhood, and is moved all the same."""
    fleet = Fleet.of([*(sun(f"B{n:03}") for n in range(127)), *(diesel(f"D{n:03}") for n in range(127))])
    demand_w = 300_000
    at_night = planned(fleet, demand_w, day=False).target_w
    by_day = planned(fleet, demand_w, at_night, day=True).target_w
    assert int(by_day[fleet.solar].sum()) > 260_000 > 60_000 > int(at_night[fleet.solar].sum())
    assert int(by_day.sum()) == int(at_night.sum()) == demand_w


# --- the fast step (6.3) ------------------------------------------------------------------------------


def test_generators_take_a_fast_step_and_the_sun_takes_it_over():
    fleet = Fleet.of([sun("B"), diesel("D")])
    calm = planned(fleet, 1500, step_s=FAST_S).target_w
    calm = planned(fleet, 1500, calm, step_s=FAST_S).target_w
    assert calm.tolist() == [1250, 250]
    fast = planned(fleet, 2400, calm, step_s=FAST_S).target_w
    assert fast.tolist() == [1250, 1150]
    shifted = planned(fleet, 2400, fast, step_s=FAST_S).target_w
    assert shifted.tolist() == [2150, 250]
    assert shifted.sum() == fast.sum()
    assert (planned(fleet, 2400, shifted, step_s=FAST_S).target_w == shifted).all()


def test_generators_drop_out_of_a_fast_fall_first():
    fleet = Fleet.of([sun("B"), diesel("D")])
    fallen = planned(fleet, 2400, np.array([2250, 1550]), step_s=FAST_S).target_w
    assert fallen.tolist() == [2150, 250]  # the sun takes only what the generator cannot
    at_night = planned(fleet, 2000, np.array([500, 2250]), step_s=FAST_S, day=False).target_w
    assert at_night.tolist() == [500, 1500]


def test_the_sun_takes_of_a_fast_step_what_generators_cannot():
    fleet = Fleet.of([sun("B"), diesel("D", max_w=1000)])
    fast = planned(fleet, 3000, np.array([1000, 250]), step_s=FAST_S).target_w
    assert fast.tolist() == [2000, 1000]


@pytest.mark.parametrize(("step_s", "bridged"), [(10, True), (60, True), (61, False), (SLOW_S, False)])
def test_a_long_control_step_has_nothing_to_bridge(step_s: int, bridged: bool):
    fleet = Fleet.of([sun("B"), diesel("D")])
    found = planned(fleet, 2400, np.array([1250, 250]), step_s=step_s).target_w
    assert found.tolist() == ([1250, 1150] if bridged else [2150, 250])


@pytest.mark.parametrize(("demand_w", "is_fast"), [(1875, False), (1876, True), (1200, False), (1199, True)])
def test_a_fast_step_is_more_than_a_fifth(demand_w: int, is_fast: bool):
    fleet = Fleet.of([sun("B", min_w=0), diesel("D", min_w=0)])
    found = planned(fleet, demand_w, np.array([750, 750]), step_s=FAST_S).target_w
    assert (found[0] == 750) == is_fast


@settings(max_examples=200)
@given(name=NAMES, situation=situations(FAST_S))
def test_two_steps_after_any_change_targets_are_at_their_place(name: StrategyName, situation: Situation):
    """A fast step is bridged once: then everybody is where a slow step would have put it at once."""
    fleet = situation.fleet
    resting = STRATEGIES[name].targets(asked(fleet, situation.demand_w, day=situation.day))
    stands = situation.standing_w
    for _ in range(2):
        now = asked(fleet, situation.demand_w, standing=stands, day=situation.day, step_s=FAST_S)
        stands = plan(STRATEGIES[name], now, tariff(), 0).target_w
    least, most = int(fleet.min_w.sum()), int(fleet.max_w.sum())
    if least <= situation.demand_w <= most:
        band_w = max(STILL_W, situation.demand_w // 100)
        assert int(np.abs(stands - resting).sum()) <= 2 * band_w + LEAST_MOVE_W * len(fleet.houses)
