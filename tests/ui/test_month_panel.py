"""The month so far, and the distance to what costs more, before it costs."""

from dataclasses import replace

import pytest
from msgspec.structs import replace as changed
from PySide6.QtWidgets import QApplication

from house_client.snapshot import CentralState, HouseSnapshot, MeterState
from house_client.ui.home_page import HomePage
from house_client.ui.margin import Nearness, contract_now, margin_of, margin_words
from house_client.ui.month_panel import MonthPanel, month_total
from house_client.ui.steering_words import request_words
from microgrid.statement import PenaltyParts
from microgrid.terms import Obligation
from microgrid.units import microcoins
from microgrid.wire.messages import MonthSoFar
from node.qt.format import MINUS
from node.qt.value import ValueState
from tests.ui.images import grey, picture
from tests.ui.sample_house import (
    JANUARY,
    agreed,
    buyer_contract,
    make_buyer,
    make_call,
    make_seller,
    seller_contract,
    unlinked,
)

SP = "\N{NO-BREAK SPACE}"
NIGHT_S = make_seller().now_s + 8 * 3600


def month_of(snapshot: HouseSnapshot) -> MonthSoFar:
    assert snapshot.month is not None
    return snapshot.month


def seen(panel, snapshot):
    panel.show_snapshot(snapshot)
    rows = [[part for part in row if not part.isHidden()] for row in panel.account.rows]
    return [(row[0].text(), *(value.reading.shown for value in row[1:])) for row in rows if row]


@pytest.fixture
def panel(qtbot):
    made = MonthPanel()
    qtbot.addWidget(made)
    return made


def with_contract(snapshot, contract):
    return replace(snapshot, month=changed(snapshot.month, contract=contract))


# --- the month so far -------------------------------------------------------------------------------


def test_a_sellers_month(panel):
    assert seen(panel, make_seller()) == [
        ("To the micro-grid", "312.4", "+2,499.20"),
        ("From the national grid", "26.6", f"{MINUS}468.16"),
        ("Penalty: not delivered", "1.2", f"{MINUS}21.12"),
        ("Penalty: below minimum", "0.4", f"{MINUS}7.04"),
        ("Earlier months", f"{MINUS}3.20"),
    ]
    assert panel.title.text() == "December 2024 so far"
    assert panel.as_of.text() == "as of 14:05"
    assert panel.account.total_title.text() == "You receive so far"
    assert panel.account.total.reading.shown == "1,999.68"


def test_a_buyers_month_has_no_lines_for_penalties(panel):
    assert seen(panel, make_buyer()) == [
        ("From the micro-grid", "291.3", f"{MINUS}3,594.64"),
        ("From the national grid", "48.2", f"{MINUS}848.32"),
        ("Earlier months", "0.00"),
    ]
    assert panel.account.total_title.text() == "You pay so far"
    assert panel.account.total.reading.shown == "4,442.96"


def test_the_total_is_what_the_lines_say():
    parts = PenaltyParts(deficit_amount=-microcoins(5), minimum_amount=-microcoins(7))
    month = changed(month_of(make_seller()), penalties=parts)
    assert month_total(month) == microcoins(2499.2 - 468.16 - 12 - 3.2)


def test_a_buyer_that_was_a_seller_sees_its_penalty(panel):
    parts = PenaltyParts(minimum_energy=360_000, minimum_amount=-microcoins(1.76))
    lines = seen(panel, replace(make_buyer(), month=changed(month_of(make_buyer()), penalties=parts)))
    assert ("Penalty: below minimum", "0.1", f"{MINUS}1.76") in lines


def test_figures_of_a_lost_link_are_old_ones(panel):
    seen(panel, unlinked(make_seller()))
    assert panel.account.total.reading.state is ValueState.STALE
    assert panel.as_of.emphasised


def test_a_month_that_was_not_told_is_not_zero(panel):
    seen(panel, make_seller())
    assert {line[1:] for line in seen(panel, replace(make_seller(), month=None))} == {("—", "—"), ("—",)}
    assert panel.account.total.reading.shown == "—"
    assert panel.as_of.text() == "not told yet"


# --- the buyer's share ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("import_w", "nearness", "words"),
    [
        (0, Nearness.FAR, f"1.25{SP}kW left of your share of 1.25{SP}kW"),
        (1125, Nearness.FAR, f"0.12{SP}kW left of your share of 1.25{SP}kW"),
        (1126, Nearness.NEAR, f"Only 0.12{SP}kW left of your share of 1.25{SP}kW"),
        (1250, Nearness.NEAR, f"Only 0.00{SP}kW left of your share of 1.25{SP}kW"),
        (1600, Nearness.BEYOND, f"0.35{SP}kW beyond your share of 1.25{SP}kW"),
        (-300, Nearness.FAR, f"1.25{SP}kW left of your share of 1.25{SP}kW"),  # it exports
    ],
)
def test_a_buyer_is_warned_within_a_tenth_of_its_share(import_w, nearness, words):
    snapshot = make_buyer(import_w)
    margin = margin_of(snapshot)
    assert margin.nearness is nearness
    assert margin_words(snapshot, margin)[0] == words


def test_beyond_the_share_the_cost_of_a_kwh_is_told():
    snapshot = make_buyer(1600)
    assert margin_words(snapshot, margin_of(snapshot))[1] == "Each kWh of it may cost 17.60 coins"


def test_without_sellers_every_kwh_costs():
    snapshot = replace(make_buyer(), allotment_w=0)
    margin = margin_of(snapshot)
    assert margin.nearness is Nearness.BEYOND
    assert margin_words(snapshot, margin) == (
        "No seller can give power now",
        "Each kWh costs 17.60 coins",
    )
    assert margin_of(replace(make_buyer(0), allotment_w=0)).nearness is Nearness.FAR


# --- the seller's minimum ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("export_w", "nearness", "words"),
    [
        (1250, Nearness.FAR, f"1.00{SP}kW above your minimum of 0.25{SP}kW"),
        (275, Nearness.FAR, f"0.03{SP}kW above your minimum of 0.25{SP}kW"),
        (274, Nearness.NEAR, f"Only 0.02{SP}kW above your minimum of 0.25{SP}kW"),
        (249, Nearness.BEYOND, f"0.00{SP}kW below your minimum of 0.25{SP}kW"),
        (-400, Nearness.BEYOND, f"0.25{SP}kW below your minimum of 0.25{SP}kW"),  # it imports
    ],
)
def test_a_seller_is_warned_before_its_minimum(export_w, nearness, words):
    snapshot = make_seller(export_w)
    margin = margin_of(snapshot)
    assert margin.nearness is nearness
    assert margin_words(snapshot, margin) == (words, "Each kWh missing from it costs 17.60 coins")


def test_a_target_below_the_minimum_lowers_it():
    snapshot = replace(make_seller(150), target_w=100)
    margin = margin_of(snapshot)
    assert (margin.limit_w, margin.nearness) == (100, Nearness.FAR)
    assert "Lowered by the central" in margin_words(snapshot, margin)[1]
    cut = replace(make_seller(0), target_w=0)
    assert margin_words(cut, margin_of(cut))[0] == "You owe no minimum now"


def test_solar_by_daylight_owes_nothing_by_night():
    night = replace(make_seller(0), now_s=NIGHT_S, target_w=None)
    margin = margin_of(night)
    assert margin.nearness is Nearness.FAR
    assert margin_words(night, margin) == ("You owe no minimum by night", "")
    always = with_contract(night, changed(seller_contract(), obligation=Obligation.ALWAYS))
    assert margin_of(always).nearness is Nearness.BEYOND


def test_what_is_missing_from_the_centrals_target_is_told():
    snapshot = replace(make_seller(800), target_w=2000)
    assert request_words(snapshot, margin_of(snapshot)) == f"Asked for 2.00{SP}kW: 1.20{SP}kW missing"
    obeyed = replace(make_seller(1980), target_w=2000)
    assert request_words(obeyed, margin_of(obeyed)) == f"The central asks you to give 2.00{SP}kW"
    assert margin_of(replace(make_seller(2500), target_w=9000)).asked_w == 2500  # never above its maximum


# --- what is not known ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("snapshot", "words"),
    [
        (unlinked(make_buyer()), "Your limits: unknown until linked"),
        (replace(make_buyer(), allotment_w=None), "Your limits: not told yet"),
        (
            replace(make_seller(), meter=MeterState.SILENT),
            "Your limits: unknown until the meter speaks",
        ),
        (with_contract(make_seller(), None), "No contract: a kWh costs 17.60 coins"),
        (replace(make_seller(), month=None), "Your limits: not told yet"),
    ],
)
def test_an_unknown_distance_is_said_to_be_unknown(snapshot, words):
    assert margin_of(snapshot) is None
    assert margin_words(snapshot, None) == (words, "")


def test_a_seller_knows_its_minimum_without_the_link():
    assert margin_of(replace(make_seller(100), central=CentralState.CONNECTING)).nearness is Nearness.BEYOND


def test_the_contract_of_the_new_month_holds_from_its_first_minute():
    call = agreed(make_call(), buyer_contract(JANUARY))
    before = replace(make_seller(), call=call)
    assert contract_now(before) == seller_contract()
    begun = replace(before, now_s=float(JANUARY.start * 60))
    assert contract_now(begun) == buyer_contract(JANUARY)


# --- as drawn ---------------------------------------------------------------------------------------


def test_the_bar_tells_near_beyond_and_unknown_apart_without_colour(qtbot):
    page = HomePage()
    qtbot.addWidget(page)
    page.resize(800, 400)
    page.show()
    pictures = []
    for snapshot in (make_buyer(900), make_buyer(1600), unlinked(make_buyer())):
        page.show_snapshot(snapshot)
        QApplication.processEvents()
        pictures.append(grey(picture(page.now.bar)))
    darkest = [image.min() for image in pictures]
    assert (pictures[0] != pictures[1]).sum() > 500
    assert (pictures[0] != pictures[2]).sum() > 500
    assert darkest[2] > darkest[1]  # nothing is measured: no bar


@pytest.mark.parametrize(("import_w", "warned"), [(900, False), (1200, True), (1600, True)])
def test_the_warning_stands_out(qtbot, import_w, warned):
    page = HomePage()
    qtbot.addWidget(page)
    page.show_snapshot(make_buyer(import_w))
    assert page.now.distance.emphasised is warned
