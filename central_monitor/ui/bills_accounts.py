"""Bills & Payments of a month: every account with what it came to, and a total that reads zero."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import QCoreApplication, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from central_monitor.books import AccountLine, MonthBook
from microgrid.bill import Adjustment, Verdict
from microgrid.terms import COMMON_ACCOUNTS, Role
from microgrid.units import coins, kwh
from node.qt.bill_text import adjustment_words, verdict_words
from node.qt.format import moment, money, month_name, number
from node.qt.table import Cell, Table
from node.qt.text import TextLine
from node.qt.theme import Theme

_CONTEXT = "bills"
TOTAL = ""  # the key of the row of sums: no account is called so
_ADJUSTED_ROWS = 5  # of the adjustments that are seen at once
translate = QCoreApplication.translate


def account_title(account: str) -> str:
    """What an account is called, such as "House A" or "National grid"."""
    match account:
        case "national_grid":
            return translate(_CONTEXT, "National grid")
        case "reserve":
            return translate(_CONTEXT, "Reserve")
        case "losses":
            return translate(_CONTEXT, "Losses")
    return translate(_CONTEXT, "House {0}").format(account)


def role_name(role: str) -> str:
    """An account's role in the month, for people; empty for common accounts."""
    match role:
        case Role.PRODUCER:
            return translate(_CONTEXT, "producer")
        case Role.CONSUMER:
            return translate(_CONTEXT, "consumer")
        case "none":
            return translate(_CONTEXT, "no contract")
    return ""


def state_words(book: MonthBook) -> str:
    """Whether the month's bills are out, and up to when it is settled."""
    if book.issued_s is None:
        return translate(_CONTEXT, "{0}: so far, not billed. Settled up to {1}").format(
            month_name(book.month), moment(book.end_minute * 60, book.zone)
        )
    words = translate(_CONTEXT, "{0}: bills issued on {1}").format(
        month_name(book.month), moment(book.issued_s, book.zone)
    )
    if book.adjustments:
        words += translate(_CONTEXT, "; adjusted since")
        if (runs := max(each.number for each in book.adjustments)) > 1:
            words += translate(_CONTEXT, ", settled {0} times").format(runs)
    return words


def total_words(total: int) -> str:
    """Whether the accounts balance; to the last micro-coin if they do not."""
    if not total:
        return translate(_CONTEXT, "All accounts add up to {0}").format(money(0))
    return translate(_CONTEXT, "! The accounts do not add up to zero but to {0}").format(
        money(total, signed=True, decimals=6)
    )


def energy_cell(energy_ws: int, decimals: int = 1, *, bold: bool = False) -> Cell:
    """Energy in kWh; the unit stands in the header."""
    text = number(kwh(energy_ws), decimals)
    return Cell(text, align_right=True, bold=bold, quiet=not energy_ws and not bold)


def amount_cell(amount: int, *, link: bool = False, bold: bool = False, tip: str = "") -> Cell:
    """An amount in coins; the unit stands in the header. One that leads further is underlined."""
    return Cell(
        number(coins(amount), 2),
        align_right=True,
        bold=bold,
        quiet=not amount and not bold,
        link=link and bool(amount),
        tip=tip,
    )


def account_headers() -> list[str]:
    """The columns of the accounts."""
    return [
        translate(_CONTEXT, "Account"),
        translate(_CONTEXT, "Name"),
        translate(_CONTEXT, "Role"),
        translate(_CONTEXT, "Micro-grid\nkWh"),
        translate(_CONTEXT, "National\ngrid kWh"),
        translate(_CONTEXT, "Micro-grid\ncoins"),
        translate(_CONTEXT, "National\ngrid coins"),
        translate(_CONTEXT, "Penalties\ncoins"),
        translate(_CONTEXT, "Waived\ncoins"),
        translate(_CONTEXT, "Earlier\nmonths coins"),
        translate(_CONTEXT, "Total\ncoins"),
        translate(_CONTEXT, "Adjusted\nsince coins"),
        translate(_CONTEXT, "Estimated\nminutes"),
        translate(_CONTEXT, "House's\ncheck"),
    ]


def account_row(line: AccountLine, billed: bool, causes: str = "") -> list[Cell]:
    """One account. `causes` tells why it was adjusted after the bills were out."""
    statement = line.statement
    common = line.account in COMMON_ACCOUNTS
    check = "" if common or not billed else verdict_words(line.check)
    return [
        Cell(account_title(line.account) if common else line.account, link=True),
        Cell(line.name, tip=line.name),
        Cell(role_name(statement.role)),
        energy_cell(statement.microgrid_energy),
        energy_cell(statement.national_grid_energy),
        amount_cell(statement.microgrid_amount, link=True),
        amount_cell(statement.national_grid_amount, link=True),
        amount_cell(statement.penalty_amount, link=True),
        amount_cell(line.waived, link=True),
        amount_cell(line.earlier, link=True),
        amount_cell(statement.total, link=True, bold=True),
        amount_cell(line.adjusted, link=True, tip=causes),
        _minutes_cell(statement.estimated_minutes),
        Cell(check, bold=line.check is not None and line.check.verdict is Verdict.DIFFERS),
    ]


def total_row(book: MonthBook) -> list[Cell]:
    """The sums of all accounts; the total reads zero."""
    statements = [line.statement for line in book.lines]

    def total_of(values: Iterable[int]) -> Cell:
        return amount_cell(sum(values), bold=True)

    name = translate(_CONTEXT, "All accounts")
    return [
        Cell(name, bold=True),
        Cell("" if book.total == 0 else translate(_CONTEXT, "not zero"), bold=True),
        Cell(""),
        energy_cell(sum(each.microgrid_energy for each in statements), bold=True),
        energy_cell(sum(each.national_grid_energy for each in statements), bold=True),
        total_of(each.microgrid_amount for each in statements),
        total_of(each.national_grid_amount for each in statements),
        total_of(each.penalty_amount for each in statements),
        total_of(line.waived for line in book.lines),
        total_of(line.earlier for line in book.lines),
        amount_cell(book.total, bold=True),
        total_of(line.adjusted for line in book.lines),
        _minutes_cell(sum(each.estimated_minutes for each in statements)),
        Cell(""),
    ]


def _minutes_cell(minutes: int) -> Cell:
    return Cell(number(minutes, 0), align_right=True, quiet=not minutes, bold=bool(minutes))


class AccountsView(QWidget):
    """All accounts of a month; below them the adjustments made after its bills were out.

    Signals:
        opened: the account that was opened.
        selected: another row was selected.
    """

    opened = Signal(str)
    selected = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.state = TextLine("", 14, bold=True)
        self.balance = TextLine("", 14)
        self.table = Table(account_headers(), self.tr("Accounts of the month"), 12)
        self.table.set_empty_text(self.tr("No accounts yet"))
        self.adjusted_title = TextLine(self.tr("Adjusted after the bills were out"), 13, bold=True)
        self.adjustments = Table(self._adjustment_headers(), self.adjusted_title.text(), 12)
        self.setFocusProxy(self.table)
        self._lay_out()
        for table in (self.table, self.adjustments):
            table.chosen.connect(self._open)
        self.table.selectionModel().currentRowChanged.connect(lambda *_: self.selected.emit())

    def show_book(self, book: MonthBook) -> None:
        """Show this month."""
        self.state.set_text(state_words(book))
        self.balance.set_text(total_words(book.total), emphasised=book.total != 0)
        causes = {line.account: _causes(book.adjustments, line.account) for line in book.lines}
        rows = [account_row(line, book.issued_s is not None, causes[line.account]) for line in book.lines]
        self.table.set_rows(
            [*(line.account for line in book.lines), TOTAL],
            [*rows, total_row(book)],
        )
        if self.table.current_key() is None and book.lines:
            self.table.select(book.lines[0].account)
        self._show_adjustments(book)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part in (self.state, self.balance, self.table, self.adjusted_title, self.adjustments):
            part.set_theme(theme)

    def _adjustment_headers(self) -> list[str]:
        return [
            self.tr("Account"),
            self.tr("Made"),
            self.tr("Run"),
            self.tr("Cause"),
            self.tr("Energy\nkWh"),
            self.tr("Amount\ncoins"),
        ]

    def _show_adjustments(self, book: MonthBook) -> None:
        for part in (self.adjusted_title, self.adjustments):
            part.setVisible(bool(book.adjustments))
        rows = [
            [
                Cell(account_title(each.account), link=True),
                Cell(moment(each.made_s, book.zone)),
                Cell(number(each.number, 0), align_right=True),
                Cell(adjustment_words(each), tip=adjustment_words(each)),
                energy_cell(each.energy),
                amount_cell(each.total, link=True, bold=True),
            ]
            for each in book.adjustments
        ]
        lines = min(len(rows), _ADJUSTED_ROWS) + 0.5
        row = self.adjustments.verticalHeader().defaultSectionSize()
        self.adjustments.setFixedHeight(round(row * lines) + self.adjustments.horizontalHeader().height())
        # Rows are known by their account and place, as an account may be adjusted more than once.
        self.adjustments.set_rows(
            [(each.account, index) for index, each in enumerate(book.adjustments)], rows
        )

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.state)
        layout.addWidget(self.balance)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.adjusted_title)
        layout.addWidget(self.adjustments)

    @Slot(object)
    def _open(self, key: object) -> None:
        account = key[0] if isinstance(key, tuple) else key
        if account != TOTAL:
            self.opened.emit(account)


def _causes(adjustments: Sequence[Adjustment], account: str) -> str:
    return "\n".join(adjustment_words(each) for each in adjustments if each.account == account)
