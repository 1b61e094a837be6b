"""How the contract of a month stands, in words. No widgets."""

from enum import Enum

from PySide6.QtCore import QCoreApplication

from house_client.snapshot import HouseSnapshot
from microgrid.agreements import Basis
from microgrid.contracting import Wish
from microgrid.terms import Obligation, Role, Source
from microgrid.units import SECONDS_PER_MINUTE
from microgrid.wire.messages import ContractCall
from node.qt.format import duration, moment, money, month_name, power, price

_CONTEXT = "house"


class CallState(Enum):
    """How the newest call for a contract stands."""

    NONE = "nothing asked"
    OPEN = "open"
    REFUSED = "refused"  # the last answer; another one is asked for
    WAITING = "waiting for the central's word"
    CLOSED = "closed without an answer"
    AGREED = "agreed"


def call_state(snapshot: HouseSnapshot) -> CallState:
    """How the newest call for a contract stands."""
    call = snapshot.call
    if call is None:
        return CallState.NONE
    if call.basis is not None:
        return CallState.AGREED
    if snapshot.answer_waiting:
        return CallState.WAITING
    if snapshot.now_s >= call.closes_s:
        return CallState.CLOSED
    return CallState.REFUSED if call.refusal else CallState.OPEN


def call_words(snapshot: HouseSnapshot, call: ContractCall, state: CallState) -> tuple[str, str]:
    """What is to be said of a call: a title and a line about it."""
    translate = QCoreApplication.translate
    month = month_name(call.month)
    closes = moment(call.closes_s, snapshot.zone)
    match state:
        case CallState.OPEN:
            left = duration(call.closes_s - snapshot.now_s)
            return (
                translate(_CONTEXT, "Create contract for {0}").format(month),
                translate(_CONTEXT, "Open for {0}, until {1}").format(left, closes),
            )
        case CallState.REFUSED:
            return (
                translate(_CONTEXT, "Contract for {0} refused: change it").format(month),
                " ".join(call.refusal.values()),
            )
        case CallState.WAITING:
            return (
                translate(_CONTEXT, "Contract for {0} sent").format(month),
                translate(_CONTEXT, "Waiting for the central's word"),
            )
        case CallState.CLOSED:
            return (
                translate(_CONTEXT, "Contract for {0} not answered").format(month),
                translate(_CONTEXT, "Closed {0}; the central says what holds").format(closes),
            )
        case _:
            return _agreed_words(snapshot, call, month)


def _agreed_words(snapshot: HouseSnapshot, call: ContractCall, month: str) -> tuple[str, str]:
    translate = QCoreApplication.translate
    if call.agreed is None:
        return translate(_CONTEXT, "No contract for {0}").format(month), basis_words(call.basis)
    return (
        translate(_CONTEXT, "Contract for {0} agreed").format(month),
        permitted_words(snapshot, call),
    )


def permitted_words(snapshot: HouseSnapshot, call: ContractCall) -> str:
    """From when power may be exchanged under the contract, or what is waited for (5.6)."""
    translate = QCoreApplication.translate
    if call.permitted:
        first = moment(call.first_minute * SECONDS_PER_MINUTE, snapshot.zone)
        return translate(_CONTEXT, "Exchange permitted from {0}").format(first)
    return translate(_CONTEXT, "Exchange is permitted when every house has its contract")


def capital(text: str) -> str:
    """The text as a sentence begins."""
    return text[:1].upper() + text[1:]


def role_word(role: Role) -> str:
    """Producer or consumer."""
    if role is Role.PRODUCER:
        return QCoreApplication.translate(_CONTEXT, "Producer")
    return QCoreApplication.translate(_CONTEXT, "Consumer")


def source_words(source: Source | None, obligation: Obligation) -> str:
    """A producer's source, and when it is obliged."""
    translate = QCoreApplication.translate
    if source is not Source.SOLAR:
        return translate(_CONTEXT, "generator")
    if obligation is Obligation.DAYLIGHT:
        return translate(_CONTEXT, "solar, by daylight")
    return translate(_CONTEXT, "solar, also by night")


def basis_words(basis: Basis | None) -> str:
    """How a contract came about."""
    translate = QCoreApplication.translate
    match basis:
        case Basis.ANSWERED:
            return translate(_CONTEXT, "your answer")
        case Basis.CARRIED_OVER:
            return translate(_CONTEXT, "no answer in time: last month's again")
        case Basis.NO_ANSWER:
            return translate(_CONTEXT, "no answer in time: no contract")
        case Basis.OPERATOR:
            return translate(_CONTEXT, "entered by the operator")
        case Basis.GRID_FILE:
            return translate(_CONTEXT, "from the beginning of the micro-grid")
        case _:
            return ""


def consequence_words(wish: Wish, tariff: int) -> str:
    """What a wish obliges to and what it may cost, in one sentence (5.5, 5.8.1); `tariff` as in a call."""
    translate = QCoreApplication.translate
    if wish.role is Role.CONSUMER:
        return translate(
            _CONTEXT,
            "It obliges you to nothing: within your share of what sellers can give you pay the micro-grid's"
            " rate, and beyond it a kWh may cost the national {0} coins; asking for more than you need is"
            " free.",
        ).format(price(tariff).number)
    when = translate(_CONTEXT, "at any time")
    if wish.obligation is Obligation.DAYLIGHT:
        when = translate(_CONTEXT, "by daylight")
    return translate(
        _CONTEXT,
        "You owe {0} {1}, and up to {2} when the central asks: an hour of giving nothing costs {3} coins,"
        " and may cost up to {4} coins while you are asked.",
    ).format(
        power(wish.min_w),
        when,
        power(wish.max_w),
        _hour_cost(wish.min_w, tariff),
        _hour_cost(max(wish.min_w, wish.max_w), tariff),
    )


def _hour_cost(power_w: int, tariff: int) -> str:
    """Coins for an hour of this power at the tariff."""
    return money(power_w * tariff // 1000).number
