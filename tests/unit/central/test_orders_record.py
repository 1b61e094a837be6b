"""The record of orders, on which blame rests: what a seller is held to, and what became of its command."""

import pytest

from microgrid.minute import Fate, Hold
from microgrid.terms import Cap
from microgrid.units import microcoins
from tests.unit.central.parts import NOON, buyer, seller, tariff
from tests.unit.central.steered import NOON_S, Steered, by_hand, reading


def raised(acknowledged=True, **more):
    """B was asked for 1200 W at noon."""
    steered = Steered(**more)
    steered.step(A=-1200, B=0)
    if acknowledged:
        steered.acknowledge("B")
    return steered


def fates(steered, minutes, **readings):
    """What the record says of B in the following minutes, while nothing changes."""
    found = []
    for _ in range(minutes):
        minute = steered.now_s // 60
        steered.hear(**readings)
        found.append(steered.record(minute)["B"].fate)
        steered.step(**readings)
    return found


def test_every_seller_is_recorded_every_minute_linked_or_not():
    steered = Steered(seller("B", 8), seller("D", 9), seller("old", 9, valid_to=NOON), buyer("A"))
    order = steered.step(A=-1200, B=0, D=reading(0, linked=False))["B"]
    steered.acknowledge("B")
    told, unheard = rows = list(steered.record(NOON).values())
    assert [(r.house, r.minute) for r in rows] == [("B", NOON), ("D", NOON)]
    assert (told.raise_standing, told.target_w, told.command_id) == (True, 1200, order.command_id)
    assert told.acknowledged_s == NOON_S
    assert (unheard.raise_standing, unheard.target_w, unheard.command_id) == (False, None, 0)
    assert (unheard.fate, unheard.hold) == (Fate.NONE, Hold.NONE)
    assert all(r.tie_closed and not r.out_of_service for r in rows)


def test_nothing_stands_on_a_house_that_is_not_linked():
    steered = raised()
    assert steered.record(NOON + 1)["B"].raise_standing
    steered.hear(A=-1200, B=reading(0, linked=False))
    lost = steered.record(NOON + 1)["B"]
    assert (lost.raise_standing, lost.acknowledged_s, lost.fate) == (False, None, Fate.UNANSWERED)
    assert lost.target_w == 1200  # what was ordered is recorded all the same
    steered.hear(A=-1200)
    assert not steered.record(NOON + 1)["B"].raise_standing


def test_why_a_seller_is_held_is_recorded():
    steered = Steered(seller("B", 8, min_w=0), seller("D", 40, min_w=0), buyer("A"))
    steered.tariff = tariff(cap=Cap.MINUTE)
    steered.step(A=-4900, B=0, D=0)
    rows = steered.record(NOON)
    assert (rows["B"].hold, rows["D"].hold) == (Hold.NONE, Hold.CAP)


# --- what became of a command -----------------------------------------------------------------------


def test_a_seller_that_obeys():
    steered = raised()
    assert fates(steered, 1, A=-1200, B=1200) == [Fate.MET]


def test_a_seller_that_cannot_follow_is_unmet_once_the_time_to_respond_is_over():
    steered = raised()
    steered.tariff = tariff(cap=Cap.OFF, response_s=120)
    assert fates(steered, 3, A=-1200, B=400) == [Fate.FOLLOWING, Fate.UNMET, Fate.UNMET]


def test_a_seller_without_a_word_is_unanswered():
    assert fates(raised(acknowledged=False), 2, A=-1200, B=0) == [Fate.UNANSWERED] * 2


def test_before_the_time_to_answer_is_over_a_command_is_sent():
    steered = Steered(step_s=10)
    steered.now_s = NOON_S + 40
    steered.step(A=-1200, B=0)  # ten seconds before the minute ends
    assert steered.record(NOON)["B"].fate is Fate.SENT
    assert steered.record(NOON + 1)["B"].fate is Fate.UNANSWERED


def test_a_word_that_comes_late_is_late():
    steered = raised(acknowledged=False)
    steered.step(A=-1200, B=0)
    steered.acknowledge("B")
    assert steered.record(NOON + 1)["B"].fate is not Fate.UNANSWERED
    steered.tariff = tariff(cap=Cap.OFF, response_s=300)
    assert fates(steered, 1, A=-1200, B=0) == [Fate.LATE]


def test_a_refusal_is_told_apart_and_reached_the_meter():
    steered = raised(acknowledged=False)
    order = steered.control.orders["B"]
    steered.control.answered("B", order.command_id, NOON_S, True, "The source is not running.", steered.now_s)
    row = steered.record(NOON + 1)["B"]
    assert (row.fate, row.raise_standing, row.acknowledged_s) == (Fate.REFUSED, True, NOON_S)


# --- what a seller is held to -----------------------------------------------------------------------


def test_a_target_that_rises_every_minute_frees_nobody():
    """What was acknowledged a response time ago is owed, also while more is asked."""
    steered = Steered()
    for minute, demand_w in enumerate((1200, 1300, 1400, 1500)):
        steered.step(A=-demand_w, B=200)
        steered.acknowledge("B")
        row = steered.record(NOON + minute)["B"]
        held = (row.target_w, row.acknowledged_s)
        if minute == 0:
            assert held == (1200, NOON_S)  # not due yet: the time to respond runs
        else:
            assert held == (1200 + 100 * (minute - 1), NOON_S + 60 * (minute - 1))
        assert row.raise_standing


def test_nobody_is_held_to_more_than_is_asked():
    steered = raised()
    steered.step(A=-700, B=200)
    row = steered.record(NOON + 1)["B"]
    assert (row.target_w, row.acknowledged_s, row.raise_standing) == (700, NOON_S, True)


def test_deafness_ends_nothing_that_was_acknowledged():
    steered = raised()
    steered.step(A=-2000, B=200)
    for minute in (2, 3, 4):
        steered.step(A=-2000, B=200)  # asked for 2000 W, without a word
        row = steered.record(NOON + minute)["B"]
        assert (row.target_w, row.acknowledged_s, row.fate) == (1200, NOON_S, Fate.UNANSWERED)


def test_being_noticed_as_unable_ends_nothing():
    steered = Steered(seller("B", 8), seller("D", 9), buyer("A"))
    steered.step(A=-1200, B=0, D=0)
    for given_w in (250, 250, 1100, 1100, 1100):
        steered.acknowledge("B", "D")
        steered.step(A=-1200, B=100, D=given_w)
    assert steered.control.orders["B"].following.unable_since_s is not None
    row = steered.record(NOON + 5)["B"]
    assert (row.raise_standing, row.fate) == (True, Fate.UNMET)
    assert row.target_w == steered.control.orders["B"].target_w > 600


def test_lowered_it_is_held_to_no_more_than_it_was_raised_to_until_it_had_time():
    steered = raised()
    lowered = steered.step(A=-600, B=1200)["B"]
    assert not lowered.raised
    row = steered.record(NOON + 1)["B"]
    assert (row.raise_standing, row.target_w, row.acknowledged_s) == (False, 1200, NOON_S)
    steered.acknowledge("B")
    steered.step(A=-600, B=1200)
    row = steered.record(NOON + 2)["B"]
    assert (row.target_w, row.acknowledged_s) == (600, NOON_S + 60)


def test_an_output_that_passes_its_target_to_and_fro_does_not_dodge_blame():
    steered = raised()
    for minute, given_w in enumerate((1500, 300, 1500, 300), start=1):
        steered.step(A=-1200, B=given_w)
        row = steered.record(NOON + minute)["B"]
        assert (row.raise_standing, row.target_w, row.acknowledged_s) == (given_w < 1200, 1200, NOON_S)


def test_a_target_below_the_minimum_lowers_the_minimum_at_once():
    """The cap: who obeys in the first minute pays nothing, though it was told to give more till then."""
    steered = Steered(seller("D", 25), buyer("A"))
    steered.tariff = tariff(cap=Cap.MONTH)
    rich = microcoins(1)
    steered.step(A=-2000, D=2400, allowance=rich)
    steered.acknowledge("D")
    steered.step(A=-1500, D=2000, allowance=rich)
    steered.acknowledge("D")
    steered.step(A=-1500, D=1500)
    row = steered.record(NOON + 2)["D"]
    assert (row.target_w, row.acknowledged_s, row.hold) == (0, None, Hold.CAP)


@pytest.mark.parametrize(("minute", "out"), [(NOON, True), (NOON + 1, True), (NOON + 2, False)])
def test_out_of_service_is_recorded(minute, out):
    steered = Steered()
    steered.control.standing = by_hand(out={"B": NOON + 2})
    steered.step(A=-1200, B=0)
    assert steered.record(minute)["B"].out_of_service is out
