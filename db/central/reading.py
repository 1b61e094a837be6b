"""Chains days into ranges: what came before, what comes after, and columns for the settlement."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from db.central.grids import METER, ORDER, DayGrids, Grid, HouseGrids, SealedGrid
from microgrid.columns import (
    BilledMinutes,
    Bools,
    EdgeRows,
    Ints,
    MinuteColumns,
    OrderColumns,
    StandingOrders,
)
from microgrid.units import MINUTES_PER_DAY

_EDGE = ("epoch", "import_ws", "export_ws", "generation_ws")
_READ = (*_EDGE, "closed_s", "covered_s", "max_w", "min_w", "origin", "suspect")
_ORDERS = ("raise_standing", "target_w", "acknowledged_s", "tie_closed", "out_of_service")
_BILLED = ("imported_ws", "exported_ws", "closed_s", "max_w", "min_w")
_NEAR = 16  # minutes around an edge in which most houses have a row


def minute_columns(
    grids: DayGrids, first_minute: int, end_minute: int, houses: Sequence[str]
) -> Iterator[MinuteColumns]:
    """Meter minutes by UTC day, clipped to the range."""
    everybody = np.arange(len(houses))
    for grid, opening, closing in _chained(grids, first_minute, end_minute, houses):
        yield _columns(grid, houses, everybody, opening, closing)


def billed_minutes(
    grids: DayGrids, first_minute: int, end_minute: int, houses: Sequence[str]
) -> Iterator[BilledMinutes]:
    """What bills are made from, by UTC day; of a sealed one without the registers of whole houses."""
    for grid, opening, closing in _chained(grids, first_minute, end_minute, houses):
        whole = np.zeros(len(houses), dtype=np.bool_)
        arrays = dict.fromkeys(_BILLED, np.broadcast_to(np.int64(0), grid.present.shape))
        if isinstance(grid, SealedGrid):
            follows = opening.minute == grid.first - 1
            same_epoch = opening.epoch == grid.at("epoch", grid.present.argmax(axis=0))
            whole = grid.steady() & follows & same_epoch
            arrays = _whole(grid, whole, opening)
        yield BilledMinutes(
            houses=tuple(houses),
            first_minute=grid.first,
            end_minute=grid.end,
            whole=whole,
            **arrays,
            rest=_columns(grid, houses, np.flatnonzero(~whole), opening, closing),
        )


def _whole(grid: SealedGrid, whole: Bools, opening: EdgeRows) -> dict[str, Ints]:
    """What is billed of whole houses, 0 for the others."""
    arrays = {
        "imported_ws": grid.rises("import_ws", opening.import_ws),
        "exported_ws": grid.rises("export_ws", opening.export_ws),
        **{name: grid.filled(name) for name in _BILLED[2:]},
    }
    others = np.flatnonzero(~whole)
    for name, values in arrays.items():
        if others.size:
            arrays[name] = values if values.flags.writeable else values.copy()
            arrays[name][:, others] = 0
    return arrays


def _chained(
    grids: DayGrids, first_minute: int, end_minute: int, houses: Sequence[str]
) -> Iterator[tuple[Grid, EdgeRows, EdgeRows]]:
    """The range's days, each with its opening and closing."""
    near = HouseGrids(grids, houses)
    opening = _search(near, first_minute - 1, forward=False)
    closing = _none(len(houses))
    parts = _parts(first_minute, end_minute)
    following = near.load(METER, _READ, *parts[0])
    for part, after in zip(parts, [*parts[1:], None], strict=True):
        grid = following
        # a row already found further on is still the next one until it is passed
        closing = _where(closing.minute >= part[1], closing, _none(len(houses)))
        if after is None:
            closing = _search(near, part[1], forward=True, known=closing)
        else:
            following = near.load(METER, _READ, *after)
            closing = _where(closing.minute < 0, _edge(following, forward=True), closing)
            closing = _search(near, after[1], forward=True, known=closing)
        yield grid, opening, closing
        if after is not None:
            last = _edge(grid, forward=False)
            opening = _where(last.minute >= 0, last, opening)


def _columns(
    grid: Grid, houses: Sequence[str], columns: Ints, opening: EdgeRows, closing: EdgeRows
) -> MinuteColumns:
    """The grid's minutes of some of its houses."""
    return MinuteColumns(
        houses=tuple(houses[column] for column in columns),
        first_minute=grid.first,
        end_minute=grid.end,
        present=grid.present[:, columns],
        **{name: grid.values(name, columns) for name in _READ},
        opening=EdgeRows(*(values[columns] for values in _arrays(opening))),
        closing=EdgeRows(*(values[columns] for values in _arrays(closing))),
    )


def standing_orders(
    grids: DayGrids, first_minute: int, end_minute: int, houses: Sequence[str]
) -> Iterator[StandingOrders]:
    """Order minutes by UTC day, clipped to the range, without what only explains them."""
    for first, end in _parts(first_minute, end_minute):
        yield StandingOrders(**_orders(grids.load(ORDER, _ORDERS, first, end, houses), houses))


def order_columns(
    grids: DayGrids, first_minute: int, end_minute: int, houses: Sequence[str]
) -> Iterator[OrderColumns]:
    """Order minutes by UTC day, clipped to the range."""
    for first, end in _parts(first_minute, end_minute):
        grid = grids.load(ORDER, ORDER.quantities[1:], first, end, houses)
        yield OrderColumns(
            **_orders(grid, houses),
            hold=grid.values("hold"),
            command_id=grid.values("command_id"),
            fate=grid.values("fate"),
        )


def _orders(grid: Grid, houses: Sequence[str]) -> dict[str, Any]:
    """What orders of every kind hold; few houses ever have any."""
    some = np.flatnonzero(grid.present.any(axis=0))
    columns: dict[str, Any] = {}
    for name in _ORDERS:
        flag = name not in ("target_w", "acknowledged_s")
        values = grid.values(name, some)
        # Absent values are 0, and mean -1: none.
        found = values != 0 if flag else values - ~grid.present[:, some]
        rows = slice(0, 1 if values.strides[0] == 0 else None)  # nobody's changes, and nobody has a gap
        spread = np.full((len(found[rows]), len(houses)), False if flag else -1)
        spread[:, some] = found[rows]
        columns[name] = np.broadcast_to(spread, grid.present.shape)
    return {
        "houses": tuple(houses),
        "first_minute": grid.first,
        "end_minute": grid.end,
        "present": grid.present,
        **columns,
    }


def joined_minutes(parts: Sequence[MinuteColumns]) -> MinuteColumns:
    """One range from its chained days."""
    first, last = parts[0], parts[-1]
    return MinuteColumns(
        houses=first.houses,
        first_minute=first.first_minute,
        end_minute=last.end_minute,
        present=np.concatenate([part.present for part in parts]),
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _READ},
        opening=first.opening,
        closing=last.closing,
    )


def joined_orders(parts: Sequence[OrderColumns]) -> OrderColumns:
    """One range from its days."""
    arrays = [field.name for field in fields(OrderColumns)][3:]
    return OrderColumns(
        parts[0].houses,
        parts[0].first_minute,
        parts[-1].end_minute,
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in arrays},
    )


def _parts(first: int, end: int) -> list[tuple[int, int]]:
    """The range cut at midnight UTC."""
    if first >= end:
        raise ValueError(f"the range of minutes {first} to {end} is empty")
    days = range(first // MINUTES_PER_DAY, (end - 1) // MINUTES_PER_DAY + 1)
    return [(max(first, day * MINUTES_PER_DAY), min(end, (day + 1) * MINUTES_PER_DAY)) for day in days]


def _search(near: HouseGrids, minute: int, forward: bool, known: EdgeRows | None = None) -> EdgeRows:
    """Each house's nearest row from `minute` on (or back); rows already `known` are not looked for."""
    houses = near.houses
    found = _none(len(houses)) if known is None else known
    if (found.minute < 0).any():
        grid = near.load(METER, _EDGE, *_span(minute, _NEAR, forward))
        found = _where(found.minute < 0, _edge(grid, forward), found)
    days = {int(row): minute // MINUTES_PER_DAY for row in np.flatnonzero(found.minute < 0)}
    while days:
        nearest = {row: near.days.day_with_minutes(houses[row], day, forward) for row, day in days.items()}
        for day in {day for day in nearest.values() if day is not None}:
            rows = [row for row, on in nearest.items() if on == day]
            span = _span(_start(day, minute, forward), MINUTES_PER_DAY, forward)
            grid = near.days.load(METER, _EDGE, *span, [houses[row] for row in rows])
            found = _placed(found, rows, _edge(grid, forward))
        step = 1 if forward else -1
        days = {row: day + step for row, day in nearest.items() if day is not None and found.minute[row] < 0}
    return found


def _start(day: int, minute: int, forward: bool) -> int:
    """Where to begin in a day: at `minute` if it lies in the day, else at the day's near end."""
    if day == minute // MINUTES_PER_DAY:
        return minute
    return day * MINUTES_PER_DAY if forward else (day + 1) * MINUTES_PER_DAY - 1


def _span(minute: int, length: int, forward: bool) -> tuple[int, int]:
    """`length` minutes from `minute` on (or back), no further than its UTC day."""
    day = minute // MINUTES_PER_DAY * MINUTES_PER_DAY
    if forward:
        return minute, min(minute + length, day + MINUTES_PER_DAY)
    return max(minute + 1 - length, day), minute + 1


def _edge(grid: Grid, forward: bool) -> EdgeRows:
    """The first (or last) present row of each house in a grid."""
    houses = np.arange(grid.present.shape[1])
    place = (grid.present if forward else grid.present[::-1]).argmax(axis=0)
    if not forward:
        place = len(grid.present) - 1 - place
    present = grid.present[place, houses]
    minute = np.where(present, grid.first + place, -1)
    return EdgeRows(minute, *(grid.at(name, place) * present for name in _EDGE))


def _none(houses: int) -> EdgeRows:
    return EdgeRows(np.full(houses, -1, dtype=np.int64), *np.zeros((len(_EDGE), houses), dtype=np.int64))


def _where(condition: Bools, chosen: EdgeRows, other: EdgeRows) -> EdgeRows:
    return EdgeRows(
        *(np.where(condition, a, b) for a, b in zip(_arrays(chosen), _arrays(other), strict=True))
    )


def _placed(edges: EdgeRows, rows: Sequence[int], found: EdgeRows) -> EdgeRows:
    merged = [array.copy() for array in _arrays(edges)]
    for array, values in zip(merged, _arrays(found), strict=True):
        array[list(rows)] = values
    return EdgeRows(*merged)


def _arrays(edges: EdgeRows) -> Iterable[Ints]:
    return (edges.minute, *(getattr(edges, name) for name in _EDGE))
