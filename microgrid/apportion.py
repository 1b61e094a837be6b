"""Sharing a whole number out in whole numbers: the largest-remainder method, minute by minute.

Every row of the arrays is one minute, every column one house. The result does not depend on the
order of the houses beyond ties, which go to the lower column (columns are sorted by house ID).
"""

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
_REMAINDER_STEPS = 2**40  # how finely remainders are told apart; finer than any amount is known
_NO_PART = 2**62  # more than any key: makes it negative
_CELLS_AT_ONCE = 2**15  # few enough to stay in the processor's cache: twice as fast as a whole day at once


def apportion(total: Int, weights: Int) -> Int:
    """Share `total` [rows], below 2⁴⁸, in proportion to `weights` [rows, columns], both non-negative.

    Each share is the exact proportion rounded up or down, shares of a row add up to its total, and a
    column of weight 0 gets 0. A row without any weight must have total 0; ValueError otherwise.
    """
    sums = weights.sum(axis=1)
    if np.any((sums == 0) & (total != 0)):
        raise ValueError("an amount cannot be shared among houses that have no part in it")
    whole = total == sums  # everybody gets its weight
    result: Int = weights * whole[:, None] if whole.any() else np.zeros_like(weights)
    rows = np.flatnonzero((total != 0) & ~whole)
    if not rows.size:
        return result
    columns = np.flatnonzero(weights.any(axis=0))
    ratio = total / np.maximum(sums, 1)
    step = max(1, _CELLS_AT_ONCE // max(1, columns.size))
    for start in range(0, rows.size, step):
        some = rows[start : start + step]
        of = weights if some.size == len(weights) else weights[some]
        shares = np.zeros_like(of)
        shares[:, columns] = _largest_remainders(total[some], ratio[some], of[:, columns])
        if some.size == len(weights):
            return shares
        result[some] = shares
    return result


def _largest_remainders(total: Int, ratio: NDArray[np.float64], weights: Int) -> Int:
    # Elementwise float arithmetic is the same on every machine and for every order of houses;
    # what it cannot represent is put right by counting in integers.
    ideal = weights.astype(np.float64) * ratio[:, None]
    floors = np.floor(ideal)
    result: Int = floors.astype(np.int64)
    missing = total - result.sum(axis=1)
    # One unit each to the largest remainders of a row, or from the smallest if rounding gave too much.
    sign = np.sign(missing)[:, None]
    columns = weights.shape[1]
    ideal -= floors
    ideal *= _REMAINDER_STEPS
    key = ideal.astype(np.int64)
    if (sign < 0).any():
        key = np.where(sign < 0, np.where(result > 0, _REMAINDER_STEPS - key, -1), key)
    key *= columns
    key += np.arange(columns - 1, -1, -1)
    key -= (weights == 0) * _NO_PART
    rank = np.clip(columns - np.abs(missing), 0, columns - 1)
    threshold = np.take_along_axis(np.sort(key, axis=1), rank[:, None], axis=1)
    result += ((key >= threshold) & (key >= 0)) * sign
    return result


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
