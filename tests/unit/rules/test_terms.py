"""Terms that are wrong are said in words; terms that are right are found by minute."""

from typing import Any

import msgspec
import pytest

from microgrid.terms import (
    COMMON_ACCOUNTS,
    MAX_CONNECTION_W,
    MAX_HOUSES,
    MAX_PRICE,
    House,
    Source,
    Tariff,
    Terms,
    house_faults,
    tariff_faults,
    terms_faults,
)
from microgrid.units import microcoins
from tests.unit.rules.build import FOREVER, T, buyer, seller, terms_of

GOOD = terms_of(seller("B", 8, source=Source.SOLAR), buyer("A"))


def with_seller(**change: Any) -> Terms:
    return msgspec.structs.replace(GOOD, contracts=(msgspec.structs.replace(GOOD.contracts[0], **change),))


def with_tariff(**change: Any) -> Terms:
    return msgspec.structs.replace(GOOD, tariffs=(msgspec.structs.replace(GOOD.tariffs[0], **change),))


def with_houses(*houses: House) -> Terms:
    return msgspec.structs.replace(GOOD, houses=houses, contracts=())


def house(name: str, connection_w: int = 10_000) -> House:
    return House(house=name, name=name, connection_w=connection_w)


def test_good_terms_have_no_faults():
    assert terms_faults(GOOD) == []
    # Overdeclaring, a minimum of zero and a generator dearer than the tariff are all allowed.
    assert terms_faults(terms_of(seller("B", 25, min_kw=0), buyer("A", max_kw=10))) == []


@pytest.mark.parametrize(
    ("terms", "sentence"),
    [
        (with_seller(min_w=2600), "House B: the minimum of 2.6 kW is above the maximum of 2.5 kW; "),
        (with_seller(min_w=-1), "House B: the minimum of -0.001 kW is negative; "),
        (with_seller(max_w=10_001), "House B: the maximum of 10.001 kW must be above 0 and at most the"),
        (with_seller(max_w=0, min_w=0), "House B: the maximum of 0 kW must be above 0"),
        (with_seller(price=T + 1), "House B: the solar price of 17.6 coins/kWh is above the national tariff"),
        (with_seller(price=-1), "House B: the price of -1e-06 coins/kWh must be between 0 and 500."),
        (with_seller(price=MAX_PRICE + 1), "House B: the price of 500 coins/kWh must be between 0 and 500."),
        (with_seller(source=None), "House B: a producer must name its source, solar or generator."),
        (with_seller(valid_from=9, valid_to=9), "House B: the contract ends before it begins; "),
        (with_seller(house="X"), "House X: a contract names this house, but it is not listed."),
        (with_houses(), "There are 0 houses; a micro-grid has 1 to 254."),
        (with_houses(*(house(f"H{n}") for n in range(MAX_HOUSES + 1))), "There are 255 houses; "),
        (with_houses(house("A"), house("A")), "House A: this ID is listed twice; "),
        (with_houses(house("A", 0)), "House A: a connection of 0 kW must be above 0"),
        (with_houses(house("A", MAX_CONNECTION_W + 1)), "House A: a connection of 1000 kW must be above 0"),
        (with_tariff(national=0), "The national tariff of 0 coins/kWh must be above 0"),
        (with_tariff(national=MAX_PRICE + 1), "The national tariff of 500 coins/kWh must be above 0"),
        (with_tariff(feed_in=T + 1), "The feed-in price of 17.6 coins/kWh must be between 0 and the tariff."),
        (with_tariff(feed_in=-1), "The feed-in price of -1e-06 coins/kWh must be between 0 and the tariff."),
        (with_tariff(valid_from=7, valid_to=7), "A tariff ends before it begins; "),
        (with_tariff(deadband_w=-1), "The response time and the deadband must be 0 or more."),
        (with_tariff(valid_from=5), "House B: no tariff is in force when its contract begins; add one."),
        (msgspec.structs.replace(GOOD, tariffs=()), "House B: no tariff is in force when"),
        (
            msgspec.structs.replace(GOOD, contracts=(*GOOD.contracts, seller("A", 9))),
            "House A: two contracts are in force at once; a house has one role at a time.",
        ),
        (
            msgspec.structs.replace(GOOD, tariffs=GOOD.tariffs * 2),
            "Two tariffs are in force at once; let one end where the next begins.",
        ),
    ],
)  # fmt: skip
def test_each_fault_is_one_sentence_that_names_the_house_and_the_figure(terms: Terms, sentence: str):
    faults = terms_faults(terms)
    assert any(fault.startswith(sentence) for fault in faults), faults
    assert all(fault.endswith(".") for fault in faults)


def test_faults_are_told_by_field():
    right = GOOD.tariffs[0]
    wrong = {"valid_to": right.valid_from, "national": 0, "feed_in": -1, "response_s": -1, "deadband_w": -1}
    assert tariff_faults(right) == {}
    for field, value in wrong.items():
        assert field in tariff_faults(msgspec.structs.replace(right, **{field: value}))
    assert set(tariff_faults(msgspec.structs.replace(right, **wrong))) == set(wrong)
    assert house_faults(house("A")) == {}
    left = msgspec.structs.replace(house("A 1", 0), joined=2, left=1)
    assert set(house_faults(left)) == {"house", "connection_w", "left"}
    assert set(house_faults(house("reserve"))) == {"house"}


@pytest.mark.parametrize("name", COMMON_ACCOUNTS)
def test_a_house_may_not_take_the_name_of_a_common_account(name: str):
    assert terms_faults(with_houses(house(name))) == [
        f"House {name}: this ID is the name of a common account; choose another."
    ]


def test_terms_are_found_by_minute():
    early, late = seller("B", 8, valid_to=100), seller("B", 9, valid_from=100)
    tariffs = (
        Tariff(valid_from=0, valid_to=50, national=microcoins(16)),
        Tariff(valid_from=50, valid_to=FOREVER, national=T),
    )
    terms = terms_of(early, late, tariffs=tariffs)
    assert terms_faults(terms) == []
    assert (terms.contract_at("B", 99), terms.contract_at("B", 100)) == (early, late)
    assert terms.contract_at("B", -1) is None
    assert [terms.tariff_at(minute).national for minute in (49, 50)] == [microcoins(16), T]
    assert terms.house("B").connection_w == 10_000
    with pytest.raises(KeyError):
        terms.house("Z")
    with pytest.raises(LookupError, match="no tariff is in force"):
        terms.tariff_at(-1)
