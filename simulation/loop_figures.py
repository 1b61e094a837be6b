"""How well the control loop held a day: balance after every step, and commands while nothing happens.

Import and spill count as balanced within 2 % of demand, or within the deadband of a seller where that is
more. After a disturbance the loop has what the ramps take and two control steps. A disturbance is a move of
what is left for the sellers who follow (demand less what the others give), the turn between day and night,
an order of the operator, or a seller that begins or ceases to follow.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from microgrid.columns import OrderColumns
from microgrid.daylight import day_mask
from microgrid.dispatch.following import TOLERANCE_PERCENT
from microgrid.minute import Fate, Hold
from microgrid.pool import obliged
from microgrid.terms import Contract, Source

Int = NDArray[np.int64]
Bool = NDArray[np.bool_]

BALANCED_PERCENT = 2
STILL_W = 5
DEADBAND_W = 25
_FAILED = (Fate.UNANSWERED, Fate.REFUSED, Fate.UNMET)


@dataclass(frozen=True, kw_only=True)
class LoopFigures:
    """The figures of some minutes; minutes are counted from their first."""

    steps: tuple[int, ...]  # minutes in which demand changed by more than a fifth
    longest_recovery: int  # minutes after such a step until balanced again
    longest_stand_in: int  # minutes from a seller's falling away from its target until balanced again
    longest_excess: int  # minutes on end in which a seller gave more than its target
    unbalanced: tuple[int, ...]  # minutes out of balance without excuse
    idle_minutes: int  # minutes without a disturbance for longer than the loop needs
    idle_commands: int  # commands in them
    commands: int
    import_kwh: float
    spill_kwh: float
    solar_kwh: float  # delivered by solar sellers
    generator_kwh: float


def allowed_minutes(contracts: Iterable[Contract], ramps_w: Mapping[str, int], step: int) -> int:
    """Minutes that the slowest seller's ramp over its whole band and two control steps take together.

    `ramps_w`: W per minute, by house.
    """
    ramps = [(contract.max_w - contract.min_w) / ramps_w[contract.house] for contract in contracts]
    return math.ceil(max(ramps, default=0.0)) + 2 * step


def loop_figures(
    net_w: Int, orders: OrderColumns, contracts: Mapping[str, Contract], zone: ZoneInfo, allowed: int
) -> LoopFigures:
    """The figures of the minutes of `orders`; `net_w` [minutes, houses] is positive into the micro-grid.

    `allowed` is how many minutes ramps and two control steps take together.
    """
    demand_w = np.maximum(-net_w, 0).sum(axis=1)
    import_w = -net_w.sum(axis=1)
    tolerance_w = np.maximum(DEADBAND_W, demand_w * BALANCED_PERCENT // 100)
    off = np.abs(import_w) > tolerance_w
    there = _there(net_w, orders.target_w) | (orders.fate == Fate.MET)
    follows = there & ~np.isin(orders.fate, _FAILED)
    left_w = demand_w - (np.maximum(net_w, 0) * ~follows).sum(axis=1)
    # What moved in this very minute, as the sun does all the time, nobody can have answered yet.
    behind = np.abs(import_w) > tolerance_w + np.abs(np.diff(left_w, prepend=left_w[:1]))
    changed = (np.diff(follows.astype(np.int8), axis=0, prepend=follows[:1]) != 0).any(axis=1)
    disturbed = _moved(left_w) | _turned(orders, zone) | changed
    since = _since(disturbed)
    excused = _excused(import_w, net_w, orders, contracts, zone)
    new_command = np.diff(orders.command_id, axis=0, prepend=orders.command_id[:1]) > 0
    idle = since > allowed
    steps = np.flatnonzero(_steps(demand_w))
    return LoopFigures(
        steps=tuple(steps.tolist()),
        longest_recovery=_longest(off & ~excused, steps),
        longest_stand_in=_longest(behind & ~excused, _lapses(net_w, orders, follows, demand_w)),
        longest_excess=_longest_run(~there & (orders.target_w >= 0) & (net_w > orders.target_w)),
        unbalanced=tuple(np.flatnonzero(off & ~excused & idle).tolist()),
        idle_minutes=int(idle.sum()),
        idle_commands=int(new_command[idle].sum()),
        commands=int(new_command.sum()),
        import_kwh=float(np.maximum(import_w, 0).sum()) / 60_000,
        spill_kwh=float(np.maximum(-import_w, 0).sum()) / 60_000,
        solar_kwh=_delivered_kwh(net_w, orders, contracts, Source.SOLAR),
        generator_kwh=_delivered_kwh(net_w, orders, contracts, Source.GENERATOR),
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
        if abs(now_w - reference) > STILL_W:
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


def _excused(
    import_w: Int, net_w: Int, orders: OrderColumns, contracts: Mapping[str, Contract], zone: ZoneInfo
) -> Bool:
    """Minutes in which nobody who follows and is not held could have given more, or less, as was needed.

    That nobody asked a seller that must deliver is no excuse.
    """
    more, less = np.zeros(len(import_w), dtype=np.bool_), np.zeros(len(import_w), dtype=np.bool_)
    is_day = day_mask(orders.first_minute, orders.end_minute, zone)
    for place, house in enumerate(orders.houses):
        contract = contracts.get(house)
        if contract is None or contract.source is None:
            continue
        fate, power_w = orders.fate[:, place], net_w[:, place]
        must = np.where(is_day, obliged(contract, True), obliged(contract, False))
        free = ((fate == Fate.MET) | (must & (fate == Fate.NONE))) & (orders.hold[:, place] < Hold.CAP)
        more |= free & (power_w < contract.max_w) & ~_there(power_w, np.int64(contract.max_w))
        less |= free & (power_w > contract.min_w) & ~_there(power_w, np.int64(contract.min_w))
    return np.where(import_w > 0, ~more, ~less)


def _lapses(net_w: Int, orders: OrderColumns, follows: Bool, demand_w: Int) -> Int:
    """Minutes in which a seller that does not follow comes to miss its target by a fifth of demand."""
    missing = ~follows & (np.abs(orders.target_w - net_w) * 5 > demand_w[:, np.newaxis])
    missing &= np.isin(orders.fate, (*_FAILED, Fate.FOLLOWING, Fate.LATE))
    found: Int = np.flatnonzero((np.diff(missing.astype(np.int8), axis=0, prepend=0) > 0).any(axis=1))
    return found


def _longest_run(flags: Bool) -> int:
    """Minutes on end for which a flag of one house holds, at most."""
    run, longest = np.zeros(flags.shape[1], dtype=np.int64), 0
    for row in flags:
        run = np.where(row, run + 1, 0)
        longest = max(longest, int(run.max(initial=0)))
    return longest


def _delivered_kwh(
    net_w: Int, orders: OrderColumns, contracts: Mapping[str, Contract], source: Source
) -> float:
    places = [
        place
        for place, house in enumerate(orders.houses)
        if house in contracts and contracts[house].source is source
    ]
    return float(np.maximum(net_w[:, places], 0).sum()) / 60_000


def _longest(off: Bool, starts: Int) -> int:
    return max((_recovery(off, int(start)) for start in starts), default=0)


def _recovery(off: Bool, step: int) -> int:
    """Minutes from this one on until the first that is balanced."""
    balanced = np.flatnonzero(~off[step:])
    return int(balanced[0]) if balanced.size else len(off) - step
