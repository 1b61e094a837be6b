"""A house's power inside its contract band: left of zero is taken from the micro-grid, right is given."""

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, QSize, Qt
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
_LEAST_WIDTH = 120  # pixels in which a band can be read


@dataclass(frozen=True, slots=True)
class Band:
    """A contract band with what is drawn in it. Powers in W, signed; `power_w` None: not heard now.

    `marks_w` are levels inside the band that matter to whoever looks.
    """

    low_w: int
    high_w: int
    at_left: bool  # whether zero stands left: the house sells
    power_w: int | None
    allotment_w: int | None = None
    target_w: int | None = None
    marks_w: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """The pixels it needs to be read."""
        return _LEAST_WIDTH

    def paint(self, painter: QPainter, place: QRectF, theme: Theme) -> None:
        """Draw band, bar and marks in this place."""
        bar, x = self.lay_out(place)
        band = QRectF(x(self.low_w), bar.top(), x(self.high_w) - x(self.low_w), bar.height())
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.fillRect(band, theme.band)
        if self.power_w is not None:
            agreed = (min(x(0), band.left()), max(x(0), band.right()))
            _paint_fill(painter, bar, (x(0), x(self.power_w)), agreed, theme)
        painter.setPen(QPen(theme.line, 1))
        painter.drawRect(band)
        painter.setPen(QPen(theme.bus, 1))
        _paint_upright(painter, x(0), place.top() + 1, place.bottom() - 1)
        for mark_w in self.marks_w:
            _paint_upright(painter, x(mark_w), bar.bottom(), place.bottom() - 2)
        if self.allotment_w is not None:
            _paint_allotment(painter, x(-self.allotment_w), place, theme)
        if self.target_w is not None:
            _paint_target(painter, QPointF(x(self.target_w), place.top()), place.height(), theme)

    def lay_out(self, place: QRectF) -> tuple[QRectF, Callable[[float], float]]:
        """The bar's place, and where across it a power in W lies."""
        bar = place.adjusted(0, place.height() * 0.22, 0, -place.height() * 0.22)
        zero = bar.left() + bar.width() * (_FROM_EDGE if self.at_left else 1 - _FROM_EDGE)
        scale = bar.width() * _BAND_SHARE / max(abs(self.low_w), abs(self.high_w), 1)

        def x(power_w: float) -> float:
            return min(max(zero + power_w * scale, bar.left()), bar.right())

        return bar, x


def band_of(house: HouseView) -> Band | None:
    """The house's band; None without a contract. No bar stands in one that is not heard."""
    contract, sample = house.contract, house.sample
    if contract is None:
        return None
    sells = contract.role is Role.PRODUCER
    heard = sample is not None and house_state(house) is not ValueState.DISCONNECTED
    return Band(
        low_w=contract.min_w if sells else -contract.max_w,
        high_w=contract.max_w if sells else 0,
        at_left=sells,
        power_w=sample.exchange_p_w if heard and sample is not None else None,
        allotment_w=house.allotment_w,
        target_w=None if house.order is None else house.order.target_w,
    )


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


def _paint_upright(painter: QPainter, x: float, top: float, bottom: float) -> None:
    """A line that is sharp: it fills one column of pixels."""
    middle = int(x) + 0.5
    painter.drawLine(QPointF(middle, top), QPointF(middle, bottom))


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
        contract, band = self._house.contract, band_of(self._house)
        if contract is None or band is None:
            words = QCoreApplication.translate(_CONTEXT, "No contract this month: imports are national")
            paint_text(painter, whole, words, size, self._theme.quiet)
            return
        line = size * 1.35
        place = whole.adjusted(0, line, 0, -line)
        band.paint(painter, place, self._theme)
        _, x = band.lay_out(place)
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
