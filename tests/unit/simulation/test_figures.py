"""The data of Figs 9.1 to 9.4 and of a day, by hand: the month's first minutes of three houses."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from central_monitor.adapters.writer import DatabaseWriter
from db.central import CENTRAL, MinuteStore
from db.engine import open_writer
from microgrid.columns import minute_columns, order_columns
from microgrid.ledger import MonthLedger
from microgrid.minute import Hold, MeterMinute, OrderMinute
from microgrid.months import month_minutes, zone_of
from microgrid.terms import Cap, Contract, House, Role, Source, Tariff, Terms
from microgrid.units import MINUTES_PER_DAY, microcoins
from node.worker import InlineWorker
from simulation.figures import MOST_HOUSES, collected, day_record, month_figures, recorded
from simulation.settled import generation_ws, settled_minutes

MONTH = "2026-06"
ZONE = zone_of("Asia/Karachi")
START = month_minutes(MONTH, ZONE).start
SUNRISE = START + 350  # 05:50 in June (Table 6.1)
MINUTES = range(START, SUNRISE + 100)  # 350 minutes by night and 100 by day
COMMAND_MINUTE = SUNRISE + 1

# Powers in W by night and by day. A buys; B sells at 8 from the sun, D at 25 from a diesel.
LOAD_W = {"A": (600, 1200), "B": (300, 300), "D": (100, 100)}
EXPORT_W = {"A": (-600, -1200), "B": (300, 1000), "D": (300, 0)}
POWERS_W = {house: (LOAD_W[house], EXPORT_W[house]) for house in LOAD_W}
NIGHT_RATE, DAY_RATE = (8 + 25) / 2, 8.0
PRICES = {"B": (8, Source.SOLAR), "D": (25, Source.GENERATOR)}


def about(rate):
    """A rate; a minute's amount is rounded to micro-coins."""
    return pytest.approx(rate, abs=1e-4)


def seller(house: str) -> Contract:
    price, source = PRICES[house]
    return Contract(
        house=house, role=Role.PRODUCER, valid_from=0, valid_to=START + 10**6, min_w=0, max_w=2500,
        price=microcoins(price), source=source,
    )  # fmt: skip


def terms(houses: tuple[str, ...] = ("A", "B", "D")) -> Terms:
    buyers = [
        Contract(house=house, role=Role.CONSUMER, valid_from=0, valid_to=START + 10**6, max_w=3000)
        for house in houses
        if house not in PRICES
    ]
    tariff = Tariff(valid_from=0, valid_to=START + 10**6, national=microcoins(17.6), cap=Cap.OFF)
    return Terms(
        zone=ZONE.key,
        houses=tuple(House(house=house, name=house, connection_w=5000) for house in houses),
        contracts=(*buyers, seller("B"), seller("D")),
        tariffs=(tariff,),
    )


def rows(house: str, minutes: range, powers_w=POWERS_W) -> list[MeterMinute]:
    """The opening row and these minutes of a house."""
    load, export = powers_w[house]
    imported = exported = generated = 0
    made = []
    for minute in (minutes.start - 1, *minutes):
        if minute in minutes:
            place = int(minute >= SUNRISE)
            exported += 60 * max(0, export[place])
            imported += 60 * max(0, -export[place])
            generated += 60 * (load[place] + export[place])
        made.append(
            MeterMinute(
                house=house, minute=minute, epoch=0, import_ws=imported, export_ws=exported,
                generation_ws=generated, closed_s=60, covered_s=60, max_w=0, min_w=0, voltage_mv=0,
                current_ma=0, power_factor_milli=0, frequency_mhz=0, suspect=0,
            )
        )  # fmt: skip
    return made


def orders(house: str, minutes: range) -> list[OrderMinute]:
    """A first command from the beginning on; a second one with a target from a minute after sunrise on."""
    return [
        OrderMinute(
            house=house, minute=minute, raise_standing=False, hold=Hold.NONE, tie_closed=True,
            target_w=1000 if minute >= COMMAND_MINUTE else None,
            command_id=2 if minute >= COMMAND_MINUTE else 1, acknowledged_s=None,
        )
        for minute in minutes
    ]  # fmt: skip


def settled(agreed: Terms, minutes: range, cuts: tuple[int, ...] = (), powers_w=POWERS_W):
    """The minutes settled in memory, in runs that begin at the cuts."""
    ledger = MonthLedger(agreed, MONTH)
    bounds = (minutes.start, *cuts, minutes.stop)
    of_house = {house: {row.minute: row for row in rows(house, minutes, powers_w)} for house in ledger.houses}
    runs = []
    for first, end in pairwise(bounds):
        opening = {house: found[first - 1] for house, found in of_house.items()}
        inside = [found[minute] for found in of_house.values() for minute in range(first, end)]
        columns = minute_columns(ledger.houses, range(first, end), inside, opening)
        ordered = [order for house in PRICES for order in orders(house, range(first, end))]
        standing = order_columns(ledger.houses, range(first, end), ordered)
        runs.append(settled_minutes(ledger, columns, standing))
    return runs


@pytest.fixture(scope="module")
def figures():
    agreed = terms()
    return collected(agreed, MINUTES, settled(agreed, MINUTES, (START + 200, SUNRISE + 7)))


def test_a_house_is_drawn_by_itself_with_its_role_and_source(figures):
    assert [party.houses for party in figures.parties] == [("A",), ("B",), ("D",)]
    assert [party.source for party in figures.parties] == [None, Source.SOLAR, Source.GENERATOR]
    assert figures.of(Role.CONSUMER).tolist() == [0]
    assert figures.of(Role.PRODUCER).tolist() == [1, 2]
    assert figures.of(Role.PRODUCER, Source.GENERATOR).tolist() == [2]


def test_the_load_is_what_is_generated_less_what_flows_into_the_micro_grid(figures):
    night, day = (np.array([LOAD_W[house][when] for house in "ABD"]) for when in (0, 1))
    assert figures.by_day(figures.load_ws, False).tolist() == [night.tolist()]
    assert figures.by_day(figures.load_ws, True).tolist() == [day.tolist()]
    assert figures.mean_power(figures.load_ws, True).tolist() == day.tolist()


def test_what_flows_either_way_is_kept_apart(figures):
    assert figures.mean_power(figures.delivered_ws, True).tolist() == [0, 1000, 0]
    assert figures.mean_power(figures.delivered_ws, False).tolist() == [0, 300, 300]
    assert figures.mean_power(figures.taken_ws, True).tolist() == [1200, 0, 0]


def test_the_rate_is_the_settlements_own_and_its_means_are_by_energy(figures):
    assert figures.rate_by_day(False) == about([NIGHT_RATE])
    assert figures.rate_by_day(True) == about([DAY_RATE])
    night_kwh, day_kwh = 0.6 * 350 / 60, 1.0 * 100 / 60
    mean = (NIGHT_RATE * night_kwh + DAY_RATE * day_kwh) / (night_kwh + day_kwh)
    assert figures.rate_so_far() == about([mean])
    hours, rates = figures.rate_by_hour()
    assert hours.tolist() == [START + 60 * n for n in range(8)]
    assert rates[[0, 4, 6, 7]] == about([NIGHT_RATE, NIGHT_RATE, DAY_RATE, DAY_RATE])
    assert NIGHT_RATE > rates[5] > DAY_RATE  # the sun rose in this hour
    assert figures.tariff.tolist() == [17.6] * len(MINUTES)


def test_a_mean_day_has_nothing_where_nothing_was_lived(figures):
    mean = figures.mean_day(figures.load_ws[:, 0])
    assert mean[:23].tolist() == [600] * 23
    assert mean[23] == pytest.approx((5 * 600 + 10 * 1200) / 15)  # 05:45 to 06:00
    assert mean[24:30].tolist() == [1200] * 6
    assert np.isnan(mean[30:]).all()
    mean, low, high = figures.rate_of_mean_day()
    assert mean[0] == about(NIGHT_RATE)
    assert (low[23], high[23]) == about((DAY_RATE, NIGHT_RATE))
    assert np.isnan(high[30:]).all()


def test_days_are_local_and_a_day_without_its_night_has_no_mean_of_it():
    agreed = terms()
    minutes = range(START, START + MINUTES_PER_DAY + 10)
    made = collected(agreed, minutes, settled(agreed, minutes))
    assert made.days == (range(START, START + MINUTES_PER_DAY), range(START + MINUTES_PER_DAY, minutes.stop))
    by_day = made.by_day(made.load_ws[:, 0], True)
    assert by_day[0] == 1200
    assert np.isnan(by_day[1])
    # What is by night in this month of ours is the morning's 600 W, and the evening's 1200 W.
    assert made.by_day(made.load_ws[:, 0], False) == pytest.approx([(350 * 600 + 280 * 1200) / 630, 1200])


def test_each_sellers_price_is_told(figures):
    assert [(p.houses, p.source, p.lowest, p.highest) for p in figures.prices] == [
        (("B",), Source.SOLAR, 8.0, 8.0),
        (("D",), Source.GENERATOR, 25.0, 25.0),
    ]


def test_a_large_neighbourhood_is_drawn_by_role_and_source():
    houses = ("A", "B", "D", *(f"H{n}" for n in range(MOST_HOUSES)))
    powers_w = POWERS_W | dict.fromkeys(houses[3:], ((100, 200), (-100, -200)))
    agreed = terms(houses)
    minutes = range(START, START + 60)
    made = collected(agreed, minutes, settled(agreed, minutes, powers_w=powers_w))
    assert [(party.role, party.source, len(party.houses)) for party in made.parties] == [
        (Role.CONSUMER, None, 1 + MOST_HOUSES),
        (Role.PRODUCER, Source.SOLAR, 1),
        (Role.PRODUCER, Source.GENERATOR, 1),
    ]
    assert made.mean_power(made.load_ws, False).tolist() == [600 + 100 * MOST_HOUSES, 300, 100]


def test_generation_of_minutes_nobody_heard_adds_up_to_the_register():
    heard = [row for row in rows("B", MINUTES) if row.minute not in (START + 1, START + 2)]
    opening, heard = heard[0], heard[1:]
    minutes = range(START, START + 5)
    columns = minute_columns(("B",), minutes, [r for r in heard if r.minute in minutes], {"B": opening})
    assert generation_ws(columns)[:, 0].tolist() == [36000] * 5
    # after the last row nothing is known yet
    columns = minute_columns(("B",), minutes, heard[:1], {"B": opening})
    assert generation_ws(columns)[:, 0].tolist() == [36000, 0, 0, 0, 0]
    # and never anything of a house without rows
    assert generation_ws(minute_columns(("B",), minutes, [], {})).tolist() == [[0]] * 5


def test_a_new_epoch_is_no_generation():
    first, second, third = rows("B", range(START, START + 2))
    exchanged = replace(third, epoch=1)
    columns = minute_columns(("B",), range(START, START + 2), [second, exchanged], {"B": first})
    assert generation_ws(columns)[:, 0].tolist() == [36000, 0]


def test_the_record_of_a_day(figures):
    agreed = terms()
    shown = range(SUNRISE - 2, SUNRISE + 3)
    runs = settled(agreed, range(START, shown.stop), (START + 100, SUNRISE))
    late = [run for run in runs if run.columns.end_minute > shown.start]
    day = recorded(agreed, shown, late, "Sunrise", [(SUNRISE, "the sun rises")])
    assert (day.title, day.zone, day.minutes, day.events) == (
        "Sunrise", ZONE, shown, ((SUNRISE, "the sun rises"),)
    )  # fmt: skip
    assert day.demand_w.tolist() == [600, 600, 1200, 1200, 1200]
    assert day.import_w.tolist() == [0, 0, 200, 200, 200]
    assert day.rate == about([NIGHT_RATE] * 2 + [DAY_RATE] * 3)
    assert day.tariff.tolist() == [17.6] * 5
    b, d = day.sellers
    assert (b.house, b.source, b.min_w, b.max_w) == ("B", Source.SOLAR, 0, 2500)
    assert b.export_w.tolist() == [300, 300, 1000, 1000, 1000]
    assert np.isnan(b.target_w[:3]).all()
    assert b.target_w[3:].tolist() == [1000, 1000]
    assert b.commands.tolist() == d.commands.tolist() == [COMMAND_MINUTE]


def test_what_goes_into_the_national_grid_is_below_zero():
    agreed = terms()
    run = settled(agreed, range(START, START + 3), powers_w=POWERS_W | {"D": ((100, 100), (1000, 0))})
    assert recorded(agreed, range(START, START + 3), run, "", ()).import_w.tolist() == [-700] * 3


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same minutes in a central's database."""
    path = tmp_path_factory.mktemp("figures") / "power.sqlite"
    writer = DatabaseWriter(path, InlineWorker())
    writer.save_terms(terms())
    writer.close()
    connection = open_writer(path, CENTRAL)
    try:
        MinuteStore(connection).append(
            [row for house in LOAD_W for row in rows(house, MINUTES)],
            [order for house in PRICES for order in orders(house, MINUTES)],
        )
    finally:
        connection.close()
    return path


def test_a_database_tells_the_same(database: Path, figures):
    found = month_figures(database, MONTH)
    assert (found.month, found.zone, found.minutes) == (MONTH, ZONE, MINUTES)
    assert (found.parties, found.prices) == (figures.parties, figures.prices)
    for name in ("load_ws", "delivered_ws", "taken_ws", "local_ws", "local_amount", "tariff"):
        assert np.array_equal(getattr(found, name), getattr(figures, name)), name


def test_a_day_out_of_a_database(database: Path):
    day = day_record(database, SUNRISE - 2, SUNRISE + 3, "Sunrise")
    assert day.demand_w.tolist() == [600, 600, 1200, 1200, 1200]
    assert day.rate == about([NIGHT_RATE] * 2 + [DAY_RATE] * 3)
    assert day.sellers[0].commands.tolist() == [COMMAND_MINUTE]


def test_what_is_not_there_is_said(database: Path):
    with pytest.raises(LookupError, match="2026-07"):
        month_figures(database, "2026-07")
    with pytest.raises(LookupError, match="Nothing is recorded"):
        day_record(database, MINUTES.stop + 10, MINUTES.stop + 20, "later")
    with pytest.raises(ValueError, match="settled by itself"):
        day_record(database, START, month_minutes(MONTH, ZONE).stop + 1, "two months")
