"""The signs of the single-line diagram: breakers, flow arrows, alarm priorities."""

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from node.qt.text import paint_text, text_width
from node.qt.theme import LIGHT, Theme, load_theme

_CONTEXT = "symbols"


def breaker_word(closed: bool | None) -> str:
    """Closed, open or unknown."""
    if closed is None:
        return QCoreApplication.translate(_CONTEXT, "unknown")
    if closed:
        return QCoreApplication.translate(_CONTEXT, "closed")
    return QCoreApplication.translate(_CONTEXT, "open")


def paint_breaker(painter: QPainter, rect: QRectF, closed: bool | None, theme: Theme) -> None:
    """A square: filled is closed, empty is open, dashed with ? is unknown."""
    painter.save()
    painter.setBrush(theme.closed if closed else theme.panel)
    if closed is None:
        painter.setPen(QPen(theme.quiet, 1.5, Qt.PenStyle.DotLine))
    else:
        painter.setPen(QPen(theme.bus, 2))
    painter.drawRect(rect.adjusted(1, 1, -1, -1))
    painter.restore()
    if closed is None:
        centre = Qt.AlignmentFlag.AlignHCenter
        paint_text(painter, rect, "?", rect.height() * 0.8, theme.text, align=centre)


def paint_arrow(painter: QPainter, centre: QPointF, size: float, up: bool, theme: Theme) -> None:
    """A flow arrow on a conductor, pointing up or down."""
    half, tip = size / 2, -size / 2 if up else size / 2
    corners = [QPointF(0, tip), QPointF(-half, -tip), QPointF(half, -tip)]
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.bus)
    painter.drawPolygon(QPolygonF([centre + corner for corner in corners]))
    painter.restore()


class Priority(Enum):
    """Priorities of alarms, most urgent first: number, key of the palette."""

    URGENT = (1, "urgent")
    HIGH = (2, "high")
    LOW = (3, "low")

    @property
    def number(self) -> int:
        """1 is the most urgent."""
        return self.value[0]

    @property
    def key(self) -> str:
        """Its name in the palette file."""
        return self.value[1]

    @property
    def word(self) -> str:
        """Its name for people."""
        match self:
            case Priority.URGENT:
                return QCoreApplication.translate(_CONTEXT, "urgent")
            case Priority.HIGH:
                return QCoreApplication.translate(_CONTEXT, "high")
            case Priority.LOW:
                return QCoreApplication.translate(_CONTEXT, "low")


@dataclass(frozen=True, slots=True)
class Condition:
    """Something the operator should know now: how urgent, and in words."""

    priority: Priority
    text: str


def paint_priority(painter: QPainter, rect: QRectF, priority: Priority, theme: Theme) -> None:
    """The priority's own shape with its number: square, triangle, circle."""
    painter.save()
    painter.setPen(QPen(theme.text, 1))
    painter.setBrush(theme.alarm[priority.key])
    text_place = QRectF(rect)
    if priority is Priority.URGENT:
        painter.drawRect(rect)
    elif priority is Priority.HIGH:
        top = QPointF(rect.center().x(), rect.top())
        painter.drawPolygon(QPolygonF([rect.bottomLeft(), top, rect.bottomRight()]))
        text_place = rect.adjusted(0, rect.height() * 0.3, 0, 0)
    else:
        painter.drawEllipse(rect)
    painter.restore()
    colour = theme.alarm["urgent_text" if priority is Priority.URGENT else "text"]
    centre = Qt.AlignmentFlag.AlignHCenter
    size = rect.height() * 0.62
    paint_text(painter, text_place, str(priority.number), size, colour, bold=True, align=centre)


class BreakerWidget(QWidget):
    """A breaker by fill and word."""

    def __init__(self, size: float = 16) -> None:
        super().__init__()
        self._size = size
        self._closed: bool | None = None
        self._theme = load_theme(LIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def set_closed(self, closed: bool | None) -> None:
        """Show it closed, open, or unknown (None)."""
        if closed is not self._closed:
            self._closed = closed
            self.update()
        self.setAccessibleDescription(breaker_word(closed))

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_size(self, size: float) -> None:
        """Write its word in this many pixels."""
        self._size = size
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for the longest word."""
        return QSize(round(self._size * 6.5), round(self._size * 1.4))

    def minimumSizeHint(self) -> QSize:
        """As the size hint."""
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw symbol and word, right-aligned."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = min(self._size, self.height() - 2)
        width = max(text_width(breaker_word(state), int(self._size)) for state in (True, False, None)) + 1
        word = QRectF(self.width() - width - 4, 0, width, self.height())
        square = QRectF(word.left() - side - 6, (self.height() - side) / 2, side, side)
        paint_breaker(painter, square, self._closed, self._theme)
        paint_text(painter, word, breaker_word(self._closed), self._size, self._theme.text)
