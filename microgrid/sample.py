"""One reading of a house's meter, and how much it can be trusted.

The same type goes from the serial parser over the wire to the screens. Sign everywhere: positive is
from the house into the micro-grid (4.4.6).
"""

from enum import IntEnum, IntFlag

import msgspec


class MeterFlag(IntFlag):
    """What the meter says about its own reading (bits of the packet's `flags` field)."""

    VOLTAGE_SATURATED = 1
    CURRENT_SATURATED = 2
    REVERSE_FLOW = 4
    CALIBRATION_BAD = 8
    BROWN_OUT_RESTART = 16
    COMMAND_REFUSED = 32
    SUPPLY_LOW = 64


class CommandState(IntEnum):
    """What became of the last RAISE or LOWER the meter was given."""

    NONE = 0
    PULSING = 1
    DONE = 2
    REFUSED = 3


class Quality(IntEnum):
    """How far a value may be trusted; larger is worse."""

    GOOD = 0
    STALE = 1
    ESTIMATED = 2
    BAD = 3


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """What the meter measured at one moment (4.4), as its serial packet carries it.

    Counters are the meter's own unsigned 32-bit watt-second counters and wrap; `microgrid.registers`
    carries them on to 64 bits. The house's load is what is generated and not exchanged.
    """

    boot_id: int
    uptime_ms: int
    sequence: int
    voltage_v: tuple[float, float, float]
    current_a: tuple[float, float, float]
    power_factor: tuple[float, float, float]  # 0 … 1, magnitude per phase
    # True: the current, counted in the direction the power flows, leads the voltage.
    leading: tuple[bool, bool, bool]
    # True: this phase's active power flows into the micro-grid. All three agree on a house that is wired
    # rightly, whatever `exchange_p_w` sums up to; a reversed or swapped current transformer shows here.
    exporting: tuple[bool, bool, bool]
    frequency_hz: float
    generator_p_w: int
    generator_q_var: int
    generator_s_va: int
    exchange_p_w: int
    exchange_q_var: int
    import_counter_ws: int
    export_counter_ws: int
    generation_counter_ws: int
    generator_breaker_closed: bool
    grid_breaker_closed: bool
    flags: MeterFlag
    command_id: int  # 0: none since start
    command_state: CommandState
    firmware: str

    @property
    def load_w(self) -> int:
        """The house's own consumption in watts: generated minus exchanged (4.4)."""
        return self.generator_p_w - self.exchange_p_w
