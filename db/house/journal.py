"""The house's journal: every minute is on its disk before the central hears of it.

A minute stays pending until the central acknowledges it, and some time longer, so that the house can
check its bill against its own figures.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from msgspec.structs import astuple, fields
from sqlalchemy import Connection, Row

from db.engine import LOCK_TIMEOUT_S, open_writer, transaction
from db.house.papers import HousePapers
from db.house.tables import HOUSE
from microgrid.minute import MeterMinute, Origin
from microgrid.units import MINUTES_PER_DAY

KEPT_DAYS = 400  # acknowledged minutes: the past year's bills and the month in dispute
_NAMES = ", ".join(field.name for field in fields(MeterMinute))
_INSERT = (
    f"INSERT INTO meter_minute ({_NAMES}, acknowledged)"
    f" VALUES ({', '.join('?' for _ in fields(MeterMinute))}, 0) ON CONFLICT DO NOTHING"
)
_SELECT = f"SELECT {_NAMES} FROM meter_minute"


class MinuteJournal:
    """The journal in one file; for one thread at a time. Every method raises DatabaseError.

    `papers` are in the same file: it has one writing connection.
    """

    def __init__(
        self,
        path: Path,
        kept_days: int = KEPT_DAYS,
        timeout_s: float = LOCK_TIMEOUT_S,
        *,
        power_safe: bool = True,
    ) -> None:
        """`power_safe`: see `db.engine.open_writer`."""
        self._connection = open_writer(path, HOUSE, timeout_s, power_safe=power_safe)
        self.papers = HousePapers(self._connection)
        self._kept_minutes = kept_days * MINUTES_PER_DAY

    def append(self, rows: Sequence[MeterMinute], acknowledged: Iterable[int] = ()) -> None:
        """Journals minutes, and marks earlier ones acknowledged, in one transaction on the disk.

        A minute already journalled stands: registers accumulate, so a minute closed twice loses nothing.
        """
        with transaction(self._connection) as connection:
            if rows:
                connection.exec_driver_sql(_INSERT, [astuple(row) for row in rows])
            self._acknowledge(connection, acknowledged)

    def pending(self, limit: int, first: int = 0) -> list[MeterMinute]:
        """Up to `limit` minutes from `first` on that are not acknowledged, oldest first."""
        with transaction(self._connection) as connection:
            rows = connection.exec_driver_sql(
                f"{_SELECT} WHERE NOT acknowledged AND minute >= ? ORDER BY minute LIMIT ?", (first, limit)
            )
            return [_minute(row) for row in rows]

    def pending_minutes(self) -> list[int]:
        """The minutes that are not acknowledged, oldest first."""
        with transaction(self._connection) as connection:
            query = "SELECT minute FROM meter_minute WHERE NOT acknowledged ORDER BY minute"
            return list(connection.exec_driver_sql(query).scalars())

    def acknowledge(self, minutes: Iterable[int]) -> None:
        """Marks minutes as recorded by the central; drops acknowledged ones older than are kept."""
        with transaction(self._connection) as connection:
            self._acknowledge(connection, minutes)

    def _acknowledge(self, connection: Connection, minutes: Iterable[int]) -> None:
        marks = [(minute,) for minute in minutes]
        if not marks:
            return
        connection.exec_driver_sql("UPDATE meter_minute SET acknowledged = 1 WHERE minute = ?", marks)
        if all(minute % MINUTES_PER_DAY for (minute,) in marks):
            return  # old minutes are dropped once a day
        connection.exec_driver_sql(
            "DELETE FROM meter_minute WHERE acknowledged"
            " AND minute < (SELECT max(minute) FROM meter_minute) - ?",
            (self._kept_minutes,),
        )

    def last(self) -> MeterMinute | None:
        """The newest minute, to carry the registers on from after a restart; None in a new journal."""
        with transaction(self._connection) as connection:
            row = connection.exec_driver_sql(f"{_SELECT} ORDER BY minute DESC LIMIT 1").one_or_none()
            return None if row is None else _minute(row)

    def month_rows(self, first: int, end: int) -> list[MeterMinute]:
        """The minutes `first` <= m < `end` in order, with the last one before and the first one after.

        What a house checks its bill of these minutes against (`microgrid.bill.own_energy`).
        """
        query = (
            f"{_SELECT} WHERE minute >= coalesce((SELECT max(minute) FROM meter_minute WHERE minute < ?), ?)"
            " AND minute <= coalesce((SELECT min(minute) FROM meter_minute WHERE minute >= ?), ?)"
            " ORDER BY minute"
        )
        with transaction(self._connection) as connection:
            rows = connection.exec_driver_sql(query, (first, first, end, end))
            return [_minute(row) for row in rows]

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _minute(row: Row[tuple[object, ...]]) -> MeterMinute:
    values = row._asdict()
    values["origin"] = Origin(values["origin"])
    return MeterMinute(**values)
