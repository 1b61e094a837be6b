"""The single-line diagram: the tie from the national grid, the busbar, and a page of houses on it."""

from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QCoreApplication, QPointF, QRect, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from central_monitor.snapshot import CentralSnapshot, HouseView
from central_monitor.ui.house_cell import CELL_HEIGHT, CELL_WIDTH, HouseCell
from central_monitor.ui.presentation import NO_FLOW_W
from node.qt.symbols import breaker_word, paint_arrow, paint_breaker
from node.qt.text import paint_text
from node.qt.theme import LIGHT, Theme, load_theme
from node.qt.trend import Trend

_CONTEXT = "central"
_SMALLEST, _LARGEST = 9.0, 25.0  # text sizes in pixels
_LINE_OF_TEXT = 62.0  # text sizes in the diagram's width, at least: few houses need no huge letters
_TIE = 30.0  # height of the tie above the first busbar
_TRUNK = 22.0  # width left of the houses for the conductor that joins the busbars
_TALLEST = 22.0  # a cell's greatest height and width in text sizes
_WIDEST = 22.0
_ROW_INTERVAL_MS = 15  # between the rows of one snapshot, so that no single repaint holds the window up
_BY_KEYBOARD = (
    Qt.FocusReason.TabFocusReason,
    Qt.FocusReason.BacktabFocusReason,
    Qt.FocusReason.ShortcutFocusReason,
)
MOST_ON_A_PAGE = 40  # more are not taken in at a glance


@dataclass(frozen=True, slots=True)
class Plan:
    """How a page is laid out: rows of cells, their size in pixels, and the text size."""

    columns: int
    rows: int
    cell_width: float
    cell_height: float
    size: float

    @property
    def room(self) -> int:
        """Houses a page has room for."""
        return self.columns * self.rows


def plan_page(width: float, height: float, houses: int) -> Plan:
    """The rows and columns that give the houses of one page the largest text in this area (pixels)."""
    most = max(1, int(width / (_SMALLEST * CELL_WIDTH))) * max(1, int(height / (_SMALLEST * CELL_HEIGHT)))
    count = max(1, min(houses, most, MOST_ON_A_PAGE))

    largest = max(_SMALLEST, min(_LARGEST, width / _LINE_OF_TEXT))

    def size(columns: int) -> float:
        return min(width / columns / CELL_WIDTH, height / ceil(count / columns) / CELL_HEIGHT, largest)

    # With equal text, fewer rows: the fewer busbars, the plainer the diagram.
    columns = max(range(1, count + 1), key=lambda n: (size(n), n))
    rows, text = ceil(count / columns), size(columns)
    return Plan(
        columns, rows, min(width / columns, text * _WIDEST), min(height / rows, text * _TALLEST), text
    )


class SingleLine(QWidget):
    """Draws the tie, the busbars and one page of houses.

    Signals:
        pages_changed: the number of pages or the page shown has changed.
        house_chosen: the house that was clicked, or opened with Enter; arrow keys move among all houses.
    """

    pages_changed = Signal()
    house_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: CentralSnapshot | None = None
        self._trends: dict[str, Trend] = {}
        self._page = 0
        self._pages = 1
        self._cursor = 0  # the house that Enter opens, counted over all pages
        self._marked = False  # whether that house is marked: only while the keyboard is used
        self._plan = plan_page(800, 500, 4)
        self._theme = load_theme(LIGHT)
        self._rows_due: list[int] = []
        self._row_timer = QTimer(self)
        self._row_timer.setSingleShot(True)
        self._row_timer.setInterval(_ROW_INTERVAL_MS)
        self._row_timer.timeout.connect(self._repaint_row)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setAccessibleName(self.tr("Single-line diagram of the micro-grid"))

    @property
    def page(self) -> int:
        """The page shown, from 0."""
        return self._page

    @property
    def pages(self) -> int:
        """How many pages the houses fill."""
        return self._pages

    @property
    def plan(self) -> Plan:
        """How the page is laid out now."""
        return self._plan

    def show_snapshot(self, snapshot: CentralSnapshot, trends: dict[str, Trend]) -> None:
        """Draw this snapshot, with each house's trend of power."""
        self._snapshot, self._trends = snapshot, trends
        self._lay_out()
        self.update(0, 0, self.width(), ceil(_TIE))
        # Rows that still wait keep their turn: however fast snapshots come, every row gets its own.
        self._rows_due += [row for row in range(self._plan.rows) if row not in self._rows_due]
        if not self._row_timer.isActive():
            self._row_timer.start()

    def show_page(self, page: int) -> None:
        """Show this page; the nearest one if there is none of that number."""
        self._page = min(max(page, 0), self._pages - 1)
        first = self._page * self._plan.room
        if not first <= self._cursor < first + self._plan.room:
            self._cursor = first
        self.pages_changed.emit()
        self.update()

    def shown_houses(self) -> tuple[HouseView, ...]:
        """The houses on the page shown."""
        if self._snapshot is None:
            return ()
        start = self._page * self._plan.room
        return self._snapshot.houses[start : start + self._plan.room]

    def cells(self) -> list[QRectF]:
        """Where the houses of the page are drawn, in their order."""
        plan = self._plan
        return [
            QRectF(
                _TRUNK + index % plan.columns * plan.cell_width,
                _TIE + index // plan.columns * plan.cell_height,
                plan.cell_width,
                plan.cell_height,
            )
            for index in range(len(self.shown_houses()))
        ]

    def trend_places(self) -> list[QRectF]:
        """Where trends are drawn: the only places with the plots' colours."""
        painter = HouseCell(self._theme, self._plan.size)
        return [painter.trend_place(cell) for cell in self.cells()]

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Room for forty houses in the smallest text."""
        return QSize(1060, 580)

    def minimumSizeHint(self) -> QSize:
        """Room for a few houses; the rest go to further pages."""
        return QSize(500, 300)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Lay the page out anew."""
        self._lay_out()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Over a house the pointer is a hand: it can be opened."""
        over = self._house_at(event.position()) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Open the house under the pointer."""
        index = self._house_at(event.position())
        if event.button() is Qt.MouseButton.LeftButton and index is not None:
            self._cursor = self._page * self._plan.room + index
            self.house_chosen.emit(self.shown_houses()[index].house)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows, Home and End move to another house, on whatever page it is; Enter opens it."""
        if self._snapshot is None:
            return
        last = len(self._snapshot.houses) - 1
        match event.key():
            case Qt.Key.Key_Return | Qt.Key.Key_Enter | Qt.Key.Key_Space:
                self.house_chosen.emit(self._snapshot.houses[self._cursor].house)
            case Qt.Key.Key_Left:
                self._move_to(max(0, self._cursor - 1))
            case Qt.Key.Key_Right:
                self._move_to(min(last, self._cursor + 1))
            case Qt.Key.Key_Up if self._cursor >= self._plan.columns:
                self._move_to(self._cursor - self._plan.columns)
            case Qt.Key.Key_Down if self._cursor + self._plan.columns <= last:
                self._move_to(self._cursor + self._plan.columns)
            case Qt.Key.Key_Home:
                self._move_to(0)
            case Qt.Key.Key_End:
                self._move_to(last)
            case _:
                super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show which house Enter opens, to those who come by keyboard."""
        self._marked = event.reason() in _BY_KEYBOARD
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Take the mark away."""
        self._marked = False
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the page."""
        if self._snapshot is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        houses, cells = self.shown_houses(), self.cells()
        place = QRectF(event.rect())
        self._paint_tie(painter, self._snapshot)
        self._paint_busbars(painter, cells)
        cell_painter = HouseCell(self._theme, self._plan.size)
        for house, cell in zip(houses, cells, strict=True):
            if cell.intersects(place):
                cell_painter.paint(painter, cell, house, self._trends[house.house])
        if self._marked and houses:
            marked = cells[self._cursor - self._page * self._plan.room]
            painter.setPen(QPen(self._theme.focus, 3))
            painter.drawRect(marked.adjusted(2, 2, -2, -2))

    def _house_at(self, point: QPointF) -> int | None:
        """The number of the house on this page at this place, or None."""
        return next((index for index, cell in enumerate(self.cells()) if cell.contains(point)), None)

    def _move_to(self, cursor: int) -> None:
        self._cursor = cursor
        self._marked = True
        if cursor // self._plan.room != self._page:
            self.show_page(cursor // self._plan.room)
        self.update()

    @Slot()
    def _repaint_row(self) -> None:
        top = _TIE + self._rows_due.pop(0) * self._plan.cell_height
        # Half a busbar belongs to the row above; rounding inwards keeps the next row out of this repaint.
        self.update(QRect(0, round(top) + 1, self.width(), round(self._plan.cell_height) - 2))
        if self._rows_due:
            self._row_timer.start()

    def _lay_out(self) -> None:
        count = len(self._snapshot.houses) if self._snapshot is not None else 1
        plan = plan_page(self.width() - _TRUNK - 4, self.height() - _TIE, count)
        if plan != self._plan:
            self._plan = plan
            self.update()
        pages = max(1, ceil(count / self._plan.room))
        page = min(self._page, pages - 1)
        last = min(count, (page + 1) * self._plan.room) - 1
        self._cursor = min(max(self._cursor, page * self._plan.room), last)
        if (pages, page) != (self._pages, self._page):
            self._pages, self._page = pages, page
            self.pages_changed.emit()

    def _paint_tie(self, painter: QPainter, snapshot: CentralSnapshot) -> None:
        """The tie breaker between the national grid, drawn above this widget, and the first busbar."""
        x, theme = _TRUNK / 2, self._theme
        painter.setPen(QPen(theme.bus, 3))
        painter.drawLine(QPointF(x, 0), QPointF(x, _TIE))
        square = QRectF(x - 8, 5, 16, 16)
        paint_breaker(painter, square, snapshot.tie_closed, theme)
        word = breaker_word(snapshot.tie_closed)
        text = QCoreApplication.translate(_CONTEXT, "Tie to the national grid {0}").format(word)
        paint_text(painter, QRectF(square.right() + 8, 3, 230, 20), text, 13, theme.text, bold=True)
        national_w = snapshot.pool.national_w
        if snapshot.tie_closed and abs(national_w) >= NO_FLOW_W:
            # Down is into the micro-grid: the national grid stands above the busbar.
            paint_arrow(painter, QPointF(square.right() + 250, 13), 13, national_w < 0, theme)
            words = (
                QCoreApplication.translate(_CONTEXT, "import from the national grid")
                if national_w > 0
                else QCoreApplication.translate(_CONTEXT, "export to the national grid")
            )
            paint_text(painter, QRectF(square.right() + 264, 3, 260, 20), words, 13, theme.text)

    def _paint_busbars(self, painter: QPainter, cells: list[QRectF]) -> None:
        if not cells:
            return
        painter.setPen(QPen(self._theme.bus, 4, Qt.PenStyle.SolidLine, Qt.PenCapStyle.SquareCap))
        tops = sorted({cell.top() for cell in cells})
        for top in tops:
            right = max(cell.right() for cell in cells if cell.top() == top)
            painter.drawLine(QPointF(_TRUNK / 2, top), QPointF(right - 6, top))
        painter.drawLine(QPointF(_TRUNK / 2, tops[0]), QPointF(_TRUNK / 2, tops[-1]))
