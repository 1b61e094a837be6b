"""Keeps what the operator ordered by hand: rows that are only ever added."""

import msgspec
from sqlalchemy import Connection, insert, select

from db.central import tables
from db.engine import transaction
from microgrid.directives import Directive

_FIELDS = Directive.__struct_fields__


class DirectiveRepository:
    """Directives on one connection; every method is one transaction, or part of the caller's."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, directive: Directive) -> None:
        """Adds a directive after those there are."""
        with transaction(self._connection) as connection:
            connection.execute(insert(tables.directive), msgspec.to_builtins(directive))

    def all(self) -> tuple[Directive, ...]:
        """Every directive, in the order they were entered."""
        table = tables.directive
        query = select(*(table.c[name] for name in _FIELDS)).order_by(table.c.number)
        with transaction(self._connection) as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(msgspec.convert({name: row[name] for name in _FIELDS}, Directive) for row in rows)
