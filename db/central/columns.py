"""Minutes as numpy columns, as the settlement and the trends read them.

Arrays are shaped [minutes, houses]: row i is minute `first_minute + i`, column j is `houses[j]`.
Where `present` is False the other values are those of nothing: 0, False or -1. They are for reading only.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

MINUTES_PER_DAY = 1440

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
class OrderColumns:
    """Order minutes (see `microgrid.minute.OrderMinute`) of `first_minute` <= m < `end_minute`.

    `target_w` and `acknowledged_s` are -1 where there was none.
    """

    houses: tuple[str, ...]
    first_minute: int
    end_minute: int
    present: Bools
    raise_standing: Bools
    target_w: Ints
    hold: Ints
    command_id: Ints
    acknowledged_s: Ints
    tie_closed: Bools
    out_of_service: Bools
