"""Text of the declared font, painted so that it fits its place."""

from functools import lru_cache
from html import escape

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from node.qt.theme import LIGHT, Theme, load_theme

# DejaVu Sans is the declared font: its digits are all equally wide and it has every sign the screens use.
FONT_FAMILIES = ["DejaVu Sans", "Noto Sans", "Segoe UI"]

_MIDDLE = 0.36  # the baseline lies this far, in text sizes, below the middle of capitals and digits
_SMALLEST = 0.8  # how far text may shrink before it is shortened
_LINE = 1.35  # from line to line of a block, in text sizes


@lru_cache(maxsize=512)
def ui_font(pixels: int, *, bold: bool = False, italic: bool = False) -> QFont:
    """The declared font in this size, with digits of equal width; shared, so not to be changed."""
    font = QFont()
    font.setFamilies(FONT_FAMILIES)
    font.setPixelSize(max(1, pixels))
    font.setBold(bold)
    font.setItalic(italic)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


@lru_cache(maxsize=512)
def _metrics(pixels: int, bold: bool) -> QFontMetricsF:
    return QFontMetricsF(ui_font(pixels, bold=bold))


def plain_tip(text: str) -> str:
    """The text as a tool tip that shows it as it is: what people typed elsewhere is no markup here."""
    if "<" not in text and "&" not in text:
        return text
    lines = escape(text).replace("\n", "<br>")
    return f"<span>{lines}</span>"


@lru_cache(maxsize=4096)
def text_width(text: str, pixels: int, *, bold: bool = False) -> float:
    """How wide the text is in this size, in pixels."""
    return _metrics(pixels, bold).horizontalAdvance(text)


def paint_text(
    painter: QPainter,
    rect: QRectF,
    text: str,
    size: float,
    colour: QColor,
    *,
    bold: bool = False,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
) -> bool:
    """One line of text in `rect`: a little smaller if it does not fit, then with … at its end.

    Returns whether the whole text is shown.
    """
    pixels = max(1, int(size))
    smallest = max(8, int(size * _SMALLEST))
    while pixels > smallest and text_width(text, pixels, bold=bold) > rect.width():
        pixels -= 1
    shown = text
    if text_width(text, pixels, bold=bold) > rect.width():
        shown = _metrics(pixels, bold).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.setPen(colour)
    painter.setFont(ui_font(pixels, bold=bold))
    # Placed here and not by Qt's own alignment, which lays the text out a second time.
    left = rect.left()
    if align != Qt.AlignmentFlag.AlignLeft:
        spare = rect.width() - text_width(shown, pixels, bold=bold)
        left += spare if align == Qt.AlignmentFlag.AlignRight else spare / 2
    painter.drawText(QPointF(left, rect.center().y() + pixels * _MIDDLE), shown)
    return shown == text


class TextLine(QWidget):
    """A line of text that never widens its window: it shrinks, then ends in … with the whole as tool tip."""

    def __init__(
        self,
        text: str = "",
        size: float = 13,
        *,
        bold: bool = False,
        quiet: bool = False,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:
        super().__init__()
        self._text = text
        self._size = size
        self._bold = bold
        self._quiet = quiet
        self._align = align
        self._emphasised = False
        self._theme = load_theme(LIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)

    def text(self) -> str:
        """The whole text."""
        return self._text

    def set_text(self, text: str, *, emphasised: bool = False) -> None:
        """Show this text; `emphasised` reverses text and ground."""
        if (text, emphasised) != (self._text, self._emphasised):
            self._text, self._emphasised = text, emphasised
            self.setAccessibleName(text)
            self.update()

    @property
    def emphasised(self) -> bool:
        """Whether text and ground are reversed."""
        return self._emphasised

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
        """As wide as the text, as high as its line."""
        return QSize(round(text_width(self._text, int(self._size), bold=self._bold)) + 8, self._height())

    def minimumSizeHint(self) -> QSize:
        """Any width will do."""
        return QSize(24, self._height())

    def _height(self) -> int:
        return round(self._size * 1.45)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the line."""
        painter = QPainter(self)
        colour = self._theme.quiet if self._quiet else self._theme.text
        if self._emphasised:
            painter.fillRect(self.rect(), self._theme.emphasis)
            colour = self._theme.emphasis_text
        place = QRectF(self.rect()).adjusted(4, 0, -4, 0)
        bold = self._bold or self._emphasised
        whole = paint_text(painter, place, self._text, self._size, colour, bold=bold, align=self._align)
        tip = "" if whole else plain_tip(self._text)
        if tip != self.toolTip():
            self.setToolTip(tip)


def broken(text: str, pixels: int, width: float) -> list[str]:
    """The text in lines of at most this width, broken at spaces; a longer word has a line of its own."""
    lines: list[str] = []
    for word in text.split():
        if lines and text_width(f"{lines[-1]} {word}", pixels) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


class TextBlock(QWidget):
    """A few lines of text in a place that does not change with it.

    Text that does not fit shrinks, then ends in … with the whole as tool tip.
    """

    def __init__(self, lines: int, size: float = 13) -> None:
        super().__init__()
        self._text, self._lines, self._size = "", lines, size
        self._theme = load_theme(LIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)

    def text(self) -> str:
        """The whole text."""
        return self._text

    def set_text(self, text: str) -> None:
        """Show this text."""
        if text != self._text:
            self._text = text
            self.setAccessibleName(text)
            self.update()

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
        """As high as its lines."""
        return QSize(240, round(self._size * _LINE * self._lines))

    def minimumSizeHint(self) -> QSize:
        """Any width will do; where height is scarce, that of half its lines, and the text is smaller."""
        return QSize(24, self.sizeHint().height() // 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the lines."""
        painter, place = QPainter(self), QRectF(self.rect()).adjusted(4, 0, -4, 0)
        pixels, smallest = int(self._size), max(8, int(self._size * _SMALLEST))
        while pixels > smallest and len(broken(self._text, pixels, place.width())) > self._room(pixels):
            pixels -= 1
        lines, room = broken(self._text, pixels, place.width()), self._room(pixels)
        if len(lines) > room:
            lines[room - 1 :] = [" ".join(lines[room - 1 :])]
        whole = True
        for number, line in enumerate(lines):
            at = QRectF(place.left(), number * pixels * _LINE, place.width(), pixels * _LINE)
            whole &= paint_text(painter, at, line, pixels, self._theme.text)
        tip = "" if whole else plain_tip(self._text)
        if tip != self.toolTip():
            self.setToolTip(tip)

    def _room(self, pixels: int) -> int:
        """How many lines of this size there are."""
        return max(1, int(self.height() / (pixels * _LINE) + 0.05))
