"""Bills & Payments: from the month to the accounts, their days, their minutes, and what a minute rests on."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from central_monitor.books import AccountLine, DayLine, MinuteProof, MinuteTable, MonthBook, MonthEntry
from central_monitor.operator import Operator, OrderRefused
from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.bills_accounts import AccountsView, account_title
from central_monitor.ui.bills_days import DaysView
from central_monitor.ui.bills_minutes import MinutesView
from central_monitor.ui.bills_output import BillOutput
from central_monitor.ui.bills_proof import ProofView
from microgrid.terms import COMMON_ACCOUNTS
from node.qt.asking import ask
from node.qt.field import ListBox
from node.qt.format import date, month_name, time_of_day
from node.qt.text import TextLine, text_width
from node.qt.theme import LIGHT, Theme, load_theme

_THEN = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"

_TRAIL_SIZE = 13
_TRAIL_PADDING = 26  # pixels: both paddings and the bar of a checked button


class Level(IntEnum):
    """How deep one has gone; also the place of its view in the stack."""

    ACCOUNTS = 0
    DAYS = 1
    MINUTES = 2
    PROOF = 3


@dataclass(frozen=True, slots=True)
class Place:
    """Where one is in the books."""

    month: str
    account: str | None = None
    day: int | None = None
    minute: int | None = None

    @property
    def level(self) -> Level:
        """The deepest that is chosen."""
        if self.minute is not None:
            return Level.PROOF
        if self.day is not None:
            return Level.MINUTES
        return Level.ACCOUNTS if self.account is None else Level.DAYS

    def at(self, level: Level) -> "Place":
        """The same place seen from this level, no deeper."""
        return Place(
            self.month,
            self.account if level >= Level.DAYS else None,
            self.day if level >= Level.MINUTES else None,
            self.minute if level >= Level.PROOF else None,
        )


class Trail(QWidget):
    """The way one came, a button for each step; the last one is where one is.

    Signals:
        chosen: the level to go back to.
    """

    chosen = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.buttons: list[QPushButton] = []
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        for level in Level:
            button = QPushButton()
            button.setProperty("bar", True)
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, level=level: self._press(level))
            self.buttons.append(button)
            self._row.addWidget(button)
        self.show_steps([])

    def show_steps(self, names: list[str]) -> None:
        """Show the way down to where one is."""
        for level, button in enumerate(self.buttons):
            button.setVisible(level < len(names))
            button.setChecked(level == len(names) - 1)
            if level < len(names):
                text = names[level].replace("&", "&&")
                button.setText(f"{_THEN} {text}" if level else text)
                # Where one is stands in bold, which the button's own size does not count with.
                wide = text_width(button.text(), _TRAIL_SIZE, bold=True)
                button.setMinimumWidth(round(wide) + _TRAIL_PADDING)

    def _press(self, level: Level) -> None:
        here = sum(not button.isHidden() for button in self.buttons) - 1
        for each, button in enumerate(self.buttons):
            button.setChecked(each == here)  # a press must not mark where one is not yet
        self.chosen.emit(int(level))


class BillsPage(QWidget):
    """The Bills & Payments screen.

    Signals:
        correction_wanted: a MinuteProof whose reading the operator wants to correct.
        waiver_wanted: a MonthBook and the AccountLine of which the operator wants to waive a penalty.
    """

    correction_wanted = Signal(object)
    waiver_wanted = Signal(object, object)

    def __init__(self, operator: Operator) -> None:
        super().__init__()
        self._operator = operator
        self._months: tuple[MonthEntry, ...] = ()
        self._book: MonthBook | None = None
        self._days: tuple[DayLine, ...] = ()
        self._table: MinuteTable | None = None
        self._place: Place | None = None  # what is shown; None: nothing yet
        self._fresh: set[Level] = set()  # whose views show the month as it was asked for last
        self._question = 0  # the newest; answers to older ones are not wanted any more
        self._papers: int | None = None  # issued as of the last snapshot
        self._theme = load_theme(LIGHT)
        self.month_choice = ListBox()
        self.month_choice.setAccessibleName(self.tr("Month"))
        self.month_choice.setSizeAdjustPolicy(ListBox.SizeAdjustPolicy.AdjustToContents)
        self.trail = Trail()
        self.notice = TextLine("", 13)
        self.accounts, self.days = AccountsView(), DaysView()
        self.minutes, self.proof = MinutesView(), ProofView()
        self._views = (self.accounts, self.days, self.minutes, self.proof)  # by level
        self.output = BillOutput(operator)
        self.legend = TextLine(
            self.tr(
                "Amounts: positive is received, negative is paid. Energy: positive is from the house into the"
                " micro-grid. Enter, or a click on what is underlined, leads on; Esc leads back."
            ),
            12,
            quiet=True,
        )
        self.stack = QStackedWidget()
        self._lay_out()
        self._connect()
        self.setFocusProxy(self.accounts)

    def refresh(self) -> None:
        """Ask anew for the months and for what is shown."""
        self._ask(self._operator.months(), self._take_months)

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Once bills or adjustments were issued the books are asked for again."""
        before, self._papers = self._papers, snapshot.papers
        if before is not None and before != self._papers:
            self.refresh()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        for part in (self.notice, self.legend, self.output, *self._views):
            part.set_theme(theme)

    @property
    def place(self) -> Place | None:
        """Where one is; None before the first answer."""
        return self._place

    def _lay_out(self) -> None:
        label = QLabel(self.tr("&Month"))
        label.setBuddy(self.month_choice)
        top = QHBoxLayout()
        top.setSpacing(8)
        top.addWidget(label)
        top.addWidget(self.month_choice)
        top.addWidget(self.trail)
        top.addWidget(self.notice, 1)
        for view in self._views:
            self.stack.addWidget(view)
        self.trail.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.stack, 1)
        layout.addWidget(self.legend)
        layout.addWidget(self.output)

    def _connect(self) -> None:
        self.month_choice.activated.connect(self._choose_month)
        self.trail.chosen.connect(lambda level: self._back_to(Level(level)))
        self.accounts.opened.connect(self._open_account)
        self.accounts.selected.connect(self._show_scope)
        self.days.opened.connect(self._open_day)
        self.minutes.opened.connect(self._open_minute)
        self.days.waiver_wanted.connect(self.waiver_wanted)
        self.proof.correction_wanted.connect(self.correction_wanted)
        self.output.said.connect(self._tell)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self._up)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def _ask(self, future: "Future[Any]", take: Callable[[Any], None]) -> None:
        """Ask; only the newest question's answer is taken."""
        self._question += 1
        question = self._question

        def taken(answer: object) -> None:
            if question == self._question:
                take(answer)

        def failed(error: Exception) -> None:
            if question == self._question:
                self._tell(_fault_words(error, self), True)

        ask(self, future, taken, failed)

    @Slot(str, bool)
    def _tell(self, text: str, fault: bool = False) -> None:
        mark = "! " if fault else ""
        self.notice.set_text(mark + text if text else "", emphasised=fault)

    def _take_months(self, months: tuple[MonthEntry, ...]) -> None:
        self._months = months
        self.month_choice.clear()
        for entry in months:
            self.month_choice.addItem(_month_words(entry, self), entry.month)
        if not months:
            self._tell(self.tr("No minutes are recorded yet: there is nothing to bill"))
            return
        wanted = self._place.month if self._place is not None else months[0].month
        index = max(0, self.month_choice.findData(wanted))
        self.month_choice.setCurrentIndex(index)
        place = self._place if self._place is not None and self._place.month == wanted else None
        self._open_month(months[index].month, place)

    def _open_month(self, month: str, then: Place | None = None) -> None:
        """Show a month; afterwards, a deeper place of it."""

        def take(book: MonthBook) -> None:
            self._book, self._fresh = book, {Level.ACCOUNTS}
            self.accounts.show_book(book)
            deeper = then is not None and self._line_of(then.account) is not None
            if then is not None and deeper:
                self._go(then)
            else:
                self._arrive(Place(month))

        self._ask(self._operator.month(month), take)

    def _go(self, place: Place) -> None:
        """Ask for what the place shows, and show it when the answer is there."""
        match place:
            case Place(month, str(account), int(day), int(minute)):
                self._ask(self._operator.proof(account, minute), lambda proof: self._show_proof(place, proof))
            case Place(month, str(account), int(day), None):
                future = self._operator.minutes(month, account, day)
                self._ask(future, lambda table: self._show_minutes(place, table))
            case Place(month, str(account), None, None):
                future_days = self._operator.days(month, account)
                self._ask(future_days, lambda days: self._show_days(place, days))

    def _show_days(self, place: Place, days: tuple[DayLine, ...]) -> None:
        line = self._line_of(place.account)
        if self._book is not None and line is not None:
            self._days = days
            self.days.show_days(self._book, line, days)
            self._arrive(place)

    def _show_minutes(self, place: Place, table: MinuteTable) -> None:
        line = self._line_of(place.account)
        if self._book is not None and line is not None:
            self._table = table
            self.minutes.show_minutes(self._book, line, table)
            self._arrive(place)

    def _show_proof(self, place: Place, proof: MinuteProof) -> None:
        if self._book is not None:
            self.proof.show_proof(proof, self._book.zone)
            self._arrive(place)

    def _arrive(self, place: Place) -> None:
        entered = self._place is None or self._place.level is not place.level
        self._place = place
        self._fresh.add(place.level)
        self._tell("")
        self.stack.setCurrentIndex(place.level)
        self.legend.setVisible(place.level is not Level.PROOF)
        self.trail.show_steps(self._steps(place))
        self.setFocusProxy(self._views[place.level])
        if entered and not self.month_choice.hasFocus():
            self._views[place.level].setFocus()
        self._show_scope()

    def _steps(self, place: Place) -> list[str]:
        book = self._book
        steps = [self.tr("All accounts")]
        if place.account is not None:
            steps.append(account_title(place.account))
        if book is not None and place.day is not None and place.day < len(self._days):
            steps.append(date(self._days[place.day].first_minute * 60, book.zone))
        if book is not None and place.minute is not None:
            steps.append(time_of_day(place.minute * 60, book.zone))
        return steps

    def _line_of(self, account: str | None) -> AccountLine | None:
        lines = () if self._book is None else self._book.lines
        return next((line for line in lines if line.account == account), None)

    @Slot()
    def _show_scope(self) -> None:
        """The bill that would be printed is that of the open account, or of the selected one."""
        place = self._place
        if place is None:
            return
        if place.account is None:
            key = self.accounts.table.current_key()
            self.output.set_scope(self._book, self._line_of(str(key) if key else None), 0)
        else:
            self.output.set_scope(self._book, self._line_of(place.account), len(self._days))

    @Slot(int)
    def _choose_month(self, index: int) -> None:
        self._open_month(self.month_choice.itemData(index))

    @Slot(str)
    def _open_account(self, account: str) -> None:
        if self._place is not None:
            self._go(Place(self._place.month, account))

    @Slot(int)
    def _open_day(self, day: int) -> None:
        if self._place is not None:
            self._go(replace(self._place.at(Level.DAYS), day=day))

    @Slot(int)
    def _open_minute(self, minute: int) -> None:
        place = self._place
        if place is None:
            return
        if place.account in COMMON_ACCOUNTS:
            words = self.tr("{0} has no meter; it is what the houses' minutes leave. Open one of a house.")
            self._tell(words.format(account_title(str(place.account))))
            return
        self._go(replace(place.at(Level.MINUTES), minute=minute))

    @Slot()
    def _up(self) -> None:
        if self._place is not None and self._place.level is not Level.ACCOUNTS:
            self._back_to(Level(self._place.level - 1))

    def _back_to(self, level: Level) -> None:
        """Back to what was shown there, asked for anew if the month was; no answer under way is awaited."""
        if self._place is None or level >= self._place.level:
            return
        self._question += 1
        place = self._place.at(level)
        if level in self._fresh:
            self._arrive(place)
        else:
            self._go(place)


def _month_words(entry: MonthEntry, page: QWidget) -> str:
    name = month_name(entry.month)
    if entry.issued_s is None:
        return page.tr("{0}: so far, not billed").format(name)
    if entry.runs > 1:
        return page.tr("{0}: issued, adjusted").format(name)
    return page.tr("{0}: issued").format(name)


def _fault_words(error: Exception, page: QWidget) -> str:
    if isinstance(error, OrderRefused):
        return str(error)
    return page.tr("This could not be had: {0}").format(str(error) or type(error).__name__)
