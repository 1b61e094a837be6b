"""Raising sellers in an order, equal ones at an equal share of their maximum, by a given power in all."""

import numpy as np

from microgrid.dispatch.situation import Int

_LOADING_BITS = 20  # P/Gmax is found in steps of 2**-20, about a millionth


def fill(power_w: Int, limit_w: Int, max_w: Int, rank: Int, left_w: int) -> int:
    """Raise `power_w` in place by `left_w` in all, nobody beyond `limit_w`; what could not be placed.

    Lower ranks (whole numbers from 0) go first. Sellers of one rank are raised to one common P/Gmax.
    """
    room = np.maximum(0, limit_w - power_w)
    if left_w <= 0 or not room.size:
        return max(0, left_w)
    whole = np.cumsum(np.bincount(rank, room).astype(np.int64))
    last = int(np.searchsorted(whole, left_w, side="right"))  # the rank that is filled in part
    full = rank < last
    power_w[full] += room[full]
    left_w -= int(whole[last - 1]) if last else 0
    if last == len(whole):
        return left_w
    partly = np.flatnonzero(rank == last)
    power_w[partly] = _evenly(power_w[partly], limit_w[partly], max_w[partly], left_w)
    return 0


def _evenly(power_w: Int, limit_w: Int, max_w: Int, left_w: int) -> Int:
    """Raised to one common P/Gmax, by `left_w` in all, which is less than there is room for.

    Watts that do not divide go to the first.
    """
    budget_w = left_w + int(power_w.sum())

    def raised(loading: int) -> Int:
        even: Int = np.maximum(power_w, np.minimum(limit_w, max_w * loading >> _LOADING_BITS))
        return even

    low, high = 0, 1 << _LOADING_BITS
    while low < high:
        middle = (low + high + 1) // 2
        if int(raised(middle).sum()) <= budget_w:
            low = middle
        else:
            high = middle - 1
    level = raised(low)
    # What is left is less than one more step of everybody's Gmax.
    more = raised(low + 1) - level
    before = np.cumsum(more) - more
    spare_w = budget_w - int(level.sum())
    evenly: Int = level + np.clip(spare_w - before, 0, more)
    return evenly


def ranks(*keys: Int) -> Int:
    """The place of each seller in the order of these keys, the most telling first; equal ones share it."""
    order = np.lexsort(keys[::-1])
    differs = np.zeros(order.size, dtype=np.bool_)
    for key in keys:
        differs[1:] |= np.diff(key[order]) != 0
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.cumsum(differs)
    return rank
