"""What a chart's panel shows, and the items it is drawn with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QBrush, QColor, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QGraphicsPolygonItem

from node.qt.theme import Theme

Floats = NDArray[np.float64]
INK = -1  # the tone of text, for what matters most in a panel
QUIET = -2  # the tone of captions, for what other values are held against


class Style(Enum):
    """How a series is drawn. Lines are labelled at their ends, all others in the panel's head."""

    LINE = "line"
    STEP = "step"  # each value holds until the next point
    POINTS = "points"  # a line with a marker at each value
    BARS = "bars"  # from `base`, `width` minutes wide, beginning at x
    AREA = "area"  # between `base` and y, each value held until the next point
    TICKS = "ticks"  # below the panel, at each x; y is not used


class Dash(Enum):
    """How a line is broken, so that it is known without its colour."""

    SOLID = Qt.PenStyle.SolidLine
    DASHED = Qt.PenStyle.DashLine
    DOTTED = Qt.PenStyle.DotLine
    MIXED = Qt.PenStyle.DashDotLine


@dataclass(frozen=True, kw_only=True)
class Series:
    """Values over minutes; NaN is a gap. `tone` is a number of the plot palette, or INK or QUIET."""

    label: str
    x: Floats
    y: Floats = field(default_factory=lambda: np.empty(0))
    style: Style = Style.LINE
    tone: int = 0
    dash: Dash = Dash.SOLID
    thickness: float = 2.0  # of a line, in pixels
    shade: float = 1.0  # how dark bars and areas are filled, 0 to 1
    width: float = 0.0
    base: Floats | float = 0.0

    @property
    def is_line(self) -> bool:
        """Whether it is drawn as a line."""
        return self.style in (Style.LINE, Style.STEP, Style.POINTS)

    def bounds(self) -> tuple[float, float]:
        """The lowest and highest value that is drawn; zeros if there is none."""
        drawn = self.y if self.is_line else np.concatenate((self.y, np.broadcast_to(self.base, self.y.shape)))
        drawn = drawn[np.isfinite(drawn)]
        return (float(drawn.min()), float(drawn.max())) if drawn.size else (0.0, 0.0)

    def colour(self, theme: Theme) -> QColor:
        """The colour of its lines and of its label."""
        return {INK: theme.text, QUIET: theme.quiet}.get(self.tone) or theme.plot[self.tone]

    def pen(self, theme: Theme) -> QPen:
        """The pen of its lines."""
        pen = QPen(self.colour(theme), self.thickness, self.dash.value)
        pen.setCosmetic(True)
        return pen

    def brush(self, theme: Theme) -> QBrush:
        """What bars and areas are filled with."""
        colour = QColor(self.colour(theme))
        colour.setAlphaF(self.shade)
        return QBrush(colour)


def level(label: str, value: float, span: range, tone: int, dash: Dash) -> Series:
    """A thin line across a span of minutes."""
    ends = np.array([span.start, span.stop], dtype=float)
    return Series(label=label, x=ends, y=np.array([value, value]), tone=tone, dash=dash, thickness=1.5)


def items_of(series: Series, theme: Theme) -> Iterator[QGraphicsItem]:
    """What a series is drawn with, in minutes and values; ticks are drawn elsewhere."""
    if series.style is Style.BARS:
        there = np.isfinite(series.y)
        x, base = series.x[there], np.broadcast_to(series.base, series.y.shape)[there]
        yield pg.BarGraphItem(
            x0=x, x1=x + series.width, y0=base, y1=series.y[there],
            brush=series.brush(theme), pen=_outline(series, theme),
        )  # fmt: skip
    elif series.style is Style.AREA:
        yield from _areas(series, theme)
    elif series.is_line:
        x, y = (series.x, series.y) if series.style is not Style.STEP else _steps(series)
        yield pg.PlotCurveItem(x, y, pen=series.pen(theme), connect="finite", antialias=True)
        if series.style is Style.POINTS:
            there = np.isfinite(y)
            yield pg.ScatterPlotItem(
                x[there], y[there], size=8, pen=_outline(series, theme), brush=series.brush(theme)
            )


def _outline(series: Series, theme: Theme) -> QPen:
    pen = QPen(series.colour(theme), 1.0)
    pen.setCosmetic(True)
    return pen


def _edges(x: Floats) -> Floats:
    """Where each value begins and the last one ends, which is as wide as the one before."""
    return np.append(x, 2 * x[-1] - x[-2]) if x.size > 1 else np.append(x, x + 1)


def _steps(series: Series) -> tuple[Floats, Floats]:
    """The corners of the steps."""
    return np.repeat(_edges(series.x), 2)[1:-1], np.repeat(series.y, 2)


def _areas(series: Series, theme: Theme) -> Iterator[QGraphicsItem]:
    """A polygon for each run without a gap."""
    base = np.broadcast_to(np.asarray(series.base, dtype=float), series.y.shape)
    there = np.isfinite(series.y) & np.isfinite(base)
    turns = np.flatnonzero(np.diff(np.concatenate(([False], there, [False])).astype(np.int8)))
    edges = _edges(series.x)
    for first, end in zip(turns[::2], turns[1::2], strict=True):
        x = np.repeat(edges[first : end + 1], 2)[1:-1]
        above, below = np.repeat(series.y[first:end], 2), np.repeat(base[first:end], 2)
        corners = np.concatenate((x, x[::-1])), np.concatenate((above, below[::-1]))
        item = QGraphicsPolygonItem(QPolygonF([QPointF(*corner) for corner in zip(*corners, strict=True)]))
        item.setBrush(series.brush(theme))
        item.setPen(QPen(Qt.PenStyle.NoPen))
        yield item
