"""Sellers who do not play fair: what the record says of them, and what a dodge brings at the settlement."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from microgrid.minute import Fate, Hold, OrderMinute
from microgrid.terms import Cap, Contract, Obligation, Source
from microgrid.units import microcoins
from tests.unit.central.dodgers import Lived, Seller, live
from tests.unit.central.parts import NOON, buyer, seller, tariff
from tests.unit.central.steered import NOON_S, Steered, by_hand, reading

SUN, DIESEL, DEAR = seller("B", 8, source=Source.SOLAR), seller("D", 12), seller("B", 25)

# --- the minimum ------------------------------------------------------------------------------------


def test_who_cannot_follow_is_not_let_off_its_minimum():
    """B has lost the sun; little is left of the demand for it, but its contract's minimum is owed."""
    steered = Steered(SUN, DIESEL, buyer("A"))
    steered.step(A=-2000, B=0, D=0)
    for sun_w, diesel_w in ((1750, 250), (0, 250), (0, 250), (0, 2000)):
        steered.acknowledge("B", "D")
        orders = steered.step(A=-2000, B=sun_w, D=diesel_w)
    assert orders["B"].following.unable_since_s is not None
    for diesel_w in (2000, 300, 300):
        steered.acknowledge("B", "D")
        orders = steered.step(A=-300, B=0, D=diesel_w)
    assert (orders["B"].target_w, orders["D"].target_w) == (250, 300)


def test_a_cap_that_is_over_is_no_way_out_of_the_minimum_for_who_does_not_listen():
    steered = Steered(seller("D", 25), buyer("A"))
    steered.tariff = tariff(cap=Cap.MONTH)
    steered.step(A=-2000, D=0)
    steered.acknowledge("D")
    steered.step(A=-2000, D=0)
    assert (row := steered.record(NOON + 1)["D"]).target_w == 0
    assert row.hold is Hold.CAP
    rows = []
    for minute in range(2, 6):  # there is credit again, and D says no word to its new target
        steered.step(A=-2000, D=0, allowance=microcoins(1))
        rows.append(steered.record(NOON + minute)["D"])
    assert [row.target_w for row in rows] == [0, 2000, 2000, 2000]
    assert {row.acknowledged_s for row in rows[1:]} == {None}  # no raise of 2000 W, but no lower minimum


def test_a_cap_that_is_over_is_no_way_out_of_the_minimum_for_who_answers_late():
    """D answers late each time, to its minimum and then to all it can give; its minimum it owes all along."""
    steered = Steered(seller("D", 25), buyer("A"))
    steered.tariff = tariff(cap=Cap.MONTH, response_s=120)
    steered.step(A=-2000, D=0)
    steered.acknowledge("D")
    steered.step(A=-2000, D=0)
    rows = []
    for minute in range(1, 7):
        steered.step(A=-300 if minute < 5 else -2000, D=0, allowance=microcoins(1))
        if minute in (3, 6):
            steered.acknowledge("D")
        rows.append(steered.record(NOON + minute + 1)["D"])
    assert all(row.target_w is not None and row.target_w >= 250 for row in rows[3:])


def test_who_is_back_in_service_is_not_asked_for_nothing_for_ever():
    """It gave power all the time, although nothing was asked of it."""
    steered = Steered(SUN, DIESEL, buyer("A"))
    steered.control.standing = by_hand(out={"D": NOON + 4})
    for _ in range(7):
        orders = steered.step(A=-2000, B=1300, D=700)
        steered.acknowledge("B", "D")
    assert orders["D"].target_w >= 250
    assert orders["D"].hold is not Hold.OPERATOR


def test_who_cannot_go_lower_is_asked_for_its_minimum_again_when_the_cap_is_over():
    """A diesel that gives 350 W at least, asked for nothing by the cap, and counted with what it gives."""
    steered = Steered(seller("B", 17), seller("D", 25), buyer("A"))
    steered.tariff = tariff(cap=Cap.MONTH)
    for _ in range(5):
        orders = steered.step(A=-2000, B=1650, D=350)
        steered.acknowledge("B", "D")
    assert orders["D"].target_w < 250
    assert orders["D"].hold is Hold.CAP
    orders = steered.step(A=-2000, B=1650, D=350, allowance=microcoins(5))
    assert (orders["D"].target_w, orders["D"].hold) == (250, Hold.SHARING)


def test_a_new_contract_holds_from_its_first_minute():
    """Also while the old target is not answered."""
    contracts = (
        seller("B", 8, valid_to=NOON + 1),
        seller("B", 8, max_w=1000, valid_from=NOON + 1),
        seller("D", 9, min_w=100, valid_to=NOON + 1),
        seller("D", 9, min_w=600, valid_from=NOON + 1),
    )
    steered = Steered(*contracts, buyer("A"), step_s=10)
    steered.now_s += 50
    steered.step(A=-2300, B=0, D=0)
    orders = steered.step(A=-2300, B=0, D=0)
    assert orders["B"].target_w <= 1000
    assert orders["D"].target_w >= 600


# --- raises -----------------------------------------------------------------------------------------

MINUTES, DEMAND_W = 15, 4500  # more than one seller can give


def brought(dodger: Seller) -> Lived:
    """What it brings to be asked beside an honest D."""
    return live([dodger, Seller(DIESEL)], lambda second: DEMAND_W, MINUTES)


def blip(second: int) -> bool:
    """Around the last look of each minute."""
    return second % 60 in (49, 50)


HONEST = brought(Seller(SUN))
WAYS_OUT = {
    "above the target for a moment": Seller(SUN, gives=lambda s, w: (w + 30) * blip(s)),
    "at the looks only": Seller(SUN, gives=lambda s, w: w * (s % 10 in (9, 0))),
    "as the minute ends": Seller(SUN, gives=lambda s, w: w * (s % 60 >= 55)),
    "shown only": Seller(SUN, gives=lambda s, w: 0, shows=lambda s, w, power_w: w),
    "shown above for a moment": Seller(
        SUN, gives=lambda s, w: 0, shows=lambda s, w, power_w: (w + 30) * blip(s)
    ),
    "to and fro": Seller(SUN, gives=lambda s, w: 500 * (s // 10 % 2)),
    "acknowledged late": Seller(
        SUN, gives=lambda s, w: 0, acknowledges=lambda s, order: s if s - order.owing_s >= 60 else None
    ),
    "refused": Seller(SUN, gives=lambda s, w: 0, refuses=True),
    "unlinked for a moment": Seller(SUN, gives=lambda s, w: 0, linked=lambda s: s % 60 != 30),
    "unlinked now and then": Seller(SUN, gives=lambda s, w: 0, linked=lambda s: s % 120 >= 45 or s % 60 == 0),
    "breaker open for a moment": Seller(SUN, gives=lambda s, w: 0, connected=lambda s: s % 60 != 30),
    "breaker open as the minute ends": Seller(SUN, gives=lambda s, w: 0, connected=lambda s: 5 < s % 60 < 45),
}


@pytest.mark.parametrize("dodger", WAYS_OUT.values(), ids=WAYS_OUT)
def test_who_gives_next_to_nothing_pays_for_nearly_all_that_was_imported(dodger: Seller):
    found = brought(dodger)
    assert found.penalty("B") > 17.6 * 2 * (MINUTES - 3) / 60 * 0.8
    assert found.penalty("D") == 0
    assert found.net("B") < 0 < HONEST.net("B")


def test_who_goes_to_and_fro_is_noticed_and_others_are_asked():
    found = live(
        [Seller(SUN, gives=lambda s, w: 500 * (s // 10 % 2)), Seller(DIESEL)], lambda second: 2000, MINUTES
    )
    assert found.orders["B"].following.unable_since_s is not None
    assert found.orders["D"].target_w >= 1500


def test_just_inside_the_tolerance_is_met_and_pays_for_what_is_missing():
    found = brought(Seller(SUN, gives=lambda s, w: w * 98 // 100))
    assert set(found.fates("B")) == {Fate.MET}
    assert found.penalty("B") > 0
    assert found.net("B") < HONEST.net("B")


TOO_MUCH = {
    "always": Seller(DEAR, gives=lambda s, w: 2500),
    "unlinked for a moment": Seller(DEAR, gives=lambda s, w: 2500, linked=lambda s: s % 60 != 30),
    "breaker open for a moment": Seller(DEAR, gives=lambda s, w: 2500, connected=lambda s: s % 60 != 50),
}


@pytest.mark.parametrize("dodger", TOO_MUCH.values(), ids=TOO_MUCH)
def test_who_is_not_lowered_gets_next_to_nothing_for_what_it_was_not_asked_for(dodger: Seller):
    """It is dear, and the houses take less than the other could give."""
    found = live([dodger, Seller(DIESEL)], lambda second: 2000, MINUTES)
    sold_for = 25 * (0.25 + 0.025) * MINUTES / 60  # its minimum and the deadband, at its price
    first_minutes = 25 * 2.0 * 2 / 60  # until it had time to respond
    assert found.earned("B") < sold_for + first_minutes


@pytest.mark.parametrize("state", [{"linked": False}, {"connected": False}])
def test_who_is_back_within_a_minute_owes_what_it_owed(state: dict[str, bool]):
    steered = Steered(step_s=10)
    steered.step(A=-1200, B=0)
    steered.acknowledge("B")
    for _ in range(8):
        steered.step(A=-1200, B=0)
    gone, back = reading(0, **state), reading(0)
    first = steered.control.orders["B"]
    assert steered.step(A=-1200, B=gone) == {}
    for _ in range(2):
        steered.step(A=-1200, B=gone)
    steered.hear(A=-1200, B=back)
    row = steered.record(NOON + 1)["B"]  # it is back as the minute ends, and not asked yet
    assert (row.raise_standing, row.target_w, row.acknowledged_s) == (True, 1200, NOON_S)
    order = steered.step(A=-1200, B=back)["B"]
    assert order.command_id > first.command_id  # unproven, and asked anew
    assert order.following.is_unproven
    assert steered.record(NOON + 1)["B"].acknowledged_s == NOON_S


@pytest.mark.parametrize("state", [{"linked": False}, {"connected": False}])
def test_who_was_away_for_a_minute_begins_anew(state: dict[str, bool]):
    steered = Steered(step_s=10)
    steered.step(A=-1200, B=0)
    steered.acknowledge("B")
    for _ in range(7):
        steered.step(A=-1200, B=reading(0, **state))
    assert steered.record(NOON + 1)["B"].target_w is None
    steered.step(A=-1200, B=0)
    assert steered.record(NOON + 1)["B"].acknowledged_s is None


def test_nobody_owes_what_the_central_has_not_renewed():
    """It slept for some minutes: the houses went to their safe output by themselves."""
    steered = Steered(step_s=10)
    steered.step(A=-1200, B=0)
    steered.acknowledge("B")
    assert steered.record(NOON + 1)["B"].raise_standing
    asleep = steered.record(NOON + 2)["B"]
    assert (asleep.raise_standing, asleep.target_w, asleep.fate) == (False, None, Fate.NONE)
    steered.now_s += 200
    steered.step(A=-1200, B=0)
    assert steered.record(NOON + 3)["B"].acknowledged_s is None


def test_who_is_held_by_the_cap_sells_no_more_than_it_is_asked_for():
    steered = Steered(seller("D", 25), buyer("A"))
    steered.tariff = tariff(cap=Cap.MONTH)
    for _ in range(3):
        steered.step(A=-2000, D=0)
        steered.acknowledge("D")
    row = steered.record(NOON + 2)["D"]
    assert (row.raise_standing, row.target_w, row.hold) == (False, 0, Hold.CAP)


# --- any history ------------------------------------------------------------------------------------


@st.composite
def neighbourhoods(draw: st.DrawFn) -> list[Contract]:
    """Sellers of any kind, some with no minimum, or one that is the maximum."""
    found = []
    for number in range(draw(st.integers(1, 4))):
        max_w = draw(st.sampled_from([50, 1000, 2500, 4000]))
        found.append(
            seller(
                f"S{number}",
                draw(st.sampled_from([8, 12, 25])),
                min_w=draw(st.sampled_from([0, max_w // 10, max_w])),
                max_w=max_w,
                source=draw(st.sampled_from(list(Source))),
                obligation=draw(st.sampled_from(list(Obligation))),
            )
        )
    return found


class History:
    """A controller, and what must hold of its orders and its record whatever befalls it."""

    def __init__(self, sellers: list[Contract], step_s: int, **policy: Any) -> None:
        self.steered = Steered(*sellers, buyer("A"), step_s=step_s)
        self.steered.tariff = tariff(**policy)
        self.sellers = {contract.house: contract for contract in sellers}
        self.newest = 0  # command id
        self.free_since: dict[
            str, int
        ] = {}  # when a seller was last asked for less than its minimum, or nothing

    def minute_ends(self, **readings: Any) -> None:
        """The record of the minute that ends with the next step."""
        self.steered.hear(**readings)
        end_s = self.steered.now_s + self.steered.step_s
        for row in self.steered.record(end_s // 60 - 1).values():
            if row.house in self.steered.control.orders:
                self._recorded(row, end_s)
            elif row.target_w is not None:  # it cannot be asked for a moment
                assert row.target_w <= self.sellers[row.house].max_w

    def _recorded(self, row: OrderMinute, end_s: int) -> None:
        contract, order = self.sellers[row.house], self.steered.control.orders[row.house]
        assert row.target_w is not None
        assert 0 <= row.target_w <= contract.max_w
        if row.raise_standing:
            assert row.target_w <= order.target_w  # nobody is held to more than is asked
        if row.target_w < min(contract.min_w, order.target_w):
            # What remains of a cap, or of time out of service, ends with the time to respond.
            since_s = end_s - self.free_since[row.house]
            assert since_s <= self.steered.tariff.response_s + 60 + self.steered.step_s

    def step(self, allowance: int, **readings: Any) -> None:
        """One control step."""
        before = self.steered.control.orders
        now_s = self.steered.now_s + self.steered.step_s
        for house, contract in self.sellers.items():
            if house not in before or before[house].target_w < contract.min_w:
                self.free_since[house] = now_s
        for house, order in self.steered.step(allowance, **readings).items():
            contract = self.sellers[house]
            assert 0 <= order.target_w <= contract.max_w
            assert order.target_w >= contract.min_w or order.hold in (Hold.CAP, Hold.OPERATOR)
            if house not in before or before[house].command_id != order.command_id:
                assert order.command_id > self.newest
            else:
                assert before[house].target_w == order.target_w
        self.newest = max(
            [self.newest, *(order.command_id for order in self.steered.control.orders.values())]
        )


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_happens_orders_and_record_keep_to_the_contracts(data: st.DataObject):
    draw = data.draw
    sellers = draw(neighbourhoods())
    step_s, cap = draw(st.sampled_from([10, 60])), draw(st.sampled_from(list(Cap)))
    history = History(
        sellers, step_s, cap=cap, response_s=draw(st.sampled_from([0, 60, 120])),
        deadband_w=draw(st.sampled_from([0, 25])),
    )  # fmt: skip
    steered = history.steered
    seldom = st.integers(0, 9).map(lambda number: number == 0)
    for _ in range(draw(st.integers(1, 25))):
        given = {}
        for contract in sellers:
            order = steered.control.orders.get(contract.house)
            follows = 0 if order is None else order.target_w
            exchange_w = draw(st.sampled_from([follows, follows, 0, -50, 2 * contract.max_w]))
            given[contract.house] = reading(exchange_w, connected=not draw(seldom), linked=not draw(seldom))
        given["A"] = reading(-draw(st.sampled_from([0, 300, 2000, 9000])))
        if draw(seldom):
            out = {c.house: NOON + draw(st.integers(0, 30)) for c in sellers if draw(st.booleans())}
            held = {c.house: draw(st.integers(c.min_w, c.max_w)) for c in sellers if draw(st.booleans())}
            steered.control.standing = by_hand(out=out, hold=held)
        steered.day = steered.day is not draw(seldom)
        if (steered.now_s + step_s) % 60 == 0:
            history.minute_ends(**given)
        history.step(draw(st.sampled_from([0, microcoins(0.2), microcoins(5)])), **given)
        steered.acknowledge(*(house for house in steered.control.orders if draw(st.booleans())))
