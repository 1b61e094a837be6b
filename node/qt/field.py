"""What every field of a form has: a label with a mnemonic, its limit beside it, a fault under it."""

from collections.abc import Sequence
from typing import ClassVar

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLabel, QSizePolicy, QWidget

from node.qt.text import ui_font

TARGET = 48  # pixels, the least height of what is touched
SIZE = 13.0
KIOSK_SIZE = 20.0
SMALLER = 0.87  # limits and details, of the field's size


def plain(label: str) -> str:
    """A label without its mnemonic's sign."""
    return label.replace("&&", "\0").replace("&", "").replace("\0", "&")


class Paragraph(QLabel):
    """Text that breaks its lines; never read as markup, as names of people stand in it."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def minimumSizeHint(self) -> QSize:
        """One line: how many there are follows from the width."""
        return QSize(40, self.fontMetrics().height())


class ListBox(QComboBox):
    """A list that opens, drawn flat."""

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.palette().text())
        x, y = self.width() - 14, self.height() / 2
        painter.drawPolygon([QPointF(x - 4, y - 2), QPointF(x + 4, y - 2), QPointF(x, y + 3)])


def refresh_style(widget: QWidget) -> None:
    """Have the style sheet look at the widget's properties again."""
    widget.style().unpolish(widget)
    widget.style().polish(widget)


class FaultLine(QWidget):
    """What is wrong, in words behind a mark; takes no room while nothing is."""

    def __init__(self) -> None:
        super().__init__()
        self._mark = QLabel("!")
        self._mark.setObjectName("fault_mark")
        self._mark.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._text = Paragraph()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(self._text, 1)
        self.set_size(SIZE)
        self.hide()

    def text(self) -> str:
        """What is said; empty if nothing is wrong."""
        return self._text.text()

    def set_text(self, text: str) -> None:
        """Say this; empty: nothing is wrong."""
        self._text.setText(text)
        self.setAccessibleName(text)
        self.setVisible(bool(text))

    def set_size(self, size: float) -> None:
        """Write in this many pixels."""
        side = round(size * 1.4)
        self._mark.setFixedSize(side, side)
        self._mark.setFont(ui_font(int(size), bold=True))
        self._text.setFont(ui_font(int(size), bold=True))


class Field(QWidget):
    """A label, what is typed into, the limit beside it, and under it the fault if there is one.

    A kind of field calls `place` and `set_kiosk` once its parts are made.

    Signals:
        changed: the person has typed or chosen something else.
    """

    changed: ClassVar[Signal] = Signal()

    def __init__(
        self, label: str, editors: Sequence[QWidget], limit_text: str = "", notes: Sequence[QLabel] = ()
    ) -> None:
        """`notes` are labels beside the editors, such as a unit; they are written in the field's size."""
        super().__init__()
        self._editors, self._notes = tuple(editors), tuple(notes)
        self.label = QLabel(label)
        self.label.setBuddy(self._editors[0])
        self._limit = Paragraph(limit_text)
        self._limit.setObjectName("limit")
        self._fault = FaultLine()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 2, 0, 2)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(0)
        self._grid.addWidget(self.label, 0, 0, Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(self._fault, 2, 1, 1, 2)
        self._grid.setColumnStretch(2, 1)
        self.setFocusProxy(self._editors[0])
        for editor in self._editors:
            editor.setAccessibleName(plain(label))
        self.set_limit(limit_text)

    def place(self, content: QWidget, *, wide: bool = False) -> None:
        """Lay the editors out with the limit beside them, or under them if they are `wide`."""
        self._grid.addWidget(content, 0, 1, 1, 2 if wide else 1)
        self._grid.addWidget(self._limit, *((1, 1, 1, 2) if wide else (0, 2)))

    def check(self) -> str:
        """What is wrong with what is typed, as far as the field itself can tell; empty if nothing is."""
        return ""

    @property
    def fault(self) -> str:
        """The fault that is shown; empty if none is."""
        return self._fault.text()

    def set_fault(self, text: str) -> None:
        """Show at the field what is wrong with it; empty: nothing is."""
        self._fault.set_text(text)
        for editor in self._editors:
            editor.setProperty("faulty", bool(text))
            refresh_style(editor)
        self._describe()

    @property
    def limit_text(self) -> str:
        """The limit that stands beside the field."""
        return self._limit.text()

    def set_limit(self, text: str) -> None:
        """Show this limit beside the field."""
        self._limit.setText(text)
        self._limit.setVisible(bool(text))
        self._describe()

    def set_kiosk(self, kiosk: bool) -> None:
        """For fingers, with large type; or for a desk."""
        self.set_size(KIOSK_SIZE if kiosk else SIZE)
        for editor in self._editors:
            editor.setProperty("kiosk", kiosk)
            editor.setMinimumHeight(TARGET if kiosk else 28)

    def set_size(self, size: float) -> None:
        """Write in this many pixels."""
        self.label.setFont(ui_font(int(size)))
        self._limit.setFont(ui_font(int(size * SMALLER)))
        self._fault.set_size(size * SMALLER)
        for part in (*self._editors, *self._notes):
            part.setFont(ui_font(int(size)))

    def _touched(self) -> None:
        """What was said about the old entry does not hold for the new one."""
        if self.fault:
            self.set_fault("")
        self.changed.emit()

    def _describe(self) -> None:
        words = " ".join(text for text in (self.limit_text, self.fault) if text)
        for editor in self._editors:
            editor.setAccessibleDescription(words)


def beside(*widgets: QWidget, stretch: bool = False) -> QWidget:
    """The widgets one beside another, without a margin; `stretch`: from the left."""
    whole = QWidget()
    layout = QHBoxLayout(whole)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(6)
    for widget in widgets:
        layout.addWidget(widget)
    if stretch:
        layout.addStretch(1)
    return whole
