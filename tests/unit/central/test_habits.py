"""The profile of a long gap: the same local minutes of the three weeks before, where they were measured."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from central_monitor.services.habits import Habits, weeks_before
from db.central import CENTRAL, MinuteStore
from db.engine import open_writer
from microgrid.columns import MinuteColumns
from microgrid.energy import Profile, minute_energy
from microgrid.minute import MeterMinute, Origin
from microgrid.months import local_time, minute_of, zone_of
from microgrid.units import WS_PER_KWH
from tests.unit.central.parts import buyer, row, seller, terms

WEEK = 7 * 1440
KARACHI = zone_of("Asia/Karachi")
SUNDAY = minute_of(datetime(2026, 6, 28, tzinfo=KARACHI))
FIVE, NINE = SUNDAY + 5 * 60, SUNDAY + 9 * 60
GAP = range(FIVE, NINE)
TERMS = terms(seller("B", 8), buyer("A"))  # connections of 5 kW


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MinuteStore]:
    connection = open_writer(tmp_path / "a.db", CENTRAL)
    yield MinuteStore(connection)
    connection.close()


class Counting:
    """A reader that counts how often it is asked."""

    def __init__(self, store: MinuteStore) -> None:
        self.asked = 0
        self._store = store

    def read(self, first_minute: int, end_minute: int, houses: Iterable[str] | None = None) -> MinuteColumns:
        self.asked += 1
        return self._store.read(first_minute, end_minute, houses)


def flows(
    minutes: range, export_w: Iterable[int], import_w: Iterable[int] | None = None, **more: int
) -> list[MeterMinute]:
    """Rows of B, the one before the minutes included, for these powers minute by minute."""
    out, taken = 10**9 + minutes.start, 2 * 10**9
    rows = [row("B", minutes.start - 1, taken, out, **more)]
    powers = zip(minutes, export_w, import_w or [0] * len(minutes), strict=True)
    for minute, exported, imported in powers:
        out, taken = out + 60 * exported, taken + 60 * imported
        rows.append(row("B", minute, taken, out, **more))
    return rows


def steady(week: int, export_w: int, import_w: int = 0, gap: range = GAP, **more: int) -> list[MeterMinute]:
    """So many weeks before the gap these constant powers."""
    minutes = range(gap.start - week * WEEK, gap.stop - week * WEEK)
    return flows(minutes, [export_w] * len(minutes), [import_w] * len(minutes), **more)


def test_the_example_of_the_document(store: MinuteStore) -> None:
    for week, power in ((1, 600), (2, 400)):
        minutes = range(FIVE - week * WEEK, NINE - week * WEEK)
        exported = [0] * 120 + [power] * 60 + [3 * power] * 60
        store.append(flows(minutes, exported, [120] * 120 + [0] * 120))
    before = row("B", FIVE - 1, 3 * WS_PER_KWH, 5 * WS_PER_KWH)
    after = row(
        "B", NINE - 1, 3 * WS_PER_KWH + WS_PER_KWH * 24 // 100, 5 * WS_PER_KWH + WS_PER_KWH * 24 // 10
    )
    store.append([before, after])

    columns = store.read(FIVE, NINE, ["B"])
    found = minute_energy(columns, np.array([5000]), Habits(store, TERMS))
    assert found.net_ws[:, 0].tolist() == [-7_200] * 120 + [36_000] * 60 + [108_000] * 60
    assert found.estimated.all()
    assert found.known.all()
    straight = minute_energy(columns, np.array([5000])).net_ws[:, 0]
    assert straight[:120].sum() == WS_PER_KWH * (240 - 24) // 200  # 1.2 kWh, less half of what it took


def test_the_profile_is_the_mean_of_the_weeks_that_were_measured(store: MinuteStore) -> None:
    store.append(steady(1, 600, 30) + steady(2, 300, 60) + steady(3, 900, 0))
    imported, exported = profiled(Habits(store, TERMS))
    assert (imported.tolist(), exported.tolist()) == ([1800] * 240, [36_000] * 240)


def test_only_three_weeks_count(store: MinuteStore) -> None:
    store.append(steady(4, 600) + steady(0, 600)[:1])
    assert Habits(store, TERMS)("B", GAP) is None


@pytest.mark.parametrize(("heard", "habit"), [(119, False), (120, True)])
def test_half_of_the_gap_must_have_been_measured(store: MinuteStore, heard: int, habit: bool) -> None:
    """In some week each; the rest gets the mean of the gap."""
    first, third = steady(1, 600)[: 1 + 60], steady(3, 300)[-1 - (heard - 60) :]
    store.append(first + third)
    found = Habits(store, TERMS)("B", GAP)
    assert (found is not None) == habit
    if found is not None:
        assert found[1].tolist() == [36_000] * 60 + [27_000] * 120 + [18_000] * 60


@pytest.mark.parametrize("flaw", ["missing", "epoch", "estimated", "fallen", "jumped"])
def test_what_was_not_measured_is_no_habit(store: MinuteStore, flaw: str) -> None:
    rows = steady(1, 600)
    middle = rows[121]
    if flaw == "missing":
        del rows[121]
    else:
        changes: dict[str, dict[str, int]] = {
            "epoch": {"epoch": 1},
            "estimated": {"origin": Origin.ESTIMATED},
            "fallen": {"export_ws": 0},
            "jumped": {"import_ws": middle.import_ws + 60 * 60 * 5000},
        }
        values = {"export_ws": middle.export_ws, "import_ws": middle.import_ws, **changes[flaw]}
        rows[121] = row("B", middle.minute, **values)
    store.append(rows)
    other = steady(2, 60)  # what is left for the two minutes that touch the flaw
    store.append(other)
    _, exported = profiled(Habits(store, TERMS))
    assert exported.tolist() == [19_800] * 120 + [3_600] * 2 + [19_800] * 118


def test_other_houses_are_not_asked(store: MinuteStore) -> None:
    store.append(steady(1, 600))
    assert Habits(store, TERMS)("A", GAP) is None


def test_a_gap_of_weeks_finds_what_was_measured_before_it(store: MinuteStore) -> None:
    gap = range(FIVE, FIVE + 10 * 1440)
    store.append(steady(2, 600, gap=range(gap.start, gap.start + 14 * 1440)))
    _, exported = profiled(Habits(store, TERMS), gap)
    assert exported.tolist() == [36_000] * len(gap)


def test_a_gap_is_read_once_until_the_houses_next(store: MinuteStore) -> None:
    store.append(steady(1, 600))
    reader = Counting(store)
    habits = Habits(reader, TERMS)
    first = habits("B", GAP)
    assert habits("B", range(GAP.start, GAP.stop)) is first
    assert habits("A", GAP) is None
    assert habits("B", GAP) is first
    assert reader.asked == 6
    habits("B", range(GAP.start, GAP.stop - 1))
    assert reader.asked == 9


def test_a_gap_of_days_is_estimated_day_by_day_as_the_whole(store: MinuteStore) -> None:
    gap = range(FIVE, FIVE + 3001)
    week_before = range(gap.start - WEEK, gap.stop - WEEK)
    store.append(flows(week_before, [200 + minute % 1440 for minute in gap], [m % 7 * 10 for m in gap]))
    store.append([row("B", gap.start - 1, 5, 7), row("B", gap.stop - 1, 5 + 100_003, 7 + 70_000_001)])
    whole = energy(store.read(gap.start, gap.stop, ["B"]), Habits(store, TERMS))
    pieces = [energy(day, Habits(store, TERMS)) for day, _ in store.days(gap.start, gap.stop, ["B"])]
    assert len(pieces) == 3
    np.testing.assert_array_equal(np.concatenate(pieces), whole)
    assert whole.sum() == 70_000_001 - 100_003
    minute_of_day = np.array(gap) % 1440
    assert whole[minute_of_day < 10].max() * 5 < whole[minute_of_day > 1429].min()


def energy(columns: MinuteColumns, profile: Profile) -> np.ndarray:
    return minute_energy(columns, np.array([5000]), profile).net_ws[:, 0]


def profiled(habits: Habits, gap: range = GAP) -> tuple[np.ndarray, np.ndarray]:
    found = habits("B", gap)
    assert found is not None
    return found


# --- the same local minute of the week --------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Asia/Kathmandu", "2026-06-14"),
        ("Europe/Berlin", "2026-03-28"),  # into the change
        ("Europe/Berlin", "2026-04-01"),  # after it
        ("Europe/Berlin", "2026-10-24"),
        ("Europe/Berlin", "2026-10-28"),
        ("America/New_York", "2026-03-10"),
        ("Australia/Lord_Howe", "2026-10-03"),
        ("Australia/Lord_Howe", "2026-10-06"),
        ("Australia/Lord_Howe", "2026-04-07"),
    ],
)
@pytest.mark.parametrize("weeks", [1, 2, 3])
def test_habits_keep_the_local_time_when_the_clocks_change(zone: str, day: str, weeks: int) -> None:
    """Also from a first minute that is no quarter of an hour."""
    here = zone_of(zone)
    start = minute_of(datetime.fromisoformat(day).replace(tzinfo=here)) + 7
    gap = range(start, start + 2 * 1440)
    for minute, before in zip(gap, weeks_before(gap, weeks, here).tolist(), strict=True):
        now, then = (local_time(at, here).replace(tzinfo=None) for at in (minute, before))
        assert now - then == timedelta(weeks=weeks)


def test_a_skipped_time_is_the_one_after_it_and_a_double_one_the_first() -> None:
    here = zone_of("Europe/Berlin")

    def before(local: str, fold: int = 0) -> datetime:
        minute = minute_of(datetime.fromisoformat(local).replace(tzinfo=here, fold=fold))
        return local_time(int(weeks_before(range(minute, minute + 1), 1, here)[0]), here)

    assert before("2026-04-05T02:30").isoformat() == "2026-03-29T03:30:00+02:00"  # there was no 02:30
    for fold in (0, 1):
        assert before("2026-10-25T02:30", fold).isoformat() == "2026-10-18T02:30:00+02:00"
    assert before("2026-11-01T02:30").isoformat() == "2026-10-25T02:30:00+02:00"  # there were two
