"""Buttons for fingers: 48 pixels and more, with text that scales with the screen."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy

from node.qt.text import paint_text, plain_tip, text_width, ui_font
from node.qt.theme import LIGHT, Theme, load_theme

TARGET = 48  # pixels, the least height and width of what is touched
_ROOM = 40  # frame and air left and right of a button's text


class KioskButton(QPushButton):
    """A button as high as a finger, on small screens too; its text may have a mnemonic."""

    def __init__(self, text: str, size: float) -> None:
        super().__init__(text)
        self._size = size
        self.setProperty("touch", True)
        self.set_size(size)

    def set_theme(self, theme: Theme) -> None:
        """Its colours come with the style sheet."""

    def set_size(self, size: float) -> None:
        """Write the text in this many pixels."""
        self._size = size
        self.setFont(ui_font(int(size)))
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(self._width() + _ROOM, max(TARGET + 4, round(self._size * 2.3)))

    def minimumSizeHint(self) -> QSize:
        return QSize(max(TARGET, self._width() + _ROOM // 2), TARGET)

    def _width(self) -> int:
        shown = self.text().replace("&", "")
        return round(text_width(shown, int(self._size), bold=True))


class NoticeButton(QPushButton):
    """Something that waits for the household: what it is, a line about it, all of it one large button.

    `emphasised` reverses text and ground, for what wants an answer or has not been looked at.
    """

    def __init__(self, size: float) -> None:
        super().__init__()
        self._size = size
        self._lines = ("", "")
        self._emphasised = False
        self._theme = load_theme(LIGHT)
        self.setProperty("touch", True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def lines(self) -> tuple[str, str]:
        """What is shown."""
        return self._lines

    @property
    def emphasised(self) -> bool:
        """Whether text and ground are reversed."""
        return self._emphasised

    def set_notice(self, title: str, detail: str, *, emphasised: bool = False) -> None:
        """Show this notice."""
        if (title, detail) == self._lines and emphasised == self._emphasised:
            return
        self._lines, self._emphasised = (title, detail), emphasised
        self.setAccessibleName(f"{title}. {detail}")
        self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_size(self, size: float) -> None:
        """Write the title in this many pixels."""
        self._size = size
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(300, max(TARGET + 4, round(self._size * 2.9)))

    def minimumSizeHint(self) -> QSize:
        return QSize(TARGET, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)  # the frame, and where the focus is
        painter = QPainter(self)
        colour, quiet = self._theme.text, self._theme.quiet
        inside = QRectF(self.rect()).adjusted(4, 4, -4, -4)
        if self._emphasised:
            painter.fillRect(inside, self._theme.emphasis)
            colour = quiet = self._theme.emphasis_text
        arrow = inside.adjusted(0, 0, -6, 0)
        paint_text(painter, arrow, "\N{BLACK RIGHT-POINTING SMALL TRIANGLE}", self._size, colour,
                   align=Qt.AlignmentFlag.AlignRight)  # fmt: skip
        place = inside.adjusted(8, 0, -8 - self._size, 0)
        half = place.height() / 2
        upper, lower = place.adjusted(0, 2, 0, -half), place.adjusted(0, half, 0, -2)
        whole = paint_text(painter, upper, self._lines[0], self._size, colour, bold=True)
        whole &= paint_text(painter, lower, self._lines[1], self._size * 0.85, quiet)
        tip = "" if whole else plain_tip("\n".join(self._lines))
        if tip != self.toolTip():
            self.setToolTip(tip)
