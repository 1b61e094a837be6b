"""Level 3: everything about one house (8.3.3, Fig 8.4)."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from central_monitor.snapshot import CentralSnapshot, HouseView
from central_monitor.ui.detail_panels import (
    SMALLEST,
    ContractPanel,
    LinkPanel,
    MonthPanel,
    PhasePanel,
    PowerPanel,
    TradePanel,
)
from central_monitor.ui.house_trends import HouseTrends
from central_monitor.ui.presentation import house_note, house_state, month_words, role_words
from node.qt.format import power
from node.qt.text import TextLine
from node.qt.theme import LIGHT, Theme, load_theme
from node.qt.trend import Trend, TrendLine
from node.qt.value import ValueState

_LEAST_W = 200.0  # less change than this does not fill a trend's height
_LARGEST = 26.0  # text size in pixels
_SHARES = (11, 10, 10)  # of the width, column by column
_ACROSS, _DOWN = 78.0, 38.0  # text sizes in the screen's width and height


class TrendBox(QWidget):
    """A short trend with its label and the range it spans."""

    def __init__(self, label: str, plot: int) -> None:
        super().__init__()
        self._label, self._plot = label, plot
        self._theme = load_theme(LIGHT)
        self.text = TextLine(label, 13, quiet=True)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.text)
        self.line = TrendLine(Trend(), _LEAST_W, plot)
        self._column.addWidget(self.line, 1)
        self._trend: Trend | None = None

    def show_trend(self, trend: Trend) -> None:
        """Show this trend and its range in figures."""
        if trend is not self._trend:
            self._trend = trend
            self.line.deleteLater()
            self._column.removeWidget(self.line)
            self.line = TrendLine(trend, _LEAST_W, self._plot)
            self.line.set_theme(self._theme)
            self._column.addWidget(self.line, 1)
        known = [value for value in trend.values if value is not None]
        span = f"{power(min(known)).number} … {power(max(known))}" if known else ""
        self.text.set_text(f"{self._label}   {span}".strip())
        self.line.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.text.set_theme(theme)
        self.line.set_theme(theme)


class TradingDetail(QWidget):
    """The Energy Trading Detail window: one house; the others are reached by its buttons.

    Signals:
        back_asked: the operator wants back to where the house was chosen.
    """

    back_asked = Signal()

    def __init__(self, trends: HouseTrends) -> None:
        super().__init__()
        self._trends = trends
        self._snapshot: CentralSnapshot | None = None
        self.house: str | None = None
        self.name = TextLine("", 18, bold=True)
        self.state = TextLine("", 14)
        self.phases, self.powers, self.trade = PhasePanel(), PowerPanel(), TradePanel()
        self.contract, self.month, self.link = ContractPanel(), MonthPanel(), LinkPanel()
        self.panels = (self.phases, self.powers, self.trade, self.contract, self.month, self.link)
        self.exchanged = TrendBox(self.tr("Into the micro-grid"), 0)
        self.generated = TrendBox(self.tr("Generation"), 1)
        self.load = TrendBox(self.tr("Load"), 2)
        self.trend_boxes = (self.exchanged, self.generated, self.load)
        self._make_buttons()
        self._lay_out()
        self.setFocusProxy(self.next_button)

    def show_house(self, house: str) -> None:
        """Show this house from now on; one that no snapshot knows gives way to the first."""
        self.house = house
        self._show()

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show this snapshot; the trends of its houses have it already."""
        self._snapshot = snapshot
        self._show()

    def refresh(self) -> None:
        """Nothing is asked for: every snapshot has all there is."""

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part in (self.name, self.state, *self.panels, *self.trend_boxes):
            part.set_theme(theme)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Write as large as the screen has room for."""
        size = max(SMALLEST, min(_LARGEST, self.width() / _ACROSS, self.height() / _DOWN))
        for panel in self.panels:
            panel.set_size(size)

    def _make_buttons(self) -> None:
        self.previous_button = QPushButton(self.tr("&Previous house"))
        self.next_button = QPushButton(self.tr("&Next house"))
        self.back_button = QPushButton(self.tr("&Back"))
        self.previous_button.clicked.connect(lambda: self._step(-1))
        self.next_button.clicked.connect(lambda: self._step(1))
        self.back_button.clicked.connect(self.back_asked)
        QShortcut(QKeySequence(Qt.Key.Key_PageUp), self, lambda: self._step(-1))
        QShortcut(QKeySequence(Qt.Key.Key_PageDown), self, lambda: self._step(1))
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.back_button.click)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.name, 3)
        head.addWidget(self.state, 2)
        for button in (self.previous_button, self.next_button, self.back_button):
            head.addWidget(button)
        grid = QGridLayout()
        grid.setSpacing(6)
        rows = ((self.phases, self.trade, self.month), (self.powers, self.contract, self.link))
        for row, panels in enumerate(rows):
            for column, panel in enumerate(panels):
                grid.addWidget(panel, row, column)
        for column, share in enumerate(_SHARES):
            grid.setColumnStretch(column, share)
        trends = QHBoxLayout()
        trends.setSpacing(12)
        for box in self.trend_boxes:
            trends.addWidget(box, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(head)
        layout.addLayout(grid, 6)
        layout.addLayout(trends, 1)
        for box in self.trend_boxes:
            box.setMinimumHeight(50)

    def _show(self) -> None:
        if self._snapshot is None or not self._snapshot.houses:
            return
        house = self._houses().get(self.house or "", self._snapshot.houses[0])
        self.house = house.house
        own_name = f" · {house.name}" if house.name != house.house else ""
        self.name.set_text(self.tr("House {0}").format(house.house) + own_name)
        words = f"{role_words(house.contract)} · {house_note(house)}"
        self.state.set_text(words, emphasised=house_state(house) is not ValueState.GOOD)
        self.phases.show_house(house)
        self.powers.show_house(house)
        self.trade.show_house(house, self._snapshot)
        self.contract.show_house(house, month_words(self._snapshot))
        self.month.show_house(house, month_words(self._snapshot))
        self.link.show_house(house, self._snapshot.zone)
        self.exchanged.show_trend(self._trends.exchanged[house.house])
        self.generated.show_trend(self._trends.generated[house.house])
        self.load.show_trend(self._trends.load[house.house])

    def _houses(self) -> dict[str, HouseView]:
        return {} if self._snapshot is None else {each.house: each for each in self._snapshot.houses}

    @Slot()
    def _step(self, by: int) -> None:
        """The next house, and after the last the first."""
        houses = list(self._houses())
        if self.house in houses:
            self.show_house(houses[(houses.index(self.house) + by) % len(houses)])
