"""The Energy Agreement window: what every house agreed to and how it keeps it."""

from dataclasses import replace
from time import perf_counter

import msgspec
import pytest
from PySide6.QtCore import Qt

from central_monitor.snapshot import LinkState, LiveSplit, OrderView
from central_monitor.ui.agreement import AgreementScreen, Order, Selection
from central_monitor.ui.agreement_rows import cells_of, headers, line_of
from central_monitor.ui.deviation import Breach, deviation
from central_monitor.ui.live_list import HELD_S
from microgrid.minute import Hold
from microgrid.sample import Quality
from microgrid.terms import Obligation
from node.qt.theme import DARK, LIGHT, load_theme
from node.qt.value import ValueState
from tests.ui.images import picture, saturation
from tests.ui.sample_snapshots import draw, make_central, make_house, make_split, make_troubled, with_houses


@pytest.fixture
def screen(qtbot):
    made = AgreementScreen()
    qtbot.addWidget(made)
    made.resize(1264, 640)
    made.show()
    return made


def column(name):
    return [header.replace("\n", " ") for header in headers()].index(name)


def shown(screen, name):
    place = column(name)
    return {key: screen.table.texts(row)[place] for row, key in enumerate(screen.table.keys)}


def cell(house, name, snapshot=None):
    return cells_of(line_of(house, snapshot or make_central()))[column(name)]


def choose(box, qtbot, value):
    """Choose by keyboard alone."""
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Home)
    while box.currentData() is not value:
        before = box.currentIndex()
        qtbot.keyClick(box, Qt.Key.Key_Down)
        assert box.currentIndex() > before, "the choice is not offered"


def test_a_line_tells_contract_and_month_of_a_seller_and_a_buyer(screen):
    screen.show_snapshot(make_central())
    assert shown(screen, "Role") == {"A": "consumer", "B": "producer", "C": "consumer", "D": "producer"}
    assert shown(screen, "Source") == {"A": "", "B": "solar", "C": "", "D": "generator"}
    assert shown(screen, "Min kW") == {"A": "", "B": "0.25", "C": "", "D": "0.25"}
    assert shown(screen, "Max kW") == {"A": "2.00", "B": "2.50", "C": "2.00", "D": "2.50"}
    assert shown(screen, "Price coins/kWh") == {"A": "", "B": "8.00", "C": "", "D": "25.00"}
    assert shown(screen, "Allot- ment kW") == {"A": "1.80", "B": "", "C": "1.80", "D": ""}
    assert shown(screen, "Micro-grid this month kWh")["A"] == "\N{MINUS SIGN}80.2"
    assert shown(screen, "Micro-grid this month kWh")["B"] == "+123.4"
    assert shown(screen, "National this month kWh")["B"] == "\N{MINUS SIGN}2.5"


def test_live_power_is_split_and_default_stands_only_with_sellers(screen):
    beyond, short = draw(make_house(0), -2350), draw(make_house(1), 90)
    screen.show_snapshot(with_houses((beyond, short)))
    assert shown(screen, "Micro- grid now, kW") == {"A": "\N{MINUS SIGN}1.80", "B": "+0.09"}
    assert shown(screen, "National grid now, kW") == {"A": "\N{MINUS SIGN}0.55", "B": "0.00"}
    assert shown(screen, "In default kW") == {"A": "", "B": "0.16"}
    assert shown(screen, "Deviation now, kW") == {"A": "over 0.55", "B": "short 0.16"}


def test_totals_are_the_pools_and_say_when_houses_are_missing(screen):
    screen.show_snapshot(make_central())
    pool = make_central().pool
    assert screen.maximum.value.reading.shown == f"{pool.available_w / 1000:.2f}"
    assert screen.used.value.reading.shown == f"{pool.consumed_w / 1000:.2f}"
    assert screen.tariff.value.reading.note == "day"
    screen.show_snapshot(replace(make_troubled(), pool=replace(pool, is_day=False)))
    assert screen.used.value.reading.state is ValueState.ESTIMATED
    assert "without 4 of 8" in screen.used.value.reading.note
    assert screen.tariff.value.reading.note == "night"


def test_who_departs_most_comes_first_and_who_is_not_heard_comes_last(screen):
    screen.show_snapshot(make_troubled())
    assert screen.table.keys[:3] == ("F", "A", "G")
    assert set(screen.table.keys[-4:]) == {"C", "D", "E", "H"}
    assert "2 draw beyond allotment, 2 give less" in screen.count.text()


def test_rows_keep_their_places_for_a_while_although_deviations_change(screen):
    houses = (make_house(0), make_house(2))
    screen.show_snapshot(with_houses((draw(houses[0], -1900), draw(houses[1], -1850))))
    assert screen.table.keys == ("A", "C")
    changed = with_houses((draw(houses[0], -1900), draw(houses[1], -1990)))
    screen.show_snapshot(replace(changed, now_s=changed.now_s + HELD_S - 1))
    assert screen.table.keys == ("A", "C")
    assert shown(screen, "Deviation now, kW")["C"] == "over 0.19"
    screen.show_snapshot(replace(changed, now_s=changed.now_s + HELD_S))
    assert screen.table.keys == ("C", "A")


def test_a_house_that_joins_is_listed_at_once(screen):
    screen.show_snapshot(make_central(4))
    screen.show_snapshot(make_central(5))
    assert set(screen.table.keys) == set("ABCDE")


@pytest.mark.parametrize(
    ("order", "first"),
    [
        (Order.HOUSE, ("A", "B", "C", "D")),
        (Order.ROLE, ("B", "D", "A", "C")),
        (Order.MICROGRID, ("B", "D", "A", "C")),
        (Order.NATIONAL, ("A", "C", "B", "D")),
    ],
)
def test_orders_are_chosen_by_keyboard(screen, qtbot, order, first):
    screen.show_snapshot(make_central())
    choose(screen.order_box, qtbot, order)
    assert screen.table.keys == first


@pytest.mark.parametrize(
    ("selection", "listed"),
    [
        (Selection.ALL, set("ABCDEFGH")),
        (Selection.PRODUCERS, set("BDFH")),
        (Selection.CONSUMERS, set("ACE")),
        (Selection.WITHOUT, {"G"}),
        (Selection.DEVIATING, set("ABFG")),
    ],
)
def test_selections_are_chosen_by_keyboard(screen, qtbot, selection, listed):
    screen.show_snapshot(make_troubled())
    choose(screen.selection_box, qtbot, selection)
    assert set(screen.table.keys) == listed
    assert screen.count.text().startswith(f"December 2024: {len(listed)} of 8")


def test_a_choice_nobody_meets_says_so(screen, qtbot):
    screen.show_snapshot(make_central())
    choose(screen.selection_box, qtbot, Selection.DEVIATING)
    assert screen.table.keys == ()


def test_a_house_is_opened_by_enter_and_by_a_click_on_it(screen, qtbot):
    opened: list[str] = []
    screen.house_chosen.connect(opened.append)
    screen.show_snapshot(make_central())
    screen.setFocus()
    screen.table.select("B")
    qtbot.keyClick(screen.table, Qt.Key.Key_Down)
    qtbot.keyClick(screen.table, Qt.Key.Key_Return)
    place = screen.table.visualRect(screen.table.model().index(3, 0)).center()
    qtbot.mouseClick(screen.table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened == ["C", "D"]


def test_lost_stale_and_bad_values_are_drawn_as_such():
    house = make_house(1)
    lost = replace(house, link=LinkState.LOST, quality=Quality.STALE, age_s=99.0, split=None)
    for name in ("Micro- grid now, kW", "National grid now, kW", "In default kW", "Deviation now, kW"):
        assert cell(lost, name).shown == "—"
    assert cell(lost, "Micro-grid this month kWh").state is ValueState.STALE
    assert cell(lost, "Link").text == "link lost 1 min 39 s"
    stale = replace(house, quality=Quality.STALE, age_s=12.0)
    assert cell(stale, "Micro- grid now, kW").state is ValueState.STALE
    bad = replace(house, quality=Quality.BAD)
    assert cell(bad, "Micro- grid now, kW").shown.startswith("?")
    assert cell(replace(house, month=None), "National this month kWh").shown == "—"


def test_deviation_of_a_buyer_begins_at_its_allotment():
    assert deviation(draw(make_house(0), -1800), True).breach is Breach.NONE
    found = deviation(draw(make_house(0), -1810), True)
    assert (found.power_w, found.breach) == (10, Breach.ALLOTMENT)


def test_a_seller_owes_its_minimum_only_when_obliged_and_not_held_down():
    house = draw(make_house(1), 100)
    assert house.contract is not None
    assert (deviation(house, False).power_w, deviation(house, False).breach) == (150, Breach.MINIMUM)
    by_day = msgspec.structs.replace(house.contract, obligation=Obligation.DAYLIGHT)
    assert deviation(replace(house, contract=by_day), False).breach is Breach.NONE
    assert deviation(replace(house, contract=by_day), True).breach is Breach.MINIMUM
    held = OrderView(target_w=0, raise_standing=False, hold=Hold.CAP, acknowledged=True)
    assert deviation(replace(house, order=held, split=LiveSplit(100, 0, 0)), True).breach is Breach.NONE


def test_a_seller_that_falls_behind_its_order_is_in_default_above_its_minimum():
    house = draw(make_house(1), 1000)
    found = deviation(replace(house, split=LiveSplit(1000, 0, 700)), True)
    assert (found.power_w, found.breach) == (700, Breach.MINIMUM)


def test_a_house_without_contract_draws_without_allotment():
    house = replace(draw(make_house(0), -500), contract=None, allotment_w=None, split=make_split(-500, 0))
    assert deviation(house, True).breach is Breach.IMPORT
    assert deviation(replace(house, link=LinkState.LOST), True) is None


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_screen_has_no_colour_at_all(screen, theme):
    screen.set_theme(load_theme(theme))
    screen.show_snapshot(make_troubled())
    assert saturation(picture(screen)).max() < 0.05


def test_all_columns_are_in_the_window_without_scrolling_sideways(screen):
    screen.show_snapshot(make_troubled())
    assert screen.table.horizontalScrollBar().maximum() == 0


def test_a_snapshot_of_254_houses_is_shown_without_a_pause(screen):

    screen.show_snapshot(make_central(254))
    screen.grab()
    snapshots = [make_central(254, step) for step in range(1, 6)]
    spent = []
    for snapshot in snapshots:
        begun = perf_counter()
        screen.show_snapshot(snapshot)
        spent.append(perf_counter() - begun)
    assert min(spent) < 0.05
