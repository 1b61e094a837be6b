"""How a finished day of one quantity of one house is packed into a few bytes a minute, exactly.

A column is 1,440 signed 64-bit values. It is kept either as values or as differences, less the
smallest of them (`step`), in as many bytes each as the largest needs (none for a constant), byte
plane by byte plane; zlib is added only where it saves enough to be worth the reading time. All
arithmetic is modulo 2^64, so any values come back exactly.
"""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from microgrid.columns import MINUTES_PER_DAY, Ints

WORTH_PACKING = 0.35  # zlib's share of the plain size up to which it is used: inflating noise is slow


class SealedColumn(NamedTuple):
    """One packed column, in the order of the table's fields. A column of zeros is not kept at all."""

    base: int
    step: int
    differenced: bool
    width: int
    packed: bool
    data: bytes


def encode(values: Ints) -> SealedColumn | None:
    """Packs one day's 1,440 values; None if all are 0."""
    if not values.any():
        return None
    steps = np.diff(values)
    steps = np.concatenate((steps[:1], steps))
    before = int((values[:1] - steps[:1])[0])  # so that the first step leads to the first value
    columns = (_packed(values, 0, False), _packed(steps, before, True))
    return min(columns, key=lambda column: (len(column.data), column.width))


def _packed(values: Ints, base: int, differenced: bool) -> SealedColumn:
    step = values.min(keepdims=True)
    above = (values - step).view(np.uint64)
    width = (int(above.max()).bit_length() + 7) // 8
    planes = np.ascontiguousarray(above.astype("<u8").view(np.uint8).reshape(-1, 8)[:, :width].T).tobytes()
    smaller = zlib.compress(planes, 6) if width else planes
    packed = len(smaller) < WORTH_PACKING * len(planes)
    return SealedColumn(base, int(step[0]), differenced, width, packed, smaller if packed else planes)


def decode(rows: Sequence[tuple[int, SealedColumn]], houses: int) -> Ints:
    """Unpacks columns to [houses, 1,440], each into the row it comes with; rows without one are 0.

    If all are constant, the array is a read-only view of one value a house.
    """
    groups: dict[tuple[bool, int], list[tuple[int, SealedColumn]]] = {}
    for row, column in rows:
        groups.setdefault((column.differenced, column.width), []).append((row, column))
    shape = (houses, MINUTES_PER_DAY)
    constant = groups.keys() <= {(False, 0)}
    into = np.zeros((houses, 1) if constant else shape, dtype=np.int64)  # untouched pages cost nothing
    for (differenced, width), members in groups.items():
        where = np.array([row for row, _ in members])
        step = np.array([column.step for _, column in members], dtype=np.int64)[:, None]
        if width == 0 and not differenced:
            into[where] = step
            continue
        values = _unplaned([column for _, column in members], width)
        values += step
        if differenced:
            values[:, 0] += np.array([column.base for _, column in members], dtype=np.int64)
            np.cumsum(values, axis=1, out=values)
        if len(where) == houses and (where == np.arange(houses)).all():
            return values  # all houses alike, in their order
        into[where] = values
    return np.broadcast_to(into, shape)


def _unplaned(columns: list[SealedColumn], width: int) -> Ints:
    """The stored bytes of columns of one width as integers, [columns, 1,440]."""
    data = b"".join(zlib.decompress(column.data) if column.packed else column.data for column in columns)
    planes = np.frombuffer(data, np.uint8).reshape(len(columns), width, MINUTES_PER_DAY)
    wide = np.zeros((len(columns), MINUTES_PER_DAY, 8), dtype=np.uint8)
    for plane in range(width):
        wide[:, :, plane] = planes[:, plane]
    return wide.view("<i8")[:, :, 0].astype(np.int64, copy=False)
