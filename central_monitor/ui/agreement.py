"""Level 2: what every house agreed to, and how it keeps it now and this month (8.3.2, Fig 8.3)."""

from enum import Enum

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.agreement_rows import Line, cells_of, headers, line_of
from central_monitor.ui.deviation import Breach
from central_monitor.ui.live_list import LiveList
from central_monitor.ui.overview import Figure, national_reading, rate_reading, tariff_reading, trust
from central_monitor.ui.presentation import month_words
from microgrid.terms import Role
from node.qt.field import ListBox
from node.qt.format import MINUS, Quantity, power, price
from node.qt.table import Table
from node.qt.text import TextLine
from node.qt.theme import Theme
from node.qt.value import Reading

_KW = Quantity(f"{MINUS}9,999.99", "kW")
_STEP_W = 10  # deviations that differ by less count as equal, and keep the order of the houses


class Order(Enum):
    """By what the houses are sorted, the most telling first."""

    DEVIATION = "deviation"
    HOUSE = "house"
    ROLE = "role"
    MICROGRID = "micro-grid energy"
    NATIONAL = "national grid energy"


class Selection(Enum):
    """Which houses are listed."""

    ALL = "all"
    PRODUCERS = "producers"
    CONSUMERS = "consumers"
    WITHOUT = "without contract"
    DEVIATING = "deviating"


class AgreementScreen(QWidget):
    """The Energy Agreement window: the pool's totals over a line for each house.

    Signals:
        house_chosen: the house whose line was opened.
    """

    house_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: CentralSnapshot | None = None
        self._lines: dict[str, Line] = {}
        self._make_figures()
        self._make_choices()
        self.count = TextLine("", 13, bold=True)
        self.table = Table(headers(), self.tr("Contracts and their fulfilment"))
        self._list = LiveList(self.table, cells_of)
        self.table.set_empty_text(self.tr("No house is listed under this choice"))
        self.legend = TextLine(
            self.tr("Positive is from the house into the micro-grid, negative is taken"),
            12,
            quiet=True,
        )
        self._lay_out()
        self.setFocusProxy(self.table)
        self.table.chosen.connect(self._open)

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show this snapshot."""
        self._snapshot = snapshot
        self._lines = {house.house: line_of(house, snapshot) for house in snapshot.houses}
        self._show_figures(snapshot)
        self._show_rows()

    def refresh(self) -> None:
        """Whoever comes back finds the rows sorted as of now."""
        self._list.sort_anew()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part in (*self.figures, self.count, self.table, self.legend):
            part.set_theme(theme)

    def _make_figures(self) -> None:
        rate = Quantity("999.99", price(0).unit)
        self.maximum = Figure(self.tr("Total maximum power"), _KW)
        self.used = Figure(self.tr("Used by houses"), _KW)
        self.available = Figure(self.tr("Net available"), _KW)
        self.national = Figure(self.tr("National grid"), _KW)
        self.rate = Figure(self.tr("Rate now"), rate)
        self.tariff = Figure(self.tr("National tariff"), rate)
        self.figures = (self.maximum, self.used, self.available, self.national, self.rate, self.tariff)

    def _make_choices(self) -> None:
        self.order_box, self.selection_box = ListBox(), ListBox()
        for order, text in (
            (Order.DEVIATION, self.tr("deviation, largest first")),
            (Order.HOUSE, self.tr("house")),
            (Order.ROLE, self.tr("role and price")),
            (Order.MICROGRID, self.tr("micro-grid energy this month")),
            (Order.NATIONAL, self.tr("national grid energy this month")),
        ):
            self.order_box.addItem(text, order)
        for selection, text in (
            (Selection.ALL, self.tr("all houses")),
            (Selection.PRODUCERS, self.tr("producers")),
            (Selection.CONSUMERS, self.tr("consumers")),
            (Selection.WITHOUT, self.tr("houses without contract")),
            (Selection.DEVIATING, self.tr("houses that depart from their contract")),
        ):
            self.selection_box.addItem(text, selection)
        self.order_box.currentIndexChanged.connect(self._sort_anew)
        self.selection_box.currentIndexChanged.connect(self._sort_anew)

    def _lay_out(self) -> None:
        figures = QHBoxLayout()
        for figure in self.figures:
            figures.addWidget(figure, 1)
        choices = QHBoxLayout()
        choices.setSpacing(8)
        for text, box in ((self.tr("S&ort by"), self.order_box), (self.tr("Sho&w"), self.selection_box)):
            label = QLabel(text)
            label.setBuddy(box)
            choices.addWidget(label)
            choices.addWidget(box)
        choices.addWidget(self.count, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(figures)
        layout.addLayout(choices)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.legend)

    def _show_figures(self, snapshot: CentralSnapshot) -> None:
        pool = snapshot.pool
        state, without = trust(snapshot)
        self.maximum.value.set_reading(Reading(power(pool.available_w), state, without))
        self.used.value.set_reading(Reading(power(pool.consumed_w), state, without))
        self.available.value.set_reading(Reading(power(pool.pool_w, signed=True), state, without))
        self.national.value.set_reading(national_reading(snapshot))
        self.rate.value.set_reading(rate_reading(snapshot))
        self.tariff.value.set_reading(tariff_reading(snapshot))

    def _show_rows(self) -> None:
        assert self._snapshot is not None
        selection, order = self.selection_box.currentData(), self.order_box.currentData()
        listed = {house: line for house, line in self._lines.items() if _belongs(line, selection)}
        rank = None if order is Order.HOUSE else lambda line: _rank(line, order)
        self._list.show(listed, self._snapshot.now_s, rank)
        self._show_count(self._snapshot)

    def _show_count(self, snapshot: CentralSnapshot) -> None:
        breaches = [line.deviation.breach for line in self._lines.values() if line.deviation is not None]
        beyond = sum(breach in (Breach.ALLOTMENT, Breach.IMPORT) for breach in breaches)
        below = sum(breach is Breach.MINIMUM for breach in breaches)
        listed, month = len(self.table.keys), month_words(snapshot)
        words = self.tr("{0}: {1} of {2} houses, {3} draw beyond allotment, {4} give less than they owe")
        self.count.set_text(words.format(month, listed, len(self._lines), beyond, below))

    @Slot(object)
    def _open(self, house: object) -> None:
        self.house_chosen.emit(str(house))

    @Slot()
    def _sort_anew(self) -> None:
        self._list.sort_anew()
        if self._snapshot is not None:
            self._show_rows()


def _belongs(line: Line, selection: Selection) -> bool:
    contract = line.house.contract
    match selection:
        case Selection.ALL:
            return True
        case Selection.PRODUCERS:
            return contract is not None and contract.role is Role.PRODUCER
        case Selection.CONSUMERS:
            return contract is not None and contract.role is Role.CONSUMER
        case Selection.WITHOUT:
            return contract is None
        case Selection.DEVIATING:
            return line.deviation is not None and line.deviation.breach is not Breach.NONE


def _rank(line: Line, order: Order) -> tuple[int, ...]:
    """What is sorted by, smallest first; a house nothing is known of comes last."""
    contract, month = line.house.contract, line.house.month
    match order:
        case Order.DEVIATION:
            return (1, 0) if line.deviation is None else (0, -(line.deviation.power_w // _STEP_W))
        case Order.ROLE:
            if contract is None:
                return (2, 0)
            return (0, contract.price) if contract.role is Role.PRODUCER else (1, contract.max_w)
        case Order.MICROGRID:
            return (1, 0) if month is None else (0, -abs(month.microgrid_energy))
        case Order.NATIONAL:
            return (1, 0) if month is None else (0, -abs(month.national_energy))
        case Order.HOUSE:
            return ()
