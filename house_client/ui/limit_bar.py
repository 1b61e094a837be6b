"""The power now as a bar against the limit beyond which it costs more."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from house_client.ui.margin import Margin, Nearness
from microgrid.terms import Role
from node.qt.format import power
from node.qt.text import paint_text, text_width
from node.qt.theme import LIGHT, Theme, load_theme


class LimitBar(QWidget):
    """A bar from 0 to the contract's maximum; the band is where it does not cost more.

    A mark points at the limit (the share or the minimum), a second, hollow one at what the central asks.
    Power outside the band is drawn in the colour of excess and reaches over the band's edge.
    """

    def __init__(self, size: float) -> None:
        super().__init__()
        self._size = size
        self._margin: Margin | None = None
        self._theme = load_theme(LIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_margin(self, margin: Margin | None) -> None:
        """Show this; None: nothing is known."""
        if margin != self._margin:
            self._margin = margin
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_size(self, size: float) -> None:
        """Draw it this many pixels high."""
        self._size = size
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(200, round(self._size))

    def minimumSizeHint(self) -> QSize:
        return QSize(100, round(self._size))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect()).adjusted(4, 0.5, -4, -0.5)
        frame = whole.adjusted(0, whole.height() * 0.3, 0, 0)
        margin, theme = self._margin, self._theme
        if margin is None:
            painter.fillRect(frame, theme.absent)
            painter.setPen(QPen(theme.quiet, 1, Qt.PenStyle.DotLine))
            painter.drawRect(frame)
            return
        scale_w = max(margin.most_w, margin.power_w, margin.limit_w or 0, margin.asked_w or 0, 1)

        def across(power_w: float) -> float:
            return frame.left() + frame.width() * power_w / scale_w

        self._paint_band(painter, frame, across(margin.limit_w or 0), margin)
        self._paint_power(painter, frame, across(margin.power_w), margin)
        self._paint_end(painter, frame, across(margin.power_w), scale_w)
        painter.setPen(QPen(theme.line, 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(frame)
        if margin.limit_w is not None:
            self._paint_mark(painter, frame, across(margin.limit_w), filled=True)
        if margin.asked_w is not None:
            self._paint_mark(painter, frame, across(margin.asked_w), filled=False)

    def _paint_band(self, painter: QPainter, frame: QRectF, limit: float, margin: Margin) -> None:
        band = QRectF(frame)
        if margin.role is Role.CONSUMER:
            band.setRight(limit)
        else:
            band.setLeft(limit)
        painter.fillRect(frame, self._theme.panel)
        painter.fillRect(band, self._theme.band)

    def _paint_power(self, painter: QPainter, frame: QRectF, end: float, margin: Margin) -> None:
        inset = frame.height() * 0.22
        bar = frame.adjusted(0, inset, 0, -inset)
        bar.setRight(end)
        beyond = margin.nearness is Nearness.BEYOND
        colour = self._theme.excess if beyond else self._theme.bar
        painter.fillRect(bar, colour)

    def _paint_end(self, painter: QPainter, frame: QRectF, reached: float, scale_w: int) -> None:
        """The bar's full length as a number, where the bar has not come to it."""
        text, size = str(power(scale_w)), frame.height() * 0.7
        width = text_width(text, int(size)) + 8
        if reached < frame.right() - width:
            place = frame.adjusted(frame.width() - width, 0, -4, 0)
            align = Qt.AlignmentFlag.AlignRight
            paint_text(painter, place, text, size, self._theme.quiet, align=align)

    def _paint_mark(self, painter: QPainter, frame: QRectF, at: float, *, filled: bool) -> None:
        """A triangle above the bar and a line through it."""
        theme, half = self._theme, frame.top() * 0.6
        painter.setPen(QPen(theme.text, 2))
        painter.drawLine(QPointF(at, frame.top()), QPointF(at, frame.bottom()))
        painter.setPen(QPen(theme.text, 1.5))
        painter.setBrush(theme.text if filled else theme.panel)
        corners = [QPointF(at - half, 1), QPointF(at + half, 1), QPointF(at, frame.top())]
        painter.drawPolygon(QPolygonF(corners))
