"""A month's bill from the three facts, and its statements as files."""

import json

import pytest

from central_monitor.adapters.exports import statements_csv, statements_json, write_statements
from central_monitor.services.biller import month_so_far, settled_month
from db.central import CENTRAL, MinuteStore
from db.engine import open_writer
from microgrid.columns import minute_columns, order_columns
from microgrid.ledger import MonthLedger
from microgrid.registers import Registers
from microgrid.statement import Account
from microgrid.terms import Cap
from tests.unit.central.parts import FIRST, MONTH, buyer, order_row, row, seller, tariff, terms

HOUSES = ("A", "B")
TERMS = terms(seller("B", 8), buyer("A"))
MINUTES = 2000


def rows():
    """Before the month and through it: A takes 1.2 kW, B gives 1 kW."""
    return [
        made
        for n in range(-1, MINUTES)
        for made in (row("A", FIRST + n, 72_000 * (n + 1)), row("B", FIRST + n, 0, 60_000 * (n + 1)))
    ]


ORDERS = [order_row("B", FIRST + n, target_w=1000, command_id=1, acknowledged_s=0) for n in range(MINUTES)]


@pytest.fixture
def store(tmp_path):
    connection = open_writer(tmp_path / "power.sqlite", CENTRAL)
    made = MinuteStore(connection)
    made.append(rows(), ORDERS)
    yield made
    connection.close()


def in_memory(count):
    ledger = MonthLedger(TERMS, MONTH)
    minutes = range(FIRST, FIRST + count)
    everything = rows()
    columns = minute_columns(
        HOUSES,
        minutes,
        [r for r in everything if r.minute in minutes],
        {r.house: r for r in everything if r.minute == FIRST - 1},
        {r.house: r for r in everything if r.minute == minutes.stop},
    )
    ledger.add(columns, order_columns(HOUSES, minutes, [o for o in ORDERS if o.minute in minutes]))
    return ledger


@pytest.mark.parametrize("count", [1, 600, 1440, MINUTES])
def test_a_month_settled_from_the_database_is_the_month_in_memory(store, count):
    statements = settled_month(store, TERMS, MONTH, through=FIRST + count).statements()
    assert statements == in_memory(count).statements()
    assert statements.accounts["B"].microgrid_energy == 60_000 * count
    assert statements.postings_total == 0


def test_progress_is_told_day_by_day_to_the_end(store):
    told = []
    settled_month(store, TERMS, MONTH, FIRST + MINUTES, lambda done, whole: told.append((done, whole)))
    assert told[-1] == (MINUTES, MINUTES)
    assert told == sorted(told)
    assert len(told) > 1


def test_a_whole_month_has_no_through(store):
    statements = settled_month(store, TERMS, MONTH).statements()
    assert statements.accounts["A"].estimated_minutes == 30 * 1440 - MINUTES
    assert statements == settled_month(store, TERMS, MONTH, through=FIRST + 10**6).statements()


def test_what_is_no_month_or_has_no_tariff_is_refused(store):
    with pytest.raises(ValueError, match="is not a month"):
        settled_month(store, TERMS, "2026-13")
    untaxed = terms(*TERMS.contracts, tariffs=(tariff(valid_from=FIRST + 5),))
    with pytest.raises(LookupError, match="no tariff is in force"):
        settled_month(store, untaxed, MONTH, FIRST + 10)


def test_where_a_month_stands_for_a_central_that_restarts(store):
    so_far = month_so_far(store, TERMS, FIRST + MINUTES)
    assert so_far.ledger.credit == in_memory(MINUTES).credit > 0
    assert so_far.opening["A"] == Registers(epoch=0, import_ws=0, export_ws=0, generation_ws=0)
    assert set(so_far.opening) == {"A", "B"}


def test_a_house_that_is_new_this_month_counts_from_its_first_row(tmp_path):
    connection = open_writer(tmp_path / "power.sqlite", CENTRAL)
    made = MinuteStore(connection)
    made.append([row("A", FIRST + 10, 500), row("A", FIRST + 1500, 900)])
    so_far = month_so_far(made, terms(buyer("A"), cap=Cap.OFF), FIRST + 1501)
    connection.close()
    assert so_far.ledger.credit == 0
    assert so_far.opening["A"].import_ws == 500


# --- files ------------------------------------------------------------------------------------------


def statements():
    return in_memory(600).statements()


def test_json_has_the_records_own_keys_in_its_order_and_is_the_same_every_time():
    data = statements_json(statements())
    assert data == statements_json(statements())
    assert data.endswith(b"}\n")
    read = json.loads(data)
    assert list(read) == ["month", "zone", "unit", "postings_total", "energy", "accounts"]
    assert list(read["accounts"]) == ["A", "B", "national_grid", "reserve", "losses"]
    assert all(tuple(account) == Account.__struct_fields__ for account in read["accounts"].values())
    assert read["unit"] == {"energy": "Ws", "money": "microcoin"}
    assert read["accounts"]["B"]["microgrid_energy"] == 36_000_000
    assert b'\n  "month": "2026-06",\n' in data


def test_csv_has_a_line_an_account_under_a_header():
    data = statements_csv(statements())
    assert data == statements_csv(statements())
    lines = data.decode().split("\n")
    assert lines[0] == "month,account," + ",".join(Account.__struct_fields__)
    assert [line.split(",")[:3] for line in lines[1:-1]] == [
        ["2026-06", "A", "consumer"],
        ["2026-06", "B", "producer"],
        ["2026-06", "national_grid", statements().accounts["national_grid"].role],
        ["2026-06", "reserve", statements().accounts["reserve"].role],
        ["2026-06", "losses", statements().accounts["losses"].role],
    ]
    assert lines[-1] == ""
    assert b"\r" not in data
    totals = [int(line.split(",")[2 + Account.__struct_fields__.index("total")]) for line in lines[1:-1]]
    assert sum(totals) == 0


def test_both_files_are_written_into_a_new_folder(tmp_path):
    folder = tmp_path / "bills" / "june"
    write_statements(statements(), folder)
    write_statements(statements(), folder)
    assert (folder / "statements.json").read_bytes() == statements_json(statements())
    assert (folder / "statements.csv").read_bytes() == statements_csv(statements())
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        write_statements(statements(), tmp_path / "file")
