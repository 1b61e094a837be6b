"""How one house is drawn in the single-line diagram: its breaker on the busbar, and its values below."""

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from central_monitor.snapshot import HouseView
from central_monitor.ui.band import band_of
from central_monitor.ui.presentation import (
    NO_FLOW_W,
    house_note,
    house_priority,
    house_state,
    role_words,
)
from central_monitor.ui.sharing_words import brief_words
from microgrid.terms import Role
from node.qt.format import MINUS, Quantity, duration, energy, power
from node.qt.symbols import breaker_word, paint_arrow, paint_breaker, paint_priority
from node.qt.text import paint_text, text_width
from node.qt.theme import Theme
from node.qt.trend import Trend
from node.qt.value import Reading, ValueState, paint_ground, paint_number

_CONTEXT = "central"
_RIGHT = Qt.AlignmentFlag.AlignRight
_TEMPLATE = Quantity(f"{MINUS}99.99", "kW")
_LEAST_TREND_W = 200.0  # less change than this does not fill a trend's height

# Heights of a cell's parts, in text sizes, and what is left for a trend of its own.
_TAP = 1.7
_HEAD = 1.25
_NUMBER = 1.75
_BAR = 1.0
_ROW = 1.2
_TALL_ROWS = 2  # the contract and the target in figures, where there is room
_TALL_TREND = 1.8
CELL_HEIGHT = _TAP + _HEAD + _NUMBER + _BAR + 3 * _ROW + _ROW + 0.5
CELL_WIDTH = 12.8


class HouseCell:
    """Draws houses in one theme and text size (pixels)."""

    def __init__(self, theme: Theme, size: float) -> None:
        self.theme = theme
        self.size = size

    def paint(self, painter: QPainter, cell: QRectF, house: HouseView, trend: Trend) -> None:
        """Draw the house in its cell; the busbar is the cell's upper edge."""
        self._paint_tap(painter, cell, house)
        box = cell.adjusted(3, self.size * _TAP, -3, -2)
        painter.fillRect(box, self.theme.panel)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(self.theme.line, 1))
        painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))
        inner = box.adjusted(4, 2, -4, -2)
        y = self._paint_head(painter, inner, house)
        y = self._paint_power(
            painter, QRectF(inner.left(), y, inner.width(), self.size * _NUMBER), house, trend, box
        )
        if (band := band_of(house)) is not None:
            band.paint(painter, QRectF(inner.left(), y, inner.width(), self.size * _BAR), self.theme)
        y += self.size * _BAR
        tall = self._has_tall_trend(box)
        for label, quantity, state in self._rows(house, tall):
            row = QRectF(inner.left(), y, inner.width(), self.size * _ROW)
            self._paint_row(painter, row, label, quantity, state)
            y += self.size * _ROW
        self._paint_link(painter, QRectF(inner.left(), y, inner.width(), self.size * _ROW), house, tall)
        y += self.size * _ROW
        if tall:
            place = QRectF(inner.left(), y + 3, inner.width(), inner.bottom() - y - 3)
            trend.paint(painter, place, self.theme.plot[0], _LEAST_TREND_W)

    def trend_place(self, cell: QRectF) -> QRectF:
        """Where in the cell its trend is drawn: the only place with the plot's colours."""
        box = cell.adjusted(3, self.size * _TAP, -3, -2)
        inner = box.adjusted(4, 2, -4, -2)
        head = self.size * _HEAD
        if not self._has_tall_trend(box):
            return QRectF(inner.left(), inner.top() + head, inner.width() * 0.33, self.size * _NUMBER)
        used = self.size * (_HEAD + _NUMBER + _BAR + (4 + _TALL_ROWS) * _ROW)
        return QRectF(inner.left(), inner.top() + used, inner.width(), inner.height() - used)

    def _has_tall_trend(self, box: QRectF) -> bool:
        return box.height() > self.size * (CELL_HEIGHT - _TAP + _TALL_ROWS * _ROW + _TALL_TREND)

    def _paint_tap(self, painter: QPainter, cell: QRectF, house: HouseView) -> None:
        state, sample, size = house_state(house), house.sample, self.size
        x, bottom = cell.left() + size * 1.6, cell.top() + size * _TAP
        painter.setPen(QPen(self.theme.bus, 2))
        painter.drawLine(QPointF(x, cell.top()), QPointF(x, bottom))
        closed = None
        if sample is not None and state is not ValueState.DISCONNECTED:
            closed = sample.grid_breaker_closed
        side = size * 0.95
        square = QRectF(x - side / 2, cell.top() + (size * _TAP - side) / 2, side, side)
        paint_breaker(painter, square, closed, self.theme)
        word = QRectF(square.right() + size * 0.3, cell.top(), size * 4.4, size * _TAP)
        paint_text(painter, word, breaker_word(closed), size * 0.95, self.theme.text)
        if closed and sample is not None and abs(sample.exchange_p_w) >= NO_FLOW_W:
            exporting = sample.exchange_p_w > 0
            arrow = QPointF(word.right() + size * 0.5, word.center().y())
            paint_arrow(painter, arrow, size * 0.85, exporting, self.theme)
            words = QRectF(
                arrow.x() + size * 0.7, cell.top(), cell.right() - arrow.x() - size * 0.8, size * _TAP
            )
            translate = QCoreApplication.translate
            text = translate(_CONTEXT, "export") if exporting else translate(_CONTEXT, "import")
            paint_text(painter, words, text, size * 0.95, self.theme.text)

    def _paint_head(self, painter: QPainter, inner: QRectF, house: HouseView) -> float:
        size = self.size
        height, left = size * _HEAD, inner.left()
        priority = house_priority(house)
        if priority is not None:
            paint_priority(
                painter, QRectF(left, inner.top() + 1, size * 1.1, size * 1.1), priority, self.theme
            )
            left += size * 1.4
        role = role_words(house.contract)
        if inner.width() < size * 16:
            role = role.partition(",")[0]
        role_width = text_width(role, max(1, int(size * 0.92))) + 3
        place = QRectF(inner.right() - role_width, inner.top(), role_width, height)
        paint_text(painter, place, role, size * 0.92, self.theme.quiet, align=_RIGHT)
        name = QRectF(left, inner.top(), place.left() - left, height)
        own_name = house.name if house.name != house.house else ""
        paint_text(painter, name, f"{house.house} {own_name}".strip(), size, self.theme.text, bold=True)
        return inner.top() + height

    def _paint_power(
        self, painter: QPainter, place: QRectF, house: HouseView, trend: Trend, box: QRectF
    ) -> float:
        state = house_state(house)
        exchanged = house.sample.exchange_p_w if house.sample is not None else 0
        number = place
        if not self._has_tall_trend(box):
            share = place.width() * 0.33
            tight = QRectF(place.left(), place.top(), share, place.height())
            trend.paint(painter, tight, self.theme.plot[0], _LEAST_TREND_W)
            number = place.adjusted(share, 0, 0, 0)
        number = number.adjusted(0, 1, 0, -1)
        paint_ground(painter, number, state, self.theme)
        reading = Reading(power(exchanged, signed=True), state)
        paint_number(painter, number.adjusted(2, 0, -2, 0), reading, self.size * 1.5, self.theme, _TEMPLATE)
        return place.bottom()

    def _rows(self, house: HouseView, tall: bool) -> list[tuple[str, Quantity, ValueState]]:
        translate, state, sample = QCoreApplication.translate, house_state(house), house.sample
        generated, load = (sample.generator_p_w, sample.load_w) if sample is not None else (0, 0)
        # The energy is the recorder's: it stands when the link is lost, but does not move on.
        energy_state = ValueState.STALE if state is ValueState.DISCONNECTED else ValueState.GOOD
        if house.last_minute is None:
            energy_state = ValueState.DISCONNECTED
        month = translate(_CONTEXT, "Energy this month") if tall else translate(_CONTEXT, "Month")
        rows = [
            (translate(_CONTEXT, "Generation"), power(generated), state),
            (translate(_CONTEXT, "Load"), power(load), state),
            (month, energy(house.exchanged_ws, signed=True), energy_state),
        ]
        return rows + _agreed_rows(house) if tall else rows

    def _paint_row(
        self, painter: QPainter, row: QRectF, label: str, quantity: Quantity, state: ValueState
    ) -> None:
        paint_text(painter, row, label, self.size * 0.92, self.theme.quiet)
        label_width = text_width(label, max(1, int(self.size * 0.92))) + self.size * 0.4
        number = row.adjusted(label_width, 0, -2, 0)
        paint_number(painter, number, Reading(quantity, state), self.size, self.theme, quantity)

    def _paint_link(self, painter: QPainter, row: QRectF, house: HouseView, tall: bool) -> None:
        state, size = house_state(house), self.size
        if state is not ValueState.GOOD:
            painter.fillRect(row, self.theme.emphasis)
            paint_text(
                painter, row.adjusted(2, 0, -2, 0), house_note(house), size * 0.92, self.theme.emphasis_text
            )
            return
        age = "" if house.age_s is None else duration(house.age_s)
        # Without a row of its own, what a seller is told to do matters more than the link's delay.
        words = (not tall and brief_words(house)) or house_note(house)
        paint_text(painter, row.adjusted(0, 0, -size * 3, 0), words, size * 0.92, self.theme.quiet)
        paint_text(painter, row, age, size * 0.92, self.theme.quiet, align=_RIGHT)


def _agreed_rows(house: HouseView) -> list[tuple[str, Quantity, ValueState]]:
    """The contract's limits and the target, in figures; empty where nothing is agreed."""
    translate = QCoreApplication.translate
    limits, target, label = Quantity("", ""), Quantity("", ""), ""
    if (contract := house.contract) is not None:
        limits = power(contract.max_w)
        if contract.role is Role.PRODUCER:
            limits = limits._replace(number=f"{power(contract.min_w).number} … {limits.number}")
    if house.order is not None:
        target, label = power(house.order.target_w), translate(_CONTEXT, "Target")
    return [
        (translate(_CONTEXT, "Contract"), limits, ValueState.GOOD),
        (", ".join(part for part in (label, brief_words(house)) if part), target, ValueState.GOOD),
    ]
