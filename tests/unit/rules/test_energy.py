"""From registers to minutes: gaps add up, pieces equal the whole, epochs and jumps never bill."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.energy import minute_energy
from tests.unit.rules.build import FIRST, history, meter_minute, read

POWERS = st.lists(st.one_of(st.none(), st.integers(-9000, 9000)), min_size=1, max_size=40)
LIMIT = np.array([10_000])


def energies(rows: Sequence, first: int, stop: int):
    return minute_energy(read(("A",), range(FIRST + first, FIRST + stop), {"A": rows}), LIMIT)


@given(POWERS)
@settings(max_examples=150)
def test_gaps_add_up_to_the_difference_of_registers(powers: list[int | None]):
    rows = history({"A": powers})["A"]
    found = energies(rows, 0, len(powers))
    last = rows[-1]
    assert found.net_ws.sum() == (last.export_ws - 1000) - (last.import_ws - 1000)
    for offset, power in enumerate(powers):
        unheard_before = offset > 0 and powers[offset - 1] is None
        assert found.estimated[offset, 0] == (power is None or unheard_before)
        if not found.estimated[offset, 0]:
            assert found.net_ws[offset, 0] == 60 * (power or 0)


@given(POWERS, st.lists(st.integers(0, 40), max_size=6))
@settings(max_examples=150)
def test_minutes_read_in_pieces_equal_minutes_read_whole(powers: list[int | None], cuts: list[int]):
    rows = history({"A": powers})["A"]
    whole = energies(rows, 0, len(powers))
    points = [0, *sorted(min(cut, len(powers)) for cut in cuts), len(powers)]
    pieces = [energies(rows, start, stop) for start, stop in pairwise(points)]
    np.testing.assert_array_equal(np.concatenate([p.net_ws for p in pieces]), whole.net_ws)
    np.testing.assert_array_equal(np.concatenate([p.estimated for p in pieces]), whole.estimated)


def test_a_house_that_has_not_joined_is_not_estimated():
    found = energies([meter_minute("A", FIRST + 2, 5_000_000)], 0, 4)
    assert found.net_ws.tolist() == [[0]] * 4
    assert found.estimated[:, 0].tolist() == [False, False, False, True]


def test_a_new_epoch_is_estimated_and_never_bills():
    rows = [
        meter_minute("A", FIRST - 1, 1000),
        meter_minute("A", FIRST, 1600),
        meter_minute("A", FIRST + 2, 50, epoch=1),
        meter_minute("A", FIRST + 3, 110, epoch=1),
    ]
    found = energies(rows, 0, 4)
    assert found.net_ws[:, 0].tolist() == [600, 0, 0, 60]
    assert found.estimated[:, 0].tolist() == [False, True, True, False]


@pytest.mark.parametrize("gap", [0, 5])
@pytest.mark.parametrize("change", [-600, -(2**40), 10_000 * 2 * 60 * 7, 2**62])
@pytest.mark.parametrize("register", ["import_ws", "export_ws"])
def test_a_register_that_falls_or_jumps_within_its_epoch_never_bills(gap: int, change: int, register: str):
    """What a house sends is not taken on trust: the settlement looks again."""
    plain = {"import_ws": 2**41, "export_ws": 2**41}
    odd = plain | {register: plain[register] + change}
    rows = [
        meter_minute("A", FIRST - 1, **plain),
        meter_minute("A", FIRST + gap, **odd),
        meter_minute("A", FIRST + gap + 1, odd["export_ws"] + 60, odd["import_ws"]),
    ]
    found = energies(rows, 0, gap + 2)
    assert found.net_ws[:, 0].tolist() == [0] * (gap + 1) + [60]
    assert found.estimated[:, 0].tolist() == [True] * (gap + 1) + [False]


def test_no_minutes_at_all():
    assert energies(history({"A": [5]})["A"], 1, 1).net_ws.shape == (0, 1)
