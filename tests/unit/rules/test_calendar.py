"""A year in zones of every kind: each minute is on one month's bill and in one day of it, once.

What months and days are is in test_months.py; here a ledger lives through them.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
import pytest

from microgrid.columns import EdgeRows, MinuteColumns
from microgrid.ledger import MonthLedger
from microgrid.months import local_time, month_minutes, zone_of
from microgrid.terms import Terms
from microgrid.units import WS_PER_KWH
from tests.unit.rules.build import T, buyer, no_orders, terms_of

YEAR = 2026
MONTHS = [f"{YEAR}-{number:02}" for number in range(1, 13)]
# Half hours and quarters of an hour off, days of 23 and 25 hours, and one that changes by half an hour.
ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Asia/Kathmandu"]


@dataclass(frozen=True)
class Year:
    """A year of one consumer: what it takes in each minute, and its months as they were billed."""

    terms: Terms
    minutes: range
    taken_ws: np.ndarray
    ledgers: list[MonthLedger]


def columns_of(year: range, register_ws: np.ndarray, minutes: range) -> MinuteColumns:
    """Some minutes of the year; `register_ws` begins with the register before it."""
    at = slice(minutes.start - year.start + 1, minutes.stop - year.start + 1)
    imports = register_ws[at, None]
    zeros, sixties = np.zeros_like(imports), np.full_like(imports, 60)

    def edge(minute: int) -> EdgeRows:
        there, nothing = 0 <= minute - year.start + 1 < len(register_ws), np.zeros(1, dtype=np.int64)
        register = register_ws[[minute - year.start + 1]] if there else nothing
        return EdgeRows(np.array([minute if there else -1]), nothing, register, nothing, nothing)

    return MinuteColumns(
        houses=("A",), first_minute=minutes.start, end_minute=minutes.stop,
        present=np.ones(imports.shape, dtype=np.bool_), epoch=zeros, import_ws=imports, export_ws=zeros,
        generation_ws=zeros, closed_s=sixties, covered_s=sixties, max_w=zeros, min_w=zeros, origin=zeros,
        suspect=zeros, opening=edge(minutes.start - 1), closing=edge(minutes.stop),
    )  # fmt: skip


@lru_cache
def year_in(name: str) -> Year:
    """The year billed month by month, in blocks that do not know of months' days."""
    terms, zone = terms_of(buyer("A"), zone=name), zone_of(name)
    months = [month_minutes(month, zone) for month in MONTHS]
    year = range(months[0].start, months[-1].stop)
    taken = np.random.default_rng(len(name)).integers(0, 300_000, len(year))
    register = np.concatenate(([7], 7 + np.cumsum(taken)))
    ledgers = []
    for month, minutes in zip(MONTHS, months, strict=True):
        ledger = MonthLedger(terms, month)
        for first, stop in pairwise([*range(minutes.start, minutes.stop, 4999), minutes.stop]):
            block = range(first, stop)
            ledger.add(columns_of(year, register, block), no_orders(("A",), block))
        ledgers.append(ledger)
    return Year(terms, year, taken, ledgers)


@pytest.mark.parametrize("name", ZONES)
def test_the_months_bill_every_minute_of_the_year_once(name: str):
    year = year_in(name)
    priced = (year.taken_ws * T + WS_PER_KWH // 2) // WS_PER_KWH  # nobody sells: all at the tariff
    accounts = [ledger.statements().accounts["A"] for ledger in year.ledgers]
    assert sum(account.national_grid_energy for account in accounts) == -year.taken_ws.sum()
    assert sum(account.total for account in accounts) == -priced.sum()
    assert sum(account.estimated_minutes for account in accounts) == 0
    for ledger, account in zip(year.ledgers, accounts, strict=True):
        mine = slice(ledger.minutes.start - year.minutes.start, ledger.minutes.stop - year.minutes.start)
        assert account.total == -priced[mine].sum()


@pytest.mark.parametrize("name", ZONES)
def test_a_minute_is_on_the_bill_of_the_month_its_beginning_lies_in(name: str):
    """By the clock on the wall, which no zone changes within a quarter of an hour."""
    year, zone = year_in(name), zone_of(name)
    assert local_time(year.minutes.start, zone).isoformat()[:16] == f"{YEAR}-01-01T00:00"
    assert local_time(year.minutes.stop, zone).isoformat()[:16] == f"{YEAR + 1}-01-01T00:00"
    assert len(year.minutes) == 365 * 1440
    for month, ledger in zip(MONTHS, year.ledgers, strict=True):
        clock = {local_time(minute, zone).strftime("%Y-%m") for minute in ledger.minutes[::15]}
        assert clock == {local_time(ledger.minutes[-1], zone).strftime("%Y-%m")} == {month}


@pytest.mark.parametrize("name", ZONES)
def test_the_days_of_a_bill_add_up_to_it_and_are_whole(name: str):
    year, zone = year_in(name), zone_of(name)
    for ledger in year.ledgers:
        days = ledger.days()
        assert [day.first_minute for day in days[1:]] == [day.end_minute for day in days[:-1]]
        assert (days[0].first_minute, days[-1].end_minute) == (ledger.minutes.start, ledger.minutes.stop)
        dates = [local_time(day.first_minute, zone).isoformat()[8:16] for day in days]
        assert dates == [f"{date:02}T00:00" for date in range(1, len(days) + 1)]
        account = ledger.statements().accounts["A"]
        assert sum(int(day.national_grid_amount[0]) for day in days) == account.national_grid_amount
        for day in days:
            at = slice(day.first_minute - year.minutes.start, day.end_minute - year.minutes.start)
            assert day.national_grid_energy[0] == -year.taken_ws[at].sum()


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("Europe/Berlin", {"2026-03-29": 23, "2026-10-25": 25}),
        ("America/New_York", {"2026-03-08": 23, "2026-11-01": 25}),
        ("Australia/Lord_Howe", {"2026-04-05": 24.5, "2026-10-04": 23.5}),
        ("Asia/Kolkata", {}),
        ("Asia/Kathmandu", {}),
    ],
)
def test_only_the_days_on_which_the_clocks_change_are_not_24_hours(name: str, changes: dict[str, float]):
    zone = zone_of(name)
    lengths = {
        local_time(day.first_minute, zone).date().isoformat(): (day.end_minute - day.first_minute) / 60
        for ledger in year_in(name).ledgers
        for day in ledger.days()
    }
    assert len(lengths) == 365
    assert {date: hours for date, hours in lengths.items() if hours != 24} == changes
