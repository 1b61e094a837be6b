"""The central's page of contracts, used with the keyboard alone."""

from dataclasses import replace

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from central_monitor.snapshot import RoundView
from central_monitor.ui.contracts import ContractsPage, RoundKey
from central_monitor.ui.desk import DeskName
from microgrid.agreements import Basis
from microgrid.contracting import ContractPolicy, Silence
from node.qt.theme import DARK, LIGHT, load_theme
from tests.ui.at_desk import PAGE_SIZE
from tests.ui.fake_operator import LONG_NAME, NEXT, make_round, minutes_of
from tests.ui.images import picture, saturation
from tests.ui.keyboard import alt, closed, dialog_of, focus, mnemonics, press, show_active, type_over
from tests.ui.reading import texts
from tests.ui.sample_snapshots import lose, make_central

Key = Qt.Key
DENIED = "The contracts of next month are being asked for already, or are final."
WHY = "The solar price of 19 coins/kWh is above the national tariff of 17.6; a solar price may not exceed it."


@pytest.fixture
def desk(settings):
    return DeskName(settings)


@pytest.fixture
def page(qtbot, operator, desk):
    made = show_active(qtbot, ContractsPage(operator, desk), PAGE_SIZE)
    made.setFocus()
    made.show_snapshot(make_central())
    made.refresh()
    qtbot.waitUntil(lambda: len(made.history_table.keys) == len(operator.history))
    return made


def said(widget):
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]


def open_round(qtbot, page, operator, *, agreed=1, refused=None):
    operator.rounds = (make_round(NEXT, len(operator.members), agreed), *operator.rounds)
    opened = operator.rounds[0]
    view = RoundView(
        NEXT,
        opened.closes_s,
        tuple(entry.house for entry in opened.entries),
        opened.waiting,
        refused or {},
        False,
    )
    page.show_snapshot(replace(lose(make_central(), 3), round=view))
    qtbot.waitUntil(lambda: page.round_table.keys != ())


# --- the round ------------------------------------------------------------------------------------------


def test_before_it_opens_the_page_says_when_the_next_round_will(page):
    assert page.round_field.value() == RoundKey(NEXT, minutes_of(NEXT).start)
    assert page.times.text() == "Opens 29 Dec 2024, 00:00 PKT  ·  closes 1 Jan 2025, 00:00 PKT"
    assert page.policy_line.text() == (
        "Houses are asked 3 days before the month."
        " A house that does not answer in time gets last month's contract again."
    )
    assert page.round_table.keys == ()
    assert page.ask_button.isEnabled()


def test_an_open_round_tells_who_answered_who_is_waited_for_and_who_was_refused(qtbot, page, operator):
    open_round(qtbot, page, operator, agreed=2, refused={"D": WHY})
    assert page.round_table.keys == ("D", "C", "A", "B")
    assert [row[2] for row in texts(page.round_table)] == [
        "answer refused",
        "waiting",
        "answered",
        "answered",
    ]
    assert texts(page.round_table)[3] == [
        "B", LONG_NAME, "answered", "producer, solar", "0.25", "2.50", "8.00", "always",
        "31 Dec 2024, 00:00 PKT",
    ]  # fmt: skip
    assert page.counts.text() == "2 of 4 agreed  ·  1 waiting  ·  1 refused"
    assert f"House D was refused: {WHY}" in said(page)
    assert page.times.text() == ("Opened 29 Dec 2024, 00:00 PKT by policy  ·  closes 1 Jan 2025, 00:00 PKT")
    assert not page.ask_button.isEnabled()


def test_a_house_that_is_waited_for_and_not_linked_is_told_so(qtbot, page, operator):
    open_round(qtbot, page, operator, agreed=3)
    assert page.round_table.texts(0)[2] == "waiting; not linked"
    assert "refused" not in " ".join(said(page))


def test_many_refusals_are_counted(qtbot, page, operator):
    open_round(qtbot, page, operator, agreed=0, refused=dict.fromkeys("ABCD", WHY))
    words = page.refusals.text().split("\n")
    assert len(words) == 3
    assert words[2] == "and 2 more: see the table"


def test_an_earlier_round_is_looked_up_by_keyboard(qtbot, page):
    page.round_field.setFocus()
    press(qtbot, Key.Key_Down)
    assert page.round_field.value() == RoundKey("2024-12", minutes_of("2024-12").start)
    assert "final since 1 Dec 2024, 00:00 PKT: exchange is permitted" in page.times.text()
    assert len(page.round_table.keys) == 4
    page.show_snapshot(make_central(4, 1))
    assert page.round_field.value().month == "2024-12"


def test_a_round_of_a_house_that_joined_later_is_told_apart(qtbot, page, operator):
    whole = operator.rounds[0]
    later = msgspec.structs.replace(
        whole, minutes=range(whole.minutes.start + 14_400, whole.minutes.stop), houses=("D",), entries=(),
        final_s=None,
    )  # fmt: skip
    operator.rounds = (later, whole)
    page.refresh()
    qtbot.waitUntil(lambda: page.round_field._box.count() == 3)
    assert page.round_field._box.itemText(0) == "December 2024 from 11 Dec 2024, 00:00 PKT: being asked"


def test_what_was_agreed_is_asked_for_again_when_it_has_changed_and_only_then(page, operator):
    before = operator.asked
    page.show_snapshot(make_central(4, 1))
    assert operator.asked == before
    view = RoundView(NEXT, 0, ("A",), ("B",), {}, False)
    page.show_snapshot(replace(make_central(4, 2), round=view))
    assert operator.asked == before + 1
    page.show_snapshot(replace(make_central(4, 3), round=replace(view, refused={"B": WHY})))
    assert operator.asked == before + 1
    page.show_snapshot(replace(make_central(4, 4), round=replace(view, agreed=("A", "B"), waiting=())))
    assert operator.asked == before + 2


# --- asking now -------------------------------------------------------------------------------------------


def test_all_houses_are_asked_at_once_by_keyboard(qtbot, page, operator, desk, settings):
    alt(qtbot, page, "a")
    dialog = dialog_of(qtbot, page)
    assert "January 2025" in dialog.windowTitle()
    assert any(
        "Every house is asked for its contract for January 2025 at once" in text for text in said(dialog)
    )
    press(qtbot, Key.Key_Return)
    assert dialog.author.fault == "Enter your name: every change is kept with the name of who made it."
    assert operator.orders == []
    type_over(qtbot, "M. Desk")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    assert operator.orders == [("open_round", ("M. Desk",))]
    assert DeskName(settings).name == "M. Desk"
    qtbot.waitUntil(lambda: len(page.round_table.keys) == 4)
    assert page.counts.text() == "0 of 4 agreed  ·  4 waiting  ·  0 refused"
    assert not page.ask_button.isEnabled()


def test_a_refusal_to_ask_is_said_in_the_dialog(qtbot, page, operator, desk):
    desk.set_name("M. Desk")
    operator.refusal = DENIED
    alt(qtbot, page, "a")
    dialog = dialog_of(qtbot, page)
    press(qtbot, Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.fault == DENIED)
    assert dialog.isVisible()
    press(qtbot, Key.Key_Escape)
    closed(qtbot, dialog)
    assert page.round_table.keys == ()


# --- policy -----------------------------------------------------------------------------------------------


def test_the_policy_is_changed_by_keyboard(qtbot, page, operator):
    alt(qtbot, page, "w")
    dialog = dialog_of(qtbot, page)
    assert (dialog.days.text(), dialog.silence.value()) == ("3", Silence.LAST)
    for typed, fault in (("29", "Enter 0 to 28 days."), ("-1", "Enter 0 to 28 days."),
                         ("1.5", "Enter a whole number."), ("", "Enter a number, such as 3.")):  # fmt: skip
        dialog.days.setFocus()
        type_over(qtbot, typed)
        dialog.author.set_value("M. Desk")
        press(qtbot, Key.Key_Return)
        assert dialog.days.fault == fault
    assert operator.orders == []
    type_over(qtbot, "5")
    press(qtbot, Key.Key_Tab, Key.Key_Down, Key.Key_Return)
    closed(qtbot, dialog)
    assert operator.orders == [("set_policy", (ContractPolicy(opens_days=5, silence=Silence.NONE),))]
    qtbot.waitUntil(lambda: "asked 5 days before" in page.policy_line.text())
    assert page.policy_line.text().endswith("gets no contract.")
    assert page.times.text().startswith("Opens 27 Dec 2024, 00:00 PKT")


def test_escape_keeps_the_policy(qtbot, page, operator):
    alt(qtbot, page, "w")
    dialog = dialog_of(qtbot, page)
    type_over(qtbot, "9")
    press(qtbot, Key.Key_Escape)
    closed(qtbot, dialog)
    assert operator.orders == []
    assert "asked 3 days before" in page.policy_line.text()


# --- history ----------------------------------------------------------------------------------------------


def test_the_history_is_filtered_by_month_house_and_how_it_came_about(qtbot, page, operator):
    assert page.history_count.text() == "48 of 48 shown"
    assert texts(page.history_table)[0][0] == "December 2024"
    alt(qtbot, page, "m")
    press(qtbot, Key.Key_Down, Key.Key_Down)
    assert {row[0] for row in texts(page.history_table)} == {"November 2024"}
    assert page.history_count.text() == "4 of 48 shown"
    alt(qtbot, page, "h")
    press(qtbot, Key.Key_Down)
    assert [row[:2] for row in texts(page.history_table)] == [["November 2024", "A"]]
    alt(qtbot, page, "m")
    press(qtbot, Key.Key_Home)
    assert len(texts(page.history_table)) == 12
    alt(qtbot, page, "o")
    press(qtbot, Key.Key_Down, Key.Key_Down)
    assert {row[9] for row in texts(page.history_table)} == {"carried over"}
    silent = [entry for entry in operator.history if entry.house == "A" and entry.basis is Basis.CARRIED_OVER]
    assert len(texts(page.history_table)) == len(silent) > 0


def test_a_contract_for_part_of_a_month_says_which(qtbot, page, operator):
    month = minutes_of("2024-12")
    whole = operator.history[-1]
    parts = [(600, 0), (0, 600), (600, 600)]
    operator.history = tuple(
        msgspec.structs.replace(whole, valid_from=month.start + first, valid_to=month.stop - last)
        for first, last in parts
    )
    page.refresh()
    qtbot.waitUntil(lambda: len(page.history_table.keys) == 3)
    assert sorted(row[8] for row in texts(page.history_table)) == [
        "1 Dec 2024, 10:00 PKT – 31 Dec 2024, 14:00 PKT",
        "from 1 Dec 2024, 10:00 PKT",
        "until 31 Dec 2024, 14:00 PKT",
    ]


def test_a_year_of_forty_houses_is_shown_and_stays_put(qtbot, page, operator):
    operator.__init__(40)
    page.refresh()
    qtbot.waitUntil(lambda: len(page.history_table.keys) == 480)
    page.history_table.select(page.history_table.keys[200])
    page.history_table.verticalScrollBar().setValue(3000)
    page.refresh()
    qtbot.wait(50)
    assert page.history_table.verticalScrollBar().value() == 3000
    assert page.history_table.current_key() == page.history_table.keys[200]


def test_a_history_too_long_for_one_look_says_so_and_how_to_see_the_rest(qtbot, page, operator):
    operator.__init__(60)
    page.refresh()
    qtbot.waitUntil(lambda: len(page.history_table.keys) == 500)
    assert page.history_count.text() == "500 of 720 shown; choose a month or house for more"
    alt(qtbot, page, "m")
    press(qtbot, Key.Key_End)
    assert {row[0] for row in texts(page.history_table)} == {"January 2024"}
    assert page.history_count.text() == "60 of 720 shown"


def test_a_house_is_opened_from_either_table(qtbot, page, operator):
    open_round(qtbot, page, operator)
    for table, key, house in ((page.round_table, "C", "C"), (page.history_table, 41, "B")):
        table.setFocus()
        table.select(key)
        with qtbot.waitSignal(page.house_chosen) as chosen:
            press(qtbot, Key.Key_Return)
        assert chosen.args == [house]


def test_tab_goes_through_the_page_from_top_to_bottom(qtbot, page):
    parts = [
        page.round_field, page.ask_button, page.policy_button, page.round_table, page.month_filter,
        page.house_filter, page.basis_filter, page.history_table,
    ]  # fmt: skip
    page.round_field.setFocus()
    for part in parts:
        assert focus() in (part, part.focusProxy())
        press(qtbot, Key.Key_Tab)


# --- the whole --------------------------------------------------------------------------------------------


def test_what_cannot_be_read_is_said_in_words(qtbot, page, operator):
    operator.unread = RuntimeError("the disk is gone")
    page.refresh()
    words = "The contracts could not be read: the disk is gone"
    qtbot.waitUntil(lambda: words in said(page))
    page.show_snapshot(make_central(4, 1))
    assert words in said(page)
    operator.unread = None
    page.refresh()
    qtbot.waitUntil(lambda: page.fault.text() == "")


@pytest.mark.parametrize("letter", ["", "a", "w"])
def test_no_two_things_have_the_same_mnemonic(qtbot, page, letter):
    window = page
    if letter:
        alt(qtbot, page, letter)
        window = dialog_of(qtbot, page)
    letters = mnemonics(window)
    assert letters
    assert len(set(letters)) == len(letters), letters


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_nothing_has_a_colour_and_it_fits_the_small_window(qtbot, page, operator, theme):
    page.set_theme(load_theme(theme))
    page.setStyleSheet(load_theme(theme).style_sheet())
    open_round(qtbot, page, operator, refused={"D": WHY})
    assert page.minimumSizeHint().width() <= 1264
    assert saturation(picture(page)).max() == 0


def test_before_the_first_snapshot_nothing_can_be_ordered(qtbot, operator, desk):
    page = ContractsPage(operator, desk)
    qtbot.addWidget(page)
    page.refresh()
    qtbot.wait(20)
    assert not page.ask_button.isEnabled()
    assert not page.policy_button.isEnabled()
    assert page.history_table.keys == ()
    page.show_snapshot(make_central())
    assert page.ask_button.isEnabled()
    assert len(page.history_table.keys) == len(operator.history)
