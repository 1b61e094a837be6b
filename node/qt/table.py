"""A table of text and numbers that may be shown anew every second without a jump."""

from collections.abc import Sequence
from typing import ClassVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, Qt, Signal, Slot
from PySide6.QtGui import QAccessible, QHelpEvent, QKeyEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolTip,
)

from node.qt.cell import Cell
from node.qt.text import paint_text, plain_tip, text_width, ui_font
from node.qt.theme import LIGHT, Theme, load_theme
from node.qt.value import ValueState, paint_ground

__all__ = ["Cell", "Table"]

_ROW = 1.9  # height of a row in text sizes
_PADDING = 7  # pixels left and right of a cell's text
_MEASURED = 4  # longest texts of a column of numbers that are measured
_LEAST_WORDS = 40  # pixels that a column of words keeps before the table scrolls sideways

_Index = QModelIndex | QPersistentModelIndex


class _Rows(QAbstractTableModel):
    """The rows as Qt asks for them."""

    def __init__(self, headers: Sequence[str]) -> None:
        super().__init__()
        self.headers = tuple(headers)
        self.keys: tuple[object, ...] = ()
        self.rows: tuple[tuple[Cell, ...], ...] = ()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 (Qt's own signature)
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.headers)

    def cell(self, index: _Index) -> Cell:
        """The cell at a valid index."""
        return self.rows[index.row()][index.column()]

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        cell = self.cell(index)
        if role == Qt.ItemDataRole.DisplayRole:
            return cell.shown
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{self.headers[index.column()]}: {cell.shown}".replace("\n", " ")
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.headers[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            right = bool(self.rows) and self.rows[0][section].align_right
            side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignBottom
        return None

    def renew(self, rows: Sequence[Sequence[Cell]]) -> dict[int, list[Cell]]:
        """Other cells for the same keys; those that changed, by column.

        Each column is told by itself: where few columns live, few are painted.
        """
        before, self.rows = self.rows, tuple(tuple(row) for row in rows)
        changed: dict[int, list[Cell]] = {}
        places: dict[int, tuple[int, int]] = {}  # the first and the last changed row of a column
        for number, (old, new) in enumerate(zip(before, self.rows, strict=True)):
            if old is new or old == new:
                continue
            for column, cell in enumerate(new):
                if cell is not old[column] and cell != old[column]:
                    changed.setdefault(column, []).append(cell)
                    places[column] = places.get(column, (number, number))[0], number
        for column, (first, last) in places.items():
            self.dataChanged.emit(self.index(first, column), self.index(last, column), [])
        return changed

    def replace(self, keys: Sequence[object], rows: Sequence[Sequence[Cell]]) -> dict[int, list[Cell]]:
        """Other rows altogether; their cells, by column."""
        self.beginResetModel()
        self.keys, self.rows = tuple(keys), tuple(tuple(row) for row in rows)
        self.endResetModel()
        return {column: list(cells) for column, cells in enumerate(zip(*self.rows, strict=True))}


class _Painter(QStyledItemDelegate):
    """Draws a cell in the table's theme and text size."""

    def __init__(self, table: "Table", size: float) -> None:
        super().__init__(table)
        self.theme = load_theme(LIGHT)
        self._table = table
        self._size = size

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Ground, value state, text; a thin line under the row."""
        cell, theme = self._table.cell(index), self.theme
        place = QRectF(option.rect)
        selected = index.row() == self._table.currentIndex().row()
        if selected:
            painter.fillRect(place, theme.band)
        if cell.state is not ValueState.GOOD:
            paint_ground(painter, place.adjusted(2, 2, -2, -3), cell.state, theme)
        painter.setPen(QPen(theme.line, 1))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())  # within its own cell
        if selected and index.column() == 0:
            painter.fillRect(QRectF(place.left(), place.top(), 4, place.height()), theme.bus)
        inner = place.adjusted(_PADDING, 0, -_PADDING, 0)
        if cell.drawing is not None:
            painter.save()
            painter.setClipRect(place)
            cell.drawing.paint(painter, inner, theme)
            painter.restore()
        elif cell.shown:
            self._paint_text(painter, inner, cell)

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: _Index
    ) -> bool:
        """The cell's own tip, or the whole text where it is cut."""
        tip = ""
        if index.isValid():
            cell = self._table.cell(index)
            room = self._table.columnWidth(index.column()) - 2 * _PADDING
            tip = cell.tip or (cell.shown if text_width(cell.shown, int(self._size)) > room else "")
        QToolTip.showText(event.globalPos(), plain_tip(tip), view)
        return bool(tip)

    def _paint_text(self, painter: QPainter, place: QRectF, cell: Cell) -> None:
        align = Qt.AlignmentFlag.AlignRight if cell.align_right else Qt.AlignmentFlag.AlignLeft
        colour = self.theme.quiet if cell.quiet else self.theme.text
        paint_text(painter, place, cell.shown, self._size, colour, bold=cell.bold, align=align)
        if cell.link:
            width = min(text_width(cell.shown, int(self._size), bold=cell.bold), place.width())
            left = place.right() - width if cell.align_right else place.left()
            under = place.center().y() + self._size * 0.6
            painter.fillRect(QRectF(left, under, width, 1), self.theme.quiet)


class Table(QTableView):
    """Rows of cells, each row known by its key; one row is selected.

    Columns grow with their contents and never shrink, so that changing numbers move nothing. Headers may
    have several lines, parted by a line feed, and stand over the side their numbers end on.

    Signals:
        chosen: the key of a row that was opened: Enter, a double click anywhere in the row, or one click
            on a cell that is a link.
    """

    chosen: ClassVar[Signal] = Signal(object)

    def __init__(
        self,
        headers: Sequence[str],
        accessible_name: str,
        size: float = 13,
        *,
        stretched: int | None = None,
    ) -> None:
        """`stretched` is the column that takes spare width; None: all share it."""
        super().__init__()
        self._rows = _Rows(headers)
        self._size = size
        self._stretched = stretched
        self._least = [max(_LEAST_WORDS, self._width_of(header, bold=True)) for header in headers]
        self._wanted = list(self._least)
        self._empty_text = ""
        self._painter = _Painter(self, size)
        self.setModel(self._rows)
        self.setItemDelegate(self._painter)
        self.setAccessibleName(accessible_name)
        self.setFont(ui_font(int(size)))
        self._set_up()
        self.clicked.connect(self._clicked)
        self.doubleClicked.connect(self._double_clicked)
        self.set_theme(self._painter.theme)

    def set_rows(self, keys: Sequence[object], rows: Sequence[Sequence[Cell]]) -> None:
        """Show these rows; selection and scroll position stay with their keys.

        A table that stands at its top stays there, whatever comes first now. ValueError if a row has not
        its key or not a cell for each column.
        """
        if len(keys) != len(rows) or any(len(row) != len(self._rows.headers) for row in rows):
            raise ValueError("Every row of a table has a key, and a cell for each column.")
        same = tuple(keys) == self._rows.keys
        self._measure(self._rows.renew(rows) if same else self._replace(keys, rows))

    @property
    def keys(self) -> tuple[object, ...]:
        """The keys of the rows, from the top."""
        return self._rows.keys

    def cell(self, index: _Index) -> Cell:
        """The cell at a valid index of this table."""
        return self._rows.cell(index)

    def texts(self, row: int) -> list[str]:
        """What is shown in a row, column by column."""
        return [cell.shown for cell in self._rows.rows[row]]

    def rows_in_view(self) -> range:
        """The numbers of the rows that are seen now, in part or whole."""
        last = self.rowAt(self.viewport().height() - 1)
        return range(max(0, self.rowAt(0)), (last if last >= 0 else len(self._rows.rows) - 1) + 1)

    def current_key(self) -> object:
        """The key of the selected row; None if none is."""
        row = self.currentIndex().row()
        return self._rows.keys[row] if 0 <= row < len(self._rows.keys) else None

    def select(self, key: object) -> None:
        """Select the row of this key and bring it into view; nothing if there is none."""
        if key in self._rows.keys:
            self.setCurrentIndex(self._rows.index(self._rows.keys.index(key), 0))

    def set_empty_text(self, text: str) -> None:
        """What is said in place of the rows while there are none."""
        self._empty_text = text
        self.viewport().update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        self._painter.theme = theme
        self.setPalette(theme.palette())
        self.viewport().update()

    def dataChanged(self, first: _Index, last: _Index, roles: Sequence[int] = ()) -> None:
        """Paint the cells that changed; Qt's own way is to paint every cell in view for more than one."""
        if QAccessible.isActive():
            super().dataChanged(first, last, list(roles))
            return
        changed = self.visualRect(first).united(self.visualRect(last))
        self.viewport().update(changed)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens the selected row."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.current_key() is not None:
            self.chosen.emit(self.current_key())
            return
        super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fit the columns to the new width."""
        super().resizeEvent(event)
        self._fit_columns()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the rows, or say that there are none."""
        super().paintEvent(event)
        if not self._rows.rows and self._empty_text:
            painter = QPainter(self.viewport())
            place = QRectF(self.viewport().rect()).adjusted(12, 8, -12, 0)
            place.setHeight(self._size * _ROW)
            paint_text(painter, place, self._empty_text, self._size, self._painter.theme.quiet)

    def _set_up(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)  # Tab leads on to the next control
        self.setShowGrid(False)
        self.setWordWrap(False)
        rows, columns = self.verticalHeader(), self.horizontalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(round(self._size * _ROW))
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        columns.setHighlightSections(False)
        columns.setSectionsClickable(False)
        columns.setFont(ui_font(int(self._size)))  # a style sheet keeps the table's own from it
        lines = max(header.count("\n") + 1 for header in self._rows.headers)
        columns.setFixedHeight(round(self._size * (1.3 * lines + 0.5)))

    def _replace(self, keys: Sequence[object], rows: Sequence[Sequence[Cell]]) -> dict[int, list[Cell]]:
        bar, selected = self.verticalScrollBar(), self.current_key()
        at, top = bar.value(), self.rowAt(0)
        height = self.verticalHeader().defaultSectionSize()
        first = self._rows.keys[top] if at > 0 and top >= 0 else None
        column = max(0, self.currentIndex().column())
        cells = self._rows.replace(keys, rows)
        if selected is not None and selected in self._rows.keys:
            self.setCurrentIndex(self._rows.index(self._rows.keys.index(selected), column))
        self.updateGeometries()  # the scroll bar's range must be the new rows'
        if first is not None and first in self._rows.keys:
            bar.setValue(self._rows.keys.index(first) * height + at - top * height)
        else:
            bar.setValue(at)
        return cells

    def _measure(self, new: dict[int, list[Cell]]) -> None:
        """Widen columns to their longest new texts; of numbers a few are measured, all digits being equal."""
        before = list(self._wanted)
        for column, cells in new.items():
            texts = {cell.shown for cell in cells}
            if cells[0].align_right:
                texts = set(sorted(texts, key=len)[-_MEASURED:])
            bold = any(cell.bold for cell in cells)
            widest = max(self._width_of(text, bold=bold) for text in texts)
            if drawn := [cell.drawing.width for cell in cells if cell.drawing is not None]:
                widest = max(drawn) + 2 * _PADDING
            self._wanted[column] = max(before[column], widest)
        if self._wanted != before:
            self._fit_columns()

    def _fit_columns(self) -> None:
        """Spread spare width over all columns; lacking width is taken from the widest columns of words."""
        widths = list(self._wanted)
        spare = self.viewport().width() - sum(widths)
        if spare > 0 and self._stretched is not None:
            widths[self._stretched] += spare
        elif spare > 0:
            widths = [width + min(spare // len(widths), width) for width in widths]
        elif self._rows.rows:
            row = self._rows.rows[0]
            words = [n for n, cell in enumerate(row) if not cell.align_right and cell.drawing is None]
            for n, width in _narrowed({n: widths[n] for n in words}, self._least, -spare).items():
                widths[n] = width
        for column, width in enumerate(widths):
            if self.columnWidth(column) != width:
                self.setColumnWidth(column, width)

    def _width_of(self, text: str, *, bold: bool) -> int:
        widest = max(text_width(line, int(self._size), bold=bold) for line in text.split("\n"))
        return round(widest) + 2 * _PADDING + 2

    @Slot(QModelIndex)
    def _clicked(self, index: QModelIndex) -> None:
        if self._rows.cell(index).link:
            self.chosen.emit(self._rows.keys[index.row()])

    @Slot(QModelIndex)
    def _double_clicked(self, index: QModelIndex) -> None:
        # The first click of two has opened a link already, and may have brought other rows here.
        if index.isValid() and not self._rows.cell(index).link:
            self.chosen.emit(self._rows.keys[index.row()])


def _narrowed(widths: dict[int, int], least: Sequence[int], lacking: int) -> dict[int, int]:
    """The columns' widths with so many pixels less, taken from the widest, none made less than its least."""
    cap = max(widths.values(), default=0)
    while cap > 0:
        narrow = {n: max(min(width, cap), least[n]) for n, width in widths.items()}
        if sum(widths.values()) - sum(narrow.values()) >= lacking:
            return narrow
        cap -= 1
    return {n: least[n] for n in widths}
