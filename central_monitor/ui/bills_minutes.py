"""The minutes of a day of an account."""

from enum import Enum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QCoreApplication, QLocale, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from central_monitor.books import AccountLine, MinuteTable, MonthBook
from central_monitor.ui.bills_days import due_amount, who_words
from microgrid.months import local_time, zone_of
from microgrid.units import MICROCOINS_PER_COIN, SECONDS_PER_MINUTE, WS_PER_KWH
from node.qt.field import ListBox
from node.qt.format import clock, date, number, numbers, time_of_day
from node.qt.table import Cell, Table
from node.qt.text import TextLine
from node.qt.theme import Theme
from node.qt.value import ValueState

_CONTEXT = "bills"
_WS_PER_KW_MINUTE = 1000 * SECONDS_PER_MINUTE
translate = QCoreApplication.translate


class Which(Enum):
    """Which minutes are listed."""

    ALL = "all"
    PENALTY = "penalty"
    NATIONAL = "national"
    ESTIMATED = "estimated"


def minute_headers() -> list[str]:
    """The columns of the minutes."""
    return [
        translate(_CONTEXT, "Minute"),
        translate(_CONTEXT, "Mean\nkW"),
        translate(_CONTEXT, "Micro-grid\nkWh"),
        translate(_CONTEXT, "National\ngrid kWh"),
        translate(_CONTEXT, "Rate\ncoins/kWh"),
        translate(_CONTEXT, "Micro-grid\ncoins"),
        translate(_CONTEXT, "National\ngrid coins"),
        translate(_CONTEXT, "Penalty\nkWh"),
        translate(_CONTEXT, "Penalty\ncoins"),
        translate(_CONTEXT, "Total\ncoins"),
        translate(_CONTEXT, "Estimated"),
    ]


def minute_rows(table: MinuteTable, zone: str, rows: NDArray[np.intp]) -> list[tuple[Cell, ...]]:
    """The cells of these rows of the table; a day's are made well within a tenth of a second."""
    estimated = table.estimated[rows]
    net = table.microgrid_energy + table.national_grid_energy
    total = table.microgrid_amount + table.national_grid_amount + table.penalty_amount
    word, none = Cell(translate(_CONTEXT, "estimated")), Cell("")
    columns = [
        _times(table, zone, rows),
        _measured(net[rows], _WS_PER_KW_MINUTE, 2, estimated),
        _measured(table.microgrid_energy[rows], WS_PER_KWH, 4, estimated),
        _measured(table.national_grid_energy[rows], WS_PER_KWH, 4, estimated),
        _rates(table.rate[rows]),
        _amounts(table.microgrid_amount[rows]),
        _amounts(table.national_grid_amount[rows]),
        _figures(table.penalty_energy[rows], WS_PER_KWH, 4),
        _amounts(table.penalty_amount[rows]),
        _amounts(total[rows]),
        [word if each else none for each in estimated.tolist()],
    ]
    return list(zip(*columns, strict=True))


def _times(table: MinuteTable, zone: str, rows: NDArray[np.intp]) -> list[Cell]:
    """The minute of the day; with its zone's name on a day on which the clocks change."""
    place = zone_of(zone)
    first, last = (local_time(minute, place) for minute in (table.first_minute, table.end_minute - 1))
    if first.utcoffset() == last.utcoffset():
        begun = first.hour * 60 + first.minute
        cells = _plain_times(begun, begun + table.end_minute - table.first_minute, QLocale().name())
        return [cells[row] for row in rows.tolist()]
    moments = ((table.first_minute + row) * SECONDS_PER_MINUTE for row in rows.tolist())
    return [Cell(clock(moment, zone), link=True) for moment in moments]


@lru_cache(maxsize=4)
def _plain_times(begun: int, ended: int, _locale: str) -> list[Cell]:
    """The minutes of an ordinary day from one to another: they are the same on every day."""
    return [
        Cell(time_of_day(minute * SECONDS_PER_MINUTE, "UTC"), link=True) for minute in range(begun, ended)
    ]


def _figures(values: NDArray[np.int64], unit: int, decimals: int, *, link: bool = False) -> list[Cell]:
    """A column of figures. Most minutes have nothing in most columns: these cells are one."""
    (zero,) = numbers([0.0], decimals)
    cells = [Cell(zero, align_right=True, quiet=True)] * len(values)
    there = np.flatnonzero(values)
    texts = numbers((values[there] / unit).tolist(), decimals)
    for row, text in zip(there.tolist(), texts, strict=True):
        cells[row] = Cell(text, align_right=True, link=link)
    return cells


def _amounts(values: NDArray[np.int64]) -> list[Cell]:
    return _figures(values, MICROCOINS_PER_COIN, 4, link=True)


def _measured(
    values: NDArray[np.int64], unit: int, decimals: int, estimated: NDArray[np.bool_]
) -> list[Cell]:
    cells = _figures(values, unit, decimals)
    for row in np.flatnonzero(estimated).tolist():
        cells[row] = Cell(cells[row].text, align_right=True, state=ValueState.ESTIMATED)
    return cells


def _rates(rates: NDArray[np.int64]) -> list[Cell]:
    """The billed rate; a word where nothing was exported and the tariff was billed."""
    tariff = Cell(translate(_CONTEXT, "tariff"), align_right=True, quiet=True)
    texts = numbers((rates / MICROCOINS_PER_COIN).tolist(), 4)
    return [
        Cell(text, align_right=True) if rate >= 0 else tariff
        for text, rate in zip(texts, rates.tolist(), strict=True)
    ]


class MinutesView(QWidget):
    """An account's minutes of one day; one chooses which are listed.

    Signals:
        opened: the minute that was opened.
    """

    opened = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._table: MinuteTable | None = None
        self._zone = "UTC"
        self.title = TextLine("", 14, bold=True)
        self.count = TextLine("", 13)
        self.table = Table(minute_headers(), self.tr("Minutes of the day"))
        self.table.set_empty_text(self.tr("No minute of this day is listed under this choice"))
        self.which = ListBox()
        for which, name in self._choices().items():
            self.which.addItem(name, which)
        self.setFocusProxy(self.table)
        self._lay_out()
        self.table.chosen.connect(self._open)
        self.which.currentIndexChanged.connect(self._show_rows)

    def show_minutes(self, book: MonthBook, line: AccountLine, table: MinuteTable) -> None:
        """Show the minutes of this account's day."""
        self._table, self._zone = table, book.zone
        day = date(table.first_minute * SECONDS_PER_MINUTE, book.zone)
        amounts = (table.microgrid_amount, table.national_grid_amount, table.penalty_amount)
        due = due_amount(sum(int(amount.sum()) for amount in amounts))
        self.title.set_text(self.tr("{0}  ·  {1}, {2}  ·  {3}").format(who_words(line), day, book.zone, due))
        self._show_rows()
        if self.table.current_key() is None and self.table.keys:
            self.table.select(self.table.keys[0])

    def set_theme(self, theme: Theme) -> None:
        """Draw in these colours."""
        for part in (self.title, self.count, self.table):
            part.set_theme(theme)

    def _choices(self) -> dict[Which, str]:
        return {
            Which.ALL: self.tr("All minutes"),
            Which.PENALTY: self.tr("Minutes with a penalty"),
            Which.NATIONAL: self.tr("Minutes with the national grid"),
            Which.ESTIMATED: self.tr("Estimated minutes"),
        }

    def _lay_out(self) -> None:
        label = QLabel(self.tr("S&how"))
        label.setBuddy(self.which)
        choice = QHBoxLayout()
        choice.addWidget(label)
        choice.addWidget(self.which)
        choice.addWidget(self.count, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.title)
        layout.addLayout(choice)
        layout.addWidget(self.table, 1)

    @Slot()
    def _show_rows(self) -> None:
        table = self._table
        if table is None:
            return
        match self.which.currentData():
            case Which.PENALTY:
                chosen = (table.penalty_energy != 0) | (table.penalty_amount != 0)
            case Which.NATIONAL:
                chosen = table.national_grid_energy != 0
            case Which.ESTIMATED:
                chosen = table.estimated
            case _:
                chosen = np.ones(len(table.estimated), np.bool_)
        rows = np.flatnonzero(chosen)
        keys = (table.first_minute + rows).tolist()
        self.table.set_rows(keys, minute_rows(table, self._zone, rows))
        self.count.set_text(
            self.tr("{0} of {1} minutes").format(number(len(rows), 0), number(len(chosen), 0))
        )

    @Slot(object)
    def _open(self, minute: int) -> None:
        self.opened.emit(minute)
