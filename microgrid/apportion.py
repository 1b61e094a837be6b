"""Sharing a whole number out in whole numbers: the largest-remainder method, minute by minute.

Every row of the arrays is one minute, every column one house. The result does not depend on the
order of the houses beyond ties, which go to the lower column (columns are sorted by house ID).
"""

import numpy as np
from numpy.typing import NDArray

Int = NDArray[np.int64]
_REMAINDER_STEPS = 2**40  # how finely remainders are told apart; finer than any amount is known


def apportion(total: Int, weights: Int) -> Int:
    """Share `total` [rows] in proportion to `weights` [rows, columns], both non-negative.

    Each share is the exact proportion rounded up or down, shares of a row add up to its total, and a
    column of weight 0 gets 0. A row without any weight must have total 0; ValueError otherwise.
    """
    sums: Int = weights.sum(axis=1)
    if np.any((sums == 0) & (total != 0)):
        raise ValueError("an amount cannot be shared among houses that have no part in it")
    # Elementwise float arithmetic is the same on every machine and for every order of houses;
    # what it cannot represent is put right below by counting in integers.
    ideal = weights * (total / np.maximum(sums, 1))[:, None]
    shares = np.floor(ideal)
    remainders = ideal - shares
    result: Int = shares.astype(np.int64)
    missing = total - result.sum(axis=1)
    rows = np.flatnonzero(missing)
    if rows.size:
        _hand_out(result, remainders, weights, missing, rows)
    return result


def _hand_out(
    result: Int, remainders: NDArray[np.float64], weights: Int, missing: Int, rows: NDArray[np.intp]
) -> None:
    """Give one unit each to the largest remainders of a row (or take, if rounding gave too much)."""
    columns = weights.shape[1]
    units = missing[rows]
    sign = np.sign(units)
    rank = (remainders[rows] * _REMAINDER_STEPS).astype(np.int64)
    rank = np.where(sign[:, None] > 0, rank, _REMAINDER_STEPS - rank)
    key = rank * columns + np.arange(columns - 1, -1, -1)
    eligible = (weights[rows] > 0) & ((sign[:, None] > 0) | (result[rows] > 0))
    key = np.where(eligible, key, -1)
    threshold = np.take_along_axis(np.sort(key, axis=1), (columns - np.abs(units))[:, None], axis=1)
    result[rows] += np.where((key >= threshold) & eligible, sign[:, None], 0)


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
