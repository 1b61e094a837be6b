"""The days of an account's month."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from central_monitor.books import AccountLine, DayLine, MonthBook
from central_monitor.ui.bills_accounts import account_title, amount_cell, energy_cell, role_name
from central_monitor.ui.waiving import waiver_words
from node.qt.bill_text import contract_words, due_words, verdict_words
from node.qt.format import date, energy, money, number, price
from node.qt.table import Cell, Table
from node.qt.text import TextLine
from node.qt.theme import Theme

_CONTEXT = "bills"
_SUM = -1  # the key of the row of sums
translate = QCoreApplication.translate


def who_words(line: AccountLine) -> str:
    """Who the account is."""
    parts = (account_title(line.account), line.name, role_name(line.statement.role))
    return "  ·  ".join(part for part in parts if part)


def due_amount(amount: int) -> str:
    """An amount with who pays it."""
    return f"{money(abs(amount))} {due_words(amount)}".strip()


def account_words(book: MonthBook, line: AccountLine) -> str:
    """Who the account is and what its month came to, or comes to so far."""
    due = due_amount(line.statement.total)
    if book.issued_s is None:
        due = translate(_CONTEXT, "so far {0}").format(due)
    return f"{who_words(line)}  ·  {due}"


def bill_words(line: AccountLine) -> str:
    """At what mean rate, and why each penalty; empty without a bill."""
    bill = line.bill
    if bill is None:
        return ""
    parts = []
    if bill.mean_rate is not None:
        parts.append(translate(_CONTEXT, "Mean rate {0}").format(price(bill.mean_rate)))
    deficit = translate(_CONTEXT, "penalty, asked to raise and not delivered: {0}, {1}")
    minimum = translate(_CONTEXT, "penalty, below the contract's minimum: {0}, {1}")
    for words, owed, amount in (
        (deficit, bill.penalties.deficit_energy, bill.penalties.deficit_amount),
        (minimum, bill.penalties.minimum_energy, bill.penalties.minimum_amount),
    ):
        if amount:
            parts.append(words.format(energy(owed, decimals=2), money(amount)))
    return "  ·  ".join(parts)


def agreed_words(line: AccountLine) -> str:
    """Under which contract, and what the house finds; empty without a bill."""
    if line.bill is None:
        return ""
    contract = translate(_CONTEXT, "Contract: {0}").format(contract_words(line.bill.contract))
    return (
        contract + "  ·  " + translate(_CONTEXT, "the house's check: {0}").format(verdict_words(line.check))
    )


def adjusted_words(book: MonthBook, line: AccountLine, days: Sequence[DayLine]) -> str:
    """How the issued amount, what was adjusted since and the days as they are now settled belong together.

    What was waived is not of the days.
    """
    mine = [each for each in book.adjustments if each.account == line.account]
    adjusted = sum(each.total for each in mine if not each.waiver)
    if not adjusted:
        return ""
    issued = line.statement.total - line.statement.adjustments
    return translate(
        _CONTEXT, "Issued for the month {0}, adjusted since by {1}; the days below come to {2}"
    ).format(money(issued), money(adjusted, signed=True), money(sum(day.total for day in days)))


def day_row(day: DayLine, zone: str) -> list[Cell]:
    """One local day."""
    return [Cell(date(day.first_minute * 60, zone), link=True), *_figures(day, link=True)]


def _figures(day: DayLine, *, link: bool = False) -> list[Cell]:
    return [
        Cell(number(day.end_minute - day.first_minute, 0), align_right=True, quiet=True),
        energy_cell(day.microgrid_energy, 2),
        energy_cell(day.national_grid_energy, 2),
        amount_cell(day.microgrid_amount, link=link),
        amount_cell(day.national_grid_amount, link=link),
        energy_cell(day.penalty_energy, 2),
        amount_cell(day.penalty_amount, link=link),
        amount_cell(day.total, link=link, bold=True),
        Cell(
            number(day.estimated_minutes, 0),
            align_right=True,
            quiet=not day.estimated_minutes,
            bold=bool(day.estimated_minutes),
        ),
    ]


def _sum(days: Sequence[DayLine]) -> DayLine:
    names = DayLine.__slots__[2:]
    sums = {name: sum(getattr(day, name) for day in days) for name in names}
    return DayLine(first_minute=days[0].first_minute, end_minute=days[-1].end_minute, **sums)


class DaysView(QWidget):
    """An account's days, with what its bill says over them.

    Signals:
        opened: the number of the day that was opened.
        waiver_wanted: the MonthBook and AccountLine that are shown, to waive a penalty of.
    """

    opened = Signal(int)
    waiver_wanted = Signal(object, object)

    def __init__(self) -> None:
        super().__init__()
        self.title = TextLine("", 14, bold=True)
        self.bill, self.agreed = TextLine("", 13), TextLine("", 13)
        self.adjusted, self.waived = TextLine("", 13), TextLine("", 13)
        self.waive_button = QPushButton(self.tr("&Waive penalty…"))
        self._shown: tuple[MonthBook, AccountLine] | None = None
        self.table = Table(self._headers(), self.tr("Days of the account"))
        self.setFocusProxy(self.table)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for part in (self.title, self.bill, self.agreed, self.adjusted):
            layout.addWidget(part)
        self._waiving = QWidget()
        row = QHBoxLayout(self._waiving)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.waived, 1)
        row.addWidget(self.waive_button)
        layout.addWidget(self._waiving)
        layout.addWidget(self.table, 1)
        self.table.chosen.connect(self._open)
        self.waive_button.clicked.connect(self._want_waiver)

    def show_days(self, book: MonthBook, line: AccountLine, days: Sequence[DayLine]) -> None:
        """Show these days of this account."""
        self.title.set_text(account_words(book, line))
        for part, text in (
            (self.bill, bill_words(line)),
            (self.agreed, agreed_words(line)),
            (self.adjusted, adjusted_words(book, line, days)),
        ):
            part.set_text(text)
            part.setVisible(bool(text))
        self._show_waived(book, line)
        rows = [day_row(day, book.zone) for day in days]
        keys = list(range(len(days)))
        if days:
            rows.append([Cell(self.tr("All days"), bold=True), *_figures(_sum(days))])
            keys.append(_SUM)
        self.table.set_rows(keys, rows)
        if self.table.current_key() is None:
            self.table.select(0)

    def _show_waived(self, book: MonthBook, line: AccountLine) -> None:
        """Penalties, and what is waived of them; nothing of an account without any."""
        self._shown = book, line
        words = waiver_words(book, line)
        self.waived.set_text(words)
        self.waive_button.setEnabled(line.waivable > 0)
        self._waiving.setVisible(bool(words))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part in (self.title, self.bill, self.agreed, self.adjusted, self.waived, self.table):
            part.set_theme(theme)

    def _headers(self) -> list[str]:
        return [
            self.tr("Day"),
            self.tr("Minutes"),
            self.tr("Micro-grid\nkWh"),
            self.tr("National\ngrid kWh"),
            self.tr("Micro-grid\ncoins"),
            self.tr("National\ngrid coins"),
            self.tr("Penalty\nkWh"),
            self.tr("Penalty\ncoins"),
            self.tr("Total\ncoins"),
            self.tr("Estimated\nminutes"),
        ]

    @Slot()
    def _want_waiver(self) -> None:
        if self._shown is not None:
            self.waiver_wanted.emit(*self._shown)

    @Slot(object)
    def _open(self, key: int) -> None:
        if key != _SUM:
            self.opened.emit(key)
