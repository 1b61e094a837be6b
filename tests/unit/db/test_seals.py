"""A packed column is exact, and small where the values are."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.central.seals import SealedPart, encode, unpacked

DAY = 1440
ALL = slice(0, DAY)
LOWEST, HIGHEST = -(2**63), 2**63 - 1


def through(*columns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """What comes back of these columns; how they rose and where they ended must agree with it."""
    values = np.array(columns).T
    names = [f"H{number}" for number in range(len(columns))]
    back = np.zeros_like(values)
    for sealed in encode(names, values):
        part = unpacked(sealed, {name: place for place, name in enumerate(names)})
        everybody = np.arange(len(part.columns))
        back[:, part.columns] = part.values(everybody, ALL)
        for rows in (np.full(len(everybody), DAY - 1), everybody * 0, everybody * 200 + 1):
            assert np.array_equal(part.at(rows), values[rows, part.columns])
        rises = np.broadcast_to(part.rises(everybody, ALL), (DAY, len(everybody)))
        some, length = slice(3, 77), len(part.values(everybody, slice(3, 77)))
        assert np.array_equal(part.values(everybody, some), values[some, part.columns][:length])
        assert np.array_equal(np.broadcast_to(part.rises(everybody, some), rises[some].shape), rises[some])
        assert np.array_equal(rises[1:], np.diff(values[:, part.columns], axis=0))
        assert np.array_equal(
            part.values(everybody[::-1][:2], ALL), part.values(everybody, ALL)[:, ::-1][:, :2]
        )
    return back.T


def packed(column: npt.NDArray[np.int64]) -> SealedPart:
    (part,) = encode(["H"], column[:, None])
    return part


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
    assert len(packed(register).data) <= 2 * DAY
    assert packed(np.full(DAY, 2**60)).data == packed(np.arange(DAY) * 17 - 5).data == b""
    assert list(encode(["H"], np.zeros((DAY, 1), dtype=np.int64))) == []


def test_houses_that_pack_alike_are_one_part_and_only_those_asked_for_have_a_place() -> None:
    rng = np.random.default_rng(2)
    small, large = rng.integers(0, 200, (DAY, 3)), rng.integers(0, 60_000, (DAY, 2))
    parts = list(encode(list("ABCDE"), np.hstack((small, large))))
    assert [(part.houses, part.width) for part in parts] == [("A B C", 1), ("D E", 2)]
    assert unpacked(parts[0], {"C": 0, "A": 1}).columns.tolist() == [1, -1, 0]


def test_a_day_of_few_changes_is_inflated_and_noise_is_not() -> None:
    rng = np.random.default_rng(3)
    steps = np.repeat(rng.integers(0, 2500, (DAY // 10, 4)), 10, axis=0)
    (few,) = encode(list("ABCD"), steps)
    (noise,) = encode(list("ABCD"), rng.integers(0, 2500, (DAY, 4)))
    assert few.packed
    assert not noise.packed
    assert len(few.data) < 0.35 * len(noise.data)
