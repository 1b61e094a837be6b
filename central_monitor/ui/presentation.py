"""What the operator is told, in words, from a snapshot: states, notes and conditions. No widgets here."""

from PySide6.QtCore import QCoreApplication

from central_monitor.snapshot import CentralSnapshot, HouseView, LinkState
from central_monitor.ui.sharing_words import Trouble, since_words, trouble
from microgrid.months import month_of, zone_of
from microgrid.sample import Quality
from microgrid.terms import Contract, Role, Source
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.format import duration, moment, month_name
from node.qt.symbols import Condition, Priority
from node.qt.value import ValueState, state_note, state_of

_CONTEXT = "central"
_NAMED = 3  # houses a condition lists by name before it counts the rest
NO_FLOW_W = 5  # below this no arrow is drawn: half the last digit shown


def house_state(house: HouseView) -> ValueState:
    """How the house's measured values are drawn."""
    present = house.link is LinkState.LINKED and house.sample is not None
    return state_of(house.quality, present=present)


def house_note(house: HouseView) -> str:
    """The house's link and age, such as "linked, 12 ms" or "link lost 2 min 10 s"; short."""
    translate = QCoreApplication.translate
    if house.link is LinkState.NEVER:
        return translate(_CONTEXT, "never linked")
    if house.link is LinkState.LOST:
        if house.age_s is None:
            return translate(_CONTEXT, "link lost")
        return translate(_CONTEXT, "link lost {0}").format(duration(house.age_s))
    if house.sample is None:
        return translate(_CONTEXT, "linked, no value yet")
    state = house_state(house)
    if state is not ValueState.GOOD:
        return state_note(state, house.age_s)
    if house.round_trip_ms is None:
        return translate(_CONTEXT, "linked")
    return translate(_CONTEXT, "linked, {0} ms").format(round(house.round_trip_ms))


def role_words(contract: Contract | None) -> str:
    """The part the house plays this month."""
    translate = QCoreApplication.translate
    if contract is None:
        return translate(_CONTEXT, "no contract")
    if contract.role is Role.CONSUMER:
        return translate(_CONTEXT, "consumer")
    if contract.source is Source.SOLAR:
        return translate(_CONTEXT, "producer, solar")
    return translate(_CONTEXT, "producer, generator")


def unheard(snapshot: CentralSnapshot) -> int:
    """How many houses the pool's figures have no good value of."""
    return sum(house_state(house) is not ValueState.GOOD for house in snapshot.houses)


def house_priority(house: HouseView) -> Priority | None:
    """How urgent the house's own condition is; None if all is well with it."""
    if house.link is LinkState.LOST:
        return Priority.HIGH
    return Priority.LOW if _bad(house) or trouble(house) is not None else None


def conditions(snapshot: CentralSnapshot) -> list[Condition]:
    """What is wrong now, most urgent first; at most five lines however many houses are concerned."""
    translate = QCoreApplication.translate
    found = []
    if snapshot.recorder_fault is not None:
        text = translate(_CONTEXT, "Minutes are not being stored: {0}").format(snapshot.recorder_fault)
        found.append(Condition(Priority.URGENT, text))
    if not snapshot.tie_closed:
        text = translate(_CONTEXT, "The tie to the national grid is open")
        found.append(Condition(Priority.HIGH, text))
    if lost := [house for house in snapshot.houses if house.link is LinkState.LOST]:
        found.append(Condition(Priority.HIGH, _lost_words(lost, len(snapshot.houses))))
    if words := _trouble_words(snapshot):
        found.append(Condition(Priority.LOW, words))
    if bad := [house for house in snapshot.houses if _bad(house)]:
        found.append(Condition(Priority.LOW, translate(_CONTEXT, "{0}: bad values").format(_listed(bad))))
    return found


def link_line(snapshot: CentralSnapshot) -> str:
    """The health of all links and of the recording, in one line."""
    translate = QCoreApplication.translate
    counts = {state: sum(house.link is state for house in snapshot.houses) for state in LinkState}
    waiting = sum(house.minutes_waiting for house in snapshot.houses)
    parts = [
        translate(_CONTEXT, "Houses linked: {0} of {1}").format(
            counts[LinkState.LINKED], len(snapshot.houses)
        ),
        translate(_CONTEXT, "link lost: {0}").format(counts[LinkState.LOST]),
        translate(_CONTEXT, "never linked: {0}").format(counts[LinkState.NEVER]),
        translate(_CONTEXT, "with minutes to deliver: {0}").format(waiting),
    ]
    stored = snapshot.recorder_fault is None
    parts.append(
        translate(_CONTEXT, "minutes are stored") if stored else translate(_CONTEXT, "minutes are NOT stored")
    )
    return "   ·   ".join(parts)


def month_words(snapshot: CentralSnapshot) -> str:
    """The month that runs at the micro-grid, such as December 2024."""
    return month_name(month_of(int(snapshot.now_s) // SECONDS_PER_MINUTE, zone_of(snapshot.zone)))


def round_lines(snapshot: CentralSnapshot) -> tuple[str, str]:
    """How a round of contracts stands that is not final yet, in two short lines; empty without one."""
    translate, asked = QCoreApplication.translate, snapshot.round
    if asked is None or asked.final:
        return "", ""
    first = translate(_CONTEXT, "Contracts for {0}: {1} of {2} have answered").format(
        month_name(asked.month), len(asked.agreed), len(asked.agreed) + len(asked.waiting)
    )
    closes = translate(_CONTEXT, "closes {0}").format(moment(asked.closes_s, snapshot.zone))
    if not asked.refused:
        return first, closes
    return first, translate(_CONTEXT, "{0} refused, {1}").format(len(asked.refused), closes)


def _bad(house: HouseView) -> bool:
    return house.link is LinkState.LINKED and house.quality is Quality.BAD


def _trouble_words(snapshot: CentralSnapshot) -> str:
    """Who does not do what it is asked, all in one line; empty if everybody does."""
    translate, by_kind = QCoreApplication.translate, []
    for kind in Trouble:
        houses = [house for house in snapshot.houses if trouble(house) is kind]
        if houses:
            by_kind.append((kind, houses))
    words = {
        Trouble.UNABLE: translate(_CONTEXT, "{0}: target not followed"),
        Trouble.REFUSED: translate(_CONTEXT, "{0}: target refused"),
        Trouble.UNANSWERED: translate(_CONTEXT, "{0}: target unanswered"),
    }
    parts = [words[kind].format(_listed(houses)) for kind, houses in by_kind]
    orders = [house.order for _, houses in by_kind for house in houses if house.order is not None]
    since_s = [order.unable_since_s for order in orders if order.unable_since_s is not None]
    if not since_s:
        return "; ".join(parts)
    if len(orders) == 1:
        since = since_words(since_s[0], snapshot.now_s, snapshot.zone)
        parts = [translate(_CONTEXT, "{0} since {1}").format(parts[0], since)]
    return translate(_CONTEXT, "{0}; others are asked").format("; ".join(parts))


def _lost_words(lost: list[HouseView], total: int) -> str:
    translate = QCoreApplication.translate
    longest = max((house.age_s for house in lost if house.age_s is not None), default=None)
    age = "" if longest is None else " " + duration(longest)
    if len(lost) == total and total > 1:
        # All at once is far more likely one fault here than one in every house.
        return translate(_CONTEXT, "All {0} houses: link lost{1}; check the central's own network").format(
            total, age
        )
    if len(lost) == 1:
        return translate(_CONTEXT, "{0}: link lost{1}").format(_listed(lost), age)
    return translate(_CONTEXT, "{0}: link lost, longest{1}").format(_listed(lost), age)


def _listed(houses: list[HouseView]) -> str:
    translate = QCoreApplication.translate
    names = ", ".join(house.house for house in houses[:_NAMED])
    if len(houses) == 1:
        return translate(_CONTEXT, "House {0}").format(names)
    if len(houses) <= _NAMED:
        return translate(_CONTEXT, "Houses {0}").format(names)
    return translate(_CONTEXT, "Houses {0} and {1} more").format(names, len(houses) - _NAMED)
