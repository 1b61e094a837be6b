"""A value on a screen: its number, its unit, and how far it may be trusted.

The five states differ in outline, fill and text, never in colour, so a greyscale print still reads:

    good          plain
    stale         italic, dashed outline, age
    estimated     ≈ before the number, dotted outline, age
    bad           ? before the number, hatched ground, heavy outline, age
    disconnected  — in place of the number, filled ground; the last value is not shown
"""

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from microgrid.sample import Quality
from node.qt.format import Quantity, duration
from node.qt.text import paint_text, text_width, ui_font
from node.qt.theme import LIGHT, Theme, load_theme

_CONTEXT = "value"
ABSENT = "\N{EM DASH}"
ABOUT = "\N{ALMOST EQUAL TO}"
DOUBTFUL = "?"
_UNIT_SCALE = 0.6  # a unit is written smaller than its number in large values
_LARGE = 30  # pixels from which the number is bold and the unit smaller
_LEAST = 6  # pixels below which nothing could be read


class ValueState(Enum):
    """How a value is drawn."""

    GOOD = "good"
    STALE = "stale"
    ESTIMATED = "estimated"
    BAD = "bad"
    DISCONNECTED = "disconnected"


_BY_QUALITY = {
    Quality.GOOD: ValueState.GOOD,
    Quality.STALE: ValueState.STALE,
    Quality.ESTIMATED: ValueState.ESTIMATED,
    Quality.BAD: ValueState.BAD,
}


def state_of(quality: Quality, *, present: bool) -> ValueState:
    """The state of a value of this quality; `present` is False if nobody delivers it now."""
    return _BY_QUALITY[quality] if present else ValueState.DISCONNECTED


def state_note(state: ValueState, age_s: float | None) -> str:
    """What is said under a value that is not good: the word for it and its age; empty if it is good."""
    translate = QCoreApplication.translate
    age = translate(_CONTEXT, "never heard") if age_s is None else duration(age_s)
    match state:
        case ValueState.GOOD:
            return ""
        case ValueState.STALE:
            return translate(_CONTEXT, "stale, {0} old").format(age)
        case ValueState.ESTIMATED:
            return translate(_CONTEXT, "estimated, {0} old").format(age)
        case ValueState.BAD:
            return translate(_CONTEXT, "bad, {0} old").format(age)
        case ValueState.DISCONNECTED if age_s is None:
            return age
        case ValueState.DISCONNECTED:
            return translate(_CONTEXT, "last heard {0} ago").format(age)


@dataclass(frozen=True, slots=True)
class Reading:
    """A quantity with its state and the words under it."""

    quantity: Quantity
    state: ValueState = ValueState.GOOD
    note: str = ""

    @property
    def shown(self) -> str:
        """The number as it is drawn; never the last one of a disconnected source."""
        if self.state is ValueState.DISCONNECTED:
            return ABSENT
        if self.state is ValueState.ESTIMATED:
            return ABOUT + self.quantity.number
        if self.state is ValueState.BAD:
            return DOUBTFUL + self.quantity.number
        return self.quantity.number


def paint_ground(painter: QPainter, rect: QRectF, state: ValueState, theme: Theme) -> None:
    """Fill and outline of a value's place, by its state."""
    if state is ValueState.GOOD:
        return
    frame = rect.adjusted(0.5, 0.5, -0.5, -0.5)
    painter.save()
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if state is ValueState.DISCONNECTED:
        painter.fillRect(rect, theme.absent)
    elif state is ValueState.STALE:
        painter.setPen(QPen(theme.quiet, 1, Qt.PenStyle.DashLine))
        painter.drawRect(frame)
    elif state is ValueState.ESTIMATED:
        painter.setPen(QPen(theme.quiet, 1, Qt.PenStyle.DotLine))
        painter.drawRect(frame)
    else:
        painter.setBrush(theme.hatch)
        brush = painter.brush()
        brush.setStyle(Qt.BrushStyle.BDiagPattern)
        painter.setBrush(brush)
        painter.setPen(QPen(theme.text, 2))
        painter.drawRect(frame.adjusted(0.5, 0.5, -0.5, -0.5))
    painter.restore()


def paint_number(
    painter: QPainter, rect: QRectF, reading: Reading, size: float, theme: Theme, template: Quantity
) -> None:
    """The number and unit, right-aligned in `rect`; written smaller when it would not fit, never cut.

    Everything up to the width of `template` is written in one size and with the number's end in one
    place, so that a changing value does not move.
    """
    number, unit = reading.shown, reading.quantity.unit

    def unit_room(pixels: int) -> float:
        return max(_unit_width(unit, pixels), _unit_width(template.unit, pixels))

    def number_room(pixels: int) -> float:
        return max(_number_width(number, pixels), _number_width(template.number, pixels))

    pixels = max(1, int(min(size, rect.height() * 0.9)))
    while pixels > _LEAST and number_room(pixels) + unit_room(pixels) > rect.width():
        pixels -= 1
    baseline = rect.center().y() + pixels * 0.36  # half of a digit's height below the middle
    start = rect.right() - unit_room(pixels)
    painter.setPen(theme.text)
    italic = reading.state is ValueState.STALE
    painter.setFont(ui_font(pixels, bold=pixels >= _LARGE, italic=italic))
    painter.drawText(QPointF(start - _number_width(number, pixels), baseline), number)
    painter.setPen(theme.quiet)
    painter.setFont(ui_font(_unit_pixels(pixels)))
    painter.drawText(QPointF(start + pixels * 0.28, baseline), unit)


def _number_width(number: str, pixels: int) -> float:
    return text_width(number, pixels, bold=pixels >= _LARGE)


def _unit_pixels(pixels: int) -> int:
    return int(pixels * _UNIT_SCALE) if pixels >= _LARGE else pixels


def _unit_width(unit: str, pixels: int) -> float:
    return text_width(unit, _unit_pixels(pixels)) + pixels * 0.28 if unit else 0.0


class ValueWidget(QWidget):
    """One value: number with unit, right-aligned, and room kept for the note under it.

    Its place never depends on the value: `template` is the widest number it makes room for, and a
    wider one is written smaller.
    """

    def __init__(self, template: Quantity, size: float = 14, *, noted: bool = True) -> None:
        super().__init__()
        self._template = template
        self._size = size
        self._noted = noted
        self._theme = load_theme(LIGHT)
        self._reading = Reading(template._replace(number=ABSENT), ValueState.DISCONNECTED)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    @property
    def reading(self) -> Reading:
        """What is shown now."""
        return self._reading

    def set_reading(self, reading: Reading) -> None:
        """Show this reading."""
        if reading != self._reading:
            self._reading = reading
            self.setAccessibleDescription(f"{reading.shown} {reading.quantity.unit} {reading.note}".strip())
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def set_size(self, size: float) -> None:
        """Write the number in this many pixels."""
        self._size = size
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Room for the template, whatever the value."""
        pixels = int(self._size)
        width = _number_width(self._template.number, pixels) + _unit_width(self._template.unit, pixels)
        return QSize(round(width) + 8, round(self._size * 1.3 + self._note_height()))

    def minimumSizeHint(self) -> QSize:
        """Half the width: the number is written smaller rather than the window made wider."""
        hint = self.sizeHint()
        return QSize(hint.width() // 2, hint.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw ground, number and note."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        whole = QRectF(self.rect())
        paint_ground(painter, whole, self._reading.state, self._theme)
        note = self._note_height()
        place = whole.adjusted(4, 0, -4, -note)
        paint_number(painter, place, self._reading, self._size, self._theme, self._template)
        if note and self._reading.note:
            place = QRectF(4, whole.bottom() - note - 1, whole.width() - 8, note)
            align = Qt.AlignmentFlag.AlignRight
            paint_text(painter, place, self._reading.note, note * 0.8, self._theme.quiet, align=align)

    def _note_height(self) -> float:
        return max(13.0, self._size * 0.45) if self._noted else 0.0
