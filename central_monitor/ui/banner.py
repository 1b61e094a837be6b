"""The banner that is on every screen: what is wrong now, by shape, number and word."""

from math import ceil

from PySide6.QtCore import QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from node.qt.symbols import Condition, Priority, paint_priority
from node.qt.text import paint_text, plain_tip
from node.qt.theme import LIGHT, Theme, load_theme

_LINE = 24
_LINES = 2
_MARK = 18


class Banner(QWidget):
    """Columns of two conditions, most urgent first; its height is the same with none."""

    def __init__(self) -> None:
        super().__init__()
        self._conditions: list[Condition] = []
        self._theme = load_theme(LIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(_LINE * _LINES + 2)
        self.setAccessibleName(self.tr("Conditions"))

    @property
    def conditions(self) -> list[Condition]:
        """What is shown."""
        return self._conditions

    def show_conditions(self, conditions: list[Condition]) -> None:
        """Show these, most urgent first."""
        if conditions == self._conditions:
            return
        self._conditions = conditions
        words = [f"{condition.priority.word}: {condition.text}" for condition in conditions]
        self.setAccessibleDescription("; ".join(words))
        self.setToolTip(plain_tip("\n".join(words)))
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """As high as its lines."""
        return QSize(600, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the conditions."""
        painter, theme = QPainter(self), self._theme
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect())
        painter.fillRect(whole, theme.panel)
        painter.setPen(QPen(theme.text if self._conditions else theme.line, 2 if self._conditions else 1))
        painter.drawRect(whole.adjusted(1, 1, -1, -1))
        if not self._conditions:
            paint_text(painter, whole.adjusted(10, 0, -10, 0), self.tr("No faults"), 14, theme.quiet)
            return
        width = whole.width() / ceil(len(self._conditions) / _LINES)
        for index, condition in enumerate(self._conditions):
            place = QRectF(index // _LINES * width, 1 + index % _LINES * _LINE, width, _LINE)
            self._paint_condition(painter, place, condition)

    def _paint_condition(self, painter: QPainter, place: QRectF, condition: Condition) -> None:
        urgent = condition.priority is Priority.URGENT
        if urgent:
            painter.fillRect(place.adjusted(2, 1, -2, 0), self._theme.alarm[condition.priority.key])
        mark = QRectF(place.left() + 8, place.center().y() - _MARK / 2, _MARK, _MARK)
        paint_priority(painter, mark, condition.priority, self._theme)
        colour = self._theme.alarm["urgent_text"] if urgent else self._theme.text
        word = QRectF(mark.right() + 8, place.top(), 62, place.height())
        paint_text(painter, word, condition.priority.word, 14, colour, bold=True)
        paint_text(
            painter, place.adjusted(word.right() + 4 - place.left(), 0, -8, 0), condition.text, 14, colour
        )
