"""A packed column is exact, and small where the values are."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.central.seals import decode, encode

DAY = 1440
LOWEST, HIGHEST = -(2**63), 2**63 - 1


def through(*columns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    packed = [(row, encode(column)) for row, column in enumerate(columns)]
    return decode([(row, column) for row, column in packed if column is not None], len(columns))


@given(
    st.lists(st.integers(LOWEST, HIGHEST), min_size=1, max_size=6),
    st.sampled_from([1, 200, 70_000, 2**33]),
    st.integers(0, 2**32 - 1),
)
def test_any_values_come_back_exactly(levels: list[int], spread: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    steps = np.array(levels, dtype=np.int64)[rng.integers(0, len(levels), DAY)]
    noise = rng.integers(0, spread, DAY)
    columns = [steps, noise, np.cumsum(noise), steps + noise, np.full(DAY, levels[0], dtype=np.int64)]
    assert np.array_equal(through(*columns), np.array(columns))


@pytest.mark.parametrize(
    "ends", [(LOWEST, HIGHEST), (HIGHEST, LOWEST), (0, 0), (0, HIGHEST), (LOWEST, 0), (-1, 1)]
)
def test_extremes_come_back_exactly(ends: tuple[int, int]) -> None:
    column = np.array(ends * (DAY // 2), dtype=np.int64)
    assert np.array_equal(through(column), column[None])


def test_small_changes_of_a_large_register_take_few_bytes() -> None:
    steps = np.random.default_rng(1).integers(0, 60_000, DAY)
    register = 2**50 + np.cumsum(steps)
    packed = encode(register)
    assert packed is not None
    assert len(packed.data) <= 2 * DAY
    constant, ramp = encode(np.full(DAY, 2**60)), encode(np.arange(DAY) * 17 - 5)
    assert constant is not None
    assert ramp is not None
    assert constant.data == ramp.data == b""
    assert encode(np.zeros(DAY, dtype=np.int64)) is None
