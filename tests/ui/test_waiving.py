"""A penalty is waived with the keyboard alone, from where it is seen; it is told wherever it is paid."""

from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextDocument

from central_monitor.operator import OrderRefused
from central_monitor.ui.bills import Level
from central_monitor.ui.bills_accounts import TOTAL, state_words
from central_monitor.ui.bills_days import adjusted_words
from central_monitor.ui.main_window import BILLS, CentralWindow
from central_monitor.ui.waiving import WaiverDialog, waiver_words
from house_client.ui.bill_words import adjustment_paragraphs, bill_lines
from house_client.ui.month_panel import MonthPanel, month_total
from microgrid.terms import RESERVE
from microgrid.units import microcoins
from node.qt.bill_text import bill_document
from node.qt.theme import DARK, LIGHT, load_theme
from tests.ui.at_desk import NAME, bills_page
from tests.ui.fake_operator import FakeOperator
from tests.ui.images import picture, saturation
from tests.ui.keyboard import alt, closed, dialog_of, focus, mnemonics, open_active, press, type_over
from tests.ui.reading import plain, said
from tests.ui.sample_books import ISSUED, RUNNING, SampleOperator, make_book
from tests.ui.sample_house import make_adjustment, make_seller, received
from tests.ui.sample_waived import make_waiver, waived_bill, waived_kiosk

Key = Qt.Key


def line_of(book, account="B"):
    return next(line for line in book.lines if line.account == account)


@pytest.fixture
def opened(qtbot, operator, desk):
    def made(month=RUNNING):
        book = make_book(month)
        return open_active(qtbot, WaiverDialog(operator, desk, book, line_of(book)))

    return made


# --- the dialog -------------------------------------------------------------------------------------


def test_a_part_is_waived_by_keyboard_alone(qtbot, operator, opened):
    dialog = opened()
    assert dialog.windowTitle() == "Waive a penalty of house B, January 2025"
    assert dialog.amount.text() == "1.073360"  # all that is left stands there
    assert dialog.amount.limit_text == "more than 0, at most 1.073360"
    type_over(qtbot, "0.500001")
    alt(qtbot, dialog, "r")
    qtbot.keyClicks(focus(), "line was cut")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    assert operator.orders == [("waive", ("B", RUNNING, 500_001, NAME, "line was cut"))]


def test_all_that_is_left_is_waived_to_the_micro_coin(qtbot, operator, opened):
    dialog = opened()
    dialog.reason.set_value("line was cut")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    (_, order) = operator.orders[0]
    assert order[2] == line_of(make_book(RUNNING)).waivable


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("0", "It must be more than 0."),
        ("-1", "It must be more than 0."),
        ("1.073361", "It must be at most 1.073360: more is not charged."),
        ("much", "Enter a number, such as 2.50."),
        ("0.0000001", "Use at most 6 decimals."),
    ],
)
def test_an_amount_that_cannot_be_is_refused_at_the_field(qtbot, operator, opened, typed, fault):
    dialog = opened()
    dialog.reason.set_value("line was cut")
    type_over(qtbot, typed)
    press(qtbot, Key.Key_Return)
    assert dialog.amount.fault == fault
    assert dialog.amount.isAncestorOf(focus())
    assert operator.orders == []


def test_reason_and_name_must_be_given(qtbot, operator, opened):
    dialog = opened()
    dialog.author.set_value(" ")
    press(qtbot, Key.Key_Return)
    assert dialog.reason.fault.startswith("Say why")
    assert dialog.author.fault.startswith("Enter your name")
    assert operator.orders == []


def test_a_refusal_is_said_at_the_amount_and_nothing_typed_is_lost(qtbot, operator, opened):
    operator.refusal = "At most 0.900000 coins can be waived of 2025-01 for house B."
    dialog = opened()
    dialog.reason.set_value("line was cut")
    press(qtbot, Key.Key_Return)
    qtbot.waitUntil(lambda: dialog.amount.fault == operator.refusal)
    assert (dialog.amount.text(), dialog.reason.value()) == ("1.073360", "line was cut")
    assert dialog.isVisible()
    press(qtbot, Key.Key_Escape)
    closed(qtbot, dialog)


def test_the_consequence_is_said_before_the_bill_and_after(opened):
    running, issued = said(opened()), said(opened(ISSUED))
    assert "It stands on the bill of January 2025 with its reason." in running
    assert "The bill of December 2024 is out and stays as it is" in issued
    assert all("The reserve pays it." in each for each in (running, issued))


def test_mnemonics_are_distinct_and_there_is_no_colour(opened):
    dialog = opened()
    letters = mnemonics(dialog)
    assert len(letters) == len(set(letters))
    for name in (LIGHT, DARK):
        dialog.set_theme(load_theme(name))
        assert saturation(picture(dialog)).max() < 0.05


# --- where it is seen at the central ----------------------------------------------------------------


@pytest.fixture
def books():
    return SampleOperator()


@pytest.fixture
def page(qtbot, books):
    with bills_page(qtbot, books) as made:
        yield made


def open_account(qtbot, page, account):
    page.accounts.table.select(account)
    page.accounts.table.setFocus()
    press(qtbot, Key.Key_Return)
    qtbot.waitUntil(lambda: page.place.level is Level.DAYS)


def test_a_waiver_is_asked_for_where_the_penalties_of_an_account_are_seen(qtbot, page):
    open_account(qtbot, page, "B")
    assert plain(page.days.waived.text()) == (
        "Penalties still charged: 1.07 coins  ·  0.10 coins waived by S. Malik on 1 Jan 2025:"
        " The tie breaker was being tested that evening."
    )
    with qtbot.waitSignal(page.waiver_wanted) as wanted:
        alt(qtbot, page, "w")
    book, line = wanted.args
    assert (book.month, line.account) == (RUNNING, "B")


def test_who_has_no_penalty_is_offered_nothing(qtbot, page):
    for account in ("A", RESERVE):
        open_account(qtbot, page, account)
        assert not page.days.waive_button.isVisible()
        press(qtbot, Key.Key_Escape)
        qtbot.waitUntil(lambda: page.place.level is Level.ACCOUNTS)


def test_where_all_is_waived_it_is_said_but_not_offered(qtbot, page):
    book = make_book(RUNNING)
    line = replace(line_of(book), waivable=0)
    page.days.show_days(book, line, ())
    assert plain(waiver_words(book, line)).startswith("Penalties still charged: 0.00 coins")
    assert not page.days.waive_button.isEnabled()


def test_the_accounts_tell_it_apart_from_earlier_months_and_read_zero(page):
    table = page.accounts.table

    def cells(key):
        return table.texts(table.keys.index(key))[7:11]

    assert cells("B") == ["\N{MINUS SIGN}1.17", "0.10", "0.00", "3,586.84"]
    assert cells(RESERVE)[1] == "\N{MINUS SIGN}0.10"
    assert cells(TOTAL) == ["0.00"] * 4


def test_what_was_waived_since_is_not_told_as_another_settlement():
    book = make_book("2024-11")
    waived = make_waiver(0.1)
    book = replace(book, adjustments=(waived,))
    line = replace(line_of(book), adjusted=waived.total)
    assert adjusted_words(book, line, ()) == ""
    assert state_words(book).endswith("; adjusted since")


class WithBooks(FakeOperator):
    """Has the books of the samples, too."""

    def __init__(self):
        super().__init__()
        self.books = SampleOperator()
        for question in ("months", "month", "days", "minutes", "proof"):
            setattr(self, question, getattr(self.books, question))


def test_in_the_window_the_books_are_asked_for_anew_once_it_is_waived(qtbot, settings, desk):
    operator = WithBooks()
    window = CentralWindow(settings, operator)
    qtbot.addWidget(window)
    window.show()
    window.open_screen(BILLS)
    page: Any = window.screen_of(BILLS)
    qtbot.waitUntil(lambda: page.place is not None)
    window.activateWindow()
    open_account(qtbot, page, "B")
    asked = len(operator.books.asked)
    alt(qtbot, page, "w")
    dialog = dialog_of(qtbot, window)
    assert isinstance(dialog, WaiverDialog)
    alt(qtbot, dialog, "r")
    qtbot.keyClicks(focus(), "line was cut")
    press(qtbot, Key.Key_Return)
    closed(qtbot, dialog)
    assert operator.orders == [("waive", ("B", RUNNING, 1_073_360, NAME, "line was cut"))]
    qtbot.waitUntil(
        lambda: [name for name, *_ in operator.books.asked[asked:]] == ["months", "month", "days"]
    )
    assert page.place.account == "B"  # one stays where one is


class Slow(FakeOperator):
    """Carries out nothing until it is told to."""

    def waive(self, *arguments):
        self.future: Future = Future()
        return self.future


def test_a_dialog_that_was_left_comes_up_again_if_it_is_refused(qtbot, desk):
    operator, book = Slow(), make_book(RUNNING)
    dialog = WaiverDialog(operator, desk, book, line_of(book))
    qtbot.addWidget(dialog)
    dialog.open()
    dialog.reason.set_value("line was cut")
    dialog.send()
    dialog.reject()
    operator.future.set_exception(OrderRefused("At most 0.1 coins."))
    qtbot.waitUntil(dialog.isVisible)
    assert dialog.amount.fault == "At most 0.1 coins."


# --- on paper and at the house ----------------------------------------------------------------------


def paper(bill, later=()):
    document = QTextDocument()
    document.setHtml(bill_document(bill, None, later))
    return plain(document.toPlainText())


def test_the_bill_has_a_line_of_its_own_for_it_with_the_reason():
    text = paper(waived_bill(make_waiver()))
    assert "Penalties waived\n10.00\n coins to receive" in text
    assert "Penalty waived: The tie breaker was being tested.\n10.00" in text
    assert "Adjustments of earlier months" not in text
    both = paper(waived_bill(make_adjustment("2024-10"), make_waiver()))
    assert "Adjustments of earlier months\n3.20\n coins to pay" in both
    assert "waived" not in paper(waived_bill())


def test_what_is_waived_later_stands_beside_the_bill():
    text = paper(waived_bill(), [make_waiver(waiver=9)])
    assert "Adjusted since this bill was issued" in text
    assert "Penalty waived: The tie breaker was being tested." in text


def test_the_kiosk_has_a_line_for_it_and_the_reason_among_the_adjustments(qtbot):
    bill = waived_bill(make_adjustment("2024-10"), make_waiver())
    lines = {line.label: line.amount for line in bill_lines(bill)}
    assert (lines["Penalties waived"], lines["Earlier months"]) == (microcoins(10), microcoins(-3.2))
    assert sum(lines.values()) == bill.account.total
    assert received(bill).check.sums_right
    _, told = adjustment_paragraphs(received(bill))
    assert plain(told) == (
        "Paid with this bill: +10.00 coins for November 2024, on 2 Dec 2024. Penalty waived: The tie breaker"
        " was being tested."
    )


def test_the_month_so_far_counts_it(qtbot):
    month, without = waived_kiosk().month, make_seller().month
    assert month is not None
    assert without is not None
    assert month_total(month) == month_total(without) + microcoins(12.5)
    panel = MonthPanel()
    qtbot.addWidget(panel)
    panel.resize(420, 260)
    panel.show()
    panel.show_snapshot(waived_kiosk())
    shown = [row[0].text() for row in panel.account.rows if row[0].isVisible()]
    assert shown[-2:] == ["Penalties waived", "Earlier months"]
    panel.show_snapshot(make_seller())
    assert "Penalties waived" not in [row[0].text() for row in panel.account.rows if row[0].isVisible()]
