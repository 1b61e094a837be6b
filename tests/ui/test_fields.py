"""Fields of forms, used as people use them: with the keyboard."""

from datetime import UTC, datetime

import pytest
from PySide6.QtCore import QDate, QLocale, Qt
from PySide6.QtWidgets import QCalendarWidget, QLabel, QWidget

from node.qt.form import (
    Choice,
    ChoiceField,
    FormDialog,
    ListField,
    MomentField,
    NumberField,
    TextField,
)
from node.qt.theme import DARK, LIGHT, load_theme
from tests.ui.images import picture, saturation
from tests.ui.keyboard import focus, type_over
from tests.ui.reading import minute

KARACHI, BERLIN = "Asia/Karachi", "Europe/Berlin"


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
