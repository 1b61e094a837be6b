"""A day of minutes of 254 houses into the database, one commit a minute. Goal: 1.5 CPU s."""

import os
import tempfile
from pathlib import Path

from sqlalchemy import Connection

from benchmarks.measure import Spent, medians, show, spending
from benchmarks.neighbourhood import FIRST_MINUTE, HOUSES, make_minutes, make_terms
from db.central import CENTRAL, MinuteStore
from db.engine import open_writer
from microgrid.units import MINUTES_PER_DAY

ROUNDS = 3
DAY = FIRST_MINUTE // MINUTES_PER_DAY + 1


def store_day(path: Path) -> tuple[Spent, Spent, float, float]:
    """Write a day and seal it: what either cost, and bytes a row before and of the seal."""
    houses = [house.house for house in make_terms().houses]
    connection = open_writer(path, CENTRAL)
    store = MinuteStore(connection)
    stored = Spent()
    for minute in range(DAY * MINUTES_PER_DAY, (DAY + 1) * MINUTES_PER_DAY):
        meter, orders = make_minutes(minute, houses)
        with spending() as spent:
            store.append(meter, orders)
        stored.wall_s += spent.wall_s
        stored.cpu_s += spent.cpu_s
    rows = len(houses) * MINUTES_PER_DAY
    size = _size(connection)
    with spending() as sealed:
        store.seal(DAY)
    seal_size = _size(connection) - size
    connection.close()
    return stored, sealed, size / rows, seal_size / rows


def _size(connection: Connection) -> int:
    pages: int = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    size: int = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
    connection.rollback()
    return pages * size


def main() -> None:
    """Print medians; the rows are made outside the time that counts."""
    runs = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(dir=os.environ.get("BENCHMARK_DISK")) as folder:
            runs.append(store_day(Path(folder) / "power.sqlite"))
    show(f"{HOUSES} × {MINUTES_PER_DAY} minutes and half as many orders", medians([run[0] for run in runs]))
    show("sealing that day", medians([run[1] for run in runs]))
    show("bytes a house-minute in rows, its share of an order included", f"{runs[0][2]:.0f}")
    show("bytes a house-minute in the seal", f"{runs[0][3]:.1f}")


if __name__ == "__main__":
    main()
