"""What people and other programs wrote is shown as they wrote it, never read as markup."""

import pytest
from msgspec.structs import replace
from PySide6.QtCore import QEvent, QPoint
from PySide6.QtGui import QHelpEvent, QTextDocument
from PySide6.QtWidgets import QApplication, QToolTip

from house_client.ui.buttons import NoticeButton
from house_client.ui.reading_text import ReadingText
from node.qt.bill_text import bill_document
from node.qt.paper import document_of
from node.qt.table import Cell, Table
from node.qt.text import TextLine, plain_tip
from tests.ui.sample_books import EARLIER, make_adjustment, make_bill
from tests.ui.test_paper import account

EVIL = '<b>Pay</b> to <a href="http://x">us</a> & <img src="file:///etc/passwd"> &lt;now&gt;'


def as_seen(tip):
    """A tool tip as Qt shows it."""
    document = QTextDocument()
    if "<" in tip:
        document.setHtml(tip)
    else:
        document.setPlainText(tip)
    return document.toPlainText()


@pytest.mark.parametrize("text", [EVIL, "Bilal's", "3 < 4", "A & B", "&amp;", "<u>", "one\n<i>two</i>\n3"])
def test_a_tool_tip_shows_the_text_as_it_is(text):
    assert as_seen(plain_tip(text)) == text


def test_a_line_that_does_not_fit_shows_its_markup_as_text(qtbot):
    line = TextLine(EVIL, 13)
    qtbot.addWidget(line)
    line.resize(80, 20)
    line.grab()
    assert as_seen(line.toolTip()) == EVIL


def test_a_notice_shows_its_markup_as_text(qtbot):
    button = NoticeButton(20)
    qtbot.addWidget(button)
    button.set_notice(EVIL, EVIL)
    button.resize(120, 50)
    button.grab()
    assert as_seen(button.toolTip()) == f"{EVIL}\n{EVIL}"


def test_a_cell_shows_its_markup_as_text(qtbot):
    table = Table(["House"], "Houses")
    qtbot.addWidget(table)
    table.resize(300, 200)
    table.set_rows([1], [[Cell("B", tip=EVIL)]])
    table.show()
    place = table.visualRect(table.model().index(0, 0)).center()
    asked = QHelpEvent(QEvent.Type.ToolTip, place, table.viewport().mapToGlobal(QPoint(place)))
    QApplication.sendEvent(table.viewport(), asked)
    assert as_seen(QToolTip.text()) == EVIL
    QToolTip.hideText()


def test_a_paragraph_to_read_is_no_markup(qtbot):
    page = ReadingText(20)
    qtbot.addWidget(page)
    page.set_paragraphs([EVIL])
    assert page.toPlainText() == EVIL


def test_a_bill_shows_names_and_reasons_as_they_are():
    adjustment = replace(make_adjustment("A", 2, own=True), reason=EVIL)
    bill = replace(make_bill(0, EARLIER, account()), name=EVIL, adjustments=(adjustment,))
    html = bill_document(bill, None, [adjustment])
    text = document_of(html).toPlainText()
    assert text.count(EVIL) == 3  # the name, and the reason among what is paid now and later
    assert "<img" not in html
    assert "<a " not in html
