"""One bill as Fig 5.7 shows it for its role, with the house's own check of it."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout

from house_client.snapshot import ReceivedBill
from house_client.ui.account_table import AccountTable
from house_client.ui.bill_words import (
    Figure,
    adjusted_words,
    bill_figures,
    bill_lines,
    bill_title,
    check_words,
    estimated_words,
    total_words,
)
from house_client.ui.panels import LABEL, Panel
from microgrid.bill import Verdict
from node.qt.format import MINUS, Quantity, date
from node.qt.text import TextLine
from node.qt.value import Reading, ValueWidget

_TITLE = 28.0
_WHAT = 20.0
_LINES = 6
_FIGURE = Quantity(f"{MINUS}999.99", "coins/kWh")


class Figures(Panel):
    """A column of labelled figures."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[TextLine, ValueWidget]] = []
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setVerticalSpacing(1)
        layout.setColumnStretch(0, 1)
        layout.setColumnStretch(1, 1)
        layout.addWidget(self._line("", _WHAT), 0, 0)  # level with the units of the other column
        for row in range(1, 1 + _LINES):
            label, value = self._line("", _WHAT), self._value(_FIGURE, LABEL)
            layout.addWidget(label, row, 0)
            layout.addWidget(value, row, 1)
            self.rows.append((label, value))

    def show_figures(self, figures: Sequence[Figure]) -> None:
        """Show these, from the top; lines that are not needed stay away."""
        for (label, value), figure in zip(self.rows, figures, strict=False):
            label.set_text(figure.label)
            value.set_reading(Reading(figure.quantity, figure.state))
        for row, parts in enumerate(self.rows):
            for part in parts:
                part.setVisible(row < len(figures))


class BillView(Panel):
    """The figures, what they come to, and whether they agree with our own meter."""

    def __init__(self) -> None:
        super().__init__()
        self.title = self._line("", _TITLE, bold=True, quiet=False)
        self.issued = self._line("", align=Qt.AlignmentFlag.AlignRight)
        self.figures, self.account = Figures(), AccountTable()
        self._panels += [self.figures, self.account]
        self.estimated = self._line("", quiet=False)
        self.check = self._line("", LABEL, bold=True, quiet=False)
        self.adjusted = self._line("", quiet=False)
        self._lay_out()

    def show_bill(self, received: ReceivedBill) -> None:
        """Show this bill."""
        bill = received.bill
        self.title.set_text(bill_title(bill))
        self.issued.set_text(self.tr("issued {0}").format(date(bill.issued_s, bill.zone)))
        self.figures.show_figures(bill_figures(bill))
        self.account.show_lines(bill_lines(bill), total_words(bill), bill.account.total)
        _say(self.estimated, estimated_words(bill))
        differs = received.check.verdict is Verdict.DIFFERS
        self.check.set_text(check_words(received.check), emphasised=differs)
        _say(self.adjusted, adjusted_words(received))

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.title, 5)
        head.addWidget(self.issued, 3)
        columns = QHBoxLayout()
        columns.setSpacing(24)
        columns.addWidget(self.figures, 1, Qt.AlignmentFlag.AlignTop)
        columns.addWidget(self.account, 1, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addLayout(columns, 1)
        layout.addWidget(self.estimated)
        layout.addWidget(self.check)
        layout.addWidget(self.adjusted)


def _say(line: TextLine, text: str) -> None:
    """The line takes room only where there is something to say."""
    line.set_text(text)
    line.setVisible(bool(text))
