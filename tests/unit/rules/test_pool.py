"""The pool and the rate of a poll, for the screens."""

import pytest

from microgrid.pool import Reading, obliged, pool
from microgrid.terms import Cap, Obligation, Tariff
from microgrid.units import microcoins
from tests.unit.rules.build import FOREVER, T, buyer, seller


def tariff(cap: Cap = Cap.OFF, feed_in: int = 0) -> Tariff:
    return Tariff(valid_from=0, valid_to=FOREVER, national=T, feed_in=feed_in, cap=cap)


def test_the_pool_of_a_poll():
    readings = [
        Reading(seller("B", 8), 2000, True),
        Reading(seller("D", 25), 500, True),
        Reading(buyer("A"), -900, True),
        Reading(buyer("C"), -1800, True),
        Reading(None, -100, True),
    ]
    found = pool(readings, tariff(), day=True, credit=0)
    assert (found.produced_w, found.consumed_w, found.available_w) == (2500, 2800, 5000)
    assert (found.pool_w, found.national_w, found.allotment_w) == (2200, 300, 2500)
    assert found.rate == found.billed_rate == microcoins(11.4)


@pytest.mark.parametrize("change", [{"connected": False}, {"in_service": False}])
def test_a_seller_that_cannot_deliver_is_not_in_the_pool(change: dict[str, bool]):
    reading = Reading(seller("B", 8), 0, **{"connected": True, **change})
    found = pool([reading, Reading(buyer("A"), -1000, True)], tariff(Cap.MONTH), day=True, credit=0)
    assert (found.available_w, found.rate, found.billed_rate) == (0, None, T)


def test_the_sun_is_not_obliged_by_night():
    solar = seller("B", 8, obligation=Obligation.DAYLIGHT)
    assert (obliged(solar, True), obliged(solar, False), obliged(buyer("A"), True)) == (True, False, False)
    assert pool([Reading(solar, 0, True)], tariff(), day=False, credit=0).available_w == 0


@pytest.mark.parametrize(
    ("cap", "credit", "billed"),
    [
        (Cap.OFF, 10**9, 25.0),
        (Cap.MINUTE, 10**9, 17.6),
        (Cap.MONTH, 0, 17.6),
        (Cap.MONTH, microcoins(0.05), 20.6),  # 3 coins a kWh for the sixtieth of 1 kWh
        (Cap.MONTH, 10**9, 25.0),
    ],
)
def test_the_billed_rate_spends_the_credit(cap: Cap, credit: int, billed: float):
    readings = [Reading(seller("D", 25), 1000, True), Reading(buyer("A"), -1000, True)]
    assert pool(readings, tariff(cap), day=False, credit=credit).billed_rate == microcoins(billed)


def test_nobody_at_home():
    found = pool([], tariff(), day=True, credit=0)
    assert (found.produced_w, found.allotment_w, found.rate, found.billed_rate) == (0, 0, None, T)
