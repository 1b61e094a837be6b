"""Orders to sellers: who is asked for what, when a command is given, and who is asked in another's place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from central_monitor.services.controller import minute_allowance
from microgrid.directives import StrategyName
from microgrid.minute import Hold
from microgrid.terms import Cap, Obligation, Source
from microgrid.units import microcoins
from tests.unit.central.parts import NOON, buyer, seller, tariff
from tests.unit.central.steered import NOON_S, Steered, by_hand, reading

SUN, DIESEL = seller("B", 8, source=Source.SOLAR), seller("D", 12)


def test_a_seller_is_asked_for_what_the_houses_take():
    (order,) = Steered().step(A=-1200, B=0).values()
    assert (order.target_w, order.raised, order.acknowledged_s) == (1200, True, None)
    assert (order.given_s, order.fallback_w) == (NOON_S, 250)


def test_the_same_situation_is_the_same_order_with_the_same_id():
    steered = Steered()
    first = steered.step(A=-1200, B=700)["B"].command_id
    assert steered.step(A=-1200, B=700)["B"].command_id == first
    assert steered.step(A=-1500, B=700)["B"].command_id > first


@given(st.lists(st.integers(-9, 9), min_size=5, max_size=30))
def test_demand_that_trembles_gives_no_command(trembling):
    """No hunting: at constant load nobody is called again."""
    steered = Steered(SUN, DIESEL, buyer("A"))
    steered.step(A=-1500, B=0, D=0)
    settled = steered.step(A=-1500, B=1250, D=250)
    for watts in trembling:
        orders = steered.step(A=-1500 + watts, B=settled["B"].target_w + watts // 2, D=250)
        assert {h: o.command_id for h, o in orders.items()} == {h: o.command_id for h, o in settled.items()}


def test_a_slow_drift_is_followed_once_it_is_worth_a_command():
    steered = Steered()
    first = steered.step(A=-1200, B=0)["B"]
    assert steered.step(A=-1212, B=1200)["B"].target_w == 1200  # a hundredth
    drifted = steered.step(A=-1213, B=1200)["B"]
    assert (drifted.target_w, drifted.command_id > first.command_id) == (1213, True)


def test_one_target_at_a_time_for_a_seller():
    steered = Steered(step_s=10)
    first = steered.step(A=-1200, B=0)["B"]
    waiting = steered.step(A=-1800, B=0)["B"]
    assert waiting.command_id == first.command_id  # no word on the first one yet
    steered.acknowledge("B")
    assert steered.step(A=-1800, B=0)["B"].target_w == 1800
    steered.acknowledge("B")
    steered.now_s -= 5  # too soon after it
    assert steered.step(A=-900, B=0)["B"].target_w == 1800
    assert steered.step(A=-900, B=0)["B"].target_w == 900


def test_a_seller_that_never_answers_gets_its_next_target_all_the_same():
    steered = Steered(step_s=10)
    steered.step(A=-1200, B=0)
    steered.step(A=-1200, B=0)
    assert steered.step(A=-1800, B=0)["B"].target_w == 1800


def test_raise_and_lower_are_told_by_what_the_seller_gives():
    steered = Steered()
    assert steered.step(A=-1200, B=500)["B"].raised
    assert steered.step(A=-1200, B=1180)["B"].raised  # within the deadband: it follows the raise
    assert not steered.step(A=-1200, B=1300)["B"].raised
    assert not steered.step(A=-1200, B=1210)["B"].raised


def test_a_seller_that_gives_enough_from_the_first_is_not_told_to_raise():
    assert not Steered().step(A=-1200, B=1190)["B"].raised


def test_only_the_standing_order_is_acknowledged_and_only_once():
    steered = Steered()
    old = steered.step(A=-1200, B=0)["B"]
    new = steered.step(A=-1800, B=0)["B"]
    control = steered.control
    given_s = steered.now_s
    control.answered("B", old.command_id, given_s, False, "", given_s)
    control.answered("Z", new.command_id, given_s, False, "", given_s)
    assert control.orders["B"].acknowledged_s is None
    control.answered("B", new.command_id, given_s + 2, False, "", given_s + 5)
    control.answered("B", new.command_id, given_s + 3, False, "", given_s + 5)
    assert control.orders["B"].acknowledged_s == given_s + 2
    assert steered.step(A=-1800, B=0)["B"].acknowledged_s == given_s + 2


@pytest.mark.parametrize(("said_s", "taken_s"), [(0, 0), (-500, 0), (10**6, 5)])
def test_nobody_acknowledges_before_it_was_asked_nor_in_time_to_come(said_s, taken_s):
    steered = Steered()
    order = steered.step(A=-1200, B=0)["B"]
    given_s = steered.now_s
    steered.control.answered("B", order.command_id, given_s + said_s, False, "", given_s + 5)
    assert steered.control.orders["B"].acknowledged_s == given_s + taken_s


@pytest.mark.parametrize("state", [{"connected": False}, {"linked": False}])
def test_a_seller_that_is_disconnected_or_not_linked_gets_no_target(state):
    steered = Steered(seller("B", 8), seller("D", 9), buyer("A"))
    orders = steered.step(A=-1200, B=reading(0, **state), D=0)
    assert list(orders) == ["D"]
    assert orders["D"].target_w == 1200


def test_a_seller_that_was_never_heard_or_has_no_contract_now_gets_none():
    steered = Steered(seller("B", 8, valid_to=NOON), seller("D", 9), buyer("A"))
    assert steered.step(A=-1200, B=0) == {}


def test_a_solar_seller_obliged_by_daylight_gets_none_by_night():
    steered = Steered(seller("B", 8, source=Source.SOLAR, obligation=Obligation.DAYLIGHT), buyer("A"))
    assert "B" in steered.step(A=-1200, B=0)
    steered.day = False
    assert steered.step(A=-1200, B=0) == {}


def test_demand_is_less_what_houses_that_are_not_steered_deliver():
    steered = Steered(seller("B", 8), seller("D", 9), buyer("A"))
    orders = steered.step(A=-2000, B=300, N=500, D=reading(400, linked=False))
    assert orders["B"].target_w == 2000 - 500 - 400
    # More than everybody takes: the seller's minimum is left, never a negative demand.
    assert steered.step(A=-200, B=300, N=900)["B"].target_w == 250


def test_a_house_under_a_selling_contract_that_takes_power_is_demand_too():
    steered = Steered(seller("B", 8), seller("D", 9), buyer("A"))
    orders = steered.step(A=-1000, B=-500, D=0)
    assert sum(order.target_w for order in orders.values()) == 1500


def test_why_a_seller_is_held_is_in_the_order():
    steered = Steered(seller("B", 8, min_w=0), seller("D", 40, min_w=0), buyer("A"))
    loaded = steered.step(A=-2700, B=0, D=0)
    assert (loaded["B"].hold, loaded["D"].hold) == (Hold.NONE, Hold.SHARING)
    steered.tariff = tariff(cap=Cap.MINUTE)
    capped = steered.step(A=-4900, B=0, D=0)
    assert capped["D"].hold is Hold.CAP


def test_the_credit_lets_a_dear_seller_run():
    steered = Steered(seller("D", 25, min_w=0), buyer("A"))
    steered.tariff = tariff(cap=Cap.MONTH)
    assert steered.step(A=-2000, D=0)["D"].target_w == 0
    # 7.4 coins a kWh above the tariff: 2 kW for a minute needs 0.247 coins.
    rich = steered.step(A=-2000, D=0, allowance=microcoins(0.25))["D"]
    assert (rich.target_w, rich.hold) == (2000, Hold.SHARING)


def test_an_order_that_is_withdrawn_is_gone_and_its_id_never_comes_again():
    steered = Steered()
    first = steered.step(A=-1200, B=0)["B"]
    assert steered.step(A=-1200, B=reading(0, connected=False)) == {}
    assert steered.control.orders == {}
    again = steered.step(A=-1200, B=0)["B"]
    assert again.command_id > first.command_id
    assert again.target_w == first.target_w


def test_orders_given_out_are_a_picture_not_the_controllers_own():
    steered = Steered()
    orders = steered.step(A=-1200, B=0)
    orders["B"] = replace(orders["B"], target_w=0)
    assert steered.control.orders["B"].target_w == 1200


# --- who does not follow ----------------------------------------------------------------------------


def test_a_cloud_is_noticed_at_the_second_look_and_others_are_asked():
    steered = Steered(SUN, DIESEL, buyer("A"))
    steered.step(A=-2000, B=0, D=0)
    steered.acknowledge("B", "D")
    steered.step(A=-2000, B=1750, D=250)
    steered.acknowledge("B", "D")
    steered.step(A=-2000, B=1750, D=250)
    orders = steered.step(A=-2000, B=600, D=250)  # the cloud comes
    assert orders["D"].target_w == 250
    orders = steered.step(A=-2000, B=600, D=250)
    assert orders["B"].following.unable_since_s == steered.now_s
    # Its own target stands, and the other makes up for it.
    assert (orders["B"].target_w, orders["D"].target_w) == (1750, 1400)
    # Where it gets no better nobody is called again; when the sun is back the load moves back.
    again = steered.step(A=-2000, B=600, D=1400)
    assert {o.command_id for o in again.values()} == {o.command_id for o in orders.values()}
    back = steered.step(A=-2000, B=1750, D=1400)
    assert back["B"].following.unable_since_s is None
    assert steered.step(A=-2000, B=1750, D=1400)["D"].target_w == 250


def test_who_does_not_reach_a_new_target_is_given_the_time_to_respond():
    """Two minutes at a step a minute: the response time, and at least two steps."""
    steered = Steered(SUN, DIESEL, buyer("A"))
    given_s = NOON_S
    for _ in range(3):
        orders = steered.step(A=-2000, B=0, D=250)
        steered.acknowledge("B", "D")
    assert orders["B"].following.unable_since_s == given_s + 120


def test_a_flickering_sun_is_no_progress():
    steered = Steered(SUN, DIESEL, buyer("A"))
    steered.step(A=-2000, B=1750, D=250)
    for export_w in (600, 700, 620, 750):
        orders = steered.step(A=-2000, B=export_w, D=250)
    assert orders["B"].following.unable_since_s is not None


def test_a_slow_source_on_its_way_is_given_its_time():
    steered = Steered(SUN, seller("D", 12, max_w=5000), buyer("A"))
    steered.day = False
    for export_w in (0, 800, 1600, 2400, 3200):
        orders = steered.step(A=-4000, B=250, D=export_w)
        steered.acknowledge("B", "D")
        assert orders["D"].following.unable_since_s is None


def test_a_refusal_is_noticed_at_the_next_step():
    steered = Steered(SUN, DIESEL, buyer("A"))
    order = steered.step(A=-2000, B=0, D=0)["B"]
    steered.control.answered(
        "B", order.command_id, steered.now_s, True, "The source is not running.", steered.now_s
    )
    assert steered.control.orders["B"].answer == "The source is not running."
    orders = steered.step(A=-2000, B=0, D=250)
    assert orders["B"].following.unable_since_s is not None
    assert steered.step(A=-2000, B=0, D=250)["D"].target_w == 2000


def test_a_deaf_seller_is_noticed_when_its_answer_is_overdue():
    steered = Steered(SUN, DIESEL, buyer("A"), step_s=10)
    steered.step(A=-2000, B=0, D=0)
    for _ in range(2):
        steered.acknowledge("D")
        orders = steered.step(A=-2000, B=0, D=250)
    assert orders["B"].following.unable_since_s is not None
    steered.acknowledge("D")
    assert steered.step(A=-2000, B=0, D=250)["D"].target_w == 2000


def test_a_seller_stuck_high_is_counted_as_it_is():
    steered = Steered(SUN, DIESEL, buyer("A"))
    steered.step(A=-2000, B=250, D=2000)
    steered.acknowledge("B", "D")
    given_w = 250
    for _ in range(5):
        orders = steered.step(A=-2000, B=given_w, D=2000)
        given_w = orders["B"].target_w
        steered.acknowledge("B", "D")
    assert orders["D"].following.unable_since_s is not None
    assert (orders["B"].target_w, orders["D"].target_w) == (250, 250)


# --- by hand ----------------------------------------------------------------------------------------


def test_a_held_seller_gets_what_the_operator_says_within_its_contract():
    steered = Steered(SUN, DIESEL, buyer("A"))
    steered.control.standing = by_hand(hold={"D": 1000})
    orders = steered.step(A=-2000, B=0, D=0)
    assert (orders["D"].target_w, orders["D"].hold) == (1000, Hold.OPERATOR)
    steered.acknowledge("B", "D")
    assert steered.step(A=-2000, B=2000, D=1000)["B"].target_w == 1000
    steered.control.standing = by_hand(hold={"D": 9000})
    assert steered.step(A=-2000, B=1000, D=1000)["D"].target_w == 2500
    steered.control.standing = by_hand()
    assert steered.step(A=-2000, B=250, D=2500)["D"].hold is not Hold.OPERATOR


def test_a_seller_out_of_service_is_asked_for_nothing_until_its_end():
    steered = Steered(SUN, DIESEL, buyer("A"))
    steered.control.standing = by_hand(out={"D": NOON + 2})
    for _ in range(2):
        orders = steered.step(A=-2000, B=0, D=0)
        assert (orders["D"].target_w, orders["D"].hold, orders["D"].fallback_w) == (0, Hold.OPERATOR, 0)
        assert orders["B"].target_w == 2000
    orders = steered.step(A=-2000, B=2000, D=0)
    assert (orders["D"].target_w, orders["D"].fallback_w) == (250, 250)


def test_what_a_seller_out_of_service_gives_all_the_same_is_counted():
    steered = Steered(SUN, DIESEL, buyer("A"))
    steered.control.standing = by_hand(out={"D": NOON + 99})
    for _ in range(4):
        orders = steered.step(A=-2000, B=2000, D=700)
        steered.acknowledge("B", "D")
    assert orders["B"].target_w == 1300


def test_the_strategy_is_the_operators():
    steered = Steered(SUN, DIESEL, buyer("A"))
    steered.control.standing = by_hand(strategy=StrategyName.OFF)
    orders = steered.step(A=-2000, B=0, D=0)
    assert [order.target_w for order in orders.values()] == [1000, 1000]
    assert {order.hold for order in orders.values()} == {Hold.NONE}


def test_the_credit_is_spread_over_a_control_period():
    assert minute_allowance(tariff(cap=Cap.MONTH), 1000, 5) == 200
    assert minute_allowance(tariff(cap=Cap.MONTH), 1000, 0) == 1000
    assert minute_allowance(tariff(cap=Cap.MINUTE), 1000, 5) == 0
    assert minute_allowance(tariff(cap=Cap.OFF), 1000, 5) == 0
