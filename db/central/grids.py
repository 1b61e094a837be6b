"""Minutes of one UTC day as arrays, from its seal if it has one, else from its rows."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from sqlalchemy import Connection

from db.central import tables
from db.central.seals import Part, SealedPart, encode, unpacked
from db.central.tables import REGISTERS
from microgrid.columns import Bools, Ints
from microgrid.units import MINUTES_PER_DAY


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


_DAYS_KEPT = 2  # that a range is read from: the one that is read, and the next
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
        "fate",
    ),
    {"target_w": "coalesce(target_w, -1)", "acknowledged_s": "coalesce(acknowledged_s, -1)"},
)


class Grid(Protocol):
    """Minutes of one kind and some houses for `first` <= minute < `end`, within a UTC day."""

    first: int
    end: int
    present: Bools  # [minutes, houses]

    def values(self, name: str, columns: Ints | None = None) -> Ints:
        """A quantity of some houses (None: all), [minutes, houses]; 0 where absent."""

    def at(self, name: str, rows: Ints) -> Ints:
        """A quantity of each house in a row of its own, where it is present."""


class RowGrid:
    """Minutes from rows."""

    def __init__(self, first: int, end: int, present: Bools, arrays: dict[str, Ints]) -> None:
        self.first, self.end, self.present = first, end, present
        self.arrays = arrays

    def values(self, name: str, columns: Ints | None = None) -> Ints:
        """See `Grid`."""
        return self.arrays[name] if columns is None else self.arrays[name][:, columns]

    def at(self, name: str, rows: Ints) -> Ints:
        """See `Grid`."""
        return self.arrays[name][rows, np.arange(len(rows))]


class SealedGrid:
    """Minutes from a seal, each quantity put together when it is asked for."""

    def __init__(self, first: int, end: int, houses: int, parts: Mapping[str, Sequence[Part]]) -> None:
        self.first, self.end = first, end
        self._houses = houses
        self._parts = parts
        self._clip = slice(first % MINUTES_PER_DAY, first % MINUTES_PER_DAY + end - first)
        day = slice(0, MINUTES_PER_DAY)
        self._of_day = self._placed(PRESENT, np.arange(houses), Part.values, day) != 0
        self.present = self._of_day[self._clip]

    def values(self, name: str, columns: Ints | None = None) -> Ints:
        """See `Grid`."""
        if columns is None:
            columns = np.arange(self._houses)
        values = self._placed(name, columns, Part.values, self._clip)
        # A gap repeats the row before it in the seal (see `_last_present`).
        of_day = self._of_day[:, columns]
        gaps = np.flatnonzero(of_day.any(axis=0) & ~of_day.all(axis=0))
        if gaps.size:
            values = values if values.flags.writeable else values.copy()
            values[:, gaps] *= of_day[self._clip][:, gaps]
        return values

    def at(self, name: str, rows: Ints) -> Ints:
        """See `Grid`."""
        rows = rows + self._clip.start
        values = np.zeros(self._houses, dtype=np.int64)
        for part in self._parts[name]:
            values[part.columns[part.columns >= 0]] = part.at(rows[part.columns])[part.columns >= 0]
        return values

    def steady(self) -> Bools:
        """The houses of which every minute of the day is present, in one epoch."""
        steady: Bools = self._of_day.all(axis=0)
        for part in self._parts["epoch"]:
            if part.data is not None or (part.differenced and part.step.any()):
                steady[part.columns[part.columns >= 0]] = False
        return steady

    def filled(self, name: str) -> Ints:
        """A quantity [minutes, houses]; a gap repeats the row before it. May be read-only."""
        return self._placed(name, np.arange(self._houses), Part.values, self._clip)

    def rises(self, name: str, before: Ints) -> Ints:
        """How a register rose in each minute; `before` is what it was before the first. May be read-only."""
        rises = self._placed(name, np.arange(self._houses), Part.rises, self._clip)
        if self._clip.start > 0:
            return rises
        rises = rises if rises.flags.writeable else rises.copy()
        rises[0] = self.at(name, np.zeros_like(before)) - before
        return rises

    def _placed(
        self, name: str, columns: Ints, unpack: Callable[[Part, Ints, slice], Ints], rows: slice
    ) -> Ints:
        """Some minutes of these houses from the parts they are in; read-only if all day the same."""
        place = np.full(self._houses + 1, -1)  # the last is that of houses not asked for
        place[columns] = np.arange(len(columns))
        found = []
        for part in self._parts[name]:
            of = np.flatnonzero(place[part.columns] >= 0)
            if of.size:
                found.append((place[part.columns[of]], unpack(part, of, rows)))
        shape = (rows.stop - rows.start, len(columns))
        if len(found) == 1 and found[0][1].shape == shape and (found[0][0] == np.arange(len(columns))).all():
            return found[0][1]
        into = np.zeros((1, len(columns)), dtype=np.int64)
        for where, values in found:
            if len(values) == 1:
                into[:, where] = values
        changing = [(where, values) for where, values in found if len(values) > 1]
        if not changing:
            return np.broadcast_to(into, shape)
        into = np.repeat(into, shape[0], axis=0)
        for where, values in changing:
            into[:, where] = values
        return into


# One row of `sealed_day`, without its number.
SealedRow = tuple[object, ...]
_SEALED = ("day", "quantity", *SealedPart._fields)


def packed(kind: Kind, houses: Sequence[str], grid: RowGrid) -> Iterator[list[SealedRow]]:
    """What the seal of a whole day keeps of these houses, a quantity at a time."""
    fill = _last_present(grid.present)
    for number, name in kind.numbers(kind.quantities).items():
        values = grid.present.astype(np.int64)
        if name != PRESENT:
            values = np.take_along_axis(grid.values(name), fill, axis=0)
        yield [
            (grid.first // MINUTES_PER_DAY, number, *part)
            for part in encode(houses, values, name in REGISTERS)
        ]


def joined(grids: Sequence[RowGrid]) -> RowGrid:
    """The minutes of several lists of houses, one list after the other."""
    return RowGrid(
        grids[0].first,
        grids[0].end,
        np.concatenate([grid.present for grid in grids], axis=1),
        {name: np.concatenate([grid.arrays[name] for grid in grids], axis=1) for name in grids[0].arrays},
    )


class DayGrids:
    """Reads and seals days; always inside the caller's transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def load(self, kind: Kind, names: Sequence[str], first: int, end: int, houses: Sequence[str]) -> Grid:
        """These quantities of `first` <= minute < `end`, which lie within one UTC day."""
        return HouseGrids(self, houses).load(kind, names, first, end)

    def day_rows(self, kind: Kind, day: int, houses: Sequence[str]) -> RowGrid:
        """A whole day of these houses from their rows, to be sealed."""
        first = day * MINUTES_PER_DAY
        return self.from_rows(kind, kind.quantities[1:], first, first + MINUTES_PER_DAY, houses)

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

    def write_seal(self, rows: Sequence[SealedRow]) -> None:
        """Keeps rows of a day's seal."""
        if rows:
            columns = ", ".join(("day", "quantity", *SealedPart._fields))
            marks = ", ".join("?" for _ in rows[0])
            self._connection.exec_driver_sql(
                f"INSERT INTO sealed_day ({columns}) VALUES ({marks})", list(rows)
            )

    def is_sealed(self, day: int) -> bool:
        """Whether this day is sealed."""
        found = self._connection.exec_driver_sql("SELECT 1 FROM sealed_day WHERE day = ? LIMIT 1", (day,))
        return found.first() is not None

    def sealed_parts(
        self, kind: Kind, names: Sequence[str], day: int, places: dict[str, int]
    ) -> dict[str, list[Part]]:
        """The parts of a sealed day's quantities that hold any of the houses in `places`."""
        numbers = kind.numbers(names)
        cursor = self._connection.exec_driver_sql(
            f"SELECT quantity, {', '.join(SealedPart._fields)} FROM sealed_day"
            f" WHERE day = ? AND quantity IN ({_marks(numbers)})",
            (day, *numbers),
        )
        parts: dict[str, list[Part]] = {name: [] for name in names}
        for number, *row in cursor.all():
            part = unpacked(SealedPart(*row), places)
            if (part.columns >= 0).any():
                parts[numbers[number]].append(part)
        return parts

    def from_rows(
        self, kind: Kind, names: Sequence[str], first: int, end: int, houses: Sequence[str]
    ) -> RowGrid:
        """These quantities from rows."""
        shape = (end - first, len(houses))
        present = np.zeros(shape, dtype=np.bool_)
        arrays = {name: np.zeros(shape, dtype=np.int64) for name in names}
        selected = ", ".join(kind.select.get(name, name) for name in names)
        cursor = self._connection.exec_driver_sql(
            f"SELECT house, minute, {selected} FROM {kind.table}"
            # The key is (minute, house): by minutes one by one, few houses need not pass all others' rows.
            f" WHERE minute IN ({_marks(range(first, end))}) AND house BETWEEN ? AND ?"
            f" AND +house IN ({_marks(houses)})",
            (*range(first, end), min(houses, default=""), max(houses, default=""), *houses),
        )
        places = {house: place for place, house in enumerate(houses)}
        for rows in cursor.partitions(_FETCHED):
            house_column, minute_column, *columns = zip(*rows, strict=True)
            where = (np.array(minute_column, dtype=np.int64) - first) * shape[1]
            where += np.fromiter((places[house] for house in house_column), np.int64, len(rows))
            present.ravel()[where] = True
            for name, column in zip(names, columns, strict=True):
                arrays[name].ravel()[where] = np.array(column, dtype=np.int64)
        return RowGrid(first, end, present, arrays)


class HouseGrids:
    """Days of some houses within one transaction; what is near in time is fetched from the seals once."""

    def __init__(self, grids: DayGrids, houses: Sequence[str]) -> None:
        self.days = grids
        self.houses = houses
        self._places = {house: place for place, house in enumerate(houses)}
        self._sealed: dict[tuple[str, int], dict[str, list[Part]] | None] = {}  # by kind and day

    def load(self, kind: Kind, names: Sequence[str], first: int, end: int) -> Grid:
        """These quantities of `first` <= minute < `end`, which lie within one UTC day."""
        day = first // MINUTES_PER_DAY
        parts = self._parts(kind, names, day)
        if parts is None:
            return self.days.from_rows(kind, names, first, end, self.houses)
        return SealedGrid(first, end, len(self.houses), parts)

    def _parts(self, kind: Kind, names: Sequence[str], day: int) -> Mapping[str, Sequence[Part]] | None:
        """The day's seal with at least these quantities; None if it has none."""
        key = kind.table, day
        if key not in self._sealed:
            while len(self._sealed) >= _DAYS_KEPT:
                del self._sealed[next(iter(self._sealed))]
            self._sealed[key] = {} if self.days.is_sealed(day) else None
        parts = self._sealed[key]
        if parts is not None:
            missing = [name for name in (PRESENT, *names) if name not in parts]
            if missing:
                parts |= self.days.sealed_parts(kind, missing, day, self._places)
        return parts


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" for _ in values)


def _last_present(present: Bools) -> Ints:
    """For every minute the index of the last present one, or of the first before there is any.

    A gap then repeats the row before it, which packs to nothing.
    """
    index = np.where(present, np.arange(len(present))[:, None], -1)
    last = np.maximum.accumulate(index, axis=0)
    return np.where(last < 0, present.argmax(axis=0), last)
