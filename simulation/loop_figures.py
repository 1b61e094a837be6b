"""How well the control loop held a day: balance after every step, and commands while nothing happens.

Import and spill count as balanced within 2 % of demand, or within the deadband of a seller where that is
more. After a disturbance the loop has what the ramps take and two control steps. A disturbance is a move of
what is left for the sellers who follow (demand less what the others give), the turn between day and night,
an order of the operator, or a seller that begins or ceases to follow.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from microgrid.columns import OrderColumns
from microgrid.daylight import day_mask
from microgrid.dispatch.following import TOLERANCE_PERCENT
from microgrid.minute import Fate, Hold
from microgrid.terms import Contract

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

BALANCED_PERCENT = 2
STILL_PERCENT = 1
DEADBAND_W = 25


@dataclass(frozen=True, kw_only=True)
class LoopFigures:
    """The figures of some minutes; minutes are counted from their first."""

    steps: tuple[int, ...]  # minutes in which demand changed by more than a fifth
    longest_recovery: int  # minutes after such a step until balanced again
    unbalanced: tuple[int, ...]  # minutes out of balance without excuse
    idle_minutes: int  # minutes without a disturbance for longer than the loop needs
    idle_commands: int  # commands in them
    commands: int
    import_kwh: float
    spill_kwh: float


def loop_figures(
    net_w: Int, orders: OrderColumns, contracts: dict[str, Contract], zone: ZoneInfo, allowed: int
) -> LoopFigures:
    """The figures of the minutes of `orders`; `net_w` [minutes, houses] is positive into the micro-grid.

    `allowed` is how many minutes ramps and two control steps take together.
    """
    demand_w = np.maximum(-net_w, 0).sum(axis=1)
    import_w = -net_w.sum(axis=1)
    tolerance_w = np.maximum(DEADBAND_W, demand_w * BALANCED_PERCENT // 100)
    off = np.abs(import_w) > tolerance_w
    follows = _there(net_w, orders.target_w) | (orders.fate == Fate.MET)
    left_w = demand_w - (np.maximum(net_w, 0) * ~follows).sum(axis=1)
    changed = (np.diff(follows.astype(np.int8), axis=0, prepend=follows[:1]) != 0).any(axis=1)
    disturbed = _moved(left_w) | _turned(orders, zone) | changed
    since = _since(disturbed)
    excused = _excused(import_w, net_w, orders, contracts)
    new_command = np.diff(orders.command_id, axis=0, prepend=orders.command_id[:1]) > 0
    idle = since > allowed
    steps = np.flatnonzero(_steps(demand_w))
    return LoopFigures(
        steps=tuple(steps.tolist()),
        longest_recovery=max((_recovery(off & ~excused, int(step)) for step in steps), default=0),
        unbalanced=tuple(np.flatnonzero(off & ~excused & idle).tolist()),
        idle_minutes=int(idle.sum()),
        idle_commands=int(new_command[idle].sum()),
        commands=int(new_command.sum()),
        import_kwh=float(np.maximum(import_w, 0).sum()) / 60_000,
        spill_kwh=float(np.maximum(-import_w, 0).sum()) / 60_000,
    )


def _steps(demand_w: Int) -> Bool:
    change = np.abs(np.diff(demand_w, prepend=demand_w[:1]))
    steps: Bool = change * 5 > np.maximum(demand_w, np.roll(demand_w, 1))
    steps[0] = False
    return steps


def _moved(power_w: Int) -> Bool:
    """Minutes in which a power leaves the narrow band it has kept since it did so last."""
    moved = np.zeros(len(power_w), dtype=np.bool_)
    reference = -1_000_000
    for minute, now_w in enumerate(power_w.tolist()):
        if abs(now_w - reference) * 100 > STILL_PERCENT * max(reference, 500):
            moved[minute], reference = True, now_w
    return moved


def _turned(orders: OrderColumns, zone: ZoneInfo) -> Bool:
    is_day = day_mask(orders.first_minute, orders.end_minute, zone)
    by_hand = (orders.hold == Hold.OPERATOR).sum(axis=1)
    turned: Bool = np.diff(is_day, prepend=is_day[:1]) | (np.diff(by_hand, prepend=by_hand[:1]) != 0)
    return turned


def _there(power_w: Int, target_w: Int | np.int64) -> Bool:
    """Whether a seller is at its target, as the controller sees it."""
    tolerance_w = np.maximum(DEADBAND_W, target_w * TOLERANCE_PERCENT // 100)
    there: Bool = np.abs(power_w - target_w) <= tolerance_w
    return there


def _since(disturbed: Bool) -> Int:
    """Minutes since the last disturbance, counting its own as 0."""
    minute = np.arange(len(disturbed))
    return minute - np.maximum.accumulate(np.where(disturbed, minute, 0))


def _excused(import_w: Int, net_w: Int, orders: OrderColumns, contracts: dict[str, Contract]) -> Bool:
    """Minutes in which nobody who follows and is not held could have given more, or less, as was needed."""
    more, less = np.zeros(len(import_w), dtype=np.bool_), np.zeros(len(import_w), dtype=np.bool_)
    for place, house in enumerate(orders.houses):
        contract = contracts.get(house)
        if contract is None or contract.source is None:
            continue
        free = (orders.fate[:, place] == Fate.MET) & (orders.hold[:, place] < Hold.CAP)
        power_w = net_w[:, place]
        more |= free & (power_w < contract.max_w) & ~_there(power_w, np.int64(contract.max_w))
        less |= free & (power_w > contract.min_w) & ~_there(power_w, np.int64(contract.min_w))
    return np.where(import_w > 0, ~more, ~less)


def _recovery(off: Bool, step: int) -> int:
    """Minutes from this one on until the first that is balanced."""
    balanced = np.flatnonzero(~off[step:])
    return int(balanced[0]) if balanced.size else len(off) - step
