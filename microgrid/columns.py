"""Minutes as numpy columns, as the settlement and the trends read them.

Arrays are shaped [minutes, houses]: row i is minute `first_minute + i`, column j is `houses[j]`.
Where `present` is False the other values are 0.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from microgrid.minute import MeterMinute, OrderMinute

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class EdgeRows:
    """One row per house just outside a range; `minute` is -1 where there is none."""

    minute: Ints
    epoch: Ints
    import_ws: Ints
    export_ws: Ints
    generation_ws: Ints


@dataclass(frozen=True)
class MinuteColumns:
    """Meter minutes (see `microgrid.minute.MeterMinute`) of `first_minute` <= m < `end_minute`.

    `opening` is each house's last row before the range, `closing` its first row at or after the end.
    """

    houses: tuple[str, ...]
    first_minute: int
    end_minute: int
    present: Bools
    epoch: Ints
    import_ws: Ints
    export_ws: Ints
    generation_ws: Ints
    closed_s: Ints
    covered_s: Ints
    max_w: Ints
    min_w: Ints
    origin: Ints
    suspect: Ints
    opening: EdgeRows
    closing: EdgeRows


@dataclass(frozen=True)
class BilledMinutes:
    """What a bill is made from, of `first_minute` <= m < `end_minute`: whole houses, and all the others.

    Of a `whole` house no minute is missing: each follows on the one before, in one epoch. Instead of its
    registers there is what they rose by in each minute. Its arrays are 0 where another house is; minutes of
    those are in `rest`, in the same order.
    """

    houses: tuple[str, ...]
    first_minute: int
    end_minute: int
    whole: Bools  # [houses]
    imported_ws: Ints
    exported_ws: Ints
    closed_s: Ints
    max_w: Ints
    min_w: Ints
    rest: MinuteColumns


@dataclass(frozen=True)
class StandingOrders:
    """Order minutes (see `microgrid.minute.OrderMinute`) of `first_minute` <= m < `end_minute`.

    Only what a bill is made from. `target_w` and `acknowledged_s` are -1 where there was none.
    """

    houses: tuple[str, ...]
    first_minute: int
    end_minute: int
    present: Bools
    raise_standing: Bools
    target_w: Ints
    acknowledged_s: Ints
    tie_closed: Bools
    out_of_service: Bools


@dataclass(frozen=True)
class OrderColumns(StandingOrders):
    """Order minutes with what only explains them."""

    hold: Ints
    command_id: Ints
    fate: Ints


_METER_VALUES = (
    "epoch",
    "import_ws",
    "export_ws",
    "generation_ws",
    "closed_s",
    "covered_s",
    "max_w",
    "min_w",
    "origin",
    "suspect",
)
_meter_values = attrgetter(*_METER_VALUES)
_EDGE_VALUES = ("minute", "epoch", "import_ws", "export_ws", "generation_ws")


def minute_columns(
    houses: tuple[str, ...],
    minutes: range,
    rows: Iterable[MeterMinute],
    opening: Mapping[str, MeterMinute],
    closing: Mapping[str, MeterMinute] = MappingProxyType({}),
) -> MinuteColumns:
    """Columns of rows in memory; `opening` and `closing` hold the nearest row outside by house."""
    place = {house: column for column, house in enumerate(houses)}
    shape = (len(minutes), len(houses))
    present = np.zeros(shape, dtype=np.bool_)
    values = np.zeros((len(_METER_VALUES), *shape), dtype=np.int64)
    listed = list(rows)
    if listed:
        at = ([row.minute - minutes.start for row in listed], [place[row.house] for row in listed])
        present[at] = True
        values[:, *at] = np.array([_meter_values(row) for row in listed], dtype=np.int64).T
    return MinuteColumns(
        houses=houses,
        first_minute=minutes.start,
        end_minute=minutes.stop,
        present=present,
        opening=_edge_rows(houses, opening),
        closing=_edge_rows(houses, closing),
        **dict(zip(_METER_VALUES, values, strict=True)),
    )


def _edge_rows(houses: tuple[str, ...], rows: Mapping[str, MeterMinute]) -> EdgeRows:
    found = [rows.get(house) for house in houses]
    columns = {
        name: np.array([-1 if row is None else getattr(row, name) for row in found], dtype=np.int64)
        for name in _EDGE_VALUES
    }
    return EdgeRows(**columns)


def order_columns(houses: tuple[str, ...], minutes: range, rows: Iterable[OrderMinute]) -> OrderColumns:
    """Columns of order minutes in memory."""
    place = {house: column for column, house in enumerate(houses)}
    shape = (len(minutes), len(houses))
    columns = OrderColumns(
        houses=houses,
        first_minute=minutes.start,
        end_minute=minutes.stop,
        present=np.zeros(shape, dtype=np.bool_),
        raise_standing=np.zeros(shape, dtype=np.bool_),
        target_w=np.full(shape, -1, dtype=np.int64),
        hold=np.zeros(shape, dtype=np.int64),
        fate=np.zeros(shape, dtype=np.int64),
        command_id=np.zeros(shape, dtype=np.int64),
        acknowledged_s=np.full(shape, -1, dtype=np.int64),
        tie_closed=np.zeros(shape, dtype=np.bool_),
        out_of_service=np.zeros(shape, dtype=np.bool_),
    )
    for row in rows:
        at = (row.minute - minutes.start, place[row.house])
        columns.present[at] = True
        columns.raise_standing[at] = row.raise_standing
        columns.target_w[at] = -1 if row.target_w is None else row.target_w
        columns.hold[at] = row.hold
        columns.fate[at] = row.fate
        columns.command_id[at] = row.command_id
        columns.acknowledged_s[at] = -1 if row.acknowledged_s is None else row.acknowledged_s
        columns.tie_closed[at] = row.tie_closed
        columns.out_of_service[at] = row.out_of_service
    return columns
