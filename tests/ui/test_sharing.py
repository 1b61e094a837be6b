"""The Load Sharing window: what is shown of the strategy, of those that take, and of every seller."""

from dataclasses import replace
from time import perf_counter
from typing import Any

import msgspec
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester

from central_monitor.snapshot import LinkState
from central_monitor.ui.live_list import HELD_S
from central_monitor.ui.sharing import SharingScreen
from central_monitor.ui.sharing_rows import (
    BAND_COLUMN,
    Line,
    Order,
    seller_cells,
    seller_headers,
    taker_headers,
)
from central_monitor.ui.sharing_words import brief_words
from microgrid.directives import StrategyName
from microgrid.minute import Fate, Hold
from microgrid.sample import Quality
from node.qt.theme import DARK, LIGHT, load_theme
from node.qt.value import ValueState
from tests.ui.images import grey, picture, saturation
from tests.ui.sample_snapshots import (
    DAY_S,
    NO_ANSWER,
    NOW_S,
    by_night,
    draw,
    make_central,
    make_house,
    make_troubled,
    make_unsteady,
    make_upset,
    with_houses,
    with_order,
    with_sharing,
)

NB = "\N{NO-BREAK SPACE}"


@pytest.fixture
def screen(qtbot):
    made = SharingScreen()
    qtbot.addWidget(made)
    made.resize(1264, 690)
    with qtbot.waitActive(made):
        made.show()
        made.activateWindow()
    return made


def column(headers, name):
    return [header.replace("\n", " ") for header in headers].index(name)


def sellers(screen, name):
    place = column(seller_headers(), name)
    return {key: screen.sellers.texts(row)[place] for row, key in enumerate(screen.sellers.keys)}


def takers(screen, name):
    place = column(taker_headers(), name)
    return {key: screen.takers.texts(row)[place] for row, key in enumerate(screen.takers.keys)}


def cell(house, name, snapshot=None):
    cells = seller_cells(Line(house, snapshot or with_houses((house,))))
    return cells[column(seller_headers(), name)]


def fate(house):
    return cell(house, "What became of the order").text


def band_picture(screen):
    """The bar of the first seller, in grey."""
    place = screen.sellers.visualRect(screen.sellers.model().index(0, BAND_COLUMN))
    pixels = grey(picture(screen.sellers.viewport()))
    return pixels[place.top() + 1 : place.bottom() - 1, place.left() + 1 : place.right() - 1]


# --- the head -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        (StrategyName.DAY_TIME, "Load sharing on: to the sun by day, to generators by night"),
        (StrategyName.MERIT_ORDER, "Load sharing on: merit order, cheapest first"),
        (StrategyName.OFF, "Load sharing off: everybody alike"),
    ],
)
def test_the_strategy_in_force_is_told_with_who_chose_it_and_why(screen, strategy, words):
    screen.show_snapshot(
        with_sharing(make_central(), strategy=strategy, author="A. Night", note="storm ahead")
    )
    assert screen.head.strategy.text() == words
    assert screen.head.author.text() == "Chosen by A. Night: storm ahead"


def test_a_strategy_that_nobody_chose_says_so_and_an_unknown_one_too(screen):
    screen.show_snapshot(with_sharing(make_central(), author="", note=""))
    assert screen.head.author.text() == "Nobody has changed it"
    screen.show_snapshot(replace(make_central(), sharing=None))
    assert screen.head.strategy.text() == "How load is shared is not known yet"
    assert screen.head.turn.text() == "Day now"
    assert screen.head.saved.value.reading.shown == "—"


def test_day_and_night_are_told_with_when_they_turn(screen):
    screen.show_snapshot(make_central())
    assert screen.head.turn.text() == "Day now; night from 17:40 PKT, in 4 h 34 min"
    screen.show_snapshot(by_night(make_central()))
    assert screen.head.turn.text() == "Night now; day from 2 Dec 2024, 07:15 PKT, in 10 h 00 min"


def test_powers_are_summed_by_source(screen):
    houses = (
        draw(make_house(0), -1500), draw(make_house(1), 800), draw(make_house(3), 300),
        replace(draw(make_house(2), 250), contract=None),
    )  # fmt: skip
    screen.show_snapshot(with_houses(houses))
    head = screen.head
    assert [figure.value.reading.shown for figure in head.figures[:4]] == ["1.50", "0.80", "0.30", "0.15"]
    assert head.generators.value.reading.note == f"and 0.25{NB}kW by others"
    assert head.national.value.reading.note == "import"
    assert head.tariff.value.reading.shown == "17.60"


def test_a_house_that_is_not_heard_is_in_no_sum_and_the_sums_say_so(screen):
    lost = replace(draw(make_house(1), 800), link=LinkState.LOST, quality=Quality.STALE, age_s=60.0)
    screen.show_snapshot(with_houses((make_house(0), lost, draw(make_house(5), 300))))
    reading = screen.head.solar.value.reading
    assert (reading.shown, reading.state) == ("≈0.30", ValueState.ESTIMATED)
    assert reading.note == "without 1 of 3 houses"


def test_an_open_tie_has_no_flow(screen):
    screen.show_snapshot(replace(make_central(), tie_closed=False))
    assert screen.head.national.value.reading.shown == "—"
    assert screen.head.national.value.reading.note == "tie open"


def test_what_sharing_saved_is_an_estimate_with_its_sign_and_its_beginning(screen):
    screen.show_snapshot(make_central())
    reading = screen.head.saved.value.reading
    assert (reading.shown, reading.quantity.unit) == ("≈+31.40", "coins")
    assert (reading.state, reading.note) == (ValueState.ESTIMATED, "estimated, since 00:00 PKT")
    screen.show_snapshot(with_sharing(make_central(), saved=-2_150_000))
    assert screen.head.saved.value.reading.shown == "≈\N{MINUS SIGN}2.15"
    screen.show_snapshot(with_sharing(make_central(), saved=None))
    reading = screen.head.saved.value.reading
    assert (reading.shown, reading.note) == ("—", "not known yet")


# --- those that take ------------------------------------------------------------------------------------


def test_consumers_are_listed_with_their_power_and_breaker(screen):
    open_breaker = make_unsteady().houses[4]
    screen.show_snapshot(with_houses((draw(make_house(0), -2350), make_house(1), open_breaker)))
    assert takers(screen, "Micro- grid kW") == {"A": "\N{MINUS SIGN}1.80", "E": "0.00"}
    assert takers(screen, "National grid kW") == {"A": "\N{MINUS SIGN}0.55", "E": "0.00"}
    assert takers(screen, "Grid breaker") == {"A": "closed", "E": "open"}
    assert takers(screen, "Note") == {"A": "", "E": ""}


def test_whoever_takes_is_listed_with_those_that_take(screen):
    nobody = replace(draw(make_house(2), -300), contract=None, allotment_w=None)
    screen.show_snapshot(with_houses((draw(make_house(1), -420), make_house(3), nobody)))
    assert takers(screen, "Note") == {"B": "producer", "C": "no contract"}
    assert takers(screen, "National grid kW")["B"] == "\N{MINUS SIGN}0.42"
    assert set(screen.sellers.keys) == {"B", "D"}
    screen.show_snapshot(with_houses((make_house(1), make_house(3), nobody)))
    assert set(screen.takers.keys) == {"C"}


def test_a_stale_consumer_and_a_lost_one_look_like_neither_zero_nor_each_other(screen):
    house = draw(make_house(0), 0)
    pictures = []
    for change in (
        {},
        {"quality": Quality.STALE, "age_s": 12.0},
        {"link": LinkState.LOST, "age_s": 130.0, "split": None},
    ):
        screen.show_snapshot(with_houses((replace(house, **change),)))
        pictures.append(grey(picture(screen.takers)))
    assert takers(screen, "Micro- grid kW")["A"] == "—"
    assert takers(screen, "Note")["A"] == "link lost 2 min 10 s"
    for index, one in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert (np.abs(one - other) > 25).sum() > 50


# --- sellers --------------------------------------------------------------------------------------------


def test_a_seller_is_told_with_source_price_breakers_output_and_target(screen):
    screen.show_snapshot(with_houses((make_house(0), draw(make_house(1), 1350), draw(make_house(3), 0))))
    assert sellers(screen, "Source") == {"B": "solar", "D": "generator"}
    assert sellers(screen, "Price coins/ kWh") == {"B": "8.00", "D": "25.00"}
    assert sellers(screen, "Breakers grid, source") == {"B": "closed", "D": "closed"}
    assert sellers(screen, "Output kW") == {"B": "+1.35", "D": "0.00"}
    assert sellers(screen, "Min kW")["B"] == "0.25"
    assert sellers(screen, "Max kW")["B"] == "2.50"
    assert sellers(screen, "Target kW") == {"B": "1.90", "D": "1.40"}
    assert sellers(screen, "Given ago")["B"] == "2 min"
    assert sellers(screen, "Output within the contract") == {
        "B": "54 % of the maximum",
        "D": "0 % of the maximum",
    }


@pytest.mark.parametrize(
    ("grid", "source", "word"),
    [
        (True, True, "closed"),
        (False, True, "grid open"),
        (True, False, "source open"),
        (False, False, "open"),
    ],
)
def test_both_breakers_are_told_in_a_word(grid, source, word):
    house = draw(make_house(1), 500)
    sample = replace_sample(house.sample, grid_breaker_closed=grid, generator_breaker_closed=source)
    assert cell(replace(house, sample=sample), "Breakers grid, source").text == word


def replace_sample(sample, **changes):
    return msgspec.structs.replace(sample, **changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"fate": Fate.SENT, "acknowledged": False}, "sent"),
        (NO_ANSWER, "unanswered"),
        ({"fate": Fate.REFUSED}, "refused"),
        ({"fate": Fate.FOLLOWING, "raise_standing": True}, "raise, following"),
        ({"fate": Fate.LATE}, "following late"),
        ({"fate": Fate.MET, "hold": Hold.SHARING}, "held by sharing, met"),
        ({"fate": Fate.MET, "hold": Hold.CAP}, "held by the cap, met"),
        ({"fate": Fate.UNMET}, "not met"),
        ({"fate": Fate.UNMET, "unable_since_s": int(NOW_S) - 600}, "does not follow since 12:55 PKT"),
        ({"fate": Fate.REFUSED, "unable_since_s": int(NOW_S) - 600}, "refused since 12:55 PKT"),
        ({"fate": Fate.UNMET, "unable_since_s": DAY_S - 60}, "does not follow since 30 Nov 2024, 23:59 PKT"),
    ],
)
def test_every_fate_of_an_order_has_its_words(changes, words):
    assert fate(with_order(make_house(1), **changes)) == words


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, ""),
        ({"hold": Hold.SHARING}, "held by sharing"),
        ({"fate": Fate.FOLLOWING}, "following"),
        ({"fate": Fate.FOLLOWING, "raise_standing": True}, "raise"),
        ({"fate": Fate.REFUSED, "hold": Hold.CAP}, "refused"),
        ({"fate": Fate.UNMET, "unable_since_s": 1, "hold": Hold.SHARING}, "does not follow"),
    ],
)
def test_where_there_is_little_room_an_order_is_what_matters_most(changes, words):
    assert brief_words(with_order(make_house(1), **changes)) == words


def test_little_room_still_tells_who_is_out_of_service_or_not_asked():
    assert brief_words(make_unsteady().houses[7]) == "out of service"
    assert brief_words(make_house(0)) == ""


def test_orders_by_hand_are_told_with_their_reason():
    upset = make_unsteady()
    held, out = upset.houses[9], upset.houses[7]
    assert fate(held) == "set by hand, met"
    assert "Held at 1.00" in cell(held, "What became of the order").tip
    assert "the roof is half in the shade" in cell(held, "What became of the order").tip
    assert fate(out) == "out until 2 Dec 2024, 09:05 PKT"
    assert "the fan belt is torn" in cell(out, "What became of the order").tip


def test_a_seller_that_is_not_asked_says_why():
    night = by_night(make_central())
    assert cell(night.houses[1], "What became of the order", night).text == "not asked by night"
    house = replace(make_house(1), order=None)
    assert fate(house) == "not asked"
    open_breaker = replace(house, sample=replace_sample(house.sample, grid_breaker_closed=False))
    assert fate(open_breaker) == "not asked: its grid breaker is open"
    lost = replace(house, link=LinkState.LOST, quality=Quality.STALE, age_s=130.0)
    assert fate(lost) == "link lost 2 min 10 s"
    assert cell(lost, "Output kW").shown == "—"
    assert cell(lost, "Breakers grid, source").text == "unknown"
    assert cell(replace(house, quality=Quality.BAD), "Output kW").shown.startswith("?")


def test_the_bar_shows_band_output_target_and_marks(screen):
    def shown(output_w, **order):
        house = draw(make_house(1), output_w)
        house = with_order(house, **order) if order else replace(house, order=None)
        screen.show_snapshot(with_houses((house,)))
        return band_picture(screen)

    theme = load_theme(LIGHT)
    nothing, half, full = shown(0), shown(1250), shown(2500)
    filled = [(pixels == theme.bar.red()).sum() for pixels in (nothing, half, full)]
    assert filled[0] == 0
    assert 0.45 < filled[1] / filled[2] < 0.55
    assert (shown(-400) == theme.excess.red()).sum() > 50  # taken: left of zero, and in the strongest grey
    assert (shown(3000) == theme.excess.red()).sum() > 50
    # The target is a triangle whose place tells its power; these two stand over the marks.
    nothing = shown(0)
    for target_w in (2250, 250):
        over = np.argwhere((np.abs(shown(0, target_w=target_w) - nothing) > 60)[:8])
        assert len(over) > 20
        middle = round(over[:, 1].mean())
        assert nothing[-5:-2, middle - 1 : middle + 2].min() < 60
        assert nothing[-5:-2, middle + 8 : middle + 12].min() > 120


def test_output_that_is_not_known_is_drawn_otherwise_than_zero(screen):
    pictures = []
    house = draw(make_house(1), 0)
    changes: tuple[dict[str, Any], ...] = (
        {},
        {"quality": Quality.STALE},
        {"quality": Quality.BAD},
        {"link": LinkState.LOST},
    )
    for change in (*changes, *changes):  # the first time columns take their widths
        screen.show_snapshot(with_houses((replace(house, **change),)))
        pictures.append(band_picture(screen))
    del pictures[: len(changes)]
    for index, one in enumerate(pictures):
        for other in pictures[index + 1 :]:
            assert (np.abs(one - other) > 25).sum() > 50
    # Whatever was heard last is not shown of one that is lost.
    screen.show_snapshot(with_houses((replace(draw(house, 2000), link=LinkState.LOST),)))
    assert (band_picture(screen) == pictures[-1]).all()


def test_trouble_comes_first_then_who_is_farthest_from_its_target_and_the_unheard_last(screen):
    screen.show_snapshot(make_unsteady())
    assert screen.sellers.keys == ("D", "B", "F", "N", "J", "H", "P", "L")
    assert screen.takers.keys[:2] == ("P", "I")  # what is taken without or beyond allotment
    assert screen.count.text() == (
        "Houses that take: 9, that sell: 8; 1 not following, 1 refusing, 1 not answering, 1 not linked,"
        f" 1 held, 1 out of service; 5.84{NB}kW short of their targets while 4.44{NB}kW is imported"
    )
    met = with_houses((draw(make_house(0), -2000), with_order(make_house(1), target_w=1950)))
    screen.show_snapshot(met)  # 40 W short, which is met: that is told of nobody
    assert screen.count.text() == "Houses that take: 1, that sell: 1"


@pytest.mark.parametrize(
    ("order", "first"), [(Order.HOUSE, ("B", "D", "F")), (Order.SOURCE, ("B", "F", "J"))]
)
def test_orders_are_chosen_by_keyboard(screen, qtbot, order, first):
    screen.show_snapshot(make_unsteady())
    qtbot.keyClick(screen, Qt.Key.Key_O, Qt.KeyboardModifier.AltModifier)
    assert screen.order_box.hasFocus()
    while screen.order_box.currentData() is not order:
        before = screen.order_box.currentIndex()
        qtbot.keyClick(screen.order_box, Qt.Key.Key_Down)
        assert screen.order_box.currentIndex() > before, "the order is not offered"
    assert screen.sellers.keys[:3] == first


def test_rows_keep_their_places_for_a_while_and_the_selection_its_house(screen):
    def snapshot(first_w, second_w, after_s):
        houses = (draw(make_house(1), first_w), draw(make_house(5), second_w))
        return replace(with_houses(houses), now_s=NOW_S + after_s)

    screen.show_snapshot(snapshot(1000, 900, 0))
    first, second = screen.sellers.keys
    screen.sellers.select(second)
    swapped = (1900, 200) if second == "F" else (200, 1900)
    screen.show_snapshot(snapshot(*swapped, HELD_S - 1))
    assert screen.sellers.keys == (first, second)
    screen.show_snapshot(snapshot(*swapped, HELD_S))
    assert screen.sellers.keys == (second, first)
    assert screen.sellers.current_key() == second
    assert screen.chosen.text().startswith(f"{second} Family")


def test_the_selected_sellers_order_is_read_in_full(screen):
    screen.show_snapshot(make_unsteady())
    assert screen.chosen.text().startswith("Select a seller")
    screen.sellers.select("B")
    assert screen.chosen.text() == (
        f"B Family 2: Target 2.25{NB}kW, given 2 min 05 s ago, a raise. Not met: acknowledged, but the time"
        " to respond is over. Does not follow since 12:39 PKT: others are asked."
    )
    screen.sellers.select("L")
    assert screen.chosen.text() == "L Family 12: It is asked for nothing now (link lost 2 min 10 s)."


@pytest.mark.parametrize("table", ["takers", "sellers"])
def test_any_house_is_opened_by_enter_and_by_one_click(screen, qtbot, table):
    opened: list[str] = []
    screen.house_chosen.connect(opened.append)
    screen.show_snapshot(make_central(8))
    table = getattr(screen, table)
    table.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(table, Qt.Key.Key_Down)
    qtbot.keyClick(table, Qt.Key.Key_Return)
    place = table.visualRect(table.model().index(2, 0)).center()
    qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert opened == list(table.keys[1:3])


def test_without_an_operator_nothing_can_be_ordered(screen):
    screen.show_snapshot(make_unsteady())
    screen.sellers.select("B")
    assert not any(button.isVisible() for button in (*screen.buttons, screen.head.change_button))


# --- the whole ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("made", [make_central, make_unsteady, make_upset, make_troubled])
def test_the_screen_has_no_colour_at_all(screen, theme, made):
    screen.set_theme(load_theme(theme))
    screen.show_snapshot(made())
    screen.sellers.select("B")
    assert saturation(picture(screen)).max() < 0.05


def test_a_snapshot_moves_nothing(screen):
    def places():
        widths = [screen.sellers.columnWidth(n) for n in range(len(seller_headers()))]
        return widths, [figure.geometry() for figure in screen.head.figures]

    screen.show_snapshot(make_unsteady())
    before = places()
    for snapshot in (make_unsteady(5), make_central(16), make_central(16, 9), make_unsteady(1)):
        screen.show_snapshot(snapshot)
        assert places() == before


@pytest.mark.parametrize("size", [(1264, 640), (1904, 920)])
def test_all_columns_are_in_the_window_without_scrolling_sideways(screen, qtbot, size):
    screen.resize(*size)
    screen.show_snapshot(make_unsteady())
    qtbot.wait(10)
    assert screen.sellers.horizontalScrollBar().maximum() == 0
    assert screen.takers.horizontalScrollBar().maximum() == 0


def test_the_models_keep_qts_rules_while_houses_come_and_go(screen):
    fatal = QAbstractItemModelTester.FailureReportingMode.Warning  # warnings of Qt are errors of the tests
    testers = [QAbstractItemModelTester(table.model(), fatal) for table in (screen.takers, screen.sellers)]
    for snapshot in (
        make_central(4),
        make_unsteady(),
        make_central(40),
        make_central(2),
        by_night(make_central(8)),
    ):
        screen.show_snapshot(snapshot)
        screen.grab()
    assert len(testers) == 2


def test_a_snapshot_of_254_houses_is_shown_without_a_pause(screen):
    screen.show_snapshot(make_central(254))
    screen.grab()
    spent = []
    for snapshot in [make_central(254, step) for step in range(1, 6)]:
        begun = perf_counter()
        screen.show_snapshot(snapshot)
        spent.append(perf_counter() - begun)
    assert min(spent) < 0.05
