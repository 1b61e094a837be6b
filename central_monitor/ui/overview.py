"""The strip above the diagram: national grid, pool, rate and tariff now, each with its short trend."""

from PySide6.QtCore import QCoreApplication
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
_CONTEXT = "central"
_LEAST_W = 200.0
_LEAST_PRICE = 1_000_000.0  # micro-coins per kWh


def trust(snapshot: CentralSnapshot) -> tuple[ValueState, str]:
    """How the pool's sums are drawn, and what is said of them: they lack every house without a good value."""
    missing = unheard(snapshot)
    if not missing:
        return ValueState.GOOD, ""
    text = QCoreApplication.translate(_CONTEXT, "without {0} of {1} houses")
    return ValueState.ESTIMATED, text.format(missing, len(snapshot.houses))


def national_reading(snapshot: CentralSnapshot) -> Reading:
    """The exchange with the national grid and its direction; no number while the tie is open."""
    translate, (state, without) = QCoreApplication.translate, trust(snapshot)
    if not snapshot.tie_closed:
        return Reading(power(0), ValueState.DISCONNECTED, translate(_CONTEXT, "tie open"))
    national_w, words = snapshot.pool.national_w, ""
    if national_w:
        words = translate(_CONTEXT, "import") if national_w > 0 else translate(_CONTEXT, "export")
    return Reading(power(abs(national_w)), state, ", ".join(part for part in (words, without) if part))


def rate_reading(snapshot: CentralSnapshot) -> Reading:
    """The rate now; the tariff where nothing is exported, and it says so."""
    state, without = trust(snapshot)
    pool = snapshot.pool
    if pool.rate is None:
        words = QCoreApplication.translate(_CONTEXT, "no export: tariff billed")
        return Reading(price(pool.tariff), state, words)
    return Reading(price(pool.rate), state, without)


def tariff_reading(snapshot: CentralSnapshot) -> Reading:
    """The national tariff, and whether it is day or night for obligations and sharing."""
    translate = QCoreApplication.translate
    words = translate(_CONTEXT, "day") if snapshot.pool.is_day else translate(_CONTEXT, "night")
    return Reading(price(snapshot.pool.tariff), ValueState.GOOD, words)


class Figure(QWidget):
    """A label over a value with its note."""

    def __init__(self, label: str, template: Quantity) -> None:
        super().__init__()
        self._theme = load_theme(LIGHT)
        self.label = TextLine(label, 13, quiet=True)
        self.value = ValueWidget(template, 20)
        self.value.setAccessibleName(label)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(3, 2, 6, 2)
        self._column.setSpacing(0)
        self._column.addWidget(self.label)
        self._column.addWidget(self.value)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.label.set_theme(theme)
        self.value.set_theme(theme)


class Tile(Figure):
    """A figure with its trend below."""

    def __init__(
        self, label: str, template: Quantity, least_span: float, plot: int, *, framed: bool = False
    ) -> None:
        super().__init__(label, template)
        self._framed = framed
        self.trend = Trend()
        self.line = TrendLine(self.trend, least_span, plot)
        self._column.addWidget(self.line)
        self.line.setFixedHeight(22)

    def show_value(self, now_s: float, value: float | None, reading: Reading) -> None:
        """Show the reading and add the value to the trend; None leaves a gap in it."""
        self.trend.add(now_s, value)
        self.line.update()
        self.value.set_reading(reading)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        super().set_theme(theme)
        self.line.set_theme(theme)

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
        pool, now_s = snapshot.pool, snapshot.now_s
        state, without = trust(snapshot)
        self._show_national(snapshot)
        for tile, power_w in ((self.exported, pool.produced_w), (self.taken, pool.consumed_w)):
            tile.show_value(now_s, power_w, Reading(power(power_w), state, without))
        available = self.tr("of {0} available").format(power(pool.available_w))
        self.pool.show_value(
            now_s, pool.pool_w, Reading(power(pool.pool_w, signed=True), state, without or available)
        )
        self.rate.show_value(now_s, pool.rate, rate_reading(snapshot))
        self.tariff.show_value(now_s, pool.tariff, tariff_reading(snapshot))

    def _show_national(self, snapshot: CentralSnapshot) -> None:
        known = snapshot.pool.national_w if snapshot.tie_closed else None
        self.national.show_value(snapshot.now_s, known, national_reading(snapshot))
