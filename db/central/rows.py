"""Minutes as rows: inserted many at a time, made into the driver's values and back."""

from collections.abc import Sequence
from itertools import chain

from msgspec.structs import astuple
from sqlalchemy import Connection, Row, Table

from microgrid.minute import MeterMinute, OrderMinute, Origin

_AT_ONCE = 125  # rows a statement


class Insert:
    """Inserts rows that are not there yet, for the driver: through Core it costs several times as much."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        row = f"({', '.join('?' for _ in columns)})"
        into = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES"
        self._one = f"{into} {row} ON CONFLICT DO NOTHING"
        self._many = f"{into} {', '.join([row] * _AT_ONCE)} ON CONFLICT DO NOTHING"

    def __call__(self, connection: Connection, rows: Sequence[tuple[object, ...]]) -> int:
        """Returns how many of the rows were not there yet."""
        options = {"preserve_rowcount": True}
        rest, inserted = len(rows) - len(rows) % _AT_ONCE, 0
        for start in range(0, rest, _AT_ONCE):  # a statement for each row costs twice as much
            values = tuple(chain.from_iterable(rows[start : start + _AT_ONCE]))
            inserted += connection.exec_driver_sql(self._many, values, execution_options=options).rowcount
        if rows[rest:]:
            result = connection.exec_driver_sql(self._one, list(rows[rest:]), execution_options=options)
            inserted += result.rowcount
        return inserted


_ORIGIN = MeterMinute.__struct_fields__.index("origin")

# The driver takes half as long for values that are plain numbers already.


def meter_row(row: MeterMinute) -> tuple[object, ...]:
    """A meter minute as the driver takes it, in the order of its fields."""
    values = astuple(row)
    return (*values[:_ORIGIN], int(row.origin), *values[_ORIGIN + 1 :])


def order_row(order: OrderMinute) -> tuple[object, ...]:
    """An order minute as the driver takes it, in the order of its fields."""
    house, minute, standing, target_w, hold, command, acknowledged_s, tie, out, fate = astuple(order)
    plain = int(standing), target_w, int(hold), command, acknowledged_s, int(tie), int(out), int(fate)
    return house, minute, *plain


def meter_minute(row: Row[tuple[object, ...]]) -> MeterMinute:
    """The meter minute a row holds."""
    values = row._asdict()
    values["origin"] = Origin(values["origin"])
    return MeterMinute(**values)
