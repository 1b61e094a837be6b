"""The picture's live figures: the split of each house's power is the settlement's own, and adds up."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from central_monitor.services.agreed import Agreed
from central_monitor.services.contracts import ContractDesk
from central_monitor.services.live import LiveState
from central_monitor.services.picture import Picture, live_splits
from central_monitor.snapshot import CentralSnapshot, HouseView, MonthView, RoundView
from microgrid.columns import order_columns
from microgrid.contracting import ContractPolicy, Wish
from microgrid.ledger import block_terms, make_block
from microgrid.minute import OrderMinute
from microgrid.sample import Sample
from microgrid.settlement import settle
from microgrid.statement import Statements
from microgrid.terms import Cap, Role, Terms
from microgrid.units import microcoins
from microgrid.wire.messages import Reply
from tests.unit.central.parts import FIRST, MONTH, NOON, buyer, order_row, row, sample, seller, terms
from tests.unit.rules.build import history, month_of_rows

TERMS = terms(seller("B", 8), buyer("A"), buyer("C", max_w=1000), seller("D", 25))
HOUSES = ("A", "B", "C", "D")
NOW_MS = NOON * 60_000
POWERS = st.one_of(st.none(), st.integers(-5000, 5000))


def order(house: str, **more: Any) -> OrderMinute:
    return order_row(house, NOON, **{"command_id": 1, "acknowledged_s": 0, **more})


orders = st.lists(
    st.builds(
        order,
        st.just("B"),
        raise_standing=st.booleans(),
        target_w=st.one_of(st.none(), st.integers(0, 2500)),
        out_of_service=st.booleans(),
    ),
    max_size=1,
)


@given(
    st.tuples(POWERS, POWERS, POWERS, POWERS),
    st.tuples(*[st.booleans()] * 4),
    orders,
    st.sampled_from(Cap),
    st.integers(0, 10**9),
)
def test_the_split_adds_up_to_the_measured_power_and_is_the_settlements(
    powers: tuple[int | None, ...],
    closed: tuple[bool, ...],
    standing: list[OrderMinute],
    cap: Cap,
    credit: int,
) -> None:
    agreed = replace(TERMS, tariffs=(replace(TERMS.tariffs[0], cap=cap),))
    heard: dict[str, Sample] = {
        house: sample(power, grid_breaker_closed=is_closed)
        for house, power, is_closed in zip(HOUSES, powers, closed, strict=True)
        if power is not None
    }
    splits = live_splits(agreed, NOON, heard, standing, credit)
    assert splits.keys() == heard.keys()
    block = make_block(
        agreed,
        agreed.tariffs[0],
        order_columns(HOUSES, range(NOON, NOON + 1), standing),
        np.array([[60 * (power or 0) for power in powers]]),
        np.array([[60 * (house in heard and heard[house].grid_breaker_closed) for house in HOUSES]]),
        slice(0, 1),
        known=np.array([[house in heard for house in HOUSES]]),
    )
    settled = settle(block_terms(agreed, HOUSES, NOON), block, credit)
    for column, house in enumerate(HOUSES):
        if house in heard:
            split = splits[house]
            assert split.microgrid_w + split.national_w == heard[house].exchange_p_w
            assert abs(60 * split.microgrid_w - settled.microgrid_energy[0, column]) <= 30
            assert abs(60 * split.national_w - settled.national_energy[0, column]) <= 30
            assert abs(60 * split.default_w - settled.penalty_energy[0, column]) <= 30
            assert split.default_w >= 0


def test_a_seller_below_its_minimum_is_in_default() -> None:
    splits = live_splits(TERMS, NOON, {"B": sample(100), "A": sample(-700)}, [], 0)
    assert (splits["B"].microgrid_w, splits["B"].national_w, splits["B"].default_w) == (100, 0, 150)
    assert (splits["A"].microgrid_w, splits["A"].national_w) == (-100, -600)


def test_a_seller_that_was_told_to_raise_and_did_not_owes_what_was_imported() -> None:
    told = order("B", raise_standing=True, target_w=700)
    splits = live_splits(TERMS, NOON, {"B": sample(300), "A": sample(-700)}, [told], 0)
    assert splits["B"].default_w == 400


# --- the whole picture ------------------------------------------------------------------------------


class Scene:
    def __init__(self, agreed: Terms = TERMS) -> None:
        self.agreed = Agreed(agreed)
        self.live = LiveState(self.agreed, {}, {})
        self.desk = ContractDesk(self.agreed, (), ContractPolicy())
        self._picture = Picture(self.agreed, self.live, self.desk, 5000)

    def hear(self, house: str, exchange_w: int, at_ms: int = NOW_MS) -> None:
        self.live.linked(house, at_ms)
        reply = Reply(
            house=house, request_id=1, sample=sample(exchange_w), sample_age_ms=0, outbox=False, post=True
        )
        self.live.heard(reply, at_ms, 1.0)

    def take(self, now_ms: int = NOW_MS, month: Statements | None = None) -> CentralSnapshot:
        return self._picture.take(now_ms, 0, {}, (), month, None, 3)

    def view(self, house: str, **more: Any) -> HouseView:
        return next(view for view in self.take(**more).houses if view.house == house)


def test_an_allotment_is_shared_by_all_consumer_contracts_as_it_is_settled() -> None:
    scene = Scene()
    for house, power in (("A", -700), ("B", 600)):
        scene.hear(house, power)
    # Two contracts share B's 2500 W, though C is not heard; and C declared no more than 1000 W.
    assert scene.view("A").allotment_w == 1250
    assert scene.view("C").allotment_w == 1000
    assert scene.view("B").allotment_w is None


def test_what_is_not_heard_now_is_not_shown_as_now() -> None:
    scene = Scene()
    scene.hear("A", -700)
    scene.hear("B", 600)
    split = scene.view("A").split
    assert split is not None
    assert (split.microgrid_w, split.national_w) == (-600, -100)
    assert scene.view("A", now_ms=NOW_MS + 6000).split is None
    scene.live.lost("A", NOW_MS)
    assert scene.view("A").split is None


def test_each_house_is_shown_its_own_month() -> None:
    powers = {"A": [-600], "B": [500], "C": [0], "D": [0]}
    statements, _ = month_of_rows(TERMS, history(powers), count=1)
    account = statements.accounts["A"]
    assert scene_month(statements, "A") == MonthView(
        microgrid_energy=account.microgrid_energy,
        national_energy=account.national_grid_energy,
        microgrid_amount=account.microgrid_amount,
        national_amount=account.national_grid_amount,
        penalty_amount=account.penalty_amount,
    )
    assert scene_month(statements, "B") != scene_month(statements, "A")
    assert scene_month(None, "A") is None
    fewer = replace(statements, accounts={})
    assert scene_month(fewer, "A") is None
    assert statements.month == MONTH


def scene_month(statements: Statements | None, house: str) -> MonthView | None:
    return Scene().view(house, month=statements).month


def test_the_round_tells_who_has_agreed_who_is_waited_for_and_why() -> None:
    scene = Scene()
    assert scene.take().round is None
    now_s = FIRST * 60
    asked = scene.desk.open_now(now_s, "Mehmet")
    assert asked is not None
    scene.desk.stored(asked)
    taken = scene.desk.take("A", asked.month, asked.minutes.start, Wish(role=Role.CONSUMER, max_w=900), now_s)
    assert taken is not None
    scene.desk.stored(taken)
    dear = Wish(role=Role.PRODUCER, max_w=900, price=microcoins(8))
    assert scene.desk.take("B", asked.month, asked.minutes.start, dear, now_s) is None
    assert scene.take().round == RoundView(
        month="2026-07",
        closes_s=asked.closes_s,
        agreed=("A",),
        waiting=("B", "C", "D"),
        refused={"B": "A producer must name its source, solar or generator."},
        final=False,
    )


def test_a_house_that_joins_is_in_the_picture_at_once() -> None:
    scene = Scene()
    new = replace(TERMS.houses[0], house="AA", name="New")
    scene.live.stranger("AA", NOW_MS)
    assert [each.house for each in scene.take().strangers] == ["AA"]
    scene.agreed.change(replace(TERMS, houses=(*TERMS.houses, new)))
    scene.live.terms_changed()
    scene.live.recorded([row("AA", NOON)])
    shown = scene.take()
    assert [view.house for view in shown.houses] == ["A", "AA", "B", "C", "D"]
    assert shown.strangers == ()
    assert scene.view("AA").last_minute == NOON
