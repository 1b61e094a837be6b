"""What the central asks of this house, why, and how it is met; what the house does by itself. No widgets."""

from PySide6.QtCore import QCoreApplication

from house_client.snapshot import CentralState, HouseSnapshot
from house_client.ui.margin import OBEYED_W, Margin
from house_client.ui.presentation import meter_state
from microgrid.sample import CommandState
from node.qt.format import power
from node.qt.value import ValueState

_CONTEXT = "house"


def request_words(snapshot: HouseSnapshot, margin: Margin | None) -> str:
    """What is asked in a few words, with what is wrong with it; empty if nobody has asked for anything."""
    translate = QCoreApplication.translate
    linked = snapshot.central is CentralState.LINKED
    if snapshot.safe:
        if linked:
            return translate(_CONTEXT, "The central asks for nothing now")
        return translate(_CONTEXT, "The central is silent")
    if snapshot.target_w is None:
        return ""
    asked = power(snapshot.target_w)
    if is_hindered(snapshot):
        if snapshot.last_pulse is CommandState.REFUSED:
            return translate(_CONTEXT, "Asked for {0}: source not running").format(asked)
        return translate(_CONTEXT, "Asked for {0}: meter does not obey").format(asked)
    if not linked:
        return translate(_CONTEXT, "Asked before the link was lost: {0}").format(asked)
    if margin is not None and margin.missing_w:
        return translate(_CONTEXT, "Asked for {0}: {1} missing").format(asked, power(margin.missing_w))
    return translate(_CONTEXT, "The central asks you to give {0}").format(asked)


def manner_words(snapshot: HouseSnapshot) -> str:
    """How it is met, and why it is asked; at the safe output, what the house does by itself."""
    translate = QCoreApplication.translate
    if snapshot.goal_w is None:
        return ""
    parts = [_held_words(snapshot.goal_w)] if snapshot.safe else []
    if is_hindered(snapshot):
        if snapshot.last_pulse is CommandState.REFUSED:
            parts.append(translate(_CONTEXT, "Start the source, or tell the operator."))
        else:
            parts.append(translate(_CONTEXT, "The meter does not obey: tell the operator."))
    elif snapshot.swap is not None:
        parts.append(translate(_CONTEXT, "Nothing is steered while the meter is exchanged."))
    elif meter_state(snapshot) is ValueState.DISCONNECTED:
        parts.append(translate(_CONTEXT, "Nothing is steered while the meter is silent."))
    elif snapshot.target_w is not None and snapshot.goal_w < snapshot.target_w:
        parts.append(translate(_CONTEXT, "This house gives {0} at most.").format(power(snapshot.goal_w)))
    elif not snapshot.safe:
        parts.append(_way_words(snapshot, snapshot.goal_w))
    return " ".join([*parts, snapshot.target_reason]).strip()


def is_hindered(snapshot: HouseSnapshot) -> bool:
    """Whether the meter could not, or did not, do what the output still lacks."""
    hindered = snapshot.last_pulse in (CommandState.REFUSED, CommandState.NONE)
    return hindered and snapshot.swap is None and meter_state(snapshot) is not ValueState.DISCONNECTED


def _held_words(goal_w: int) -> str:
    translate = QCoreApplication.translate
    if goal_w == 0:
        return translate(_CONTEXT, "By itself this house gives nothing.")
    return translate(_CONTEXT, "This house gives its agreed minimum of {0}.").format(power(goal_w))


def _way_words(snapshot: HouseSnapshot, goal_w: int) -> str:
    translate = QCoreApplication.translate
    given_w = max(0, snapshot.sample.exchange_p_w) if snapshot.sample is not None else 0
    if abs(goal_w - given_w) <= OBEYED_W:
        return translate(_CONTEXT, "You give it.")
    if given_w < goal_w:
        return translate(_CONTEXT, "Your source is being raised.")
    return translate(_CONTEXT, "Your source is being lowered.")
