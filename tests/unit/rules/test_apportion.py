"""Sharing whole numbers: exact sums, nobody further than one unit from its proportion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.apportion import apportion, fill_level

WEIGHTS = st.lists(st.one_of(st.just(0), st.integers(0, 10), st.integers(0, 2**40)), min_size=1, max_size=9)


def row(values: list[int]) -> np.ndarray:
    return np.array([values], dtype=np.int64)


@given(WEIGHTS, st.one_of(st.integers(0, 20), st.integers(0, 2**42)))
@settings(max_examples=400)
def test_shares_are_exact_proportions_rounded_and_add_up(weights: list[int], total: int):
    if not sum(weights):
        total = 0
    shares = [int(share) for share in apportion(np.array([total]), row(weights))[0]]
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        if weight == 0:
            assert share == 0
            continue
        low, rest = divmod(total * weight, sum(weights))
        assert low <= share <= low + (rest > 0)
        if total <= sum(weights):
            assert share <= weight


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=8, unique=True), st.data())
def test_the_largest_remainders_are_rounded_up(weights: list[int], data: st.DataObject):
    total = data.draw(st.integers(0, 2000))
    shares = apportion(np.array([total]), row(weights))[0]
    up = [
        total * w % sum(weights)
        for s, w in zip(shares, weights, strict=True)
        if s > total * w // sum(weights)
    ]
    down = [
        total * w % sum(weights)
        for s, w in zip(shares, weights, strict=True)
        if s == total * w // sum(weights)
    ]
    assert not up or not down or min(up) >= max(down)


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_shares_do_not_depend_on_the_order_beyond_ties(weights: list[int], random):
    total = 12_345 if sum(weights) else 0
    order = list(range(len(weights)))
    random.shuffle(order)
    one = apportion(np.array([total]), row(weights))[0]
    two = apportion(np.array([total]), row([weights[i] for i in order]))[0]
    assert (abs(one[order] - two) <= 1).all()
    assert sorted(one) == sorted(two)


def test_ties_go_to_the_lower_column():
    assert apportion(np.array([2]), row([5, 0, 5, 5]))[0].tolist() == [1, 0, 1, 0]


def test_rows_are_shared_apart_from_one_another():
    weights = np.random.default_rng(3).integers(0, 9, (700, 80))
    totals = np.random.default_rng(4).integers(0, 999, 700)
    totals[weights.sum(axis=1) == 0] = 0
    together = apportion(totals, weights)
    for at in (0, 409, 410, 699):
        np.testing.assert_array_equal(apportion(totals[at : at + 1], weights[at : at + 1])[0], together[at])


def test_an_amount_without_anyone_to_bear_it_is_refused():
    with pytest.raises(ValueError, match="no part in it"):
        apportion(np.array([1]), row([0, 0]))
    assert apportion(np.array([0]), row([0, 0]))[0].tolist() == [0, 0]
    assert apportion(np.zeros(0, dtype=np.int64), np.zeros((0, 3), dtype=np.int64)).shape == (0, 3)


@given(
    st.lists(st.one_of(st.just(0), st.integers(0, 20), st.integers(0, 10**8)), min_size=1, max_size=9),
    st.data(),
)
@settings(max_examples=300)
def test_fill_level_fills_all_to_one_level_or_their_limit(limits: list[int], data: st.DataObject):
    total = data.draw(st.integers(0, sum(limits)))
    filled = [int(x) for x in fill_level(np.array([total]), row(limits))[0]]
    assert sum(filled) == total
    assert all(0 <= x <= limit for x, limit in zip(filled, limits, strict=True))
    short = [x for x, limit in zip(filled, limits, strict=True) if x < limit]
    assert not short or max(filled) - min(short) <= 1
