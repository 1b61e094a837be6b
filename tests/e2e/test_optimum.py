"""The least-cost day that load sharing is measured against: small days worked out by hand, and a bound."""

import numpy as np
import pytest

from benchmarks.optimum import Plant, above_cap_coins, cost_coins, least_cost, minutes_of
from microgrid.terms import Contract, Role, Source, Tariff
from microgrid.units import WS_PER_KWH, microcoins
from simulation.plant.config import PlantConfig

HOUR = 60
TARIFF = Tariff(valid_from=0, valid_to=2**31, national=microcoins(17.6))
PRICE = np.array([microcoins(8), microcoins(25), 0])  # B, D, and who only buys


def contract(house: str, price: float, source: Source) -> Contract:
    return Contract(
        house=house,
        role=Role.PRODUCER,
        valid_from=0,
        valid_to=2**31,
        min_w=250,
        max_w=2500,
        price=microcoins(price),
        source=source,
    )


def sun(panels_w: int = 4000, stored_kwh: float = 0.0, left_kwh: float = 0.0) -> Plant:
    return Plant(
        contract=contract("B", 8, Source.SOLAR),
        config=PlantConfig(
            monthly_kwh=1,
            source=Source.SOLAR,
            inverter_kw=4.0,
            array_kwp=8.0,
            battery_kwh=10.0,
            battery_kw=5.0,
        ),
        load_w=np.zeros(HOUR, dtype=np.int64),
        obliged=np.ones(HOUR, dtype=np.bool_),
        output_w=2000,
        panels_w=np.full(HOUR, panels_w),
        stored_ws=round(stored_kwh * WS_PER_KWH),
        left_ws=round(left_kwh * WS_PER_KWH),
    )


def diesel(minimum_kw: float = 0.0, load_w: int = 0) -> Plant:
    return Plant(
        contract=contract("D", 25, Source.GENERATOR),
        config=PlantConfig(
            monthly_kwh=1,
            source=Source.GENERATOR,
            rated_kva=5.0,
            minimum_kw=minimum_kw,
            ramp_kw_per_minute=0.1,
        ),
        load_w=np.full(HOUR, load_w),
        obliged=np.ones(HOUR, dtype=np.bool_),
        output_w=1000,
    )


def hour(demand_w: int, **plants: Plant) -> np.ndarray:
    """The powers of B, D and the buyers in every minute."""
    others_w = np.full(HOUR, -demand_w)
    found = least_cost(plants, others_w, TARIFF)
    return np.column_stack([found["B"], found["D"], others_w])


def test_the_sun_is_taken_before_the_national_grid_and_that_before_diesel():
    net_w = hour(3500, B=sun(), D=diesel())
    assert (net_w[:, 0] == 2500).all()
    assert net_w[:8, 1].tolist() == [
        900,
        800,
        700,
        600,
        500,
        400,
        300,
        250,
    ]  # as fast as it may, to its minimum
    assert (net_w[8:, 1] == 250).all()
    rest_kwh = -net_w.sum() / HOUR / 1000
    assert rest_kwh == pytest.approx(0.75 - 0.65 * 5 / HOUR, abs=0.02)


def test_a_stable_minimum_is_exported_where_nobody_needs_it():
    assert (hour(600, B=sun(), D=diesel(minimum_kw=0.4, load_w=50))[10:, 1] == 350).all()


def test_a_battery_gives_what_it_has_and_leaves_what_is_asked():
    """No sun, 1.5 kWh in the battery, 0.5 to be left: one kilowatt-hour can be sold."""
    net_w = hour(2500, B=sun(0, 1.5, 0.5), D=diesel())
    assert net_w[:, 0].sum() / HOUR == pytest.approx(1000, abs=2)
    assert (net_w[:, 0] >= 250).all()


def test_a_battery_is_charged_at_a_loss():
    """1 kW of sun for an hour; what is to be left takes 0.46 / 0.92 of it, the rest is sold."""
    net_w = hour(2500, B=sun(1000, 0.0, 0.46), D=diesel())
    assert net_w[:, 0].sum() / HOUR == pytest.approx(500, abs=2)


def test_a_minimum_that_cannot_be_given_is_given_as_far_as_can_be():
    net_w = hour(2500, B=sun(100), D=diesel())
    assert (net_w[:, 0] == 100).all()


def test_costs_are_those_of_the_registers():
    net_ws = minutes_of(np.tile([2000, 250, -2350], (HOUR, 1)))
    assert cost_coins(net_ws, PRICE, TARIFF) == pytest.approx(2 * 8 + 0.25 * 25 + 0.1 * 17.6)
    spilled = minutes_of(np.tile([2000, 250, -2150], (HOUR, 1)))
    fed_in = Tariff(valid_from=0, valid_to=2**31, national=TARIFF.national, feed_in=microcoins(5))
    assert cost_coins(spilled, PRICE, fed_in) == pytest.approx(2 * 8 + 0.25 * 25 - 0.1 * 5)
    assert above_cap_coins(net_ws, PRICE, TARIFF) == 0
    dear = minutes_of(np.tile([0, 1000, -2000], (HOUR, 1)))
    assert above_cap_coins(dear, PRICE, TARIFF) == pytest.approx(25 - 17.6)


@pytest.mark.parametrize("demand_w", [700, 2500, 4000])
def test_no_constant_output_is_cheaper(demand_w: int):
    """Whatever two constant outputs within the contracts cost, the optimum costs no more."""
    best = cost_coins(minutes_of(hour(demand_w, B=sun(), D=diesel())), PRICE, TARIFF)
    for solar_w in range(250, 2501, 250):
        for diesel_w in (1000, 1500, 2500):
            net_w = np.tile([solar_w, diesel_w, -demand_w], (HOUR, 1))
            assert cost_coins(minutes_of(net_w), PRICE, TARIFF) >= best - 1e-6
