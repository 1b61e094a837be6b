"""Where the parts of a chart stand: what a panel is, and how much room its texts need, in pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from PySide6.QtCore import QRectF

from node.qt.chart_axis import is_clock
from node.qt.chart_series import Series, Style
from node.qt.text import text_width

TITLE, HEAD, LABEL, NOTE = 23, 18, 17, 16  # sizes of text
LINE, TITLE_LINE = 24, 42  # heights of a line of it
EDGE = 20  # empty paper around everything
SWATCH = (26, 13)  # of a legend
ENTRY_GAP = 22  # between entries of a legend, and of a panel's unit from its title
LEADER = 16  # from a panel's edge to the labels of its lines
FLAG_OFFSET = 5  # from the line of what happened to its name
_VALUES = 66  # room for the values left of the panels
_HALF_TICK = 28  # room for half of the last tick's time
_GAP = 16  # between panels; ticks of a series stand here
_AXIS = 58  # room for times and caption below the last panel of a span
_LEAST_PANEL = 60  # less cannot be read


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One set of values over a span of minutes. The range always holds 0, and `least` if that is more.

    Panels of one span that follow on each other share an axis, with `caption` below (empty: its date).
    """

    title: str
    unit: str
    span: range
    series: Sequence[Series]
    least: float = 0.0
    nights: bool = True
    weight: float = 1.0
    caption: str = ""
    dates: bool = False  # the axis tells dates, however few

    @property
    def clock(self) -> bool:
        """Whether the axis tells times of day."""
        return not self.dates and is_clock(self.span)


class Mark(NamedTuple):
    """Something that happened: a thin line down all panels, named above the first."""

    minute: int
    text: str


class Flag(NamedTuple):
    """The name of a mark: where its line and its ends are, in pixels, and in which row it stands."""

    text: str
    x: float
    left: float
    right: float
    row: int  # 0 is the highest


@dataclass
class Placed:
    """A panel, where it stands, and the values of its lower and upper edge."""

    panel: Panel
    top: float = 0.0  # of its head
    box: QRectF = field(default_factory=QRectF)
    low: float = 0.0
    high: float = 1.0
    heads: list[list[Series]] = field(default_factory=list)  # lines of its legend
    flags: list[Flag] = field(default_factory=list)  # what happened in its span, if it is the first of it
    has_axis: bool = False

    @property
    def flag_rows(self) -> int:
        """How many lines the names of what happened take."""
        return max((flag.row + 1 for flag in self.flags), default=0)

    def x(self, minute: float) -> float:
        """Where a minute begins."""
        span = self.panel.span
        return self.box.left() + (minute - span.start) / len(span) * self.box.width()

    def y(self, value: float) -> float:
        """Where a value lies."""
        return self.box.bottom() - (value - self.low) / (self.high - self.low) * self.box.height()


def place_panels(
    panels: Sequence[Panel], marks: Sequence[Mark], size: tuple[int, int], top: float, bottom: float
) -> list[Placed]:
    """The panels between top and bottom of a picture; ValueError if they do not fit."""
    labels = [series.label for panel in panels for series in panel.series if series.is_line]
    widest = max((text_width(label, LABEL) for label in labels), default=0.0)
    left, right = EDGE + _VALUES, size[0] - EDGE - max(widest + LEADER if widest else 0.0, _HALF_TICK)
    placed: list[Placed] = []
    for (span, _), run in groupby(panels, lambda panel: (panel.span, panel.clock)):
        group = [Placed(panel, box=QRectF(left, 0, right - left, 0)) for panel in run]
        group[-1].has_axis = True
        group[0].flags = flags(
            group[0], [mark for mark in sorted(marks) if mark.minute in span], size[0] - EDGE
        )
        placed += group
    for one in placed:
        one.heads = list(legend_lines(one.panel, right - left))
        one.low, one.high = range_of(one.panel)
    _stack(placed, top, bottom)
    return placed


def _stack(placed: Sequence[Placed], top: float, bottom: float) -> None:
    """Give every panel its part of the height that heads and axes leave."""
    above = [LINE * (len(one.heads) + one.flag_rows) + 4 for one in placed]
    below = [_AXIS if one.has_axis else _GAP for one in placed]
    spare = bottom - top - sum(above) - sum(below)
    weights = sum(one.panel.weight for one in placed)
    if spare < _LEAST_PANEL * weights:
        raise ValueError(f"{len(placed)} panels do not fit into a height of {bottom - top:.0f} pixels")
    for one, over, under in zip(placed, above, below, strict=True):
        height = spare * one.panel.weight / weights
        one.top = top
        one.box = QRectF(one.box.left(), top + over, one.box.width(), height)
        top += over + height + under


def entry_width(series: Series) -> float:
    """What an entry of a legend takes, with the gap before it."""
    return ENTRY_GAP + SWATCH[0] + 8 + text_width(series.label, LABEL)


def legend_lines(panel: Panel, across: float) -> Iterator[list[Series]]:
    """The panel's head line by line; the first one has its title, too."""
    used = text_width(panel.title, HEAD, bold=True) + text_width(panel.unit, HEAD) + ENTRY_GAP
    line: list[Series] = []
    for series in panel.series:
        if series.is_line or not series.label:
            continue
        if used + entry_width(series) > across:
            yield line
            line, used = [], 0.0
        line.append(series)
        used += entry_width(series)
    yield line


def flags(first: Placed, marks: Sequence[Mark], right: float) -> list[Flag]:
    """The names of the marks, each right of its line, in rows in which no line and no name crosses a name."""
    made: list[Flag] = []
    for mark in marks:
        x, width = first.x(mark.minute), text_width(mark.text, LABEL) + 2
        left = min(x + FLAG_OFFSET, right - width)
        rows = {flag.row for flag in made}
        below, above = max(rows, default=-1) + 1, min(rows, default=0) - 1
        tried = [Flag(mark.text, x, left, left + width, row) for row in (*sorted(rows), above, below)]
        free = (new for new in tried if not any(_cross(new, old) for old in made))
        made.append(next(free, tried[-1]))
    top = min((flag.row for flag in made), default=0)
    return [flag._replace(row=flag.row - top) for flag in made]


def _cross(one: Flag, other: Flag) -> bool:
    """Whether two names touch, or the line of the upper one runs through the lower one."""
    upper, lower = sorted((one, other), key=lambda flag: flag.row)
    if upper.row == lower.row:
        return upper.left < lower.right + 14 and lower.left < upper.right + 14
    return lower.left - 2 < upper.x < lower.right + 2


def range_of(panel: Panel) -> tuple[float, float]:
    """The values of the panel's edges: what is drawn, 0, and a little air."""
    bounds = [series.bounds() for series in panel.series if series.style is not Style.TICKS]
    low, high = min(0.0, *(b[0] for b in bounds), 0.0), max(panel.least, *(b[1] for b in bounds), 0.0)
    if high == low:
        high = low + 1.0
    air = 0.06 * (high - low)
    return (low - air if low < 0 else 0.0), high + air


def apart(wanted: Sequence[float], gap: float, top: float, bottom: float) -> list[float]:
    """Ascending places near the wanted ones, at least `gap` apart, and inside if there is room."""
    places: list[float] = []
    for place in wanted:
        places.append(max(place, top, places[-1] + gap if places else top))
    limit = bottom
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], limit)
        limit = places[index] - gap
    return places


def wrapped(text: str, across: float) -> Iterator[str]:
    """The text in lines that fit."""
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and text_width(longer, NOTE) > across:
            yield line
            longer = word
        line = longer
    yield line
