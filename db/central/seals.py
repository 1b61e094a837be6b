"""How a finished day of one quantity is packed into few bytes a minute, exactly.

A day of a house is 1,440 signed 64-bit values. It is kept either as values or as differences from minute
to minute, less the smallest of them (`step`), in 0, 1, 2, 4 or 8 bytes each. Houses that pack alike
make one part, minute by minute, so that a whole neighbourhood is read without a loop; zlib is added only
where it saves enough to be worth the reading time. All arithmetic is modulo 2^64, so any values come
back exactly.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from microgrid.columns import Ints
from microgrid.units import MINUTES_PER_DAY

WORTH_PACKING = 0.35  # zlib's share of the plain size up to which it is used: inflating noise is slow
_WIDTHS = np.array([0, 1, 2, 4, 8])
_DAY = slice(0, MINUTES_PER_DAY)
_LARGEST = np.array([0, 2**8 - 1, 2**16 - 1, 2**32 - 1], dtype=np.uint64)  # that a width but the last holds


class SealedPart(NamedTuple):
    """Some houses' day, in the order of the table's fields; houses of zeros alone are in no part."""

    houses: str  # their IDs, separated by spaces
    base: bytes  # each house's first value
    step: bytes
    differenced: bool
    width: int
    packed: bool
    data: bytes


def encode(houses: Sequence[str], values: Ints, rising: bool = False) -> Iterator[SealedPart]:
    """Packs one day's values [1,440, houses]; of `rising` ones differences are asked for more often."""
    steps = np.diff(values, axis=0)
    steps = np.concatenate((steps[:1], steps))  # so that a steady rise is one step; the first is never used
    kept = [_least_and_width(column) for column in (values, steps)]
    differenced = kept[1][1] < kept[0][1] + rising
    differenced &= kept[0][1] > 0
    some = values.any(axis=0)
    for is_difference, (least, width) in enumerate(kept):
        mine = some & (differenced == bool(is_difference))
        for size in np.unique(width[mine]):
            columns = np.flatnonzero(mine & (width == size))
            above = (steps if is_difference else values)[:, columns] - least[columns]
            data = above.astype(f"<u{size}").tobytes() if size else b""
            smaller = zlib.compress(data, 6) if size else data
            packed = len(smaller) < WORTH_PACKING * len(data)
            yield SealedPart(
                houses=" ".join(houses[int(column)] for column in columns),
                base=values[0, columns].astype("<i8").tobytes(),
                step=least[columns].astype("<i8").tobytes(),
                differenced=bool(is_difference),
                width=int(size),
                packed=packed,
                data=smaller if packed else data,
            )


def _least_and_width(values: Ints) -> tuple[Ints, Ints]:
    """Each column's least value, and the bytes that hold what is above it."""
    least = values.min(axis=0)
    above = (values.max(axis=0) - least).view(np.uint64)
    return least, _WIDTHS[np.searchsorted(_LARGEST, above)]


@dataclass(frozen=True)
class Part:
    """An unpacked part: `columns` are the places of its houses among those asked for, -1: not asked for."""

    columns: Ints
    base: Ints
    step: Ints
    differenced: bool
    data: npt.NDArray[Any] | None  # [1,440, houses], unsigned, of its width; None: all zeros

    def steps(self, of: npt.NDArray[np.intp], rows: slice) -> Ints:
        """What is kept of some of its houses in some minutes; one row if it is the same all day."""
        if self.data is None:
            return self.step[None, of]
        data = self.data[rows]
        data = data if np.array_equal(of, np.arange(len(self.step))) else data[:, of]
        data = data.view("<i8") if data.dtype.itemsize == 8 else data
        steps: Ints = data + self.step[of]
        return steps

    def values(self, of: npt.NDArray[np.intp], rows: slice) -> Ints:
        """Values of some of its houses in some minutes; one row if they are the same all day."""
        if not self.differenced:
            return self.steps(of, rows)
        steps = self.steps(of, _DAY)
        if len(steps) == 1:
            steps = np.repeat(steps, MINUTES_PER_DAY, axis=0)
        steps[0] = self.base[of]
        return np.cumsum(steps, axis=0, out=steps)[rows]

    def rises(self, of: npt.NDArray[np.intp], rows: slice) -> Ints:
        """How values rose in some minutes since the one before; in the day's first unknown."""
        if self.differenced:
            return self.steps(of, rows)
        if self.data is None:
            return np.zeros((1, len(of)), dtype=np.int64)
        return np.diff(self.values(of, _DAY), axis=0, prepend=0)[rows]

    def at(self, rows: Ints) -> Ints:
        """Each house's value at a minute of its own; quick if most of these are the same."""
        if not self.differenced:
            values: Ints = self.steps(np.arange(len(rows)), _DAY)
            values = values[rows if len(values) > 1 else 0, np.arange(len(rows))]
            return values
        risen = self.base + self.step * rows
        if self.data is not None:
            for row in np.unique(rows):
                some = np.flatnonzero(rows == row)
                data = self.data[1 : row + 1, some if some.size < rows.size else slice(None)]
                risen[some] += data.sum(axis=0, dtype=np.uint64).view(np.int64)
        return risen


def unpacked(sealed: SealedPart, places: dict[str, int]) -> Part:
    """A part as it was sealed; `places` says which houses are asked for."""
    houses = sealed.houses.split(" ")
    data = None
    if sealed.width:
        size = MINUTES_PER_DAY * len(houses) * sealed.width
        inflated = zlib.decompress(sealed.data, bufsize=size) if sealed.packed else sealed.data
        data = np.frombuffer(inflated, f"<u{sealed.width}").reshape(MINUTES_PER_DAY, len(houses))
    return Part(
        columns=np.array([places.get(house, -1) for house in houses]),
        base=np.frombuffer(sealed.base, "<i8"),
        step=np.frombuffer(sealed.step, "<i8"),
        differenced=sealed.differenced,
        data=data,
    )
