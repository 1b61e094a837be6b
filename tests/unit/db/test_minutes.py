"""Minutes: appended once, revised but never lost, and the same through seals as through rows."""

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from db.central import CENTRAL, AgreementRepository, Correction, MinuteStore
from db.engine import open_reader, open_writer
from microgrid.columns import EdgeRows, MinuteColumns, OrderColumns
from microgrid.minute import Fate, Hold, MeterMinute, OrderMinute, Origin
from microgrid.registers import Registers
from microgrid.swap import MeterSwap
from microgrid.terms import House, Terms
from tests.unit.db.rows import meter, order
from tests.unit.db.test_billed import assert_billed

DAY = 1440
EDGE = [field.name for field in dataclasses.fields(EdgeRows)]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MinuteStore]:
    connection = open_writer(tmp_path / "a.db", CENTRAL)
    yield MinuteStore(connection)
    connection.close()


def same(a: object, b: object) -> bool:
    """Whether two columns objects hold the same."""
    for field in dataclasses.fields(a):  # type: ignore[arg-type]
        left, right = getattr(a, field.name), getattr(b, field.name)
        if isinstance(left, EdgeRows):
            if not same(left, right):
                return False
        elif not np.array_equal(left, right):
            return False
    return True


def test_the_same_minutes_again_change_nothing(store: MinuteStore) -> None:
    rows = [meter(house, minute) for house in "AB" for minute in range(10)]
    assert store.append(rows, [order()]) == 21
    store.seal(0)
    before = store.read(0, 20)
    assert store.append(rows, [order()]) == 0
    assert store.append([replace(row, origin=Origin.LATE, revision=7) for row in rows]) == 0
    assert store.sealed_days() == [0]
    assert same(store.read(0, 20), before)
    assert store.revisions("A", 5) == []


def test_other_content_is_a_new_revision_and_the_old_one_stays(store: MinuteStore) -> None:
    estimated = meter(minute=5, origin=Origin.ESTIMATED)
    late = meter(minute=5, import_ws=351, origin=Origin.LATE)
    corrected = meter(minute=5, covered_s=1, origin=Origin.CORRECTED)
    assert store.append([estimated, meter("B", 5)]) == 2
    assert store.append([meter("C", 5), late]) == 2
    assert store.append([corrected]) == 1
    assert store.last_minutes()["A"] == replace(corrected, revision=2)
    assert store.revisions("A", 5) == [estimated, replace(late, revision=1)]
    assert store.revisions("B", 5) == []
    assert store.read(5, 6).origin.tolist() == [[Origin.CORRECTED, Origin.LIVE, Origin.LIVE]]


def test_a_minute_twice_in_one_batch_is_revised_by_the_later(store: MinuteStore) -> None:
    first, second = meter(minute=5), meter(minute=5, import_ws=1)
    store.append([first, second])
    assert store.last_minutes() == {"A": replace(second, revision=1)}
    assert store.revisions("A", 5) == [first]


def test_a_batch_of_any_length_is_stored_whole_and_once(store: MinuteStore) -> None:
    rows = [meter(f"H{number:03}", 1441, import_ws=number) for number in range(300)]
    orders = [order(row.house, 1441) for row in rows[::2]]
    assert store.append(rows[:7]) == 7
    assert store.append(rows, orders) == 443
    assert store.append(rows, orders) == 0
    read = store.read(1441, 1442)
    assert read.present.all()
    assert read.import_ws[0].tolist() == list(range(300))
    assert store.read_orders(1441, 1442).present.sum() == 150


def test_days_are_noted_also_after_a_transaction_that_was_undone(store: MinuteStore) -> None:
    def undone() -> None:
        with store.transaction():
            store.append([meter("A", 5)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    store.append([meter("A", 6)])
    assert store.last_minutes() == {"A": meter("A", 6)}
    store.append([meter("A", DAY), meter("A", 7), meter("A", 2 * DAY)])
    store.append([meter("A", 8)])
    assert store.last_minutes() == {"A": meter("A", 2 * DAY)}
    assert store.read(9, 10, ["A"]).opening.minute.tolist() == [8]
    assert store.read(9, 10, ["A"]).closing.minute.tolist() == [DAY]


def registers(row: MeterMinute) -> Registers:
    return Registers(
        epoch=row.epoch, import_ws=row.import_ws, export_ws=row.export_ws, generation_ws=row.generation_ws
    )


def test_a_correction_is_a_revision_with_an_author(store: MinuteStore) -> None:
    raw = meter(minute=5)
    right = meter(minute=5, import_ws=340, epoch=2)
    store.append([raw, meter("B", 5)])
    store.seal(0)
    store.correct(right, "Ada", "read off the meter's display", 99)
    assert store.sealed_days() == []
    assert store.last_minutes()["A"] == replace(right, origin=Origin.CORRECTED, revision=1)
    assert store.revisions("A", 5) == [raw]
    again = replace(right, export_ws=1)
    store.correct(again, "Bob", "misread", 100)
    assert store.revisions("A", 5) == [raw, replace(right, origin=Origin.CORRECTED, revision=1)]
    first = Correction("A", 5, "Ada", "read off the meter's display", 99, registers(raw), registers(right))
    second = Correction("A", 5, "Bob", "misread", 100, registers(right), registers(again))
    assert store.corrections("A", 5, 6) == store.corrections("A", 0, DAY) == (first, second)
    assert store.corrections("A", 0, 5) == store.corrections("A", 6, 9) == store.corrections("B", 0, 9) == ()


def test_a_minute_nobody_heard_can_be_entered_as_a_correction(store: MinuteStore) -> None:
    right = meter(minute=DAY + 5)
    store.correct(right, "Ada", "from the house's own journal", 99)
    assert store.last_minutes() == {"A": replace(right, origin=Origin.CORRECTED)}
    (found,) = store.corrections("A", 0, 2 * DAY)
    assert (found.before, found.after) == (None, registers(right))
    assert store.append([replace(right, origin=Origin.LATE)]) == 0
    assert store.revisions("A", DAY + 5) == []


def test_what_the_house_sends_never_replaces_a_correction_and_is_never_lost(store: MinuteStore) -> None:
    raw = meter(minute=5)
    store.append([raw])
    right = meter(minute=5, import_ws=340)
    store.correct(right, "Ada", "the meter ran backwards", 99)
    store.seal(0)
    assert store.append([raw, replace(raw, origin=Origin.LATE)]) == 0  # the acknowledgement was lost
    assert store.sealed_days() == [0]
    assert store.revisions("A", 5) == [raw]
    other = meter(minute=5, import_ws=9, origin=Origin.LATE)
    assert store.append([other]) == 1
    assert store.append([other, raw]) == 0
    assert store.last_minutes()["A"] == replace(right, origin=Origin.CORRECTED, revision=2)
    assert store.revisions("A", 5) == [raw, replace(other, revision=1)]
    assert store.read(5, 6).import_ws.tolist() == [[340]]


def test_a_correction_is_stored_whole_or_not_at_all(store: MinuteStore) -> None:
    store.append([meter(minute=5)])

    def undone() -> None:
        with store.transaction():
            store.correct(meter(minute=5, import_ws=1), "Ada", "why", 99)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        undone()
    assert store.last_minutes() == {"A": meter(minute=5)}
    assert store.corrections("A", 0, 9) == ()


def test_the_exchange_of_a_meter_is_kept_once(store: MinuteStore) -> None:
    later = MeterSwap(
        house="A",
        at_s=2**33,
        old=registers(meter(minute=5)),
        new=registers(meter(minute=6, epoch=2)),
        old_meter="1.0 #7",
        new_meter="1.1 #1",
        installer="Öz",
        reason="display broken",
    )
    earlier, theirs = replace(later, at_s=5), replace(later, house="B")
    for swap in (later, earlier, theirs, replace(later, reason="again")):
        store.keep_swap(swap)
    assert store.swaps("A") == (earlier, later)
    assert store.swaps("C") == ()


def test_an_order_minute_never_changes(store: MinuteStore) -> None:
    store.append([], [order(minute=5, target_w=None, acknowledged_s=None)])
    assert store.append([], [order(minute=5, target_w=1, hold=Hold.CAP), order("B", 5)]) == 1
    read = store.read_orders(4, 6, ["A", "B", "C"])
    assert read.present.tolist() == [[False] * 3, [True, True, False]]
    assert read.target_w.tolist() == [[-1, -1, -1], [-1, 1500, -1]]
    assert read.acknowledged_s.tolist() == [[-1, -1, -1], [-1, 302, -1]]
    assert read.hold.tolist()[1] == [Hold.SHARING, Hold.SHARING, 0]
    assert read.command_id.tolist()[1] == [2**40, 2**40, 0]
    assert read.raise_standing.tolist()[1] == read.tie_closed.tolist()[1] == [True, True, False]
    assert not read.out_of_service.any()


def test_a_transaction_holds_several_appends_or_none(store: MinuteStore) -> None:
    def half_way() -> None:
        with store.transaction():
            store.append([meter("A", 1)])
            store.append([meter("B", 1)], [order("B", 1)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    assert store.last_minutes() == {}
    assert not store.read_orders(0, 5, ["B"]).present.any()


def test_columns_hold_what_was_written_and_nothing_where_nothing_was(store: MinuteStore) -> None:
    top = 2**63 - 1
    extreme = meter("b", 1441, epoch=-(2**63), import_ws=top, export_ws=-top, max_w=-9, min_w=-10, suspect=3)
    store.append([meter("a", 1440), extreme, meter("b", 1443)])
    for _ in ("rows", "seal"):
        read = store.read(1440, 1444, ["b", "a"])
        assert read.houses == ("a", "b")
        assert read.present.tolist() == [[True, False], [False, True], [False, False], [False, True]]
        assert read.epoch.tolist() == [[1, 0], [0, -(2**63)], [0, 0], [0, 1]]
        assert read.import_ws[:, 1].tolist() == [0, top, 0, 70 * 1443]
        assert read.export_ws[:, 1].tolist() == [0, -top, 0, 30 * 1443]
        assert read.generation_ws[:, 0].tolist() == [110 * 1440, 0, 0, 0]
        assert (read.max_w[1, 1], read.min_w[1, 1], read.suspect[1, 1]) == (-9, -10, 3)
        assert (read.closed_s[0, 0], read.covered_s[0, 0]) == (60, 59)
        store.seal(1)
    assert store.sealed_days() == [1]


def test_openings_and_closings_are_the_nearest_rows_however_far(store: MinuteStore) -> None:
    far = [meter("A", 3), meter("A", 9 * DAY + 7), meter("B", 5 * DAY - 1), meter("B", 6 * DAY)]
    inside = [meter("C", 5 * DAY + 700)]
    store.append(far + inside)
    for _ in ("rows", "seals"):
        read = store.read(5 * DAY, 6 * DAY, ["A", "B", "C", "D"])
        assert read.opening.minute.tolist() == [3, 5 * DAY - 1, -1, -1]
        assert read.closing.minute.tolist() == [9 * DAY + 7, 6 * DAY, -1, -1]
        assert read.opening.import_ws.tolist() == [210, 70 * (5 * DAY - 1), 0, 0]
        assert read.closing.generation_ws.tolist() == [110 * (9 * DAY + 7), 110 * 6 * DAY, 0, 0]
        assert read.closing.epoch.tolist() == [1, 1, 0, 0]
        within = store.read(5 * DAY + 800, 5 * DAY + 801, ["C"])
        assert (within.opening.minute[0], within.closing.minute[0]) == (5 * DAY + 700, -1)
        for day in (0, 4, 5, 6, 9):
            store.seal(day)


def test_days_are_chained_and_make_up_the_whole(store: MinuteStore) -> None:
    minutes = [DAY - 3, DAY + 5, 4 * DAY, 4 * DAY + 1, 5 * DAY + 2]
    store.append([meter("A", minute) for minute in minutes], [order("A", 3 * DAY)])
    parts = list(store.days(DAY - 1, 4 * DAY + 1, ["A"]))
    assert [(part.first_minute, part.end_minute) for part, _ in parts] == [
        (DAY - 1, DAY),
        (DAY, 2 * DAY),
        (2 * DAY, 3 * DAY),
        (3 * DAY, 4 * DAY),
        (4 * DAY, 4 * DAY + 1),
    ]
    assert [int(part.opening.minute[0]) for part, _ in parts] == [DAY - 3, DAY - 3, DAY + 5, DAY + 5, DAY + 5]
    assert [int(part.closing.minute[0]) for part, _ in parts] == [
        DAY + 5,
        4 * DAY,
        4 * DAY,
        4 * DAY,
        4 * DAY + 1,
    ]
    assert [int(orders.present.sum()) for _, orders in parts] == [0, 0, 0, 1, 0]
    whole = store.read(DAY - 1, 4 * DAY + 1, ["A"])
    assert whole.present.shape == (3 * DAY + 2, 1)
    assert np.array_equal(whole.import_ws, np.concatenate([part.import_ws for part, _ in parts]))
    with pytest.raises(ValueError, match="empty"):
        store.read(5, 5)


def test_without_a_list_the_houses_are_those_of_the_terms_and_those_with_minutes(tmp_path: Path) -> None:
    connection = open_writer(tmp_path / "a.db", CENTRAL)
    houses = (House(house="C", name="", connection_w=1), House(house="A", name="", connection_w=1))
    terms = Terms(zone="UTC", houses=houses, contracts=(), tariffs=())
    AgreementRepository(connection).found(terms, "", "", 0)
    store = MinuteStore(connection)
    store.append([meter("B", 1)])
    assert store.read(0, 2).houses == store.read_orders(0, 2).houses == ("A", "B", "C")
    connection.close()


def test_last_minutes_are_each_house_s_own(store: MinuteStore) -> None:
    store.append([meter("A", 1), meter("A", 3 * DAY + 2), meter("A", 3 * DAY), meter("B", 4)])
    assert store.last_minutes() == {"A": meter("A", 3 * DAY + 2), "B": meter("B", 4)}


@pytest.mark.parametrize("late", [meter("A", 8), meter("A", 7, import_ws=1), meter("B", 7)])
def test_a_write_into_a_sealed_day_breaks_its_seal_in_the_same_transaction(
    store: MinuteStore, late: MeterMinute
) -> None:
    store.append([meter("A", 7), meter("A", DAY)])
    store.seal(0)
    store.seal(1)

    def half_way() -> None:
        with store.transaction():
            store.append([late])
            assert store.sealed_days() == [1]
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_way()
    assert store.sealed_days() == [0, 1]
    store.append([late])
    assert store.sealed_days() == [1]
    assert store.unsealed_days(before=2) == [0]
    assert store.read(late.minute, late.minute + 1, [late.house]).import_ws[0, 0] == late.import_ws


def test_a_day_written_into_while_it_is_sealed_is_sealed_with_what_was_written(store: MinuteStore) -> None:
    houses = [f"H{number}" for number in range(12)]
    store.append([meter(house, 7) for house in houses], [order("H0", 7)])
    steps = store.seal_in_steps(0)
    next(steps)
    next(steps)
    store.append([meter("H0", 7, import_ws=1), meter("late", 8)], [order("H9", 9)])
    assert store.sealed_days() == []
    unsealed = store.read(0, DAY), store.read_orders(0, DAY)
    assert list(steps) != []
    assert store.sealed_days() == [0]
    assert same(store.read(0, DAY), unsealed[0])
    assert same(store.read_orders(0, DAY), unsealed[1])


def test_a_late_order_breaks_the_seal_too(store: MinuteStore) -> None:
    store.append([meter("A", 7)], [order("A", 7)])
    store.seal(0)
    store.append([], [order("A", 8)])
    assert store.sealed_days() == []
    assert store.read_orders(7, 9, ["A"]).present.all()


def test_a_reader_keeps_its_snapshot_while_it_goes_through_the_days(tmp_path: Path) -> None:
    writer = open_writer(tmp_path / "a.db", CENTRAL)
    MinuteStore(writer).append([meter("A", 0), meter("A", DAY)])
    reader = open_reader(tmp_path / "a.db", CENTRAL)
    days = MinuteStore(reader).days(0, 2 * DAY, ["A"])
    next(days)
    MinuteStore(writer).append([meter("A", DAY + 1)])
    part, _ = next(days)
    assert part.present.sum() == 1
    days.close()
    assert MinuteStore(reader).read(DAY, 2 * DAY, ["A"]).present.sum() == 2
    reader.close()
    writer.close()


HOUSES = st.sampled_from("ABC")
# around two midnights, and a lone day further off
MINUTES = st.one_of(
    st.integers(DAY - 3, DAY + 3), st.integers(2 * DAY - 3, 2 * DAY + 3), st.just(6 * DAY + 100)
)
REGISTER = st.one_of(st.integers(0, 100), st.integers(-(2**63), 2**63 - 1))
METER_ROW = st.builds(
    meter,
    HOUSES,
    MINUTES,
    epoch=st.integers(0, 2),
    import_ws=REGISTER,
    export_ws=REGISTER,
    covered_s=st.integers(0, 60),
    origin=st.sampled_from(Origin),
)
ORDER_ROW = st.builds(
    order,
    HOUSES,
    MINUTES,
    target_w=st.none() | st.integers(0, 10**6),
    hold=st.sampled_from(Hold),
    fate=st.sampled_from(Fate),
    acknowledged_s=st.none() | st.integers(0, 2**40),
    tie_closed=st.booleans(),
)
STEP = st.one_of(
    st.tuples(st.lists(METER_ROW, max_size=8), st.lists(ORDER_ROW, max_size=4)), st.sampled_from([0, 1, 2, 6])
)


def take(meters: dict[tuple[int, str], MeterMinute], row: MeterMinute) -> None:
    """What a store holds after this row: another measurement replaces any but a corrected one."""
    key = (row.minute, row.house)
    current = meters.get(key, row)
    same_measured = replace(current, origin=row.origin) == row
    if key not in meters or not (same_measured or current.origin is Origin.CORRECTED):
        meters[key] = row


def expected(
    meters: dict[tuple[int, str], MeterMinute], first: int, end: int, houses: tuple[str, ...]
) -> tuple[list[list[bool]], list[list[int]], list[int], list[int]]:
    """Presence, import, opening and closing minutes by the simplest means."""
    present = [[(minute, house) in meters for house in houses] for minute in range(first, end)]
    imports = [
        [meters[minute, house].import_ws if (minute, house) in meters else 0 for house in houses]
        for minute in range(first, end)
    ]
    before = [max((m for m, h in meters if h == house and m < first), default=-1) for house in houses]
    after = [min((m for m, h in meters if h == house and m >= end), default=-1) for house in houses]
    return present, imports, before, after


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=8), st.integers(DAY - 4, 2 * DAY + 4), st.integers(1, DAY + 8))
def test_seals_read_as_rows_do_after_any_history(
    steps: list[tuple[list[MeterMinute], list[OrderMinute]] | int], first: int, length: int
) -> None:
    end, houses = first + length, ("A", "B", "C")
    with tempfile.TemporaryDirectory() as folder:
        sealed, plain = (open_writer(Path(folder) / name, CENTRAL) for name in ("sealed.db", "plain.db"))
        try:
            with sealed.begin(), plain.begin():
                meters: dict[tuple[int, str], MeterMinute] = {}
                for step in steps:
                    if isinstance(step, int):
                        MinuteStore(sealed).seal(step)
                        continue
                    for connection in (sealed, plain):
                        MinuteStore(connection).append(*step)
                    for row in step[0]:
                        take(meters, row)
                got, want = MinuteStore(sealed), MinuteStore(plain)
                read = got.read(first, end, houses)
                assert same(read, want.read(first, end, houses))
                assert same(got.read_orders(first, end, houses), want.read_orders(first, end, houses))
                assert (
                    read.present.tolist(),
                    read.import_ws.tolist(),
                    read.opening.minute.tolist(),
                    read.closing.minute.tolist(),
                ) == expected(meters, first, end, houses)
                assert_chained(got, first, end, houses)
                assert_billed(got, first, end, houses)
        finally:
            sealed.close()
            plain.close()


def assert_chained(store: MinuteStore, first: int, end: int, houses: tuple[str, ...]) -> None:
    """Every day of `days` has the edges that reading it alone gives."""
    for minutes, orders in store.days(first, end, houses):
        assert isinstance(minutes, MinuteColumns)
        assert isinstance(orders, OrderColumns)
        assert same(minutes, store.read(minutes.first_minute, minutes.end_minute, houses))
