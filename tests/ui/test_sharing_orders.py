"""What is ordered in the Load Sharing window: with the keyboard alone, and everything that is refused."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from shiboken6 import isValid

from central_monitor.ui.sharing import SharingScreen
from microgrid.directives import StrategyName
from node.qt.theme import DARK, load_theme
from tests.ui.at_desk import PAGE_SIZE
from tests.ui.fake_operator import NOW
from tests.ui.images import picture, saturation
from tests.ui.keyboard import (
    alt,
    closed,
    dialog_of,
    focus,
    mnemonics,
    press,
    show_active,
    type_moment,
    type_over,
)
from tests.ui.reading import minute, said
from tests.ui.sample_snapshots import make_central, make_unsteady, with_sharing

Key = Qt.Key
NO_NAME = "Enter your name: every change is kept with the name of who made it."


@pytest.fixture
def screen(qtbot, operator, desk):
    made = show_active(qtbot, SharingScreen(operator, desk), PAGE_SIZE)
    made.show_snapshot(make_unsteady())
    return made


def choose(qtbot, screen, house):
    """Walk to the seller's row."""
    screen.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClick(focus(), Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    for _ in screen.sellers.keys:
        if screen.sellers.current_key() == house:
            return
        press(qtbot, Key.Key_Down)
    pytest.fail(f"{house} is not reached")


def ordering(qtbot, screen, house, letter):
    """The dialog that a button's letter opens for a seller."""
    choose(qtbot, screen, house)
    alt(qtbot, screen, letter)
    return dialog_of(qtbot, screen)


# --- carried out ----------------------------------------------------------------------------------------


def test_the_strategy_is_changed_by_keyboard_alone(qtbot, screen, operator):
    alt(qtbot, screen, "c")
    dialog = dialog_of(qtbot, screen)
    assert dialog.strategy.value() is StrategyName.DAY_TIME
    assert "to generators by night" in dialog.consequence.text()
    press(qtbot, Key.Key_Down)
    assert dialog.strategy.value() is StrategyName.MERIT_ORDER
    assert "the cheapest sellers carry the load" in dialog.consequence.text()
    press(qtbot, Key.Key_Down)
    assert dialog.strategy.value() is StrategyName.OFF
    assert "the rate rises" in dialog.consequence.text()
    alt(qtbot, dialog, "t")
    qtbot.keyClicks(focus(), "inverters are being tested")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    assert operator.orders == [("set_strategy", (StrategyName.OFF, "M. Desk", "inverters are being tested"))]


def test_a_seller_is_held_by_keyboard_alone(qtbot, screen, operator):
    dialog = ordering(qtbot, screen, "B", "h")
    assert dialog.windowTitle() == "Hold house B at a power"
    assert dialog.power.limit_text == "0.250 to 2.500, as its contract says"
    assert dialog.power.text() == "2.250"  # its target
    type_over(qtbot, "1.25")
    assert "House B is asked for 1.250 kW" in dialog.consequence.text()
    alt(qtbot, dialog, "t")
    qtbot.keyClicks(focus(), "half the roof in the shade")
    alt(qtbot, dialog, "k")
    type_over(qtbot, "N. Other")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    assert operator.orders == [("hold", ("B", 1250, "N. Other", "half the roof in the shade"))]


def test_a_held_seller_is_released(qtbot, screen, operator):
    dialog = ordering(qtbot, screen, "J", "r")
    qtbot.keyClicks(focus(), "the sun is back")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    assert operator.orders == [("release", ("J", "M. Desk", "the sun is back"))]


def test_a_seller_is_taken_out_of_service_until_a_moment(qtbot, screen, operator):
    dialog = ordering(qtbot, screen, "D", "v")
    assert dialog.until.value() == NOW // 60 + 1440  # a day from now
    type_moment(qtbot, dialog.until, "24122024", "0930")
    assert "until 24 Dec 2024, 09:30 PKT house D owes nothing and is asked for nothing" in said(dialog)
    alt(qtbot, dialog, "r")
    qtbot.keyClicks(focus(), "a new pump is fitted")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    until = minute("2024-12-24T09:30+05:00")
    assert operator.orders == [("take_out_of_service", ("D", until, "M. Desk", "a new pump is fitted"))]


def test_a_seller_is_returned_to_service(qtbot, screen, operator):
    dialog = ordering(qtbot, screen, "H", "b")
    qtbot.keyClicks(focus(), "repaired")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    assert operator.orders == [("return_to_service", ("H", "M. Desk", "repaired"))]


@pytest.mark.parametrize(
    ("house", "possible"),
    [
        ("B", {"hold", "out"}),  # in service
        ("J", {"hold", "release", "out"}),  # held
        ("H", {"back"}),  # out of service
        (None, set()),
    ],
)
def test_only_what_can_be_ordered_of_a_seller_is_offered(qtbot, screen, house, possible):
    if house is not None:
        choose(qtbot, screen, house)
        assert screen.ordered.text() == f"House {house}:"
    names = ("hold", "release", "out", "back")
    offered = {name for name, button in zip(names, screen.buttons, strict=True) if button.isEnabled()}
    assert offered == possible


def test_a_held_seller_is_held_otherwise_and_its_hold_stands_in_the_field(qtbot, screen):
    assert ordering(qtbot, screen, "J", "h").power.text() == "1.000"


# --- refused --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", "Enter a number, such as 2.50."),
        ("much", "Enter a number, such as 2.50."),
        ("0.249", "Enter 0.250 to 2.500 kW; to ask for less, take the house out of service."),
        ("2.501", "Enter 0.250 to 2.500 kW; to ask for less, take the house out of service."),
        ("1.0001", "Use at most 3 decimals."),
    ],
)
def test_a_power_that_cannot_be_is_explained_at_its_field(qtbot, screen, operator, typed, fault):
    dialog = ordering(qtbot, screen, "B", "h")
    alt(qtbot, dialog, "t")
    qtbot.keyClicks(focus(), "note")
    alt(qtbot, dialog, "p")
    type_over(qtbot, typed)
    press(qtbot, Key.Key_Return)
    assert dialog.power.fault == fault
    assert dialog.power.isAncestorOf(focus())
    assert (dialog.power.text(), dialog.note.value()) == (typed, "note")
    assert operator.orders == []


@pytest.mark.parametrize(
    ("house", "letter", "fault"),
    [
        ("B", "h", "Say why: the note stands with the hold."),
        ("J", "r", "Say why: the note stands with the release."),
        ("B", "v", "Say why: the reason stands with the order."),
        ("H", "b", "Say why: the note stands with the order."),
    ],
)
def test_an_order_without_a_note_is_refused_at_the_note(qtbot, screen, operator, house, letter, fault):
    dialog = ordering(qtbot, screen, house, letter)
    press(qtbot, Key.Key_Return)
    assert dialog.note.fault == fault
    assert dialog.note.isAncestorOf(focus())
    assert operator.orders == []


def test_an_order_without_a_name_is_refused_at_the_name(qtbot, screen, operator):
    dialog = ordering(qtbot, screen, "J", "r")
    qtbot.keyClicks(focus(), "note")
    alt(qtbot, dialog, "k")
    type_over(qtbot, "")
    press(qtbot, Key.Key_Return)
    assert dialog.author.fault == NO_NAME
    assert operator.orders == []


def test_the_strategy_in_force_is_not_chosen_again(qtbot, screen, operator):
    alt(qtbot, screen, "c")
    dialog = dialog_of(qtbot, screen)
    alt(qtbot, dialog, "t")
    qtbot.keyClicks(focus(), "note")
    press(qtbot, Key.Key_Return)
    assert dialog.strategy.fault == "Load is shared this way already; choose another way, or cancel."
    assert operator.orders == []
    alt(qtbot, dialog, "s")
    press(qtbot, Key.Key_Down)
    assert dialog.strategy.fault == ""


def test_an_end_that_is_past_is_explained_at_its_field(qtbot, screen, operator):
    dialog = ordering(qtbot, screen, "B", "v")
    type_moment(qtbot, dialog.until, "01122024", "1306")  # it is 13:05, and out of service begins at 13:06
    alt(qtbot, dialog, "r")
    qtbot.keyClicks(focus(), "note")
    press(qtbot, Key.Key_Return)
    assert dialog.until.fault == "It is 1 Dec 2024, 13:05 PKT now; enter a later moment."
    assert operator.orders == []


@pytest.mark.parametrize(("house", "letter"), [("B", "h"), ("J", "r"), ("B", "v"), ("H", "b")])
def test_a_refusal_of_the_program_is_said_in_the_dialog_and_nothing_typed_is_lost(
    qtbot, screen, operator, house, letter
):
    operator.refusal = "House B has no producer's contract now; only sellers can be steered."
    dialog = ordering(qtbot, screen, house, letter)
    dialog.note.setFocus()
    qtbot.keyClicks(focus(), "a note")
    press(qtbot, Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.fault != "")
    assert dialog.fault == operator.refusal
    assert dialog.isVisible()
    assert dialog.note.value() == "a note"
    operator.refusal = None
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    assert len(operator.orders) == 2


# --- beside the orders ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("house", "letter"), [("B", "h"), ("J", "r"), ("B", "v"), ("H", "b"), (None, "c")])
def test_escape_orders_nothing_and_leads_back(qtbot, screen, operator, house, letter):
    if house is not None:
        choose(qtbot, screen, house)
    alt(qtbot, screen, letter)
    dialog = dialog_of(qtbot, screen)
    dialog.set_theme(load_theme(DARK))
    assert saturation(picture(dialog)).max() < 0.05
    assert len(mnemonics(dialog)) == len(set(mnemonics(dialog)))
    press(qtbot, Key.Key_Escape)
    closed(qtbot, dialog)
    assert operator.orders == []
    if house is not None:
        assert screen.sellers.current_key() == house


def test_letters_of_the_screen_lead_to_one_place_each(screen):
    assert len(mnemonics(screen)) == len(set(mnemonics(screen)))


def test_a_dialog_and_the_selection_stay_while_snapshots_come(qtbot, screen, operator):
    dialog = ordering(qtbot, screen, "D", "h")
    type_over(qtbot, "0.5")
    for step in range(1, 30):
        snapshot = make_unsteady(step)
        screen.show_snapshot(replace(snapshot, now_s=snapshot.now_s + 20 * step))
    assert dialog.isVisible()
    assert dialog.power.text() == "0.5"
    assert screen.sellers.current_key() == "D"
    press(qtbot, Key.Key_Escape)
    closed(qtbot, dialog)


def test_a_seller_that_is_gone_can_be_ordered_nothing(qtbot, screen):
    choose(qtbot, screen, "J")
    screen.show_snapshot(make_central(4))
    assert screen.sellers.current_key() is None
    assert not any(button.isEnabled() for button in screen.buttons)


def test_as_long_as_it_is_not_known_how_load_is_shared_it_is_not_changed(qtbot, screen):
    screen.show_snapshot(replace(make_central(), sharing=None))
    assert not screen.head.change_button.isEnabled()
    screen.show_snapshot(with_sharing(make_central(), strategy=StrategyName.OFF))
    alt(qtbot, screen, "c")
    dialog = dialog_of(qtbot, screen)
    assert dialog.strategy.value() is StrategyName.OFF
    press(qtbot, Key.Key_Escape)
    qtbot.waitUntil(lambda: not isValid(dialog) or not dialog.isVisible())
