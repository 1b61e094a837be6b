"""At constant conditions commands cease, and nothing is imported or spilled that contracts could prevent."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.directives import StrategyName
from microgrid.minute import Hold
from microgrid.terms import Cap, Contract, Obligation, Source
from tests.unit.central.parts import NOON, buyer, seller, tariff
from tests.unit.central.steered import Steered, by_hand

STEPS_TO_REST, STEPS_AT_REST = 40, 60
DEMAND_W = st.one_of(st.integers(1_000, 3_000), st.integers(1_000, 60_000))


@st.composite
def fleets(draw: st.DrawFn) -> list[Contract]:
    """Few or many, tiny beside large, with equal prices, no band at all, and obliged by daylight only."""
    found = []
    for number in range(draw(st.integers(1, 12))):
        max_w = draw(st.sampled_from([50, 500, 2500, 2500, 20_000]))
        found.append(
            seller(
                f"S{number:02}",
                draw(st.sampled_from([8, 8, 12, 25])),
                min_w=draw(st.sampled_from([0, max_w // 10, max_w // 10, max_w])),
                max_w=max_w,
                source=draw(st.sampled_from(list(Source))),
                obligation=draw(st.sampled_from(list(Obligation))),
            )
        )
    return found


class Street:
    """Sellers that come nearer to their targets at every step, each as far as it can, and tremble."""

    def __init__(self, sellers: list[Contract], short: dict[str, int], step_s: int, **policy: Any) -> None:
        self.steered = Steered(*sellers, buyer("A"), step_s=step_s)
        self.steered.tariff = tariff(**policy)
        self.short = short  # what these can give at most, in W
        self.power_w = dict.fromkeys((contract.house for contract in sellers), 0)

    def step(self, demand_w: int, tremble_w: int) -> list[int]:
        """One control step; the ids of all commands that stand."""
        given_w = {h: max(0, power_w + tremble_w) if power_w else 0 for h, power_w in self.power_w.items()}
        orders = self.steered.step(A=-demand_w, **given_w)
        for house, order in orders.items():
            step_w = max(30, abs(order.target_w - self.power_w[house]) // 2)
            towards_w = min(max(order.target_w, self.power_w[house] - step_w), self.power_w[house] + step_w)
            self.power_w[house] = min(towards_w, self.short.get(house, towards_w))
        self.steered.acknowledge(*orders)
        return [order.command_id for order in orders.values()]


@settings(max_examples=60)
@given(
    fleet=fleets(), demand_w=DEMAND_W, strategy=st.sampled_from(list(StrategyName)), day=st.booleans(),
    step_s=st.sampled_from([10, 60, 300]), response_s=st.sampled_from([0, 60]),
    deadband_w=st.sampled_from([0, 25]), cap=st.sampled_from([Cap.OFF, Cap.MINUTE]), data=st.data(),
)  # fmt: skip
def test_commands_cease_and_demand_is_met(
    fleet: list[Contract], demand_w: int, strategy: StrategyName, day: bool, step_s: int, response_s: int,
    deadband_w: int, cap: Cap, data: st.DataObject,
):  # fmt: skip
    unable = data.draw(st.sets(st.sampled_from([c.house for c in fleet]), max_size=1))
    short = {c.house: data.draw(st.integers(0, c.max_w)) for c in fleet if c.house in unable}
    street = Street(fleet, short, step_s, response_s=response_s, deadband_w=deadband_w, cap=cap)
    steered = street.steered
    steered.day, steered.control.standing = day, by_hand(strategy=strategy)
    for number in range(STEPS_TO_REST):
        standing = street.step(demand_w, number % 9 - 4)
    for number in range(STEPS_AT_REST):
        assert street.step(demand_w, number % 9 - 4) == standing
    orders = steered.control.orders
    missing_w = demand_w - sum(street.power_w.values())
    contracts = {contract.house: contract for contract in fleet}
    able = {h: o for h, o in orders.items() if o.following.counts and o.hold is not Hold.CAP}
    more_w = sum(
        contracts[h].max_w - o.target_w
        for h, o in able.items()
        if cap is Cap.OFF or contracts[h].price < 17e6
    )
    less_w = sum(o.target_w - contracts[h].min_w for h, o in able.items())
    band_w = max(demand_w // 50, 25 * len(fleet))
    if missing_w > 0:
        assert min(missing_w, more_w) <= band_w
    else:
        assert min(-missing_w, less_w) <= band_w


@pytest.mark.parametrize("demand_w", [0, 10**6])
@pytest.mark.parametrize("response_s", [0, 3600])
def test_at_the_edges_nothing_breaks(demand_w: int, response_s: int):
    ends = seller("S", 8, valid_to=NOON + 3)
    for sellers in ([], [ends], [seller("S", 8, min_w=2500)], [ends, seller("T", 9, min_w=0, max_w=50)]):
        steered = Steered(*sellers, buyer("A"))
        steered.tariff = tariff(cap=Cap.OFF, response_s=response_s, deadband_w=0)
        for minute in range(6):
            steered.day = minute < 4
            orders = steered.step(A=-demand_w, **{c.house: 0 for c in sellers})
            assert set(orders) == {c.house for c in sellers if c.valid_to > NOON + minute}
            steered.record(NOON + minute)
