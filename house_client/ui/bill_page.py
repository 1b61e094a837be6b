"""The page of bills: the newest first, older ones by a button, their adjustments, print and PDF."""

from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout

from house_client.household import History, Household
from house_client.snapshot import HouseSnapshot, ReceivedBill
from house_client.ui.bill_view import BillView
from house_client.ui.bill_words import adjustment_paragraphs
from house_client.ui.panels import LABEL, Panel
from house_client.ui.reading_text import ReadingText
from node.qt.asking import ask
from node.qt.bill_text import bill_document, bill_title
from node.qt.paper import print_with_dialog, write_pdf


def key_of(received: ReceivedBill) -> str:
    """What tells a bill from every other one of this house."""
    bill = received.bill
    return f"{bill.month} {bill.kind} {bill.issued_s}"


def news_of(received: ReceivedBill) -> str:
    """What tells whether a bill has been looked at: itself, and how often it was adjusted since."""
    return f"{key_of(received)} {len(received.adjustments)}"


class BillPage(Panel):
    """Bills of this house, one at a time."""

    def __init__(self, household: Household | None) -> None:
        super().__init__()
        self._household = household
        self._house = ""
        self._bills: tuple[ReceivedBill, ...] = ()
        self._index = 0
        self.view = BillView()
        self._panels.append(self.view)
        self.nothing = self._line(self.tr("No bill yet. The first one comes when the month is over."), LABEL)
        self.reasons = ReadingText(LABEL)
        self._parts.append((self.reasons, LABEL))
        self.told = self._line("", quiet=False)
        self.older = self._button(self.tr("&Older"))
        self.newer = self._button(self.tr("&Newer"))
        self.adjustments = self._button(self.tr("&Adjustments"))
        self.adjustments.setCheckable(True)
        self.printing = self._button(self.tr("&Print"))
        self.saving = self._button(self.tr("Save as P&DF"))
        self.older.clicked.connect(lambda: self._go(self._index + 1))
        self.newer.clicked.connect(lambda: self._go(self._index - 1))
        self.adjustments.toggled.connect(lambda: self._show_bill())
        self.printing.clicked.connect(self._print)
        self.saving.clicked.connect(self._save)
        self._lay_out()
        self._say("")
        self._show_bill()

    @property
    def current(self) -> ReceivedBill | None:
        """The bill that is shown."""
        return self._bills[self._index] if self._bills else None

    def show_snapshot(self, snapshot: HouseSnapshot) -> None:
        """Take in the newest bill; one that is being read stays."""
        if snapshot.house != self._house:  # an ID was corrected: a house's bills are its own
            self._house = snapshot.house
            self._take(())
        newest = snapshot.bill
        if newest is None or (self._bills and newest == self._bills[0]):
            return
        rest = tuple(bill for bill in self._bills if key_of(bill) != key_of(newest))
        self._take((newest, *rest))
        self.refresh()

    def refresh(self) -> None:
        """Fetch the bills this house keeps."""
        if self._household is not None:
            ask(self, self._household.history(), self._heard, lambda fault: self._say(str(fault)))

    def show_newest(self) -> None:
        """Show the newest bill's figures."""
        self.adjustments.setChecked(False)
        self._go(0)

    def _heard(self, history: History) -> None:
        kept = history.bills
        if self._bills and all(key_of(bill) != key_of(self._bills[0]) for bill in kept):
            kept = (self._bills[0], *kept)  # newer than what was kept when we asked
        self._take(kept)

    def _take(self, bills: tuple[ReceivedBill, ...]) -> None:
        read = key_of(self._bills[self._index]) if self._bills and self._index else None
        self._bills = bills
        self._index = next((n for n, bill in enumerate(bills) if key_of(bill) == read), 0)
        self._show_bill()

    def _go(self, index: int) -> None:
        self._index = max(0, min(index, len(self._bills) - 1))
        self._say("")
        self._show_bill()

    def _show_bill(self) -> None:
        current = self.current
        for button in (self.printing, self.saving, self.adjustments):
            button.setEnabled(current is not None)
        self.older.setEnabled(self._index + 1 < len(self._bills))
        self.newer.setEnabled(self._index > 0)
        if current is None:
            self._stack.setCurrentWidget(self.nothing)
            return
        self.view.show_bill(current)
        paragraphs = adjustment_paragraphs(current)
        self.adjustments.setEnabled(bool(paragraphs))
        self.adjustments.setText(
            self.tr("&Adjustments ({0})").format(len(paragraphs)) if paragraphs else self.tr("&Adjustments")
        )
        self.reasons.set_paragraphs(paragraphs)
        reading = self.adjustments.isChecked() and bool(paragraphs)
        self._stack.setCurrentWidget(self.reasons if reading else self.view)

    def _document(self, received: ReceivedBill) -> str:
        return bill_document(received.bill, received.check, received.adjustments)

    def _print(self) -> None:
        if self.current is not None:
            title = bill_title(self.current.bill)
            print_with_dialog(self, self._document(self.current), title, self._say)

    def _save(self) -> None:
        if self.current is None:
            return
        bill = self.current.bill
        folder = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
        path = folder / f"bill-{bill.house}-{bill.month}-{bill.kind}.pdf"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_pdf(self._document(self.current), path, bill_title(bill))
        except OSError as fault:
            self._say(self.tr("Not saved: {0}").format(fault.strerror or fault))
        else:
            self._say(self.tr("Saved as {0}").format(path))

    def _say(self, text: str) -> None:
        self.told.set_text(text)
        self.told.setVisible(bool(text))

    def _lay_out(self) -> None:
        self._stack = QStackedWidget()
        for page in (self.view, self.reasons, self.nothing):
            self._stack.addWidget(page)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self.older, self.newer, self.adjustments, self.printing, self.saving):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addWidget(self._stack, 1)
        layout.addWidget(self.told)
        layout.addLayout(buttons)
