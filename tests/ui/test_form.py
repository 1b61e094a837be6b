"""Fields and dialogs of forms, used as people use them: with the keyboard."""

from concurrent.futures import Future
from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QDate, QLocale, Qt
from PySide6.QtWidgets import QApplication, QCalendarWidget, QLabel, QPushButton, QWidget

from node.qt.form import (
    Choice,
    ChoiceField,
    ConfirmDialog,
    Field,
    FormDialog,
    ListField,
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
def show(qtbot):
    def shown(widget):
        qtbot.addWidget(widget)
        widget.show()
        widget.activateWindow()
        qtbot.waitUntil(widget.isActiveWindow)
        return widget

    return shown


@pytest.fixture
def desk(show):
    made = show(Desk())
    made.price.set_value(8)
    made.most.set_value(2.5)
    made.note.set_value("as agreed")
    return made


def minute(text):
    return int(datetime.fromisoformat(text).timestamp()) // 60


# --- numbers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "value"),
    [("17.6", 17.6), ("-3", -3.0), ("\N{MINUS SIGN}3", -3.0), (" 8 ", 8.0), ("2.50", 2.5), ("2.500", 2.5),
     ("", None), ("1,234.5", None), ("17,6", None), ("1e3", None), ("inf", None), ("nan", None),
     ("2.345", None), ("8 coins", None), ("--8", None)],
)  # fmt: skip
def test_a_number_is_read_as_the_locale_writes_it_or_not_at_all(qtbot, show, typed, value):
    field = show(NumberField("&Price", "coins/kWh", 2))
    field.setFocus()
    field._edit.insert(typed)  # QTest's keys have no minus sign
    assert field.value() == value
    assert bool(field.check()) is (value is None)


def test_a_number_of_another_country(qtbot, show):
    QLocale.setDefault(QLocale(QLocale.Language.German, QLocale.Country.Germany))
    field = show(NumberField("&Price", "coins/kWh", 2))
    field.set_value(1234.5)
    assert field.text() == "1234,50"
    assert field.value() == 1234.5
    field.setFocus()
    for typed, value in (("17,6", 17.6), ("17.6", None), ("17.600", None)):
        type_over(qtbot, typed)
        assert field.value() == value
    assert field.check() == "Enter a number, such as 2,50."


def test_whole_watt_seconds_survive_as_kilowatt_hours(qtbot, show):
    field = show(NumberField("Import", "kWh", 7))
    for energy_ws in (0, 1, 3_599_999, 123_456_789_012_345):
        field.set_value(energy_ws / 3_600_000)
        assert round(field.value() * 3_600_000) == energy_ws
    field.set_value(-0.5)
    assert field.value() == -0.5


def test_too_many_decimals_are_a_fault_and_never_rounded(qtbot, show):
    for decimals, fault in ((2, "Use at most 2 decimals."), (0, "Enter a whole number.")):
        field = show(NumberField("&Power", "kW", decimals))
        field.setFocus()
        type_over(qtbot, "1.234")
        assert field.check() == fault


# --- moments -------------------------------------------------------------------------------------------


def test_a_moment_is_typed_in_the_micro_grids_zone(qtbot, show):
    field = show(MomentField("&Valid from", KARACHI))
    field.set_value(minute("2024-11-03T14:05+05:00"))
    assert field.value() == minute("2024-11-03T14:05+05:00")
    field.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.keyClicks(focus(), "25122024")
    for _ in range(2):  # the calendar's button, the time
        qtbot.keyClick(focus(), Qt.Key.Key_Tab)
    qtbot.keyClicks(focus(), "0930")
    assert field.value() == minute("2024-12-25T09:30+05:00")
    assert any("PKT" in label.text() for label in field.findChildren(QLabel))


def test_a_day_is_taken_from_the_calendar_by_keyboard(qtbot, show):
    field = show(MomentField("&Valid from", KARACHI))
    field.set_value(minute("2024-11-03T14:05+05:00"))
    field.setFocus()
    for _ in range(3):  # month, year, the calendar's button
        qtbot.keyClick(focus(), Qt.Key.Key_Tab)
    qtbot.keyClick(focus(), Qt.Key.Key_Space)
    calendar = field.findChild(QCalendarWidget)
    assert calendar.selectedDate() == QDate(2024, 11, 3)
    qtbot.keyClick(focus(), Qt.Key.Key_Right)
    qtbot.keyClick(focus(), Qt.Key.Key_Return)
    assert field.value() == minute("2024-11-04T14:05+05:00")
    assert not calendar.isVisible()


def test_a_time_the_clock_leaps_over_is_refused_in_words(show):
    field = show(MomentField("&Valid from", BERLIN))
    field.set_value(minute("2025-03-30T01:30+01:00"))
    assert field.check() == ""
    field._time.setTime(field._time.time().addSecs(3600))
    assert field.value() is None
    assert field.check() == (
        "On 30 Mar 2025 the clock is put forward over 02:30; choose a time before or after the leap."
    )
    field._time.setTime(field._time.time().addSecs(3600))
    assert field.value() == minute("2025-03-30T03:30+02:00")
    assert field.check() == ""


@pytest.mark.parametrize("offset", ["+02:00", "+01:00"])
def test_of_a_time_shown_twice_the_person_says_which(qtbot, show, offset):
    field = show(MomentField("&Valid from", BERLIN))
    other = {"+02:00": "+01:00", "+01:00": "+02:00"}[offset]
    field.set_value(minute(f"2024-10-27T02:30{offset}"))
    assert field.value() == minute(f"2024-10-27T02:30{offset}")
    assert field._which.isVisible()
    field._which.setFocus()
    qtbot.keyClick(focus(), Qt.Key.Key_Down if offset == "+02:00" else Qt.Key.Key_Up)
    assert field.value() == minute(f"2024-10-27T02:30{other}")
    field.set_value(minute("2024-10-27T03:30+01:00"))
    assert not field._which.isVisible()


def test_every_minute_of_a_day_of_25_hours_comes_back(show):
    field = show(MomentField("&Valid from", BERLIN))
    first = minute("2024-10-27T00:00+02:00")
    for each in range(first, first + 25 * 60, 7):
        field.set_value(each)
        assert field.value() == each
        assert field.check() == ""


def test_the_year_is_written_in_full_everywhere(show):
    for country in (QLocale.Country.UnitedStates, QLocale.Country.Germany, QLocale.Country.Pakistan):
        QLocale.setDefault(QLocale(QLocale.Language.English, country))
        field = show(MomentField("&Valid from", KARACHI))
        field.set_value(int(datetime(2024, 11, 3, tzinfo=UTC).timestamp()) // 60)
        assert "2024" in field._day.text()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_calendar_and_open_lists_have_no_colour(qtbot, show, theme):
    dialog = FormDialog("Tariff")
    moment = dialog.add_field(MomentField("&Valid from", KARACHI))
    ports = dialog.add_field(ListField("&Port", [Choice(name, name) for name in "ab"]))
    moment.set_value(minute("2024-11-30T14:05+05:00"))  # a Saturday
    dialog.set_theme(load_theme(theme))
    show(dialog)
    moment._open_calendar()
    for calendar in dialog.findChildren(QCalendarWidget):
        assert saturation(picture(calendar)).max() == 0
        calendar.close()
    ports._box.showPopup()
    assert saturation(picture(ports._box.view().window())).max() == 0


# --- choices and texts -----------------------------------------------------------------------------------

CAPS = [Choice("month", "&Month", "The month's mean."), Choice("off", "&Off", "No cap.")]


def test_a_choice_is_made_with_the_arrows_and_says_what_it_does(qtbot, show):
    field = show(ChoiceField("&Cap", CAPS))
    assert field.value() == "month"
    with qtbot.waitSignal(field.changed):
        field.setFocus()
        qtbot.keyClick(focus(), Qt.Key.Key_Down)
    assert field.value() == "off"
    shown = [label.text() for label in field.findChildren(QLabel) if label.isVisible()]
    assert shown == ["&Cap", "The month's mean.", "No cap."]
    field.set_value("month")
    assert field.value() == "month"
    with pytest.raises(ValueError, match="in list"):
        field.set_value("minute")


def test_a_labels_mnemonic_leads_to_the_choice_that_is_made(qtbot, show):
    whole = QWidget()
    field, other = ChoiceField("&Cap", CAPS), NumberField("&Price", "coins/kWh", 2)
    field.setParent(whole)
    other.setParent(whole)
    show(whole)
    field.set_value("off")
    other.setFocus()
    qtbot.keyClick(focus(), Qt.Key.Key_C, Qt.KeyboardModifier.AltModifier)
    assert field.value() == "off"
    assert focus() is field.focusProxy()


def test_a_list_that_is_renewed_keeps_what_was_chosen(qtbot, show):
    field = show(ListField("&Port"))
    assert field.value() is None
    assert field.check()
    field.set_choices([Choice("a", "ttyUSB0"), Choice("b", "ttyUSB1", "FT232")])
    assert field.value() == "a"
    field.setFocus()
    qtbot.keyClick(focus(), Qt.Key.Key_Down)
    assert field.value() == "b"
    field.set_choices([Choice("c", "ttyACM0"), Choice("b", "ttyUSB1")])
    assert field.value() == "b"
    assert field.check() == ""
    field.set_choices([Choice("c", "ttyACM0")])
    assert field.value() == "c"


def test_a_text_does_not_count_its_spaces(qtbot, show):
    field = show(TextField("&Note", required=True, longest=10))
    field.setFocus()
    qtbot.keyClicks(focus(), "   ")
    assert field.check() == "Enter something here; it must not be empty."
    qtbot.keyClicks(focus(), "a b cdefgh")
    assert field.value() == "a b cde"
    assert field.check() == ""


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
