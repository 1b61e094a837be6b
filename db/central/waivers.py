"""Keeps what the operator waived of penalties: rows that are only ever added."""

from typing import Any

import msgspec
from sqlalchemy import Connection, Select, insert, select

from db.central import tables
from db.engine import transaction
from microgrid.waiver import Waiver

_FIELDS = Waiver.__struct_fields__


class WaiverRepository:
    """Waivers on one connection; every method is one transaction, or part of the caller's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, waiver: Waiver) -> None:
        """Adds a waiver after those there are; its number is given here."""
        row = msgspec.to_builtins(waiver)
        del row["number"]
        with transaction(self._connection) as connection:
            connection.execute(insert(tables.waiver), row)

    def of(self, month: str) -> tuple[Waiver, ...]:
        """The waivers of a month, in the order they were entered."""
        return self._waivers(_select().where(tables.waiver.c.month == month))

    def to_be_billed(self) -> tuple[Waiver, ...]:
        """Those of months whose bills are not out: nothing is posted of them yet."""
        billed = select(tables.run.c.month).where(tables.run.c.number == 1)
        return self._waivers(_select().where(tables.waiver.c.month.not_in(billed)))

    def _waivers(self, query: Select[Any]) -> tuple[Waiver, ...]:
        with transaction(self._connection) as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(msgspec.convert({name: row[name] for name in _FIELDS}, Waiver) for row in rows)


def _select() -> Select[Any]:
    table = tables.waiver
    return select(table).order_by(table.c.number)
