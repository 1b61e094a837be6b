"""Charts for documents: panels under one another over a common time axis, as PNG files, without a screen.

Paper is white and the colours are the theme's muted ones; series differ by dash, by shade and by a label of
their own too, so that a greyscale print reads. Times are local and the zone stands at the axis.
"""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QGraphicsLineItem, QGraphicsRectItem, QGraphicsSimpleTextItem

from microgrid.daylight import day_mask
from node.qt.chart_axis import Tick, clock_ticks, date_ticks, time_caption, value_ticks
from node.qt.chart_layout import (
    EDGE,
    ENTRY_GAP,
    HEAD,
    LABEL,
    LEADER,
    LINE,
    NOTE,
    SWATCH,
    TITLE,
    TITLE_LINE,
    Mark,
    Panel,
    Placed,
    apart,
    entry_width,
    place_panels,
    wrapped,
)
from node.qt.chart_series import Series, Style, items_of
from node.qt.shell import application, draw_in_memory, save_picture
from node.qt.text import text_width, ui_font
from node.qt.theme import LIGHT, load_theme

SIZE = (1400, 900)
APPLICATION = "Charts"

_PAPER = QColor("white")
_TICK_PX = 10
_GRID, _DATA, _ABOVE = -1.0, 0.0, 1.0  # what lies over what


class Label(NamedTuple):
    """A text of the picture and where it stands, in pixels."""

    text: str
    place: QRectF


def draw(
    panels: Sequence[Panel], path: Path, *, zone: ZoneInfo, title: str, notes: Sequence[str] = (),
    marks: Sequence[Mark] = (), size: tuple[int, int] = SIZE,
) -> None:  # fmt: skip
    """Draw the panels into a PNG file; OSError if it cannot be written, ValueError if they do not fit."""
    draw_in_memory()
    app = application(APPLICATION)  # must outlive the chart
    Chart(panels, zone=zone, title=title, notes=notes, marks=marks, size=size).save(path)
    app.processEvents()


class Chart:
    """A picture of panels; needs the application. ValueError if the panels do not fit into the size."""

    def __init__(
        self, panels: Sequence[Panel], *, zone: ZoneInfo, title: str, notes: Sequence[str] = (),
        marks: Sequence[Mark] = (), size: tuple[int, int] = SIZE,
    ) -> None:  # fmt: skip
        self._zone, self._size, self._theme = zone, size, load_theme(LIGHT)
        self._view = pg.GraphicsView(background=_PAPER)
        self._view.resize(*size)
        self._scene = self._view.scene()
        self._labels: list[QGraphicsSimpleTextItem] = []
        self._marks = marks
        notes = [line for note in notes for line in wrapped(note, size[0] - 2 * EDGE)]
        bottom = size[1] - EDGE - LINE * len(notes)
        self._text(title, EDGE, EDGE + TITLE_LINE / 2, TITLE, bold=True)
        for row, line in enumerate(notes):
            self._text(line, EDGE, bottom + LINE * (row + 0.5), NOTE, self._theme.quiet)
        self._placed = place_panels(panels, marks, size, EDGE + TITLE_LINE, bottom)
        for placed in self._placed:
            self._draw_ground(placed)
            self._draw_data(placed)
            self._draw_head(placed)
            self._draw_line_labels(placed)
            self._draw_marks(placed)

    def labels(self) -> list[Label]:
        """Every text of the picture."""
        return [Label(item.text(), item.sceneBoundingRect()) for item in self._labels]

    def boxes(self) -> list[QRectF]:
        """The panels' places, without what stands around them."""
        return [placed.box for placed in self._placed]

    def save(self, path: Path) -> None:
        """Write the PNG file; OSError if it cannot be written."""
        save_picture(self._view, path, self._size)

    # --- what is drawn there --------------------------------------------------------------------

    def _draw_ground(self, placed: Placed) -> None:
        """Night, grid, frame, and what stands at the axes."""
        theme, box, span = self._theme, placed.box, placed.panel.span
        if placed.panel.nights:
            for first, end in _nights(span, self._zone):
                night = QRectF(placed.x(first), box.top(), placed.x(end) - placed.x(first), box.height())
                self._rect(night, theme.panel, None, _GRID - 1)
        for value, text in value_ticks(placed.low, placed.high, min(max(2, int(box.height() / 32)), 8)):
            y = placed.y(value)
            self._line(QLineF(box.left(), y, box.right(), y), theme.line if value == 0 else theme.band)
            self._text(text, box.left() - 8, y, LABEL, theme.quiet, align=Qt.AlignmentFlag.AlignRight)
        ticks = (clock_ticks if placed.panel.clock else date_ticks)(span, self._zone, int(box.width()))
        if placed.panel.clock:
            for minute, _ in ticks:
                self._line(QLineF(placed.x(minute), box.top(), placed.x(minute), box.bottom()), theme.band)
        self._rect(box, None, theme.line, _GRID)
        if placed.has_axis:
            self._draw_axis(placed, ticks)

    def _draw_axis(self, placed: Placed, ticks: Iterable[Tick]) -> None:
        middle, y = Qt.AlignmentFlag.AlignHCenter, placed.box.bottom() + 16
        for minute, text in ticks:
            self._text(text, placed.x(minute), y, LABEL, self._theme.quiet, align=middle)
        caption = placed.panel.caption or time_caption(placed.panel.span, self._zone, placed.panel.clock)
        self._text(caption, placed.box.center().x(), y + LINE - 2, LABEL, self._theme.quiet, align=middle)

    def _draw_data(self, placed: Placed) -> None:
        span = placed.panel.span
        box = pg.ViewBox(enableMenu=False, enableMouse=False, defaultPadding=0)
        box.setFlag(
            box.GraphicsItemFlag.ItemClipsChildrenToShape, False
        )  # else half a line is cut at the edge
        box.setZValue(_DATA)
        self._scene.addItem(box)
        box.setGeometry(placed.box)
        box.setRange(xRange=(span.start, span.stop), yRange=(placed.low, placed.high), padding=0)
        for series in placed.panel.series:
            for item in items_of(series, self._theme):
                box.addItem(item)
            if series.style is Style.TICKS:
                y = placed.box.bottom() + 3
                for minute in series.x:
                    tick = QLineF(placed.x(minute), y, placed.x(minute), y + _TICK_PX)
                    self._line(tick, series.colour(self._theme), z=_DATA)

    def _draw_head(self, placed: Placed) -> None:
        y = placed.top + LINE / 2
        left, right = placed.box.left(), placed.box.right()
        self._text(placed.panel.title, left, y, HEAD, bold=True)
        after = left + text_width(placed.panel.title, HEAD, bold=True) + ENTRY_GAP / 2
        self._text(placed.panel.unit, after, y, HEAD, self._theme.quiet)
        for line in placed.heads:
            x = right - sum(entry_width(series) for series in line) + ENTRY_GAP
            for series in line:
                self._swatch(series, x, y)
                self._text(series.label, x + SWATCH[0] + 8, y, LABEL)
                x += entry_width(series)
            y += LINE

    def _swatch(self, series: Series, x: float, y: float) -> None:
        colour = series.colour(self._theme)
        if series.style is Style.TICKS:
            for step in range(4, SWATCH[0], 6):
                self._line(QLineF(x + step, y - _TICK_PX / 2, x + step, y + _TICK_PX / 2), colour)
            return
        fill = series.brush(self._theme).color()
        self._rect(QRectF(x, y - SWATCH[1] / 2, *SWATCH), fill, colour, _DATA)

    def _draw_line_labels(self, placed: Placed) -> None:
        """The label of each line at its end, moved apart where they would lie on each other."""
        ends = sorted(
            (placed.y(float(series.y[there[-1]])), place, float(series.x[there[-1]]))
            for place, series in enumerate(placed.panel.series)
            if series.is_line and series.label and (there := np.flatnonzero(np.isfinite(series.y))).size
        )
        box = placed.box
        rows = apart([y for y, _, _ in ends], LINE - 3, box.top(), box.bottom())
        for (y, place, _), row in zip(ends, rows, strict=True):
            series = placed.panel.series[place]
            colour = series.colour(self._theme)
            self._line(QLineF(box.right() + 1, y, box.right() + LEADER - 3, row), colour)
            self._text(series.label, box.right() + LEADER, row, LABEL, colour)

    def _draw_marks(self, placed: Placed) -> None:
        box, pen = placed.box, QPen(self._theme.text, 1.0, Qt.PenStyle.DashLine)
        top = placed.top + LINE * len(placed.heads)
        for flag in placed.flags:
            y = top + LINE * (flag.row + 0.5)
            self._text(flag.text, flag.left, y, LABEL)
            under = y + LINE / 2 if flag.left < flag.x else y - LINE / 3  # its line may not run through it
            self._line(QLineF(flag.x, under, flag.x, box.top()), pen=pen)
        for mark in self._marks:
            if mark.minute in placed.panel.span:
                x = placed.x(mark.minute)
                self._line(QLineF(x, box.top(), x, box.bottom()), pen=pen, z=_ABOVE)

    # --- pens and letters -----------------------------------------------------------------------

    def _text(
        self, text: str, x: float, y: float, size: int, colour: QColor | None = None, *, bold: bool = False,
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    ) -> None:  # fmt: skip
        """A line of text whose middle is at y."""
        item = QGraphicsSimpleTextItem(text)
        item.setFont(ui_font(size, bold=bold))
        item.setBrush(colour or self._theme.text)
        rect = item.boundingRect()
        shift = {Qt.AlignmentFlag.AlignRight: 1.0, Qt.AlignmentFlag.AlignHCenter: 0.5}.get(align, 0.0)
        item.setPos(round(x - shift * rect.width()), round(y - rect.height() / 2))
        item.setZValue(_ABOVE)
        self._scene.addItem(item)
        self._labels.append(item)

    def _line(
        self, line: QLineF, colour: QColor | None = None, *, pen: QPen | None = None, z: float = _GRID
    ) -> None:
        item = QGraphicsLineItem(line)
        item.setPen(pen or QPen(colour or self._theme.text, 1.0))
        item.setZValue(z)
        self._scene.addItem(item)

    def _rect(self, rect: QRectF, fill: QColor | None, edge: QColor | None, z: float) -> None:
        item = QGraphicsRectItem(rect)
        item.setPen(QPen(Qt.PenStyle.NoPen) if edge is None else QPen(edge, 1.0))
        if fill is not None:
            item.setBrush(fill)
        item.setZValue(z)
        self._scene.addItem(item)


def _nights(span: range, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """The runs of minutes by night (Table 6.1)."""
    night = ~day_mask(span.start, span.stop, zone)
    edges = np.flatnonzero(np.diff(np.concatenate(([False], night, [False])).astype(np.int8)))
    for first, end in zip(edges[::2], edges[1::2], strict=True):
        yield span.start + int(first), span.start + int(end)
