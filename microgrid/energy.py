"""From registers to the energy of each minute, with stated estimates for minutes nobody heard.

Energy is a difference of registers within one epoch. Over a gap the difference is laid out as a
straight line, so that estimated minutes add up to what the register says; across epochs, and where a
register fell or jumped, nothing is known and nothing is billed.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microgrid.columns import MinuteColumns
from microgrid.registers import limit_ws
from microgrid.units import SECONDS_PER_MINUTE

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class MinuteEnergy:
    """Energy per minute and house in Ws [minutes, houses], and which of it is estimated."""

    net_ws: Int  # exported minus imported: a minute is netted per house
    estimated: Bool


def minute_energy(block: MinuteColumns, connection_w: Int | None = None) -> MinuteEnergy:
    """Net energy of every minute of the block.

    Minutes before a house's first register ever are 0 and not estimated: it had not joined. Minutes
    after its last are 0 and estimated: what it used then is not known yet. A register that fell, or
    rose further than the house's `connection_w` can carry (None: not looked at), is no energy either.
    """
    whole = _whole_columns(block)
    net = np.zeros(block.present.shape, dtype=np.int64)
    estimated = np.zeros(block.present.shape, dtype=np.bool_)
    if whole.any():
        exported = _differences(block.export_ws, block.opening.export_ws, whole)
        imported = _differences(block.import_ws, block.opening.import_ws, whole)
        limit = None if connection_w is None else limit_ws(connection_w[whole], SECONDS_PER_MINUTE)
        known = _plausible(exported, limit) & _plausible(imported, limit)
        net[:, whole] = (exported - imported) * known
        estimated[:, whole] = ~known
    for column in np.flatnonzero(~whole):
        house_w = None if connection_w is None else connection_w[column]
        net[:, column], estimated[:, column] = _with_gaps(block, int(column), house_w)
    return MinuteEnergy(net, estimated)


def _whole_columns(block: MinuteColumns) -> Bool:
    """Houses with every minute present, the opening adjacent and one epoch throughout."""
    adjacent = block.opening.minute == block.first_minute - 1
    one_epoch = (block.epoch == block.opening.epoch).all(axis=0)
    return np.asarray(block.present.all(axis=0) & adjacent & one_epoch)


def _differences(register_ws: Int, opening_ws: Int, columns: Bool) -> Int:
    return np.diff(register_ws[:, columns], axis=0, prepend=opening_ws[columns][None, :])


def _plausible(rise_ws: Int, limit: NDArray[np.float64] | None) -> Bool:
    return rise_ws >= 0 if limit is None else (rise_ws >= 0) & (rise_ws <= limit)


def _with_gaps(block: MinuteColumns, column: int, connection_w: Int | None) -> tuple[Int, Bool]:
    """One house's minutes: its known registers, each a point at a row, joined by straight lines."""
    rows = np.arange(block.present.shape[0])
    known = np.flatnonzero(block.present[:, column])
    points, epochs, exports, imports = (
        _with_edges(block, column, at, opening, closing)
        for at, opening, closing in (
            (known, block.opening.minute - block.first_minute, block.closing.minute - block.first_minute),
            (block.epoch[known, column], block.opening.epoch, block.closing.epoch),
            (block.export_ws[known, column], block.opening.export_ws, block.closing.export_ws),
            (block.import_ws[known, column], block.opening.import_ws, block.closing.import_ws),
        )
    )
    net, estimated = np.zeros(rows.size, dtype=np.int64), np.zeros(rows.size, dtype=np.bool_)
    after = np.searchsorted(points, rows)  # the first known point at or after each row
    estimated[(after == points.size) & (points.size > 0)] = True
    between = np.flatnonzero((after > 0) & (after < points.size))
    rows, after = rows[between], after[between]
    before = after - 1
    span = points[after] - points[before]
    limit = None if connection_w is None else limit_ws(connection_w, span * SECONDS_PER_MINUTE)
    rises = [registers[after] - registers[before] for registers in (exports, imports)]
    billable = (epochs[after] == epochs[before]) & _plausible(rises[0], limit) & _plausible(rises[1], limit)
    step = rows - points[before]
    lines = [rise * step // span - rise * (step - 1) // span for rise in rises]
    net[between] = np.where(billable, lines[0] - lines[1], 0)
    estimated[between] = (span > 1) | ~billable
    return net, estimated


def _with_edges(block: MinuteColumns, column: int, values: Int, opening: Int, closing: Int) -> Int:
    """The block's values of one house with those of the rows just outside it, where there are any."""
    has_opening, has_closing = block.opening.minute[column] >= 0, block.closing.minute[column] >= 0
    edges = (opening[column : column + int(has_opening)], closing[column : column + int(has_closing)])
    return np.concatenate((edges[0], values, edges[1]))
