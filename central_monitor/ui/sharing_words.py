"""How load is shared, and what becomes of a seller's order, in words. No widgets here."""

from collections.abc import Sequence
from enum import Enum

from PySide6.QtCore import QCoreApplication

from central_monitor.snapshot import ByHand, HouseView, LinkState, OrderView
from microgrid.directives import StrategyName
from microgrid.minute import Fate, Hold
from microgrid.pool import obliged
from microgrid.units import SECONDS_PER_MINUTE
from node.qt.format import date, duration, moment, power, time_of_day, zone_name

_CONTEXT = "sharing"


class Trouble(Enum):
    """Why a seller cannot be counted on, other than that it is not heard."""

    UNABLE = "unable"  # it has acknowledged its target, and does not follow it
    REFUSED = "refused"
    UNANSWERED = "unanswered"


def trouble(house: HouseView) -> Trouble | None:
    """The seller's trouble; none is counted of one whose link is lost, or that is out of service."""
    order = house.order
    if order is None or house.link is not LinkState.LINKED or out_of_service(house):
        return None
    if order.fate is Fate.REFUSED:
        return Trouble.REFUSED
    if order.fate is Fate.UNANSWERED:
        return Trouble.UNANSWERED
    return None if order.unable_since_s is None else Trouble.UNABLE


def out_of_service(house: HouseView) -> bool:
    """Whether the operator has taken the seller out of service."""
    return house.by_hand is not None and house.by_hand.out_until_minute is not None


def held(house: HouseView) -> bool:
    """Whether the operator holds the seller at a power."""
    return house.by_hand is not None and house.by_hand.held_w is not None and not out_of_service(house)


def strategy_words(strategy: StrategyName) -> str:
    """The way load is divided, as the head of the screen says it."""
    translate = QCoreApplication.translate
    match strategy:
        case StrategyName.DAY_TIME:
            return translate(_CONTEXT, "Load sharing on: to the sun by day, to generators by night")
        case StrategyName.MERIT_ORDER:
            return translate(_CONTEXT, "Load sharing on: merit order, cheapest first")
        case StrategyName.OFF:
            return translate(_CONTEXT, "Load sharing off: everybody alike")


def trouble_words(found: Trouble) -> str:
    """The trouble, short."""
    translate = QCoreApplication.translate
    match found:
        case Trouble.REFUSED:
            return translate(_CONTEXT, "refused")
        case Trouble.UNANSWERED:
            return translate(_CONTEXT, "unanswered")
        case Trouble.UNABLE:
            return translate(_CONTEXT, "does not follow")


def fate_words(fate: Fate) -> str:
    """What has become of an order, short; empty without one."""
    translate = QCoreApplication.translate
    match fate:
        case Fate.NONE:
            return ""
        case Fate.SENT:
            return translate(_CONTEXT, "sent")
        case Fate.UNANSWERED:
            return trouble_words(Trouble.UNANSWERED)
        case Fate.REFUSED:
            return trouble_words(Trouble.REFUSED)
        case Fate.FOLLOWING:
            return translate(_CONTEXT, "following")
        case Fate.LATE:
            return translate(_CONTEXT, "following late")
        case Fate.MET:
            return translate(_CONTEXT, "met")
        case Fate.UNMET:
            return translate(_CONTEXT, "not met")


def hold_words(order: OrderView) -> str:
    """Why the target is what it is; empty if it is just the seller's part."""
    translate = QCoreApplication.translate
    match order.hold:
        case Hold.OPERATOR:
            return translate(_CONTEXT, "set by hand")
        case Hold.CAP:
            return translate(_CONTEXT, "held by the cap")
        case Hold.SHARING:
            return translate(_CONTEXT, "held by sharing")
        case Hold.NONE:
            return translate(_CONTEXT, "raise") if order.raise_standing else ""


def brief_words(house: HouseView) -> str:
    """What matters most about a seller's order; empty without one, and where it is just met."""
    if out_of_service(house):
        return QCoreApplication.translate(_CONTEXT, "out of service")
    if house.order is None:
        return ""
    if (found := trouble(house)) is not None:
        return trouble_words(found)
    fate = house.order.fate
    return hold_words(house.order) or ("" if fate is Fate.MET else fate_words(fate))


def _order_words(house: HouseView) -> str:
    """Why a seller's target is what it is, and what has become of the order; empty without one."""
    if house.order is None:
        return ""
    return ", ".join(part for part in (hold_words(house.order), fate_words(house.order.fate)) if part)


def order_line(house: HouseView, now_s: float, zone: str, *, is_day: bool) -> str:
    """The same with the times that matter; without an order, why there is none."""
    translate, by_hand, order = QCoreApplication.translate, house.by_hand, house.order
    if by_hand is not None and by_hand.out_until_minute is not None:
        until = since_words(by_hand.out_until_minute * SECONDS_PER_MINUTE, now_s, zone)
        return translate(_CONTEXT, "out until {0}").format(until)
    if order is None:
        return _no_order_words(house, is_day)
    if (found := trouble(house)) is None:
        return _order_words(house)
    if order.unable_since_s is None:
        return trouble_words(found)
    since = since_words(order.unable_since_s, now_s, zone)
    return translate(_CONTEXT, "{0} since {1}").format(trouble_words(found), since)


def order_sentences(house: HouseView, now_s: float, zone: str) -> list[str]:
    """Everything about the order a seller stands under, in full."""
    translate, order = QCoreApplication.translate, house.order
    found: list[str] = []
    if order is not None:
        found += [_given_sentence(order, now_s), _fate_sentence(order)]
        if order.unable_since_s is not None and not out_of_service(house):
            since = since_words(order.unable_since_s, now_s, zone)
            words = translate(_CONTEXT, "Does not follow since {0}: others are asked.")
            found.append(words.format(since))
    if house.by_hand is not None:
        found.append(_by_hand_sentence(house.by_hand, now_s, zone))
    return [sentence for sentence in found if sentence]


def since_words(at_s: float, now_s: float, zone: str) -> str:
    """The time of day with its zone, and the day too if it is another one than now's."""
    if date(at_s, zone) != date(now_s, zone):
        return moment(at_s, zone)
    return f"{time_of_day(at_s, zone)} {zone_name(at_s, zone)}"


def count_words(houses: Sequence[HouseView]) -> str:
    """How many of these sellers are in which trouble; that all is well if none is."""
    translate = QCoreApplication.translate
    troubles = [trouble(house) for house in houses]
    counts = (
        (translate(_CONTEXT, "{0} not following"), troubles.count(Trouble.UNABLE)),
        (translate(_CONTEXT, "{0} refusing"), troubles.count(Trouble.REFUSED)),
        (translate(_CONTEXT, "{0} not answering"), troubles.count(Trouble.UNANSWERED)),
        (translate(_CONTEXT, "{0} not linked"), sum(h.link is not LinkState.LINKED for h in houses)),
        (translate(_CONTEXT, "{0} held"), sum(held(house) for house in houses)),
        (translate(_CONTEXT, "{0} out of service"), sum(out_of_service(house) for house in houses)),
    )
    return ", ".join(text.format(count) for text, count in counts if count)


def _no_order_words(house: HouseView, is_day: bool) -> str:
    translate = QCoreApplication.translate
    if house.link is not LinkState.LINKED:
        return ""  # its link's own words stand there
    if house.sample is not None and not house.sample.grid_breaker_closed:
        return translate(_CONTEXT, "not asked: its grid breaker is open")
    if house.contract is not None and not obliged(house.contract, is_day):
        return translate(_CONTEXT, "not asked by night")
    return translate(_CONTEXT, "not asked")


def _given_sentence(order: OrderView, now_s: float) -> str:
    translate = QCoreApplication.translate
    parts = [translate(_CONTEXT, "Target {0}").format(power(order.target_w))]
    if order.given_s:
        parts.append(translate(_CONTEXT, "given {0} ago").format(duration(now_s - order.given_s)))
    if order.hold is Hold.NONE and order.raise_standing:
        parts.append(translate(_CONTEXT, "a raise"))
    elif words := hold_words(order):
        parts.append(words)
    return ", ".join(parts) + "."


def _fate_sentence(order: OrderView) -> str:
    """What has become of it: in the house's words, if it has said any, or what that means."""
    translate = QCoreApplication.translate
    match order.fate:
        case Fate.SENT:
            meaning = translate(_CONTEXT, "the time to answer is not over")
        case Fate.UNANSWERED:
            meaning = translate(_CONTEXT, "neither the house nor its meter has answered in time")
        case Fate.REFUSED:
            meaning = translate(_CONTEXT, "the meter cannot obey")
        case Fate.FOLLOWING:
            meaning = translate(_CONTEXT, "acknowledged, the time to respond is not over")
        case Fate.LATE:
            meaning = translate(_CONTEXT, "acknowledged only after the time to answer")
        case Fate.UNMET:
            meaning = translate(_CONTEXT, "acknowledged, but the time to respond is over")
        case Fate.MET | Fate.NONE:
            meaning = ""
    word, meaning = fate_words(order.fate), (order.answer or meaning).removesuffix(".")
    text = translate(_CONTEXT, "{0}: {1}").format(word, meaning) if word and meaning else word or meaning
    return f"{text[0].upper()}{text[1:]}." if text else ""


def _by_hand_sentence(by_hand: ByHand, now_s: float, zone: str) -> str:
    translate = QCoreApplication.translate
    if by_hand.out_until_minute is not None:
        until = since_words(by_hand.out_until_minute * SECONDS_PER_MINUTE, now_s, zone)
        words = translate(_CONTEXT, "Out of service until {0} by {1}: {2}")
        return words.format(until, by_hand.author, by_hand.note)
    if by_hand.held_w is not None:
        words = translate(_CONTEXT, "Held at {0} by {1}: {2}")
        return words.format(power(by_hand.held_w), by_hand.author, by_hand.note)
    return ""
