"""How far the house is from where it begins to cost more: a buyer's share, a seller's minimum. No widgets."""

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QCoreApplication

from house_client.snapshot import CentralState, HouseSnapshot
from house_client.ui.presentation import meter_state
from microgrid.daylight import is_day
from microgrid.months import zone_of
from microgrid.terms import Contract, Obligation, Role
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.format import power, price
from node.qt.value import ValueState

_CONTEXT = "house"
_NO_DISTANCE_W = 5  # half the last digit shown
_NEAR = 0.1  # warned within this part of the limit
OBEYED_W = 25  # as near to a target as counts as obeying it, by default of the tariff's policy


class Nearness(Enum):
    """How near the limit is."""

    FAR = "far"
    NEAR = "near"
    BEYOND = "beyond"


@dataclass(frozen=True, slots=True)
class Margin:
    """Where the house stands. A buyer's limit is its allotment, a seller's its minimum; powers in W, ≥ 0.

    `limit_w` None: a seller that owes no minimum now. `asked_w`: what the central asks a seller for.
    """

    role: Role
    power_w: int
    limit_w: int | None
    most_w: int
    asked_w: int | None
    lowered: bool  # the central's target lowered the minimum
    held: bool = False  # the output stands where it is steered to, at the limit or above

    @property
    def left_w(self) -> int:
        """Power between here and the limit; negative beyond it."""
        if self.limit_w is None:
            return self.power_w
        return self.limit_w - self.power_w if self.role is Role.CONSUMER else self.power_w - self.limit_w

    @property
    def nearness(self) -> Nearness:
        """Whether it costs, or soon will."""
        if self.held:
            return Nearness.FAR
        if self.left_w < 0:
            return Nearness.BEYOND
        if not self.limit_w or self.left_w >= _NEAR * self.limit_w:
            return Nearness.FAR
        return Nearness.NEAR

    @property
    def missing_w(self) -> int:
        """What is missing from what the central asks for; 0 where it counts as obeyed."""
        missing = (self.asked_w or 0) - self.power_w
        return missing if missing > OBEYED_W else 0


def contract_now(snapshot: HouseSnapshot) -> Contract | None:
    """The contract in force at this minute, as far as the central has told."""
    minute = int(snapshot.now_s // SECONDS_PER_MINUTE)
    told = (
        snapshot.call.agreed if snapshot.call is not None else None,
        snapshot.month.contract if snapshot.month is not None else None,
    )
    return next((c for c in told if c is not None and c.valid_from <= minute < c.valid_to), None)


def margin_of(snapshot: HouseSnapshot) -> Margin | None:
    """Where the house stands now; None if it has no contract or nobody can tell."""
    contract = contract_now(snapshot)
    if contract is None or snapshot.sample is None or meter_state(snapshot) is ValueState.DISCONNECTED:
        return None
    exported_w = snapshot.sample.exchange_p_w
    if contract.role is Role.CONSUMER:
        if snapshot.allotment_w is None or snapshot.central is not CentralState.LINKED:
            return None
        return Margin(
            Role.CONSUMER, max(0, -exported_w), snapshot.allotment_w, contract.max_w, None, lowered=False
        )
    target_w, goal_w = snapshot.target_w, snapshot.goal_w
    floor_w = contract.min_w if target_w is None else min(contract.min_w, target_w)
    owes = contract.obligation is Obligation.ALWAYS or is_day(
        int(snapshot.now_s // SECONDS_PER_MINUTE), zone_of(snapshot.zone)
    )
    return Margin(
        role=Role.PRODUCER,
        power_w=max(0, exported_w),
        limit_w=floor_w if owes else None,
        most_w=contract.max_w,
        asked_w=target_w if target_w is None else min(target_w, contract.max_w),
        lowered=floor_w < contract.min_w,
        held=goal_w is not None and goal_w >= floor_w and abs(goal_w - exported_w) <= OBEYED_W,
    )


def margin_words(snapshot: HouseSnapshot, margin: Margin | None) -> tuple[str, str]:
    """Two lines: how far it is to the limit, and what it costs beyond."""
    if margin is None:
        return _unknown_words(snapshot), ""
    if margin.role is Role.CONSUMER:
        return _buyer_words(snapshot, margin)
    return _seller_words(snapshot, margin)


def _buyer_words(snapshot: HouseSnapshot, margin: Margin) -> tuple[str, str]:
    translate = QCoreApplication.translate
    if not margin.limit_w:
        words = translate(_CONTEXT, "No seller can give power now")
        return words, translate(_CONTEXT, "Each kWh costs {0}").format(tariff_words(snapshot))
    share = power(margin.limit_w)
    match margin.nearness:
        case Nearness.FAR:
            words = translate(_CONTEXT, "{0} left of your share of {1}")
        case Nearness.NEAR:
            words = translate(_CONTEXT, "Only {0} left of your share of {1}")
        case Nearness.BEYOND:
            words = translate(_CONTEXT, "{0} beyond your share of {1}")
            cost = translate(_CONTEXT, "Each kWh of it may cost {0}").format(tariff_words(snapshot))
            return words.format(power(-margin.left_w), share), cost
    cost = translate(_CONTEXT, "Beyond it a kWh may cost {0}").format(tariff_words(snapshot))
    return words.format(power(margin.left_w), share), cost


def _seller_words(snapshot: HouseSnapshot, margin: Margin) -> tuple[str, str]:
    translate = QCoreApplication.translate
    cost = translate(_CONTEXT, "Each kWh missing from it costs {0}").format(tariff_words(snapshot))
    if margin.limit_w is None:
        return translate(_CONTEXT, "You owe no minimum by night"), ""
    if margin.limit_w == 0:
        return translate(_CONTEXT, "You owe no minimum now"), ""
    match margin.nearness:
        case Nearness.FAR if margin.left_w < _NO_DISTANCE_W:
            words = translate(_CONTEXT, "At your minimum of {1}")
        case Nearness.FAR:
            words = translate(_CONTEXT, "{0} above your minimum of {1}")
        case Nearness.NEAR:
            words = translate(_CONTEXT, "Only {0} above your minimum of {1}")
        case Nearness.BEYOND:
            words = translate(_CONTEXT, "{0} below your minimum of {1}")
    if margin.lowered:
        cost = translate(_CONTEXT, "Lowered by the central; each kWh missing costs {0}").format(
            tariff_words(snapshot)
        )
    return words.format(power(abs(margin.left_w)), power(margin.limit_w)), cost


def _unknown_words(snapshot: HouseSnapshot) -> str:
    translate = QCoreApplication.translate
    contract = contract_now(snapshot)
    if contract is None and snapshot.month is not None:
        return translate(_CONTEXT, "No contract: a kWh costs {0}").format(tariff_words(snapshot))
    if snapshot.central is not CentralState.LINKED:
        return translate(_CONTEXT, "Your limits: unknown until linked")
    if meter_state(snapshot) is ValueState.DISCONNECTED:
        return translate(_CONTEXT, "Your limits: unknown until the meter speaks")
    return translate(_CONTEXT, "Your limits: not told yet")


def tariff_words(snapshot: HouseSnapshot) -> str:
    """The national tariff of a kWh as an amount, as it was last heard."""
    if snapshot.tariff is None:
        return QCoreApplication.translate(_CONTEXT, "the national tariff")
    return QCoreApplication.translate(_CONTEXT, "{0} coins").format(price(snapshot.tariff).number)
