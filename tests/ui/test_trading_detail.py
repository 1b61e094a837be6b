"""The Energy Trading Detail window: everything about one house."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QRect, Qt

from central_monitor.snapshot import LinkState
from central_monitor.ui.house_trends import HouseTrends
from central_monitor.ui.trading_detail import TradingDetail
from microgrid.sample import Quality
from node.qt.theme import DARK, LIGHT, load_theme
from node.qt.value import ValueState, ValueWidget
from tests.ui.images import blank, grey, picture, place_in, saturation
from tests.ui.sample_snapshots import (
    LONG_NAME,
    draw,
    make_central,
    make_house,
    make_troubled,
    make_unsteady,
    with_houses,
)


@pytest.fixture
def trends():
    return HouseTrends()


@pytest.fixture
def detail(qtbot, trends):
    made = TradingDetail(trends)
    qtbot.addWidget(made)
    made.resize(1264, 640)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


def show(detail, house, *others):
    detail.show_snapshot(with_houses((house, *others)))
    detail.show_house(house.house)


def text(value):
    return f"{value.reading.shown} {value.reading.quantity.unit}".strip()


def test_phases_show_what_the_meter_measures(detail):
    show(detail, make_house(1))
    phases = detail.phases
    assert [text(value) for value in phases.voltages] == ["231.4 V", "229.8 V", "230.6 V"]
    assert [text(value) for value in phases.currents] == ["3.12 A", "2.98 A", "3.05 A"]
    assert [text(value) for value in phases.power_factors] == ["0.95 lag", "0.97 lead", "1.00"]
    assert text(phases.frequency) == "49.98 Hz"


def test_load_is_what_is_generated_and_not_exchanged(detail):
    show(detail, draw(make_house(1), 1500))
    assert [text(value) for value in detail.powers.generated] == ["2.14 kW", "0.31 kvar", "2.12 kVA"]
    assert [text(value) for value in detail.powers.exchanged] == ["+1.50 kW", "+0.12 kvar", "1.50 kVA"]
    assert [text(value) for value in detail.powers.load] == ["0.64 kW", "0.19 kvar", "0.67 kVA"]
    assert detail.powers.grid_breaker.accessibleDescription() == "closed"


def test_a_buyer_is_split_between_micro_grid_and_national_grid(detail):
    show(detail, draw(make_house(0), -2350))
    trade = detail.trade
    assert (trade.microgrid_label.text(), text(trade.microgrid)) == ("Taken from the micro-grid", "1.80 kW")
    assert (trade.national_label.text(), text(trade.national)) == ("From the national grid", "0.55 kW")
    assert (trade.deviation_label.text(), text(trade.deviation)) == ("Deviation: beyond allotment", "0.55 kW")
    for seller in (trade.default, trade.order, detail.contract.price, detail.contract.minimum):
        assert not seller.isVisible()
    assert text(detail.contract.allotment) == "1.80 kW"


def test_a_seller_delivers_and_is_in_default_below_its_minimum(detail):
    show(detail, draw(make_house(1), 90))
    trade, contract = detail.trade, detail.contract
    assert trade.microgrid_label.text() == "Delivered to the micro-grid"
    assert (text(trade.microgrid), text(trade.default)) == ("0.09 kW", "0.16 kW")
    assert trade.order.text().startswith("Target 1.90\N{NO-BREAK SPACE}kW, given 2 min 05 s ago. Met.")
    assert (text(contract.minimum), text(contract.maximum)) == ("0.25 kW", "2.50 kW")
    assert (text(contract.price), contract.obligation.text()) == ("8.00 coins/kWh", "always")
    assert not contract.allotment.isVisible()


@pytest.mark.parametrize("size", [(944, 440), (1264, 640), (1904, 920)])
@pytest.mark.parametrize("house", "BDFHJN")
def test_what_became_of_an_order_is_read_in_full(detail, qtbot, size, house):
    detail.resize(*size)
    detail.show_snapshot(make_unsteady())
    detail.show_house(house)
    qtbot.wait(10)
    picture(detail)
    assert detail.trade.order.text()
    assert detail.trade.order.toolTip() == ""  # it has one only where it is cut


def test_an_order_tells_what_became_of_it(detail):
    detail.show_snapshot(make_unsteady())
    detail.show_house("D")
    assert detail.trade.order.text() == (
        "Target 2.25\N{NO-BREAK SPACE}kW, given 2 min 05 s ago, a raise. Refused: the source is not running."
        " Does not follow since 12:54 PKT: others are asked."
    )
    detail.show_house("J")
    assert detail.trade.order.text().endswith(
        "set by hand. Met. Held at 1.00\N{NO-BREAK SPACE}kW by M. Desk: the roof is half in the shade"
    )
    detail.show_house("H")
    assert "Out of service until 2 Dec 2024, 09:05 PKT by M. Desk: the fan belt is torn" in (
        detail.trade.order.text()
    )
    detail.show_house("A")
    assert not detail.trade.order.isVisible()


def test_the_month_so_far_adds_up(detail):
    show(detail, make_house(1))
    month = detail.month
    assert month.title.text() == "December 2024 so far"
    assert text(month.microgrid_energy) == "+123.4 kWh"
    assert text(month.national_energy) == "\N{MINUS SIGN}2.5 kWh"
    assert text(month.microgrid_amount) == "+1,234.50 coins"
    assert text(month.penalties) == "\N{MINUS SIGN}17.60 coins"
    assert text(month.total) == "+1,172.90 coins"


def test_a_lost_house_shows_no_last_value_and_its_age(detail):
    house = replace(make_house(1), link=LinkState.LOST, quality=Quality.STALE, age_s=130.0, split=None)
    show(detail, house)
    for panel in (detail.phases, detail.powers):
        for value in panel.findChildren(ValueWidget):
            assert value.reading.shown == "—"
    assert detail.powers.grid_breaker.accessibleDescription() == "unknown"
    assert detail.trade.microgrid.reading.state is ValueState.DISCONNECTED
    assert detail.month.total.reading.state is ValueState.STALE
    assert detail.state.emphasised
    assert "link lost 2 min 10 s" in detail.state.text()
    assert detail.link.age.text() == "2 min 10 s"
    assert detail.link.last_minute.text() == "1 Dec 2024, 13:05 PKT"
    # The last value must not be seen: whatever it was, the picture is the same.
    before = grey(picture(detail))
    show(detail, replace(house, sample=draw(house, 777).sample))
    assert (grey(picture(detail)) == before).all()


def test_a_stale_house_is_said_to_be_stale_and_a_silent_one_never_heard(detail):
    show(detail, replace(make_house(1), quality=Quality.STALE, age_s=12.0))
    assert detail.phases.voltages[0].reading.state is ValueState.STALE
    assert "stale, 12 s old" in detail.state.text()
    snapshot = make_troubled()
    detail.show_snapshot(snapshot)
    detail.show_house("H")
    assert detail.link.age.text() == "never heard"
    assert detail.link.last_minute.text() == "nothing recorded"
    assert detail.month.total.reading.shown == "—"


def test_a_house_without_contract_has_no_band_and_says_so(detail):
    detail.show_snapshot(make_troubled())
    detail.show_house("G")
    assert detail.contract.role.text() == "no contract"
    assert not detail.contract.maximum.isVisible()
    assert detail.trade.deviation_label.text() == "Deviation: draws without allotment"


def test_next_and_previous_go_round_by_keyboard_and_escape_leads_back(detail, qtbot):
    left = []
    detail.back_asked.connect(lambda: left.append(True))
    detail.show_snapshot(make_central())
    detail.show_house("C")
    qtbot.keyClick(detail, Qt.Key.Key_PageDown)
    assert detail.house == "D"
    qtbot.keyClick(detail, Qt.Key.Key_PageDown)
    assert detail.house == "A"
    qtbot.keyClick(detail, Qt.Key.Key_PageUp)
    assert detail.house == "D"
    qtbot.keyClick(detail, Qt.Key.Key_P, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: detail.house == "C")  # the button is seen to go down
    assert detail.name.text() == "House C · Family 3"
    qtbot.keyClick(detail, Qt.Key.Key_Escape)
    assert left == [True]


def test_a_house_that_is_not_known_gives_way_to_the_first(detail):
    detail.show_house("no such house")
    detail.show_snapshot(make_central())
    assert detail.house == "A"


def test_trends_are_the_houses_own_and_tell_their_range(detail, trends):
    for step in range(30):
        trends.add(make_central(4, step))
        detail.show_snapshot(make_central(4, step))
    detail.show_house("B")
    # House B swings around 1.40 kW by 0.60; its load is always the same.
    assert detail.exchanged.text.text() == "Into the micro-grid   0.80 … 2.00\N{NO-BREAK SPACE}kW"
    assert detail.load.text.text().endswith("0.64 … 0.64\N{NO-BREAK SPACE}kW")
    first = picture(detail.exchanged.line)
    detail.show_house("A")
    assert (picture(detail.exchanged.line) != first).any()


@pytest.mark.parametrize("size", [(944, 440), (1264, 640), (1904, 920)])
@pytest.mark.parametrize("house", "AB")
def test_nothing_overlaps_in_any_size(detail, qtbot, size, house):
    detail.resize(*size)
    detail.show_snapshot(make_troubled())
    detail.show_house(house)
    qtbot.wait(10)
    assert detail.size().toTuple() == size
    places = [place_in(panel, detail) for panel in (*detail.panels, *detail.trend_boxes)]
    for index, place in enumerate(places):
        assert QRect(0, 0, *size).contains(place)
        assert not any(place.intersects(other) for other in places[index + 1 :])
    for panel in detail.panels:
        for part in panel._parts:
            assert not part.isVisible() or panel.rect().contains(part.geometry())


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("house", "ABCDEFGH")
def test_there_is_no_colour_outside_the_trends(detail, trends, theme, house):
    detail.set_theme(load_theme(theme))
    trends.add(make_troubled())
    detail.show_snapshot(make_troubled())
    detail.show_house(house)
    pixels = picture(detail)
    for box in detail.trend_boxes:
        blank(pixels, place_in(box.line, detail))
    assert saturation(pixels).max() < 0.05


def test_a_long_name_is_cut_with_the_whole_as_tip(detail):
    detail.resize(944, 440)
    detail.show_snapshot(make_troubled())
    detail.show_house("A")
    picture(detail)
    assert LONG_NAME in detail.name.toolTip()
