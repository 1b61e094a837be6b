"""A table of houses that is shown anew with every snapshot: rows keep their places, and little is made."""

from collections.abc import Callable, Mapping
from typing import Generic, TypeVar

from PySide6.QtCore import QObject, Qt, Slot

from node.qt.table import Cell, Table

HELD_S = 10.0  # for so long rows keep their places although what they are sorted by changes
_TURNS = 4  # rows out of view are made anew every so many snapshots

Line = TypeVar("Line")
Rank = Callable[[Line], tuple[int, ...]]


class LiveList(QObject, Generic[Line]):
    """Fills a table with a row for each house's line.

    Rows in view are always those of the newest lines; of the others a part is made anew in turns.
    """

    def __init__(self, table: Table, cells_of: Callable[[Line], tuple[Cell, ...]]) -> None:
        super().__init__(table)
        self._table, self._cells_of = table, cells_of
        self._lines: Mapping[str, Line] = {}
        self._order: list[str] = []
        self._cells: dict[str, tuple[Cell, ...]] = {}  # of each house, as they were made last
        self._turn = 0
        self._sorted_s: float | None = None  # when rows took their places; None: they are to be sorted now
        scrolled = table.verticalScrollBar().valueChanged
        scrolled.connect(self._fill, Qt.ConnectionType.QueuedConnection)

    def sort_anew(self) -> None:
        """Whatever is shown next is sorted as of then."""
        self._sorted_s = None

    def show(self, lines: Mapping[str, Line], now_s: float, rank: Rank[Line] | None) -> None:
        """Show these lines, smallest rank first; what is equal, or without a rank, as they come."""
        held = self._sorted_s is not None and 0 <= now_s - self._sorted_s < HELD_S
        if not held or lines.keys() != set(self._order):
            self._order = list(lines) if rank is None else sorted(lines, key=lambda key: rank(lines[key]))
            self._sorted_s = now_s
        self._lines = lines
        self._turn += 1
        self._fill()

    @Slot()
    def _fill(self) -> None:
        in_view, rows = self._table.rows_in_view(), []
        for number, house in enumerate(self._order):
            if number in in_view or (number - self._turn) % _TURNS == 0 or house not in self._cells:
                self._cells[house] = self._cells_of(self._lines[house])
            rows.append(self._cells[house])
        self._table.set_rows(self._order, rows)
