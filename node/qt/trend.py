"""Short trends: the last values a window has seen of one quantity, and the line they are drawn as."""

from collections import deque

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from node.qt.theme import LIGHT, Theme, load_theme

POINTS = 60


class Trend:
    """The last 60 values, oldest first; None is a time without a value.

    The line is kept as Qt's own polygons, one for each run without a gap, because building sixty points
    anew for every house and second would cost more than all else on the screen.
    """

    def __init__(self) -> None:
        self.values: deque[float | None] = deque()
        self._last_s: float | None = None
        self._next = 0  # the place of the next value on the line, counted from the first one ever
        self._runs: deque[QPolygonF] = deque()

    def add(self, now_s: float, value: float | None) -> None:
        """Append the value of this moment; a second value of the same moment changes nothing."""
        if now_s == self._last_s:
            return
        self._last_s = now_s
        if value is not None:
            if not self.values or self.values[-1] is None:
                self._runs.append(QPolygonF())
            self._runs[-1].append(QPointF(self._next, value))
        self.values.append(value)
        self._next += 1
        if len(self.values) > POINTS and self.values.popleft() is not None:
            self._runs[0].pop_front()
            if self._runs[0].isEmpty():
                self._runs.popleft()

    def paint(self, painter: QPainter, rect: QRectF, colour: QColor, least_span: float) -> None:
        """Draw the line, with a dot at its newest value; times without a value stay empty.

        `least_span` is the smallest range, in the values' unit, that fills the height: it keeps noise small.
        """
        known = [value for value in self.values if value is not None]
        if not known:
            return
        highest, lowest = max(known), min(known)
        place = rect.adjusted(2, 3, -3, -3)
        across = place.width() / (POINTS - 1)
        up = place.height() / max(highest - lowest, least_span)
        pen = QPen(colour, 1)
        pen.setCosmetic(True)
        painter.save()
        painter.setPen(pen)
        painter.translate(place.right(), place.center().y())
        painter.scale(across, -up)
        painter.translate(1 - self._next, -(highest + lowest) / 2)
        for run in self._runs:
            painter.drawPolyline(run)
        if self.values[-1] is not None:
            dot = QPen(colour, 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
            dot.setCosmetic(True)
            painter.setPen(dot)
            painter.drawPoint(self._runs[-1].last())
        painter.restore()


class TrendLine(QWidget):
    """A trend as a widget; `plot` is the number of its colour in the plot palette."""

    def __init__(self, trend: Trend, least_span: float, plot: int = 0) -> None:
        super().__init__()
        self._trend = trend
        self._least_span = least_span
        self._plot = plot
        self._theme = load_theme(LIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """A short strip."""
        return QSize(80, 20)

    def minimumSizeHint(self) -> QSize:
        """A short strip."""
        return QSize(30, 14)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the trend."""
        painter = QPainter(self)
        colour = self._theme.plot[self._plot]
        self._trend.paint(painter, QRectF(self.rect()), colour, self._least_span)
