"""The strip above the diagram: national grid, pool, rate and tariff now, each with its short trend."""

from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from central_monitor.snapshot import CentralSnapshot
from central_monitor.ui.presentation import unheard
from node.qt.format import Quantity, power, price
from node.qt.text import TextLine
from node.qt.theme import LIGHT, Theme, load_theme
from node.qt.trend import Trend, TrendLine
from node.qt.value import Reading, ValueState, ValueWidget

_KW = Quantity("\N{MINUS SIGN}9,999.99", "kW")
_LEAST_W = 200.0
_LEAST_PRICE = 1_000_000.0  # micro-coins per kWh


class Tile(QWidget):
    """A label, a value with its note, and the value's trend."""

    def __init__(
        self, label: str, template: Quantity, least_span: float, plot: int, *, framed: bool = False
    ) -> None:
        super().__init__()
        self._framed = framed
        self._theme = load_theme(LIGHT)
        self.label = TextLine(label, 13, quiet=True)
        self.value = ValueWidget(template, 20)
        self.value.setAccessibleName(label)
        self.trend = Trend()
        self.line = TrendLine(self.trend, least_span, plot)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(3, 2, 6, 2)
        layout.setSpacing(0)
        layout.addWidget(self.label)
        layout.addWidget(self.value)
        layout.addWidget(self.line)
        self.line.setFixedHeight(22)

    def show_value(self, now_s: float, value: float | None, reading: Reading) -> None:
        """Show the reading and add the value to the trend; None leaves a gap in it."""
        self.trend.add(now_s, value)
        self.line.update()
        self.value.set_reading(reading)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        for part in (self.label, self.value, self.line):
            part.set_theme(theme)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame of what is a part of the diagram."""
        if self._framed:
            painter = QPainter(self)
            painter.fillRect(self.rect(), self._theme.panel)
            painter.setPen(QPen(self._theme.bus, 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))


class Overview(QWidget):
    """The tiles of the whole micro-grid; the first one is the national grid, the diagram hangs from it."""

    def __init__(self) -> None:
        super().__init__()
        rate = Quantity("999.99", price(0).unit)
        self.national = Tile(self.tr("National grid"), _KW, _LEAST_W, 0, framed=True)
        self.exported = Tile(self.tr("Given by houses"), _KW, _LEAST_W, 0)
        self.taken = Tile(self.tr("Taken by houses"), _KW, _LEAST_W, 0)
        self.pool = Tile(self.tr("Pool"), _KW, _LEAST_W, 1)
        self.rate = Tile(self.tr("Rate now"), rate, _LEAST_PRICE, 2)
        self.tariff = Tile(self.tr("National tariff"), rate, _LEAST_PRICE, 3)
        self.tiles = (self.national, self.exported, self.taken, self.pool, self.rate, self.tariff)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 0, 0, 0)
        layout.setSpacing(6)
        for tile in self.tiles:
            layout.addWidget(tile, 1)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for tile in self.tiles:
            tile.set_theme(theme)

    def show_snapshot(self, snapshot: CentralSnapshot) -> None:
        """Show the pool of this snapshot."""
        pool, now_s, missing = snapshot.pool, snapshot.now_s, unheard(snapshot)
        # The sums lack every house without a good value; they are said to be estimates then.
        state = ValueState.ESTIMATED if missing else ValueState.GOOD
        without = (
            self.tr("without {0} of {1} houses").format(missing, len(snapshot.houses)) if missing else ""
        )
        self._show_national(snapshot, state, without)
        for tile, power_w in ((self.exported, pool.produced_w), (self.taken, pool.consumed_w)):
            tile.show_value(now_s, power_w, Reading(power(power_w), state, without))
        available = self.tr("of {0} available").format(power(pool.available_w))
        self.pool.show_value(
            now_s, pool.pool_w, Reading(power(pool.pool_w, signed=True), state, without or available)
        )
        if pool.rate is None:
            reading = Reading(price(pool.tariff), state, self.tr("no export: tariff billed"))
            self.rate.show_value(now_s, None, reading)
        else:
            self.rate.show_value(now_s, pool.rate, Reading(price(pool.rate), state, without))
        words = self.tr("day") if pool.is_day else self.tr("night")
        self.tariff.show_value(now_s, pool.tariff, Reading(price(pool.tariff), ValueState.GOOD, words))

    def _show_national(self, snapshot: CentralSnapshot, state: ValueState, without: str) -> None:
        national_w = snapshot.pool.national_w
        if not snapshot.tie_closed:
            reading = Reading(power(0), ValueState.DISCONNECTED, self.tr("tie open"))
            self.national.show_value(snapshot.now_s, None, reading)
            return
        words = self.tr("import") if national_w > 0 else self.tr("export") if national_w < 0 else ""
        note = ", ".join(part for part in (words, without) if part)
        self.national.show_value(snapshot.now_s, national_w, Reading(power(abs(national_w)), state, note))
