"""From registers to minutes: gaps add up, pieces equal the whole, epochs and jumps never bill.

Whole histories, from the meter's packets on, are in test_histories.py.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microgrid.energy import SHORT_GAP_MINUTES, Profile, minute_energy
from microgrid.minute import MeterMinute
from microgrid.registers import OVERLOAD
from tests.unit.rules.build import FIRST, history, meter_minute, read

POWERS = st.lists(st.one_of(st.none(), st.integers(-9000, 9000)), min_size=1, max_size=40)
LIMIT = np.array([10_000])


def energies(rows: Sequence, first: int, stop: int, profile: Profile | None = None):
    return minute_energy(read(("A",), range(FIRST + first, FIRST + stop), {"A": rows}), LIMIT, profile)


def shaped(imported: Callable[[int], int], exported: Callable[[int], int]) -> Profile:
    """A profile by the minute since FIRST."""
    return lambda house, gap: (
        np.array([imported(minute - FIRST) for minute in gap]),
        np.array([exported(minute - FIRST) for minute in gap]),
    )


def unheard(minutes: int, export_ws: int, import_ws: int = 0) -> list[MeterMinute]:
    """Rows around a gap of so many minutes from FIRST on, the closing row's own included."""
    return [
        meter_minute("A", FIRST - 1, 2**41, 2**41),
        meter_minute("A", FIRST + minutes - 1, 2**41 + export_ws, 2**41 + import_ws),
    ]


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
        assert found.known[offset, 0] == (offset <= last.minute - FIRST)
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
    assert not found.known.any()
    never = energies([], 0, 4)
    assert not never.estimated.any()
    assert not never.known.any()


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
    assert found.known[:, 0].tolist() == [True, False, False, True]


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
    assert (found.known == ~found.estimated).all()


# --- the shape of gaps ------------------------------------------------------------------------------

LONG = 2 * SHORT_GAP_MINUTES


def test_a_short_gap_is_a_straight_line_in_whole_watt_seconds():
    found = energies(unheard(3, 100, 50), 0, 3, shaped(lambda m: m, lambda m: m))
    assert found.net_ws[:, 0].tolist() == [33 - 16, 33 - 17, 34 - 17]
    assert found.estimated.all()
    assert found.known.all()


@pytest.mark.parametrize(("minutes", "asked"), [(SHORT_GAP_MINUTES, []), (SHORT_GAP_MINUTES + 1, [61])])
def test_only_a_gap_of_more_than_an_hour_asks_for_the_profile(minutes: int, asked: list[int]):
    heard = []
    energies(unheard(minutes, 1000), 0, minutes, lambda house, gap: heard.append((house, gap)))
    assert heard == [("A", range(FIRST, FIRST + length)) for length in asked]


def test_a_gap_in_which_nothing_flowed_asks_for_nothing():
    """Nor one of which nothing is known."""
    for rows in (unheard(LONG, 0), unheard(LONG, -60), unheard(LONG, 2**40)):
        assert not energies(rows, 0, LONG, lambda house, gap: pytest.fail("asked")).net_ws.any()


def test_every_block_of_a_long_gap_asks_for_the_whole_of_it():
    asked = set()
    for first, stop in ((-3, 1), (0, 5), (5, LONG - 5), (LONG - 1, LONG), (LONG, LONG + 5)):

        def note(house: str, gap: range, first: int = first) -> None:
            asked.add((first, gap))

        energies(unheard(LONG, 1000), first, stop, note)
    assert asked == {(at, range(FIRST, FIRST + LONG)) for at in (-3, 0, 5, LONG - 1)}


def test_a_long_gap_has_the_proportions_of_the_profile_each_direction_for_itself():
    half = LONG // 2
    profile = shaped(lambda m: 70 * (m < half), lambda m: 5 if m < half else 15)
    found = energies(unheard(LONG, export_ws=half * 40_000, import_ws=half * 600), 0, LONG, profile)
    assert found.net_ws[:, 0].tolist() == [10_000 - 600] * half + [30_000] * half
    assert found.estimated.all()
    assert found.known.all()


def test_a_direction_without_a_habit_is_a_straight_line():
    profile = shaped(lambda m: 0, lambda m: m == 0)
    found = energies(unheard(LONG, export_ws=500, import_ws=LONG * 7), 0, LONG, profile)
    assert found.net_ws[:, 0].tolist() == [500 - 7] + [-7] * (LONG - 1)
    straight = energies(unheard(LONG, export_ws=500), 0, LONG, lambda house, gap: None)
    np.testing.assert_array_equal(straight.net_ws, energies(unheard(LONG, export_ws=500), 0, LONG).net_ws)


def test_no_estimated_minute_is_more_than_the_connection_carries():
    most = int(LIMIT[0] * OVERLOAD * 60)
    at_once = shaped(lambda m: 0, lambda m: m == 7)
    assert energies(unheard(LONG, most), 0, LONG, at_once).net_ws[7, 0] == most
    beyond = energies(unheard(LONG, most + LONG), 0, LONG, at_once).net_ws
    assert beyond[:, 0].max() < most // LONG + 2
    assert beyond.sum() == most + LONG


def test_registers_of_a_large_site_and_a_long_silence_do_not_overflow():
    """A year at 2 MW: the rise times a minute, and times the habit's sum, exceed 64 bits."""
    year = 365 * 1440
    energy = 2_000_000 * 60 * year
    rows, whole = unheard(year, energy), range(FIRST, FIRST + year)
    block = read(("A",), whole, {"A": rows})
    profile = shaped(lambda m: 0, lambda m: 100_000_000 + m % 1440)
    for found in (
        minute_energy(block, np.array([2_000_000])),
        minute_energy(block, np.array([2_000_000]), profile),
    ):
        assert found.net_ws.sum() == energy
        assert found.net_ws.min() > 119_000_000


RUNS = st.lists(
    st.tuples(st.integers(-9000, 9000), st.booleans(), st.integers(1, 150)), min_size=1, max_size=6
)  # power, whether it was heard, minutes


@given(RUNS, st.integers(0, 2**32 - 1), st.lists(st.integers(0, 900), max_size=6))
@settings(max_examples=150)
def test_long_gaps_add_up_and_pieces_equal_the_whole(runs: list, seed: int, cuts: list[int]):
    powers = [power for power, _, minutes in runs for _ in range(minutes)]
    heard = [True, *(heard for _, heard, minutes in runs for _ in range(minutes))]
    rows = [row for row, kept in zip(history({"A": powers})["A"], heard, strict=True) if kept]

    def profile(house: str, gap: range) -> tuple[np.ndarray, np.ndarray] | None:
        random = np.random.default_rng((seed, gap.start))
        weights = random.integers(0, 10**6, (2, len(gap))) * (random.random((2, len(gap))) < 0.7)
        return None if seed % 7 == 0 else (weights[0], weights[1] * (seed % 5))

    whole = energies(rows, 0, len(powers), profile)
    last = rows[-1]
    assert whole.net_ws.sum() == last.export_ws - last.import_ws
    assert np.abs(whole.net_ws).max() <= LIMIT[0] * OVERLOAD * 60
    straight = energies(rows, 0, len(powers))
    measured = ~straight.estimated
    np.testing.assert_array_equal(whole.net_ws[measured], straight.net_ws[measured])
    points = [0, *sorted(min(cut, len(powers)) for cut in cuts), len(powers)]
    pieces = [energies(rows, start, stop, profile) for start, stop in pairwise(points)]
    for name in ("net_ws", "estimated", "known"):
        joined = np.concatenate([getattr(piece, name) for piece in pieces])
        np.testing.assert_array_equal(joined, getattr(whole, name))
    np.testing.assert_array_equal(straight.estimated, whole.estimated)
    np.testing.assert_array_equal(straight.known, whole.known)


def test_no_minutes_at_all():
    assert energies(history({"A": [5]})["A"], 1, 1).net_ws.shape == (0, 1)
