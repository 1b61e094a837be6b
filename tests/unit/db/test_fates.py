"""What became of an order is kept with its minute: in rows, in seals, and unknown in seals from before."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from db.central import CENTRAL, MinuteStore
from db.engine import open_writer
from microgrid.minute import Fate
from tests.unit.db.rows import meter, order
from tests.unit.db.test_minutes import same

DAY = 1440


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    opened = open_writer(tmp_path / "a.db", CENTRAL)
    yield opened
    opened.close()


def test_fates_come_back_from_rows_and_seal(connection: Connection) -> None:
    store = MinuteStore(connection)
    orders = [order("A", minute, fate=fate) for minute, fate in enumerate(Fate)]
    store.append([meter("A", minute) for minute in range(len(Fate))], [*orders, order("B", 1)])
    assert [store.order("A", minute) for minute in range(len(Fate))] == orders
    for _ in ("rows", "seal"):
        read = store.read_orders(0, DAY, ["A", "B"])
        assert read.fate[: len(Fate), 0].tolist() == list(range(len(Fate)))
        assert not read.fate[len(Fate) :].any()
        assert not read.fate[:, 1].any()
        store.seal(0)


def test_a_seal_from_before_fates_were_recorded_reads_as_none(connection: Connection) -> None:
    store = MinuteStore(connection)
    store.append([meter("A", 7)], [order("A", 7, fate=Fate.MET)])
    store.seal(0)
    with_fate = store.read_orders(0, DAY, ["A"])
    assert with_fate.fate[7, 0] == Fate.MET
    with connection.begin():  # the ninth of an order's quantities, which begin at 32
        found = connection.exec_driver_sql("DELETE FROM sealed_day WHERE day = 0 AND quantity = 40")
        assert found.rowcount == 1
    read = store.read_orders(0, DAY, ["A"])
    assert not read.fate.any()
    assert same(dataclasses.replace(read, fate=with_fate.fate), with_fate)
