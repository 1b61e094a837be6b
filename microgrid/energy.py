"""From registers to the energy of each minute, with stated estimates for minutes nobody heard.

Energy is a difference of registers within one epoch. Over a gap the difference is laid out over its
minutes, so that estimated minutes add up to what the register says; across epochs, and where a
register fell or jumped, nothing is known and nothing is billed. The rule in words: docs/estimation.md.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from microgrid.columns import MinuteColumns
from microgrid.registers import OVERLOAD, limit_ws
from microgrid.units import SECONDS_PER_MINUTE

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

Profile = Callable[[str, range], tuple[Int, Int] | None]
"""A house's typical (imported_ws, exported_ws), none negative, of each minute of a gap; None: no history."""

SHORT_GAP_MINUTES = 60
"""Up to this many estimated minutes a gap is a straight line.

On the simulation's solar houses the line errs less than the habit up to about an hour, and more beyond:
a cloud or a kettle passes within the hour, and last week's minutes do not know it either.
"""


@dataclass(frozen=True)
class MinuteEnergy:
    """Energy per minute and house in Ws [minutes, houses], and how it is known."""

    net_ws: Int  # exported minus imported: a minute is netted per house
    estimated: Bool  # not measured in this very minute
    known: Bool  # a register tells what flowed, in this minute or over the gap that it lies in


def minute_energy(
    block: MinuteColumns, connection_w: Int | None = None, profile: Profile | None = None
) -> MinuteEnergy:
    """Net energy of every minute of the block; the same however a range is cut into blocks.

    Minutes before a house's first register ever are 0 and not known, but not estimated: it had not joined.
    Minutes after its last are 0, estimated and not known yet. A register that fell, or rose further
    than the house's `connection_w` can carry (None: not looked at), is no energy either. A gap longer
    than `SHORT_GAP_MINUTES` is laid out as the `profile` says (None: a straight line).
    """
    whole = _whole_columns(block)
    net = np.zeros(block.present.shape, dtype=np.int64)
    known = np.ones(block.present.shape, dtype=np.bool_)
    estimated = np.zeros(block.present.shape, dtype=np.bool_)
    if whole.any():
        columns = slice(None) if whole.all() else whole  # a slice copies nothing
        exported = _differences(block.export_ws, block.opening.export_ws, columns)
        imported = _differences(block.import_ws, block.opening.import_ws, columns)
        found = whole_energy(exported, imported, None if connection_w is None else connection_w[columns])
        net[:, columns], estimated[:, columns], known[:, columns] = found.net_ws, found.estimated, found.known
    for column in np.flatnonzero(~whole):
        house_w = None if connection_w is None else int(connection_w[column])
        line = _with_gaps(block, int(column), house_w, profile)
        net[:, column], estimated[:, column], known[:, column] = line
    return MinuteEnergy(net, estimated, known)


def _whole_columns(block: MinuteColumns) -> Bool:
    """Houses with every minute present, the opening adjacent and one epoch throughout."""
    adjacent = block.opening.minute == block.first_minute - 1
    one_epoch = (block.epoch == block.opening.epoch).all(axis=0)
    return np.asarray(block.present.all(axis=0) & adjacent & one_epoch)


def _differences(register_ws: Int, opening_ws: Int, columns: slice | Bool) -> Int:
    return np.diff(register_ws[:, columns], axis=0, prepend=opening_ws[columns][None, :])


def whole_energy(exported_ws: Int, imported_ws: Int, connection_w: Int | None) -> MinuteEnergy:
    """Net energy where no minute is missing, from the rises of both registers [minutes, houses]."""
    limit = None if connection_w is None else limit_ws(connection_w, SECONDS_PER_MINUTE)
    net_ws = exported_ws - imported_ws
    known = np.ones(net_ws.shape, dtype=np.bool_)
    if not _all_plausible(exported_ws, limit) or not _all_plausible(imported_ws, limit):
        known = _plausible(exported_ws, limit) & _plausible(imported_ws, limit)
        net_ws *= known
    return MinuteEnergy(net_ws, ~known, known)


def _all_plausible(rise_ws: Int, limit: NDArray[np.float64] | None) -> bool:
    """`_plausible` everywhere; found house by house, which takes a third of the time."""
    lowest, highest = rise_ws.min(axis=0, initial=0), rise_ws.max(axis=0, initial=0)
    return bool(_plausible(lowest, limit).all() and _plausible(highest, limit).all())


def _plausible(rise_ws: Int, limit: NDArray[np.float64] | None) -> Bool:
    return rise_ws >= 0 if limit is None else (rise_ws >= 0) & (rise_ws <= limit)


@dataclass(frozen=True)
class _Rows:
    """One house's rows, the nearest ones outside the block included: points that gaps lie between."""

    minute: Int
    epoch: Int
    export_ws: Int
    import_ws: Int


def _rows(block: MinuteColumns, column: int) -> _Rows:
    """The rows of the block's house, in order."""
    present = np.flatnonzero(block.present[:, column])
    before, after = (
        slice(column, column + int(edge.minute[column] >= 0)) for edge in (block.opening, block.closing)
    )

    def joined(name: str, values: Int) -> Int:
        edges = getattr(block.opening, name)[before], getattr(block.closing, name)[after]
        return np.concatenate((edges[0], values, edges[1]))

    return _Rows(
        minute=joined("minute", present + block.first_minute),
        epoch=joined("epoch", block.epoch[present, column]),
        export_ws=joined("export_ws", block.export_ws[present, column]),
        import_ws=joined("import_ws", block.import_ws[present, column]),
    )


def _with_gaps(
    block: MinuteColumns, column: int, connection_w: int | None, profile: Profile | None
) -> tuple[Int, Bool, Bool]:
    """One house's minutes: net energy, estimated, known. Every minute lies in the gap that a row closes."""
    rows = _rows(block, column)
    span, exported, imported = np.diff(rows.minute), np.diff(rows.export_ws), np.diff(rows.import_ws)
    carried = None if connection_w is None else limit_ws(np.array(connection_w), span * SECONDS_PER_MINUTE)
    billable = (np.diff(rows.epoch) == 0) & _plausible(exported, carried) & _plausible(imported, carried)

    minutes = np.arange(block.first_minute, block.end_minute)
    closed_by = np.searchsorted(rows.minute, minutes)  # the first row at or after each minute
    estimated = (closed_by == rows.minute.size) & (rows.minute.size > 0)
    known = (closed_by > 0) & ~estimated
    inside = np.flatnonzero((closed_by > 0) & (closed_by < rows.minute.size))
    gap = closed_by[inside] - 1
    estimated[inside] = (span[gap] > 1) | ~billable[gap]
    known[inside] = billable[gap]

    out, taken = exported[gap], imported[gap]
    spread = np.flatnonzero((span[gap] > 1) & billable[gap])
    number, step = gap[spread], minutes[inside[spread]] - rows.minute[gap[spread]]
    for flow in (out, taken):
        flow[spread] = _line(flow[spread], step, span[number])
    long = (span > SHORT_GAP_MINUTES) & (exported + imported > 0)
    if profile is not None and long.any():
        for one in np.unique(number[long[number]]):
            first, here = int(rows.minute[one]) + 1, number == one
            typical = profile(block.houses[column], range(first, first + int(span[one])))
            if typical is not None:
                at, steps = spread[here], step[here]
                taken[at] = _shaped(taken[at], int(imported[one]), typical[0], steps, connection_w)
                out[at] = _shaped(out[at], int(exported[one]), typical[1], steps, connection_w)
    net = np.zeros(minutes.size, dtype=np.int64)
    net[inside] = (out - taken) * billable[gap]
    return net, estimated, known


def _line(rise_ws: Int, step: Int, span: Int) -> Int:
    """What a straight line over `span` minutes gives its `step`-th (from 1), in whole Ws that add up.

    In two parts, because the rise times a minute can exceed 64 bits.
    """
    whole, rest = np.divmod(rise_ws, span)
    share: Int = whole + rest * step // span - rest * (step - 1) // span
    return share


def _shaped(line_ws: Int, rise_ws: int, typical_ws: Int, step: Int, connection_w: int | None) -> Int:
    """What these consecutive steps of a gap get of the rise, in the proportion of its typical minutes.

    The straight line where nothing is typical, or where a minute would get more than the connection carries.
    """
    total, most = int(typical_ws.sum()), int(typical_ws.max())
    carried_ws = None if connection_w is None else connection_w * OVERLOAD * SECONDS_PER_MINUTE
    if total == 0 or (carried_ws is not None and rise_ws * most > carried_ws * total):
        return line_ws
    # In Python's integers: the products exceed 64 bits.
    until = np.concatenate(([0], np.cumsum(typical_ws)))[step[0] - 1 : step[-1] + 1].astype(object)
    share: Int = np.diff(until * rise_ws // total).astype(np.int64)
    return share
