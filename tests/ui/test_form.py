"""Faults at fields and dialogs of forms, used as people use them: with the keyboard."""

from concurrent.futures import Future

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget

from node.qt.form import (
    ConfirmDialog,
    Field,
    FormDialog,
    MomentField,
    NumberField,
    TextField,
)
from node.qt.theme import DARK, LIGHT, load_theme
from tests.ui.images import picture, saturation
from tests.ui.keyboard import focus, press, type_over

KARACHI, BERLIN = "Asia/Karachi", "Europe/Berlin"


class Desk(FormDialog):
    """A dialog with a price and a note, whose order is answered by the test."""

    def __init__(self, **words):
        super().__init__("Contract for December 2024", "&Agree", **words)
        self.price = self.add_field(NumberField("&Price", "coins/kWh", 2, "0 to 500"))
        self.most = self.add_field(NumberField("&Maximum", "kW", 2, "above 0"))
        self.note = self.add_field(TextField("&Note", required=True))
        self.orders: list[tuple[float | None, str]] = []
        self.answer: Future[None] = Future()
        self.blamed: Field | None = None

    def find_faults(self):
        price = self.price.value()
        return {self.price: "The price must be at most 500."} if price is not None and price > 500 else {}

    def order(self):
        self.orders.append((self.price.value(), self.note.value()))
        return self.answer

    def field_to_blame(self, error):
        return self.blamed


@pytest.fixture
def desk(show):
    made = show(Desk())
    made.price.set_value(8)
    made.most.set_value(2.5)
    made.note.set_value("as agreed")
    return made


# --- faults ---------------------------------------------------------------------------------------------


def test_a_fault_stands_at_its_field_until_something_else_is_typed(qtbot, show):
    field = show(NumberField("&Price", "coins/kWh", 2, "0 to 500"))
    assert field.limit_text == "0 to 500"
    field.set_fault("Above the tariff.")
    field.setFocus()
    marks = [label for label in field.findChildren(QLabel) if label.text() == "!"]
    assert marks[0].isVisible()
    assert focus().accessibleDescription() == "0 to 500 Above the tariff."
    qtbot.keyClicks(focus(), "8")
    assert field.fault == ""
    assert not marks[0].isVisible()
    assert focus().accessibleDescription() == "0 to 500"


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_fault_is_seen_without_colour(desk, theme):
    desk.set_theme(load_theme(theme))
    before = picture(desk.price)
    desk.price.set_fault("Above the tariff.")
    assert (picture(desk).shape, saturation(picture(desk)).max()) == (picture(desk).shape, 0)
    assert picture(desk.price).shape != before.shape or (picture(desk.price) != before).any()


# --- dialogs ----------------------------------------------------------------------------------------------


def test_enter_in_any_field_sends_once_and_closes_when_it_is_done(qtbot, desk):
    desk.price.setFocus()
    qtbot.keyClick(focus(), Qt.Key.Key_Return)
    qtbot.keyClick(focus(), Qt.Key.Key_Return)
    assert desk.orders == [(8.0, "as agreed")]
    assert desk.isVisible()
    with qtbot.waitSignal(desk.accepted):
        desk.answer.set_result(None)
    assert not desk.isVisible()


def test_a_faulty_dialog_stays_and_leads_to_its_first_fault(qtbot, desk):
    desk.note.set_value("")
    desk.most.setFocus()
    type_over(qtbot, "many")
    qtbot.keyClick(focus(), Qt.Key.Key_Return)
    assert desk.orders == []
    assert desk.isVisible()
    assert focus() is desk.most.focusProxy()
    assert (desk.price.fault, desk.most.fault, desk.note.fault) == (
        "", "Enter a number, such as 2.50.", "Enter something here; it must not be empty.",
    )  # fmt: skip
    type_over(qtbot, "2")
    qtbot.keyClick(focus(), Qt.Key.Key_Return)
    assert focus() is desk.note.focusProxy()
    desk.price.setFocus()
    type_over(qtbot, "501")
    desk.note.set_value("dear")
    qtbot.keyClick(focus(), Qt.Key.Key_Return)
    assert desk.price.fault == "The price must be at most 500."
    type_over(qtbot, "499")
    qtbot.keyClick(focus(), Qt.Key.Key_Return)
    assert desk.orders == [(499.0, "dear")]


def test_a_refusal_is_said_and_nothing_typed_is_lost(qtbot, desk):
    desk.price.setFocus()
    type_over(qtbot, "9.5")
    qtbot.keyClick(focus(), Qt.Key.Key_Return)
    desk.answer.set_exception(RuntimeError("The contracts are closed."))
    qtbot.waitUntil(lambda: desk.fault == "The contracts are closed.")
    assert desk.isVisible()
    assert (desk.price.text(), desk.note.value()) == ("9.5", "as agreed")
    desk.answer = Future()
    desk.answer.set_exception(RuntimeError("Above the tariff."))
    desk.blamed = desk.price
    desk.note.setFocus()
    qtbot.keyClick(focus(), Qt.Key.Key_Return)
    assert desk.fault == ""
    qtbot.waitUntil(lambda: desk.price.fault == "Above the tariff.")
    assert focus() is desk.price.focusProxy()
    assert len(desk.orders) == 2


def test_escape_orders_nothing(qtbot, desk):
    desk.price.setFocus()
    type_over(qtbot, "100")
    with qtbot.waitSignal(desk.rejected):
        qtbot.keyClick(focus(), Qt.Key.Key_Escape)
    assert desk.orders == []


def test_a_refusal_after_escape_is_not_lost(qtbot, desk):
    desk.price.setFocus()
    press(qtbot, Qt.Key.Key_Return, Qt.Key.Key_Escape)
    assert not desk.isVisible()
    desk.answer.set_exception(RuntimeError("The contracts are closed."))
    qtbot.waitUntil(desk.isVisible)
    assert desk.fault == "The contracts are closed."
    assert desk.note.value() == "as agreed"


def test_an_order_carried_out_after_escape_is_told(qtbot, desk):
    desk.price.setFocus()
    press(qtbot, Qt.Key.Key_Return, Qt.Key.Key_Escape)
    with qtbot.waitSignal(desk.accepted):
        desk.answer.set_result(None)
    assert not desk.waiting
    assert not desk.isVisible()


def test_enter_on_the_cancel_button_cancels(qtbot, desk):
    desk.cancel_button.setFocus()
    with qtbot.waitSignal(desk.rejected):
        qtbot.keyClick(focus(), Qt.Key.Key_Return)
    assert desk.orders == []


def test_fields_out_of_view_are_not_checked(qtbot, desk):
    desk.note.set_value("")
    desk.most.set_value(None)
    desk.note.hide()
    desk.most.setEnabled(False)
    desk.send()
    assert desk.orders == [(8.0, "")]


def test_tab_goes_through_every_field_to_the_buttons(qtbot, desk):
    desk.price.setFocus()
    seen = []
    for _ in range(5):
        seen.append(focus())
        qtbot.keyClick(focus(), Qt.Key.Key_Tab)
    parts = (desk.price, desk.most, desk.note)
    assert seen == [*(part.focusProxy() for part in parts), desk.accept_button, desk.cancel_button]
    assert focus() is desk.price.focusProxy()


def test_mnemonics_lead_to_the_fields(qtbot, desk):
    for key, field in ((Qt.Key.Key_N, desk.note), (Qt.Key.Key_M, desk.most), (Qt.Key.Key_P, desk.price)):
        qtbot.keyClick(focus() or desk, key, Qt.KeyboardModifier.AltModifier)
        assert focus() is field.focusProxy()


def test_a_dialog_grows_so_that_no_fault_is_hidden(qtbot, desk):
    before = desk.height()
    desk.most.set_value(None)
    desk.send()
    desk.set_fault("A long refusal. " * 20)
    qtbot.waitUntil(lambda: desk.height() > before)
    qtbot.waitUntil(lambda: not desk._scroll.verticalScrollBar().isVisible())
    grown = desk.height()
    desk.set_fault("")
    desk.most.set_value(1)
    QApplication.processEvents()
    assert desk.height() == grown


def test_a_kiosks_dialog_is_for_fingers_and_fits_its_window(qtbot, show):
    window = QWidget()
    window.resize(800, 480)
    show(window)
    dialog = Desk(kiosk=True, parent=window)
    dialog.set_theme(load_theme(LIGHT))
    dialog.add_field(MomentField("&From", KARACHI))
    show(dialog)
    assert dialog.width() <= 800
    assert dialog.height() <= 480
    for target in (*dialog.findChildren(QPushButton), *(field.focusProxy() for field in dialog.fields)):
        assert target.height() >= 48
    dialog.note.setFocus()
    qtbot.keyClick(focus(), Qt.Key.Key_Return)
    assert focus() is dialog.price.focusProxy()
    place = dialog.price.mapTo(dialog._scroll, dialog.price.rect().topLeft())
    assert dialog._scroll.rect().contains(place)


def test_a_confirmation_says_what_will_be_done(qtbot, show):
    answers: list[Future[None]] = []

    def order() -> "Future[None]":
        answers.append(Future())
        return answers[-1]

    dialog = show(ConfirmDialog("Ask now", "All houses are asked.", "&Ask", order))
    assert "All houses are asked." in [label.text() for label in dialog.findChildren(QLabel)]
    qtbot.keyClick(focus(), Qt.Key.Key_Return)
    with qtbot.waitSignal(dialog.accepted):
        answers[0].set_result(None)
    assert len(answers) == 1
