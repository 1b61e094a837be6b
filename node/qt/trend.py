"""Short trends: the last values a window has seen of one quantity, and the line they are drawn as."""

from collections import deque

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from node.qt.theme import LIGHT, Theme, load_theme

POINTS = 60


class Trend:
    """The last 60 values, oldest first; None is a time without a value."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque(maxlen=POINTS)
        self.values: deque[float | None] = deque(maxlen=POINTS)

    def add(self, now_s: float, value: float | None) -> None:
        """Append the value of this moment; a second value of the same moment takes the first one's place."""
        if self._moments and self._moments[-1] == now_s:
            self.values[-1] = value
            return
        self._moments.append(now_s)
        self.values.append(value)


def paint_trend(painter: QPainter, rect: QRectF, trend: Trend, colour: QColor, least_span: float) -> None:
    """The trend as a line with a dot at its newest value; times without a value stay empty.

    `least_span` is the smallest range, in the values' unit, that fills the height: it keeps noise small.
    """
    known = [value for value in trend.values if value is not None]
    if not known:
        return
    middle = (max(known) + min(known)) / 2
    span = max(max(known) - min(known), least_span)
    place = rect.adjusted(2, 3, -3, -3)
    step = place.width() / (POINTS - 1)
    left = place.right() - step * (len(trend.values) - 1)
    painter.setPen(QPen(colour, 1))
    run: list[QPointF] = []
    for index, value in enumerate(trend.values):
        if value is None:
            _paint_run(painter, run)
            run = []
        else:
            y = place.center().y() - (value - middle) / span * place.height()
            run.append(QPointF(left + index * step, y))
    _paint_run(painter, run)
    if run:
        painter.setPen(QPen(colour, 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPoint(run[-1])


def _paint_run(painter: QPainter, run: list[QPointF]) -> None:
    if len(run) > 1:
        painter.drawPolyline(QPolygonF(run))
    elif run:
        painter.drawPoint(run[0])


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
        paint_trend(painter, QRectF(self.rect()), self._trend, colour, self._least_span)
