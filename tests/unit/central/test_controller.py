"""Orders to sellers, and the record of them that blame rests on."""

import dataclasses

import pytest

from central_monitor.services.agreed import Agreed
from central_monitor.services.controller import Controller, HouseReading, minute_allowance
from microgrid.minute import Hold
from microgrid.terms import Cap, Obligation, Source
from microgrid.units import microcoins
from tests.unit.central.parts import NOON, buyer, seller, tariff, terms

TARIFF = tariff(cap=Cap.OFF)


def reading(exchange_w, connected=True, linked=True):
    return HouseReading(exchange_w, connected, linked)


def controller(*contracts):
    return Controller(Agreed(terms(*(contracts or (seller("B", 8), buyer("A"))))))


def step(control, readings, minute=NOON, day=True, tariff=TARIFF, allowance=0):
    """One step; an exchanged power alone is that of a house that is linked and connected."""
    full = {h: r if isinstance(r, HouseReading) else reading(r) for h, r in readings.items()}
    return control.step(minute, full, tariff, day, allowance)


def test_a_seller_is_asked_for_what_the_houses_take():
    (order,) = step(controller(), {"A": -1200, "B": 0}).values()
    assert (order.target_w, order.raised, order.acknowledged_s) == (1200, True, None)


def test_the_same_situation_is_the_same_order_with_the_same_id():
    control = controller()
    first = step(control, {"A": -1200, "B": 700})["B"]
    assert step(control, {"A": -1200, "B": 700})["B"] is first
    changed = step(control, {"A": -1500, "B": 700})["B"]
    assert changed.command_id > first.command_id


def test_a_target_that_moves_within_the_deadband_is_the_same_order():
    control = controller()
    first = step(control, {"A": -1200, "B": 0})["B"]
    assert step(control, {"A": -1225, "B": 0})["B"] is first
    assert step(control, {"A": -1175, "B": 0})["B"] is first
    # The deadband is held against what was ordered, so that a slow drift is not followed for ever.
    assert step(control, {"A": -1226, "B": 0})["B"].target_w == 1226


def test_raise_and_lower_are_told_by_what_the_seller_gives():
    control = controller()
    assert step(control, {"A": -1200, "B": 500})["B"].raised
    assert step(control, {"A": -1200, "B": 1180})["B"].raised  # within the deadband: it follows the raise
    lowered = step(control, {"A": -1200, "B": 1300})["B"]
    assert not lowered.raised
    assert not step(control, {"A": -1200, "B": 1210})["B"].raised


def test_a_seller_that_gives_enough_from_the_first_is_not_told_to_raise():
    assert not step(controller(), {"A": -1200, "B": 1190})["B"].raised


def test_only_the_standing_order_is_acknowledged_and_only_once():
    control = controller()
    old = step(control, {"A": -1200, "B": 0})["B"]
    new = step(control, {"A": -1800, "B": 0})["B"]
    control.acknowledge("B", old.command_id, 100)
    control.acknowledge("Z", new.command_id, 100)
    assert control.orders["B"].acknowledged_s is None
    control.acknowledge("B", new.command_id, 200)
    control.acknowledge("B", new.command_id, 300)
    assert control.orders["B"].acknowledged_s == 200
    assert step(control, {"A": -1800, "B": 0})["B"].acknowledged_s == 200


def test_a_harder_order_must_be_acknowledged_anew():
    control = controller()
    order = step(control, {"A": -1200, "B": 0})["B"]
    control.acknowledge("B", order.command_id, 100)
    assert step(control, {"A": -1800, "B": 0})["B"].acknowledged_s is None


def test_a_change_of_direction_must_be_acknowledged_anew():
    control = controller()
    order = step(control, {"A": -1200, "B": 0})["B"]
    control.acknowledge("B", order.command_id, 100)
    lowered = step(control, {"A": -600, "B": 1200})["B"]
    assert (lowered.raised, lowered.acknowledged_s) == (False, None)


def test_every_seller_is_recorded_every_minute_linked_or_not():
    control = controller(seller("B", 8), seller("D", 9), seller("old", 9, valid_to=NOON), buyer("A"))
    order = step(control, {"A": -1200, "B": 0, "D": reading(0, linked=False)}, minute=NOON)["B"]
    control.acknowledge("B", order.command_id, 60 * NOON + 3)
    rows = control.record(range(NOON, NOON + 2), {"B": True})
    assert [(r.house, r.minute) for r in rows] == [
        ("B", NOON),
        ("D", NOON),
        ("B", NOON + 1),
        ("D", NOON + 1),
    ]
    steered, unheard = rows[:2]
    assert (steered.raise_standing, steered.target_w, steered.command_id) == (True, 1200, order.command_id)
    assert steered.acknowledged_s == 60 * NOON + 3
    assert (unheard.raise_standing, unheard.target_w, unheard.command_id) == (False, None, 0)
    assert all(r.tie_closed and not r.out_of_service for r in rows)


def test_a_raise_does_not_stand_on_a_house_that_is_not_linked():
    control = controller()
    step(control, {"A": -1200, "B": 0})
    (linked,) = control.record([NOON], {"B": True})
    (unlinked,) = control.record([NOON], {"B": False})
    (unknown,) = control.record([NOON], {})
    assert linked.raise_standing
    assert not unlinked.raise_standing
    assert not unknown.raise_standing
    assert unlinked.target_w == linked.target_w  # what was ordered is recorded all the same


@pytest.mark.parametrize("state", [{"connected": False}, {"linked": False}])
def test_a_seller_that_is_disconnected_or_not_linked_gets_no_target(state):
    control = controller(seller("B", 8), seller("D", 9), buyer("A"))
    orders = step(control, {"A": -1200, "B": reading(0, **state), "D": 0})
    assert list(orders) == ["D"]
    assert orders["D"].target_w == 1200


def test_a_seller_that_was_never_heard_or_has_no_contract_now_gets_none():
    control = controller(seller("B", 8, valid_to=NOON), seller("D", 9), buyer("A"))
    assert step(control, {"A": -1200, "B": 0}) == {}


def test_a_solar_seller_obliged_by_daylight_gets_none_by_night():
    control = controller(seller("B", 8, source=Source.SOLAR, obligation=Obligation.DAYLIGHT), buyer("A"))
    assert "B" in step(control, {"A": -1200, "B": 0}, day=True)
    assert step(control, {"A": -1200, "B": 0}, day=False) == {}


def test_demand_is_less_what_houses_that_are_not_steered_deliver():
    control = controller(seller("B", 8), seller("D", 9), buyer("A"))
    orders = step(control, {"A": -2000, "B": 300, "N": 500, "D": reading(400, linked=False)})
    assert orders["B"].target_w == 2000 - 500 - 400
    # More than everybody takes: the seller's minimum is left, never a negative demand.
    assert step(control, {"A": -200, "B": 300, "N": 900})["B"].target_w == 250


def test_a_house_under_a_selling_contract_that_takes_power_is_demand_too():
    control = controller(seller("B", 8), seller("D", 9), buyer("A"))
    orders = step(control, {"A": -1000, "B": -500, "D": 0})
    assert sum(order.target_w for order in orders.values()) == 1500


def test_why_a_seller_is_held_is_in_the_order_and_its_record():
    cheap, dear = seller("B", 8, min_w=0), seller("D", 40, min_w=0)
    control = controller(cheap, dear, buyer("A"))
    loaded = step(control, {"A": -2700, "B": 0, "D": 0})
    assert (loaded["B"].hold, loaded["D"].hold) == (Hold.NONE, Hold.SHARING)
    capped = step(control, {"A": -4900, "B": 0, "D": 0}, tariff=tariff(cap=Cap.MINUTE))
    assert capped["D"].hold is Hold.CAP
    rows = {r.house: r for r in control.record([NOON], {"B": True, "D": True})}
    assert (rows["B"].hold, rows["D"].hold) == (Hold.NONE, Hold.CAP)


def test_the_credit_lets_a_dear_seller_run():
    control = controller(seller("D", 25, min_w=0), buyer("A"))
    cap = tariff(cap=Cap.MONTH)
    assert step(control, {"A": -2000, "D": 0}, tariff=cap, allowance=0)["D"].target_w == 0
    # 7.4 coins a kWh above the tariff: 2 kW for a minute needs 0.247 coins.
    rich = step(control, {"A": -2000, "D": 0}, tariff=cap, allowance=microcoins(0.25))["D"]
    assert (rich.target_w, rich.hold) == (2000, Hold.SHARING)


def test_an_order_that_is_withdrawn_is_gone_and_its_id_never_comes_again():
    control = controller()
    first = step(control, {"A": -1200, "B": 0})["B"]
    assert step(control, {"A": -1200, "B": reading(0, connected=False)}) == {}
    assert control.orders == {}
    (row,) = control.record([NOON], {"B": True})
    assert (row.target_w, row.raise_standing, row.command_id) == (None, False, 0)
    again = step(control, {"A": -1200, "B": 0})["B"]
    assert again.command_id > first.command_id
    assert again.target_w == first.target_w


def test_orders_given_out_are_a_picture_not_the_controllers_own():
    control = controller()
    orders = step(control, {"A": -1200, "B": 0})
    orders["B"] = dataclasses.replace(orders["B"], target_w=0)
    assert control.orders["B"].target_w == 1200


def test_the_credit_is_spread_over_a_control_period():
    assert minute_allowance(tariff(cap=Cap.MONTH), 1000, 5) == 200
    assert minute_allowance(tariff(cap=Cap.MONTH), 1000, 0) == 1000
    assert minute_allowance(tariff(cap=Cap.MINUTE), 1000, 5) == 0
    assert minute_allowance(tariff(cap=Cap.OFF), 1000, 5) == 0
