"""Minutes of one UTC day as arrays, from its seal if it has one, else from its rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import Connection

from db.central import tables
from db.central.seals import SealedColumn, decode, encode
from microgrid.columns import MINUTES_PER_DAY, Bools, Ints


@dataclass(frozen=True)
class Kind:
    """One kind of minute: its table, its quantities, and how a missing value reads.

    A quantity's number in `sealed_day` is `code` plus its place in `quantities`, so that new ones may
    only be added at the end. The first is which minutes are present.
    """

    table: str
    code: int
    quantities: tuple[str, ...]
    select: dict[str, str]

    def numbers(self, names: Sequence[str]) -> dict[int, str]:
        """The numbers in `sealed_day` of these quantities."""
        return {self.code + self.quantities.index(name): name for name in names}


_FETCHED = 5_000  # rows at a time: few enough to stay in the processor's cache
PRESENT = "present"
METER = Kind("meter_minute", 0, (PRESENT, *tables.MEASURED, "origin", "revision"), {})
ORDER = Kind(
    "order_minute",
    32,
    (
        PRESENT,
        "raise_standing",
        "target_w",
        "hold",
        "command_id",
        "acknowledged_s",
        "tie_closed",
        "out_of_service",
    ),
    {"target_w": "coalesce(target_w, -1)", "acknowledged_s": "coalesce(acknowledged_s, -1)"},
)


@dataclass(frozen=True)
class Grid:
    """Values of some quantities for `first` <= minute < `end`, each [houses, minutes]; 0 where absent."""

    first: int
    end: int
    present: Bools
    values: dict[str, Ints]


# One row of `sealed_day`: day, quantity, house, then the column.
SealedRow = tuple[object, ...]


def packed(kind: Kind, grid: Grid, houses: Sequence[str]) -> list[SealedRow]:
    """What the seal of a whole day keeps of these houses' grid; columns of zeros are left out."""
    fill = _last_present(grid.present)
    rows: list[SealedRow] = []
    for number, name in kind.numbers(kind.quantities).items():
        for row, house in enumerate(houses):
            values = grid.present[row].astype(np.int64)
            if name != PRESENT:
                values = grid.values[name][row][fill[row]]
            column = encode(values)
            if column is not None:
                rows.append((grid.first // MINUTES_PER_DAY, number, house, *column))
    return rows


class DayGrids:
    """Reads and seals days; always inside the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, kind: Kind, names: Sequence[str], first: int, end: int, houses: Sequence[str]) -> Grid:
        """These quantities of `first` <= minute < `end`, which lie within one UTC day."""
        day = first // MINUTES_PER_DAY
        if self._is_sealed(day):
            return self._from_seal(kind, names, first, end, houses)
        return self._from_rows(kind, names, first, end, houses)

    def day_with_minutes(self, house: str, day: int, forward: bool) -> int | None:
        """The nearest day from `day` on (or back) on which this house has meter minutes."""
        query = (
            "SELECT min(day) FROM meter_day WHERE house = ? AND day >= ?"
            if forward
            else "SELECT max(day) FROM meter_day WHERE house = ? AND day <= ?"
        )
        nearest: int | None = self._connection.exec_driver_sql(query, (house, day)).scalar_one()
        return nearest

    def houses(self, kind: Kind, day: int) -> list[str]:
        """The houses with rows of this kind on this day, sorted."""
        query, range_ = (
            f"SELECT DISTINCT house FROM {kind.table} WHERE minute >= ? AND minute < ? ORDER BY house",
            (day * MINUTES_PER_DAY, (day + 1) * MINUTES_PER_DAY),
        )
        if kind is METER:  # kept beside the rows, so that they need not be passed
            query, range_ = "SELECT house FROM meter_day WHERE day BETWEEN ? AND ? ORDER BY house", (day, day)
        return list(self._connection.exec_driver_sql(query, range_).scalars())

    def packed(self, kind: Kind, day: int, houses: Sequence[str]) -> list[SealedRow]:
        """What the seal of this day keeps of these houses, from their rows."""
        first, end = day * MINUTES_PER_DAY, (day + 1) * MINUTES_PER_DAY
        return packed(kind, self._from_rows(kind, kind.quantities[1:], first, end, houses), houses)

    def write_seal(self, rows: Sequence[SealedRow]) -> None:
        """Keeps a whole day's columns; the day may not have a seal."""
        if rows:
            marks = ", ".join("?" for _ in rows[0])
            self._connection.exec_driver_sql(f"INSERT INTO sealed_day VALUES ({marks})", list(rows))

    def _is_sealed(self, day: int) -> bool:
        found = self._connection.exec_driver_sql("SELECT 1 FROM sealed_day WHERE day = ? LIMIT 1", (day,))
        return found.first() is not None

    def _from_seal(
        self, kind: Kind, names: Sequence[str], first: int, end: int, houses: Sequence[str]
    ) -> Grid:
        day = first // MINUTES_PER_DAY
        wanted = kind.numbers((PRESENT, *names))
        found: dict[int, list[tuple[int, SealedColumn]]] = {number: [] for number in wanted}
        places = {house: row for row, house in enumerate(houses)}
        query = (
            "SELECT quantity, house, base, step, differenced, width, packed, data FROM sealed_day"
            f" WHERE day = ? AND quantity IN ({_marks(wanted)}) AND house IN ({_marks(houses)})"
        )
        cursor = self._connection.exec_driver_sql(query, (day, *wanted, *houses))
        for number, house, *column in cursor.all():
            found[number].append((places[house], SealedColumn(*column)))
        part = slice(first - day * MINUTES_PER_DAY, end - day * MINUTES_PER_DAY)
        present = decode(found.pop(kind.code), len(houses)).astype(np.bool_)
        columns = {wanted[number]: decode(rows, len(houses))[:, part] for number, rows in found.items()}
        # a gap repeats the row before it in the seal (see `_last_present`); houses without a seal read as 0
        gaps = np.flatnonzero(present.any(axis=1) & ~present.all(axis=1))
        present = present[:, part]
        if len(gaps):
            for name, values in columns.items():
                columns[name] = values if values.flags.writeable else values.copy()
                columns[name][gaps] *= present[gaps]
        return Grid(first, end, present, columns)

    def _from_rows(
        self, kind: Kind, names: Sequence[str], first: int, end: int, houses: Sequence[str]
    ) -> Grid:
        shape = (len(houses), end - first)
        grid = Grid(
            first,
            end,
            np.zeros(shape, dtype=np.bool_),
            {name: np.zeros(shape, dtype=np.int64) for name in names},
        )
        selected = ", ".join(kind.select.get(name, name) for name in names)
        cursor = self._connection.exec_driver_sql(
            f"SELECT house, minute, {selected} FROM {kind.table}"
            # The key is (minute, house): by minutes one by one, few houses need not pass all others' rows.
            f" WHERE minute IN ({_marks(range(first, end))}) AND house BETWEEN ? AND ?"
            f" AND +house IN ({_marks(houses)})",
            (*range(first, end), min(houses, default=""), max(houses, default=""), *houses),
        )
        places = {house: row * shape[1] - first for row, house in enumerate(houses)}
        for rows in cursor.partitions(_FETCHED):
            house_column, minute_column, *columns = zip(*rows, strict=True)
            offsets = np.fromiter((places[house] for house in house_column), np.int64, len(rows))
            where = offsets + np.array(minute_column, dtype=np.int64)
            grid.present.ravel()[where] = True
            for name, column in zip(names, columns, strict=True):
                grid.values[name].ravel()[where] = np.array(column, dtype=np.int64)
        return grid


def _marks(values: Sequence[object] | dict[int, str]) -> str:
    return ", ".join("?" for _ in values)


def _last_present(present: Bools) -> Ints:
    """For every minute the index of the last present one, or of the first before there is any.

    A gap then repeats the row before it, which packs to nothing.
    """
    index = np.where(present, np.arange(present.shape[1]), -1)
    last = np.maximum.accumulate(index, axis=1)
    return np.where(last < 0, present.argmax(axis=1)[:, None], last)
