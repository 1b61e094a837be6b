"""Keeps the terms: houses, contracts, tariffs and the micro-grid's zone."""

from collections.abc import Iterable
from typing import Any, TypeVar

import msgspec
from msgspec.structs import fields
from sqlalchemy import Connection, Table, delete, insert, select

from db.central import tables
from db.engine import transaction
from microgrid.terms import Contract, House, Tariff, Terms

_ZONE = "zone"

Record = TypeVar("Record", House, Contract, Tariff)


class TermsRepository:
    """Saves and loads the whole terms on one connection; either is one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def save(self, terms: Terms) -> None:
        """Replaces what is stored by these terms; past contracts and tariffs must be among them."""
        with transaction(self._connection) as connection:
            for table in (tables.contract, tables.tariff, tables.house):
                connection.execute(delete(table))
            connection.execute(delete(tables.setting).where(tables.setting.c.name == _ZONE))
            connection.execute(insert(tables.setting), {"name": _ZONE, "value": terms.zone})
            self._insert(tables.house, terms.houses)
            self._insert(tables.contract, terms.contracts)
            self._insert(tables.tariff, terms.tariffs)

    def load(self) -> Terms:
        """The terms as they were saved; LookupError if none have been."""
        with transaction(self._connection) as connection:
            setting = tables.setting
            zone = connection.scalar(select(setting.c.value).where(setting.c.name == _ZONE))
            if zone is None:
                raise LookupError("no terms have been agreed yet; save the houses, contracts and tariffs")
            return Terms(
                zone=zone,
                houses=self._select(tables.house, House),
                contracts=self._select(tables.contract, Contract),
                tariffs=self._select(tables.tariff, Tariff),
            )

    def _insert(self, table: Table, records: Iterable[House | Contract | Tariff]) -> None:
        rows: list[dict[str, Any]] = [
            {**msgspec.to_builtins(record), "position": position} for position, record in enumerate(records)
        ]
        if rows:
            self._connection.execute(insert(table), rows)

    def _select(self, table: Table, kind: type[Record]) -> tuple[Record, ...]:
        names = [field.name for field in fields(kind)]
        query = select(*(table.c[name] for name in names)).order_by(table.c.position)
        rows = self._connection.execute(query)
        return tuple(msgspec.convert(dict(zip(names, row, strict=True)), kind) for row in rows)
