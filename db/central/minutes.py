"""The one reader and writer of minutes: append, revise, seal, read.

Nobody else knows which minutes come from rows and which from seals.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from operator import attrgetter

from sqlalchemy import Connection, Row, Table
from sqlalchemy.dialects import sqlite

from db.central import reading, tables
from db.central.grids import METER, ORDER, DayGrids, SealedRow
from db.engine import transaction
from microgrid.columns import MINUTES_PER_DAY, MinuteColumns, OrderColumns
from microgrid.minute import MeterMinute, OrderMinute, Origin


def _insert_sql(table: Table) -> str:
    """The table's insert for the driver: through Core, binding a minute costs several times as much."""
    return str(sqlite.insert(table).on_conflict_do_nothing().compile(dialect=sqlite.dialect()))


_METER = tuple(column.name for column in tables.meter_minute.c)
_ORDER = tuple(column.name for column in tables.order_minute.c)
_INSERT_METER, _METER_ROW = _insert_sql(tables.meter_minute), attrgetter(*_METER)
_INSERT_ORDER, _ORDER_ROW = _insert_sql(tables.order_minute), attrgetter(*_ORDER)
_INSERT_DAY = _insert_sql(tables.meter_day)
_SEALED_AT_ONCE = 5  # houses: a step of about 0.1 s
_MEASURED = attrgetter(*tables.MEASURED)
_SELECT_METER = f"SELECT {', '.join(_METER)} FROM meter_minute"
_KEEP_REVISION = (
    f"INSERT INTO meter_minute_revision ({', '.join(_METER)}) {_SELECT_METER} WHERE minute = ? AND house = ?"
)
_REVISE = (
    f"UPDATE meter_minute SET {', '.join(f'{name} = ?' for name in (*tables.MEASURED, 'origin'))},"
    " revision = revision + 1 WHERE minute = ? AND house = ?"
)


class MinuteStore:
    """Minutes on one connection: a writer's for everything, a reader's for reading."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._grids = DayGrids(connection)
        self._broken: set[int] = set()  # days written into; sealing looks whether its own is among them

    def transaction(self) -> AbstractContextManager[Connection]:
        """A transaction around several calls; each call makes its own otherwise."""
        return transaction(self._connection)

    def append(self, meter: Sequence[MeterMinute], orders: Sequence[OrderMinute] = ()) -> int:
        """Records minutes of any houses in one transaction; returns how many rows were new or revised.

        The same measurement again changes nothing; another one for the same minute is a new revision, and
        the old one is kept. An order minute, once written, stands: a second one is ignored.
        """
        with transaction(self._connection):
            inserted = self._insert(_INSERT_METER, [_METER_ROW(row) for row in meter])
            days = {(row.house, row.minute // MINUTES_PER_DAY) for row in meter} if inserted else set()
            self._insert(_INSERT_DAY, list(days))
            touched = {day for _, day in days}
            revised: list[int] = []
            if inserted < len(meter):
                revised = [row.minute // MINUTES_PER_DAY for row in meter if self._revise(row)]
            ordered = self._insert(_INSERT_ORDER, [_ORDER_ROW(order) for order in orders])
            if ordered:
                touched.update(order.minute // MINUTES_PER_DAY for order in orders)
            self._unseal(touched.union(revised))
            return inserted + len(revised) + ordered

    def revisions(self, house: str, minute: int) -> list[MeterMinute]:
        """What this minute was before it was revised, oldest first; empty if it never was."""
        with transaction(self._connection) as connection:
            rows = connection.exec_driver_sql(
                f"SELECT {', '.join(_METER)} FROM meter_minute_revision"
                " WHERE minute = ? AND house = ? ORDER BY revision",
                (minute, house),
            )
            return [_meter_minute(row) for row in rows]

    def last_minutes(self) -> dict[str, MeterMinute]:
        """The last recorded row of every house that has one."""
        last: dict[str, MeterMinute] = {}
        with transaction(self._connection) as connection:
            days = connection.exec_driver_sql("SELECT house, max(day) FROM meter_day GROUP BY house").all()
            for house, day in days:
                row = connection.exec_driver_sql(
                    f"{_SELECT_METER} WHERE minute >= ? AND house = ? ORDER BY minute DESC LIMIT 1",
                    (day * MINUTES_PER_DAY, house),
                ).one()
                last[house] = _meter_minute(row)
        return last

    def any_in(self, first_minute: int, end_minute: int) -> bool:
        """Whether any house has a row in `first_minute` <= m < `end_minute`."""
        with transaction(self._connection) as connection:
            query = "SELECT 1 FROM meter_minute WHERE minute >= ? AND minute < ? LIMIT 1"
            return connection.exec_driver_sql(query, (first_minute, end_minute)).first() is not None

    def seal(self, day: int) -> None:
        """Packs a finished UTC day (days since 1970-01-01) into columns, which are then read instead of rows.

        The next minute that is written into the day breaks the seal again.
        """
        for _ in self.seal_in_steps(day):
            pass

    def seal_in_steps(self, day: int) -> Iterator[None]:
        """`seal` a few houses at a time, so that minutes can be appended in between; the last step writes.

        A day that is written into meanwhile is begun again.
        """
        rows: list[SealedRow] | None = None
        while rows is None:
            self._broken.discard(day)
            rows = yield from self._packed(day)
        with transaction(self._connection):
            self._unseal({day})
            self._grids.write_seal(rows)

    def _packed(self, day: int) -> Generator[None, None, list[SealedRow] | None]:
        """The rows of a day's seal; None if the day changed on the way."""
        rows: list[SealedRow] = []
        for kind in (METER, ORDER):
            with transaction(self._connection):
                houses = self._grids.houses(kind, day)
            for start in range(0, len(houses), _SEALED_AT_ONCE):
                yield
                if day in self._broken:
                    return None
                with transaction(self._connection):
                    rows += self._grids.packed(kind, day, houses[start : start + _SEALED_AT_ONCE])
        return rows

    def sealed_days(self) -> list[int]:
        """The days that are sealed, ascending."""
        with transaction(self._connection) as connection:
            return list(
                connection.exec_driver_sql("SELECT DISTINCT day FROM sealed_day ORDER BY day").scalars()
            )

    def days(
        self, first_minute: int, end_minute: int, houses: Iterable[str] | None = None
    ) -> Generator[tuple[MinuteColumns, OrderColumns], None, None]:
        """`first_minute` <= m < `end_minute` by UTC day, openings and closings chained, in one transaction.

        `houses`: None for those of the terms and all others that have minutes. Exhaust or close the
        iterator: it holds its snapshot of the database until then. Raises ValueError for an empty range.
        """
        with transaction(self._connection):
            names = self._names(houses)
            minutes = reading.minute_columns(self._grids, first_minute, end_minute, names)
            orders = reading.order_columns(self._grids, first_minute, end_minute, names)
            yield from zip(minutes, orders, strict=True)

    def read(self, first_minute: int, end_minute: int, houses: Iterable[str] | None = None) -> MinuteColumns:
        """All meter minutes of the range at once; a month of many houses is better read by `days`."""
        with transaction(self._connection):
            names = self._names(houses)
            return reading.joined_minutes(
                list(reading.minute_columns(self._grids, first_minute, end_minute, names))
            )

    def read_orders(
        self, first_minute: int, end_minute: int, houses: Iterable[str] | None = None
    ) -> OrderColumns:
        """All order minutes of the range at once."""
        with transaction(self._connection):
            names = self._names(houses)
            return reading.joined_orders(
                list(reading.order_columns(self._grids, first_minute, end_minute, names))
            )

    def _names(self, houses: Iterable[str] | None) -> tuple[str, ...]:
        if houses is None:
            query = "SELECT house FROM house UNION SELECT house FROM meter_day"
            houses = self._connection.exec_driver_sql(query).scalars()
        return tuple(sorted(set(houses)))

    def _insert(self, sql: str, rows: list[tuple[object, ...]]) -> int:
        """Inserts what is not there yet and returns how many rows that were."""
        if not rows:
            return 0
        result = self._connection.exec_driver_sql(sql, rows, execution_options={"preserve_rowcount": True})
        return result.rowcount

    def _revise(self, row: MeterMinute) -> bool:
        """Makes this the current row if it measures something else than the current one does."""
        key = (row.minute, row.house)
        current = self._connection.exec_driver_sql(
            f"{_SELECT_METER} WHERE minute = ? AND house = ?", key
        ).one()
        if _MEASURED(current) == _MEASURED(row):
            return False
        self._connection.exec_driver_sql(_KEEP_REVISION, key)
        self._connection.exec_driver_sql(_REVISE, (*_MEASURED(row), row.origin, *key))
        return True

    def _unseal(self, days: Iterable[int]) -> None:
        for day in days:
            self._broken.add(day)
            self._connection.exec_driver_sql("DELETE FROM sealed_day WHERE day = ?", (day,))


def _meter_minute(row: Row[tuple[object, ...]]) -> MeterMinute:
    values = row._asdict()
    values["origin"] = Origin(values["origin"])
    return MeterMinute(**values)
