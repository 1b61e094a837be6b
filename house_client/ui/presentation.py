"""What the household is told, in words, from a snapshot. No widgets here."""

from PySide6.QtCore import QCoreApplication

from house_client.snapshot import CentralState, HouseSnapshot, MeterState
from node.qt.format import duration, power, price
from node.qt.value import Reading, ValueState, state_note, state_of

_CONTEXT = "house"
_NO_FLOW_W = 5  # half the last digit shown


def meter_state(snapshot: HouseSnapshot) -> ValueState:
    """How the measured values are drawn."""
    present = snapshot.meter is MeterState.HEARD and snapshot.sample is not None
    return state_of(snapshot.quality, present=present)


def direction_words(snapshot: HouseSnapshot) -> str:
    """Which way power flows now, or for how long nobody has told."""
    translate = QCoreApplication.translate
    state = meter_state(snapshot)
    if state is ValueState.DISCONNECTED or snapshot.sample is None:
        return state_note(ValueState.DISCONNECTED, snapshot.age_s)
    power_w = snapshot.sample.exchange_p_w
    idle = abs(power_w) < _NO_FLOW_W
    return translate(_CONTEXT, "nothing exchanged") if idle else _towards(power_w)


def power_title(snapshot: HouseSnapshot) -> str:
    """The title of the power now; says so and how old it is when it is not good."""
    title = QCoreApplication.translate(_CONTEXT, "Power now")
    state = meter_state(snapshot)
    if state in (ValueState.GOOD, ValueState.DISCONNECTED):
        return title
    return f"{title}: {state_note(state, snapshot.age_s)}"


def energy_words(net_ws: int) -> str:
    """Which way the energy exchanged went, on balance."""
    return _towards(net_ws) if net_ws else ""


def meter_words(snapshot: HouseSnapshot) -> str:
    """The meter's state, with the sentence that says what to do if it is not heard."""
    translate = QCoreApplication.translate
    match snapshot.meter:
        case MeterState.NO_PORT:
            words = translate(_CONTEXT, "No meter chosen")
        case MeterState.MISSING:
            words = translate(_CONTEXT, "Meter not reached")
        case MeterState.SILENT:
            words = translate(_CONTEXT, "Meter silent")
        case MeterState.HEARD:
            words = translate(_CONTEXT, "Meter heard")
    if snapshot.meter is MeterState.HEARD and snapshot.age_s is not None:
        words = translate(_CONTEXT, "{0}, {1} ago").format(words, duration(snapshot.age_s))
    return f"{words}: {snapshot.meter_detail}" if snapshot.meter_detail else words


def central_words(snapshot: HouseSnapshot) -> str:
    """The link to the central, with the sentence that says what to do if there is none."""
    translate = QCoreApplication.translate
    match snapshot.central:
        case CentralState.NO_ADDRESS:
            words = translate(_CONTEXT, "No central chosen")
        case CentralState.CONNECTING:
            words = translate(_CONTEXT, "Connecting to the central")
        case CentralState.LINKED:
            words = translate(_CONTEXT, "Linked to the central")
        case CentralState.REFUSED:
            words = translate(_CONTEXT, "Refused by the central")
    return f"{words}: {snapshot.central_detail}" if snapshot.central_detail else words


def rate_reading(snapshot: HouseSnapshot) -> Reading:
    """The rate of the last poll; — when there is none or nobody delivers it now."""
    known = snapshot.rate is not None and snapshot.central is CentralState.LINKED
    state = ValueState.GOOD if known else ValueState.DISCONNECTED
    return Reading(price(snapshot.rate or 0), state)


def tariff_reading(snapshot: HouseSnapshot) -> Reading:
    """The national tariff; it seldom changes, so the last one is shown as stale while not linked."""
    if snapshot.tariff is None:
        return Reading(price(0), ValueState.DISCONNECTED)
    linked = snapshot.central is CentralState.LINKED
    return Reading(price(snapshot.tariff), ValueState.GOOD if linked else ValueState.STALE)


def pool_reading(snapshot: HouseSnapshot) -> Reading:
    """The power the micro-grid's sellers have left, of the last poll."""
    known = snapshot.pool_w is not None and snapshot.central is CentralState.LINKED
    state = ValueState.GOOD if known else ValueState.DISCONNECTED
    return Reading(power(snapshot.pool_w or 0, signed=True), state)


def _towards(signed: int) -> str:
    if signed > 0:
        return QCoreApplication.translate(_CONTEXT, "to the micro-grid")
    return QCoreApplication.translate(_CONTEXT, "from the micro-grid")
