"""A house's energy registers, carried on in 64 bits from the meter's wrapping 32-bit counters.

The low 32 bits of a register are always the meter's counter. So the next register follows from the
last one and the counter alone: a restarted house, or one that lost its disk and was told its last
acknowledged register by the central, carries on exactly where the meter is.
"""

from enum import StrEnum

import msgspec
import numpy as np
from numpy.typing import NDArray

COUNTER_MODULUS = 2**32
# A connection may run above its rating for a while, and the time between two readings is known only
# to about a packet; beyond this margin a difference is not energy.
OVERLOAD = 1.25
TIMING_SLACK_S = 60.0
# A source may cover the house's own load and fill its connection as well.
GENERATION_FACTOR = 2.0


class RegisterFault(StrEnum):
    """Why a difference of counters was not taken for energy."""

    JUMPED = "the counter fell or jumped further than the connection can carry"
    ALL_ZERO = "all counters fell to 0: the meter lost them"
    FROM_ZERO = "the counter rose from 0, which after a fault may have been a bad reading"


class Registers(msgspec.Struct, frozen=True, kw_only=True):
    """64-bit registers in Ws. Differences count as energy only within one `epoch`."""

    epoch: int
    import_ws: int
    export_ws: int
    generation_ws: int


def limit_ws(connection_w: NDArray[np.int64], elapsed_s: NDArray[np.int64] | int) -> NDArray[np.float64]:
    """What connections can carry at most in this time, in Ws; a greater rise of a register is no energy."""
    limit: NDArray[np.float64] = connection_w * OVERLOAD * (elapsed_s + TIMING_SLACK_S)
    return limit


def rise_is_plausible(before: Registers, after: Registers, elapsed_s: int, connection_w: int) -> bool:
    """Whether the energy between two registers of one epoch can have flowed in this time."""
    limit = connection_w * OVERLOAD * (elapsed_s + TIMING_SLACK_S)
    rises = (after.import_ws - before.import_ws, after.export_ws - before.export_ws)
    return all(0 <= rise <= limit for rise in rises)


def carry_on(
    last: Registers | None, counters: tuple[int, int, int], elapsed_s: float, connection_w: int
) -> tuple[Registers, RegisterFault | None]:
    """The registers after the meter shows `counters` (import, export, generation; 0 … 2³²-1).

    `elapsed_s` is the time since `last`. A counter that fell looks like one that jumped almost 2³² Ws;
    either is a fault and begins a new epoch at the counters as they stand: an alarm, never a bill.
    After a long silence more than half a turn still counts as a fall, as in serial number arithmetic.
    In an epoch that a fault began, a first rise from 0 begins another: were the 0 a bad reading and a
    silence after it, the meter's whole past would pass for energy. All counters at 0 at once are a meter
    that lost them, also where the only one that ever moved was about to turn.
    """
    if last is None:
        return _fresh(0, counters), None
    before = (last.import_ws, last.export_ws, last.generation_ws)
    advance = [(now - then) % COUNTER_MODULUS for now, then in zip(counters, before, strict=True)]
    limit = min(connection_w * OVERLOAD * (max(0.0, elapsed_s) + TIMING_SLACK_S), COUNTER_MODULUS // 2)
    if max(advance[0], advance[1], advance[2] / GENERATION_FACTOR) > limit:
        return _fresh(last.epoch + 1, counters), RegisterFault.JUMPED
    if not any(counters) and any(then % COUNTER_MODULUS for then in before):
        return _fresh(last.epoch + 1, counters), RegisterFault.ALL_ZERO
    if last.epoch > 0 and any(then == 0 < rise for then, rise in zip(before, advance, strict=True)):
        return _fresh(last.epoch + 1, counters), RegisterFault.FROM_ZERO
    carried = Registers(
        epoch=last.epoch,
        import_ws=last.import_ws + advance[0],
        export_ws=last.export_ws + advance[1],
        generation_ws=last.generation_ws + advance[2],
    )
    return carried, None


def _fresh(epoch: int, counters: tuple[int, int, int]) -> Registers:
    return Registers(epoch=epoch, import_ws=counters[0], export_ws=counters[1], generation_ws=counters[2])
