"""Raising sellers in an order, equal ones at an equal share of their maximum, by a given power in all."""

import numpy as np

from microgrid.dispatch.situation import Int


def fill(power_w: Int, limit_w: Int, rated_w: Int, rank: Int, left_w: int) -> int:
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
    if last == len(whole) or left_w == 0:
        return left_w
    partly = np.flatnonzero((rank == last) & (room > 0))
    power_w[partly] = _evenly(power_w[partly], limit_w[partly], rated_w[partly], left_w)
    return 0


def _evenly(power_w: Int, limit_w: Int, rated_w: Int, left_w: int) -> Int:
    """Raised to one common P/Gmax, by `left_w` in all, which is less than there is room for.

    Watts that do not divide go to the first.
    """
    even_w = np.clip(rated_w * _loading(power_w, limit_w, rated_w, left_w), power_w, limit_w)
    raised_w: Int = even_w.astype(np.int64)
    divided = even_w > raised_w
    spare_w = left_w + int(power_w.sum()) - int(raised_w.sum())
    before = np.cumsum(divided) - divided
    raised_w += np.clip(spare_w - before, 0, divided)
    return raised_w


def _loading(power_w: Int, limit_w: Int, rated_w: Int, left_w: int) -> float:
    """The common P/Gmax at which sellers give so much more than `power_w`, each up to its limit."""
    # Each rises with the loading from where it stands to its limit: their sum bends at these points only.
    bends = np.concatenate((power_w / rated_w, limit_w / rated_w))
    slope_w = np.concatenate((rated_w, -rated_w))
    order = np.argsort(bends)
    bends, slope_w = bends[order], np.cumsum(slope_w[order])
    gained_w = np.concatenate(([0.0], np.cumsum(slope_w[:-1] * np.diff(bends))))
    bend = int(np.searchsorted(gained_w, left_w)) - 1  # the last one before
    return float(bends[bend] + (left_w - gained_w[bend]) / slope_w[bend])


def ranks(*keys: Int) -> Int:
    """The place of each seller in the order of these keys, the most telling first; equal ones share it."""
    order = np.lexsort(keys[::-1])
    differs = np.zeros(order.size, dtype=np.bool_)
    for key in keys:
        differs[1:] |= np.diff(key[order]) != 0
    rank = np.empty(order.size, dtype=np.int64)
    rank[order] = np.cumsum(differs)
    return rank
