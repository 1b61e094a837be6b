from zoneinfo import ZoneInfo

import numpy as np
import pytest

from microgrid.months import local_time, month_minutes
from simulation.plant.household import DAY_ENDS, DAY_STARTS, WMIN_PER_KWH, household_load, spread

KARACHI = ZoneInfo("Asia/Karachi")
JUNE = month_minutes("2026-06", KARACHI)


def half_days_kwh(load, month, zone):
    """Energy by (local date, is day) and how many minutes each has."""
    found: dict[tuple[object, bool], float] = {}
    for minute, power_w in zip(month, load.tolist(), strict=True):
        local = local_time(minute, zone)
        key = (local.date(), DAY_STARTS <= local.hour < DAY_ENDS)
        found[key] = found.get(key, 0) + power_w / WMIN_PER_KWH
    return found


@pytest.mark.parametrize(("house", "kwh"), [("A", 380), ("B", 466), ("C", 635), ("D", 326)])
def test_the_month_has_exactly_the_energy_of_chapter_9(house, kwh):
    load = household_load(JUNE, KARACHI, kwh, 1, house)
    assert len(load) == 30 * 1440
    assert int(load.sum()) == kwh * WMIN_PER_KWH
    assert load.min() > 0


@pytest.mark.parametrize("kwh", [326, 635])
def test_day_and_night_energies_are_in_the_ranges_of_the_source(kwh):
    energies = half_days_kwh(household_load(JUNE, KARACHI, kwh, 5, "C"), JUNE, KARACHI)
    days = [energy for (_, day), energy in energies.items() if day]
    nights = [energy for (_, day), energy in energies.items() if not day]
    assert len(days) == len(nights) == 30
    assert 6 - 1e-3 <= min(days) < max(days) <= 18 + 1e-3
    assert 4 - 1e-3 <= min(nights) < max(nights) <= 9 + 1e-3


@pytest.mark.parametrize("kwh", [200, 900])
def test_a_month_outside_the_ranges_still_has_its_energy(kwh):
    load = household_load(JUNE, KARACHI, kwh, 1, "X")
    assert int(load.sum()) == kwh * WMIN_PER_KWH
    assert load.min() > 0


def test_other_months_are_in_proportion_to_their_days_also_when_the_clock_changes():
    paris = ZoneInfo("Europe/Paris")
    for name, days in [("2026-02", 28), ("2026-03", 31), ("2026-10", 31)]:
        month = month_minutes(name, paris)
        load = household_load(month, paris, 300, 1, "A")
        assert len(load) == len(month)
        assert int(load.sum()) == 10 * days * WMIN_PER_KWH


def test_same_seed_same_load_and_every_house_and_seed_its_own():
    first = household_load(JUNE, KARACHI, 380, 7, "A")
    assert np.array_equal(first, household_load(JUNE, KARACHI, 380, 7, "A"))
    assert not np.array_equal(first, household_load(JUNE, KARACHI, 380, 8, "A"))
    assert not np.array_equal(first, household_load(JUNE, KARACHI, 380, 7, "B"))


def test_appliances_run_in_blocks_of_minutes():
    load = household_load(JUNE, KARACHI, 380, 7, "A")
    steps = np.abs(np.diff(load)) > 300
    # Some hundred switchings in a month of 43,200 minutes, not noise from minute to minute.
    assert 200 < steps.sum() < 4000
    assert load.max() > 1500


def test_spread_gives_whole_numbers_with_the_exact_sum():
    parts = spread(1000, np.array([1.0, 1.0, 1.0]))
    assert parts.sum() == 1000
    assert parts.max() - parts.min() <= 1
