"""What stands in a table's cell: a line of text, or a small drawing."""

from dataclasses import dataclass
from typing import Protocol

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from node.qt.theme import Theme
from node.qt.value import ABOUT, ABSENT, DOUBTFUL, ValueState


class Drawing(Protocol):
    """What a cell is drawn as in place of its text; equal ones look the same."""

    @property
    def width(self) -> int:
        """The pixels it needs."""

    def paint(self, painter: QPainter, place: QRectF, theme: Theme) -> None:
        """Draw it in this place."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: one line of text.

    `align_right` is for numbers, `quiet` for what matters less. A `link` is underlined: one click chooses
    its row. `state` draws a measured value as `node.qt.value` does; the text of a disconnected one is not
    shown. Where there is a `drawing`, the text is for those who cannot see it.
    """

    text: str
    align_right: bool = False
    bold: bool = False
    quiet: bool = False
    tip: str = ""
    link: bool = False
    state: ValueState = ValueState.GOOD
    drawing: Drawing | None = None

    @property
    def shown(self) -> str:
        """The text as it is drawn, by its state."""
        if self.state is ValueState.GOOD:
            return self.text
        match self.state:
            case ValueState.DISCONNECTED:
                return ABSENT
            case ValueState.ESTIMATED:
                return ABOUT + self.text
            case ValueState.BAD:
                return DOUBTFUL + self.text
            case _:
                return self.text
