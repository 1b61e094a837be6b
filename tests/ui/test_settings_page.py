"""The central's settings: the name at the desk and the tariffs, used with the keyboard alone."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from PySide6.QtCore import Qt

from central_monitor.ui.desk import DeskName
from central_monitor.ui.settings import SettingsPage
from central_monitor.ui.tariff_rows import Standing, standings
from microgrid.agreements import TariffEntry
from microgrid.terms import FOREVER, Cap, PenaltyBasis, Tariff
from microgrid.units import microcoins
from node.qt.form import FormDialog
from node.qt.theme import DARK, LIGHT, load_theme
from tests.ui.at_desk import settings_page, shows
from tests.ui.fake_operator import NOW, minutes_of
from tests.ui.images import picture, saturation
from tests.ui.keyboard import alt, closed, dialog_of, focus, go_to, mnemonics, press, type_moment, type_over
from tests.ui.reading import minute, said, texts

Key = Qt.Key
MISSING_NAME = "Enter your name: every change is kept with the name of who made it."


@pytest.fixture
def page(qtbot, operator, desk):
    return settings_page(qtbot, operator, desk)


# --- the name ---------------------------------------------------------------------------------------------


def test_the_name_is_typed_once_and_remembered(qtbot, page, operator, settings):
    assert page.name.value() == "M. Desk"
    alt(qtbot, page, "o")
    type_over(qtbot, "S. Malik")
    again = SettingsPage(operator, DeskName(settings))
    qtbot.addWidget(again)
    assert again.name.value() == "S. Malik"
    alt(qtbot, page, "t")
    assert dialog_of(qtbot, page).author.value() == "S. Malik"


def test_without_a_name_every_change_is_refused_in_words(qtbot, page, operator, desk):
    desk.set_name("")
    assert page.name.value() == ""
    for letter in "thl":
        alt(qtbot, page, letter)
        dialog = dialog_of(qtbot, page)
        dialog.send()
        assert dialog.author.fault == MISSING_NAME
        press(qtbot, Key.Key_Escape)
        closed(qtbot, dialog)
    assert operator.orders == []


def test_a_name_given_in_a_dialog_stays_only_if_its_order_was_carried_out(qtbot, page, operator, desk):
    for refusal, name in (("no", "M. Desk"), (None, "S. Malik")):
        operator.refusal = refusal
        alt(qtbot, page, "l")
        dialog = dialog_of(qtbot, page)
        alt(qtbot, dialog, "k")
        type_over(qtbot, "S. Malik")
        alt(qtbot, dialog, "t")
        type_over(qtbot, "moved away")
        press(qtbot, Key.Key_Return)
        if refusal is not None:
            qtbot.waitUntil(lambda dialog=dialog: dialog.fault == "no")
            press(qtbot, Key.Key_Escape)
        closed(qtbot, dialog)
        assert (desk.name, page.name.value()) == (name, name)


# --- tariffs: what is shown -------------------------------------------------------------------------------


def test_every_entry_is_shown_with_what_is_in_force_now(page):
    assert texts(page.tariffs.table) == [
        ["to come", "1 Apr 2025, 00:00 PKT", "further notice", "18.9000", "0.0000", "month", "whole tariff",
         "60", "25", "A. Operator", "announced", "30 Nov 2024, 09:18 PKT"],
        ["past", "1 Oct 2024, 00:00 PKT", "1 Nov 2024, 00:00 PKT", "17.2500", "0.0000", "month",
         "whole tariff", "60", "25", "A. Operator", "bill of the utility", "19 Nov 2024, 23:18 PKT"],
        ["in force", "the beginning", "further notice", "17.6000", "4.0000", "month", "whole tariff", "60",
         "25", "grid file", "came with the grid", "7 Aug 2024, 19:18 PKT"],
    ]  # fmt: skip
    assert page.tariffs.in_force.text() == (
        "In force now: 17.6000 coins/kWh from the national grid, feed-in 4.0000 coins/kWh"
    )


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([(0, 100)], ["IN_FORCE"]),
        ([(0, 100), (0, 100)], ["REPLACED", "IN_FORCE"]),
        ([(0, 50), (50, 100)], ["PAST", "IN_FORCE"]),  # its first minute is in force, its last is not
        ([(0, 51), (51, 100)], ["IN_FORCE", "TO_COME"]),
        ([(0, 100), (40, 60)], ["TO_COME", "IN_FORCE"]),  # cut in two: past and to come again
        ([(0, 100), (40, 60), (45, 55)], ["TO_COME", "TO_COME", "IN_FORCE"]),
        ([(0, 40), (60, 100)], ["PAST", "TO_COME"]),
    ],
)
def test_later_entries_lie_over_earlier_ones(spans, found):
    entries = [
        TariffEntry(tariff=Tariff(valid_from=a, valid_to=b, national=1), author="", note="", entered_s=0)
        for a, b in spans
    ]
    assert standings(entries, 50) == [Standing[name] for name in found]


def test_what_is_in_force_follows_the_clock(qtbot, page):
    shows(page, now_s=minutes_of("2025-04").start * 60 - 1)
    assert page.tariffs.table.texts(0)[0] == "to come"
    shows(page, now_s=float(minutes_of("2025-04").start * 60))
    assert [row[0] for row in texts(page.tariffs.table)] == ["in force", "past", "past"]
    assert "18.9000" in page.tariffs.in_force.text()


def test_a_micro_grid_without_a_tariff_can_be_given_one(qtbot, page, operator):
    operator.tariffs = operator.tariffs[1:2]
    page.refresh()
    qtbot.waitUntil(lambda: page.tariffs.in_force.text() == "No tariff is in force: enter one")
    alt(qtbot, page, "t")
    assert dialog_of(qtbot, page).national.text() == ""


# --- tariffs: a new one ------------------------------------------------------------------------------------


@pytest.fixture
def tariff(qtbot, page):
    alt(qtbot, page, "t")
    return dialog_of(qtbot, page)


def test_a_tariff_is_entered_by_keyboard_alone(qtbot, page, operator, tariff):
    assert tariff.start.value() == NOW // 60 + 1
    alt(qtbot, tariff, "f")
    type_moment(qtbot, tariff.start, "01012025", "0000")
    alt(qtbot, tariff, "u")
    press(qtbot, Key.Key_Down)
    alt(qtbot, tariff, "d")
    type_moment(qtbot, tariff.until, "01032025", "1230")
    assert "No bill that is out changes." in said(tariff)
    alt(qtbot, tariff, "n")
    type_over(qtbot, "18.25")
    alt(qtbot, tariff, "i")
    type_over(qtbot, "3.1234")
    alt(qtbot, tariff, "c")
    press(qtbot, Key.Key_Down)
    alt(qtbot, tariff, "p")
    press(qtbot, Key.Key_Down)
    alt(qtbot, tariff, "r")
    type_over(qtbot, "90")
    alt(qtbot, tariff, "b")
    type_over(qtbot, "30")
    alt(qtbot, tariff, "t")
    type_over(qtbot, "announced by the utility")
    press(qtbot, Key.Key_Return)
    closed(qtbot, tariff)
    entered = Tariff(
        valid_from=minute("2025-01-01T00:00+05:00"), valid_to=minute("2025-03-01T12:30+05:00"),
        national=microcoins(18.25), feed_in=microcoins(3.1234), cap=Cap.MINUTE,
        penalty_basis=PenaltyBasis.REPLACEMENT_COST, response_s=90, deadband_w=30,
    )  # fmt: skip
    assert operator.orders == [("enter_tariff", (entered, "M. Desk", "announced by the utility"))]
    qtbot.waitUntil(lambda: len(page.tariffs.table.keys) == 4)
    assert page.tariffs.table.texts(0)[10] == "announced by the utility"


@pytest.mark.parametrize(
    ("name", "typed", "fault"),
    [
        ("national", "0", "The national tariff of 0 coins/kWh must be above 0 and at most 500."),
        ("national", "500.0001", "The national tariff of 500 coins/kWh must be above 0 and at most 500."),
        ("national", "17.60001", "Use at most 4 decimals."),
        ("national", "dear", "Enter a number, such as 2.50."),
        ("feed_in", "17.61", "The feed-in price of 17.61 coins/kWh must be between 0 and the tariff."),
        ("feed_in", "-1", "The feed-in price of -1 coins/kWh must be between 0 and the tariff."),
        ("response", "-1", "The response time and the deadband must be 0 or more."),
        ("response", "1.5", "Enter a whole number."),
        ("deadband", "-1", "The response time and the deadband must be 0 or more."),
        ("note", "", "Say why: the note is kept with the tariff and its bills."),
        ("author", "", MISSING_NAME),
    ],
)
def test_each_wrong_entry_is_explained_at_its_field(qtbot, operator, tariff, name, typed, fault):
    tariff.note.set_value("announced")
    field = getattr(tariff, name)
    go_to(tariff, field)
    type_over(qtbot, typed)
    press(qtbot, Key.Key_Return)
    assert field.fault == fault
    assert [each for each in tariff.fields if each.fault] == [field]
    assert tariff.isVisible()
    assert operator.orders == []


def test_a_tariff_must_end_after_it_begins(qtbot, operator, tariff):
    tariff.note.set_value("announced")
    tariff.end_kind.set_value(True)
    tariff.send()
    assert tariff.until.fault == "A tariff ends before it begins; give it an end after its start."
    assert operator.orders == []
    tariff.end_kind.set_value(False)
    tariff.send()
    closed(qtbot, tariff)
    assert operator.orders[0][1][0].valid_to == FOREVER


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2024-12-02T00:00", None, "No bill that is out changes."),
        ("2024-12-01T10:00", None, "It begins in the past: the minutes since then are settled again"),
        ("2024-11-30T23:59", None, "adjusted beside them: November 2024."),
        ("2024-10-31T23:59", None, "adjusted beside them: October 2024, November 2024."),
        ("2024-01-01T00:00", "2024-11-01T00:00", "adjusted beside them: October 2024."),
        ("2024-01-01T00:00", "2024-10-01T00:00", "It begins in the past"),
    ],
)
def test_a_validity_in_the_past_says_which_bills_are_adjusted(tariff, start, end, words):
    tariff.start.set_value(minute(f"{start}+05:00"))
    if end is not None:
        tariff.end_kind.set_value(True)
        tariff.until.set_value(minute(f"{end}+05:00"))
    assert words in said(tariff)


def test_every_cap_and_basis_says_what_it_does(tariff):
    words = said(tariff)
    for sentence in (
        "cheap noons pay for dear nights", "In no minute is energy dearer", "even above the national tariff",
        "pays the whole national tariff", "only by how much the national grid's kWh is dearer",
    ):  # fmt: skip
        assert sentence in words
    assert (tariff.cap.value(), tariff.basis.value()) == (Cap.MONTH, PenaltyBasis.GRID_RATE)


def test_a_refused_tariff_stays_to_be_mended(qtbot, page, operator, tariff):
    operator.refusal = "The disk is full."
    alt(qtbot, tariff, "n")
    type_over(qtbot, "18")
    alt(qtbot, tariff, "t")
    type_over(qtbot, "announced")
    press(qtbot, Key.Key_Return)
    qtbot.waitUntil(lambda: tariff.fault == "The disk is full.")
    assert (tariff.national.text(), tariff.note.value()) == ("18", "announced")
    press(qtbot, Key.Key_Escape)
    closed(qtbot, tariff)
    assert len(page.tariffs.table.keys) == 3


@pytest.mark.parametrize("which", [0, 1])
def test_on_the_day_the_clock_is_put_back_the_right_minute_is_ordered(qtbot, page, operator, which):
    shows(page, zone="Europe/Berlin")
    alt(qtbot, page, "t")
    dialog = dialog_of(qtbot, page)
    alt(qtbot, dialog, "f")
    type_moment(qtbot, dialog.start, "27102024", "0230")
    press(qtbot, Key.Key_Tab, *[Key.Key_Down] * which)
    alt(qtbot, dialog, "t")
    type_over(qtbot, "announced")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    local = datetime(2024, 10, 27, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=which)
    assert operator.orders[0][1][0].valid_from == int(local.timestamp()) // 60


def test_on_the_day_the_clock_is_put_forward_a_time_that_is_not_is_refused(qtbot, page, operator):
    shows(page, zone="Europe/Berlin")
    alt(qtbot, page, "t")
    dialog = dialog_of(qtbot, page)
    alt(qtbot, dialog, "f")
    type_moment(qtbot, dialog.start, "30032025", "0230")
    alt(qtbot, dialog, "t")
    type_over(qtbot, "announced")
    press(qtbot, Key.Key_Return)
    assert dialog.start.fault.startswith("On 30 Mar 2025 the clock is put forward over 02:30")
    assert dialog.start.isAncestorOf(focus())
    assert operator.orders == []


# --- the whole --------------------------------------------------------------------------------------------


def test_tab_goes_through_the_page_from_top_to_bottom(qtbot, page):
    houses = page.houses
    parts = [
        page.name, page.tariffs.new_button, page.tariffs.table, houses.add_button, houses.leave_button,
        houses.table,
    ]  # fmt: skip
    page.name.setFocus()
    for part in parts:
        assert focus() in (part, part.focusProxy())
        press(qtbot, Key.Key_Tab)


def test_closed_dialogs_are_let_go(qtbot, page):
    for letter in "thl":
        alt(qtbot, page, letter)
        dialog = dialog_of(qtbot, page)
        press(qtbot, Key.Key_Escape)
        closed(qtbot, dialog)
    qtbot.waitUntil(lambda: page.findChildren(FormDialog) == [])


def test_what_cannot_be_read_is_said_in_words(qtbot, page, operator):
    operator.unread = RuntimeError("the disk is gone")
    page.refresh()
    qtbot.waitUntil(lambda: "The tariffs could not be read: the disk is gone" in said(page))
    assert "The houses could not be read: the disk is gone" in said(page)


@pytest.mark.parametrize("letter", ["", "t", "h", "l"])
def test_no_two_things_have_the_same_mnemonic(qtbot, page, letter):
    window = page
    if letter:
        alt(qtbot, page, letter)
        window = dialog_of(qtbot, page)
    letters = mnemonics(window)
    assert len(letters) >= 4
    assert len(set(letters)) == len(letters), letters


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_nothing_has_a_colour_and_it_fits_the_small_window(qtbot, page, tariff, theme):
    tariff.send()
    for widget in (page, tariff):
        widget.set_theme(load_theme(theme))
        widget.setStyleSheet(load_theme(theme).style_sheet())
        assert saturation(picture(widget)).max() == 0
    assert page.minimumSizeHint().width() <= 1264
