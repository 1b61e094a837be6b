"""Fleets of sellers for the tests of load sharing: from few figures, and at random."""

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import strategies as st

from microgrid.dispatch import Fleet, Seller, Situation
from microgrid.dispatch.situation import Int
from microgrid.terms import Cap, Source, Tariff
from microgrid.units import microcoins
from tests.unit.rules.build import FOREVER, T

DEMAND = st.one_of(st.integers(0, 20_000), st.integers(0, 4_000_000))
SLOW_S, FAST_S = 300, 10  # control steps: with time for a source to follow, and without


def sun(house: str, price: float = 8, *, min_w: int = 250, max_w: int = 2500) -> Seller:
    return Seller(house, min_w, max_w, microcoins(price), Source.SOLAR)


def diesel(house: str, price: float = 25, *, min_w: int = 250, max_w: int = 2500) -> Seller:
    return Seller(house, min_w, max_w, microcoins(price), Source.GENERATOR)


def tariff(cap: Cap = Cap.OFF, feed_in: int = 0) -> Tariff:
    return Tariff(valid_from=0, valid_to=FOREVER, national=T, feed_in=feed_in, cap=cap)


def asked(
    fleet: Fleet, demand_w: int, *, standing: Sequence[int] | Int | None = None, day: bool = True,
    step_s: int = SLOW_S,
) -> Situation:  # fmt: skip
    """A situation; without `standing` everybody stands at its minimum."""
    stands = fleet.min_w if standing is None else np.array(standing, dtype=np.int64)
    return Situation(fleet, demand_w, stands, day, step_s)


def by_house(fleet: Fleet, target_w: Int) -> Mapping[str, int]:
    return dict(zip(fleet.houses, target_w.tolist(), strict=True))


@st.composite
def listed_sellers(draw: st.DrawFn, most: int = 6) -> list[Seller]:
    """Any mix of sellers: none, one class alone, sizes far apart, equal prices."""
    sellers = []
    for number in range(draw(st.integers(0, most))):
        max_w = draw(st.one_of(st.integers(1, 5000), st.integers(1, 1_000_000)))
        sellers.append(
            Seller(
                house=f"H{number}",
                min_w=draw(st.integers(0, max_w)),
                max_w=max_w,
                price=microcoins(draw(st.sampled_from([0, 8, 9, 17.6, 20, 25]))),
                source=draw(st.sampled_from(list(Source))),
            )
        )
    return sellers


@st.composite
def situations(draw: st.DrawFn, step_s: int | None = None) -> Situation:
    """Any fleet, demand and time, under any targets that may stand, also outside of the contracts."""
    fleet = Fleet.of(draw(listed_sellers()))
    standing = [draw(st.integers(0, 2 * most)) for most in fleet.max_w.tolist()]
    steps = st.sampled_from([FAST_S, 60, SLOW_S]) if step_s is None else st.just(step_s)
    return asked(fleet, draw(DEMAND), standing=standing, day=draw(st.booleans()), step_s=draw(steps))


@st.composite
def contented(draw: st.DrawFn) -> Situation:
    """Targets stand that add up to what can be given of the demand: there is no fast step."""
    situation = draw(situations())
    fleet = situation.fleet
    least, most = int(fleet.min_w.sum()), int(fleet.max_w.sum())
    left_w = min(max(situation.demand_w, least), most) - least
    standing = []
    for low, high in zip(fleet.min_w.tolist(), fleet.max_w.tolist(), strict=True):
        given = min(left_w, high - low)
        standing.append(low + given)
        left_w -= given
    return asked(fleet, situation.demand_w, standing=standing, day=situation.day, step_s=situation.step_s)
