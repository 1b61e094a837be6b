"""A month of 254 houses from sealed days in the database to statements. Bar: 2 s and 1 GiB; goal: 0.5 s.

The database is made once (some minutes) and kept in benchmark-output/: seals without rows, written by
the same code that seals a day of a running central.
"""

import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np

from benchmarks.measure import OUTPUT, Spent, medians, peak_bytes, show, spending
from benchmarks.neighbourhood import HOUSES, MONTH, make_terms
from central_monitor.services.biller import settled_month
from db.central import CENTRAL, AgreementRepository, MinuteStore
from db.central.grids import METER, ORDER, PRESENT, DayGrids, RowGrid, SealedRow, packed
from db.engine import open_reader, open_writer
from microgrid.columns import MINUTES_PER_DAY, Ints
from microgrid.months import month_minutes, zone_of
from microgrid.terms import Terms

VERSION = 2  # of what `make_database` writes
ROUNDS = 5
BAR_S = 2.0
BAR_BYTES = 2**30


def make_database(path: Path, terms: Terms) -> None:
    """Seal a month of plausible minutes: sun by day, noise, registers that carry on, a few gaps."""
    houses = sorted(house.house for house in terms.houses)
    connection = open_writer(path, CENTRAL)
    AgreementRepository(connection).found(terms, "benchmark", "", 0)
    for number, rows in enumerate(_days(terms, houses)):
        with connection.begin():
            connection.exec_driver_sql(
                "INSERT INTO meter_day SELECT DISTINCT house, day FROM (SELECT ? AS day, house FROM house)",
                (rows[0][0],),
            )
            DayGrids(connection).write_seal(rows)
        print(f"\r  making the database, day {number + 1}", end="", file=sys.stderr)
    print(file=sys.stderr)
    connection.close()


def _days(terms: Terms, houses: list[str]) -> Iterator[list[SealedRow]]:
    random = np.random.default_rng(1)
    minutes = month_minutes(MONTH, zone_of(terms.zone))
    registers = {name: np.full(len(houses), 10**9) for name in ("import_ws", "export_ws", "generation_ws")}
    for day in range((minutes.start - 1) // MINUTES_PER_DAY, minutes.stop // MINUTES_PER_DAY + 1):
        first = day * MINUTES_PER_DAY
        meter = _meter_grid(first, registers, random)
        orders = _order_grid(first, meter, random)
        parts = chain(packed(METER, houses, meter), packed(ORDER, houses[::2], orders))
        yield list(chain.from_iterable(parts))


def _meter_grid(first: int, registers: dict[str, Ints], random: np.random.Generator) -> RowGrid:
    shape = (HOUSES, MINUTES_PER_DAY)
    sells = (np.arange(HOUSES) % 2 == 0)[:, None]
    hour = (np.arange(MINUTES_PER_DAY) / 60 + 5) % 24  # of the zone
    sun = np.clip(np.sin((hour - 6) / 12 * np.pi), 0, 1)
    load_w = 250 + 300 * (hour > 18) + random.gamma(1.5, 250, shape)
    power_w = (np.where(sells, 400 + 2400 * sun + random.normal(0, 60, shape), 0) - load_w).astype(np.int64)
    energy = {
        "import_ws": np.maximum(-power_w, 0) * 60,
        "export_ws": np.maximum(power_w, 0) * 60,
        "generation_ws": np.where(sells, power_w + load_w.astype(np.int64), 0) * 60,
    }
    values = {name: registers[name][:, None] + np.cumsum(energy[name], axis=1) for name in registers}
    for name in registers:
        registers[name] = values[name][:, -1]
    spread = random.integers(5, 200, shape)
    values |= {
        "epoch": np.ones(shape, dtype=np.int64),
        "closed_s": np.full(shape, 60),
        "covered_s": np.full(shape, 60),
        "max_w": power_w + spread,
        "min_w": power_w - spread,
        "voltage_mv": 230_000 + random.normal(0, 800, shape).astype(np.int64),
        "current_ma": np.abs(power_w) * 1450,
        "power_factor_milli": random.integers(930, 1000, shape),
        "frequency_mhz": np.broadcast_to(50_000 + random.integers(-40, 40, MINUTES_PER_DAY), shape),
        "suspect": np.zeros(shape, dtype=np.int64),
        "origin": np.zeros(shape, dtype=np.int64),
        "revision": np.zeros(shape, dtype=np.int64),
    }
    present = np.ones(shape, dtype=np.bool_)
    for house in random.integers(0, HOUSES, 5):  # five houses a day are not heard for ten minutes
        at = int(random.integers(0, MINUTES_PER_DAY - 20))
        present[house, at : at + 10] = False
    arrays = {name: np.where(present, value, 0).T for name, value in values.items()}
    return RowGrid(first, first + MINUTES_PER_DAY, present.T, arrays)


def _order_grid(first: int, meter: RowGrid, random: np.random.Generator) -> RowGrid:
    """An order changes every ten minutes or so."""
    shape = (HOUSES // 2, MINUTES_PER_DAY)
    changes = np.where(random.random(shape) < 0.1, np.arange(MINUTES_PER_DAY), 0)
    since = np.maximum.accumulate(changes, axis=1)
    rows = np.arange(shape[0])[:, None]
    values = {
        "raise_standing": (random.random(shape) < 0.3)[rows, since],
        "target_w": random.integers(250, 2500, shape)[rows, since],
        "hold": np.zeros(shape, dtype=np.int64),
        "command_id": (first + since) % 10**6 * 128 + rows + 1,
        "acknowledged_s": (first + since) * 60 + 2,
        "tie_closed": np.ones(shape, dtype=np.bool_),
        "out_of_service": np.zeros(shape, dtype=np.bool_),
    }
    assert set(values) | {PRESENT} == set(ORDER.quantities)
    present = np.ones(shape, dtype=np.bool_)
    arrays = {name: value.astype(np.int64).T for name, value in values.items()}
    return RowGrid(meter.first, meter.end, present.T, arrays)


def main() -> None:
    """Settle several times, and read without settling in between; medians and the peak of memory."""
    terms = make_terms()
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"settle-{VERSION}.sqlite"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        make_database(unfinished, terms)
        unfinished.rename(path)
    open_writer(path, CENTRAL).close()  # brings one that was made earlier up to date
    minutes = month_minutes(MONTH, zone_of(terms.zone))
    settled: list[Spent] = []
    read: list[Spent] = []
    for _ in range(ROUNDS):
        connection = open_reader(path, CENTRAL)
        store = MinuteStore(connection)
        with spending() as spent:
            statements = settled_month(store, terms, MONTH).statements()
        settled.append(spent)
        if statements.postings_total != 0:
            raise AssertionError("the postings do not sum to zero")
        with spending() as spent:
            for _ in store.billed_days(minutes.start, minutes.stop):
                pass
        read.append(spent)
        connection.close()
    show(f"{HOUSES} × {len(minutes)} minutes, database to statements", medians(settled))
    show("of it reading", medians(read))
    show("peak resident memory", f"{peak_bytes() / 2**20:.0f} MiB")
    show("bytes a house-minute in the database", f"{path.stat().st_size / HOUSES / len(minutes):.1f}")
    raise SystemExit(0 if medians(settled).wall_s <= BAR_S and peak_bytes() <= BAR_BYTES else 1)


if __name__ == "__main__":
    main()
