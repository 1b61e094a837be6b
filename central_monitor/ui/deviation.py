"""How far a house is from what it agreed to, at this moment: what the operator looks at first."""

from dataclasses import dataclass
from enum import Enum

from PySide6.QtCore import QCoreApplication

from central_monitor.snapshot import HouseView
from central_monitor.ui.presentation import NO_FLOW_W, house_state
from microgrid.pool import obliged
from microgrid.terms import Role
from node.qt.value import ValueState

_CONTEXT = "central"


class Breach(Enum):
    """In which way a house departs from its contract."""

    NONE = "none"
    ALLOTMENT = "allotment"  # a consumer draws more than it is allotted
    MINIMUM = "minimum"  # a seller gives less than it owes
    IMPORT = "import"  # a house draws that is allotted nothing: a seller, or one without a contract


@dataclass(frozen=True, slots=True)
class Deviation:
    """The power by which a house departs from its contract, in W, positive."""

    power_w: int
    breach: Breach


WITHIN = Deviation(0, Breach.NONE)


def deviation(house: HouseView, is_day: bool) -> Deviation | None:
    """How far the house is from its contract; None if nothing good is heard of it now.

    A seller held down by the cap or by sharing owes no more than its target.
    """
    sample, contract = house.sample, house.contract
    if sample is None or house_state(house) is not ValueState.GOOD:
        return None
    given_w = sample.exchange_p_w
    if contract is not None and contract.role is Role.CONSUMER:
        return _deviation(-given_w - (house.allotment_w or 0), Breach.ALLOTMENT)
    if contract is not None and obliged(contract, is_day):
        owed_w = contract.min_w if house.order is None else min(contract.min_w, house.order.target_w)
        default_w = house.split.default_w if house.split is not None else 0
        if (lacking_w := max(owed_w - given_w, default_w)) >= NO_FLOW_W:
            return Deviation(lacking_w, Breach.MINIMUM)
    return _deviation(-given_w, Breach.IMPORT)


def breach_words(breach: Breach) -> str:
    """The way in words; empty for none."""
    translate = QCoreApplication.translate
    match breach:
        case Breach.NONE:
            return ""
        case Breach.ALLOTMENT:
            return translate(_CONTEXT, "beyond allotment")
        case Breach.MINIMUM:
            return translate(_CONTEXT, "below what it owes")
        case Breach.IMPORT:
            return translate(_CONTEXT, "draws without allotment")


def _deviation(power_w: int, breach: Breach) -> Deviation:
    return Deviation(power_w, breach) if power_w >= NO_FLOW_W else WITHIN
