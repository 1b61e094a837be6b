"""Sharing a whole number out in whole numbers: the largest-remainder method, minute by minute.

Every row of the arrays is one minute, every column one house. The result does not depend on the
order of the houses beyond ties, which go to the lower column (columns are sorted by house ID).
"""

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
Float = NDArray[np.float64]
_REMAINDER_STEPS = 2.0**40  # how finely remainders are told apart; finer than any amount is known


def apportion(total: Int, weights: Int) -> Int:
    """Share `total` [rows], below 2⁴⁸, in proportion to `weights` [rows, columns], both non-negative.

    Each share is the exact proportion rounded up or down, shares of a row add up to its total, and a
    column of weight 0 gets 0. A row without any weight must have total 0; ValueError otherwise. The
    result may be `weights` itself.
    """
    sums = weights.sum(axis=1)
    if np.any((sums == 0) & (total != 0)):
        raise ValueError("an amount cannot be shared among houses that have no part in it")
    whole = total == sums  # everybody gets its weight
    if whole.all():
        return weights
    rows = np.flatnonzero((total != 0) & ~whole)
    ratio = total / np.maximum(sums, 1)
    if rows.size == len(weights):
        return _largest_remainders(total, ratio, weights)
    result: Int = weights * whole[:, None] if whole.any() else np.zeros_like(weights)
    if rows.size:
        result[rows] = _largest_remainders(total[rows], ratio[rows], weights[rows])
    return result


def _largest_remainders(total: Int, ratio: Float, weights: Int) -> Int:
    # Elementwise float arithmetic is the same on every machine and for every order of houses;
    # what it cannot represent is put right by counting in integers, which floats hold exactly here.
    remainder = weights * ratio[:, None]
    floors = np.floor(remainder)
    result: Int = floors.astype(np.int64)
    missing = total - result.sum(axis=1)
    # One unit each to the largest remainders of a row. Keys are all different: ties go to the lower column.
    remainder -= floors
    remainder *= _REMAINDER_STEPS
    key = np.floor(remainder, out=remainder)
    columns = weights.shape[1]
    key += np.arange(columns - 1, -1, -1) / 2.0 ** columns.bit_length()
    least = _least_of_largest(key, missing)
    if (least < 1).any():  # rounding gave too much, or a remainder of 0 is among the largest
        rows = np.flatnonzero(least < 1)
        result[rows] = _corrected(missing[rows], result[rows], key[rows], weights[rows])
        least[rows] = np.inf
    result += key >= least[:, None]
    return result


def _least_of_largest(key: Float, count: Int) -> Float:
    """The least of the `count` largest keys of each row: infinite for none, below 0 for a negative count."""
    columns = key.shape[1]
    ordered = np.sort(key, axis=1)
    least: Float = ordered[np.arange(len(key)), (columns - count).clip(0, columns - 1)]
    least[count == 0] = np.inf
    least[count < 0] = -1
    return least


def _corrected(missing: Int, shares: Int, key: Float, weights: Int) -> Int:
    """Whoever has no weight gets nothing; units too many are taken from the smallest remainders."""
    steps = np.floor(key)
    ties = key - steps
    back = np.where(shares > 0, _REMAINDER_STEPS - steps, -1)
    key = np.where(missing[:, None] < 0, back, steps) + ties
    key[weights == 0] = -1
    chosen = (key >= _least_of_largest(key, np.abs(missing))[:, None]) & (key >= 0)
    corrected: Int = shares + chosen * np.sign(missing)[:, None]
    return corrected


def fill_level(total: Int, limits: Int) -> Int:
    """Share `total` [rows] equally, no column above its `limits` [rows, columns] (x_i = min(h_i, λ)).

    `total` may not exceed the row's sum of limits. Units that do not divide go to lower columns.
    """
    ordered = np.sort(limits, axis=1)
    columns = limits.shape[1]
    remaining = columns - np.arange(columns)
    before = np.cumsum(ordered, axis=1) - ordered
    # The water at the k-th smallest limit; the level lies in the first step that would hold it all.
    full_at = before + ordered * remaining
    step = (full_at < total[:, None]).sum(axis=1).clip(max=columns - 1)
    taken = np.take_along_axis(before, step[:, None], axis=1)[:, 0]
    level = (total - taken) // remaining[step]
    result: Int = np.minimum(limits, level[:, None])
    spare = total - result.sum(axis=1)
    above = limits > level[:, None]
    result += above & (np.cumsum(above, axis=1) <= spare[:, None])
    return result
