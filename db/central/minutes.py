"""The one reader and writer of minutes: append, revise, seal, read.

Nobody else knows which minutes come from rows and which from seals.
"""

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Row, insert, select
from sqlalchemy.dialects import sqlite

from db.central import reading, tables
from db.central.grids import METER, ORDER, DayGrids, RowGrid, SealedRow, joined, packed
from db.central.rows import Insert, meter_minute, meter_row, order_row
from db.engine import transaction
from microgrid.columns import BilledMinutes, MinuteColumns, OrderColumns, StandingOrders
from microgrid.minute import MeterMinute, OrderMinute, Origin
from microgrid.registers import Registers
from microgrid.swap import MeterSwap
from microgrid.terms import FOREVER
from microgrid.units import MINUTES_PER_DAY

_METER, _ORDER = MeterMinute.__struct_fields__, OrderMinute.__struct_fields__
_INSERT_METER = Insert(tables.meter_minute, _METER)
_INSERT_REVISION = Insert(tables.meter_minute_revision, _METER)
_INSERT_ORDER = Insert(tables.order_minute, _ORDER)
_INSERT_DAY = Insert(tables.meter_day, ("house", "day"))
_READ_AT_ONCE = 5  # houses: a step of about 0.1 s
_PACKED_AT_ONCE = 64  # houses: some 15 MB of values
_MEASURED = attrgetter(*tables.MEASURED)
_SELECT_METER = f"SELECT {', '.join(_METER)} FROM meter_minute"
_KEEP_REVISION = (
    f"INSERT INTO meter_minute_revision ({', '.join(_METER)}) {_SELECT_METER} WHERE minute = ? AND house = ?"
)
_REVISE = (
    f"UPDATE meter_minute SET {', '.join(f'{name} = ?' for name in (*tables.MEASURED, 'origin'))},"
    " revision = revision + 1 WHERE minute = ? AND house = ?"
)


@dataclass(frozen=True)
class Correction:
    """A reading somebody corrected: who and why, and the registers it had (None: none) and has."""

    house: str
    minute: int
    author: str
    reason: str
    entered_s: int
    before: Registers | None
    after: Registers


class Around(NamedTuple):
    """A house's row of a minute, with its last one before and its first one after; None: there is none."""

    before: MeterMinute | None
    row: MeterMinute | None
    after: MeterMinute | None


class MinuteStore:
    """Minutes on one connection: a writer's for everything, a reader's for reading."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._grids = DayGrids(connection)
        self._known_day: dict[str, int] = {}  # one of each house's days that is sure to be in meter_day
        self._broken: set[int] = set()  # days written into; sealing looks whether its own is among them

    def transaction(self) -> AbstractContextManager[Connection]:
        """A transaction around several calls; each call makes its own otherwise."""
        return transaction(self._connection)

    def append(self, meter: Sequence[MeterMinute], orders: Sequence[OrderMinute] = ()) -> int:
        """Records minutes of any houses in one transaction; returns how many rows were new or revised.

        The same measurement again changes nothing; another one for the same minute is a new revision, and
        the old one is kept; one that was corrected stays the current one. An order minute, once written,
        stands: a second one is ignored.
        """
        alone = not self._connection.in_transaction()
        with transaction(self._connection) as connection:
            inserted = _INSERT_METER(connection, [meter_row(row) for row in meter])
            days = {(row.house, row.minute // MINUTES_PER_DAY) for row in meter} if inserted else set()
            new = [(house, day) for house, day in days if self._known_day.get(house) != day]
            _INSERT_DAY(connection, new)
            touched = {day for _, day in days}
            revised: list[int] = []
            if inserted < len(meter):
                revised = [row.minute // MINUTES_PER_DAY for row in meter if self._revise(row)]
            ordered = _INSERT_ORDER(connection, [order_row(order) for order in orders])
            if ordered:
                touched.update(order.minute // MINUTES_PER_DAY for order in orders)
            self._unseal(touched.union(revised))
        if alone:  # else the caller's transaction may yet be undone
            self._known_day.update(new)
        return inserted + len(revised) + ordered

    def correct(self, row: MeterMinute, author: str, reason: str, entered_s: int) -> None:
        """Makes this the minute's reading, whatever the house says of it before or later.

        What the house measured is kept as an earlier revision. `row`'s own origin and revision are unused.
        """
        row = replace(row, origin=Origin.CORRECTED, revision=0)
        key = (row.minute, row.house)
        with transaction(self._connection) as connection:
            current = self._current(row)
            if current is None:
                self.append([row])
            else:
                connection.exec_driver_sql(_KEEP_REVISION, key)
                connection.exec_driver_sql(_REVISE, (*_MEASURED(row), row.origin, *key))
            self._unseal({row.minute // MINUTES_PER_DAY})
            values = {"house": row.house, "minute": row.minute}
            values |= {"author": author, "reason": reason, "entered_s": entered_s}
            for name in tables.REGISTERS:
                values[f"old_{name}"] = None if current is None else getattr(current, name)
                values[f"new_{name}"] = getattr(row, name)
            connection.execute(insert(tables.correction), values)

    def corrections(self, house: str, first_minute: int, end_minute: int) -> tuple[Correction, ...]:
        """The corrections of the house's readings in `first_minute` <= m < `end_minute`, as entered."""
        table = tables.correction
        among = (table.c.house == house) & table.c.minute.between(first_minute, end_minute - 1)
        with transaction(self._connection) as connection:
            rows = connection.execute(select(table).where(among).order_by(table.c.number)).all()
        return tuple(_correction(row) for row in rows)

    def keep_swap(self, swap: MeterSwap) -> None:
        """Keeps the record of a meter's exchange; the same one again changes nothing."""
        row = {"house": swap.house, "at_s": swap.at_s, "body": msgspec.msgpack.encode(swap)}
        with transaction(self._connection) as connection:
            connection.execute(sqlite.insert(tables.meter_swap).on_conflict_do_nothing(), row)

    def swaps(self, house: str) -> tuple[MeterSwap, ...]:
        """The exchanges of the house's meter, oldest first."""
        table = tables.meter_swap
        query = select(table.c.body).where(table.c.house == house).order_by(table.c.at_s)
        with transaction(self._connection) as connection:
            bodies = connection.scalars(query).all()
        return tuple(msgspec.msgpack.decode(body, type=MeterSwap) for body in bodies)

    def revisions(self, house: str, minute: int) -> list[MeterMinute]:
        """What this minute was before it was revised, oldest first; empty if it never was."""
        with transaction(self._connection) as connection:
            rows = connection.exec_driver_sql(
                f"SELECT {', '.join(_METER)} FROM meter_minute_revision"
                " WHERE minute = ? AND house = ? ORDER BY revision",
                (minute, house),
            )
            return [meter_minute(row) for row in rows]

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
                last[house] = meter_minute(row)
        return last

    def first_minute(self) -> int | None:
        """The first minute any house has a row of; None if there are no rows."""
        with transaction(self._connection) as connection:
            first: int | None = connection.exec_driver_sql(
                "SELECT min(minute) FROM meter_minute"
            ).scalar_one()
            return first

    def around(self, house: str, minute: int) -> Around:
        """The readings from which the energy of a house's minute follows."""
        with transaction(self._connection):
            return Around(
                before=self._nearest(house, 0, minute - 1, forward=False),
                row=self._nearest(house, minute, minute, forward=True),
                after=self._nearest(house, minute + 1, FOREVER, forward=True),
            )

    def _nearest(self, house: str, first: int, last: int, *, forward: bool) -> MeterMinute | None:
        """The house's first (or last) row of first <= minute <= last."""
        found = self._grids.day_with_minutes(house, (first if forward else last) // MINUTES_PER_DAY, forward)
        while found is not None and first // MINUTES_PER_DAY <= found <= last // MINUTES_PER_DAY:
            day = range(found * MINUTES_PER_DAY, (found + 1) * MINUTES_PER_DAY)
            row = self._connection.exec_driver_sql(
                f"{_SELECT_METER} WHERE minute BETWEEN ? AND ? AND house = ?"
                f" ORDER BY minute {'ASC' if forward else 'DESC'} LIMIT 1",
                (max(first, day.start), min(last, day.stop - 1), house),
            ).one_or_none()
            if row is not None:
                return meter_minute(row)
            found = self._grids.day_with_minutes(house, found + (1 if forward else -1), forward)
        return None

    def order(self, house: str, minute: int) -> OrderMinute | None:
        """What was ordered of a house in this minute; None if nothing is on record."""
        with transaction(self._connection) as connection:
            row = connection.exec_driver_sql(
                f"SELECT {', '.join(_ORDER)} FROM order_minute WHERE minute = ? AND house = ?",
                (minute, house),
            ).one_or_none()
        if row is None:
            return None
        return msgspec.convert(row._asdict(), OrderMinute, strict=False)

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
            for start in range(0, len(houses), _PACKED_AT_ONCE):
                together = houses[start : start + _PACKED_AT_ONCE]
                read: list[RowGrid] = []
                for at in range(0, len(together), _READ_AT_ONCE):
                    yield
                    with transaction(self._connection):
                        read.append(self._grids.day_rows(kind, day, together[at : at + _READ_AT_ONCE]))
                for part in packed(kind, together, joined(read)):
                    yield
                    rows += part
                if day in self._broken:
                    return None
        return rows

    def unsealed_days(self, before: int) -> list[int]:
        """The days before this one that have meter minutes and no seal, the newest first."""
        with transaction(self._connection) as connection:
            query = "SELECT day FROM meter_day WHERE day < ? EXCEPT SELECT day FROM sealed_day"
            return sorted(connection.exec_driver_sql(query, (before,)).scalars(), reverse=True)

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

    def billed_days(
        self, first_minute: int, end_minute: int, houses: Iterable[str] | None = None
    ) -> Generator[tuple[BilledMinutes, StandingOrders], None, None]:
        """Like `days`, with only what a bill is made from: of sealed days this is read much faster."""
        with transaction(self._connection):
            names = self._names(houses)
            minutes = reading.billed_minutes(self._grids, first_minute, end_minute, names)
            orders = reading.standing_orders(self._grids, first_minute, end_minute, names)
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

    def _current(self, row: MeterMinute) -> Row[tuple[object, ...]] | None:
        """What is stored of this row's minute now."""
        query = f"{_SELECT_METER} WHERE minute = ? AND house = ?"
        return self._connection.exec_driver_sql(query, (row.minute, row.house)).one_or_none()

    def _revise(self, row: MeterMinute) -> bool:
        """Makes this the current row if it measures something else; beneath a correction it is kept."""
        key = (row.minute, row.house)
        current = self._current(row)
        assert current is not None  # it was not inserted because there is one
        if _MEASURED(current) == _MEASURED(row):
            return False
        if current.origin == Origin.CORRECTED:
            return self._keep_beneath(row, current.revision)
        self._connection.exec_driver_sql(_KEEP_REVISION, key)
        self._connection.exec_driver_sql(_REVISE, (*_MEASURED(row), row.origin, *key))
        return True

    def _keep_beneath(self, row: MeterMinute, revision: int) -> bool:
        """Keeps what a house measured as the revision before its correction, unless it is known."""
        if any(_MEASURED(row) == _MEASURED(known) for known in self.revisions(row.house, row.minute)):
            return False
        _INSERT_REVISION(self._connection, [meter_row(replace(row, revision=revision))])
        self._connection.exec_driver_sql(
            "UPDATE meter_minute SET revision = revision + 1 WHERE minute = ? AND house = ?",
            (row.minute, row.house),
        )
        return True

    def _unseal(self, days: Iterable[int]) -> None:
        for day in days:
            self._broken.add(day)
            self._connection.exec_driver_sql("DELETE FROM sealed_day WHERE day = ?", (day,))


def _correction(row: Row[Any]) -> Correction:
    def registers(when: str) -> Registers:
        return Registers(**{name: getattr(row, f"{when}_{name}") for name in tables.REGISTERS})

    return Correction(
        house=row.house,
        minute=row.minute,
        author=row.author,
        reason=row.reason,
        entered_s=row.entered_s,
        before=None if row.old_epoch is None else registers("old"),
        after=registers("new"),
    )
