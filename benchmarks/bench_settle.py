"""A month of 254 houses from sealed days in the database to statements. Bar: 3 s and 1 GiB; goal: 1 s.

The database is made once (some minutes) and kept in benchmark-output/: seals without rows, written by
the same code that seals a day of a running central.
"""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.measure import OUTPUT, Spent, medians, peak_bytes, show, spending
from benchmarks.neighbourhood import HOUSES, MONTH, make_terms
from central_monitor.services.biller import settled_month
from central_monitor.services.inquiries import Inquiries
from central_monitor.services.records import open_records
from db.central import CENTRAL, AgreementRepository, BillingRepository, MinuteStore, Run
from db.central.grids import METER, ORDER, PRESENT, DayGrids, RowGrid, SealedRow, packed
from db.engine import open_reader, open_writer
from microgrid.columns import Ints
from microgrid.months import month_minutes, zone_of
from microgrid.terms import Terms
from microgrid.units import MINUTES_PER_DAY

VERSION = 3  # of what `make_database` writes
ROUNDS = 5
BAR_S = 3.0
TICK_S = 0.005
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


class Ticker:
    """A thread that wants to run every 5 ms, as a window does; tells the longest it had to wait."""

    def __init__(self) -> None:
        self.longest_s = 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._tick)

    def _tick(self) -> None:
        last = time.perf_counter()
        while not self._end.wait(TICK_S):
            now = time.perf_counter()
            self.longest_s, last = max(self.longest_s, now - last - TICK_S), now

    def __enter__(self) -> "Ticker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


def waiting(work: Callable[[], object]) -> float:
    """The longest in ms that another thread waits while this work is done."""
    with Ticker() as ticker:
        work()
    return ticker.longest_s * 1000


def bill(path: Path, terms: Terms) -> None:
    """Bill the month, so that days are asked about as they are of a billed one."""
    connection = open_writer(path, CENTRAL)
    billing = BillingRepository(connection)
    if billing.latest(MONTH) is None:
        ledger = settled_month(MinuteStore(connection), terms, MONTH)
        minutes = month_minutes(MONTH, zone_of(terms.zone))
        billing.save(
            Run(
                month=MONTH,
                number=1,
                made_s=minutes.stop * 60,
                first_minute=minutes.start,
                end_minute=minutes.stop,
                statements=ledger.statements(),
                penalties=ledger.penalty_parts(),
                terms=terms,
                days=ledger.days(),
            )
        )
    connection.close()


def drill_downs(path: Path, terms: Terms) -> dict[str, list[Spent]]:
    """What it costs to ask for the minutes of a day and then for the proof of one; each day three times."""
    spent: dict[str, list[Spent]] = {"its minutes": [], "then the proof of one": []}
    with open_records(path) as records:
        inquiries = Inquiries(records)
        first = month_minutes(MONTH, zone_of(terms.zone)).start
        for number in [*range(1, 30, 4)] * 3:
            with spending() as of_minutes:
                inquiries.minutes(terms, MONTH, "H002", number)
            with spending() as of_proof:
                inquiries.proof(terms, "H002", first + number * MINUTES_PER_DAY + 720)
            for figures, one in zip(spent.values(), (of_minutes, of_proof), strict=True):
                figures.append(one)
    return spent


def open_database(terms: Terms) -> Path:
    """The database, made if it is not there yet."""
    OUTPUT.mkdir(exist_ok=True)
    path = OUTPUT / f"settle-{VERSION}.sqlite"
    if not path.exists():
        unfinished = path.with_suffix(".unfinished")
        unfinished.unlink(missing_ok=True)
        make_database(unfinished, terms)
        unfinished.rename(path)
    open_writer(path, CENTRAL).close()  # brings one that was made earlier up to date
    return path


def main() -> None:
    """Settle several times, read without settling, and settle single days; medians and the peak of memory."""
    terms = make_terms()
    path = open_database(terms)
    minutes = month_minutes(MONTH, zone_of(terms.zone))
    settled: list[Spent] = []
    read: list[Spent] = []
    waits: list[float] = []
    for _ in range(ROUNDS):
        connection = open_reader(path, CENTRAL)
        store = MinuteStore(connection)
        with spending() as spent:
            ledger = settled_month(store, terms, MONTH)
        settled.append(spent)
        if ledger.statements().postings_total != 0:
            raise AssertionError("the postings do not sum to zero")
        with spending() as spent:
            for _ in store.billed_days(minutes.start, minutes.stop, ledger.houses):
                pass
        read.append(spent)
        waits.append(waiting(lambda store=store: settled_month(store, terms, MONTH)))  # type: ignore[misc]
        connection.close()
    bill(path, terms)
    with open_records(path) as records:
        asked = Inquiries(records)
        waits_of_day = [
            waiting(lambda n=number: asked.minutes(terms, MONTH, "H002", n))  # type: ignore[misc]
            for number in range(1, 30, 4)
        ]
    show(f"{HOUSES} × {len(minutes)} minutes, database to statements", medians(settled))
    show("of it reading", medians(read))
    show("longest wait of a thread that ticks every 5 ms meanwhile", f"{median(waits):.0f} ms")
    show("the same while nothing is done", f"{waiting(lambda: time.sleep(3)):.0f} ms")
    for question, days in drill_downs(path, terms).items():
        cpu_ms = [spent.cpu_s * 1000 for spent in days]
        show(
            f"one day of them read and settled again, {question}",
            f"{medians(days)}; CPU {min(cpu_ms):.1f} to {max(cpu_ms):.1f} ms of {len(days)}",
        )
    show("longest wait meanwhile, of the minutes of a day", f"{median(waits_of_day):.0f} ms")
    show("peak resident memory", f"{peak_bytes() / 2**20:.0f} MiB")
    show("bytes a house-minute in the database", f"{path.stat().st_size / HOUSES / len(minutes):.1f}")
    raise SystemExit(0 if medians(settled).wall_s <= BAR_S and peak_bytes() <= BAR_BYTES else 1)


if __name__ == "__main__":
    main()
