"""Level 2: what every house agreed to, and how it keeps it now and this month (8.3.2, Fig 8.3)."""

from collections.abc import Sequence
from enum import Enum

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from central_monitor.snapshot import CentralSnapshot, HouseView
from central_monitor.ui.agreement_rows import Line, cells_of, headers, line_of
from central_monitor.ui.deviation import Breach
from central_monitor.ui.overview import Figure, rate_reading, tariff_reading, trust
from central_monitor.ui.presentation import month_words
from microgrid.terms import Role
from node.qt.field import ListBox
from node.qt.format import MINUS, Quantity, power, price
from node.qt.table import Cell, Table
from node.qt.text import TextLine
from node.qt.theme import Theme
from node.qt.value import Reading

_KW = Quantity(f"{MINUS}9,999.99", "kW")
HELD_S = 10.0  # for so long rows keep their places although their deviations change
_TURNS = 4  # rows out of view are made anew every so many snapshots
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
        self._shown: list[str] = []
        self._cells: dict[str, tuple[Cell, ...]] = {}  # of each house, as they were made last
        self._turn = 0
        self._sorted_s: float | None = None  # when rows took their places; None: they are to be sorted now
        self._make_figures()
        self._make_choices()
        self.count = TextLine("", 13, bold=True)
        self.table = Table(headers(), self.tr("Contracts and their fulfilment"))
        self.table.set_empty_text(self.tr("No house is listed under this choice"))
        self.legend = TextLine(
            self.tr("Positive is from the house into the micro-grid, negative is taken"),
            12,
            quiet=True,
        )
        self._lay_out()
        self.setFocusProxy(self.table)
        self.table.chosen.connect(self._open)
        scrolled = self.table.verticalScrollBar().valueChanged
        scrolled.connect(self._show_scrolled, Qt.ConnectionType.QueuedConnection)

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show this snapshot."""
        self._snapshot = snapshot
        self._lines = {house.house: line_of(house, snapshot) for house in snapshot.houses}
        self._show_figures(snapshot)
        self._show_rows()

    def refresh(self) -> None:
        """Whoever comes back finds the rows sorted as of now."""
        self._sorted_s = None

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
        words = self.tr("import") if pool.national_w > 0 else self.tr("export") if pool.national_w < 0 else ""
        note = without or words
        self.national.value.set_reading(Reading(power(abs(pool.national_w)), state, note))
        self.rate.value.set_reading(rate_reading(snapshot))
        self.tariff.value.set_reading(tariff_reading(snapshot))

    def _show_rows(self) -> None:
        assert self._snapshot is not None
        now_s, listed = self._snapshot.now_s, self._listed(self._snapshot.houses)
        held = self._sorted_s is not None and 0 <= now_s - self._sorted_s < HELD_S
        if not held or set(listed) != set(self._shown):
            self._shown = self._sorted(listed)
            self._sorted_s = now_s
        self._turn += 1
        self._fill()
        self._show_count(self._snapshot)

    def _fill(self) -> None:
        """Rows in view are always those of this snapshot; of the others a part is made anew in turns."""
        in_view, rows = self.table.rows_in_view(), []
        for number, house in enumerate(self._shown):
            if number in in_view or (number - self._turn) % _TURNS == 0 or house not in self._cells:
                self._cells[house] = cells_of(self._lines[house])
            rows.append(self._cells[house])
        self.table.set_rows(self._shown, rows)

    def _listed(self, houses: Sequence[HouseView]) -> list[str]:
        selection = self.selection_box.currentData()
        return [house.house for house in houses if _belongs(self._lines[house.house], selection)]

    def _sorted(self, houses: list[str]) -> list[str]:
        """By the chosen order; what is equal stays in the order of the houses."""
        order = self.order_box.currentData()
        if order is Order.HOUSE:
            return houses
        return sorted(houses, key=lambda house: _rank(self._lines[house], order))

    def _show_count(self, snapshot: CentralSnapshot) -> None:
        breaches = [line.deviation.breach for line in self._lines.values() if line.deviation is not None]
        beyond = sum(breach in (Breach.ALLOTMENT, Breach.IMPORT) for breach in breaches)
        below = sum(breach is Breach.MINIMUM for breach in breaches)
        listed, month = len(self._shown), month_words(snapshot)
        words = self.tr("{0}: {1} of {2} houses, {3} draw beyond allotment, {4} give less than they owe")
        self.count.set_text(words.format(month, listed, len(self._lines), beyond, below))

    @Slot(object)
    def _open(self, house: object) -> None:
        self.house_chosen.emit(str(house))

    @Slot()
    def _show_scrolled(self) -> None:
        if self._snapshot is not None:
            self._fill()

    @Slot()
    def _sort_anew(self) -> None:
        self._sorted_s = None
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
