"""Meters, houses and central as processes on virtual time, killed and cut off: no energy is ever lost."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from microgrid.minute import Origin
from tests.e2e.neighbourhood import HOUSES, MONTH, Neighbourhood
from tests.e2e.truth import billed, recorded, same_registers, true_bill

Live = Callable[..., Neighbourhood]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """Makes a neighbourhood whose processes end with the test."""
    with ExitStack() as stack:
        yield lambda step=1: stack.enter_context(Neighbourhood(tmp_path, step))


def bills(town: Neighbourhood) -> tuple[bytes, bytes]:
    """The bill from the database, and the one from the meters' own records."""
    minutes = range(town.month.start, town.now)
    return billed(town.database, MONTH), true_bill(town.database, town.terms, MONTH, minutes, town.records())


def net_ws(bill: bytes, house: str) -> int:
    account = json.loads(bill)["accounts"][house]
    return account["microgrid_energy"] + account["national_grid_energy"]


def missing(town: Neighbourhood, house: str) -> int:
    """How many of the minutes lived have no row of this house."""
    columns, _ = recorded(town.database, town.month.start, town.now)
    return int((~columns.present[:, columns.houses.index(house)]).sum())


def test_nine_healthy_hours_are_billed_as_the_meters_counted_it(live: Live) -> None:
    town = live(step=5)
    town.play(9 * 60)
    town.stop_all()
    from_database, truth = bills(town)
    assert from_database == truth
    assert all(town.records()[house][-1].import_ws > 2**32 for house in "AC")
    assert all(town.records()[house][-1].export_ws > 2**32 for house in "BD")
    assert all(missing(town, house) == 0 for house in HOUSES)


def test_houses_killed_between_two_minutes_lose_nothing(live: Live) -> None:
    town = live()
    town.play(30)
    for house in HOUSES:
        town.kill("house", house)
    for house in HOUSES:
        town.start_house(house)
    town.play(60)
    town.stop_all()
    from_database, truth = bills(town)
    assert from_database == truth
    columns, _ = recorded(town.database, town.month.start, town.now)
    assert (columns.closed_s == 60).all()  # what was not heard of a minute does not open a breaker
    assert all(missing(town, house) == 0 for house in HOUSES)


def test_the_energy_of_minutes_a_house_was_dead_is_billed_as_estimated(live: Live) -> None:
    town = live()
    town.play(20)
    town.kill("house", "A")
    town.kill("house", "B")
    town.play(30)
    assert town.linked == ["C", "D"]
    town.start_house("A")
    town.start_house("B")
    town.play_until_linked(*HOUSES)
    town.play(20)
    town.stop_all()
    from_database, truth = bills(town)
    bill = json.loads(from_database)
    for house in HOUSES:
        assert net_ws(from_database, house) == net_ws(truth, house) == town.net_ws(house)
    assert missing(town, "A") == missing(town, "B") == 30
    assert bill["accounts"]["A"]["estimated_minutes"] == 31  # with the minute in which it was heard again
    assert bill["accounts"]["A"]["estimated_energy"] < 0 < bill["accounts"]["B"]["estimated_energy"]
    assert bill["accounts"]["C"]["estimated_minutes"] == 0
    assert bill["postings_total"] == 0


def test_minutes_of_an_hour_without_network_arrive_late_and_are_billed_the_same(live: Live) -> None:
    town = live()
    town.play(20)
    for house in "AB":
        town.cables[house].cut()
    town.play(60)
    assert town.linked == ["C", "D"]
    assert missing(town, "A") >= 60
    for house in "AB":
        town.cables[house].join()
    town.play_until_linked(*HOUSES)
    town.play(10)
    town.stop_all()
    from_database, truth = bills(town)
    assert from_database == truth
    columns, _ = recorded(town.database, town.month.start, town.now)
    late = (columns.origin == Origin.LATE).sum(axis=0)
    assert late[columns.houses.index("A")] >= 60
    assert late[columns.houses.index("C")] == 0
    assert all(missing(town, house) == 0 for house in HOUSES)


def test_a_killed_central_loses_nothing_it_acknowledged_and_is_offered_the_rest(live: Live) -> None:
    town = live()
    town.play(20)
    before, _ = recorded(town.database, town.month.start, town.now)
    town.kill("central")
    killed = town.now
    town.play(15)
    down = slice(killed - town.month.start, town.now - town.month.start)
    town.start_central()
    town.play_until_linked(*HOUSES)
    town.play(10)
    town.stop_all()
    after, orders = recorded(town.database, town.month.start, town.now)
    assert before.present.all()
    assert (after.import_ws[: len(before.import_ws)] == before.import_ws).all()
    assert after.present.all()
    assert same_registers(after, town.records()).all()
    sellers = orders.present[:, [HOUSES.index("B"), HOUSES.index("D")]]
    assert not sellers[down].any()
    assert sellers[: down.start].all()
    assert sellers[down.stop + 1 :].all()
    bill = billed(town.database, MONTH)
    assert json.loads(bill)["postings_total"] == 0
    assert all(net_ws(bill, house) == town.net_ws(house) for house in HOUSES)


def test_a_house_that_lost_its_disk_carries_on_its_registers(live: Live) -> None:
    town = live()
    town.play(40)
    for house in "AD":
        town.stop("house", house)
        shutil.rmtree(town.data(house))
    town.play(10)
    for house in "AD":
        town.start_house(house)
    town.play(20)
    town.stop_all()
    columns, _ = recorded(town.database, town.month.start, town.now)
    assert same_registers(columns, town.records()).all()
    bill = billed(town.database, MONTH)
    assert all(net_ws(bill, house) == town.net_ws(house) for house in HOUSES)


def test_a_house_that_lost_its_disk_and_meets_no_central_at_first_loses_nothing(live: Live) -> None:
    town = live()
    town.play(40)
    assert town.records()["A"][-1].import_ws > 2**32  # only the central knows how often the counter wrapped
    town.stop("house", "A")
    shutil.rmtree(town.data("A"))
    town.cables["A"].cut()
    town.start_house("A")
    town.play(10)
    town.cables["A"].join()
    town.play_until_linked(*HOUSES)
    town.play(20)
    town.stop_all()
    columns, _ = recorded(town.database, town.month.start, town.now)
    assert same_registers(columns, town.records()).all()
    assert net_ws(billed(town.database, MONTH), "A") == town.net_ws("A")
