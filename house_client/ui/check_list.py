"""The installer's checks, a line each, with a verdict by shape and word."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from house_client.ui.commissioning_words import MARKS, check_name, verdict_word
from microgrid.commissioning import Check, CheckKind, Verdict
from node.qt.text import paint_text
from node.qt.theme import LIGHT, Theme, load_theme

_ROW = 1.38  # height of a row in text sizes
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class CheckList(QWidget):
    """One line a check; one of them is chosen, and explained elsewhere.

    What is wrong is reversed, so that it is seen from afar and on a greyscale print.

    Signals:
        chosen: the person chose another line.
    """

    chosen = Signal()

    def __init__(self, size: float) -> None:
        super().__init__()
        self._size = size
        self._theme = load_theme(LIGHT)
        self._checks: tuple[Check, ...] = ()
        self._row = 0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Checks"))

    @property
    def check(self) -> Check | None:
        """The chosen check."""
        return self._checks[self._row] if self._checks else None

    def set_checks(self, checks: Sequence[Check]) -> None:
        """Show these checks."""
        self._checks = tuple(checks)
        self._say()

    def choose(self, kind: CheckKind) -> None:
        """Choose the line of this check."""
        self._row = list(CheckKind).index(kind)
        self._say()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_size(self, size: float) -> None:
        """Write in this many pixels."""
        self._size = size
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, round(len(CheckKind) * self._row_height()) + 2)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self.sizeHint().height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = _STEPS.get(Qt.Key(event.key()))
        if step is None or not self._checks:
            super().keyPressEvent(event)
            return
        self._go(self._row + step)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._go(int(event.position().y() / self._row_height()))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        height = self._row_height()
        for number, check in enumerate(self._checks):
            place = QRectF(1, 1 + number * height, self.width() - 2, height)
            self._paint_row(painter, place, check, number == self._row)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.focus, 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))

    def _paint_row(self, painter: QPainter, place: QRectF, check: Check, chosen: bool) -> None:
        wrong = check.verdict is Verdict.WRONG
        colour = self._theme.text
        if wrong:
            painter.fillRect(place, self._theme.emphasis)
            colour = self._theme.emphasis_text
        elif chosen:
            painter.fillRect(place, self._theme.band)
        if chosen:
            painter.fillRect(QRectF(place.left(), place.top(), 6, place.height()), self._theme.bar)
        mark = place.adjusted(10, 0, 0, 0)
        paint_text(painter, mark, MARKS[check.verdict], self._size, colour, bold=wrong)
        width = place.width() * 0.66
        name = QRectF(mark.left() + 1.4 * self._size, place.top(), width - 2 * self._size, place.height())
        paint_text(painter, name, check_name(check.kind), self._size, colour, bold=wrong)
        word = QRectF(place.left() + width, place.top(), place.width() - width - 6, place.height())
        quiet = colour if wrong or check.verdict is Verdict.OPEN else self._theme.quiet
        align = Qt.AlignmentFlag.AlignRight
        paint_text(painter, word, verdict_word(check.verdict), self._size, quiet, bold=wrong, align=align)

    def _go(self, row: int) -> None:
        self._row = max(0, min(row, len(self._checks) - 1))
        self._say()
        self.chosen.emit()

    def _say(self) -> None:
        check = self.check
        if check is not None:
            self.setAccessibleDescription(f"{check_name(check.kind)}: {verdict_word(check.verdict)}")
        self.update()

    def _row_height(self) -> float:
        return self._size * _ROW
