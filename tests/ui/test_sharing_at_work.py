"""The Load Sharing window on the real program: orders by hand reach sellers, or are refused in words."""

import sqlite3
from contextlib import closing

import pytest
from PySide6.QtCore import Qt

from central_monitor.services.orders import ANSWER_S
from central_monitor.ui.main_window import DETAIL, SHARING
from microgrid.directives import StrategyName
from microgrid.minute import Hold
from microgrid.wire.messages import Target
from tests.ui.at_desk import NAME
from tests.ui.central_at_work import NOW, central_at_work, make_database, until
from tests.ui.keyboard import alt, closed, dialog_of, focus, press, type_over
from tests.unit.central.parts import sample

Key, CTRL = Qt.Key, Qt.KeyboardModifier.ControlModifier
STEP_S = 10  # from control step to control step


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    return make_database(tmp_path_factory.mktemp("sharing"))


@pytest.fixture
def central(qtbot, database, tmp_path):
    with central_at_work(database, tmp_path) as made:
        until(qtbot, lambda: made.window.snapshot_shown is not None)
        qtbot.waitUntil(made.window.isActiveWindow)
        for house, power_w in {"A": -1200, "B": 900}.items():
            made.connect(house, sample(power_w)).acknowledged_s = NOW * 60 + 6
        qtbot.keyClick(made.window, Key.Key_3, CTRL)
        assert made.window.screen_shown == SHARING
        until(qtbot, lambda: screen_of(made).sellers.keys == ("B",))
        yield made


def screen_of(central):
    return central.window.screen_of(SHARING)


def told(central):
    """The targets house B was told, in watts."""
    return [target.target_w for target in central.houses["B"].of(Target)]


def row(central):
    return " | ".join(screen_of(central).sellers.texts(0))


def ordering(qtbot, central, letter):
    """Select the only seller and open a dialog by its letter."""
    screen_of(central).setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(focus(), Key.Key_Home, CTRL)
    assert screen_of(central).sellers.current_key() == "B"
    alt(qtbot, central.window, letter)
    return dialog_of(qtbot, screen_of(central))


def send(qtbot, dialog, note):
    """Fill in what every order asks for, and send it."""
    dialog.note.setFocus()
    type_over(qtbot, note)
    dialog.author.setFocus()
    type_over(qtbot, NAME)
    press(qtbot, Key.Key_Return)


def test_a_hold_reaches_the_seller_and_its_release_too(qtbot, central):
    dialog = ordering(qtbot, central, "h")
    type_over(qtbot, "0.5")
    send(qtbot, dialog, "the roof is in the shade")
    closed(qtbot, dialog)
    central.clock.leap(STEP_S)
    until(qtbot, lambda: 500 in told(central))
    assert central.houses["B"].of(Target)[-1].hold is Hold.OPERATOR
    until(qtbot, lambda: "0.50" in row(central) and "set by hand" in row(central))
    assert f"by {NAME}: the roof is in the shade" in screen_of(central).chosen.text()
    dialog = ordering(qtbot, central, "r")
    send(qtbot, dialog, "the sun is back")
    closed(qtbot, dialog)
    central.clock.leap(3 * STEP_S)
    until(qtbot, lambda: central.houses["B"].of(Target)[-1].hold is not Hold.OPERATOR)
    until(qtbot, lambda: "set by hand" not in row(central))
    assert not screen_of(central).release_button.isEnabled()


def test_a_seller_out_of_service_is_asked_for_nothing_and_its_house_tells_why(qtbot, central):
    dialog = ordering(qtbot, central, "v")
    send(qtbot, dialog, "the inverter is replaced")
    closed(qtbot, dialog)
    central.clock.leap(60 + STEP_S)  # it begins with the next minute
    until(qtbot, lambda: told(central)[-1:] == [0])
    until(qtbot, lambda: "out until 6 Jul 2026" in row(central))
    press(qtbot, Key.Key_Return)  # opens the house
    assert central.window.screen_shown == DETAIL
    assert "the inverter is replaced" in central.window.detail.trade.order.text()


def test_the_way_load_is_shared_is_changed_and_kept(qtbot, central):
    alt(qtbot, central.window, "c")
    dialog = dialog_of(qtbot, screen_of(central))
    press(qtbot, Key.Key_Down, Key.Key_Down)
    send(qtbot, dialog, "a test of all inverters")
    closed(qtbot, dialog)
    until(qtbot, lambda: screen_of(central).head.strategy.text() == "Load sharing off: everybody alike")
    assert screen_of(central).head.author.text() == f"Chosen by {NAME}: a test of all inverters"
    with closing(sqlite3.connect(central.path)) as records:
        kept = records.execute("SELECT strategy, author, note FROM directive").fetchall()
    assert kept == [(StrategyName.OFF.value, NAME, "a test of all inverters")]


def test_what_the_program_refuses_is_said_and_what_was_typed_stays(qtbot, central):
    hold = ordering(qtbot, central, "h")
    type_over(qtbot, "0.5")
    send(qtbot, hold, "shade")
    closed(qtbot, hold)
    until(qtbot, lambda: screen_of(central).release_button.isEnabled())
    dialog = ordering(qtbot, central, "r")
    central.operator.release("B", "Another desk", "was quicker").result(timeout=20)
    send(qtbot, dialog, "the sun is back")
    until(qtbot, lambda: dialog.fault)
    assert dialog.fault == "House B is not held."
    assert dialog.note.value() == "the sun is back"
    press(qtbot, Key.Key_Escape)
    closed(qtbot, dialog)


def test_a_seller_that_is_deaf_is_said_to_be_so_on_every_screen(qtbot, central):
    central.houses["B"].mute = (Target,)
    dialog = ordering(qtbot, central, "h")
    type_over(qtbot, "2")
    send(qtbot, dialog, "a test")
    closed(qtbot, dialog)
    central.clock.leap(3 * STEP_S)
    until(qtbot, lambda: "2.00" in row(central))
    central.clock.leap(ANSWER_S + STEP_S)
    until(qtbot, lambda: "unanswered since" in row(central))
    conditions = [condition.text for condition in central.window.banner.conditions]
    assert any(text.startswith("House B: target unanswered since") for text in conditions), conditions
    assert "others are asked" in screen_of(central).chosen.text()
