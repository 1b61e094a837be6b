"""Books as CSV: exact, with units, and the same bytes whatever the machine."""

import csv
import io
import locale
from dataclasses import replace

import msgspec
import pytest

from central_monitor.adapters.exports import accounts_csv, adjustments_csv, days_csv, minutes_csv, waivers_csv
from microgrid.bill import Cause
from microgrid.months import local_days, month_minutes, zone_of
from microgrid.units import MICROCOINS_PER_COIN, WS_PER_KWH
from tests.ui.sample_books import (
    ISSUED,
    RUNNING,
    ZONE,
    make_adjustment,
    make_book,
    make_day,
    make_table,
    minutes_of,
)


def rows_of(contents):
    return list(csv.DictReader(io.StringIO(contents.decode("utf-8"), newline="")))


def exactly(coins):
    """The micro-coins a cell says, without a float between."""
    whole, _, rest = coins.lstrip("-").partition(".")
    assert len(rest) == 6
    return (-1 if coins.startswith("-") else 1) * (int(whole) * MICROCOINS_PER_COIN + int(rest))


def test_all_accounts_with_their_totals_adding_up_to_zero():
    book = make_book()
    rows = rows_of(accounts_csv(book))
    assert [row["account"] for row in rows] == ["A", "B", "C", "D", "national_grid", "reserve", "losses"]
    assert sum(exactly(row["total_coins"]) for row in rows) == 0
    assert sum(exactly(row["adjusted_since_coins"]) for row in rows) == 0
    first = rows[0]
    assert first["issued"] == "2025-01-01T00:10:00+05:00"
    assert int(first["microgrid_energy_ws"]) == book.lines[0].statement.microgrid_energy
    assert (first["own_check"], rows[3]["own_check"]) == ("agrees", "not told")


def test_a_month_that_runs_is_not_issued():
    assert {row["issued"] for row in rows_of(accounts_csv(make_book(RUNNING)))} == {""}


def test_a_large_amount_is_exact():
    book = make_book()
    line = book.lines[0]
    large = msgspec.structs.replace(line.statement, total=-(10**17 + 1))
    changed = replace(book, lines=(replace(line, statement=large, name='Ali, "the elder"\nhouse'),))
    (row,) = rows_of(accounts_csv(changed))
    assert row["total_coins"] == "-100000000000.000001"
    assert row["name"] == 'Ali, "the elder"\nhouse'


def test_days_add_up_to_the_account():
    book = make_book()
    days = [make_day(make_table(1, day)) for day in local_days(minutes_of(ISSUED), zone_of(ZONE))]
    rows = rows_of(days_csv([("B", days), ("A", [])], ZONE))
    assert len(rows) == 31
    assert rows[0]["first_minute"] == "2024-12-01T00:00+05:00"
    assert {row["minutes"] for row in rows} == {"1440"}
    assert sum(exactly(row["total_coins"]) for row in rows) == book.lines[1].statement.total
    assert sum(int(row["penalty_energy_ws"]) for row in rows) == book.lines[1].statement.penalty_energy


def test_minutes_say_their_rate_and_where_there_is_none():
    first, second = list(local_days(minutes_of(ISSUED), zone_of(ZONE)))[:2]
    rows = rows_of(minutes_csv("A", [make_table(0, first), make_table(0, second)], ZONE))
    assert len(rows) == 2880
    assert rows[1440]["minute"] == "2024-12-02T00:00+05:00"
    assert rows[130]["rate_coins_per_kwh"] == ""
    assert rows[0]["rate_coins_per_kwh"] == "12.000000"
    energy, amount = int(rows[0]["microgrid_energy_ws"]), exactly(rows[0]["microgrid_amount_coins"])
    assert amount == energy * 12_000_000 // WS_PER_KWH
    assert rows[0]["total_coins"] == rows[0]["microgrid_amount_coins"]
    assert {row["estimated"] for row in rows} == {"0"}


def test_days_of_the_changes_of_clocks_tell_their_hours_apart():
    zone = zone_of("Europe/Berlin")
    (day,) = (day for day in local_days(month_minutes("2024-10", zone), zone) if len(day) == 1500)
    rows = rows_of(minutes_csv("A", [make_table(0, day)], "Europe/Berlin"))
    moments = [row["minute"] for row in rows]
    assert len(set(moments)) == 1500
    assert {"2024-10-27T02:30+02:00", "2024-10-27T02:30+01:00"} <= set(moments)


def test_adjustments_with_their_causes():
    own = make_adjustment("A", -2_345_678, own=True)
    both = msgspec.structs.replace(own, causes=(Cause.LATE, Cause.TARIFF), own=False, reason="")
    rows = rows_of(adjustments_csv([own, both], ZONE))
    assert rows[0]["causes"] == "corrected reading"
    assert rows[0]["reason"].startswith("The reading of 12 December")
    assert (rows[0]["own"], rows[1]["own"]) == ("1", "0")
    assert rows[1]["causes"] == "late minutes; corrected tariff"
    assert exactly(rows[0]["total_coins"]) == own.total
    assert rows[0]["made"] == "2025-01-04T00:15:00+05:00"


def test_waivers_with_who_gave_them_and_why():
    book = make_book(RUNNING)
    (row,) = rows_of(waivers_csv(book))
    assert row == {
        "month": RUNNING, "house": "B", "entered": "2025-01-01T20:00:00+05:00", "amount_coins": "0.100000",
        "author": "S. Malik", "reason": "The tie breaker was being tested that evening.",
    }  # fmt: skip
    lines = {line["account"]: line for line in rows_of(accounts_csv(book))}
    assert lines["B"]["waived_penalties_coins"] == "0.100000"
    assert lines["reserve"]["waived_penalties_coins"] == "-0.100000"
    assert lines["B"]["adjustments_of_earlier_months_coins"] == "0.000000"


def test_the_bytes_do_not_depend_on_the_locale():
    before = accounts_csv(make_book())
    kept = locale.setlocale(locale.LC_ALL)
    for name in ("de_DE.UTF-8", "C.UTF-8"):
        try:
            locale.setlocale(locale.LC_ALL, name)
        except locale.Error:
            continue
        try:
            assert accounts_csv(make_book()) == before
        finally:
            locale.setlocale(locale.LC_ALL, kept)
    assert b"\r" not in before
    assert before.endswith(b"\n")


@pytest.mark.parametrize("written", [accounts_csv(make_book()), adjustments_csv([], ZONE)])
def test_every_energy_amount_and_power_has_its_unit(written):
    header = written.decode().partition("\n")[0].split(",")
    for word, units in {"energy": "_ws", "amount": "_coins", "total": "_coins", "power": "_kw"}.items():
        assert all(name.endswith(units) for name in header if word in name)
