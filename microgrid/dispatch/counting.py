"""Targets where not everybody can be counted on.

Who does not follow, or has not shown yet that it does, is counted with what it gives, and others are asked
in its place; its own target stands, because what it is held to does not end by that.
"""

from dataclasses import dataclass

import numpy as np

from microgrid.dispatch.plan import Plan, plan
from microgrid.dispatch.situation import Bool, Fleet, Int, Situation, Strategy
from microgrid.minute import Hold
from microgrid.terms import Tariff

AT_REST_S = 3600  # a control step so long that nothing is bridged in it
SLACK_W = 25  # the target of who does not follow, or has not yet, is not moved for less


@dataclass(frozen=True, slots=True)
class Crew:
    """The fleet as it is known now; one entry a seller in each array.

    `asked_w` is the target that stands (what it exports where none does) and `hold` why it is no more.
    Who is `unproven` has met no target yet; who is `uncounted` besides does not follow.
    """

    fleet: Fleet
    export_w: Int
    asked_w: Int
    hold: Int
    unproven: Bool
    uncounted: Bool


@dataclass(frozen=True, slots=True)
class Task:
    """What the fleet is to deliver together, and under what; see `Situation` and `plan`."""

    demand_w: int
    day: bool
    step_s: int
    tariff: Tariff
    allowance: int


def divide(strategy: Strategy, crew: Crew, task: Task) -> Plan:
    """Targets of one control step for everybody."""

    def found(fleet: Fleet, standing_w: Int, step_s: int) -> Plan:
        situation = Situation(fleet, task.demand_w, standing_w, task.day, step_s)
        return plan(strategy, situation, task.tariff, task.allowance)

    fleet, hold = crew.fleet, crew.hold
    if not crew.uncounted.any():
        return found(fleet, crew.asked_w, task.step_s)
    asked_w = np.minimum(crew.asked_w, fleet.max_w)  # it may be from another contract
    # Nobody is asked for more than its minimum and what would be left for it if all others gave their least.
    least_w = np.where(crew.uncounted, crew.export_w, fleet.min_w)
    room_w = np.maximum(fleet.min_w, task.demand_w - int(least_w.sum()) + least_w)
    # Who is new is asked for what would be its part once all is at rest. So is who stands below its minimum:
    # a cap, time out of service or another contract must not outlast itself.
    below = crew.uncounted & (asked_w < fleet.min_w)
    if (crew.unproven | below).any():
        at_rest = found(fleet, asked_w, AT_REST_S)
        wanted_w = np.minimum(at_rest.target_w, np.maximum(room_w, crew.export_w))
        moves = np.abs(wanted_w - asked_w) > _slack_w(asked_w)
        moves = (moves & (crew.unproven | below)) | (below & (hold != Hold.CAP))
        asked_w = np.where(moves, wanted_w, asked_w)
        hold = np.where(moves, at_rest.hold, hold)
    short = crew.uncounted & (crew.export_w <= asked_w)
    over = crew.uncounted & ~short
    standing_w = np.where(crew.uncounted, crew.export_w, asked_w)
    planned = found(fleet.limited(short, over, crew.export_w), standing_w, task.step_s)
    target_w = planned.target_w
    left_w = np.maximum(target_w, room_w)
    kept_w = np.where(asked_w - left_w > _slack_w(asked_w), left_w, asked_w)
    lags, exceeds = short & (target_w >= crew.export_w), over & (target_w <= crew.export_w)
    target_w = np.where(lags, kept_w, np.where(exceeds, asked_w, target_w))
    return Plan(target_w, np.where(lags | exceeds, hold, planned.hold))


def _slack_w(asked_w: Int) -> Int:
    slack: Int = np.maximum(SLACK_W, asked_w // 50)
    return slack
