"""A house's power inside its contract band: left of zero is taken from the micro-grid, right is given."""

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from central_monitor.snapshot import HouseView
from central_monitor.ui.presentation import house_state
from microgrid.terms import Contract, Role
from node.qt.format import power
from node.qt.text import paint_text, text_width
from node.qt.theme import LIGHT, Theme, load_theme
from node.qt.value import ValueState

_CONTEXT = "central"
_FROM_EDGE = 0.15  # how far zero stands from the edge on the side where nothing is agreed
_BAND_SHARE = 0.72  # of the width that a contract's maximum takes


def paint_band(painter: QPainter, place: QRectF, house: HouseView, theme: Theme) -> None:
    """Draw band, bar and marks; nothing of a house without a contract, no bar of one that is not heard."""
    contract = house.contract
    if contract is None:
        return
    bar, x = _lay_out(place, contract)
    producer = contract.role is Role.PRODUCER
    low, high = (contract.min_w, contract.max_w) if producer else (-contract.max_w, 0)
    band = QRectF(x(low), bar.top(), x(high) - x(low), bar.height())
    painter.fillRect(band, theme.band)
    sample = house.sample
    if sample is not None and house_state(house) is not ValueState.DISCONNECTED:
        agreed = (min(x(0), band.left()), max(x(0), band.right()))
        _paint_fill(painter, bar, (x(0), x(sample.exchange_p_w)), agreed, theme)
    painter.setPen(QPen(theme.line, 1))
    painter.drawRect(band)
    painter.setPen(QPen(theme.bus, 1))
    painter.drawLine(QPointF(x(0), place.top() + 1), QPointF(x(0), place.bottom() - 1))
    if (share_w := house.allotment_w) is not None:
        _paint_allotment(painter, x(-share_w), place, theme)
    if house.order is not None:
        _paint_target(painter, QPointF(x(house.order.target_w), place.top()), place.height(), theme)


def _lay_out(place: QRectF, contract: Contract) -> tuple[QRectF, Callable[[float], float]]:
    """The bar's place, and where across it a power in W lies."""
    bar = place.adjusted(0, place.height() * 0.22, 0, -place.height() * 0.22)
    at_left = contract.role is Role.PRODUCER
    zero = bar.left() + bar.width() * (_FROM_EDGE if at_left else 1 - _FROM_EDGE)
    scale = bar.width() * _BAND_SHARE / contract.max_w

    def x(power_w: float) -> float:
        return min(max(zero + power_w * scale, bar.left()), bar.right())

    return bar, x


def _paint_fill(
    painter: QPainter, bar: QRectF, ends: tuple[float, float], agreed: tuple[float, float], theme: Theme
) -> None:
    """The bar between `ends`; what lies outside `agreed` is drawn full and in the strongest grey."""
    left, right = min(ends), max(ends)
    thin = bar.adjusted(0, bar.height() * 0.2, 0, -bar.height() * 0.2)
    painter.fillRect(QRectF(left, thin.top(), right - left, thin.height()), theme.bar)
    for start, end in ((left, min(right, agreed[0])), (max(left, agreed[1]), right)):
        if end > start:
            painter.fillRect(QRectF(start, bar.top(), end - start, bar.height()), theme.excess)


def _paint_allotment(painter: QPainter, x: float, place: QRectF, theme: Theme) -> None:
    painter.setPen(QPen(theme.panel, 4))
    painter.drawLine(QPointF(x, place.top() + 2), QPointF(x, place.bottom() - 2))
    painter.setPen(QPen(theme.text, 2))
    painter.drawLine(QPointF(x, place.top() + 1), QPointF(x, place.bottom() - 1))


def _paint_target(painter: QPainter, top: QPointF, height: float, theme: Theme) -> None:
    half = height * 0.3
    painter.save()
    painter.setPen(QPen(theme.panel, 1))
    painter.setBrush(theme.text)
    tip = QPointF(top.x(), top.y() + height * 0.55)
    painter.drawPolygon(QPolygonF([top + QPointF(-half, 0), top + QPointF(half, 0), tip]))
    painter.restore()


class BandBar(QWidget):
    """The band of one house, large: limits in figures below it, allotment or target above."""

    def __init__(self, size: float = 13) -> None:
        super().__init__()
        self._size = size
        self._house: HouseView | None = None
        self._theme = load_theme(LIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Power inside the contract"))

    def show_house(self, house: HouseView) -> None:
        """Show this house."""
        self._house = house
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_size(self, size: float) -> None:
        """Write the figures in this many pixels."""
        self._size = size
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Two lines of figures with the bar between them."""
        return QSize(round(self._size * 24), round(self._size * 4.8))

    def minimumSizeHint(self) -> QSize:
        """As high as the hint, half as wide."""
        hint = self.sizeHint()
        return QSize(hint.width() // 2, hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the bar and its figures."""
        if self._house is None:
            return
        painter, size = QPainter(self), self._size
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect())
        contract = self._house.contract
        if contract is None:
            words = QCoreApplication.translate(_CONTEXT, "No contract this month: imports are national")
            paint_text(painter, whole, words, size, self._theme.quiet)
            return
        line = size * 1.35
        place = whole.adjusted(0, line, 0, -line)
        paint_band(painter, place, self._house, self._theme)
        _, x = _lay_out(place, contract)
        above, below = QRectF(whole), QRectF(whole)
        above.setHeight(line)
        below.setTop(whole.bottom() - line)
        self._paint_figures(painter, below, [(x(w), text) for w, text in _limits(contract)])
        self._paint_figures(painter, above, [(x(w), text) for w, text in _marks(self._house)])

    def _paint_figures(self, painter: QPainter, line: QRectF, figures: list[tuple[float, str]]) -> None:
        """Each figure under or over its place, moved aside where it would leave the line or meet the last."""
        free = line.left()
        for x, text in sorted(figures):
            width = text_width(text, int(self._size)) + 2
            left = min(max(x - width / 2, free), line.right() - width)
            place = QRectF(left, line.top(), width, line.height())
            paint_text(painter, place, text, self._size, self._theme.quiet)
            free = left + width + self._size * 0.6


def _limits(contract: Contract) -> list[tuple[float, str]]:
    """Zero and what is agreed, in figures; the maximum carries the unit."""
    maximum, zero = power(contract.max_w), power(0).number
    if contract.role is Role.CONSUMER:
        text = QCoreApplication.translate(_CONTEXT, "max {0}").format(maximum)
        return [(-contract.max_w, text), (0, zero)]
    text = QCoreApplication.translate(_CONTEXT, "max {0}").format(maximum)
    lowest = QCoreApplication.translate(_CONTEXT, "min {0}").format(power(contract.min_w).number)
    limits: list[tuple[float, str]] = [(contract.min_w, lowest), (contract.max_w, text)]
    return limits if contract.min_w < contract.max_w * 0.2 else [(0, zero), *limits]


def _marks(house: HouseView) -> list[tuple[float, str]]:
    """Allotment and target, in figures."""
    marks: list[tuple[float, str]] = []
    if (share_w := house.allotment_w) is not None:
        text = QCoreApplication.translate(_CONTEXT, "allotment {0}").format(power(share_w))
        marks.append((-share_w, text))
    if house.order is not None:
        text = QCoreApplication.translate(_CONTEXT, "target {0}").format(power(house.order.target_w))
        marks.append((house.order.target_w, text))
    return marks
