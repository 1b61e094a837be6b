"""What the household reads of what is asked of it, and of what its house does by itself."""

from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication

from house_client.snapshot import CentralState, MeterState
from house_client.ui.home_page import HomePage
from house_client.ui.margin import Nearness, margin_of, margin_words
from house_client.ui.steering_words import manner_words, request_words
from microgrid.sample import CommandState
from tests.ui.installer import UNDER_WAY
from tests.ui.sample_house import SHARING, STATES, make_buyer, make_seller
from tests.ui.sample_snapshots import make_kiosk

SP = "\N{NO-BREAK SPACE}"
WHY = "Your part of what the micro-grid takes now."


def words(snapshot):
    return request_words(snapshot, margin_of(snapshot)), manner_words(snapshot)


def asked(goal_w, exchange_w, **changes):
    return replace(make_seller(exchange_w), target_w=goal_w, goal_w=goal_w, **changes)


@pytest.mark.parametrize(
    ("snapshot", "request_", "manner"),
    [
        (asked(1250, 1240), f"The central asks you to give 1.25{SP}kW", f"You give it. {WHY}"),
        (
            asked(2000, 1300),
            f"Asked for 2.00{SP}kW: 0.70{SP}kW missing",
            f"Your source is being raised. {WHY}",
        ),
        (STATES["lowered"], f"The central asks you to give 0.25{SP}kW",
         f"Your source is being lowered. {SHARING}"),
        (STATES["limited"], f"Asked for 2.50{SP}kW: 0.50{SP}kW missing",
         f"This house gives 2.00{SP}kW at most. {SHARING}"),
        (STATES["not running"], f"Asked for 1.50{SP}kW: source not running",
         f"Start the source, or tell the operator. {SHARING}"),
        (STATES["deaf"], f"Asked for 1.50{SP}kW: meter does not obey",
         f"The meter does not obey: tell the operator. {WHY}"),
        (STATES["safe"], "The central is silent", f"This house gives its agreed minimum of 0.25{SP}kW."),
        (STATES["safe, not running"], "The central is silent",
         f"This house gives its agreed minimum of 0.25{SP}kW. Start the source, or tell the operator."),
        (STATES["withdrawn"], "The central asks for nothing now",
         f"This house gives its agreed minimum of 0.25{SP}kW."),
        (replace(STATES["safe"], goal_w=0), "The central is silent", "By itself this house gives nothing."),
        (asked(1250, 0, swap=UNDER_WAY), f"Asked for 1.25{SP}kW: 1.25{SP}kW missing",
         f"Nothing is steered while the meter is exchanged. {WHY}"),
        (asked(1250, 0, meter=MeterState.SILENT), f"The central asks you to give 1.25{SP}kW",
         f"Nothing is steered while the meter is silent. {WHY}"),
        (make_buyer(), "", ""),
    ],
)  # fmt: skip
def test_it_is_said_what_is_asked_how_it_is_met_and_why(snapshot, request_, manner):
    assert words(snapshot) == (request_, manner)


def test_a_source_held_at_its_minimum_gives_no_warning():
    for output_w in (246, 250, 254):
        held = asked(250, output_w)
        assert margin_of(held).nearness is Nearness.FAR
        assert margin_words(held, margin_of(held))[0] == f"At your minimum of 0.25{SP}kW"
    assert margin_of(asked(250, 200)).nearness is Nearness.BEYOND
    assert margin_of(asked(1000, 260)).nearness is Nearness.NEAR


@pytest.mark.parametrize(
    ("state", "emphasised"), [("seller", False), ("safe", False), ("not running", True), ("deaf", True)]
)
def test_only_what_is_wrong_stands_out(qtbot, state, emphasised):
    page = HomePage()
    qtbot.addWidget(page)
    page.show_snapshot(STATES[state])
    assert page.steering.request.emphasised is emphasised


def test_a_house_that_is_asked_for_nothing_has_no_line_for_it(qtbot):
    page = HomePage()
    qtbot.addWidget(page)
    page.resize(1004, 430)
    page.show()
    page.show_snapshot(make_buyer())
    QApplication.processEvents()
    assert not page.steering.isVisible()
    page.show_snapshot(replace(make_kiosk(), goal_w=2000, last_pulse=CommandState.DONE))
    assert page.steering.isVisible()
    page.show_snapshot(replace(make_kiosk(), central=CentralState.CONNECTING, target_w=None))
    assert not page.steering.isVisible()
