"""The three facts a minute is settled from, as records: meter minute, order minute (terms: `terms.py`).

`minute` is the index of the minute (see `units`); registers are those at its *end*, 60·(minute + 1) s.
"""

from enum import IntEnum

import msgspec


class Origin(IntEnum):
    """How a meter minute reached the central."""

    LIVE = 0
    LATE = 1
    ESTIMATED = 2
    CORRECTED = 3


class Hold(IntEnum):
    """Why a seller is held below what it could give."""

    NONE = 0
    SHARING = 1
    CAP = 2
    OPERATOR = 3  # held by hand, or out of service


class Fate(IntEnum):
    """What became of the order a seller stands under; blame rests on telling these apart."""

    NONE = 0  # no order
    SENT = 1  # the time to answer is not over
    UNANSWERED = 2  # neither the house's nor the meter's word came in time
    REFUSED = 3  # the meter's word is that it cannot obey
    FOLLOWING = 4  # acknowledged; the time to respond is not over
    LATE = 5  # the same, but acknowledged only after the time to answer
    MET = 6
    UNMET = 7  # acknowledged, and short of what it is held to although the time to respond is over


class MeterMinute(msgspec.Struct, frozen=True, kw_only=True):
    """One minute of one house; its author is the house.

    Registers are 64-bit watt-seconds; differences between registers of the same `epoch` are energy,
    a difference across epochs is not. `suspect` counts packets in the minute that carried a fault flag.
    """

    house: str
    minute: int
    epoch: int
    import_ws: int
    export_ws: int
    generation_ws: int
    closed_s: int  # seconds of the minute with the grid breaker closed, unheard ones as those heard
    covered_s: int  # seconds of the minute for which the meter was heard
    max_w: int  # largest and smallest exchanged active power in the minute, signed
    min_w: int
    voltage_mv: int  # means over the minute and the three phases
    current_ma: int
    power_factor_milli: int
    frequency_mhz: int
    suspect: int
    origin: Origin = Origin.LIVE
    revision: int = 0


class OrderMinute(msgspec.Struct, frozen=True, kw_only=True):
    """What the central had ordered of a seller in one minute; its author is the central.

    Written for every seller and minute whether or not the house's row came, and never changed by
    late data, because penalties rest on it. `target_w` is what the seller is held to (see `commitment`),
    acknowledged at `acknowledged_s`; `command_id` and `fate` are those of the newest command.
    """

    house: str
    minute: int
    raise_standing: bool
    target_w: int | None  # None: no target stands
    hold: Hold
    command_id: int  # 0: none
    acknowledged_s: int | None  # Unix time at which the meter acknowledged the command
    tie_closed: bool
    out_of_service: bool = False
    fate: Fate = Fate.NONE
