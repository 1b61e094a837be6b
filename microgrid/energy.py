"""From registers to the energy of each minute, with stated estimates for minutes nobody heard.

Energy is a difference of registers within one epoch. Over a gap the difference is laid out as a
straight line, so that estimated minutes add up to what the register says; across epochs nothing is
known and nothing is billed.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from microgrid.columns import EdgeRows, MinuteColumns

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]


@dataclass(frozen=True)
class MinuteEnergy:
    """Energy per minute and house in Ws [minutes, houses], and which of it is estimated."""

    net_ws: Int  # exported minus imported: a minute is netted per house
    estimated: Bool


def minute_energy(block: MinuteColumns) -> MinuteEnergy:
    """Net energy of every minute of the block.

    Minutes before a house's first register ever are 0 and not estimated: it had not joined. Minutes
    after its last are 0 and estimated: what it used then is not known yet.
    """
    minutes, houses = block.present.shape
    net = np.zeros((minutes, houses), dtype=np.int64)
    estimated = np.zeros((minutes, houses), dtype=np.bool_)
    whole = _whole_columns(block, block.opening)
    if whole.any():
        exported = _differences(block.export_ws, block.opening.export_ws, whole)
        imported = _differences(block.import_ws, block.opening.import_ws, whole)
        net[:, whole] = exported - imported
    for column in np.flatnonzero(~whole):
        net[:, column], estimated[:, column] = _with_gaps(block, int(column))
    return MinuteEnergy(net, estimated)


def _whole_columns(block: MinuteColumns, opening: EdgeRows) -> Bool:
    """Houses with every minute present, the opening adjacent and one epoch throughout."""
    adjacent = opening.minute == block.first_minute - 1
    one_epoch = (block.epoch == opening.epoch).all(axis=0)
    return np.asarray(block.present.all(axis=0) & adjacent & one_epoch)


def _differences(register_ws: Int, opening_ws: Int, columns: Bool) -> Int:
    return np.diff(register_ws[:, columns], axis=0, prepend=opening_ws[columns][None, :])


def _with_gaps(block: MinuteColumns, column: int) -> tuple[Int, Bool]:
    """The slow, careful way for one house: known points joined by straight lines within an epoch."""
    count = block.present.shape[0]
    rows = np.flatnonzero(block.present[:, column])
    registers = (block.epoch, block.import_ws, block.export_ws)
    known = [(int(row), *(int(values[row, column]) for values in registers)) for row in rows]
    if block.opening.minute[column] >= 0:
        known.insert(0, _edge_point(block.opening, column, block.first_minute))
    if block.closing.minute[column] >= 0:
        known.append(_edge_point(block.closing, column, block.first_minute))
    net = np.zeros(count, dtype=np.int64)
    estimated = np.zeros(count, dtype=np.bool_)
    for before, after in pairwise(known):
        low, high = max(0, before[0] + 1), min(count, after[0] + 1)
        same_epoch, span = before[1] == after[1], after[0] - before[0]
        estimated[low:high] = span > 1 or not same_epoch
        if same_epoch and high > low:
            steps = np.arange(low - 1, high) - before[0]
            lines = [
                then + (now - then) * steps // span for then, now in zip(before[2:], after[2:], strict=True)
            ]
            net[low:high] = np.diff(lines[1]) - np.diff(lines[0])
    if known:
        estimated[max(0, known[-1][0] + 1) :] = True
    return net, estimated


def _edge_point(edge: EdgeRows, column: int, first_minute: int) -> tuple[int, int, int, int]:
    registers = (edge.minute - first_minute, edge.epoch, edge.import_ws, edge.export_ws)
    row, epoch, import_ws, export_ws = (int(values[column]) for values in registers)
    return row, epoch, import_ws, export_ws
