"""What really happened: bills made from the meters' own records, to hold against those of the database."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from central_monitor.adapters.exports import statements_json
from central_monitor.bootstrap import settle_database
from db.central import CENTRAL, MinuteStore
from db.engine import open_reader
from microgrid.columns import Bools, MinuteColumns, OrderColumns, minute_columns
from microgrid.ledger import MonthLedger
from microgrid.minute import MeterMinute
from microgrid.terms import Terms


def meter_record(path: Path, house: str) -> list[MeterMinute]:
    """A meter's record (`simulation.meter --record`): the opening, then every minute it lived.

    The simulated plant is steady within a minute, so its power is its energy in the minute by 60 s.
    """
    rows: list[MeterMinute] = []
    for line in path.read_text(encoding="ascii").splitlines():
        truth = json.loads(line)
        net_ws = truth["export_ws"] - truth["import_ws"]
        before_ws = rows[-1].export_ws - rows[-1].import_ws if rows else net_ws
        power_w, rest = divmod(net_ws - before_ws, 60)
        assert rest == 0
        rows.append(
            MeterMinute(
                house=house, minute=truth["minute"], epoch=0, import_ws=truth["import_ws"],
                export_ws=truth["export_ws"], generation_ws=truth["generation_ws"],
                closed_s=truth["closed_s"], covered_s=60, max_w=power_w, min_w=power_w,
                voltage_mv=0, current_ma=0, power_factor_milli=0, frequency_mhz=0, suspect=0,
            )
        )  # fmt: skip
    return rows


def recorded(database: Path, first_minute: int, end_minute: int) -> tuple[MinuteColumns, OrderColumns]:
    """The meter and order minutes that the central has on its disk."""
    connection = open_reader(database, CENTRAL)
    try:
        store = MinuteStore(connection)
        return store.read(first_minute, end_minute), store.read_orders(first_minute, end_minute)
    finally:
        connection.close()


def true_bill(
    database: Path, terms: Terms, month: str, minutes: range, records: Mapping[str, list[MeterMinute]]
) -> bytes:
    """The month's statements as they must be: the meters' minutes, with the orders the central recorded."""
    houses = tuple(sorted(records))
    rows = [row for record in records.values() for row in record if row.minute in minutes]
    opening = {house: record[0] for house, record in records.items()}
    _, orders = recorded(database, minutes.start, minutes.stop)
    ledger = MonthLedger(terms, month)
    ledger.add(minute_columns(houses, minutes, rows, opening), orders)
    return statements_json(ledger.statements())


def billed(database: Path, month: str) -> bytes:
    """The month's statements as the database alone gives them."""
    return statements_json(settle_database(database, month))


def same_registers(columns: MinuteColumns, records: Mapping[str, list[MeterMinute]]) -> Bools:
    """By minute and house: whether the registers recorded are the meter's; True where there is no row."""
    houses = columns.houses
    minutes = range(columns.first_minute, columns.end_minute)
    rows = [row for record in records.values() for row in record if row.minute in minutes]
    truth = minute_columns(houses, minutes, rows, {})
    names = ("import_ws", "export_ws", "generation_ws")
    same = np.logical_and.reduce([getattr(columns, name) == getattr(truth, name) for name in names])
    return same | ~columns.present
