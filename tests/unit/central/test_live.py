"""The live state: links, notices, ages, energy of the month, and a pool of what is known now."""

import pytest

from central_monitor.services.agreed import Agreed
from central_monitor.services.contracts import ContractDesk
from central_monitor.services.live import NOTICES_KEPT, LiveState
from central_monitor.services.picture import Picture
from central_monitor.snapshot import LinkState
from microgrid.contracting import ContractPolicy
from microgrid.directives import StrategyName
from microgrid.metering import registers_of
from microgrid.months import month_minutes, zone_of
from microgrid.sample import Quality
from microgrid.units import microcoins
from microgrid.wire.messages import Reply
from tests.unit.central.parts import MONTH, NOON, ZONE, buyer, row, sample, seller, tariff, terms
from tests.unit.central.steered import Steered, by_hand

NOW_MS = NOON * 60_000
FRESH_MS = 5000
TERMS = terms(seller("B", 8), buyer("A"), extra=("N",))
JULY = month_minutes(MONTH, zone_of(ZONE)).stop


def live_state(last=None, month_start=None, agreed=TERMS):
    return LiveState(Agreed(agreed), last or {}, month_start or {})


def picture(live, now_ms=NOW_MS, credit=0, orders=None):
    agreed = live._agreed
    made = Picture(agreed, live, ContractDesk(agreed, (), ContractPolicy()), FRESH_MS)
    return made.take(now_ms, credit, orders or {}, (), None, None, 0)


def view(live, house, now_ms=NOW_MS, orders=None):
    snapshot = picture(live, now_ms, orders=orders or {})
    return next(v for v in snapshot.houses if v.house == house)


def hear(live, house, exchange_w, at_ms=NOW_MS, **more):
    heard = sample(exchange_w, **more)
    live.heard(Reply(house=house, request_id=1, sample=heard, sample_age_ms=0, outbox=False), at_ms, 3.5)


def test_notices_tell_who_came_went_and_came_again():
    live = live_state()
    live.linked("A", 1000)
    live.lost("A", 2000)
    live.linked("A", 3500)
    assert [(n.time_s, n.text) for n in picture(live).notices] == [
        (1.0, "House A is now part of the network."),
        (2.0, "House A: link lost."),
        (3.5, "House A is linked again."),
    ]


def test_notices_do_not_grow_without_end():
    live = live_state()
    for number in range(NOTICES_KEPT * 3):
        live.notice(number, str(number))
    notices = picture(live).notices
    assert len(notices) == NOTICES_KEPT
    assert notices[-1].text == str(NOTICES_KEPT * 3 - 1)


def test_a_house_that_was_never_heard():
    house = view(live_state(), "A")
    assert (house.link, house.sample, house.age_s) == (LinkState.NEVER, None, None)
    assert house.quality is Quality.STALE
    assert (house.exchanged_ws, house.last_minute, house.order) == (0, None, None)
    assert house.contract == TERMS.contracts[1]
    assert view(live_state(), "N").contract is None


def test_a_sample_is_good_while_fresh_and_linked_and_stale_after():
    live = live_state()
    live.linked("A", NOW_MS)
    hear(live, "A", -700)
    fresh = view(live, "A", NOW_MS + FRESH_MS)
    assert (fresh.quality, fresh.age_s, fresh.round_trip_ms) == (Quality.GOOD, 5.0, 3.5)
    old = view(live, "A", NOW_MS + FRESH_MS + 1)
    assert old.quality is Quality.STALE
    assert old.sample.exchange_p_w == -700  # shown, greyed, with its age
    live.lost("A", NOW_MS)
    assert view(live, "A").quality is Quality.STALE


def test_a_sample_from_a_clock_that_runs_ahead_has_no_negative_age():
    live = live_state()
    hear(live, "A", -700, at_ms=NOW_MS + 300)
    assert view(live, "A").age_s == 0


def test_a_reply_without_a_sample_keeps_the_last_one():
    live = live_state()
    hear(live, "A", -700)
    nothing = Reply(house="A", request_id=1, sample=None, sample_age_ms=0, outbox=True)
    live.heard(nothing, NOW_MS + 9000, 2.0)
    house = view(live, "A")
    assert house.sample.exchange_p_w == -700
    assert house.age_s == 0
    assert house.minutes_waiting


def test_minutes_wait_until_they_are_delivered_or_the_link_is_lost():
    live = live_state()
    for house in "AB":
        waiting = Reply(house=house, request_id=1, sample=None, sample_age_ms=0, outbox=True)
        live.heard(waiting, NOW_MS, 1.0)
    live.delivered({"A"})
    assert not view(live, "A").minutes_waiting
    live.lost("B", NOW_MS)
    assert not view(live, "B").minutes_waiting


def test_energy_is_counted_since_the_months_first_row():
    live = live_state(
        {"A": row("A", NOON - 1, 1000, 500)}, {"A": registers_of(row("A", NOON - 90, 400, 500))}
    )
    assert view(live, "A").exchanged_ws == -600
    live.recorded([row("A", NOON, 1600, 900)])
    assert view(live, "A").exchanged_ws == 400 - 1200
    assert view(live, "A").last_minute == NOON


def test_a_new_house_is_counted_from_its_first_row():
    live = live_state()
    live.recorded([row("A", NOON, 1000, 500), row("A", NOON + 1, 1600, 500)])
    assert view(live, "A").exchanged_ws == -600


def test_a_late_row_moves_nothing_back():
    live = live_state()
    live.recorded([row("A", NOON, 1000), row("A", NOON + 2, 3000), row("A", NOON + 1, 2000)])
    assert (view(live, "A").exchanged_ws, view(live, "A").last_minute) == (-2000, NOON + 2)


def test_at_a_new_month_every_house_counts_from_its_last_row_before():
    live = live_state()
    live.recorded([row("A", JULY - 2, 1000), row("B", JULY - 2, 0, 5000)])
    live.recorded([row("A", JULY - 1, 1600), row("B", JULY - 1, 0, 6000)])
    live.recorded([row("A", JULY, 2000)])
    assert view(live, "A").exchanged_ws == -400
    assert view(live, "B").exchanged_ws == 0
    live.recorded([row("B", JULY + 5, 0, 6700)])
    assert view(live, "B").exchanged_ws == 700


def test_a_central_that_restarts_at_a_months_end_turns_the_month_too():
    last = {"A": row("A", JULY - 1, 1000)}
    live = live_state(last, {"A": registers_of(row("A", NOON, 200))})
    assert view(live, "A").exchanged_ws == -800
    live.recorded([row("A", JULY, 1600)])
    assert view(live, "A").exchanged_ws == -600


def test_energy_across_two_epochs_of_a_register_is_not_a_difference():
    live = live_state()
    live.recorded([row("A", NOON, 9000), row("A", NOON + 1, 10, epoch=1)])
    assert view(live, "A").exchanged_ws == 0


def test_the_pool_knows_only_who_was_heard_lately():
    live = live_state()
    hear(live, "A", -2000)
    hear(live, "B", 1500, NOW_MS - FRESH_MS - 1)
    pool = picture(live).pool
    assert (pool.consumed_w, pool.produced_w, pool.available_w, pool.national_w) == (2000, 0, 0, 2000)
    assert pool.rate is None
    hear(live, "B", 1500)
    pool = picture(live).pool
    assert (pool.produced_w, pool.available_w, pool.pool_w, pool.national_w) == (1500, 2500, 500, 500)
    assert (pool.rate, pool.tariff, pool.is_day) == (microcoins(8), microcoins(17.6), True)


def test_a_seller_with_an_open_breaker_is_not_available():
    live = live_state()
    hear(live, "B", 0, grid_breaker_closed=False)
    assert picture(live).pool.available_w == 0


def test_the_credit_lets_the_shown_rate_rise_above_the_tariff():
    live = live_state(agreed=terms(seller("B", 25), buyer("A")))
    hear(live, "A", -2000)
    hear(live, "B", 2000)
    assert picture(live).pool.rate == microcoins(17.6)
    assert picture(live, credit=microcoins(100)).pool.rate == microcoins(25)


def test_the_controller_is_told_of_everyone_ever_heard():
    live = live_state()
    live.linked("B", NOW_MS)
    hear(live, "B", 1500, grid_breaker_closed=False)
    hear(live, "N", -100)
    readings = live.readings(NOW_MS)
    assert set(readings) == {"B", "N"}
    assert (readings["B"].exchange_w, readings["B"].connected, readings["B"].linked) == (1500, False, True)
    assert (readings["N"].connected, readings["N"].linked) == (True, False)


def test_orders_and_the_recorders_fault_are_shown():
    live = live_state()
    steered = Steered()
    steered.step(A=-1200, B=0)
    steered.acknowledge("B")
    orders = steered.control.orders
    shown = view(live, "B", orders=orders).order
    assert (shown.target_w, shown.raise_standing, shown.acknowledged) == (1200, True, True)
    assert (shown.command_id, shown.unable_since_s) == (orders["B"].command_id, None)
    live.recorder_fault = "There is no room left."
    assert picture(live, orders=orders).recorder_fault == "There is no room left."


def test_without_a_tariff_there_is_no_snapshot_but_a_sentence():
    live = live_state(agreed=terms(buyer("A"), tariffs=(tariff(valid_to=NOON),)))
    with pytest.raises(LookupError, match="no tariff is in force"):
        picture(live)


def test_a_house_that_was_not_heard_for_long_is_not_counted_on():
    live = live_state()
    hear(live, "N", -100)
    assert "N" in live.readings(NOW_MS + 899_000)
    assert live.readings(NOW_MS + 900_000) == {}


def test_what_the_operator_ordered_is_shown_and_counts_in_the_pool():
    live = live_state()
    hear(live, "B", 0)
    live.standing = by_hand(hold={"B": 700}, strategy=StrategyName.OFF)
    shown = view(live, "B").by_hand
    assert (shown.held_w, shown.out_until_minute, shown.author, shown.note) == (700, None, "Ada", "test")
    sharing = picture(live).sharing
    assert (sharing.strategy, sharing.author) == (StrategyName.OFF, "Ada")
    assert sharing.turns_minute > NOON
    assert picture(live).pool.available_w == 2500
    live.standing = by_hand(out={"B": NOON + 10})
    assert view(live, "B").by_hand.out_until_minute == NOON + 10
    assert picture(live).pool.available_w == 0
