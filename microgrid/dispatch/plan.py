"""One control step: a strategy's targets, the cap, and the patience to leave alone what stands well."""

from dataclasses import dataclass

import numpy as np

from microgrid.dispatch.cap import keep_cap
from microgrid.dispatch.day_time import HIGH_PERCENT, level
from microgrid.dispatch.situation import Int, Situation, Strategy
from microgrid.minute import Hold
from microgrid.terms import Tariff

STILL_W = 10  # what moves by less, or by less than a hundredth of what is asked, moves no target
LEAST_MOVE_W = 5  # nobody is called for less


@dataclass(frozen=True, slots=True)
class Plan:
    """A target in W for each seller of the fleet, and why it is less than it would be (see `Hold`)."""

    target_w: Int
    hold: Int


def plan(strategy: Strategy, situation: Situation, tariff: Tariff, allowance: int) -> Plan:
    """Targets of one control step; `allowance` is the cap's credit in micro-coins that a minute may spend."""
    fleet = situation.fleet
    shared_w = strategy.targets(situation)
    target_w = keep_cap(fleet, shared_w, situation.demand_w, tariff, allowance)
    hold = np.full(len(fleet.houses), Hold.NONE, dtype=np.int64)
    if strategy.holds_back:
        hold[target_w < level(fleet, HIGH_PERCENT)] = Hold.SHARING
    hold[target_w < shared_w] = Hold.CAP
    return Plan(_steadied(situation, target_w), hold)


def _steadied(situation: Situation, target_w: Int) -> Int:
    """The targets, or those that stand where the difference is not worth a command.

    Demand trembles by less than the sellers' deadbands all the time; following it would never end.
    """
    standing_w, fleet = situation.standing_w, situation.fleet
    may_stay = (standing_w <= fleet.max_w) & (standing_w >= np.minimum(fleet.min_w, target_w))
    change = target_w - standing_w
    still_w = max(STILL_W, min(situation.demand_w, int(target_w.sum())) // 100)
    shifted_w = int(np.abs(change).sum()) // 2  # of what one seller gains and another loses
    if abs(int(change.sum())) <= still_w and shifted_w <= still_w and may_stay.all():
        return standing_w
    slight = (np.abs(change) < LEAST_MOVE_W) & may_stay
    if abs(int(change[slight].sum())) > still_w:  # together they are worth a command each
        return target_w
    return np.where(slight, standing_w, target_w)
