"""What bills are made from is what all minutes tell, only read faster."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from db.central import CENTRAL, MinuteStore
from db.engine import open_writer
from microgrid.columns import MinuteColumns
from tests.unit.db.rows import meter, order

DAY = 1440


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MinuteStore]:
    connection = open_writer(tmp_path / "a.db", CENTRAL)
    yield MinuteStore(connection)
    connection.close()


def assert_billed(store: MinuteStore, first: int, end: int, houses: tuple[str, ...]) -> set[str]:
    """`billed_days` tells what `days` does, of whole houses by rises; returns those that ever were whole."""
    ever: set[str] = set()
    days = store.days(first, end, houses)
    for (billed, standing), (minutes, orders) in zip(
        store.billed_days(first, end, houses), days, strict=True
    ):
        columns = np.flatnonzero(billed.whole)
        assert minutes.present[:, columns].all()
        for name in ("closed_s", "max_w", "min_w"):
            assert np.array_equal(getattr(billed, name)[:, columns], getattr(minutes, name)[:, columns])
            assert not getattr(billed, name)[:, ~billed.whole].any()
        for rises, name in ((billed.imported_ws, "import_ws"), (billed.exported_ws, "export_ws")):
            before = getattr(minutes.opening, name)[columns]
            registers = getattr(minutes, name)[:, columns]
            assert np.array_equal(rises[:, columns], np.diff(registers, axis=0, prepend=[before]))
        rest = [place for place in range(len(houses)) if place not in columns]
        for field in dataclasses.fields(MinuteColumns)[3:13]:
            assert np.array_equal(getattr(billed.rest, field.name), getattr(minutes, field.name)[:, rest]), (
                field.name
            )
        assert billed.rest.opening.minute.tolist() == minutes.opening.minute[rest].tolist()
        assert billed.rest.closing.import_ws.tolist() == minutes.closing.import_ws[rest].tolist()
        for field in dataclasses.fields(standing):
            assert np.array_equal(getattr(standing, field.name), getattr(orders, field.name)), field.name
        ever |= {houses[column] for column in columns}
    return ever


def test_whole_houses_of_sealed_days_are_billed_by_what_their_registers_rose(store: MinuteStore) -> None:
    """A: all there. B: a gap on the second day. C: a new epoch. D: steady, but silent before. E: nothing."""
    noise = np.random.default_rng(1).integers(0, 4000, 3 * DAY).cumsum()
    rows = [meter("A", m, import_ws=int(noise[m]), max_w=int(noise[m]) % 999) for m in range(3 * DAY)]
    rows += [meter("B", m) for m in range(3 * DAY) if m != DAY + 700]
    rows += [meter("C", m, epoch=int(m > DAY)) for m in range(3 * DAY)]
    rows += [meter("D", m) for m in range(3 * DAY) if m not in (DAY - 1, DAY - 2)]
    store.append(rows, [order("A", m) for m in range(0, 3 * DAY, 2)])
    houses = ("A", "B", "C", "D", "E")
    assert assert_billed(store, 0, 3 * DAY, houses) == set()  # not sealed
    for day in range(3):
        store.seal(day)
    assert assert_billed(store, DAY, 2 * DAY, houses) == {"A"}
    assert assert_billed(store, 100, 2 * DAY + 100, houses) == {"A", "B", "C", "D"}
    assert assert_billed(store, 2 * DAY, 3 * DAY, ("B", "D")) == {"B", "D"}
    assert assert_billed(store, DAY + 500, DAY + 900, ("D", "A")) == {"A", "D"}
